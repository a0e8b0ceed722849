"""No plan beats the bounds that prices prove: on small random tables every plan is tried."""

from collections.abc import Iterator
from functools import cache
from itertools import product

import numpy as np
import pytest
from tests.benchmarks.random_tables import Size, random_tables

from idlewatt_scheduler.solvers.pricing.duals import Duals
from idlewatt_scheduler.solvers.pricing.goal import Goal
from idlewatt_scheduler.solvers.pricing.looks import Look
from idlewatt_scheduler.solvers.pricing.packing import Packed, pack
from idlewatt_scheduler.solvers.pricing.pricing import Depth, price, price_at_weight
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


@cache
def _reachable(seed: int) -> list[tuple[int, float]]:
    """The weight and the cost of every plan that is kept."""
    tables = _tables(seed)
    return [
        (int(_placed(tables, plan) @ tables.wanted.weight), _cost(tables, plan))
        for plan in _plans(tables)
        if _is_kept(tables, plan)
    ]


def _asked(seed: int) -> list[tuple[int, float]]:
    """The greatest weights, and the least that so much or more costs."""
    plans = _reachable(seed)
    return [
        (at_least, min(cost for weight, cost in plans if weight >= at_least))
        for at_least in sorted({weight for weight, _ in plans})[-3:]
    ]


def _any_prices(packed: Packed, seed: int, *, money: bool) -> Duals:
    """Prices that nobody looked for, of what does not bind, too; and patterns that may not fit."""
    rng = np.random.default_rng(seed)
    theta = float(rng.uniform(0.0, 0.5)) if money else 1.0
    unit = theta * float(np.median(packed.weight))
    pairs, limits = len(packed.template), packed.free.shape[1] + 2
    pod = theta * packed.weight * rng.uniform(-0.2, 1.2, packed.templates)
    weight = rng.uniform(0.1, 1.0, (packed.vehicles, limits))
    return Duals(
        money=money,
        pod=pod,
        place=np.maximum(theta * packed.weight - pod, 0.0),
        room=unit * rng.uniform(0.0, 3.0, len(packed.room_limit)) / 1e6,
        spread=unit * rng.uniform(0.0, 0.5, len(packed.domain_limit)),
        theta=theta,
        weight=0,
        best=np.zeros(packed.vehicles),
        bound=0.0,
        trivial=0.0,
        look=Look(
            weight / weight.sum(axis=1, keepdims=True),
            rng.integers(0, 3, pairs).astype(np.int32),
            np.zeros(packed.vehicles),
        ),
    )


@pytest.mark.parametrize("seed", SEEDS)
def test_no_plan_beats_the_bounds(seed: int) -> None:
    """Neither in weight, nor in cost at the greatest weight or at a lesser one."""
    packed = pack(_tables(seed))
    depth = Depth(sample_rounds=12, nodes=1 + 50 * (seed % 4))
    assert price(packed, Goal(), depth).bound >= max(weight for weight, _ in _reachable(seed))
    for at_least, least in _asked(seed):
        assert price(packed, Goal(at_least=at_least), depth).bound <= least + 1e-9


@pytest.mark.parametrize("rounds", [0, 3])
@pytest.mark.parametrize("seed", SEEDS)
def test_no_plan_beats_the_bounds_that_any_prices_prove(seed: int, rounds: int) -> None:
    """Wherever they begin, as with prices of a plan that has little to do with this one."""
    packed = pack(_tables(seed))
    depth = Depth(again_rounds=rounds, nodes=1 + 50 * (seed % 4))
    weights = _any_prices(packed, seed, money=False)
    most = max(weight for weight, _ in _reachable(seed))
    assert price(packed, Goal(), depth, previous=weights).bound >= most
    moneys = _any_prices(packed, seed, money=True)
    for at_least, least in _asked(seed):
        found = price(packed, Goal(at_least=at_least), depth, previous=moneys)
        assert found.bound <= least + 1e-9


@pytest.mark.parametrize("seed", SEEDS)
def test_no_plan_beats_the_bound_of_less_than_everything(seed: int) -> None:
    """Whether its prices are those of the pods that are placed, or any."""
    packed = pack(_tables(seed))
    depth = Depth(sample_rounds=12, nodes=1 + 50 * (seed % 4))
    for at_least, least in _asked(seed):
        fewer = packed._replace(pods=np.minimum(packed.pods, 1.0 + seed % 2))
        everything = Goal(at_least=int(fewer.pods @ fewer.weight))
        for duals in (price(fewer, everything, depth), _any_prices(packed, seed, money=True)):
            assert price_at_weight(packed, at_least, duals, depth).bound <= least + 1e-9
