"""Moving to save money: who is asked, what counts as a saving, and how many move at once."""

from decimal import Decimal
from typing import Any

import pytest
from tests.unit.scheduler.moves.scenes import MONEY, cars, runs, waits, who_moves

from idlewatt_scheduler.model.units import HOUR, MINUTE
from idlewatt_scheduler.model.vehicle import Power
from idlewatt_scheduler.model.workload import Taint
from idlewatt_scheduler.testing import AT, GIBIBYTE, a_node, changed

DEAR = cars("v-1", compensation__availability_per_hour=Decimal("0.50"))
CHEAP = cars("v-2", compensation__availability_per_hour=Decimal("0.10"))
BOTH = (*DEAR, *CHEAP)
A = runs("a", "v-1", 4)


def moved(*arguments: Any, policy: dict[str, Any] | None = None, **overrides: Any) -> list[str]:  # noqa: ANN401
    """The names of those that move, by node."""
    rules = MONEY | (policy or {})
    return [name for name, _, _ in who_moves(*arguments, policy=rules, **overrides)]


@pytest.mark.parametrize(("cost", "expected"), [("0.32", ["a"]), ("0.33", [])])
def test_it_moves_where_that_saves_more_than_it_costs(cost: str, expected: list[str]) -> None:
    """0.40 EUR less to the owner, but a quarter of the computer's watts as a new pod."""
    assert moved(BOTH, [A], policy={"migration_cost": Decimal(cost)}) == expected


@pytest.mark.parametrize(
    "given",
    [
        {"bound_until": AT + MINUTE},
        {"pod__demand__expected_runtime": HOUR},
        {"pod__controlled": False, "pod__demand__allow_loss": True},
        {"pod__demand__gang": "g", "pod__demand__gang_size": 2},
        {"being_deleted": True},
        {"counts_until": AT + MINUTE},
    ],
)
def test_who_is_never_asked(given: dict[str, Any]) -> None:
    """It was promised longer, would lose its work, or is on its way."""
    assert moved(BOTH, [runs("a", "v-1", 4, **given)]) == []
    assert moved(BOTH, [runs("a", "v-1", 4, bound_until=AT)]) == ["a"]


def test_the_last_one_on_a_car_saves_most() -> None:
    """While another one stays, the owner is paid for the hours all the same."""
    other = runs("b", "v-1", 4, bound_until=AT + HOUR)
    assert moved(BOTH, [A, other]) == []


def test_those_that_moved_are_counted_where_they_went() -> None:
    """Eight cores are free there: one of two moves, the one that saves more."""
    narrow = cars(
        "v-2",
        compute__capacity={"cpu": 4_000, "memory": GIBIBYTE},
        compensation__availability_per_hour=Decimal("0.10"),
    )
    third = cars("v-3", compensation__availability_per_hour=Decimal("0.70"))
    running = [A, runs("b", "v-3", 4)]
    assert moved((*DEAR, *narrow, *third), running) == ["b"]


def test_the_placements_of_the_plan_are_counted() -> None:
    """What waits takes the cheap car first, where alone it fits."""
    assert moved(BOTH, [A], [waits("w", 13)]) == []


@pytest.mark.parametrize(("most", "expected"), [(1, ["b"]), (2, ["a", "b"])])
def test_no_more_move_at_once_than_the_policy_says(most: int, expected: list[str]) -> None:
    """The one that saves most goes first."""
    full = changed(DEAR[0], compute__capacity={"cpu": 4_000, "memory": GIBIBYTE})
    third = cars("v-3", compensation__availability_per_hour=Decimal("0.70"))
    running = [A, runs("b", "v-3", 4)]
    found = moved((full, *CHEAP, *third), running, policy={"migrations_at_once": most})
    assert found == expected


def test_waking_is_paid_by_who_moves_there() -> None:
    """20 Wh at 0.30 EUR are less than a cent; a kWh is not."""
    asleep = changed(CHEAP[0], observed__power=Power.ASLEEP)
    thirsty = changed(asleep, compute__wake_energy_watt_hours=1_200)
    assert moved((*DEAR, asleep), [A]) == ["a"]
    assert moved((*DEAR, thirsty), [A]) == []


def test_preferences_are_money() -> None:
    """A taint it would rather not stand on may cost more than the dearer car."""
    taint = Taint("example.com/slow", "PreferNoSchedule")
    nodes = {"v-1": a_node(), "v-2": a_node(name="v-2", taints=(taint,))}
    assert moved(BOTH, [A], nodes=nodes) == ["a"]
    dear = {"preference_cost_per_point": Decimal("0.01")}
    assert moved(BOTH, [A], nodes=nodes, policy=dear) == []
    turned = {"v-1": a_node(taints=(taint,)), "v-2": a_node(name="v-2")}
    assert moved(BOTH, [A], nodes=turned, policy=dear) == ["a"]
