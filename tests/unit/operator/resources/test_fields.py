"""The types of fields: what is read of them, and what is written again."""

from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from pydantic import TypeAdapter, ValidationError

from idlewatt_operator.resources import fields


def read(kind: Any, value: object) -> Any:  # noqa: ANN401 - whatever the field holds
    """What a field of a type holds for a written value."""
    return TypeAdapter(kind).validate_python(value)


@pytest.mark.parametrize(
    ("kind", "written", "value"),
    [
        (fields.Amount, "0.30", Decimal("0.30")),
        (fields.Price, "-0.02", Decimal("-0.02")),
        (fields.TaxPercent, "7.7", Decimal("7.7")),
        (fields.Rate, "0.086", Decimal("0.086")),
        (fields.Currency, "NOK", "NOK"),
        (
            fields.TimeZone,
            "America/Argentina/Buenos_Aires",
            ZoneInfo("America/Argentina/Buenos_Aires"),
        ),
        (fields.TimeZone, "Etc/GMT+5", ZoneInfo("Etc/GMT+5")),
        (fields.TimeZone, "UTC", ZoneInfo("UTC")),
        (fields.ClockTime, "00:00", "00:00"),
        (fields.Name, "row_A.1", "row_A.1"),
        (fields.Band, "Super-OffPeak_2", "Super-OffPeak_2"),
        (fields.Quantity, 16, "16"),
        (fields.Quantity, "1.5Gi", "1.5Gi"),
        (fields.ResourceName, "nvidia.com/gpu", "nvidia.com/gpu"),
    ],
)
def test_a_written_value_is_read(kind: object, written: object, value: object) -> None:
    """Text becomes the value the core needs."""
    assert read(kind, written) == value


@pytest.mark.parametrize(
    ("kind", "written"),
    [
        (fields.Amount, "1e3"),
        (fields.Amount, "1."),
        (fields.Amount, ".5"),
        (fields.Amount, "NaN"),
        (fields.Amount, "00.5"),
        (fields.Amount, "1234567890"),
        (fields.Amount, "0.10\n"),
        (fields.Price, "--1"),
        (fields.Rate, "0"),
        (fields.Currency, "XXX"),
        (fields.TimeZone, "../etc/passwd"),
        (fields.TimeZone, "Europe"),
        (fields.Name, "-a"),
        (fields.Name, ""),
        (fields.ObjectName, "a..b"),
        (fields.Watts, True),
        (fields.Watts, 1.0),
        (fields.Flag, 1),
        (fields.Quantity, True),
        (fields.Quantity, None),
    ],
)
def test_a_malformed_value_is_refused(kind: object, written: object) -> None:
    """What has another form, or another type, is refused rather than guessed at."""
    with pytest.raises(ValidationError):
        read(kind, written)


@pytest.mark.parametrize(
    ("written", "instant"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("1970-01-01T01:00:00.5+01:00", 500),
        ("1970-01-01t00:00:01z", 1_000),
    ],
)
def test_a_time_is_an_instant(written: str, instant: int) -> None:
    """A time is milliseconds since 1970, whatever zone it was written in."""
    assert read(fields.Time, written) == instant


@pytest.mark.parametrize("written", ["2200-01-01T00:00:00Z", "1969-12-31T23:59:59Z", "now", ""])
def test_a_time_has_bounds(written: str) -> None:
    """A time before 1970 or after 2200 is a mistake, like one that is no time."""
    with pytest.raises(ValidationError, match="between the years 1970 and 2200"):
        read(fields.Time, written)


@pytest.mark.parametrize(
    ("kind", "written"),
    [
        (fields.Amount, "0.30"),
        (fields.Time, "2026-01-15T22:00:00Z"),
        (fields.TimeZone, "Europe/Berlin"),
    ],
)
def test_a_value_is_written_as_it_was_read(kind: Any, written: str) -> None:  # noqa: ANN401 - a type or an annotated one
    """Writing a value gives the text that was read."""
    assert TypeAdapter(kind).dump_python(read(kind, written)) == written
