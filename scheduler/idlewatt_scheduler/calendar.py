"""Calendars: when a recurrence takes place, which windows are one, and when a car departs.

Wall times are turned into instants by the time zone alone: one that occurs twice is the
first, one that is missing moves on by the gap. Both are what `fold=0` means to `datetime`.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from idlewatt_scheduler.model.calendars import Interval, Recurrence
from idlewatt_scheduler.model.units import CALENDAR_HORIZON, Instant
from idlewatt_scheduler.model.vehicle import ParkingWindow

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


def instant_of(moment: datetime) -> Instant:
    """An aware datetime as an instant, rounded up to the millisecond."""
    return -((_EPOCH - moment) // _MILLISECOND)


def wall_clock(day: date, minutes: int, zone: tzinfo) -> Instant:
    """The instant at which the clocks of `zone` show `minutes` after midnight on `day`."""
    wall = datetime.combine(day, time(minutes // 60, minutes % 60), tzinfo=zone)
    return instant_of(wall.astimezone(UTC))


def local_day(at: Instant, zone: tzinfo) -> date:
    """The calendar day in `zone` at an instant."""
    return (_EPOCH + at * _MILLISECOND).astimezone(zone).date()


def occurrences(recurrence: Recurrence, zone: tzinfo, within: Interval) -> Iterator[Interval]:
    """Every occurrence that has a part inside `within`, whole, in order.

    An occurrence that a change of the clocks leaves without length is none.
    """
    day = local_day(within.start, zone) - timedelta(days=2)
    last = local_day(within.end, zone) + timedelta(days=1)
    overnight = timedelta(days=1 if recurrence.end_minutes <= recurrence.start_minutes else 0)
    while day <= last:
        if day.weekday() in recurrence.days:
            start = wall_clock(day, recurrence.start_minutes, zone)
            end = wall_clock(day + overnight, recurrence.end_minutes, zone)
            if start < end and start < within.end and end > within.start:
                yield Interval(start, end)
        day += timedelta(days=1)


def merged(intervals: Iterable[Interval]) -> list[Interval]:
    """The same stretches in order, those that touch or overlap made one."""
    result: list[Interval] = []
    for interval in sorted(intervals):
        if result and interval.start <= result[-1].end:
            if interval.end > result[-1].end:
                result[-1] = Interval(result[-1].start, interval.end)
        else:
            result.append(interval)
    return result


def open_until(
    windows: Iterable[ParkingWindow], site: str, zone: tzinfo, at: Instant
) -> Instant | None:
    """When the windows at `site` that are open at `at` end; None where none is open.

    They are looked at 14 days ahead: a car that may always stand there departs, for all that
    is known, at that horizon.
    """
    horizon = Interval(at, at + CALENDAR_HORIZON)
    stretches: list[Interval] = []
    for window in windows:
        if window.site != site:
            continue
        if window.recurrence is not None:
            stretches.extend(occurrences(window.recurrence, zone, horizon))
        elif window.start is not None and window.end is not None:
            stretches.append(Interval(window.start, window.end))
    for stretch in merged(stretches):
        if stretch.start <= at < stretch.end:
            return min(stretch.end, horizon.end)
    return None
