"""What is to be the greatest: first the placed weight, then, at that weight, what is saved."""

from dataclasses import dataclass

import numpy as np

from idlewatt_scheduler.solvers.patterns.problem import Problem
from idlewatt_scheduler.solvers.patterns.search import Counts, Floats
from idlewatt_scheduler.solvers.patterns.slots import Slot


@dataclass(frozen=True, slots=True)
class Goal:
    """What a pattern is worth: the weight of its pods, or, at a weight, its cost below nothing.

    Attributes:
        weight: what has to be placed at the least; None: as much as possible is.
        plain: what a pod on a plain node costs beside that, more than any plan on vehicles.
    """

    weight: int | None = None
    plain: float = 0.0

    @property
    def tolerance(self) -> float:
        """What is not looked for at one slot."""
        return 1e-3 if self.weight is None else 1e-6

    def values(self, problem: Problem, slot: Slot, counts: Counts) -> Floats:
        """What each pattern is worth: float64[m]."""
        if self.weight is None:
            return counts.astype(np.float64) @ _weights(problem, slot)
        cost = slot.bill.of(slot, counts)
        return -cost if slot.parked is not None else -cost - self.plain * counts.sum(axis=1)

    def linear(self, problem: Problem, slot: Slot) -> tuple[Floats, Floats, float]:
        """Of one pod by item, taken off once by end, and what a pattern may be worth beyond."""
        if self.weight is None:
            return _weights(problem, slot), np.zeros(len(slot.ends)), 0.0
        each, once, beyond = slot.bill.linear(slot)
        return -each - (self.plain if slot.parked is None else 0.0), once, beyond


def _weights(problem: Problem, slot: Slot) -> Floats:
    weights = [problem.board.templates[template].weight for template in slot.templates]
    return np.array(weights, np.float64)
