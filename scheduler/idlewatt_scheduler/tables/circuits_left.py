"""What a plan leaves of the circuits above each vehicle, and whether one more pod fits there."""

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from itertools import accumulate

import numpy as np

from idlewatt_scheduler.circuits import Headroom, RoomKey
from idlewatt_scheduler.energy import Step
from idlewatt_scheduler.model.reasons import PodReason
from idlewatt_scheduler.model.units import Instant, Milliwatts
from idlewatt_scheduler.tables.lasting import REASONS, Codes
from idlewatt_scheduler.tables.layout import PLENTY, Flags, Ints
from idlewatt_scheduler.tables.reading import FULL_PERCENT
from idlewatt_scheduler.tables.vehicles import Vehicles


class Circuits:
    """What is left of the circuits above each vehicle.

    Of a vehicle the least that is ever left, the time of it, and what computes then; a pod fits if
    it takes less than that at the most, and does not if it takes more then.
    """

    def __init__(
        self,
        vehicles: Vehicles,
        rooms: Mapping[RoomKey, Headroom],
        line_of: Callable[[int], Sequence[Step]],
        at: Instant,
    ) -> None:
        """`line_of` tells what computes on a vehicle over time, of those whose rooms are given."""
        self._vehicles = vehicles
        number = len(vehicles.candidate)
        self._before = np.zeros(number, np.int64)
        self._standby = np.zeros(number, np.int64)
        self._steady_to = np.full(number, PLENTY, np.int64)
        self._clear = np.zeros(number, np.bool_)
        self._busy_to = np.zeros(number, np.int64)
        self._charged = np.array([p.charging is not None for p in vehicles.parked], np.bool_)
        later = {key: _Later(room) for key, room in rooms.items()}
        self._left_by_load(later, at)
        self._left_later = self._left.copy()
        self._rows = np.flatnonzero(self._left < PLENTY)
        for row in self._rows.tolist():
            line, start, when = line_of(row), int(vehicles.start[row]), int(self._when[row])
            step = next((s for s in line if s.start <= at + when < s.end), None)
            self._before[row] = step.computing if step else 0
            self._standby[row] = 0 if step else vehicles.lone_power[row]
            ends = [edge - at for s in line for edge in (s.start, s.end) if edge > at + start]
            self._steady_to[row] = min(ends, default=PLENTY)
            self._clear[row] = not line
            if line:
                loads, busy_to = vehicles.load_sets[vehicles.loads[row]], line[-1].end
                self._busy_to[row] = min(busy_to - at, PLENTY)
                known = [(later[key], parts) for key, parts in loads if key in later]
                left = (room.least(busy_to)[0] // parts for room, parts in known)
                self._left_later[row] = min(left, default=PLENTY)

    def _left_by_load(self, rooms: Mapping[RoomKey, "_Later"], at: Instant) -> None:
        """The same for all vehicles that load the same rooms and start together."""
        vehicles = self._vehicles
        loads, starts = vehicles.loads.astype(np.int64), np.unique(vehicles.start)
        kind = loads * len(starts) + np.searchsorted(starts, vehicles.start)
        kinds, of = np.unique(kind, return_inverse=True)
        found = [
            _least_left(vehicles.load_sets[load], rooms, at, int(starts[start]))
            for load, start in (divmod(each, len(starts)) for each in kinds.tolist())
        ]
        table = np.array(found, np.int64).reshape(-1, 2)
        self._left, self._when = table[of, 0].copy(), table[of, 1].copy()

    def code(self, power: Ints, until: Ints) -> tuple[Codes, Flags]:
        """Whether circuits keep a pod away from each vehicle, and where that is not known."""
        rows, every = self._rows, len(self._vehicles.candidate)
        found, unsure = np.zeros(every, np.uint8), np.zeros(every, np.bool_)
        if len(rows):
            full, maybe = self._short(power[rows], until[rows])
            found[rows[full]] = REASONS.index(PodReason.CIRCUIT_FULL) + 1
            unsure[rows] = maybe
        return found, unsure

    def _short(self, power: Ints, until: Ints) -> tuple[Flags, Flags]:
        """Of the vehicles on rooms that could be short: sure to be, and perhaps."""
        vehicles, rows, left = self._vehicles, self._rows, self._left[self._rows]
        stays = until > vehicles.start[rows]
        # While others compute there a pod takes less than alone, but for a rounded milliwatt.
        busy = ~self._clear[rows]
        alone = self._alone(rows, power) + busy
        beside = power * FULL_PERCENT // vehicles.efficiency_percent[rows] + 1
        outstays = until > self._busy_to[rows]
        short = np.where(busy, np.minimum(alone, beside), alone) > np.maximum(left, 0)
        short |= outstays & (alone > np.maximum(self._left_later[rows], 0))
        before = self._before[rows]
        then = self._draw(rows, before + self._standby[rows] + power) - self._draw(rows, before)
        over = stays & short
        when = self._when[rows]
        sure = ~self._charged[rows] & (when < self._steady_to[rows]) & (when < until)
        full: Flags = over & sure & (then > 0) & (then > left)
        return full, over & ~full

    def _alone(self, rows: Ints, power: Ints) -> Ints:
        """By how much one pod raises the draw of a vehicle on which nothing else computes."""
        nothing = np.zeros(len(rows), np.int64)
        together = power + self._vehicles.lone_power[rows]
        return self._draw(rows, together) - self._draw(rows, nothing)

    def _draw(self, rows: Ints, computing: Ints) -> Ints:
        vehicles = self._vehicles
        ac = computing * FULL_PERCENT // vehicles.efficiency_percent[rows]
        draw: Ints = np.minimum(vehicles.cap[rows], vehicles.charging[rows] + ac)
        return draw


class _Later:
    """The least that is left of a room from an instant on, and when that is."""

    def __init__(self, room: Headroom) -> None:
        self._starts = room.starts
        # The latest first; of equals the earliest is kept.
        backwards = list(zip(room.left, room.starts, strict=True))[::-1]
        self._least = list(accumulate(backwards, min))[::-1]

    def least(self, instant: Instant) -> tuple[Milliwatts, Instant]:
        """What is left then, and the start of the step in which it is."""
        return self._least[max(bisect_right(self._starts, instant) - 1, 0)]


def _least_left(
    loads: Sequence[tuple[RoomKey, int]],
    rooms: Mapping[RoomKey, _Later],
    at: Instant,
    start: Instant,
) -> tuple[Milliwatts, Instant]:
    """The least that a car may draw more at any time from its start on, and when that is."""
    least = PLENTY, start
    for key, parts in loads:
        room = rooms.get(key)
        if room is not None:
            left, since = room.least(at + start)
            if left // parts < least[0]:
                least = left // parts, max(since - at, start)
    return least
