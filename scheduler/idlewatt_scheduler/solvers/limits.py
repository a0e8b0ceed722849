"""What a solver is given beside a board, and what it knows of the result."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from fractions import Fraction

from idlewatt_scheduler.model.plan import Solver
from idlewatt_scheduler.model.shadow import Prices


@dataclass(frozen=True, slots=True)
class Params:
    """How hard to try; all of it counts, none of it is time, so that a run can be repeated.

    Attributes:
        exact_literals: a fleet is solved literal by literal if it takes at most so many, one for
            each pod (of those alike: each number of them) and candidate that might take it.
            0: nothing is solved exactly.
        exact_vehicles: up to so many vehicles that take pods the best plan is looked for until it
            is proven, pattern by pattern; more are planned by prices.
        price_rounds: rounds of column generation on the sample of vehicles.
        polish_rounds: rounds over all vehicles that polish the prices.
        improve_rounds: rounds over all vehicles that improve the plan. 0 for this and the two
            before: what is not solved exactly is planned greedily.
        compiled: whether the compiled kernels may be used; where they are not ready, planning is
            greedy.

    Raises:
        ValueError: a figure is negative.
    """

    exact_literals: int = 400
    exact_vehicles: int = 49
    price_rounds: int = 24
    polish_rounds: int = 24
    improve_rounds: int = 8
    compiled: bool = True

    def __post_init__(self) -> None:
        counts = (
            self.exact_literals,
            self.exact_vehicles,
            self.price_rounds,
            self.polish_rounds,
            self.improve_rounds,
        )
        if any(count < 0 for count in counts):
            message = "A planner's parameters count things: none of them can be negative."
            raise ValueError(message)


@dataclass(frozen=True, slots=True)
class Stop:
    """When to stop looking for better: work is limited, not time, so that a run can be repeated.

    Attributes:
        work: of the exact solver, in its own deterministic units, about seconds.
        expired: asked now and then; once it is true the best plan so far is returned. A deadline
            or a cancellation from outside: where it strikes, a run may not be repeatable.
        clock: seconds that only grow, to tell how long each step took; None: nothing is told.

    Raises:
        ValueError: the work is not positive.
    """

    work: float = 2.0
    expired: Callable[[], bool] | None = None
    clock: Callable[[], float] | None = None

    def __post_init__(self) -> None:
        if not self.work > 0:  # so that no number at all is refused too
            message = "A planner needs some work to do: `work` must be above 0."
            raise ValueError(message)

    @property
    def is_over(self) -> bool:
        """Whether the best plan so far has to do."""
        return self.expired is not None and self.expired()


@dataclass(frozen=True, slots=True)
class Proof:
    """What a solver knows of how good its board is.

    Attributes:
        bound: no stable plan has more weight; None: it does not know.
        proven: the board is the best there is, in weight and in cost.
        cost_bound: no plan of the board's weight costs less; None: it does not know.
        solver: what the board comes from.
        halted: why it did not finish, as a sentence; None: it did.
        memory: what the next search may begin from.
    """

    bound: int | None = None
    proven: bool = False
    cost_bound: Fraction | None = None
    prices: Prices = field(default_factory=Prices)
    solver: Solver = Solver.GREEDY
    halted: str | None = None
    memory: object | None = None


def better(earlier: Proof | None, later: Proof | None) -> Proof:
    """What is known of a board that a later solver left no worse than an earlier one."""
    if earlier is None or later is None:
        return earlier or later or Proof()
    bounds = [each.bound for each in (earlier, later) if each.bound is not None]
    costs = [each.cost_bound for each in (earlier, later) if each.cost_bound is not None]
    return replace(later, bound=min(bounds, default=None), cost_bound=max(costs, default=None))
