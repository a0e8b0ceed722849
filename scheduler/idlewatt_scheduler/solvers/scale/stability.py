"""Stability on tables: no waiting pod could stand where only new pods of lower priority are.

Pods of gangs are left out for nobody, and those of a gang that is not complete are not asked.
"""

from typing import NamedTuple

import numpy as np

from idlewatt_scheduler.solvers.scale.facts import Facts
from idlewatt_scheduler.solvers.scale.greedy import fits_one, greedy, pairs_of
from idlewatt_scheduler.solvers.scale.spread import groups_of, holds, may_stand
from idlewatt_scheduler.solvers.scale.state import (
    Live,
    alone,
    energy_of,
    load_rows,
    put_many,
    raise_of,
    take_back,
)
from idlewatt_scheduler.tables.layout import Flags, Ints


class Kept(NamedTuple):
    """What the vehicles would have without the pods that may be left out for a priority.

    Attributes:
        out: bool[N], these pairs hold pods that may be left out.
        free, power, energy, until, draw, drawing: as in `Live`.
    """

    out: Flags
    free: Ints
    power: Ints
    energy: Ints
    until: Ints
    draw: Ints
    drawing: Ints


def settle(facts: Facts, live: Live) -> int:
    """Let every envious pod take its place, and place anew who had to go; how many had to.

    Each step gives a place to a pod at the cost of lower ones only, so it ends.
    """
    moved = 0
    while step := _settle_once(facts, live):
        moved += step
        greedy(facts, live)
    return moved


def _settle_once(facts: Facts, live: Live) -> int:
    moved, level = 0, -1
    kept: Kept | None = None
    for template in np.argsort(-facts.priority, kind="stable"):
        if live.left[template] <= 0 or not _asked(facts, live, int(template)):
            continue
        if kept is None or level != facts.priority[template]:
            level = int(facts.priority[template])
            kept = kept_for(facts, live, level)
        while live.left[template] > 0:
            pairs = envied(facts, live, kept, int(template))
            step = sum(_take(facts, live, kept, int(pair)) for pair in pairs)
            if not step:
                break
            moved += step
            kept = kept_for(facts, live, level)
    return moved


def _asked(facts: Facts, live: Live, template: int) -> bool:
    gang = int(facts.gang[template])
    return gang < 0 or bool(live.gang[gang] >= facts.gang_needs[gang])


def kept_for(facts: Facts, live: Live, priority: int) -> Kept:
    """What is left everywhere if new pods of a lower priority, in no gang, were left out."""
    held = np.flatnonzero(live.held)
    template = facts.template[held]
    leaves = (facts.priority[template] < priority) & (facts.gang[template] < 0)
    out = np.zeros(len(live.held), np.bool_)
    out[held[leaves]] = True
    stays, held, template = held[~leaves], held[leaves], template[leaves]
    vehicle, number = facts.vehicle[held], live.held[held].astype(np.int64)
    free, power, energy = live.free.copy(), live.power.copy(), live.energy.copy()
    np.add.at(free, vehicle, number[:, None] * facts.request[template])
    np.add.at(power, vehicle, number * facts.power[held])
    np.subtract.at(energy, vehicle, number * energy_of(facts, held))
    until = np.zeros(len(power), np.int64)
    np.maximum.at(until, facts.vehicle[stays], facts.until[stays])
    draw, drawing = live.draw.copy(), live.drawing.copy()
    owner, rows = load_rows(facts, vehicle)
    meets = meeting(facts, held[owner], rows)
    owner, rows = owner[meets], rows[meets]
    np.subtract.at(draw, rows, number[owner] * facts.power[held][owner])
    np.subtract.at(drawing, rows, number[owner])
    return Kept(out, free, power, energy, until, draw, drawing)


def meeting(facts: Facts, pairs: Ints, rows: Ints) -> Flags:
    """Whether the stay of each pair overlaps the room of the load beside it."""
    room, vehicle = facts.load_room[rows], facts.vehicle[pairs]
    begins: Flags = facts.start[vehicle] < facts.room_end[room]
    return begins & (facts.until[pairs] > facts.room_start[room])


def envied(facts: Facts, live: Live, kept: Kept, template: int) -> Ints:
    """The pairs of a template where one more pod fits beside what is kept, spread left aside."""
    pairs = pairs_of(facts, template)
    vehicle = facts.vehicle[pairs]
    fits = facts.power[pairs] <= kept.power[vehicle]
    for resource, request in enumerate(facts.request[template].tolist()):
        if request > 0:
            fits &= kept.free[vehicle, resource] >= request
    pairs = pairs[fits]
    vehicle = facts.vehicle[pairs]
    until = np.maximum(kept.until[vehicle], facts.until[pairs])
    energy = kept.energy[vehicle] + energy_of(facts, pairs) + alone(facts, vehicle, until)
    pairs = pairs[energy <= facts.energy_most[vehicle]]
    return pairs[_roomy(facts, live, kept, pairs)]


def _roomy(facts: Facts, live: Live, kept: Kept, pairs: Ints) -> Flags:
    owner, rows = load_rows(facts, facts.vehicle[pairs])
    meets = meeting(facts, pairs[owner], rows)
    owner, rows = owner[meets], rows[meets]
    whose = facts.vehicle[pairs][owner]
    power = facts.power[pairs][owner]
    before = raise_of(facts, whose, live.draw[rows], live.drawing[rows])
    after = raise_of(facts, whose, kept.draw[rows] + power, kept.drawing[rows] + 1)
    more = (after - before) * facts.load_parts[rows]
    full = (more > live.room[facts.load_room[rows]]) & (more > 0)
    roomy = np.ones(len(pairs), np.bool_)
    roomy[owner[full]] = False
    return roomy


def _take(facts: Facts, live: Live, kept: Kept, pair: int) -> int:
    """Place one pod and leave out whom it may: 1 if that can be done now, else nothing changes.

    Where a spread constraint would not hold without all of these, those stay that it counts.
    """
    vehicle, template = int(facts.vehicle[pair]), int(facts.template[pair])
    if live.left[template] <= 0:
        return 0
    there = np.arange(facts.first[vehicle], facts.first[vehicle + 1])
    out = there[kept.out[there] & (live.held[there] > 0)]
    if _instead(facts, live, pair, out):
        return 1
    alone = np.array([not len(groups_of(facts, int(facts.template[each]))) for each in out])
    if len(out) and not alone.all():
        return int(_instead(facts, live, pair, out[alone]))
    return 0


def _instead(facts: Facts, live: Live, pair: int, out: Ints) -> bool:
    """One pod instead of all of these pairs' pods; whether that is done, else nothing changes."""
    one = np.array([pair])
    vehicle, template = int(facts.vehicle[pair]), int(facts.template[pair])
    numbers = [live.held[each : each + 1].astype(np.int64) for each in out]
    for each, number in zip(out, numbers, strict=True):
        take_back(facts, live, np.array([each]), number)
    if fits_one(facts, live, one) and may_stand(facts, live, template, vehicle):
        put_many(facts, live, one, np.ones(1, np.int64))
        groups = {group for each in out for group in groups_of(facts, int(facts.template[each]))}
        if all(holds(facts, live, group) for group in groups):
            return True
        take_back(facts, live, one, np.ones(1, np.int64))
    for each, number in zip(out, numbers, strict=True):
        put_many(facts, live, np.array([each]), number)
    return False
