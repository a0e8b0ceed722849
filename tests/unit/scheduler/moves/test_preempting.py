"""Preemption, step by step: who is asked in turn, who goes first, and from which vehicle."""

from typing import Any

import pytest
from tests.unit.scheduler.moves.scenes import cars, runs, waits, who_moves

from idlewatt_scheduler.model.site import Circuit
from idlewatt_scheduler.model.units import MINUTE
from idlewatt_scheduler.model.workload import Requirement, Spread
from idlewatt_scheduler.testing import AT, a_node, a_site, changed

ONE = cars("v-1")
TWO = cars("v-1", "v-2")


def preempted(*arguments: Any, **overrides: Any) -> list[str]:  # noqa: ANN401
    """The names of those that leave, by node; arguments as for `a_plan`."""
    return [name for name, _, _ in who_moves(*arguments, **overrides)]


def test_as_few_as_will_do_leave() -> None:
    """Eight cores are free: for twelve one of two has to go."""
    running = [runs("a", "v-1", 4), runs("b", "v-1", 4)]
    assert preempted(ONE, running, [waits("w", 12)]) == ["b"]
    assert preempted(ONE, running, [waits("w", 16)]) == ["a", "b"]


def test_the_lowest_priority_goes_first_then_the_youngest_then_the_greater_name() -> None:
    """Each decides only where what comes before it is equal."""
    young = {"pod__created_at": AT - 90 * MINUTE}
    low = {"pod__priority": -1}
    full = [runs("a", "v-1"), runs("b", "v-1")]
    assert preempted(ONE, full, [waits("w")]) == ["b"]
    assert preempted(ONE, [runs("a", "v-1", **young), full[1]], [waits("w")]) == ["a"]
    assert preempted(ONE, [runs("a", "v-1", **low), full[1]], [waits("w")]) == ["a"]


def test_nobody_of_the_same_priority_leaves() -> None:
    """Nor of a higher one, even if that leaves the pod waiting."""
    running = [runs("a", "v-1", 16, pod__priority=10)]
    assert preempted(ONE, running, [waits("w")]) == []
    assert preempted(ONE, running, [waits("w", priority=11)]) == ["a"]


@pytest.mark.parametrize(
    "given",
    [
        {"pod__controlled": False, "pod__demand__allow_loss": True},
        {"pod__demand__gang": "g", "pod__demand__gang_size": 2},
        {"being_deleted": True},
        {"counts_until": AT + MINUTE},
    ],
)
def test_who_is_never_asked(given: dict[str, Any]) -> None:
    """Nobody would replace it, its gang needs it, or it is on its way already."""
    assert preempted(ONE, [runs("a", "v-1", 16, **given)], [waits("w")]) == []


def test_nobody_leaves_for_room_that_is_on_its_way() -> None:
    """What ends on one car is enough for the pod: the other car's pod stays."""
    running = [runs("a", "v-1", 16), runs("b", "v-2", 16, being_deleted=True)]
    assert preempted(TWO, running, [waits("w")]) == []
    assert preempted(TWO, running, [waits("w"), waits("x", 16)]) == ["a"]


def test_the_vehicle_of_the_least_important_pods_is_chosen() -> None:
    """Their highest priority first, then how few they are, then the vehicle's name."""
    lower = [runs("a", "v-1", 16, pod__priority=2), runs("b", "v-2", 16, pod__priority=1)]
    fewer = [runs("a", "v-1"), runs("c", "v-1"), runs("b", "v-2", 16)]
    same = [runs("b", "v-1", 16), runs("a", "v-2", 16)]
    assert preempted(TWO, lower, [waits("w", 16)]) == ["b"]
    assert preempted(TWO, fewer, [waits("w", 16)]) == ["b"]
    assert preempted(TWO, same, [waits("w", 16)]) == ["b"]


def test_the_highest_priority_is_asked_first_and_counted() -> None:
    """The next one does not count on the same room."""
    running = [runs("a", "v-1", 16, pod__priority=5), runs("b", "v-2", 16)]
    asks = [waits("w", 16, priority=9), waits("x", 16, priority=5)]
    assert preempted(TWO, running, asks) == ["b"]
    assert preempted(TWO, running, [*asks, waits("y", 16, priority=6)]) == ["a", "b"]


def test_what_the_first_one_leaves_is_room_for_the_second() -> None:
    """One leaves, and both who wait fit in its place."""
    assert preempted(ONE, [runs("a", "v-1", 16)], [waits("w"), waits("x")]) == ["a"]


def test_no_car_that_takes_no_pods_is_emptied() -> None:
    """Somebody sits in it, or its owner has earned all that may be paid."""
    capped = cars("v-1", earned_this_month=60)
    assert preempted(capped, [runs("a", "v-1", 16)], [waits("w")]) == []


def test_a_gang_that_is_not_complete_asks_for_nothing() -> None:
    """A single pod of it would be of no use there."""
    gang = {"demand__gang": "g", "demand__gang_size": 2}
    running = [runs("a", "v-1", 16)]
    assert preempted(ONE, running, [waits("w", 16, **gang), waits("x", 16, **gang)]) == []


def test_what_leaves_next_door_relieves_the_row() -> None:
    """1.3 kW carry one busy car: the other one's pod has to end first, and is about to."""
    row = {"sites": {"depot-7": a_site(circuits=(Circuit("row-a", None, 1_300),))}}
    a, b = runs("a", "v-1", 4), runs("b", "v-2", 4, pod__priority=20)
    assert preempted(TWO, [a, b], [waits("w", 16)], **row) == []
    assert preempted(TWO, [a, changed(b, being_deleted=True)], [waits("w", 16)], **row) == ["a"]


def test_spread_is_asked_without_those_who_would_leave() -> None:
    """The pod may stand beside those like it only where one of them goes."""
    spread = Spread("row", 1, (Requirement("app", "In", ("a",)),))
    like = {"labels": {"app": "a"}, "spread": (spread,)}
    nodes = {
        name: a_node(name=name, labels={"row": row}) for name, row in (("v-1", "x"), ("v-2", "y"))
    }
    east = runs("a", "v-1", 8, pod__labels={"app": "a"})
    full = runs("b", "v-2", 16, pod__priority=20)
    assert preempted(TWO, [east, full], [waits("w", 4, **like)], nodes=nodes) == ["a"]
