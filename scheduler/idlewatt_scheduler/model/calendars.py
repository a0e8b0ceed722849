"""Wall times and weekdays: what a parking window and a tariff zone have in common."""

from dataclasses import dataclass
from typing import Final

EVERY_DAY: Final = frozenset(range(7))
"""Monday is 0."""


@dataclass(frozen=True, slots=True)
class Recurrence:
    """A stretch of wall-clock time that comes back on some weekdays.

    It belongs to the day on which it starts. Where `end_minutes` is not after
    `start_minutes` it ends on the next day.

    Attributes:
        days: weekdays on which it starts, Monday is 0.
        start_minutes: wall time of the start, minutes after midnight, 0 to 1439.
        end_minutes: wall time of the end, minutes after midnight, 0 to 1439.
    """

    days: frozenset[int]
    start_minutes: int
    end_minutes: int


@dataclass(frozen=True, slots=True, order=True)
class Interval:
    """The half-open stretch `[start, end)`, both instants."""

    start: int
    end: int
