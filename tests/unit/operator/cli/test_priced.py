"""Prices as tables: the dearest first, nothing that is worth nothing, and how to read them."""

from dataclasses import replace

from idlewatt_operator.cli.priced import ROWS_AT_MOST, explained, priced
from idlewatt_scheduler.model.plan import Plan, Solver, Waiting
from idlewatt_scheduler.model.reasons import WaitingCondition
from idlewatt_scheduler.model.shadow import CircuitPrice, PodPrice, Prices, SlotPrice, Worth
from idlewatt_scheduler.model.units import HOUR
from idlewatt_scheduler.model.workload import Pod

NOON = 1_768_478_400_000
"""2026-01-15T12:00:00Z."""


def a_slot(site: str, weight: float = 0.0, money: float = 0.0) -> SlotPrice:
    """What one more vehicle from noon to one would be worth."""
    return SlotPrice(site, NOON, NOON + HOUR, 7, Worth(weight, money))


def test_what_has_a_price_is_shown_the_dearest_first() -> None:
    """By weight, then by money; what is worth nothing is left out."""
    slots = (a_slot("a", money=1), a_slot("b", weight=2), a_slot("c"), a_slot("d", money=3))
    (table,) = priced(Plan(at=NOON, currency="EUR", prices=Prices(slots=slots)))
    assert [row[0] for row in table.rows] == ["b", "d", "a"]
    assert table.rows[0] == (
        *("b", "2026-01-15 12:00:00Z", "2026-01-15 13:00:00Z", "7", "2.00", "0.0000"),
    )
    assert table.titles[1] == ("Site", "From", "Until", "Vehicles", "Weight", "EUR")


def test_each_sort_has_a_table_of_its_own() -> None:
    """A slot, a kilowatt on a circuit or on one of its phases, a place."""
    prices = Prices(
        circuits=(CircuitPrice("a", "main", "L2", NOON, NOON + HOUR, Worth(1.0, 0.5)),),
        slots=(a_slot("a", weight=2),),
        pods=(PodPrice("team-a/llm", 9, 4, Worth(16.0, 0.25)),),
    )
    slots, circuits, pods = priced(Plan(at=NOON, prices=prices))
    assert slots.titles[0] == "One more vehicle would be worth"
    assert circuits.rows[0][:2] == ("a", "main L2")
    assert pods.rows == (("team-a/llm", "9", "4", "16.00", "0.2500"),)


def test_what_is_too_long_to_be_read_is_cut_and_says_so() -> None:
    """The rest is in the data."""
    slots = tuple(a_slot(f"site-{n}", weight=1 + n) for n in range(500))
    (table,) = priced(Plan(at=NOON, prices=Prices(slots=slots)))
    assert len(table.rows) == ROWS_AT_MOST
    assert table.rows[0][0] == "site-499"
    assert "500 in all" in table.titles[0]


def test_it_is_said_what_prices_mean_or_why_there_are_none() -> None:
    """No prices can mean that nothing is short, or that nobody looked."""
    waits = Waiting(Pod("team-a", "llm"), WaitingCondition.WAITING_FOR_ENERGY)
    plan = Plan(at=NOON, prices=Prices(slots=(a_slot("a", weight=2),)))
    assert "estimates" in explained(plan)
    assert "Nothing is short" in explained(Plan(at=NOON, solver=Solver.PRICES))
    assert "found without them" in explained(Plan(at=NOON, waiting=(waits,)))
    assert "Nothing is short" in explained(replace(plan, prices=Prices()))
