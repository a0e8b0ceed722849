"""The best use of one vehicle at given prices: a depth-first search over what fits together.

A pattern is built by adding one pod after the other, in the order of what they earn for what they
take; the first descent is the greedy pattern. A branch is left when even the best of what may still
be added, taken in fractions for what is left of everything together (a surrogate of all limits),
and then of each limit by itself, earns too little. What fits is asked in whole numbers, exactly.
"""

from typing import NamedTuple

import numpy as np

from idlewatt_scheduler.solvers.pricing.compiling import compiled
from idlewatt_scheduler.tables.layout import PLENTY, Floats, Indices, Ints

DEEPEST = 512
"""So many pods on one vehicle are looked at; what could be added to them counts in the bound."""

_ROUNDS = 10

# The columns beside one for each limit, counted from the end: of what is known of an item, ...
_PAIR, _MOST, _TAKEN, _STANDBY = -4, -3, -2, -1
_GAIN, _STAY, _SIZE, _WHOLE, _LEAST_STAY = -5, -4, -3, -2, -1
# ... and of a depth: the next item, the one that was added, the energy of the standby; and what is
# earned, the stay, and the share of the vehicle that is left.
_NEXT, _ADDED, _AWAKE = -3, -2, -1
_EARNED, _STAYED, _ROOM = 0, 1, 2


class Asking(NamedTuple):
    """What may be placed on one vehicle, by pair.

    Attributes:
        gain: float64[n], what one pod of the pair earns.
        stay: float64[n], taken off once, the greatest of those placed; not negative.
        most: int32[n], so many of the pair there may be.
        power, until, template: int32[n], as in `Pairs`.
    """

    gain: Floats
    stay: Floats
    most: Indices
    power: Indices
    until: Indices
    template: Indices


class Offering(NamedTuple):
    """What one vehicle has left; all as in `Offered`, which may be more than is left by now.

    Attributes:
        opening: taken off once if anything is placed.
    """

    free: Ints
    power: int
    energy: int
    start: int
    lone_from: int
    lone_power: int
    opening: float


class Limits(NamedTuple):
    """How far to look.

    Attributes:
        floor: only a pattern that earns more than this and the empty one's 0 is wanted.
        tolerance: nothing that is better by less than this is looked for.
        nodes: so many patterns are looked at; beyond them only the bound remains.
    """

    floor: float
    tolerance: float
    nodes: int


class Scratch(NamedTuple):
    """Memory that a search works in; made once by `scratch`, used by one search at a time.

    Attributes:
        item: int64[n, limits + 4], by pair that may be of use: what it takes of each limit; its
            pair, how many there may be, how many there are, the energy of the standby.
        worth: float64[n, limits + 5]: the best gain for a unit of each limit from it on (-1: for
            nothing); its gain, its stay, the share of the vehicle it takes, its gain for all of
            the vehicle, the least stay from it on.
        left: int64[depths, limits + 3], by depth: what is left of each limit, and see above.
        state: float64[depths, 3].
        raw_item, raw_worth: the first two before they are sorted.
    """

    item: Ints
    worth: Floats
    left: Ints
    state: Floats
    raw_item: Ints
    raw_worth: Floats


@compiled
def scratch(pairs: int, resources: int) -> Scratch:
    """Memory for vehicles of at most so many pairs."""
    limits = resources + 2
    return Scratch(
        np.empty((pairs + 1, limits + 4), np.int64),
        np.empty((pairs + 1, limits + 5), np.float64),
        np.empty((DEEPEST + 2, limits + 3), np.int64),
        np.empty((DEEPEST + 2, 3), np.float64),
        np.empty((pairs + 1, limits + 4), np.int64),
        np.empty((pairs + 1, limits + 5), np.float64),
    )


@compiled
def search(  # noqa: C901, PLR0912, PLR0913, PLR0917 - where all the time goes: no calls in the loop
    asking: Asking, offering: Offering, request: Ints, limits: Limits, memory: Scratch, out: Indices
) -> tuple[float, float]:  # fmt: skip
    """The best pattern of one vehicle, into `out`, and what it earns; and what none exceeds.

    Args:
        asking: what may be placed: n pairs.
        offering: what there is for it.
        request: int64[T, R].
        limits: how far to look.
        memory: for at least n pairs.
        out: int32[n], the numbers found; left as it was where nothing beats the floor.

    Returns:
        The value of the best pattern (the floor, or 0, where none beats it), and an upper bound
        of every pattern's value: not less than the first, and at most by `tolerance` more unless
        the search was cut short.
    """
    best = max(limits.floor, 0.0)
    count = _gather(asking, offering, request, memory.raw_item, memory.raw_worth)
    if count == 0:
        return best, best
    item, worth, left, state = memory.item, memory.worth, memory.left, memory.state
    _begin(offering, left, state)
    _weigh(memory.raw_item, memory.raw_worth, left, count)
    _sort(memory.raw_item, memory.raw_worth, item, worth, count)
    _look_ahead(item, worth, count)
    opening, tolerance, nodes = offering.opening, limits.tolerance, limits.nodes
    last = len(offering.free) + 1
    beyond = best
    depth = 0
    while depth >= 0:
        at = left[depth, _NEXT]
        while at < count:
            fits = item[at, _TAKEN] < item[at, _MOST]
            if fits:
                awake = max(left[depth, _AWAKE], item[at, _STANDBY])
                fits = item[at, last] + awake <= left[depth, last]
            for limit in range(last):
                fits = fits and item[at, limit] <= left[depth, limit]
            if fits:
                break
            at += 1
        reach = -np.inf
        if at < count:
            earned = state[depth, _EARNED] - opening
            earned -= max(state[depth, _STAYED], worth[at, _LEAST_STAY])
            reach = earned + worth[at, _WHOLE] * state[depth, _ROOM]
            if reach > best + tolerance:
                for limit in range(last + 1):
                    if worth[at, limit] >= 0.0:
                        reach = min(reach, earned + worth[at, limit] * left[depth, limit])
        if reach <= best + tolerance or depth >= DEEPEST:
            beyond = max(beyond, reach)
            if depth > 0:
                item[left[depth, _ADDED], _TAKEN] -= 1
            depth -= 1
            continue
        left[depth, _NEXT] = at
        if nodes <= 0:
            beyond = max(beyond, _reach_of_open(worth, left, state, depth, count) - opening)
            break
        nodes -= 1
        _add(item, worth, left, state, depth)
        depth += 1
        value = state[depth, _EARNED] - state[depth, _STAYED] - opening
        if value > best:
            best = value
            _write(item, count, out)
    return best, max(best, beyond)


@compiled
def _gather(asking: Asking, offering: Offering, request: Ints, item: Ints, worth: Floats) -> int:
    """Whatever earns something and fits alone, as it comes; how many there are."""
    gain, most, powers = asking.gain, asking.most, asking.power
    until, template, free = asking.until, asking.template, offering.free
    resources = len(free)
    battery = offering.energy < PLENTY
    count = 0
    for pair in range(len(gain)):
        power = np.int64(powers[pair])
        if gain[pair] <= 0.0 or most[pair] <= 0 or power > offering.power:
            continue
        energy = np.int64(0)
        standby = np.int64(0)
        if battery:
            energy = power * (until[pair] - offering.start)
            standby = offering.lone_power * max(until[pair] - offering.lone_from, 0)
            if energy + standby > offering.energy:
                continue
        fits = True
        for resource in range(resources):
            takes = request[template[pair], resource]
            item[count, resource] = takes
            fits = fits and takes <= free[resource]
        if not fits:
            continue
        item[count, resources] = power
        item[count, resources + 1] = energy
        item[count, _PAIR] = pair
        item[count, _MOST] = most[pair]
        item[count, _TAKEN] = 0
        item[count, _STANDBY] = standby
        worth[count, _GAIN] = gain[pair]
        worth[count, _STAY] = asking.stay[pair]
        count += 1
    return count


@compiled
def _begin(offering: Offering, left: Ints, state: Floats) -> None:
    resources = len(offering.free)
    for resource in range(resources):
        left[0, resource] = offering.free[resource]
    left[0, resources] = offering.power
    left[0, resources + 1] = offering.energy
    left[0, _NEXT] = 0
    left[0, _ADDED] = -1
    left[0, _AWAKE] = 0
    state[0, _EARNED] = 0.0
    state[0, _STAYED] = 0.0
    state[0, _ROOM] = 1.0


@compiled
def _weigh(  # noqa: C901 - plain loops are what compiles well
    item: Ints, worth: Floats, left: Ints, count: int
) -> None:
    """What each item takes of all of the vehicle, and what it would earn were there only it.

    The limits are weighed so that the best of that is small: those that the best items take most
    of count more (multiplicative weights, a few rounds). Any weights make a valid bound.
    """
    limits = left.shape[1] - 3
    for limit in range(limits):
        whole = left[0, limit]
        for at in range(count):
            worth[at, limit] = item[at, limit] / whole if whole > 0 else 0.0
    weight = np.full(limits, 1.0 / limits)
    kept = weight.copy()
    least = np.inf
    for turn in range(_ROUNDS):
        best, which = -1.0, 0
        for at in range(count):
            size = 1e-12
            for limit in range(limits):
                size += weight[limit] * worth[at, limit]
            if worth[at, _GAIN] > best * size:
                best, which = worth[at, _GAIN] / size, at
        if best < least:
            least = best
            kept[:] = weight
        total, top = 0.0, 1e-12
        for limit in range(limits):
            top = max(top, worth[which, limit])
        for limit in range(limits):
            weight[limit] *= 1.0 + 2.0 / (1.0 + 0.5 * turn) * worth[which, limit] / top
            total += weight[limit]
        for limit in range(limits):
            weight[limit] /= total
    for at in range(count):
        size = 1e-12
        for limit in range(limits):
            size += kept[limit] * worth[at, limit]
        worth[at, _SIZE] = size
        worth[at, _WHOLE] = worth[at, _GAIN] / size


@compiled
def _sort(raw_item: Ints, raw_worth: Floats, item: Ints, worth: Floats, count: int) -> None:
    """By what they would earn alone, the most first; of equal ones as they came."""
    order = np.empty(count, np.int64)
    for at in range(count):
        whole = raw_worth[at, _WHOLE]
        here = at
        while here > 0 and raw_worth[order[here - 1], _WHOLE] < whole:
            order[here] = order[here - 1]
            here -= 1
        order[here] = at
    for at in range(count):
        for column in range(item.shape[1]):
            item[at, column] = raw_item[order[at], column]
        for column in range(worth.shape[1]):
            worth[at, column] = raw_worth[order[at], column]


@compiled
def _look_ahead(item: Ints, worth: Floats, count: int) -> None:
    """From each item on: the least stay, and the most gain for a unit of each limit."""
    least = np.inf
    for at in range(count - 1, -1, -1):
        least = min(least, worth[at, _STAY])
        worth[at, _LEAST_STAY] = least
        for limit in range(worth.shape[1] - 5):
            after = 0.0 if at == count - 1 else worth[at + 1, limit]
            if item[at, limit] > 0 and after >= 0.0:
                worth[at, limit] = max(after, worth[at, _GAIN] / item[at, limit])
            else:
                worth[at, limit] = -1.0


@compiled
def _reach_of_open(worth: Floats, left: Ints, state: Floats, depth: int, count: int) -> float:
    """No pattern that has not been looked at yet earns more; the opening is not taken off."""
    most = -np.inf
    for level in range(depth + 1):
        at = left[level, _NEXT]
        if at >= count:
            continue
        more = worth[at, _WHOLE] * state[level, _ROOM]
        for limit in range(left.shape[1] - 3):
            if worth[at, limit] >= 0.0:
                more = min(more, worth[at, limit] * left[level, limit])
        stay = max(state[level, _STAYED], worth[at, _LEAST_STAY])
        most = max(most, state[level, _EARNED] + more - stay)
    return most


@compiled
def _add(item: Ints, worth: Floats, left: Ints, state: Floats, depth: int) -> None:
    """One more of the next item; then this one again and those after it are looked at."""
    at = left[depth, _NEXT]
    below = depth + 1
    item[at, _TAKEN] += 1
    for limit in range(left.shape[1] - 3):
        left[below, limit] = left[depth, limit] - item[at, limit]
    left[depth, _NEXT] = at + 1
    left[below, _NEXT] = at
    left[below, _ADDED] = at
    left[below, _AWAKE] = max(left[depth, _AWAKE], item[at, _STANDBY])
    state[below, _EARNED] = state[depth, _EARNED] + worth[at, _GAIN]
    state[below, _STAYED] = max(state[depth, _STAYED], worth[at, _STAY])
    state[below, _ROOM] = max(state[depth, _ROOM] - worth[at, _SIZE], 0.0)


@compiled
def _write(item: Ints, count: int, out: Indices) -> None:
    out[:] = 0
    for at in range(count):
        out[item[at, _PAIR]] = item[at, _TAKEN]
