"""Tariffs as lines: at every minute they are what a plain reading of the rules finds there.

The walker looks at one minute at a time, goes through all that is listed, and computes with
fractions. It shares no code with what it judges.
"""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.property.walking import A_DAY, takes_place, the_clock

from idlewatt_scheduler.model.calendars import (
    EVERY_DAY,
    EVERY_MONTH,
    OnHolidays,
    PublicHolidays,
    Recurrence,
)
from idlewatt_scheduler.model.policy import OffPeakTest
from idlewatt_scheduler.model.tariff import Tariff, TariffInterval, TariffZone
from idlewatt_scheduler.model.units import HOUR, MINUTE
from idlewatt_scheduler.prices import PriceLine, Verdict, price_line

Draw = Callable[[st.SearchStrategy[Any]], Any]

THOROUGH = settings(deadline=None, max_examples=200)
CLOCK = ("Europe/Berlin", 2026)
BERLIN = ZoneInfo("Europe/Berlin")
SPRING = int(datetime(2026, 3, 28, 12, tzinfo=UTC).timestamp()) // 60
"""Minutes of UTC since 1970, half a day before the clocks go forward."""

MAX_AGE = 6 * HOUR
RATE = Fraction(3, 7)


def convert(from_currency: str, to_currency: str) -> Fraction | None:
    """Three sevenths of a euro to the crown."""
    if from_currency == to_currency:
        return Fraction(1)
    return RATE if (from_currency, to_currency) == ("NOK", "EUR") else None


money = st.one_of(
    st.none(), st.integers(-50, 400).map(lambda thousandths: Decimal(thousandths) / 1_000)
)
grams = st.sampled_from([None, *(Decimal(each) for each in ("100", "200.5", "300"))])
bands = st.sampled_from([None, "OffPeak", "Peak"])


@st.composite
def zones(draw: Draw) -> TariffZone:
    """A zone of some days, months and hours."""
    start = draw(st.sampled_from([0, 90, 120, 150, 180, 360, 1_320]))
    recurrence = Recurrence(
        draw(st.one_of(st.just(EVERY_DAY), st.frozensets(st.integers(0, 6), min_size=1))),
        start,
        draw(st.sampled_from([0, 120, 150, 180, 360, 720, 1_320])),
        months=draw(st.sampled_from([EVERY_MONTH, frozenset({3}), frozenset({4})])),
        on_holidays=draw(st.sampled_from(OnHolidays)),
        except_dates=draw(st.frozensets(st.just(date(2026, 3, 29)))),
    )
    return TariffZone("z", recurrence, draw(bands), draw(money), draw(money))


@st.composite
def intervals(draw: Draw, at: int) -> TariffInterval:
    """An interval near `at` (minutes): quarters, hours, odd ones; published before it or after."""
    minute = MINUTE
    ages = [0, 1, HOUR, MAX_AGE - 1, MAX_AGE, MAX_AGE + 1, 2 * MAX_AGE, -5_000, -5_001]
    created = draw(st.one_of(st.none(), st.sampled_from(ages)))
    return TariffInterval(
        start=(at + draw(st.integers(-120, 600))) // 5 * 5 * minute,
        duration=draw(st.sampled_from([5, 15, 30, 60, 240])) * minute,
        price_per_kwh=draw(money),
        band=draw(bands),
        grams_per_kwh=draw(grams),
        export_price_per_kwh=draw(money),
        created_at=None if created is None else at * minute - created,
        forecast=draw(st.sampled_from([False, False, True])),
    )


@st.composite
def tariffs(draw: Draw, at: int, name: str) -> Tariff:
    """Zones or intervals, with what completes a price, and perhaps a source."""
    by_zone = name == "depot" and draw(st.sampled_from([False, False, True]))
    age = draw(st.sampled_from([None, 0, HOUR, HOUR, HOUR + 1]))
    sourced = draw(st.sampled_from([False, False, True])) and not by_zone
    return Tariff(
        name=name,
        currency=draw(st.sampled_from(["EUR", "NOK", "SEK"])),
        time_zone=BERLIN,
        zones=tuple(draw(st.lists(zones(), min_size=1, max_size=4))) if by_zone else (),
        intervals=() if by_zone else tuple(draw(st.lists(intervals(at), max_size=12))),
        wholesale=draw(st.booleans()),
        adders=tuple(
            draw(st.lists(st.sampled_from([Decimal("0.09"), Decimal("-0.01")]), max_size=2))
        ),
        tax_percent=draw(st.sampled_from([Decimal(0), Decimal(19), Decimal("7.5")])),
        public_holidays=PublicHolidays(
            additional=draw(st.frozensets(st.sampled_from([date(2026, 3, 28), date(2026, 3, 30)])))
        ),
        carbon=draw(st.sampled_from([None, "grid", "grid"])),
        refreshed_at=None if age is None or not sourced else at * MINUTE - age,
        max_age=HOUR if sourced else None,
    )


tests = st.builds(
    lambda band, price, cheapest, most_grams, cleanest: OffPeakTest(
        band=band,
        max_price_per_kwh=price,
        currency=None if price is None else "EUR",
        cheapest_percent_of_next_24_hours=cheapest,
        max_grams_per_kwh=most_grams,
        cleanest_percent_of_next_24_hours=cleanest,
    ),
    st.sampled_from([None, None, "OffPeak"]),
    st.sampled_from([None, None, Decimal("0.1"), Decimal("0.25")]),
    st.sampled_from([None, None, 1, 30, 50, 100]),
    st.sampled_from([None, None, Decimal(200), Decimal("200.5")]),
    st.sampled_from([None, None, 34, 67]),
)


class Walked:
    """A tariff, read at one minute after the other, as it is known at `at`."""

    def __init__(self, tariff: Tariff, carbon: Tariff | None, at: int) -> None:
        self.tariff, self.carbon, self.at = tariff, carbon, at
        self.holidays = tariff.public_holidays.additional
        clock = the_clock(*CLOCK)
        self.spans = [
            [
                clock.span(zone.recurrence, day)
                for day in clock.days(at, at + 2 * A_DAY)
                if takes_place(zone.recurrence, day, self.holidays)
            ]
            for zone in tariff.zones
        ]

    def at_minute(
        self, minute: int
    ) -> tuple[Fraction | None, str | None, Decimal | None, Fraction | None]:
        """Price, band, grams and export price."""
        said: TariffZone | TariffInterval | None
        said = self._zone(minute) if self.tariff.zones else self._interval(self.tariff, minute)
        own = said.grams_per_kwh if isinstance(said, TariffInterval) else None
        if own is None and self.tariff.carbon and self.carbon:
            elsewhere = self._interval(self.carbon, minute)
            own = elsewhere.grams_per_kwh if elsewhere else None
        if said is None:
            return None, None, own, None
        export = said.export_price_per_kwh
        return (
            self._price(said.price_per_kwh),
            said.band,
            own,
            None if export is None else Fraction(export),
        )

    def _zone(self, minute: int) -> TariffZone | None:
        for zone, spans in zip(self.tariff.zones, self.spans, strict=True):
            if any(start <= minute < end for start, end in spans):
                return zone
        return None

    def _interval(self, tariff: Tariff, minute: int) -> TariffInterval | None:
        now = self.at * MINUTE
        if tariff.max_age is not None and (
            tariff.refreshed_at is None or now - tariff.refreshed_at > tariff.max_age
        ):
            return None
        best: tuple[int, int, int] | None = None
        found = None
        for place, each in enumerate(tariff.intervals):
            created = each.created_at
            if created is not None and created > now + 5_000:
                continue
            if each.forecast and (created is None or now - created > MAX_AGE):
                continue
            if each.start <= minute * MINUTE < each.start + each.duration:
                rank = (-1 if created is None else created, each.start, place)
                if best is None or rank > best:
                    best, found = rank, each
        return found

    def _price(self, stated: Decimal | None) -> Fraction | None:
        if stated is None or (self.tariff.wholesale and not self.tariff.adders):
            return None
        before_tax = Fraction(stated) + sum(Fraction(adder) for adder in self.tariff.adders)
        return before_tax + before_tax * Fraction(self.tariff.tax_percent) / 100


def threshold(figures: list[Any], percent: int) -> Any:  # noqa: ANN401
    """The least figure that at least `percent` of the known minutes do not exceed."""
    known = sorted(figure for figure in figures if figure is not None)
    return next(
        (
            figure
            for figure in known
            if 100 * sum(each <= figure for each in known) >= percent * len(known)
        ),
        None,
    )


def verdict(test: OffPeakTest, walked: list[Any], minute: int, currency: str) -> Verdict:
    """The rules' table, test by test; `walked` is every fifth minute from `at` on."""
    price, band, own_grams, _ = walked[minute // 5]
    answers: list[bool | None] = []
    if test.band is not None:
        answers.append(None if band is None else band == test.band)
    if test.max_price_per_kwh is not None:
        rate = convert(currency, "EUR")
        unknown = price is None or rate is None
        answers.append(None if unknown else price * rate <= Fraction(test.max_price_per_kwh))
    for percent, figure, column in (
        (test.cheapest_percent_of_next_24_hours, price, 0),
        (test.cleanest_percent_of_next_24_hours, own_grams, 2),
    ):
        if percent is not None:
            most = threshold([each[column] for each in walked[: A_DAY // 5]], percent)
            answers.append(None if figure is None or most is None else figure <= most)
    if test.max_grams_per_kwh is not None:
        answers.append(None if own_grams is None else own_grams <= test.max_grams_per_kwh)
    if False in answers:
        return Verdict.ON_PEAK
    return Verdict.UNKNOWN if None in answers else Verdict.OFF_PEAK


@st.composite
def scenes(draw: Draw) -> tuple[Tariff, Tariff, int]:
    """A tariff, the one it may take its carbon from, and a minute, a multiple of five."""
    at = SPRING + draw(st.integers(0, 3 * 12 * 24)) * 5
    return draw(tariffs(at, "depot")), draw(tariffs(at, "grid")), at


def lined(scene: tuple[Tariff, Tariff, int], test: OffPeakTest) -> PriceLine:
    """The line of a scene."""
    tariff, carbon, at = scene
    return price_line(tariff, test, at * MINUTE, convert, carbon=carbon, forecast_max_age=MAX_AGE)


@THOROUGH
@given(scene=scenes(), test=tests)
def test_a_line_is_what_a_walk_through_the_minutes_finds(
    scene: tuple[Tariff, Tariff, int], test: OffPeakTest
) -> None:
    """Price, band, grams, export price and verdict of every fifth minute of a day and a half."""
    tariff, carbon, at = scene
    walk = Walked(tariff, carbon, at)
    walked = [walk.at_minute(at + minute) for minute in range(0, 3 * A_DAY // 2, 5)]
    line = lined(scene, test)
    bands_found = {}
    for segment in line.segments:
        for minute in range(0, 3 * A_DAY // 2, 5):
            if segment.start <= (at + minute) * MINUTE < segment.end:
                bands_found[minute] = segment.band
    for minute in range(0, 3 * A_DAY // 2, 5):
        instant = (at + minute) * MINUTE
        found = (
            line.price_at(instant),
            bands_found[minute],
            line.grams_at(instant),
            line.export_price_at(instant),
        )
        assert found == walked[minute // 5], timedelta(minutes=minute)
        assert line.price_at(instant + 5 * MINUTE - 1) == found[0]
    for minute in (0, 5, 60, 600, 1_435, 1_440, 2_000):
        found_verdict = line.verdict_at((at + minute) * MINUTE)
        assert found_verdict is verdict(test, walked, minute, tariff.currency)


@THOROUGH
@given(
    scene=scenes(),
    test=tests,
    start=st.one_of(st.integers(0, 20 * 60), st.integers(0, 120).map(lambda fives: 5 * fives)),
    length=st.one_of(st.integers(0, 10 * 60), st.integers(0, 60).map(lambda fives: 5 * fives)),
)
def test_stretches_are_the_sum_of_their_minutes(
    scene: tuple[Tariff, Tariff, int], test: OffPeakTest, start: int, length: int
) -> None:
    """The integral and the mean of the price, whether all of it is known, and the worst verdict."""
    at = scene[2]
    line = lined(scene, test)
    begin, end = (at + start) * MINUTE, (at + start + length) * MINUTE
    prices = [line.price_at(instant) for instant in range(begin, end, MINUTE)]
    known = [price for price in prices if price is not None]
    total = sum(known, Fraction(0)) * MINUTE
    assert line.price_times_milliseconds(begin, end) == total
    assert line.priced(begin, end) is (len(known) == len(prices))
    mean = line.mean_known_price(begin, end)
    assert mean == (total / (len(known) * MINUTE) if known else None)
    verdicts = [line.verdict_at(instant) for instant in range(begin, end, MINUTE)]
    assert line.worst(begin, end) is max(verdicts, default=Verdict.OFF_PEAK)
    pieces = list(line.pieces(begin, end))
    assert sum(until - since for since, until, _, _ in pieces) == end - begin
    assert sum((p * (b - a) for a, b, p, _ in pieces if p is not None), Fraction(0)) == total
