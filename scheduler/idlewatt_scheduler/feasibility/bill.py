"""What the new stays on one vehicle cost, term by term."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import groupby, pairwise
from typing import Final

from idlewatt_scheduler.feasibility.matching import unmet_points
from idlewatt_scheduler.feasibility.power import (
    Source,
    ac_power,
    edges_of,
    is_plugged,
    source_of,
)
from idlewatt_scheduler.feasibility.reading import Candidate, Reading, Stay
from idlewatt_scheduler.feasibility.steps import inner_edges
from idlewatt_scheduler.feasibility.wear import wear_rate
from idlewatt_scheduler.model.policy import WearFloor
from idlewatt_scheduler.model.site import EnergyBearer, Site
from idlewatt_scheduler.model.tariff import Tariff
from idlewatt_scheduler.model.units import (
    DAY,
    HOUR,
    MILLIWATT_MILLISECONDS_PER_WATT_HOUR,
    Instant,
    Milliwatts,
    milliwatts,
)
from idlewatt_scheduler.model.vehicle import Vehicle

_MICRO_UNIT: Final = Fraction(1, 10**6)


@dataclass(frozen=True, slots=True)
class Bill:
    """What a set of new stays costs on one candidate.

    Attributes:
        cost: in the plan's currency; None where a price or a rate is unknown.
        watt_hours: AC, standby counted once, waking left out.
        tolerated: by how much the cost may differ; the wear model is rounded to micro-units.
    """

    cost: Fraction | None = Fraction(0)
    watt_hours: Fraction = Fraction(0)
    tolerated: Fraction = Fraction(0)


def bill(
    reading: Reading, candidate: Candidate, stays: Sequence[Stay], *, waking: bool = True
) -> Bill:
    """The cost and the energy of new stays on a candidate, in the order of the rules."""
    vehicle = candidate.vehicle
    if vehicle is None or not stays:
        return Bill()
    pieces = list(_pieces(reading, candidate, stays))
    watt_hours = _watt_hours((piece.ac, piece) for piece in pieces)
    wear, by_model = _wear_per_kwh(reading, candidate, vehicle)
    rate = reading.rate(vehicle.compensation.currency)
    if rate is None or candidate.site is None:
        return Bill(None, watt_hours)
    availability = Fraction(vehicle.compensation.availability_per_hour)
    hours = Fraction(sum(piece.length for piece in pieces if piece.alone), HOUR)
    kilowatt_hours = _watt_hours((piece.dc, piece) for piece in pieces) / 1_000
    cost = rate * (hours * availability + kilowatt_hours * wear)
    for term in (
        _energy(reading, candidate, pieces),
        _waking(reading, candidate, min(stay.start for stay in stays)) if waking else Fraction(0),
        _connection(reading, candidate, pieces),
        _preference(reading, candidate, stays),
    ):
        if term is None:
            return Bill(None, watt_hours)
        cost += term
    tolerated = _MICRO_UNIT * rate * max(kilowatt_hours, Fraction(1)) if by_model else Fraction(0)
    return Bill(cost, watt_hours, tolerated)


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of new stays in which nothing begins, ends or changes its price.

    Attributes:
        dc: milliwatts that the new stays add, standby with them where they are alone.
        ac: the same at the plug.
        alone: no running pod of ours is there.
    """

    begin: Instant
    end: Instant
    dc: Milliwatts
    ac: Milliwatts
    alone: bool

    @property
    def length(self) -> int:
        """Milliseconds."""
        return self.end - self.begin


def added(
    reading: Reading, candidate: Candidate, stays: Sequence[Stay], instant: Instant
) -> tuple[Milliwatts, bool]:
    """DC milliwatts that new stays add at an instant, and whether no pod of ours ran there."""
    alone = not any(stay.covers(instant) for stay in reading.running_on(candidate.name))
    new = [stay.power for stay in stays if stay.covers(instant)]
    standby = candidate.vehicle.compute.standby_power_watts if candidate.vehicle else 0
    return sum(new) + (milliwatts(standby) if new and alone else 0), alone


def _pieces(reading: Reading, candidate: Candidate, stays: Sequence[Stay]) -> Iterator[Piece]:
    first, last = min(stay.start for stay in stays), max(stay.end for stay in stays)
    edges = edges_of((*stays, *reading.running_on(candidate.name)))
    tariff = tariff_paid(reading, candidate.site)
    if tariff is not None:
        edges.update(begin for begin, _, _ in reading.prices(tariff).during(first, last))
    for begin, end in pairwise([first, *inner_edges(edges, first, last), last]):
        if any(stay.covers(begin) for stay in stays):
            dc, alone = added(reading, candidate, stays, begin)
            yield Piece(begin, end, dc, ac_power(candidate, dc), alone)


def _watt_hours(drawn: Iterable[tuple[Milliwatts, Piece]]) -> Fraction:
    energy = sum(power * piece.length for power, piece in drawn)
    return Fraction(energy, MILLIWATT_MILLISECONDS_PER_WATT_HOUR)


def _wear_per_kwh(
    reading: Reading, candidate: Candidate, vehicle: Vehicle
) -> tuple[Fraction, bool]:
    """What a kWh DC wears off, in the owner's currency, and whether the model says so."""
    agreed = Fraction(vehicle.compensation.wear_per_kwh)
    if reading.policy.wear_floor is not WearFloor.MODEL:
        return agreed, False
    modelled = wear_rate(candidate, reading.at)
    return (agreed, False) if modelled is None or modelled <= agreed else (modelled, True)


def tariff_paid(reading: Reading, site: Site | None) -> Tariff | None:
    """The tariff by which the fleet pays at a site; None: the fleet does not, or there is none."""
    if site is None or site.energy_borne_by is not EnergyBearer.FLEET:
        return None
    return reading.tariff_of(site)


def price_paid(reading: Reading, candidate: Candidate, instant: Instant) -> Fraction | None:
    """Per kWh AC at an instant, in the plan's currency: the owner's rate, or the tariff's."""
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


def _energy(reading: Reading, candidate: Candidate, pieces: Sequence[Piece]) -> Fraction | None:
    vehicle = candidate.vehicle
    round_trip = vehicle.battery.round_trip_efficiency_percent if vehicle else None
    if source_of(candidate) is Source.BATTERY and round_trip is not None:
        price = _price_of_putting_back(reading, candidate)
        taken = _watt_hours((piece.dc, piece) for piece in pieces)
        return None if price is None else price * taken * 100 / round_trip / 1_000
    cost = Fraction(0)
    for price, alike in groupby(pieces, lambda piece: price_paid(reading, candidate, piece.begin)):
        if price is None:
            return None
        cost += price * _watt_hours((piece.ac, piece) for piece in alike) / 1_000
    return cost


def _price_of_putting_back(reading: Reading, candidate: Candidate) -> Fraction | None:
    """Per kWh: the owner's rate; for the fleet the mean of the prices known of the next day."""
    tariff = tariff_paid(reading, candidate.site)
    if tariff is None:
        return price_paid(reading, candidate, reading.at)
    rate = reading.rate(tariff.currency)
    known = [
        (end - begin, said.price)
        for begin, end, said in reading.prices(tariff).during(reading.at, reading.at + DAY)
        if said.price is not None
    ]
    time = sum(length for length, _ in known)
    if rate is None:
        return None
    return rate * sum((length * price for length, price in known), Fraction(0)) / max(time, 1)


def _waking(reading: Reading, candidate: Candidate, start: Instant) -> Fraction | None:
    if not candidate.asleep or candidate.vehicle is None:
        return Fraction(0)
    price = price_paid(reading, candidate, start)
    woken = Fraction(candidate.vehicle.compute.wake_energy_watt_hours, 1_000)
    return None if price is None else price * woken


def _connection(reading: Reading, candidate: Candidate, pieces: Sequence[Piece]) -> Fraction | None:
    """The fee for staying plugged, for the hours that only new stays ask for."""
    tariff = tariff_paid(reading, candidate.site)
    if tariff is None or tariff.connection_fee is None or not is_plugged(candidate):
        return Fraction(0)
    rate = reading.rate(tariff.currency)
    parking = candidate.vehicle.observed.parking if candidate.vehicle else None
    since = parking.since if parking else None
    begins = None if since is None else since + tariff.connection_fee.after
    length = sum(
        max(piece.end - (piece.begin if begins is None else max(piece.begin, begins)), 0)
        for piece in pieces
        if piece.alone
    )
    per_hour = Fraction(tariff.connection_fee.price_per_hour) * taxed(tariff)
    return None if rate is None else rate * per_hour * Fraction(length, HOUR)


def _preference(reading: Reading, candidate: Candidate, stays: Sequence[Stay]) -> Fraction:
    """What it weighs that the Node is not what the pods would rather have."""
    node = candidate.node
    points = 0 if node is None else sum(unmet_points(stay.pod, node) for stay in stays)
    return points * Fraction(reading.policy.preference_cost_per_point)


def taxed(tariff: Tariff) -> Fraction:
    """What a price before tax is multiplied by."""
    return 1 + Fraction(tariff.tax_percent) / 100
