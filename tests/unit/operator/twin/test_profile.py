"""Home stays are drawn from what was counted, and nothing beyond it."""

from datetime import date
from random import Random

import pytest

from idlewatt_operator.twin.profile import HomeProfile, drawn

TUESDAY = date(2022, 7, 12)
FRIDAY = date(2022, 7, 15)
DRAWS = 4_000


@pytest.mark.parametrize(
    ("share", "value"),
    [(0.0, 10), (0.05, 10), (0.1, 12), (0.5, 20), (0.9, 40), (0.95, 50), (1, 50)],
)
def test_a_quantile_is_met_and_the_outermost_are_held(share: float, value: float) -> None:
    """At a level the quantile is drawn, between two the straight line, beyond them no more."""
    levels, values = [0.05, 0.1, 0.5, 0.9, 0.95], [10, 12, 20, 40, 50]
    assert drawn(levels, values, share) == pytest.approx(value)


def test_between_two_quantiles_the_draw_is_even() -> None:
    """Half-way between two levels lies half-way between their quantiles."""
    assert drawn([0.25, 0.75], [10, 30], 0.5) == pytest.approx(20)


def test_many_draws_have_the_quantiles_of_the_profile() -> None:
    """Capacity, charge and power of many homes lie as often below each quantile as they should."""
    profile = HomeProfile()
    dice = Random(1)  # noqa: S311 - chances of a play
    stays = [profile.draw(TUESDAY, dice) for _ in range(DRAWS)]
    for figures, name in (
        ([stay.capacity_kwh for stay in stays], "battery_capacity_kwh_quantiles"),
        ([stay.charge_percent for stay in stays], "state_of_charge_start_percent_quantiles"),
        ([stay.charge_power_kw for stay in stays], "charge_power_kw_quantiles"),
    ):
        for level, value in list(zip(profile.levels, profile.figures[name], strict=True))[1:-1]:
            below = sum(1 for figure in figures if figure <= value) / DRAWS
            assert below == pytest.approx(level, abs=0.03), (name, level)


def test_plug_ins_come_at_the_hours_that_were_counted() -> None:
    """The share of each hour is that of its own day's kind: a weekday's before midnight."""
    profile = HomeProfile()
    dice = Random(2)  # noqa: S311 - chances of a play
    drawn_at = [
        (stay.day, stay.minute // 60) for stay in (profile.draw(FRIDAY, dice) for _ in range(DRAWS))
    ]
    weekday = profile.figures["plug_in_hour_share"]["weekday"]
    weekend = profile.figures["plug_in_hour_share"]["weekend"]
    whole = sum(weekday[11:]) + sum(weekend[:11])
    for hour in (16, 20, 21):
        share = sum(1 for at in drawn_at if at == (FRIDAY, hour)) / DRAWS
        assert share == pytest.approx(weekday[hour] / whole, abs=0.02)
    midnight = sum(1 for day, hour in drawn_at if day == date(2022, 7, 16) and hour == 0) / DRAWS
    assert midnight == pytest.approx(weekend[0] / whole, abs=0.02)
    assert {day for day, _ in drawn_at} == {FRIDAY, date(2022, 7, 16)}


def test_the_length_of_a_stay_depends_on_the_hour_of_its_plug_in() -> None:
    """The median stay after an evening plug-in is the evening's, not the morning's."""
    profile = HomeProfile()
    dice = Random(3)  # noqa: S311 - chances of a play
    stays = [profile.draw(TUESDAY, dice) for _ in range(DRAWS)]
    evening = sorted(stay.stay_hours for stay in stays if 18 * 60 <= stay.minute < 22 * 60)
    assert evening[len(evening) // 2] == pytest.approx(12.2, abs=0.6)
