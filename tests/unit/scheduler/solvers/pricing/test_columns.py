"""Patterns as columns: each once, with what it earns and what it takes of which rows."""

import numpy as np
import pytest
from tests.unit.scheduler.solvers.pricing.plain import Pattern, a_scene, taken_by, worth_of

from idlewatt_scheduler.solvers.pricing.columns import (
    Patterns,
    columns_of,
    patterns_in,
    patterns_of,
)
from idlewatt_scheduler.solvers.pricing.looks import first_look, look_around
from idlewatt_scheduler.solvers.pricing.packing import Packed, pack
from idlewatt_scheduler.solvers.warming import a_small_fleet
from idlewatt_scheduler.tables.layout import Indices


def _held(packed: Packed, seed: int) -> list[Indices]:
    """What is held at four times; the third is as the first, but for one vehicle."""
    rng = np.random.default_rng(seed)
    pairs = len(packed.template)
    some = [
        (rng.integers(1, 4, pairs) * (rng.random(pairs) < 0.2)).astype(np.int32) for _ in range(2)
    ]
    third = some[0].copy()
    third[: packed.first[1]] = 0
    return [*some, third, np.zeros(pairs, np.int32)]


def _listed(packed: Packed, patterns: Patterns) -> list[tuple[int, Pattern]]:
    found: list[tuple[int, Pattern]] = []
    for first, last in zip(patterns.first[:-1], patterns.first[1:], strict=True):
        pairs = patterns.pair[first:last].tolist()
        vehicle = int(np.searchsorted(packed.first, pairs[0], side="right")) - 1
        numbers = patterns.number[first:last].tolist()
        found.append((vehicle, dict(zip(pairs, numbers, strict=True))))
    return found


@pytest.mark.parametrize("seed", range(4))
def test_each_pattern_is_kept_once(seed: int) -> None:
    """As often as it was held; those of one vehicle are its own, and the empty one is none."""
    packed = a_scene(seed, money=False).packed
    times = _held(packed, seed)
    expected = {
        (vehicle, tuple((pair, int(held[pair])) for pair in range(first, last) if held[pair]))
        for held in times
        for vehicle, (first, last) in enumerate(
            zip(packed.first[:-1].tolist(), packed.first[1:].tolist(), strict=True)
        )
        if held[first:last].any()
    }
    found = _listed(packed, patterns_of(packed, [patterns_in(held) for held in times]))
    known = [(vehicle, tuple(pattern.items())) for vehicle, pattern in found]
    assert len(known) == len(set(known))
    assert set(known) == expected
    assert [vehicle for vehicle, _ in known] == sorted(vehicle for vehicle, _ in known)


def test_many_pods_of_one_kind_are_not_taken_for_one_of_the_next() -> None:
    """Sixty-five of the first pair of a vehicle are another pattern than one of its second."""
    packed = pack(a_small_fleet())
    one, other = np.zeros(6, np.int32), np.zeros(6, np.int32)
    one[0], other[1] = 65, 1
    patterns = patterns_of(packed, [patterns_in(one), patterns_in(other)])
    assert sorted(patterns.number.tolist()) == [1, 65]


@pytest.mark.parametrize("money", [False, True], ids=["weight", "money"])
@pytest.mark.parametrize("seed", range(4))
def test_columns_say_what_patterns_earn_and_take(seed: int, *, money: bool) -> None:
    """Of the rows that bind, those it touches, each once, as counted by hand."""
    scene = a_scene(seed, money=money)
    packed, rows = scene.packed, scene.rows
    look = first_look(packed)
    look_around(packed, rows, scene.price, look)
    patterns = patterns_of(packed, [patterns_in(each) for each in (look.held, *_held(packed, 1))])
    columns = list(columns_of(packed, rows, patterns))
    listed = _listed(packed, patterns)
    assert len(columns) == len(listed)
    for column, (vehicle, pattern) in zip(columns, listed, strict=True):
        taken = np.where(np.isfinite(rows.limit), taken_by(packed, vehicle, pattern), 0.0)
        known = np.zeros(len(taken))
        known[column.rows] = column.taken
        assert column.vehicle == vehicle
        assert column.value == pytest.approx(worth_of(packed, rows, vehicle, pattern))
        assert len(set(column.rows)) == len(column.rows)
        assert known == pytest.approx(taken)


def test_no_patterns_are_no_columns() -> None:
    """Where every vehicle stays empty."""
    scene = a_scene(1, money=True)
    nothing = np.zeros(len(scene.packed.template), np.int32)
    patterns = patterns_of(scene.packed, [patterns_in(nothing)])
    assert list(columns_of(scene.packed, scene.rows, patterns)) == []
