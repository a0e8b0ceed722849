"""A brute force for calendars: clocks are read minute by minute, and nothing is computed back.

It knows only what a wall clock shows at each minute of UTC. When a wall time is, is looked up: the
first minute that shows it; of one that is never shown, the minute that shows it later by as much
as the clocks leapt. It shares no code with what it judges.
"""

from array import array
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from idlewatt_scheduler.model.calendars import OnHolidays, PublicHolidays, Recurrence
from idlewatt_scheduler.model.vehicle import ParkingException, ParkingWindow

A_DAY = 24 * 60
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NEVER = -1


class WallClock:
    """The clocks of a zone in a year and a month around it, by minutes of UTC since 1970."""

    def __init__(self, zone: str, year: int) -> None:
        self.zone = ZoneInfo(zone)
        self.first = _minutes(datetime(year - 1, 12, 1, tzinfo=UTC))
        self.last = _minutes(datetime(year + 1, 2, 1, tzinfo=UTC))
        self.year = range(
            _minutes(datetime(year, 1, 1, tzinfo=UTC)),
            _minutes(datetime(year + 1, 1, 1, tzinfo=UTC)),
        )
        # By wall time from two days before on: no clock is further ahead of UTC, or behind it.
        self._earliest = self.first - 2 * A_DAY
        self._shown_at = array("i", [_NEVER]) * (self.last - self.first + 4 * A_DAY)
        self._leapt: dict[int, int] = {}
        self.changes: list[int] = []
        before = None
        for minute in range(self.first, self.last):
            shown = _shown(minute, self.zone)
            if self._shown_at[shown - self._earliest] == _NEVER:
                self._shown_at[shown - self._earliest] = minute
            if before is not None and shown != before + 1:
                self.changes.append(minute)
                gap = shown - before - 1
                self._leapt.update(dict.fromkeys(range(before + 1, shown), gap))
            before = shown

    def minute_of(self, wall: int) -> int:
        """The minute of UTC at which the clocks show a wall time, in minutes since 1970."""
        found = self._shown_at[wall + self._leapt.get(wall, 0) - self._earliest]
        assert found != _NEVER, wall
        return found

    def days(self, first: int, last: int) -> Iterator[date]:
        """The local days around some minutes of UTC."""
        day = (_EPOCH + timedelta(minutes=first)).date() - timedelta(days=4)
        while day <= (_EPOCH + timedelta(minutes=last)).date() + timedelta(days=2):
            yield day
            day += timedelta(days=1)

    def span(self, recurrence: Recurrence, day: date) -> tuple[int, int]:
        """From and to of what starts on a local day, in minutes of UTC."""
        midnight = (day - _EPOCH.date()).days * A_DAY
        ends_later = A_DAY if recurrence.end_minutes <= recurrence.start_minutes else 0
        return (
            self.minute_of(midnight + recurrence.start_minutes),
            self.minute_of(midnight + recurrence.end_minutes + ends_later),
        )


@lru_cache(maxsize=32)
def the_clock(zone: str, year: int) -> WallClock:
    """Each is read once: it takes half a second."""
    return WallClock(zone, year)


def takes_place(recurrence: Recurrence, day: date, holidays: frozenset[date]) -> bool:
    """The rules' sentence about the days of a window, word by word."""
    if recurrence.months and day.month not in recurrence.months:
        return False
    if day in recurrence.except_dates:
        return False
    its_weekday, a_holiday = day.weekday() in recurrence.days, day in holidays
    return {
        OnHolidays.AS_USUAL: its_weekday,
        OnHolidays.NEVER: its_weekday and not a_holiday,
        OnHolidays.ONLY: its_weekday and a_holiday,
        OnHolidays.ALWAYS: its_weekday or a_holiday,
    }[recurrence.on_holidays]


def listed(holidays: PublicHolidays) -> frozenset[date]:
    """The holidays of a place without a country: no law is asked here."""
    assert holidays.country is None
    return holidays.additional - holidays.excluded


def open_minutes(
    clock: WallClock,
    windows: Iterable[ParkingWindow],
    exceptions: Iterable[ParkingException],
    holidays: frozenset[date],
    within: range,
) -> bytearray:
    """One for each minute at which a car may stand at `depot-7`, 0 for the others."""
    found = bytearray(len(within))

    def paint(start: int, end: int, colour: int) -> None:
        first, last = max(start - within.start, 0), min(end - within.start, len(found))
        if first < last:
            found[first:last] = bytes([colour]) * (last - first)

    for window in windows:
        if window.site != "depot-7":
            continue
        if window.recurrence is None:
            paint((window.start or 0) // 60_000, (window.end or 0) // 60_000, 1)
            continue
        for day in clock.days(within.start, within.stop):
            if takes_place(window.recurrence, day, holidays):
                paint(*clock.span(window.recurrence, day), 1)
    for exception in exceptions:
        if exception.site in {None, "depot-7"}:
            paint(exception.start // 60_000, exception.end // 60_000, 0)
    return found


def _minutes(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(minutes=1)


def _shown(minute: int, zone: ZoneInfo) -> int:
    """What the clocks show at a minute of UTC, in minutes since 1970."""
    local = datetime.fromtimestamp(minute * 60, zone)
    return (local.toordinal() - _EPOCH.toordinal()) * A_DAY + local.hour * 60 + local.minute
