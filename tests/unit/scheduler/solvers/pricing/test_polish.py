"""Polishing: prices stay prices, get no worse, and a deadline is obeyed."""

import numpy as np
import pytest
from tests.unit.scheduler.solvers.pricing.plain import Scene, a_scene

from idlewatt_scheduler.solvers.limits import Stop
from idlewatt_scheduler.solvers.pricing.goal import Goal, rows_for
from idlewatt_scheduler.solvers.pricing.looks import first_look, look_around
from idlewatt_scheduler.solvers.pricing.polish import polished
from idlewatt_scheduler.tables.layout import Floats

MONEYS = pytest.mark.parametrize("money", [False, True], ids=["weight", "money"])


def _reached(scene: Scene, price: Floats) -> float:
    """What the first look at these prices sees."""
    return look_around(scene.packed, scene.rows, price, first_look(scene.packed)).reached


@MONEYS
@pytest.mark.parametrize("seed", range(6))
def test_prices_get_no_worse(seed: int, *, money: bool) -> None:
    """They start at random, so they get better, too; and what has no limit keeps no price."""
    scene = a_scene(seed, money=money)
    packed, rows, price = scene[1:]
    best = polished(packed, rows, price, first_look(packed), 12, 0.02)
    before = _reached(scene, price)
    assert _reached(scene, best) < before + 1e-3 * abs(before)
    assert (best >= rows.least).all()
    assert np.array_equal(best[~np.isfinite(rows.limit)], price[~np.isfinite(rows.limit)])


def test_the_price_of_what_has_to_be_placed_may_be_negative() -> None:
    """Where all pods have to be placed a pod's price is what it may cost, and no less is asked."""
    scene = a_scene(2, money=True, supply="ample")
    packed = scene.packed
    rows = rows_for(packed, Goal(int(packed.pods @ packed.weight)))
    begin = np.zeros(len(rows.limit))
    begin[: packed.templates] = -0.1
    best = polished(packed, rows, begin, first_look(packed), 12, 0.2)
    assert rows.everything
    assert (best[: packed.templates] < 0).all()
    assert (best[packed.templates :] >= 0).all()
    assert not np.array_equal(best, begin)


def test_no_rounds_leave_prices_as_they_are() -> None:
    """Nothing is looked at then."""
    scene = a_scene(3, money=False)
    look = first_look(scene.packed)
    best = polished(scene.packed, scene.rows, scene.price, look, 0, 0.02)
    assert np.array_equal(best, scene.price)
    assert (look.value < 0).all()


def test_a_deadline_ends_it_after_one_look() -> None:
    """What was asked first has to do; it is asked about once."""
    scene = a_scene(4, money=True)
    asked: list[bool] = []

    def expired() -> bool:
        asked.append(True)
        return True

    stop = Stop(expired=expired)
    best = polished(scene.packed, scene.rows, scene.price, first_look(scene.packed), 9, 0.1, stop)
    assert np.array_equal(best, scene.price)
    assert len(asked) == 1
