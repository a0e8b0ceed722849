"""The best use of one vehicle at given prices: a depth-first search over what fits together.

A pattern is built by adding one pod after the other, in the order of what they earn for what they
take; the first descent is the greedy pattern. A branch is left when even the best of what may still
be added, taken in fractions for what is left of everything together (a surrogate of all limits),
and then of each limit by itself, earns too little. What fits is asked in whole numbers, exactly.
"""

from typing import NamedTuple

import numpy as np

from idlewatt_scheduler.solvers.pricing.compiling import compiled
from idlewatt_scheduler.solvers.pricing.weighing import (
    GAIN,
    MOST,
    PAIR,
    ROUNDS,
    SIZE,
    STANDBY,
    STAY,
    TAKEN,
    WHOLE,
    choose,
    lay_out,
    levels,
    only_useful,
    weigh,
)
from idlewatt_scheduler.tables.layout import PLENTY, Floats, Indices, Ints

DEEPEST = 512
"""So many pods on one vehicle are looked at; what could be added to them counts in the bound."""

_PASSES = 3

# The columns of a depth, beside one for each limit and counted from the end: the next of those that
# fit, the one that was added, the energy of the standby, how many fit; and what is earned and the
# share of the vehicle that is left.
_NEXT, _ADDED, _AWAKE, _COUNT = -4, -3, -2, -1
_EARNED, _ROOM = 0, 1


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
        worth: float64[n, limits + 4]: the best gain for a unit of each limit from it on (-1: for
            nothing); its gain, its stay, the share of the vehicle it takes, its gain for all of
            the vehicle.
        left: int64[depths, limits + 4], by depth: what is left of each limit, and see above.
        state: float64[depths, 2].
        fits: int32[depths, n], by depth: the items of which one more fits, in order.
        raw_item, raw_worth: the first two before they are sorted.
        level: float64[n, 2 + limits], the different stays, what may be earned with each, and how
            the limits are weighed for it.
        order, kept: int64[n].
    """

    item: Ints
    worth: Floats
    left: Ints
    state: Floats
    fits: Indices
    raw_item: Ints
    raw_worth: Floats
    level: Floats
    order: Ints
    kept: Ints


@compiled
def scratch(pairs: int, resources: int) -> Scratch:
    """Memory for vehicles of at most so many pairs."""
    limits = resources + 2
    return Scratch(
        np.empty((pairs + 1, limits + 4), np.int64),
        np.empty((pairs + 1, limits + 4), np.float64),
        np.empty((DEEPEST + 2, limits + 4), np.int64),
        np.empty((DEEPEST + 2, 2), np.float64),
        np.empty((DEEPEST + 2, pairs + 1), np.int32),
        np.empty((pairs + 1, limits + 4), np.int64),
        np.empty((pairs + 1, limits + 4), np.float64),
        np.empty((pairs + 1, limits + 2), np.float64),
        np.empty(pairs + 1, np.int64),
        np.empty(pairs + 1, np.int64),
    )


@compiled
def search(  # noqa: PLR0913, PLR0917 - what a kernel reads and writes
    asking: Asking, offering: Offering, request: Ints, limits: Limits, memory: Scratch, out: Indices
) -> tuple[float, float]:  # fmt: skip
    """The best pattern of one vehicle, into `out`, and what it earns; and what none exceeds.

    What is taken off once depends on the pod that stays longest. So the patterns are searched by
    that: for each stay, those of pods that stay no longer, the most promising stay first.

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
    raw_item, raw_worth, left, state = memory.raw_item, memory.raw_worth, memory.left, memory.state
    item, worth, order, level = memory.item, memory.worth, memory.order, memory.level
    count = _gather(asking, offering, request, raw_item, raw_worth)
    if count == 0:
        return best, best
    _begin(offering, left, state, 0)
    stays = levels(raw_item, raw_worth, left, level, order, count)
    opening, tolerance, nodes = offering.opening, limits.tolerance, limits.nodes
    beyond = best
    for turn in range(2):
        for at in range(stays):
            once = level[at, 0] + opening
            if level[at, 1] - once > best + tolerance:
                some = choose(raw_worth, order, count, level[at, 0])
                rounds = 0 if turn else ROUNDS
                reach = weigh(raw_item, raw_worth, level[at, 2:], order, some, rounds)
                level[at, 1] = min(level[at, 1], reach)
                if turn:
                    some = only_useful(raw_item, raw_worth, order, some, best + tolerance + once)
                    beyond = max(beyond, best + tolerance)
                lay_out(raw_item, raw_worth, order, item, worth, some)
            if turn == 0 and level[at, 1] - once > best + tolerance:
                best = _improve(
                    item, worth, level[at, 2:], left[0], memory.kept, some, once, best, out
                )
            if turn and level[at, 1] - once > best + tolerance:
                _begin(offering, left, state, 0)
                best, reach, nodes = _descend(
                    item, worth, left, state, memory.fits, some, once, best, tolerance, nodes, out
                )
                level[at, 1] = min(level[at, 1], reach + once)
            if turn:
                beyond = max(beyond, level[at, 1] - once)
    return best, max(best, beyond)


@compiled
def _improve(  # noqa: PLR0913, PLR0917 - what a kernel reads and writes
    item: Ints, worth: Floats, weight: Floats, whole: Ints, kept: Ints, count: int,
    once: float, best: float, out: Indices,
) -> float:  # fmt: skip
    """A pattern that is good at once: greedily, then with each pod left out and filled up again."""
    earned = _greedily(item, worth, weight, whole, count, -1)
    improved = True
    passes = 0
    while improved and passes < _PASSES:
        improved = False
        passes += 1
        kept[:count] = item[:count, TAKEN]
        for without in range(count):
            if kept[without] == 0:
                continue
            item[without, TAKEN] -= 1
            tried = _greedily(item, worth, weight, whole, count, without)
            if tried > earned + 1e-12:
                earned = tried
                improved = True
                kept[:count] = item[:count, TAKEN]
            else:
                item[:count, TAKEN] = kept[:count]
    item[:count, TAKEN] = kept[:count]
    if earned - once > best:
        best = earned - once
        _write(item, count, out)
    item[:count, TAKEN] = 0
    return best


@compiled
def _greedily(  # noqa: C901, PLR0913, PLR0917 - plain loops are what compiles well
    item: Ints, worth: Floats, weight: Floats, whole: Ints, count: int, without: int
) -> float:
    """Fill up what is taken, always with what earns the most for what it takes of what is left.

    Returns:
        What all of it earns; `without` was not added to.
    """
    limits = len(weight)
    room = whole[:limits].copy()
    price = np.empty(limits)
    awake, earned = np.int64(0), 0.0
    for at in range(count):
        number = item[at, TAKEN]
        if number > 0:
            earned += number * worth[at, GAIN]
            awake = max(awake, item[at, STANDBY])
            for limit in range(limits):
                room[limit] -= number * item[at, limit]
    while True:
        for limit in range(limits):
            price[limit] = (weight[limit] + 0.02) / max(room[limit], 1)
        most, which = 0.0, -1
        for at in range(count):
            if at == without or item[at, TAKEN] >= item[at, MOST]:
                continue
            size = 1e-12
            fit = item[at, limits - 1] + max(awake, item[at, STANDBY]) <= room[limits - 1]
            for limit in range(limits):
                size += price[limit] * item[at, limit]
                fit = fit and item[at, limit] <= room[limit]
            if fit and worth[at, GAIN] > most * size:
                most, which = worth[at, GAIN] / size, at
        if which < 0:
            return earned
        item[which, TAKEN] += 1
        earned += worth[which, GAIN]
        awake = max(awake, item[which, STANDBY])
        for limit in range(limits):
            room[limit] -= item[which, limit]


@compiled
def _descend(  # noqa: C901, PLR0913, PLR0917 - where all the time goes
    item: Ints, worth: Floats, left: Ints, state: Floats, fits: Indices, count: int,
    once: float, best: float, tolerance: float, nodes: int, out: Indices,
) -> tuple[float, float, int]:  # fmt: skip
    """The best pattern of these items, into `out`, were `once` taken off all of them.

    Returns:
        What the best is now; what none exceeds; how many nodes are left.
    """
    limits = left.shape[1] - 4
    for at in range(count):
        fits[0, at] = at
    left[0, _COUNT] = count
    beyond = best
    depth = 0
    while depth >= 0:
        at, number = left[depth, _NEXT], left[depth, _COUNT]
        reach = -np.inf
        if at < number:
            first = fits[depth, at]
            earned = state[depth, _EARNED] - once
            reach = earned + worth[first, WHOLE] * state[depth, _ROOM]
            if reach > best + tolerance:
                more = _fill(item, worth, fits[depth], at, number, state[depth, _ROOM])
                for limit in range(limits):
                    if worth[first, limit] >= 0.0:
                        more = min(more, worth[first, limit] * left[depth, limit])
                reach = earned + more
        if reach <= best + tolerance or depth >= DEEPEST:
            beyond = max(beyond, reach)
            if depth > 0:
                item[left[depth, _ADDED], TAKEN] -= 1
            depth -= 1
            continue
        if nodes <= 0:
            open_ = _reach_of_open(item, worth, left, state, fits, depth) - once
            beyond = max(beyond, open_)
            break
        nodes -= 1
        _add(item, worth, left, state, fits, depth)
        depth += 1
        value = state[depth, _EARNED] - once
        if value > best:
            best = value
            _write(item, count, out)
    return best, max(best, beyond), nodes


@compiled
def _fill(  # noqa: PLR0913, PLR0917 - where all the time goes
    item: Ints, worth: Floats, fits: Indices, at: int, count: int, room: float
) -> float:
    """What those that fit earn in so much of the vehicle from here on, the last one in part."""
    earned = 0.0
    while at < count and room > 0.0:
        which = fits[at]
        whole = (item[which, MOST] - item[which, TAKEN]) * worth[which, SIZE]
        part = min(whole, room)
        earned += part * worth[which, WHOLE]
        room -= part
        at += 1
    return earned


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
        item[count, PAIR] = pair
        item[count, MOST] = most[pair]
        item[count, TAKEN] = 0
        item[count, STANDBY] = standby
        worth[count, GAIN] = gain[pair]
        worth[count, STAY] = asking.stay[pair]
        count += 1
    return count


@compiled
def _begin(offering: Offering, left: Ints, state: Floats, first: int) -> None:
    resources = len(offering.free)
    for resource in range(resources):
        left[0, resource] = offering.free[resource]
    left[0, resources] = offering.power
    left[0, resources + 1] = offering.energy
    left[0, _NEXT] = first
    left[0, _ADDED] = -1
    left[0, _AWAKE] = 0
    state[0, _EARNED] = 0.0
    state[0, _ROOM] = 1.0


@compiled
def _reach_of_open(  # noqa: PLR0913, PLR0917 - where all the time goes
    item: Ints, worth: Floats, left: Ints, state: Floats, fits: Indices, depth: int
) -> float:
    """No pattern that has not been looked at yet earns more; nothing is taken off."""
    most = -np.inf
    for level in range(depth, -1, -1):
        at, number = left[level, _NEXT], left[level, _COUNT]
        if at < number:
            more = _fill(item, worth, fits[level], at, number, state[level, _ROOM])
            for limit in range(left.shape[1] - 4):
                ratio = worth[fits[level, at], limit]
                if ratio >= 0.0:
                    more = min(more, ratio * left[level, limit])
            most = max(most, state[level, _EARNED] + more)
        if level > 0:
            item[left[level, _ADDED], TAKEN] -= 1
    return most


@compiled
def _add(  # noqa: PLR0913, PLR0917 - where all the time goes
    item: Ints, worth: Floats, left: Ints, state: Floats, fits: Indices, depth: int
) -> None:
    """One more of the next item; what fits after that: of it and of those after it."""
    at, below, last = left[depth, _NEXT], depth + 1, left.shape[1] - 5
    added = fits[depth, at]
    item[added, TAKEN] += 1
    for limit in range(last + 1):
        left[below, limit] = left[depth, limit] - item[added, limit]
    left[depth, _NEXT] = at + 1
    left[below, _NEXT] = 0
    left[below, _ADDED] = added
    left[below, _AWAKE] = max(left[depth, _AWAKE], item[added, STANDBY])
    state[below, _EARNED] = state[depth, _EARNED] + worth[added, GAIN]
    state[below, _ROOM] = max(state[depth, _ROOM] - worth[added, SIZE], 0.0)
    awake, number = left[below, _AWAKE], 0
    for position in range(at, left[depth, _COUNT]):
        which = fits[depth, position]
        fit = item[which, last] + max(awake, item[which, STANDBY]) <= left[below, last]
        fit = fit and item[which, TAKEN] < item[which, MOST]
        for limit in range(last):
            if item[which, limit] > left[below, limit]:
                fit = False
                break
        if fit:
            fits[below, number] = which
            number += 1
    left[below, _COUNT] = number


@compiled
def _write(item: Ints, count: int, out: Indices) -> None:
    out[:] = 0
    for at in range(count):
        out[item[at, PAIR]] = item[at, TAKEN]
