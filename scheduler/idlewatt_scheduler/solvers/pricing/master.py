"""The master problem: which patterns, in fractions, make the most of what vehicles share.

A linear program (GLOP, which keeps its basis from one solution to the next) with a row for each
thing that is shared and for each vehicle, and a column for each pattern that is known. What one
more of a row would be worth are the prices at which better patterns are looked for.
"""

from collections.abc import Iterable

import numpy as np
from ortools.linear_solver import pywraplp

from idlewatt_scheduler.solvers.pricing.columns import Column
from idlewatt_scheduler.solvers.pricing.goal import Rows
from idlewatt_scheduler.tables.layout import Floats

_MISSING = 2.0
"""What is missing costs so many times the price that was thought of."""


class Master:
    """The linear program over the columns added so far."""

    def __init__(self, rows: Rows, vehicles: int, guess: Floats) -> None:
        self._rows = rows
        self._solver = pywraplp.Solver.CreateSolver("GLOP")
        self._aim = self._solver.Objective()
        self._aim.SetMaximization()
        binds = np.isfinite(rows.limit)
        self._unit = np.where(binds, np.maximum(np.abs(rows.limit), 1.0), 1.0)
        self._shared = [
            self._row(limit / unit, equal=least < 0) if bound else None
            for limit, unit, least, bound in zip(
                rows.limit, self._unit, rows.least, binds, strict=True
            )
        ]
        self._alone = [self._solver.Constraint(-np.inf, 1.0) for _ in range(vehicles)]
        self._known: set[tuple[float, ...]] = set()
        self._allow_missing(guess)

    def _row(self, limit: float, *, equal: bool) -> pywraplp.Constraint:
        return self._solver.Constraint(limit if equal else -np.inf, limit)

    def _allow_missing(self, guess: Floats) -> None:
        """What has to be placed may be missing, at a penalty; then there is always a solution."""
        for index, row in enumerate(self._shared):
            if row is not None and (self._rows.least[index] < 0 or self._rows.limit[index] < 0):
                price = max(abs(float(guess[index])), 1e-9) * self._unit[index]
                short = self._solver.NumVar(0.0, np.inf, "")
                row.SetCoefficient(short, 1.0 if self._rows.least[index] < 0 else -1.0)
                self._aim.SetCoefficient(short, -_MISSING * price)

    def add(self, columns: Iterable[Column]) -> None:
        """Patterns that are not known yet."""
        for column in columns:
            known = column.vehicle, *column.rows, *column.taken
            if known in self._known:
                continue
            self._known.add(known)
            part = self._solver.NumVar(0.0, np.inf, "")
            self._aim.SetCoefficient(part, column.value)
            self._alone[column.vehicle].SetCoefficient(part, 1.0)
            for index, taken in zip(column.rows, column.taken, strict=True):
                row = self._shared[index]
                if row is not None:
                    row.SetCoefficient(part, taken / self._unit[index])

    def solve(self) -> tuple[float, Floats] | None:
        """The value of the best use of the columns, and the rows' prices; None: no answer."""
        if self._solver.Solve() != pywraplp.Solver.OPTIMAL:
            return None
        price = np.zeros(len(self._shared))
        for index, row in enumerate(self._shared):
            if row is not None:
                price[index] = row.dual_value() / self._unit[index]
        return float(self._aim.Value()), np.maximum(price, self._rows.least)
