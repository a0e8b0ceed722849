"""The master problem: which patterns, in fractions, make the most of what vehicles share.

A linear program (GLOP, which keeps its basis from one solution to the next) with a row for each
thing that is shared and for each vehicle, and a column for each pattern that is known. What one
more of a row would be worth are the prices at which better patterns are looked for.
"""

import numpy as np
from ortools.linear_solver import pywraplp

from idlewatt_scheduler.solvers.pricing.goal import Rows
from idlewatt_scheduler.solvers.pricing.pool import Pool
from idlewatt_scheduler.tables.layout import Floats, Indices

_WEAK = 1.5
"""What is missing costs at first so many times the price that was thought of, ..."""

_FIRM = 20.0
"""... and in the end so many times."""


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
        self._missing: list[tuple[pywraplp.Variable, float]] = []
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
                self._aim.SetCoefficient(short, -_WEAK * price)
                self._missing.append((short, price))

    def insist(self) -> None:
        """What is missing costs a lot from now on."""
        for short, price in self._missing:
            self._aim.SetCoefficient(short, -_FIRM * price)

    def limit(self, limits: Floats) -> None:
        """Other limits for the same rows."""
        for index, row in enumerate(self._shared):
            if row is not None:
                limit = float(limits[index]) / float(self._unit[index])
                row.SetBounds(limit if self._rows.least[index] < 0 else -np.inf, limit)

    def add(self, pool: Pool) -> None:
        """All columns of a pool."""
        for vehicle in range(len(pool.first) - 1):
            for column in range(pool.first[vehicle], pool.first[vehicle + 1]):
                part = self._solver.NumVar(0.0, np.inf, "")
                self._aim.SetCoefficient(part, float(pool.value[column]))
                self._alone[vehicle].SetCoefficient(part, 1.0)
                span = slice(int(pool.begin[column]), int(pool.begin[column + 1]))
                for index, taken in _summed(pool.row[span], pool.coefficient[span]).items():
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


def _summed(rows: Indices, taken: Floats) -> dict[int, float]:
    """A row that is taken of twice is one."""
    sums: dict[int, float] = {}
    for row, amount in zip(rows.tolist(), taken.tolist(), strict=True):
        sums[row] = sums.get(row, 0.0) + amount
    return sums
