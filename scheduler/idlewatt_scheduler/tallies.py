"""What a vehicle is paid for, as whole numbers of one small part of the plan's currency.

Ten thousand vehicles are looked up in every cycle, and what each is paid is a sum of five products
of decimals. With one common denominator a vehicle that sum is exact and made of integers alone;
`costs` says what is multiplied with these.
"""

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from math import lcm
from typing import Final, TypeAlias

from idlewatt_scheduler.candidates import Candidate, Parked
from idlewatt_scheduler.energy import Source
from idlewatt_scheduler.model.policy import WearFloor
from idlewatt_scheduler.model.site import EnergyBearer
from idlewatt_scheduler.model.units import (
    DAY,
    FOREVER,
    HOUR,
    MILLIWATT_MILLISECONDS_PER_KWH,
    Instant,
    seconds,
)
from idlewatt_scheduler.wear import model_rate

Ratio: TypeAlias = tuple[int, int]
"""A numerator and its denominator, not necessarily in lowest terms."""

_NONE: Final[Ratio] = (0, 1)
_WATT_HOURS_PER_KWH: Final = 1_000
_HUNDRED: Final = 100


@dataclass(frozen=True, slots=True)
class Tally:
    """What one vehicle is paid, in parts of which `scale` make one unit of the plan's currency.

    Attributes:
        availability: parts per millisecond.
        energy: per milliwatt-millisecond AC; None where the tariff's price is paid instead.
        wear: per milliwatt-millisecond DC.
        tariff: per milliwatt AC and part-millisecond of its price line, where the fleet pays.
        waking: for one waking.
        battery: per milliwatt-millisecond DC from the battery; None where AC energy is paid.
        connection: per millisecond plugged, from `connection_from` on.
        tariff_rate: from the tariff's currency into the plan's, where the fleet pays.
    """

    scale: int
    availability: int
    energy: int | None
    wear: int
    tariff: int
    waking: int
    battery: int | None
    connection: int
    connection_from: Instant
    tariff_rate: Fraction


def tally_of(candidate: Candidate) -> Tally | None:
    """What a vehicle that takes pods is paid; None where nothing is paid or nothing placed."""
    parked = candidate.parked
    if parked is None or candidate.refusal is not None:
        return None
    case, pay = parked.case, parked.vehicle.compensation
    to_plan = _ratio_of(case.exchange.to_plan(pay.currency))
    per_kwh = _times(pay.energy_per_kwh.as_integer_ratio(), to_plan)
    pays = fleet_pays(parked)
    by_price, tariff_rate = _NONE, Fraction(0)
    if pays and parked.prices is not None:
        tariff_rate = case.exchange.to_plan(parked.prices.currency) or tariff_rate
        paid_per = MILLIWATT_MILLISECONDS_PER_KWH * parked.prices.timeline.scale
        by_price = tariff_rate.numerator, tariff_rate.denominator * paid_per
    battery = _battery(parked, per_kwh, tariff_rate)
    connection, connection_from = _connection(parked, tariff_rate)
    availability = _times(pay.availability_per_hour.as_integer_ratio(), to_plan)
    terms = (
        (availability[0], availability[1] * HOUR),
        _NONE if pays else (per_kwh[0], per_kwh[1] * MILLIWATT_MILLISECONDS_PER_KWH),
        _wear(parked, to_plan),
        by_price,
        _waking(parked, per_kwh, tariff_rate),
        _NONE if battery is None else battery,
        connection,
    )
    scale = lcm(*[denominator for _, denominator in terms])
    parts = [numerator * (scale // denominator) for numerator, denominator in terms]
    return Tally(
        scale=scale,
        availability=parts[0],
        energy=None if pays else parts[1],
        wear=parts[2],
        tariff=parts[3],
        waking=parts[4],
        battery=None if battery is None else parts[5],
        connection=parts[6],
        connection_from=connection_from,
        tariff_rate=tariff_rate,
    )


def fleet_pays(parked: Parked) -> bool:
    """The fleet buys the electricity where the vehicle stands."""
    site = parked.case.site
    return site is not None and site.energy_borne_by is EnergyBearer.FLEET


def wear_per_kwh(parked: Parked) -> Decimal:
    """What is paid for wear, per kWh DC: as agreed, or by the model where that is the floor."""
    agreed = parked.vehicle.compensation.wear_per_kwh
    if parked.case.policy.wear_floor is not WearFloor.MODEL:
        return agreed
    modelled = model_rate(parked.vehicle, parked.case.at)
    return agreed if modelled is None else max(agreed, modelled)


def _wear(parked: Parked, to_plan: Ratio) -> Ratio:
    numerator, denominator = _times(wear_per_kwh(parked).as_integer_ratio(), to_plan)
    return numerator, denominator * MILLIWATT_MILLISECONDS_PER_KWH


def _waking(parked: Parked, per_kwh: Ratio, tariff: Fraction) -> Ratio:
    """What one waking costs, at the energy price of the stay's start."""
    if not parked.case.asleep:
        return _NONE
    compute = parked.vehicle.compute
    if fleet_pays(parked) and parked.prices is not None:
        line = parked.prices.timeline
        parts = line.prices[line.index(parked.case.at + seconds(compute.wake_seconds))]
        per_kwh = _times((parts or 0, line.scale), _ratio_of(tariff))
    return compute.wake_energy_watt_hours * per_kwh[0], _WATT_HOURS_PER_KWH * per_kwh[1]


def _battery(parked: Parked, per_kwh: Ratio, tariff: Fraction) -> Ratio | None:
    """What energy from the battery costs to put back; None where it is not priced apart."""
    efficiency = parked.vehicle.battery.round_trip_efficiency_percent
    if efficiency is None or parked.electrics.source is not Source.BATTERY:
        return None
    if fleet_pays(parked):
        at, prices = parked.case.at, parked.prices
        mean = None if prices is None else prices.mean_known_price(at, at + DAY)
        per_kwh = _ratio_of((mean or Fraction(0)) * tariff)
    numerator, denominator = per_kwh
    return numerator * _HUNDRED, denominator * efficiency * MILLIWATT_MILLISECONDS_PER_KWH


def _connection(parked: Parked, tariff: Fraction) -> tuple[Ratio, Instant]:
    """The fee for staying plugged, per millisecond in the plan's currency, and from when on."""
    of = parked.case.tariff
    fee = of.connection_fee if of else None
    if of is None or fee is None or not fleet_pays(parked) or not parked.electrics.plugged:
        return _NONE, FOREVER
    parking = parked.vehicle.observed.parking
    since = parking.since if parking else None
    per_hour = Fraction(fee.price_per_hour) * (1 + Fraction(of.tax_percent) / _HUNDRED)
    money = _ratio_of(per_hour * tariff / HOUR)
    return money, parked.case.at if since is None else since + fee.after


def _ratio_of(amount: Fraction | None) -> Ratio:
    return _NONE if amount is None else (amount.numerator, amount.denominator)


def _times(one: Ratio, other: Ratio) -> Ratio:
    return one[0] * other[0], one[1] * other[1]
