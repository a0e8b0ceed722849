"""The rules on tables in plain Python, from the layout's words alone: what is wrong with a plan.

Nothing that judges is shared with the planner but the layout of the tables.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping

import numpy as np

from idlewatt_scheduler.solvers.scale.facts import facts_of
from idlewatt_scheduler.solvers.scale.state import Live
from idlewatt_scheduler.tables.layout import PLENTY, Tables

Counts = Mapping[tuple[int, int], int]
"""So many pods by vehicle and template."""


def counts_of(tables: Tables, live: Live) -> Counts:
    """What a plan places, by vehicle and template."""
    facts = facts_of(tables)
    return {
        (int(facts.vehicle[row]), int(facts.template[row])): int(live.held[row])
        for row in np.flatnonzero(live.held)
    }


def faults(tables: Tables, counts: Counts) -> list[str]:
    """Every rule that a plan breaks, in words."""
    wrong: list[str] = []
    held: dict[int, dict[int, int]] = defaultdict(dict)
    total: Counter[int] = Counter()
    for (vehicle, template), number in counts.items():
        if number < 0:
            wrong.append(f"{number} pods of {template} at {vehicle}")
        if number > 0:
            held[vehicle][template] = number
            total[template] += number
    wrong += [
        f"{number} of template {template}, which has fewer"
        for template, number in total.items()
        if number > tables.wanted.count[template]
    ]
    for vehicle, pods in held.items():
        wrong += [f"vehicle {vehicle}: {fault}" for fault in alone_faults(tables, vehicle, pods)]
    wrong += room_faults(tables, held)
    wrong += spread_faults(tables, held)
    return wrong + gang_faults(tables, total)


def alone_faults(tables: Tables, vehicle: int, pods: Mapping[int, int]) -> Iterable[str]:
    """What is wrong on one vehicle, rooms aside."""
    offered = tables.offered
    rows = rows_of(tables, vehicle)
    if any(template not in rows for template in pods):
        yield "a pod that it may not take"
        return
    for resource, name in enumerate(tables.resources):
        used = sum(n * int(tables.wanted.request[t, resource]) for t, n in pods.items())
        if used > offered.free[vehicle, resource] and used > 0:
            yield f"more {name} than there is"
    power = sum(n * int(tables.pairs.power[rows[t]]) for t, n in pods.items())
    if power > offered.power[vehicle]:
        yield "more power than there is"
    if offered.energy[vehicle] < PLENTY and pods:
        start = int(offered.start[vehicle])
        energy = sum(
            n * int(tables.pairs.power[rows[t]]) * (int(tables.pairs.until[rows[t]]) - start)
            for t, n in pods.items()
        )
        latest = max(int(tables.pairs.until[rows[t]]) for t in pods)
        alone = max(latest - int(offered.lone_from[vehicle]), 0)
        if energy + alone * int(offered.lone_power[vehicle]) > offered.energy[vehicle]:
            yield "more energy than there is"


def rows_of(tables: Tables, vehicle: int) -> dict[int, int]:
    """The pairs of a vehicle, by template."""
    first, last = int(tables.pairs.first[vehicle]), int(tables.pairs.first[vehicle + 1])
    return {int(tables.pairs.template[row]): row for row in range(first, last)}


def room_faults(tables: Tables, held: Mapping[int, Mapping[int, int]]) -> list[str]:
    """The rooms of which more is taken than is left."""
    rooms, offered = tables.rooms, tables.offered
    taken: Counter[int] = Counter()
    for vehicle, pods in held.items():
        rows = rows_of(tables, vehicle)
        for load in range(int(rooms.first[vehicle]), int(rooms.first[vehicle + 1])):
            room = int(rooms.room[load])
            there = [
                int(tables.pairs.power[rows[t]])
                for t, n in pods.items()
                for _ in range(n)
                if offered.start[vehicle] < rooms.end[room]
                and tables.pairs.until[rows[t]] > rooms.start[room]
            ]
            taken[room] += draw_raise(tables, vehicle, there) * int(rooms.parts[load])
    return [
        f"room {room}: {taken[room]} of {rooms.left[room]}"
        for room in taken
        if taken[room] > rooms.left[room]
    ]


def draw_raise(tables: Tables, vehicle: int, powers: list[int]) -> int:
    """By how much pods of these powers raise the draw of a vehicle."""
    if not powers:
        return 0
    offered = tables.offered
    base, cap = int(offered.base[vehicle]), int(offered.cap[vehicle])
    charging, percent = int(offered.charging[vehicle]), int(offered.efficiency_percent[vehicle])
    computing = base + int(offered.standby[vehicle]) + sum(powers)
    before = min(cap, charging + 100 * base // percent)
    return min(cap, charging + 100 * computing // percent) - before


def spread_faults(tables: Tables, held: Mapping[int, Mapping[int, int]]) -> list[str]:
    """The constraints that do not hold of every placed pod."""
    spreads, wrong = tables.spreads, []
    for group in range(len(spreads.skew)):
        first, last = int(spreads.first[group]), int(spreads.first[group + 1])
        count = {d: int(spreads.running[d]) for d in range(first, last)}
        asked = set()
        for vehicle, pods in held.items():
            domain = int(spreads.domain[group, vehicle])
            for template, number in pods.items():
                if spreads.subject[group, template] and number:
                    asked.add(domain)
                if spreads.counted[group, template] and domain >= 0:
                    count[domain] += number
        least = 0 if spreads.floor_is_zero[group] else min(count.values(), default=0)
        wrong += [
            f"spread group {group}: domain {domain} has {count.get(domain)}, the least {least}"
            for domain in asked
            if domain < 0 or count[domain] - least > spreads.skew[group]
        ]
    return wrong


def gang_faults(tables: Tables, total: Mapping[int, int]) -> list[str]:
    """The gangs of which some are placed, but not enough."""
    wanted = tables.wanted
    placed: Counter[int] = Counter()
    for template, number in total.items():
        if wanted.gang[template] >= 0:
            placed[int(wanted.gang[template])] += number
    return [
        f"gang {gang}: {number} of {wanted.gang_needs[gang]}"
        for gang, number in placed.items()
        if 0 < number < wanted.gang_needs[gang]
    ]


def score_of(tables: Tables, counts: Counts) -> tuple[int, float]:
    """The placed weight, and the cost."""
    weight, cost = 0, 0.0
    stays: dict[int, float] = {}
    for (vehicle, template), number in counts.items():
        if number > 0:
            row = rows_of(tables, vehicle)[template]
            weight += number * int(tables.wanted.weight[template])
            cost += number * float(tables.pairs.cost[row])
            stays[vehicle] = max(stays.get(vehicle, 0.0), float(tables.pairs.stay_cost[row]))
    return weight, cost + sum(
        stay + float(tables.offered.opening[vehicle]) for vehicle, stay in stays.items()
    )


def envies(tables: Tables, counts: Counts) -> list[tuple[int, int]]:
    """Template and vehicle of each waiting pod that would fit, were lower pods there left out."""
    wanted = tables.wanted
    total: Counter[int] = Counter()
    for (_, template), number in counts.items():
        total[template] += number
    found: list[tuple[int, int]] = []
    for template in range(tables.templates):
        gang = int(wanted.gang[template])
        if total[template] >= wanted.count[template]:
            continue
        if gang >= 0 and not _complete(tables, total, gang):
            continue
        found += [
            (template, vehicle)
            for vehicle in range(tables.vehicles)
            if template in rows_of(tables, vehicle)
            and _would_fit(tables, counts, template, vehicle)
        ]
    return found


def _complete(tables: Tables, total: Mapping[int, int], gang: int) -> bool:
    wanted = tables.wanted
    mine = sum(number for t, number in total.items() if wanted.gang[t] == gang)
    return mine >= int(wanted.gang_needs[gang])


def _would_fit(tables: Tables, counts: Counts, template: int, vehicle: int) -> bool:
    wanted = tables.wanted
    kept = {
        (v, t): number
        for (v, t), number in counts.items()
        if v != vehicle or wanted.priority[t] >= wanted.priority[template] or wanted.gang[t] >= 0
    }
    kept[vehicle, template] = kept.get((vehicle, template), 0) + 1
    return not faults(tables, kept)
