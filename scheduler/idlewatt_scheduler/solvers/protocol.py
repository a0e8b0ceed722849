"""What a solver is given, beside a board: parameters, a stop and a seed."""

from dataclasses import dataclass
from typing import Protocol

from idlewatt_scheduler.board import Board


@dataclass(frozen=True, slots=True)
class Params:
    """How hard to try.

    Attributes:
        exact_patterns: fleets with at most so many ways to fill their vehicles are solved
            exactly; larger ones greedily. 0: never exactly.
        repair_rounds: neighbourhoods of a greedy plan that are solved exactly to mend it.
        repair_vehicles: how many vehicles make a neighbourhood.

    Raises:
        ValueError: a figure is negative.
    """

    exact_patterns: int = 6_000
    repair_rounds: int = 0
    repair_vehicles: int = 6

    def __post_init__(self) -> None:
        if min(self.exact_patterns, self.repair_rounds, self.repair_vehicles) < 0:
            message = "A planner's parameters count things: none of them can be negative."
            raise ValueError(message)


@dataclass(frozen=True, slots=True)
class Stop:
    """When to stop looking for better: work is limited, not time, so that a run can be repeated.

    Attributes:
        work: of the exact solver, in its own deterministic units, about seconds.

    Raises:
        ValueError: the work is not positive.
    """

    work: float = 10.0

    def __post_init__(self) -> None:
        if self.work <= 0:
            message = "A planner needs some work to do: `work` must be above 0."
            raise ValueError(message)


@dataclass(frozen=True, slots=True)
class Proof:
    """What a solver knows of how good its board is.

    Attributes:
        bound: no stable plan has more weight; None: it does not know.
        proven: the board is the best there is, in weight and in cost.
    """

    bound: int | None = None
    proven: bool = False


class Solver(Protocol):
    """Puts pods on a board."""

    def __call__(self, board: Board, params: Params, stop: Stop, seed: int) -> Proof:
        """Place on `board` and say what is known of the result."""
