"""What the new stays at one site cost only together: solar surplus and demand charges."""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from itertools import pairwise

from idlewatt_scheduler.feasibility.bill import added, tariff_paid, taxed
from idlewatt_scheduler.feasibility.circuits import CircuitReading, Grid
from idlewatt_scheduler.feasibility.power import (
    Source,
    ac_power,
    edges_of,
    source_of,
)
from idlewatt_scheduler.feasibility.reading import Candidate, Reading, Stay
from idlewatt_scheduler.feasibility.steps import inner_edges
from idlewatt_scheduler.feasibility.wall_time import end_of_month, occurrences, same_month
from idlewatt_scheduler.model.calendars import Interval
from idlewatt_scheduler.model.site import Site
from idlewatt_scheduler.model.tariff import DemandCharge, Tariff
from idlewatt_scheduler.model.units import (
    MILLIWATT_MILLISECONDS_PER_KWH,
    Instant,
    Milliwatts,
    milliwatts,
    seconds,
)

_MILLIWATTS_PER_KILOWATT = 10**6

New = Mapping[str, Sequence[Stay]]


def site_bill(reading: Reading, site: Site | None, new: New) -> Fraction | None:
    """What new stays, by vehicle, add at a site; None where a rate is unknown."""
    tariff = tariff_paid(reading, site)
    if site is None or tariff is None:
        return Fraction(0)
    here = {
        name: stays
        for name, stays in new.items()
        if stays and name in reading.vehicles and reading.vehicles[name].site is site
    }
    if not here:
        return Fraction(0)
    rate = reading.rate(tariff.currency)
    if rate is None:
        return None
    demand = sum(
        (_demand(reading, site, tariff, charge, here) for charge in tariff.demand_charges),
        Fraction(0),
    )
    return rate * (_surplus(reading, site, tariff, here) + demand)


def _surplus(reading: Reading, site: Site, tariff: Tariff, new: New) -> Fraction:
    """What using the measured export costs more than buying does; less than 0, mostly."""
    exported = sum(
        CircuitReading(reading, site, circuit).exported
        for circuit in site.circuits
        if circuit.parent is None
    )
    first, last = reading.at, reading.at + seconds(reading.policy.surplus_seconds)
    on_the_grid: list[tuple[Candidate, Sequence[Stay]]] = [
        (reading.vehicles[name], stays)
        for name, stays in new.items()
        if source_of(reading.vehicles[name]) is Source.GRID
    ]
    if exported <= 0 or not on_the_grid or last <= first:
        return Fraction(0)
    prices = reading.prices(tariff)
    edges = set(prices.edges)
    for car, stays in on_the_grid:
        edges |= edges_of((*stays, *reading.running_on(car.name)))
    cost = Fraction(0)
    for begin, end in pairwise([first, *inner_edges(edges, first, last), last]):
        said = prices.at(begin)
        if said.price is None or said.export is None:
            continue
        taken = sum(
            ac_power(car, added(reading, car, stays, begin)[0]) for car, stays in on_the_grid
        )
        energy = Fraction(min(taken, exported) * (end - begin), MILLIWATT_MILLISECONDS_PER_KWH)
        cost += energy * (said.export - said.price)
    return cost


def _demand(
    reading: Reading, site: Site, tariff: Tariff, charge: DemandCharge, new: New
) -> Fraction:
    """What the kilowatts cost by which the new stays raise the month's peak."""
    month_ends = end_of_month(reading.at, tariff.time_zone)
    hours = [
        Interval(max(each.start, reading.at), min(each.end, month_ends))
        for each in occurrences(
            charge.recurrence, tariff.time_zone, reading.at, month_ends, tariff.public_holidays
        )
        if max(each.start, reading.at) < min(each.end, month_ends)
    ]
    if not hours:
        return Fraction(0)
    without = Grid.planned(reading, {})
    with_them = Grid.planned(reading, {name: tuple(stays) for name, stays in new.items()})
    so_far = _peak_so_far(reading.at, site, tariff)
    before = max(_greatest(without, site, hours), so_far)
    raised = max(_greatest(with_them, site, hours) - before, 0)
    price = Fraction(charge.price_per_kilowatt) * taxed(tariff)
    return price * Fraction(raised, _MILLIWATTS_PER_KILOWATT)


def _greatest(grid: Grid, site: Site, hours: Sequence[Interval]) -> Milliwatts:
    """The greatest load of the circuits without a parent, together, within these hours."""
    loads = [grid.load(site, circuit) for circuit in site.circuits if circuit.parent is None]
    edges = {edge for load in loads for edge in load.edges}
    instants = [
        instant
        for each in hours
        for instant in (each.start, *inner_edges(edges, each.start, each.end))
    ]
    return max(sum(load.at(instant)[0] for load in loads) for instant in instants)


def _peak_so_far(at: Instant, site: Site, tariff: Tariff) -> Milliwatts:
    roots = {circuit.name for circuit in site.circuits if circuit.parent is None}
    return sum(
        milliwatts(observed.peak_watts)
        for observed in site.observed_circuits
        if observed.name in roots
        and observed.peak_watts is not None
        and observed.peak_at is not None
        and same_month(observed.peak_at, at, tariff.time_zone)
    )
