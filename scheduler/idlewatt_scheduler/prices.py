"""A tariff as a line through time: price, band and carbon, and whether an instant is off-peak.

What is in force when is `in_force`'s to say; here the policy judges it. What is not published
is unknown, never cheap.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from enum import IntEnum
from fractions import Fraction
from functools import lru_cache
from itertools import accumulate
from typing import Final, TypeVar

from idlewatt_scheduler.in_force import Timeline, timeline
from idlewatt_scheduler.model.policy import OffPeakTest
from idlewatt_scheduler.model.tariff import Tariff
from idlewatt_scheduler.model.units import DAY, HOUR, Instant, Milliseconds

Convert = Callable[[str, str], Fraction | None]
"""`convert(from_currency, to_currency)`: the rate, None where there is none."""

FORECAST_MAX_AGE: Final[Milliseconds] = 6 * HOUR
"""`forecastMaxAgeSeconds` where the policy says nothing else."""

_Figure = TypeVar("_Figure", int, Decimal)


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
        export: what an exported kWh earns, in the tariff's currency.
    """

    start: Instant
    end: Instant
    price: Fraction | None
    band: str | None
    grams: Decimal | None
    export: Fraction | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Judgement:
    """The policy's verdict on every step of a timeline, and how many there were before each.

    Attributes:
        on_peak: the number of steps on peak before each step, and in all.
        unknown: the same of those that are unknown.
    """

    verdicts: tuple[Verdict, ...]
    on_peak: tuple[int, ...]
    unknown: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class PriceLine:
    """A tariff from `at` on, with the policy's verdict; every question is a search in a row.

    An instant before `at` is answered as `at`.

    Attributes:
        timeline: what is in force.
        judgement: of each of its steps.
    """

    currency: str
    at: Instant
    timeline: Timeline
    judgement: Judgement

    @property
    def segments(self) -> tuple[Segment, ...]:
        """What is in force from `at` on, without gaps."""
        return tuple(self._segments())

    @property
    def verdicts(self) -> tuple[Verdict, ...]:
        """The verdict on each of the `segments`."""
        return self.judgement.verdicts[self._index(self.at) :]

    def verdict_at(self, instant: Instant) -> Verdict:
        """The verdict on one instant."""
        return self.judgement.verdicts[self._index(instant)]

    def worst(self, start: Instant, end: Instant) -> Verdict:
        """`ON_PEAK` if some instant of `[start, end)` is, else `UNKNOWN` if some is unknown."""
        start = max(start, self.at)
        if start >= end:
            return Verdict.OFF_PEAK
        first, last = self._index(start), self._index(end - 1) + 1
        judgement = self.judgement
        if judgement.on_peak[last] > judgement.on_peak[first]:
            return Verdict.ON_PEAK
        if judgement.unknown[last] > judgement.unknown[first]:
            return Verdict.UNKNOWN
        return Verdict.OFF_PEAK

    def priced(self, start: Instant, end: Instant) -> bool:
        """Every instant of `[start, end)` has a price."""
        start = max(start, self.at)
        return start >= end or self._known(start, end) == end - start

    def price_at(self, instant: Instant) -> Fraction | None:
        """The price at one instant, per kWh."""
        return self.timeline.price(self._index(instant))

    def export_price_at(self, instant: Instant) -> Fraction | None:
        """What an exported kWh earns at one instant."""
        return _fraction(self.timeline.exports[self._index(instant)])

    def grams_at(self, instant: Instant) -> Decimal | None:
        """Grams of CO2 per kWh at one instant."""
        return self.timeline.grams[self._index(instant)]

    def price_times_milliseconds(self, start: Instant, end: Instant) -> Fraction:
        """The integral of the price over `[start, end)`; what has no price counts nothing."""
        start = max(start, self.at)
        if start >= end:
            return Fraction(0)
        line = self.timeline
        return Fraction(line.paid_before(end) - line.paid_before(start), line.scale)

    def mean_known_price(self, start: Instant, end: Instant) -> Fraction | None:
        """The mean over the time in `[start, end)` that has a price; None where none has."""
        start = max(start, self.at)
        known = self._known(start, end) if start < end else 0
        return self.price_times_milliseconds(start, end) / known if known else None

    def pieces(
        self, start: Instant, end: Instant
    ) -> Iterator[tuple[Instant, Instant, Fraction | None, Fraction | None]]:
        """From, to, price and export price of each stretch of `[start, end)`, from `at` on."""
        line, start = self.timeline, max(start, self.at)
        for index in range(self._index(start), len(line.starts)):
            if line.starts[index] >= end or start >= end:
                return
            until = min(line.end(index), end)
            yield start, until, line.price(index), _fraction(line.exports[index])
            start = until

    def _index(self, instant: Instant) -> int:
        return self.timeline.index(max(instant, self.at))

    def _known(self, start: Instant, end: Instant) -> Milliseconds:
        return self.timeline.known_before(end) - self.timeline.known_before(start)

    def _segments(self) -> Iterator[Segment]:
        line = self.timeline
        for index in range(self._index(self.at), len(line.starts)):
            yield Segment(
                start=max(line.starts[index], self.at),
                end=line.end(index),
                price=line.price(index),
                band=line.bands[index],
                grams=line.grams[index],
                export=_fraction(line.exports[index]),
            )


def price_line(  # noqa: PLR0913 - what a judgement depends on
    tariff: Tariff,
    test: OffPeakTest,
    at: Instant,
    convert: Convert,
    *,
    carbon: Tariff | None = None,
    forecast_max_age: Milliseconds = FORECAST_MAX_AGE,
) -> PriceLine:
    """The line of `tariff` from `at` to a day past the calendars' horizon at least.

    `carbon` is the tariff that its `carbon` names, None where there is none.
    """
    line = timeline(tariff, carbon, at, forecast_max_age)
    rate = None
    if test.max_price_per_kwh is not None and test.currency is not None:
        rate = convert(tariff.currency, test.currency)
    cheap, clean = thresholds(line, test, at)
    return PriceLine(tariff.currency, at, line, _judged(line, test, rate, cheap, clean))


def thresholds(line: Timeline, test: OffPeakTest, at: Instant) -> tuple[int | None, Decimal | None]:
    """The greatest price, in parts, and the most grams that pass the tests of the next 24 hours."""
    cheapest = test.cheapest_percent_of_next_24_hours
    cleanest = test.cleanest_percent_of_next_24_hours
    return (
        None if cheapest is None else _threshold(line, line.prices, cheapest, at),
        None if cleanest is None else _threshold(line, line.grams, cleanest, at),
    )


def _threshold(
    line: Timeline, figures: tuple[_Figure | None, ...], percent: int, at: Instant
) -> _Figure | None:
    """The least figure such that the known time at or below it is `percent` of the known time.

    Only the 24 hours from `at` on are looked at; None where nothing is known there.
    """
    lengths: dict[_Figure, Milliseconds] = {}
    for index in range(line.index(at), line.index(at + DAY - 1) + 1):
        figure = figures[index]
        if figure is not None:
            length = min(line.end(index), at + DAY) - max(line.starts[index], at)
            lengths[figure] = lengths.get(figure, 0) + length
    known = sum(lengths.values())
    ordered = sorted(lengths)
    for figure, reached in zip(ordered, accumulate(map(lengths.__getitem__, ordered)), strict=True):
        if reached * 100 >= percent * known:
            return figure
    return None


@lru_cache(maxsize=256)
def _judged(
    line: Timeline,
    test: OffPeakTest,
    rate: Fraction | None,
    cheap: int | None,
    clean: Decimal | None,
) -> Judgement:
    """The verdict on each step: on peak if a test fails, unknown if one lacks its data."""
    answers: list[list[bool | None]] = []
    if test.band is not None:
        answers.append([None if band is None else band == test.band for band in line.bands])
    if test.max_price_per_kwh is not None:
        most = _in_parts(test.max_price_per_kwh, rate, line.scale)
        answers.append(_at_most(line.prices, most))
    if test.cheapest_percent_of_next_24_hours is not None:
        answers.append(_at_most(line.prices, cheap))
    if test.max_grams_per_kwh is not None:
        answers.append(_at_most(line.grams, test.max_grams_per_kwh))
    if test.cleanest_percent_of_next_24_hours is not None:
        answers.append(_at_most(line.grams, clean))
    verdicts = tuple(
        Verdict.ON_PEAK
        if False in each
        else (Verdict.UNKNOWN if None in each else Verdict.OFF_PEAK)
        for each in zip(*answers, strict=True)
    )
    verdicts = verdicts if answers else (Verdict.OFF_PEAK,) * len(line.starts)
    return Judgement(
        verdicts,
        tuple(accumulate((v is Verdict.ON_PEAK for v in verdicts), initial=0)),
        tuple(accumulate((v is Verdict.UNKNOWN for v in verdicts), initial=0)),
    )


def _at_most(figures: tuple[_Figure | None, ...], most: _Figure | None) -> list[bool | None]:
    if most is None:
        return [None] * len(figures)
    return [None if figure is None else figure <= most for figure in figures]


def _in_parts(most: Decimal, rate: Fraction | None, scale: int) -> int | None:
    """The greatest whole number of parts that is worth at most `most`; None without a rate."""
    return None if not rate else (Fraction(most) / rate * scale).__floor__()


def _fraction(amount: Decimal | None) -> Fraction | None:
    return None if amount is None else Fraction(amount)
