"""Prices and the bounds they prove, on fleets whose prices can be worked out by hand."""

from dataclasses import replace

import numpy as np
import pytest

from idlewatt_scheduler.solvers.pricing.goal import Goal
from idlewatt_scheduler.solvers.pricing.packing import pack
from idlewatt_scheduler.solvers.pricing.pricing import price
from idlewatt_scheduler.solvers.warming import a_small_fleet
from idlewatt_scheduler.tables.layout import PLENTY, Tables

HOUR = 3_600_000


def _two_cars(pods: int) -> Tables:
    """The example of docs/explanation/planning.md: room for two pods each, at 0.10 and 0.30."""
    small = a_small_fleet()
    offered = {
        name: getattr(small.offered, name)[:2]
        for name in small.offered.__dataclass_fields__
        if name != "free"
    }
    return replace(
        small,
        wanted=replace(
            small.wanted,
            count=np.array([pods]),
            weight=np.array([1]),
            priority=np.array([0]),
            request=np.array([[1_000, 1_000]]),
            gang=np.array([-1], np.int32),
            gang_needs=np.zeros(0, np.int64),
        ),
        offered=replace(
            small.offered,
            **{**offered, "energy": np.full(2, PLENTY), "opening": np.zeros(2)},
            free=np.full((2, 2), 2_000),
        ),
        pairs=replace(
            small.pairs,
            first=np.array([0, 1, 2]),
            template=np.zeros(2, np.int32),
            power=np.full(2, 100_000, np.int32),
            until=np.full(2, HOUR, np.int32),
            most=np.full(2, 2, np.int32),
            cost=np.array([0.1, 0.3], np.float32),
            stay_cost=np.zeros(2, np.float32),
        ),
        rooms=replace(small.rooms, left=np.array([PLENTY]), first=np.array([0, 1, 2])),
        spreads=replace(
            small.spreads,
            subject=np.zeros((1, 1), np.bool_),
            counted=np.zeros((1, 1), np.bool_),
            domain=np.zeros((1, 2), np.int32),
        ),
        site=np.zeros(2, np.int32),
    )


def test_the_dearest_place_that_is_needed_sets_the_price() -> None:
    """Three pods: a place is worth 0.30, the cheap car 0.40, and no plan costs less than 0.50."""
    duals = price(pack(_two_cars(3)), Goal(at_least=3))
    assert duals.pod[0] == pytest.approx(0.30, abs=2e-3)
    assert duals.best == pytest.approx([0.40, 0.0], abs=4e-3)
    assert duals.bound == pytest.approx(0.50, abs=2e-3)


def test_what_is_scarce_is_places() -> None:
    """Five pods, four places: a place is worth a pod's weight, and no plan has more than four."""
    duals = price(pack(_two_cars(5)), Goal())
    assert duals.pod[0] == pytest.approx(1.0, abs=1e-2)
    assert duals.bound == pytest.approx(4.0, abs=1e-2)


def test_what_is_left_over_has_no_price() -> None:
    """Two pods, four places: all are placed, and one more place adds no weight."""
    duals = price(pack(_two_cars(2)), Goal())
    assert duals.bound == pytest.approx(2.0, abs=1e-6)
    assert duals.bound <= duals.trivial


def test_prices_can_begin_with_those_of_before() -> None:
    """The same prices prove the same bound, without being looked for again."""
    tables = _two_cars(3)
    before = price(pack(tables), Goal(at_least=3))
    again = price(pack(tables), Goal(at_least=3), previous=before)
    assert again.bound == pytest.approx(before.bound)
    assert again.pod == pytest.approx(before.pod)


def test_prices_of_something_else_are_not_begun_with() -> None:
    """Prices in weight say nothing of money."""
    tables = _two_cars(3)
    weights = price(pack(tables), Goal())
    assert price(pack(tables), Goal(at_least=3), previous=weights).bound == pytest.approx(
        0.5, abs=2e-3
    )


def test_what_an_earlier_plan_remembers_stays() -> None:
    """Prices that begin from others look on, and leave the look of those as it was."""
    before = price(pack(_two_cars(1)), Goal(at_least=1))
    before.look.weight[:] = 1.0
    look = before.look
    held, weight, value = look.held.copy(), look.weight.copy(), look.value.copy()
    price(pack(_two_cars(3)), Goal(at_least=3), previous=before)
    assert np.array_equal(look.held, held)
    assert np.array_equal(look.weight, weight)
    assert np.array_equal(look.value, value)
