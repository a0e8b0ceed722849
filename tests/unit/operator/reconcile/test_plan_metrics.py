"""What is told of plans: how good they are, and prices where no single car stands behind one."""

import math
from collections import Counter
from fractions import Fraction

from prometheus_client import CollectorRegistry

from idlewatt_operator.planning.guard import Tallies
from idlewatt_operator.planning.messages import Halted
from idlewatt_operator.reconcile.plan_metrics import (
    SITES_AT_MOST,
    PlanMetrics,
    PlannerWatched,
    kilowatts_worth,
    slots_worth,
)
from idlewatt_scheduler.model.plan import Plan, Solver
from idlewatt_scheduler.model.shadow import CircuitPrice, Prices, SlotPrice, Worth
from idlewatt_scheduler.model.units import HOUR
from idlewatt_scheduler.testing import AT


def a_slot(site: str, vehicles: int, hour: int = 0, weight: float = 1.0) -> SlotPrice:
    """What one more vehicle would be worth in an hour."""
    start = AT + hour * HOUR
    return SlotPrice(site, start, start + HOUR, vehicles, Worth(weight, 0.5))


def a_kilowatt(site: str, circuit: str, weight: float) -> CircuitPrice:
    """What one more kilowatt would be worth in the first hour."""
    return CircuitPrice(site, circuit, None, AT, AT + HOUR, Worth(weight))


def test_gaps_moves_and_steps_of_the_last_plan() -> None:
    """Weight and cost apart; a cost gap that nobody knows is no number."""
    registry = CollectorRegistry()
    metrics = PlanMetrics(registry)
    metrics.note(Plan(AT))
    assert math.isnan(registry.get_sample_value("idlewatt_plan_cost_gap_ratio") or 0.0)
    plan = Plan(
        AT,
        weight=9,
        bound=10,
        cost=Fraction(4),
        cost_bound=Fraction(3),
        solver=Solver.PRICES,
        moved=3,
        step_seconds={"place": 0.7},
    )
    metrics.note(plan)
    assert registry.get_sample_value("idlewatt_plan_weight_gap_ratio") == 0.1
    assert registry.get_sample_value("idlewatt_plan_cost_gap_ratio") == 0.25
    assert registry.get_sample_value("idlewatt_plan_moved_pods_total") == 3
    assert registry.get_sample_value("idlewatt_plans_total", {"solver": "Prices"}) == 1
    assert registry.get_sample_value("idlewatt_plan_seconds_sum", {"step": "place"}) == 0.7


def test_a_site_where_few_stand_is_not_named() -> None:
    """Its price would tell that somebody is at home."""
    prices = Prices(
        circuits=(a_kilowatt("home", "main", 9.0), a_kilowatt("depot", "main", 2.0)),
        slots=(a_slot("home", 2, weight=9.0), a_slot("depot", 3, weight=2.0)),
    )
    slots = slots_worth(prices)
    assert slots == {"depot": Worth(2.0, 0.5)}
    assert kilowatts_worth(prices, slots) == {("depot", "main"): Worth(2.0)}


def test_the_first_hour_of_a_site_and_the_dearest_of_a_circuit_count() -> None:
    """One figure for each."""
    prices = Prices(
        circuits=(a_kilowatt("depot", "row", 1.0), a_kilowatt("depot", "row", 5.0)),
        slots=(a_slot("depot", 9, hour=1, weight=7.0), a_slot("depot", 9, hour=0, weight=3.0)),
    )
    assert slots_worth(prices)["depot"].weight == 3.0
    assert kilowatts_worth(prices, ["depot"])["depot", "row"].weight == 5.0


def test_there_are_never_many_series_and_old_ones_go() -> None:
    """The dearest sites alone; those of the plan before are forgotten."""
    registry = CollectorRegistry()
    metrics = PlanMetrics(registry)
    slots = tuple(a_slot(f"site-{n}", 5, weight=float(n)) for n in range(100))
    metrics.note(Plan(AT, prices=Prices(slots=slots)))
    dear = {"site": "site-99", "unit": "weight"}
    assert registry.get_sample_value("idlewatt_slot_worth", dear) == 99.0
    (family,) = (each for each in registry.collect() if each.name == "idlewatt_slot_worth")
    assert len(family.samples) == 2 * SITES_AT_MOST
    metrics.note(Plan(AT))
    assert registry.get_sample_value("idlewatt_slot_worth", dear) is None


def test_why_plans_were_halted_and_what_was_found_wrong() -> None:
    """Every reason is there from the start, so that a rate can be taken of its first time."""
    registry = CollectorRegistry()
    tallies = Tallies(Counter({Halted.KILLED: 2}), Counter({"Stability": 1}), 3, lambda: 4_096)
    registry.register(PlannerWatched(lambda: tallies))
    reasons = {str(reason): 0.0 for reason in Halted} | {"Killed": 2.0}
    for reason, count in reasons.items():
        name = "idlewatt_planner_halted_total"
        assert registry.get_sample_value(name, {"reason": reason}) == count
    assert registry.get_sample_value("idlewatt_plan_faults_total", {"rule": "Stability"}) == 1
    assert registry.get_sample_value("idlewatt_planner_starts_total") == 3
    assert registry.get_sample_value("idlewatt_planner_resident_memory_bytes") == 4_096
