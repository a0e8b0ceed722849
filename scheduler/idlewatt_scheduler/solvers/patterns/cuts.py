"""Cuts: what whole numbers allow and fractions of patterns do not.

Of a few kinds of pods together, d of them wait. Patterns that hold at least two of them each can be
taken d // 2 times at the most, where fractions would take d / 2 of them. So for any divisor: the
sum of (how many of them a pattern holds) // divisor is at most d // divisor.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Final

import numpy as np

from idlewatt_scheduler.solvers.patterns.search import Floats, Ints

LEAST_GAIN: Final = 0.02
"""A cut that is broken by less than this is not worth its row."""


@dataclass(frozen=True, slots=True)
class Cut:
    """These templates together, by a divisor."""

    templates: tuple[int, ...]
    divisor: int

    def limit(self, demand: Mapping[int, int]) -> int:
        """What the sum over all patterns is at the most."""
        return sum(demand[template] for template in self.templates) // self.divisor

    def counts(self, held: Ints, column_of: Mapping[int, int]) -> Ints:
        """What each pattern counts: of `held`, int64[m, templates]."""
        columns = [column_of[template] for template in self.templates]
        counted: Ints = held[:, columns].sum(axis=1) // self.divisor
        return counted


def broken(held: Ints, taken: Floats, demand: Mapping[int, int], at_most: int) -> Iterator[Cut]:
    """The cuts that a solution breaks most.

    Args:
        held: int64[m, t], the pods of each pattern by template, in the order of `demand`.
        taken: float64[m], how much of each pattern is taken.
        demand: by template, how many pods wait.
        at_most: so many of them.
    """
    templates = list(demand)
    waiting = np.array([demand[template] for template in templates], np.int64)
    found: list[tuple[float, tuple[int, ...], int]] = []
    for size in (1, 2, 3):
        sets = np.array(list(combinations(range(len(templates)), size)), np.int64)
        for part in np.array_split(sets, max(len(sets) // 4_000, 1)) if len(sets) else ():
            together = held[:, part].sum(axis=2)
            for divisor in (2, 3):
                over = taken @ (together // divisor) - waiting[part].sum(axis=1) // divisor
                found.extend(
                    (float(over[each]), tuple(part[each].tolist()), divisor)
                    for each in np.flatnonzero(over > LEAST_GAIN)
                )
    found.sort(key=lambda entry: (-entry[0], entry[1:]))
    for _, chosen, divisor in found[:at_most]:
        yield Cut(tuple(templates[each] for each in chosen), divisor)
