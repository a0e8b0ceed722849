"""Series are joined by local weekday and hour: no clock is shifted, no hour is lost or doubled."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from idlewatt_operator.twin.datasets import caiso_carbon, ercot_prices
from idlewatt_operator.twin.places import DataError, HourlySeries, local_time
from idlewatt_scheduler.calendar import instant_of, wall_clock
from idlewatt_scheduler.model.units import HOUR

OSLO = ZoneInfo("Europe/Oslo")
KOLKATA = ZoneInfo("Asia/Kolkata")


def a_series(first: date, days: int) -> HourlySeries:
    """Make a series whose figure says day and hour: day of the month times 100 plus the hour."""
    values = {
        (day, hour): Decimal(day.day * 100 + hour)
        for day in (first + timedelta(days=n) for n in range(days))
        for hour in range(24)
    }
    return HourlySeries("a test's figures", "nowhere", values)


def test_a_day_of_its_own_stands_for_itself() -> None:
    """Where the series has the date, that date is used."""
    assert a_series(date(2022, 7, 1), 31).own_day(date(2022, 7, 12), 2) == date(2022, 7, 12)


def test_another_year_finds_the_same_weekday() -> None:
    """A date outside the series is joined with the nearest day of its weekday."""
    series = a_series(date(2022, 7, 1), 31)
    own = series.own_day(date(2021, 7, 14), 2)
    assert own == date(2022, 7, 13)
    assert own.weekday() == date(2021, 7, 14).weekday()


def test_a_month_far_away_finds_the_same_weekday_too() -> None:
    """In winter, too, a Sunday is joined with a Sunday, with room for the days that follow."""
    series = a_series(date(2022, 7, 1), 31)
    own = series.own_day(date(2021, 10, 31), 3)
    assert own.weekday() == 6
    assert own + timedelta(days=2) <= series.last_day


def test_more_days_than_there_are_is_a_sentence() -> None:
    """A series that is too short says so."""
    with pytest.raises(DataError, match="no 40 days in a row"):
        a_series(date(2022, 7, 1), 31).own_day(date(2021, 7, 14), 40)


def test_an_hour_that_occurs_twice_has_its_figure_twice() -> None:
    """On the night when clocks go back 25 hours are joined, the doubled one with one figure."""
    night = date(2021, 10, 31)
    joined = a_series(night, 2).joined(night, 2)
    start, end = wall_clock(night, 0, OSLO), wall_clock(night + timedelta(days=1), 0, OSLO)
    hours = list(joined.hours(start, end, OSLO))
    assert end - start == 25 * HOUR
    assert sum(until - begin for begin, until, _ in hours) == 25 * HOUR
    assert [int(value) % 100 for _, _, value in hours][:5] == [0, 1, 2, 2, 3]


def test_an_hour_that_is_missing_has_no_figure() -> None:
    """On the night when clocks go forward 23 hours are joined, and 02:00 is not among them."""
    night = date(2021, 3, 28)
    joined = a_series(night, 2).joined(night, 2)
    start, end = wall_clock(night, 0, OSLO), wall_clock(night + timedelta(days=1), 0, OSLO)
    hours = list(joined.hours(start, end, OSLO))
    assert len(hours) == 23
    assert [int(value) % 100 for _, _, value in hours][:4] == [0, 1, 3, 4]


def test_local_hours_begin_where_the_clock_says() -> None:
    """In a zone of half hours the figure changes on the local hour, not on UTC's."""
    day = date(2022, 7, 12)
    joined = a_series(day, 2).joined(day, 2)
    start = wall_clock(day, 0, KOLKATA)
    for begin, until, value in joined.hours(start, start + 24 * HOUR, KOLKATA):
        assert until - begin == HOUR
        assert local_time(begin, KOLKATA).minute == 0
        assert int(value) % 100 == local_time(begin, KOLKATA).hour


def test_prices_are_those_of_the_hour_that_ends_an_hour_later() -> None:
    """ERCOT's hour ending 16:00 is what a kWh costs from 15:00 on."""
    assert ercot_prices().values[date(2022, 7, 12), 15] == Decimal("0.30554")
    assert len(ercot_prices().values) == 31 * 24


def test_carbon_is_read_in_californian_time() -> None:
    """Whole local days in grams per kWh: the first hour of 1 July is 07:00 UTC."""
    series = caiso_carbon()
    assert (series.first_day, series.last_day) == (date(2019, 6, 30), date(2019, 7, 31))
    assert all(0 <= grams <= 1_000 for grams in series.values.values())
    joined = series.joined(date(2019, 7, 1), 1)
    utc = instant_of(datetime(2019, 7, 1, 7, tzinfo=UTC))
    california = ZoneInfo("America/Los_Angeles")
    assert joined.at(local_time(utc, california)) == series.values[date(2019, 7, 1), 0]


def test_what_is_joined_is_named_with_place_and_year() -> None:
    """Every output can say which days of which place it shows."""
    said = caiso_carbon().joined(date(2022, 7, 12), 2).says(2)
    assert said == "marginal CO2 (CAISO SCE), California, 9 to 10 July 2019"
    assert ercot_prices().joined(date(2022, 7, 12), 1).says(1).endswith("Texas, 12 July 2022")
