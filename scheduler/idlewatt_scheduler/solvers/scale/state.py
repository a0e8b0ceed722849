"""A plan in the making on tables: how many of each pair are placed, and what that leaves."""

from typing import NamedTuple

import numpy as np

from idlewatt_scheduler.solvers.scale.facts import Facts
from idlewatt_scheduler.tables.layout import PLENTY, Floats, Indices, Ints, Tables


class Live(NamedTuple):
    """What is placed, and all that follows from it; the arrays are changed in place.

    Attributes:
        held: int32[N], so many pods of each pair are placed.
        left: int64[T], pods that still wait.
        free: int64[V, R], thousandths left.
        power: int64[V], milliwatts left.
        energy: int64[V], milliwatt-milliseconds that the new pods take, standby aside.
        until: int64[V], the latest end of a stay among them; 0 without any.
        stay_cost: float64[V], the greatest stay cost among them.
        pods: int64[V], new pods there.
        draw: int64[L], milliwatts of the new pods that overlap the room of a load.
        drawing: int64[L], how many pods these are: one of no power still adds the standby.
        room: int64[C], what is left of each room.
        domain: int64[D], pods counted in each domain, running ones included.
        domain_subject: int64[D], new pods there that the constraint has to hold of.
        gang: int64[G], placed pods of each gang.
    """

    held: Indices
    left: Ints
    free: Ints
    power: Ints
    energy: Ints
    until: Ints
    stay_cost: Floats
    pods: Ints
    draw: Ints
    drawing: Ints
    room: Ints
    domain: Ints
    domain_subject: Ints
    gang: Ints


class Score(NamedTuple):
    """How good a plan is: first the weight, then the cost."""

    weight: int
    cost: float

    def beats(self, other: "Score") -> bool:
        """More weight, or the same weight at less cost."""
        return (self.weight, -self.cost) > (other.weight, -other.cost)


def empty(tables: Tables, facts: Facts) -> Live:
    """Nothing placed yet."""
    vehicles = tables.vehicles
    return Live(
        held=np.zeros(len(facts.template), np.int32),
        left=facts.wanted.astype(np.int64),
        free=np.array(tables.offered.free, np.int64, order="C"),
        power=tables.offered.power.astype(np.int64),
        energy=np.zeros(vehicles, np.int64),
        until=np.zeros(vehicles, np.int64),
        stay_cost=np.zeros(vehicles),
        pods=np.zeros(vehicles, np.int64),
        draw=np.zeros(len(facts.load_room), np.int64),
        drawing=np.zeros(len(facts.load_room), np.int64),
        room=tables.rooms.left.astype(np.int64),
        domain=tables.spreads.running.astype(np.int64),
        domain_subject=np.zeros(len(tables.spreads.running), np.int64),
        gang=np.zeros(len(facts.gang_needs), np.int64),
    )


def copy_of(live: Live) -> Live:
    """The same plan, to go on from without changing this one."""
    return Live(*(array.copy() for array in live))  # type: ignore[arg-type]


def score(facts: Facts, live: Live) -> Score:
    """The placed weight, and what the vehicles cost in the plan's currency."""
    weight = int((facts.weight * (facts.wanted - live.left)).sum())
    opened = live.pods > 0
    cost = float((facts.cost * live.held).sum() + (facts.opening + live.stay_cost)[opened].sum())
    return Score(weight, cost)


def load_rows(facts: Facts, vehicles: Indices) -> tuple[Ints, Ints]:
    """The loads of these vehicles: for each, its position in `vehicles`, and its row."""
    begin = facts.load_first[vehicles]
    lengths = facts.load_first[vehicles + np.int64(1)] - begin
    owner = np.repeat(np.arange(len(vehicles)), lengths)
    ends = np.cumsum(lengths)
    rows = np.arange(len(owner)) + np.repeat(begin - (ends - lengths), lengths)
    return owner, rows


def raise_of(facts: Facts, vehicles: Indices, draw: Ints, drawing: Ints) -> Ints:
    """By how many milliwatts new pods of that power raise the draw of each vehicle."""
    cap, charging = facts.cap[vehicles], facts.charging[vehicles]
    base, efficiency = facts.base[vehicles], facts.efficiency[vehicles]
    before = np.minimum(cap, charging + 100 * base // efficiency)
    computing = base + facts.standby[vehicles] + draw
    after = np.minimum(cap, charging + 100 * computing // efficiency)
    raised: Ints = np.where(drawing > 0, after - before, 0)
    return raised


def most_that_fit(facts: Facts, live: Live, pairs: Ints) -> Ints:
    """How many more pods fit on each vehicle, rooms and spread left aside; all of one template."""
    if not len(pairs):
        return np.zeros(0, np.int64)
    vehicle, template = facts.vehicle[pairs], int(facts.template[pairs[0]])
    fit: Ints = np.full(len(pairs), int(live.left[template]), np.int64)
    for resource, request in enumerate(facts.request[template].tolist()):
        if request > 0:
            np.minimum(fit, live.free[vehicle, resource] // request, out=fit)
    np.minimum(fit, _quotient(live.power[vehicle], facts.power[pairs]), out=fit)
    short = np.flatnonzero(facts.energy_most[vehicle] < PLENTY)
    if len(short):
        vehicle, pairs = vehicle[short], pairs[short]
        until = np.maximum(live.until[vehicle], facts.until[pairs])
        spare = facts.energy_most[vehicle] - live.energy[vehicle] - alone(facts, vehicle, until)
        fit[short] = np.minimum(fit[short], _quotient(spare, energy_of(facts, pairs)))
    np.maximum(fit, 0, out=fit)
    return fit


def _quotient(left: Ints, takes: Ints | Indices) -> Ints:
    """How often `takes` goes into what is left: none where it is less than nothing."""
    often = np.where(takes > 0, left // np.maximum(takes, 1), PLENTY)
    return np.where(left >= 0, often, 0)


def energy_of(facts: Facts, pairs: Ints) -> Ints:
    """What one pod of each pair takes over its stay."""
    lasts = facts.until[pairs] - facts.start[facts.vehicle[pairs]]
    energy: Ints = facts.power[pairs] * lasts
    return energy


def alone(facts: Facts, vehicles: Indices, until: Ints) -> Ints:
    """What standby takes until then where no running pod pays for it."""
    lasts = np.maximum(until - facts.lone_from[vehicles], 0)
    energy: Ints = facts.lone_power[vehicles] * lasts
    return energy


def most_in_rooms(facts: Facts, live: Live, pairs: Ints, fit: Ints) -> Ints:
    """The same with what the rooms leave, each vehicle asked as if it were alone."""
    vehicle = facts.vehicle[pairs]
    owner, rows = load_rows(facts, vehicle)
    room = facts.load_room[rows]
    until, start = facts.until[pairs][owner], facts.start[vehicle][owner]
    meets = (start < facts.room_end[room]) & (until > facts.room_start[room])
    owner, rows, room = owner[meets], rows[meets], room[meets]
    whose, power = vehicle[owner], facts.power[pairs][owner].astype(np.int64)
    raised = raise_of(facts, whose, live.draw[rows], live.drawing[rows])
    charging, efficiency = facts.charging[whose], facts.efficiency[whose]
    base = facts.base[whose]
    before = np.minimum(facts.cap[whose], charging + 100 * base // efficiency)
    drawn = before + raised + live.room[room] // facts.load_parts[rows]
    computing = ((drawn - charging + 1) * efficiency - 1) // 100
    spare = computing - base - facts.standby[whose] - live.draw[rows]
    there = np.where(drawn >= facts.cap[whose], PLENTY, _quotient(spare, power))
    least = fit.copy()
    np.minimum.at(least, owner, there)
    return least


def put_many(facts: Facts, live: Live, pairs: Ints, number: Ints) -> None:
    """Place so many pods of each pair, one pair a vehicle; whether they fit is not asked."""
    vehicle, template = facts.vehicle[pairs], facts.template[pairs]
    live.held[pairs] += number.astype(np.int32)
    np.subtract.at(live.left, template, number)
    live.free[vehicle] -= number[:, None] * facts.request[template]
    live.power[vehicle] -= number * facts.power[pairs]
    live.energy[vehicle] += number * energy_of(facts, pairs)
    live.pods[vehicle] += number
    np.maximum.at(live.until, vehicle, facts.until[pairs])
    np.maximum.at(live.stay_cost, vehicle, facts.stay_cost[pairs])
    _draw_more(facts, live, pairs, number)
    _count_more(facts, live, pairs, number)


def take_back(facts: Facts, live: Live, pairs: Ints, number: Ints) -> None:
    """Undo `put_many` of the same pairs and numbers."""
    put_many(facts, live, pairs, -number)
    for vehicle in facts.vehicle[pairs]:
        there = slice(int(facts.first[vehicle]), int(facts.first[vehicle + 1]))
        holds = live.held[there] > 0
        live.until[vehicle] = facts.until[there][holds].max(initial=0)
        live.stay_cost[vehicle] = facts.stay_cost[there][holds].max(initial=0.0)


def _draw_more(facts: Facts, live: Live, pairs: Ints, number: Ints) -> None:
    vehicle = facts.vehicle[pairs]
    owner, rows = load_rows(facts, vehicle)
    room = facts.load_room[rows]
    until, start = facts.until[pairs][owner], facts.start[vehicle][owner]
    meets = (start < facts.room_end[room]) & (until > facts.room_start[room])
    owner, rows, room = owner[meets], rows[meets], room[meets]
    whose = vehicle[owner]
    before = raise_of(facts, whose, live.draw[rows], live.drawing[rows])
    live.draw[rows] += number[owner] * facts.power[pairs][owner]
    live.drawing[rows] += number[owner]
    after = raise_of(facts, whose, live.draw[rows], live.drawing[rows])
    np.subtract.at(live.room, room, (after - before) * facts.load_parts[rows])


def _count_more(facts: Facts, live: Live, pairs: Ints, number: Ints) -> None:
    vehicle, template = facts.vehicle[pairs], facts.template[pairs]
    for each in np.unique(template):
        gang = facts.gang[each]
        mine = template == each
        if gang >= 0:
            live.gang[gang] += number[mine].sum()
        for group in facts.groups[facts.group_first[each] : facts.group_first[each + 1]]:
            domain = facts.domain[group, vehicle[mine]]
            known, more = domain >= 0, number[mine]
            if facts.counted[group, each]:
                np.add.at(live.domain, domain[known], more[known])
            if facts.subject[group, each]:
                np.add.at(live.domain_subject, domain[known], more[known])
