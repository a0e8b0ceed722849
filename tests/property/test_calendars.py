"""Calendars hold their laws in every zone, around every change of the clocks."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.property.walking import A_DAY, WallClock, listed, open_minutes, the_clock

from idlewatt_scheduler.calendar import (
    Timetable,
    merged,
    occurrences,
    open_until,
    timetable,
    wall_clock,
)
from idlewatt_scheduler.model.calendars import (
    EVERY_DAY,
    EVERY_MONTH,
    Interval,
    OnHolidays,
    PublicHolidays,
    Recurrence,
)
from idlewatt_scheduler.model.units import CALENDAR_HORIZON, DAY, FOREVER, HOUR, MINUTE
from idlewatt_scheduler.model.vehicle import ParkingException, ParkingWindow
from idlewatt_scheduler.testing import instant

Draw = Callable[[st.SearchStrategy[Any]], Any]

ZONES = [
    ZoneInfo(name)
    for name in (
        "UTC",
        "Europe/Berlin",
        "America/New_York",
        "Australia/Lord_Howe",
        "Asia/Kathmandu",
        "Pacific/Apia",
    )
]
YEAR = Interval(instant("2026-01-01T00:00:00Z"), instant("2027-01-01T00:00:00Z"))
CHANGES = [
    instant(text)
    for text in (
        "2026-03-29T01:00:00Z",
        "2026-10-25T01:00:00Z",
        "2026-03-08T07:00:00Z",
        "2026-11-01T06:00:00Z",
        "2026-04-04T15:00:00Z",
        "2026-10-03T15:30:00Z",
    )
]
"""When the clocks are changed in Berlin, in New York and on Lord Howe Island."""

PATIENT = settings(deadline=None, max_examples=150)
THOROUGH = settings(deadline=None, max_examples=250)

zones = st.sampled_from(ZONES)
minutes = st.one_of(
    st.integers(0, 24 * 60 - 1), st.sampled_from([0, 60, 90, 119, 120, 121, 150, 180, 1_439])
)
days = st.one_of(st.just(EVERY_DAY), st.frozensets(st.integers(0, 6), min_size=1))
recurrences = st.builds(Recurrence, days, minutes, minutes)
instants = st.one_of(
    st.integers(YEAR.start, YEAR.end),
    st.builds(int.__add__, st.sampled_from(CHANGES), st.integers(-3 * HOUR, 3 * HOUR)),
)


@st.composite
def stretches(draw: Draw, longest: int = 20 * DAY) -> Interval:
    """A part of the year and its surroundings."""
    start = draw(instants)
    return Interval(start, start + draw(st.integers(1, longest)))


@PATIENT
@given(recurrence=recurrences, zone=zones, within=stretches())
def test_occurrences_are_sorted_have_length_and_are_inside(
    recurrence: Recurrence, zone: ZoneInfo, within: Interval
) -> None:
    """Each lasts, has a part in the stretch, and starts after the one before."""
    found = list(occurrences(recurrence, zone, within))
    assert all(stretch.start < stretch.end for stretch in found)
    assert all(s.start < within.end and s.end > within.start for s in found)
    starts = [stretch.start for stretch in found]
    assert starts == sorted(set(starts))


@PATIENT
@given(recurrence=recurrences, zone=zones, within=stretches())
def test_an_occurrence_starts_on_its_day_and_is_at_most_a_day_long(
    recurrence: Recurrence, zone: ZoneInfo, within: Interval
) -> None:
    """Its start is on one of the days, at that wall time unless the clocks skip it."""
    for stretch in occurrences(recurrence, zone, within):
        local = datetime.fromtimestamp(stretch.start / 1_000, UTC).astimezone(zone)
        wall = local.hour * 60 + local.minute
        skipped = wall - recurrence.start_minutes
        assert local.date().weekday() in recurrence.days
        assert skipped == 0 or 0 < skipped <= 60
        assert stretch.end - stretch.start <= 25 * HOUR


@PATIENT
@given(recurrence=recurrences, zone=zones, within=stretches(), cut=st.integers(1, 10**10))
def test_looking_in_two_parts_finds_the_same(
    recurrence: Recurrence, zone: ZoneInfo, within: Interval, cut: int
) -> None:
    """What is found does not depend on where one starts to look."""
    middle = within.start + cut % (within.end - within.start)
    parts = [Interval(within.start, middle), Interval(middle, within.end)]
    found = {
        s for part in parts if part.start < part.end for s in occurrences(recurrence, zone, part)
    }
    assert sorted(found) == list(occurrences(recurrence, zone, within))


@pytest.mark.parametrize("zone", ZONES, ids=str)
@pytest.mark.parametrize("start", [0, 60, 90, 119, 120, 150, 180, 720, 1_439])
def test_a_window_of_a_whole_day_leaves_no_instant_of_the_year(zone: ZoneInfo, start: int) -> None:
    """Each day's ends as the next one begins, also where the clocks are changed in between."""
    found = list(occurrences(Recurrence(EVERY_DAY, start, start), zone, YEAR))
    (whole,) = merged(found)
    assert whole.start <= YEAR.start
    assert whole.end >= YEAR.end
    assert sum(s.end - s.start for s in found) == whole.end - whole.start


@PATIENT
@given(zone=zones, at=instants, first=minutes, second=minutes)
def test_a_day_and_its_complement_leave_no_gap(
    zone: ZoneInfo, at: int, first: int, second: int
) -> None:
    """From one wall time to another and back again a car is always there."""
    windows = [
        ParkingWindow("there", "depot-7", Recurrence(EVERY_DAY, first, second)),
        ParkingWindow("back", "depot-7", Recurrence(EVERY_DAY, second, first)),
    ]
    assert open_until(windows, "depot-7", zone, at) == at + CALENDAR_HORIZON


intervals = st.lists(
    st.builds(
        lambda start, length: Interval(start, start + length),
        st.integers(0, 40),
        st.integers(1, 10),
    ),
    max_size=12,
)


@PATIENT
@given(given=intervals)
def test_what_is_merged_is_in_order_and_apart(given: list[Interval]) -> None:
    """Nothing touches any more, and merging again changes nothing."""
    found = merged(given)
    assert all(a.end < b.start for a, b in pairwise(found))
    assert merged(found) == found


@PATIENT
@given(given=intervals)
def test_merging_covers_the_same_instants(given: list[Interval]) -> None:
    """Neither more nor less, in whatever order they come."""

    def covered(stretches: list[Interval]) -> set[int]:
        return {each for s in stretches for each in range(s.start, s.end)}

    assert covered(merged(given)) == covered(given)
    assert merged(reversed(given)) == merged(given)


@PATIENT
@given(
    zone=zones,
    at=instants,
    chosen=st.lists(st.builds(lambda r: ParkingWindow("w", "depot-7", r), recurrences), max_size=3),
    later=st.integers(0, 14 * DAY),
)
def test_a_car_that_is_there_stays_until_it_departs(
    zone: ZoneInfo, at: int, chosen: list[ParkingWindow], later: int
) -> None:
    """At every instant before the departure, the departure is the same or further ahead."""
    until = open_until(chosen, "depot-7", zone, at)
    if until is None:
        return
    assert at < until <= at + CALENDAR_HORIZON
    between = at + later % (until - at)
    again = open_until(chosen, "depot-7", zone, between)
    assert again is not None
    assert again == until or until == at + CALENDAR_HORIZON <= again


@PATIENT
@given(zone=zones, at=instants, minute=minutes)
def test_wall_times_follow_each_other_day_by_day(zone: ZoneInfo, at: int, minute: int) -> None:
    """One wall time is met once a day, 23 to 25 hours apart."""
    day = datetime.fromtimestamp(at / 1_000, UTC).astimezone(zone).date()
    apart = wall_clock(day + timedelta(days=1), minute, zone) - wall_clock(day, minute, zone)
    assert 23 * HOUR <= apart <= 25 * HOUR
    assert apart % (30 * MINUTE) == 0


CLOCKS = [
    ("Europe/Berlin", 2026),
    ("America/New_York", 2026),
    ("America/Santiago", 2026),
    ("Australia/Lord_Howe", 2026),
    ("Pacific/Chatham", 2026),
    ("Africa/Casablanca", 2026),
    ("America/St_Johns", 2010),
    ("Antarctica/Troll", 2026),
    ("Asia/Kolkata", 2026),
    ("Asia/Tehran", 2022),
    ("Pacific/Apia", 2011),
]
"""Nights of 23, 25, 23.5, 24.5, 22 and 26 hours, at midnight too, north and south, and a day that
Apia left out."""

clocks = st.sampled_from(CLOCKS).map(lambda named: the_clock(*named))


@st.composite
def scenes(draw: Draw) -> tuple[WallClock, dict[str, Any], int]:
    """A zone, what is known of a car's calendar there, and a minute to ask about."""
    clock = draw(clocks)
    near = st.sampled_from(clock.changes or [clock.year.start]).flatmap(
        lambda change: st.integers(change - 3 * A_DAY, change + A_DAY)
    )
    minute = draw(st.one_of(near, st.sampled_from(clock.year)))
    minute = min(max(minute, clock.year.start), clock.year.stop - 1)
    around = st.integers(minute - 2 * A_DAY, minute + 5 * A_DAY)
    today = date(1970, 1, 1) + timedelta(days=minute // A_DAY)
    dates = st.frozensets(
        st.integers(-3, 16).map(lambda later: today + timedelta(days=later)), max_size=8
    )
    recurring = st.builds(
        Recurrence,
        days=days,
        start_minutes=minutes,
        end_minutes=minutes,
        months=st.one_of(
            st.just(EVERY_MONTH), st.frozensets(st.integers(1, 12), min_size=1, max_size=11)
        ),
        on_holidays=st.sampled_from(OnHolidays),
        except_dates=dates,
    )
    sites = st.sampled_from(["depot-7", "depot-7", "depot-7", "depot-8"])
    windows = st.one_of(
        st.builds(ParkingWindow, st.just("w"), sites, recurrence=recurring),
        st.builds(
            lambda site, start, length: ParkingWindow(
                "once", site, None, start * MINUTE, (start + length) * MINUTE
            ),
            sites,
            around,
            st.integers(1, 3 * A_DAY),
        ),
    )
    exceptions = st.builds(
        lambda site, start, length: ParkingException(
            "away", start * MINUTE, (start + length) * MINUTE, site
        ),
        st.sampled_from([None, "depot-7", "depot-8"]),
        around,
        st.integers(1, 2 * A_DAY),
    )
    return (
        clock,
        {
            "windows": tuple(draw(st.lists(windows, max_size=4))),
            "exceptions": tuple(draw(st.lists(exceptions, max_size=3))),
            "holidays": PublicHolidays(additional=draw(dates), excluded=draw(dates)),
        },
        minute,
    )


def asked(clock: WallClock, known: dict[str, Any], at: int) -> Timetable:
    """The timetable for an instant."""
    return timetable(
        known["windows"],
        "depot-7",
        clock.zone,
        at,
        exceptions=known["exceptions"],
        holidays=known["holidays"],
    )


def walked(clock: WallClock, known: dict[str, Any], within: range) -> bytearray:
    """What the walker finds open."""
    holidays = listed(known["holidays"])
    return open_minutes(clock, known["windows"], known["exceptions"], holidays, within)


@THOROUGH
@given(scene=scenes(), past=st.integers(0, MINUTE - 1))
def test_a_timetable_says_what_a_walk_through_the_minutes_finds(
    scene: tuple[WallClock, dict[str, Any], int], past: int
) -> None:
    """Whether a window is open, until when, and when that changes next."""
    clock, known, minute = scene
    at = minute * MINUTE + past
    table = asked(clock, known, at)
    found = walked(clock, known, range(minute, minute + 14 * A_DAY + 1))
    change = found.find(0 if found[0] else 1)
    changes_at = None if change < 0 else (minute + change) * MINUTE
    assert table.open_at(at) is bool(found[0])
    if found[0]:
        assert table.open_until(at) == min(changes_at or FOREVER, at + CALENDAR_HORIZON)
    else:
        assert table.open_until(at) is None
    within = changes_at is not None and changes_at < at + CALENDAR_HORIZON
    assert table.next_change(at) == (changes_at if within else None)


@THOROUGH
@given(scene=scenes())
def test_a_timetable_answers_for_its_whole_day_and_14_days_ahead(
    scene: tuple[WallClock, dict[str, Any], int],
) -> None:
    """Every minute of the fifteen days is open exactly where the walker says so."""
    clock, known, minute = scene
    first = minute // A_DAY * A_DAY
    within = range(first, first + 15 * A_DAY)
    table = asked(clock, known, minute * MINUTE)
    shown = bytearray(len(within))
    for start, end in zip(table.starts, table.ends, strict=True):
        assert start < end
        begin, stop = max(start // MINUTE - first, 0), min(end // MINUTE - first, len(shown))
        shown[begin:stop] = b"\x01" * (stop - begin)
    assert shown == walked(clock, known, within)
    assert all(end < start for end, start in zip(table.ends, table.starts[1:], strict=False))


@pytest.mark.parametrize("named", CLOCKS, ids=lambda named: named[0])
def test_every_minute_of_a_year_is_as_the_walker_finds_it(named: tuple[str, int]) -> None:
    """Nights over midnight, hours in which clocks are changed, work days: day after day."""
    clock = the_clock(*named)
    recurrences = [
        Recurrence(EVERY_DAY, 22 * 60, 6 * 60),
        Recurrence(frozenset({0, 2, 4}), 2 * 60 + 15, 2 * 60 + 45),
        Recurrence(frozenset({5, 6}), 23 * 60 + 30, 30),
        Recurrence(frozenset({1, 3}), 0, 0, months=frozenset({3, 4, 9, 10, 12})),
    ]
    for recurrence in recurrences:
        known: dict[str, Any] = {
            "windows": (ParkingWindow("w", "depot-7", recurrence),),
            "exceptions": (),
            "holidays": PublicHolidays(),
        }
        year = clock.year
        shown = bytearray(len(year))
        for day in range(year.start, year.stop, A_DAY):
            table = asked(clock, known, day * MINUTE)
            for start, end in zip(table.starts, table.ends, strict=True):
                first = max(start // MINUTE, day) - year.start
                last = min(end // MINUTE, day + A_DAY) - year.start
                shown[first:last] = b"\x01" * max(last - first, 0)
        assert shown == walked(clock, known, year)
