"""What is written wrongly is refused by the API server in a sentence, and nothing comes of it."""

import copy
from typing import Any

import pytest
from tests.cluster.api import Manifest, RefusedError
from tests.e2e import workloads
from tests.e2e.stage import Stage, example_manifests

BOUND_WATTS = "idlewatt.dev/bound-watts"

BAD: dict[str, tuple[str, str, dict[str, Any], str]] = {
    "a typing mistake": (
        "vehicles.yaml",
        "VehicleNode",
        {"battery": {"reservePercnt": 30}},
        "unknown field",
    ),
    "a departure charge below the reserve": (
        "vehicles.yaml",
        "VehicleNode",
        {"battery": {"departurePercent": 20}},
        "departurePercent",
    ),
    "a circuit before its parent": (
        "site.yaml",
        "ParkingSite",
        {"circuits": [{"name": "b", "parent": "a", "importCapacityLimitWatts": 1}]},
        "parent",
    ),
    "a price that is a float": (
        "tariff.yaml",
        "EnergyTariff",
        {"adders": [{"name": "grid", "perKWh": 0.1}]},
        "perKWh",
    ),
    "a negative lead": ("policy.yaml", "FleetPolicy", {"drainLeadSeconds": -1}, "drainLeadSeconds"),
}


@pytest.mark.parametrize("mistake", BAD)
def test_a_bad_manifest_is_refused(fleet: Stage, mistake: str) -> None:
    """`kubectl apply` ends in a sentence that names the field, and nothing is changed."""
    file, kind, change, says = BAD[mistake]
    manifest = next(each for each in example_manifests([file]) if each["kind"] == kind)
    before = fleet.api.get(kind, manifest["metadata"]["name"])["spec"]
    with pytest.raises(RefusedError) as refused:
        fleet.api.apply(merged(manifest, {"spec": change}))
    assert says in refused.value.message
    assert fleet.api.get(kind, manifest["metadata"]["name"])["spec"] == before


def test_a_pod_cannot_be_put_on_a_car(fleet: Stage) -> None:
    """`nodeName` at creation passes every scheduler by: it is refused, whoever asks."""
    with pytest.raises(RefusedError) as refused:
        fleet.api.apply(a_pod("put-there", nodeName=fleet.near))
    assert "is a vehicle" in refused.value.message


def test_what_a_binding_carries_is_written_by_the_operator_alone(fleet: Stage) -> None:
    """Neither on a new pod nor on a running one does anybody else write those annotations."""
    forged = a_pod("forged")
    forged["metadata"]["annotations"] = {BOUND_WATTS: "1"}
    with pytest.raises(RefusedError, match="only the operator"):
        fleet.api.apply(forged)
    pod = a_pod("honest")
    fleet.api.apply(pod)
    try:
        with pytest.raises(RefusedError, match="only the operator"):
            fleet.api.patch(
                "Pod",
                "honest",
                {"metadata": {"annotations": {BOUND_WATTS: "1"}}},
                workloads.NAMESPACE,
            )
        with pytest.raises(RefusedError, match="only the operator"):
            fleet.api.bind(
                fleet.api.get("Pod", "honest", workloads.NAMESPACE),
                fleet.near,
                annotations={BOUND_WATTS: "1"},
            )
    finally:
        fleet.api.delete("Pod", "honest", workloads.NAMESPACE, grace_seconds=0)


def test_nobody_sees_vehicles_by_a_role_of_kubernetes_own(fleet: Stage) -> None:
    """`view`, `edit` and `admin` do not show who parks where."""
    for role in ("view", "edit", "admin"):
        granted = fleet.api.get("ClusterRole", role)["rules"]
        groups = {group for rule in granted for group in rule.get("apiGroups", ())}
        assert "idlewatt.dev" not in groups


def a_pod(name: str, **spec: object) -> Manifest:
    """A bare pod of ours."""
    template = workloads.a_deployment(name)["spec"]["template"]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": workloads.NAMESPACE},
        "spec": {**template["spec"], **spec},
    }


def merged(manifest: Manifest, change: Manifest) -> Manifest:
    """The manifest with what is in `change`, as a merge patch does it."""
    result = copy.deepcopy(manifest)
    for key, value in change.items():
        old = result.get(key)
        result[key] = (
            merged(old, value) if isinstance(value, dict) and isinstance(old, dict) else value
        )
    return result
