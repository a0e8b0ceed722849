"""Sessions of the past from a file: our own format, and two that are published as they stand.

Which of them it is, its header says. What cannot be read is refused with its line; a row that
tells of no departure, such as a session that has not ended, is left out and told.
"""

import csv
import gzip
import io
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from idlewatt_operator.learning.past import PastStay
from idlewatt_operator.twin import sessions_file
from idlewatt_operator.twin.places import local_time
from idlewatt_operator.twin.sessions_file import SessionsError, first_few
from idlewatt_scheduler.model.units import SECOND

ACN_COLUMNS: Final = ("arrival", "departure", "estimated_departure", "claimed", "site")
HOME_COLUMNS: Final = ("location", "user", "plugged_in_local", "plugged_out_local")
CALIFORNIA: Final = ZoneInfo("America/Los_Angeles")
OSLO: Final = ZoneInfo("Europe/Oslo")
UNNAMED_SITE: Final = "site"

_BYTES_MOST: Final = 500_000_000
_NOT_IN_A_NAME: Final = re.compile(r"[^a-z0-9.-]+")
_LONGEST_NAME: Final = 63
_YES_AND_NO: Final = {"True": True, "False": False}


@dataclass(frozen=True, slots=True)
class Past:
    """A file, read.

    Attributes:
        stays: in the order of the file.
        zone: in which its arrivals are told.
        form: what kind of file it is, for a reader.
        left_out: a sentence for each row that tells of no departure.
    """

    stays: tuple[PastStay, ...]
    zone: ZoneInfo
    form: str
    left_out: tuple[str, ...]


@dataclass
class _Rows:
    """A table being read."""

    path: Path
    zone: ZoneInfo
    renamed: Mapping[str, str]
    mistakes: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)

    def wrong(self, line: int, sentence: str) -> None:
        self.mistakes.append(f"{self.path}, line {line}: {sentence}")

    def skip(self, line: int, sentence: str) -> None:
        self.left_out.append(f"{self.path}, line {line}: {sentence}")

    def time(self, line: int, name: str, text: str) -> datetime | None:
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            self.wrong(line, f"{name} '{text}' is not a time; write it as 2026-01-15T18:04")
            return None
        return moment.astimezone(self.zone) if moment.tzinfo else moment.replace(tzinfo=self.zone)

    def site(self, name: str) -> str:
        """The ParkingSite that is meant."""
        return self.renamed.get(name) or object_name(name)


def read(path: Path, zone: ZoneInfo | None, renamed: Mapping[str, str]) -> Past:
    """Read a file of sessions, plain or compressed by gzip.

    Args:
        path: of the file.
        zone: of its sites; None: what the file or its form says.
        renamed: what a ParkingSite is called, by the file's name of it.

    Raises:
        SessionsError: something in it is wrong; every mistake is told, up to twenty.
    """
    text = _text(path)
    header = {name.strip() for name in text.partition("\n")[0].split(",")}
    if header.issuperset(ACN_COLUMNS):
        return _table(text, _Rows(path, zone or CALIFORNIA, renamed), "ACN-Data", _acn)
    if header.issuperset(HOME_COLUMNS):
        return _table(text, _Rows(path, zone or OSLO, renamed), "Norwegian homes", _home)
    return _own(text, header, path, zone, renamed)


def object_name(name: str) -> str:
    """A name as Kubernetes allows it: small letters, digits, hyphens and dots."""
    tidy = _NOT_IN_A_NAME.sub("-", name.lower())[:_LONGEST_NAME].strip(".-")
    return tidy or UNNAMED_SITE


def _text(path: Path) -> str:
    try:
        if path.stat().st_size > _BYTES_MOST:
            raise SessionsError([f"{path}: it is larger than 500 MB; learn from a part of it"])
        content = path.read_bytes()
        if content[:2] == b"\x1f\x8b":
            content = gzip.decompress(content)
        return content.decode("utf-8-sig")
    except (gzip.BadGzipFile, EOFError) as error:
        raise SessionsError([f"{path}: it is no whole gzip file: {error}"]) from error
    except OSError as error:
        raise SessionsError([f"{path}: it cannot be read: {error.strerror}"]) from error
    except UnicodeDecodeError as error:
        raise SessionsError([f"{path}: it is not UTF-8 text; save it as CSV UTF-8"]) from error


_Row = dict[str, str]


def _table(
    text: str, rows: _Rows, form: str, row_of: Callable[[_Rows, int, _Row], PastStay | None]
) -> Past:
    stays = []
    for line, row in _lines(text, rows):
        stay = row_of(rows, line, row)
        if stay is not None:
            stays.append(stay)
    if not stays and not rows.mistakes:
        rows.mistakes.append(f"{rows.path}: there is no session with a departure in it")
    if rows.mistakes:
        raise SessionsError(first_few(rows.mistakes))
    return Past(tuple(stays), rows.zone, form, tuple(rows.left_out))


def _lines(text: str, rows: _Rows) -> Iterator[tuple[int, _Row]]:
    table = csv.reader(io.StringIO(text, newline=""))
    try:
        header = [name.strip() for name in next(table)]
        for cells in table:
            if not any(cells):
                continue
            if len(cells) != len(header):
                sentence = f"{len(cells)} fields where the header has {len(header)}"
                rows.wrong(table.line_num, sentence)
                continue
            named = dict(zip(header, (cell.strip() for cell in cells), strict=True))
            yield table.line_num, named
    except csv.Error as error:
        rows.wrong(table.line_num, f"this is no CSV: {error}")


def _acn(rows: _Rows, line: int, row: _Row) -> PastStay | None:
    """A session of ACN-Data: nobody stated anything unless the session was claimed."""
    if row["claimed"] not in _YES_AND_NO:
        rows.wrong(line, f"claimed '{row['claimed']}' is neither True nor False")
        return None
    stated = row["estimated_departure"] if _YES_AND_NO[row["claimed"]] else ""
    times = (row["arrival"], row["departure"], stated)
    return _stay(rows, line, ("arrival", "departure", "estimated_departure"), times, row["site"])


def _home(rows: _Rows, line: int, row: _Row) -> PastStay | None:
    """A session of the Norwegian homes: a household is a vehicle, and nobody states anything."""
    names = ("plugged_in_local", "plugged_out_local", "")
    times = (row["plugged_in_local"], row["plugged_out_local"], "")
    return _stay(rows, line, names, times, row["location"], row["user"])


def _stay(  # noqa: PLR0913, PLR0917 - a row has as many cells
    rows: _Rows,
    line: int,
    names: tuple[str, str, str],
    times: tuple[str, str, str],
    site: str,
    vehicle: str = "",
) -> PastStay | None:
    before = len(rows.mistakes)
    if not site:
        rows.wrong(line, "it names no site")
    arrived = rows.time(line, names[0], times[0])
    left = rows.time(line, names[1], times[1]) if times[1] else None
    stated = rows.time(line, names[2], times[2]) if times[2] else None
    if len(rows.mistakes) > before or arrived is None:
        return None
    if left is None:
        rows.skip(line, f"there is no {names[1]}")
        return None
    stay = left.timestamp() - arrived.timestamp()
    if stay <= 0:
        rows.skip(line, f"{names[1]} is not after {names[0]}")
        return None
    said = None if stated is None else stated.timestamp() - arrived.timestamp()
    if said is not None and said <= 0:
        rows.skip(line, f"{names[2]} is not after {names[0]}")
        return None
    named = object_name(vehicle) if vehicle else None
    return PastStay(line, rows.site(site), named, arrived, stay, said)


def _own(
    text: str, header: set[str], path: Path, zone: ZoneInfo | None, renamed: Mapping[str, str]
) -> Past:
    if zone is None and "time_zone" not in header:
        sentence = "the header has no time_zone; add one, or say --time-zone Europe/Berlin"
        raise SessionsError([f"{path}, line 1: {sentence}"])
    sessions = sessions_file.parse(text, path, zone or ZoneInfo("UTC"), played=False)
    told_in = zone or sessions.zone
    rows = _Rows(path, told_in, renamed)
    stays = tuple(
        PastStay(
            line=row.line,
            site=rows.site(row.site or UNNAMED_SITE),
            vehicle=object_name(row.vehicle),
            arrived=local_time(row.arrives_at, told_in),
            stay_seconds=(row.leaves_at - row.arrives_at) / SECOND,
            stated_seconds=None
            if row.stated_leave_at is None
            else (row.stated_leave_at - row.arrives_at) / SECOND,
        )
        for row in sessions.rows
    )
    return Past(stays, told_in, "a sessions file", ())
