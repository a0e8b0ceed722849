"""What a kWh of computing wears off a battery: a second evaluation of the wear model.

The formulas are those of `docs/explanation/wear.md`; the coefficients are data.
"""

from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_HALF_EVEN, Decimal, localcontext
from fractions import Fraction
from functools import cache
from itertools import product
from typing import Final

from idlewatt_scheduler.feasibility.power import Source, source_of
from idlewatt_scheduler.feasibility.reading import Candidate
from idlewatt_scheduler.model.units import DAY, Instant
from idlewatt_scheduler.model.vehicle import ObservedBattery
from idlewatt_scheduler.wear_coefficients import CELLS, Cell

_DIGITS: Final = 30
_SURE_DIGITS: Final = 12
_WIDE_DIGITS: Final = 100
_HOURS: Final = 8
_DRIVEN_WATT_HOURS: Final = 7_000
_FADE_AT_THE_END: Final = Decimal("0.3")
_KELVIN: Final = Decimal("273.15")
_PLACES, _MICRO_UNITS = Decimal("1e-12"), Decimal("1e-6")
_YOUNGEST, _OLDEST = 12, 96
_COLDEST, _HOTTEST = 0, 45
_SIMPSON: Final = ((1, 0), (4, 25), (2, 50), (4, 75), (1, 100))


@dataclass(frozen=True, slots=True)
class Life:
    """One pack in one state: what the rate depends on.

    Attributes:
        celsius: the pack without computing.
        rise: how much warmer it is while it computes.
        percent: the charge as the night begins.
        months: its age.
        drawn: computing draws on it.
        power_watts: of the computer, DC.
    """

    chemistry: str
    capacity_watt_hours: int
    cost_per_kwh: Decimal
    power_watts: int
    drawn: bool
    celsius: int
    rise: int
    percent: int
    months: int


def wear_rate(candidate: Candidate, at: Instant) -> Fraction | None:
    """In the owner's currency per kWh DC; None: of this battery nothing is known.

    What is not known of the pack is the dearest it can be.
    """
    vehicle = candidate.vehicle
    if vehicle is None or vehicle.compute.max_power_watts <= 0:
        return None
    chemistry, cost = vehicle.battery.chemistry, vehicle.battery.replacement_cost_per_kwh
    if chemistry not in CELLS or chemistry is None or cost is None:
        return None
    seen = vehicle.observed.battery or ObservedBattery()
    rise, source = vehicle.battery.compute_rise_kelvin, source_of(candidate)
    states = product(
        (False, True) if source is Source.NONE else (source is Source.BATTERY,),
        _temperatures(seen.temperature_celsius),
        (0, 5, 10) if rise is None else (rise,),
        range(10, 101, 10)
        if seen.state_of_charge_percent is None
        else (seen.state_of_charge_percent,),
        _ages(vehicle.battery.in_service_since, at),
    )
    return max(
        _rate(
            Life(
                chemistry,
                vehicle.battery.net_capacity_watt_hours,
                cost,
                vehicle.compute.max_power_watts,
                *state,
            )
        )
        for state in states
    )


def _temperatures(celsius: int | None) -> tuple[int, ...]:
    if celsius is None:
        return tuple(range(_COLDEST, _HOTTEST + 1, 5))
    return celsius, min(max(celsius, _COLDEST), _HOTTEST)


def _ages(since: Instant | None, at: Instant) -> tuple[int, ...]:
    if since is None:
        return _YOUNGEST, 24, 48, _OLDEST
    months = (at - since) * 12 // (365 * DAY)
    return (min(max(months, _YOUNGEST), _OLDEST),)


@cache
def _rate(life: Life) -> Fraction:
    """The wear of one life, in whole micro-units, rounded up."""
    with localcontext(prec=_DIGITS):
        cell = CELLS[life.chemistry]
        days = Decimal(365 * life.months) / 12
        lost = _standing(cell, life, days) + _cycling(cell, life, days)
        computed = Decimal(life.power_watts * _HOURS) / 1_000
        pack = Decimal(life.capacity_watt_hours) / 1_000 * life.cost_per_kwh
        exact = lost / _FADE_AT_THE_END * pack / (days * computed)
    with localcontext(prec=_SURE_DIGITS):
        sure = +exact
    with localcontext(prec=_WIDE_DIGITS):
        known = max(sure.quantize(_PLACES, ROUND_HALF_EVEN), Decimal(0))
        return Fraction(known.quantize(_MICRO_UNITS, ROUND_CEILING))


def _standing(cell: Cell, life: Life, days: Decimal) -> Decimal:
    cool, warm = _KELVIN + life.celsius, _KELVIN + life.celsius + life.rise
    drawn = _drawn(life)
    points = (
        weight * _fade_standing(cell, warm, life.percent - share * drawn)
        for weight, share in _SIMPSON
    )
    night = sum(points, Decimal(0))
    alone = _fade_standing(cell, cool, Decimal(life.percent))
    return Decimal(_HOURS) / 24 * (night / 12 - alone) * days**cell.standing_exponent


def _fade_standing(cell: Cell, kelvin: Decimal, percent: Decimal) -> Decimal:
    nodes = cell.charge_kelvin
    place = min(max(percent / 5, Decimal(0)), Decimal(len(nodes) - 1))
    below = min(int(place), len(nodes) - 2)
    eased = nodes[below] + (nodes[below + 1] - nodes[below]) * (place - below)
    return (cell.standing_log - (cell.standing_kelvin - eased) / kelvin).exp()


def _cycling(cell: Cell, life: Life, days: Decimal) -> Decimal:
    driven = Decimal(_DRIVEN_WATT_HOURS) / life.capacity_watt_hours
    cool = (cell.cycling_kelvin / (_KELVIN + life.celsius)).exp()
    warm = (cell.cycling_kelvin / (_KELVIN + life.celsius + life.rise)).exp()
    mean = cool + Decimal(_HOURS) / 24 * (warm - cool)
    with_us = _fade_cycling(cell, driven + _drawn(life), days)
    return mean * with_us - cool * _fade_cycling(cell, driven, days)


def _fade_cycling(cell: Cell, cycles: Decimal, days: Decimal) -> Decimal:
    factor = cell.cycling_fixed + cell.cycling_per_depth * min(cycles, Decimal(1))
    factor += cell.cycling_per_rate * 2 * cycles / 24
    return factor * (cycles * days) ** cell.cycling_exponent


def _drawn(life: Life) -> Decimal:
    """What one night draws from the battery, as a share of its capacity."""
    if not life.drawn:
        return Decimal(0)
    return Decimal(life.power_watts * _HOURS) / life.capacity_watt_hours
