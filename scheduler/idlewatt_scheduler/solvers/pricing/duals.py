"""Prices of what vehicles share, and what is known at these prices.

At given prices every vehicle is on its own: it takes the pattern (so many pods of each template)
that earns it the most. That makes a bound, whatever the prices are, and a guide for construction.
"""

from dataclasses import dataclass, field

import numpy as np

from idlewatt_scheduler.tables.layout import Floats, Indices, Ints


@dataclass(frozen=True, slots=True)
class Patterns:
    """Patterns of vehicles that were the best at some prices on the way: a pool to build from.

    P patterns, those of vehicle v at `first[v]` to `first[v + 1]`; the pods of pattern p are at
    `pods[p]` to `pods[p + 1]`.

    Attributes:
        first: int64[V + 1].
        pods: int64[P + 1].
        pair: int64[], the pair (its index in `Pairs`), ascending within a pattern.
        number: int32[], how many pods of it, 1 or more.
        share: float64[P], how much of its vehicle the pattern has where the prices come from,
            between 0 and 1; what is missing to 1 is the empty pattern's.
    """

    first: Ints
    pods: Ints
    pair: Ints
    number: Indices
    share: Floats


def no_patterns(vehicles: int) -> Patterns:
    """A pool of nothing."""
    none = np.zeros(0, np.int64)
    return Patterns(
        np.zeros(vehicles + 1, np.int64),
        np.zeros(1, np.int64),
        none,
        none.astype(np.int32),
        np.zeros(0),
    )


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
        patterns: a pool, of the best ones at these prices among others.
        trivial: the bound without prices: everything that fits somewhere alone, or cost 0.
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
    patterns: Patterns = field(compare=False, repr=False)
