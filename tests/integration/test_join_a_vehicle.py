"""docs/howto/join-a-vehicle.md on a real API server: its manifests, and how a car is shut out."""

import shlex
import subprocess
from pathlib import Path

import pytest
import yaml
from tests.cluster.api import Manifest
from tests.cluster.binaries import ensure
from tests.cluster.control_plane import ControlPlane
from tests.integration.fleet_manifests import a_vehicle
from tests.pages import HOWTO, blocks, commands, the_file

PAGE = HOWTO / "join-a-vehicle.md"
EXPLAINED = HOWTO.parent / "explanation" / "on-the-cluster.md"
NAME = "v-3f9c2a71"


def kubectl(cluster: ControlPlane, *arguments: str, stdin: str = "") -> tuple[int, str]:
    """Run kubectl; its exit status, and all it says."""
    done = subprocess.run(
        [str(ensure() / "kubectl"), f"--kubeconfig={cluster.kubeconfig}", *arguments],
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def as_vehicle(name: str) -> tuple[str, str]:
    """The arguments with which kubectl speaks as the kubelet of a vehicle."""
    return f"--as=system:node:{name}", "--as-group=system:nodes"


@pytest.fixture
def kubelets(cluster: ControlPlane) -> None:
    """Let kubelets do what RBAC has for them; there is no Node authorizer here."""
    cluster.api.apply(
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "ClusterRoleBinding",
            "metadata": {"name": "kubelets"},
            "roleRef": {
                "apiGroup": "rbac.authorization.k8s.io",
                "kind": "ClusterRole",
                "name": "system:node",
            },
            "subjects": [
                {
                    "apiGroup": "rbac.authorization.k8s.io",
                    "kind": "Group",
                    "name": "system:nodes",
                }
            ],
        }
    )


def a_node(name: str) -> str:
    """The manifest of a Node."""
    manifest: Manifest = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name}}
    return yaml.safe_dump(manifest)


def test_the_vehicle_is_taken(cluster: ControlPlane) -> None:
    """The API server takes the VehicleNode of the page under strict validation."""
    cluster.apply_definitions()
    (made,) = cluster.api.apply(yaml.safe_load(the_file(PAGE, f"{NAME}.yaml")))
    assert made["spec"]["suspend"] is True


def test_the_deployment_of_the_explanation_is_taken(cluster: ControlPlane) -> None:
    """The tolerations that the page recommends replace those that every pod gets."""
    (block,) = blocks(EXPLAINED, "yaml")
    cluster.api.apply(yaml.safe_load(block.text))
    cluster.wait_until(lambda: len(cluster.api.list("Pod", "default")) == 2, "two pods are made")
    for pod in cluster.api.list("Pod", "default"):
        assert [each["tolerationSeconds"] for each in pod["spec"]["tolerations"]] == [900, 900]


@pytest.mark.usefixtures("kubelets")
def test_a_revoked_vehicle_writes_nothing(cluster: ControlPlane, tmp_path: Path) -> None:
    """The key of a vehicle with the label makes no Node, no Lease, no status; others do."""
    cluster.apply_definitions()
    cluster.api.apply(a_vehicle(NAME), a_vehicle("v-2"))
    manifests = tmp_path / "revoked.yaml"
    manifests.write_text(the_file(PAGE, "revoked.yaml"), encoding="utf-8")
    status, told = kubectl(cluster, "apply", "--server-side", "-f", str(manifests))
    assert status == 0, told
    (label,) = (command for command in commands(PAGE) if "label vn" in command)
    arguments = label.replace('"$NAME"', NAME).split()[1:]
    assert kubectl(cluster, *arguments)[0] == 0

    def refused() -> bool:
        status, told = kubectl(
            cluster, "create", "-f", "-", "--dry-run=server", *as_vehicle(NAME), stdin=a_node(NAME)
        )
        return status != 0 and f"the vehicle {NAME} is revoked" in told

    cluster.wait_until(refused, "the policy is in force", 30)
    status, told = kubectl(cluster, "create", "-f", "-", *as_vehicle("v-2"), stdin=a_node("v-2"))
    assert status == 0, told
    lease = {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {"name": NAME, "namespace": "kube-node-lease"},
    }
    status, told = kubectl(
        cluster, "create", "-f", "-", *as_vehicle(NAME), stdin=yaml.safe_dump(lease)
    )
    assert status != 0
    assert "is revoked" in told
    _, told = kubectl(cluster, "label", "node", "v-2", "seen=by-another", *as_vehicle(NAME))
    assert "is revoked" in told
    status, told = kubectl(cluster, "label", "node", "v-2", "seen=by-itself", *as_vehicle("v-2"))
    assert status == 0, told


def test_the_commands_that_shut_a_car_out(cluster: ControlPlane) -> None:
    """Each of them does on a vehicle with a pod what the page says."""
    cluster.apply_definitions()
    cluster.create_nodes(NAME)
    cluster.api.apply(a_vehicle(NAME))
    pod: Manifest = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "p", "namespace": "default"},
        "spec": {"nodeName": NAME, "containers": [{"name": "c", "image": "i"}]},
    }
    cluster.api.apply(pod)
    section = PAGE.read_text(encoding="utf-8").partition("To shut it out:")[2]
    typed = section.split("```console\n")[1].split("```")[0].splitlines()
    for line in typed:
        words = line.removeprefix("$ kubectl ").replace('"$NAME"', NAME)
        arguments = shlex.split(words)
        status, told = kubectl(cluster, *arguments)
        assert status == 0, f"{line}: {told}"
    assert cluster.api.list("Pod", "default") == []
    vehicle = cluster.api.get("VehicleNode", NAME)
    assert vehicle["spec"]["suspend"] is True
    assert vehicle["metadata"]["labels"] == {"example.com/revoked": "true"}
    assert kubectl(cluster, "get", "node", NAME)[0] != 0
