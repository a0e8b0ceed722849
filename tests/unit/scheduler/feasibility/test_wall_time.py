"""Wall times become instants as the rules say, through both nights of a daylight saving year."""

from dataclasses import replace
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from idlewatt_scheduler.feasibility.wall_time import (
    as_datetime,
    end_of_month,
    occurrences,
    open_window_end,
    same_month,
)
from idlewatt_scheduler.model.calendars import (
    EVERY_DAY,
    Interval,
    OnHolidays,
    PublicHolidays,
    Recurrence,
)
from idlewatt_scheduler.model.units import DAY, HOUR
from idlewatt_scheduler.model.vehicle import ParkingException, ParkingWindow
from idlewatt_scheduler.testing import a_site, a_vehicle, instant

BERLIN = ZoneInfo("Europe/Berlin")
SPRING, AUTUMN = "2026-03-29T", "2026-10-25T"
"""In spring 02:00 to 03:00 is missing, in autumn it occurs twice."""


def daily(start: str, end: str) -> Recurrence:
    """Every day between two wall times."""
    begin, finish = (int(text[:2]) * 60 + int(text[3:]) for text in (start, end))
    return Recurrence(EVERY_DAY, begin, finish)


def on_day_of(start: str, end: str, day: str) -> list[tuple[str, str]]:
    """The occurrences of a daily stretch that start on one Berlin day, in UTC."""
    noon = instant(f"{day}11:00:00Z")
    local_midnight = instant(f"{day}00:00:00+01:00") - HOUR
    return [
        (_text(each.start), _text(each.end))
        for each in occurrences(daily(start, end), BERLIN, noon, noon)
        if local_midnight <= each.start < local_midnight + DAY
    ]


def _text(moment: int) -> str:
    hours, minutes = divmod(moment % DAY // 60_000, 60)
    return f"{hours:02}:{minutes:02}"


@pytest.mark.parametrize(
    ("day", "start", "end", "expected"),
    [
        (SPRING, "01:30", "03:30", [("00:30", "01:30")]),
        (SPRING, "02:30", "04:00", [("01:30", "02:00")]),
        (SPRING, "01:00", "02:30", [("00:00", "01:30")]),
        (SPRING, "02:30", "03:15", []),
        (AUTUMN, "01:30", "02:30", [("23:30", "00:30")]),
        (AUTUMN, "02:30", "03:30", [("00:30", "02:30")]),
    ],
)
def test_daylight_saving(day: str, start: str, end: str, expected: list[tuple[str, str]]) -> None:
    """A missing time moves on by the gap, of a double one the first counts, empty is empty."""
    assert on_day_of(start, end, day) == expected


def test_a_stretch_belongs_to_the_day_on_which_it_starts() -> None:
    """A Friday night lasts into Saturday; there is no Saturday night."""
    friday = Recurrence(frozenset({4}), 22 * 60, 6 * 60)
    first = instant("2026-01-17T00:00:00+01:00")
    (night,) = occurrences(friday, BERLIN, first, first + DAY)
    assert night == Interval(first - 2 * HOUR, first + 6 * HOUR)


def end_of(*windows: tuple[str, str], at: str = "2026-01-15T22:00:00Z") -> str | None:
    """The hour and minute, in UTC, at which the daily windows open at `at` end."""
    recurrences = [daily(*window) for window in windows]
    vehicle = a_vehicle(
        windows=tuple(ParkingWindow(f"w{n}", "s", each) for n, each in enumerate(recurrences))
    )
    end = open_window_end(vehicle, a_site(name="s"), instant(at))
    return None if end is None else _text(end)


def test_windows_that_touch_or_overlap_are_one() -> None:
    """23:00 is within the first; what follows without a gap prolongs it."""
    assert end_of(("22:00", "23:30")) == "22:30"
    assert end_of(("22:00", "23:30"), ("23:30", "01:00")) == "00:00"
    assert end_of(("22:00", "23:30"), ("23:00", "00:15"), ("00:00", "02:00")) == "01:00"
    assert end_of(("22:00", "23:30"), ("23:31", "01:00")) == "22:30"
    assert end_of(("22:00", "02:00"), ("23:30", "01:00")) == "01:00"


def test_a_window_is_open_from_its_start_to_before_its_end() -> None:
    """Half-open, as every stay."""
    assert end_of(("23:00", "23:30")) == "22:30"
    assert end_of(("22:00", "23:00")) is None
    assert end_of(("23:01", "23:30")) is None


def test_nobody_looks_further_than_fourteen_days() -> None:
    """Round-the-clock parking ends at the horizon, and so does a very long holiday."""
    at = instant("2026-01-15T22:00:00Z")
    always = ParkingWindow("always", "s", Recurrence(EVERY_DAY, 0, 0))
    holiday = ParkingWindow("holiday", "s", start=at - HOUR, end=at + 100 * DAY)
    for window in (always, holiday):
        vehicle = a_vehicle(windows=(window,))
        assert open_window_end(vehicle, a_site(name="s"), at) == at + 14 * DAY


NEW_YEARS_EVE = instant("2026-12-31T12:00:00Z")
GERMAN = PublicHolidays("DE", "BY")


def days(recurrence: Recurrence, observed: PublicHolidays = GERMAN) -> list[str]:
    """The days around New Year, in Berlin, on which an occurrence starts."""
    around = (NEW_YEARS_EVE - DAY, NEW_YEARS_EVE + 6 * DAY)
    found = occurrences(recurrence, BERLIN, *around, observed)
    return [as_datetime(each.start).astimezone(BERLIN).strftime("%a%d") for each in found]


ALL = ["Mon28", "Tue29", "Wed30", "Thu31", "Fri01", "Sat02", "Sun03", "Mon04", "Tue05", "Wed06"]
FRIDAYS = frozenset({4})


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, [*ALL, "Thu07"]),
        ({"months": frozenset({12})}, ALL[:4]),
        ({"except_dates": frozenset({date(2026, 12, 31)})}, [*ALL[:3], *ALL[4:], "Thu07"]),
        ({"on_holidays": OnHolidays.NEVER}, [*ALL[:4], *ALL[5:9], "Thu07"]),
        ({"on_holidays": OnHolidays.ONLY}, ["Fri01", "Wed06"]),
        ({"days": FRIDAYS, "on_holidays": OnHolidays.ONLY}, ["Fri01"]),
        ({"days": FRIDAYS, "on_holidays": OnHolidays.ALWAYS}, ["Fri01", "Wed06"]),
        ({"days": FRIDAYS, "on_holidays": OnHolidays.NEVER}, []),
    ],
)
def test_a_stretch_starts_on_its_days_only(fields: dict[str, Any], expected: list[str]) -> None:
    """Months, dates and public holidays are asked of the day on which it starts."""
    assert days(replace(daily("18:00", "07:00"), **fields)) == expected


@pytest.mark.parametrize(
    ("observed", "expected"),
    [
        (PublicHolidays(), []),
        (PublicHolidays("DE"), ["Fri01"]),
        (PublicHolidays("DE", excluded=frozenset({date(2027, 1, 1)})), []),
        (PublicHolidays(additional=frozenset({date(2027, 1, 2)})), ["Sat02"]),
        (PublicHolidays("XX"), []),
        (PublicHolidays("DE", "XX"), []),
    ],
)
def test_public_holidays_are_those_of_the_place(
    observed: PublicHolidays, expected: list[str]
) -> None:
    """Of the country and its subdivision, with those added, without those struck."""
    holidays_only = replace(daily("00:00", "12:00"), on_holidays=OnHolidays.ONLY)
    assert days(holidays_only, observed) == expected


@pytest.mark.parametrize(
    ("exceptions", "expected"),
    [
        ([], "06:00"),
        ([(1, 2, None)], "23:00"),
        ([(1, 2, "s")], "23:00"),
        ([(1, 2, "elsewhere")], "06:00"),
        ([(3, 4, None), (2, 3, None)], "00:00"),
        ([(-1, 0, None)], "06:00"),
        ([(-1, 1, None)], None),
        ([(0, 1, None)], None),
        ([(20, 30, None)], "06:00"),
    ],
)
def test_an_exception_is_taken_out_of_the_windows(
    exceptions: list[tuple[int, int, str | None]], expected: str | None
) -> None:
    """After these were made one, half-open, at the site it names or at every one."""
    at = instant("2026-01-15T22:00:00Z")
    windows = [daily("18:00", "23:30"), daily("23:30", "07:00")]
    vehicle = a_vehicle(
        windows=tuple(ParkingWindow(f"w{n}", "s", each) for n, each in enumerate(windows)),
        exceptions=tuple(
            ParkingException("away", at + start * HOUR, at + end * HOUR, site)
            for start, end, site in exceptions
        ),
    )
    end = open_window_end(vehicle, a_site(name="s"), at)
    assert (None if end is None else _text(end)) == expected


def test_a_month_ends_at_local_midnight() -> None:
    """In December the year ends with it."""
    assert end_of_month(NEW_YEARS_EVE, BERLIN) == instant("2027-01-01T00:00:00+01:00")
    june = instant("2026-06-30T23:00:00Z")
    assert end_of_month(june, BERLIN) == instant("2026-08-01T00:00:00+02:00")
    assert same_month(NEW_YEARS_EVE, NEW_YEARS_EVE - 30 * DAY, BERLIN)
    assert not same_month(NEW_YEARS_EVE, NEW_YEARS_EVE - 31 * DAY, BERLIN)
    assert not same_month(NEW_YEARS_EVE, NEW_YEARS_EVE - 365 * DAY, BERLIN)
