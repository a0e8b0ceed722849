"""What a planner answers: who is placed where, who waits and why, who has to leave."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from fractions import Fraction

from idlewatt_scheduler.model.charging import ChargingProfile
from idlewatt_scheduler.model.reasons import Reason, WaitingCondition
from idlewatt_scheduler.model.shadow import Prices
from idlewatt_scheduler.model.units import Instant, Milliwatts
from idlewatt_scheduler.model.workload import Pod


@dataclass(frozen=True, slots=True)
class Placement:
    """A pending pod on a candidate, for a stay.

    Attributes:
        node: the candidate's name; the vehicle's and its Node's are the same.
        power: milliwatts the pod was planned with.
        cost: what the placement adds to its vehicle, in the plan's currency, in the plan's order.
        energy_watt_hours: AC energy it adds, standby counted once, waking left out.
    """

    pod: Pod
    node: str
    start: Instant
    ready_at: Instant
    until: Instant
    power: Milliwatts
    cost: Fraction = Fraction(0)
    energy_watt_hours: Fraction = Fraction(0)


@dataclass(frozen=True, slots=True)
class Waiting:
    """A pending pod that was not placed, and every candidate under its first failing clause."""

    pod: Pod
    condition: WaitingCondition
    reasons: Mapping[Reason, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Leaving:
    """A running pod that has to leave its node."""

    pod: Pod
    node: str
    reason: Reason


@dataclass(frozen=True, slots=True)
class Charging:
    """The charging profile of a vehicle whose charging is ours to plan."""

    vehicle: str
    profile: ChargingProfile


class Solver(StrEnum):
    """What made a plan's placements what they are."""

    GREEDY = "Greedy"
    EXACT = "Exact"
    PRICES = "Prices"


@dataclass(frozen=True, slots=True)
class Plan:
    """The answer to one snapshot.

    Attributes:
        placements: in the order in which their costs add up.
        weight: the placed weight, 16 to the power of each pod's rank, summed.
        bound: no stable plan has more weight.
        cost: in `currency`, the sum of the placements' costs.
        currency: the plan's; None where the fleet has no common one.
        proven: the plan is known to be the best there is, in weight and in cost.
        charging: a profile for each vehicle whose charging is ours to plan, in order of name.
        cost_bound: no plan that places `weight` costs less; None: nothing is known of that.
        prices: what more of what is scarce would be worth.
        solver: what the placements come from.
        halted: why the solver was not allowed, or able, to finish; None: it finished.
        moved: pods that the previous plan placed on another node; None: there was none.
        step_seconds: how long each step took, in order; empty without a clock.
        memory: what the next plan may begin from; the planner's own, nobody else's to read.
    """

    at: Instant
    placements: tuple[Placement, ...] = ()
    waiting: tuple[Waiting, ...] = ()
    leaving: tuple[Leaving, ...] = ()
    weight: int = 0
    bound: int = 0
    cost: Fraction = Fraction(0)
    currency: str | None = None
    proven: bool = False
    charging: tuple[Charging, ...] = ()
    cost_bound: Fraction | None = None
    prices: Prices = field(default_factory=Prices)
    solver: Solver = Solver.GREEDY
    halted: str | None = None
    moved: int | None = None
    step_seconds: Mapping[str, float] = field(default_factory=dict, compare=False)
    memory: object | None = field(default=None, compare=False, repr=False)

    @property
    def cost_gap(self) -> Fraction | None:
        """How far the cost may be from the least at this weight, as a share of the cost."""
        if self.cost_bound is None:
            return None
        return Fraction(self.cost - self.cost_bound, self.cost) if self.cost else Fraction(0)

    @property
    def gap(self) -> Fraction:
        """How far the placed weight may be from the best, as a share of the bound."""
        return Fraction(self.bound - self.weight, self.bound) if self.bound else Fraction(0)
