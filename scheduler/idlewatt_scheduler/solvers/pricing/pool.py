"""A pool of patterns as columns of the master problem: what each earns and takes of what is shared.

The rows of the master problem are the templates' demand, T of them; then the rooms, C; then the
domains, D; and last the weight that is to be placed.
"""

from typing import NamedTuple

import numpy as np

from idlewatt_scheduler.solvers.pricing.compiling import compiled
from idlewatt_scheduler.solvers.pricing.packing import Packed
from idlewatt_scheduler.solvers.pricing.sweep import KINDS, Found
from idlewatt_scheduler.tables.layout import Floats, Indices, Ints


class Pool(NamedTuple):
    """Columns by vehicle: those of vehicle v are `first[v]` to `first[v + 1]`.

    Attributes:
        value: float64[P], what the pattern earns were everything free: weight, or money (< 0).
        begin: int64[P + 1]; the entries of column p are at `begin[p]` to `begin[p + 1]`.
        row: int32[], coefficient: float64[], what it takes of each row.
        pods: int64[P + 1]; its pods are at `pods[p]` to `pods[p + 1]` of `pair`, the pair's index
            in `Pairs`, and `number`.
    """

    first: Ints
    value: Floats
    begin: Ints
    row: Indices
    coefficient: Floats
    pods: Ints
    pair: Ints
    number: Indices


def empty_pool(vehicles: int) -> Pool:
    """No columns."""
    return Pool(
        np.zeros(vehicles + 1, np.int64),
        np.zeros(0),
        np.zeros(1, np.int64),
        np.zeros(0, np.int32),
        np.zeros(0),
        np.zeros(1, np.int64),
        np.zeros(0, np.int64),
        np.zeros(0, np.int32),
    )


@compiled
def added(  # noqa: PLR0913, PLR0917 - what a kernel reads and writes
    pool: Pool, keep: Indices, vehicles: Ints, found: Found, packed: Packed, scale: float
) -> Pool:  # fmt: skip
    """The pool with the patterns found of these vehicles, and of its own those that are to be kept.

    Args:
        pool: of V vehicles.
        keep: int32[P], 0: the column is dropped.
        vehicles: int64[M], ascending; M may be less than V.
        found: what a sweep over them found.
        packed: the tables.
        scale: what a unit of weight counts (phase 1); 0: money counts (phase 2).
    """
    columns, entries, pods = _sizes(pool, keep, vehicles, found, packed)
    made = Pool(
        np.zeros(len(pool.first), np.int64),
        np.empty(columns),
        np.zeros(columns + 1, np.int64),
        np.empty(entries, np.int32),
        np.empty(entries),
        np.zeros(columns + 1, np.int64),
        np.empty(pods, np.int64),
        np.empty(pods, np.int32),
    )
    at, asked = 0, 0
    for vehicle in range(len(pool.first) - 1):
        for column in range(pool.first[vehicle], pool.first[vehicle + 1]):
            if keep[column]:
                _copy(pool, column, made, at)
                at += 1
        if asked < len(vehicles) and vehicles[asked] == vehicle:
            if found.pair[asked, 0] >= 0:
                _write(vehicle, asked, found, packed, scale, made, at)
                at += 1
            asked += 1
        made.first[vehicle + 1] = at
    return Pool(
        made.first,
        made.value,
        made.begin,
        made.row[: made.begin[columns]],
        made.coefficient[: made.begin[columns]],
        made.pods,
        made.pair,
        made.number,
    )


@compiled
def _sizes(
    pool: Pool, keep: Indices, vehicles: Ints, found: Found, packed: Packed
) -> tuple[int, int, int]:
    """How many columns there will be, entries at the most, and pairs."""
    columns, entries, pods = 0, 0, 0
    for column in range(len(keep)):
        if keep[column]:
            columns += 1
            entries += pool.begin[column + 1] - pool.begin[column]
            pods += pool.pods[column + 1] - pool.pods[column]
    group_first, load_first, template = packed.group_first, packed.load_first, packed.template
    for asked in range(len(vehicles)):
        if found.pair[asked, 0] < 0:
            continue
        vehicle = vehicles[asked]
        columns += 1
        entries += 1 + load_first[vehicle + 1] - load_first[vehicle]
        for kind in range(KINDS):
            if found.pair[asked, kind] < 0:
                break
            row = template[packed.first[vehicle] + found.pair[asked, kind]]
            entries += 1 + group_first[row + 1] - group_first[row]
            pods += 1
    return columns, entries, pods


@compiled
def _copy(pool: Pool, column: int, made: Pool, at: int) -> None:
    made.value[at] = pool.value[column]
    entry = made.begin[at]
    for old in range(pool.begin[column], pool.begin[column + 1]):
        made.row[entry] = pool.row[old]
        made.coefficient[entry] = pool.coefficient[old]
        entry += 1
    made.begin[at + 1] = entry
    pod = made.pods[at]
    for old in range(pool.pods[column], pool.pods[column + 1]):
        made.pair[pod] = pool.pair[old]
        made.number[pod] = pool.number[old]
        pod += 1
    made.pods[at + 1] = pod


@compiled
def _write(  # noqa: PLR0913, PLR0917 - what a kernel reads and writes
    vehicle: int, asked: int, found: Found, packed: Packed, scale: float, made: Pool, at: int
) -> None:
    """One new column: its pods and its value, then what it takes of the rows."""
    pod = made.pods[at]
    value, once, weight = 0.0, 0.0, 0.0
    for kind in range(KINDS):
        if found.pair[asked, kind] < 0:
            break
        pair = packed.first[vehicle] + found.pair[asked, kind]
        number = found.number[asked, kind]
        made.pair[pod] = pair
        made.number[pod] = number
        pod += 1
        weight += number * packed.weight[packed.template[pair]]
        value -= number * np.float64(packed.cost[pair])
        once = max(once, np.float64(packed.stay_cost[pair]))
    made.pods[at + 1] = pod
    made.value[at] = weight * scale if scale > 0.0 else value - once - packed.opening[vehicle]
    entry = _write_rows(packed, made, at, made.begin[at])
    entry = _write_rooms(vehicle, packed, made, at, entry)
    made.row[entry] = len(packed.pods) + len(packed.room_limit) + len(packed.domain_limit)
    made.coefficient[entry] = -weight
    made.begin[at + 1] = entry + 1


@compiled
def _write_rows(packed: Packed, made: Pool, at: int, entry: int) -> int:
    """Demand and domains; what a domain takes twice stands there twice."""
    vehicle = np.searchsorted(packed.first, made.pair[made.pods[at]], side="right") - 1
    domains = len(packed.pods) + len(packed.room_limit)
    for pod in range(made.pods[at], made.pods[at + 1]):
        row = packed.template[made.pair[pod]]
        made.row[entry] = row
        made.coefficient[entry] = made.number[pod]
        entry += 1
        for group in range(packed.group_first[row], packed.group_first[row + 1]):
            where = packed.domain[packed.group[group], vehicle]
            if where >= 0 and packed.domain_limit[where] < np.inf:
                made.row[entry] = domains + where
                made.coefficient[entry] = made.number[pod]
                entry += 1
    return entry


@compiled
def _write_rooms(vehicle: int, packed: Packed, made: Pool, at: int, entry: int) -> int:
    for load in range(packed.load_first[vehicle], packed.load_first[vehicle + 1]):
        room = packed.load_room[load]
        if packed.room_limit[room] == np.inf:
            continue
        power = 0.0
        for pod in range(made.pods[at], made.pods[at + 1]):
            pair = made.pair[pod]
            if packed.load_instant[load] < packed.until[pair]:
                power += made.number[pod] * np.float64(packed.power[pair])
        if power > 0.0:
            made.row[entry] = len(packed.pods) + room
            made.coefficient[entry] = packed.load_rate[load] * (power + packed.standby[vehicle])
            entry += 1
    return entry
