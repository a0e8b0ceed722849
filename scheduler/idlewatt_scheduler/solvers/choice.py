"""The exact model of a few candidates: who stands where, within demand and circuits.

First the greatest placed weight, then the fewest pods on plain nodes, then the least cost. That
the plan be stable is added constraint by constraint, by `forbid`.
"""

from fractions import Fraction
from itertools import pairwise

from ortools.sat.python import cp_model

from idlewatt_scheduler.board import Board, Held
from idlewatt_scheduler.circuits import RoomKey
from idlewatt_scheduler.model.units import FOREVER
from idlewatt_scheduler.solvers.bay import Bay, Sum, bay, edges_of, prices, rounding
from idlewatt_scheduler.solvers.stability import Envy
from idlewatt_scheduler.solvers.stable import Stable, counts_of, loading_of

MONEY_SCALE = 10**7
"""Costs are compared to the ten-millionth of the plan's currency."""


class Choice:
    """Where the pods that wait, and those that stood on these candidates, are to stand.

    Attributes:
        bound: no choice places more weight here.
        cost_bound: no choice of the last one's weight, or more, costs less; None: nobody knows.
        proven: the last choice was the best there is, in weight and in cost.
    """

    def __init__(
        self, board: Board, most: dict[int, dict[int, int]], work: float, seed: int
    ) -> None:
        self._board, self._seed, self._work = board, seed, work
        self._model = cp_model.CpModel()
        self.bound, self.proven = 0, False
        self.cost_bound: Fraction | None = None
        self._bays = {c: bay(self._model, board, c, counts) for c, counts in most.items()}
        self._stable = Stable(self._model, board, self._bays)
        for room in sorted({key for made in self._bays.values() for key, _ in made.loads}):
            self._limit_room(room)
        self._weight = sum(
            board.templates[template].weight * literal
            for made in self._bays.values()
            for template, literals in made.stands.items()
            for literal in literals
        )
        self._price = self._price_of_all()

    def best(self, hint: dict[int, Held]) -> dict[int, Held] | None:
        """The best choice under what is known so far; None if none was found in time."""
        heaviest = self._model.clone()
        heaviest.maximize(self._weight)
        for candidate, made in self._bays.items():
            counts = counts_of(self._board, hint.get(candidate, ()))
            for template, literals in made.stands.items():
                for rank, literal in enumerate(literals):
                    heaviest.add_hint(literal, rank < counts.get(template, 0))
        found = self._run(heaviest)
        if found is None:
            return None
        solver, _ = found
        weight = round(solver.objective_value)
        self.bound = int(solver.best_objective_bound + 0.5)
        cheapest = self._model.clone()
        cheapest.add(self._weight >= weight)
        cheapest.minimize(self._price)
        for made in self._bays.values():
            for literals in made.stands.values():
                for literal in literals:
                    cheapest.add_hint(literal, solver.value(literal))
        least = False
        self.cost_bound = None
        if (found := self._run(cheapest)) is not None:
            solver, least = found
            self.cost_bound = self._cost_bound(solver)
        self.proven = least and self.bound == weight
        return {c: self._held(solver, made) for c, made in self._bays.items()}

    def forbid(self, envy: Envy) -> bool:
        """No choice in which that pod is envious of that candidate; false if this is known."""
        return self._stable.forbid(envy)

    def _run(self, model: cp_model.CpModel) -> tuple[cp_model.CpSolver, bool] | None:
        """A solution, and whether it is known to be the best; None if none was found in time."""
        if self._work <= 0:
            return None
        solver = cp_model.CpSolver()
        solver.parameters.num_workers = 1
        solver.parameters.random_seed = self._seed
        solver.parameters.max_deterministic_time = self._work
        status = solver.solve(model)
        self._work -= solver.response_proto.deterministic_time
        found = status in {cp_model.OPTIMAL, cp_model.FEASIBLE}
        return (solver, status == cp_model.OPTIMAL) if found else None

    def _cost_bound(self, solver: cp_model.CpSolver) -> Fraction | None:
        """What is known of the least cost, less what rounding may hide; on vehicles only."""
        if any(made.parked is None for made in self._bays.values()):
            return None
        hidden = sum(
            (rounding(made, self._board.rates[c]) for c, made in self._bays.items()), Fraction(0)
        )
        return Fraction(int(solver.best_objective_bound) - self._terms, MONEY_SCALE) - hidden

    def _held(self, solver: cp_model.CpSolver, made: Bay) -> Held:
        counts = {t: sum(map(solver.value, literals)) for t, literals in made.stands.items()}
        return tuple((made.cases[t], count) for t, count in counts.items() if count)

    def _limit_room(self, key: RoomKey) -> None:
        loading = loading_of(self._bays, key)
        room = self._board.rooms[key]
        edges = {edge for c in loading for edge in edges_of(self._bays[c])}
        edges.update(start for start in room.starts if edges and start < max(edges))
        for start, end in pairwise(sorted(edge for edge in edges if edge < FOREVER)):
            left = max(room.least(start, end), 0)
            raised_at_most = (p * self._bays[c].raised_at_most(start) for c, p in loading.items())
            if sum(raised_at_most) > left:
                raised = sum(parts * self._bays[c].raised(start) for c, parts in loading.items())
                self._model.add(raised <= left)

    def _price_of_all(self) -> Sum:
        """Cost; a pod on a plain node costs more than any plan on vehicles."""
        terms = [
            (literal, round(money * MONEY_SCALE))
            for c, made in self._bays.items()
            for literal, money in prices(made, self._board.rates[c], self._board.preference)
        ]
        self._terms = len(terms)
        dearest = 1 + sum(abs(price) for _, price in terms)
        plain = [
            literal
            for made in self._bays.values()
            if made.parked is None
            for literals in made.stands.values()
            for literal in literals
        ]
        return sum(price * literal for literal, price in terms) + dearest * sum(plain)
