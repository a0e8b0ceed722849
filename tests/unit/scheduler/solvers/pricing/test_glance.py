"""Patterns found at a glance: they fit, earn what is said, and are found again."""

import numpy as np
import pytest
from tests.unit.scheduler.solvers.pricing.plain import (
    Scene,
    a_scene,
    earned,
    pattern_faults,
    patterns_held,
)

from idlewatt_scheduler.solvers.pricing.goal import prices_at
from idlewatt_scheduler.solvers.pricing.looks import Look, first_look, look_around
from idlewatt_scheduler.solvers.pricing.sweep import Effort, nothing_found, sweep
from idlewatt_scheduler.tables.layout import Floats

SEEDS = range(6)
MONEYS = pytest.mark.parametrize("money", [False, True], ids=["weight", "money"])


def looked(scene: Scene) -> Look:
    """The first look at these prices."""
    look = first_look(scene.packed)
    look_around(scene.packed, scene.rows, scene.price, look)
    return look


def searched(scene: Scene, floor: Floats, nodes: int = 5_000) -> tuple[Floats, Floats]:
    """By vehicle: the best pattern's earnings, and what none exceeds."""
    packed = scene.packed
    found = nothing_found(packed.vehicles)
    effort = Effort(floor, 0.0, nodes, packed.widest)
    prices = prices_at(packed, scene.rows, scene.price)
    sweep(np.arange(packed.vehicles), packed, prices, effort, found)
    return found.value, found.upper


@MONEYS
@pytest.mark.parametrize("seed", SEEDS)
def test_each_pattern_fits_and_earns_what_is_said(seed: int, *, money: bool) -> None:
    """Alone on its vehicle no limit is broken, and its value is the sum of what its pods earn."""
    scene = a_scene(seed, money=money)
    look = looked(scene)
    assert (look.value > 0).sum() > scene.packed.vehicles / 4
    for vehicle, pattern in enumerate(patterns_held(scene.packed, look.held)):
        assert pattern_faults(scene.tables, vehicle, pattern) == []
        assert look.value[vehicle] == pytest.approx(earned(scene, vehicle, pattern), abs=1e-9)


@MONEYS
@pytest.mark.parametrize("seed", SEEDS)
def test_no_pattern_beats_the_search(seed: int, *, money: bool) -> None:
    """It earns no more than what no pattern exceeds, and in the mean nearly as much as the best."""
    scene = a_scene(seed, money=money)
    look = looked(scene)
    best, upper = searched(scene, np.zeros(scene.packed.vehicles))
    assert (look.value <= upper + 1e-9).all()
    assert look.value.sum() >= 0.95 * best.sum()


@MONEYS
@pytest.mark.parametrize("seed", SEEDS)
def test_a_second_look_is_never_worse(seed: int, *, money: bool) -> None:
    """What was found at these prices is where the next look at them begins."""
    scene = a_scene(seed, money=money)
    look = looked(scene)
    before = look.value.copy()
    look_around(scene.packed, scene.rows, scene.price, look)
    assert (look.value >= before - 1e-9).all()


@MONEYS
@pytest.mark.parametrize("seed", SEEDS)
def test_what_fits_no_longer_is_not_held_on_to(seed: int, *, money: bool) -> None:
    """Whatever it begins from, as the plan of an earlier hour, the pattern found fits by now."""
    scene = a_scene(seed, money=money)
    look = first_look(scene.packed)
    look.held[:] = np.random.default_rng(seed).integers(0, 4, len(look.held))
    look.value[:] = 0.0
    look_around(scene.packed, scene.rows, scene.price, look)
    _, upper = searched(scene, np.zeros(scene.packed.vehicles))
    assert (look.value <= upper + 1e-9).all()
    patterns = patterns_held(scene.packed, look.held)
    for vehicle in np.flatnonzero(look.value > 0):
        pattern = patterns[vehicle]
        assert pattern_faults(scene.tables, int(vehicle), pattern) == []
        assert look.value[vehicle] == pytest.approx(earned(scene, int(vehicle), pattern), abs=1e-9)


def test_nothing_is_held_where_nothing_earns() -> None:
    """At prices beyond what any pod is worth every vehicle stays empty."""
    scene = a_scene(1, money=False)
    price = scene.price.copy()
    price[: scene.packed.templates] = 2 * scene.packed.weight * scene.rows.scale
    look = looked(scene._replace(price=price))
    assert not look.held.any()
    assert not look.value.any()
