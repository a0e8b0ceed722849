"""One pod at a time, on the least allocated vehicle: how kube-scheduler would choose.

The queue is kube-scheduler's: the highest priority first, then the oldest. Of the vehicles that
pass all clauses (those of idlewatt, through its tables: kube-scheduler itself knows neither charge
nor departure nor circuit) the pod goes to the one with the greatest score of the plugin
NodeResourcesFit with its default strategy LeastAllocated: the mean of the shares of cpu and memory
that are left with the pod there. A pod that was placed stays placed. Of a gang all are placed
or none, as a coscheduling plugin would see to.

Nothing is ever given back, but for a gang that is too few: a vehicle that is too full for a kind of
pod is asked no more.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from idlewatt_scheduler.candidates import Fleet
from idlewatt_scheduler.model.plan import Placement, Plan
from idlewatt_scheduler.model.units import Quantities
from idlewatt_scheduler.stay import stay_of
from idlewatt_scheduler.tables.layout import PLENTY, Flags, Floats, Rooms, Spreads, Tables
from idlewatt_scheduler.templates import Template

SCORED: Final = ("cpu", "memory")
NOWHERE: Final = -1.0
NEVER: Final = 1e9
LOOK_AT_ALL_AFTER: Final = 8


@dataclass(frozen=True, slots=True)
class Chosen:
    """What came of it.

    Attributes:
        counts: by vehicle and template, how many pods.
        weight: placed.
        cost: of the placements, in the plan's currency.
    """

    counts: dict[tuple[int, int], int]
    weight: int
    cost: float

    @property
    def placed(self) -> int:
        """How many pods."""
        return sum(self.counts.values())

    def as_plan(self, tables: Tables, fleet: Fleet, templates: Sequence[Template]) -> Plan:
        """The placements with their stays, and what they cost together; nothing else of a plan."""
        snapshot = fleet.snapshot
        taken: Counter[int] = Counter()
        placements = []
        for (vehicle, template), number in sorted(self.counts.items()):
            candidate = fleet.candidates[tables.offered.candidate[vehicle]]
            pods = templates[template].pods[taken[template] : taken[template] + number]
            taken[template] += number
            for pod in pods:
                stay = stay_of(pod, candidate, snapshot.policy, snapshot.at)
                power = int(tables.pairs.power[_pair(tables, vehicle, template)])
                placements.append(
                    Placement(pod, candidate.name, stay.start, stay.ready_at, stay.until, power)
                )
        cost = Fraction(self.cost)
        return Plan(snapshot.at, tuple(placements), weight=self.weight, cost=cost)


def one_at_a_time(tables: Tables, fleet: Fleet, templates: Sequence[Template]) -> Chosen:
    """Place the pending pods one after the other; nothing is ever moved."""
    yard = _Yard(tables, [fleet.candidates[c].capacity for c in tables.offered.candidate])
    gang = tables.wanted.gang
    together: dict[int, list[int]] = {}
    for template, number in enumerate(gang):
        if number >= 0:
            together.setdefault(int(number), []).append(template)
    asked: set[int] = set()
    for template in _queue(templates):
        number = int(gang[template])
        if number < 0:
            yard.place(template)
        elif number not in asked:
            asked.add(number)
            yard.place_gang(together[number], int(tables.wanted.gang_needs[number]))
    weight = sum(int(tables.wanted.weight[t]) * n for (_, t), n in yard.counts.items())
    return Chosen(yard.counts, weight, cost_of(tables, yard.counts))


def cost_of(tables: Tables, counts: dict[tuple[int, int], int]) -> float:
    """What placements cost by the tables: opening, the longest stay once, and each pod."""
    pairs, offered = tables.pairs, tables.offered
    lines: dict[int, list[tuple[int, int]]] = {}
    for (vehicle, template), number in counts.items():
        if number:
            lines.setdefault(vehicle, []).append((_pair(tables, vehicle, template), number))
    total = 0.0
    for vehicle, held in lines.items():
        total += float(offered.opening[vehicle]) + max(float(pairs.stay_cost[k]) for k, _ in held)
        total += sum(number * float(pairs.cost[k]) for k, number in held)
    return total


def _queue(templates: Sequence[Template]) -> Iterator[int]:
    """The template of every pending pod, in kube-scheduler's order."""
    pods = [
        (-template.priority, pod.created_at, pod.namespace, pod.name, index)
        for index, template in enumerate(templates)
        for pod in template.pods
    ]
    return (entry[-1] for entry in sorted(pods))


def _pair(tables: Tables, vehicle: int, template: int) -> int:
    first = tables.pairs.first
    begin, end = int(first[vehicle]), int(first[vehicle + 1])
    return begin + int(np.searchsorted(tables.pairs.template[begin:end], template))


class _Yard:
    """The vehicles with what is left of them."""

    def __init__(self, tables: Tables, capacity: Sequence[Quantities]) -> None:
        self.counts: dict[tuple[int, int], int] = {}
        self._tables = tables
        offered, pairs = tables.offered, tables.pairs
        self._free: list[list[int]] = offered.free.tolist()
        self._left_of = offered.free.copy()
        self._power: list[int] = offered.power.tolist()
        self._new_power = [0] * tables.vehicles
        self._until = [0] * tables.vehicles
        self._energy: list[int] = offered.energy.tolist()
        self._request: list[list[int]] = tables.wanted.request.tolist()
        self._left: list[int] = tables.wanted.count.tolist()
        columns = [tables.resources.index(name) for name in SCORED if name in tables.resources]
        whole = [
            [max(of.get(tables.resources[column], 0), 1) for column in columns] for of in capacity
        ]
        self._shares = [
            {column: 1 / each / len(columns) for column, each in zip(columns, of, strict=True)}
            for of in whole
        ]
        self._rooms = _LiveRooms(tables.rooms)
        self._spreads = _LiveSpreads(tables.spreads, tables.templates)
        order = np.argsort(pairs.template, kind="stable")
        vehicle_of = np.repeat(np.arange(tables.vehicles), np.diff(pairs.first))
        bounds = np.searchsorted(pairs.template[order], np.arange(tables.templates + 1))
        self._pairs = [order[a:b] for a, b in pairwise(bounds)]
        self._vehicles = [vehicle_of[pairs_of] for pairs_of in self._pairs]
        of_each = np.array(whole, np.float64)
        self._empty: Floats = (offered.free[:, columns] / of_each).mean(axis=1)
        self._costs: list[Floats] = [
            (tables.wanted.request[t, columns] / of_each[there]).mean(axis=1)
            for t, there in enumerate(self._vehicles)
        ]

    def place(self, template: int) -> tuple[int, int] | None:
        """One pod of the template where the score is the greatest; None: it fits nowhere."""
        there, costs = self._vehicles[template], self._costs[template]
        if not len(there):
            return None
        scores = self._empty[there] - costs
        refused = 0
        while scores[slot := int(scores.argmax())] > NOWHERE:
            vehicle, pair = int(there[slot]), int(self._pairs[template][slot])
            if not self._fits(template, vehicle, pair):
                costs[slot], scores[slot] = NEVER, -NEVER
                refused += 1
                if refused % LOOK_AT_ALL_AFTER == 0:
                    self._forget_the_full(template, scores)
            elif (group := self._spreads.broken(template, vehicle)) is not None:
                scores[self._spreads.beside(group, vehicle, there)] = -NEVER
            else:
                self._put(template, vehicle, pair, 1)
                return vehicle, pair
        return None

    def place_gang(self, members: Iterable[int], needs: int) -> None:
        """As many of a gang as fit; none where they are not enough."""
        members = list(members)
        before = {member: self._costs[member].copy() for member in members}
        placed = []
        for member in sorted(members, key=lambda member: -sum(self._request[member])):
            for _ in range(self._left[member]):
                found = self.place(member)
                if found is None:
                    break
                placed.append((member, *found))
        if len(placed) < needs:
            for member, vehicle, pair in placed:
                self._put(member, vehicle, pair, -1)
            for member, costs in before.items():
                self._costs[member] = costs

    def _forget_the_full(self, template: int, scores: Floats) -> None:
        """Of all vehicles at once: those whose machine is too full are asked no more."""
        there, asked = self._vehicles[template], self._request[template]
        full = np.zeros(len(there), np.bool_)
        for column in np.flatnonzero(asked):
            full |= self._left_of[there, column] < asked[column]
        self._costs[template][full], scores[full] = NEVER, -NEVER

    def _fits(self, template: int, vehicle: int, pair: int) -> bool:
        asked, pairs = self._request[template], self._tables.pairs
        if any(a > f for a, f in zip(asked, self._free[vehicle], strict=True) if a):
            return False
        power, until = int(pairs.power[pair]), int(pairs.until[pair])
        if power > self._power[vehicle] or not self._has_energy(vehicle, power, until):
            return False
        raised = self._raise(vehicle, self._new_power[vehicle] + power)
        before = self._raise(vehicle, self._new_power[vehicle])
        return self._rooms.carry(vehicle, before, self._until[vehicle], raised, until)

    def _has_energy(self, vehicle: int, power: int, until: int) -> bool:
        if self._energy[vehicle] >= PLENTY // 2:
            return True
        offered = self._tables.offered
        start = int(offered.start[vehicle])
        last = max(until, self._until[vehicle])
        standby = int(offered.lone_power[vehicle]) * max(last - int(offered.lone_from[vehicle]), 0)
        return self._energy[vehicle] - power * (until - start) - standby >= 0

    def _raise(self, vehicle: int, power: int) -> int:
        """By how many milliwatts the car draws more with so much for new pods."""
        offered = self._tables.offered
        cap, charging = int(offered.cap[vehicle]), int(offered.charging[vehicle])
        base, percent = int(offered.base[vehicle]), int(offered.efficiency_percent[vehicle])
        if power == 0:
            return 0
        computing = base + int(offered.standby[vehicle]) + power
        after = min(cap, charging + 100 * computing // percent)
        return after - min(cap, charging + 100 * base // percent)

    def _put(self, template: int, vehicle: int, pair: int, sign: int) -> None:
        pairs = self._tables.pairs
        for column, asked in enumerate(self._request[template]):
            self._free[vehicle][column] -= sign * asked
            self._empty[vehicle] -= sign * asked * self._shares[vehicle].get(column, 0.0)
        self._left_of[vehicle] = self._free[vehicle]
        power, until = int(pairs.power[pair]), int(pairs.until[pair])
        start = int(self._tables.offered.start[vehicle])
        if self._energy[vehicle] < PLENTY // 2:
            self._energy[vehicle] -= sign * power * (until - start)
        before, stays = self._raise(vehicle, self._new_power[vehicle]), self._until[vehicle]
        self._new_power[vehicle] += sign * power
        self._power[vehicle] -= sign * power
        self._left[template] -= sign
        key = vehicle, template
        self.counts[key] = self.counts.get(key, 0) + sign
        self._until[vehicle] = self._longest(vehicle) if sign < 0 else max(stays, until)
        after = self._raise(vehicle, self._new_power[vehicle])
        self._rooms.change(vehicle, before, stays, after, self._until[vehicle])
        self._spreads.count(template, vehicle, sign)

    def _longest(self, vehicle: int) -> int:
        held = [t for (v, t), number in self.counts.items() if v == vehicle and number]
        tables = self._tables
        return max((int(tables.pairs.until[_pair(tables, vehicle, t)]) for t in held), default=0)


class _LiveRooms:
    """What circuits have left: each vehicle counts with its whole raise until its last pod ends."""

    def __init__(self, rooms: Rooms) -> None:
        self._left: list[int] = rooms.left.tolist()
        self._start: list[int] = rooms.start.tolist()
        first = rooms.first.tolist()
        loads = list(zip(rooms.room.tolist(), rooms.parts.tolist(), strict=True))
        self._loads = [loads[a:b] for a, b in pairwise(first)]

    def carry(self, vehicle: int, before: int, stays: int, after: int, until: int) -> bool:
        """Whether they carry a vehicle that draws so much more, and for how long."""
        until = max(stays, until)
        for room, parts in self._loads[vehicle]:
            then = after if self._start[room] < until else 0
            now = before if self._start[room] < stays else 0
            if then > now and parts * (then - now) > self._left[room]:
                return False
        return True

    def change(self, vehicle: int, before: int, stays: int, after: int, until: int) -> None:
        """Take what a vehicle draws more, or give it back."""
        for room, parts in self._loads[vehicle]:
            then = after if self._start[room] < until else 0
            now = before if self._start[room] < stays else 0
            self._left[room] -= parts * (then - now)


class _LiveSpreads:
    """How many pods each domain counts."""

    def __init__(self, spreads: Spreads, templates: int) -> None:
        self._spreads = spreads
        first = spreads.first.tolist()
        self._counts = [spreads.running[a:b].tolist() for a, b in pairwise(first)]
        self._standing = [[0] * len(counts) for counts in self._counts]
        self._first = first
        self._subject = [np.flatnonzero(spreads.subject[:, t]).tolist() for t in range(templates)]
        self._counted = [np.flatnonzero(spreads.counted[:, t]).tolist() for t in range(templates)]

    def broken(self, template: int, vehicle: int) -> int | None:
        """The group whose constraint would not hold of the pod, or of one that counts it."""
        groups = dict.fromkeys((*self._subject[template], *self._counted[template]))
        return next((g for g in groups if not self._holds(g, template, vehicle)), None)

    def beside(self, group: int, vehicle: int, there: NDArray[np.int64]) -> Flags:
        """Which of some vehicles are in the same domain of the group."""
        domain = self._spreads.domain[group]
        same: Flags = domain[there] == domain[vehicle]
        return same

    def _holds(self, group: int, template: int, vehicle: int) -> bool:
        domain = int(self._spreads.domain[group, vehicle])
        subject = bool(self._spreads.subject[group, template])
        if domain < 0:
            return not subject
        counts, here = self._counts[group], domain - self._first[group]
        counted = int(self._spreads.counted[group, template])
        if not subject and not self._standing[group][here]:
            return True
        counts[here] += counted
        least = 0 if self._spreads.floor_is_zero[group] else min(counts)
        holds = bool(counts[here] - least <= int(self._spreads.skew[group]))
        counts[here] -= counted
        return holds

    def count(self, template: int, vehicle: int, sign: int) -> None:
        """Count a pod that was placed, or no more."""
        for groups, numbers in (
            (self._counted[template], self._counts),
            (self._subject[template], self._standing),
        ):
            for group in groups:
                domain = int(self._spreads.domain[group, vehicle])
                if domain >= 0:
                    numbers[group][domain - self._first[group]] += sign
