"""Wall times as instants: parking windows and tariff zones, through daylight saving.

Read with aware datetimes: Python's `fold=0` is the rules' own reading of a wall time that occurs
twice (the first) and of one that is missing (it moves on by the gap).
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import cache, lru_cache
from typing import Final

import holidays

from idlewatt_scheduler.model.calendars import Interval, OnHolidays, PublicHolidays, Recurrence
from idlewatt_scheduler.model.site import Site
from idlewatt_scheduler.model.units import CALENDAR_HORIZON, Instant
from idlewatt_scheduler.model.vehicle import Vehicle

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)
NO_HOLIDAYS: Final = PublicHolidays()
_DECEMBER: Final = 12
_LOOK_BACK_DAYS: Final = 2
"""An occurrence that is open now began at most yesterday; one more for odd time zones."""


def as_datetime(instant: Instant) -> datetime:
    """An instant as an aware datetime in UTC."""
    return _EPOCH + instant * _MILLISECOND


def as_instant(moment: datetime) -> Instant:
    """An aware datetime as an instant."""
    return (moment.astimezone(UTC) - _EPOCH) // _MILLISECOND


def is_holiday(observed: PublicHolidays, day: date) -> bool:
    """Whether a local day is a public holiday: added by hand, or the country's and not struck."""
    if day in observed.excluded:
        return False
    if day in observed.additional:
        return True
    if observed.country is None:
        return False
    return day in _of_year(observed.country, observed.subdivision, day.year)


@cache
def _of_year(country: str, subdivision: str | None, year: int) -> frozenset[date]:
    """The public holidays of one year: data, as time zones are. Nowhere known there are none."""
    try:
        return frozenset(holidays.country_holidays(country, subdiv=subdivision, years=year))
    except NotImplementedError:
        return frozenset()


def starts_on(recurrence: Recurrence, observed: PublicHolidays, day: date) -> bool:
    """Whether an occurrence starts on this local day."""
    if day.month not in recurrence.months or day in recurrence.except_dates:
        return False
    weekday = day.weekday() in recurrence.days
    match recurrence.on_holidays:
        case OnHolidays.AS_USUAL:
            return weekday
        case OnHolidays.NEVER:
            return weekday and not is_holiday(observed, day)
        case OnHolidays.ONLY:
            return weekday and is_holiday(observed, day)
        case OnHolidays.ALWAYS:
            return weekday or is_holiday(observed, day)


def occurrences(
    recurrence: Recurrence,
    zone: tzinfo,
    first: Instant,
    last: Instant,
    observed: PublicHolidays = NO_HOLIDAYS,
) -> Iterator[Interval]:
    """Every occurrence that may touch `[first, last]`; empty ones are left out."""
    day = as_datetime(first).astimezone(zone).date() - timedelta(days=_LOOK_BACK_DAYS)
    last_day = as_datetime(last).astimezone(zone).date() + timedelta(days=1)
    wraps = recurrence.end_minutes <= recurrence.start_minutes
    while day <= last_day:
        if starts_on(recurrence, observed, day):
            start = _wall(day, recurrence.start_minutes, zone)
            end_day = day + timedelta(days=1) if wraps else day
            end = _wall(end_day, recurrence.end_minutes, zone)
            if start < end:
                yield Interval(start, end)
        day += timedelta(days=1)


def end_of_month(at: Instant, zone: tzinfo) -> Instant:
    """The first instant of the next calendar month."""
    local = as_datetime(at).astimezone(zone)
    year, month = (local.year + 1, 1) if local.month == _DECEMBER else (local.year, local.month + 1)
    return _wall(date(year, month, 1), 0, zone)


def same_month(one: Instant, other: Instant, zone: tzinfo) -> bool:
    """Whether two instants lie in one calendar month."""
    first, second = (as_datetime(each).astimezone(zone) for each in (one, other))
    return (first.year, first.month) == (second.year, second.month)


@lru_cache(maxsize=2**16)
def _wall(day: date, minutes: int, zone: tzinfo) -> Instant:
    return as_instant(datetime.combine(day, time(minutes // 60, minutes % 60), tzinfo=zone))


def open_window_end(vehicle: Vehicle, site: Site, at: Instant) -> Instant | None:
    """When the parking windows open at `at` end, joined where they touch; None: none is open.

    What an exception covers is taken out of the windows once they are joined. Nobody looks
    further ahead than the calendar's horizon, 14 days.
    """
    stretches = sorted(_stretches(vehicle, site, at))
    end: Instant | None = None
    for stretch in stretches:
        if end is None:
            if stretch.start <= at < stretch.end:
                end = stretch.end
        elif stretch.start <= end:
            end = max(end, stretch.end)
    if end is None:
        return None
    for exception in vehicle.exceptions:
        if exception.site not in {None, site.name} or exception.end <= exception.start:
            continue
        if exception.start <= at < exception.end:
            return None
        if exception.start > at:
            end = min(end, exception.start)
    return min(end, at + CALENDAR_HORIZON)


def _stretches(vehicle: Vehicle, site: Site, at: Instant) -> Iterator[Interval]:
    horizon = at + CALENDAR_HORIZON
    for window in vehicle.windows:
        if window.site != site.name:
            continue
        if window.recurrence is not None:
            yield from occurrences(
                window.recurrence, site.time_zone, at, horizon, site.public_holidays
            )
        elif window.start is not None and window.end is not None:
            yield Interval(window.start, window.end)
