"""A good use of one vehicle at given prices, found at a glance: no proof, a tenth of the time.

Whichever pod stays longest, what is taken off once is its stay. So each pod is held to be that one,
with the most that those which stay no longer could earn beside it in fractions; the few most
promising of these are filled greedily, and the best is tried with each pod left out.
"""

from typing import NamedTuple

import numpy as np

from idlewatt_scheduler.solvers.pricing.compiling import compiled, compiled_part
from idlewatt_scheduler.solvers.pricing.search import Asking, Offering
from idlewatt_scheduler.tables.layout import PLENTY, Floats, Indices, Ints

LASTS = 4
"""So many pods are tried as the one that stays longest."""

_AT_ONCE = 3
"""Of many small pods this part of those that fit is taken at a time."""

_LEARN = 1.5
_LEAST = 1e-3


class Paper(NamedTuple):
    """Memory for one look at a time; n pairs at the most, L limits.

    Attributes:
        takes: int64[n, L], what a pod takes of each limit.
        part: float64[n, L], the same of all there is.
        gain, stay, size, ratio: float64[n]; the size is the share of the vehicle.
        pair, most, standby, order, taken, kept, best: int64[n].
        room: int64[L], what is left; price, used: float64[L].
        last, reach: int64[LASTS], float64[LASTS].
    """

    takes: Ints
    part: Floats
    gain: Floats
    stay: Floats
    size: Floats
    ratio: Floats
    pair: Ints
    most: Ints
    standby: Ints
    order: Ints
    taken: Ints
    kept: Ints
    best: Ints
    room: Ints
    whole: Ints
    price: Floats
    used: Floats
    last: Ints
    reach: Floats


@compiled
def paper(pairs: int, resources: int) -> Paper:
    """Memory for vehicles of at most so many pairs."""
    n, limits = pairs + 1, resources + 2
    return Paper(
        np.empty((n, limits), np.int64),
        np.empty((n, limits)),
        np.empty(n),
        np.empty(n),
        np.empty(n),
        np.empty(n),
        np.empty(n, np.int64),
        np.empty(n, np.int64),
        np.empty(n, np.int64),
        np.empty(n, np.int64),
        np.empty(n, np.int64),
        np.empty(n, np.int64),
        np.empty(n, np.int64),
        np.empty(limits, np.int64),
        np.empty(limits, np.int64),
        np.empty(limits),
        np.empty(limits),
        np.empty(LASTS, np.int64),
        np.empty(LASTS),
    )


@compiled_part
def glance(  # noqa: PLR0913, PLR0917 - what a kernel reads and writes
    asking: Asking, offering: Offering, request: Ints, weight: Floats, rounds: int, sheet: Paper,
    out: Indices,
) -> float:  # fmt: skip
    """A good pattern of one vehicle, into `out`, and what it earns; 0 and nothing for the empty.

    Args:
        asking: as in `search`.
        offering: as in `search`.
        request: as in `search`.
        weight: float64[L], how the limits are weighed into one; better ones after each look.
        rounds: so often they are weighed.
        sheet: for at least n pairs.
        out: int32[n], the pattern of the last look, or zeros; the one found afterwards.
    """
    count = _gather(asking, offering, request, sheet)
    if count == 0:
        return 0.0
    _weigh(sheet, weight, count, rounds)
    best = _as_before(sheet, weight, offering.opening, count, out)
    lasts = _lasts(sheet, offering.opening, count)
    for which in range(lasts):
        last = sheet.last[which]
        if sheet.reach[which] <= best:
            break
        sheet.taken[:count] = 0
        sheet.taken[last] = 1
        once = sheet.stay[last] + offering.opening
        earned = _fill_up(sheet, weight, count, sheet.stay[last], -1)
        if earned - once > best:
            best = earned - once
            sheet.best[:count] = sheet.taken[:count]
    if best <= 0.0:
        return 0.0
    best = _exchanged(sheet, weight, offering.opening, count, best)
    out[:] = 0
    for at in range(count):
        out[sheet.pair[at]] = sheet.best[at]
    return best


@compiled_part
def _as_before(sheet: Paper, weight: Floats, opening: float, count: int, out: Indices) -> float:
    """What the pattern of the last look earns now, without what earns nothing, and filled up.

    Of what fits no longer, as the vehicle has less left than it had then, as much is kept as does.
    """
    some, longest, awake = 0, 0.0, 0
    room, takes = sheet.room, sheet.takes
    room[:] = sheet.whole
    for at in range(count):
        sheet.taken[at] = 0
        number = min(np.int64(out[sheet.pair[at]]), sheet.most[at])
        number = _as_fits(sheet, at, max(awake, sheet.standby[at]), number)
        if number > 0:
            sheet.taken[at] = number
            some += 1
            longest = max(longest, sheet.stay[at])
            awake = max(awake, sheet.standby[at])
            for limit in range(len(weight)):
                room[limit] -= number * takes[at, limit]
    if some == 0:
        return 0.0
    earned = _fill_up(sheet, weight, count, longest, -1) - longest - opening
    if earned <= 0.0:
        return 0.0
    sheet.best[:count] = sheet.taken[:count]
    return earned


@compiled_part
def _weigh(sheet: Paper, weight: Floats, count: int, rounds: int) -> None:
    """Weigh the limits so that what fits in fractions earns little: the overfilled count more."""
    limits, used = len(weight), sheet.used
    for turn in range(rounds):
        _size_up(sheet, weight, count)
        used[:] = 0.0
        room = 1.0
        for place in range(count):
            which = sheet.order[place]
            number = min(np.float64(sheet.most[which]), room / sheet.size[which])
            room -= number * sheet.size[which]
            for limit in range(limits):
                used[limit] += number * sheet.part[which, limit]
            if room <= 0.0:
                break
        total = 0.0
        for limit in range(limits):
            step = _LEARN / (1.0 + 0.1 * turn) * (used[limit] - 1.0)
            weight[limit] = max(weight[limit] * np.exp(min(step, 3.0)), _LEAST)
            total += weight[limit]
        for limit in range(limits):
            weight[limit] /= total
    _size_up(sheet, weight, count)


@compiled_part
def _gather(asking: Asking, offering: Offering, request: Ints, sheet: Paper) -> int:
    """What earns something and fits alone; how many pairs that are."""
    resources = len(offering.free)
    sheet.whole[:resources] = offering.free
    sheet.whole[resources] = offering.power
    sheet.whole[resources + 1] = offering.energy
    battery = offering.energy < PLENTY
    takes = sheet.takes
    count = 0
    for pair in range(len(asking.gain)):
        power = int(asking.power[pair])
        if asking.gain[pair] <= 0.0 or asking.most[pair] <= 0 or power > offering.power:
            continue
        until = int(asking.until[pair])
        energy, standby = 0, 0
        if battery:
            energy = power * (until - offering.start)
            standby = offering.lone_power * max(until - offering.lone_from, 0)
        fits = energy + standby <= offering.energy
        for resource in range(resources):
            takes[count, resource] = request[asking.template[pair], resource]
            fits = fits and takes[count, resource] <= offering.free[resource]
        if not fits:
            continue
        takes[count, resources] = power
        takes[count, resources + 1] = energy
        for limit in range(resources + 2):
            sheet.part[count, limit] = takes[count, limit] / max(sheet.whole[limit], 1)
        sheet.pair[count] = pair
        sheet.gain[count] = asking.gain[pair]
        sheet.stay[count] = asking.stay[pair]
        sheet.most[count] = asking.most[pair]
        sheet.standby[count] = standby
        count += 1
    return count


@compiled_part
def _size_up(sheet: Paper, weight: Floats, count: int) -> None:
    """The share of the vehicle that each takes, and the order of what they earn for it."""
    order, ratio = sheet.order, sheet.ratio
    for at in range(count):
        size = 1e-9
        for limit in range(len(weight)):
            size += weight[limit] * sheet.part[at, limit]
        sheet.size[at] = size
        ratio[at] = sheet.gain[at] / size
        here = at
        while here > 0 and ratio[order[here - 1]] < ratio[at]:
            order[here] = order[here - 1]
            here -= 1
        order[here] = at


@compiled_part
def _lasts(sheet: Paper, opening: float, count: int) -> int:
    """The pods that are the most promising as the one that stays longest; how many."""
    number = 0
    for at in range(count):
        once = sheet.stay[at] + opening
        reach = sheet.gain[at] - once
        room = 1.0 - sheet.size[at]
        for place in range(count):
            which = sheet.order[place]
            if sheet.stay[which] <= sheet.stay[at]:
                most = sheet.most[which] - (1 if which == at else 0)
                part = min(most * sheet.size[which], room)
                reach += part * sheet.ratio[which]
                room -= part
                if room <= 0.0:
                    break
        if reach <= 0.0:
            continue
        here = min(number, LASTS - 1)
        if number == LASTS and reach <= sheet.reach[here]:
            continue
        while here > 0 and sheet.reach[here - 1] < reach:
            sheet.reach[here] = sheet.reach[here - 1]
            sheet.last[here] = sheet.last[here - 1]
            here -= 1
        sheet.reach[here] = reach
        sheet.last[here] = at
        number = min(number + 1, LASTS)
    return number


@compiled_part
def _fill_up(
    sheet: Paper, weight: Floats, count: int, stay: float, without: int
) -> float:  # fmt: skip
    """Add to what is taken, always what earns most for what it takes of what is left.

    Returns:
        What all of it earns; `without` is not added to, nor what stays longer than `stay`.
    """
    room, takes, taken = sheet.room, sheet.takes, sheet.taken
    room[:] = sheet.whole
    awake, earned = 0, 0.0
    for at in range(count):
        if taken[at] > 0:
            earned += taken[at] * sheet.gain[at]
            awake = max(awake, sheet.standby[at])
            for limit in range(len(weight)):
                room[limit] -= taken[at] * takes[at, limit]
    while True:
        which = _next(sheet, weight, count, stay, without, awake)
        if which < 0:
            return earned
        awake = max(awake, sheet.standby[which])
        number = _as_fits(sheet, which, awake, sheet.most[which] - taken[which])
        number = max(number // _AT_ONCE, 1)
        taken[which] += number
        earned += number * sheet.gain[which]
        for limit in range(len(weight)):
            room[limit] -= number * takes[which, limit]


@compiled_part
def _as_fits(sheet: Paper, at: int, awake: int, number: int) -> int:
    """So many of these, or as many as fit into what is left beside that much standby."""
    limits = len(sheet.room)
    for limit in range(limits):
        spare = sheet.room[limit] - (awake if limit == limits - 1 else 0)
        if spare < 0:
            return 0
        if sheet.takes[at, limit] > 0:
            number = min(number, spare // sheet.takes[at, limit])
    return number


@compiled_part
def _next(  # noqa: PLR0913, PLR0917 - what a kernel reads and writes
    sheet: Paper, weight: Floats, count: int, stay: float, without: int, awake: int
) -> int:  # fmt: skip
    """What earns most for what it takes of what is left, of what fits; -1 for nothing."""
    limits = len(weight)
    room, price, takes = sheet.room, sheet.price, sheet.takes
    for limit in range(limits):
        price[limit] = (weight[limit] + 0.02) / max(room[limit], 1)
    most, which = 0.0, -1
    for at in range(count):
        if sheet.stay[at] > stay or sheet.taken[at] >= sheet.most[at] or at == without:
            continue
        size = 1e-12
        fit = takes[at, limits - 1] + max(awake, sheet.standby[at]) <= room[limits - 1]
        for limit in range(limits):
            size += price[limit] * takes[at, limit]
            fit = fit and takes[at, limit] <= room[limit]
        if fit and sheet.gain[at] > most * size:
            most, which = sheet.gain[at] / size, at
    return which


@compiled_part
def _exchanged(sheet: Paper, weight: Floats, opening: float, count: int, best: float) -> float:
    """The best pattern, tried with each of its pods left out and filled up again; its earnings."""
    longest = 0.0
    for at in range(count):
        if sheet.best[at] > 0:
            longest = max(longest, sheet.stay[at])
    for without in range(count):
        if sheet.best[without] == 0:
            continue
        sheet.taken[:count] = sheet.best[:count]
        sheet.taken[without] -= 1
        earned = _fill_up(sheet, weight, count, longest, without)
        once = opening
        for at in range(count):
            if sheet.taken[at] > 0:
                once = max(once, sheet.stay[at] + opening)
        if earned - once > best + 1e-12:
            best = earned - once
            sheet.best[:count] = sheet.taken[:count]
    return best
