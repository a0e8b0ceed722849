"""Who is asked to leave for a waiting pod, and who for being cheaper elsewhere: nobody else."""

from decimal import Decimal
from typing import Any

import pytest
from tests.unit.scheduler.feasibility.verdicts import a_placement

from idlewatt_scheduler.feasibility.making_room import asked_to_make_room
from idlewatt_scheduler.feasibility.reading import Reading
from idlewatt_scheduler.feasibility.scene import Scene
from idlewatt_scheduler.model.plan import Plan
from idlewatt_scheduler.model.policy import FleetPolicy, Preemption
from idlewatt_scheduler.model.snapshot import Snapshot
from idlewatt_scheduler.model.units import HOUR, MINUTE
from idlewatt_scheduler.model.vehicle import Power, Vehicle
from idlewatt_scheduler.model.workload import Pod, Requirement, RunningPod, Spread
from idlewatt_scheduler.testing import (
    AT,
    a_node,
    a_pod,
    a_policy,
    a_running_pod,
    a_snapshot,
    a_vehicle,
)

PREEMPTING = a_policy(preemption=Preemption.LOWER_PRIORITY)
MOVING = a_policy(migration_cost=Decimal(0))
SPREAD = {"labels": {"app": "a"}, "spread": (Spread("zone", 1, (Requirement("app", "Exists"),)),)}


def asked(snapshot: Snapshot, *placed: str) -> dict[str, str]:
    """Who is asked, by name, with the reason; the first pending pods are placed there."""
    placements = tuple(
        a_placement(pod, node=node) for pod, node in zip(snapshot.pending, placed, strict=False)
    )
    scene = Scene(Reading(snapshot), Plan(AT, placements))
    return {
        key.removeprefix("default/"): str(reason)
        for (key, _), reason in asked_to_make_room(scene).items()
    }


def runs(name: str, node: str = "v-1", watts: int = 400, **overrides: object) -> RunningPod:
    """A running pod of that many watts."""
    return a_running_pod(
        **{"pod__name": name, "node": node, "bound_power": watts * 1_000, **overrides}
    )


def waits(watts: int = 700, **overrides: object) -> Pod:
    """A pending pod of that many watts and of higher priority."""
    return a_pod(**{"demand__power_watts": watts, "priority": 10, **overrides})


def fleet(
    *running: RunningPod,
    pending: tuple[Pod, ...] = (),
    policy: FleetPolicy = PREEMPTING,
    cars: tuple[Vehicle, ...] | None = None,
    **overrides: object,
) -> Snapshot:
    """`v-1` and `v-2`, with these pods."""
    return a_snapshot(
        **{
            "vehicles": cars or (a_vehicle(), a_vehicle(name="v-2")),
            "running": running,
            "pending": pending,
            "policy": policy,
            **overrides,
        }
    )


FULL = (runs("a", pod__priority=1), runs("b", pod__priority=2), runs("c", "v-2", 900))


def test_nobody_is_asked_unless_the_policy_says_so() -> None:
    """By default waiting pods wait, and running ones stay."""
    assert asked(fleet(*FULL, pending=(waits(),), policy=a_policy())) == {}


def test_the_lowest_priority_goes_first() -> None:
    """`c` alone would do on `v-2`, and its priority is lower than that of `a`."""
    assert asked(fleet(*FULL, pending=(waits(),))) == {"c": "Preempted"}


def test_the_highest_priority_that_leaves_decides_before_their_number() -> None:
    """Two pods of priority 0 leave rather than one of priority 1."""
    two = (runs("a"), runs("b"), runs("c", "v-2", 900, pod__priority=1))
    assert set(asked(fleet(*two, pending=(waits(1_000),)))) == {"a", "b"}


def test_fewer_leave_rather_than_more_then_the_name_decides() -> None:
    """Of the same priorities one pod rather than two; of one each, those of the first vehicle."""
    assert set(asked(fleet(runs("a"), runs("b"), runs("c", "v-2", 900), pending=(waits(),)))) == {
        "c"
    }
    both = (runs("a", watts=900), runs("c", "v-2", 900))
    assert set(asked(fleet(*both, pending=(waits(),)))) == {"a"}


@pytest.mark.parametrize(
    ("pods", "gone"),
    [
        ((runs("a", pod__priority=1), runs("b")), "b"),
        ((runs("a", pod__created_at=AT - HOUR), runs("b", pod__created_at=AT - 2 * HOUR)), "a"),
        ((runs("a"), runs("b")), "b"),
    ],
    ids=["lowest priority", "youngest", "greater name"],
)
def test_who_leaves_on_a_vehicle(pods: tuple[RunningPod, ...], gone: str) -> None:
    """One of two has to: the lower priority, else the younger, else the greater name."""
    assert set(asked(fleet(*pods, pending=(waits(600),), cars=(a_vehicle(),)))) == {gone}


@pytest.mark.parametrize(
    "stays",
    [
        {"pod__priority": 10},
        {"pod__controlled": False, "pod__demand__allow_loss": True},
        {"pod__demand__gang": "g", "pod__demand__gang_size": 2},
        {"being_deleted": True},
        {"counts_until": AT + HOUR},
        {"pod__demand__residency": frozenset({"us"})},
    ],
    ids=["same priority", "bare", "gang", "being deleted", "given up", "leaves anyway"],
)
def test_some_are_never_asked(stays: dict[str, Any]) -> None:
    """Neither for a waiting pod, nor to be cheaper."""
    running = runs("a", watts=1_000, **stays)
    assert asked(fleet(running, pending=(waits(),), cars=(a_vehicle(),))) == {}
    if "pod__priority" not in stays:
        cheap = a_vehicle(name="v-2", compensation__availability_per_hour=Decimal(0))
        assert asked(fleet(running, policy=MOVING, cars=(a_vehicle(), cheap))) == {}


def test_nobody_leaves_where_the_leavers_make_room_already() -> None:
    """`a` leaves for its residency: then there is room enough for one, and not for a second."""
    leaves = runs("a", watts=600, pod__demand__residency=frozenset({"us"}))
    other = runs("b", watts=300)
    cars = (a_vehicle(),)
    one, two = waits(name="u"), waits(600, name="w", priority=9)
    assert asked(fleet(leaves, other, pending=(one,), cars=cars)) == {}
    assert asked(fleet(leaves, other, pending=(one, two), cars=cars)) == {}
    three = waits(300, name="w", priority=9)
    assert asked(fleet(leaves, other, pending=(one, three), cars=cars)) == {"b": "Preempted"}


def test_nobody_leaves_for_room_that_a_pod_on_its_way_makes() -> None:
    """`a` is being deleted; one that was given up stays for who knows how long."""
    on_its_way = runs("a", watts=600, being_deleted=True)
    given_up = runs("a", watts=600, being_deleted=True, counts_until=AT + HOUR)
    other, cars = runs("b", watts=300), (a_vehicle(),)
    assert asked(fleet(on_its_way, other, pending=(waits(),), cars=cars)) == {}
    assert asked(fleet(given_up, other, pending=(waits(400),), cars=cars)) == {"b": "Preempted"}


def test_a_pod_that_was_put_somewhere_is_counted_there() -> None:
    """The second of two takes the second vehicle; the third finds nobody lower."""
    both = (runs("a", watts=900), runs("c", "v-2", 900))
    pending = tuple(waits(name=name) for name in "uvw")
    assert set(asked(fleet(*both, pending=pending[:1]))) == {"a"}
    assert set(asked(fleet(*both, pending=pending[:2]))) == {"a", "c"}
    assert set(asked(fleet(*both, pending=pending))) == {"a", "c"}


def test_waiting_pods_are_asked_by_priority_then_by_age() -> None:
    """There is room for one: the first of the turn takes it, and asks for who is below it."""
    running = runs("a", watts=900, pod__priority=5)
    low, high = waits(name="u", priority=4), waits(name="w", priority=9)
    assert set(asked(fleet(running, pending=(low, high), cars=(a_vehicle(),)))) == {"a"}
    assert asked(fleet(running, pending=(low,), cars=(a_vehicle(),))) == {}


def test_new_pods_are_counted_and_do_not_leave() -> None:
    """A placed pod of no priority keeps its place; with it there is no room to be made."""
    new = a_pod(name="n", demand__power_watts=500)
    running = runs("a", watts=400)
    crowd = fleet(running, pending=(new, waits(700)), cars=(a_vehicle(),))
    assert asked(crowd, "v-1") == {}
    assert set(asked(fleet(running, pending=(new, waits(500)), cars=(a_vehicle(),)), "v-1")) == {
        "a"
    }


def test_a_waiting_pod_of_an_incomplete_gang_asks_for_nobody() -> None:
    """It would wait all the same."""
    pod = waits(demand__gang="g", demand__gang_size=2)
    assert asked(fleet(runs("a", watts=900), pending=(pod,), cars=(a_vehicle(),))) == {}


def test_a_vehicle_that_takes_no_pods_makes_no_room() -> None:
    """Nobody is asked to leave it for a pod that it would not take."""
    hot = a_vehicle(compensation__monthly_cap=Decimal(0))
    assert asked(fleet(runs("a", watts=900), pending=(waits(),), cars=(hot,))) == {}


def test_whoever_is_gone_is_not_counted_by_a_spread() -> None:
    """`a` counts in zone a: once it is gone the waiting pod may take its place there."""
    nodes = (a_node(labels={"zone": "a"}), a_node(name="v-2", labels={"zone": "b"}))
    there = runs("a", watts=900, pod__labels=SPREAD["labels"])
    full = runs("b", "v-2", 900, pod__priority=20)
    pod = waits(**SPREAD)  # type: ignore[arg-type]
    assert set(asked(fleet(there, full, pending=(pod,), nodes=nodes))) == {"a"}


CHEAP = a_vehicle(name="v-2", compensation__availability_per_hour=Decimal("0.02"))


def moving(cost: str, *running: RunningPod, **overrides: Any) -> dict[str, str]:  # noqa: ANN401
    """Who moves, where moving costs so much; `v-2` is 0.08 EUR per hour cheaper than `v-1`."""
    policy = a_policy(migration_cost=Decimal(cost), **overrides.pop("policy", {}))
    return asked(fleet(*running, policy=policy, **{"cars": (a_vehicle(), CHEAP), **overrides}))


LONE = runs("a", watts=62, bound_until=AT - MINUTE, bound_power=62_500)


def test_a_pod_moves_where_it_saves_more_than_that() -> None:
    """It saves exactly 0.08 EUR an hour, which is not more than 0.08."""
    assert moving("0.0799", LONE) == {"a": "CheaperElsewhere"}
    assert moving("0.08", LONE) == {}


def test_waking_is_a_cost_of_where_it_goes() -> None:
    """20 Wh at 0.30 are 0.006 EUR."""
    asleep = a_vehicle(
        name="v-2",
        observed__power=Power.ASLEEP,
        compensation__availability_per_hour=Decimal("0.02"),
    )
    assert moving("0.0739", LONE, cars=(a_vehicle(), asleep)) == {"a": "CheaperElsewhere"}
    assert moving("0.074", LONE, cars=(a_vehicle(), asleep)) == {}


def test_who_is_not_alone_saves_no_availability() -> None:
    """The other one keeps the vehicle for itself."""
    assert moving("0", LONE, runs("b", watts=62, bound_until=AT + HOUR)) == {}


@pytest.mark.parametrize(
    "stays",
    [{"bound_until": AT + 1}, {"pod__demand__expected_runtime": HOUR}],
    ids=["its stay is not over", "a job"],
)
def test_some_do_not_move(stays: dict[str, Any]) -> None:
    """What was promised is kept, and no work is lost."""
    assert moving("0", runs("a", watts=62, **stays)) == {}


def test_so_many_move_at_once() -> None:
    """Of two that would, the one that saves more: `b` leaves the dearer vehicle."""
    dear = a_vehicle(name="v-3", compensation__availability_per_hour=Decimal("0.50"))
    two = (LONE, runs("b", "v-3", 62, bound_power=62_500))
    cars = (a_vehicle(), CHEAP, dear)
    assert set(moving("0", *two, cars=cars)) == {"a", "b"}
    assert set(moving("0", *two, cars=cars, policy={"migrations_at_once": 1})) == {"b"}


def test_who_moved_takes_room() -> None:
    """Only one of two finds a place on the cheap vehicle."""
    dear = a_vehicle(name="v-3", compensation__availability_per_hour=Decimal("0.50"))
    heavy = {"watts": 600, "pod__demand__power_watts": 600}
    two = (runs("a", **heavy), runs("b", "v-3", **heavy))  # type: ignore[arg-type]
    assert set(moving("0.05", *two, cars=(a_vehicle(), CHEAP, dear))) == {"b"}


def test_a_preempted_pod_does_not_move_as_well() -> None:
    """It leaves once, for the pod that waits."""
    policy = a_policy(preemption=Preemption.LOWER_PRIORITY, migration_cost=Decimal(0))
    pinned = waits(node_selector={"own": "v-1"})
    nodes = (a_node(labels={"own": "v-1"}), a_node(name="v-2"))
    crowd = fleet(
        runs("a", watts=900),
        pending=(pinned,),
        policy=policy,
        cars=(a_vehicle(), CHEAP),
        nodes=nodes,
    )
    assert asked(crowd) == {"a": "Preempted"}
