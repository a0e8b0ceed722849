"""What pods cost on each vehicle, in floating point that is never more than what is paid.

    new pods at a vehicle cost opening + the greatest stay_cost among them + the sum of cost

Where prices are below nought a longer stay may cost less: stay_cost is then what it costs at the
least to stay so long or longer, so that the greatest of several is never more than is paid. AC
power is rounded down for each pod here, for all of a vehicle together when it is paid. The rest is
exact but for the last digits.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from idlewatt_scheduler.model.units import Instant
from idlewatt_scheduler.prices import PriceLine
from idlewatt_scheduler.tables.layout import PLENTY, Floats, Indices, Ints, SmallFloats
from idlewatt_scheduler.tables.reading import FULL_PERCENT
from idlewatt_scheduler.tables.vehicles import Vehicles

SHORT = 1.2e-7
"""A little more than what 32 bits can be off, as a share."""

_BUCKETS = 1_024
"""Into so many equal parts, at the most, the time of a tariff is cut to find its steps."""


class Money:
    """What pods and stays cost on the vehicles, by their rates.

    Attributes:
        alone_per_millisecond: money by vehicle, for being alone there, standby included.
        fee_from: by vehicle, from when on new pods pay for its being plugged.
        paying: int64, the rows of the vehicles whose energy is paid by a tariff; of these, in
            that order:
        standby: money for their standby, by integral of the price.
        rounded_off: the same, by milliwatt, of what is rounded off and would have earned.
        longest_off: of the standby, were it there to the horizon.
        falls: a longer stay may cost less.
        at_start, at_lone, least_lone: integrals to their starts, to when they are alone, and the
            least that those are from then on.
    """

    def __init__(self, vehicles: Vehicles, integrals: "Integrals") -> None:
        """`integrals` are of the vehicles' lines."""
        self._vehicles, self._integrals = vehicles, integrals
        self.paying = rows = np.flatnonzero(vehicles.tariff_money)
        horizon = integrals.horizon
        self._line = line = vehicles.line[rows]
        self._tariff = vehicles.tariff_money[rows]
        self._lone = vehicles.lone_from[rows]
        self.at_start, _ = self._integrals.until(line, vehicles.start[rows])
        self.at_lone, self.least_lone = self._integrals.until(line, self._lone)
        standby_ac = vehicles.lone_power * FULL_PERCENT // vehicles.efficiency_percent
        self.alone_per_millisecond = (
            vehicles.stay_money
            + vehicles.lone_power * vehicles.dc_money
            + standby_ac * vehicles.ac_money
        )
        self.standby = standby_ac[rows] * self._tariff
        cheapest = self._integrals.cheapest[line]
        # Where a price is below nought, a milliwatt that was rounded off would have earned that.
        self.rounded_off = self._tariff * np.maximum(-cheapest, 0)
        by_price = self.standby * cheapest
        self.longest_off = (horizon - self._lone).clip(0) * self.rounded_off
        self.falls = by_price + self.alone_per_millisecond[rows] < 0
        self._fees = np.flatnonzero(vehicles.fee_money)
        self.fee_from = np.maximum(vehicles.fee_from, vehicles.lone_from)

    def of(self, power: Ints, ac: Ints, until: Ints) -> tuple[Floats, Floats]:
        """By vehicle: the cost of one pod, and of the vehicle's staying so long.

        Preferences and waking are left out.
        """
        vehicles, rows, fees = self._vehicles, self.paying, self._fees
        per = power * vehicles.dc_money + ac * vehicles.ac_money
        cost = (until - vehicles.start) * per
        stay = np.maximum(until - vehicles.lone_from, 0) * self.alone_per_millisecond
        if len(fees):
            plugged = np.maximum(until[fees] - self.fee_from[fees], 0)
            stay[fees] += plugged * vehicles.fee_money[fees]
        if len(rows):
            ends = until[rows]
            reached, least = self._integrals.until(self._line, ends)
            cost[rows] += ac[rows] * self._tariff * (reached - self.at_start)
            off = np.maximum(ends - vehicles.start[rows], 0) * self.rounded_off
            cost[rows] -= off
            later = ends > self._lone
            paid = np.where(later, reached, self.at_lone)
            least = np.where(later, least, self.least_lone)
            paid = np.where(self.falls, least, paid)
            stay[rows] += (paid - self.at_lone) * self.standby - self.longest_off
        return cost, stay


class Integrals:
    """The integral of a tariff's price, in its parts, over time, from the plan's time on.

    The steps of all tariffs stand in one row. Of each tariff it is noted which step each of many
    equal parts of the time begins in: from there it is a step or two to the one that is looked for.

    Attributes:
        cheapest: of each tariff, its least price.
        horizon: beyond it nothing is looked for.
        shift: a part of the time is two to the power of this, milliseconds.
        number: of parts.
        hops: so many steps further, at the most, is the one that is looked for.
        first: by tariff and part.
        start, end, price, paid, later: of each step; see `until`.
    """

    def __init__(self, lines: Sequence[PriceLine], at: Instant, horizon: Instant) -> None:
        """Instants beyond the horizon are taken for it."""
        self.horizon = horizon
        self.shift = max((horizon // _BUCKETS).bit_length(), 1)
        begins = np.arange((horizon >> self.shift) + 2, dtype=np.int64) << self.shift
        self.number = len(begins)
        steps = [_steps(line, at) for line in lines]
        firsts, before = list[NDArray[np.int64]](), 0
        for starts, *_ in steps:
            firsts.append(np.searchsorted(starts, begins, side="right") - 1 + before)
            before += len(starts)
        self.first = _joined(firsts, np.int64)
        self.hops = max((int(np.diff(first).max()) for first in firsts), default=0)
        self.start = _joined([starts for starts, *_ in steps], np.int64)
        self.end = _joined([np.append(starts[1:], PLENTY) for starts, *_ in steps], np.int64)
        self.cheapest = np.array([price.min() for _, price, _, _ in steps], np.float64)
        self.price = _joined([price for _, price, _, _ in steps], np.float64)
        self.paid = _joined([paid for _, _, paid, _ in steps], np.float64)
        self.later = _joined([later for *_, later in steps], np.float64)

    @classmethod
    def of(cls, vehicles: Vehicles, at: Instant) -> "Integrals":
        """Those of the tariffs of some vehicles, up to when the last of them leaves."""
        return cls(vehicles.lines, at, int(vehicles.departure.max(initial=0)))

    def until(self, line: Indices, instant: Ints) -> tuple[Floats, Floats]:
        """The integrals to these instants, and the least that they are from then on.

        Prices may be below nought.
        """
        within = np.minimum(instant, self.horizon)
        step = self.first[line * self.number + (within >> self.shift)]
        for _ in range(self.hops):
            step += self.end[step] <= within
        reached = self.paid[step] + self.price[step] * (within - self.start[step])
        return reached, np.minimum(reached, self.later[step])


def rounded_down(amount: Floats) -> SmallFloats:
    """In 32 bits, never more than it is."""
    return (amount - np.abs(amount) * SHORT).astype(np.float32)


def _steps(line: PriceLine, at: Instant) -> tuple[NDArray[np.int64], Floats, Floats, Floats]:
    """The steps of a tariff: starts, prices, integrals before each, the least integral after it."""
    first = line.timeline.index(at)
    starts = np.array([0, *(start - at for start in line.timeline.starts[first + 1 :])], np.int64)
    price = np.array([price or 0 for price in line.timeline.prices[first:]], np.float64)
    paid = np.concatenate([[0.0], np.cumsum(price[:-1] * np.diff(starts))])
    least = np.minimum.accumulate(paid[::-1])[::-1]
    return starts, price, paid, np.append(least[1:], least[-1:])


def _joined(parts: Sequence[NDArray[Any]], kind: type[np.generic]) -> NDArray[Any]:
    return np.concatenate([np.zeros(0, kind), *parts])
