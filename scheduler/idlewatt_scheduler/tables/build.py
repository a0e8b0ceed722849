"""From a fleet and templates to columns: each template is asked of all vehicles at once."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from idlewatt_scheduler.candidates import Candidate, Fleet
from idlewatt_scheduler.model.plan import Leaving
from idlewatt_scheduler.model.workload import Pod
from idlewatt_scheduler.tables.asking import Answer, Asking
from idlewatt_scheduler.tables.layout import (
    Flags,
    Floats,
    Indices,
    Ints,
    Offered,
    Pairs,
    SmallFloats,
    Spreads,
    Tables,
    Wanted,
)
from idlewatt_scheduler.tables.money import Money, rounded_down
from idlewatt_scheduler.tables.nodes import Matching
from idlewatt_scheduler.tables.rooms import rooms_of
from idlewatt_scheduler.tables.together import Running, gangs_of, spreads_of
from idlewatt_scheduler.tables.vehicles import Vehicles, vehicles_of
from idlewatt_scheduler.templates import Template


@dataclass(frozen=True, slots=True)
class Workings:
    """What tables are made of, and what a plan is explained with.

    Attributes:
        takers: the candidates that no vehicle clause keeps pods away from, in the fleet's order.
        vehicles: those of them that are vehicles.
        spreads: with the domains of the takers.
    """

    fleet: Fleet
    templates: tuple[Template, ...]
    resources: tuple[str, ...]
    takers: tuple[Candidate, ...]
    vehicles: Vehicles
    matching: Matching
    asking: Asking
    running: Running
    spreads: Spreads


def tabulate(
    fleet: Fleet, templates: Sequence[Template], leavers: Iterable[Leaving] = ()
) -> Tables:
    """The vehicles and the templates as columns.

    Args:
        fleet: looked up.
        templates: of the pending pods, in the board's order.
        leavers: running pods that leave for one of the reasons to leave: neither gangs nor spread
            count them.
    """
    return tables_of(workings_of(fleet, templates, leavers))


def tables_of(work: Workings) -> Tables:
    """The columns of what was worked out already."""
    fleet, templates, vehicles = work.fleet, work.templates, work.vehicles
    money = Money(vehicles, fleet.snapshot.at)
    per_point = float(fleet.snapshot.policy.preference_cost_per_point)
    columns = []
    for template in templates:
        points = work.matching.points(template.sample)
        unmet = np.multiply(per_point, points, dtype=np.float64)
        columns.append(_column(work.asking, money, vehicles, template, unmet))
    taken = np.zeros(len(vehicles.candidate), np.int64)
    for column in columns:
        taken[column.rows] += 1
    rows = np.flatnonzero(taken).astype(np.int32)
    return Tables(
        resources=work.resources,
        wanted=_wanted(templates, work.resources, work.running),
        offered=_offered(vehicles, rows, work.asking),
        pairs=_pairs(columns, taken, rows),
        rooms=rooms_of(fleet, vehicles, rows),
        spreads=_of_rows(work.spreads, rows),
        at=fleet.snapshot.at,
        site=vehicles.site[rows],
        sites=vehicles.sites,
    )


def workings_of(
    fleet: Fleet, templates: Sequence[Template], leavers: Iterable[Leaving] = ()
) -> Workings:
    """What does not depend on what is placed."""
    snapshot, pods = fleet.snapshot, [template.sample for template in templates]
    resources = resources_of(pods)
    takers = tuple(candidate for candidate in fleet.candidates if candidate.refusal is None)
    matching = Matching(takers, pods)
    images = frozenset(image for pod in pods if pod.demand.image_size_bytes for image in pod.images)
    vehicles = vehicles_of(fleet, resources, images)
    running = Running.of(fleet, leavers)
    return Workings(
        fleet=fleet,
        templates=tuple(templates),
        resources=resources,
        takers=takers,
        vehicles=vehicles,
        matching=matching,
        asking=Asking(vehicles, matching, resources, snapshot.policy, snapshot.at),
        running=running,
        spreads=spreads_of(fleet, templates, running, takers, matching),
    )


def resources_of(pods: Iterable[Pod]) -> tuple[str, ...]:
    """The resources of which some pod requests anything, in order."""
    return tuple(sorted({n for pod in pods for n, amount in pod.requests.items() if amount > 0}))


@dataclass(frozen=True, slots=True)
class _Column:
    """The pairs of one template: `rows` of the vehicles, the rest as in `Pairs`."""

    rows: Indices
    power: Indices
    until: Indices
    most: Indices
    cost: SmallFloats
    stay_cost: SmallFloats


def _column(
    asking: Asking, money: Money, vehicles: Vehicles, template: Template, unmet: Floats
) -> _Column:
    answer = asking.answer(template.sample)
    most = most_there(vehicles, answer, len(template.pods))
    rows = np.flatnonzero(most)
    # An empty stay draws nothing.
    stays = answer.until > vehicles.start
    power, ac = (
        (answer.power, answer.ac) if stays.all() else (answer.power * stays, answer.ac * stays)
    )
    cost, stay_cost = money.of(power, ac, answer.until)
    if template.sample.preferred_affinity or unmet.any():
        cost = cost + unmet[: len(cost)]
    return _Column(
        rows=rows.astype(np.int32),
        power=power[rows].astype(np.int32),
        until=answer.until[rows].astype(np.int32),
        most=most[rows].astype(np.int32),
        cost=rounded_down(cost[rows]),
        stay_cost=rounded_down(stay_cost[rows]),
    )


def most_there(vehicles: Vehicles, answer: Answer, count: int) -> Ints:
    """int64 for every vehicle: how many of a template fit were nothing else placed.

    An empty stay draws nothing.
    """
    length = answer.until - vehicles.start
    stays = length > 0
    fit = np.minimum(answer.fit, count)
    fit = _fitting(vehicles.power, answer.power, fit, stays)
    rows = vehicles.on_battery
    if len(rows):
        alone = np.maximum(answer.until[rows] - vehicles.lone_from[rows], 0)
        standby = vehicles.lone_power[rows] * (alone * stays[rows])
        taken = answer.power[rows] * np.maximum(length[rows], 0)
        every = np.ones(len(rows), np.bool_)
        there = _fitting(vehicles.energy[rows] - standby, taken, fit[rows], every)
        fit[rows] = _fitting(vehicles.reserve[rows] - standby, taken, there, every)
    fit[(answer.code > 0) | vehicles.spared] = 0
    return fit


def _fitting(left: Ints, each: Ints, fit: Ints, needed: Flags) -> Ints:
    """How many of `each` what is left holds, no more than `fit`; none where it is overdrawn.

    Both are far below 2^53, so that their quotient in floating point is as good as whole.
    """
    many = np.minimum(left / np.maximum(each, 1), fit).astype(np.int64)
    many[left < 0] = 0
    free = (each == 0) & (left >= 0)
    return np.where(needed & ~free, many, fit)


def _wanted(templates: Sequence[Template], resources: Sequence[str], running: Running) -> Wanted:
    gang, needs = gangs_of(templates, running)
    requests = [[t.sample.requests.get(name, 0) for name in resources] for t in templates]
    return Wanted(
        count=np.array([len(template.pods) for template in templates], np.int64),
        weight=np.array([template.weight for template in templates], np.int64),
        priority=np.array([template.priority for template in templates], np.int64),
        request=np.array(requests, np.int64).reshape(len(templates), len(resources)),
        gang=gang,
        gang_needs=needs,
    )


def _offered(vehicles: Vehicles, rows: Indices, asking: Asking) -> Offered:
    return Offered(
        candidate=vehicles.candidate[rows],
        free=asking.free[rows],
        power=np.maximum(vehicles.power[rows], 0),
        energy=np.maximum(vehicles.energy[rows], 0),
        start=vehicles.start[rows],
        departure=vehicles.departure[rows],
        opening=vehicles.opening[rows],
        fallible=vehicles.fallible[rows],
        base=vehicles.base[rows],
        standby=vehicles.standby[rows],
        cap=vehicles.cap[rows],
        charging=vehicles.charging[rows],
        efficiency_percent=vehicles.efficiency_percent[rows],
        lone_from=vehicles.lone_from[rows],
        lone_power=vehicles.lone_power[rows],
    )


def _pairs(columns: Sequence[_Column], taken: Ints, rows: Indices) -> Pairs:
    """The columns laid out by vehicle: each template's pairs go where their vehicle's are next."""
    first = np.concatenate([np.zeros(1, np.int64), np.cumsum(taken[rows])])
    following = np.zeros(len(taken), np.int64)
    following[rows] = first[:-1]
    number = int(first[-1])
    template, power, until, most = (np.empty(number, np.int32) for _ in range(4))
    cost, stay_cost = np.empty(number, np.float32), np.empty(number, np.float32)
    for index, column in enumerate(columns):
        where = following[column.rows]
        following[column.rows] += 1
        template[where] = index
        power[where] = column.power
        until[where] = column.until
        most[where] = column.most
        cost[where] = column.cost
        stay_cost[where] = column.stay_cost
    return Pairs(first, template, power, until, most, cost, stay_cost)


def _of_rows(spreads: Spreads, rows: Indices) -> Spreads:
    """The same for some of the vehicles."""
    return Spreads(
        subject=spreads.subject,
        counted=spreads.counted,
        domain=spreads.domain[:, rows],
        first=spreads.first,
        running=spreads.running,
        skew=spreads.skew,
        floor_is_zero=spreads.floor_is_zero,
    )
