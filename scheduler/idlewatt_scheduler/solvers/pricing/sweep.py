"""Kernels over many vehicles: what pods earn at given prices, and the best pattern of each."""

from typing import NamedTuple

import numpy as np
from numba import prange

from idlewatt_scheduler.solvers.pricing.compiling import compiled, compiled_in_parallel
from idlewatt_scheduler.solvers.pricing.packing import Packed
from idlewatt_scheduler.solvers.pricing.search import (
    Asking,
    Limits,
    Offering,
    Scratch,
    scratch,
    search,
)
from idlewatt_scheduler.tables.layout import Floats, Indices, Ints

KINDS = 24
"""A pattern is kept with at most so many different templates; the others are left off it."""

_CHUNK = 32


class Prices(NamedTuple):
    """The prices of `Duals`; `money` is 1 in phase 2, else 0."""

    pod: Floats
    room: Floats
    spread: Floats
    money: float


class Effort(NamedTuple):
    """How hard each vehicle is looked at.

    Attributes:
        floor: float64[M], by vehicle asked: what a pattern known already earns.
        tolerance: nothing that is better by less is looked for.
        nodes: so many patterns are looked at.
        widest: the most pairs a vehicle has.
    """

    floor: Floats
    tolerance: float
    nodes: int
    widest: int


class Found(NamedTuple):
    """What a sweep found, by vehicle asked.

    Attributes:
        value: float64[M], what the best pattern earns, the floor where none beats it.
        upper: float64[M], what no pattern exceeds.
        pair: int32[M, KINDS], its pairs, counted within the vehicle's; -1: no more.
        number: int32[M, KINDS], how many pods of each.
    """

    value: Floats
    upper: Floats
    pair: Indices
    number: Indices


class Desk(NamedTuple):
    """Room to look at one vehicle: what its pairs earn, what is taken of them."""

    gain: Floats
    stay: Floats
    out: Indices
    memory: Scratch


def nothing_found(asked: int) -> Found:
    """Room for what a sweep finds."""
    return Found(
        np.zeros(asked),
        np.zeros(asked),
        np.full((asked, KINDS), -1, np.int32),
        np.zeros((asked, KINDS), np.int32),
    )


@compiled
def earn(vehicle: int, packed: Packed, prices: Prices, gain: Floats, stay: Floats) -> None:
    """What a pod of each pair of a vehicle earns, and what is taken off once: `gain`, `stay`."""
    begin, end = packed.first[vehicle], packed.first[vehicle + 1]
    template, cost, stay_cost = packed.template, packed.cost, packed.stay_cost
    pod, money = prices.pod, prices.money
    for pair in range(begin, end):
        gain[pair - begin] = pod[template[pair]] - money * cost[pair]
        stay[pair - begin] = money * stay_cost[pair]
    _pay_rooms(vehicle, packed, prices.room, gain, stay)
    if len(packed.group):
        _pay_spreads(vehicle, packed, prices.spread, gain)


@compiled
def _pay_rooms(vehicle: int, packed: Packed, room: Floats, gain: Floats, stay: Floats) -> None:
    begin, end = packed.first[vehicle], packed.first[vehicle + 1]
    power, until, standby = packed.power, packed.until, packed.standby[vehicle]
    instant, rooms, rates = packed.load_instant, packed.load_room, packed.load_rate
    for load in range(packed.load_first[vehicle], packed.load_first[vehicle + 1]):
        rate = room[rooms[load]] * rates[load]
        if rate <= 0.0:
            continue
        for pair in range(begin, end):
            if instant[load] < until[pair]:
                gain[pair - begin] -= rate * power[pair]
                stay[pair - begin] += rate * standby


@compiled
def _pay_spreads(vehicle: int, packed: Packed, spread: Floats, gain: Floats) -> None:
    begin, end = packed.first[vehicle], packed.first[vehicle + 1]
    template, domain = packed.template, packed.domain
    group_first, group = packed.group_first, packed.group
    for pair in range(begin, end):
        row = template[pair]
        for at in range(group_first[row], group_first[row + 1]):
            where = domain[group[at], vehicle]
            gain[pair - begin] = gain[pair - begin] - spread[where] if where >= 0 else -np.inf


@compiled
def best_of(  # noqa: PLR0913, PLR0917 - what a kernel reads and writes
    vehicle: int, index: int, packed: Packed, prices: Prices, effort: Effort, desk: Desk
) -> tuple[float, float]:
    """The best pattern of one vehicle at these prices, into `desk.out`; see `search`."""
    begin, end = packed.first[vehicle], packed.first[vehicle + 1]
    here = end - begin
    earn(vehicle, packed, prices, desk.gain, desk.stay)
    desk.out[:here] = 0
    return search(
        Asking(
            desk.gain[:here],
            desk.stay[:here],
            packed.most[begin:end],
            packed.power[begin:end],
            packed.until[begin:end],
            packed.template[begin:end],
        ),
        Offering(
            packed.free[vehicle],
            packed.power_left[vehicle],
            packed.energy_left[vehicle],
            packed.start[vehicle],
            packed.lone_from[vehicle],
            packed.lone_power[vehicle],
            prices.money * packed.opening[vehicle],
        ),
        packed.request,
        Limits(effort.floor[index], effort.tolerance, effort.nodes),
        desk.memory,
        desk.out[:here],
    )


@compiled
def desk_for(packed: Packed, widest: int) -> Desk:
    """Room to look at one vehicle after the other."""
    return Desk(
        np.empty(widest),
        np.empty(widest),
        np.zeros(widest, np.int32),
        scratch(widest, packed.free.shape[1]),
    )


@compiled
def _sweep_chunk(  # noqa: PLR0913, PLR0917 - what a kernel reads and writes
    vehicles: Ints, chunk: int, packed: Packed, prices: Prices, effort: Effort, found: Found
) -> None:
    desk = desk_for(packed, effort.widest)
    for index in range(chunk * _CHUNK, min(len(vehicles), (chunk + 1) * _CHUNK)):
        vehicle = vehicles[index]
        value, upper = best_of(vehicle, index, packed, prices, effort, desk)
        found.value[index] = value
        found.upper[index] = upper
        kind = 0
        for pair in range(packed.first[vehicle + 1] - packed.first[vehicle]):
            if desk.out[pair] > 0 and kind < KINDS:
                found.pair[index, kind] = pair
                found.number[index, kind] = desk.out[pair]
                kind += 1
        if kind < KINDS:
            found.pair[index, kind] = -1


@compiled_in_parallel
def sweep(vehicles: Ints, packed: Packed, prices: Prices, effort: Effort, found: Found) -> None:
    """The best pattern of each of these vehicles at these prices, where it beats its floor."""
    for chunk in prange((len(vehicles) + _CHUNK - 1) // _CHUNK):
        _sweep_chunk(vehicles, chunk, packed, prices, effort, found)
