"""Marginal CO2 from CSV: a column of times, one of kilograms per kWh, and forecasts beside it."""

import csv
import io
import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final

from idlewatt_operator.gateways.tariffs.series import (
    Found,
    Interval,
    SeriesError,
    amount,
    resolution,
    tidy,
)

GRAMS_PER_KILOGRAM: Final = Decimal(1_000)
ANY_CURRENCY: Final = "EUR"
"""Every tariff names one; a series of carbon has no price to be in it."""


def is_carbon(header: list[str]) -> bool:
    """Whether these columns are those of a marginal emission rate with its forecasts."""
    return header[:2] == ["time", "moer"]


def carbon(text: str, *, forecasts: bool) -> Found:
    """Marginal emissions in kg/kWh, and at each time what was expected of the next steps.

    What was measured is known from its own time on; the n-th forecast made at a time is about the
    n-th step after it, and is an interval of its own with the age that it has.

    Args:
        text: the file.
        forecasts: keep the forecasts too; otherwise their number is told.

    Raises:
        SeriesError: a line cannot be read.
    """
    reader = csv.DictReader(io.StringIO(text))
    steps = [name for name in reader.fieldnames or [] if re.fullmatch(r"f\d+", name)]
    rows = []
    for row in reader:
        if None in row or None in row.values():
            message = f"line {reader.line_num}: it has not as many cells as there are columns."
            raise SeriesError(message)
        try:
            moment = datetime.fromisoformat(row["time"])
        except ValueError as error:
            message = f"line {reader.line_num}: '{row['time']}' is no time."
            raise SeriesError(message) from error
        if moment.tzinfo is None:
            message = f"line {reader.line_num}: '{row['time']}' is in no time zone."
            raise SeriesError(message)
        rows.append((reader.line_num, moment.astimezone(UTC), row))
    seconds = resolution(moment for _, moment, _ in rows)
    measured, notes = tidy(
        Interval(moment, seconds, _grams(row["moer"], line, "moer"), moment)
        for line, moment, row in rows
    )
    expected = [
        Interval(
            moment + int(name[1:]) * timedelta(seconds=seconds),
            seconds,
            _grams(row[name], line, name),
            moment,
            forecast=True,
        )
        for line, moment, row in rows
        for name in (steps if forecasts else ())
    ]
    if steps and not forecasts:
        left_out = f"{len(rows) * len(steps)} forecasts were left out: --forecasts keeps them."
        notes = (*notes, left_out)
    until = measured[-1].start + timedelta(seconds=seconds)
    return Found(
        intervals=(*measured, *expected),
        currency=ANY_CURRENCY,
        time_zone="UTC",
        provenance={
            "period": f"{measured[0].start:%Y-%m-%d} to {until:%Y-%m-%d}, UTC",
            "content": "marginal CO2",
        },
        notes=notes,
    )


def _grams(text: str, line: int, column: str) -> dict[str, Decimal]:
    return {"GHG": amount(text, line, column) * GRAMS_PER_KILOGRAM}
