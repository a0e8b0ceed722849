"""Times and durations as they are written: RFC 3339 and Go's durations, to and from the core's.

The only place that reads or prints either. An `Instant` is whole milliseconds since the Unix
epoch; what lies between two of them is rounded up, as everywhere.
"""

import re
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from functools import lru_cache
from typing import Final

from idlewatt_scheduler.model.units import Instant, Milliseconds, milliseconds

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)
_EARLIEST: Final[Instant] = -62_135_596_800_000
_LATEST: Final[Instant] = 253_402_300_799_999
_RFC_3339: Final = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})[Tt]([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]+))?"
    r"(?:[Zz]|([+-])([0-9]{2}):([0-9]{2}))"
)
_TIME_LENGTH_MAX: Final = 64

_NANOSECONDS: Final = {
    "ns": 1,
    "us": 1_000,
    "\N{MICRO SIGN}s": 1_000,
    "\N{GREEK SMALL LETTER MU}s": 1_000,
    "ms": 1_000_000,
    "s": 1_000_000_000,
    "m": 60_000_000_000,
    "h": 3_600_000_000_000,
}
_DURATION_PART: Final = re.compile(
    r"([0-9]+(?:\.[0-9]*)?|\.[0-9]+)(ns|us|\N{MICRO SIGN}s|\N{GREEK SMALL LETTER MU}s|ms|s|m|h)"
)
_DURATION_LENGTH_MAX: Final = 128
_DURATION_NANOSECONDS_MAX: Final = 2**63 - 1


@lru_cache(maxsize=16_384)
def parse_instant(text: str) -> Instant:
    """Read an RFC 3339 time with its zone, such as `2026-01-15T18:30:00Z`.

    Fractions of a second and lower-case `t` and `z` are read too.

    Raises:
        ValueError: it is no such time; the message is a sentence.
    """
    found = _RFC_3339.fullmatch(text) if len(text) <= _TIME_LENGTH_MAX else None
    if found is None:
        raise ValueError(_not_a_time(text))
    year, month, day, hour, minute, second, fraction, sign, east_hours, east_minutes = (
        found.groups()
    )
    try:
        wall = datetime(
            int(year), int(month), int(day), int(hour), int(minute), int(second), tzinfo=UTC
        )
    except ValueError as error:
        raise ValueError(_not_a_time(text)) from error
    instant = (wall - _EPOCH) // _MILLISECOND
    if fraction:
        instant += milliseconds(Fraction(int(fraction), 10 ** len(fraction)))
    return instant - _offset(text, sign, east_hours, east_minutes)


def _offset(text: str, sign: str | None, hours: str | None, minutes: str | None) -> Milliseconds:
    if sign is None or hours is None or minutes is None:
        return 0
    if int(hours) > 23 or int(minutes) > 59:  # noqa: PLR2004 - a clock's own limits
        raise ValueError(_not_a_time(text))
    length = milliseconds(int(hours) * 3_600 + int(minutes) * 60)
    return length if sign == "+" else -length


def _not_a_time(text: str) -> str:
    return (
        f"'{text[:_TIME_LENGTH_MAX]}' is not an RFC 3339 time with a zone; "
        'write it as "2026-01-15T18:30:00Z" or "2026-01-15T19:30:00+01:00"'
    )


@lru_cache(maxsize=4_096)
def format_instant(instant: Instant) -> str:
    """Print an instant in UTC, with three decimals only where it is not a whole second.

    What lies after the year 9999 prints as that year's last millisecond, and what lies before
    the year 1 as that year's first.
    """
    moment = _EPOCH + max(_EARLIEST, min(instant, _LATEST)) * _MILLISECOND
    fraction = f".{moment.microsecond // 1_000:03d}" if moment.microsecond else ""
    return f"{moment.year:04d}{moment:-%m-%dT%H:%M:%S}{fraction}Z"


def format_micro_time(instant: Instant) -> str:
    """Print an instant as Kubernetes' MicroTime, such as `2026-01-15T18:30:00.250000Z`."""
    seconds, milliseconds_beyond = divmod(instant, 1_000)
    whole = format_instant(seconds * 1_000)
    return f"{whole.removesuffix('Z')}.{milliseconds_beyond:03d}000Z"


def format_duration(length: Milliseconds) -> str:
    """Print a duration as Go writes it: `1h30m`, `1.5s`, `0s`; `parse_duration` reads it back."""
    whole, fraction = divmod(length, 1_000)
    minutes, seconds = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    second = f"{seconds}.{fraction:03d}".rstrip("0") if fraction else f"{seconds}"
    parts = [(hours, f"{hours}h"), (minutes, f"{minutes}m"), (seconds or fraction, f"{second}s")]
    return "".join(text for amount, text in parts if amount) or "0s"


@lru_cache(maxsize=4_096)
def parse_duration(text: str) -> Milliseconds:
    """Read a duration as Go writes it: `1h30m`, `1.5h`, `90s`, `0`; rounded up.

    Raises:
        ValueError: it is no such duration, or a negative one; the message is a sentence.
    """
    unsigned = text[1:] if text[:1] in {"+", "-"} else text
    nanoseconds = _nanoseconds(unsigned)
    if nanoseconds is None or nanoseconds > _DURATION_NANOSECONDS_MAX:
        sentence = (
            f"'{text[:_DURATION_LENGTH_MAX]}' is not a duration; "
            'write it as "90s", "45m", "1h30m" or "1.5h"'
        )
        raise ValueError(sentence)
    if text.startswith("-") and nanoseconds:
        sentence = f"'{text}' is negative; a duration here is zero or more"
        raise ValueError(sentence)
    return milliseconds(nanoseconds / 1_000_000_000)


def _nanoseconds(text: str) -> Fraction | None:
    if text == "0":
        return Fraction(0)
    if not text or len(text) > _DURATION_LENGTH_MAX:
        return None
    total, end = Fraction(0), 0
    while end < len(text):
        part = _DURATION_PART.match(text, end)
        if part is None:
            return None
        number = part[1].rstrip(".") if part[1].endswith(".") else part[1]
        total += Fraction(number) * _NANOSECONDS[part[2]]
        end = part.end()
    return total
