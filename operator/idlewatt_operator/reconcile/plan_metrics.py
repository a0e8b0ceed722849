"""What Prometheus may know of plans: how good they are, how long they took, and what is short.

A price is told of sites alone at which several vehicles stand: what a single car would be worth
says that it is there, or is not. And of the dearest alone, so that there are never many series.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final, TypeVar

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from idlewatt_operator.planning.guard import Tallies
from idlewatt_operator.planning.messages import Halted
from idlewatt_scheduler.model.plan import Plan
from idlewatt_scheduler.model.shadow import Prices, Worth
from idlewatt_scheduler.why.brief import TOGETHER_AT_LEAST

_Key = TypeVar("_Key")

SITES_AT_MOST: Final = 20

_STEP_SECONDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 40)


class PlanMetrics:
    """The metrics of plans, in the registry of the process."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._steps = Histogram(
            "idlewatt_plan_seconds",
            "What a step of planning took.",
            ["step"],
            buckets=_STEP_SECONDS,
            registry=registry,
        )
        self._plans = Counter(
            "idlewatt_plans",
            "Plans that were made, by what made them.",
            ["solver"],
            registry=registry,
        )
        self._weight_gap = Gauge(
            "idlewatt_plan_weight_gap_ratio",
            "How much of the greatest weight the last plan may miss.",
            registry=registry,
        )
        self._cost_gap = Gauge(
            "idlewatt_plan_cost_gap_ratio",
            "How much of the last plan's cost might be saved at its weight; NaN: unknown.",
            registry=registry,
        )
        self._moved = Counter(
            "idlewatt_plan_moved_pods",
            "Waiting pods that a plan places on another node than the plan before.",
            registry=registry,
        )
        self._slots = Gauge(
            "idlewatt_slot_worth",
            "What one more vehicle at a site would be worth to the last plan, in its first hour.",
            ["site", "unit"],
            registry=registry,
        )
        self._kilowatts = Gauge(
            "idlewatt_circuit_kilowatt_worth",
            "What one more kilowatt on a circuit would be worth to the last plan, at its dearest.",
            ["site", "circuit", "unit"],
            registry=registry,
        )

    def note(self, plan: Plan) -> None:
        """Take a plan that was made."""
        for step, seconds in plan.step_seconds.items():
            self._steps.labels(step).observe(seconds)
        self._plans.labels(str(plan.solver)).inc()
        self._weight_gap.set(float(plan.gap))
        self._cost_gap.set(float("nan") if plan.cost_gap is None else float(plan.cost_gap))
        self._moved.inc(plan.moved or 0)
        self._note_prices(plan.prices)

    def _note_prices(self, prices: Prices) -> None:
        self._slots.clear()
        self._kilowatts.clear()
        slots = slots_worth(prices)
        for site, worth in _dearest(slots):
            for unit, value in _units(worth):
                self._slots.labels(site, unit).set(value)
        for (site, circuit), worth in _dearest(kilowatts_worth(prices, slots)):
            for unit, value in _units(worth):
                self._kilowatts.labels(site, circuit, unit).set(value)


def slots_worth(prices: Prices) -> dict[str, Worth]:
    """By site what one more vehicle is worth in the first hour; only where several stand."""
    found: dict[str, Worth] = {}
    for each in sorted(prices.slots, key=lambda slot: slot.start):
        if each.vehicles >= TOGETHER_AT_LEAST:
            found.setdefault(each.site, each.slot)
    return found


def kilowatts_worth(prices: Prices, sites: Iterable[str]) -> dict[tuple[str, str], Worth]:
    """By circuit of these sites what one more kilowatt is worth where it is worth most."""
    known, found = frozenset(sites), dict[tuple[str, str], Worth]()
    for each in prices.circuits:
        key = each.site, each.circuit
        if each.site in known and _rank(each.kilowatt) > _rank(found.get(key, Worth())):
            found[key] = each.kilowatt
    return found


class PlannerWatched(Collector):
    """What is counted where the planner's process is started and asked."""

    def __init__(self, tallies: Callable[[], Tallies]) -> None:
        self._tallies = tallies

    def collect(self) -> Iterator[Metric]:
        """As they are now."""
        tallies = self._tallies()
        halted = CounterMetricFamily(
            "idlewatt_planner_halted",
            "Plans that are not what they might have been, or were not made, by why.",
            labels=["reason"],
        )
        for reason in Halted:
            halted.add_metric([str(reason)], tallies.halted.get(reason, 0))
        yield halted
        faults = CounterMetricFamily(
            "idlewatt_plan_faults",
            "What the check found wrong with plans, by the rule.",
            labels=["rule"],
        )
        for rule, count in sorted(tallies.faults.items()):
            faults.add_metric([rule], count)
        yield faults
        yield CounterMetricFamily(
            "idlewatt_planner_starts", "Times that its process was started.", value=tallies.started
        )
        yield GaugeMetricFamily(
            "idlewatt_planner_resident_memory_bytes",
            "Memory of the planner's process; 0 while there is none.",
            value=tallies.resident_bytes(),
        )


def _rank(worth: Worth) -> tuple[float, float]:
    return worth.weight, worth.money


def _dearest(worths: Mapping[_Key, Worth]) -> list[tuple[_Key, Worth]]:
    ranked = sorted(worths.items(), key=lambda entry: _rank(entry[1]), reverse=True)
    return ranked[:SITES_AT_MOST]


def _units(worth: Worth) -> tuple[tuple[str, float], ...]:
    return ("weight", worth.weight), ("money", worth.money)
