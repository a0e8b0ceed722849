"""The columns of `Tables` as kernels want them, and what a bound may count of rooms and spreads.

What is shared is relaxed so that every plan that keeps the rules keeps this, too:

- a room is loaded at its instant only, by a vehicle's raise of draw as a share of its power; where
  the cap at the plug cuts the draw, by the chord below it; what rounding down takes is added to
  the room;
- a domain may hold so many pods of a spread group as if the emptiest domain were as full as it
  could ever be;
- gangs are not asked.
"""

from typing import NamedTuple

import numpy as np

from idlewatt_scheduler.tables.layout import (
    PLENTY,
    Floats,
    Indices,
    Ints,
    SmallFloats,
    Spreads,
    Tables,
)


class Packed(NamedTuple):
    """What the kernels read; V, T, N, C and D as in the layout, L the loads that count.

    Attributes:
        pods: float64[T], those that fit somewhere: no plan places more.
        weight: float64[T].
        load_first: int64[V + 1]; the loads of vehicle v are at `load_first[v]` to
            `load_first[v + 1]`.
        load_room: int32[L].
        load_rate: float64[L], how much of the room a milliwatt of computing takes at the least.
        load_instant: int64[L].
        standby: float64[V].
        group_first: int64[T + 1]; the spread groups that both bind and count a template.
        group: int32[].
        domain: int32[S, V].
        room_limit: float64[C], what bounds may use of each room; infinite where no plan could fill
            it.
        domain_limit: float64[D], likewise of each domain, pods.
    """

    first: Ints
    template: Indices
    power: Indices
    until: Indices
    most: Indices
    cost: SmallFloats
    stay_cost: SmallFloats
    start: Ints
    lone_from: Ints
    lone_power: Ints
    free: Ints
    power_left: Ints
    energy_left: Ints
    opening: Floats
    standby: Floats
    request: Ints
    pods: Floats
    weight: Floats
    load_first: Ints
    load_room: Indices
    load_rate: Floats
    load_instant: Ints
    group_first: Ints
    group: Indices
    domain: Indices
    room_limit: Floats
    domain_limit: Floats

    @property
    def vehicles(self) -> int:
        """V."""
        return len(self.first) - 1

    @property
    def templates(self) -> int:
        """T."""
        return len(self.pods)

    @property
    def widest(self) -> int:
        """The most pairs that one vehicle has."""
        return int(np.diff(self.first).max(initial=0))


def pack(tables: Tables) -> Packed:
    """Everything the kernels read, contiguous and of one type; nothing is copied in vain."""
    wanted, offered, pairs = tables.wanted, tables.offered, tables.pairs
    template = np.ascontiguousarray(pairs.template, np.int32)
    most = np.ascontiguousarray(pairs.most, np.int32)
    domain_limit, pods = _domain_limits(tables, most)
    load_first, load_room, load_rate = _loads(tables)
    group_first, group = _groups(tables.spreads, tables.templates)
    return Packed(
        first=np.ascontiguousarray(pairs.first, np.int64),
        template=template,
        power=np.ascontiguousarray(pairs.power, np.int32),
        until=np.ascontiguousarray(pairs.until, np.int32),
        most=most,
        cost=np.ascontiguousarray(pairs.cost, np.float32),
        stay_cost=np.ascontiguousarray(pairs.stay_cost, np.float32),
        start=np.ascontiguousarray(offered.start, np.int64),
        lone_from=np.ascontiguousarray(offered.lone_from, np.int64),
        lone_power=np.ascontiguousarray(offered.lone_power, np.int64),
        free=np.ascontiguousarray(offered.free, np.int64),
        power_left=np.ascontiguousarray(offered.power, np.int64),
        energy_left=np.ascontiguousarray(offered.energy, np.int64),
        opening=np.ascontiguousarray(offered.opening, np.float64),
        standby=offered.standby.astype(np.float64),
        request=np.ascontiguousarray(wanted.request, np.int64),
        pods=_in_whole_gangs(tables, pods),
        weight=wanted.weight.astype(np.float64),
        load_first=load_first,
        load_room=load_room,
        load_rate=load_rate,
        load_instant=tables.rooms.instant[load_room].astype(np.int64),
        group_first=group_first,
        group=group,
        domain=np.ascontiguousarray(tables.spreads.domain, np.int32).reshape(-1, tables.vehicles),
        room_limit=_room_limits(tables, load_first, load_room, load_rate),
        domain_limit=domain_limit,
    )


def _loads(tables: Tables) -> tuple[Ints, Indices, Floats]:
    """The loads that count at the room's instant, and the least they take for a milliwatt."""
    rooms, offered = tables.rooms, tables.offered
    vehicle = np.repeat(np.arange(tables.vehicles), np.diff(rooms.first))
    rate = rooms.parts * _draw_rates(tables)[vehicle]
    counts = (offered.start[vehicle] <= rooms.instant[rooms.room]) & (rate > 0)
    first = np.concatenate(
        [[0], np.cumsum(np.bincount(vehicle[counts], minlength=tables.vehicles))]
    )
    return first.astype(np.int64), rooms.room[counts].astype(np.int32), rate[counts]


def _draw_rates(tables: Tables) -> Floats:
    """By vehicle: milliwatts of draw for each one computed, on the chord to all it may compute."""
    offered = tables.offered
    most = np.minimum(offered.power, _most_power(tables)) + offered.standby
    share = np.maximum(offered.efficiency_percent, 1)
    before = np.minimum(offered.cap, offered.charging + 100 * offered.base // share)
    after = np.minimum(offered.cap, offered.charging + 100 * (offered.base + most) // share)
    counts = (offered.cap > 0) & ~offered.fallible
    raised = np.where(counts, np.maximum(after - before - 1, 0), 0)
    return np.asarray(raised / np.maximum(most, 1), np.float64)


def _most_power(tables: Tables) -> Ints:
    """By vehicle: no pods that fit there draw more; `power` may be without a limit."""
    pairs = tables.pairs
    each = np.minimum(pairs.power.astype(np.float64) * pairs.most, float(PLENTY) / 256)
    sums = np.concatenate([[0.0], np.cumsum(each)])
    return np.ceil(np.diff(sums[pairs.first]) * (1 + 1e-9) + 1).astype(np.int64)


def _room_limits(tables: Tables, load_first: Ints, load_room: Indices, load_rate: Floats) -> Floats:
    """What is left and what rounding takes; infinite where all vehicles together do not fill it."""
    rooms, offered = tables.rooms, tables.offered
    number = len(rooms.left)
    vehicle = np.repeat(np.arange(tables.vehicles), np.diff(load_first))
    most = np.minimum(offered.power, _most_power(tables)) + offered.standby
    filled = np.bincount(load_room, load_rate * most[vehicle], number)
    rounding = np.bincount(rooms.room, rooms.parts, number)
    limit = rooms.left.astype(np.float64) + rounding
    return np.where(filled <= limit, np.inf, limit)


def _groups(spreads: Spreads, templates: int) -> tuple[Ints, Indices]:
    """By template, the groups that bind it and count it."""
    both = (spreads.subject & spreads.counted).reshape(-1, templates)
    template, group = np.nonzero(both.T)
    first = np.concatenate([[0], np.cumsum(np.bincount(template, minlength=templates))])
    return first.astype(np.int64), group.astype(np.int32)


def _in_whole_gangs(tables: Tables, pods: Floats) -> Floats:
    """No pod of a gang of which too few fit anywhere."""
    gang, needs = tables.wanted.gang, tables.wanted.gang_needs
    in_gang = gang >= 0
    fit = np.zeros(len(needs))
    np.add.at(fit, gang[in_gang], pods[in_gang])
    kept = pods.copy()
    kept[in_gang] *= (fit >= needs)[gang[in_gang]]
    return kept


def _domain_limits(tables: Tables, most: Indices) -> tuple[Floats, Floats]:
    """How many pods each domain takes at the most, the emptiest being as full as it could be.

    And how many pods of each template fit on all vehicles, in all domains: no plan places more.
    """
    spreads, pairs = tables.spreads, tables.pairs
    fit = np.zeros(tables.templates)
    np.add.at(fit, pairs.template, most.astype(np.float64))
    pods = np.minimum(fit, tables.wanted.count)
    limit = np.full(len(spreads.running), np.inf)
    groups = len(spreads.skew)
    if not groups:
        return limit, pods
    counted = np.logical_or.reduce(spreads.counted, axis=0)
    chosen = np.flatnonzero(counted[pairs.template])
    template, each = pairs.template[chosen], most[chosen].astype(np.float64)
    vehicle = np.searchsorted(pairs.first, chosen, side="right") - 1
    for group in range(groups):
        begin, end = int(spreads.first[group]), int(spreads.first[group + 1])
        domain = spreads.domain[group][vehicle]
        here = spreads.counted[group][template] & (domain >= 0)
        reach = np.bincount(domain[here] - begin, each[here], end - begin)
        holds = _holds(tables, group, reach.astype(np.float64))
        limit[begin:end] = holds
        both = here & spreads.subject[group][template]
        fits = np.bincount(domain[both] - begin, each[both], end - begin)
        for subject in np.unique(template[both]):
            its = both & (template == subject)
            there = np.bincount(domain[its] - begin, each[its], end - begin)
            pods[subject] = min(pods[subject], float(np.minimum(there, holds).sum()))
        asked = int(tables.wanted.count[spreads.counted[group] & spreads.subject[group]].sum())
        never = np.flatnonzero(np.minimum(fits, asked) <= holds)
        limit[begin + never] = np.inf
    return limit, pods


def _holds(tables: Tables, group: int, reach: Floats) -> Floats:
    """By domain of a group: how many new pods that it binds and counts it takes at the most."""
    spreads = tables.spreads
    begin, end = int(spreads.first[group]), int(spreads.first[group + 1])
    running = spreads.running[begin:end]
    pods = int(tables.wanted.count[spreads.counted[group]].sum())
    least = 0
    if end > begin and not spreads.floor_is_zero[group]:
        fullest = (running + np.minimum(reach, pods)).min()
        least = int(min(fullest, (int(running.sum()) + pods) // (end - begin)))
    return np.maximum(least + int(spreads.skew[group]) - running, 0).astype(np.float64)
