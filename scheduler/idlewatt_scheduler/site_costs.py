"""What a plan costs at a site as a whole, where the fleet buys the electricity there.

    cost = demand - surplus

Demand: what the new stays add to the month's peak, which is paid for by the kilowatt. Surplus: what
is saved because the site exports at this moment, and what it uses itself costs it the export price
alone. Neither belongs to one vehicle, so both are asked of all new stays at the site together.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from fractions import Fraction
from itertools import pairwise

from idlewatt_scheduler.calendar import local_day, occurrences, wall_clock
from idlewatt_scheduler.candidates import Fleet, Parked
from idlewatt_scheduler.circuits import (
    Change,
    CircuitKey,
    Headroom,
    headroom_of,
    is_fresh,
    uncontrolled_load,
)
from idlewatt_scheduler.clauses.live import Placed, draw_changes
from idlewatt_scheduler.costs import NOTHING, pieces
from idlewatt_scheduler.energy import Source
from idlewatt_scheduler.model.calendars import Interval
from idlewatt_scheduler.model.site import Circuit, ObservedCircuit, Site
from idlewatt_scheduler.model.tariff import Tariff
from idlewatt_scheduler.model.units import (
    FOREVER,
    MILLIWATT_MILLISECONDS_PER_KWH,
    Instant,
    Milliwatts,
    seconds,
)
from idlewatt_scheduler.prices import PriceLine
from idlewatt_scheduler.tallies import fleet_pays

MILLIWATTS_PER_KILOWATT = 1_000_000


@dataclass(frozen=True, slots=True)
class Demand:
    """A demand charge, for what is left of the month.

    Attributes:
        hours: when it counts, from `at` on.
        per_milliwatt: in the plan's currency, tax included.
        paid: the peak that is paid for, or will be, without any new stay.
    """

    hours: tuple[Interval, ...]
    per_milliwatt: Fraction
    paid: Milliwatts


@dataclass(frozen=True, slots=True)
class SiteTerms:
    """What makes the cost of a site more than the sum of its vehicles'.

    Attributes:
        candidates: the indices of the vehicles that stand there.
        load: of the circuits without a parent, without new stays: from each instant on.
        surplus: what is exported, and until when that is held to last.
        saving: per milliwatt-millisecond in the plan's currency, from, to and how much.
    """

    candidates: frozenset[int]
    load: tuple[tuple[Instant, Milliwatts], ...]
    demand: tuple[Demand, ...]
    surplus: Milliwatts
    saving: tuple[tuple[Instant, Instant, Fraction], ...]

    def money(self, held: Iterable[tuple[Parked, Placed]]) -> Fraction:
        """What the new stays on these vehicles cost together, besides what each costs."""
        new = [(parked, placed) for parked, placed in held if placed.stretches]
        return self._demanded(new) - self._saved(new)

    @property
    def saved_at_most(self) -> Fraction:
        """What new stays may save there, were all that is exported used as long as it lasts."""
        return sum(
            (
                self.surplus * (until - since) * rate
                for since, until, rate in self.saving
                if rate > 0
            ),
            NOTHING,
        )

    def _demanded(self, new: Sequence[tuple[Parked, Placed]]) -> Fraction:
        if not self.demand:
            return NOTHING
        raised = [
            c for parked, placed in new for c in draw_changes(parked, parked.base, placed.line)
        ]
        load = _line([*_stretches(self.load), *raised])
        return (
            sum(
                (max(greatest(load, each.hours) - each.paid, 0) * each.per_milliwatt)
                for each in self.demand
            )
            or NOTHING
        )

    def _saved(self, new: Sequence[tuple[Parked, Placed]]) -> Fraction:
        if not self.saving or not self.surplus:
            return NOTHING
        drawn = _line([change for parked, placed in new for change in _drawn(parked, placed)])
        return sum(
            (
                min(power, self.surplus) * (min(end, until) - max(start, since)) * rate
                for start, end, power in _stretches(drawn)
                for since, until, rate in self.saving
                if max(start, since) < min(end, until)
            ),
            NOTHING,
        )


def site_terms(fleet: Fleet) -> Mapping[str, SiteTerms]:
    """The sites, by name, of which the cost is not the sum of their vehicles'."""
    standing: dict[str, list[int]] = {}
    for index, candidate in enumerate(fleet.candidates):
        parked = candidate.parked
        if parked is not None and parked.case.site is not None and fleet_pays(parked):
            standing.setdefault(parked.case.site.name, []).append(index)
    terms = {name: _terms(fleet, indices) for name, indices in standing.items()}
    return {
        name: each
        for name, each in terms.items()
        if each is not None and (each.demand or (each.saving and each.surplus))
    }


def greatest(load: Sequence[tuple[Instant, Milliwatts]], hours: Iterable[Interval]) -> Milliwatts:
    """The greatest load in any of these hours; 0 where there are none."""
    return max(
        (
            power
            for start, end, power in _stretches(load)
            if any(max(start, hour.start) < min(end, hour.end) for hour in hours)
        ),
        default=0,
    )


def _terms(fleet: Fleet, indices: Sequence[int]) -> SiteTerms | None:
    parked = fleet.candidates[indices[0]].parked
    if parked is None or parked.case.site is None or parked.case.tariff is None:
        return None
    site, tariff, prices = parked.case.site, parked.case.tariff, parked.prices
    rate = fleet.exchange.to_plan(tariff.currency)
    if rate is None or prices is None:
        return None
    seen = {each.name: each for each in site.observed_circuits}
    roots = [
        (circuit, seen.get(circuit.name, ObservedCircuit(circuit.name)))
        for circuit in site.circuits
        if circuit.parent is None
    ]
    load = tuple(_load(fleet, site, roots)) if tariff.demand_charges else ()
    exported = _exported(fleet, roots)
    return SiteTerms(
        candidates=frozenset(indices),
        load=load,
        demand=tuple(_demands(fleet, tariff, roots, load, rate)),
        surplus=exported,
        saving=tuple(_saving(fleet, prices, rate)) if exported else (),
    )


_Root = tuple[Circuit, ObservedCircuit]


def _exported(fleet: Fleet, roots: Iterable[_Root]) -> Milliwatts:
    policy, at = fleet.snapshot.policy, fleet.snapshot.at
    return 1_000 * sum(seen.export_watts or 0 for _, seen in roots if is_fresh(seen, policy, at))


def _saving(
    fleet: Fleet, prices: PriceLine, rate: Fraction
) -> Iterator[tuple[Instant, Instant, Fraction]]:
    at = fleet.snapshot.at
    until = at + seconds(fleet.snapshot.policy.surplus_seconds)
    for start, end, price, export in prices.pieces(at, until):
        if price is not None and export is not None and price != export:
            yield start, end, (price - export) * rate / MILLIWATT_MILLISECONDS_PER_KWH


def _demands(
    fleet: Fleet,
    tariff: Tariff,
    roots: Iterable[_Root],
    load: Sequence[tuple[Instant, Milliwatts]],
    rate: Fraction,
) -> Iterator[Demand]:
    at = fleet.snapshot.at
    today = local_day(at, tariff.time_zone)
    first = today.replace(day=1)
    following = (first + timedelta(days=31)).replace(day=1)
    month = Interval(
        wall_clock(first, 0, tariff.time_zone), wall_clock(following, 0, tariff.time_zone)
    )
    peak = 1_000 * sum(
        seen.peak_watts or 0
        for _, seen in roots
        if seen.peak_at is not None and month.start <= seen.peak_at < month.end
    )
    left = Interval(at, month.end)
    for charge in tariff.demand_charges:
        hours = tuple(
            Interval(max(hour.start, left.start), min(hour.end, left.end))
            for hour in occurrences(
                charge.recurrence, tariff.time_zone, left, tariff.public_holidays
            )
        )
        taxed = Fraction(charge.price_per_kilowatt) * (1 + Fraction(tariff.tax_percent) / 100)
        yield Demand(
            hours, taxed * rate / MILLIWATTS_PER_KILOWATT, max(peak, greatest(load, hours))
        )


def _load(fleet: Fleet, site: Site, roots: Sequence[_Root]) -> Iterator[tuple[Instant, Milliwatts]]:
    """Uncontrolled loads and cars: what an empty circuit leaves, less what this one does."""
    policy, at = fleet.snapshot.policy, fleet.snapshot.at
    empty = dict(headroom_of(site, policy, at))
    rooms = [((site.name, circuit.name), circuit, seen) for circuit, seen in roots]
    edges = sorted({edge for key, *_ in rooms for edge in _edges(empty[key], fleet.headroom, key)})
    for edge in edges:
        yield (
            edge,
            sum(
                1_000 * uncontrolled_load(circuit, seen, policy, at)
                + empty[key].least(edge, edge + 1)
                - fleet.headroom[key].least(edge, edge + 1)
                for key, circuit, seen in rooms
            ),
        )


def _edges(
    empty: Headroom, rooms: Mapping[CircuitKey, Headroom], key: CircuitKey
) -> Iterator[Instant]:
    yield from empty.starts
    yield from rooms[key].starts


def _drawn(parked: Parked, placed: Placed) -> Iterator[Change]:
    """AC power of the new stays of a vehicle that takes it from the grid."""
    if parked.electrics.source is not Source.GRID:
        return
    covered = [(step.start, step.end) for step in parked.base]
    for start, end, power, alone in pieces(placed.stretches, covered):
        yield start, end, parked.electrics.ac(power + (parked.electrics.standby if alone else 0))


def _line(changes: Iterable[Change]) -> list[tuple[Instant, Milliwatts]]:
    """The sum of what is drawn, from each instant on."""
    steps: dict[Instant, Milliwatts] = {}
    for start, end, power in changes:
        steps[start] = steps.get(start, 0) + power
        steps[end] = steps.get(end, 0) - power
    line: list[tuple[Instant, Milliwatts]] = []
    total = 0
    for instant in sorted(steps):
        total += steps[instant]
        line.append((instant, total))
    return line


def _stretches(
    line: Sequence[tuple[Instant, Milliwatts]],
) -> Iterator[tuple[Instant, Instant, Milliwatts]]:
    for (start, power), (end, _) in pairwise([*line, (FOREVER, 0)]):
        if start < end:
            yield start, end, power
