"""The cluster in memory does what a real one does, and goes wrong as it is told."""

import pytest

from idlewatt_operator.gateways.protocols import BindOrder, Condition, EventNote, Outcome, Result
from idlewatt_operator.resources.records import GivenUp, PodRecord, Released
from idlewatt_operator.twin.clock import ManualClock
from idlewatt_operator.twin.cluster import MemoryCluster
from idlewatt_operator.twin.controllers import Workload, WorkloadKind
from idlewatt_operator.twin.faults import Crashed, Fault
from idlewatt_operator.twin.kubelet import EndedBy
from idlewatt_operator.twin.merging import merged
from idlewatt_scheduler.model.units import SECOND
from idlewatt_scheduler.model.workload import Pod, Ready
from idlewatt_scheduler.testing import AT, a_node, a_vehicle


def a_cluster() -> MemoryCluster:
    """One vehicle and its node."""
    cluster = MemoryCluster(ManualClock(AT))
    cluster.add_vehicle(a_vehicle(), a_node())
    return cluster


def add_service(cluster: MemoryCluster, count: int = 1, **own: int) -> None:
    """A service `svc`."""
    cluster.add_workload(Workload(Pod("default", "svc"), WorkloadKind.SERVICE, count, **own))


def the(cluster: MemoryCluster, name: str) -> PodRecord:
    """A pod as it stands."""
    return next(each for each in cluster.view().pods.values() if each.pod.name == name)


def order(record: PodRecord, node: str = "v-1") -> BindOrder:
    """A Binding of it."""
    notes = {"idlewatt.dev/bound-watts": "62.5", "idlewatt.dev/bound-until": "soon"}
    return BindOrder("default", record.pod.name, record.pod.uid, node, notes)


async def started(cluster: MemoryCluster, name: str = "svc-1") -> PodRecord:
    """Bind a pod and let its kubelet start it."""
    assert (await cluster.bind(order(the(cluster, name)))).outcome is Outcome.DONE
    cluster.clock.advance_to(cluster.clock.now() + 2 * SECOND)
    return the(cluster, name)


async def test_a_binding_carries_its_annotations_and_the_kubelet_starts_the_pod() -> None:
    """What is well formed is read, what is not counts as absent."""
    cluster = a_cluster()
    add_service(cluster)
    record = await started(cluster)
    assert (record.node, record.phase, record.start_time) == ("v-1", "Running", AT + SECOND)
    assert (record.bound_power, record.bound_until) == (62_500, None)


async def test_a_second_binding_is_a_conflict_and_a_namesakes_is_gone() -> None:
    """A bound pod stays where it is, and another UID is another pod."""
    cluster = a_cluster()
    add_service(cluster)
    record = await started(cluster)
    assert (await cluster.bind(order(record))).outcome is Outcome.CONFLICT
    other = BindOrder("default", "svc-1", "another", "v-1", {})
    assert (await cluster.bind(other)).outcome is Outcome.GONE


async def test_a_deadline_ends_the_pod_and_is_never_raised() -> None:
    """Counted from the start; the controller replaces what ended."""
    cluster = a_cluster()
    add_service(cluster)
    record = await started(cluster)
    assert (await cluster.set_active_deadline(record, 60)).outcome is Outcome.DONE
    assert (await cluster.set_active_deadline(record, 61)).outcome is Outcome.REFUSED
    cluster.clock.advance_to(AT + 61 * SECOND)
    assert the(cluster, "svc-1").phase == "Failed"
    assert cluster.kubelets.runs[0].ended_by is EndedBy.DEADLINE
    assert the(cluster, "svc-2").node is None


async def test_an_eviction_takes_its_time_and_obeys_the_budget() -> None:
    """Blocked at the budget; otherwise terminating, replaced at once, gone when stopped."""
    cluster = a_cluster()
    add_service(cluster, 2, min_available=1, stop_seconds=5)
    first, second = await started(cluster), await started(cluster, "svc-2")
    assert (await cluster.evict(first)).outcome is Outcome.DONE
    assert (await cluster.evict(second)).outcome is Outcome.BLOCKED
    assert the(cluster, "svc-1").being_deleted
    assert the(cluster, "svc-3").node is None
    cluster.clock.advance_to(cluster.clock.now() + 5 * SECOND)
    assert "svc-1" not in {each.pod.name for each in cluster.view().pods.values()}
    assert (await cluster.delete(second, 1)).outcome is Outcome.DONE
    cluster.clock.advance_to(cluster.clock.now() + SECOND)
    assert [run.ended_by for run in cluster.kubelets.runs] == [EndedBy.DRAIN, EndedBy.DRAIN]


async def test_a_job_ends_by_itself_and_is_done() -> None:
    """A completion is not replaced."""
    cluster = a_cluster()
    job = Workload(Pod("default", "job"), WorkloadKind.JOB, 1, run_seconds=60)
    cluster.add_workload(job)
    await started(cluster, "job-1")
    cluster.clock.advance_to(AT + 61 * SECOND)
    assert the(cluster, "job-1").phase == "Succeeded"
    assert len(cluster.view().pods) == 1


async def test_behind_a_cut_link_containers_go_on_whatever_becomes_of_the_object() -> None:
    """Ready is Unknown after the grace; a removed object ends nothing; the deadline does."""
    cluster = a_cluster()
    add_service(cluster)
    record = await started(cluster)
    await cluster.set_active_deadline(record, 300)
    cluster.cut_link("v-1")
    await cluster.set_active_deadline(record, 100)  # the kubelet does not hear of it
    cluster.clock.advance_to(AT + 49 * SECOND)
    assert cluster.view().nodes["v-1"].ready is Ready.TRUE
    cluster.clock.advance_to(AT + 60 * SECOND)
    assert cluster.view().nodes["v-1"].ready is Ready.UNKNOWN
    await cluster.remove(record)
    cluster.clock.advance_to(AT + 299 * SECOND)
    assert cluster.kubelets.on_node("v-1") != []
    cluster.clock.advance_to(AT + 301 * SECOND)
    assert cluster.kubelets.runs[0].ended_by is EndedBy.DEADLINE


async def test_a_link_that_is_back_tells_all_and_stops_orphans() -> None:
    """Ends are reported, what nobody wants any more is stopped, what was bound is started."""
    cluster = a_cluster()
    add_service(cluster, 3)
    ends, orphan = await started(cluster), await started(cluster, "svc-2")
    await cluster.set_active_deadline(ends, 30)
    cluster.cut_link("v-1")
    await cluster.bind(order(the(cluster, "svc-3")))
    await cluster.remove(orphan)
    cluster.clock.advance_to(AT + 100 * SECOND)
    assert the(cluster, "svc-1").phase == "Running"
    cluster.restore_link("v-1")
    cluster.clock.advance_to(AT + 110 * SECOND)
    assert the(cluster, "svc-1").phase == "Failed"
    assert the(cluster, "svc-3").phase == "Running"
    assert {run.pod: run.ended_by for run in cluster.kubelets.runs} == {
        "default/svc-1": EndedBy.DEADLINE,
        "default/svc-2": EndedBy.DRAIN,
        "default/svc-3": None,
    }


async def test_an_owner_who_drives_off_ends_everything() -> None:
    """The car's power is gone, and so are the containers."""
    cluster = a_cluster()
    add_service(cluster)
    await started(cluster)
    cluster.kubelets.power_off("v-1")
    assert cluster.kubelets.runs[0].ended_by is EndedBy.CAR


async def test_an_answer_can_be_made_to_lie() -> None:
    """Done and said to be unknown, or not done and said to be refused."""
    cluster = a_cluster()
    add_service(cluster, 2)
    lost = Result(Outcome.UNKNOWN, "timeout")
    cluster.faults.answers.append(Fault("bind", lost, applied=True))
    cluster.faults.answers.append(Fault("bind", Result(Outcome.REFUSED), "default/svc-2"))
    assert await cluster.bind(order(the(cluster, "svc-1"))) == lost
    assert (await cluster.bind(order(the(cluster, "svc-2")))).outcome is Outcome.REFUSED
    assert (the(cluster, "svc-1").node, the(cluster, "svc-2").node) == ("v-1", None)


async def test_the_operator_can_be_made_to_die_before_a_write() -> None:
    """Two writes are done, the third and all after it are not."""
    cluster = a_cluster()
    add_service(cluster, 3)
    cluster.faults.writes_until_crash = 2
    for name in ("svc-1", "svc-2"):
        await cluster.bind(order(the(cluster, name)))
    for _ in range(2):
        with pytest.raises(Crashed):
            await cluster.bind(order(the(cluster, "svc-3")))
    assert [write.subject for write in cluster.writes] == ["default/svc-1", "default/svc-2"]


async def test_a_watch_can_lag() -> None:
    """The view stands still while the cluster goes on, and a GET shows the truth."""
    cluster = a_cluster()
    add_service(cluster)
    cluster.hold_watch()
    await cluster.bind(order(the(cluster, "svc-1")))
    assert the(cluster, "svc-1").node is None
    found = await cluster.pod("default", "svc-1")
    assert found is not None
    assert found.node == "v-1"
    cluster.release_watch()
    assert the(cluster, "svc-1").node == "v-1"


async def test_what_is_written_about_vehicles_stands_in_the_view() -> None:
    """Status is merged, `Draining` reaches the vehicle, what was given up is kept."""
    cluster = a_cluster()
    await cluster.write_vehicle_status("v-1", {"pods": 1, "battery": {"quality": "Good"}})
    await cluster.write_vehicle_status("v-1", {"pods": None})
    condition = Condition("Draining", "True", "Occupied", "")
    await cluster.write_conditions("VehicleNode", "v-1", [condition])
    entry = GivenUp(Pod("default", "p", "u"), "v-1", 1_000, AT + SECOND)
    await cluster.write_given_up("v-1", [entry])
    record = cluster.view().vehicles["v-1"]
    assert "pods" not in record.status
    assert record.status["battery"] == {"quality": "Good"}
    assert record.vehicle.draining
    assert record.given_up == (entry,)
    assert (await cluster.write_given_up("v-2", [])).outcome is Outcome.GONE


async def test_events_are_kept_with_their_time() -> None:
    """What was said, and when."""
    cluster = a_cluster()
    note = EventNote("default", "p", "u", "Scheduled", "m", "Binding")
    await cluster.say(note)
    assert cluster.events == [(AT, note)]


def test_a_merge_patch_merges_mappings_and_replaces_all_else() -> None:
    """RFC 7386 as the API server does it."""
    assert merged({"a": {"b": 1, "c": [1]}, "d": 1}, {"a": {"b": None, "c": [2]}, "e": {}}) == {
        "a": {"c": [2]},
        "d": 1,
        "e": {},
    }


async def test_a_released_pod_serves_on_while_its_replica_set_starts_another_one() -> None:
    """It is nobody's any more, and a disruption budget still counts it, by its labels."""
    cluster = a_cluster()
    add_service(cluster, 1, min_available=1)
    record = await started(cluster)
    assert record.ready
    mark = Released(AT, record.replica_set, 1)
    assert (await cluster.release(record, mark)).outcome is Outcome.DONE
    released = the(cluster, "svc-1")
    assert (released.ready, released.released) == (True, mark)
    assert (released.replica_set, released.pod.controlled) == ("", False)
    assert the(cluster, "svc-2").node is None
    assert (await cluster.evict(released)).outcome is Outcome.BLOCKED
    await started(cluster, "svc-2")
    assert (await cluster.evict(released)).outcome is Outcome.DONE
    cluster.clock.advance_to(cluster.clock.now() + 3 * SECOND)
    assert {each.pod.name for each in cluster.view().pods.values()} == {"svc-2"}
    assert (await cluster.release(the(cluster, "svc-2"), mark)).outcome is Outcome.DONE
    assert (await cluster.release(the(cluster, "svc-2"), mark)).outcome is Outcome.CONFLICT


async def test_a_pod_is_ready_once_its_model_is_loaded() -> None:
    """Not before, and not where nobody hears of it."""
    cluster = a_cluster()
    cluster.preparation = lambda _: 10 * SECOND
    add_service(cluster)
    assert not (await started(cluster)).ready
    cluster.cut_link("v-1")
    cluster.clock.advance_to(cluster.clock.now() + 20 * SECOND)
    assert not the(cluster, "svc-1").ready
    cluster.restore_link("v-1")
    assert the(cluster, "svc-1").ready


async def test_a_deadline_ends_nothing_that_is_being_stopped_already() -> None:
    """The kubelet is at it: the containers end in their own time."""
    cluster = a_cluster()
    add_service(cluster, stop_seconds=20)
    record = await started(cluster)
    await cluster.set_active_deadline(record, 10)
    await cluster.evict(record)
    cluster.clock.advance_to(AT + 60 * SECOND)
    assert [run.ended_by for run in cluster.kubelets.runs] == [EndedBy.DRAIN]
