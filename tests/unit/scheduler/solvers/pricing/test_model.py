"""Prices learned on a sample: they are prices, better than what was guessed, and in time."""

import numpy as np
import pytest
from tests.unit.scheduler.solvers.pricing.plain import a_scene

from idlewatt_scheduler.solvers.limits import Stop
from idlewatt_scheduler.solvers.pricing.goal import Goal, rows_for
from idlewatt_scheduler.solvers.pricing.guess import guess
from idlewatt_scheduler.solvers.pricing.looks import first_look, look_around
from idlewatt_scheduler.solvers.pricing.model import learned
from idlewatt_scheduler.solvers.pricing.packing import Packed
from idlewatt_scheduler.tables.layout import Floats

PARTS = (None, 0.5, 1.0)
"""Of all weight, what has to be placed: prices are in weight, then in money."""


def _goal(packed: Packed, part: float | None) -> Goal:
    return Goal() if part is None else Goal(int(part * float(packed.pods @ packed.weight)))


def _reached(packed: Packed, goal: Goal, price: Floats) -> float:
    return look_around(packed, rows_for(packed, goal), price, first_look(packed)).reached


@pytest.mark.parametrize("vehicles", [15, 100], ids=["some", "all"])
@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("seed", range(3))
def test_prices_are_prices(seed: int, part: float | None, vehicles: int) -> None:
    """Of every row of the whole fleet, none below the least, and none of what has no limit."""
    packed = a_scene(seed, money=False).packed
    goal = _goal(packed, part)
    rows = rows_for(packed, goal)
    price = learned(packed, goal, vehicles, 6)
    assert price.shape == rows.limit.shape
    assert np.isfinite(price).all()
    assert (price >= rows.least - 1e-12).all()
    assert not price[~np.isfinite(rows.limit)].any()


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("seed", range(3))
def test_prices_are_no_worse_than_the_guess(seed: int, part: float | None) -> None:
    """Asked of all vehicles, where all of them are the sample."""
    packed = a_scene(seed, money=False).packed
    goal = _goal(packed, part)
    begin = _reached(packed, goal, guess(packed, rows_for(packed, goal), 1.0))
    best = _reached(packed, goal, learned(packed, goal, 100, 8))
    assert best <= begin + 1e-3 * abs(begin)


def test_what_a_plan_pays_is_where_it_begins() -> None:
    """Without a round prices are nine tenths of what pods cost in it."""
    packed = a_scene(1, money=False).packed
    spent = np.linspace(0.1, 0.5, packed.templates)
    price = learned(packed, _goal(packed, 1.0), 100, 0, paid=spent)
    assert price[: packed.templates] == pytest.approx(-0.9 * spent)


def test_a_deadline_ends_it_after_one_round() -> None:
    """However many rounds there might be."""
    packed = a_scene(2, money=False).packed
    stop = Stop(expired=lambda: True)
    cut = learned(packed, Goal(), 100, 50, stop)
    assert np.array_equal(cut, learned(packed, Goal(), 100, 1))
    assert not np.array_equal(cut, learned(packed, Goal(), 100, 6))
