"""The linear program over patterns: prices for what slots have in common, and a bound.

A column is a pattern of a slot; of each slot at most one is taken. Columns are found as they are
needed: at the prices of one round, the best pattern of each slot. Whatever the prices are, what
they say that nobody can exceed is a bound: it is computed from them, not from the program's value.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

import numpy as np
from ortools.linear_solver import pywraplp

from idlewatt_scheduler.solvers.patterns.goals import Goal
from idlewatt_scheduler.solvers.patterns.joint import joint_of
from idlewatt_scheduler.solvers.patterns.problem import Problem, alone, chord
from idlewatt_scheduler.solvers.patterns.search import Counts, Floats
from idlewatt_scheduler.solvers.patterns.within import (
    Earnings,
    Part,
    Within,
    everything,
)

FEW_NODES: Final = 2_000
MANY_NODES: Final = 60_000
"""Patterns looked at for the best one of a slot: at first, and before the prices are final."""

_GAP: Final = 1e-10
"""Of weights of millions, every pod of weight 1 counts."""

_SOLVED: Final = (pywraplp.Solver.OPTIMAL, pywraplp.Solver.FEASIBLE)


Taken: TypeAlias = list[tuple[int, Counts, float]]
"""Slots, patterns and the share that is taken of them."""


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


@dataclass(frozen=True, slots=True)
class Branch:
    """A part of all choices: what is asked of slots, rows and other variables there.

    Attributes:
        slots: by slot, where it is less than everything.
        rows: by row, from and to.
        others: by variable, from and to.
    """

    slots: Mapping[int, Within] = field(default_factory=dict)
    rows: Mapping[int, tuple[float, float]] = field(default_factory=dict)
    others: Mapping[str, tuple[float, float]] = field(default_factory=dict)


class Master:
    """The program for one goal.

    Args:
        whole: patterns are taken as a whole or not at all: for a choice, not for prices.

    Attributes:
        goal: what it asks for.
        columns: by slot, the patterns in the program.
        rooms: those of the problem when the program was made.
        asked: how often a slot was searched for patterns; long searches count more often.
    """

    def __init__(self, problem: Problem, goal: Goal, *, whole: bool = False) -> None:
        self._problem, self.goal, self._whole = problem, goal, whole
        self.rooms = tuple(problem.rooms)
        self.joint = joint_of(problem, goal.weight, whole=whole)
        self._low = np.array([row.low for row in self.joint.rows])
        self._high = np.array([row.high for row in self.joint.rows])
        self._tables = [
            self.joint.coefficients(index, slot.templates)
            for index, slot in enumerate(problem.slots)
        ]
        self._linear = [goal.linear(problem, slot) for slot in problem.slots]
        self._known: list[set[bytes]] = [set() for _ in problem.slots]
        self.columns: list[list[Counts]] = [[] for _ in problem.slots]
        self._variables: list[list[Any]] = [[] for _ in problem.slots]
        self._branch = Branch()
        self._solved = self._entered = False
        self.asked = 0
        self._within = [everything(slot) for slot in problem.slots]
        self._alone = [alone(problem, index) for index in range(len(problem.slots))]
        self._parts = [
            Part(slot, within, limits)
            for slot, within, limits in zip(problem.slots, self._within, self._alone, strict=True)
        ]
        self._build()

    def _build(self) -> None:
        solver = self.solver = pywraplp.Solver.CreateSolver("SCIP" if self._whole else "CLP")
        solver.Objective().SetMaximization()
        solver.NumVar(0.0, 0.0, "nothing")  # a program without any variable ends CLP, and us
        rooms = self.rooms
        self._rows = [solver.Constraint(row.low, row.high) for row in self.joint.rows]
        self._scale = [float(max(room.left, 1)) for room in rooms]
        self._rooms = [
            solver.Constraint(-np.inf, room.left / scale)
            for room, scale in zip(rooms, self._scale, strict=True)
        ]
        self._one_each = [solver.Constraint(-np.inf, 1.0) for _ in self._problem.slots]
        self._others: dict[str, Any] = {}
        for name, (low, high) in self.joint.others.items():
            variable = self._others[name] = solver.Var(low, high, self._whole, name)
            for row, constraint in zip(self.joint.rows, self._rows, strict=True):
                if name in row.others:
                    constraint.SetCoefficient(variable, row.others[name])
        self._lacking: list[Any] = []
        self._dearness = 0.0
        if not self._whole:
            self._let_lack()

    def _let_lack(self) -> None:
        """Let what has to be there be missed, dearly: then there is always a solution.

        Within a branch the columns so far may make no choice, though there are choices. What limits
        from above stays: a thousandth of a heavy pod beyond it would do for many light ones.
        """
        for constraint in (*self._rows, *self._one_each):
            variable = self.solver.NumVar(0.0, np.inf, "")
            constraint.SetCoefficient(variable, 1.0)
            self._lacking.append(variable)
        self._price_lack(1.0)

    def insist(self) -> bool:
        """Make it dearer to miss a row; false where it is as dear as can be."""
        if self._dearness >= _DEAREST:
            return False
        self._price_lack(self._dearness * 1_000)
        return True

    def _price_lack(self, dearness: float) -> None:
        if dearness == self._dearness:
            return
        self._dearness, self._solved = dearness, False
        price = self.goal.beyond(self._problem) * _DEAR * dearness
        dear = [row.dear for row in self.joint.rows]
        for number, variable in enumerate(self._lacking):
            each = price * dear[number] if number < len(dear) else price
            self.solver.Objective().SetCoefficient(variable, -each)

    def enter(self, branch: Branch) -> None:
        """Look at the choices of a branch only."""
        self._price_lack(1.0)
        self._solved, self._entered = False, True
        before, self._branch = self._branch, branch
        for index in {*before.slots, *branch.slots}:
            slot = self._problem.slots[index]
            within = branch.slots.get(index) or everything(slot)
            if within == self._within[index]:
                continue
            self._within[index], self._parts[index] = within, Part(slot, within, self._alone[index])
            self._one_each[index].SetLb(-np.inf if within.is_open else 1.0)
            self._let_in(index)
        for row in {*before.rows, *branch.rows}:
            asked = self.joint.rows[row]
            low, high = branch.rows.get(row, (asked.low, asked.high))
            self._rows[row].SetBounds(low, high)
            self._low[row], self._high[row] = low, high
        for name in {*before.others, *branch.others}:
            low, high = branch.others.get(name, self.joint.others[name])
            self._others[name].SetBounds(low, high)

    def _let_in(self, index: int, first: int = 0) -> None:
        """Have those columns of a slot taken only, from one on, that are in the branch."""
        columns = self.columns[index][first:]
        if columns:
            inside = self._within[index].holds(self._problem.slots[index], np.array(columns))
            for variable, each in zip(self._variables[index][first:], inside, strict=True):
                variable.SetUb(np.inf if each else 0.0)

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
            for number, room in enumerate(self.rooms)
            if index in room.parts
        }
        fits = np.ones(len(counts), np.bool_)
        for number, each in raised.items():
            fits &= each <= self.rooms[number].left
        values = self.goal.values(self._problem, slot, counts)
        taken = counts.astype(np.float64) @ self._tables[index]
        first = len(self.columns[index])
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
        if index in self._branch.slots:
            self._let_in(index, first)
        self._solved &= not fits.any()
        return int(fits.sum())

    def solve(self) -> bool:
        """Solve the program with the columns it has; whether it has a solution."""
        parameters = pywraplp.MPSolverParameters()
        parameters.SetDoubleParam(parameters.RELATIVE_MIP_GAP, _GAP)
        if not self._whole:
            # Without presolving, the next solution is a few steps from the last one: the limits
            # of a branch leave its prices feasible, and columns leave its shares feasible.
            way = parameters.DUAL if self._entered else parameters.PRIMAL
            parameters.SetIntegerParam(parameters.PRESOLVE, parameters.PRESOLVE_OFF)
            parameters.SetIntegerParam(parameters.LP_ALGORITHM, way)
            self._entered = False
        self._solved = True
        return self.solver.Solve(parameters) in _SOLVED

    def lacks(self) -> bool:
        """Whether the best solution misses a row: it is none then."""
        if not self._solved:
            self.solve()
        return any(each.solution_value() > _MISSED for each in self._lacking)

    def taken(self) -> Taken:
        """The patterns that the best solution takes a share of, with their slots and shares."""
        if not self._solved:
            self.solve()
        return [
            (index, pattern, share)
            for index, columns in enumerate(self.columns)
            for pattern, variable in zip(columns, self._variables[index], strict=True)
            if (share := variable.solution_value()) > _SHARE
        ]

    def other(self, name: str) -> float:
        """The value of another variable in the best solution."""
        if not self._solved:
            self.solve()
        return float(self._others[name].solution_value())

    def best_columns(self, prices: Prices, at_most: int) -> list[list[Counts]]:
        """Those columns that lack the least at these prices, of all slots together."""
        short: list[tuple[float, int, int]] = []
        for index, columns in enumerate(self.columns):
            if columns:
                earnings = self._earnings(index, prices.rows, prices.rooms)
                worth = earnings.of(self._problem.slots[index], np.array(columns))
                lacking = prices.best[index] - worth
                short.extend((float(each), index, n) for n, each in enumerate(lacking))
        pool: list[list[Counts]] = [[] for _ in self.columns]
        for _, index, column in sorted(short)[:at_most]:
            pool[index].append(self.columns[index][column])
        return pool

    def chosen(self) -> dict[int, Counts]:
        """By slot, the pattern that the solution takes, where it takes one as a whole."""
        return {index: pattern for index, pattern, share in self.taken() if share > 1 - 1e-6}

    def find_prices(
        self,
        rounds: int,
        enough: float = -np.inf,
        most_nodes: int = MANY_NODES,
        is_over: Callable[[], bool] | None = None,
    ) -> Prices | None:
        """Solve and add columns until there are none to add; the best prices that were met.

        Args:
            rounds: no more than so many.
            enough: a bound that is no more than this is near enough.
            most_nodes: patterns looked at for the best one of a slot, at the most.
            is_over: asked in each round.
        """
        best: Prices | None = None
        nodes, tolerance = FEW_NODES, self.goal.tolerance
        for _ in range(rounds):
            if best is not None and is_over is not None and is_over():
                return best
            if not self.solve():
                return best
            before = tolerance
            found, added, short = self._price(nodes, tolerance)
            if best is None or found.bound < best.bound:
                best = found
            if best.bound <= enough:
                break
            if np.isfinite(enough):
                # The last thousandths of what is to be shown take the most rounds.
                tolerance = max(self.goal.tolerance, _FINELY * (best.bound - enough))
            if not added and (not short or nodes >= most_nodes) and tolerance >= before:
                break
            nodes = nodes if added or tolerance < before else nodes * 10
        return best

    def enumerate(
        self, prices: Prices, gap: float, at_most: int, nodes: int
    ) -> tuple[list[Counts], bool]:
        """By slot, the patterns within a gap of its best one, and whether these are all.

        No more is looked for once there are more than `at_most` of all slots together.
        """
        pool: list[Counts] = []
        complete = True
        for index, part in enumerate(self._parts):
            earnings = self._earnings(index, prices.rows, prices.rooms)
            threshold = prices.best[index] - gap - earnings.beyond
            room = at_most - sum(map(len, pool))
            found, whole, _ = part.search(
                earnings, threshold, 0.0, room if complete else 0, nodes, best_alone=False
            )
            complete &= whole
            if part.end >= 0 and part.nothing(earnings) > threshold:
                found = np.concatenate([found, part.base[np.newaxis]])
            pool.append(found)
        return pool, complete

    def near(self, prices: Prices, gap: float, at_most: int, nodes: int) -> list[list[Counts]]:
        """By slot, its columns, and as many patterns as may be that lack the least at these prices.

        None of them lacks more than the gap.
        """
        pool: list[list[Counts]] = []
        for index, part in enumerate(self._parts):
            earnings = self._earnings(index, prices.rows, prices.rooms)
            within, whole = gap, False
            for _ in range(_TIGHTER):
                threshold = prices.best[index] - within - earnings.beyond
                found, whole, _ = part.search(
                    earnings, threshold, 0.0, at_most, nodes, best_alone=False
                )
                if whole:
                    break
                within *= _TIGHTLY
            pool.append([*self.columns[index], *found])
        return pool

    def _price(self, nodes: int, tolerance: float) -> tuple[Prices, int, bool]:
        """The best pattern of each slot at the prices of the last solution becomes a column.

        Returns the prices, how many columns are new, and whether a search was cut short.
        """
        rows = np.array([constraint.dual_value() for constraint in self._rows])
        rows = np.where(np.isinf(self._high), np.minimum(rows, 0.0), rows)
        rows = np.where(np.isinf(self._low), np.maximum(rows, 0.0), rows)
        duals = (constraint.dual_value() for constraint in self._rooms)
        rooms = np.array([max(d, 0.0) / s for d, s in zip(duals, self._scale, strict=True)])
        best = np.zeros(len(self._problem.slots))
        added, short = 0, False
        for index, part in enumerate(self._parts):
            earnings = self._earnings(index, rows, rooms)
            known = self._best_known(index, earnings)
            found, whole, bound = part.search(earnings, known, tolerance, 1, nodes, best_alone=True)
            best[index] = max(bound, known) + earnings.beyond
            short |= not whole
            if part.possible:
                self.asked += 1 if whole else 1 + nodes // _A_SEARCH
            added += self.add(index, found)
            if part.end >= 0 and part.allowed and part.nothing(earnings) >= known:
                added += self.add(index, [part.base])
        return Prices(rows, rooms, best, self._bound(rows, rooms, best)), added, short

    def _best_known(self, index: int, earnings: Earnings) -> float:
        """What the best column of a slot earns, or the pattern that all begin with."""
        best = self._parts[index].nothing(earnings)
        if self.columns[index]:
            slot, counts = self._problem.slots[index], np.array(self.columns[index])
            worth = earnings.of(slot, counts)
            if index in self._branch.slots:
                worth = worth[self._within[index].holds(slot, counts)]
            best = max(best, float(worth.max(initial=-np.inf)))
        return best

    def _earnings(self, index: int, rows: Floats, rooms: Floats) -> Earnings:
        """What the pods of a slot earn: one by item, taken off once by end, and what is beyond."""
        slot = self._problem.slots[index]
        each, once, beyond = self._linear[index]
        each, once = each - self._tables[index] @ rows, once.copy()
        untils = np.array(slot.ends, np.int64)
        for number, room in enumerate(self.rooms):
            if index not in room.parts or rooms[number] <= 0.0:
                continue
            slope, fixed, off = chord(slot, room.instant)
            price = rooms[number] * room.parts[index]
            staying = untils > room.instant
            each -= np.where(staying[slot.level], price * slope * slot.power, 0.0)
            once += np.where(staying, price * fixed, 0.0)
            beyond += price * off
        return Earnings(each, once, beyond)

    def _bound(self, rows: Floats, rooms: Floats, best: Floats) -> float:
        """What no choice is worth more than at any prices of the right sign."""
        limits = np.where(rows >= 0, self._high, self._low)
        bound = float(rows[rows != 0] @ limits[rows != 0] + best.sum())
        bound += sum(p * room.left for p, room in zip(rooms, self.rooms, strict=True))
        for name, given in self.joint.others.items():
            low, high = self._branch.others.get(name, given)
            gain = -sum(
                price * row.others.get(name, 0.0)
                for price, row in zip(rows, self.joint.rows, strict=True)
            )
            bound += float(max(gain * low, gain * high))
        return float(bound)


_A_SEARCH: Final = 1_000
"""A search that is cut short after so many patterns counts as one more."""

_FINELY: Final = 3e-4
_DEAR: Final = 10.0
_DEAREST: Final = 1e3

_TIGHTER: Final = 12
_TIGHTLY: Final = 0.6
"""How often, and to what part, a gap is made smaller until few enough patterns are within it."""

_SHARE: Final = 1e-7
_MISSED: Final = 1e-6
"""A share, and what is missing of a row, that is more than rounding."""
