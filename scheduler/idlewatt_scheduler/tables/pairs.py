"""The pairs: each template is asked of some thousand vehicles at once, as many as a cache holds."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from idlewatt_scheduler.tables.asking import Answer, Asking
from idlewatt_scheduler.tables.layout import Flags, Indices, Ints, Pairs, SmallFloats
from idlewatt_scheduler.tables.money import Integrals, Money, rounded_down
from idlewatt_scheduler.tables.vehicles import Vehicles
from idlewatt_scheduler.tables.workings import Workings

VEHICLES_AT_ONCE = 4_096

_FIELDS = ("template", "power", "until", "most", "cost", "stay_cost")


def pairs_of(work: Workings) -> tuple[Pairs, Indices]:
    """The pairs, and which rows of the vehicles have any."""
    vehicles, snapshot = work.vehicles, work.fleet.snapshot
    integrals = Integrals.of(vehicles, snapshot.at)
    laid = _Laid()
    counts = [np.zeros(0, np.int64)]
    for first in range(0, len(vehicles.candidate), VEHICLES_AT_ONCE):
        part = vehicles.part(first, first + VEHICLES_AT_ONCE)
        columns = list(_columns(work, part, first, integrals))
        counts.append(laid.add(columns, len(part.candidate)))
    taken = np.concatenate(counts)
    rows = np.flatnonzero(taken).astype(np.int32)
    begins = np.concatenate([np.zeros(1, np.int64), np.cumsum(taken[rows])])
    return Pairs(first=begins, **laid.columns), rows


@dataclass(frozen=True, slots=True)
class _Column:
    """The pairs of one template: `rows` of some vehicles, the rest as in `Pairs`."""

    rows: Ints
    power: Indices
    until: Indices
    most: Indices
    cost: SmallFloats
    stay_cost: SmallFloats


def _columns(work: Workings, part: Vehicles, first: int, integrals: Integrals) -> Iterator[_Column]:
    """One for each template."""
    snapshot = work.fleet.snapshot
    asking = Asking(part, work.matching, work.resources, snapshot.policy, snapshot.at, first)
    money = Money(part, integrals)
    per_point = float(snapshot.policy.preference_cost_per_point)
    last = first + len(part.candidate)
    for template in work.templates:
        answer = asking.answer(template.sample)
        most = most_there(part, answer, len(template.pods))
        rows = np.flatnonzero(most)
        # An empty stay draws nothing.
        stays = answer.until > part.start
        power = answer.power if stays.all() else answer.power * stays
        cost, stay_cost = money.of(power, answer.ac, answer.until)
        unmet = work.matching.points(template.sample)[first:last]
        if unmet.any():
            cost += per_point * unmet
        yield _Column(
            rows=rows,
            power=power[rows].astype(np.int32),
            until=answer.until[rows].astype(np.int32),
            most=most[rows].astype(np.int32),
            cost=rounded_down(cost[rows]),
            stay_cost=rounded_down(stay_cost[rows]),
        )


class _Laid:
    """The pairs laid out by vehicle, in columns that grow by some thousand vehicles at a time."""

    def __init__(self) -> None:
        self.columns: dict[str, NDArray[Any]] = {
            name: np.empty(0, np.float32 if "cost" in name else np.int32) for name in _FIELDS
        }

    def add(self, columns: Sequence[_Column], number: int) -> Ints:
        """Lay out by vehicle: each template's pairs go where their vehicle's are next.

        Returns:
            How many pairs each of so many vehicles has.
        """
        taken = np.zeros(number, np.int64)
        for column in columns:
            taken[column.rows] += 1
        following = np.cumsum(taken) - taken + len(self.columns["template"])
        every = len(self.columns["template"]) + int(taken.sum())
        places = []
        for column in columns:
            places.append(following[column.rows])
            following[column.rows] += 1
        # One column after the other, so that the lines it is written to stay in the cache.
        for name, into in self.columns.items():
            into.resize(every, refcheck=False)
            for index, (column, where) in enumerate(zip(columns, places, strict=True)):
                into[where] = index if name == "template" else getattr(column, name)
        return taken


def most_there(vehicles: Vehicles, answer: Answer, count: int) -> Ints:
    """int64 for every vehicle: how many of a template fit were nothing else placed.

    An empty stay draws nothing.
    """
    length = answer.until - vehicles.start
    stays = length > 0
    fit = np.minimum(answer.fit, count)
    fit = _fitting(vehicles.power, answer.power, fit, stays)
    rows = vehicles.on_battery
    if len(rows):
        alone = np.maximum(answer.until[rows] - vehicles.lone_from[rows], 0)
        standby = vehicles.lone_power[rows] * (alone * stays[rows])
        taken = answer.power[rows] * np.maximum(length[rows], 0)
        every = np.ones(len(rows), np.bool_)
        there = _fitting(vehicles.energy[rows] - standby, taken, fit[rows], every)
        fit[rows] = _fitting(vehicles.reserve[rows] - standby, taken, there, every)
    fit[(answer.code > 0) | vehicles.spared] = 0
    return fit


def _fitting(left: Ints, each: Ints, fit: Ints, needed: Flags) -> Ints:
    """How many of `each` what is left holds, no more than `fit`; none where it is overdrawn.

    Both are far below 2^53, so that their quotient in floating point is as good as whole.
    """
    many = np.minimum(left / np.maximum(each, 1), fit).astype(np.int64)
    many[left < 0] = 0
    free = (each == 0) & (left >= 0)
    return np.where(needed & ~free, many, fit)
