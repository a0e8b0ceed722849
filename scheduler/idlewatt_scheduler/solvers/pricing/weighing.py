"""What of a vehicle's pods is worth most for what it takes: the order in which patterns are built.

The limits of a vehicle are weighed into one, its share; what fits into all of it in fractions is a
bound. Items are rows: a column for each limit, and those named here counted from the end.
"""

import numpy as np

from idlewatt_scheduler.solvers.pricing.compiling import compiled
from idlewatt_scheduler.tables.layout import Floats, Ints

ROUNDS = 10
_LEARN = 1.5

PAIR, MOST, TAKEN, STANDBY = -4, -3, -2, -1
GAIN, STAY, SIZE, WHOLE = -4, -3, -2, -1


@compiled
def levels(  # noqa: PLR0913, PLR0917 - what a kernel reads and writes
    item: Ints, worth: Floats, left: Ints, level: Floats, order: Ints, count: int
) -> int:
    """The different stays, what may be earned with each, the weights: the most first; how many."""
    limits = left.shape[1] - 4
    for limit in range(limits):
        whole = left[0, limit]
        for at in range(count):
            worth[at, limit] = item[at, limit] / whole if whole > 0 else 0.0
    weight = np.full(limits, 1.0 / limits)
    weigh(item, worth, weight, order, choose(worth, order, count, np.inf), ROUNDS)
    levels = 0
    for at in range(count):
        stay = worth[at, STAY]
        known = False
        for other in range(levels):
            known = known or level[other, 0] == stay
        if known:
            continue
        earned = fill_of(item, worth, order, count, stay)
        here = levels
        while here > 0 and level[here - 1, 1] - level[here - 1, 0] < earned - stay:
            for column in range(limits + 2):
                level[here, column] = level[here - 1, column]
            here -= 1
        level[here, 0] = stay
        level[here, 1] = earned
        for limit in range(limits):
            level[here, 2 + limit] = weight[limit]
        levels += 1
    return levels


@compiled
def fill_of(item: Ints, worth: Floats, order: Ints, count: int, stay: float) -> float:
    """What those that stay no longer earn in fractions."""
    room, earned = 1.0, 0.0
    for at in range(count):
        which = order[at]
        if worth[which, STAY] <= stay:
            part = min(item[which, MOST] * worth[which, SIZE], room)
            earned += part * worth[which, WHOLE]
            room -= part
            if room <= 0.0:
                break
    return earned


@compiled
def choose(worth: Floats, order: Ints, count: int, stay: float) -> int:
    """Those that stay no longer, into `order`; how many."""
    some = 0
    for at in range(count):
        if worth[at, STAY] <= stay:
            order[some] = at
            some += 1
    return some


@compiled
def lay_out(  # noqa: PLR0913, PLR0917 - what a kernel reads and writes
    raw_item: Ints, raw_worth: Floats, order: Ints, item: Ints, worth: Floats, count: int
) -> None:
    """The items in order, and the most gain for a unit of each limit from each on."""
    for at in range(count):
        for column in range(item.shape[1]):
            item[at, column] = raw_item[order[at], column]
        for column in range(worth.shape[1]):
            worth[at, column] = raw_worth[order[at], column]
    for at in range(count - 1, -1, -1):
        for limit in range(worth.shape[1] - 4):
            after = 0.0 if at == count - 1 else worth[at + 1, limit]
            if item[at, limit] > 0 and after >= 0.0:
                worth[at, limit] = max(after, worth[at, GAIN] / item[at, limit])
            else:
                worth[at, limit] = -1.0


@compiled
def weigh(  # noqa: PLR0913, PLR0917 - what a kernel reads and writes
    item: Ints, worth: Floats, weight: Floats, order: Ints, count: int, rounds: int
) -> float:
    """What each of these takes of all of the vehicle, and would earn alone; `order` by that.

    The limits are weighed so that what fits in fractions earns little: those that it overfills
    count more (multiplicative weights, a few rounds). Any weights make a valid bound.

    Returns:
        What fits in fractions earns, in the best of the rounds: no pattern earns more.
    """
    limits = len(weight)
    used = np.empty(limits)
    kept = weight.copy()
    least = np.inf
    for turn in range(rounds):
        size_up(worth, weight, order, count)
        earned = fill_and_use(item, worth, order, count, used)
        if earned < least:
            least = earned
            kept[:] = weight
        total = 0.0
        for limit in range(limits):
            weight[limit] *= np.exp(_LEARN / (1.0 + 0.3 * turn) * (used[limit] - 1.0))
            weight[limit] = max(weight[limit], 1e-4)
            total += weight[limit]
        for limit in range(limits):
            weight[limit] /= total
    weight[:] = kept
    size_up(worth, weight, order, count)
    return least


@compiled
def size_up(worth: Floats, weight: Floats, order: Ints, count: int) -> None:
    """By these weights: the share of the vehicle that each takes, and its ratio; then the order."""
    limits = len(weight)
    for at in range(count):
        which = order[at]
        size = 1e-12
        for limit in range(limits):
            size += weight[limit] * worth[which, limit]
        whole = worth[which, GAIN] / size
        worth[which, SIZE] = size
        worth[which, WHOLE] = whole
        here = at
        while here > 0 and worth[order[here - 1], WHOLE] < whole:
            order[here] = order[here - 1]
            here -= 1
        order[here] = which


@compiled
def only_useful(item: Ints, worth: Floats, order: Ints, count: int, enough: float) -> int:
    """Those of which one could be in a pattern that earns more than `enough`.

    Where an item that earns less for its room than the last one that fits in fractions takes the
    room of that, so much is lost of what fits in fractions.
    """
    room, earned, ratio = 1.0, 0.0, 0.0
    for at in range(count):
        which = order[at]
        part = min(item[which, MOST] * worth[which, SIZE], room)
        earned += part * worth[which, WHOLE]
        room -= part
        if room <= 0.0:
            ratio = worth[which, WHOLE]
            break
    spare = earned - enough
    some = 0
    for at in range(count):
        which = order[at]
        loss = (ratio - worth[which, WHOLE]) * worth[which, SIZE]
        if loss > spare * (1.0 + 1e-9):
            continue
        order[some] = which
        some += 1
    return some


@compiled
def fill_and_use(item: Ints, worth: Floats, order: Ints, count: int, used: Floats) -> float:
    """What fits in fractions earns, and how much of each limit that takes, 1 being all of it."""
    used[:] = 0.0
    room, earned = 1.0, 0.0
    for at in range(count):
        which = order[at]
        number = min(np.float64(item[which, MOST]), room / worth[which, SIZE])
        earned += number * worth[which, GAIN]
        room -= number * worth[which, SIZE]
        for limit in range(len(used)):
            used[limit] += number * worth[which, limit]
        if room <= 0.0:
            break
    return earned
