"""The exact model of a few candidates: who stands where, within demand and circuits.

First the greatest placed weight, then the fewest pods on plain nodes, then the least cost. That
the plan be stable is added constraint by constraint, by `forbid`.
"""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from itertools import pairwise

from ortools.sat.python import cp_model

from idlewatt_scheduler.board import Board, Held
from idlewatt_scheduler.circuits import Load, RoomKey
from idlewatt_scheduler.clauses.live import draw_changes, holding
from idlewatt_scheduler.energy import computing_at
from idlewatt_scheduler.model.units import FOREVER, Instant, Milliwatts
from idlewatt_scheduler.solvers.bay import Bay, Literal, Sum, bay, edges_of, prices, rounding
from idlewatt_scheduler.solvers.company import Company
from idlewatt_scheduler.solvers.stability import Envy

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
        self._raises: dict[tuple[int, Instant], Sum] = {}
        self._full: dict[int, Literal] = {}
        self._known: set[object] = set()
        self._company = Company(self._model, board, self._bays)
        self._limit_demand()
        for room in sorted({key for b in self._bays.values() for key, _ in self._loads(b)}):
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
            counts = self._counts(hint.get(candidate, ()))
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
        """Have the pod placed, more of those it respects there, or a circuit in its way.

        What fits beside some pods fits beside fewer, so every choice is excluded in which the
        candidate holds no more of them. False if this is known already.
        """
        kept = self._counts(envy.kept)
        pods = tuple(sorted(kept.items()))
        known = envy.template, envy.candidate, pods, envy.gone, envy.counts, envy.standing
        if known in self._known:
            return False
        self._known.add(known)
        made = self._bays[envy.candidate]
        more = [
            literals[kept.get(template, 0)]
            for template, literals in made.stands.items()
            if self._is_kept(envy, template) and len(literals) > kept.get(template, 0)
        ]
        ways_out = [
            self._placed_in_full(envy.template),
            *self._circuits_in_the_way(envy),
            *self._company.ways_out(envy, kept),
        ]
        self._model.add_bool_or([*more, *ways_out])
        return True

    def _is_kept(self, envy: Envy, template: int) -> bool:
        """More pods of the template there may be in the way of the envious one."""
        if self._bays[envy.candidate].parked is None or template in self._board.together.gang_of:
            return True
        templates = self._board.templates
        if templates[template].priority >= templates[envy.template].priority:
            return True
        counting = self._board.together.counting(envy.candidate)
        return template in counting and template not in dict(envy.gone)

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

    def _counts(self, held: Held) -> dict[int, int]:
        counts: dict[int, int] = {}
        for case, count in held:
            template = self._board.template_of(case)
            counts[template] = counts.get(template, 0) + count
        return counts

    def _loads(self, made: Bay) -> Sequence[Load]:
        """What the pods of a candidate may load: circuits, and phases of them."""
        parked = made.parked
        if parked is None or not parked.electrics.plugged or not made.cases:
            return ()
        return parked.loads

    def _loading(self, room: RoomKey) -> dict[int, int]:
        """The candidates that may load it, each with the parts that a milliwatt of its draw is."""
        return {
            c: parts
            for c, made in self._bays.items()
            for key, parts in self._loads(made)
            if key == room
        }

    def _limit_demand(self) -> None:
        for template, left in enumerate(self._board.left):
            placed = [made.number(template) for made in self._bays.values()]
            if sum(len(made.stands.get(template, ())) for made in self._bays.values()) > left:
                self._model.add(sum(placed) <= left)

    def _limit_room(self, key: RoomKey) -> None:
        loading = self._loading(key)
        room = self._board.rooms[key]
        edges = {edge for c in loading for edge in edges_of(self._bays[c])}
        edges.update(start for start in room.starts if edges and start < max(edges))
        for start, end in pairwise(sorted(edge for edge in edges if edge < FOREVER)):
            left = max(room.least(start, end), 0)
            if sum(parts * self._raised_at_most(c, start) for c, parts in loading.items()) > left:
                raised = sum(parts * self._raised(c, start) for c, parts in loading.items())
                self._model.add(raised <= left)

    def _raised_at_most(self, candidate: int, instant: Instant) -> Milliwatts:
        made = self._bays[candidate]
        parked = made.parked
        if parked is None or all(instant >= case.stay.until for case in made.cases.values()):
            return 0
        figures, base = parked.electrics, computing_at(parked.base, instant)
        most = 1_000 * parked.vehicle.compute.max_power_watts + figures.standby
        return max(parked.draw(most, instant) - parked.draw(base, instant), 0)

    def _raised(self, candidate: int, instant: Instant) -> Sum:
        """By how much the new pods raise the draw of a candidate at an instant."""
        found = self._raises.get((candidate, instant))
        if found is not None:
            return found
        made, model = self._bays[candidate], self._model
        parked = made.parked
        if parked is None:
            return 0
        figures, base = parked.electrics, computing_at(parked.base, instant)
        at_most = 1_000 * parked.vehicle.compute.max_power_watts + figures.standby
        ac = model.new_int_var(0, figures.ac(max(at_most, base)), "")
        computing = made.computing(instant)
        model.add(figures.efficiency_percent * ac <= 100 * computing)
        model.add(100 * computing <= figures.efficiency_percent * (ac + 1) - 1)
        drawn = model.new_int_var(0, figures.cap, "")
        model.add_min_equality(drawn, [figures.cap, parked.charging_at(instant) + ac])
        raised = self._raises[candidate, instant] = drawn - parked.draw(base, instant)
        return raised

    def _placed_in_full(self, template: int) -> Literal:
        """A literal that can be true only if no pod of the template waits."""
        if template not in self._full:
            literal = self._full[template] = self._model.new_bool_var("")
            placed = sum(made.number(template) for made in self._bays.values())
            self._model.add(placed >= self._board.left[template]).only_enforce_if(literal)
        return self._full[template]

    def _circuits_in_the_way(self, envy: Envy) -> list[Literal]:
        """A literal for each circuit and time at which the others may leave the pod no room."""
        made = self._bays[envy.candidate]
        parked = made.parked
        if parked is None:
            return []
        case, _ = self._board.case(envy.template, envy.candidate)
        kept = holding(made.where, envy.kept).line
        joined = holding(made.where, (*envy.kept, (case, 1))).line
        own = draw_changes(parked, parked.base, joined)
        ways: list[Literal] = []
        for key, parts in self._loads(made):
            others = {c: p for c, p in self._loading(key).items() if c != envy.candidate}
            edges = {edge for c in others for edge in edges_of(self._bays[c])}
            edges.update(edge for start, end, _ in own for edge in (start, end))
            edges.update(self._board.rooms[key].starts)
            for start, end, more in draw_changes(parked, kept, joined):
                inside = sorted({start, end, *(edge for edge in edges if start < edge < end)})
                for a, b in pairwise(inside) if more > 0 else ():
                    mine = next((m for s, e, m in own if s <= a < e), 0)
                    lack = self._board.rooms[key].least(a, b) - parts * mine + 1
                    ways.extend(self._crowded(others, a, lack))
        return ways

    def _crowded(self, others: Mapping[int, int], instant: Instant, lack: int) -> list[Literal]:
        """A literal that can be true only if the others take at least `lack` more by then."""
        if sum(p * self._raised_at_most(c, instant) for c, p in others.items()) < lack:
            return []
        literal = self._model.new_bool_var("")
        drawn = sum(parts * self._raised(c, instant) for c, parts in others.items())
        self._model.add(drawn >= lack).only_enforce_if(literal)
        return [literal]

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
