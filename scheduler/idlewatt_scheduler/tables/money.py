"""What pods cost on each vehicle, in floating point that is never more than what is paid.

    new pods at a vehicle cost opening + the greatest stay_cost among them + the sum of cost

Where prices are below nought a longer stay may cost less: stay_cost is then what it costs at the
least to stay so long or longer, so that the greatest of several is never more than is paid. AC
power is rounded down for each pod here, for all of a vehicle together when it is paid. The rest is
exact but for the last digits.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from idlewatt_scheduler.model.units import Instant
from idlewatt_scheduler.prices import PriceLine
from idlewatt_scheduler.tables.layout import Floats, Indices, Ints, SmallFloats
from idlewatt_scheduler.tables.vehicles import FULL_PERCENT, Vehicles

_SPAN = 2**42
"""Milliseconds between the beginnings of two tariffs laid end to end; more than a century."""

_NOISE = 1e-12


class Money:
    """What pods and stays cost on the vehicles, by their rates."""

    def __init__(self, vehicles: Vehicles, at: Instant) -> None:
        self._vehicles = vehicles
        self._integrals = Integrals(vehicles.lines, at)
        self._by_price = vehicles.tariff_money != 0
        self._paid_before = np.zeros(len(vehicles.candidate))
        rows = np.flatnonzero(self._by_price)
        before = self._integrals.until(vehicles.line[rows], vehicles.lone_from[rows])
        self._before_alone = self._paid_before.copy()
        self._before_alone[rows] = before
        start = self._integrals.until(vehicles.line[rows], vehicles.start[rows])
        self._paid_before[rows] = start
        standby_ac = _ac(vehicles.lone_power, vehicles.efficiency_percent)
        self._alone_per_millisecond = (
            vehicles.stay_money
            + vehicles.lone_power * vehicles.dc_money
            + standby_ac * vehicles.ac_money
        )
        self._alone_by_price = standby_ac * vehicles.tariff_money

    def of(self, rows: Ints, power: Ints, until: Ints) -> tuple[Floats, Floats]:
        """By pair: the cost of one pod, and of its vehicle's staying so long, at these rows.

        Preferences and waking are left out.
        """
        vehicles = self._vehicles
        ac = _ac(power, vehicles.efficiency_percent[rows])
        length = until - vehicles.start[rows]
        cost = length * (power * vehicles.dc_money[rows] + ac * vehicles.ac_money[rows])
        alone = np.maximum(until - vehicles.lone_from[rows], 0)
        stay = alone * self._alone_per_millisecond[rows]
        fee_from = np.maximum(vehicles.fee_from[rows], vehicles.lone_from[rows])
        stay += np.maximum(until - fee_from, 0) * vehicles.fee_money[rows]
        priced = np.flatnonzero(self._by_price[rows])
        if len(priced):
            where = rows[priced]
            reached = self._integrals.until(vehicles.line[where], until[priced])
            dear = ac[priced] * vehicles.tariff_money[where]
            cost[priced] += dear * (reached - self._paid_before[where])
            ends = np.maximum(until[priced], vehicles.lone_from[where])
            least = self._integrals.least_after(vehicles.line[where], ends)
            stay[priced] += (least - self._before_alone[where]) * self._alone_by_price[where]
        return cost, stay


class Integrals:
    """The integral of a tariff's price, in its parts, over time, from the plan's time on.

    All tariffs lie end to end in one row, so that one search finds an instant in any of them.
    """

    def __init__(self, lines: Sequence[PriceLine], at: Instant) -> None:
        keys: list[NDArray[np.int64]] = []
        prices: list[Floats] = []
        paid: list[Floats] = []
        later: list[Floats] = []
        for number, line in enumerate(lines):
            first = line.timeline.index(at)
            starts = np.array([0, *(start - at for start in line.timeline.starts[first + 1 :])])
            price = np.array([price or 0 for price in line.timeline.prices[first:]], np.float64)
            keys.append(starts.astype(np.int64) + number * _SPAN)
            prices.append(price)
            sums = np.concatenate([[0.0], np.cumsum(price[:-1] * np.diff(starts))])
            paid.append(sums)
            least = np.minimum.accumulate(sums[::-1])[::-1]
            later.append(np.append(least[1:], least[-1:]))
        empty = np.zeros(0)
        self._keys = np.concatenate([np.zeros(0, np.int64), *keys])
        self._price = np.concatenate([empty, *prices])
        self._paid = np.concatenate([empty, *paid])
        self._later = np.concatenate([empty, *later])

    def until(self, line: Indices, instant: Ints) -> Floats:
        """The integrals to these instants, each of its own line, none before the plan's time."""
        return self._found(line, instant)[0]

    def least_after(self, line: Indices, instant: Ints) -> Floats:
        """The least that the integrals are from these instants on: prices may be below nought."""
        reached, step = self._found(line, instant)
        least: Floats = np.minimum(reached, self._later[step])
        return least

    def _found(self, line: Indices, instant: Ints) -> tuple[Floats, Ints]:
        key = np.minimum(instant, _SPAN - 1) + line * np.int64(_SPAN)
        step = np.searchsorted(self._keys, key, side="right") - 1
        return self._paid[step] + self._price[step] * (key - self._keys[step]), step


def rounded_down(amount: Floats) -> SmallFloats:
    """In 32 bits, never more than it is."""
    least = amount - np.abs(amount) * _NOISE
    small = least.astype(np.float32)
    above = small > least
    small[above] = np.nextafter(small[above], np.float32(-np.inf))
    return small


def _ac(power: Ints, efficiency_percent: Ints) -> Ints:
    return power * FULL_PERCENT // efficiency_percent
