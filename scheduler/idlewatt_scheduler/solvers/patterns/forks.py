"""Two ways to take fractions away: of gangs, of how many pods are placed, and of single slots."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from idlewatt_scheduler.solvers.patterns.joint import Row
from idlewatt_scheduler.solvers.patterns.master import Branch, Master, Taken
from idlewatt_scheduler.solvers.patterns.problem import Problem
from idlewatt_scheduler.solvers.patterns.search import Counts, Floats
from idlewatt_scheduler.solvers.patterns.slots import Slot
from idlewatt_scheduler.solvers.patterns.within import Within, everything, last_ends

Fork = tuple[Branch, Branch]
"""Every choice of a branch is in one of two; the one to look at first comes first."""

_WHOLE: Final = 1e-5
_PODS_WHOLE: Final = 1e-4
_OPENED: Final = 1.0
_STAYED: Final = 0.5


@dataclass(frozen=True, slots=True)
class _Split:
    """A slot's patterns in two: `above` and `below`, and the share of those above."""

    slot: int
    above: Within
    below: Within
    share: float
    preference: float


def fork_together(problem: Problem, master: Master, branch: Branch) -> Fork | None:
    """By a gang, or by how many pods of a rank or a template are placed, if that is a fraction.

    Little else says so much about all slots at once.
    """
    for name in master.joint.others:
        if name.startswith("gang") and _WHOLE < master.other(name) < 1 - _WHOLE:
            first, other = (
                replace(branch, others={**branch.others, name: (each, each)}) for each in (1.0, 0.0)
            )
            return first, other
    placed = _placed(problem, master.taken())
    for number, row in enumerate(master.joint.rows):
        total = sum(placed.get(template, 0.0) for template in row.pods)
        low, high = branch.rows.get(number, (row.low, row.high))
        fraction = abs(total - round(total)) > _PODS_WHOLE
        if _counts_pods(row) and fraction and low < total < high:
            more = replace(branch, rows={**branch.rows, number: (float(np.ceil(total)), high)})
            fewer = replace(branch, rows={**branch.rows, number: (low, float(np.floor(total)))})
            return more, fewer
    return None


def fork_slot(problem: Problem, master: Master, branch: Branch) -> Fork | None:
    """By a slot: whether it is used at all, how long, or by how many pods of a template.

    None: every slot has one pattern as a whole.
    """
    by_slot: dict[int, tuple[list[Counts], list[float]]] = {}
    for index, pattern, share in master.taken():
        patterns, shares = by_slot.setdefault(index, ([], []))
        patterns.append(pattern)
        shares.append(share)
    best: _Split | None = None
    for index, (patterns, shares) in by_slot.items():
        if len(shares) > 1 or shares[0] < 1 - _WHOLE:
            within = branch.slots.get(index) or everything(problem.slots[index])
            taken = np.array(patterns), np.array(shares)
            for split in _splits(index, problem.slots[index], within, *taken):
                if best is None or _merit(split) > _merit(best):
                    best = split
    if best is None:
        return None
    above, below = (
        replace(branch, slots={**branch.slots, best.slot: each})
        for each in (best.above, best.below)
    )
    return (above, below) if best.share >= _STAYED else (below, above)


def _merit(split: _Split) -> float:
    return min(split.share, 1 - split.share) + split.preference


def _placed(problem: Problem, taken: Taken) -> dict[int, float]:
    """By template, how many pods are placed, in fractions."""
    placed: dict[int, float] = {}
    for index, pattern, share in taken:
        templates = problem.slots[index].templates
        for item in np.flatnonzero(pattern):
            template = templates[item]
            placed[template] = placed.get(template, 0.0) + share * float(pattern[item])
    return placed


def _counts_pods(row: Row) -> bool:
    """Whether a row says how many pods of some templates are placed in all."""
    return row.slots is None and not row.others and all(each == 1.0 for each in row.pods.values())


def _splits(
    index: int, slot: Slot, within: Within, counts: Counts, shares: Floats
) -> Iterator[_Split]:
    ends = last_ends(slot, counts)
    for end in sorted({-1, *ends.tolist()}):
        share = float(shares[ends > end].sum())
        if _WHOLE < share < 1 - _WHOLE:
            longer = replace(within, first=max(within.first, end + 1))
            preference = _OPENED if end < 0 else _STAYED
            yield _Split(index, longer, replace(within, last=end), share, preference)
    for item in range(counts.shape[1]):
        for number in range(1, int(counts[:, item].max()) + 1):
            share = float(shares[counts[:, item] >= number].sum())
            if _WHOLE < share < 1 - _WHOLE:
                more, fewer = within.at_least(item, number), within.at_most(item, number - 1)
                yield _Split(index, more, fewer, share, 0.0)
