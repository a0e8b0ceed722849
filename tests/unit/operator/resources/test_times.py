"""Times and durations are read as RFC 3339 and Go define them, and printed one way."""

import pytest

from idlewatt_operator.resources.times import format_instant, parse_duration, parse_instant
from idlewatt_scheduler.model.units import FOREVER

NOON = 1_768_478_400_000
"""2026-01-15T12:00:00Z."""


@pytest.mark.parametrize(
    ("text", "after_noon"),
    [
        ("2026-01-15T12:00:00Z", 0),
        ("2026-01-15t12:00:00z", 0),
        ("2026-01-15T13:00:00+01:00", 0),
        ("2026-01-15T06:30:00-05:30", 0),
        ("2026-01-15T12:00:00-00:00", 0),
        ("2026-01-15T12:00:00.5Z", 500),
        ("2026-01-15T12:00:00.123456789Z", 124),
        ("2026-01-15T12:00:00.000Z", 0),
        ("2026-01-15T12:00:00.0000001Z", 1),
    ],
)
def test_times_with_a_zone_are_read_and_rounded_up(text: str, after_noon: int) -> None:
    """Every form of RFC 3339 gives the same instant, in milliseconds, rounded up."""
    assert parse_instant(text) == NOON + after_noon


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026-01-15",
        "2026-01-15T12:00:00",
        "2026-01-15 12:00:00Z",
        "2026-01-15T12:00Z",
        "2026-01-15T24:00:00Z",
        "2026-01-15T23:59:60Z",
        "2026-02-30T12:00:00Z",
        "0000-01-01T00:00:00Z",
        "2026-01-15T12:00:00+24:00",
        "2026-01-15T12:00:00+01:60",
        "2026-01-15T12:00:00+0100",
        "2026-01-15T12:00:00.Z",
        "٢٠٢٦-01-15T12:00:00Z",
        "tonight",
        "2026-01-15T12:00:00." + "0" * 100 + "Z",
    ],
)
def test_what_is_no_time_is_refused_with_an_example(text: str) -> None:
    """The sentence says how a time is written."""
    with pytest.raises(ValueError, match=r"is not an RFC 3339 time with a zone; write it as"):
        parse_instant(text)


@pytest.mark.parametrize(
    ("after_noon", "text"),
    [
        (0, "2026-01-15T12:00:00Z"),
        (500, "2026-01-15T12:00:00.500Z"),
        (1, "2026-01-15T12:00:00.001Z"),
        (86_400_000, "2026-01-16T12:00:00Z"),
    ],
)
def test_instants_print_in_utc(after_noon: int, text: str) -> None:
    """Fractions are printed only where there are any."""
    assert format_instant(NOON + after_noon) == text


def test_instants_print_at_the_edges_of_the_calendar() -> None:
    """Before the epoch, in the first year, and where there is no end at all."""
    assert format_instant(-1) == "1969-12-31T23:59:59.999Z"
    assert format_instant(parse_instant("0001-01-01T00:00:00Z")) == "0001-01-01T00:00:00Z"
    assert format_instant(FOREVER) == "9999-12-31T23:59:59.999Z"


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("0", 0),
        ("0s", 0),
        ("-0s", 0),
        ("90s", 90_000),
        ("+90s", 90_000),
        ("1h30m", 5_400_000),
        ("30m1h", 5_400_000),
        ("1.5h", 5_400_000),
        (".5s", 500),
        ("1.s", 1_000),
        ("100ms", 100),
        ("1ms1us", 2),
        ("1µs", 1),
        ("1μs", 1),
        ("1ns", 1),
        ("1000001ns", 2),
        ("2562047h47m16.854775807s", 9_223_372_036_855),
    ],
)
def test_go_durations_are_read_and_rounded_up(text: str, length: int) -> None:
    """What Go's `time.ParseDuration` takes gives milliseconds, rounded up."""
    assert parse_duration(text) == length


@pytest.mark.parametrize(
    "text",
    [
        "",
        "+",
        "1",
        "s",
        ".s",
        "1 h",
        "1h ",
        "1d",
        "1H",
        "1h30",
        "--1h",
        "1e3s",
        "2562048h",
        "\u0661s",
    ],
)
def test_what_is_no_duration_is_refused_with_an_example(text: str) -> None:
    """The sentence says how a duration is written."""
    with pytest.raises(ValueError, match=r"is not a duration; write it as"):
        parse_duration(text)


def test_negative_durations_are_refused() -> None:
    """A pod cannot run for less than nothing."""
    with pytest.raises(ValueError, match=r"'-1ms' is negative"):
        parse_duration("-1ms")


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("0001-01-01T00:00:00+23:59", "0001-01-01T00:00:00Z"),
        ("9999-12-31T23:59:59-23:59", "9999-12-31T23:59:59.999Z"),
    ],
)
def test_whatever_can_be_read_can_be_printed(text: str, printed: str) -> None:
    """A zone may lead out of the years there are; the nearest that there is is printed."""
    assert format_instant(parse_instant(text)) == printed
