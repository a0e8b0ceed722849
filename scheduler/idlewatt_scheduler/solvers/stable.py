"""What holds of every choice of a model besides circuits: demand, gangs and spread, and stability.

That nobody envies is said only of what was found: each envious pod excludes every choice in which
it would envy for the same reason.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise

from ortools.sat.python import cp_model

from idlewatt_scheduler.board import Board, Held
from idlewatt_scheduler.circuits import RoomKey
from idlewatt_scheduler.clauses.live import draw_changes, holding
from idlewatt_scheduler.model.units import Instant
from idlewatt_scheduler.solvers.bay import Berth, Literal, edges_of
from idlewatt_scheduler.solvers.company import Company
from idlewatt_scheduler.solvers.stability import Envy


class Stable:
    """Demand, gangs and spread, and the envies that are known; of a board with empty candidates."""

    def __init__(self, model: cp_model.CpModel, board: Board, berths: Mapping[int, Berth]) -> None:
        self._model, self._board, self._berths = model, board, berths
        self._full: dict[int, Literal] = {}
        self._known: set[object] = set()
        self._company = Company(model, board, berths)
        for template, left in enumerate(board.left):
            if sum(made.most(template) for made in berths.values()) > left:
                model.add(sum(made.number(template) for made in berths.values()) <= left)

    def forbid(self, envy: Envy) -> bool:
        """Have the pod placed, more of those it respects there, or a circuit in its way.

        What fits beside some pods fits beside fewer, so every choice is excluded in which the
        candidate holds no more of them. False if this is known already.
        """
        kept = counts_of(self._board, envy.kept)
        pods = tuple(sorted(kept.items()))
        known = envy.template, envy.candidate, pods, envy.gone, envy.counts, envy.standing
        if known in self._known:
            return False
        self._known.add(known)
        made = self._berths[envy.candidate]
        more = [
            made.more_than(template, kept.get(template, 0))
            for template in made.cases
            if self._is_kept(envy, template) and made.most(template) > kept.get(template, 0)
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
        together = self._board.together
        if self._berths[envy.candidate].parked is None or template in together.gang_of:
            return True
        templates = self._board.templates
        if templates[template].priority >= templates[envy.template].priority:
            return True
        return template in together.counting(envy.candidate) and template not in dict(envy.gone)

    def _placed_in_full(self, template: int) -> Literal:
        """A literal that can be true only if no pod of the template waits."""
        if template not in self._full:
            literal = self._full[template] = self._model.new_bool_var("")
            placed = sum(made.number(template) for made in self._berths.values())
            self._model.add(placed >= self._board.left[template]).only_enforce_if(literal)
        return self._full[template]

    def _circuits_in_the_way(self, envy: Envy) -> Iterator[Literal]:
        """A literal for each circuit and time at which the others may leave the pod no room."""
        made = self._berths[envy.candidate]
        parked = made.parked
        if parked is None:
            return
        case, _ = self._board.case(envy.template, envy.candidate)
        kept = holding(made.where, envy.kept).line
        joined = holding(made.where, (*envy.kept, (case, 1))).line
        own = draw_changes(parked, parked.base, joined)
        for key, parts in made.loads:
            others = loading_of(self._berths, key)
            del others[envy.candidate]
            edges = {edge for c in others for edge in edges_of(self._berths[c])}
            edges.update(edge for start, end, _ in own for edge in (start, end))
            edges.update(self._board.rooms[key].starts)
            for start, end, more in draw_changes(parked, kept, joined):
                inside = sorted({start, end, *(edge for edge in edges if start < edge < end)})
                for a, b in pairwise(inside) if more > 0 else ():
                    mine = next((m for s, e, m in own if s <= a < e), 0)
                    lack = self._board.rooms[key].least(a, b) - parts * mine + 1
                    yield from self._crowded(others, a, lack)

    def _crowded(self, others: Mapping[int, int], instant: Instant, lack: int) -> Iterable[Literal]:
        """A literal that can be true only if the others take at least `lack` more by then."""
        if sum(p * self._berths[c].raised_at_most(instant) for c, p in others.items()) < lack:
            return
        literal = self._model.new_bool_var("")
        drawn = sum(parts * self._berths[c].raised(instant) for c, parts in others.items())
        self._model.add(drawn >= lack).only_enforce_if(literal)
        yield literal


def loading_of(berths: Mapping[int, Berth], room: RoomKey) -> dict[int, int]:
    """The candidates that may load a room, with the parts that a milliwatt of their draw is."""
    return {c: parts for c, made in berths.items() for key, parts in made.loads if key == room}


def counts_of(board: Board, held: Held) -> Counter[int]:
    """How many of each template these are."""
    counts: Counter[int] = Counter()
    for case, count in held:
        counts[board.template_of(case)] += count
    return counts
