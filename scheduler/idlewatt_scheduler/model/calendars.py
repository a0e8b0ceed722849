"""Wall times and weekdays: what a parking window and a tariff zone have in common."""

from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Final

EVERY_DAY: Final = frozenset(range(7))
"""Monday is 0."""

EVERY_MONTH: Final = frozenset(range(1, 13))
"""January is 1."""


class OnHolidays(StrEnum):
    """What a public holiday does to a recurrence."""

    AS_USUAL = "AsUsual"
    NEVER = "Never"
    ONLY = "Only"
    ALWAYS = "Always"


@dataclass(frozen=True, slots=True)
class PublicHolidays:
    """Which days are public holidays somewhere.

    Attributes:
        country: ISO 3166-1 alpha-2; None: only the `additional` ones.
        subdivision: ISO 3166-2 without the country, such as `BY`.
        additional: local days that are holidays although the country has none.
        excluded: local days that are not, although the country has one.
    """

    country: str | None = None
    subdivision: str | None = None
    additional: frozenset[date] = frozenset()
    excluded: frozenset[date] = frozenset()


@dataclass(frozen=True, slots=True)
class Recurrence:
    """A stretch of wall-clock time that comes back on some weekdays.

    It belongs to the day on which it starts. Where `end_minutes` is not after
    `start_minutes` it ends on the next day.

    Attributes:
        days: weekdays on which it starts, Monday is 0.
        start_minutes: wall time of the start, minutes after midnight, 0 to 1439.
        end_minutes: wall time of the end, minutes after midnight, 0 to 1439.
        months: months in which it starts, January is 1.
        on_holidays: what a public holiday does to it.
        except_dates: local days on which it does not start.
    """

    days: frozenset[int]
    start_minutes: int
    end_minutes: int
    months: frozenset[int] = EVERY_MONTH
    on_holidays: OnHolidays = OnHolidays.AS_USUAL
    except_dates: frozenset[date] = field(default_factory=frozenset)


@dataclass(frozen=True, slots=True, order=True)
class Interval:
    """The half-open stretch `[start, end)`, both instants."""

    start: int
    end: int
