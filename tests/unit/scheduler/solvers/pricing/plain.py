"""What patterns earn and take at given prices, in plain Python from the columns' own words."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from tests.benchmarks.random_tables import Size, Supply, random_tables
from tests.unit.scheduler.solvers.scale.plain import alone_faults

from idlewatt_scheduler.solvers.pricing.goal import Goal, Rows, prices_at, rows_for
from idlewatt_scheduler.solvers.pricing.packing import Packed, pack
from idlewatt_scheduler.solvers.pricing.sweep import Prices
from idlewatt_scheduler.tables.layout import Floats, Indices, Tables

Pattern = Mapping[int, int]
"""So many pods by pair."""


class Scene(NamedTuple):
    """A fleet and prices of all that its vehicles share."""

    tables: Tables
    packed: Packed
    rows: Rows
    price: Floats


def a_scene(seed: int, *, money: bool, supply: Supply = "scarce", vehicles: int = 40) -> Scene:
    """Random tables, and random prices at which some pods earn something and some do not."""
    size = Size(vehicles, 4 * vehicles, 14, 10, binding=0.8, spread=0.4, supply=supply)
    tables = random_tables(seed, size)
    packed = pack(tables)
    total = int(packed.pods @ packed.weight)
    goal = Goal(total // 2) if money else Goal()
    rows = rows_for(packed, goal)
    return Scene(tables, packed, rows, some_prices(seed, packed, rows))


def some_prices(seed: int, packed: Packed, rows: Rows) -> Floats:
    """Random prices of what is limited; what is not has none."""
    rng = np.random.default_rng(seed)
    theta = 0.0 if rows.scale > 0 else float(rng.uniform(0.1, 1.0))
    worth = packed.weight * (rows.scale if rows.scale > 0 else theta)
    unit = float(np.median(worth))
    pods = worth * rng.uniform(0.0, 1.1, len(worth))
    rooms = unit * rng.uniform(0.0, 3.0, len(packed.room_limit)) / 1e6
    domains = unit * rng.uniform(0.0, 0.5, len(packed.domain_limit))
    price = np.concatenate([pods, rooms, domains, [theta]])
    return np.where(np.isfinite(rows.limit), price, 0.0)


def patterns_held(packed: Packed, held: Indices) -> list[Pattern]:
    """The pattern of each vehicle."""
    return [
        {pair: int(held[pair]) for pair in range(int(first), int(last)) if held[pair]}
        for first, last in zip(packed.first[:-1], packed.first[1:], strict=True)
    ]


def pattern_faults(tables: Tables, vehicle: int, pattern: Pattern) -> list[str]:
    """What is wrong with a pattern, were its vehicle alone."""
    pairs = tables.pairs
    pods = {int(pairs.template[pair]): number for pair, number in pattern.items()}
    wrong = [*alone_faults(tables, vehicle, pods)]
    return wrong + [f"{n} of pair {pair}" for pair, n in pattern.items() if n > pairs.most[pair]]


def taken_by(packed: Packed, vehicle: int, pattern: Pattern) -> Floats:
    """float64[T + C + D + 1], what a pattern takes of each row."""
    templates, rooms = len(packed.pods), len(packed.room_limit)
    taken = np.zeros(templates + rooms + len(packed.domain_limit) + 1)
    for pair, number in pattern.items():
        template = int(packed.template[pair])
        taken[template] += number
        taken[-1] -= number * packed.weight[template]
        for at in range(int(packed.group_first[template]), int(packed.group_first[template + 1])):
            domain = int(packed.domain[packed.group[at], vehicle])
            if domain >= 0:
                taken[templates + rooms + domain] += number
    for load in range(int(packed.load_first[vehicle]), int(packed.load_first[vehicle + 1])):
        there = {
            pair: number
            for pair, number in pattern.items()
            if packed.load_instant[load] < packed.until[pair]
        }
        power = sum(number * int(packed.power[pair]) for pair, number in there.items())
        if there:
            drawn = packed.load_rate[load] * (power + packed.standby[vehicle])
            taken[templates + int(packed.load_room[load])] += drawn
    return taken


def worth_of(packed: Packed, rows: Rows, vehicle: int, pattern: Pattern) -> float:
    """What a pattern earns were everything free: its weight as rows count it, or what it costs."""
    if not pattern:
        return 0.0
    if rows.scale > 0:
        weights = (n * packed.weight[packed.template[pair]] for pair, n in pattern.items())
        return float(sum(weights)) * rows.scale
    once = float(packed.opening[vehicle]) + max(float(packed.stay_cost[pair]) for pair in pattern)
    return -once - sum(number * float(packed.cost[pair]) for pair, number in pattern.items())


def earned(scene: Scene, vehicle: int, pattern: Pattern) -> float:
    """What a pattern earns at the prices: what its pods do, without what is taken off once."""
    if not pattern:
        return 0.0
    packed, prices = scene.packed, prices_at(scene.packed, scene.rows, scene.price)
    gain = sum(number * _gain(packed, prices, vehicle, pair) for pair, number in pattern.items())
    stay = max(_stay(packed, prices, vehicle, pair) for pair in pattern)
    return gain - stay - prices.money * float(packed.opening[vehicle])


def _gain(packed: Packed, prices: Prices, vehicle: int, pair: int) -> float:
    template = int(packed.template[pair])
    gain = float(prices.pod[template]) - prices.money * float(packed.cost[pair])
    gain -= _room_price(packed, prices, vehicle, pair) * float(packed.power[pair])
    for at in range(int(packed.group_first[template]), int(packed.group_first[template + 1])):
        domain = int(packed.domain[packed.group[at], vehicle])
        gain = gain - float(prices.spread[domain]) if domain >= 0 else -np.inf
    return gain


def _stay(packed: Packed, prices: Prices, vehicle: int, pair: int) -> float:
    standby = _room_price(packed, prices, vehicle, pair) * float(packed.standby[vehicle])
    return prices.money * float(packed.stay_cost[pair]) + standby


def _room_price(packed: Packed, prices: Prices, vehicle: int, pair: int) -> float:
    """Of a milliwatt there, for as long as the pod stays."""
    return sum(
        float(prices.room[packed.load_room[load]] * packed.load_rate[load])
        for load in range(int(packed.load_first[vehicle]), int(packed.load_first[vehicle + 1]))
        if packed.load_instant[load] < packed.until[pair]
    )
