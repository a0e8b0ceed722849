"""Compiled moves on a plan in the making: placing, taking away, and what still fits where."""

import numpy as np

from idlewatt_scheduler.solvers.pricing.compiling import compiled_part
from idlewatt_scheduler.solvers.scale.facts import Facts
from idlewatt_scheduler.solvers.scale.state import Live
from idlewatt_scheduler.tables.layout import PLENTY


@compiled_part
def whole(number: int) -> int:
    """The number in 64 bits: a kernel is compiled for each type that it is called with."""
    return np.int64(number)  # type: ignore[return-value]


@compiled_part
def draw_raise(facts: Facts, vehicle: int, draw: int, drawing: int) -> int:
    """By how many milliwatts so many new pods of that power raise the draw of a vehicle."""
    if drawing <= 0:
        return 0
    cap, charging = facts.cap[vehicle], facts.charging[vehicle]
    base, efficiency = facts.base[vehicle], facts.efficiency[vehicle]
    computing = base + facts.standby[vehicle] + draw
    before = min(cap, charging + 100 * base // efficiency)
    return whole(min(cap, charging + 100 * computing // efficiency) - before)


@compiled_part
def put(facts: Facts, live: Live, pair: int, number: int) -> None:
    """Place so many pods of a pair, or take them away; whether they fit is not asked."""
    vehicle, template = whole(facts.vehicle[pair]), whole(facts.template[pair])
    power, until = whole(facts.power[pair]), whole(facts.until[pair])
    live.held[pair] += number
    live.left[template] -= number
    for resource in range(live.free.shape[1]):
        live.free[vehicle, resource] -= number * facts.request[template, resource]
    live.power[vehicle] -= number * power
    live.energy[vehicle] += number * power * (until - facts.start[vehicle])
    live.pods[vehicle] += number
    for load in range(facts.load_first[vehicle], facts.load_first[vehicle + 1]):
        room = facts.load_room[load]
        if facts.start[vehicle] < facts.room_end[room] and until > facts.room_start[room]:
            before = draw_raise(facts, vehicle, live.draw[load], live.drawing[load])
            live.draw[load] += number * power
            live.drawing[load] += number
            after = draw_raise(facts, vehicle, live.draw[load], live.drawing[load])
            live.room[room] -= (after - before) * facts.load_parts[load]
    _count(facts, live, vehicle, template, number)
    if number > 0:
        live.until[vehicle] = max(live.until[vehicle], until)
        live.stay_cost[vehicle] = max(live.stay_cost[vehicle], facts.stay_cost[pair])
    elif until == live.until[vehicle] or facts.stay_cost[pair] == live.stay_cost[vehicle]:
        _longest(facts, live, vehicle)


@compiled_part
def _count(facts: Facts, live: Live, vehicle: int, template: int, number: int) -> None:
    gang = facts.gang[template]
    if gang >= 0:
        live.gang[gang] += number
    for at in range(facts.group_first[template], facts.group_first[template + 1]):
        group = facts.groups[at]
        domain = facts.domain[group, vehicle]
        if domain >= 0:
            if facts.counted[group, template]:
                live.domain[domain] += number
            if facts.subject[group, template]:
                live.domain_subject[domain] += number


@compiled_part
def _longest(facts: Facts, live: Live, vehicle: int) -> None:
    until, stay_cost = 0, 0.0
    for pair in range(facts.first[vehicle], facts.first[vehicle + 1]):
        if live.held[pair] > 0:
            until = max(until, facts.until[pair])
            stay_cost = max(stay_cost, float(facts.stay_cost[pair]))
    live.until[vehicle] = until
    live.stay_cost[vehicle] = stay_cost


@compiled_part
def power_in_rooms(facts: Facts, live: Live, vehicle: int, until: int) -> int:
    """The power that more pods there may draw, were they to stay until then, for all its rooms."""
    least = PLENTY
    cap, charging = facts.cap[vehicle], facts.charging[vehicle]
    base, efficiency = facts.base[vehicle], facts.efficiency[vehicle]
    for load in range(facts.load_first[vehicle], facts.load_first[vehicle + 1]):
        room = facts.load_room[load]
        if facts.start[vehicle] >= facts.room_end[room] or until <= facts.room_start[room]:
            continue
        drawn = min(cap, charging + 100 * base // efficiency)
        drawn += draw_raise(facts, vehicle, live.draw[load], live.drawing[load])
        drawn += live.room[room] // facts.load_parts[load]
        if drawn < cap:
            computing = ((drawn - charging + 1) * efficiency - 1) // 100
            spare = computing - base - facts.standby[vehicle] - live.draw[load]
            least = min(least, spare)
    return least


@compiled_part
def fits(  # noqa: C901 - one limit after the other
    facts: Facts, live: Live, pair: int
) -> int:
    """How many more pods of a pair fit, spread left aside."""
    vehicle, template = whole(facts.vehicle[pair]), whole(facts.template[pair])
    most = live.left[template]
    for resource in range(live.free.shape[1]):
        request = facts.request[template, resource]
        if request > 0 and most > 0:
            if request > live.free[vehicle, resource]:
                return 0
            most = min(most, live.free[vehicle, resource] // request)
    power = whole(facts.power[pair])
    if power > live.power[vehicle]:
        return 0
    if facts.energy_most[vehicle] < PLENTY:
        latest = max(live.until[vehicle], whole(facts.until[pair]))
        lone = facts.lone_power[vehicle] * max(latest - facts.lone_from[vehicle], 0)
        spare = facts.energy_most[vehicle] - live.energy[vehicle] - lone
        energy = power * (facts.until[pair] - facts.start[vehicle])
        if energy > spare:
            return 0
        if energy > 0:
            most = min(most, spare // energy)
    if power > 0:
        most = min(most, live.power[vehicle] // power)
    if most > 0 and facts.load_first[vehicle + 1] > facts.load_first[vehicle]:
        spare = power_in_rooms(facts, live, vehicle, whole(facts.until[pair]))
        if spare < power or spare < 0:
            return 0
        if power > 0:
            most = min(most, spare // power)
    return whole(max(most, 0))


@compiled_part
def may_stand(facts: Facts, live: Live, template: int, vehicle: int) -> bool:
    """Whether every spread constraint would hold with one more pod of the template there."""
    for at in range(facts.group_first[template], facts.group_first[template + 1]):
        group = facts.groups[at]
        subject, counted = facts.subject[group, template], facts.counted[group, template]
        domain = facts.domain[group, vehicle]
        if domain < 0:
            if subject:
                return False
            continue
        if not subject and not live.domain_subject[domain]:
            continue
        count = live.domain[domain] + (1 if counted else 0)
        least = count
        if facts.floor_is_zero[group]:
            least = 0
        else:
            for other in range(facts.domain_first[group], facts.domain_first[group + 1]):
                if other != domain:
                    least = min(least, live.domain[other])
        if count - least > facts.skew[group]:
            return False
    return True


@compiled_part
def holds(facts: Facts, live: Live, group: int) -> bool:
    """Whether a spread constraint holds of every pod that was placed."""
    first, last = facts.domain_first[group], facts.domain_first[group + 1]
    least = 0
    if not facts.floor_is_zero[group]:
        least = PLENTY
        for domain in range(first, last):
            least = min(least, live.domain[domain])
    for domain in range(first, last):
        if live.domain_subject[domain] > 0 and live.domain[domain] - least > facts.skew[group]:
            return False
    return True
