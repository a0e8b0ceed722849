"""A look at all vehicles: what they take together, and how far it could be to the best plan."""

import numba
import numpy as np
import pytest
from tests.unit.scheduler.solvers.pricing.plain import Scene, a_scene, patterns_held, taken_by

from idlewatt_scheduler.solvers.pricing.goal import paid
from idlewatt_scheduler.solvers.pricing.looks import Look, Seen, first_look, look_around
from idlewatt_scheduler.solvers.pricing.packing import pack
from idlewatt_scheduler.solvers.warming import a_small_fleet


def _twice(scene: Scene, threads: int) -> tuple[Look, Seen]:
    """Two looks at two prices, with so many threads."""
    before = numba.get_num_threads()
    numba.set_num_threads(threads)
    try:
        look = first_look(scene.packed)
        look_around(scene.packed, scene.rows, scene.price, look)
        return look, look_around(scene.packed, scene.rows, 0.9 * scene.price, look)
    finally:
        numba.set_num_threads(before)


@pytest.mark.parametrize("money", [False, True], ids=["weight", "money"])
@pytest.mark.parametrize("seed", range(6))
def test_what_is_taken_is_the_sum_over_vehicles(seed: int, *, money: bool) -> None:
    """Of demand, rooms, domains and weight, each pattern counted by hand."""
    packed, rows, price = a_scene(seed, money=money)[1:]
    look = first_look(packed)
    seen = look_around(packed, rows, price, look)
    taken = sum(
        taken_by(packed, vehicle, pattern)
        for vehicle, pattern in enumerate(patterns_held(packed, look.held))
    )
    assert seen.taken == pytest.approx(taken)
    assert seen.taken[: packed.templates].sum() > 0
    assert seen.reached == pytest.approx(look.value.sum() + paid(rows, price))


@pytest.mark.parametrize("seed", range(3))
def test_any_number_of_threads_sees_the_same(seed: int) -> None:
    """To the last digit."""
    scene = a_scene(seed, money=True, vehicles=100)
    look, seen = _twice(scene, 1)
    other, also = _twice(scene, numba.get_num_threads())
    assert np.array_equal(look.weight, other.weight)
    assert np.array_equal(look.held, other.held)
    assert np.array_equal(look.value, other.value)
    assert np.array_equal(seen.taken, also.taken)
    assert seen.reached == also.reached


def test_a_first_look_knows_nothing() -> None:
    """Nothing held, limits that count alike, and no earnings yet."""
    packed = pack(a_small_fleet())
    look = first_look(packed)
    assert not look.held.any()
    assert (look.weight == 0.25).all()
    assert (look.value < 0).all()
