"""What a plan costs and weighs, recomputed from its placements."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import Final

from idlewatt_scheduler.feasibility.placing import Scene
from idlewatt_scheduler.feasibility.power import ac_power, edges_of
from idlewatt_scheduler.feasibility.reading import Candidate, Identity, Reading, Stay, identity
from idlewatt_scheduler.feasibility.report import Violation
from idlewatt_scheduler.feasibility.steps import inner_edges
from idlewatt_scheduler.model.plan import Placement, Plan
from idlewatt_scheduler.model.site import EnergyBearer
from idlewatt_scheduler.model.units import (
    HOUR,
    MILLIWATT_MILLISECONDS_PER_WATT_HOUR,
    Instant,
    milliwatts,
)

_WEIGHT_BASE: Final = 16
_HIGHEST_RANK: Final = 5


@dataclass(frozen=True, slots=True)
class Bill:
    """What a set of new stays costs on one candidate.

    Attributes:
        cost: in the plan's currency; None where a price or a rate is unknown.
        watt_hours: AC, standby counted once, waking left out.
    """

    cost: Fraction | None = Fraction(0)
    watt_hours: Fraction = Fraction(0)


def bill(reading: Reading, candidate: Candidate, stays: list[Stay]) -> Bill:
    """The cost and the energy of new stays on a candidate, in the order of the rules."""
    vehicle = candidate.vehicle
    if vehicle is None or not stays:
        return Bill()
    paid, rate = vehicle.compensation, reading.rate(vehicle.compensation.currency)
    running = reading.running_on(candidate.name)
    standby = milliwatts(vehicle.compute.standby_power_watts)
    cost: Fraction | None = Fraction(0)
    watt_hours = Fraction(0)
    for begin, end in _pieces(reading, candidate, stays):
        new = sum(stay.power for stay in stays if stay.covers(begin))
        alone = not any(stay.covers(begin) for stay in running)
        dc = new + (standby if alone else 0)
        ac_energy = _watt_hours(ac_power(candidate, dc), end - begin)
        watt_hours += ac_energy
        price = _energy_price(reading, candidate, begin)
        if cost is None or price is None or rate is None:
            cost = None
            continue
        hours = Fraction(end - begin, HOUR) if alone else Fraction(0)
        wear = _watt_hours(dc, end - begin) / 1_000 * Fraction(paid.wear_per_kwh)
        cost += rate * (hours * Fraction(paid.availability_per_hour) + wear)
        cost += price * ac_energy / 1_000
    if candidate.asleep and cost is not None:
        price = _energy_price(reading, candidate, min(stay.start for stay in stays))
        woken = Fraction(vehicle.compute.wake_energy_watt_hours, 1_000)
        cost = None if price is None else cost + price * woken
    return Bill(cost, watt_hours)


def _pieces(
    reading: Reading, candidate: Candidate, stays: list[Stay]
) -> Iterator[tuple[Instant, Instant]]:
    """The stretches with a new stay within which nothing begins, ends or changes its price."""
    first, last = min(stay.start for stay in stays), max(stay.end for stay in stays)
    edges = edges_of((*stays, *reading.running_on(candidate.name)))
    tariff = reading.tariff_of(candidate.site)
    if tariff is not None:
        edges |= set(reading.prices(tariff).edges)
    cuts = [first, *inner_edges(edges, first, last), last]
    for begin, end in pairwise(cuts):
        if any(stay.covers(begin) for stay in stays):
            yield begin, end


def _watt_hours(power: int, duration: int) -> Fraction:
    return Fraction(power * duration, MILLIWATT_MILLISECONDS_PER_WATT_HOUR)


def _energy_price(reading: Reading, candidate: Candidate, instant: Instant) -> Fraction | None:
    """Per kWh at an instant, in the plan's currency: the owner's rate, or the tariff's."""
    if candidate.site is None or candidate.vehicle is None:
        return None
    if candidate.site.energy_borne_by is not EnergyBearer.FLEET:
        paid = candidate.vehicle.compensation
        rate, price = reading.rate(paid.currency), Fraction(paid.energy_per_kwh)
        return None if rate is None else rate * price
    tariff = reading.tariff_of(candidate.site)
    if tariff is None:
        return None
    rate, known = reading.rate(tariff.currency), reading.prices(tariff).at(instant).price
    return None if rate is None or known is None else rate * known


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
    weight = _weight(scene, plan)
    if plan.weight != weight:
        yield Violation("Weight", "plan", f"Its weight is {plan.weight}; it must be {weight}.")
    if plan.bound < plan.weight:
        sentence = f"Its bound {plan.bound} is below its weight {plan.weight}."
        yield Violation("Bound", "plan", sentence)
    if plan.proven and plan.bound != plan.weight:
        sentence = f"It is said to be proven, with a bound of {plan.bound} over {plan.weight}."
        yield Violation("Bound", "plan", sentence)
    if plan.gap != (Fraction(plan.bound - plan.weight, plan.bound) if plan.bound else 0):
        yield Violation("Gap", "plan", f"Its gap {plan.gap} is not (bound - weight) / bound.")


def _costs(scene: Scene, plan: Plan) -> Iterator[Violation]:
    """What each placement adds to its vehicle, in the plan's order."""
    so_far: defaultdict[str, list[Stay]] = defaultdict(list)
    seen: set[Identity] = set()
    reading = scene.reading
    for placement in plan.placements:
        who = identity(placement.pod)
        if who not in reading.pending or who in seen or placement.node not in reading.candidates:
            continue
        seen.add(who)
        candidate, there = reading.candidates[placement.node], so_far[placement.node]
        before = bill(reading, candidate, there)
        there.append(reading.new_stay(reading.pending[who], candidate))
        yield from _of_one(placement, before, bill(reading, candidate, there))


def _of_one(placement: Placement, before: Bill, after: Bill) -> Iterator[Violation]:
    subject = placement.pod.key
    if before.cost is not None and after.cost is not None:
        adds = after.cost - before.cost
        if placement.cost != adds:
            sentence = f"It costs {placement.cost}; it adds {adds} to {placement.node}."
            yield Violation("Cost", subject, sentence)
    energy = after.watt_hours - before.watt_hours
    if placement.energy_watt_hours != energy:
        sentence = f"It takes {placement.energy_watt_hours} Wh; it adds {energy} Wh."
        yield Violation("Energy", subject, sentence)


def _weight(scene: Scene, plan: Plan) -> int:
    """16 to the power of each placed pod's rank; ranks count from the highest priority down."""
    pending = scene.reading.pending
    levels = sorted({pod.priority for pod in pending.values()}, reverse=True)
    highest = min(len(levels) - 1, _HIGHEST_RANK)
    rank = {priority: max(highest - place, 0) for place, priority in enumerate(levels)}
    placed = {identity(placement.pod) for placement in plan.placements} & set(pending)
    return sum(_WEIGHT_BASE ** rank[pending[who].priority] for who in placed)
