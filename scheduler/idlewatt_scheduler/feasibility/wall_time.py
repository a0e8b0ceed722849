"""Wall times as instants: parking windows and tariff zones, through daylight saving.

Read with aware datetimes: Python's `fold=0` is the rules' own reading of a wall time that occurs
twice (the first) and of one that is missing (it moves on by the gap).
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Final

from idlewatt_scheduler.model.calendars import Interval, Recurrence
from idlewatt_scheduler.model.units import CALENDAR_HORIZON, Instant
from idlewatt_scheduler.model.vehicle import Vehicle

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)
_LOOK_BACK_DAYS: Final = 2
"""An occurrence that is open now began at most yesterday; one more for odd time zones."""


def as_datetime(instant: Instant) -> datetime:
    """An instant as an aware datetime in UTC."""
    return _EPOCH + instant * _MILLISECOND


def as_instant(moment: datetime) -> Instant:
    """An aware datetime as an instant."""
    return (moment.astimezone(UTC) - _EPOCH) // _MILLISECOND


def occurrences(
    recurrence: Recurrence, zone: tzinfo, first: Instant, last: Instant
) -> Iterator[Interval]:
    """Every occurrence that may touch `[first, last]`; empty ones are left out."""
    day = as_datetime(first).astimezone(zone).date() - timedelta(days=_LOOK_BACK_DAYS)
    last_day = as_datetime(last).astimezone(zone).date() + timedelta(days=1)
    wraps = recurrence.end_minutes <= recurrence.start_minutes
    while day <= last_day:
        if day.weekday() in recurrence.days:
            start = _wall(day, recurrence.start_minutes, zone)
            end_day = day + timedelta(days=1) if wraps else day
            end = _wall(end_day, recurrence.end_minutes, zone)
            if start < end:
                yield Interval(start, end)
        day += timedelta(days=1)


def _wall(day: date, minutes: int, zone: tzinfo) -> Instant:
    return as_instant(datetime.combine(day, time(minutes // 60, minutes % 60), tzinfo=zone))


def open_window_end(vehicle: Vehicle, site_name: str, zone: tzinfo, at: Instant) -> Instant | None:
    """When the parking windows open at `at` end, joined where they touch; None: none is open.

    Nobody looks further ahead than the calendar's horizon, 14 days.
    """
    stretches = sorted(_stretches(vehicle, site_name, zone, at))
    end: Instant | None = None
    for stretch in stretches:
        if end is None:
            if stretch.start <= at < stretch.end:
                end = stretch.end
        elif stretch.start <= end:
            end = max(end, stretch.end)
    return None if end is None else min(end, at + CALENDAR_HORIZON)


def _stretches(vehicle: Vehicle, site_name: str, zone: tzinfo, at: Instant) -> Iterator[Interval]:
    for window in vehicle.windows:
        if window.site != site_name:
            continue
        if window.recurrence is not None:
            yield from occurrences(window.recurrence, zone, at, at + CALENDAR_HORIZON)
        elif window.start is not None and window.end is not None:
            yield Interval(window.start, window.end)
