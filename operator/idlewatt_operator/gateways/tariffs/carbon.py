"""Marginal CO2 from CSV: a column of times, one of kilograms per kWh, and forecasts beside it."""

import re
from datetime import UTC, timedelta
from decimal import Decimal
from typing import Final

from idlewatt_operator.gateways.tariffs.series import (
    Found,
    Interval,
    SeriesError,
    amount,
    header_of,
    moment_of,
    resolution,
    rows,
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
    steps = [name for name in header_of(text) if re.fullmatch(r"f\d+", name)]
    listed = []
    for line, row in rows(text):
        moment = moment_of(row["time"], line)
        if moment.tzinfo is None:
            message = f"line {line}: '{row['time']}' is in no time zone."
            raise SeriesError(message)
        listed.append((line, moment.astimezone(UTC), row))
    seconds = resolution(moment for _, moment, _ in listed)
    measured, notes = tidy(
        Interval(moment, seconds, _grams(row["moer"], line, "moer"), moment)
        for line, moment, row in listed
    )
    expected = [
        Interval(
            moment + int(name[1:]) * timedelta(seconds=seconds),
            seconds,
            _grams(row[name], line, name),
            moment,
            forecast=True,
        )
        for line, moment, row in listed
        for name in (steps if forecasts else ())
    ]
    if steps and not forecasts:
        left_out = f"{len(listed) * len(steps)} forecasts were left out: --forecasts keeps them."
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
