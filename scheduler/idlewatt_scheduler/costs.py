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
from idlewatt_scheduler.energy import Source, Stretch
from idlewatt_scheduler.model.policy import WearFloor
from idlewatt_scheduler.model.site import EnergyBearer
from idlewatt_scheduler.model.units import (
    DAY,
    FOREVER,
    HOUR,
    MILLIWATT_MILLISECONDS_PER_KWH,
    MILLIWATT_MILLISECONDS_PER_WATT_HOUR,
    Instant,
)
from idlewatt_scheduler.wear import model_rate

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
    parked = candidate.parked
    if parked is None or candidate.refusal is not None:
        return None
    case, pay = parked.case, parked.vehicle.compensation
    rate = case.exchange.to_plan(pay.currency) or NOTHING
    per_unit = rate / MILLIWATT_MILLISECONDS_PER_KWH
    tariff = NOTHING
    if fleet_pays(parked) and parked.prices is not None:
        tariff = case.exchange.to_plan(parked.prices.currency) or NOTHING
    connection, connection_from = _connection(parked, tariff)
    return Rates(
        availability=Fraction(pay.availability_per_hour) * rate / HOUR,
        energy=None if fleet_pays(parked) else Fraction(pay.energy_per_kwh) * per_unit,
        wear=wear_per_kwh(parked) * per_unit,
        tariff=tariff,
        waking=_waking(parked, rate, tariff),
        battery=_battery(parked, rate, tariff),
        connection=connection,
        connection_from=connection_from,
    )


def fleet_pays(parked: Parked) -> bool:
    """The fleet buys the electricity where the vehicle stands."""
    site = parked.case.site
    return site is not None and site.energy_borne_by is EnergyBearer.FLEET


def wear_per_kwh(parked: Parked) -> Fraction:
    """What is paid for wear, per kWh DC: as agreed, or by the model where that is the floor."""
    agreed = Fraction(parked.vehicle.compensation.wear_per_kwh)
    if parked.case.policy.wear_floor is not WearFloor.MODEL:
        return agreed
    modelled = model_rate(parked.vehicle, parked.case.at)
    return agreed if modelled is None else max(agreed, Fraction(modelled))


def _waking(parked: Parked, rate: Fraction, tariff: Fraction) -> Fraction:
    """What one waking costs, at the energy price of the stay's start."""
    vehicle, per_kwh = parked.vehicle, Fraction(parked.vehicle.compensation.energy_per_kwh) * rate
    if not parked.case.asleep:
        return NOTHING
    if fleet_pays(parked) and parked.prices is not None:
        start = parked.case.at + 1_000 * vehicle.compute.wake_seconds
        per_kwh = (parked.prices.price_at(start) or NOTHING) * tariff
    return Fraction(vehicle.compute.wake_energy_watt_hours, 1_000) * per_kwh


def _battery(parked: Parked, rate: Fraction, tariff: Fraction) -> Fraction | None:
    """What energy from the battery costs to put back; None where it is not priced apart."""
    efficiency = parked.vehicle.battery.round_trip_efficiency_percent
    if efficiency is None or parked.electrics.source is not Source.BATTERY:
        return None
    per_kwh = Fraction(parked.vehicle.compensation.energy_per_kwh) * rate
    if fleet_pays(parked):
        at, prices = parked.case.at, parked.prices
        mean = None if prices is None else prices.mean_known_price(at, at + DAY)
        per_kwh = (mean or NOTHING) * tariff
    return per_kwh * 100 / efficiency / MILLIWATT_MILLISECONDS_PER_KWH


def _connection(parked: Parked, tariff: Fraction) -> tuple[Fraction, Instant]:
    """The fee for staying plugged, per millisecond in the plan's currency, and from when on."""
    of = parked.case.tariff
    fee = of.connection_fee if of else None
    if of is None or fee is None or not fleet_pays(parked) or not parked.electrics.plugged:
        return NOTHING, FOREVER
    parking = parked.vehicle.observed.parking
    since = parking.since if parking else None
    per_hour = Fraction(fee.price_per_hour) * (1 + Fraction(of.tax_percent) / 100)
    return per_hour * tariff / HOUR, parked.case.at if since is None else since + fee.after


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
