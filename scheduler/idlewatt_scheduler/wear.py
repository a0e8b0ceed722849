"""What computing wears off a traction battery, by a model fitted to published cell models.

Wear is the fade of a pack that computes every night, less the fade of the same pack that does not:
warmer nights age it faster, what a battery gives has to be put back through it, and a charge that
is lower for some hours ages it more slowly. docs/explanation/wear.md has the formulas.

All arithmetic is decimal, of 28 digits, and a rate is rounded up to a millionth: the same on every
machine. Rates of the same rounded observations are worked out once.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_CEILING, Context, Decimal, localcontext
from functools import lru_cache
from itertools import product
from typing import Final

from idlewatt_scheduler.energy import Source, source_of
from idlewatt_scheduler.model.units import Instant
from idlewatt_scheduler.model.vehicle import Supply, Vehicle
from idlewatt_scheduler.wear_coefficients import CELLS

FADE_AT_END_OF_LIFE: Final = Decimal("0.3")
"""A pack that has lost this share of its capacity is replaced."""

NIGHT_HOURS: Final = Decimal(8)
DRIVEN_WATT_HOURS: Final = 7_000

COLDEST_CELSIUS: Final = 0
WARMEST_CELSIUS: Final = 45
RISES_KELVIN: Final = (0, 5, 10)
TEMPERATURES_CELSIUS: Final = tuple(range(COLDEST_CELSIUS, WARMEST_CELSIUS + 1, 5))
CHARGES_PERCENT: Final = tuple(range(10, 101, 10))
AGES_MONTHS: Final = (12, 24, 48, 96)
YOUNGEST_MONTHS: Final = AGES_MONTHS[0]
OLDEST_MONTHS: Final = AGES_MONTHS[-1]

MILLISECONDS_PER_MONTH: Final = 365 * 86_400_000 // 12

_DIGITS: Final = Context(prec=28)
_SURE: Final = Context(prec=12)
_WIDE: Final = Context(prec=100)
_MICRO: Final = Decimal("0.000001")
_NOISE: Final = Decimal("0.000000000001")
_ZERO: Final = Decimal(0)
_ONE: Final = Decimal(1)
_FULL: Final = Decimal(100)
_KELVIN: Final = Decimal("273.15")
_DAY_HOURS: Final = Decimal(24)
_NODE_PERCENT: Final = 5
_SIMPSON: Final = (1, 4, 2, 4, 1)
"""The weights of five points over the hours in which the charge falls."""


@dataclass(frozen=True, slots=True)
class Night:
    """A night of computing, as the pack feels it.

    Attributes:
        temperature_celsius: of the pack, without computing.
        rise_kelvin: how much warmer computing makes it.
        from_battery: computing takes its energy from the pack.
        charge_percent: as the night begins; it is put back after the next drive.
        age_years: so many years of such nights are looked at.
        computing_watts: DC, over `hours`.
        driven_watt_hours: each day.
    """

    temperature_celsius: Decimal
    rise_kelvin: Decimal
    from_battery: bool
    charge_percent: Decimal
    age_years: Decimal
    computing_watts: Decimal = Decimal(1_000)
    hours: Decimal = NIGHT_HOURS
    driven_watt_hours: Decimal = Decimal(DRIVEN_WATT_HOURS)


def wear_per_kwh(
    chemistry: str, capacity_watt_hours: Decimal, cost_per_kwh: Decimal, night: Night
) -> Decimal | None:
    """The wear of a kWh (DC) of computing, in the currency of `cost_per_kwh`, never below 0.

    Args:
        chemistry: `NCA`, `LFP` or `NMC811`.
        capacity_watt_hours: of the pack.
        cost_per_kwh: what a kWh of a new pack costs.
        night: one that computes.

    Returns:
        Rounded up to a millionth. None for a chemistry that nothing is known of.
    """
    if chemistry not in CELLS:
        return None
    with localcontext(_DIGITS):
        computed = night.computing_watts * night.hours
        drawn = computed / capacity_watt_hours if night.from_battery else _ZERO
        driven = night.driven_watt_hours / capacity_watt_hours
        lost = _standing(chemistry, night, drawn) + _cycling(chemistry, night, drawn, driven)
        worth = cost_per_kwh * capacity_watt_hours / FADE_AT_END_OF_LIFE
        per_kwh = lost * worth / (_days(night) * computed)
    # What is left of rounding on the way must not lift a rate to the next millionth; and in some
    # currencies a rate has more digits before the point than the arithmetic carries after it.
    with localcontext(_WIDE):
        known = max(_ZERO, _SURE.plus(per_kwh).quantize(_NOISE))
        return known.quantize(_MICRO, rounding=ROUND_CEILING)


def model_rate(vehicle: Vehicle, at: Instant) -> Decimal | None:
    """The wear of a kWh (DC) on this vehicle, in its compensation's currency.

    What is not known of it, of its pack's temperature and rise, its charge and its age, is the
    dearest it can be. None where the chemistry or the replacement cost is unknown, and where the
    vehicle has no battery or does not compute.
    """
    battery, watts = vehicle.battery, vehicle.compute.max_power_watts
    cost = battery.replacement_cost_per_kwh
    if cost is None or battery.chemistry not in CELLS:
        return None
    if battery.net_capacity_watt_hours <= 0 or watts <= 0:
        return None
    observed, connection = vehicle.observed.battery, vehicle.observed.connection
    return _dearest(
        battery.chemistry,
        battery.net_capacity_watt_hours,
        f"{cost}",
        watts,
        _from_battery(vehicle, connection.supply if connection else Supply.UNPLUGGED),
        observed.temperature_celsius if observed else None,
        battery.compute_rise_kelvin,
        observed.state_of_charge_percent if observed else None,
        _months(battery.in_service_since, at),
    )


def _from_battery(vehicle: Vehicle, supply: Supply | None) -> bool | None:
    """Whether it would compute on its battery; None: nobody has consented to either source."""
    source = source_of(vehicle, supply)
    if source is not Source.NONE:
        return source is Source.BATTERY
    return False if vehicle.agreement and vehicle.agreement.energy_sources else None


def _months(since: Instant | None, at: Instant) -> int | None:
    """A pack's whole months, within those the cell models were asked about."""
    if since is None:
        return None
    return min(max((at - since) // MILLISECONDS_PER_MONTH, YOUNGEST_MONTHS), OLDEST_MONTHS)


@lru_cache(maxsize=65_536)
def _dearest(  # noqa: PLR0913, PLR0917 # one argument for each figure that is rounded, for the cache
    chemistry: str,
    capacity_watt_hours: int,
    cost_per_kwh: str,
    computing_watts: int,
    from_battery: bool | None,  # noqa: FBT001 # None: nobody knows
    temperature: int | None,
    rise: int | None,
    charge: int | None,
    months: int | None,
) -> Decimal | None:
    """The greatest rate of all that the vehicle may be."""
    temperatures: Iterable[int] = TEMPERATURES_CELSIUS
    if temperature is not None:
        temperatures = {temperature, min(max(temperature, COLDEST_CELSIUS), WARMEST_CELSIUS)}
    cases = product(
        (True, False) if from_battery is None else (from_battery,),
        temperatures,
        RISES_KELVIN if rise is None else (rise,),
        CHARGES_PERCENT if charge is None else (charge,),
        AGES_MONTHS if months is None else (months,),
    )
    rates = (
        wear_per_kwh(
            chemistry,
            Decimal(capacity_watt_hours),
            Decimal(cost_per_kwh),
            Night(
                temperature_celsius=Decimal(celsius),
                rise_kelvin=Decimal(kelvin),
                from_battery=discharging,
                charge_percent=Decimal(percent.numerator) / percent.denominator,
                age_years=Decimal(age) / 12,
                computing_watts=Decimal(computing_watts),
            ),
        )
        for discharging, celsius, kelvin, percent, age in cases
    )
    return max((rate for rate in rates if rate is not None), default=None)


def _days(night: Night) -> Decimal:
    return 365 * night.age_years


def _standing(chemistry: str, night: Night, drawn: Decimal) -> Decimal:
    """What standing costs more: warmer for some hours, and on the battery at less charge."""
    exponent = CELLS[chemistry].standing_exponent
    cool, warm = _kelvins(night)
    charge = night.charge_percent
    alone = _standing_factor(chemistry, cool, charge)
    computing = _standing_factor(chemistry, warm, charge)
    if drawn:
        steps = len(_SIMPSON) - 1
        falling = (
            weight * _standing_factor(chemistry, warm, charge - 100 * drawn * step / steps)
            for step, weight in enumerate(_SIMPSON)
        )
        computing = sum(falling, _ZERO) / sum(_SIMPSON)
    return night.hours / _DAY_HOURS * (computing - alone) * _power(_days(night), exponent)


def _cycling(chemistry: str, night: Night, drawn: Decimal, driven: Decimal) -> Decimal:
    """What throughput costs more: what the battery gives, and driving after a warmer night."""
    cool, warm = _kelvins(night)
    alone = _heat(chemistry, cool)
    computing = alone + night.hours / _DAY_HOURS * (_heat(chemistry, warm) - alone)
    days = _days(night)
    return computing * _throughput(chemistry, driven + drawn, days) - alone * _throughput(
        chemistry, driven, days
    )


def _kelvins(night: Night) -> tuple[Decimal, Decimal]:
    """The pack's absolute temperature without computing, and with it."""
    cool = night.temperature_celsius + _KELVIN
    return cool, cool + night.rise_kelvin


@lru_cache(maxsize=65_536)
def _standing_factor(chemistry: str, kelvin: Decimal, charge: Decimal) -> Decimal:
    """The share lost per day^standing_exponent at this temperature and charge."""
    cell = CELLS[chemistry]
    nodes, within = cell.charge_kelvin, min(max(Decimal(charge), _ZERO), _FULL)
    node = min(int(within / _NODE_PERCENT), len(nodes) - 2)
    part = within / _NODE_PERCENT - node
    eased = nodes[node] + part * (nodes[node + 1] - nodes[node])
    return (cell.standing_log - (cell.standing_kelvin - eased) / kelvin).exp()


@lru_cache(maxsize=4_096)
def _heat(chemistry: str, kelvin: Decimal) -> Decimal:
    return (CELLS[chemistry].cycling_kelvin / kelvin).exp()


@lru_cache(maxsize=65_536)
def _throughput(chemistry: str, cycles: Decimal, days: Decimal) -> Decimal:
    """The share lost by so many full cycles a day, leaving temperature out.

    All of a day's cycles are one swing, so deep; and every capacity is driven out and charged.
    """
    cell = CELLS[chemistry]
    factor = (
        cell.cycling_fixed
        + cell.cycling_per_depth * min(cycles, _ONE)
        + cell.cycling_per_rate * 2 * cycles / _DAY_HOURS
    )
    return factor * _power(cycles * days, cell.cycling_exponent)


@lru_cache(maxsize=65_536)
def _power(base: Decimal, exponent: Decimal) -> Decimal:
    return base**exponent
