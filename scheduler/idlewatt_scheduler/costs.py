"""What a plan pays out, per vehicle, in the plan's currency.

    cost = availability + energy + wear + waking + connection

Availability is paid for the union of the new stays that no running pod of ours covers. Energy is
the AC energy of the new stays, standby once while a new pod stays and none ran; wear the same in
DC, at no less than the wear model's rate where the policy says so. From the battery, energy is
what it takes to put it back: its DC energy over the round-trip efficiency. Waking is the vehicle's
waking energy at the energy price of the stay's start. Connection is a tariff's fee for staying
plugged, where the fleet pays. Every figure is an exact fraction. What belongs to a whole site is in
`site_costs`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

from idlewatt_scheduler.candidates import Candidate, Parked
from idlewatt_scheduler.energy import Stretch
from idlewatt_scheduler.model.units import (
    FOREVER,
    MILLIWATT_MILLISECONDS_PER_KWH,
    MILLIWATT_MILLISECONDS_PER_WATT_HOUR,
    Instant,
)
from idlewatt_scheduler.tallies import tally_of

NOTHING = Fraction(0)


@dataclass(frozen=True, slots=True)
class Cost:
    """What is paid, in the plan's currency, and the AC energy of computing, waking left out."""

    money: Fraction = NOTHING
    energy_watt_hours: Fraction = NOTHING

    def __sub__(self, other: "Cost") -> "Cost":
        """What one adds to the other."""
        return Cost(self.money - other.money, self.energy_watt_hours - other.energy_watt_hours)


@dataclass(frozen=True, slots=True)
class Rates:
    """What one vehicle is paid, in the plan's currency.

    Attributes:
        availability: per millisecond.
        energy: per milliwatt-millisecond AC; None where the tariff's price is paid instead.
        wear: per milliwatt-millisecond DC.
        tariff: the rate from the tariff's currency, where the fleet pays.
        waking: for one waking.
        battery: per milliwatt-millisecond DC from the battery; None where AC energy is paid.
        connection: per millisecond plugged, from `connection_from` on.
    """

    availability: Fraction
    energy: Fraction | None
    wear: Fraction
    tariff: Fraction
    waking: Fraction
    battery: Fraction | None = None
    connection: Fraction = NOTHING
    connection_from: Instant = FOREVER


def rates_of(candidate: Candidate) -> Rates | None:
    """The rates of a vehicle that takes pods; None where nothing is paid or nothing placed."""
    tally = tally_of(candidate)
    if tally is None:
        return None
    scale = tally.scale
    return Rates(
        availability=Fraction(tally.availability, scale),
        energy=None if tally.energy is None else Fraction(tally.energy, scale),
        wear=Fraction(tally.wear, scale),
        tariff=tally.tariff_rate,
        waking=Fraction(tally.waking, scale),
        battery=None if tally.battery is None else Fraction(tally.battery, scale),
        connection=Fraction(tally.connection, scale),
        connection_from=tally.connection_from,
    )


def cost_of(parked: Parked, rates: Rates, new: Sequence[Stretch]) -> Cost:
    """What the new stays on one vehicle cost together."""
    if not new:
        return Cost()
    figures = parked.electrics
    covered = [(step.start, step.end) for step in parked.base]
    free = fee_time = ac_energy = dc_energy = 0
    tariff = NOTHING
    for start, end, power, alone in pieces(new, covered):
        computing = power + (figures.standby if alone else 0)
        ac = figures.ac(computing)
        free += end - start if alone else 0
        fee_time += max(end - max(start, rates.connection_from), 0) if alone else 0
        ac_energy += ac * (end - start)
        dc_energy += computing * (end - start)
        if rates.energy is None and rates.battery is None and parked.prices is not None:
            tariff += ac * parked.prices.price_times_milliseconds(start, end)
    if rates.battery is not None:
        energy = dc_energy * rates.battery
    elif rates.energy is not None:
        energy = ac_energy * rates.energy
    else:
        energy = tariff * rates.tariff / MILLIWATT_MILLISECONDS_PER_KWH
    paid = free * rates.availability + energy + dc_energy * rates.wear
    money = paid + rates.waking + fee_time * rates.connection
    return Cost(money, Fraction(ac_energy, MILLIWATT_MILLISECONDS_PER_WATT_HOUR))


def pieces(
    new: Sequence[Stretch], covered: Sequence[tuple[Instant, Instant]]
) -> list[tuple[Instant, Instant, int, bool]]:
    """The union of the new stays in pieces: from, to, their power, and whether none ran there."""
    edges = {edge for stretch in new for edge in (stretch.start, stretch.end)}
    first, last = min(edges), max(edges)
    edges.update(edge for pair in covered for edge in pair if first < edge < last)
    ordered = sorted(edges)
    pieces = []
    for start, end in pairwise(ordered):
        staying = [stretch.power for stretch in new if stretch.start <= start < stretch.end]
        if staying:
            alone = not any(begin <= start < finish for begin, finish in covered)
            pieces.append((start, end, sum(staying), alone))
    return pieces
