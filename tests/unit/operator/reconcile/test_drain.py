"""Draining: in time, with the pod's grace, and in the end whatever a budget says."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from tests.unit.operator.reconcile.scene import DEPARTURE, Scene

from idlewatt_operator.gateways.protocols import Outcome, Result
from idlewatt_operator.resources.records import PodRecord, Refused
from idlewatt_operator.twin.kubelet import EndedBy
from idlewatt_scheduler.model.units import HOUR, MINUTE, SECOND
from idlewatt_scheduler.model.workload import Demand
from idlewatt_scheduler.testing import AT, a_pod, changed


async def test_pods_leave_a_lead_before_the_car() -> None:
    """Five minutes before departure the pod is evicted; its containers end by the drain."""
    scene = Scene()
    scene.job(demand=Demand(expected_runtime=HOUR, any_tariff=True), run_seconds=30_000)
    await scene.run(8 * 3_600 - 60, every=60)
    (run,) = scene.cluster.kubelets.runs
    assert run.ended_by is EndedBy.DRAIN
    assert DEPARTURE - 6 * MINUTE <= (run.ended_at or 0) <= DEPARTURE - 4 * MINUTE


async def test_an_eviction_carries_the_pods_grace() -> None:
    """`drain-grace` is the grace; without it the pod's termination grace is left to stand."""
    scene = Scene()
    scene.service("own", demand=Demand(drain_grace=90_500))
    scene.service("std")
    await scene.run(30)
    scene.observe("v-0", parking__occupied=True)
    await scene.run(10)
    graces = {each.subject: each.detail for each in scene.writes("evict")}
    assert graces == {"default/own-1": 91, "default/std-1": None}


async def test_no_grace_reaches_beyond_departure() -> None:
    """An owner who leaves in a minute does not wait for a grace of an hour and a half."""
    scene = Scene()
    scene.service("own", demand=Demand(drain_grace=90 * MINUTE))
    await scene.run(30)
    scene.observe("v-0", departure_expected_at=scene.clock.now() + MINUTE)
    await scene.run(10)
    (evicted,) = scene.writes("evict")
    assert evicted.detail is not None
    assert 40 <= int(str(evicted.detail)) <= 60


async def test_a_pod_that_is_being_deleted_is_not_evicted_again() -> None:
    """One eviction is enough, however long the containers take."""
    scene = Scene()
    scene.service(stop_seconds=30)
    await scene.run(30)
    scene.observe("v-0", parking__occupied=True)
    await scene.run(25)
    assert len(scene.writes("evict")) == 1


async def test_a_budget_is_asked_again_and_told_once() -> None:
    """A disruption budget delays a drain that can wait; every cycle asks, one event tells."""
    scene = Scene()
    scene.job(min_available=1)
    await scene.run(30)
    scene.observe("v-0", departure_expected_at=AT + 20 * MINUTE)
    await scene.run(15 * 60 + 60)
    assert len(scene.writes("evict")) >= 3
    assert len(scene.events("Draining")) == 1
    assert "may not be evicted yet" in scene.events("Draining")[0]
    assert scene.writes("delete") == []


async def test_at_the_last_safe_time_the_drain_happens_whatever_the_budget_says() -> None:
    """A drain that has to happen: the pod is deleted with its grace before the fence ends it."""
    scene = Scene()
    scene.service(min_available=1)
    await scene.run(30)
    departure = AT + 20 * MINUTE
    scene.observe("v-0", departure_expected_at=departure)
    await scene.run(20 * 60)
    (run,) = scene.cluster.kubelets.runs
    assert run.ended_by is EndedBy.DRAIN
    last_safe = departure - 30 * SECOND
    assert last_safe - 40 * SECOND <= (run.ended_at or 0) <= last_safe
    assert scene.writes("delete")[0].detail == 30


async def test_an_owner_who_comes_back_does_not_wait_for_a_budget() -> None:
    """Occupied: what blocks the eviction is passed in the same cycle, and no event says why."""
    scene = Scene()
    scene.service(min_available=1)
    await scene.run(30)
    scene.observe("v-0", parking__occupied=True)
    await scene.run(10)
    assert len(scene.writes("delete")) == 1
    (told,) = scene.events("Draining")
    assert told == "Leaves v-0: it is no longer available."


async def test_a_vehicle_that_drains_itself_is_marked_until_it_is_empty() -> None:
    """`Draining` is True while its pods leave, and False once none of ours runs there."""
    scene = Scene()
    scene.service(stop_seconds=25)
    await scene.run(30)
    scene.observe("v-0", parking__occupied=True)
    await scene.run(10)
    assert scene.condition("VehicleNode", "v-0", "Draining") == ("True", "Occupied")
    scene.observe("v-0", parking__occupied=False)
    report = await scene.run(10)
    assert [each.reasons for each in report.plan.waiting] == [{"Draining": 1}]
    await scene.run(30)
    assert scene.condition("VehicleNode", "v-0", "Draining") == ("False", "Drained")
    assert scene.pod("svc-2").node == "v-0"


async def test_an_eviction_whose_answer_was_lost_is_sent_again() -> None:
    """Nobody knows: the next cycle sees a pod that still runs and evicts it again."""
    scene = Scene()
    scene.service()
    await scene.run(30)
    scene.fail("evict", Result(Outcome.UNKNOWN, "timeout"))
    scene.cluster.change_vehicle(
        changed(scene.cluster.view().vehicles["v-0"].vehicle, suspend=True)
    )
    await scene.run(30)
    assert len(scene.writes("evict")) == 2
    assert scene.writes("delete") == []
    assert scene.cluster.kubelets.runs[0].ended_by is EndedBy.DRAIN


async def test_off_peak_that_ends_drains_services_and_lets_jobs_finish() -> None:
    """A job within its promised time stays; a service leaves before the peak begins."""
    scene = Scene()
    scene.service()
    scene.job(demand=Demand(expected_runtime=2 * HOUR), run_seconds=7_000)
    await scene.run(5 * 3_600, every=60)
    scene.job("late", demand=Demand(expected_runtime=2 * HOUR - 11 * MINUTE), run_seconds=6_000)
    await scene.run(2 * 3_600, every=60)
    ended = {run.pod: run.ended_by for run in scene.cluster.kubelets.runs}
    assert ended["default/job-1"] is EndedBy.ITSELF
    assert ended["default/svc-1"] is EndedBy.DRAIN
    assert ended["default/late-1"] is EndedBy.ITSELF


@pytest.mark.parametrize(
    "given", [{"demand": Demand(drain_grace=0)}, {"termination_grace_seconds": 0}]
)
async def test_no_grace_is_a_second_of_it(given: dict[str, Any]) -> None:
    """A grace of 0 takes the object away before the kubelet has ended the containers."""
    scene = Scene()
    scene.service(min_available=1, **given)
    await scene.run(30)
    scene.observe("v-0", parking__occupied=True)
    await scene.run(10)
    assert [each.detail for each in scene.writes("evict", "delete")] == [1, 1]


async def test_an_eviction_that_is_refused_does_not_keep_an_owner_waiting() -> None:
    """Whoever refuses it, a pod that cannot wait is deleted with its grace."""
    scene = Scene()
    scene.service()
    await scene.run(30)
    scene.fail("evict", Result(Outcome.REFUSED, "admission webhook denied the request"))
    scene.observe("v-0", parking__occupied=True)
    await scene.run(10)
    assert [each.detail for each in scene.writes("delete")] == [30]


async def test_a_webhook_that_is_down_does_not_keep_an_owner_waiting() -> None:
    """Every eviction ends in a 500: nobody knows what came of it, and the pod is deleted."""
    scene = Scene()
    scene.service()
    await scene.run(30)
    scene.fail("evict", Result(Outcome.UNKNOWN, "failed calling webhook"))
    scene.observe("v-0", parking__occupied=True)
    await scene.run(20)
    assert [each.detail for each in scene.writes("delete")] == [30]
    assert scene.cluster.kubelets.runs[0].ended_by is EndedBy.DRAIN


async def test_a_webhook_that_stays_down_is_passed_at_the_last_safe_time() -> None:
    """Until then it is asked again and again, and then the pod is deleted, before its fence."""
    scene = Scene()
    scene.job()
    await scene.run(30)
    departure = AT + 20 * MINUTE
    scene.observe("v-0", departure_expected_at=departure)
    for _ in range(200):
        scene.fail("evict", Result(Outcome.UNKNOWN, "failed calling webhook"))
    await scene.run(15 * 60 + 60)
    assert scene.writes("delete") == []
    await scene.run(5 * 60)
    run = scene.cluster.kubelets.runs[0]
    assert run.ended_by is EndedBy.DRAIN
    assert (run.ended_at or 0) <= departure - 30 * SECOND


async def test_pods_leave_a_vehicle_that_was_withdrawn() -> None:
    """Without its VehicleNode nobody consents any more: pods leave whatever a budget says."""
    scene = Scene()
    scene.service(min_available=1)
    await scene.run(30)
    scene.cluster.drop_vehicle("v-0")
    await scene.run(20)
    (run,) = scene.cluster.kubelets.runs
    assert run.ended_by is EndedBy.DRAIN
    assert scene.events("Draining") == ["Leaves v-0: it is no longer available."]


async def test_a_vehicle_that_cannot_be_read_is_not_withdrawn() -> None:
    """A mistake in a VehicleNode takes no pod from it: its condition tells of it."""
    scene = Scene()
    scene.service()
    await scene.run(30)
    scene.cluster.drop_vehicle("v-0")
    scene.cluster.refused = (Refused("VehicleNode", "v-0", "spec.battery: unreadable"),)
    await scene.run(20)
    assert scene.writes("evict", "delete") == []


async def test_pods_leave_a_vehicle_that_can_be_read_in_part_when_its_owner_is_back() -> None:
    """It takes no new pods and loads its circuits; what is observed of it still sends pods away."""
    scene = Scene(compensation__monthly_cap=Decimal(0))
    scene.cluster.refused = (Refused("VehicleNode", "v-0", "spec.colour: unknown field"),)
    scene.service()
    report = await scene.run(30)
    assert [each.reasons for each in report.plan.waiting] == [{"MonthlyCapReached": 1}]
    record = PodRecord(a_pod(name="there"), "idlewatt", node="v-0", phase="Running")
    scene.cluster.add_pod(record)
    report = await scene.run(10)
    assert report.plan.leaving == ()
    scene.observe("v-0", parking__occupied=True)
    await scene.run(10)
    assert [each.subject for each in scene.writes("evict")] == ["default/there"]


async def test_a_vehicle_that_cannot_be_used_says_so_and_not_otherwise() -> None:
    """One condition `Available`, with the sentence about the mistake."""
    scene = Scene(compensation__monthly_cap=Decimal(0))
    scene.cluster.refused = (Refused("VehicleNode", "v-0", "spec.colour: unknown field"),)
    for _ in range(3):
        await scene.run(61)
        assert scene.condition("VehicleNode", "v-0", "Available") == ("False", "Invalid")


async def test_a_budget_does_not_keep_pods_where_no_window_is_open() -> None:
    """Suspended and outside every window: there is no last safe time left to wait for."""
    scene = Scene()
    scene.service(min_available=1)
    await scene.run(30)
    vehicle = scene.cluster.view().vehicles["v-0"].vehicle
    scene.cluster.change_vehicle(replace(vehicle, suspend=True, windows=()))
    await scene.run(10)
    assert len(scene.writes("delete")) == 1


async def test_a_grace_as_long_as_the_lead_does_not_let_the_fence_win() -> None:
    """The lead is the grace, and the fence is ten seconds before it: the pod is asked earlier."""
    scene = Scene()
    scene.job(demand=Demand(expected_runtime=HOUR, drain_grace=10 * MINUTE), run_seconds=90_000)
    await scene.run(30)
    departure = AT + 40 * MINUTE
    scene.observe("v-0", departure_expected_at=departure)
    await scene.run(31 * 60)
    run = scene.cluster.kubelets.runs[0]
    assert run.ended_by is EndedBy.DRAIN
    assert (run.ended_at or 0) < departure - 10 * MINUTE - 10 * SECOND
