"""A look at all vehicles at given prices: what each would hold, and what that takes of all rows."""

from typing import NamedTuple

import numpy as np
from numba import prange

from idlewatt_scheduler.solvers.pricing.compiling import compiled_in_parallel, compiled_part
from idlewatt_scheduler.solvers.pricing.glance import glance, paper
from idlewatt_scheduler.solvers.pricing.goal import Rows, paid, prices_at
from idlewatt_scheduler.solvers.pricing.packing import Packed
from idlewatt_scheduler.solvers.pricing.search import Asking, Offering
from idlewatt_scheduler.solvers.pricing.sweep import Prices, earn
from idlewatt_scheduler.tables.layout import Floats, Indices

_PARTS = 16
_FIRST_WEIGHINGS = 8
_WEIGHINGS = 2


class Look(NamedTuple):
    """What was seen last, from which the next look begins.

    Attributes:
        weight: float64[V, L], how each vehicle's limits are weighed into one.
        held: int32[N], so many pods of each pair.
        value: float64[V], what they earn.
    """

    weight: Floats
    held: Indices
    value: Floats


class Seen(NamedTuple):
    """What a look sees: what vehicles take of each row, and about what no plan can beat."""

    taken: Floats
    reached: float


def first_look(packed: Packed) -> Look:
    """Nothing is known yet."""
    limits = packed.free.shape[1] + 2
    return Look(
        np.full((packed.vehicles, limits), 1.0 / limits),
        np.zeros(len(packed.template), np.int32),
        np.full(packed.vehicles, -1.0),
    )


def look_around(packed: Packed, rows: Rows, price: Floats, look: Look) -> Seen:
    """A good pattern of every vehicle at these prices of the rows, into `look`."""
    used = np.zeros((_PARTS, len(price)))
    new = packed.vehicles > 0 and look.value[0] < 0
    times = _FIRST_WEIGHINGS if new else _WEIGHINGS
    _look(packed, prices_at(packed, rows, price), times, max(packed.widest, 1), look, used)
    return Seen(used.sum(axis=0), float(look.value.sum()) + paid(rows, price))


@compiled_in_parallel
def _look(  # noqa: PLR0913, PLR0917 - what a kernel reads and writes
    packed: Packed, prices: Prices, times: int, widest: int, look: Look, used: Floats
) -> None:
    number = len(packed.first) - 1
    for part in prange(_PARTS):
        begin, end = number * part // _PARTS, number * (part + 1) // _PARTS
        _look_at(begin, end, packed, prices, times, widest, look, used[part])


@compiled_part
def _look_at(  # noqa: PLR0913, PLR0917 - what a kernel reads and writes
    begin: int, end: int, packed: Packed, prices: Prices, times: int, widest: int, look: Look,
    used: Floats,
) -> None:  # fmt: skip
    gain, stay = np.empty(widest), np.empty(widest)
    sheet = paper(widest, packed.free.shape[1])
    for vehicle in range(begin, end):
        first, last = packed.first[vehicle], packed.first[vehicle + 1]
        here, held = last - first, look.held[first:last]
        earn(vehicle, packed, prices, gain, stay)
        look.value[vehicle] = glance(
            Asking(
                gain[:here],
                stay[:here],
                packed.most[first:last],
                packed.power[first:last],
                packed.until[first:last],
                packed.template[first:last],
            ),
            Offering(
                packed.free[vehicle],
                packed.power_left[vehicle],
                packed.energy_left[vehicle],
                packed.start[vehicle],
                packed.lone_from[vehicle],
                packed.lone_power[vehicle],
                prices.money * packed.opening[vehicle],
            ),
            packed.request,
            look.weight[vehicle],
            times,
            sheet,
            held,
        )
        if look.value[vehicle] > 0.0:
            _take(packed, vehicle, held, used)


@compiled_part
def _take(packed: Packed, vehicle: int, held: Indices, used: Floats) -> None:
    """What a pattern takes of demand, rooms and domains; and of the weight, negative."""
    first = packed.first[vehicle]
    rooms, domains = len(packed.pods), len(packed.pods) + len(packed.room_limit)
    for at in range(len(held)):
        if held[at] == 0:
            continue
        row = packed.template[first + at]
        used[row] += held[at]
        used[-1] -= held[at] * packed.weight[row]
        for group in range(packed.group_first[row], packed.group_first[row + 1]):
            where = packed.domain[packed.group[group], vehicle]
            if where >= 0:
                used[domains + where] += held[at]
    for load in range(packed.load_first[vehicle], packed.load_first[vehicle + 1]):
        power = 0.0
        for at in range(len(held)):
            if held[at] > 0 and packed.load_instant[load] < packed.until[first + at]:
                power += held[at] * np.float64(packed.power[first + at])
        if power > 0.0:
            power += packed.standby[vehicle]
            used[rooms + packed.load_room[load]] += packed.load_rate[load] * power
