"""Day-ahead prices from CSV: ERCOT's own columns, or any two that are named."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final
from zoneinfo import ZoneInfo

from idlewatt_operator.gateways.tariffs.series import (
    Found,
    Interval,
    LocalClock,
    SeriesError,
    amount,
    check_year,
    header_of,
    lengths,
    moment_of,
    rows,
    tidy,
    zone_of,
)

ERCOT_COLUMNS: Final = frozenset(
    {"Delivery Date", "Hour Ending", "Repeated Hour Flag", "Settlement Point Price"}
)
HOURS_OF_A_DAY: Final = 24
ERCOT_ZONE: Final = "America/Chicago"
PER_KWH: Final[Mapping[str, Decimal]] = {
    "MWh": Decimal(1_000),
    "kWh": Decimal(1),
    "ct/kWh": Decimal(100),
}
"""What a price is divided by to be one per kWh."""


@dataclass(frozen=True, slots=True)
class Columns:
    """How to read a CSV of prices.

    Attributes:
        time: of the column with the start of each interval; `price` of the one with its price.
        created: of the column that says when a price was published; None: there is none.
        unit: a key of `PER_KWH`.
        zone: in which times without one are; None: every time must have its own.
    """

    time: str = "time"
    price: str = "price"
    created: str | None = None
    unit: str = "MWh"
    zone: str | None = None


def is_ercot(header: Sequence[str]) -> bool:
    """Whether these columns are those of ERCOT's settlement point prices."""
    return set(header) >= ERCOT_COLUMNS


def ercot(text: str) -> Found:
    """ERCOT's day-ahead settlement point prices: local time, hour ending, dollars per MWh.

    Raises:
        SeriesError: a line cannot be read, or there are several settlement points.
    """
    clock = LocalClock(ZoneInfo(ERCOT_ZONE))
    points: set[str] = set()
    found = []
    for line, row in _prices(text):
        points.add(row.get("Settlement Point") or "")
        ending = re.fullmatch(r"(\d\d):00", row["Hour Ending"])
        if ending is None or not 1 <= int(ending[1]) <= HOURS_OF_A_DAY:
            message = f"line {line}: '{row['Hour Ending']}' is no hour ending, 01:00 to 24:00."
            raise SeriesError(message)
        try:
            day = datetime.strptime(row["Delivery Date"], "%m/%d/%Y")  # noqa: DTZ007 # local
        except ValueError as error:
            message = f"line {line}: '{row['Delivery Date']}' is no date such as 07/31/2022."
            raise SeriesError(message) from error
        check_year(day, row["Delivery Date"], line)
        local = day + timedelta(hours=int(ending[1]) - 1)
        start = clock.instant(local, second=row["Repeated Hour Flag"] == "Y")
        price = amount(row["Settlement Point Price"], line, "Settlement Point Price")
        found.append(Interval(start, 3_600, {"PRICE": price / PER_KWH["MWh"]}))
    if len(points) > 1:
        message = (
            f"There are {len(points)} settlement points here, {', '.join(sorted(points)[:5])}: a "
            "tariff has one price. Keep the lines of one of them."
        )
        raise SeriesError(message)
    intervals, notes = tidy(found)
    return Found(
        intervals=intervals,
        currency="USD",
        time_zone=ERCOT_ZONE,
        wholesale=True,
        provenance={"place": f"ERCOT {next(iter(points), '')}".strip(), **_period(intervals)},
        notes=notes,
    )


def any_series(text: str, columns: Columns) -> Found:
    """A CSV with a column of times and one of prices.

    Raises:
        SeriesError: a column is missing, a line cannot be read, or a time has no zone.
    """
    clock = LocalClock(zone_of(columns.zone)) if columns.zone else None
    _check_columns(text, columns)
    lines = _prices(text)
    if clock is not None:
        lines = _in_order(lines, columns.time)
    starts = [_moment(row[columns.time], line, clock) for line, row in lines]
    seconds = lengths(starts)
    published = [
        _moment(row[columns.created], line, None) if columns.created else None
        for line, row in lines
    ]
    prices = [amount(row[columns.price], line, columns.price) for line, row in lines]
    listed = [
        Interval(start, seconds[start], {"PRICE": price / PER_KWH[columns.unit]}, created)
        for start, price, created in zip(starts, prices, published, strict=True)
    ]
    if columns.created:
        # Revisions stay: which of them counts depends on when one asks.
        intervals = tuple(
            sorted(listed, key=lambda each: (each.start, each.created_at or each.start))
        )
        notes: tuple[str, ...] = ()
    else:
        intervals, notes = tidy(listed)
    return Found(
        intervals=intervals,
        time_zone=columns.zone,
        wholesale=True,
        provenance=_period(intervals),
        notes=notes,
    )


def _check_columns(text: str, columns: Columns) -> None:
    header = header_of(text)
    for name in filter(None, (columns.time, columns.price, columns.created) if header else ()):
        if name not in header:
            there = ", ".join(filter(None, header))
            message = (
                f"There is no column {name}: the columns are {there}. Name them with "
                "--time-column and --price-column."
            )
            raise SeriesError(message)
        if header.count(name) > 1:
            message = f"There are {header.count(name)} columns {name}: give each a name of its own."
            raise SeriesError(message)


def _prices(text: str) -> list[tuple[int, dict[str, str]]]:
    found = list(rows(text))
    if not found:
        message = "There is no line of prices here."
        raise SeriesError(message)
    return found


def _in_order(
    listed: list[tuple[int, dict[str, str]]], column: str
) -> list[tuple[int, dict[str, str]]]:
    """From early to late: of a file that begins with the latest line, turned round.

    Local times of an autumn night are told apart by their order alone.
    """
    (first_line, first), (last_line, last) = listed[0], listed[-1]
    begins, ends = moment_of(first[column], first_line), moment_of(last[column], last_line)
    turned = begins.replace(tzinfo=None) > ends.replace(tzinfo=None)
    return listed[::-1] if turned else listed


def _moment(text: str, line: int, clock: LocalClock | None) -> datetime:
    moment = moment_of(text, line)
    if moment.tzinfo is not None:
        return moment
    if clock is None:
        message = (
            f"line {line}: '{text}' is in no time zone. Say which with --time-zone, such as "
            "Europe/Berlin."
        )
        raise SeriesError(message)
    return clock.instant(moment)


def _period(intervals: Sequence[Interval]) -> dict[str, str]:
    if not intervals:
        return {}
    last = intervals[-1]
    until = last.start + timedelta(seconds=last.seconds)
    return {"period": f"{intervals[0].start:%Y-%m-%d} to {until:%Y-%m-%d}, UTC"}
