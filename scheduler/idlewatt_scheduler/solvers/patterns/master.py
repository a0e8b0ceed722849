"""The linear program over patterns: prices for what slots have in common, and a bound.

A column is a pattern of a slot; of each slot at most one is taken. Columns are found as they are
needed: at the prices of one round, the best pattern of each slot. Whatever the prices are, what
they say that nobody can exceed is a bound: it is computed from them, not from the program's value.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from ortools.linear_solver import pywraplp

from idlewatt_scheduler.solvers.patterns.goals import Goal
from idlewatt_scheduler.solvers.patterns.joint import joint_of
from idlewatt_scheduler.solvers.patterns.problem import Problem, chord
from idlewatt_scheduler.solvers.patterns.search import Counts, Floats, search

FEW_NODES: Final = 2_000
MANY_NODES: Final = 200_000
"""Patterns looked at for the best one of a slot: at first, and before the prices are final."""

_GAP: Final = 1e-10
"""Of weights of millions, every pod of weight 1 counts."""

_SOLVED: Final = (pywraplp.Solver.OPTIMAL, pywraplp.Solver.FEASIBLE)


@dataclass(frozen=True, slots=True)
class Prices:
    """What each row and each room costs, and what follows from that.

    Attributes:
        best: by slot, what no pattern earns more than at these prices, 0 at the least.
        bound: no choice of patterns is worth more.
    """

    rows: Floats
    rooms: Floats
    best: Floats
    bound: float


class Master:
    """The program for one goal.

    Args:
        whole: patterns are taken as a whole or not at all: for a choice, not for prices.

    Attributes:
        columns: by slot, the patterns in the program.
    """

    def __init__(self, problem: Problem, goal: Goal, *, whole: bool = False) -> None:
        self._problem, self._goal, self._whole = problem, goal, whole
        self._joint = joint_of(problem, goal.weight, whole=whole)
        self._low = np.array([row.low for row in self._joint.rows])
        self._high = np.array([row.high for row in self._joint.rows])
        self._tables = [
            self._joint.coefficients(index, slot.templates)
            for index, slot in enumerate(problem.slots)
        ]
        self._linear = [goal.linear(problem, slot) for slot in problem.slots]
        self._known: list[set[bytes]] = [set() for _ in problem.slots]
        self.columns: list[list[Counts]] = [[] for _ in problem.slots]
        self._variables: list[list[Any]] = [[] for _ in problem.slots]
        self._build()

    def _build(self) -> None:
        solver = self.solver = pywraplp.Solver.CreateSolver("SCIP" if self._whole else "CLP")
        solver.Objective().SetMaximization()
        solver.NumVar(0.0, 0.0, "nothing")  # a program without any variable ends CLP, and us
        rooms = self._problem.rooms
        self._rows = [solver.Constraint(row.low, row.high) for row in self._joint.rows]
        self._scale = [float(max(room.left, 1)) for room in rooms]
        self._rooms = [
            solver.Constraint(-np.inf, room.left / scale)
            for room, scale in zip(rooms, self._scale, strict=True)
        ]
        self._one_each = [solver.Constraint(-np.inf, 1.0) for _ in self._problem.slots]
        for name, (low, high) in self._joint.others.items():
            variable = solver.Var(low, high, self._whole, name)
            for row, constraint in zip(self._joint.rows, self._rows, strict=True):
                if name in row.others:
                    constraint.SetCoefficient(variable, row.others[name])

    def add(self, index: int, patterns: Iterable[Counts]) -> int:
        """Patterns of a slot become columns, where they are not yet; how many are new."""
        new = {each.tobytes(): each for each in patterns}
        new = {key: each for key, each in new.items() if key not in self._known[index]}
        if not new:
            return 0
        slot = self._problem.slots[index]
        self._known[index].update(new)
        counts = np.array(list(new.values()), np.int16)
        raised = {
            number: room.parts[index] * slot.raised(counts, room.instant)
            for number, room in enumerate(self._problem.rooms)
            if index in room.parts
        }
        fits = np.ones(len(counts), np.bool_)
        for number, each in raised.items():
            fits &= each <= self._problem.rooms[number].left
        values = self._goal.values(self._problem, slot, counts)
        taken = counts.astype(np.float64) @ self._tables[index]
        for column in np.flatnonzero(fits):
            variable = self.solver.Var(0.0, 1.0 if self._whole else np.inf, self._whole, "")
            self.solver.Objective().SetCoefficient(variable, float(values[column]))
            for row in np.flatnonzero(taken[column]):
                self._rows[row].SetCoefficient(variable, float(taken[column, row]))
            for number, each in raised.items():
                if each[column]:
                    part = float(each[column]) / self._scale[number]
                    self._rooms[number].SetCoefficient(variable, part)
            self._one_each[index].SetCoefficient(variable, 1.0)
            self.columns[index].append(counts[column])
            self._variables[index].append(variable)
        return int(fits.sum())

    def solve(self) -> bool:
        """Solve the program with the columns it has; whether it has a solution."""
        parameters = pywraplp.MPSolverParameters()
        parameters.SetDoubleParam(parameters.RELATIVE_MIP_GAP, _GAP)
        return self.solver.Solve(parameters) in _SOLVED

    def chosen(self) -> dict[int, Counts]:
        """By slot, the pattern that the solution takes, where it takes one as a whole."""
        return {
            index: pattern
            for index, columns in enumerate(self.columns)
            for pattern, variable in zip(columns, self._variables[index], strict=True)
            if variable.solution_value() > 1 - 1e-6
        }

    def find_prices(self, rounds: int) -> Prices | None:
        """Solve and add columns until there are none to add; the best prices that were met.

        None where the columns it begins with have no solution.
        """
        best: Prices | None = None
        nodes = FEW_NODES
        for _ in range(rounds):
            if not self.solve():
                return best
            found, added, cut = self._price(nodes)
            if best is None or found.bound < best.bound:
                best = found
            if not added and (not cut or nodes >= MANY_NODES):
                break
            nodes = nodes if added else nodes * 10
        return best

    def enumerate(
        self, prices: Prices, gap: float, at_most: int, nodes: int
    ) -> tuple[list[Counts], bool]:
        """By slot, the patterns within a gap of its best one, and whether these are all.

        Of a slot that has more than `at_most` of them, some that are better.
        """
        pool: list[Counts] = []
        complete = True
        for index, slot in enumerate(self._problem.slots):
            each, once, beyond = self._earnings(index, prices.rows, prices.rooms)
            found = np.zeros((at_most, len(slot.templates)), np.int16)
            worth = np.zeros(at_most)
            within = gap
            for _ in range(_TIGHTER):
                count, whole, _ = search(
                    each,
                    once,
                    slot.level,
                    slot.most,
                    slot.takes,
                    slot.extra,
                    slot.room,
                    prices.best[index] - within - beyond,
                    0.0,
                    False,  # noqa: FBT003 - compiled functions take no keywords
                    nodes,
                    found,
                    worth,
                )
                if whole:
                    break
                complete = False
                within *= 0.6
            pool.append(found[:count].copy())
        return pool, complete

    def _price(self, nodes: int) -> tuple[Prices, int, bool]:
        """The best pattern of each slot at the prices of the last solution becomes a column.

        Returns the prices, how many columns are new, and whether a search was cut short.
        """
        rows = np.array([constraint.dual_value() for constraint in self._rows])
        rows = np.where(np.isinf(self._high), np.minimum(rows, 0.0), rows)
        rows = np.where(np.isinf(self._low), np.maximum(rows, 0.0), rows)
        duals = (constraint.dual_value() for constraint in self._rooms)
        rooms = np.array([max(d, 0.0) / s for d, s in zip(duals, self._scale, strict=True)])
        best = np.zeros(len(self._problem.slots))
        added, cut = 0, False
        for index, slot in enumerate(self._problem.slots):
            each, once, beyond = self._earnings(index, rows, rooms)
            found, worth = np.zeros((1, len(slot.templates)), np.int16), np.zeros(1)
            count, whole, bound = search(
                each,
                once,
                slot.level,
                slot.most,
                slot.takes,
                slot.extra,
                slot.room,
                0.0,
                self._goal.tolerance,
                True,  # noqa: FBT003 - compiled functions take no keywords
                nodes,
                found,
                worth,
            )
            best[index] = max(bound, 0.0) + beyond
            cut |= not whole
            if count:
                added += self.add(index, [found[0].copy()])
        return Prices(rows, rooms, best, self._bound(rows, rooms, best)), added, cut

    def _earnings(self, index: int, rows: Floats, rooms: Floats) -> tuple[Floats, Floats, float]:
        """What the pods of a slot earn: one by item, taken off once by end, and what is beyond."""
        slot = self._problem.slots[index]
        each, once, beyond = self._linear[index]
        each, once = each - self._tables[index] @ rows, once.copy()
        untils = np.array(slot.ends, np.int64)
        for number, room in enumerate(self._problem.rooms):
            parked = slot.parked
            if parked is None or index not in room.parts or rooms[number] <= 0.0:
                continue
            slope, off = chord(slot, room.instant)
            price = rooms[number] * room.parts[index]
            staying = untils > room.instant
            each -= np.where(staying[slot.level], price * slope * slot.power, 0.0)
            if not any(step.start <= room.instant < step.end for step in parked.base):
                once += np.where(staying, price * slope * parked.electrics.standby, 0.0)
            beyond += price * off
        return each, once, beyond

    def _bound(self, rows: Floats, rooms: Floats, best: Floats) -> float:
        """What no choice is worth more than at any prices of the right sign."""
        limits = np.where(rows >= 0, self._high, self._low)
        bound = float(rows[rows != 0] @ limits[rows != 0] + best.sum())
        bound += sum(p * room.left for p, room in zip(rooms, self._problem.rooms, strict=True))
        for name, (low, high) in self._joint.others.items():
            gain = -sum(
                price * row.others.get(name, 0.0)
                for price, row in zip(rows, self._joint.rows, strict=True)
            )
            bound += float(max(gain * low, gain * high))
        return float(bound)


_TIGHTER: Final = 12
"""How often a gap is made smaller until the patterns within it are few enough."""
