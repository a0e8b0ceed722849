"""Replacement first: a service's pod serves on until another one is ready, and never too long."""

from dataclasses import replace
from typing import Any

import pytest
from tests.unit.operator.reconcile.scene import Scene, until_crash

from idlewatt_operator.gateways.protocols import Outcome, Result
from idlewatt_operator.reconcile.fence import fence_of
from idlewatt_operator.resources.records import PodRecord, Released
from idlewatt_operator.twin.kubelet import EndedBy, Run
from idlewatt_scheduler.model.units import HOUR, MINUTE, SECOND
from idlewatt_scheduler.model.workload import Demand
from idlewatt_scheduler.testing import AT, a_policy, changed

SOON = AT + 20 * MINUTE
"""A departure that an owner announces while a service runs."""

ANY = Demand(any_tariff=True)


def runs(scene: Scene) -> dict[str, Run]:
    """The run of each pod, by its name."""
    return {run.pod.partition("/")[2]: run for run in scene.cluster.kubelets.runs}


async def a_service_on(scene: Scene, vehicle: str = "v-0", **given: Any) -> PodRecord:  # noqa: ANN401
    """A service of one pod that runs on this vehicle, the others being occupied until then."""
    others = [name for name in scene.telemetry.vehicles if name != vehicle]
    for name in others:
        scene.observe(name, parking__occupied=True)
    scene.service(**given)
    await scene.run(30)
    for name in others:
        scene.observe(name, parking__occupied=False)
    return scene.pod("svc-1")


async def test_the_replacement_is_ready_before_the_pod_is_evicted() -> None:
    """Its car leaves in 20 min; a lead before, another one starts, and they overlap."""
    scene = Scene(2)
    await a_service_on(scene)
    scene.observe("v-0", departure_expected_at=SOON)
    await scene.run(16 * 60)
    old, new = runs(scene)["svc-1"], runs(scene)["svc-2"]
    assert new.node == "v-1"
    assert old.ended_by is EndedBy.DRAIN
    assert SOON - 6 * MINUTE < new.started_at < (old.ended_at or 0)
    assert (old.ended_at or 0) < SOON - 4 * MINUTE
    assert [each.verb for each in scene.writes("release", "evict")] == ["release", "evict"]
    assert scene.names() == {"svc-2"}


async def test_what_is_told_names_the_reason_and_that_another_one_comes_first() -> None:
    """One event when it is released, one when it is evicted; neither tells the owner's plans."""
    scene = Scene(2)
    await a_service_on(scene)
    scene.observe("v-0", departure_expected_at=SOON)
    await scene.run(16 * 60)
    assert scene.events("Draining") == [
        "Leaves v-0 once another one is ready in its place, since it is no longer available.",
        "Leaves v-0: it is no longer available.",
    ]


async def test_without_a_place_for_another_one_it_serves_until_the_last_safe_time() -> None:
    """The only car leaves: the pod ends by the drain, half a minute before it has to."""
    scene = Scene(1)
    await a_service_on(scene)
    scene.observe("v-0", departure_expected_at=SOON)
    await scene.run(20 * 60)
    run = runs(scene)["svc-1"]
    last_safe = SOON - 30 * SECOND
    assert run.ended_by is EndedBy.DRAIN
    assert last_safe - 31 * SECOND < (run.ended_at or 0) <= last_safe
    assert scene.pod("svc-2").node is None


async def test_a_service_leaves_before_the_peak_begins_though_nothing_replaces_it() -> None:
    """Off-peak ends at 06:00: not one second of the released pod is on peak."""
    scene = Scene(1)
    await a_service_on(scene)
    await scene.run(7 * 3_600 - 400, every=60)
    await scene.run(500)
    run, peak = runs(scene)["svc-1"], AT + 7 * HOUR
    assert run.ended_by is EndedBy.DRAIN
    assert peak - 70 * SECOND < (run.ended_at or 0) <= peak - 30 * SECOND


async def test_a_model_that_loads_is_waited_for() -> None:
    """A replacement that runs and is not ready yet serves nobody."""
    scene = Scene(2)
    scene.cluster.preparation = lambda _: 2 * MINUTE
    await a_service_on(scene)
    await scene.run(3 * 60)
    scene.observe("v-0", departure_expected_at=SOON)
    await scene.run(15 * 60)
    old, new = runs(scene)["svc-1"], runs(scene)["svc-2"]
    assert new.ready_at == new.started_at + 2 * MINUTE
    assert new.ready_at <= (old.ended_at or 0) < new.ready_at + 20 * SECOND


async def test_two_pods_that_leave_at_once_are_replaced_one_for_one() -> None:
    """One replacement that is ready lets one of them go, and not both."""
    scene = Scene(2)
    scene.observe("v-1", parking__occupied=True)
    scene.service(count=2)
    await scene.run(30)
    scene.observe("v-1", parking__occupied=False)
    scene.cluster.preparation = lambda record: 2 * MINUTE if record.pod.name == "svc-4" else 0
    scene.observe("v-0", departure_expected_at=SOON)
    await scene.run(18 * 60)
    all_runs = runs(scene)
    third, fourth = all_runs["svc-3"].ready_at or 0, all_runs["svc-4"].ready_at or 0
    ended = sorted(all_runs[name].ended_at or 0 for name in ("svc-1", "svc-2"))
    assert third <= ended[0] < fourth <= ended[1]
    assert len(scene.writes("release")) == 2


async def test_a_pod_that_is_released_later_waits_for_a_replacement_of_its_own() -> None:
    """The one that the first of them got does not count for the second."""
    scene = Scene(3)
    scene.observe("v-2", parking__occupied=True)
    scene.observe("v-1", parking__occupied=True)
    workload = scene.service(count=1)
    await scene.run(30)
    scene.observe("v-0", parking__occupied=False)
    scene.observe("v-1", parking__occupied=False)
    workload.count = 2
    scene.cluster.add_workload(workload)
    await scene.run(30)
    scene.observe("v-2", parking__occupied=False)
    both = {scene.pod("svc-1").node, scene.pod("svc-2").node}
    scene.cluster.preparation = lambda _: 3 * MINUTE
    for name in both:
        scene.observe(name or "", departure_expected_at=SOON)
    scene.observe("v-0", departure_expected_at=SOON + MINUTE)
    await scene.run(19 * 60)
    served = [
        sum(
            (run.ready_at or 0) <= at and (run.ended_at is None or run.ended_at > at)
            for run in scene.cluster.kubelets.runs
        )
        for at in range(AT + 2 * MINUTE, SOON - 2 * MINUTE, 5 * SECOND)
    ]
    assert min(served) >= 2


async def test_a_restart_between_release_and_eviction_loses_nothing() -> None:
    """The next operator knows a released pod by what is written on it."""
    scene = Scene(2)
    scene.cluster.preparation = lambda _: MINUTE
    await a_service_on(scene)
    await scene.run(60)
    scene.observe("v-0", departure_expected_at=SOON)
    await scene.run(15 * 60 - 60)
    assert scene.pod("svc-1").released is not None
    scene.restart()
    await scene.run(3 * 60)
    assert runs(scene)["svc-1"].ended_by is EndedBy.DRAIN
    assert len(scene.writes("release")) == 1
    scene.assert_no_pod_lost()


@pytest.mark.parametrize("writes", range(12))
async def test_killed_before_any_write_of_a_replacement_it_goes_on(writes: int) -> None:
    """Whichever write was the last: one service runs, nothing runs twice, the old one has left."""
    scene = Scene(2)
    await a_service_on(scene)
    scene.observe("v-0", departure_expected_at=SOON)
    await scene.run(14 * 60)
    await until_crash(scene, writes, 3 * 60)
    scene.restart()
    await scene.run(5 * 60)
    assert runs(scene)["svc-1"].ended_by is EndedBy.DRAIN
    assert runs(scene)["svc-2"].ended_at is None
    scene.assert_nothing_bound_twice()
    scene.assert_no_pod_lost()


async def test_a_released_pod_leaves_though_its_reason_has_gone() -> None:
    """The owner stays after all: another one was started in its place, so this one goes."""
    scene = Scene(2)
    scene.cluster.preparation = lambda _: MINUTE
    await a_service_on(scene)
    await scene.run(60)
    scene.observe("v-0", departure_expected_at=SOON)
    await scene.run(14 * 60 - 10)
    assert scene.pod("svc-1").released is not None
    scene.observe("v-0", departure_expected_at=None)
    await scene.run(3 * 60)
    assert scene.names() == {"svc-2"}
    assert scene.events("Draining")[-1] == "Leaves v-0: another one is ready in its place."


async def test_a_released_pod_that_nothing_replaces_leaves_after_its_lead() -> None:
    """Nobody owns it any more, so it must not run for ever."""
    scene = Scene(1)
    await a_service_on(scene)
    await scene.run(7 * 3_600 - 400, every=60)
    await scene.run(100)
    released_at = (scene.pod("svc-1").released or Released(0, "", 0)).at
    scene.cluster.set_policy(a_policy(off_peak__band=None))
    scene.observe("v-0", battery__temperature_celsius=-40)
    await scene.run(6 * 60)
    ended = runs(scene)["svc-1"].ended_at or 0
    assert 4 * MINUTE <= ended - released_at < 4 * MINUTE + 20 * SECOND
    assert "no other one was ready in time" in scene.events("Draining")[-1]


async def test_a_pod_that_was_released_late_is_drained_before_its_fence() -> None:
    """Nobody led while its fence drew near: what time is left is the fence's, not a whole lead."""
    scene = Scene(1)
    scene.observe("v-0", departure_expected_at=AT + 2 * HOUR)
    await a_service_on(scene)
    fence = fence_of(scene.pod("svc-1")) or 0
    scene.observe("v-0", departure_expected_at=None, battery__temperature_celsius=-40)
    scene.clock.advance_to(fence - 100 * SECOND)
    await scene.run()
    assert scene.pod("svc-1").released is not None
    await scene.run(120)
    run = runs(scene)["svc-1"]
    assert run.ended_by is EndedBy.DRAIN
    assert fence - 30 * SECOND <= (run.ended_at or 0) < fence


async def test_a_deployment_that_is_scaled_down_meanwhile_lets_the_pod_go() -> None:
    """Its ReplicaSet has had half a minute, and has every pod that it still keeps: none."""
    scene = Scene(1)
    await a_service_on(scene)
    scene.observe("v-0", departure_expected_at=SOON)
    await scene.run(15 * 60 - 10)
    released_at = (scene.pod("svc-1").released or Released(0, "", 0)).at
    scene.cluster.controllers.workloads["default/svc"].count = 0
    scene.cluster.delete_pod(scene.pod("svc-2").pod.uid)
    await scene.run(60)
    ended = runs(scene)["svc-1"].ended_at or 0
    assert 30 * SECOND <= ended - released_at < 45 * SECOND


async def test_an_eviction_of_the_same_moment_is_no_replacement() -> None:
    """One of three is sent away at once while another waits: the one that is left is not enough."""
    scene = Scene(3)
    for name in ("v-1", "v-2"):
        scene.observe(name, parking__occupied=True)
    workload = scene.service()
    await scene.run(30)
    scene.observe("v-0", parking__occupied=False, battery__temperature_celsius=-40)
    scene.observe("v-1", parking__occupied=False)
    workload.count = 2
    scene.cluster.add_workload(workload)
    await scene.run(30)
    assert {scene.pod("svc-1").node, scene.pod("svc-2").node} == {"v-0", "v-1"}
    scene.observe("v-1", battery__temperature_celsius=-40)
    scene.observe("v-0", departure_expected_at=SOON)
    await scene.run(14 * 60)
    assert scene.pod("svc-1").released is not None
    scene.observe("v-2", parking__occupied=False)
    await scene.run(10)
    assert scene.pod("svc-3").node == "v-2"
    scene.observe("v-1", parking__occupied=True)
    await scene.run(10)
    assert [each.subject for each in scene.writes("evict")] == ["default/svc-2"]


async def test_what_cannot_wait_is_evicted_at_once_though_it_was_released() -> None:
    """The owner is back while a replacement loads: that is no time to wait for it."""
    scene = Scene(2)
    scene.cluster.preparation = lambda _: 2 * MINUTE
    await a_service_on(scene)
    await scene.run(2 * 60)
    scene.observe("v-0", departure_expected_at=SOON)
    await scene.run(14 * 60)
    assert scene.pod("svc-1").released is not None
    scene.observe("v-0", parking__occupied=True)
    at = scene.clock.now()
    await scene.run(10)
    assert scene.writes("evict")[-1].at <= at + 10 * SECOND


async def test_an_owner_who_is_back_gets_no_replacement_first() -> None:
    """What was not seen ahead is evicted at once."""
    scene = Scene(2)
    await a_service_on(scene)
    scene.observe("v-0", parking__occupied=True)
    await scene.run(10)
    assert scene.writes("release") == []
    assert len(scene.writes("evict")) == 1


async def test_a_departure_that_is_too_near_leaves_no_time_for_another_one() -> None:
    """Told a minute before: evicted at once, since its grace and the margin are all there is."""
    scene = Scene(2)
    await a_service_on(scene)
    scene.observe("v-0", departure_expected_at=scene.clock.now() + 65 * SECOND)
    await scene.run(10)
    assert scene.writes("release") == []
    assert len(scene.writes("evict")) == 1


async def test_a_job_is_evicted_as_before() -> None:
    """Its controller would take a released pod for a lost one."""
    scene = Scene(2)
    scene.observe("v-1", parking__occupied=True)
    scene.job()
    await scene.run(30)
    scene.observe("v-1", parking__occupied=False)
    scene.observe("v-0", departure_expected_at=SOON)
    await scene.run(16 * 60)
    assert scene.writes("release") == []
    assert SOON - 5 * MINUTE - 10 * SECOND <= scene.writes("evict")[0].at <= SOON - 5 * MINUTE


async def test_a_pod_that_is_not_ready_is_evicted_at_once() -> None:
    """It serves nobody: its replacement may as well start with its eviction."""
    scene = Scene(2)
    scene.cluster.preparation = lambda _: 20 * MINUTE
    await a_service_on(scene)
    scene.observe("v-0", departure_expected_at=SOON)
    await scene.run(15 * 60)
    assert scene.writes("release") == []
    assert len(scene.writes("evict")) == 1


async def test_a_release_that_is_refused_is_an_eviction() -> None:
    """A webhook that lets nobody change labels does not keep a pod on a car."""
    scene = Scene(2)
    await a_service_on(scene)
    scene.fail("release", Result(Outcome.REFUSED, "admission webhook denied the request"))
    scene.observe("v-0", departure_expected_at=SOON)
    await scene.run(15 * 60)
    assert [each.verb for each in scene.writes("release", "evict")] == ["release", "evict"]


async def test_a_release_whose_answer_was_lost_is_seen_by_the_next_cycle() -> None:
    """It was done: the pod is not released twice, and leaves once it is replaced."""
    scene = Scene(2)
    await a_service_on(scene)
    scene.fail("release", Result(Outcome.UNKNOWN, "timeout"), applied=True)
    scene.observe("v-0", departure_expected_at=SOON)
    await scene.run(16 * 60)
    assert len(scene.writes("release")) == 1
    assert scene.names() == {"svc-2"}


async def test_a_budget_of_one_is_kept_by_the_replacement() -> None:
    """One replica and `minAvailable: 1`: no eviction is ever blocked, and none is forced."""
    scene = Scene(2)
    await a_service_on(scene, min_available=1)
    scene.observe("v-0", departure_expected_at=SOON)
    await scene.run(16 * 60)
    assert len(scene.writes("evict")) == 1
    assert scene.writes("delete") == []
    assert scene.names() == {"svc-2"}


async def test_a_circuit_over_its_limit_does_not_wait_for_a_replacement() -> None:
    """A released pod still draws power: where that is too much now, it goes now."""
    scene = Scene(2)
    scene.cluster.preparation = lambda _: 2 * MINUTE
    await a_service_on(scene)
    await scene.run(2 * 60)
    scene.observe("v-0", departure_expected_at=SOON)
    await scene.run(13 * 60 - 20)
    assert scene.pod("svc-1").released is not None
    site = scene.cluster.view().sites["depot-7"]
    tight = tuple(changed(each, import_capacity_limit_watts=1) for each in site.circuits)
    scene.cluster.add_site(changed(site, circuits=tight))
    await scene.run(10)
    assert "default/svc-1" in {each.subject for each in scene.writes("evict")}


async def test_a_released_pod_counts_until_its_containers_end() -> None:
    """In what its vehicle draws, beside the one that replaces it elsewhere."""
    scene = Scene(2)
    scene.cluster.preparation = lambda _: MINUTE
    await a_service_on(scene)
    await scene.run(60)
    scene.observe("v-0", departure_expected_at=SOON)
    report = await scene.run(14 * 60 - 10)
    assert scene.pod("svc-1").released is not None
    counted = {running.pod.name: running.node for running in report.situation.snapshot.running}
    assert counted == {"svc-1": "v-0", "svc-2": "v-1"}


async def test_a_released_pod_whose_marks_were_spoilt_leaves_at_once() -> None:
    """Nobody can tell for what it waits."""
    scene = Scene(2)
    record = await a_service_on(scene)
    scene.cluster.add_pod(replace(record, replica_set="", released=Released(0, "", 0)))
    await scene.run(10)
    assert len(scene.writes("evict")) == 1


async def test_a_lead_that_is_all_grace_leaves_no_time() -> None:
    """Where a pod may take as long to end as the lead is, it is evicted when it has to leave."""
    scene = Scene(2)
    scene.cluster.set_policy(a_policy(drain_lead_seconds=60))
    await a_service_on(scene, demand=Demand(drain_grace=2 * MINUTE))
    scene.observe("v-0", departure_expected_at=SOON)
    await scene.run(20 * 60 - 100)
    assert scene.writes("release") == []
    assert len(scene.writes("evict")) == 1
