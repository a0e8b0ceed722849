"""Anybody's own charging sessions, from a CSV file: docs/reference/sessions-format.md.

Every mistake is told with its line, all of them at once; nothing is guessed from a bad row.
"""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from idlewatt_scheduler.calendar import instant_of
from idlewatt_scheduler.model.units import DAY, HOUR, Instant

NEEDED: Final = ("vehicle", "arrival", "departure")
OPTIONAL: Final = (
    "stated_departure",
    "energy_kwh",
    "charge_power_kw",
    "capacity_kwh",
    "arrival_percent",
    "time_zone",
    "site",
)
VEHICLES_MOST: Final = 500
DAYS_MOST: Final = 7
_BYTES_MOST: Final = 10_000_000
_MISTAKES_SHOWN: Final = 20


class SessionsError(ValueError):
    """The file cannot be played; each mistake is a sentence with its line."""

    def __init__(self, mistakes: list[str]) -> None:
        self.mistakes = mistakes
        super().__init__("\n".join(mistakes))


@dataclass(frozen=True, slots=True)
class Session:
    """A row; what it leaves out is None. The site counts for what is learned of departures."""

    line: int
    vehicle: str
    arrives_at: Instant
    leaves_at: Instant
    stated_leave_at: Instant | None = None
    energy_kwh: float | None = None
    charge_power_kw: float | None = None
    capacity_kwh: float | None = None
    arrival_percent: float | None = None
    site: str | None = None


@dataclass(frozen=True, slots=True)
class Sessions:
    """A whole file: its rows in their order, and the time zone they were read in."""

    rows: tuple[Session, ...]
    zone: ZoneInfo


@dataclass
class _Reader:
    """Reads rows and collects mistakes."""

    file: str
    zone: ZoneInfo
    mistakes: list[str] = field(default_factory=list)

    def wrong(self, line: int, sentence: str) -> None:
        self.mistakes.append(f"{self.file}, line {line}: {sentence}")

    def row(self, line: int, row: dict[str, str]) -> Session | None:
        before = len(self.mistakes)
        vehicle = row.get("vehicle", "")
        if not vehicle:
            self.wrong(line, "there is no vehicle; give every car a name")
        arrives = self._time(line, row, "arrival")
        leaves = self._time(line, row, "departure")
        stated = self._time(line, row, "stated_departure")
        numbers = {
            name: self._number(line, row, name, low, high) for name, (low, high) in _BOUNDS.items()
        }
        if arrives is not None and leaves is not None and leaves <= arrives:
            self.wrong(line, "departure is not after arrival")
        if arrives is not None and stated is not None and stated <= arrives:
            self.wrong(line, "stated_departure is not after arrival")
        if len(self.mistakes) > before or arrives is None or leaves is None:
            return None
        site = row.get("site") or None
        return Session(line, vehicle, arrives, leaves, stated, **numbers, site=site)

    def _time(self, line: int, row: dict[str, str], name: str) -> Instant | None:
        text = row.get(name, "")
        if not text:
            if name in NEEDED:
                self.wrong(line, f"there is no {name}; write it as 2026-01-15T18:04")
            return None
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            self.wrong(line, f"{name} '{text}' is not a time; write it as 2026-01-15T18:04")
            return None
        return instant_of(moment if moment.tzinfo else moment.replace(tzinfo=self.zone))

    def _number(
        self, line: int, row: dict[str, str], name: str, low: float, high: float
    ) -> float | None:
        text = row.get(name, "")
        if not text:
            return None
        try:
            number = float(text)
        except ValueError:
            self.wrong(line, f"{name} '{text}' is not a number")
            return None
        if not low <= number <= high:
            self.wrong(line, f"{name} {text} is not between {low:g} and {high:g}")
            return None
        return number


_BOUNDS: Final = {
    "energy_kwh": (0.0, 500.0),
    "charge_power_kw": (0.1, 500.0),
    "capacity_kwh": (1.0, 1_000.0),
    "arrival_percent": (0.0, 100.0),
}


def read(path: Path, default_zone: ZoneInfo) -> Sessions:
    """Read a sessions file that is to be played.

    Args:
        path: of the file.
        default_zone: of wall times, where the file has no `time_zone`.

    Raises:
        SessionsError: something in it is wrong; every mistake is told, up to twenty.
    """
    return parse(_text(path), path, default_zone, played=True)


def parse(text: str, path: Path, default_zone: ZoneInfo, *, played: bool) -> Sessions:
    """Read the text of a sessions file.

    Args:
        text: of the file.
        path: its name, for what is told of it.
        default_zone: of wall times, where the file has no `time_zone`.
        played: whether the limits of a play hold.

    Raises:
        SessionsError: something in it is wrong; every mistake is told, up to twenty.
    """
    table = csv.reader(io.StringIO(text, newline=""))
    try:
        header = [name.strip() for name in next(table, [])]
        lines = [(table.line_num, [cell.strip() for cell in cells]) for cells in table]
    except csv.Error as error:
        raise SessionsError([f"{path}, line {table.line_num}: this is no CSV: {error}"]) from error
    _check_header(path, header)
    rows = [(line, cells) for line, cells in lines if any(cells)]
    reader = _Reader(str(path), _zone(path, header, rows, default_zone))
    found = list(_rows(reader, header, rows))
    if not rows:
        reader.mistakes.append(f"{path}: there is no session below the header")
    if not reader.mistakes:
        _check_together(reader, found, played=played)
    if reader.mistakes:
        raise SessionsError(first_few(reader.mistakes))
    return Sessions(tuple(found), reader.zone)


def _text(path: Path) -> str:
    try:
        if path.stat().st_size > _BYTES_MOST:
            raise SessionsError([f"{path}: it is larger than 10 MB; play a part of it"])
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise SessionsError([f"{path}: it cannot be read: {error.strerror}"]) from error
    except UnicodeDecodeError as error:
        raise SessionsError([f"{path}: it is not UTF-8 text; save it as CSV UTF-8"]) from error


def _check_header(path: Path, header: list[str]) -> None:
    mistakes = []
    if missing := [name for name in NEEDED if name not in header]:
        mistakes.append(f"the header lacks {', '.join(missing)}")
    known = (*NEEDED, *OPTIONAL)
    if unknown := [name for name in header if name not in known]:
        shown = ", ".join(repr(name) for name in unknown)
        mistakes.append(f"the header has {shown}, which nobody knows; known are {', '.join(known)}")
    if twice := sorted({name for name in header if header.count(name) > 1} - set(unknown)):
        mistakes.append(f"the header has {', '.join(twice)} more than once")
    if mistakes:
        raise SessionsError([f"{path}, line 1: {mistake}" for mistake in mistakes])


def _zone(
    path: Path, header: list[str], rows: list[tuple[int, list[str]]], default: ZoneInfo
) -> ZoneInfo:
    if "time_zone" not in header:
        return default
    column = header.index("time_zone")
    names = {cells[column]: line for line, cells in reversed(rows) if len(cells) > column}
    named = {name: line for name, line in names.items() if name}
    if not named:
        return default
    if len(named) > 1:
        name, line = max(named.items(), key=lambda entry: entry[1])
        sentence = f"time_zone {name} differs from that of the rows above; a play has one"
        raise SessionsError([f"{path}, line {line}: {sentence}"])
    ((name, line),) = named.items()
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        sentence = f"time_zone '{name}' is not known; write it as Europe/Berlin"
        raise SessionsError([f"{path}, line {line}: {sentence}"]) from error


def _rows(
    reader: _Reader, header: list[str], rows: list[tuple[int, list[str]]]
) -> Iterator[Session]:
    for line, cells in rows:
        if len(cells) != len(header):
            reader.wrong(line, f"{len(cells)} fields where the header has {len(header)}")
            continue
        session = reader.row(line, dict(zip(header, cells, strict=True)))
        if session is not None:
            yield session


def _check_together(reader: _Reader, rows: list[Session], *, played: bool) -> None:
    """What no row shows alone: overlaps, too many cars, too long a time."""
    by_vehicle: dict[str, list[Session]] = {}
    for session in rows:
        by_vehicle.setdefault(session.vehicle, []).append(session)
    for vehicle, own in by_vehicle.items():
        _check_overlaps(reader, vehicle, sorted(own, key=lambda each: each.arrives_at))
    if not played:
        return
    if len(by_vehicle) > VEHICLES_MOST:
        count = len(by_vehicle)
        reader.mistakes.append(
            f"{reader.file}: {count} vehicles; at most {VEHICLES_MOST} are played"
        )
    first = min(session.arrives_at for session in rows)
    last = max(session.leaves_at for session in rows)
    if last - first > DAYS_MOST * DAY:
        days = (last - first) / HOUR / 24
        sentence = f"{days:.1f} days from the first arrival to the last departure"
        reader.mistakes.append(f"{reader.file}: {sentence}; at most {DAYS_MOST} are played at once")


def _check_overlaps(reader: _Reader, vehicle: str, own: list[Session]) -> None:
    for before, after in pairwise(own):
        if after.arrives_at < before.leaves_at:
            sentence = f"{vehicle} arrives before it left (line {before.line})"
            reader.wrong(after.line, sentence)
        if before.capacity_kwh != after.capacity_kwh:
            sentence = f"{vehicle} has another capacity_kwh than on line {before.line}"
            reader.wrong(after.line, sentence)


def first_few(mistakes: list[str]) -> list[str]:
    """Twenty mistakes, and how many more there are."""
    rest = len(mistakes) - _MISTAKES_SHOWN
    shown = mistakes[:_MISTAKES_SHOWN]
    return [*shown, f"and {rest} more"] if rest > 0 else shown
