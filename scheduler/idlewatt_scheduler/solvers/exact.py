"""The exact plan of a small fleet, or of a neighbourhood of a large one: one pattern a candidate.

CP-SAT chooses: first the greatest placed weight, then the fewest pods on plain nodes, then the
least cost. That the plan be stable is asked only where a solution is not: each envious pod that
is found becomes a constraint, and the choice is made again, until nobody envies.
"""

from collections.abc import Iterable, Sequence
from itertools import pairwise

from ortools.sat.python import cp_model

from idlewatt_scheduler.board import Board, Held
from idlewatt_scheduler.candidates import Parked
from idlewatt_scheduler.circuits import CircuitKey
from idlewatt_scheduler.clauses.live import draw_changes, holding
from idlewatt_scheduler.model.units import Instant
from idlewatt_scheduler.solvers.patterns import Pattern, patterns_of
from idlewatt_scheduler.solvers.protocol import Params, Proof, Stop
from idlewatt_scheduler.solvers.stability import Envy, envies

MOST_ROUNDS = 200
MONEY_SCALE = 10**9
"""Costs are compared to the billionth of the plan's currency."""


def exact(board: Board, params: Params, stop: Stop, seed: int) -> Proof | None:
    """Solve the whole board, which holds no new pod; None, board untouched, if it is too large."""
    everything = range(len(board.candidates))
    return solve(board, everything, params.exact_patterns, stop, seed)


def solve(
    board: Board, candidates: Sequence[int], at_most: int, stop: Stop, seed: int
) -> Proof | None:
    """The best choice for these candidates, which hold no new pod, the others as they are.

    None, and nothing placed, where there are more than `at_most` patterns or the work that
    `stop` allows did not yield a stable choice.
    """
    patterns = patterns_of(board, candidates, at_most)
    if patterns is None:
        return None
    if all(not pattern.held for pattern in patterns):
        return Proof(bound=0, proven=True)
    choice = _Choice(board, candidates, patterns, stop, seed)
    for _ in range(MOST_ROUNDS):
        chosen = choice.best()
        if chosen is None:
            break
        for pattern in chosen:
            board.hold(pattern.candidate, pattern.held)
        envious = [envy for envy in envies(board) if envy.candidate in choice.of]
        for candidate in candidates:
            board.hold(candidate, ())
        if not envious:
            for pattern in chosen:
                board.hold(pattern.candidate, pattern.held)
            return Proof(choice.bound, choice.proven)
        for envy in envious:
            choice.forbid(envy)
    return None


class _Choice:
    """The model: a literal a pattern, exactly one of them for each candidate.

    Attributes:
        of: the patterns of each candidate with their literals.
        bound: no choice places more weight here.
        proven: the last choice was the best there is.
    """

    def __init__(
        self,
        board: Board,
        candidates: Sequence[int],
        patterns: Iterable[Pattern],
        stop: Stop,
        seed: int,
    ) -> None:
        self._board, self._seed, self._work = board, seed, stop.work
        self._model = cp_model.CpModel()
        self.bound, self.proven = 0, False
        self.of: dict[int, list[tuple[Pattern, cp_model.IntVar]]] = {c: [] for c in candidates}
        for pattern in patterns:
            literal = self._model.new_bool_var("")
            self.of[pattern.candidate].append((pattern, literal))
        for pairs in self.of.values():
            self._model.add_exactly_one(literal for _, literal in pairs)
        self._everything = [pair for pairs in self.of.values() for pair in pairs]
        self._full: dict[int, cp_model.IntVar] = {}
        self._known: set[tuple[int, int, tuple[tuple[int, int], ...]]] = set()
        self._limit_demand()
        self._limit_circuits()

    def best(self) -> list[Pattern] | None:
        """The best choice under what is known so far; None if none was found in time."""
        weight = cp_model.LinearExpr.weighted_sum(
            [literal for _, literal in self._everything],
            [self._weight(pattern) for pattern, _ in self._everything],
        )
        heaviest = self._model.clone()
        heaviest.maximize(weight)
        found = self._run(heaviest)
        if found is None:
            return None
        solver, _ = found
        self.bound = int(solver.best_objective_bound + 0.5)
        self.proven = self.bound == round(solver.objective_value)
        cheapest = self._model.clone()
        cheapest.add(weight == round(solver.objective_value))
        cheapest.minimize(
            cp_model.LinearExpr.weighted_sum(
                [literal for _, literal in self._everything], self._prices()
            )
        )
        for _, literal in self._everything:
            cheapest.add_hint(literal, solver.value(literal))
        cheaper, least = self._run(cheapest) or (solver, False)
        self.proven = self.proven and least
        return [pattern for pattern, literal in self._everything if cheaper.value(literal)]

    def forbid(self, envy: Envy) -> None:
        """Have the pod placed, the candidate filled otherwise, or a circuit in its way."""
        kept = self._counts(envy.kept)
        known = (envy.template, envy.candidate, tuple(sorted(kept.items())))
        if known in self._known:
            return
        self._known.add(known)
        priority = self._board.templates[envy.template].priority
        same = [
            literal
            for pattern, literal in self.of[envy.candidate]
            if self._not_lower(pattern, priority) == kept
        ]
        ways_out = [self._placed_in_full(envy.template), *self._circuits_in_the_way(envy)]
        for literal in same:
            self._model.add_bool_or([literal.negated(), *ways_out])

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

    def _limit_demand(self) -> None:
        for template, left in enumerate(self._board.left):
            terms = [
                pattern.counts[template] * literal
                for pattern, literal in self._everything
                if template in pattern.counts
            ]
            if terms:
                self._model.add(sum(terms) <= left)

    def _limit_circuits(self) -> None:
        for circuit in self._shared_circuits():
            edges = {e for p, _ in self._on(circuit) for a, b, _ in p.changes for e in (a, b)}
            for start, end in pairwise(sorted(edges)):
                self._limit(circuit, start, end)

    def _limit(self, circuit: CircuitKey, start: Instant, end: Instant) -> None:
        raising = [(p.raises_at(start), literal) for p, literal in self._on(circuit)]
        raising = [(more, literal) for more, literal in raising if more > 0]
        room = max(self._board.rooms[circuit].least(start, end), 0)
        if sum(more for more, _ in raising) > room:
            self._model.add(sum(more * literal for more, literal in raising) <= room)

    def _shared_circuits(self) -> list[CircuitKey]:
        keys = {k for c in self.of if (parked := self._parked(c)) for k in parked.circuits}
        return sorted(keys)

    def _on(self, circuit: CircuitKey) -> list[tuple[Pattern, cp_model.IntVar]]:
        return [
            pair
            for candidate, pairs in self.of.items()
            if (parked := self._parked(candidate)) and circuit in parked.circuits
            for pair in pairs
        ]

    def _parked(self, candidate: int) -> Parked | None:
        return self._board.candidates[candidate].parked

    def _placed_in_full(self, template: int) -> cp_model.IntVar:
        """A literal that can be true only if every pod of the template is placed."""
        if template not in self._full:
            literal = self._full[template] = self._model.new_bool_var("")
            placed = sum(p.counts.get(template, 0) * x for p, x in self._everything)
            self._model.add(placed == self._board.left[template]).only_enforce_if(literal)
        return self._full[template]

    def _circuits_in_the_way(self, envy: Envy) -> list[cp_model.IntVar]:
        """A literal for each circuit and time at which other cars may leave no room for the pod."""
        parked = self._parked(envy.candidate)
        if parked is None:
            return []
        where = self._board.candidates[envy.candidate]
        case, _ = self._board.case(envy.template, envy.candidate)
        kept = holding(where, envy.kept).line
        joined = holding(where, (*envy.kept, (case, 1))).line
        from_base = draw_changes(parked, parked.base, joined)
        ways: list[cp_model.IntVar] = []
        for circuit in parked.circuits:
            others = [pair for pair in self._on(circuit) if pair[0].candidate != envy.candidate]
            for start, end, more in draw_changes(parked, kept, joined):
                if more <= 0:
                    continue
                edges = {start, end}
                edges.update(e for p, _ in others for a, b, _ in p.changes for e in (a, b))
                edges.update(e for a, b, _ in from_base for e in (a, b))
                edges.update(self._board.rooms[circuit].starts)
                for a, b in pairwise(sorted(e for e in edges if start <= e <= end)):
                    own = next((m for s, f, m in from_base if s <= a < f), 0)
                    lack = self._board.rooms[circuit].least(a, b) - own + 1
                    ways.extend(self._crowded(others, a, lack))
        return ways

    def _crowded(
        self, others: Iterable[tuple[Pattern, cp_model.IntVar]], instant: Instant, lack: int
    ) -> list[cp_model.IntVar]:
        """A literal that can be true only if the others draw at least `lack` more by then."""
        terms = [(p.raises_at(instant), x) for p, x in others if p.raises_at(instant) > 0]
        if sum(more for more, _ in terms) < lack:
            return []
        literal = self._model.new_bool_var("")
        drawn = sum(more * x for more, x in terms)
        self._model.add(drawn >= lack).only_enforce_if(literal)
        return [literal]

    def _weight(self, pattern: Pattern) -> int:
        templates = self._board.templates
        return sum(templates[t].weight * count for t, count in pattern.counts.items())

    def _prices(self) -> list[int]:
        """Cost in billionths; a pod on a plain node costs more than any plan on vehicles."""
        money = [round(pattern.money * MONEY_SCALE) for pattern, _ in self._everything]
        dearest = 1 + sum(
            max(round(pattern.money * MONEY_SCALE) for pattern, _ in pairs)
            for pairs in self.of.values()
        )
        return [
            price + (0 if self._parked(p.candidate) else dearest * sum(p.counts.values()))
            for price, (p, _) in zip(money, self._everything, strict=True)
        ]

    def _not_lower(self, pattern: Pattern, priority: int) -> dict[int, int]:
        templates = self._board.templates
        return {t: n for t, n in pattern.counts.items() if templates[t].priority >= priority}

    def _counts(self, held: Held) -> dict[int, int]:
        return {self._board.template_of(case): count for case, count in held}
