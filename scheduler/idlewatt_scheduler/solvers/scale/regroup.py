"""Taking a few vehicles apart and filling them anew: kept where the plan becomes better by it.

Better is more weight, or the same weight at less cost; never is one traded for the other. While an
auction runs, pods may wait for a while at a charge, until a vehicle takes them for whom that pays.
"""

from typing import NamedTuple

import numpy as np

from idlewatt_scheduler.solvers.pricing.compiling import compiled, compiled_part
from idlewatt_scheduler.solvers.scale.facts import Facts
from idlewatt_scheduler.solvers.scale.kernels import fits, holds, may_stand, put, whole
from idlewatt_scheduler.solvers.scale.repack import Guide, choose, clear, marginal, repack
from idlewatt_scheduler.solvers.scale.state import Live
from idlewatt_scheduler.tables.layout import Floats, Indices, Ints

LARGEST = 16
"""So many vehicles at most are taken apart at a time."""


class Bench(NamedTuple):
    """What a search works with besides the plan.

    Attributes:
        guide: what vehicles are filled by.
        charge: float64[T], what a waiting pod of each template is held to cost in an auction.
        group: int32[LARGEST], the vehicles that are taken apart.
        pair, number: int64[], what these held before.
        seed: int64[1], where the random numbers are.
    """

    guide: Guide
    charge: Floats
    group: Indices
    pair: Ints
    number: Ints
    seed: Ints


def bench_for(guide: Guide, seed: int) -> Bench:
    """A bench; its charges are the prices of pods."""
    width = LARGEST * max(guide.packed.widest, 1)
    return Bench(
        guide,
        guide.prices.pod.copy(),
        np.zeros(LARGEST, np.int32),
        np.zeros(width, np.int64),
        np.zeros(width, np.int64),
        np.array([(seed * 2_654_435_761 + 88_675_123) % 2**32 or 1], np.int64),
    )


@compiled_part
def draw(seed: Ints, most: int) -> int:
    """A random number below `most`: the same ones for the same seed, everywhere."""
    state = whole(seed[0])
    state ^= (state << 13) & 0xFFFFFFFF
    state ^= state >> 17
    state ^= (state << 5) & 0xFFFFFFFF
    seed[0] = state
    return (state * most) >> 32


@compiled_part
def standing(facts: Facts, live: Live, bench: Bench, size: int) -> tuple[int, float]:
    """The weight that the group holds, and what it costs."""
    weight, cost = 0, 0.0
    for index in range(size):
        vehicle = bench.group[index]
        for pair in range(facts.first[vehicle], facts.first[vehicle + 1]):
            if live.held[pair] > 0:
                weight += live.held[pair] * facts.weight[facts.template[pair]]
                cost += live.held[pair] * float(facts.cost[pair])
        if live.pods[vehicle] > 0:
            cost += facts.opening[vehicle] + live.stay_cost[vehicle]
    return weight, cost


@compiled_part
def save(facts: Facts, live: Live, bench: Bench, size: int) -> int:
    """Write down what the group holds; how many pairs that are."""
    kept = 0
    for index in range(size):
        vehicle = bench.group[index]
        for pair in range(facts.first[vehicle], facts.first[vehicle + 1]):
            if live.held[pair] > 0:
                bench.pair[kept] = pair
                bench.number[kept] = live.held[pair]
                kept += 1
    return kept


@compiled_part
def restore(facts: Facts, live: Live, bench: Bench, size: int, kept: int) -> None:
    """Let the group hold again what was written down."""
    for index in range(size):
        clear(facts, live, whole(bench.group[index]))
    for index in range(kept):
        put(facts, live, whole(bench.pair[index]), whole(bench.number[index]))


@compiled_part
def sound(facts: Facts, live: Live, bench: Bench, size: int, kept: int) -> bool:
    """Whether gangs and spread constraints still hold of what the group held, and holds now."""
    for index in range(kept):
        if not _sound(facts, live, whole(facts.template[bench.pair[index]])):
            return False
    for index in range(size):
        vehicle = bench.group[index]
        for pair in range(facts.first[vehicle], facts.first[vehicle + 1]):
            if live.held[pair] > 0 and not _sound(facts, live, whole(facts.template[pair])):
                return False
    return True


@compiled_part
def _sound(facts: Facts, live: Live, template: int) -> bool:
    gang = facts.gang[template]
    if gang >= 0 and 0 < live.gang[gang] < facts.gang_needs[gang]:
        return False
    for at in range(facts.group_first[template], facts.group_first[template + 1]):
        if not holds(facts, live, whole(facts.groups[at])):
            return False
    return True


@compiled_part
def pair_of(facts: Facts, vehicle: int, template: int) -> int:
    """The pair of a vehicle and a template, -1 if there is none."""
    low, high = whole(facts.first[vehicle]), whole(facts.first[vehicle + 1])
    while low < high:
        middle = (low + high) // 2
        if facts.template[middle] < template:
            low = middle + 1
        else:
            high = middle
    if low < facts.first[vehicle + 1] and facts.template[low] == template:
        return low
    return -1


@compiled_part
def insert_left(facts: Facts, live: Live, bench: Bench, size: int, kept: int) -> None:
    """Place what the group held and nobody took into the group, where that costs least."""
    for index in range(kept):
        template = whole(facts.template[bench.pair[index]])
        for _ in range(bench.number[index]):
            best, least = whole(-1), np.inf
            for which in range(size if live.left[template] > 0 else 0):
                vehicle = whole(bench.group[which])
                pair = pair_of(facts, vehicle, template)
                if pair < 0 or fits(facts, live, pair) <= 0:
                    continue
                cost = marginal(facts, live, pair)
                if cost < least and may_stand(facts, live, template, vehicle):
                    best, least = pair, cost
            if best < 0:
                break
            put(facts, live, best, whole(1))


@compiled_part
def regroup(facts: Facts, live: Live, bench: Bench, size: int) -> bool:
    """Fill the group anew, one vehicle after another; undone unless that is better."""
    before = standing(facts, live, bench, size)
    kept = save(facts, live, bench, size)
    for index in range(size):
        clear(facts, live, whole(bench.group[index]))
    for index in range(size):
        repack(facts, live, bench.guide, whole(bench.group[index]))
    insert_left(facts, live, bench, size, kept)
    after = standing(facts, live, bench, size)
    cheaper = after[0] == before[0] and after[1] < before[1] - 1e-9
    if (after[0] > before[0] or cheaper) and sound(facts, live, bench, size, kept):
        return True
    restore(facts, live, bench, size, kept)
    return False


@compiled_part
def holder(facts: Facts, live: Live, bench: Bench, template: int) -> int:
    """Some vehicle that holds a pod of the template, -1 if a look around finds none."""
    first = facts.template_first[template]
    number = whole(facts.template_first[template + 1] - first)
    if number <= 0:
        return -1
    begin = draw(bench.seed, number)
    for step in range(min(number, 4096)):
        pair = facts.by_template[first + (begin + step) % number]
        if live.held[pair] > 0:
            return whole(facts.vehicle[pair])
    return -1


@compiled_part
def join(bench: Bench, size: int, vehicle: int) -> int:
    """The group with one more vehicle, unless it is among them; how many there are."""
    if vehicle < 0 or size >= LARGEST:
        return size
    for index in range(size):
        if bench.group[index] == vehicle:
            return size
    bench.group[size] = vehicle
    return size + 1


@compiled_part
def gather(facts: Facts, live: Live, bench: Bench, vehicle: int, most: int) -> int:
    """A vehicle, and some that hold what it would rather have.

    Returns:
        How many there are; 0 if it holds already what it would like best.
    """
    bench.group[0] = vehicle
    kept = save(facts, live, bench, whole(1))
    clear(facts, live, vehicle)
    choose(facts, live, bench.guide, vehicle, whole(1))
    restore(facts, live, bench, whole(1), kept)
    size, content = 1, True
    begin = whole(facts.first[vehicle])
    for index in range(whole(facts.first[vehicle + 1]) - begin):
        template = whole(facts.template[begin + index])
        wanted = whole(bench.guide.work.out[index])
        content = content and wanted == live.held[begin + index]
        lacking = wanted - live.held[begin + index] - live.left[template]
        while lacking > 0 and size < most:
            size = join(bench, size, holder(facts, live, bench, template))
            lacking -= 1
    return 0 if content else size


@compiled
def improve(facts: Facts, live: Live, bench: Bench, order: Indices, most: int) -> int:
    """Regroup around each of these vehicles, at most so many at a time; how often that helped."""
    helped = 0
    for vehicle in order:
        size = gather(facts, live, bench, whole(vehicle), most)
        if size > 0 and regroup(facts, live, bench, size):
            helped += 1
    return helped
