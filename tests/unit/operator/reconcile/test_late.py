"""A plan that was late is carried out as far as it still holds; drains and chargers never wait."""

from dataclasses import replace

import pytest
from tests.unit.operator.reconcile.scene import Scene

from idlewatt_operator.planning.guard import StillPlanningError
from idlewatt_operator.planning.messages import Halted
from idlewatt_operator.planning.process import ProcessLostError
from idlewatt_operator.reconcile.late import brought_up, drains_alone
from idlewatt_scheduler.candidates import assemble
from idlewatt_scheduler.feasibility import placement_violations
from idlewatt_scheduler.model.plan import Leaving, Plan
from idlewatt_scheduler.model.reasons import MoveReason, PodReason
from idlewatt_scheduler.model.snapshot import Snapshot
from idlewatt_scheduler.model.units import MINUTE, SECOND
from idlewatt_scheduler.model.workload import Demand, RunningPod, Spread
from idlewatt_scheduler.planner import plan
from idlewatt_scheduler.testing import a_node, a_pod, a_snapshot, a_vehicle, changed

NAMES = tuple(f"v-{index}" for index in range(4))
LATER = 20 * SECOND


def a_fleet(*pods: object, **overrides: object) -> Snapshot:
    """Four cars, each with room for one such pod."""
    return a_snapshot(
        vehicles=tuple(a_vehicle(name=name) for name in NAMES),
        nodes={name: a_node(name=name, labels={"row": name[-1]}) for name in NAMES},
        pending=pods,
        **overrides,
    )


def after(snapshot: Snapshot, *occupied: str, **changes: object) -> Snapshot:
    """The same a moment later; somebody sits in these cars."""
    vehicles = tuple(
        changed(each, observed__parking__occupied=True) if each.name in occupied else each
        for each in snapshot.vehicles
    )
    return replace(snapshot, at=snapshot.at + LATER, vehicles=vehicles, **changes)  # type: ignore[arg-type]


def pods(count: int, **given: object) -> tuple[object, ...]:
    """Pods that take a machine each."""
    return tuple(
        a_pod(
            name=f"p-{n}",
            uid=f"uid-{n}",
            requests={"cpu": 9_000, "pods": 1_000},
            **given,
        )
        for n in range(count)
    )


def test_what_still_holds_is_placed_as_it_is_now() -> None:
    """From now on, with the stay and the power that it has by now; and the check agrees."""
    snapshot = a_fleet(*pods(3))
    made = plan(snapshot)
    now = after(snapshot)
    found = brought_up(made, assemble(now))
    assert [each.node for each in found.placements] == [each.node for each in made.placements]
    assert {each.start for each in found.placements} == {now.at}
    assert found.at == now.at
    assert placement_violations(now, found) == ()


def test_what_does_not_hold_any_more_is_left_out() -> None:
    """A car somebody sits in, a pod that is gone; the others stay where they were planned."""
    snapshot = a_fleet(*pods(4))
    made = plan(snapshot)
    where = {each.pod.name: each.node for each in made.placements}
    now = after(snapshot, where["p-0"], pending=snapshot.pending[:3])
    found = brought_up(made, assemble(now))
    assert {each.pod.name: each.node for each in found.placements} == {
        name: where[name] for name in ("p-1", "p-2")
    }
    assert found.cost == sum(each.cost for each in found.placements)
    assert not found.proven


def test_a_gang_that_lost_a_place_is_not_placed_at_all() -> None:
    """Half of it would hold its machines for nothing."""
    snapshot = a_fleet(*pods(3, demand=Demand(gang="ring", gang_size=3)))
    made = plan(snapshot)
    assert len(made.placements) == 3
    now = after(snapshot, made.placements[0].node)
    assert brought_up(made, assemble(now)).placements == ()


def test_pods_that_would_be_spread_unevenly_are_not_placed() -> None:
    """Judged once all are placed: on the way to an even spread it may be uneven."""
    spread = Spread("row", max_skew=1)
    snapshot = a_fleet(*pods(4, spread=(spread,)))
    made = plan(snapshot)
    assert len(made.placements) == 4
    assert len(brought_up(made, assemble(after(snapshot))).placements) == 4


def test_who_leaves_is_asked_anew() -> None:
    """Pods that make room still do if they are where they were; clauses are those of now."""
    pod = a_pod(name="old", uid="uid-old")
    running = (RunningPod(pod, "v-0", bound_power=100_000),)
    snapshot = a_fleet(running=running)
    made = Plan(snapshot.at, leaving=(Leaving(pod, "v-0", MoveReason.PREEMPTED),))
    assert brought_up(made, assemble(after(snapshot))).leaving == made.leaving
    gone = after(snapshot, running=())
    assert brought_up(made, assemble(gone)).leaving == ()
    peak = replace(made, leaving=(Leaving(pod, "v-0", PodReason.ON_PEAK),))
    assert brought_up(peak, assemble(after(snapshot))).leaving == ()


def test_without_a_plan_it_is_known_who_leaves() -> None:
    """And nobody is placed."""
    pod = a_pod(name="old", uid="uid-old")
    snapshot = a_fleet(*pods(1), running=(RunningPod(pod, "v-0", bound_power=100_000),))
    found = drains_alone(assemble(after(snapshot, "v-0")))
    assert [(each.pod, each.node) for each in found.leaving] == [(pod, "v-0")]
    assert found.placements == ()


@pytest.mark.parametrize(
    "error", [StillPlanningError(), ProcessLostError(Halted.KILLED, "It was killed.")]
)
async def test_a_drain_does_not_wait_for_a_plan(error: Exception) -> None:
    """Whether it is still being made, or will never be."""
    scene = Scene(2)
    scene.service()
    await scene.run(10)
    node = scene.pod("svc-1").node
    assert node is not None

    async def none(_: Snapshot) -> Plan:
        raise error

    scene.planner = none
    scene.cycle = scene.a_cycle()
    scene.observe(node, parking__occupied=True)
    report = await scene.run(10)
    assert not report.is_planned
    assert [each.record.pod.name for each in report.decisions.drain] == ["svc-1"]
    assert report.line().startswith("no plan yet")


async def test_a_late_plan_is_bound_by_the_cycle_that_gets_it() -> None:
    """It was made for the cycle before, and still holds."""
    scene = Scene(2)
    scene.service()
    plans: list[Plan] = []

    async def late(snapshot: Snapshot) -> Plan:
        plans.append(plan(snapshot))
        if len(plans) == 1:
            raise StillPlanningError
        return plans[-2]

    scene.planner = late
    scene.cycle = scene.a_cycle()
    first = await scene.run()
    assert first.decisions.bind == ()
    second = await scene.run(10)
    assert second.is_planned
    assert second.plan.at == second.situation.at
    assert [each.record.pod.name for each in second.decisions.bind] == ["svc-1"]


async def test_a_plan_that_is_too_old_is_thrown_away() -> None:
    """The next one is not far."""
    scene = Scene(2)
    scene.service()

    async def ancient(snapshot: Snapshot) -> Plan:
        return replace(plan(snapshot), at=snapshot.at - 10 * MINUTE)

    scene.planner = ancient
    scene.cycle = scene.a_cycle()
    report = await scene.run()
    assert not report.is_planned
    assert report.decisions.bind == ()
