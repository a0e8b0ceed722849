"""The greedy plan on tables: by priority, each template where it costs least a pod.

It needs nothing compiled: it is the incumbent from the first moment, and the plan where kernels
are not ready. Gangs are placed whole or not at all, spread pods evenly, one domain after another.
"""

from collections.abc import Iterator

import numpy as np

from idlewatt_scheduler.solvers.scale.facts import Facts
from idlewatt_scheduler.solvers.scale.spread import groups_of, may_stand
from idlewatt_scheduler.solvers.scale.state import (
    Live,
    load_rows,
    most_in_rooms,
    most_that_fit,
    put_many,
    raise_of,
    take_back,
)
from idlewatt_scheduler.tables.layout import PLENTY, Floats, Ints

Step = tuple[Ints, Ints]
"""Pairs, and how many pods of each were placed."""

MARGIN = 1.3
"""How many vehicles more than will probably be needed are looked at in one go."""


def greedy(facts: Facts, live: Live) -> None:
    """Place everything that fits, the highest priority first, gangs whole or not at all."""
    asked: set[int] = set()
    for template in in_order(facts):
        gang = int(facts.gang[template])
        if gang < 0:
            fill(facts, live, template)
        elif gang not in asked:
            asked.add(gang)
            fill_gang(facts, live, gang)


def in_order(facts: Facts) -> list[int]:
    """Templates by priority; among equals the smaller first, so that more of them fit."""
    whole = facts.request.max(axis=0, initial=1)
    size = (facts.request / np.maximum(whole, 1)).sum(axis=1)
    return [int(index) for index in np.lexsort((size, -facts.priority))]


def fill_gang(facts: Facts, live: Live, gang: int) -> bool:
    """Place what fits of a gang, or nothing if that is not enough of it."""
    steps: list[Step] = []
    for template in in_order(facts):
        if facts.gang[template] == gang:
            steps.extend(fill(facts, live, template))
    if live.gang[gang] >= facts.gang_needs[gang]:
        return True
    for pairs, number in reversed(steps):
        take_back(facts, live, pairs, number)
    return False


def fill(facts: Facts, live: Live, template: int) -> list[Step]:
    """Place as many pods of a template as fit, cheapest first; what was placed, step by step."""
    if live.left[template] <= 0:
        return []
    if groups_of(facts, template):
        return list(_fill_evenly(facts, live, template))
    steps: list[Step] = []
    while live.left[template] > 0:
        step = _cheapest(facts, live, template)
        if step is None:
            break
        put_many(facts, live, *step)
        steps.append(step)
    return steps


def _cheapest(facts: Facts, live: Live, template: int) -> Step | None:
    """The vehicles where so many as fit cost least a pod, with as many as rooms allow together."""
    pairs = pairs_of(facts, template)
    fit = most_that_fit(facts, live, pairs)
    pairs, fit = pairs[fit > 0], fit[fit > 0]
    wanted = int(live.left[template])
    if int(fit.sum()) > wanted:
        pairs, fit = _foremost(_price(facts, live, pairs, fit), pairs, fit, wanted)
    while len(pairs):
        roomy = most_in_rooms(facts, live, pairs, fit)
        some = roomy > 0
        if some.all() or some.any():
            pairs, fit = pairs[some], roomy[some]
            break
        pairs, fit = _others(facts, live, template, pairs)
    if not len(pairs):
        return None
    within = _in_rooms_together(facts, live, pairs, fit)
    pairs, fit = pairs[within], fit[within]
    before = np.cumsum(fit) - fit
    number = np.minimum(fit, wanted - before)
    return pairs[number > 0], number[number > 0]


def _others(facts: Facts, live: Live, template: int, tried: Ints) -> Step:
    """The pairs of a template that were not among the cheapest, whose rooms turned out full."""
    pairs = np.setdiff1d(pairs_of(facts, template), tried)
    fit = most_that_fit(facts, live, pairs)
    fit = most_in_rooms(facts, live, pairs, fit)
    pairs, fit = pairs[fit > 0], fit[fit > 0]
    order = np.argsort(_price(facts, live, pairs, fit), kind="stable")
    return pairs[order], fit[order]


def _foremost(price: Floats, pairs: Ints, fit: Ints, wanted: int) -> Step:
    """Those of least price, in its order, about as many as it takes."""
    some = min(len(pairs), int(MARGIN * wanted / fit.mean()) + 16)
    while True:
        if some < len(pairs):
            near = np.sort(np.argpartition(price, some - 1)[:some])
        else:
            near = np.arange(len(pairs))
        if some >= len(pairs) or int(fit[near].sum()) >= wanted:
            order = near[np.argsort(price[near], kind="stable")]
            return pairs[order], fit[order]
        some = min(len(pairs), 2 * some)


def _price(facts: Facts, live: Live, pairs: Ints, number: Ints) -> Floats:
    """What each pod costs if so many are placed on every one of these vehicles."""
    vehicle = facts.vehicle[pairs]
    opening = np.where(live.pods[vehicle] > 0, 0.0, facts.opening[vehicle])
    stay = np.maximum(facts.stay_cost[pairs] - live.stay_cost[vehicle], 0.0)
    price: Floats = facts.cost[pairs] + (opening + stay) / number
    return price


def _in_rooms_together(facts: Facts, live: Live, pairs: Ints, number: Ints) -> Ints:
    """The positions of those that fit into all rooms with all that stand before them."""
    vehicle = facts.vehicle[pairs]
    owner, rows = load_rows(facts, vehicle)
    room = facts.load_room[rows]
    until, start = facts.until[pairs][owner], facts.start[vehicle][owner]
    meets = (start < facts.room_end[room]) & (until > facts.room_start[room])
    owner, rows, room = owner[meets], rows[meets], room[meets]
    whose = vehicle[owner]
    before = raise_of(facts, whose, live.draw[rows], live.drawing[rows])
    more = number[owner] * facts.power[pairs][owner]
    after = raise_of(facts, whose, live.draw[rows] + more, live.drawing[rows] + number[owner])
    takes = (after - before) * facts.load_parts[rows]
    order = np.argsort(room, kind="stable")
    running = np.cumsum(takes[order])
    begins = np.flatnonzero(np.diff(room[order], prepend=-1))
    offset = np.repeat(
        running[begins] - takes[order][begins], np.diff(np.append(begins, len(order)))
    )
    over = (running - offset > live.room[room[order]]) & (takes[order] > 0)
    fits = np.ones(len(pairs), np.bool_)
    fits[owner[order][over]] = False
    return np.flatnonzero(fits)


def pairs_of(facts: Facts, template: int) -> Ints:
    """The pairs of a template, by vehicle."""
    first, last = facts.template_first[template], facts.template_first[template + 1]
    pairs: Ints = facts.by_template[first:last]
    return pairs


def _fill_evenly(facts: Facts, live: Live, template: int) -> Iterator[Step]:
    """Round after round, so many in each of the domains that have fewest and still take some."""
    groups = groups_of(facts, template)
    queue = _Queues(facts, live, template, groups[0])
    alone = len(groups) == 1
    while live.left[template] > 0 and len(heads := queue.heads()):
        counts = live.domain[queue.domain[heads]]
        lowest = int(counts.min())
        heads = heads[counts == lowest]
        pairs = queue.pairs[heads][: int(live.left[template])]
        if not alone:
            pairs = pairs[:1]
        if not may_stand(facts, live, template, int(facts.vehicle[pairs[0]])):
            queue.close(heads if alone else heads[:1])
            continue
        number = np.ones(len(pairs), np.int64)
        if alone:
            number *= queue.batch(pairs, lowest)
            within = _in_rooms_together(facts, live, pairs, number)
            if len(within) < len(pairs):  # the others stay behind: one is as far as all may go
                pairs, number = pairs[within], number[within] // number[within]
        put_many(facts, live, pairs, number)
        yield pairs, number


class _Queues:
    """The pairs of a template by their domain in a group, in each the cheapest first."""

    def __init__(self, facts: Facts, live: Live, template: int, group: int) -> None:
        self._facts, self._live = facts, live
        self._group = group
        pairs = pairs_of(facts, template)
        fit = most_that_fit(facts, live, pairs)
        domain = facts.domain[group, facts.vehicle[pairs]]
        some = (fit > 0) & (domain >= 0)
        pairs, fit, domain = pairs[some], fit[some], domain[some]
        order = np.lexsort((_price(facts, live, pairs, fit), domain))
        self.pairs, self.domain = pairs[order], domain[order]
        begins = np.flatnonzero(np.diff(self.domain, prepend=-1))
        self._next = begins
        self._end = np.append(begins[1:], len(order))

    def heads(self) -> Ints:
        """For each domain that still takes a pod, where its cheapest vehicle that does stands."""
        while True:
            kept = self._next < self._end
            self._next, self._end = self._next[kept], self._end[kept]
            pairs = self.pairs[self._next]
            fit = most_that_fit(self._facts, self._live, pairs)
            full = most_in_rooms(self._facts, self._live, pairs, fit) <= 0
            if not full.any():
                return self._next
            self._next = self._next + full

    def close(self, heads: Ints) -> None:
        """Ask these domains no more: nothing that is still to be placed makes room in them."""
        kept = ~np.isin(self._next, heads)
        self._next, self._end = self._next[kept], self._end[kept]

    def batch(self, pairs: Ints, lowest: int) -> int:
        """How many pods each of these may take in one go without overtaking another domain."""
        facts, live = self._facts, self._live
        fit = most_in_rooms(facts, live, pairs, most_that_fit(facts, live, pairs))
        share = int(live.left[facts.template[pairs[0]]]) // len(pairs)
        others = np.ones(facts.domain_first[self._group + 1], np.bool_)
        others[: facts.domain_first[self._group]] = False
        others[facts.domain[self._group, facts.vehicle[pairs]]] = False
        least = int(live.domain[: len(others)][others].min(initial=PLENTY))
        if facts.floor_is_zero[self._group]:
            least = min(least, 0)
        next_one = live.domain[self.domain[self._next]]
        step = int(next_one[next_one > lowest].min(initial=PLENTY)) - lowest
        further = least + int(facts.skew[self._group]) - lowest
        return max(1, min(int(fit.min()), share, step, further))


def fits_one(facts: Facts, live: Live, one: Ints) -> bool:
    """Whether a pod of a pair, the only one in the array, fits; spread left aside."""
    return bool(most_in_rooms(facts, live, one, most_that_fit(facts, live, one))[0] > 0)
