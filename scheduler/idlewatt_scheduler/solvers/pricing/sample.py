"""Some vehicles for all: prices are found on a few hundred before all are asked."""

from dataclasses import dataclass

import numpy as np

from idlewatt_scheduler.solvers.pricing.packing import Packed
from idlewatt_scheduler.tables.layout import Floats, Indices, Ints

_GROUPS = 12


@dataclass(frozen=True, slots=True)
class Sample:
    """A fleet of every so-manieth vehicle.

    Attributes:
        packed: its columns; rooms that are about as short are one, domains do not bind.
        share: how large a part of the fleet it is.
        group: int32[C], of the whole fleet's rooms, the sample's; -1: it does not bind.
        chosen: int64[], the vehicles.
    """

    packed: Packed
    share: float
    group: Indices
    chosen: Ints


def sampled(packed: Packed, most: int) -> Sample:
    """At most so many vehicles, evenly over the fleet; all of them where there are no more."""
    if packed.vehicles <= most:
        everyone = np.arange(len(packed.room_limit), dtype=np.int32)
        return Sample(packed, 1.0, everyone, np.arange(packed.vehicles, dtype=np.int64))
    chosen = np.linspace(0, packed.vehicles - 1, most).astype(np.int64)
    group, number = _groups(packed)
    pairs = _spans(packed.first, chosen)
    loads = _spans(packed.load_first, chosen)
    loads = loads[group[packed.load_room[loads]] >= 0]
    binds = group >= 0
    limit = np.zeros(number)
    np.add.at(limit, group[binds], packed.room_limit[binds])
    some = packed._replace(
        first=_lengths(packed.first, chosen),
        template=packed.template[pairs],
        power=packed.power[pairs],
        until=packed.until[pairs],
        most=packed.most[pairs],
        cost=packed.cost[pairs],
        stay_cost=packed.stay_cost[pairs],
        start=packed.start[chosen],
        lone_from=packed.lone_from[chosen],
        lone_power=packed.lone_power[chosen],
        free=packed.free[chosen],
        power_left=packed.power_left[chosen],
        energy_left=packed.energy_left[chosen],
        opening=packed.opening[chosen],
        standby=packed.standby[chosen],
        load_first=_counted(packed, chosen, group),
        load_room=group[packed.load_room[loads]],
        load_rate=packed.load_rate[loads],
        load_instant=packed.load_instant[loads],
        domain=np.ascontiguousarray(packed.domain[:, chosen]),
        room_limit=limit,
        domain_limit=np.full(len(packed.domain_limit), np.inf),
    )
    return Sample(some, most / packed.vehicles, group, chosen)


def _groups(packed: Packed) -> tuple[Indices, int]:
    """Rooms by how short they are: which group each is in, -1 where it does not bind; how many."""
    rooms = len(packed.room_limit)
    vehicle = np.repeat(np.arange(packed.vehicles), np.diff(packed.load_first))
    asked = np.bincount(packed.load_room, packed.load_rate * packed.power_left[vehicle], rooms)
    binds = np.flatnonzero(np.isfinite(packed.room_limit))
    group = np.full(rooms, -1, np.int32)
    order = binds[np.argsort(packed.room_limit[binds] / np.maximum(asked[binds], 1), kind="stable")]
    number = min(_GROUPS, len(order))
    for index, some in enumerate(np.array_split(order, number) if number else []):
        group[some] = index
    return group, number


def _spans(first: Ints, chosen: Ints) -> Ints:
    """The indices of what belongs to these."""
    lengths = first[chosen + 1] - first[chosen]
    ends = np.cumsum(lengths)
    within = np.arange(int(ends[-1]) if len(ends) else 0) - np.repeat(ends - lengths, lengths)
    return np.asarray(np.repeat(first[chosen], lengths) + within, np.int64)


def _lengths(first: Ints, chosen: Ints) -> Ints:
    return np.concatenate([[0], np.cumsum(first[chosen + 1] - first[chosen])]).astype(np.int64)


def _counted(packed: Packed, chosen: Ints, group: Indices) -> Ints:
    binds = np.concatenate([[0], np.cumsum(group[packed.load_room] >= 0)])
    counts = binds[packed.load_first[chosen + 1]] - binds[packed.load_first[chosen]]
    return np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)


def spread_out(sample: Sample, packed: Packed, price: Floats) -> Floats:
    """Prices of the whole fleet's rows from those of the sample's: rooms as their group."""
    templates, domains = len(packed.pods), len(packed.domain_limit)
    rooms = price[templates : len(price) - domains - 1]
    of_room = np.where(sample.group >= 0, np.append(rooms, 0.0)[sample.group], 0.0)
    return np.concatenate([price[:templates], of_room, price[len(price) - domains - 1 :]])
