"""What is told apart: what answered better about stays that were left out, and nothing else."""

import numpy as np
from tests.unit.operator.learning.stays import a_stay, nights, words

from idlewatt_operator.learning.fit import VEHICLE_STAYS_LEAST, Fit, fit
from idlewatt_operator.learning.past import columns, stated_columns
from idlewatt_operator.learning.pooling import Keys


def keys_of(found: Fit) -> list[Keys]:
    """Whose distributions are told."""
    return [chosen.keys for chosen in found.chosen]


def test_hours_are_told_apart_where_they_differ() -> None:
    """Noon and evening here; hours at which nobody came are not told."""
    found = fit(columns(nights(400, 5), stated=False))
    assert found.sites[0].level != "all"
    assert {keys.hour for keys in keys_of(found)} == {None, 12, 18}


def test_nothing_is_told_apart_where_all_is_one() -> None:
    """Words that do not depend on the hour: one entry for the site, one for any."""
    found = fit(stated_columns(words(400, 6)))
    assert keys_of(found) == [Keys(), Keys(site=0)]


def test_weekdays_are_told_apart_where_they_differ() -> None:
    """Cars that come at the same hour every day, and on Saturdays leave at once."""
    stays = [
        a_stay(day, hours=1 if day % 7 == 5 else 10 + number / 10)
        for day in range(140)
        for number in range(3)
    ]
    found = fit(columns(stays, stated=False))
    assert [choice.level for choice in found.sites] == ["hour and weekday"]
    assert Keys(site=0, hour=18, weekday=5) in keys_of(found)


def test_a_vehicle_is_told_where_its_habit_answers_better() -> None:
    """The one with a habit of its own is; two that do as all do need not be."""
    habits = {"v-1": 4.0, "v-2": 0.0, "v-3": 0.0, "v-4": 0.0, "v-5": 0.0}
    stays = columns(nights(1_000, 7, habits=habits), stated=False)
    told = {stays.vehicles[number] for site in fit(stays).sites for number in site.vehicles}
    assert "v-1" in told


def test_a_vehicle_with_few_stays_is_not_told() -> None:
    """Whatever they look like."""
    few = [a_stay(day, hours=1, vehicle="v-9") for day in range(VEHICLE_STAYS_LEAST - 1)]
    found = fit(columns([*nights(200, 8), *few], stated=False))
    assert all(not site.vehicles for site in found.sites)


def test_hours_are_told_of_unknown_sites_where_the_known_ones_agree() -> None:
    """Two sites with the same evenings: a third one will have them, too. One alone says nothing."""
    alone = fit(columns(nights(300, 9), stated=False))
    both = fit(columns([*nights(300, 9), *nights(300, 10, site="other")], stated=False))
    assert not alone.everywhere_by_hour
    assert both.everywhere_by_hour
    assert Keys(hour=18) in keys_of(both)


def test_from_nothing_nothing_is_learned() -> None:
    """A file without a stated departure teaches none."""
    assert fit(stated_columns([a_stay()])).chosen == ()


def test_a_single_stay_teaches_next_to_nothing() -> None:
    """While it is left out nothing at all is known; half of what is told is the worst."""
    (everywhere, site) = fit(columns([a_stay()], stated=False)).chosen
    assert np.allclose(everywhere.points[:51], np.arange(51) / 50 * 36_000)
    assert np.allclose(site.points, everywhere.points)
    (everywhere, _) = fit(stated_columns([a_stay(stated=11)])).chosen
    assert everywhere.points[-1] == 1_000_000


def test_a_handful_of_stays_teaches_caution() -> None:
    """From three stays nobody can promise anything in 99 of 100 cases."""
    (everywhere, *_) = fit(columns([a_stay(day) for day in range(3)], stated=False)).chosen
    assert everywhere.points[1] < 0.1 * 36_000
    assert (np.diff(everywhere.points) >= 0).all()
