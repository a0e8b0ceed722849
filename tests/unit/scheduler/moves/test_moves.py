"""Making room as a whole: both ways are off by default, and what they name is in order."""

from decimal import Decimal

import pytest
from tests.unit.scheduler.moves.scenes import MONEY, ROOM, cars, runs, waits, who_moves

from idlewatt_scheduler.testing import GIBIBYTE

RUNNING = (runs("b", "v-1", 16), runs("a", "v-2", 16))
DEAR = cars("v-1", compensation__availability_per_hour=Decimal(9))
SMALL = cars("v-2", compute__capacity={"cpu": 8_000, "memory": GIBIBYTE})


def test_nobody_leaves_by_default() -> None:
    """However much more a waiting pod matters, and whatever is saved elsewhere."""
    assert who_moves(cars("v-1", "v-2"), RUNNING, [waits("w")], {}) == []


def test_those_who_leave_are_in_order_of_node() -> None:
    """As in a plan, not as they were asked."""
    found = who_moves(cars("v-1", "v-2"), RUNNING, [waits("w", 16), waits("x", 16)])
    assert found == [("b", "v-1", "Preempted"), ("a", "v-2", "Preempted")]


@pytest.mark.parametrize(
    ("policy", "reason"),
    [(ROOM, "Preempted"), (MONEY, "CheaperElsewhere"), (ROOM | MONEY, "Preempted")],
)
def test_each_has_one_reason(policy: dict[str, object], reason: str) -> None:
    """Where both hold, somebody needs its place."""
    found = who_moves((*DEAR, *SMALL), [runs("b", "v-1")], [waits("w", 16)], policy)
    assert found == [("b", "v-1", reason)]
