"""A sieve for patterns: with cuts the bound comes nearer, and fewer patterns could be better."""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from ortools.linear_solver import pywraplp

from idlewatt_scheduler.solvers.patterns.cuts import Cut, broken
from idlewatt_scheduler.solvers.patterns.goals import Goal
from idlewatt_scheduler.solvers.patterns.joint import joint_of
from idlewatt_scheduler.solvers.patterns.problem import Problem
from idlewatt_scheduler.solvers.patterns.search import Counts, Floats, Ints

CUTS_AT_ONCE: Final = 30
COLUMNS_AT_ONCE: Final = 200
_NOTHING: Final = 1e-9
_STALLED: Final = 1e-3


class Sieve:
    """The linear program over all patterns of a pool, with cuts.

    Attributes:
        bound: no choice of these patterns is worth more.
        cuts: those that were found.
    """

    def __init__(self, problem: Problem, goal: Goal, pool: Sequence[Sequence[Counts]]) -> None:
        self._problem = problem
        self._joint = joint_of(problem, goal.weight)
        self.bound = np.inf
        self.cuts: list[Cut] = []
        self._pool = [
            np.unique(np.array(each, np.int16).reshape(-1, len(slot.templates)), axis=0)
            for each, slot in zip(pool, problem.slots, strict=True)
        ]
        column_of = self._column_of = {t: index for index, t in enumerate(problem.demand)}
        self._slot = np.repeat(np.arange(len(self._pool)), [len(each) for each in self._pool])
        self._row = np.concatenate([np.arange(len(each)) for each in self._pool])
        self._capacity = np.array([min(float(room.left), 1.0) for room in problem.rooms])
        total = len(self._slot)
        self._held = np.zeros((total, len(column_of)), np.int64)
        self._taken = np.zeros((total, len(self._joint.rows)))
        self._raised = np.zeros((total, len(problem.rooms)))
        self._values = np.zeros(total)
        for index in range(len(self._pool)):
            self._look_up(goal, index)
        self._alive = np.all(self._raised <= 1 + 1e-12, axis=1)
        self._earned = self._values
        self._cut_counts: list[Ints] = []
        self._cut_rows: list[Any] = []
        self._variables: dict[int, Any] = {}
        self._begun: list[int] = []
        self._taken_now: list[int] = []
        self._build()

    def _look_up(self, goal: Goal, index: int) -> None:
        """What the patterns of a slot hold, count in rows, raise in rooms, and are worth."""
        slot, counts = self._problem.slots[index], self._pool[index]
        here = np.flatnonzero(self._slot == index)
        templates = [self._column_of[template] for template in slot.templates]
        self._held[here[:, np.newaxis], templates] = counts
        table = self._joint.coefficients(index, slot.templates)
        self._taken[here] = counts.astype(np.float64) @ table
        self._values[here] = goal.values(self._problem, slot, counts)
        for number, room in enumerate(self._problem.rooms):
            if index in room.parts:
                raised = room.parts[index] * slot.raised(counts, room.instant)
                self._raised[here, number] = raised / max(room.left, 1)

    def _build(self) -> None:
        solver = self._solver = pywraplp.Solver.CreateSolver("CLP")
        solver.Objective().SetMaximization()
        solver.NumVar(0.0, 0.0, "nothing")  # a program without any variable ends CLP, and us
        self._rows = [solver.Constraint(row.low, row.high) for row in self._joint.rows]
        self._rooms = [solver.Constraint(-np.inf, float(room)) for room in self._capacity]
        self._one_each = [solver.Constraint(-np.inf, 1.0) for _ in self._problem.slots]
        for name, (low, high) in self._joint.others.items():
            variable = solver.NumVar(low, high, name)
            for row, constraint in zip(self._joint.rows, self._rows, strict=True):
                if name in row.others:
                    constraint.SetCoefficient(variable, row.others[name])

    def _add(self, column: int) -> None:
        variable = self._solver.NumVar(0.0, np.inf, "")
        self._variables[column] = variable
        self._solver.Objective().SetCoefficient(variable, float(self._values[column]))
        for row in np.flatnonzero(self._taken[column]):
            self._rows[row].SetCoefficient(variable, float(self._taken[column, row]))
        for room in np.flatnonzero(self._raised[column]):
            self._rooms[room].SetCoefficient(variable, float(self._raised[column, room]))
        self._one_each[self._slot[column]].SetCoefficient(variable, 1.0)
        for counts, constraint in zip(self._cut_counts, self._cut_rows, strict=True):
            if counts[column]:
                constraint.SetCoefficient(variable, float(counts[column]))

    def run(self, value: float, start: Sequence[Sequence[Counts]], rounds: int) -> None:
        """Add cuts until they gain nothing; patterns that are in no better choice are let go.

        Args:
            value: only choices that are worth more are looked for.
            start: patterns to begin with, among which there is a choice.
            rounds: of cuts.
        """
        known = [{each.tobytes() for each in patterns} for patterns in start]
        for column in np.flatnonzero(self._alive):
            slot = self._slot[column]
            if self._pool[slot][self._row[column]].tobytes() in known[slot]:
                self._begun.append(int(column))
                self._add(int(column))
        last = np.inf
        for _ in range(rounds):
            if not self._solve(value):
                return
            if self.bound <= value or last - self.bound < _STALLED * (last - value):
                return
            last = self.bound
            columns = np.array(list(self._variables), np.int64)
            taken = np.array([each.solution_value() for each in self._variables.values()])
            held, some = self._held[columns], taken > _NOTHING
            self._taken_now = columns[some].tolist()
            demand = self._problem.demand
            cuts = list(broken(held[some], taken[some], demand, CUTS_AT_ONCE))
            if not cuts:
                return
            for cut in cuts:
                self._cut(cut)

    def left(self, at_most: int) -> tuple[list[list[Counts]], bool]:
        """By slot, the patterns that could be in a better choice, and whether these are all.

        Where there are more than `at_most`, the best of them, and those that the last solution
        takes, or that it began with: among these there is a choice.
        """
        alive = np.flatnonzero(self._alive)
        short = self._best()[self._slot[alive]] - self._earned[alive]
        chosen = alive[np.argsort(short, kind="mergesort")[:at_most]]
        if len(chosen) < len(alive):
            chosen = np.union1d(chosen, np.array(self._begun + self._taken_now, np.int64))
        pool = [
            [counts[row] for row in self._row[chosen[self._slot[chosen] == index]]]
            for index, counts in enumerate(self._pool)
        ]
        return pool, len(alive) <= at_most

    def _cut(self, cut: Cut) -> None:
        counts = cut.counts(self._held, self._column_of)
        constraint = self._solver.Constraint(-np.inf, float(cut.limit(self._problem.demand)))
        for column, variable in self._variables.items():
            if counts[column]:
                constraint.SetCoefficient(variable, float(counts[column]))
        self.cuts.append(cut)
        self._cut_counts.append(counts)
        self._cut_rows.append(constraint)

    def _solve(self, better_than: float) -> bool:
        """Solve, with all patterns that earn something; and let go of what cannot be better."""
        while self._solver.Solve() == pywraplp.Solver.OPTIMAL:
            bound = self._price()
            if bound < self.bound:
                self.bound = bound
                short = self._best()[self._slot] - self._earned
                self._alive &= short < bound - better_than
            slots = np.array([max(each.dual_value(), 0.0) for each in self._one_each])
            gain = self._earned - slots[self._slot]
            new = [
                (-float(gain[column]), int(column))
                for column in np.flatnonzero(self._alive & (gain > _NOTHING))
                if int(column) not in self._variables
            ]
            if not new:
                return True
            for _, column in sorted(new)[:COLUMNS_AT_ONCE]:
                self._add(column)
        return False

    def _best(self) -> Floats:
        """By slot, what the best of its patterns earns, 0 at the least."""
        best = np.zeros(len(self._pool))
        np.maximum.at(best, self._slot[self._alive], self._earned[self._alive])
        return best

    def _price(self) -> float:
        """What each pattern earns at the prices of the last solution; what no choice exceeds."""
        low: Floats = np.array([row.low for row in self._joint.rows])
        high: Floats = np.array([row.high for row in self._joint.rows])
        rows = np.array([each.dual_value() for each in self._rows])
        rows = np.where(np.isinf(high), np.minimum(rows, 0.0), rows)
        rows = np.where(np.isinf(low), np.maximum(rows, 0.0), rows)
        rooms = np.array([max(each.dual_value(), 0.0) for each in self._rooms])
        self._earned = self._values - self._taken @ rows - self._raised @ rooms
        limits = np.where(rows >= 0, high, low)
        bound = float(rows[rows != 0] @ limits[rows != 0]) + float(rooms @ self._capacity)
        for cut, counts, row in zip(self.cuts, self._cut_counts, self._cut_rows, strict=True):
            price = max(row.dual_value(), 0.0)
            self._earned = self._earned - price * counts
            bound += price * cut.limit(self._problem.demand)
        for name, (least, most) in self._joint.others.items():
            gain = -sum(
                price * row.others.get(name, 0.0)
                for price, row in zip(rows, self._joint.rows, strict=True)
            )
            bound += float(max(gain * least, gain * most))
        return bound + float(self._best().sum())
