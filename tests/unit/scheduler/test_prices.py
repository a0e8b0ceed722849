"""Tariffs as lines through time: what is in force, what it costs, and whether it is off-peak."""

from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from idlewatt_scheduler.model.calendars import EVERY_DAY, OnHolidays, PublicHolidays, Recurrence
from idlewatt_scheduler.model.policy import OffPeakTest
from idlewatt_scheduler.model.tariff import Tariff, TariffInterval, TariffZone
from idlewatt_scheduler.model.units import DAY, HOUR, MINUTE
from idlewatt_scheduler.prices import PriceLine, Verdict, price_line
from idlewatt_scheduler.testing import AT, BERLIN, a_tariff, instant

OFF, UNKNOWN, ON = Verdict.OFF_PEAK, Verdict.UNKNOWN, Verdict.ON_PEAK
BAND = OffPeakTest(band="OffPeak")


def convert(from_currency: str, to_currency: str) -> Fraction | None:
    """Ten crowns to the euro, and no other rate."""
    if from_currency == to_currency:
        return Fraction(1)
    return Fraction(1, 10) if (from_currency, to_currency) == ("NOK", "EUR") else None


def line(tariff: Tariff, test: OffPeakTest = BAND, at: int = AT) -> PriceLine:
    """The line from `AT` on."""
    return price_line(tariff, test, at, convert)


def zone(start: str, end: str, band: str | None, price: str | None = "0.20") -> TariffZone:
    """A daily zone in wall times."""
    begin, finish = (int(text[:2]) * 60 + int(text[3:]) for text in (start, end))
    return TariffZone(
        band or "",
        Recurrence(EVERY_DAY, begin, finish),
        band,
        None if price is None else Decimal(price),
    )


def interval(after: int, duration: int, price: str | None = None, **more: Any) -> TariffInterval:  # noqa: ANN401
    """An interval that starts so many milliseconds after `AT`."""
    return TariffInterval(AT + after, duration, None if price is None else Decimal(price), **more)


def by_interval(*intervals: TariffInterval, **overrides: object) -> Tariff:
    """A tariff of intervals."""
    return a_tariff(zones=(), intervals=intervals, **overrides)


def hourly(*prices: str | None, **overrides: object) -> Tariff:
    """A price an hour from `AT` on; None where there is none."""
    return by_interval(
        *(interval(hour * HOUR, HOUR, price) for hour, price in enumerate(prices)), **overrides
    )


@pytest.mark.parametrize(
    ("zones", "wall", "band"),
    [
        ([zone("22:00", "06:00", "night"), zone("00:00", "00:00", "else")], "05:59", "night"),
        ([zone("22:00", "06:00", "night"), zone("00:00", "00:00", "else")], "06:00", "else"),
        ([zone("00:00", "00:00", "else"), zone("22:00", "06:00", "night")], "05:59", "else"),
        ([zone("22:00", "06:00", "night")], "06:00", None),
        ([zone("01:00", "02:00", "a"), zone("01:30", "03:00", "b")], "01:59", "a"),
        ([zone("01:00", "02:00", "a"), zone("01:30", "03:00", "b")], "02:00", "b"),
        ([zone("01:30", "03:00", "b"), zone("01:00", "02:00", "a")], "01:30", "b"),
    ],
)
def test_of_overlapping_zones_the_first_listed_is_in_force(
    zones: list[TariffZone], wall: str, band: str | None
) -> None:
    """Whatever starts later or is shorter; and where none is, nothing is known."""
    found = line(a_tariff(zones=tuple(zones)))
    moment = instant(f"2026-01-16T{wall}:00+01:00")
    (inside,) = (each for each in found.segments if each.start <= moment < each.end)
    assert inside.band == band


@pytest.mark.parametrize(
    ("intervals", "after", "price"),
    [
        pytest.param([(0, 4, "1"), (1, 1, "2")], 0, "1", id="before the later one"),
        pytest.param([(0, 4, "1"), (1, 1, "2")], 1, "2", id="the one that starts last"),
        pytest.param([(0, 4, "1"), (1, 1, "2")], 2, "1", id="after it, the earlier one again"),
        pytest.param([(1, 1, "2"), (0, 4, "1")], 1, "2", id="however they are listed"),
        pytest.param([(0, 2, "1"), (0, 1, "2")], 0, "2", id="of one start the last listed"),
        pytest.param([(0, 1, "2"), (0, 2, "1")], 0, "1", id="however long it is"),
        pytest.param([(0, 4, "1"), (1, 1, None)], 1, None, id="whole, also what it does not say"),
        pytest.param([(0, 1, "1"), (2, 1, "2")], 1, None, id="a hole"),
        pytest.param([(-3, 9, "1"), (-1, 2, "2")], 0, "2", id="both began before"),
    ],
)
def test_of_overlapping_intervals_the_one_that_starts_last_is_in_force(
    intervals: list[tuple[int, int, str | None]], after: int, price: str | None
) -> None:
    """Times in hours; of the same start the last listed."""
    made = (interval(start * HOUR, length * HOUR, worth) for start, length, worth in intervals)
    found = line(by_interval(*made)).price_at(AT + after * HOUR)
    assert found == (None if price is None else Fraction(price))


@pytest.mark.parametrize(
    ("overrides", "price"),
    [
        pytest.param({}, "0.082", id="as published"),
        pytest.param({"adders": (Decimal("0.09"), Decimal("0.01"))}, "0.182", id="adders"),
        pytest.param({"tax_percent": Decimal(19)}, "0.09758", id="tax"),
        pytest.param(
            {"adders": (Decimal("0.09"),), "tax_percent": Decimal(19)},
            "0.20468",
            id="tax on the adders too",
        ),
        pytest.param({"wholesale": True}, None, id="wholesale alone"),
        pytest.param(
            {"wholesale": True, "adders": (Decimal("0.09"),)}, "0.172", id="wholesale, completed"
        ),
        pytest.param(
            {"wholesale": True, "adders": (Decimal(0),)}, "0.082", id="completed by nothing more"
        ),
    ],
)
def test_the_price_is_exact_with_adders_and_tax(
    overrides: dict[str, object], price: str | None
) -> None:
    """(price + adders) x (1 + tax / 100), and none for what is wholesale only."""
    found = line(hourly("0.082", **overrides)).price_at(AT)
    assert found == (None if price is None else Fraction(price))


def test_a_wholesale_tariff_still_has_bands_and_carbon() -> None:
    """Only its price is unknown."""
    tariff = by_interval(
        interval(0, HOUR, "0.1", band="OffPeak", grams_per_kwh=Decimal(1)), wholesale=True
    )
    assert line(tariff).verdict_at(AT) is OFF
    assert line(tariff, OffPeakTest(max_grams_per_kwh=Decimal(1))).verdict_at(AT) is OFF
    at_most = OffPeakTest(max_price_per_kwh=Decimal(9), currency="EUR")
    assert line(tariff, at_most).verdict_at(AT) is UNKNOWN


@pytest.mark.parametrize(
    ("test", "payload", "verdict"),
    [
        pytest.param({"band": "OffPeak"}, {"band": "OffPeak"}, OFF, id="the band"),
        pytest.param({"band": "OffPeak"}, {"band": "Peak"}, ON, id="another band"),
        pytest.param({"band": "OffPeak"}, {}, UNKNOWN, id="no band"),
        pytest.param({"max_grams_per_kwh": Decimal(300)}, {"grams_per_kwh": Decimal(300)}, OFF),
        pytest.param(
            {"max_grams_per_kwh": Decimal(300)}, {"grams_per_kwh": Decimal("300.001")}, ON
        ),
        pytest.param({"max_grams_per_kwh": Decimal(300)}, {}, UNKNOWN),
        pytest.param({"max_price_per_kwh": Decimal("0.1")}, {"price": "0.1"}, OFF),
        pytest.param({"max_price_per_kwh": Decimal("0.1")}, {"price": "0.100000001"}, ON),
        pytest.param({"max_price_per_kwh": Decimal("0.1")}, {"price": "-0.2"}, OFF),
        pytest.param({"max_price_per_kwh": Decimal("0.1")}, {}, UNKNOWN),
        pytest.param(
            {"band": "OffPeak", "max_grams_per_kwh": Decimal(300)},
            {"band": "OffPeak", "grams_per_kwh": Decimal(300)},
            OFF,
            id="both hold",
        ),
        pytest.param(
            {"band": "OffPeak", "max_grams_per_kwh": Decimal(300)},
            {"band": "OffPeak", "grams_per_kwh": Decimal(301)},
            ON,
            id="one fails",
        ),
        pytest.param(
            {"band": "OffPeak", "max_grams_per_kwh": Decimal(300)},
            {"band": "OffPeak"},
            UNKNOWN,
            id="one lacks its data",
        ),
        pytest.param(
            {"band": "OffPeak", "max_grams_per_kwh": Decimal(300)},
            {"grams_per_kwh": Decimal(301)},
            ON,
            id="one fails, the other lacks its data",
        ),
        pytest.param({}, {}, OFF, id="no test at all"),
    ],
)
def test_an_instant_is_judged_by_every_test(
    test: dict[str, Any], payload: dict[str, Any], verdict: Verdict
) -> None:
    """On peak if one fails on known data, else unknown if one lacks its data."""
    if "max_price_per_kwh" in test:
        test = {**test, "currency": "EUR"}
    tariff = by_interval(interval(0, HOUR, payload.pop("price", None), **payload))
    assert line(tariff, OffPeakTest(**test)).verdict_at(AT) is verdict


@pytest.mark.parametrize(
    ("currency", "price", "verdict"),
    [("NOK", "1.0", OFF), ("NOK", "1.001", ON), ("SEK", "0.001", UNKNOWN), ("EUR", "0.1", OFF)],
)
def test_the_price_is_converted_before_it_is_compared(
    currency: str, price: str, verdict: Verdict
) -> None:
    """Without a rate it is not known whether it is cheap."""
    test = OffPeakTest(max_price_per_kwh=Decimal("0.1"), currency="EUR")
    assert line(hourly(price, currency=currency), test).verdict_at(AT) is verdict


@pytest.mark.parametrize(
    ("percent", "prices", "cheap"),
    [
        pytest.param(25, ["3", "1", "2", "4"], {1}, id="a quarter of four"),
        pytest.param(26, ["3", "1", "2", "4"], {1, 2}, id="a little more than a quarter"),
        pytest.param(50, ["3", "1", "2", "4"], {1, 2}, id="half"),
        pytest.param(51, ["3", "1", "2", "4"], {0, 1, 2}, id="more than half"),
        pytest.param(100, ["3", "1", "2", "4"], {0, 1, 2, 3}, id="all"),
        pytest.param(1, ["3", "1", "2", "4"], {1}, id="never none"),
        pytest.param(25, ["1", "1", "1", "4"], {0, 1, 2}, id="all of one price"),
        pytest.param(50, ["3", "1", None, None], {1}, id="of the known time only"),
        pytest.param(50, [None, None], set(), id="nothing known"),
    ],
)
def test_the_cheapest_hours_are_a_share_of_the_known_ones(
    percent: int, prices: list[str | None], cheap: set[int]
) -> None:
    """The threshold is the least price at or below which there is at least that share."""
    found = line(hourly(*prices), OffPeakTest(cheapest_percent_of_next_24_hours=percent))
    verdicts = [found.verdict_at(AT + hour * HOUR) for hour in range(len(prices))]
    assert {hour for hour, verdict in enumerate(verdicts) if verdict is OFF} == cheap
    assert {hour for hour, price in enumerate(prices) if price is None} == {
        hour for hour, verdict in enumerate(verdicts) if verdict is UNKNOWN
    }


def test_the_cheapest_hours_are_sought_within_a_day() -> None:
    """What is cheaper tomorrow lowers no threshold; what is as cheap later is off-peak too."""
    tariff = hourly(*["2"] * 12, *["1"] * 12, *["0.5"] * 6, *["1.5"] * 6)
    found = line(tariff, OffPeakTest(cheapest_percent_of_next_24_hours=50))
    hours = {hour for hour in range(36) if found.verdict_at(AT + hour * HOUR) is OFF}
    assert hours == set(range(12, 30))


def test_the_cheapest_hours_count_from_now() -> None:
    """Of an interval that has begun only the rest counts, and of the last one only a part."""
    test = OffPeakTest(cheapest_percent_of_next_24_hours=2)
    tariff = hourly("1", *["3"] * 23, "2")
    # 2 % of a day are 28.8 minutes: 29 of the first hour are enough, 28 are not.
    assert line(tariff, test, AT + 31 * MINUTE).verdict_at(AT + 24 * HOUR) is ON
    assert line(tariff, test, AT + 32 * MINUTE).verdict_at(AT + 24 * HOUR) is OFF


@pytest.mark.parametrize(
    ("start", "end", "worst", "priced"),
    [
        pytest.param(0, 60, OFF, True, id="until the peak begins"),
        pytest.param(0, 61, ON, True, id="a minute of peak"),
        pytest.param(60, 120, ON, True, id="all peak"),
        pytest.param(119, 121, ON, False, id="peak is worse than unknown"),
        pytest.param(120, 180, UNKNOWN, False, id="unknown"),
        pytest.param(179, 180, UNKNOWN, False, id="until a price is known again"),
        pytest.param(180, 240, OFF, True, id="cheap again"),
        pytest.param(180, 241, UNKNOWN, False, id="beyond all that is published"),
        pytest.param(90, 90, OFF, True, id="no time at all"),
        pytest.param(150, 150, OFF, True, id="no time at all, unknown"),
    ],
)
def test_a_stay_is_as_bad_as_its_worst_instant(
    start: int,
    end: int,
    worst: Verdict,
    priced: bool,  # noqa: FBT001 - a column of the table
) -> None:
    """Minutes after `AT`; the end of the stay is no part of it."""
    test = OffPeakTest(max_price_per_kwh=Decimal("0.2"), currency="EUR")
    found = line(hourly("0.1", "0.3", None, "0.2"), test)
    assert found.worst(AT + start * MINUTE, AT + end * MINUTE) is worst
    assert found.priced(AT + start * MINUTE, AT + end * MINUTE) is priced


def test_the_price_over_a_stay_is_the_sum_of_its_parts() -> None:
    """Half an hour at 0.1, an hour at 0.3, half an hour at 0.2."""
    found = line(hourly("0.1", "0.3", "0.2"))
    total = found.price_times_milliseconds(AT + 30 * MINUTE, AT + 150 * MINUTE)
    assert total == Fraction("0.45") * HOUR


def test_zones_are_known_as_far_as_calendars_are_looked_at() -> None:
    """At least a day past the fourteen days of windows, and not for good."""
    found = line(a_tariff(zones=(zone("00:00", "00:00", "OffPeak"),)))
    assert found.worst(AT, AT + 15 * DAY) is OFF
    assert found.worst(AT, AT + 18 * DAY) is UNKNOWN


@pytest.mark.parametrize(
    ("at", "ends"),
    [
        ("2026-03-28T22:00:00Z", "2026-03-29T04:00:00Z"),
        ("2026-10-24T22:00:00Z", "2026-10-25T05:00:00Z"),
    ],
)
def test_a_zone_ends_by_the_wall_clock_of_the_tariff(at: str, ends: str) -> None:
    """Six in the morning in Berlin, also in the nights in which the clocks are changed."""
    assert a_tariff().time_zone == BERLIN
    found, end = line(a_tariff(), at=instant(at)), instant(ends)
    assert found.worst(instant(at), end) is OFF
    assert found.verdict_at(end - 1) is OFF
    assert found.verdict_at(end) is ON


def test_segments_follow_each_other_without_a_gap() -> None:
    """From `at` on, the end of one is the start of the next."""
    found = line(hourly("0.1", None, "0.3", "0.3"))
    assert found.segments[0].start == AT
    ends = [segment.end for segment in found.segments]
    assert [segment.start for segment in found.segments[1:]] == ends[:-1]


def test_of_overlapping_intervals_the_one_published_last_is_in_force() -> None:
    """A revision by the hour replaces the quarters that it revises, whole."""
    quarter, hour = interval(0, HOUR // 4, "1"), interval(0, HOUR, "2", created_at=AT - HOUR)
    later = interval(HOUR // 4, HOUR // 4, "3", created_at=AT - 2 * HOUR)
    found = line(by_interval(hour, later, quarter))
    assert {found.price_at(AT + minute * MINUTE) for minute in range(60)} == {Fraction(2)}


@pytest.mark.parametrize(
    ("created_at", "forecast", "price"),
    [
        pytest.param(None, False, "1", id="published, nobody says when"),
        pytest.param(None, True, None, id="a forecast, nobody says of when"),
        pytest.param(AT - 6 * HOUR, True, "1", id="a forecast as old as may be"),
        pytest.param(AT - 6 * HOUR - 1, True, None, id="a forecast that is too old"),
        pytest.param(AT - 900 * DAY, False, "1", id="published long ago"),
        pytest.param(AT + 5_000, False, "1", id="a clock that runs ahead"),
        pytest.param(AT + 5_001, False, None, id="published later"),
    ],
)
def test_what_is_believed(created_at: int | None, forecast: bool, price: str | None) -> None:  # noqa: FBT001
    """What is not yet published, and forecasts that are too old, are as if not listed."""
    found = line(by_interval(interval(0, HOUR, "1", created_at=created_at, forecast=forecast)))
    assert found.price_at(AT) == (None if price is None else Fraction(price))


def test_a_forecast_that_has_grown_too_old_gives_way_to_what_it_stood_before() -> None:
    """Asked again a millisecond later, the published price is in force again."""
    tariff = by_interval(
        interval(0, 12 * HOUR, "1"),
        interval(0, 12 * HOUR, "2", created_at=AT - HOUR, forecast=True),
    )
    assert line(tariff, at=AT + 5 * HOUR).price_at(AT + 5 * HOUR) == 2
    assert line(tariff, at=AT + 5 * HOUR + 1).price_at(AT + 5 * HOUR + 1) == 1


@pytest.mark.parametrize(
    ("refreshed_at", "price"), [(AT - HOUR, 1), (AT - HOUR - 1, None), (None, None)]
)
def test_what_a_source_gave_too_long_ago_is_unknown(
    refreshed_at: int | None, price: int | None
) -> None:
    """A stale price is no price, and certainly not a cheap one."""
    tariff = by_interval(interval(0, HOUR, "1"), refreshed_at=refreshed_at, max_age=HOUR)
    cheap = OffPeakTest(max_price_per_kwh=Decimal(9), currency="EUR")
    assert line(tariff, cheap).price_at(AT) == price
    assert line(tariff, cheap).verdict_at(AT) is (UNKNOWN if price is None else OFF)


def test_grams_come_from_the_tariff_that_is_named_for_them() -> None:
    """Where the tariff states grams itself, these count; elsewhere those of the other one."""
    own = by_interval(
        interval(0, HOUR, "1"), interval(HOUR, HOUR, grams_per_kwh=Decimal(5)), carbon="grid"
    )
    grid = by_interval(interval(-HOUR, 9 * HOUR, grams_per_kwh=Decimal(300)), name="grid")
    found = price_line(own, BAND, AT, convert, carbon=grid)
    hours = [found.grams_at(AT + hour * HOUR) for hour in range(9)]
    assert hours == [300, 5, 300, 300, 300, 300, 300, 300, None]
    assert found.price_at(AT) == 1


def test_zones_get_their_grams_from_elsewhere_too() -> None:
    """The bands stay; a source that is stale gives no grams."""
    grid = by_interval(
        interval(0, HOUR, grams_per_kwh=Decimal(300)), name="grid", refreshed_at=AT, max_age=HOUR
    )
    clean = OffPeakTest(band="OffPeak", max_grams_per_kwh=Decimal(300))
    tariff = a_tariff(carbon="grid")
    assert price_line(tariff, clean, AT, convert, carbon=grid).verdict_at(AT) is OFF
    later = AT + HOUR + 1
    assert price_line(tariff, clean, later, convert, carbon=grid).verdict_at(later) is UNKNOWN
    assert price_line(tariff, clean, AT, convert).verdict_at(AT) is UNKNOWN


def test_the_cleanest_hours_are_found_like_the_cheapest() -> None:
    """Half of four known hours: the two with the fewest grams."""
    tariff = by_interval(
        *(
            interval(hour * HOUR, HOUR, grams_per_kwh=Decimal(grams))
            for hour, grams in enumerate((400, 100, 300, 200))
        )
    )
    found = line(tariff, OffPeakTest(cleanest_percent_of_next_24_hours=50))
    assert [found.verdict_at(AT + hour * HOUR) for hour in range(5)] == [ON, OFF, ON, OFF, UNKNOWN]


def test_what_is_exported_earns_what_is_stated() -> None:
    """Adders and tax do not touch it, and wholesale tariffs without adders have it too."""
    own = interval(0, HOUR, "1", export_price_per_kwh=Decimal("0.08"))
    tariff = by_interval(own, wholesale=True, tax_percent=Decimal(19))
    assert line(tariff).export_price_at(AT) == Fraction("0.08")
    assert line(tariff).export_price_at(AT + HOUR) is None
    assert line(tariff).price_at(AT) is None


def test_pieces_are_what_is_in_force_cut_to_a_stretch() -> None:
    """From, to, price and export price, none of them before `at`."""
    tariff = by_interval(
        interval(0, HOUR, "1"), interval(HOUR, HOUR, "2", export_price_per_kwh=Decimal(3))
    )
    assert list(line(tariff).pieces(AT - 9, AT + 90 * MINUTE)) == [
        (AT, AT + HOUR, Fraction(1), None),
        (AT + HOUR, AT + 90 * MINUTE, Fraction(2), Fraction(3)),
    ]
    assert list(line(tariff).pieces(AT, AT)) == []


def test_the_mean_price_is_that_of_the_time_which_has_one() -> None:
    """Weighted by time; without any known price there is none."""
    tariff = by_interval(interval(0, HOUR, "1"), interval(2 * HOUR, 3 * HOUR, "2"))
    assert line(tariff).mean_known_price(AT, AT + 24 * HOUR) == Fraction(7, 4)
    assert line(tariff).mean_known_price(AT + HOUR, AT + 2 * HOUR) is None


def test_a_zone_of_some_months_and_holidays() -> None:
    """In Bavaria, Epiphany is a holiday; the night zone of winter is in force then."""
    winter = Recurrence(EVERY_DAY, 0, 0, months=frozenset({12, 1, 2}), on_holidays=OnHolidays.ONLY)
    tariff = a_tariff(
        zones=(TariffZone("feast", winter, "OffPeak", Decimal("0.1")),),
        public_holidays=PublicHolidays("DE", "BY"),
    )
    for day, verdict in (("2026-01-06", OFF), ("2026-01-07", UNKNOWN), ("2026-05-01", UNKNOWN)):
        at = instant(f"{day}T12:00:00Z")
        assert line(tariff, at=at).verdict_at(at) is verdict
