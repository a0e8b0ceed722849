"""Patterns: every way to fill one candidate, with its exact cost and what it draws.

What is not linear in the pods, standby once, availability for a union of stays, a draw under a
cap, is settled here once, so that choosing one pattern a candidate is a linear problem.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

from idlewatt_scheduler.board import Board, Held
from idlewatt_scheduler.circuits import Change, allows
from idlewatt_scheduler.clauses.live import draw_changes, first_live_reason, holding


@dataclass(frozen=True, slots=True)
class Pattern:
    """New pods on one candidate that fit there together.

    Attributes:
        counts: how many pods of each template, by its index.
        money: what they cost, in the plan's currency.
        changes: by how much they raise the candidate's draw, and when.
    """

    candidate: int
    held: Held
    counts: dict[int, int]
    money: Fraction
    changes: tuple[Change, ...]

    def raises_at(self, instant: int) -> int:
        """Milliwatts by which the draw is raised at one instant."""
        return next((more for start, end, more in self.changes if start <= instant < end), 0)


def patterns_of(board: Board, candidates: Sequence[int], at_most: int) -> list[Pattern] | None:
    """Every pattern of these candidates, which hold no new pod; None if there are too many."""
    offers: dict[int, list[int]] = {candidate: [] for candidate in candidates}
    for template, left in enumerate(board.left):
        if left:
            for taker in board.takers(template):
                if taker in offers:
                    offers[taker].append(template)
    found: list[Pattern] = []
    for candidate, templates in offers.items():
        for held in _fillings(board, candidate, templates):
            if len(found) >= at_most:
                return None
            found.append(_pattern(board, candidate, held))
    return found


def _fillings(board: Board, candidate: int, templates: Sequence[int]) -> Iterator[Held]:
    """The empty filling, then all others, each once."""
    pending: list[tuple[int, Held]] = [(0, ())]
    while pending:
        following, held = pending.pop()
        yield held
        for position in range(following, len(templates)):
            template = templates[position]
            case, _ = board.case(template, candidate)
            for count in range(1, board.left[template] + 1):
                extended = (*held, (case, count))
                if not _fits(board, candidate, held, extended):
                    break
                pending.append((position + 1, extended))


def _fits(board: Board, candidate: int, held: Held, extended: Held) -> bool:
    where = board.candidates[candidate]
    case, count = extended[-1]
    if first_live_reason(case, holding(where, held), (), count) is not None:
        return False
    if where.parked is None:
        return True
    changes = draw_changes(where.parked, where.parked.base, holding(where, extended).line)
    return allows(board.circuits(candidate), changes)


def _pattern(board: Board, candidate: int, held: Held) -> Pattern:
    where = board.candidates[candidate]
    changes: Sequence[Change] = ()
    if where.parked is not None:
        changes = draw_changes(where.parked, where.parked.base, holding(where, held).line)
    return Pattern(
        candidate=candidate,
        held=held,
        counts={board.template_of(case): count for case, count in held},
        money=board.cost(candidate, held).money,
        changes=tuple(changes),
    )
