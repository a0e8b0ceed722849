"""A tariff as a line through time: price, band and carbon, and whether an instant is off-peak.

Of overlapping zones the first listed is in force; of overlapping intervals the one that
starts last, whole, and of those with the same start the last listed. What is not published
is unknown, never cheap.
"""

import itertools
from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from enum import IntEnum
from fractions import Fraction
from functools import lru_cache
from heapq import heappop, heappush

from idlewatt_scheduler.calendar import occurrences
from idlewatt_scheduler.model.calendars import Interval
from idlewatt_scheduler.model.policy import OffPeakTest
from idlewatt_scheduler.model.tariff import Tariff
from idlewatt_scheduler.model.units import CALENDAR_HORIZON, DAY, FOREVER, Instant

Convert = Callable[[str, str], Fraction | None]
"""`convert(from_currency, to_currency)`: the rate, None where there is none."""


class Verdict(IntEnum):
    """What an instant is, judged by the policy."""

    OFF_PEAK = 0
    UNKNOWN = 1
    ON_PEAK = 2


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch in which nothing changes; a figure that is not known is None.

    Attributes:
        price: per kWh, adders and tax included, in the tariff's currency.
        grams: of CO2 per kWh.
    """

    start: Instant
    end: Instant
    price: Fraction | None
    band: str | None
    grams: Decimal | None


@dataclass(frozen=True, slots=True)
class PriceLine:
    """A tariff from `at` on: segments without gaps, and the policy's verdict on each."""

    currency: str
    segments: tuple[Segment, ...]
    verdicts: tuple[Verdict, ...]
    starts: tuple[Instant, ...]

    def _over(self, start: Instant, end: Instant) -> Iterator[int]:
        index = max(bisect_right(self.starts, start) - 1, 0)
        while start < end and index < len(self.starts) and self.starts[index] < end:
            yield index
            index += 1

    def verdict_at(self, instant: Instant) -> Verdict:
        """The verdict on one instant."""
        return self.verdicts[max(bisect_right(self.starts, instant) - 1, 0)]

    def worst(self, start: Instant, end: Instant) -> Verdict:
        """`ON_PEAK` if some instant of `[start, end)` is, else `UNKNOWN` if some is unknown."""
        return max((self.verdicts[i] for i in self._over(start, end)), default=Verdict.OFF_PEAK)

    def priced(self, start: Instant, end: Instant) -> bool:
        """Every instant of `[start, end)` has a price."""
        return all(self.segments[i].price is not None for i in self._over(start, end))

    def price_at(self, instant: Instant) -> Fraction | None:
        """The price at one instant, per kWh."""
        return self.segments[max(bisect_right(self.starts, instant) - 1, 0)].price

    def price_times_milliseconds(self, start: Instant, end: Instant) -> Fraction:
        """The integral of the price over `[start, end)`; what has no price counts nothing."""
        total = Fraction(0)
        for i in self._over(start, end):
            segment = self.segments[i]
            if segment.price is not None:
                total += segment.price * (min(end, segment.end) - max(start, segment.start))
        return total


def price_line(tariff: Tariff, test: OffPeakTest, at: Instant, convert: Convert) -> PriceLine:
    """The line of `tariff` from `at` to a day past the calendars' horizon, then unknown."""
    within = Interval(at, at + CALENDAR_HORIZON + DAY)
    segments = tuple(_segments(tariff, within))
    threshold = _cheapest(segments, test.cheapest_percent_of_next_24_hours, at)
    rate = None
    if test.max_price_per_kwh is not None and test.currency is not None:
        rate = convert(tariff.currency, test.currency)
    verdicts = tuple(_verdict(segment, test, threshold, rate) for segment in segments)
    return PriceLine(tariff.currency, segments, verdicts, tuple(s.start for s in segments))


def _segments(tariff: Tariff, within: Interval) -> Iterator[Segment]:
    """The stretches in force, the gaps between them filled with segments that know nothing."""
    reached = within.start
    pieces = _zone_pieces(tariff, within) if tariff.zones else _interval_pieces(tariff, within)
    for piece in pieces:
        if piece.start > reached:
            yield Segment(reached, piece.start, None, None, None)
        yield piece
        reached = piece.end
    yield Segment(reached, FOREVER, None, None, None)


def _final_price(tariff: Tariff, price: Decimal | None) -> Fraction | None:
    """What a kWh costs; a wholesale price without adders is none."""
    if price is None or (tariff.wholesale and not tariff.adders):
        return None
    return _completed(price, tariff.adders, tariff.tax_percent)


@lru_cache(maxsize=4_096)
def _completed(price: Decimal, adders: tuple[Decimal, ...], tax_percent: Decimal) -> Fraction:
    """(price + adders) x (1 + tax / 100): every cycle asks for the same few, exactly."""
    return (Fraction(price) + sum(map(Fraction, adders))) * (1 + Fraction(tax_percent) / 100)


def _zone_pieces(tariff: Tariff, within: Interval) -> Iterator[Segment]:
    stretches = [
        (stretch.start, stretch.end, (rank, 0))
        for rank, zone in enumerate(tariff.zones)
        for stretch in occurrences(zone.recurrence, tariff.time_zone, within)
    ]
    prices = [_final_price(tariff, zone.price_per_kwh) for zone in tariff.zones]
    for start, end, (rank, _) in _in_force(stretches, within):
        yield Segment(start, end, prices[rank], tariff.zones[rank].band, None)


def _interval_pieces(tariff: Tariff, within: Interval) -> Iterator[Segment]:
    stretches = [
        (i.start, i.start + i.duration, (-i.start, -index))
        for index, i in enumerate(tariff.intervals)
        if i.start < within.end and i.start + i.duration > within.start
    ]
    for start, end, (_, index) in _in_force(stretches, within):
        interval = tariff.intervals[-index]
        price = _final_price(tariff, interval.price_per_kwh)
        yield Segment(start, end, price, interval.band, interval.grams_per_kwh)


_Stretch = tuple[Instant, Instant, tuple[int, int]]


def _in_force(stretches: list[_Stretch], within: Interval) -> Iterator[_Stretch]:
    """At each instant the covering stretch of the least rank, as pieces in order of time."""
    stretches = sorted(stretches)
    edges = sorted({edge for start, end, _ in stretches for edge in (start, end)})
    waiting = 0
    covering: list[tuple[tuple[int, int], Instant]] = []
    for edge, following in itertools.pairwise(edges):
        while waiting < len(stretches) and stretches[waiting][0] <= edge:
            _, end, rank = stretches[waiting]
            heappush(covering, (rank, end))
            waiting += 1
        while covering and covering[0][1] <= edge:
            heappop(covering)
        start, end = max(edge, within.start), min(following, within.end)
        if covering and start < end:
            yield start, end, covering[0][0]


def _cheapest(segments: tuple[Segment, ...], percent: int | None, at: Instant) -> Fraction | None:
    """The least price such that the known time at or below it is `percent` of the known time.

    Only the 24 hours from `at` on are looked at; None where no price is known there.
    """
    if percent is None:
        return None
    lengths: dict[Fraction, int] = {}
    for segment in segments:
        length = min(segment.end, at + DAY) - max(segment.start, at)
        if segment.price is not None and length > 0:
            lengths[segment.price] = lengths.get(segment.price, 0) + length
    known, reached = sum(lengths.values()), 0
    for price in sorted(lengths):
        reached += lengths[price]
        if reached * 100 >= percent * known:
            return price
    return None


def _verdict(
    segment: Segment, test: OffPeakTest, threshold: Fraction | None, rate: Fraction | None
) -> Verdict:
    answers: list[bool | None] = []
    if test.band is not None:
        answers.append(None if segment.band is None else segment.band == test.band)
    if test.max_price_per_kwh is not None:
        known = segment.price is not None and rate is not None
        price = segment.price * rate if segment.price is not None and rate is not None else 0
        answers.append(price <= Fraction(test.max_price_per_kwh) if known else None)
    if test.cheapest_percent_of_next_24_hours is not None:
        if segment.price is None or threshold is None:
            answers.append(None)
        else:
            answers.append(segment.price <= threshold)
    if test.max_grams_per_kwh is not None:
        answers.append(None if segment.grams is None else segment.grams <= test.max_grams_per_kwh)
    if False in answers:
        return Verdict.ON_PEAK
    return Verdict.UNKNOWN if None in answers else Verdict.OFF_PEAK
