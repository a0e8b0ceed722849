"""The best pattern of one vehicle, and what none exceeds, beside trying all of them."""

from itertools import product

import numpy as np
import pytest

from idlewatt_scheduler.solvers.pricing.search import (
    Asking,
    Limits,
    Offering,
    scratch,
    search,
)
from idlewatt_scheduler.tables.layout import PLENTY, Indices, Ints

HOUR = 3_600_000


def _question(seed: int) -> tuple[Asking, Offering, Ints]:
    """Five kinds of pods, three limits besides power and, of every other car, its battery."""
    rng = np.random.default_rng(seed)
    pairs = 5
    request = rng.integers(0, 6, (pairs, 3))
    asking = Asking(
        gain=rng.uniform(-0.2, 1.0, pairs),
        stay=np.sort(rng.uniform(0, 0.8, pairs)),
        most=rng.integers(1, 4, pairs).astype(np.int32),
        power=rng.integers(1, 9, pairs).astype(np.int32),
        until=np.sort(rng.integers(HOUR, 4 * HOUR, pairs)).astype(np.int32),
        template=np.arange(pairs, dtype=np.int32),
    )
    offering = Offering(
        free=rng.integers(3, 15, 3),
        power=int(rng.integers(5, 30)),
        energy=int(rng.integers(10, 60)) * HOUR if seed % 2 else PLENTY,
        start=0,
        lone_from=0,
        lone_power=2,
        opening=float(rng.uniform(0, 0.3)),
    )
    return asking, offering, request


def _value(
    asking: Asking, offering: Offering, request: Ints, counts: Ints | Indices
) -> float | None:
    """What a pattern earns; None: it does not fit."""
    if not counts.any():
        return 0.0
    taken = counts > 0
    until = asking.until.astype(np.int64)
    last = int(until[taken].max())
    energy = int((counts * asking.power * until).sum()) + last * offering.lone_power
    fits = (
        (counts @ request <= offering.free).all()
        and counts @ asking.power <= offering.power
        and energy <= offering.energy
    )
    if not fits:
        return None
    return float(counts @ asking.gain) - float(asking.stay[taken].max()) - offering.opening


def _best(asking: Asking, offering: Offering, request: Ints) -> float:
    every = product(*(range(int(most) + 1) for most in asking.most))
    values = (_value(asking, offering, request, np.array(counts)) for counts in every)
    return max(value for value in values if value is not None)


def _search(
    question: tuple[Asking, Offering, Ints], tolerance: float = 0.0, nodes: int = 10_000
) -> tuple[float, float, Indices]:
    asking, offering, request = question
    out = np.zeros(len(asking.gain), np.int32)
    memory = scratch(len(asking.gain), request.shape[1])
    limits = Limits(0.0, tolerance, nodes)
    value, upper = search(asking, offering, request, limits, memory, out)
    return value, upper, out


@pytest.mark.parametrize("seed", range(40))
def test_the_best_pattern_is_found(seed: int) -> None:
    """With nodes enough it is the best of all, it fits, and nothing is said to be better."""
    question = _question(seed)
    value, upper, out = _search(question)
    assert value == pytest.approx(_best(*question), abs=1e-12)
    assert upper == pytest.approx(value, abs=1e-12)
    assert _value(*question, out) == pytest.approx(value, abs=1e-12)


@pytest.mark.parametrize("nodes", [0, 1, 3, 10])
@pytest.mark.parametrize("seed", range(20))
def test_a_search_that_is_cut_short_still_bounds(seed: int, nodes: int) -> None:
    """No pattern earns more than what is said that none exceeds."""
    question = _question(seed)
    value, upper, out = _search(question, nodes=nodes)
    assert value <= _best(*question) + 1e-12
    assert upper >= _best(*question) - 1e-12
    assert _value(*question, out) == pytest.approx(value, abs=1e-12)


@pytest.mark.parametrize("seed", range(20))
def test_a_tolerance_is_all_that_is_missed(seed: int) -> None:
    """What is found is worse than the best by no more, and the bound says so."""
    question = _question(seed)
    value, upper, _ = _search(question, tolerance=0.2)
    assert _best(*question) - 0.2 - 1e-12 <= value
    assert _best(*question) <= upper + 1e-12
    assert upper <= value + 0.2 + 1e-12


def test_nothing_below_the_floor_is_written() -> None:
    """A caller's own pattern stays where none earns more."""
    asking, offering, request = _question(3)
    out = np.full(len(asking.gain), 7, np.int32)
    memory = scratch(len(asking.gain), request.shape[1])
    value, _ = search(asking, offering, request, Limits(99.0, 0.0, 1_000), memory, out)
    assert value == 99.0
    assert (out == 7).all()
