"""Binding: the fence first, then the Binding; every answer the API server may give."""

import pytest
from tests.unit.operator.reconcile.scene import DEPARTURE, Scene

from idlewatt_operator.gateways.protocols import BindOrder, Outcome, Result
from idlewatt_operator.reconcile.binding import watts_text
from idlewatt_operator.resources.records import PodRecord
from idlewatt_scheduler.model.units import HOUR, SECOND
from idlewatt_scheduler.model.workload import Demand
from idlewatt_scheduler.testing import AT, a_pod, changed


async def test_the_fence_is_set_before_the_binding() -> None:
    """`activeDeadlineSeconds` is the last safe time less ten seconds, and is written first."""
    scene = Scene()
    scene.service(termination_grace_seconds=60)
    await scene.run()
    first, second = scene.writes("set_active_deadline", "bind")
    assert first.verb == "set_active_deadline"
    assert first.detail == (DEPARTURE - 60 * SECOND - AT) // SECOND - 10
    assert second.verb == "bind"


async def test_a_binding_carries_what_the_pod_was_planned_with() -> None:
    """UID, exact watts, end of the stay and the agreement's version arrive with `nodeName`."""
    scene = Scene(agreement__version=3)
    scene.job()
    await scene.run()
    order = scene.writes("bind")[0].detail
    assert order == BindOrder(
        "default",
        "job-1",
        "uid-default-job-1",
        "v-0",
        {
            "idlewatt.dev/bound-watts": "62.5",
            "idlewatt.dev/bound-until": "2026-01-15T23:00:00Z",
            "idlewatt.dev/bound-agreement-version": "3",
        },
    )
    record = scene.pod("job-1")
    assert (record.bound_power, record.bound_until) == (62_500, AT + HOUR)


@pytest.mark.parametrize(
    ("power", "text"),
    [(62_500, "62.5"), (460_000, "460"), (1, "0.001"), (0, "0"), (100_000, "100")],
)
def test_watts_are_written_exactly(power: int, text: str) -> None:
    """Milliwatts become a decimal of watts without a rounding and without needless zeros."""
    assert watts_text(power) == text


async def test_a_deadline_of_the_pods_own_that_is_earlier_stays() -> None:
    """The fence never touches a deadline that ends the pod earlier still."""
    scene = Scene()
    scene.cluster.add_pod(
        PodRecord(
            a_pod(name="own", demand=Demand(allow_loss=True)),
            scheduler_name="idlewatt",
            active_deadline_seconds=7_200,
        )
    )
    await scene.run()
    assert scene.writes("set_active_deadline") == []
    assert scene.pod("own").node == "v-0"
    assert scene.pod("own").active_deadline_seconds == 7_200


async def test_a_bind_that_was_lost_counts_until_the_pod_is_asked() -> None:
    """An answer that was lost: the place is not given away, and a GET settles that it was done."""
    scene = Scene(compute__capacity={"cpu": 1_000, "memory": 2**40})
    scene.service("a")
    scene.fail("bind", Result(Outcome.UNKNOWN, "timeout"), applied=True)
    scene.cluster.hold_watch()
    await scene.run()
    scene.cluster.release_watch()
    scene.service("b")
    assert scene.pod("a-1").node == "v-0"
    report = await scene.run(1)
    assert [each.pod.name for each in report.situation.snapshot.running] == ["a-1"]
    assert scene.pod("b-1").node is None
    assert len(scene.writes("bind")) == 1


async def test_a_lost_bind_that_was_not_done_is_planned_again() -> None:
    """A GET that shows the pod unbound frees the place; after a pause it is bound."""
    scene = Scene()
    scene.service()
    scene.fail("bind", Result(Outcome.UNKNOWN, "timeout"))
    await scene.run()
    report = await scene.run(5)
    assert report.situation.snapshot.running == ()
    await scene.run(10)
    assert scene.pod("svc-1").node == "v-0"
    assert len(scene.writes("bind")) == 2


async def test_while_the_pod_cannot_be_asked_its_binding_counts() -> None:
    """Neither the bind nor the GET is answered: the pod counts on, and is not bound again."""
    scene = Scene()
    scene.service()
    scene.cluster.hold_watch()
    scene.fail("bind", Result(Outcome.UNKNOWN), applied=True)
    await scene.run()
    scene.fail("pod", Result(Outcome.UNKNOWN, "cut"))
    report = await scene.run(1)
    assert [each.node for each in report.situation.snapshot.running] == ["v-0"]
    await scene.run(30)
    assert len(scene.writes("bind")) == 1


async def test_a_pod_that_is_gone_is_forgotten() -> None:
    """404, or another's UID: it is not bound again while the watch still shows it."""
    scene = Scene()
    scene.service()
    scene.cluster.hold_watch()
    scene.fail("bind", Result(Outcome.GONE))
    await scene.run()
    await scene.run(30)
    assert len(scene.writes("bind")) == 1
    assert scene.events("FailedScheduling") == []


async def test_after_a_conflict_the_pod_is_looked_at_again() -> None:
    """Somebody else bound it: that is found by asking, and counted where it really is."""
    scene = Scene(2)
    scene.service()
    scene.cluster.hold_watch()
    record = scene.pod("svc-1")
    await scene.cluster.bind(BindOrder("default", "svc-1", record.pod.uid, "v-0", {}))
    await scene.run()
    report = await scene.run(1)
    assert [each.node for each in report.situation.snapshot.running] == ["v-0"]
    scene.cluster.release_watch()
    await scene.run(60)
    scene.assert_nothing_bound_twice()


async def test_a_fence_that_cannot_be_set_leaves_the_pod_unbound() -> None:
    """Without a fence nothing is bound; the refusal is told, and it is tried again."""
    scene = Scene()
    scene.service()
    scene.fail("set_active_deadline", Result(Outcome.REFUSED, "quota exceeded"))
    await scene.run()
    assert scene.writes("bind") == []
    assert "quota exceeded" in scene.events("FailedScheduling")[0]
    await scene.run(20)
    assert scene.pod("svc-1").node == "v-0"


async def test_a_pod_fenced_for_a_vehicle_it_did_not_reach_is_replaced() -> None:
    """A fence cannot be raised: where the next stay is longer, a fresh pod is started."""
    scene = Scene(2)
    scene.job(run_seconds=3_500)
    await _fence_for_a_short_stay(scene)
    await scene.run(20)
    assert scene.names() == {"job-2"}
    assert scene.pod("job-2").node is not None
    assert "cannot be raised" in scene.events("Draining")[0]


async def test_a_fence_of_a_process_that_was_killed_is_known_as_ours() -> None:
    """Killed between fence and Binding: what the pod says of its deadline outlives the process."""
    scene = Scene(2)
    scene.job(run_seconds=3_500)
    await _fence_for_a_short_stay(scene)
    scene.restart()
    await scene.run(20)
    assert scene.names() == {"job-2"}
    assert scene.pod("job-2").node is not None


async def test_a_deadline_of_the_pods_own_is_no_fence_of_ours() -> None:
    """Its author wants it to end by then: it is bound as it is."""
    scene = Scene()
    record = PodRecord(a_pod(name="own", demand=Demand(expected_runtime=2 * HOUR)), "idlewatt")
    scene.cluster.add_pod(changed(record, active_deadline_seconds=600))
    await scene.run(20)
    assert scene.pod("own").node == "v-0"
    assert scene.pod("own").fence_seconds is None


async def _fence_for_a_short_stay(scene: Scene) -> None:
    """A first binding sets the fence and is refused; then the pod turns out to need longer."""
    scene.fail("bind", Result(Outcome.REFUSED, "no"))
    for name in ("v-0", "v-1"):
        scene.observe(name, departure_expected_at=AT + HOUR + 400 * SECOND)
    await scene.run()
    fenced = scene.pod("job-1")
    assert fenced.active_deadline_seconds is not None
    for name in ("v-0", "v-1"):
        scene.observe(name, departure_expected_at=None)
    longer = changed(fenced.pod, demand=Demand(expected_runtime=2 * HOUR))
    scene.cluster.add_pod(changed(fenced, pod=longer))


async def test_a_binding_is_announced_as_kube_scheduler_does() -> None:
    """The event is `Scheduled`, Normal, and says where."""
    scene = Scene()
    scene.service()
    await scene.run()
    _, note = scene.cluster.events[0]
    assert (note.reason, note.warning) == ("Scheduled", False)
    assert note.message == "Successfully assigned default/svc-1 to v-0."
