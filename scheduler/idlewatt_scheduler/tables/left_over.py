"""What a plan leaves of every vehicle, and the first clause that then keeps one more pod away.

The columns decide nearly all of it. Where they do not, on cars that are charged meanwhile and where
a circuit is short only for a part of the stay, the clauses themselves are asked.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from idlewatt_scheduler.candidates import Parked
from idlewatt_scheduler.circuits import Change, Headroom, Room, RoomKey, Share
from idlewatt_scheduler.clauses.live import Placed, draw_changes, first_live_reason, holding
from idlewatt_scheduler.clauses.pod import pod_case
from idlewatt_scheduler.energy import Source, Step, spare
from idlewatt_scheduler.model.reasons import PodReason
from idlewatt_scheduler.model.units import FOREVER, Instant, Milliwatts
from idlewatt_scheduler.model.workload import Pod
from idlewatt_scheduler.tables.asking import REASONS, Answer, Codes, mark
from idlewatt_scheduler.tables.build import Workings
from idlewatt_scheduler.tables.layout import PLENTY, Flags, Ints
from idlewatt_scheduler.tables.rooms import short_rooms
from idlewatt_scheduler.tables.vehicles import FULL_PERCENT, Vehicles

Held = Sequence[tuple[int, int]]
"""Templates, and how many pods of each."""


@dataclass(frozen=True, slots=True)
class _Steps:
    """What computes on some vehicles over time: a row each, padded with steps of no length.

    Attributes:
        rows: int64[B], of the vehicles.
        start, end, computing: int64[B, K].
        covered: int64[B], the end of the last step, the start of new pods at the earliest.
        kept, spared: int64[B], what the battery holds above the reserve, above the departure's.
    """

    rows: Ints
    start: Ints
    end: Ints
    computing: Ints
    covered: Ints
    kept: Ints
    spared: Ints

    def consumed(self, until: Ints) -> Ints:
        """int64[B]: what they take from the battery to an instant each."""
        length = np.maximum(np.minimum(self.end, until[:, None]) - self.start, 0)
        taken: Ints = (length * self.computing).sum(axis=1)
        return taken

    def of(self, which: Flags) -> "_Steps":
        """The same for some of the rows."""
        columns = (self.rows, self.start, self.end, self.computing)
        more = (self.covered, self.kept, self.spared)
        return _Steps(*(column[which] for column in (*columns, *more)))


class LeftOver:
    """The vehicles after a plan's placements."""

    def __init__(self, work: Workings, held: Mapping[int, Held]) -> None:
        """`held` is by row of the vehicles that take pods."""
        self._work, self._vehicles, self._held = work, work.vehicles, held
        snapshot = work.fleet.snapshot
        self._policy, self._at = snapshot.policy, snapshot.at
        rows = len(self._vehicles.candidate)
        self._placed: dict[int, Placed] = {}
        self._free = work.asking.free.copy()
        self._power = np.zeros(rows, np.int64)
        for row, templates in held.items():
            self._hold(row, templates)
        np.maximum(self._free, 0, out=self._free)
        self._charged = np.array(
            [_is_charged_meanwhile(parked) for parked in self._vehicles.parked], np.bool_
        )
        self._battery = self._batteries()
        self._rooms = self._rooms_after()
        self._circuits = _Circuits(self._vehicles, self._rooms, self._placed, self._at)

    def code(self, pod: Pod, answer: Answer) -> Codes:
        """The first clause that fails on each vehicle, of those about one pod; 0: it fits."""
        vehicles = self._vehicles
        code = answer.code.copy()
        rows = np.flatnonzero(code == 0)
        until = answer.until[rows]
        stays = until > vehicles.start[rows]
        power = np.where(stays, answer.power[rows], 0)
        together = self._power[rows] + power
        found, unsure = self._circuits.code(rows, power, until)
        asked = np.array([pod.requests.get(name, 0) for name in self._work.resources], np.int64)
        short = ((asked > 0) & (asked > self._free[rows])).any(axis=1)
        short |= stays & (together > vehicles.own_power[rows])
        mark(found, PodReason.NOT_ENOUGH_RESOURCES, short)
        unsure &= found == 0
        slows = stays & (together > vehicles.charge_power[rows])
        mark(found, PodReason.DEPARTURE_CHARGE_AT_RISK, slows)
        unsure |= stays & (together > vehicles.sure_charge_power[rows]) & ~slows
        self._mark_batteries(found, rows, power, until)
        spared = vehicles.spared[rows]
        mark(found, PodReason.BELOW_RESERVE, spared)
        unsure = (unsure & ~spared) | self._charged[rows]
        code[rows] = found
        for row in rows[unsure].tolist():
            code[row] = self._ask(pod, row)
        return code

    def _hold(self, row: int, templates: Held) -> None:
        """Note the new pods of a vehicle."""
        work, at = self._work, self._at
        candidate = work.fleet.candidates[self._vehicles.candidate[row]]
        cases = []
        for template, number in templates:
            case = pod_case(work.templates[template].sample, candidate, self._policy, at)
            cases.append((case, number))
            if case.stay.until > case.stay.start:
                self._power[row] += number * case.power
            for column, name in enumerate(work.resources):
                self._free[row, column] -= number * case.pod.requests.get(name, 0)
        self._placed[row] = holding(candidate, cases)

    def _line(self, row: int) -> Sequence[Step]:
        placed = self._placed.get(row)
        return self._vehicles.parked[row].base if placed is None else placed.line

    def _ask(self, pod: Pod, row: int) -> int:
        """The same of one vehicle, asked of the clauses themselves."""
        candidate = self._work.fleet.candidates[self._vehicles.candidate[row]]
        case = pod_case(pod, candidate, self._policy, self._at)
        placed = self._placed.get(row) or holding(candidate)
        loads = self._vehicles.parked[row].loads
        rooms = [_share(self._rooms[key], parts) for key, parts in loads if key in self._rooms]
        return code_of(first_live_reason(case, placed, rooms))

    def _batteries(self) -> _Steps:
        """The vehicles on the battery that nothing charges meanwhile."""
        on_battery = (self._vehicles.energy < PLENTY) & ~self._charged
        rows = np.flatnonzero(on_battery)
        lines = [self._line(row) for row in rows.tolist()]
        width = max(map(len, lines), default=0)
        padded = [
            [(step.start - self._at, step.end - self._at, step.computing) for step in line]
            + [(0, 0, 0)] * (width - len(line))
            for line in lines
        ]
        table = np.array(padded, np.int64).reshape(len(rows), width, 3)
        np.minimum(table, PLENTY, out=table)
        covered = [line[-1].end - self._at if line else 0 for line in lines]
        ends = np.minimum(np.array(covered, np.int64), PLENTY)
        batteries = [self._vehicles.parked[row].vehicle for row in rows.tolist()]
        return _Steps(
            rows=rows,
            start=table[:, :, 0],
            end=table[:, :, 1],
            computing=table[:, :, 2],
            covered=np.maximum(ends, self._vehicles.start[rows]),
            kept=np.array([spare(v, v.battery.reserve_percent) for v in batteries], np.int64),
            spared=np.array([spare(v, v.battery.departure_percent) for v in batteries], np.int64),
        )

    def _mark_batteries(self, found: Codes, rows: Ints, power: Ints, until: Ints) -> None:
        """What the battery would be left with: at the departure, and at the end of the stay."""
        steps, vehicles = self._battery, self._vehicles
        if not len(steps.rows) or not len(rows):
            return
        where = np.minimum(np.searchsorted(rows, steps.rows), len(rows) - 1)
        open_to = rows[where] == steps.rows
        if not open_to.any():
            return
        steps, where = steps.of(open_to), where[open_to]
        ends, starts = until[where], vehicles.start[steps.rows]
        own = power[where] * (ends - starts)
        alone = np.maximum(ends - steps.covered, 0)
        own += np.where(ends > starts, alone * vehicles.lone_power[steps.rows], 0)
        departure = steps.consumed(vehicles.departure[steps.rows]) + own > steps.spared
        _mark_at(found, where, PodReason.DEPARTURE_CHARGE_AT_RISK, departure)
        _mark_at(found, where, PodReason.BELOW_RESERVE, steps.consumed(ends) + own > steps.kept)

    def _rooms_after(self) -> dict[RoomKey, Headroom]:
        """What is left of circuits and phases, those that could be short."""
        fleet, changes = self._work.fleet, dict[RoomKey, list[Change]]()
        every: dict[RoomKey, Headroom] = {**fleet.phases}
        every.update({tuple(key): room for key, room in fleet.headroom.items()})
        short = short_rooms(fleet, self._vehicles)
        for row, placed in self._placed.items():
            parked = self._vehicles.parked[row]
            if any(key in short for key, _ in parked.loads):
                drawn = draw_changes(parked, parked.base, placed.line)
                for key, parts in parked.loads:
                    if key in short:
                        more = [(start, end, parts * power) for start, end, power in drawn]
                        changes.setdefault(key, []).extend(more)
        rooms = {key: every[key].copy() for key in short}
        for key, drawn in changes.items():
            rooms[key].take_all(drawn)
        return rooms


class _Circuits:
    """What is left of the circuits above each vehicle.

    Of a vehicle the least that is ever left, the time of it, and what computes then; a pod fits if
    it takes less than that at the most, and does not if it takes more then.
    """

    def __init__(
        self,
        vehicles: Vehicles,
        rooms: Mapping[RoomKey, Headroom],
        placed: Mapping[int, Placed],
        at: Instant,
    ) -> None:
        self._vehicles = vehicles
        number = len(vehicles.candidate)
        self._left = np.full(number, PLENTY, np.int64)
        self._when = np.zeros(number, np.int64)
        self._before = np.zeros(number, np.int64)
        self._standby = np.zeros(number, np.int64)
        self._steady_to = np.full(number, PLENTY, np.int64)
        self._clear = np.zeros(number, np.bool_)
        known: dict[tuple[int, int], tuple[int, int]] = {}
        for row, parked in enumerate(vehicles.parked):
            start = int(vehicles.start[row])
            key = int(vehicles.loads[row]), start
            if key not in known:
                loads = vehicles.load_sets[key[0]]
                known[key] = _least_left(loads, rooms, at, start)
            left, when = known[key]
            if left >= PLENTY:
                continue
            self._left[row], self._when[row] = left, when
            there = placed.get(row)
            line = parked.base if there is None else there.line
            step = next((s for s in line if s.start <= at + when < s.end), None)
            self._before[row] = step.computing if step else 0
            self._standby[row] = 0 if step else parked.electrics.standby
            ends = [edge - at for s in line for edge in (s.start, s.end) if edge > at + start]
            self._steady_to[row] = min(ends, default=PLENTY)
            self._clear[row] = not line
        self._charged = np.array([p.charging is not None for p in vehicles.parked], np.bool_)

    def code(self, rows: Ints, power: Ints, until: Ints) -> tuple[Codes, Flags]:
        """Whether circuits keep a pod away, for each of the rows, and where that is not known."""
        vehicles, left = self._vehicles, self._left[rows]
        found = np.zeros(len(rows), np.uint8)
        stays = (until > vehicles.start[rows]) & (left < PLENTY)
        lone = vehicles.lone_power[rows]
        # While others compute there a pod takes less than alone, but for a rounded milliwatt.
        none = np.zeros(len(rows), np.int64)
        most = self._draw(rows, power + lone) - self._draw(rows, none) + ~self._clear[rows]
        before = self._before[rows]
        then = self._draw(rows, before + self._standby[rows] + power) - self._draw(rows, before)
        over = stays & (most > np.maximum(left, 0))
        when = self._when[rows]
        sure = ~self._charged[rows] & (when < self._steady_to[rows]) & (when < until)
        full = over & sure & (then > 0) & (then > left)
        mark(found, PodReason.CIRCUIT_FULL, full)
        return found, over & ~full

    def _draw(self, rows: Ints, computing: Ints) -> Ints:
        vehicles = self._vehicles
        ac = computing * FULL_PERCENT // vehicles.efficiency_percent[rows]
        draw: Ints = np.minimum(vehicles.cap[rows], vehicles.charging[rows] + ac)
        return draw


def code_of(reason: PodReason | None) -> int:
    """A reason as a code."""
    return 0 if reason is None else REASONS.index(reason) + 1


def _mark_at(found: Codes, where: Ints, reason: PodReason, fails: Flags) -> None:
    found[where[fails]] = code_of(reason)


def _share(room: Headroom, parts: int) -> Room:
    return room if parts == 1 else Share(room, parts)


def _is_charged_meanwhile(parked: Parked) -> bool:
    """On the battery of a car that our profile charges: what is left is a matter of time."""
    if parked.electrics.source is Source.GRID:
        return False
    return parked.charging is not None and bool(parked.charging.least)


def _least_left(
    loads: Sequence[tuple[RoomKey, int]],
    rooms: Mapping[RoomKey, Headroom],
    at: Instant,
    start: Instant,
) -> tuple[Milliwatts, Instant]:
    """The least that a car may draw more at any time from its start on, and when that is."""
    least = PLENTY, start
    for key, parts in loads:
        room = rooms.get(key)
        if room is None:
            continue
        for index, (since, left) in enumerate(zip(room.starts, room.left, strict=True)):
            end = room.starts[index + 1] if index + 1 < len(room.starts) else FOREVER
            if end > at + start and left // parts < least[0]:
                least = left // parts, max(since - at, start)
    return least
