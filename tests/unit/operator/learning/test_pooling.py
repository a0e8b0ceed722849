"""Distributions of few stays: each leans on those of more, and expects one that is worse."""

import numpy as np
import pytest
from tests.unit.operator.learning.stays import a_stay, nights, words

from idlewatt_operator.learning.past import columns, stated_columns
from idlewatt_operator.learning.pooling import LEAN, Keys, Pool


def test_the_worst_that_can_be_is_one_part_more_than_there_are() -> None:
    """Of nine equal stays a tenth is held to end at once; of nine equal words, too."""
    stays = Pool(columns([a_stay(day) for day in range(9)], stated=False)).quantiles(Keys())
    assert stays[0] == 0
    assert stays[10] == pytest.approx(36_000)
    assert stays[100] == pytest.approx(36_000)
    kept = Pool(stated_columns([a_stay(day, hours=8, stated=8) for day in range(9)]))
    lost = kept.quantiles(Keys())
    assert lost[89] == pytest.approx(0)
    assert lost[100] == 1_000_000


def test_quantiles_never_fall() -> None:
    """Neither those of stays nor those of words."""
    for stays in (columns(nights(200, 1), stated=False), stated_columns(words(200, 1))):
        for keys in (Keys(), Keys(site=0), Keys(site=0, hour=8), Keys(site=0, hour=18, weekday=2)):
            assert (np.diff(Pool(stays).quantiles(keys)) >= 0).all()


def test_a_site_with_few_stays_leans_on_all() -> None:
    """Twenty of its own weigh as much as all others together, and two hundred ten times that."""
    for own in (20, 200):
        stays = [a_stay(day % 50, hours=2, site="a") for day in range(own)]
        stays += [a_stay(day % 50, hours=10, site="b") for day in range(2_000)]
        weights = Pool(columns(stays, stated=False)).weights(Keys(site=0))
        short = weights[:own].sum()
        leaning = LEAN * own / (own + 2_001)
        assert short == pytest.approx((own + leaning) / (own + LEAN + 1))


def test_an_hour_hears_its_neighbours() -> None:
    """Noon is told apart from evening, and 13:00 is told what is known of noon."""
    pool = Pool(columns(nights(400, 2), stated=False))
    assert pool.quantiles(Keys(site=0, hour=12))[50] < 2.5 * 3_600
    assert pool.quantiles(Keys(site=0, hour=13))[50] < 2.5 * 3_600
    assert pool.quantiles(Keys(site=0, hour=18))[50] > 9 * 3_600
    assert pool.own(Keys(site=0, hour=13)) == pytest.approx(200 * np.exp(-0.5))
    assert pool.own(Keys(site=0, hour=4)) == 0


def test_another_weekday_counts_for_less() -> None:
    """A Monday hears Mondays first, then working days, then the weekend."""
    pool = Pool(columns([a_stay(day, hours=day + 1) for day in range(7)], stated=False))
    keys = Keys(site=0, hour=18, weekday=0)
    monday, *others, saturday, sunday = pool.weights(keys)
    assert pool.own(keys) == 1
    assert others == pytest.approx([others[0]] * 4)
    assert monday > others[0] > saturday
    assert saturday == pytest.approx(sunday)


def test_a_vehicle_leans_on_what_its_site_does_at_that_hour() -> None:
    """One that stays three hours longer is learned, but not wholly believed."""
    habits = {"v-1": 3.0, "v-2": 0.0, "v-3": 0.0}
    stays = columns(nights(600, 3, habits=habits), stated=False)
    evening = Keys(site=0, hour=18)
    own = Pool(stays).quantiles(Keys(site=0, vehicle=stays.vehicles.index("v-1"), hour=18))
    assert Pool(stays).quantiles(evening)[50] + 3_600 < own[50] < 13.2 * 3_600
    assert own[10] < 12 * 3_600


def test_a_site_that_is_not_known_gets_the_most_careful_answer() -> None:
    """Percentage by percentage the shortest stay of the known sites, and the greatest loss."""
    both = [*nights(200, 4, site="a"), *[a_stay(day, hours=30, site="b") for day in range(50)]]
    pool = Pool(columns(both, stated=False))
    sites = [pool.quantiles(Keys(site=number)) for number in (0, 1)]
    assert pool.quantiles(Keys()).tolist() == np.minimum(*sites).tolist()
    said = [
        a_stay(day, hours=hours, stated=8, site=str(hours)) for day in range(30) for hours in (4, 8)
    ]
    pool = Pool(stated_columns(said))
    lost = [pool.quantiles(Keys(site=number)) for number in (0, 1)]
    assert pool.quantiles(Keys()).tolist() == np.maximum(*lost).tolist()
