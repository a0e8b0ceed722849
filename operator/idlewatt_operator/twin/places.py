"""Hourly series of a place and a year, joined to another calendar by local weekday and hour.

A data set's clock is never shifted. A series answers for a local day of its own; where the night
is played on another date, it answers for the day of its own that has the same weekday and lies
nearest in the year, at the same hour of the local clock.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from idlewatt_scheduler.model.units import MINUTE, Instant

_STEP = 15 * MINUTE
"""Every time zone's local hours begin on a whole quarter of an hour."""


class DataError(ValueError):
    """What was asked lies outside the data; the message is a sentence for the person."""


def local_time(at: Instant, zone: ZoneInfo) -> datetime:
    """The clock on the wall in `zone` at an instant."""
    return datetime.fromtimestamp(at / 1_000, UTC).astimezone(zone)


@dataclass(frozen=True, slots=True)
class HourlySeries:
    """One figure per local hour of a place.

    Attributes:
        name: what it is, as a reader is told.
        place: where it was measured.
        values: by local date and hour of the place.
    """

    name: str
    place: str
    values: Mapping[tuple[date, int], Decimal]

    @property
    def first_day(self) -> date:
        """The first local day there is."""
        return min(day for day, _ in self.values)

    @property
    def last_day(self) -> date:
        """The last local day there is."""
        return max(day for day, _ in self.values)

    def own_day(self, day: date, days: int = 1) -> date:
        """The series' day that stands for `day`, `days` in a row being needed.

        It is `day` itself where the series has it, else the one of the same weekday that is
        nearest in the year.

        Raises:
            DataError: the series has no `days` in a row that begin on that weekday.
        """
        wanted = timedelta(days=days - 1)
        if self.first_day <= day and day + wanted <= self.last_day:
            return day
        own = (self.first_day + timedelta(days=n) for n in range(self._length_days()))
        fitting = [each for each in own if each.weekday() == day.weekday()]
        fitting = [each for each in fitting if each + wanted <= self.last_day]
        if not fitting:
            message = f"{self.name} has no {days} days in a row that begin on a {day:%A}"
            raise DataError(message)
        return min(fitting, key=lambda each: (_days_apart(each, day), each))

    def joined(self, day: date, days: int) -> "Joined":
        """The series as it is seen from a calendar whose first day is `day`."""
        return Joined(self, day, self.own_day(day, days))

    def _length_days(self) -> int:
        return (self.last_day - self.first_day).days + 1


@dataclass(frozen=True, slots=True)
class Joined:
    """A series seen from another calendar: its day `own` stands for `day`, and so on."""

    series: HourlySeries
    day: date
    own: date

    def at(self, local: datetime) -> Decimal | None:
        """The figure for this hour of the local clock; None outside the series."""
        return self.series.values.get((self.own + (local.date() - self.day), local.hour))

    def hours(
        self, start: Instant, end: Instant, zone: ZoneInfo
    ) -> Iterator[tuple[Instant, Instant, Decimal]]:
        """Stretches of equal local hour from `start` to `end`: begin, end, figure.

        A local hour that occurs twice has its figure twice, one that is missing has none.
        """
        begin, at = start, start
        while at < end:
            after = min((at // _STEP + 1) * _STEP, end)
            here = local_time(at, zone)
            there = local_time(after, zone)
            ends = after == end or (here.hour, here.utcoffset()) != (there.hour, there.utcoffset())
            if ends:
                value = self.at(here)
                if value is not None:
                    yield begin, after, value
                begin = after
            at = after

    def says(self, days: int) -> str:
        """Place, date and year, for every output that shows a figure of this series."""
        last = self.own + timedelta(days=days - 1)
        same_month = (self.own.year, self.own.month) == (last.year, last.month)
        begin = f"{self.own.day}" if same_month else f"{self.own:%-d %B}"
        dates = f"{self.own:%-d %B %Y}" if days == 1 else f"{begin} to {last:%-d %B %Y}"
        return f"{self.series.name}, {self.series.place}, {dates}"


def _days_apart(one: date, other: date) -> int:
    gap = abs(one.timetuple().tm_yday - other.timetuple().tm_yday)
    return min(gap, 366 - gap)
