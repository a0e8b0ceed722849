"""Kubernetes quantities are read exactly."""

from fractions import Fraction

import pytest

from idlewatt_operator.resources.quantities import parse_quantity


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("16", 16),
        (16, 16),
        ("0", 0),
        ("500m", Fraction(1, 2)),
        ("100u", Fraction(1, 10_000)),
        ("1n", Fraction(1, 10**9)),
        ("32Gi", 32 * 2**30),
        ("1.5Ki", 1536),
        ("2k", 2_000),
        ("1M", 10**6),
        ("1E", 10**18),
        ("1e3", 1_000),
        ("1E3", 1_000),
        ("25e-1", Fraction(5, 2)),
        (".5", Fraction(1, 2)),
        ("5.", 5),
        ("+5", 5),
        ("-5m", Fraction(-1, 200)),
    ],
)
def test_a_quantity_is_exact(written: str | int, value: Fraction | int) -> None:
    """Every suffix and exponent gives the number it means, without rounding."""
    assert parse_quantity(written) == value


@pytest.mark.parametrize(
    "written", ["", " 1", "1 Gi", "1GiB", "one", "1,5", "0x10", "1e", "1e3Ki", "--1", "1" * 33]
)
def test_what_is_no_quantity_is_refused(written: str) -> None:
    """Anything else is refused, and the sentence shows how to write one."""
    with pytest.raises(ValueError, match="is not a Kubernetes quantity; write a number"):
        parse_quantity(written)


@pytest.mark.parametrize("written", ["1e9999", "9999999999999Ei", "9223372036854775808"])
def test_a_quantity_beyond_64_bits_is_the_greatest(written: str) -> None:
    """As in Kubernetes, what does not fit counts as 2^63 - 1, at no cost in time or memory."""
    assert parse_quantity(written) == 2**63 - 1
