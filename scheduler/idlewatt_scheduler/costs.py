"""What a plan pays out, per vehicle, in the plan's currency.

    cost = availability + energy + wear + waking

Availability is paid for the union of the new stays that no running pod of ours covers. Energy is
the AC energy of the new stays, standby once while a new pod stays and none ran; wear the same in
DC. Waking is the vehicle's waking energy at the energy price of the stay's start. Every figure is
an exact fraction.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

from idlewatt_scheduler.candidates import Candidate, Parked
from idlewatt_scheduler.energy import Stretch
from idlewatt_scheduler.model.site import EnergyBearer
from idlewatt_scheduler.model.units import (
    HOUR,
    MILLIWATT_MILLISECONDS_PER_KWH,
    MILLIWATT_MILLISECONDS_PER_WATT_HOUR,
    Instant,
)

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
    """

    availability: Fraction
    energy: Fraction | None
    wear: Fraction
    tariff: Fraction
    waking: Fraction


def rates_of(candidate: Candidate) -> Rates | None:
    """The rates of a vehicle that takes pods; None where nothing is paid or nothing placed."""
    parked = candidate.parked
    if parked is None or candidate.refusal is not None:
        return None
    case, vehicle, pay = parked.case, parked.vehicle, parked.vehicle.compensation
    rate = case.exchange.to_plan(pay.currency) or NOTHING
    per_unit = rate / MILLIWATT_MILLISECONDS_PER_KWH
    fleet_pays = case.site is not None and case.site.energy_borne_by is EnergyBearer.FLEET
    tariff = NOTHING
    per_kwh: Fraction | None = Fraction(pay.energy_per_kwh) * rate
    if fleet_pays and parked.prices is not None:
        tariff = case.exchange.to_plan(parked.prices.currency) or NOTHING
        price = parked.prices.price_at(case.at + _waking_time(parked))
        per_kwh = None if price is None else price * tariff
    waking = NOTHING
    if case.asleep and per_kwh is not None:
        waking = Fraction(vehicle.compute.wake_energy_watt_hours, 1_000) * per_kwh
    return Rates(
        availability=Fraction(pay.availability_per_hour) * rate / HOUR,
        energy=None if fleet_pays else Fraction(pay.energy_per_kwh) * per_unit,
        wear=Fraction(pay.wear_per_kwh) * per_unit,
        tariff=tariff,
        waking=waking,
    )


def cost_of(parked: Parked, rates: Rates, new: Sequence[Stretch]) -> Cost:
    """What the new stays on one vehicle cost together."""
    if not new:
        return Cost()
    figures = parked.electrics
    covered = [(step.start, step.end) for step in parked.base]
    free = ac_energy = dc_energy = 0
    tariff = NOTHING
    for start, end, power, alone in _pieces(new, covered):
        computing = power + (figures.standby if alone else 0)
        ac = figures.ac(computing)
        free += end - start if alone else 0
        ac_energy += ac * (end - start)
        dc_energy += computing * (end - start)
        if rates.energy is None and parked.prices is not None:
            tariff += ac * parked.prices.price_times_milliseconds(start, end)
    energy = (
        tariff * rates.tariff / MILLIWATT_MILLISECONDS_PER_KWH
        if rates.energy is None
        else ac_energy * rates.energy
    )
    money = free * rates.availability + energy + dc_energy * rates.wear + rates.waking
    return Cost(money, Fraction(ac_energy, MILLIWATT_MILLISECONDS_PER_WATT_HOUR))


def _pieces(
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


def _waking_time(parked: Parked) -> int:
    return 1_000 * parked.vehicle.compute.wake_seconds if parked.case.asleep else 0
