"""What is to be the greatest: first the placed weight, then, at that weight, what is saved."""

from dataclasses import dataclass

import numpy as np

from idlewatt_scheduler.solvers.patterns.problem import Problem
from idlewatt_scheduler.solvers.patterns.search import Counts, Floats
from idlewatt_scheduler.solvers.patterns.slots import Slot
from idlewatt_scheduler.templates import WEIGHT_BASE


@dataclass(frozen=True, slots=True)
class Goal:
    """What a pattern is worth: the weight of its pods, or, at a weight, its cost below nothing.

    Attributes:
        weight: what has to be placed at the least; None: as much as possible is.
        rank: where weight is what counts, pods of lower ranks do not, and one of this rank is 1.
        plain: what a pod on a plain node costs beside that, more than any plan on vehicles.
    """

    weight: int | None = None
    plain: float = 0.0
    rank: int = 0

    @property
    def tolerance(self) -> float:
        """What is not looked for at one slot."""
        return 1e-3 if self.weight is None else 1e-6

    def pod(self, problem: Problem, template: int) -> float:
        """What a pod is worth by itself, before what it costs anywhere."""
        return float(counted(problem, template, self.rank)) if self.weight is None else 0.0

    def values(self, problem: Problem, slot: Slot, counts: Counts) -> Floats:
        """What each pattern is worth: float64[m]."""
        if self.weight is None:
            return counts.astype(np.float64) @ _weights(problem, slot, self.rank)
        cost = slot.bill.of(slot, counts)
        return -cost if slot.parked is not None else -cost - self.plain * counts.sum(axis=1)

    def beyond(self, problem: Problem) -> float:
        """More than any choice is worth, or costs."""
        if self.weight is None:
            return 1.0 + sum(
                counted(problem, template, self.rank) * count
                for template, count in problem.demand.items()
            )
        most = (
            float(np.abs(self.values(problem, slot, slot.most[np.newaxis].astype(np.int16))).sum())
            for slot in problem.slots
        )
        return 1.0 + sum(most)

    def linear(self, problem: Problem, slot: Slot) -> tuple[Floats, Floats, float]:
        """Of one pod by item, taken off once by end, and what a pattern may be worth beyond."""
        if self.weight is None:
            return _weights(problem, slot, self.rank), np.zeros(len(slot.ends)), 0.0
        each, once, beyond = slot.bill.linear(slot)
        return -each - (self.plain if slot.parked is None else 0.0), once, beyond


def counted(problem: Problem, template: int, rank: int) -> int:
    """What a pod weighs if lower ranks weigh nothing and one of this rank 1."""
    return int(problem.board.templates[template].weight // WEIGHT_BASE**rank)


def _weights(problem: Problem, slot: Slot, rank: int) -> Floats:
    return np.array([counted(problem, template, rank) for template in slot.templates], np.float64)
