"""Filling one vehicle anew: the pattern that earns most at given prices of what is left."""

from typing import NamedTuple

import numpy as np

from idlewatt_scheduler.solvers.pricing.compiling import compiled, compiled_part
from idlewatt_scheduler.solvers.pricing.glance import Paper, glance, paper
from idlewatt_scheduler.solvers.pricing.packing import Packed
from idlewatt_scheduler.solvers.pricing.search import Asking, Offering
from idlewatt_scheduler.solvers.pricing.sweep import Prices, earn
from idlewatt_scheduler.solvers.scale.facts import Facts
from idlewatt_scheduler.solvers.scale.kernels import fits, power_in_rooms, put, whole
from idlewatt_scheduler.solvers.scale.state import Live
from idlewatt_scheduler.tables.layout import PLENTY, Floats, Indices, Ints


class Work(NamedTuple):
    """Memory for looking at one vehicle after another; `widest` is the most pairs of any.

    Attributes:
        gain, stay: float64[widest].
        most, out, kept: int32[widest].
        weight: float64[V, L], how each vehicle's limits are weighed into one.
        sheet: what a look at one vehicle is written on.
    """

    gain: Floats
    stay: Floats
    most: Indices
    out: Indices
    kept: Indices
    weight: Floats
    sheet: Paper


class Guide(NamedTuple):
    """By what a vehicle is filled.

    Attributes:
        prices: what pods earn where.
        quota: int64[D], so many pods may be counted in each domain while spread is not yet even.
        hold: a vehicle keeps what it has unless something else earns it more by this.
    """

    packed: Packed
    prices: Prices
    quota: Ints
    work: Work
    hold: float


def guide_for(
    packed: Packed, prices: Prices, quota: Ints, weight: Floats, hold: float = 1e-9
) -> Guide:
    """A guide, and memory for the vehicles of these tables."""
    widest = max(packed.widest, 1)
    work = Work(
        np.zeros(widest),
        np.zeros(widest),
        np.zeros(widest, np.int32),
        np.zeros(widest, np.int32),
        np.zeros(widest, np.int32),
        weight,
        paper(widest, packed.free.shape[1]),
    )
    return Guide(packed, prices, quota, work, hold)


@compiled_part
def clear(facts: Facts, live: Live, vehicle: int) -> None:
    """Take every new pod off a vehicle."""
    for pair in range(facts.first[vehicle], facts.first[vehicle + 1]):
        if live.held[pair] > 0:
            put(facts, live, pair, -whole(live.held[pair]))


@compiled_part
def quota_left(facts: Facts, live: Live, quota: Ints, template: int, vehicle: int) -> int:
    """So many more pods of a template may stand there by the quotas of its domains."""
    most = PLENTY
    for at in range(facts.group_first[template], facts.group_first[template + 1]):
        group = facts.groups[at]
        domain = facts.domain[group, vehicle]
        if domain < 0:
            if facts.subject[group, template]:
                return 0
        elif facts.counted[group, template]:
            most = min(most, quota[domain] - live.domain[domain])
    return max(most, 0)


@compiled_part
def choose(facts: Facts, live: Live, guide: Guide, vehicle: int, freely: int) -> float:
    """What an empty vehicle would best take of the pods that wait, into `out`; what it earns.

    Freely (not 0): of all pods that are wanted, whether they wait or not.
    """
    packed, prices, work = guide.packed, guide.prices, guide.work
    begin, end = facts.first[vehicle], facts.first[vehicle + 1]
    here = end - begin
    earn(vehicle, packed, prices, work.gain, work.stay)
    for index in range(here):
        template = facts.template[begin + index]
        most = whole(facts.most[begin + index])
        if freely == 0:
            most = min(most, live.left[template])
            if most > 0 and work.gain[index] > 0.0:
                most = min(most, quota_left(facts, live, guide.quota, template, vehicle))
        work.most[index] = most
        work.out[index] = 0
    return glance(
        Asking(
            work.gain[:here],
            work.stay[:here],
            work.most[:here],
            packed.power[begin:end],
            packed.until[begin:end],
            packed.template[begin:end],
        ),
        Offering(
            live.free[vehicle],
            min(live.power[vehicle], power_in_rooms(facts, live, vehicle, whole(PLENTY))),
            packed.energy_left[vehicle],
            packed.start[vehicle],
            packed.lone_from[vehicle],
            packed.lone_power[vehicle],
            prices.money * packed.opening[vehicle],
        ),
        packed.request,
        work.weight[vehicle],
        1,
        work.sheet,
        work.out[:here],
    )


@compiled_part
def repack(facts: Facts, live: Live, guide: Guide, vehicle: int) -> float:
    """Fill an empty vehicle with what earns most of the pods that wait; what it earns there."""
    value = choose(facts, live, guide, vehicle, whole(0))
    begin = facts.first[vehicle]
    for index in range(facts.first[vehicle + 1] - begin):
        if guide.work.out[index] > 0:
            put(facts, live, begin + index, whole(guide.work.out[index]))
    return value


@compiled_part
def _worth(facts: Facts, guide: Guide, vehicle: int) -> float:
    """What the pattern in `kept` earns there, once `choose` has said what pods earn."""
    work, begin = guide.work, facts.first[vehicle]
    earned, once, some = 0.0, 0.0, False
    for index in range(facts.first[vehicle + 1] - begin):
        if work.kept[index] > 0:
            earned += work.kept[index] * work.gain[index]
            once = max(once, work.stay[index])
            some = True
    return earned - once - guide.prices.money * guide.packed.opening[vehicle] if some else 0.0


@compiled
def repack_all(facts: Facts, live: Live, guide: Guide, order: Indices) -> int:
    """Fill these vehicles anew one after another, where what waits earns more; how many."""
    filled = 0
    kept, out = guide.work.kept, guide.work.out
    for each in order:
        vehicle = whole(each)
        begin = whole(facts.first[vehicle])
        here = whole(facts.first[vehicle + 1]) - begin
        kept[:here] = live.held[begin : begin + here]
        clear(facts, live, vehicle)
        value = choose(facts, live, guide, vehicle, whole(0))
        better = value > _worth(facts, guide, vehicle) + guide.hold
        filled += better
        for index in range(here):
            number = whole(out[index] if better else kept[index])
            if number > 0:
                put(facts, live, begin + index, number)
    return filled


@compiled_part
def marginal(facts: Facts, live: Live, pair: int) -> float:
    """What one more pod there adds to the cost."""
    vehicle = facts.vehicle[pair]
    longer = float(facts.stay_cost[pair]) - float(live.stay_cost[vehicle])
    cost = float(facts.cost[pair]) + max(longer, 0.0)
    if live.pods[vehicle] == 0:
        cost += float(facts.opening[vehicle])
    return cost


@compiled
def lay(facts: Facts, live: Live, held: Indices) -> None:
    """Place so many pods of each pair, as far as they fit, spread left aside."""
    for pair in range(len(held)):
        if held[pair] > 0:
            number = min(whole(held[pair]), fits(facts, live, whole(pair)))
            if number > 0:
                put(facts, live, whole(pair), number)
