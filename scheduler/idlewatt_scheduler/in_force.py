"""What of a tariff is in force when: zones or intervals, revisions, forecasts, carbon from afar.

Of overlapping zones the first listed is in force. Of overlapping intervals the one published
last is, whole; of these the one that starts last, and of those with the same start the last
listed. What is not published, or published too long ago, is unknown.

A tariff is compiled once a day, and again only where something is published or a forecast has
grown too old: of a hundred tariffs with five-minute prices a cycle asks the same every second.
"""

import itertools
import math
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import tzinfo
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from heapq import heappop, heappush
from typing import Final, TypeAlias

from idlewatt_scheduler.calendar import occurrences
from idlewatt_scheduler.model.calendars import Interval, PublicHolidays
from idlewatt_scheduler.model.tariff import Tariff, TariffInterval, TariffZone
from idlewatt_scheduler.model.units import (
    CALENDAR_HORIZON,
    CLOCK_TOLERANCE,
    DAY,
    FOREVER,
    Instant,
    Milliseconds,
)

_Rank: TypeAlias = tuple[int, int, int]
_Stretch: TypeAlias = tuple[Instant, Instant, _Rank]


@dataclass(frozen=True, slots=True, eq=False)
class Timeline:
    """What is in force, in steps that follow each other without a gap; equal to itself alone.

    The first step has always begun and the last one never ends; of both nothing is known. A
    price is a whole number of parts, of which `scale` make one unit of currency.

    Attributes:
        starts: of the steps.
        prices: per kWh, adders and tax included, in parts; None: not known.
        bands: of the zone or interval in force.
        grams: of CO2 per kWh.
        exports: what an exported kWh earns, as stated.
        scale: parts to the unit.
        paid: parts x milliseconds of all known prices before each step.
        known: milliseconds with a known price before each step.
    """

    starts: tuple[Instant, ...]
    prices: tuple[int | None, ...]
    bands: tuple[str | None, ...]
    grams: tuple[Decimal | None, ...]
    exports: tuple[Decimal | None, ...]
    scale: int
    paid: tuple[int, ...]
    known: tuple[Milliseconds, ...]

    def index(self, instant: Instant) -> int:
        """Which step an instant is in."""
        return max(bisect_right(self.starts, instant) - 1, 0)

    def end(self, index: int) -> Instant:
        """When a step ends."""
        return self.starts[index + 1] if index + 1 < len(self.starts) else FOREVER

    def price(self, index: int) -> Fraction | None:
        """The price in a step, per kWh."""
        parts = self.prices[index]
        return None if parts is None else Fraction(parts, self.scale)

    def paid_before(self, instant: Instant) -> int:
        """Parts x milliseconds of all known prices before an instant."""
        index = self.index(instant)
        return self.paid[index] + (self.prices[index] or 0) * (instant - self.starts[index])

    def known_before(self, instant: Instant) -> Milliseconds:
        """Milliseconds with a known price before an instant."""
        index = self.index(instant)
        if self.prices[index] is None:
            return self.known[index]
        return self.known[index] + instant - self.starts[index]


def timeline(
    tariff: Tariff, carbon: Tariff | None, at: Instant, forecast_max_age: Milliseconds
) -> Timeline:
    """What is in force from `at` until the calendars' horizon at least, as it is known at `at`.

    `carbon` is the tariff whose grams count where this one states none.
    """
    day = at // DAY
    if tariff.zones:
        found = _of_zones(
            tariff.zones, tariff.time_zone, tariff.public_holidays, _completion(tariff), day
        )
    else:
        found = _of_intervals(tariff, at, forecast_max_age)
    if tariff.carbon is None or carbon is None:
        return found
    return _with_grams(found, _of_intervals(carbon, at, forecast_max_age))


def forget() -> None:
    """Let go of what was compiled of intervals, as if nothing had been asked yet."""
    _LISTED.clear()


@dataclass(frozen=True, slots=True)
class _Completion:
    """What makes a price of what is stated.

    Attributes:
        adders: their sum, per kWh.
        factor: 1 + tax.
    """

    adders: Fraction
    factor: Fraction


def _completion(tariff: Tariff) -> _Completion | None:
    """What is added to a stated price; None for a wholesale price without adders."""
    if tariff.wholesale and not tariff.adders:
        return None
    return _added(tariff.adders, tariff.tax_percent)


@lru_cache(maxsize=1_024)
def _added(adders: tuple[Decimal, ...], tax_percent: Decimal) -> _Completion:
    total = sum(map(Fraction, adders), Fraction(0))
    return _Completion(total, 1 + Fraction(tax_percent) / 100)


@dataclass(frozen=True, slots=True)
class _Stated:
    """What a zone says, in the words of an interval."""

    price_per_kwh: Decimal | None = None
    band: str | None = None
    grams_per_kwh: Decimal | None = None
    export_price_per_kwh: Decimal | None = None


_Said: TypeAlias = _Stated | TariffInterval

_NOTHING = _Stated()


@lru_cache(maxsize=256)
def _of_zones(
    zones: tuple[TariffZone, ...],
    zone: tzinfo,
    holidays: PublicHolidays,
    completion: _Completion | None,
    day: int,
) -> Timeline:
    within = _within(day)
    stretches = [
        (stretch.start, stretch.end, (rank, 0, 0))
        for rank, each in enumerate(zones)
        for stretch in occurrences(each.recurrence, zone, within, holidays)
    ]
    stated = [_Stated(z.price_per_kwh, z.band, None, z.export_price_per_kwh) for z in zones]
    pieces = ((start, end, stated[rank[0]]) for start, end, rank in _in_force(stretches))
    return _compiled(pieces, completion)


def _of_intervals(tariff: Tariff, at: Instant, forecast_max_age: Milliseconds) -> Timeline:
    if _is_stale(tariff, at):
        return _compiled((), None)
    listed = _LISTED.get(tariff.name)
    if listed is None or listed.intervals is not tariff.intervals:
        listed = _Listed(tariff.intervals)
        if len(_LISTED) >= _MOST_LISTED:
            _LISTED.clear()
        _LISTED[tariff.name] = listed
    turns = listed.turns(forecast_max_age)
    passed = bisect_right(turns, at)
    asked = turns[passed - 1] if passed else -FOREVER
    return listed.line(asked, forecast_max_age, _completion(tariff), at // DAY)


def _is_stale(tariff: Tariff, at: Instant) -> bool:
    """Its source has never answered, or too long ago."""
    if tariff.max_age is None:
        return False
    return tariff.refreshed_at is None or at - tariff.refreshed_at > tariff.max_age


_Asked: TypeAlias = tuple[Instant, Milliseconds, "_Completion | None", int]


class _Listed:
    """What a tariff lists, and what was worked out of it.

    Intervals are known by identity: to compare thousands would take too long. Only the last list of
    each tariff is kept: a source that is refreshed all day must not leave all its answers behind.
    """

    __slots__ = ("_lines", "_turns", "intervals")

    def __init__(self, intervals: tuple[TariffInterval, ...]) -> None:
        self.intervals = intervals
        self._turns: dict[Milliseconds, tuple[Instant, ...]] = {}
        self._lines: dict[_Asked, Timeline] = {}

    def turns(self, forecast_max_age: Milliseconds) -> tuple[Instant, ...]:
        """The instants at which an interval begins or ceases to be believed, in order."""
        if forecast_max_age not in self._turns:
            self._turns[forecast_max_age] = _turns(self.intervals, forecast_max_age)
        return self._turns[forecast_max_age]

    def line(
        self,
        at: Instant,
        forecast_max_age: Milliseconds,
        completion: "_Completion | None",
        day: int,
    ) -> Timeline:
        """What is in force of it, as it is believed at `at`."""
        asked = (at, forecast_max_age, completion, day)
        found = self._lines.get(asked)
        if found is None:
            if len(self._lines) >= _MOST_LINES:
                self._lines.clear()
            found = self._lines[asked] = _as_listed(self.intervals, *asked)
        return found


_LISTED: Final[dict[str, _Listed]] = {}
"""By the names of their tariffs."""

_MOST_LISTED: Final = 4_096
_MOST_LINES: Final = 4


def _turns(
    intervals: Iterable[TariffInterval], forecast_max_age: Milliseconds
) -> tuple[Instant, ...]:
    turns: set[Instant] = set()
    for interval in intervals:
        if interval.created_at is not None:
            turns.add(interval.created_at - CLOCK_TOLERANCE)
            if interval.forecast:
                turns.add(interval.created_at + forecast_max_age + 1)
    return tuple(sorted(turns))


def _is_believed(interval: TariffInterval, at: Instant, forecast_max_age: Milliseconds) -> bool:
    """Not published after `at`, nor a forecast that is too old."""
    created = interval.created_at
    if created is None:
        return not interval.forecast
    if created > at + CLOCK_TOLERANCE:
        return False
    return not interval.forecast or at - created <= forecast_max_age


def _as_listed(
    intervals: Sequence[TariffInterval],
    at: Instant,
    forecast_max_age: Milliseconds,
    completion: _Completion | None,
    day: int,
) -> Timeline:
    within = _within(day)
    stretches = [
        (i.start, i.start + i.duration, (_recency(i), -i.start, -index))
        for index, i in enumerate(intervals)
        if i.start < within.end
        and i.start + i.duration > within.start
        and _is_believed(i, at, forecast_max_age)
    ]
    pieces = ((start, end, intervals[-rank[2]]) for start, end, rank in _in_force(stretches))
    return _compiled(pieces, completion)


def _recency(interval: TariffInterval) -> int:
    return FOREVER if interval.created_at is None else -interval.created_at


def _within(day: int) -> Interval:
    """The time for which a tariff is compiled on a day, UTC."""
    return Interval(day * DAY, day * DAY + CALENDAR_HORIZON + 2 * DAY)


def _in_force(stretches: Sequence[_Stretch]) -> Iterator[_Stretch]:
    """At each instant the covering stretch of the least rank, as pieces in order of time."""
    ordered = sorted(stretches)
    if all(a[1] <= b[0] for a, b in itertools.pairwise(ordered)):
        yield from (stretch for stretch in ordered if stretch[0] < stretch[1])
        return
    edges = sorted({edge for start, end, _ in ordered for edge in (start, end)})
    waiting = 0
    covering: list[tuple[_Rank, Instant]] = []
    for edge, following in itertools.pairwise(edges):
        while waiting < len(ordered) and ordered[waiting][0] <= edge:
            _, end, rank = ordered[waiting]
            heappush(covering, (rank, end))
            waiting += 1
        while covering and covering[0][1] <= edge:
            heappop(covering)
        if covering:
            yield edge, following, covering[0][0]


def _compiled(
    pieces: Iterable[tuple[Instant, Instant, _Said]], completion: _Completion | None
) -> Timeline:
    """Pieces in order as a timeline, the gaps between them filled with steps of nothing known."""
    starts: list[Instant] = [-FOREVER]
    stated: list[_Said] = [_NOTHING]
    reached = -FOREVER
    for start, end, said in pieces:
        if start == reached:
            starts.pop()
            stated.pop()
        starts += (start, end)
        stated += (said, _NOTHING)
        reached = end
    scale, prices = _in_parts([said.price_per_kwh for said in stated], completion)
    paid, known = _sums(starts, prices)
    return Timeline(
        starts=tuple(starts),
        prices=tuple(prices),
        bands=tuple(said.band for said in stated),
        grams=tuple(said.grams_per_kwh for said in stated),
        exports=tuple(said.export_price_per_kwh for said in stated),
        scale=scale,
        paid=paid,
        known=known,
    )


def _in_parts(
    stated: Sequence[Decimal | None], completion: _Completion | None
) -> tuple[int, list[int | None]]:
    """Every completed price as a whole number of parts, and how many make one unit."""
    if completion is None:
        return 1, [None] * len(stated)
    ratios = [None if price is None else price.as_integer_ratio() for price in stated]
    common = math.lcm(*{ratio[1] for ratio in ratios if ratio is not None})
    adders, factor = completion.adders, completion.factor
    added = adders.numerator * common
    return common * adders.denominator * factor.denominator, [
        None
        if ratio is None
        else (ratio[0] * (common // ratio[1]) * adders.denominator + added) * factor.numerator
        for ratio in ratios
    ]


def _sums(
    starts: Sequence[Instant], prices: Sequence[int | None]
) -> tuple[tuple[int, ...], tuple[Milliseconds, ...]]:
    paid, known = [0], [0]
    for start, end, price in zip(starts, starts[1:], prices, strict=False):
        paid.append(paid[-1] + (0 if price is None else price * (end - start)))
        known.append(known[-1] + (0 if price is None else end - start))
    return tuple(paid), tuple(known)


@lru_cache(maxsize=256)
def _with_grams(own: Timeline, other: Timeline) -> Timeline:
    """The same with the grams of the other where it knows none itself."""
    if len(other.starts) == 1:
        return own
    starts = sorted({*own.starts, *other.starts})
    mine = [own.index(start) for start in starts]
    theirs = [other.index(start) for start in starts]
    prices = [own.prices[index] for index in mine]
    paid, known = _sums(starts, prices)
    return replace(
        own,
        starts=tuple(starts),
        prices=tuple(prices),
        bands=tuple(own.bands[index] for index in mine),
        grams=tuple(
            other.grams[j] if own.grams[i] is None else own.grams[i]
            for i, j in zip(mine, theirs, strict=True)
        ),
        exports=tuple(own.exports[index] for index in mine),
        paid=paid,
        known=known,
    )
