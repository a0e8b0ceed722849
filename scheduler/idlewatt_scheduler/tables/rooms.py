"""What is left of circuits and phases, as rows: only those that could bind.

A car's total draw never grows once its new pods have started, unless its charging does; and limits
only rise again. So what a circuit leaves at the plan's time is what counts, measured against what
computes then. Only where cars follow our profiles are there rows for later times, one for each time
at which less is left than at any time before.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

import numpy as np

from idlewatt_scheduler.candidates import Fleet, Parked
from idlewatt_scheduler.circuits import Headroom, RoomKey
from idlewatt_scheduler.energy import computing_at
from idlewatt_scheduler.model.units import Instant, Milliwatts
from idlewatt_scheduler.tables.layout import PLENTY, Indices, Ints, Rooms
from idlewatt_scheduler.tables.reading import FULL_PERCENT
from idlewatt_scheduler.tables.vehicles import Vehicles

NOBODY = -1
"""An instant before everything: at which nobody stays."""

_Row = tuple[RoomKey, Milliwatts, Instant, Instant, Instant]
"""Key, what is left, from, to, and an instant for bounds; from the plan's time."""


def rooms_of(fleet: Fleet, vehicles: Vehicles, rows: Indices) -> Rooms:
    """The rooms of these rows of the vehicles that could be short."""
    loads = vehicles.loads[rows]
    asked, last = _asked(vehicles, rows)
    found = _rows(fleet, asked, last)
    numbers: dict[RoomKey, list[int]] = {}
    for number, row in enumerate(found):
        numbers.setdefault(row[0], []).append(number)
    first, room, parts = _loads(vehicles.load_sets, loads, numbers)
    columns = [np.array([row[n] for row in found], np.int64) for n in range(1, 5)]
    return Rooms(
        key=tuple(row[0] for row in found),
        left=columns[0],
        start=columns[1],
        end=columns[2],
        instant=columns[3],
        first=first,
        room=room,
        parts=parts,
    )


def short_rooms(fleet: Fleet, vehicles: Vehicles) -> frozenset[RoomKey]:
    """The rooms that could be short were all of these vehicles used as much as they may be."""
    every = np.arange(len(vehicles.candidate), dtype=np.int32)
    return frozenset(row[0] for row in _rows(fleet, *_asked(vehicles, every)))


def _asked(
    vehicles: Vehicles, rows: Indices
) -> tuple[dict[RoomKey, float], dict[RoomKey, Instant]]:
    """By room, what these vehicles may take of it, and when the last of them starts."""
    loads = vehicles.loads[rows]
    raised = most_raised(vehicles)[rows]
    by_set = np.bincount(loads, weights=raised, minlength=len(vehicles.load_sets))
    latest = np.zeros(len(vehicles.load_sets), np.int64)
    np.maximum.at(latest, loads, vehicles.start[rows])
    asked: dict[RoomKey, float] = {}
    last: dict[RoomKey, int] = {}
    for number, load_set in enumerate(vehicles.load_sets):
        for key, parts in load_set:
            asked[key] = asked.get(key, 0.0) + parts * float(by_set[number])
            last[key] = max(last.get(key, 0), int(latest[number]))
    return asked, last


def most_raised(vehicles: Vehicles) -> Ints:
    """By how much new pods raise each vehicle's draw at the most."""
    base = vehicles.base
    most = base + vehicles.standby + np.minimum(np.maximum(vehicles.power, 0), PLENTY // 200)
    return _draw(vehicles, most) - _draw(vehicles, base)


def _draw(vehicles: Vehicles, computing: Ints) -> Ints:
    ac = computing * FULL_PERCENT // vehicles.efficiency_percent
    return np.minimum(vehicles.cap, vehicles.charging + ac)


def _loads(
    load_sets: Sequence[Sequence[tuple[RoomKey, int]]],
    loads: Indices,
    numbers: Mapping[RoomKey, Sequence[int]],
) -> tuple[Ints, Indices, Ints]:
    """The loads of each vehicle: where they begin, their rooms and their parts."""
    each = [
        [(number, parts) for key, parts in load_set for number in numbers.get(key, ())]
        for load_set in load_sets
    ]
    counts = np.array([len(row) for row in each], np.int64)
    begins = np.concatenate([[0], np.cumsum(counts)])
    flat = np.array([pair for row in each for pair in row], np.int64).reshape(-1, 2)
    own = counts[loads] if len(counts) else np.zeros(len(loads), np.int64)
    first = np.concatenate([np.zeros(1, np.int64), np.cumsum(own)])
    at = np.arange(first[-1]) - np.repeat(first[:-1], own)
    where = at + np.repeat(begins[loads], own) if len(at) else np.zeros(0, np.int64)
    return first, flat[where, 0].astype(np.int32), flat[where, 1].copy()


def _rows(fleet: Fleet, asked: Mapping[RoomKey, float], last: Mapping[RoomKey, int]) -> list[_Row]:
    at = fleet.snapshot.at
    falls = _falls(fleet)
    every: dict[RoomKey, Headroom] = {**fleet.phases}
    every.update({tuple(key): room for key, room in fleet.headroom.items()})
    rows: list[_Row] = []
    for key in sorted(asked):
        room = every.get(key)
        if room is None or not asked[key]:
            continue
        if key in falls:
            rows.extend(_later_too(key, room, falls[key], at, asked[key]))
            continue
        left = max(room.least(at, at + 1), 0)
        if asked[key] > left:
            # Once all have started; where what is left changes until then, those that start first.
            steady = len(room.starts) == 1 or room.starts[1] > at + last[key]
            rows.append((key, left, 0, PLENTY, last[key] if steady else 0))
    return rows


def _falls(fleet: Fleet) -> dict[RoomKey, list[tuple[Instant, Instant, Milliwatts]]]:
    """Of the rooms of controlled cars: by how much less running pods draw than at first, and when.

    Only there may less be left later on.
    """
    controlled: set[RoomKey] = set()
    changing: list[Parked] = []
    for candidate in fleet.candidates:
        parked = candidate.parked
        if parked is None or not parked.loads:
            continue
        if parked.charging is not None and len(parked.charging.most) > 1:
            controlled.update(key for key, _ in parked.loads)
        if parked.base:
            changing.append(parked)
    falls: dict[RoomKey, list[tuple[Instant, Instant, Milliwatts]]] = {k: [] for k in controlled}
    for parked in changing if controlled else ():
        if any(key in falls for key, _ in parked.loads):
            less = list(_less(parked, fleet.snapshot.at))
            for key, parts in parked.loads:
                if key in falls:
                    falls[key].extend((start, end, parts * power) for start, end, power in less)
    return falls


def _less(parked: Parked, at: Instant) -> Iterator[tuple[Instant, Instant, Milliwatts]]:
    first = computing_at(parked.base, at)
    edges = {at, at + PLENTY, *parked.charging_edges}
    edges.update(step.end for step in parked.base)
    for start, end in pairwise(sorted(edge for edge in edges if at <= edge <= at + PLENTY)):
        less = parked.draw(first, start) - parked.draw(computing_at(parked.base, start), start)
        if less > 0:
            yield start, end, less


def _later_too(
    key: RoomKey,
    room: Headroom,
    falls: Sequence[tuple[Instant, Instant, Milliwatts]],
    at: Instant,
    asked: float,
) -> Iterator[_Row]:
    """A row for each time at which less is left than ever before, if it may bind."""
    then = room.copy()
    then.take_all(falls)
    least: Milliwatts | None = None
    for start, left in zip(then.starts, then.left, strict=True):
        if least is not None and left >= least:
            continue
        least = left
        if asked > max(left, 0):
            instant = NOBODY if falls and start > at else max(start - at, 0)
            end = PLENTY if start <= at else _end(then, start) - at
            yield key, max(left, 0), max(start - at, 0), end, instant


def _end(room: Headroom, start: Instant) -> Instant:
    index = room.starts.index(start)
    return room.starts[index + 1] if index + 1 < len(room.starts) else start + PLENTY
