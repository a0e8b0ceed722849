"""What a plan costs and weighs, recomputed from its placements."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from fractions import Fraction
from typing import Final

from idlewatt_scheduler.feasibility.bill import Bill, bill
from idlewatt_scheduler.feasibility.reading import (
    Candidate,
    Identity,
    Reading,
    Stay,
    identity,
)
from idlewatt_scheduler.feasibility.report import Violation
from idlewatt_scheduler.feasibility.scene import Scene
from idlewatt_scheduler.feasibility.site_bill import site_bill
from idlewatt_scheduler.model.plan import Placement, Plan
from idlewatt_scheduler.model.workload import Pod

_WEIGHT_BASE: Final = 16
_HIGHEST_RANK: Final = 5


def objective_violations(scene: Scene, plan: Plan) -> Iterator[Violation]:
    """Costs, energy, currency, weight and bound."""
    yield from _costs(scene, plan)
    if plan.currency != scene.reading.currency:
        sentence = f"Its currency is {plan.currency}; it must be {scene.reading.currency}."
        yield Violation("Currency", "plan", sentence)
    total = sum((placement.cost for placement in plan.placements), Fraction(0))
    if plan.cost != total:
        sentence = f"It costs {plan.cost} in all; its placements cost {total}."
        yield Violation("Cost", "plan", sentence)
    placed = scene.reading.pending.keys() & {identity(each.pod) for each in plan.placements}
    pending = scene.reading.pending
    weight, most = weight_of(pending, placed), weight_of(pending, pending)
    if plan.weight != weight:
        yield Violation("Weight", "plan", f"Its weight is {plan.weight}; it must be {weight}.")
    if plan.bound < plan.weight:
        sentence = f"Its bound {plan.bound} is below its weight {plan.weight}."
        yield Violation("Bound", "plan", sentence)
    if plan.bound > most:
        sentence = f"Its bound is {plan.bound}; all pending pods together weigh {most}."
        yield Violation("Bound", "plan", sentence)
    if plan.cost_bound is not None and plan.cost_bound > plan.cost:
        sentence = f"Its cost bound {plan.cost_bound} is above its cost {plan.cost}."
        yield Violation("CostBound", "plan", sentence)
    if plan.proven and plan.bound != plan.weight:
        sentence = f"It is said to be proven, with a bound of {plan.bound} over {plan.weight}."
        yield Violation("Bound", "plan", sentence)
    if plan.gap != (Fraction(plan.bound - plan.weight, plan.bound) if plan.bound else 0):
        yield Violation("Gap", "plan", f"Its gap {plan.gap} is not (bound - weight) / bound.")


def _costs(scene: Scene, plan: Plan) -> Iterator[Violation]:
    """What each placement adds to its vehicle and to its site, in the plan's order."""
    ledger, seen = Ledger(scene.reading), set[Identity]()
    reading = scene.reading
    for placement in plan.placements:
        who = identity(placement.pod)
        if who not in reading.pending or who in seen or placement.node not in reading.candidates:
            continue
        seen.add(who)
        candidate = reading.candidates[placement.node]
        before = ledger.spent_on(candidate)
        ledger.add(candidate, reading.new_stay(reading.pending[who], candidate))
        yield from _of_one(placement, before, ledger.spent_on(candidate))


class Ledger:
    """What the stays so far cost, on each vehicle and at each site."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._stays: defaultdict[str | None, defaultdict[str, list[Stay]]] = defaultdict(
            lambda: defaultdict(list)
        )
        self._bills: dict[str, Bill] = {}
        self._sites: dict[str, Fraction | None] = {}

    def spent_on(self, candidate: Candidate) -> Bill:
        """What the stays on a candidate cost, with what only its whole site pays."""
        own, site = self._bills.get(candidate.name, Bill()), candidate.site
        shared = self._sites.get(site.name, Fraction(0)) if site else Fraction(0)
        if own.cost is None or shared is None:
            return replace(own, cost=None)
        return replace(own, cost=own.cost + shared)

    def add(self, candidate: Candidate, stay: Stay) -> None:
        """One more stay on a candidate."""
        site = candidate.site
        there = self._stays[site.name if site else None]
        there[candidate.name].append(stay)
        self._bills[candidate.name] = bill(self._reading, candidate, there[candidate.name])
        if site is not None:
            self._sites[site.name] = site_bill(self._reading, site, there)


def _of_one(placement: Placement, before: Bill, after: Bill) -> Iterator[Violation]:
    subject = placement.pod.key
    if before.cost is not None and after.cost is not None:
        adds = after.cost - before.cost
        if abs(placement.cost - adds) > after.tolerated:
            sentence = f"It costs {placement.cost}; it adds {adds} on {placement.node}."
            yield Violation("Cost", subject, sentence)
    energy = after.watt_hours - before.watt_hours
    if placement.energy_watt_hours != energy:
        sentence = f"It takes {placement.energy_watt_hours} Wh; it adds {energy} Wh."
        yield Violation("Energy", subject, sentence)


def weight_of(pending: Mapping[Identity, Pod], pods: Iterable[Identity]) -> int:
    """16 to the power of each pod's rank; ranks count from the highest priority down."""
    levels = sorted({pod.priority for pod in pending.values()}, reverse=True)
    highest = min(len(levels) - 1, _HIGHEST_RANK)
    rank = {priority: max(highest - place, 0) for place, priority in enumerate(levels)}
    return sum(_WEIGHT_BASE ** rank[pending[who].priority] for who in pods)
