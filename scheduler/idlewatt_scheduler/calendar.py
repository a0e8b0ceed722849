"""Calendars: when a recurrence takes place, which windows are one, and when a car departs.

Wall times are turned into instants by the time zone alone: one that occurs twice is the
first, one that is missing moves on by the gap. Both are what `fold=0` means to `datetime`.
A vehicle's windows are compiled into a timetable once a day; after that every question is a
search in a sorted row.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import lru_cache
from operator import lt
from typing import Final, TypeAlias

from idlewatt_scheduler.model.calendars import (
    EVERY_MONTH,
    Interval,
    OnHolidays,
    PublicHolidays,
    Recurrence,
)
from idlewatt_scheduler.model.units import CALENDAR_HORIZON, DAY, MINUTE, Instant
from idlewatt_scheduler.model.vehicle import ParkingException, ParkingWindow
from idlewatt_scheduler.public_holidays import is_holiday

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_FIRST_ORDINAL = date(1970, 1, 1).toordinal()
NO_HOLIDAYS: Final = PublicHolidays()


@dataclass(frozen=True, slots=True)
class Timetable:
    """When a car may stand at one site: stretches in order, none touching the next.

    It answers for any instant from `since` to a day later, 14 days ahead of each: what is
    open then is open until 14 days later at the latest, for all that is known.

    Attributes:
        starts: of the stretches.
        ends: of the stretches, exclusive.
        since: the midnight, UTC, from which on it answers.
    """

    starts: tuple[Instant, ...]
    ends: tuple[Instant, ...]
    since: Instant

    def open_at(self, at: Instant) -> bool:
        """Whether a window is open at `at`."""
        index = bisect_right(self.starts, at) - 1
        return index >= 0 and at < self.ends[index]

    def open_until(self, at: Instant) -> Instant | None:
        """When the stretch that is open at `at` ends; None where none is open."""
        index = bisect_right(self.starts, at) - 1
        if index < 0 or at >= self.ends[index]:
            return None
        return min(self.ends[index], at + CALENDAR_HORIZON)

    def next_change(self, at: Instant) -> Instant | None:
        """When what is open at `at` closes, or the next opens; None: not within 14 days."""
        index = bisect_right(self.starts, at)
        following = self.starts[index] if index < len(self.starts) else None
        if index and at < self.ends[index - 1]:
            following = self.ends[index - 1]
        if following is None or following >= at + CALENDAR_HORIZON:
            return None
        return following


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


def starts_on(recurrence: Recurrence, day: date, holidays: PublicHolidays = NO_HOLIDAYS) -> bool:
    """Whether a recurrence takes place on a local day: its month, its exceptions, its weekday."""
    if day.month not in recurrence.months or day in recurrence.except_dates:
        return False
    on_its_weekday = day.weekday() in recurrence.days
    match recurrence.on_holidays:
        case OnHolidays.AS_USUAL:
            return on_its_weekday
        case OnHolidays.NEVER:
            return on_its_weekday and not is_holiday(holidays, day)
        case OnHolidays.ONLY:
            return on_its_weekday and is_holiday(holidays, day)
        case OnHolidays.ALWAYS:
            return on_its_weekday or is_holiday(holidays, day)


def occurrences(
    recurrence: Recurrence,
    zone: tzinfo,
    within: Interval,
    holidays: PublicHolidays = NO_HOLIDAYS,
) -> Iterator[Interval]:
    """Every occurrence that has a part inside `within`, whole, in order.

    An occurrence that a change of the clocks leaves without length is none.
    """
    first = local_day(within.start, zone).toordinal() - 2
    last = local_day(within.end, zone).toordinal() + 1
    for start, end in _stretches(recurrence, zone, first, last, holidays):
        if start < within.end and end > within.start:
            yield Interval(start, end)


def merged(intervals: Iterable[Interval]) -> list[Interval]:
    """The same stretches in order, those that touch or overlap made one."""
    return [
        Interval(start, end) for start, end in _joined(sorted((i.start, i.end) for i in intervals))
    ]


def open_until(  # noqa: PLR0913 - a window is known by where and when it is
    windows: Sequence[ParkingWindow],
    site: str,
    zone: tzinfo,
    at: Instant,
    *,
    exceptions: Sequence[ParkingException] = (),
    holidays: PublicHolidays = NO_HOLIDAYS,
) -> Instant | None:
    """When the windows at `site` that are open at `at` end; None where none is open.

    They are looked at 14 days ahead: a car that may always stand there departs, for all that
    is known, at that horizon.
    """
    found = timetable(windows, site, zone, at, exceptions=exceptions, holidays=holidays)
    return found.open_until(at)


def timetable(  # noqa: PLR0913 - a window is known by where and when it is
    windows: Sequence[ParkingWindow],
    site: str,
    zone: tzinfo,
    at: Instant,
    *,
    exceptions: Sequence[ParkingException] = (),
    holidays: PublicHolidays = NO_HOLIDAYS,
) -> Timetable:
    """The windows at `site`, without the exceptions, for any instant of the day (UTC) of `at`."""
    return _compiled(tuple(windows), tuple(exceptions), site, zone, holidays, at // DAY)


@lru_cache(maxsize=65_536)
def _compiled(  # noqa: PLR0913, PLR0917 - the key of the cache
    windows: tuple[ParkingWindow, ...],
    exceptions: tuple[ParkingException, ...],
    site: str,
    zone: tzinfo,
    holidays: PublicHolidays,
    day: int,
) -> Timetable:
    since = day * DAY
    first = _FIRST_ORDINAL + day - 3
    last = _FIRST_ORDINAL + day + CALENDAR_HORIZON // DAY + 2
    stretches: list[tuple[Instant, Instant]] = []
    for window in windows:
        if window.site != site:
            continue
        if window.recurrence is not None:
            stretches += _stretches(window.recurrence, zone, first, last, holidays)
        elif window.start is not None and window.end is not None:
            stretches.append((window.start, window.end))
    stretches.sort()
    starts, ends = _apart(stretches)
    if exceptions:
        away = sorted((e.start, e.end) for e in exceptions if e.site is None or e.site == site)
        starts, ends = _columns(_without(zip(starts, ends, strict=True), _joined(away)))
    over = bisect_right(ends, since)
    return Timetable(starts[over:], ends[over:], since)


_Columns: TypeAlias = tuple[tuple[Instant, ...], tuple[Instant, ...]]


def _apart(ordered: Sequence[tuple[Instant, Instant]]) -> _Columns:
    """The starts and the ends of stretches, those that touch or overlap made one."""
    starts, ends = _columns(ordered)
    if all(map(lt, ends, starts[1:])):
        return starts, ends
    return _columns(_joined(ordered))


def _columns(stretches: Sequence[tuple[Instant, Instant]]) -> _Columns:
    if not stretches:
        return (), ()
    starts, ends = zip(*stretches, strict=True)
    return starts, ends


def _joined(ordered: Iterable[tuple[Instant, Instant]]) -> list[tuple[Instant, Instant]]:
    """Stretches in order of their starts, those that touch or overlap made one."""
    result: list[tuple[Instant, Instant]] = []
    for start, end in ordered:
        if result and start <= result[-1][1]:
            if end > result[-1][1]:
                result[-1] = (result[-1][0], end)
        else:
            result.append((start, end))
    return result


def _without(
    stretches: Iterable[tuple[Instant, Instant]], holes: Sequence[tuple[Instant, Instant]]
) -> list[tuple[Instant, Instant]]:
    """The stretches less the holes; both are in order and apart."""
    result: list[tuple[Instant, Instant]] = []
    for start, end in stretches:
        reached = start
        for begin, finish in holes:
            if finish <= reached or begin >= end:
                continue
            if begin > reached:
                result.append((reached, begin))
            reached = finish
        if reached < end:
            result.append((reached, end))
    return result


def _stretches(
    recurrence: Recurrence, zone: tzinfo, first: int, last: int, holidays: PublicHolidays
) -> list[tuple[Instant, Instant]]:
    """From and to of the occurrences that start on the days of these ordinals, in order."""
    overnight = 1 if recurrence.end_minutes <= recurrence.start_minutes else 0
    start_after, end_after = recurrence.start_minutes * MINUTE, recurrence.end_minutes * MINUTE
    midnights, changes = _midnights(zone, first, last + 1)
    days = _days(recurrence, first, last, holidays)
    if not changes:
        return [(midnights[i] + start_after, midnights[i + overnight] + end_after) for i in days]
    found = []
    for index in days:
        if index in changes or index + overnight in changes:
            day = date.fromordinal(first + index)
            start = wall_clock(day, recurrence.start_minutes, zone)
            end = wall_clock(day + timedelta(days=overnight), recurrence.end_minutes, zone)
            if start < end:
                found.append((start, end))
        else:
            found.append((midnights[index] + start_after, midnights[index + overnight] + end_after))
    return found


def _days(recurrence: Recurrence, first: int, last: int, holidays: PublicHolidays) -> Sequence[int]:
    """The days of these ordinals, counted from the first, on which a recurrence starts."""
    if (
        recurrence.on_holidays is OnHolidays.AS_USUAL
        and recurrence.months == EVERY_MONTH
        and not recurrence.except_dates
    ):
        return _on_weekdays(recurrence.days, first, last)
    days = (date.fromordinal(ordinal) for ordinal in range(first, last + 1))
    return [index for index, day in enumerate(days) if starts_on(recurrence, day, holidays)]


@lru_cache(maxsize=4_096)
def _on_weekdays(weekdays: frozenset[int], first: int, last: int) -> tuple[int, ...]:
    return tuple(i for i in range(last - first + 1) if (first + i - 1) % 7 in weekdays)


@lru_cache(maxsize=4_096)
def _midnights(zone: tzinfo, first: int, last: int) -> tuple[tuple[Instant, ...], frozenset[int]]:
    """When each local day begins, and the days, counted from the first, whose clocks change.

    On these, and there alone, the minutes after midnight do not tell the wall time.
    """
    found = [_midnight(zone, ordinal) for ordinal in range(first, last + 1)]
    changes = frozenset(index for index, (_, even) in enumerate(found) if not even)
    return tuple(midnight for midnight, _ in found), changes


@lru_cache(maxsize=65_536)
def _midnight(zone: tzinfo, ordinal: int) -> tuple[Instant, bool]:
    """When a local day begins, and whether its clocks run evenly."""
    day = datetime.combine(date.fromordinal(ordinal), time(), tzinfo=zone)
    walls = [day + timedelta(hours=hour) for hour in range(24)]
    walls.append(datetime.combine(day.date(), time(23, 59), tzinfo=zone))
    offsets = {wall.replace(fold=fold).utcoffset() for wall in walls for fold in (0, 1)}
    return instant_of(day.astimezone(UTC)), len(offsets) == 1
