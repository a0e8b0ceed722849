"""Patterns as columns of the master problem: what each earns and takes of what is shared.

The rows of the master problem are the templates' demand, T of them; then the rooms, C; then the
domains, D; and last the weight that is to be placed.
"""

from collections.abc import Iterator
from typing import NamedTuple, TypeAlias

import numpy as np

from idlewatt_scheduler.solvers.pricing.goal import Rows
from idlewatt_scheduler.solvers.pricing.packing import Packed
from idlewatt_scheduler.tables.layout import Floats, Indices, Ints


class Column(NamedTuple):
    """One pattern: whose, what it earns were everything free, and what it takes of which rows.

    Attributes:
        value: in weight as the rows count it, or in money (negative).
        rows, taken: of as many rows as it touches, each once.
    """

    vehicle: int
    value: float
    rows: list[int]
    taken: list[float]


class Patterns(NamedTuple):
    """Some patterns: the pods of pattern p are at `first[p]` to `first[p + 1]`; none is empty.

    Attributes:
        first: int64[P + 1].
        pair, number: int64[], ascending by pair within a pattern.
    """

    first: Ints
    pair: Ints
    number: Ints


Trail: TypeAlias = list[tuple[Ints, Ints]]
"""What was held at some time or other: pairs, and how many pods of each."""


def patterns_in(held: Indices) -> tuple[Ints, Ints]:
    """The pairs that hold anything, and how much."""
    pair = np.flatnonzero(held)
    return pair, held[pair].astype(np.int64)


def patterns_of(packed: Packed, trail: Trail) -> Patterns:
    """The pattern of each vehicle at each time, once."""
    pair = np.concatenate([each for each, _ in trail])
    number = np.concatenate([each for _, each in trail])
    time = np.repeat(np.arange(len(trail)), [len(each) for each, _ in trail])
    vehicle = np.searchsorted(packed.first, pair, side="right") - 1
    new = np.flatnonzero(np.diff(vehicle * len(trail) + time, prepend=-1) != 0)
    if not len(pair):
        return Patterns(np.zeros(1, np.int64), pair, number)
    mixed = (pair.astype(np.uint64) * _NUMBERS + number.astype(np.uint64)) * _MIX
    mixed ^= mixed >> np.uint64(29)
    key = np.add.reduceat(mixed * _MIX, new)
    _, kept = np.unique(key, return_index=True)
    kept = kept[np.argsort(vehicle[new[kept]], kind="stable")]
    ends = np.append(new, len(pair))
    lengths = np.diff(ends)[kept]
    first = np.concatenate([[0], np.cumsum(lengths)])
    at = np.repeat(new[kept] - first[:-1], lengths) + np.arange(int(first[-1]))
    return Patterns(first, pair[at], number[at])


_MIX = np.uint64(0x9E3779B97F4A7C15)
_NUMBERS = np.uint64(2**20)
"""More than there are pods of a kind on a vehicle."""


def columns_of(packed: Packed, rows: Rows, patterns: Patterns) -> Iterator[Column]:
    """A column for each pattern; rows without a limit are left out.

    Args:
        packed: the fleet or a sample of it.
        rows: of its master problem.
        patterns: of any of its vehicles.
    """
    if len(patterns.first) == 1:
        return
    pair, number, first = patterns.pair, patterns.number.astype(np.float64), patterns.first[:-1]
    which = np.repeat(np.arange(len(first)), np.diff(patterns.first))
    vehicle = np.searchsorted(packed.first, pair, side="right") - 1
    whose = vehicle[first]
    value = _values(packed, rows, pair, number, first) - (
        packed.opening[whose] if rows.scale == 0 else 0.0
    )
    weights = np.add.reduceat(packed.weight[packed.template[pair]] * number, first)
    parts = [
        (which, packed.template[pair], number),
        _in_rooms(packed, pair, number, vehicle, which),
        _in_domains(packed, pair, number, vehicle, which),
        (np.arange(len(first)), np.full(len(first), len(rows.limit) - 1), -weights),
    ]
    column, row, taken = (np.concatenate(each) for each in zip(*parts, strict=True))
    kept = np.isfinite(rows.limit[row])
    order = np.lexsort((row[kept], column[kept]))
    column, row, taken = column[kept][order], row[kept][order], taken[kept][order]
    new = np.flatnonzero(np.diff(column * len(rows.limit) + row, prepend=-1))
    taken = np.add.reduceat(taken, new) if len(new) else taken
    ends = np.searchsorted(column[new], np.arange(len(first)), side="right")
    row, taken = row[new].tolist(), taken.tolist()
    begin = 0
    for each, worth, end in zip(whose.tolist(), value.tolist(), ends.tolist(), strict=True):
        yield Column(each, worth, row[begin:end], taken[begin:end])
        begin = end


def _values(packed: Packed, rows: Rows, pair: Ints, number: Floats, first: Ints) -> Floats:
    """What each vehicle's pods earn; opening left aside."""
    if rows.scale > 0:
        worth = packed.weight[packed.template[pair]] * number * rows.scale
        return np.asarray(np.add.reduceat(worth, first), np.float64)
    stay = np.maximum.reduceat(packed.stay_cost[pair].astype(np.float64), first)
    cost = np.add.reduceat(packed.cost[pair].astype(np.float64) * number, first)
    return np.asarray(-stay - cost, np.float64)


def _in_rooms(
    packed: Packed, pair: Ints, number: Floats, vehicle: Ints, which: Ints
) -> tuple[Ints, Ints, Floats]:
    """What pods take of the rooms of their vehicles, standby once for each room."""
    lengths = packed.load_first[vehicle + 1] - packed.load_first[vehicle]
    ends = np.cumsum(lengths)
    within = np.arange(int(ends[-1]) if len(ends) else 0) - np.repeat(ends - lengths, lengths)
    load = np.repeat(packed.load_first[vehicle], lengths) + within
    on = packed.load_instant[load] < np.repeat(packed.until[pair], lengths)
    load, power = load[on], np.repeat(packed.power[pair] * number, lengths)[on]
    whose, column = np.repeat(vehicle, lengths)[on], np.repeat(which, lengths)[on]
    _, at = np.unique(column * len(packed.load_room) + load, return_index=True)
    powers = np.concatenate([power, packed.standby[whose[at]]])
    load, column = np.concatenate([load, load[at]]), np.concatenate([column, column[at]])
    return column, len(packed.pods) + packed.load_room[load], powers * packed.load_rate[load]


def _in_domains(
    packed: Packed, pair: Ints, number: Floats, vehicle: Ints, which: Ints
) -> tuple[Ints, Ints, Floats]:
    """In which domains pods are counted."""
    template = packed.template[pair]
    lengths = packed.group_first[template + 1] - packed.group_first[template]
    ends = np.cumsum(lengths)
    within = np.arange(int(ends[-1]) if len(ends) else 0) - np.repeat(ends - lengths, lengths)
    group = packed.group[np.repeat(packed.group_first[template], lengths) + within]
    whose, counted = np.repeat(vehicle, lengths), np.repeat(number, lengths)
    domain = packed.domain[group, whose]
    there = domain >= 0
    row = len(packed.pods) + len(packed.room_limit) + domain[there]
    return np.repeat(which, lengths)[there], row.astype(np.int64), counted[there]
