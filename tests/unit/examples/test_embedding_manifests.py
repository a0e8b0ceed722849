"""The manifests of the embedding example agree with its server, its image and the fleet."""

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from embedder.load import arguments
from embedder.settings import Settings
from tests.cluster.places import CHECKOUT
from typer.testing import CliRunner

from idlewatt_operator.cli.app import app

EXAMPLE = CHECKOUT / "examples" / "embedding"
FLEET = CHECKOUT / "examples" / "kind"
AT = "2026-01-15T22:00:00Z"
SEEN = "2026-01-15T21:59:55Z"


def loaded(path: Path) -> list[dict[str, Any]]:
    """Read the objects of a file."""
    return [each for each in yaml.safe_load_all(path.read_text(encoding="utf-8")) if each]


DEPLOYMENT = loaded(EXAMPLE / "deployment.yaml")[0]
SPEC = DEPLOYMENT["spec"]["template"]["spec"]
CONTAINER = SPEC["containers"][0]
CLIENT = loaded(EXAMPLE / "client" / "job.yaml")[0]["spec"]["template"]["spec"]["containers"][0]


def replicas(count: int) -> list[dict[str, Any]]:
    """Give pods as the Deployment's ReplicaSet makes them."""
    template = DEPLOYMENT["spec"]["template"]
    owner = {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "name": "embedding-6d",
        "uid": "rs-1",
        "controller": True,
    }
    return [
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {
                **template["metadata"],
                "name": f"embedding-{index}",
                "namespace": "default",
                "uid": f"pod-{index}",
                "creationTimestamp": SEEN,
                "ownerReferences": [owner],
            },
            "spec": template["spec"],
        }
        for index in range(count)
    ]


def fleet() -> list[dict[str, Any]]:
    """Give the vehicles of examples/kind, parked and charged, each with its Node."""
    objects = [each for path in FLEET.glob("*.yaml") for each in loaded(path)]
    ours = [each for each in objects if each["apiVersion"].startswith("idlewatt.dev/")]
    for vehicle in ours:
        if vehicle["kind"] != "VehicleNode":
            continue
        vehicle["status"] = {
            "power": "Awake",
            "battery": {"stateOfChargePercent": 90, "temperatureCelsius": 20, "observedAt": SEEN},
            "parking": {"parked": True, "occupied": False, "since": SEEN, "observedAt": SEEN},
            "connection": {
                "siteRef": {"name": "depot"},
                "circuit": "row-a",
                "supply": "Supplied",
                "chargePowerWatts": 0,
                "observedAt": SEEN,
            },
        }
    return ours + [node(each) for each in ours if each["kind"] == "VehicleNode"]


def node(vehicle: dict[str, Any]) -> dict[str, Any]:
    """Give the Node of a vehicle, with all that the vehicle offers."""
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": vehicle["metadata"]["name"]},
        "status": {
            "allocatable": {**vehicle["spec"]["compute"]["capacity"], "pods": "110"},
            "conditions": [{"type": "Ready", "status": "True", "lastTransitionTime": SEEN}],
        },
    }


def planned(pods: list[dict[str, Any]]) -> dict[str, Any]:
    """Plan the pods on the fleet, with the command that a user has."""
    given = json.dumps({"apiVersion": "v1", "kind": "List", "items": [*fleet(), *pods]})
    result = CliRunner().invoke(
        app, ["plan", "-f", "-", "--at", AT, "-o", "json"], input=given, catch_exceptions=False
    )
    assert result.exit_code == 0, result.output
    plan: dict[str, Any] = json.loads(result.stdout)
    return plan


def test_two_replicas_never_share_a_vehicle() -> None:
    """Each asks for more than half of a vehicle, so the planner, which saves, keeps them apart."""
    plan = planned(replicas(2))
    vehicles = [each["vehicle"] for each in plan["placements"]]
    assert (len(vehicles), len(set(vehicles))) == (2, 2)


def test_a_replacement_finds_a_third_vehicle() -> None:
    """While one replica is moved there are three pods: vehicles and circuit have room for them."""
    assert len(planned(replicas(3))["placements"]) == 3


def test_a_fourth_would_wait_for_room() -> None:
    """And no more than three: the test above would not fail on a fleet without bounds."""
    plan = planned(replicas(4))
    assert len(plan["placements"]) == 3
    assert set(plan["waiting"][0]["reasons"]) == {"NotEnoughResources"}


def environment() -> dict[str, str]:
    """Give the container's environment."""
    return {each["name"]: each["value"] for each in CONTAINER["env"]}


def test_the_grace_leaves_time_to_finish() -> None:
    """Kubernetes kills after the grace, so draining and finishing must be over before."""
    settings = Settings.of_environment(environment())
    taken = settings.drain_seconds + settings.finish_seconds
    assert taken + 5 <= SPEC["terminationGracePeriodSeconds"]


def test_the_drain_outlasts_idle_connections() -> None:
    """A client that follows the page never sends on a connection that the server closes."""
    client = arguments(["http://embedding:8080"])
    assert client.idle_seconds < Settings.of_environment(environment()).drain_seconds


@pytest.mark.parametrize("probe", ["startupProbe", "readinessProbe", "livenessProbe"])
def test_the_probes_ask_where_the_server_answers(probe: str) -> None:
    """A path that is not served would take the pod out, or kill it."""
    wanted = "/readyz" if probe == "readinessProbe" else "/healthz"
    assert CONTAINER[probe]["httpGet"] == {"path": wanted, "port": "http"}
    assert CONTAINER["ports"] == [{"name": "http", "containerPort": Settings().port}]


def test_the_service_and_the_budget_select_the_pods() -> None:
    """By the app's own label, without the hash that a pod loses while it is replaced."""
    service = loaded(EXAMPLE / "service.yaml")[0]["spec"]
    budget = loaded(EXAMPLE / "pdb.yaml")[0]["spec"]
    labels = DEPLOYMENT["spec"]["template"]["metadata"]["labels"]
    assert (
        service["selector"] == budget["selector"]["matchLabels"] == labels == {"app": "embedding"}
    )
    assert budget["minAvailable"] < DEPLOYMENT["spec"]["replicas"]


def test_the_image_is_the_projects_version() -> None:
    """The tag that `make image` builds is the one that the manifests ask for."""
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))
    tag = f"idlewatt/embedding:{project['project']['version']}"
    assert (CONTAINER["image"], CLIENT["image"]) == (tag, tag)


def test_the_client_in_the_cluster_is_told_rightly() -> None:
    """The Job's command line is one that the client takes, and leads to the Service."""
    module, *written = CLIENT["args"]
    assert module == "embedder.load"
    service = loaded(EXAMPLE / "service.yaml")[0]
    port = service["spec"]["ports"][0]["port"]
    assert arguments(written).url == f"http://{service['metadata']['name']}:{port}"


def test_the_pod_may_do_nothing_else() -> None:
    """No root, no writing, no capability, no token, no way out: a guest on somebody's car."""
    policy = loaded(EXAMPLE / "networkpolicy.yaml")[0]["spec"]
    assert (policy["policyTypes"], policy["egress"]) == (["Ingress", "Egress"], [])
    assert SPEC["automountServiceAccountToken"] is False
    assert SPEC["securityContext"]["runAsNonRoot"] is True
    assert SPEC["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert CONTAINER["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
