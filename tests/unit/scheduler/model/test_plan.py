"""What a plan says of itself."""

from fractions import Fraction

import pytest

from idlewatt_scheduler.model.plan import Plan


@pytest.mark.parametrize(
    ("weight", "bound", "gap"),
    [(0, 0, Fraction(0)), (0, 4, Fraction(1)), (3, 4, Fraction(1, 4)), (4, 4, Fraction(0))],
)
def test_the_gap_is_a_share_of_the_bound(weight: int, bound: int, gap: Fraction) -> None:
    """Nothing where there is nothing to place."""
    assert Plan(at=0, weight=weight, bound=bound).gap == gap
