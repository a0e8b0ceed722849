"""Slots: the candidates that take pods, each with what fits there together, in columns of numbers.

A pattern is what one slot may hold: so many pods of each of its items. What fits is asked in whole
numbers. What a pattern costs is exact up to floating point: AC power is rounded down as it is paid.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from idlewatt_scheduler.board import Board
from idlewatt_scheduler.candidates import Parked
from idlewatt_scheduler.clauses.pod import PodCase
from idlewatt_scheduler.costs import Rates
from idlewatt_scheduler.energy import Source, computing_at
from idlewatt_scheduler.model.units import MILLIWATT_MILLISECONDS_PER_KWH, Instant
from idlewatt_scheduler.solvers.greedy import most_there
from idlewatt_scheduler.solvers.patterns.search import Counts, Floats, Ints
from idlewatt_scheduler.solvers.rows import Row, charge_rows, power_rows, request_rows, start_of_all

GREATEST = 2**60
"""Rows are counted in 64 bits: what is more than this is not put into numbers."""


@dataclass(frozen=True, slots=True)
class Slot:
    """A candidate that takes some of the waiting pods: n items, e ends of stays, r rows.

    Attributes:
        templates: by item.
        cases: by item, one pod of it there.
        most: int64[n], how many fit there by themselves, or wait.
        power: int64[n], milliwatts of one pod.
        level: int64[n], which of the ends each item's stay has.
        ends: in order.
        takes: int64[n, r], what one pod takes of each row.
        extra: int64[e, r], what stays take together, by the last end.
        room: int64[r].
        exact: what fits the rows fits the candidate, if its circuits allow it.
        bill: what patterns cost there.
    """

    candidate: int
    parked: Parked | None
    templates: tuple[int, ...]
    cases: tuple[PodCase, ...]
    most: Ints
    power: Ints
    level: Ints
    ends: tuple[Instant, ...]
    takes: Ints
    extra: Ints
    room: Ints
    exact: bool
    bill: "Bill"

    @property
    def start(self) -> Instant:
        """When new pods start there."""
        return self.cases[0].stay.start

    def power_at(self, counts: Counts, instant: Instant) -> tuple[Ints, Ints]:
        """Milliwatts of the new pods of each pattern at an instant, and whether any stays: [m]."""
        untils = np.array(self.ends, np.int64)[self.level]
        staying = (untils > instant) & (self.start <= instant)
        there = counts[:, staying].astype(np.int64)
        return there @ self.power[staying], (there.sum(axis=1) > 0).astype(np.int64)

    def raised(self, counts: Counts, instant: Instant) -> Ints:
        """By how much each pattern raises the draw of the car at an instant, milliwatts."""
        parked = self.parked
        power, staying = self.power_at(counts, instant)
        if parked is None or not parked.electrics.plugged:
            return np.zeros_like(power)
        figures, base = parked.electrics, computing_at(parked.base, instant)
        computing = base + power + (0 if base else figures.standby) * staying
        drawn = parked.charging_at(instant) + computing * 100 // figures.efficiency_percent
        raised: Ints = np.minimum(figures.cap, drawn) - parked.draw(base, instant)
        return raised


@dataclass(frozen=True, slots=True)
class Bill:
    """What the patterns of one slot cost: j pieces of time, in which nothing starts or ends.

    Attributes:
        each: float64[n], of one pod, apart from its energy: what its preferences weigh.
        once: float64[e], paid once, by the last end: availability, connection, waking.
        ac: float64[j], of a milliwatt AC throughout the piece; the power is rounded down.
        dc: float64[j], of a milliwatt DC.
        standby: int64[j], milliwatts while a new pod stays.
        stays: bool[n, j], whether a pod of the item still stays in the piece.
        ended: int64[e], how many pieces there are before each end.
        efficiency_percent: from AC to DC.
    """

    each: Floats
    once: Floats
    ac: Floats
    dc: Floats
    standby: Ints
    stays: Counts
    ended: Ints
    efficiency_percent: int

    def of(self, slot: Slot, counts: Counts) -> Floats:
        """What each of these patterns costs, in the plan's currency: float64[m]."""
        numbers = counts.astype(np.int64)
        placed = numbers > 0
        last = np.where(placed, slot.level, -1).max(axis=1, initial=-1)
        pieces = np.where(last >= 0, self.ended[last], 0)
        within = np.arange(len(self.ac)) < pieces[:, np.newaxis]
        computing = np.where(within, numbers @ (slot.power[:, np.newaxis] * self.stays), 0)
        computing = computing + np.where(within, self.standby, 0)
        drawn = computing * 100 // self.efficiency_percent
        once = np.where(last >= 0, self.once[last], 0.0)
        return drawn @ self.ac + computing @ self.dc + numbers @ self.each + once

    def linear(self, slot: Slot) -> tuple[Floats, Floats, float]:
        """Of one pod by item, once by end, and what the sum may exceed the cost by at the most.

        The same without rounding AC power down: it is never less than the cost where energy has
        a price, and more by less than a milliwatt.
        """
        a_milliwatt = self.ac * 100 / self.efficiency_percent + self.dc
        each = self.each + slot.power * (self.stays @ a_milliwatt)
        standby = np.concatenate([[0.0], np.cumsum(self.standby * a_milliwatt)])
        return each, self.once + standby[self.ended], float(np.maximum(self.ac, 0.0).sum())


def slots_of(board: Board) -> tuple[Slot, ...] | None:
    """The slots of a board without new pods; None: some figures are too great for 64 bits."""
    takers: dict[int, list[int]] = {}
    for template, left in enumerate(board.left):
        for candidate in range(len(board.candidates)) if left else ():
            if board.may_ever_take(template, candidate):
                takers.setdefault(candidate, []).append(template)
    slots: list[Slot] = []
    for candidate in sorted(takers):
        slot = _slot(board, candidate, takers[candidate])
        if slot is None:
            return None
        slots.append(slot)
    return tuple(slots)


def _slot(board: Board, candidate: int, templates: Sequence[int]) -> Slot | None:
    where = board.candidates[candidate]
    cases = {template: board.case(template, candidate)[0] for template in templates}
    ends = tuple(sorted({case.stay.until for case in cases.values()}))
    recharged = _is_recharged(where.parked)
    rows = list(request_rows(where, cases))
    if where.parked is not None:
        rows.extend(power_rows(where.parked, cases))
        if not recharged:
            rows.extend(charge_rows(where.parked, cases))
    most = [most_there(board, template, candidate, spread=False) for template in templates]
    numbers = dict(zip(templates, most, strict=True))
    rows = [row for row in rows if _taken(row, numbers) > row.room]
    if any(_taken(row, numbers) > GREATEST for row in rows):
        return None
    return Slot(
        candidate=candidate,
        parked=where.parked,
        templates=tuple(templates),
        cases=tuple(cases.values()),
        most=np.array(most, np.int64),
        power=np.array([case.power for case in cases.values()], np.int64),
        level=np.array([ends.index(case.stay.until) for case in cases.values()], np.int64),
        ends=ends,
        takes=_table([[row.pods.get(t, 0) for row in rows] for t in templates], len(rows)),
        extra=_table([[row.stays.get(end, 0) for row in rows] for end in ends], len(rows)),
        room=np.array([row.room for row in rows], np.int64),
        exact=not recharged,
        bill=_bill(board, candidate, cases, ends),
    )


def _is_recharged(parked: Parked | None) -> bool:
    """It computes on a battery that is charged meanwhile: no row says what that leaves."""
    return (
        parked is not None
        and parked.charging is not None
        and parked.electrics.source is Source.BATTERY
    )


def _taken(row: Row, numbers: Mapping[int, int]) -> int:
    """What so many pods of each template would take of a row, their stays included."""
    pods = sum(amount * numbers[template] for template, amount in row.pods.items())
    return pods + max(row.stays.values(), default=0)


def _table(rows: list[list[int]], columns: int) -> Ints:
    return np.array(rows, np.int64).reshape(len(rows), columns)


def _bill(
    board: Board, candidate: int, cases: Mapping[int, PodCase], ends: Sequence[Instant]
) -> Bill:
    """Nothing is paid on a plain node; it is the planner's last choice all the same."""
    parked, rates = board.candidates[candidate].parked, board.rates[candidate]
    if parked is None or rates is None:
        nothing, none = np.zeros(len(ends)), np.zeros(0)
        stays = np.zeros((len(cases), 0), np.int16)
        ended = np.zeros(len(ends), np.int64)
        each = np.zeros(len(cases))
        return Bill(each, nothing, none, none, np.zeros(0, np.int64), stays, ended, 100)
    start = start_of_all(cases)
    edges = {start, *ends}
    edges.update(e for step in parked.base for e in (step.start, step.end) if start < e < ends[-1])
    pieces = list(pairwise(sorted(edges)))
    prices = [_of_a_milliwatt(parked, rates, *piece) for piece in pieces]
    alone = [not any(s.start <= a < s.end for s in parked.base) for a, _ in pieces]
    standby = parked.electrics.standby
    return Bill(
        each=np.array([float(board.preference(case)) for case in cases.values()]),
        once=np.array([_once(parked, rates, start, end) for end in ends]),
        ac=np.array([ac for ac, _ in prices]),
        dc=np.array([dc for _, dc in prices]),
        standby=np.array([standby * each for each in alone], np.int64),
        stays=np.array([[a < c.stay.until for a, _ in pieces] for c in cases.values()], np.int16),
        ended=np.array([sum(a < end for a, _ in pieces) for end in ends], np.int64),
        efficiency_percent=parked.electrics.efficiency_percent,
    )


def _of_a_milliwatt(
    parked: Parked, rates: Rates, start: Instant, end: Instant
) -> tuple[float, float]:
    """What a milliwatt from one instant to another costs: AC, and DC on top."""
    dc = rates.wear * (end - start)
    if rates.battery is not None:
        return 0.0, float(dc + rates.battery * (end - start))
    if rates.energy is not None:
        return float(rates.energy * (end - start)), float(dc)
    if parked.prices is None:
        return 0.0, float(dc)
    priced = parked.prices.price_times_milliseconds(start, end) * rates.tariff
    return float(priced / MILLIWATT_MILLISECONDS_PER_KWH), float(dc)


def _once(parked: Parked, rates: Rates, start: Instant, end: Instant) -> float:
    """What is paid once if the last new pod stays until then, but for standby."""
    alone = 0
    fee = 0
    for first, last in _uncovered(parked, start, end):
        alone += last - first
        fee += max(last - max(first, rates.connection_from), 0)
    return float(alone * rates.availability + fee * rates.connection + rates.waking)


def _uncovered(parked: Parked, start: Instant, end: Instant) -> Iterator[tuple[Instant, Instant]]:
    """From when to when no running pod stays."""
    for step in parked.base:
        if step.start < end and step.end > start:
            if step.start > start:
                yield start, step.start
            start = step.end
    if start < end:
        yield start, end
