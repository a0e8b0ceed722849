"""Profiles: what they say of an instant and of a stretch."""

import pytest

from idlewatt_scheduler.model.charging import ChargingPeriod, ChargingProfile

PROFILE = ChargingProfile((ChargingPeriod(10, 5), ChargingPeriod(20, 7), ChargingPeriod(30, 0)))


@pytest.mark.parametrize(
    ("instant", "power"), [(9, None), (10, 5), (19, 5), (20, 7), (30, 0), (10**9, 0)]
)
def test_before_its_first_period_a_profile_says_nothing(instant: int, power: int | None) -> None:
    """And its last has no end."""
    assert PROFILE.power_at(instant) == power


@pytest.mark.parametrize(
    ("start", "end", "pieces"),
    [
        (0, 40, [(10, 20, 5), (20, 30, 7), (30, 40, 0)]),
        (12, 25, [(12, 20, 5), (20, 25, 7)]),
        (20, 30, [(20, 30, 7)]),
        (35, 99, [(35, 99, 0)]),
        (0, 10, []),
        (15, 15, []),
    ],
)
def test_a_stretch_of_a_profile_in_pieces(
    start: int, end: int, pieces: list[tuple[int, int, int]]
) -> None:
    """Only where it says something, and never an empty one."""
    assert PROFILE.pieces(start, end) == pieces
