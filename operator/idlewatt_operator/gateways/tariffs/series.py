"""What an import found: intervals or zones as a manifest writes them, and what is to be said of it.

Amounts stay decimals from the file to the manifest: nothing is rounded, and no clock is shifted.
"""

import csv
import gzip
import io
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta, tzinfo
from decimal import Decimal, InvalidOperation
from itertools import pairwise
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

GZIP: Final = b"\x1f\x8b"
RESOLUTIONS: Final = (300, 900, 1_800, 3_600)
"""Seconds: the lengths that markets and grids publish in."""

_YEARS: Final = range(1971, 2200)
_TOLD: Final = 5


class SeriesError(ValueError):
    """A file cannot be used; the message is a sentence that says what to do."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A stretch with what is known of it.

    Attributes:
        values: by the type of the payload, `PRICE`, `EXPORT_PRICE` or `GHG`.
        created_at: when it was published, where the file says so.
    """

    start: datetime
    seconds: int
    values: Mapping[str, Decimal]
    created_at: datetime | None = None
    forecast: bool = False

    def manifest(self) -> dict[str, Any]:
        """The same as a manifest writes it."""
        written: dict[str, Any] = {"start": rfc3339(self.start), "durationSeconds": self.seconds}
        if self.created_at is not None:
            written["createdAt"] = rfc3339(self.created_at)
        if self.forecast:
            written["forecast"] = True
        written["payloads"] = [
            {"type": kind, "value": plain(value)} for kind, value in self.values.items()
        ]
        return written


@dataclass(frozen=True, slots=True)
class Found:
    """All that a file says.

    Attributes:
        currency: ISO 4217; None where the file does not say.
        wholesale: its prices are a market's, without grid fees and tax.
        provenance: place, period and source, by annotation.
        notes: sentences about gaps, duplicates and what was left out.
    """

    intervals: tuple[Interval, ...] = ()
    zones: tuple[Mapping[str, Any], ...] = ()
    demand_charges: tuple[Mapping[str, Any], ...] = ()
    currency: str | None = None
    time_zone: str | None = None
    wholesale: bool = False
    provenance: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def between(self, begin: datetime | None, end: datetime | None) -> "Found":
        """The intervals that have a part in `[begin, end)`; zones have no dates and stay."""
        kept = tuple(
            each
            for each in self.intervals
            if (begin is None or each.start + timedelta(seconds=each.seconds) > begin)
            and (end is None or each.start < end)
        )
        return replace(self, intervals=kept)


def read_text(path: Path) -> str:
    """The text of a file, unpacked where it is gzipped, whatever its lines end with.

    Raises:
        SeriesError: it cannot be read, or is no text.
    """
    try:
        data = path.read_bytes()
        text = (gzip.decompress(data) if data[:2] == GZIP else data).decode("utf-8-sig")
        return text.replace("\r\n", "\n").replace("\r", "\n")
    except (OSError, EOFError, UnicodeDecodeError, zlib.error) as error:
        reason = (
            error.strerror if isinstance(error, OSError) and error.strerror else "it is no text"
        )
        message = f"{path} cannot be read: {reason}."
        raise SeriesError(message) from error


def header_of(text: str) -> list[str]:
    """The names of a CSV's columns.

    Raises:
        SeriesError: the first line cannot be read.
    """
    reader = csv.reader(io.StringIO(text))
    try:
        return next(reader, [])
    except csv.Error as error:
        message = f"line {reader.line_num}: it is no line of a CSV ({error})."
        raise SeriesError(message) from error


def rows(text: str) -> Iterator[tuple[int, dict[str, str]]]:
    """The lines of a CSV below its header, each with its number and its cells by column.

    Raises:
        SeriesError: a line cannot be read, or has not a cell for each column.
    """
    reader = csv.DictReader(io.StringIO(text))
    try:
        for row in reader:
            if None in row or None in row.values():
                message = f"line {reader.line_num}: it has not as many cells as there are columns."
                raise SeriesError(message)
            yield reader.line_num, row
    except csv.Error as error:
        message = f"line {reader.line_num}: it is no line of a CSV ({error})."
        raise SeriesError(message) from error


def moment_of(text: str, line: int) -> datetime:
    """A time as it stands in a file, in a zone or in none.

    Raises:
        SeriesError: it is none, or centuries away.
    """
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError as error:
        message = f"line {line}: '{text}' is no time such as 2026-01-15T23:00:00+01:00."
        raise SeriesError(message) from error
    check_year(moment, text, line)
    return moment


def check_year(moment: datetime, text: str, line: int) -> None:
    """Refuse what nobody publishes prices of, and what no calendar reaches.

    Raises:
        SeriesError: it is centuries away.
    """
    if moment.year not in _YEARS:
        message = f"line {line}: '{text}' is not between the years 1970 and 2200."
        raise SeriesError(message)


def zone_of(name: str) -> ZoneInfo:
    """A time zone by its IANA name.

    Raises:
        SeriesError: there is none of that name.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        message = f"'{name}' is not a time zone: write its IANA name, such as Europe/Berlin or UTC."
        raise SeriesError(message) from error


def amount(text: str, line: int, column: str) -> Decimal:
    """A decimal as it stands in a file.

    Raises:
        SeriesError: it is none, with its line.
    """
    try:
        value = Decimal(text.strip())
    except InvalidOperation:
        value = Decimal("NaN")
    if not value.is_finite():
        message = f"line {line}: '{text}' in the column {column} is no number."
        raise SeriesError(message)
    return value


def plain(value: Decimal) -> str:
    """A decimal without exponent and without zeros that say nothing."""
    text = f"{value:f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text in {"-0", ""} else text


def rfc3339(moment: datetime) -> str:
    """An instant in UTC."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


class LocalClock:
    """Reads naive local times in the order of a file: of an hour that comes twice, both."""

    def __init__(self, zone: tzinfo) -> None:
        self._zone = zone
        self._last: datetime | None = None

    def instant(self, local: datetime, *, second: bool | None = None) -> datetime:
        """The instant; where the file does not say which of two, the second follows the first."""
        first = local.replace(tzinfo=self._zone, fold=0).astimezone(UTC)
        again = local.replace(tzinfo=self._zone, fold=1).astimezone(UTC)
        late = second if second is not None else self._last is not None and first <= self._last
        moment = again if late and again > first else first
        self._last = moment
        return moment


def tidy(found: Iterable[Interval]) -> tuple[tuple[Interval, ...], tuple[str, ...]]:
    """Intervals in order, of those with one start the last; and what there is to say of it."""
    listed = list(found)
    last = {each.start: each for each in listed}
    ordered = tuple(last[start] for start in sorted(last))
    notes: list[str] = []
    twice = len(listed) - len(ordered)
    if twice:
        differing = sum(1 for each in listed if last[each.start].values != each.values)
        notes.append(
            f"{twice} {'line was' if twice == 1 else 'lines were'} there twice, {differing} with "
            "another figure: the last one counts."
        )
    notes.extend(_gaps(ordered))
    return ordered, tuple(notes)


def resolution(starts: Iterable[datetime]) -> int:
    """The seconds from one start to the next, the commonest; of equals the least.

    Raises:
        SeriesError: it is not 5, 15, 30 or 60 minutes.
    """
    ordered = sorted(set(starts))
    steps = [round((after - before).total_seconds()) for before, after in pairwise(ordered)]
    if not steps:
        message = "One line alone does not say how long its price holds: give at least two."
        raise SeriesError(message)
    common = max(sorted(set(steps)), key=steps.count)
    if common not in RESOLUTIONS:
        message = (
            f"From one line to the next it is mostly {common} seconds: a series is expected "
            "every 5, 15, 30 or 60 minutes."
        )
        raise SeriesError(message)
    return common


def lengths(starts: Iterable[datetime]) -> dict[datetime, int]:
    """The seconds for which each line holds: the commonest step, or less if the next comes sooner.

    So a series that goes from hours to quarters of an hour keeps both, and the last line holds no
    longer than the one before it.

    Raises:
        SeriesError: the commonest step is not 5, 15, 30 or 60 minutes.
    """
    ordered = sorted(set(starts))
    common = resolution(ordered)
    steps = [round((after - before).total_seconds()) for before, after in pairwise(ordered)]
    held = [min(step, common) if step in RESOLUTIONS else common for step in steps]
    return dict(zip(ordered, [*held, held[-1]], strict=True))


def _gaps(ordered: tuple[Interval, ...]) -> Iterator[str]:
    gaps = [
        (before.start.timestamp() + before.seconds, after.start)
        for before, after in pairwise(ordered)
        if before.start.timestamp() + before.seconds < after.start.timestamp()
    ]
    for ended, starts in gaps[:_TOLD]:
        missing = datetime.fromtimestamp(ended, UTC)
        yield (
            f"Nothing is said from {rfc3339(missing)} to {rfc3339(starts)}: that time is unknown, "
            "and never off-peak."
        )
    if len(gaps) > _TOLD:
        yield f"And {len(gaps) - _TOLD} more gaps."
