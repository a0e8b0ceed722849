"""The data that `idlewatt plan` prints has the shape that programs were promised."""

import json
from fractions import Fraction

import pytest

from idlewatt_operator.cli.answers import answer, money, watt_hours
from idlewatt_scheduler.model.plan import Leaving, Placement, Plan, Solver, Waiting
from idlewatt_scheduler.model.reasons import PodReason, VehicleReason, WaitingCondition
from idlewatt_scheduler.model.shadow import CircuitPrice, PodPrice, Prices, SlotPrice, Worth
from idlewatt_scheduler.model.workload import Pod

NOON = 1_768_478_400_000
"""2026-01-15T12:00:00Z."""


def a_plan() -> Plan:
    """One pod placed, one waiting, one leaving."""
    return Plan(
        at=NOON,
        placements=(
            Placement(
                pod=Pod("team-a", "llm"),
                node="v-1",
                start=NOON,
                ready_at=NOON + 500,
                until=NOON + 3_600_000,
                power=400_000,
                cost=Fraction(123, 1_000),
                energy_watt_hours=Fraction(909, 2),
            ),
        ),
        waiting=(
            Waiting(
                Pod("team-a", "big"),
                WaitingCondition.WAITING_FOR_ENERGY,
                {PodReason.LEAVES_TOO_EARLY: 40, VehicleReason.OCCUPIED: 2, PodReason.ON_PEAK: 0},
            ),
        ),
        leaving=(Leaving(Pod("team-b", "old"), "v-2", PodReason.ON_PEAK),),
        weight=1,
        bound=3,
        cost=Fraction(123, 1_000),
        currency="EUR",
        cost_bound=Fraction(12, 100),
        solver=Solver.PRICES,
        step_seconds={"place": 0.01234},
    )


def test_the_answer_has_the_promised_shape() -> None:
    """Names, order, and the units of every value."""
    document = answer(a_plan(), 0.123456)
    assert json.loads(json.dumps(document)) == document
    assert document == {
        "at": "2026-01-15T12:00:00Z",
        "placements": [
            {
                "pod": "team-a/llm",
                "vehicle": "v-1",
                "start": "2026-01-15T12:00:00Z",
                "readyAt": "2026-01-15T12:00:00.500Z",
                "until": "2026-01-15T13:00:00Z",
                "cost": "0.123",
                "currency": "EUR",
                "energyWattHours": 455,
            }
        ],
        "waiting": [
            {
                "pod": "team-a/big",
                "condition": "WaitingForEnergy",
                "reasons": {"LeavesTooEarly": 40, "Occupied": 2},
            }
        ],
        "leaving": [{"pod": "team-b/old", "vehicle": "v-2", "reason": "OnPeak"}],
        "weight": 1,
        "costs": {"EUR": "0.123"},
        "bound": 3,
        "gap": 0.666667,
        "costBound": "0.12",
        "costGap": 0.02439,
        "proven": False,
        "solver": "Prices",
        "halted": None,
        "seconds": 0.123,
        "stepSeconds": {"place": 0.0123},
    }
    assert list(document)[:8] == [
        *("at", "placements", "waiting", "leaving", "weight", "costs", "bound", "gap")
    ]


def test_prices_are_all_there_if_asked_for() -> None:
    """What one more of each would be worth, in weight and in money."""
    an_hour = (NOON, NOON + 3_600_000)
    prices = Prices(
        circuits=(CircuitPrice("depot-7", "row-a", "L2", *an_hour, Worth(16.0, 0.25)),),
        slots=(SlotPrice("depot-7", *an_hour, 12, Worth(3.0, 0.5)),),
        pods=(PodPrice("team-a/llm", 9, 4, Worth(1.0, 0.1234567)),),
    )
    plan = Plan(at=NOON, prices=prices)
    hour = {"start": "2026-01-15T12:00:00Z", "end": "2026-01-15T13:00:00Z"}
    assert answer(plan, 0.0, with_prices=True)["prices"] == {
        "circuits": [
            {
                "site": "depot-7",
                "circuit": "row-a",
                "phase": "L2",
                **hour,
                "kilowatt": {"weight": 16.0, "money": 0.25},
            }
        ],
        "slots": [
            {
                "site": "depot-7",
                **hour,
                "vehicles": 12,
                "slot": {"weight": 3.0, "money": 0.5},
            }
        ],
        "pods": [
            {
                "sample": "team-a/llm",
                "pods": 9,
                "waiting": 4,
                "place": {"weight": 1.0, "money": 0.123457},
            }
        ],
    }
    assert "prices" not in answer(plan, 0.0)


def test_a_fleet_without_a_common_currency_has_no_costs() -> None:
    """Nothing is said in a currency that nobody named."""
    document = answer(Plan(at=NOON), 0.0)
    assert (document["costs"], document["gap"]) == ({}, 0.0)


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        (Fraction(0), "0.00"),
        (Fraction(5, 4), "1.25"),
        (Fraction(3), "3.00"),
        (Fraction(1, 10), "0.10"),
        (Fraction(1, 3), "0.333333"),
        (Fraction(123, 1_000_000), "0.000123"),
        (Fraction(5, 10_000_000), "0.00"),
        (Fraction(15, 10_000_000), "0.000002"),
        (Fraction(25, 10_000_000), "0.000002"),
        (Fraction(-5, 4), "-1.25"),
        (Fraction(-1, 10_000_000), "0.00"),
        (Fraction(10**30) + Fraction(1, 8), f"{10**30}.125"),
    ],
)
def test_money_has_two_to_six_places(amount: Fraction, text: str) -> None:
    """Rounded half to even, exactly, whatever the size."""
    assert money(amount) == text


@pytest.mark.parametrize(
    ("energy", "whole"), [(Fraction(1, 2), 1), (Fraction(3, 2), 2), (Fraction(149, 100), 1)]
)
def test_energy_is_whole_watt_hours(energy: Fraction, whole: int) -> None:
    """A half is rounded up."""
    assert watt_hours(energy) == whole
