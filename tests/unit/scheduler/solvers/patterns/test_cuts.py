"""Cuts take fractions away, and no choice of whole patterns."""

from itertools import product

import numpy as np

from idlewatt_scheduler.solvers.patterns.cuts import Cut, broken

PAIRS = np.array([[1, 1, 0], [0, 1, 1], [1, 0, 1]], np.int64)
"""Three patterns that hold two of three kinds of pods each."""

DEMAND = {4: 1, 7: 1, 9: 1}


def test_halves_of_three_pairs_are_cut_off() -> None:
    """Together they would be one and a half patterns, and only one of them can be taken."""
    (first, *_) = broken(PAIRS, np.array([0.5, 0.5, 0.5]), DEMAND, 10)
    assert first == Cut((4, 7, 9), 2)
    assert first.limit(DEMAND) == 1
    assert first.counts(PAIRS, {4: 0, 7: 1, 9: 2}).tolist() == [1, 1, 1]


def test_what_is_whole_breaks_no_cut() -> None:
    """Every choice that no kind of pod is too few for."""
    patterns = np.array(list(product(range(3), repeat=2))[1:], np.int64)
    demand = {0: 3, 1: 2}
    for chosen in product(range(3), repeat=len(patterns)):
        taken = np.array(chosen, np.float64)
        if np.all(taken @ patterns <= [3, 2]):
            assert not list(broken(patterns, taken, demand, 10))


def test_no_more_than_asked_for() -> None:
    """Of four kinds any three make a cut."""
    pairs = np.array([row for row in product(range(2), repeat=4) if sum(row) == 2], np.int64)
    demand = dict.fromkeys(range(4), 1)
    assert len(list(broken(pairs, np.full(6, 0.5), demand, 10))) == 4
    assert len(list(broken(pairs, np.full(6, 0.5), demand, 2))) == 2
