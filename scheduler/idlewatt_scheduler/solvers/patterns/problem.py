"""What the patterns of all slots have in common: pods, circuits, gangs and spread."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np

from idlewatt_scheduler.board import Board
from idlewatt_scheduler.circuits import RoomKey
from idlewatt_scheduler.clauses.together import NOWHERE
from idlewatt_scheduler.model.units import Instant
from idlewatt_scheduler.solvers.patterns.search import Ints
from idlewatt_scheduler.solvers.patterns.slots import GREATEST, Slot, slots_of


@dataclass(frozen=True, slots=True)
class RoomRow:
    """What is left of a circuit, or of a phase, at one instant, for all the slots that load it.

    Attributes:
        parts: by slot, how much of it a milliwatt of its draw takes.
    """

    key: RoomKey
    instant: Instant
    left: int
    parts: Mapping[int, int]


@dataclass(slots=True)
class Problem:
    """The slots of a board without new pods, and what limits them together.

    Attributes:
        demand: by template that some slot takes, how many pods wait.
        rooms: those that are looked at; more are added where a choice of patterns breaks them.
        decided: the gangs that are placed, or not, in every plan that is looked for.
        most: by rank, the greatest weight of its pods and those of higher ranks, one of it being 1,
            as far as it is known.
    """

    board: Board
    slots: tuple[Slot, ...]
    demand: Mapping[int, int]
    rooms: list[RoomRow] = field(default_factory=list)
    decided: dict[int, bool] = field(default_factory=dict)
    most: dict[int, int] = field(default_factory=dict)

    def add_room(self, key: RoomKey, instant: Instant) -> bool:
        """Look at a room at an instant; false if it is looked at, or can carry everything."""
        if any(row.key == key and row.instant == instant for row in self.rooms):
            return False
        parts = {
            index: each
            for index, slot in enumerate(self.slots)
            if slot.parked is not None and slot.parked.electrics.plugged
            for load, each in slot.parked.loads
            if load == key
        }
        left = max(self.board.rooms[key].least(instant, instant + 1), 0)
        most = sum(p * greatest_raise(self.slots[s], instant) for s, p in parts.items())
        if most > left:
            self.rooms.append(RoomRow(key, instant, left, parts))
        return most > left


def problem_of(board: Board) -> Problem | None:
    """A board without new pods, in numbers; None: some are too great."""
    slots = slots_of(board)
    if slots is None:
        return None
    offered = {template for slot in slots for template in slot.templates}
    made = Problem(board, slots, {t: board.left[t] for t in sorted(offered)})
    for key, instant in _first_instants(made):
        made.add_room(key, instant)
    return made


def greatest_raise(slot: Slot, instant: Instant) -> int:
    """The most by which new pods may raise the draw of the slot's car at an instant."""
    parked = slot.parked
    if parked is None or instant < slot.start or instant >= slot.ends[-1]:
        return 0
    most = 1_000 * parked.vehicle.compute.max_power_watts + parked.electrics.standby
    base = sum(step.computing for step in parked.base if step.start <= instant < step.end)
    return max(parked.draw(max(most, base), instant) - parked.draw(base, instant), 0)


def _first_instants(made: Problem) -> Iterator[tuple[RoomKey, Instant]]:
    """Where circuits are likely to be short: as pods start, and wherever less is left than then."""
    loading: dict[RoomKey, list[Slot]] = {}
    for slot in made.slots:
        if slot.parked is not None and slot.parked.electrics.plugged:
            for key, _ in slot.parked.loads:
                loading.setdefault(key, []).append(slot)
    for key, slots in sorted(loading.items()):
        room = made.board.rooms[key]
        starts = sorted({slot.start for slot in slots})
        last = max(slot.ends[-1] for slot in slots)
        yield from ((key, start) for start in starts)
        least = min(room.least(start, start + 1) for start in starts)
        for start, left in zip(room.starts, room.left, strict=True):
            if starts[0] < start < last and left < least:
                least = left
                yield key, start


def chord(slot: Slot, instant: Instant) -> tuple[float, float, float]:
    """By how much new pods that stay at an instant raise the draw at the least: a line.

    The draw rises with computing up to the cap of the car and no further, so a line from the least
    of these pods to the most there can be is never above it, but for rounding.

    Returns:
        For each milliwatt of the pods, and once; and what rounding may hide.
    """
    parked = slot.parked
    powers = [
        int(power)
        for power, level in zip(slot.power, slot.level, strict=True)
        if slot.ends[level] > instant
    ]
    if parked is None or not powers or instant < slot.start:
        return 0.0, 0.0, 0.0
    standby = parked.electrics.standby
    base = sum(step.computing for step in parked.base if step.start <= instant < step.end)
    least = min(powers)
    low = base + least + (0 if base else standby)
    high = max(1_000 * parked.vehicle.compute.max_power_watts + standby, low + 1)
    before = parked.draw(base, instant)
    at_low, at_high = (max(parked.draw(each, instant) - before, 0) for each in (low, high))
    slope = max(at_high - at_low, 0) / (high - low)
    return slope, at_low - slope * least, 2.0


def alone(problem: Problem, index: int) -> tuple[Ints, Ints]:
    """What each item takes of what a slot's own rooms would carry if no other slot loaded them.

    Returns:
        int64[n, k], milliwatts of one pod; int64[k], all that the pods may have together.
    """
    slot = problem.slots[index]
    rooms = [room for room in problem.rooms if index in room.parts]
    staying = np.array(slot.ends, np.int64)[slot.level]
    takes = [np.where(staying > room.instant, slot.power, 0) for room in rooms]
    limits = [_carried(slot, room, room.parts[index]) for room in rooms]
    table = np.array(takes, np.int64).reshape(len(rooms), len(slot.templates)).T
    return np.ascontiguousarray(table), np.array(limits, np.int64)


def _carried(slot: Slot, room: RoomRow, parts: int) -> int:
    """The most milliwatts of new pods that do not overload a room by themselves."""
    parked = slot.parked
    if parked is None:
        return GREATEST
    standby = parked.electrics.standby
    base = sum(step.computing for step in parked.base if step.start <= room.instant < step.end)
    before = parked.draw(base, room.instant)
    low, high = 0, 1_000 * parked.vehicle.compute.max_power_watts + standby
    while low < high:
        middle = (low + high + 1) // 2
        computing = base + middle + (0 if base else standby)
        if parts * (parked.draw(computing, room.instant) - before) <= room.left:
            low = middle
        else:
            high = middle - 1
    return low


def domain_of(problem: Problem, spread: int, slot: Slot) -> int | None:
    """The domain of a slot in a spread constraint."""
    domain = problem.board.together.spreads[spread].domain[slot.candidate]
    return None if domain == NOWHERE else domain
