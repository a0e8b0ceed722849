"""Prices of what vehicles share, and what is known at these prices.

At given prices every vehicle is on its own: it takes the pattern (so many pods of each template)
that earns it the most. That makes a bound, whatever the prices are, and a guide for construction.
"""

from dataclasses import dataclass, field

from idlewatt_scheduler.solvers.pricing.looks import Look
from idlewatt_scheduler.tables.layout import Floats


@dataclass(frozen=True, slots=True)
class Duals:
    """Prices, all in weight (phase 1) or all in money (phase 2).

    A pod of template t on vehicle v earns pod[t] - its cost there (in phase 1: no cost) - the
    spread prices of the domains it is counted in - the room prices of its raise of draw. Of all of
    a vehicle's pods opening + the greatest stay_cost are taken off once (in phase 1: nothing).

    Attributes:
        money: phase 2.
        pod: float64[T], what a placed pod earns before what it costs: weight - lambda, in money
            theta x weight - lambda.
        place: float64[T], lambda >= 0: what one more pod of a template would be worth.
        room: float64[C], mu >= 0, for each milliwatt (sixth of one, on a phase) of `Rooms.left`.
        spread: float64[D], nu >= 0, for each pod that is counted in a domain.
        theta: what a unit of weight is worth in money; 1 in phase 1.
        weight: what was to be placed at the least (phase 2); 0 in phase 1.
        best: float64[V], no pattern of the vehicle earns more at these prices; never negative.
        bound: no plan has more weight (phase 1); none that places `weight` costs less (phase 2).
        trivial: the bound without prices: everything that fits somewhere alone, or cost 0.
        look: what vehicles would hold at about these prices, and how their limits are weighed.
    """

    money: bool
    pod: Floats
    place: Floats
    room: Floats
    spread: Floats
    theta: float
    weight: int
    best: Floats
    bound: float
    trivial: float
    look: Look = field(compare=False, repr=False)
