"""Rounding, in the only places where a figure is rounded."""

from decimal import Decimal
from fractions import Fraction

import pytest

from idlewatt_scheduler.model.units import milliseconds, milliwatts, seconds, thousandths


@pytest.mark.parametrize(
    ("watts", "expected"),
    [(1, 1_000), (Decimal("62.5"), 62_500), (Decimal("0.0019"), 1), (Fraction(2, 3), 666)],
)
def test_power_is_rounded_down(watts: Fraction | Decimal | int, expected: int) -> None:
    """To the milliwatt."""
    assert milliwatts(watts) == expected


@pytest.mark.parametrize(
    ("length", "expected"),
    [(1, 1_000), (Decimal("0.5"), 500), (Decimal("0.0001"), 1), (Fraction(2, 3), 667)],
)
def test_time_is_rounded_up(length: Fraction | Decimal | int, expected: int) -> None:
    """To the millisecond."""
    assert milliseconds(length) == expected


@pytest.mark.parametrize(
    ("quantity", "expected"), [(2, 2_000), (Decimal("0.25"), 250), (Decimal("0.0001"), 1)]
)
def test_quantities_are_rounded_up(quantity: Decimal | int, expected: int) -> None:
    """To the thousandth, as Kubernetes rounds them."""
    assert thousandths(quantity) == expected


def test_seconds_are_thousands_of_milliseconds() -> None:
    """Whole ones need no rounding."""
    assert seconds(90) == 90_000
