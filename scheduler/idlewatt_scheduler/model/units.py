"""The units of the core, and the only places where a figure is rounded.

Arithmetic in the core is exact. Power is whole milliwatts, rounded down; time is whole
milliseconds since the Unix epoch in UTC, rounded up; money and prices are decimals. Resources
of Kubernetes are whole thousandths of their unit, rounded up as Kubernetes rounds them.
"""

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Final, TypeAlias

Instant: TypeAlias = int
"""Milliseconds since 1970-01-01T00:00:00Z."""

Milliseconds: TypeAlias = int
Milliwatts: TypeAlias = int

Quantities: TypeAlias = Mapping[str, int]
"""Resource name to thousandths of its unit: `{"cpu": 500, "memory": 1_073_741_824_000}`."""

Money: TypeAlias = Decimal
"""A decimal in a currency that the context names."""

SECOND: Final[Milliseconds] = 1_000
MINUTE: Final[Milliseconds] = 60 * SECOND
HOUR: Final[Milliseconds] = 60 * MINUTE
DAY: Final[Milliseconds] = 24 * HOUR

FOREVER: Final[Instant] = 2**62
"""Later than any instant: the end of what has no end."""

CALENDAR_HORIZON: Final[Milliseconds] = 14 * DAY
"""How far ahead parking windows are looked at."""

CLOCK_TOLERANCE: Final[Milliseconds] = 5 * SECOND
"""How far after `at` an observation may lie before it is held to be invalid."""

MILLIWATT_MILLISECONDS_PER_WATT_HOUR: Final = 1_000 * HOUR
MILLIWATT_MILLISECONDS_PER_KWH: Final = 1_000 * MILLIWATT_MILLISECONDS_PER_WATT_HOUR


def seconds(count: int) -> Milliseconds:
    """Whole seconds as milliseconds."""
    return count * SECOND


def milliwatts(watts: Fraction | Decimal | int) -> Milliwatts:
    """Watts as whole milliwatts, rounded down."""
    if isinstance(watts, int):
        return watts * 1_000
    return (Fraction(watts) * 1_000).__floor__()


def milliseconds(length_seconds: Fraction | Decimal | int) -> Milliseconds:
    """Seconds as whole milliseconds, rounded up."""
    return (Fraction(length_seconds) * 1_000).__ceil__()


def thousandths(quantity: Fraction | Decimal | int) -> int:
    """A Kubernetes quantity as whole thousandths, rounded up."""
    return (Fraction(quantity) * 1_000).__ceil__()
