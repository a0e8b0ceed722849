"""The search for patterns finds what trying everything finds."""

from itertools import product
from random import Random
from typing import Any

import numpy as np
import pytest

from idlewatt_scheduler.solvers.patterns.search import search

ENOUGH = 100_000


def a_slot(seed: int) -> dict[str, np.ndarray]:
    """Five items, three ends and three rows, of which the last is taken by stays as well."""
    chance = Random(seed)  # noqa: S311 - repeatable on purpose
    once = sorted(chance.random() * 2 for _ in range(3))
    return {
        "earns": np.array([chance.random() * 3 - 0.5 for _ in range(5)]),
        "stay": np.array(once if seed % 3 else [0.0] * 3),
        "level": np.array([chance.randrange(3) for _ in range(5)], np.int64),
        "most": np.array([chance.randrange(1, 4) for _ in range(5)], np.int64),
        "takes": np.array([[chance.randrange(6) for _ in range(3)] for _ in range(5)], np.int64),
        "extra": np.array([[0, 0, end] for end in range(3)], np.int64),
        "room": np.array([chance.randrange(4, 16) for _ in range(3)], np.int64),
    }


def everything(slot: dict[str, np.ndarray]) -> dict[tuple[int, ...], float]:
    """Every pattern that fits, and what it is worth."""
    found: dict[tuple[int, ...], float] = {}
    for counts in product(*(range(most + 1) for most in slot["most"])):
        if any(counts):
            last = max(level for level, n in zip(slot["level"], counts, strict=True) if n)
            if np.all(np.array(counts) @ slot["takes"] + slot["extra"][last] <= slot["room"]):
                found[counts] = float(np.array(counts) @ slot["earns"] - slot["stay"][last])
    return found


def found_by(
    slot: dict[str, np.ndarray],
    threshold: float,
    *,
    best: bool,
    nodes: int = ENOUGH,
    lowest: int = 0,
) -> tuple[dict[tuple[int, ...], float], bool, float]:
    """What the search finds, whether that is all, and its bound."""
    found, worth = np.zeros((2_000, 5), np.int16), np.zeros(2_000)
    asked: tuple[Any, ...] = (*slot.values(), threshold, 0.0, best, lowest, nodes, found, worth)
    count, complete, bound = search(*asked)
    patterns = (tuple(row.tolist()) for row in found[:count])
    return dict(zip(patterns, worth[:count].tolist(), strict=True)), complete, bound


@pytest.mark.parametrize("seed", range(30))
def test_all_patterns_above_a_threshold_are_found(seed: int) -> None:
    """Each once, with what it is worth, whatever the threshold."""
    slot = a_slot(seed)
    whole = everything(slot)
    for threshold in (-1.0, 0.0, 1.0):
        found, complete, bound = found_by(slot, threshold, best=False)
        assert complete
        assert found == pytest.approx({p: w for p, w in whole.items() if w > threshold})
        assert bound >= max((w for w in found.values()), default=threshold)


@pytest.mark.parametrize("seed", range(10))
def test_who_has_to_stay_long_stays_long(seed: int) -> None:
    """Of patterns whose last end is early none is found."""
    slot = a_slot(seed)
    whole = everything(slot)
    for lowest in range(3):
        found, complete, _ = found_by(slot, -1.0, best=False, lowest=lowest)
        assert complete
        assert set(found) == {
            pattern
            for pattern, worth in whole.items()
            if worth > -1.0
            and max(end for end, n in zip(slot["level"], pattern, strict=True) if n) >= lowest
        }


@pytest.mark.parametrize("seed", range(30))
def test_the_best_is_found_and_bounded(seed: int) -> None:
    """Also where the search is cut short: then the bound alone is left."""
    slot = a_slot(seed)
    best = max([0.0, *everything(slot).values()])
    found, complete, bound = found_by(slot, 0.0, best=True)
    assert complete
    assert max(found.values(), default=0.0) == pytest.approx(best)
    assert bound == pytest.approx(best)
    for nodes in (0, 1, 3):
        assert found_by(slot, 0.0, best=True, nodes=nodes)[2] >= best - 1e-9


def test_room_for_too_few_is_told() -> None:
    """More patterns than there is room for: not all of them."""
    slot = a_slot(1)
    found, worth = np.zeros((2, 5), np.int16), np.zeros(2)
    asked: tuple[Any, ...] = (*slot.values(), -5.0, 0.0, False, 0, ENOUGH, found, worth)
    count, complete, _ = search(*asked)
    assert (count, complete) == (2, False)
