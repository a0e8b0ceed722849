"""`idlewatt why` on a real API server: it lists, it answers, and it may do nothing else."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from tests.cluster.control_plane import ControlPlane, kubeconfig
from tests.cluster.places import CHECKOUT
from tests.integration.fleet_manifests import Manifest, a_pod, a_site, a_tariff, a_vehicle
from tests.integration.test_run import ALWAYS, report_now

ACCOUNT = "/api/v1/namespaces/default/serviceaccounts/asker/token"
OURS = ["vehiclenodes", "parkingsites", "energytariffs", "fleetpolicies"]


def idlewatt_why(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command to its end."""
    command = [sys.executable, "-m", "idlewatt_operator", "why", *arguments]
    return subprocess.run(
        command, cwd=CHECKOUT, capture_output=True, text=True, timeout=120, check=False
    )


def lists_only() -> list[Manifest]:
    """An account that may list what the how-to page names, and nothing else."""
    rules = [
        {"apiGroups": [""], "resources": ["pods", "nodes"], "verbs": ["list"]},
        {"apiGroups": ["idlewatt.dev"], "resources": OURS, "verbs": ["list"]},
    ]
    group, name = "rbac.authorization.k8s.io", "asker"
    subject = {"kind": "ServiceAccount", "name": name, "namespace": "default"}
    role = {"apiGroup": group, "kind": "ClusterRole", "name": name}
    return [
        {
            "apiVersion": "v1",
            "kind": "ServiceAccount",
            "metadata": {"name": name, "namespace": "default"},
        },
        {
            "apiVersion": f"{group}/v1",
            "kind": "ClusterRole",
            "metadata": {"name": name},
            "rules": rules,
        },
        {
            "apiVersion": f"{group}/v1",
            "kind": "ClusterRoleBinding",
            "metadata": {"name": name},
            "subjects": [subject],
            "roleRef": role,
        },
    ]


@pytest.fixture
def asker(cluster: ControlPlane, tmp_path: Path) -> Path:
    """A kubeconfig of that account."""
    cluster.api.apply(*lists_only())
    wish = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}}
    token = cluster.api.request("POST", ACCOUNT, wish)["status"]["token"]
    own = yaml.safe_load(cluster.kubeconfig.read_text())["clusters"][0]["cluster"]
    path = tmp_path / "kubeconfig"
    path.write_text(kubeconfig(cluster.url, token, Path(own["certificate-authority"])))
    return path


def test_a_cluster_is_asked_with_the_right_to_list_alone(
    cluster: ControlPlane, asker: Path
) -> None:
    """Why a pod waits on the only car, and what power it may have there; nothing is written."""
    cluster.apply_definitions()
    cluster.create_nodes("v-1")
    strong = a_pod("strong")
    strong["metadata"].setdefault("annotations", {}).update(
        {"idlewatt.dev/power": "5000", "idlewatt.dev/allow-loss": "true"}
    )
    cluster.api.apply(a_site(), a_tariff(), a_vehicle(parkingWindows=ALWAYS), strong)
    report_now(cluster)
    asked = idlewatt_why("strong", "--kubeconfig", str(asker), "-o", "json")
    assert asked.returncode == 0, asked.stderr
    answer = json.loads(asked.stdout)
    assert answer["reasons"] == {"ExceedsCapacity": 1}
    kinds = {each["change"]["kind"] for each in answer["advice"]}
    assert "less power" in kinds
    gone = idlewatt_why("nobody", "--kubeconfig", str(asker))
    assert gone.returncode == 2
    assert "there is no pod 'nobody'" in " ".join(gone.stderr.replace("│", " ").split())


def test_who_may_not_list_is_told(cluster: ControlPlane, asker: Path) -> None:
    """What is missing, in a sentence, with status 1."""
    cluster.apply_definitions()
    path = "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/asker"
    cluster.api.request("DELETE", path)
    asked = idlewatt_why("strong", "--kubeconfig", str(asker))
    assert asked.returncode == 1
    assert "forbidden" in asked.stderr
    assert "Traceback" not in asked.stderr
