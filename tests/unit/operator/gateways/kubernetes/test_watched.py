"""What is kept of each watched object, and which changes are worth a cycle."""

import json
from dataclasses import replace

import pytest
from tests.integration.fleet_manifests import Manifest, a_pod, a_vehicle

from idlewatt_operator.gateways.kubernetes.given_up import (
    ANNOTATION,
    read_given_up,
    write_given_up,
)
from idlewatt_operator.gateways.kubernetes.watched import (
    VEHICLES,
    other_pods,
    our_pods,
    with_readable,
)
from idlewatt_operator.resources.records import GivenUp, PodRecord, Refused, VehicleRecord
from idlewatt_scheduler.model.workload import HostPort, Pod

GIVEN_UP = GivenUp(
    Pod("default", "p", "uid-1", priority=-3, requests={"cpu": 500, "nvidia.com/gpu": 1_000}),
    "v-1",
    power=460_500,
    fence=1_900_000_000_123,
)


def stored(manifest: Manifest, version: str = "7") -> bytes:
    """The manifest as the API server sends it."""
    metadata = {"uid": "u", "generation": 4, "resourceVersion": version, **manifest["metadata"]}
    return json.dumps({**manifest, "metadata": metadata}).encode()


def vehicle_of(manifest: Manifest, version: str = "7") -> VehicleRecord:
    """The vehicle, which has to be usable."""
    record = VEHICLES.read(stored(manifest, version))
    assert isinstance(record, VehicleRecord)
    return record


def test_a_vehicle_comes_with_what_only_the_shell_needs() -> None:
    """Beside the core's value stand the generation, the version and the raw status."""
    record = vehicle_of({**a_vehicle(), "status": {"pods": 2}})
    assert record.vehicle.name == "v-1"
    assert (record.generation, record.resource_version) == (4, "7")
    assert record.status == {"pods": 2}
    assert record.given_up == ()


@pytest.mark.parametrize(
    "change",
    [
        {"battery": None},
        {"suspend": "yes"},
        {"unheardOf": 1},
        {"compute": {"maxPowerWatts": -1, "capacity": {}}},
    ],
)
def test_an_unusable_vehicle_is_refused(change: Manifest) -> None:
    """A vehicle that cannot be used is named with a sentence and never an exception."""
    refused = VEHICLES.read(stored(a_vehicle(**change)))
    assert isinstance(refused, Refused)
    assert (refused.kind, refused.name, refused.generation) == ("VehicleNode", "v-1", 4)
    assert f"spec.{next(iter(change))}" in refused.message


def test_an_unusable_vehicle_is_shown_as_far_as_it_can_be_read() -> None:
    """Pods run there and its car draws power: it is in the view, in the fleet's currency."""
    refused = VEHICLES.read(stored(a_vehicle(compensation={"currency": 7})))
    usable = vehicle_of(a_vehicle("v-2"))
    assert isinstance(refused, Refused)
    shown = with_readable({"v-2": usable}, (refused,))
    assert set(shown) == {"v-1", "v-2"}
    assert shown["v-1"].vehicle.compensation.currency == "EUR"
    assert shown["v-1"].generation == 4
    nothing = Refused("VehicleNode", "v-3", "It cannot be read.")
    assert set(with_readable({"v-2": usable}, (nothing,))) == {"v-2"}


def test_given_up_pods_are_read_from_the_vehicle() -> None:
    """The annotation comes back as it was written, to the millisecond and the milliwatt."""
    manifest = a_vehicle()
    manifest["metadata"]["annotations"] = {ANNOTATION: write_given_up([GIVEN_UP])}
    assert vehicle_of(manifest).given_up == (GIVEN_UP,)
    assert write_given_up([]) is None
    assert read_given_up("v-1", None) == ()
    ports = (HostPort(80), HostPort(80, "UDP", "10.0.0.1"))
    listening = replace(GIVEN_UP, pod=replace(GIVEN_UP.pod, host_ports=ports))
    assert read_given_up("v-1", write_given_up([listening])) == (listening,)
    assert "hostPorts" not in (write_given_up([GIVEN_UP]) or "")


@pytest.mark.parametrize(
    "text", ["{", "{}", '[{"name": "p"}]', "[7]", '[{"fence": "soon"}]', "null"]
)
def test_somebody_elses_annotation_refuses_the_vehicle(text: str) -> None:
    """What may still run there cannot be known: the vehicle takes nothing until it is mended."""
    manifest = a_vehicle()
    manifest["metadata"]["annotations"] = {ANNOTATION: text}
    refused = VEHICLES.read(stored(manifest))
    assert isinstance(refused, Refused)
    assert ANNOTATION in refused.message


def test_our_own_status_writes_are_worth_no_cycle() -> None:
    """Status and version alone ask for nothing; what is planned with does."""
    old = vehicle_of(a_vehicle())
    assert not VEHICLES.matters(old, vehicle_of({**a_vehicle(), "status": {"pods": 2}}, "8"))
    assert VEHICLES.matters(old, vehicle_of(a_vehicle(suspend=True)))
    assert VEHICLES.matters(old, replace(old, given_up=(GIVEN_UP,)))


def test_others_pods_keep_what_they_take_and_no_more() -> None:
    """Of a pod that is not ours names, requests, ports and place are kept; all else goes."""
    watched = other_pods("idlewatt")
    manifest = a_pod(scheduler="other", nodeName="v-1", nodeSelector={"zone": "a"})
    manifest["metadata"]["annotations"] = {"idlewatt.dev/power": "nonsense"}
    manifest["spec"]["containers"][0]["ports"] = [{"containerPort": 1, "hostPort": 9100}]
    record = watched.read(stored(manifest))
    assert isinstance(record, PodRecord)
    assert (record.node, record.scheduler_name) == ("v-1", "other")
    assert record.pod.requests["cpu"] == 500
    assert record.pod.host_ports == (HostPort(9100),)
    assert record.pod.node_selector == {}
    assert record.pod.invalid_annotations == ()
    again = watched.read(stored(manifest, "8"))
    assert isinstance(again, PodRecord)
    assert not watched.matters(record, again)
    assert watched.matters(record, replace(again, node="v-2"))


def test_our_conditions_are_worth_no_cycle() -> None:
    """The condition we wrote ourselves asks for nothing; a pod that was bound does."""
    watched = our_pods("idlewatt")
    old = watched.read(stored(a_pod()))
    assert isinstance(old, PodRecord)
    ours = replace(old, waiting_reason="WaitingForEnergy", resource_version="9")
    assert not watched.matters(old, ours)
    assert watched.matters(old, replace(ours, node="v-1"))
