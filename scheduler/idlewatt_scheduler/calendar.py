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

_Row: TypeAlias = tuple[tuple[Instant, ...], tuple[Instant, ...], int, int]
"""The days on which a window opens, those on which it closes, and how long after midnight."""


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
    for start, end in zip(*_stretches(recurrence, zone, first, last, holidays), strict=True):
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
    rows = None if exceptions else _even_rows(windows, site, zone, at // DAY)
    if rows is None:
        found = timetable(windows, site, zone, at, exceptions=exceptions, holidays=holidays)
        return found.open_until(at)
    return _reached(rows, at)


def _even_rows(
    windows: Sequence[ParkingWindow], site: str, zone: tzinfo, day: int
) -> list[_Row] | None:
    """The windows at a site, where each takes place on days that differ in nothing but the date.

    None where holidays, single dates or a change of the clocks have to be looked at.
    """
    first = _FIRST_ORDINAL + day - 3
    last = _FIRST_ORDINAL + day + CALENDAR_HORIZON // DAY + 2
    rows: list[_Row] = []
    for window in windows:
        recurrence = window.recurrence
        if window.site != site:
            continue
        if recurrence is None:
            if window.start is not None and window.end is not None:
                rows.append(((window.start,), (window.end,), 0, 0))
            continue
        if recurrence.on_holidays is not OnHolidays.AS_USUAL or recurrence.except_dates:
            return None
        start, end = recurrence.start_minutes, recurrence.end_minutes
        overnight = 1 if end <= start else 0
        even = _even_days(recurrence.days, recurrence.months, zone, first, last, overnight)
        if even is None:
            return None
        rows.append((*even, start * MINUTE, end * MINUTE))
    return rows


def _reached(rows: Sequence[_Row], at: Instant) -> Instant | None:
    """When what is open at `at` ends, one window after the other; None where none is open."""
    reached, horizon = at, at + CALENDAR_HORIZON
    before = None
    while reached != before and reached < horizon:
        before = reached
        for starts, ends, start_after, end_after in rows:
            last = bisect_right(starts, reached - start_after) - 1
            if last >= 0:
                reached = max(reached, ends[last] + end_after)
    return None if reached == at else min(reached, horizon)


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
    starts: list[Instant] = []
    ends: list[Instant] = []
    for window in windows:
        if window.site != site:
            continue
        if window.recurrence is not None:
            opens, closes = _stretches(window.recurrence, zone, first, last, holidays)
            starts += opens
            ends += closes
        elif window.start is not None and window.end is not None:
            starts.append(window.start)
            ends.append(window.end)
    starts, ends = _apart(starts, ends)
    if exceptions:
        away = sorted((e.start, e.end) for e in exceptions if e.site is None or e.site == site)
        starts, ends = _columns(_without(zip(starts, ends, strict=True), _joined(away)))
    over = bisect_right(ends, since)
    return Timetable(tuple(starts[over:]), tuple(ends[over:]), since)


def _apart(starts: list[Instant], ends: list[Instant]) -> tuple[list[Instant], list[Instant]]:
    """The starts and the ends of stretches in order, those that touch or overlap made one.

    If each end, in order, is before the next start, in order, no two stretches touch: before the
    n-th start n - 1 of them have ended, and they are the n - 1 that have started.
    """
    sorted_starts, sorted_ends = sorted(starts), sorted(ends)
    if all(map(lt, sorted_ends, sorted_starts[1:])):
        return sorted_starts, sorted_ends
    return _columns(_joined(sorted(zip(starts, ends, strict=True))))


def _columns(
    stretches: Iterable[tuple[Instant, Instant]],
) -> tuple[list[Instant], list[Instant]]:
    pairs = list(stretches)
    return [start for start, _ in pairs], [end for _, end in pairs]


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
) -> tuple[list[Instant], list[Instant]]:
    """From and to of the occurrences that start on the days of these ordinals, in order."""
    overnight = 1 if recurrence.end_minutes <= recurrence.start_minutes else 0
    even = None
    if recurrence.on_holidays is OnHolidays.AS_USUAL and not recurrence.except_dates:
        even = _even_days(recurrence.days, recurrence.months, zone, first, last, overnight)
    if even is not None:
        start_after, end_after = recurrence.start_minutes * MINUTE, recurrence.end_minutes * MINUTE
        return [day + start_after for day in even[0]], [day + end_after for day in even[1]]
    starts, ends = [], []
    for ordinal in range(first, last + 1):
        day = date.fromordinal(ordinal)
        if starts_on(recurrence, day, holidays):
            start = _wall(ordinal, recurrence.start_minutes, zone)
            end = _wall(ordinal + overnight, recurrence.end_minutes, zone)
            if start < end:
                starts.append(start)
                ends.append(end)
    return starts, ends


@lru_cache(maxsize=4_096)
def _even_days(  # noqa: PLR0913, PLR0917 - the key of the cache
    weekdays: frozenset[int],
    months: frozenset[int],
    zone: tzinfo,
    first: int,
    last: int,
    overnight: int,
) -> tuple[tuple[Instant, ...], tuple[Instant, ...]] | None:
    """The midnights of the days on which something starts, and of those on which that ends.

    None where clocks are changed: then the minutes after midnight do not tell the wall time.
    """
    if not all(_midnight(zone, ordinal)[1] for ordinal in range(first, last + 2)):
        return None
    days = [
        ordinal
        for ordinal in range(first, last + 1)
        if (ordinal - 1) % 7 in weekdays and date.fromordinal(ordinal).month in months
    ]
    return (
        tuple(_midnight(zone, ordinal)[0] for ordinal in days),
        tuple(_midnight(zone, ordinal + overnight)[0] for ordinal in days),
    )


def _wall(ordinal: int, minutes: int, zone: tzinfo) -> Instant:
    """`wall_clock` of a day, looked up where its clocks run evenly."""
    midnight, even = _midnight(zone, ordinal)
    if even:
        return midnight + minutes * MINUTE
    return wall_clock(date.fromordinal(ordinal), minutes, zone)


@lru_cache(maxsize=65_536)
def _midnight(zone: tzinfo, ordinal: int) -> tuple[Instant, bool]:
    """When a local day begins, and whether its clocks run evenly."""
    day = datetime.combine(date.fromordinal(ordinal), time(), tzinfo=zone)
    walls = [day + timedelta(hours=hour) for hour in range(24)]
    walls.append(datetime.combine(day.date(), time(23, 59), tzinfo=zone))
    offsets = {wall.replace(fold=fold).utcoffset() for wall in walls for fold in (0, 1)}
    return instant_of(day.astimezone(UTC)), len(offsets) == 1
