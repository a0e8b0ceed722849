"""Calendars: daylight saving on three continents, and the edges of windows to the millisecond."""

from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from idlewatt_scheduler.calendar import (
    Timetable,
    instant_of,
    local_day,
    merged,
    occurrences,
    open_until,
    timetable,
    wall_clock,
)
from idlewatt_scheduler.model.calendars import (
    EVERY_DAY,
    Interval,
    OnHolidays,
    PublicHolidays,
    Recurrence,
)
from idlewatt_scheduler.model.units import DAY, HOUR, MINUTE
from idlewatt_scheduler.model.vehicle import ParkingException, ParkingWindow
from idlewatt_scheduler.testing import AT, BERLIN, instant

NEW_YORK = ZoneInfo("America/New_York")
LORD_HOWE = ZoneInfo("Australia/Lord_Howe")
THURSDAY, FRIDAY = 3, 4
NIGHT = Recurrence(EVERY_DAY, 22 * 60, 6 * 60)


def minutes(wall: str) -> int:
    """A wall time `HH:MM` in minutes after midnight."""
    return int(wall[:2]) * 60 + int(wall[3:])


def between(start: str, end: str) -> Interval:
    """Two moments as an interval."""
    return Interval(instant(start), instant(end))


@pytest.mark.parametrize(
    ("microseconds", "expected"), [(0, 1_000), (1, 1_001), (999, 1_001), (1_000, 1_001)]
)
def test_moments_are_rounded_up_to_the_millisecond(microseconds: int, expected: int) -> None:
    """A moment is never taken for an earlier one."""
    assert instant_of(datetime(1970, 1, 1, 0, 0, 1, microseconds, tzinfo=UTC)) == expected


@pytest.mark.parametrize(
    ("zone", "day", "wall", "expected"),
    [
        (BERLIN, date(2026, 1, 15), "18:00", "2026-01-15T17:00:00Z"),
        (BERLIN, date(2026, 7, 15), "00:00", "2026-07-14T22:00:00Z"),
        (BERLIN, date(2026, 3, 29), "01:59", "2026-03-29T00:59:00Z"),
        (BERLIN, date(2026, 3, 29), "02:00", "2026-03-29T01:00:00Z"),
        (BERLIN, date(2026, 3, 29), "02:30", "2026-03-29T01:30:00Z"),
        (BERLIN, date(2026, 3, 29), "03:00", "2026-03-29T01:00:00Z"),
        (BERLIN, date(2026, 10, 25), "02:00", "2026-10-25T00:00:00Z"),
        (BERLIN, date(2026, 10, 25), "02:59", "2026-10-25T00:59:00Z"),
        (BERLIN, date(2026, 10, 25), "03:00", "2026-10-25T02:00:00Z"),
        (NEW_YORK, date(2026, 3, 8), "02:30", "2026-03-08T07:30:00Z"),
        (NEW_YORK, date(2026, 11, 1), "01:30", "2026-11-01T05:30:00Z"),
        (NEW_YORK, date(2026, 11, 1), "02:00", "2026-11-01T07:00:00Z"),
        (LORD_HOWE, date(2026, 10, 4), "02:15", "2026-10-03T15:45:00Z"),
        (LORD_HOWE, date(2026, 10, 4), "02:30", "2026-10-03T15:30:00Z"),
        (LORD_HOWE, date(2026, 4, 5), "01:45", "2026-04-04T14:45:00Z"),
        (LORD_HOWE, date(2026, 4, 5), "02:00", "2026-04-04T15:30:00Z"),
    ],
)
def test_a_wall_time_is_the_first_or_moves_on_by_the_gap(
    zone: ZoneInfo, day: date, wall: str, expected: str
) -> None:
    """One that occurs twice is the first of the two; one that is skipped is as much later."""
    assert wall_clock(day, minutes(wall), zone) == instant(expected)


@pytest.mark.parametrize(
    ("at", "zone", "day"),
    [
        ("2026-01-15T22:59:59Z", BERLIN, date(2026, 1, 15)),
        ("2026-01-15T23:00:00Z", BERLIN, date(2026, 1, 16)),
        ("2026-01-15T12:59:59Z", LORD_HOWE, date(2026, 1, 15)),
        ("2026-01-15T13:00:00Z", LORD_HOWE, date(2026, 1, 16)),
    ],
)
def test_a_day_begins_at_local_midnight(at: str, zone: ZoneInfo, day: date) -> None:
    """The last second of a day and the first of the next."""
    assert local_day(instant(at), zone) == day


@pytest.mark.parametrize(
    ("zone", "start", "end", "around", "hours"),
    [
        (BERLIN, "22:00", "06:00", "2026-01-16T00:00:00Z", 8.0),
        (BERLIN, "22:00", "06:00", "2026-03-29T00:00:00Z", 7.0),
        (BERLIN, "22:00", "06:00", "2026-10-25T00:00:00Z", 9.0),
        (BERLIN, "00:00", "00:00", "2026-03-29T00:00:00Z", 23.0),
        (BERLIN, "00:00", "00:00", "2026-10-25T00:00:00Z", 25.0),
        (BERLIN, "01:00", "02:30", "2026-10-25T00:00:00Z", 1.5),
        (BERLIN, "01:00", "03:00", "2026-10-25T00:00:00Z", 3.0),
        (NEW_YORK, "22:00", "06:00", "2026-03-08T07:00:00Z", 7.0),
        (NEW_YORK, "22:00", "06:00", "2026-11-01T06:00:00Z", 9.0),
        (LORD_HOWE, "22:00", "06:00", "2026-10-03T15:30:00Z", 7.5),
        (LORD_HOWE, "22:00", "06:00", "2026-04-04T15:00:00Z", 8.5),
    ],
)
def test_an_occurrence_is_as_long_as_that_night_is(
    zone: ZoneInfo, start: str, end: str, around: str, hours: float
) -> None:
    """The changes of the clocks make nights shorter and longer by what they are moved."""
    moment = instant(around)
    recurrence = Recurrence(EVERY_DAY, minutes(start), minutes(end))
    (found,) = occurrences(recurrence, zone, Interval(moment, moment + 1))
    assert found.end - found.start == hours * HOUR


@pytest.mark.parametrize(
    ("start", "end"), [("02:00", "03:00"), ("02:30", "03:00"), ("02:30", "03:30")]
)
def test_what_the_clocks_leave_no_length_is_no_occurrence(start: str, end: str) -> None:
    """In the hour that is skipped nothing takes place, not even backwards."""
    recurrence = Recurrence(EVERY_DAY, minutes(start), minutes(end))
    within = between("2026-03-28T12:00:00Z", "2026-03-29T12:00:00Z")
    assert list(occurrences(recurrence, BERLIN, within)) == []


def test_an_occurrence_belongs_to_the_day_on_which_it_starts() -> None:
    """Friday's night lasts until Saturday morning, and Saturday has none of its own."""
    recurrence = Recurrence(frozenset({FRIDAY}), 22 * 60, 6 * 60)
    within = between("2026-01-15T00:00:00Z", "2026-01-19T00:00:00Z")
    night = between("2026-01-16T21:00:00Z", "2026-01-17T05:00:00Z")
    assert list(occurrences(recurrence, BERLIN, within)) == [night]


def test_an_end_that_is_the_start_is_a_whole_day() -> None:
    """From six to six is twenty-four hours, not none."""
    recurrence = Recurrence(frozenset({THURSDAY}), 6 * 60, 6 * 60)
    within = between("2026-01-15T12:00:00Z", "2026-01-15T13:00:00Z")
    day = between("2026-01-15T05:00:00Z", "2026-01-16T05:00:00Z")
    assert list(occurrences(recurrence, BERLIN, within)) == [day]


@pytest.mark.parametrize(
    ("start", "end", "count"),
    [
        ("2026-01-16T05:00:00Z", "2026-01-16T21:00:00Z", 0),
        ("2026-01-16T04:59:59.999Z", "2026-01-16T21:00:00Z", 1),
        ("2026-01-16T05:00:00Z", "2026-01-16T21:00:00.001Z", 1),
        ("2026-01-16T04:59:59.999Z", "2026-01-16T21:00:00.001Z", 2),
    ],
)
def test_an_occurrence_counts_if_a_millisecond_of_it_is_inside(
    start: str, end: str, count: int
) -> None:
    """One that ends as the stretch begins is outside, and so is one that begins as it ends."""
    assert len(list(occurrences(NIGHT, BERLIN, between(start, end)))) == count


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ([], []),
        ([(3, 4), (1, 2)], [(1, 2), (3, 4)]),
        ([(1, 2), (2, 3)], [(1, 3)]),
        ([(1, 5), (2, 3)], [(1, 5)]),
        ([(1, 3), (2, 5), (5, 6), (8, 9)], [(1, 6), (8, 9)]),
        ([(1, 2), (1, 4), (1, 3)], [(1, 4)]),
    ],
)
def test_what_touches_or_overlaps_is_one(
    given: list[tuple[int, int]], expected: list[tuple[int, int]]
) -> None:
    """Stretches come back in order, joined where there is nothing between them."""
    assert merged(Interval(*pair) for pair in given) == [Interval(*pair) for pair in expected]


def once(start: int, end: int, where: str = "depot-7") -> ParkingWindow:
    """A dated window, from and to so many milliseconds after `AT`."""
    return ParkingWindow("once", where, start=AT + start, end=AT + end)


def nightly(start: str, end: str, where: str = "depot-7") -> ParkingWindow:
    """A recurring window in Berlin's wall times."""
    return ParkingWindow("nightly", where, Recurrence(EVERY_DAY, minutes(start), minutes(end)))


@pytest.mark.parametrize(
    ("windows", "after"),
    [
        pytest.param([], None, id="no window"),
        pytest.param([once(-1, 1)], 1, id="open"),
        pytest.param([once(0, 1)], 1, id="it opens now"),
        pytest.param([once(-1, 0)], None, id="it closes now"),
        pytest.param([once(1, 2)], None, id="it opens in a millisecond"),
        pytest.param([once(-1, HOUR, "depot-8")], None, id="at another site"),
        pytest.param([once(-1, HOUR), once(HOUR, 2 * HOUR)], 2 * HOUR, id="they touch"),
        pytest.param([once(-1, HOUR), once(HOUR + 1, 2 * HOUR)], HOUR, id="a gap between them"),
        pytest.param(
            [once(-1, HOUR), once(HOUR, 2 * HOUR, "depot-8")], HOUR, id="the next one elsewhere"
        ),
        pytest.param([once(-1, 3 * HOUR), once(HOUR, 2 * HOUR)], 3 * HOUR, id="one in the other"),
        pytest.param([nightly("18:00", "07:00")], 8 * HOUR, id="a night"),
        pytest.param([nightly("23:00", "07:00")], 8 * HOUR, id="a night that begins now"),
        pytest.param([nightly("07:00", "23:00")], None, id="a day that ends now"),
        pytest.param(
            [nightly("18:00", "07:00"), nightly("07:00", "18:00")], 14 * DAY, id="day and night"
        ),
        pytest.param(
            [nightly("18:00", "07:00"), once(8 * HOUR, 30 * HOUR)],
            # The dated one ends on Saturday at 05:00, in the middle of Friday's night.
            32 * HOUR,
            id="a night, a day off and the night after it",
        ),
        pytest.param([nightly("00:00", "00:00")], 14 * DAY, id="always"),
        pytest.param([once(-DAY, 14 * DAY)], 14 * DAY, id="as far as one looks"),
        pytest.param([once(-DAY, 14 * DAY + 1)], 14 * DAY, id="further than one looks"),
        pytest.param([once(-DAY, 14 * DAY - 1)], 14 * DAY - 1, id="less far than one looks"),
    ],
)
def test_the_car_departs_when_the_open_windows_end(
    windows: list[ParkingWindow], after: int | None
) -> None:
    """Windows that are one are left at the last end, and none is looked at beyond 14 days."""
    until = open_until(windows, "depot-7", BERLIN, AT)
    assert until == (None if after is None else AT + after)


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        ("2026-03-28T20:00:00Z", "2026-03-29T05:00:00Z"),
        ("2026-10-24T20:00:00Z", "2026-10-25T06:00:00Z"),
    ],
)
def test_a_night_of_daylight_saving_ends_by_the_wall_clock(at: str, expected: str) -> None:
    """Seven in the morning is seven in the morning, however long the night was."""
    until = open_until([nightly("18:00", "07:00")], "depot-7", BERLIN, instant(at))
    assert until == instant(expected)


def test_windows_are_kept_in_the_time_zone_of_the_site() -> None:
    """The same wall times end elsewhere at another instant."""
    windows = [nightly("18:00", "07:00")]
    at = instant("2026-01-15T04:00:00Z")
    assert open_until(windows, "depot-7", NEW_YORK, at) == instant("2026-01-15T12:00:00Z")
    assert open_until(windows, "depot-7", BERLIN, at) == instant("2026-01-15T06:00:00Z")


def test_days_of_a_window_are_days_of_its_start() -> None:
    """On Friday morning, Thursday's night is still open and Friday's is not looked for."""
    only = ParkingWindow(
        "thursday", "depot-7", Recurrence(frozenset({THURSDAY}), minutes("18:00"), minutes("07:00"))
    )
    friday_morning = instant("2026-01-16T05:00:00Z")
    friday_night = friday_morning + 16 * HOUR
    assert open_until([only], "depot-7", BERLIN, friday_morning) == instant("2026-01-16T06:00:00Z")
    assert open_until([only], "depot-7", BERLIN, friday_night) is None
    assert open_until([only], "depot-7", BERLIN, friday_morning + HOUR - MINUTE) is not None


def ahead(*windows: ParkingWindow, **more: Any) -> Timetable:  # noqa: ANN401
    """The timetable of some windows at depot-7 in Berlin, for the day of `AT`."""
    return timetable(windows, "depot-7", BERLIN, AT, **more)


def test_a_timetable_tells_what_is_open_and_what_comes_next() -> None:
    """`AT` is 23:00 in Berlin: the night is open until 07:00, the next opens at 18:00."""
    table = ahead(nightly("18:00", "07:00"))
    closes, opens = instant("2026-01-16T06:00:00Z"), instant("2026-01-16T17:00:00Z")
    assert table.open_at(AT)
    assert table.open_until(AT) == table.next_change(AT) == closes
    assert table.open_at(closes - 1)
    assert not table.open_at(closes)
    assert table.open_until(closes) is None
    assert table.next_change(closes) == opens
    assert table.next_change(opens) == closes + DAY


def test_where_nothing_changes_within_the_horizon_none_is_told() -> None:
    """A car without windows, and one that may always stand there."""
    assert ahead().next_change(AT) is None
    assert not ahead().open_at(AT)
    always = ahead(nightly("00:00", "00:00"))
    assert always.next_change(AT) is None
    assert always.open_until(AT) == AT + 14 * DAY


@pytest.mark.parametrize(
    ("start", "end", "site", "until"),
    [
        pytest.param(HOUR, 2 * HOUR, None, HOUR, id="it leaves for an hour"),
        pytest.param(HOUR, 2 * HOUR, "depot-7", HOUR, id="from this site"),
        pytest.param(HOUR, 2 * HOUR, "depot-8", 8 * HOUR, id="from another site"),
        pytest.param(-HOUR, 1, None, None, id="away until a millisecond later"),
        pytest.param(-HOUR, 0, None, 8 * HOUR, id="back this very millisecond"),
        pytest.param(8 * HOUR, 9 * HOUR, None, 8 * HOUR, id="after it has left"),
    ],
)
def test_exceptions_are_taken_out(
    start: int, end: int, site: str | None, until: int | None
) -> None:
    """Half-open, and only at their site."""
    away = (ParkingException("away", AT + start, AT + end, site),)
    found = ahead(nightly("18:00", "07:00"), exceptions=away).open_until(AT)
    assert found == (None if until is None else AT + until)


def test_an_exception_in_a_window_leaves_two_stretches() -> None:
    """After it, the car is there again."""
    away = (ParkingException("away", AT + HOUR, AT + 2 * HOUR),)
    table = ahead(nightly("18:00", "07:00"), exceptions=away)
    assert table.next_change(AT + HOUR) == AT + 2 * HOUR
    assert table.open_until(AT + 2 * HOUR) == AT + 8 * HOUR


@pytest.mark.parametrize(
    ("on_holidays", "opens"),
    [
        (OnHolidays.AS_USUAL, ["2026-01-05", "2026-01-07"]),
        (OnHolidays.NEVER, ["2026-01-05", "2026-01-07"]),
        (OnHolidays.ONLY, []),
        (OnHolidays.ALWAYS, ["2026-01-05", "2026-01-06", "2026-01-07"]),
    ],
)
def test_what_a_public_holiday_does_to_a_window(on_holidays: OnHolidays, opens: list[str]) -> None:
    """Epiphany 2026 is a Tuesday; the window is of Mondays and Wednesdays."""
    recurrence = Recurrence(frozenset({0, 2}), 480, 540, on_holidays=on_holidays)
    week = between("2026-01-04T23:00:00Z", "2026-01-08T23:00:00Z")
    found = occurrences(recurrence, BERLIN, week, PublicHolidays("DE", "BY"))
    assert [str(local_day(each.start, BERLIN)) for each in found] == opens


def test_a_window_belongs_to_the_day_on_which_it_starts() -> None:
    """The night before a holiday is no holiday's night; months and exceptions ask the same day."""
    night = Recurrence(
        EVERY_DAY,
        22 * 60,
        6 * 60,
        months=frozenset({1}),
        on_holidays=OnHolidays.NEVER,
        except_dates=frozenset({date(2026, 1, 30)}),
    )
    place = PublicHolidays(additional=frozenset({date(2026, 1, 29)}))
    week = between("2026-01-28T11:00:00Z", "2026-02-03T11:00:00Z")
    found = [local_day(each.start, BERLIN) for each in occurrences(night, BERLIN, week, place)]
    assert found == [date(2026, 1, 28), date(2026, 1, 31)]


def test_a_timetable_is_compiled_once_a_day() -> None:
    """The same windows, even if they are read anew, get the very same timetable."""
    first = ahead(nightly("18:00", "07:00"))
    assert timetable([nightly("18:00", "07:00")], "depot-7", BERLIN, AT + HOUR) is first
    assert timetable([nightly("18:00", "07:00")], "depot-7", BERLIN, AT + DAY) is not first
