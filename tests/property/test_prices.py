"""No plan beats the bounds that prices prove: on small random tables every plan is tried."""

from collections.abc import Iterator
from itertools import product

import numpy as np
import pytest
from tests.benchmarks.random_tables import Size, random_tables

from idlewatt_scheduler.solvers.pricing.goal import Goal
from idlewatt_scheduler.solvers.pricing.packing import pack
from idlewatt_scheduler.solvers.pricing.pricing import Depth, price
from idlewatt_scheduler.tables.layout import Tables

SEEDS = range(30)


def _fits(tables: Tables, vehicle: int, pairs: list[int], counts: tuple[int, ...]) -> bool:
    """Whether a vehicle takes so many of its pairs, rooms and spreads aside."""
    offered, columns = tables.offered, tables.pairs
    taken = [(pair, count) for pair, count in zip(pairs, counts, strict=True) if count]
    request = sum(
        (tables.wanted.request[columns.template[pair]] * count for pair, count in taken),
        np.zeros(len(tables.resources), np.int64),
    )
    power = sum(int(columns.power[pair]) * count for pair, count in taken)
    start = int(offered.start[vehicle])
    energy = sum(
        int(columns.power[pair]) * (int(columns.until[pair]) - start) * count
        for pair, count in taken
    )
    last = max((int(columns.until[pair]) for pair, _ in taken), default=0)
    standby = max(last - int(offered.lone_from[vehicle]), 0) * int(offered.lone_power[vehicle])
    return bool(
        (request <= offered.free[vehicle]).all()
        and power <= offered.power[vehicle]
        and (not taken or energy + standby <= offered.energy[vehicle])
    )


def _patterns(tables: Tables, vehicle: int) -> list[tuple[tuple[int, int], ...]]:
    """Every pattern of a vehicle as pairs with counts, the empty one too."""
    begin, end = int(tables.pairs.first[vehicle]), int(tables.pairs.first[vehicle + 1])
    pairs = list(range(begin, end))
    numbers = [range(int(tables.pairs.most[pair]) + 1) for pair in pairs]
    return [
        tuple((pair, count) for pair, count in zip(pairs, counts, strict=True) if count)
        for counts in product(*numbers)
        if _fits(tables, vehicle, pairs, counts)
    ]


def _draw(tables: Tables, vehicle: int, computing: int) -> int:
    offered = tables.offered
    ac = 100 * computing // int(offered.efficiency_percent[vehicle])
    return min(int(offered.cap[vehicle]), int(offered.charging[vehicle]) + ac)


def _plans(tables: Tables) -> Iterator[tuple[tuple[tuple[int, int], ...], ...]]:
    yield from product(*(_patterns(tables, vehicle) for vehicle in range(tables.vehicles)))


def _is_kept(tables: Tables, plan: tuple[tuple[tuple[int, int], ...], ...]) -> bool:
    """Whether demand, rooms at their instants, spreads and gangs allow it."""
    placed = _placed(tables, plan)
    return bool(
        (placed <= tables.wanted.count).all()
        and _rooms_hold(tables, plan)
        and _spreads_hold(tables, plan)
        and _gangs_hold(tables, placed)
    )


def _placed(tables: Tables, plan: tuple[tuple[tuple[int, int], ...], ...]) -> np.ndarray:
    placed = np.zeros(tables.templates, np.int64)
    for pattern in plan:
        for pair, count in pattern:
            placed[tables.pairs.template[pair]] += count
    return placed


def _rooms_hold(tables: Tables, plan: tuple[tuple[tuple[int, int], ...], ...]) -> bool:
    rooms, offered = tables.rooms, tables.offered
    used = np.zeros(len(rooms.left), np.int64)
    for vehicle, pattern in enumerate(plan):
        base = int(offered.base[vehicle])
        for load in range(int(rooms.first[vehicle]), int(rooms.first[vehicle + 1])):
            room = int(rooms.room[load])
            instant = int(rooms.instant[room])
            power = sum(
                int(tables.pairs.power[pair]) * count
                for pair, count in pattern
                if int(offered.start[vehicle]) <= instant < int(tables.pairs.until[pair])
            )
            if power:
                after = _draw(tables, vehicle, base + int(offered.standby[vehicle]) + power)
                used[room] += int(rooms.parts[load]) * (after - _draw(tables, vehicle, base))
    return bool((used <= rooms.left).all())


def _spreads_hold(tables: Tables, plan: tuple[tuple[tuple[int, int], ...], ...]) -> bool:
    spreads = tables.spreads
    for group in range(len(spreads.skew)):
        begin, end = int(spreads.first[group]), int(spreads.first[group + 1])
        counts = spreads.running[begin:end].copy()
        bound = set()
        for vehicle, pattern in enumerate(plan):
            where = int(spreads.domain[group, vehicle])
            for pair, count in pattern:
                template = int(tables.pairs.template[pair])
                if spreads.counted[group, template] and where >= 0:
                    counts[where - begin] += count
                if spreads.subject[group, template]:
                    bound.add(where)
        least = 0 if spreads.floor_is_zero[group] else int(counts.min())
        if any(w < 0 or int(counts[w - begin]) - least > spreads.skew[group] for w in bound):
            return False
    return True


def _gangs_hold(tables: Tables, placed: np.ndarray) -> bool:
    wanted = tables.wanted
    for gang, needs in enumerate(wanted.gang_needs):
        number = int(placed[wanted.gang == gang].sum())
        if 0 < number < needs:
            return False
    return True


def _cost(tables: Tables, plan: tuple[tuple[tuple[int, int], ...], ...]) -> float:
    cost = 0.0
    for vehicle, pattern in enumerate(plan):
        if pattern:
            cost += float(tables.offered.opening[vehicle])
            cost += max(float(tables.pairs.stay_cost[pair]) for pair, _ in pattern)
            cost += sum(float(tables.pairs.cost[pair]) * count for pair, count in pattern)
    return cost


def _tables(seed: int) -> Tables:
    size = Size(
        vehicles=3,
        pods=6,
        templates=4,
        vehicles_per_site=2,
        gangs=0.4,
        spread=0.5,
        supply=("ample", "tight", "scarce")[seed % 3],
    )
    return random_tables(seed, size)


@pytest.mark.parametrize("seed", SEEDS)
def test_no_plan_beats_the_bounds(seed: int) -> None:
    """Neither in weight, nor in cost at the greatest weight or at a lesser one."""
    tables = _tables(seed)
    plans = [
        (int(_placed(tables, plan) @ tables.wanted.weight), _cost(tables, plan))
        for plan in _plans(tables)
        if _is_kept(tables, plan)
    ]
    most = max(weight for weight, _ in plans)
    depth = Depth(sample_rounds=12, nodes=1 + 50 * (seed % 4))
    assert price(pack(tables), Goal(), depth).bound >= most
    for at_least in sorted({weight for weight, _ in plans})[-3:]:
        least = min(cost for weight, cost in plans if weight >= at_least)
        assert price(pack(tables), Goal(at_least=at_least), depth).bound <= least + 1e-9
