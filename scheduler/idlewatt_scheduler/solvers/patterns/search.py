"""Every pattern of one slot that earns more than a threshold, or the one that earns the most.

A pattern is built by adding one pod after the other, in the order of what they earn for what they
take. A branch is left when even the best of what may still be added, taken in fractions for what is
left of everything together (a surrogate of all rows), earns too little. What fits is asked in whole
numbers, exactly.
"""

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from idlewatt_scheduler.solvers.pricing.compiling import compiled

Ints: TypeAlias = NDArray[np.int64]
Floats: TypeAlias = NDArray[np.float64]
Counts: TypeAlias = NDArray[np.int16]

Items: TypeAlias = tuple[Floats, Ints, Ints, Floats, Ints]
"""Of each item what it earns, its end, how many there may be and its size; and their order."""

Limits: TypeAlias = tuple[Ints, Ints, Ints]
"""What an item takes of each row, what a stay takes, and the room."""

_DEEPEST = 256
_GROUPS = 8
_ROUNDS = 15
_LEAST_SIZE = 1e-9


@compiled
def search(  # noqa: PLR0913, PLR0917 - compiled functions take no objects
    earns: Floats,
    stay: Floats,
    level: Ints,
    most: Ints,
    takes: Ints,
    extra: Ints,
    room: Ints,
    threshold: float,
    tolerance: float,
    best_alone: bool,  # noqa: FBT001 - and no keywords
    lowest: int,
    nodes: int,
    found: Counts,
    worth: Floats,
) -> tuple[int, bool, float]:
    """Patterns that are worth more than the threshold, into `found` and `worth`.

    n items, r rows, e ends of stays in order of time, room for m patterns.

    Args:
        earns: float64[n], what one pod earns; less than nothing is allowed.
        stay: float64[e], taken off once, by the last end among those placed.
        level: int64[n], the end of each item.
        most: int64[n], how many there may be.
        takes: int64[n, r], what one pod takes of each row.
        extra: int64[e, r], what is taken once, by the last end; it does not fall with it.
        room: int64[r].
        threshold: patterns that are worth this or less are not wanted; nothing placed is none.
        tolerance: of the best alone, nothing that is better by less than this is looked for.
        best_alone: each pattern found raises the threshold, and only the last one is kept.
        lowest: only patterns of which the last end is this one or a later one.
        nodes: how many patterns are looked at.
        found: int16[m, n], the number of each item.
        worth: float64[m], what the pattern earns, its stay taken off.

    Returns:
        How many were found, whether these are all, and what no pattern is worth more than.
    """
    size, order = _order(earns, most, takes, room)
    items = earns, level, most, size, order
    # What a stay costs is known better the less the ends differ that are looked at together: so
    # they are taken in groups, and each pattern is found in the group of its last end.
    earliest, latest, reach = _groups(earns, stay, level, most, size, order, lowest)
    bound = threshold
    count = 0
    complete = True
    for group in np.argsort(-reach, kind="mergesort"):
        if reach[group] <= threshold + tolerance:
            bound = max(bound, reach[group])
            break
        ends = earliest[group], latest[group]
        wanted = threshold, tolerance, best_alone, nodes, count
        count, threshold, nodes, pruned = _search_group(
            ends, items, stay, (takes, extra, room), wanted, found, worth
        )
        bound = max(bound, pruned)
        if nodes < 0:
            complete = False
            nodes = 0
            if not best_alone:
                break
    return count, complete, max(bound, threshold)


@compiled
def _groups(  # noqa: PLR0913, PLR0917 - compiled functions take no objects
    earns: Floats,
    stay: Floats,
    level: Ints,
    most: Ints,
    size: Floats,
    order: Ints,
    first: int,
) -> tuple[Ints, Ints, Floats]:
    """Neighbouring ends that cost about the same: the first, the last, and what nobody exceeds."""
    ends = len(stay)
    apart = (stay.max() - stay.min()) / _GROUPS
    lowest, highest = np.empty(ends, np.int64), np.empty(ends, np.int64)
    groups = 0
    for end in range(first, ends):
        if groups and abs(stay[end] - stay[lowest[groups - 1]]) <= apart:
            highest[groups - 1] = end
        else:
            lowest[groups] = highest[groups] = end
            groups += 1
    reach = np.empty(groups)
    none = np.empty(0, np.int64)
    for group in range(groups):
        within = order[level[order] <= highest[group]]
        least = stay[lowest[group] : highest[group] + 1].min()
        items = earns, level, most, size, order
        reach[group] = _fill((within, none), 0, _whole(most), items) - least
    return lowest[:groups], highest[:groups], reach


@compiled
def _whole(most: Ints) -> float:
    """All there is. Sizes are at least a little, so that nothing divides by nought: that on top."""
    return 1.0 + _LEAST_SIZE * float(most.sum())


@compiled
def _search_group(  # noqa: C901, PLR0913, PLR0917 - compiled functions take no objects
    ends: tuple[int, int],
    items: Items,
    stay: Floats,
    limits: Limits,
    wanted: tuple[float, float, bool, int, int],
    found: Counts,
    worth: Floats,
) -> tuple[int, float, int, float]:
    """The patterns of which the last end is one of these; nodes below nought: these are not all.

    The items that stay that long come first, and one of them has to be taken; then the others.
    """
    earns, level, _, size, order = items
    threshold, tolerance, best_alone, nodes, count = wanted
    first = order[(level[order] >= ends[0]) & (level[order] <= ends[1])]
    rows = first, order[level[order] < ends[0]]
    least = stay.copy()
    for end in range(ends[1] - 1, ends[0] - 1, -1):
        least[end] = min(least[end], least[end + 1])
    left = np.empty((_DEEPEST + 1, len(limits[2])), np.int64)
    share, value = np.empty(_DEEPEST + 1), np.zeros(_DEEPEST + 1)
    last, following = np.zeros(_DEEPEST + 1, np.int64), np.zeros(_DEEPEST + 1, np.int64)
    added, number = np.empty(_DEEPEST + 1, np.int64), np.zeros(len(earns), np.int64)
    left[0, :] = limits[2]
    share[0], last[0], depth = _whole(items[2]), ends[0], 0
    pruned = threshold
    while depth >= 0:
        state = following[depth], depth, last[depth], share[depth], value[depth]
        enough = threshold + tolerance
        here, reach = _next(state, rows, items, limits, left[depth], least, number, enough)
        pruned = max(pruned, reach)
        if here < 0:
            if depth > 0:
                number[added[depth]] -= 1
            depth -= 1
            continue
        nodes -= 1
        if nodes < 0:
            for step in range(depth + 1):
                more = _fill(rows, following[step], share[step], items)
                pruned = max(pruned, value[step] + more - least[last[step]])
            return count, threshold, nodes, pruned
        item = _item(rows, here)
        following[depth] = here + 1
        depth += 1
        number[item] += 1
        left[depth, :] = left[depth - 1] - limits[0][item]
        share[depth] = max(share[depth - 1] - size[item], 0.0)
        value[depth] = value[depth - 1] + earns[item]
        last[depth] = max(last[depth - 1], level[item])
        following[depth], added[depth] = here, item
        pattern = value[depth] - stay[last[depth]]
        if pattern > threshold:
            if best_alone:
                threshold, count = pattern, 0
            elif count >= len(worth):
                return count, threshold, -1, pruned
            pruned = max(pruned, pattern)
            worth[count] = pattern
            for each in range(len(earns)):
                found[count, each] = number[each]
            count += 1
    return count, threshold, nodes, pruned


@compiled
def _next(  # noqa: PLR0913, PLR0917 - compiled functions take no objects
    state: tuple[int, int, int, float, float],
    rows: tuple[Ints, Ints],
    items: Items,
    limits: Limits,
    left: Ints,
    least: Floats,
    number: Ints,
    enough: float,
) -> tuple[int, float]:
    """The next item that fits and may lead to a pattern worth more than enough; -1: there is none.

    And what the patterns that are passed over are not worth more than.
    """
    earns, level, most, size, _ = items
    here, depth, last, share, value = state
    passed = -np.inf
    whole = len(rows[0]) + (len(rows[1]) if depth else 0)
    while here < whole:
        item = _item(rows, here)
        reach = value + _fill(rows, here, share, items) - least[last]
        if reach <= enough:
            return -1, max(passed, reach)
        end = max(last, level[item])
        fits = number[item] < most[item] and depth < _DEEPEST
        if fits:
            for row in range(len(left)):
                if limits[0][item, row] + limits[1][end, row] > left[row]:
                    fits = False
                    break
        if fits:
            after = max(share - size[item], 0.0)
            reach = value + earns[item] + _fill(rows, here, after, items) - least[end]
            if reach > enough:
                return here, passed
            passed = max(passed, reach)
        here += 1
    return -1, passed


@compiled
def _item(rows: tuple[Ints, Ints], here: int) -> int:
    """An item by its place in both rows together."""
    first, others = rows
    return int(first[here] if here < len(first) else others[here - len(first)])


@compiled
def _fill(rows: tuple[Ints, Ints], here: int, share: float, items: Items) -> float:
    """The most that the items from a place on earn in a share of the surrogate.

    Fractions are allowed; each row is in the order of what its items earn for their size.
    """
    first, others = rows
    earns, _, most, size, _ = items
    other = max(here - len(first), 0)
    earned = 0.0
    while here < len(first) or other < len(others):
        if other >= len(others):
            item = first[here]
            here += 1
        elif here >= len(first):
            item = others[other]
            other += 1
        elif earns[first[here]] * size[others[other]] >= earns[others[other]] * size[first[here]]:
            item = first[here]
            here += 1
        else:
            item = others[other]
            other += 1
        if earns[item] <= 0.0:
            break
        room = size[item] * most[item]
        if room >= share:
            return float(earned + share * earns[item] / size[item])
        earned += earns[item] * most[item]
        share -= room
    return earned


@compiled
def _order(  # noqa: C901 - one loop over rounds
    earns: Floats, most: Ints, takes: Ints, room: Ints
) -> tuple[Floats, Ints]:
    """The size of each item, all the room being 1, and the items by what they earn for it.

    The rows are weighed so that the best of all items in proportion to its size is bad: what it
    takes most of counts more.
    """
    items, rows = takes.shape
    shares = np.zeros((items, rows))
    for item in range(items):
        for row in range(rows):
            if takes[item, row] > 0:
                shares[item, row] = takes[item, row] / max(room[row], 1)
    weigh = np.full(rows, 1.0 / max(rows, 1))
    kept = weigh.copy()
    size = np.empty(items)
    least = np.inf
    for turn in range(_ROUNDS):
        filled, worst = 0.0, -1
        left = 1.0
        _weigh(shares, weigh, size)
        order = np.argsort(-earns / size, kind="mergesort")
        for here in range(items):
            item = order[here]
            if earns[item] <= 0.0:
                break
            worst = item
            whole = size[item] * most[item]
            filled += earns[item] * most[item] * min(left / whole, 1.0)
            left -= whole
            if left <= 0.0:
                break
        if filled < least:
            least = filled
            kept = weigh.copy()
        if worst < 0:
            break
        used = np.zeros(rows)
        left = 1.0
        for here in range(items):
            item = order[here]
            whole = size[item] * most[item]
            part = min(left / whole, 1.0)
            used += shares[item] * most[item] * part
            left -= whole
            if item == worst or left <= 0.0:
                break
        weigh = weigh * (1.0 + used / (1.0 + 0.5 * turn))
        weigh /= weigh.sum()
    _weigh(shares, kept, size)
    return size, np.argsort(-earns / size, kind="mergesort")


@compiled
def _weigh(shares: Floats, weigh: Floats, size: Floats) -> None:
    """What each item takes of all rows together, into `size`."""
    items, rows = shares.shape
    for item in range(items):
        whole = 0.0
        for row in range(rows):
            whole += shares[item, row] * weigh[row]
        size[item] = max(whole, _LEAST_SIZE)
