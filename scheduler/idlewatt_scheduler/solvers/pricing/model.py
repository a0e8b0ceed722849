"""Prices by column generation on a sample of the fleet: master problem and oracle in turn."""

import numpy as np

from idlewatt_scheduler.solvers.limits import Stop
from idlewatt_scheduler.solvers.pricing.columns import columns_of, patterns_in, patterns_of
from idlewatt_scheduler.solvers.pricing.goal import Goal, rows_for
from idlewatt_scheduler.solvers.pricing.guess import guess
from idlewatt_scheduler.solvers.pricing.looks import first_look, look_around
from idlewatt_scheduler.solvers.pricing.master import Master
from idlewatt_scheduler.solvers.pricing.packing import Packed
from idlewatt_scheduler.solvers.pricing.sample import sampled, spread_out
from idlewatt_scheduler.tables.layout import Floats

_NEAR = 1e-3


def learned(  # noqa: PLR0913, PLR0917 - how hard to look, and from where
    packed: Packed,
    goal: Goal,
    vehicles: int,
    rounds: int,
    stop: Stop | None = None,
    paid: Floats | None = None,
) -> Floats:
    """Prices of the fleet's rows from those of a sample.

    Each round asks half way between the best prices so far and those of the master problem.

    Args:
        packed: the fleet.
        goal: what prices are looked for.
        vehicles: in the sample, at the most.
        rounds: so often at the most.
        stop: once it is over, the best until then has to do.
        paid: float64[T], what pods cost in a plan that is known, if one is.
    """
    sample = sampled(packed, vehicles)
    some = sample.packed
    rows = rows_for(some, goal, sample.share)
    best = asked = guess(some, rows, sample.share, paid)
    least, look = np.inf, first_look(some)
    master = Master(rows, some.vehicles, best)
    for turn in range(rounds):
        if turn > 0 and stop is not None and stop.is_over:
            break
        seen = look_around(some, rows, asked, look)
        if seen.reached < least:
            best, least = asked, seen.reached
        master.add(columns_of(some, rows, patterns_of(some, [patterns_in(look.held)])))
        solved = master.solve()
        if solved is None:
            break
        value, prices = solved
        if least - value <= _NEAR * abs(least):
            break
        asked = 0.5 * best + 0.5 * prices
    return spread_out(sample, packed, best)
