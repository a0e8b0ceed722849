"""What a solver is given beside a board, and what it knows of the result."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Params:
    """How hard to try.

    Attributes:
        exact_literals: a fleet is solved exactly if it takes at most so many literals, one for
            each pod (of those alike: each number of them) and candidate that might take it.
            0: never.

    Raises:
        ValueError: a figure is negative.
    """

    exact_literals: int = 400

    def __post_init__(self) -> None:
        if self.exact_literals < 0:
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

    work: float = 2.0

    def __post_init__(self) -> None:
        if not self.work > 0:  # so that no number at all is refused too
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
