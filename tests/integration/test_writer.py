"""Every write of the gateway, as a real API server takes it or refuses it."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from tests.cluster.control_plane import ControlPlane
from tests.integration.fleet_manifests import Manifest, a_pod, a_site, a_vehicle

from idlewatt_operator.gateways.clock import WallClock
from idlewatt_operator.gateways.kubernetes.credentials import CredentialSource
from idlewatt_operator.gateways.kubernetes.gateway import KubernetesCluster
from idlewatt_operator.gateways.kubernetes.given_up import ANNOTATION, read_given_up
from idlewatt_operator.gateways.kubernetes.session import ApiSession
from idlewatt_operator.gateways.protocols import BindOrder, Condition, EventNote, Outcome
from idlewatt_operator.resources.parkingsite import ParkingSite
from idlewatt_operator.resources.records import GivenUp, PodRecord, Released
from idlewatt_operator.resources.to_model import to_site
from idlewatt_scheduler.model.site import ObservedCircuit
from idlewatt_scheduler.model.workload import Pod

ANNOTATIONS = {
    "idlewatt.dev/bound-watts": "460",
    "idlewatt.dev/bound-until": "2030-01-01T00:00:00Z",
    "idlewatt.dev/bound-agreement-version": "3",
}


@pytest.fixture(scope="module")
def served(control_plane: ControlPlane) -> ControlPlane:
    """The control plane, with our kinds."""
    control_plane.apply_definitions()
    return control_plane


@pytest.fixture
async def gateway(served: ControlPlane, cluster: ControlPlane) -> AsyncIterator[KubernetesCluster]:
    """The gateway on the real cluster, its watches not running."""
    assert served is cluster
    async with ApiSession(CredentialSource(cluster.kubeconfig)) as session:
        yield KubernetesCluster(session, WallClock(), lambda: None)


async def the_record(gateway: KubernetesCluster, name: str = "p") -> PodRecord:
    """The pod as a GET shows it."""
    record = await gateway.pod("default", name)
    assert record is not None
    return record


def order_for(record: PodRecord, node: str = "v-1") -> BindOrder:
    """A Binding of the pod to the node."""
    return BindOrder("default", record.pod.name, record.pod.uid, node, ANNOTATIONS)


def events_of(cluster: ControlPlane) -> list[Manifest]:
    """All events in the namespace `default` that are ours."""
    events = cluster.api.list("Event", "default", api_version="events.k8s.io/v1")
    return [event for event in events if event.get("reportingController", "").startswith("idle")]


async def test_a_bind_carries_its_annotations(
    cluster: ControlPlane, gateway: KubernetesCluster
) -> None:
    """The annotations of a Binding arrive with `nodeName`, and a GET settles it."""
    cluster.create_nodes("v-1")
    cluster.api.apply(a_pod())
    record = await the_record(gateway)
    assert record.node is None
    assert (await gateway.bind(order_for(record))).outcome is Outcome.DONE
    settled = await the_record(gateway)
    assert settled.node == "v-1"
    assert settled.bound_power == 460_000
    assert settled.bound_agreement_version == 3


async def test_a_bind_of_a_namesake_is_gone(
    cluster: ControlPlane, gateway: KubernetesCluster
) -> None:
    """A Binding with another pod's UID says that the pod it meant is not there any more."""
    cluster.create_nodes("v-1")
    cluster.api.apply(a_pod())
    order = replace(order_for(await the_record(gateway)), uid="another")
    assert (await gateway.bind(order)).outcome is Outcome.GONE
    assert (await the_record(gateway)).node is None
    missing = replace(order, name="missing")
    assert (await gateway.bind(missing)).outcome is Outcome.GONE
    assert await gateway.pod("default", "missing") is None


async def test_a_second_bind_is_a_conflict(
    cluster: ControlPlane, gateway: KubernetesCluster
) -> None:
    """A pod that is bound stays where it is: binding it again is a conflict."""
    cluster.create_nodes("v-1", "v-2")
    cluster.api.apply(a_pod())
    record = await the_record(gateway)
    await gateway.bind(order_for(record))
    second = await gateway.bind(order_for(record, "v-2"))
    assert second.outcome is Outcome.CONFLICT
    assert "already assigned" in second.message
    assert (await the_record(gateway)).node == "v-1"


async def test_a_deadline_is_lowered_and_never_raised(
    cluster: ControlPlane, gateway: KubernetesCluster
) -> None:
    """The fence is set and lowered, never raised, and never on a namesake."""
    cluster.api.apply(a_pod())
    record = await the_record(gateway)
    assert (await gateway.set_active_deadline(record, 600)).outcome is Outcome.DONE
    assert (await gateway.set_active_deadline(record, 300)).outcome is Outcome.DONE
    assert (await gateway.set_active_deadline(record, 400)).outcome is Outcome.REFUSED
    namesake = replace(record, pod=replace(record.pod, uid="another"))
    assert (await gateway.set_active_deadline(namesake, 100)).outcome is Outcome.GONE
    assert (await the_record(gateway)).active_deadline_seconds == 300


async def test_an_eviction_obeys_a_disruption_budget(
    cluster: ControlPlane, gateway: KubernetesCluster
) -> None:
    """A budget blocks an eviction; a delete past it, with the UID, does not ask."""
    cluster.create_nodes("v-1")
    cluster.api.apply(
        a_pod(),
        {
            "apiVersion": "policy/v1",
            "kind": "PodDisruptionBudget",
            "metadata": {"name": "b", "namespace": "default"},
            "spec": {"minAvailable": 1, "selector": {"matchLabels": {"app": "a"}}},
        },
    )
    record = await the_record(gateway)
    await gateway.bind(order_for(record))
    cluster.wait_for_phase(cluster.api.get("Pod", "p", "default"), "Running")
    blocked = await gateway.evict(record, grace_seconds=1)
    assert blocked.outcome is Outcome.BLOCKED
    assert "disruption budget" in blocked.message
    namesake = replace(record, pod=replace(record.pod, uid="another"))
    assert (await gateway.delete(namesake, 1)).outcome is Outcome.GONE
    assert (await gateway.delete(record, 1)).outcome is Outcome.DONE
    cluster.wait_until(lambda: not cluster.api.exists("Pod", "p", "default"), "p is gone")
    assert (await gateway.evict(record)).outcome is Outcome.GONE


async def test_two_budgets_on_one_pod_block_its_eviction(
    cluster: ControlPlane, gateway: KubernetesCluster
) -> None:
    """The API server calls that a fault of its own; it is as blocked as by one of them."""
    cluster.create_nodes("v-1")
    budget = {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "spec": {"minAvailable": 1, "selector": {"matchLabels": {"app": "a"}}},
    }
    both = ({**budget, "metadata": {"name": n, "namespace": "default"}} for n in ("b", "c"))
    cluster.api.apply(a_pod(), *both)
    record = await the_record(gateway)
    await gateway.bind(order_for(record))
    cluster.wait_for_phase(cluster.api.get("Pod", "p", "default"), "Running")
    blocked = await gateway.evict(record, grace_seconds=1)
    assert blocked.outcome is Outcome.BLOCKED
    assert "more than one PodDisruptionBudget" in blocked.message


async def test_an_eviction_asks_for_the_uid(
    cluster: ControlPlane, gateway: KubernetesCluster
) -> None:
    """An eviction ends the pod it means and no namesake."""
    cluster.create_nodes("v-1")
    cluster.api.apply(a_pod())
    record = await the_record(gateway)
    await gateway.bind(order_for(record))
    namesake = replace(record, pod=replace(record.pod, uid="another"))
    assert (await gateway.evict(namesake)).outcome is Outcome.GONE
    assert (await gateway.evict(record)).outcome is Outcome.DONE
    cluster.wait_until(lambda: not cluster.api.exists("Pod", "p", "default"), "p is gone")


async def test_a_lost_pod_is_removed_at_once(
    cluster: ControlPlane, gateway: KubernetesCluster
) -> None:
    """The object of a pod behind a cut link goes without its kubelet's word."""
    cluster.create_nodes("v-1")
    cluster.api.apply(a_pod())
    record = await the_record(gateway)
    await gateway.bind(order_for(record))
    cluster.wait_for_phase(cluster.api.get("Pod", "p", "default"), "Running")
    cluster.cut_link("v-1")
    assert (await gateway.remove(record)).outcome is Outcome.DONE
    assert await gateway.pod("default", "p") is None
    assert (await gateway.remove(record)).outcome is Outcome.GONE


async def test_the_condition_keeps_its_transition_time(
    cluster: ControlPlane, gateway: KubernetesCluster
) -> None:
    """Only a change of status moves `lastTransitionTime` of `PodScheduled`."""
    cluster.api.apply(a_pod())
    record = await the_record(gateway)
    assert (await gateway.set_waiting(record, "WaitingForEnergy", "on peak")).outcome is (
        Outcome.DONE
    )
    first = cluster.api.get("Pod", "p", "default")["status"]["conditions"][0]
    await asyncio.sleep(1.1)
    again = await the_record(gateway)
    assert (again.waiting_reason, again.waiting_message) == ("WaitingForEnergy", "on peak")
    await gateway.set_waiting(again, "Unschedulable", "no vehicle is large enough")
    second = cluster.api.get("Pod", "p", "default")["status"]["conditions"][0]
    assert second["reason"] == "Unschedulable"
    assert second["status"] == "False"
    assert second["lastTransitionTime"] == first["lastTransitionTime"]
    namesake = replace(record, pod=replace(record.pod, uid="another"))
    assert (await gateway.set_waiting(namesake, "Unschedulable", "")).outcome is Outcome.GONE


async def test_a_repeated_event_counts_up(
    cluster: ControlPlane, gateway: KubernetesCluster
) -> None:
    """The same thing said three times is one event with a series; another thing is another."""
    cluster.api.apply(a_pod())
    uid = (await the_record(gateway)).pod.uid
    why = "0/3 vehicles: 3 on peak"
    note = EventNote("default", "p", uid, "FailedScheduling", why, "Scheduling", warning=True)
    for _ in range(3):
        await gateway.say(note)
    await gateway.say(replace(note, reason="Scheduled", message="x" * 2_000, warning=False))
    by_reason = {event["reason"]: event for event in events_of(cluster)}
    assert by_reason["FailedScheduling"]["series"]["count"] == 3
    assert by_reason["FailedScheduling"]["type"] == "Warning"
    assert by_reason["FailedScheduling"]["regarding"]["uid"] == uid
    assert len(by_reason["Scheduled"]["note"]) == 1_024
    assert len(events_of(cluster)) == 2
    assert gateway.writes["event"] == 4


async def test_an_event_about_nowhere_is_only_lost(gateway: KubernetesCluster) -> None:
    """An event in a namespace that is not there holds nobody up."""
    await gateway.say(EventNote("nowhere", "p", "u", "Scheduled", "m", "Binding"))


async def test_the_taint_is_repaired(cluster: ControlPlane, gateway: KubernetesCluster) -> None:
    """The permanent taint joins those that are there, once."""
    other = {"key": "example.com/other", "effect": "NoSchedule"}
    ours = {"key": "idlewatt.dev/vehicle", "effect": "NoSchedule"}
    cluster.create_nodes("v-1")
    cluster.create_nodes("v-2", taints=[other])
    for _ in range(2):
        assert (await gateway.keep_taint("v-1")).outcome is Outcome.DONE
        assert (await gateway.keep_taint("v-2")).outcome is Outcome.DONE
    assert cluster.api.get("Node", "v-1")["spec"]["taints"] == [ours]
    assert cluster.api.get("Node", "v-2")["spec"]["taints"] == [other, ours]
    assert gateway.writes["taint"] == 2
    assert (await gateway.keep_taint("v-3")).outcome is Outcome.GONE


async def test_a_taint_written_meanwhile_is_kept(
    cluster: ControlPlane, gateway: KubernetesCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where somebody else's taint arrives between our look and our write, both stay."""
    other = {"key": "example.com/other", "effect": "NoSchedule"}
    cluster.create_nodes("v-1")
    writes = gateway._objects._writes  # noqa: SLF001 # the race is put between its two requests
    read, raced = writes.read, False

    async def read_then_race(path: str) -> object:
        nonlocal raced
        answer = await read(path)
        if not raced:
            raced = True
            cluster.api.patch("Node", "v-1", {"spec": {"taints": [other]}})
        return answer

    monkeypatch.setattr(writes, "read", read_then_race)
    assert (await gateway.keep_taint("v-1")).outcome is Outcome.DONE
    taints = cluster.api.get("Node", "v-1")["spec"]["taints"]
    assert [taint["key"] for taint in taints] == ["example.com/other", "idlewatt.dev/vehicle"]


async def test_vehicle_status_is_merged(cluster: ControlPlane, gateway: KubernetesCluster) -> None:
    """What is written to a vehicle's status leaves the rest of it alone."""
    cluster.api.apply({**a_vehicle(), "status": {"power": "Asleep", "pods": 3}})
    patch = {"pods": 2, "allocatedPowerWatts": 460}
    assert (await gateway.write_vehicle_status("v-1", patch)).outcome is Outcome.DONE
    status = cluster.api.get("VehicleNode", "v-1")["status"]
    assert status == {"power": "Asleep", "pods": 2, "allocatedPowerWatts": 460}
    refused = await gateway.write_vehicle_status("v-1", {"pods": -1})
    assert refused.outcome is Outcome.REFUSED
    assert (await gateway.write_vehicle_status("v-9", patch)).outcome is Outcome.GONE


async def test_given_up_pods_outlive_a_restart(
    cluster: ControlPlane, gateway: KubernetesCluster
) -> None:
    """What was given up is read back from the annotation as it was written, and can go again."""
    cluster.api.apply(a_vehicle())
    pod = Pod("default", "p", "uid-1", priority=5, requests={"cpu": 500, "pods": 1_000})
    given_up = (GivenUp(pod, "v-1", power=460_000, fence=1_900_000_000_123),)
    assert (await gateway.write_given_up("v-1", given_up)).outcome is Outcome.DONE
    text = cluster.api.get("VehicleNode", "v-1")["metadata"]["annotations"][ANNOTATION]
    assert read_given_up("v-1", text) == given_up
    await gateway.write_given_up("v-1", ())
    assert "annotations" not in cluster.api.get("VehicleNode", "v-1")["metadata"]


async def test_conditions_keep_others_and_their_times(
    cluster: ControlPlane, gateway: KubernetesCluster
) -> None:
    """A condition of somebody else's stays, and an unchanged status keeps its time."""
    attested = {
        "type": "Attested",
        "status": "True",
        "reason": "Measured",
        "message": "",
        "lastTransitionTime": "2026-01-01T00:00:00Z",
    }
    cluster.api.apply({**a_vehicle(), "status": {"conditions": [attested]}})
    old = Condition("Available", "True", "Parked", "It is parked.", 1)
    assert (await gateway.write_conditions("VehicleNode", "v-1", [old])).outcome is Outcome.DONE
    before = cluster.api.get("VehicleNode", "v-1")["status"]["conditions"]
    await asyncio.sleep(1.1)
    new = replace(old, reason="Charged", message="It is charged.")
    await gateway.write_conditions("VehicleNode", "v-1", [new])
    await gateway.write_conditions("VehicleNode", "v-1", [new])
    after = cluster.api.get("VehicleNode", "v-1")["status"]["conditions"]
    assert after[0] == attested
    assert after[1]["reason"] == "Charged"
    assert after[1]["lastTransitionTime"] == before[1]["lastTransitionTime"]
    assert gateway.writes["conditions"] == 2


async def test_conditions_of_the_other_kinds(
    cluster: ControlPlane, gateway: KubernetesCluster
) -> None:
    """A ParkingSite gets its condition; what is not there is gone; a Pod is not ours to judge."""
    cluster.api.apply(a_site())
    bad = Condition("Ready", "False", "TariffUnknown", "There is no tariff depot.", 1)
    assert (await gateway.write_conditions("ParkingSite", "depot", [bad])).outcome is Outcome.DONE
    written = cluster.api.get("ParkingSite", "depot")["status"]["conditions"]
    assert written[0]["message"] == "There is no tariff depot."
    assert (await gateway.write_conditions("ParkingSite", "no", [bad])).outcome is Outcome.GONE
    assert (await gateway.write_conditions("Pod", "p", [bad])).outcome is Outcome.REFUSED


async def test_a_server_that_does_not_answer_leaves_it_unknown(
    cluster: ControlPlane, gateway: KubernetesCluster
) -> None:
    """Where no answer comes in time a write may have been done, and says so."""
    cluster.create_nodes("v-1")
    cluster.api.apply(a_pod())
    record = await the_record(gateway)
    source = CredentialSource(cluster.kubeconfig)
    async with ApiSession(source, timeout_seconds=0.5) as session:
        hasty = KubernetesCluster(session, WallClock(), lambda: None)
        with cluster.paused():
            result = await hasty.bind(order_for(record))
            assert result.outcome is Outcome.UNKNOWN
            assert "did not answer" in result.message
            with pytest.raises(ConnectionError):
                await hasty.pod("default", "p")


async def test_what_was_reported_of_a_circuit_is_kept_beside_the_others(
    cluster: ControlPlane, gateway: KubernetesCluster
) -> None:
    """Only the circuits that are named change, and nothing is written where all of it stands."""
    cluster.api.apply(a_site())
    theirs = {"status": {"circuits": [{"name": "other", "curtailedToWatts": 1}]}}
    cluster.api.patch("ParkingSite", "depot", theirs, subresource="status")
    ours = ObservedCircuit("main", 5_200, observed_at=1_800_000_000_000)
    assert (await gateway.write_circuits("depot", [ours])).outcome is Outcome.DONE
    status = cluster.api.get("ParkingSite", "depot")["status"]
    assert status["circuits"] == [
        {"name": "other", "curtailedToWatts": 1},
        {"name": "main", "uncontrolledLoadWatts": 5_200, "observedAt": "2027-01-15T08:00:00Z"},
    ]
    version = cluster.api.get("ParkingSite", "depot")["metadata"]["resourceVersion"]
    assert (await gateway.write_circuits("depot", [ours])).outcome is Outcome.DONE
    assert cluster.api.get("ParkingSite", "depot")["metadata"]["resourceVersion"] == version
    assert (await gateway.write_circuits("nowhere", [ours])).outcome is Outcome.GONE


async def test_all_that_a_circuit_reports_stands_in_its_site(
    cluster: ControlPlane, gateway: KubernetesCluster
) -> None:
    """What flows both ways, on each phase, and the month's peak, under the names of the schema."""
    cluster.api.apply(a_site())
    full = ObservedCircuit(
        "main",
        5_200,
        observed_at=1_800_000_000_000,
        generation_watts=9_100,
        export_watts=3_900,
        uncontrolled_milliamps=(7_500, 8_000, 0),
        peak_watts=31_000,
        peak_at=1_800_000_000_000,
    )
    assert (await gateway.write_circuits("depot", [full])).outcome is Outcome.DONE
    stored = ParkingSite.model_validate(cluster.api.get("ParkingSite", "depot"))
    assert to_site(stored).observed_circuits == (full,)


async def test_a_released_pod_is_let_go_of_and_a_changed_one_is_looked_at_again(
    cluster: ControlPlane, gateway: KubernetesCluster
) -> None:
    """The label changes only on the version that was seen; a namesake is never touched."""
    metadata = {"labels": {"app": "a", "pod-template-hash": "7d9f8b"}}
    cluster.api.apply({**a_pod(), "metadata": {**a_pod()["metadata"], **metadata}})
    record = await the_record(gateway)
    mark = Released(1_800_000_000_000, "rs-uid", 2)
    old = replace(record, resource_version="1")
    assert (await gateway.release(old, mark)).outcome is Outcome.CONFLICT
    other = replace(record, pod=replace(record.pod, uid="another"))
    assert (await gateway.release(other, mark)).outcome is Outcome.GONE
    assert (await gateway.release(record, mark)).outcome is Outcome.DONE
    assert (await the_record(gateway)).released == mark
    labels = cluster.api.get("Pod", "p", "default")["metadata"]["labels"]
    assert labels == {"app": "a", "pod-template-hash": "7d9f8b-released"}
    assert (await gateway.release(record, mark)).outcome is Outcome.CONFLICT


async def test_a_fence_says_that_it_is_ours(
    cluster: ControlPlane, gateway: KubernetesCluster
) -> None:
    """The deadline and its mark arrive in one write, so that a crash leaves both or neither."""
    cluster.api.apply(a_pod())
    record = await the_record(gateway)
    assert (await gateway.set_active_deadline(record, 600)).outcome is Outcome.DONE
    fenced = await the_record(gateway)
    assert (fenced.active_deadline_seconds, fenced.fence_seconds) == (600, 600)
