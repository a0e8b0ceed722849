"""The fence: lowered when it has to be, never raised, and left before it ends a pod."""

from tests.unit.operator.reconcile.scene import DEPARTURE, Scene

from idlewatt_operator.twin.kubelet import EndedBy
from idlewatt_scheduler.model.units import HOUR, MINUTE, SECOND
from idlewatt_scheduler.testing import AT, changed


async def test_an_earlier_departure_lowers_the_fence() -> None:
    """The kubelet is told at once when the car is to leave earlier."""
    scene = Scene()
    scene.service()
    await scene.run(30)
    started = scene.pod("svc-1").start_time or 0
    departure = AT + 3 * HOUR
    scene.observe("v-0", departure_expected_at=departure)
    await scene.run(10)
    last_safe = departure - 30 * SECOND
    assert scene.pod("svc-1").active_deadline_seconds == (last_safe - started) // SECOND - 10
    before = len(scene.writes("set_active_deadline"))
    await scene.run(60)
    assert len(scene.writes("set_active_deadline")) == before


async def test_a_later_departure_does_not_raise_it() -> None:
    """A deadline that was set stays when the car stays longer."""
    scene = Scene()
    scene.observe("v-0", departure_expected_at=AT + 3 * HOUR)
    scene.service()
    await scene.run(30)
    before = scene.pod("svc-1").active_deadline_seconds
    scene.observe("v-0", departure_expected_at=None)
    await scene.run(60)
    assert scene.pod("svc-1").active_deadline_seconds == before
    assert len(scene.writes("set_active_deadline")) == 1


async def test_a_late_start_lowers_the_fence() -> None:
    """The kubelet counts from the start: a pod that started late would end after the last safe."""
    scene = Scene()
    scene.cluster.start_seconds = 25
    scene.service()
    await scene.run(60)
    record = scene.pod("svc-1")
    deadline = (record.start_time or 0) + (record.active_deadline_seconds or 0) * SECOND
    assert deadline <= DEPARTURE - 30 * SECOND


async def test_a_service_whose_vehicle_stays_longer_is_replaced_before_its_fence() -> None:
    """A lead before its deadline another one is started, with a fence of its own."""
    scene = Scene()
    scene.observe("v-0", departure_expected_at=AT + 2 * HOUR)
    scene.service()
    await scene.run(30)
    scene.observe("v-0", departure_expected_at=None)
    await scene.run(2 * 3_600, every=60)
    assert [run.ended_by for run in scene.cluster.kubelets.runs] == [EndedBy.DRAIN, None]
    ended = scene.cluster.kubelets.runs[0].ended_at or 0
    assert AT + 2 * HOUR - 6 * MINUTE < ended < AT + 2 * HOUR - 3 * MINUTE
    assert "longer than this pod's deadline" in scene.events("Draining")[0]
    successor = scene.pod("svc-2")
    assert (successor.active_deadline_seconds or 0) > 5 * 3_600


async def test_the_fence_of_a_pod_behind_a_cut_link_is_left_alone() -> None:
    """Its kubelet would not hear of it, and the pod has to count until the deadline it knows."""
    scene = Scene()
    scene.service()
    await scene.run(30)
    scene.cluster.cut_link("v-0")
    await scene.run(60)
    before = scene.pod("svc-1").active_deadline_seconds
    scene.observe("v-0", departure_expected_at=AT + 3 * HOUR)
    await scene.run(30)
    assert scene.pod("svc-1").active_deadline_seconds == before


async def test_a_pod_that_lost_its_deadline_is_fenced_again() -> None:
    """A pod on a vehicle without any deadline gets one in the next cycle."""
    scene = Scene()
    scene.service()
    await scene.run(30)
    scene.cluster.add_pod(changed(scene.pod("svc-1"), active_deadline_seconds=None))
    await scene.run(10)
    assert scene.pod("svc-1").active_deadline_seconds is not None
