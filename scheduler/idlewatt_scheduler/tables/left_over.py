"""What a plan leaves of every vehicle, and the first clause that then keeps one more pod away.

The columns decide nearly all of it. Where they do not, on cars that are charged meanwhile and where
a circuit is short only for a part of the stay, the clauses themselves are asked.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from idlewatt_scheduler.candidates import Parked
from idlewatt_scheduler.circuits import Change, Headroom, Room, RoomKey, Share
from idlewatt_scheduler.clauses.live import Placed, draw_changes, first_live_reason, holding
from idlewatt_scheduler.clauses.pod import pod_case
from idlewatt_scheduler.energy import Source, Step, Stretch, spare, steps
from idlewatt_scheduler.further.registry import REASONS as REASONS_OF_RULES
from idlewatt_scheduler.further.registry import amounts_of, reason_of
from idlewatt_scheduler.model.reasons import PodReason
from idlewatt_scheduler.model.workload import Pod
from idlewatt_scheduler.tables.asking import Answer
from idlewatt_scheduler.tables.circuits_left import Circuits
from idlewatt_scheduler.tables.lasting import REASONS, Codes, mark
from idlewatt_scheduler.tables.layout import PLENTY, Count, Ints
from idlewatt_scheduler.tables.rooms import short_rooms
from idlewatt_scheduler.tables.workings import Workings

_SHORT: Final = (*reversed(REASONS_OF_RULES), PodReason.NOT_ENOUGH_RESOURCES)
"""What there may be too little of on a Node; what is asked last stands first."""


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


class LeftOver:
    """The vehicles after a plan's placements."""

    def __init__(self, work: Workings, counts: Sequence[Count]) -> None:
        """`counts` are rows of the vehicles that take pods, templates and numbers of pods."""
        self._work, self._vehicles = work, work.vehicles
        self._held: dict[int, list[tuple[int, int]]] = {}
        for row, template, number in counts:
            self._held.setdefault(row, []).append((template, number))
        snapshot = work.fleet.snapshot
        self._policy, self._at = snapshot.policy, snapshot.at
        self._free = np.ascontiguousarray(work.asking.free.T)
        self._power = np.zeros(len(self._vehicles.candidate), np.int64)
        self._stretches: dict[int, list[Stretch]] = {}
        self._lines: dict[int, Sequence[Step]] = {}
        self._known: dict[int, Placed] = {}
        self._charged = np.array(
            [_is_charged_meanwhile(parked) for parked in self._vehicles.parked], np.bool_
        )
        self._short = short_rooms(work.fleet, self._vehicles)
        self._hold(np.array(counts, np.int64).reshape(-1, 3))
        np.maximum(self._free, 0, out=self._free)
        self._battery = self._batteries()
        self._spent = self._battery.consumed(self._vehicles.departure[self._battery.rows])
        self._rooms = self._rooms_after()
        self._circuits = Circuits(self._vehicles, self._rooms, self._line, self._at)

    def code(self, pod: Pod, answer: Answer) -> Codes:
        """The first clause that fails on each vehicle, of those about one pod; 0: it fits."""
        vehicles, machines = self._vehicles, self._free
        until = answer.until
        stays = until > vehicles.start
        power = answer.power if stays.all() else answer.power * stays
        together = self._power + power
        found, unsure = self._circuits.code(power, until)
        short = {reason: np.zeros(len(found), np.bool_) for reason in _SHORT}
        short[PodReason.NOT_ENOUGH_RESOURCES] |= stays & (together > vehicles.own_power)
        amounts = amounts_of(pod)
        for column, name in enumerate(self._work.resources):
            amount = amounts.get(name, 0)
            if amount > 0:
                short[reason_of(name)] |= machines[column] < amount
        for reason, where in short.items():
            mark(found, reason, where)
        unsure &= found == 0
        slows = stays & (together > vehicles.charge_power)
        mark(found, PodReason.DEPARTURE_CHARGE_AT_RISK, slows)
        unsure |= stays & (together > vehicles.sure_charge_power) & ~slows
        self._mark_batteries(found, power, until)
        mark(found, PodReason.BELOW_RESERVE, vehicles.spared)
        unsure = (unsure & ~vehicles.spared) | self._charged
        code = np.where(answer.code > 0, answer.code, found)
        for row in np.flatnonzero(unsure & (answer.code == 0)).tolist():
            code[row] = self._ask(pod, row)
        return code

    def _hold(self, counts: Ints) -> None:
        """Note the new pods, template by template."""
        work, vehicles = self._work, self._vehicles
        loading = [any(key in self._short for key, _ in each) for each in vehicles.load_sets]
        followed = np.array(loading, np.bool_)[vehicles.loads]
        followed[vehicles.on_battery] = True
        for template in np.unique(counts[:, 1]).tolist():
            rows, _, numbers = counts[counts[:, 1] == template].T
            pod = work.templates[template].sample
            until, power = work.asking.stays(pod, rows)
            start = vehicles.start[rows]
            together = numbers * power
            self._power[rows] += np.where(until > start, together, 0)
            amounts = amounts_of(pod)
            for column, name in enumerate(work.resources):
                self._free[column, rows] -= numbers * amounts.get(name, 0)
            which = followed[rows]
            for row, begin, end, drawn in zip(
                rows[which].tolist(),
                (start[which] + self._at).tolist(),
                (until[which] + self._at).tolist(),
                together[which].tolist(),
                strict=True,
            ):
                self._stretches.setdefault(row, []).append(Stretch(begin, end, drawn))

    def _line(self, row: int) -> Sequence[Step]:
        """What computes there over time: known of those on the battery and on short circuits."""
        parked, new = self._vehicles.parked[row], self._stretches.get(row)
        if new is None:
            return parked.base
        line = self._lines.get(row)
        if line is None:
            line = self._lines[row] = steps([*parked.running, *new], parked.electrics.standby)
        return line

    def _placed(self, row: int) -> Placed:
        """What one vehicle holds."""
        candidate = self._work.fleet.candidates[self._vehicles.candidate[row]]
        cases = [
            (pod_case(self._work.templates[t].sample, candidate, self._policy, self._at), number)
            for t, number in self._held.get(row, ())
        ]
        return holding(candidate, cases)

    def _ask(self, pod: Pod, row: int) -> int:
        """The same of one vehicle, asked of the clauses themselves."""
        candidate = self._work.fleet.candidates[self._vehicles.candidate[row]]
        case = pod_case(pod, candidate, self._policy, self._at)
        if row not in self._known:
            self._known[row] = self._placed(row)
        loads = self._vehicles.parked[row].loads
        rooms = [_share(self._rooms[key], parts) for key, parts in loads if key in self._rooms]
        return code_of(first_live_reason(case, self._known[row], rooms))

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

    def _mark_batteries(self, found: Codes, power: Ints, until: Ints) -> None:
        """What the battery would be left with: at the departure, and at the end of the stay."""
        steps, vehicles, rows = self._battery, self._vehicles, self._battery.rows
        if not len(rows):
            return
        ends, starts, lone = until[rows], vehicles.start[rows], vehicles.lone_power[rows]
        own = power[rows] * np.maximum(ends - starts, 0)
        own += np.where(ends > starts, np.maximum(ends - steps.covered, 0) * lone, 0)
        departing = self._spent + own > steps.spared
        found[rows[departing]] = code_of(PodReason.DEPARTURE_CHARGE_AT_RISK)
        under = steps.consumed(ends) + own > steps.kept
        found[rows[under]] = code_of(PodReason.BELOW_RESERVE)

    def _rooms_after(self) -> dict[RoomKey, Headroom]:
        """What is left of circuits and phases, those that could be short."""
        fleet, changes = self._work.fleet, dict[RoomKey, list[Change]]()
        every: dict[RoomKey, Headroom] = {**fleet.phases}
        every.update({tuple(key): room for key, room in fleet.headroom.items()})
        for row in self._stretches:
            parked = self._vehicles.parked[row]
            if any(key in self._short for key, _ in parked.loads):
                drawn = draw_changes(parked, parked.base, self._line(row))
                for key, parts in parked.loads:
                    if key in self._short:
                        more = [(start, end, parts * power) for start, end, power in drawn]
                        changes.setdefault(key, []).extend(more)
        rooms = {key: every[key].copy() for key in self._short}
        for key, drawn in changes.items():
            rooms[key].take_all(drawn)
        return rooms


def code_of(reason: PodReason | None) -> int:
    """A reason as a code."""
    return 0 if reason is None else REASONS.index(reason) + 1


def _share(room: Headroom, parts: int) -> Room:
    return room if parts == 1 else Share(room, parts)


def _is_charged_meanwhile(parked: Parked) -> bool:
    """On the battery of a car that our profile charges: what is left is a matter of time."""
    if parked.electrics.source is Source.GRID:
        return False
    return parked.charging is not None and bool(parked.charging.least)
