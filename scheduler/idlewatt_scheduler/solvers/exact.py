"""The exact plan of a small fleet, or of a neighbourhood of a large one, by CP-SAT.

That the plan be stable is asked only where a choice is not: each envious pod that is found
becomes a constraint, and the choice is made again, until nobody envies.
"""

from collections.abc import Sequence
from fractions import Fraction
from typing import Final

from idlewatt_scheduler.board import Board, Held
from idlewatt_scheduler.candidates import total
from idlewatt_scheduler.energy import Source
from idlewatt_scheduler.further.registry import amounts_of
from idlewatt_scheduler.model.plan import Solver
from idlewatt_scheduler.solvers.choice import Choice
from idlewatt_scheduler.solvers.greedy import most_there
from idlewatt_scheduler.solvers.limits import Proof
from idlewatt_scheduler.solvers.stability import envies

GREATEST: Final = 2**60
"""CP-SAT counts in 64 bits; sums of thousandths beyond this are left to the greedy plan."""


def solve(
    board: Board, candidates: Sequence[int], literals_at_most: int, work: float, seed: int
) -> Proof | None:
    """Make the best choice for these candidates, the others staying as they are.

    The board's new pods on them are where the search begins, and what it goes back to where there
    are more than `literals_at_most` literals or figures beyond 60 bits, where `work` did not yield
    a stable choice, or where the choice is no better. None but in the last case.
    """
    before = {candidate: board.placed[candidate].cases for candidate in candidates}
    merit = _merit(board)
    _place(board, dict.fromkeys(candidates, ()))
    most = None if _recharged(board, candidates) else _most(board, candidates, literals_at_most)
    if most is None or not any(most.values()):
        _place(board, before)
        return None if most is None else Proof(board.weight, proven=True, solver=Solver.EXACT)
    choice = Choice(board, most, work, seed)
    hint = before
    while (chosen := choice.best(hint)) is not None:
        _place(board, chosen)
        envious = [envy for envy in envies(board) if envy.candidate in most]
        if not envious:
            if _merit(board) < merit:
                _place(board, before)
            # What belongs to a whole site is not in the model: it is compared, not proven.
            alone = not board.sites
            return Proof(
                choice.bound,
                proven=choice.proven and alone,
                cost_bound=_cost_bound(board, choice) if alone else None,
                solver=Solver.EXACT,
            )
        _place(board, dict.fromkeys(candidates, ()))
        new = [envy for envy in envious if choice.forbid(envy)]
        if not new:
            break
        hint = chosen
    _place(board, before)
    return None


def _cost_bound(board: Board, choice: Choice) -> Fraction | None:
    """What is known of the least cost; never above the cost of what was chosen."""
    return None if choice.cost_bound is None else min(choice.cost_bound, board.money)


def _recharged(board: Board, candidates: Sequence[int]) -> bool:
    """Whether one of them computes on a battery that is charged meanwhile: no model says that."""
    return any(
        parked is not None
        and parked.charging is not None
        and parked.electrics.source is Source.BATTERY
        for parked in (board.candidates[candidate].parked for candidate in candidates)
    )


def _most(
    board: Board, candidates: Sequence[int], literals_at_most: int
) -> dict[int, dict[int, int]] | None:
    """How many pods of each template each candidate could take; None if that is too much."""
    most: dict[int, dict[int, int]] = {candidate: {} for candidate in candidates}
    literals = 0
    for template, left in enumerate(board.left):
        for candidate in board.takers(template) if left else ():
            if candidate not in most or not board.together.has_domains(template, candidate):
                continue
            count = most_there(board, template, candidate, spread=False)
            if count:
                most[candidate][template] = count
                literals += count
            if literals > literals_at_most:
                return None
    return None if any(_too_great(board, counts) for counts in most.values()) else most


def _too_great(board: Board, counts: dict[int, int]) -> bool:
    """Whether what these pods request together is more than the solver's integers hold."""
    asked = total(
        *(
            {name: count * amount for name, amount in amounts_of(board.templates[t].sample).items()}
            for t, count in counts.items()
        )
    )
    return any(amount > GREATEST for amount in asked.values())


def _place(board: Board, held: dict[int, Held]) -> None:
    """Empty the candidates first, so that no circuit is counted twice on the way."""
    for candidate in held:
        board.hold(candidate, ())
    for candidate, cases in held.items():
        board.hold(candidate, cases)


def _merit(board: Board) -> tuple[int, int, object]:
    """Greater for more weight, then fewer pods on plain nodes, then less cost."""
    plain = sum(
        count
        for placed, candidate in zip(board.placed, board.candidates, strict=True)
        if candidate.parked is None
        for _, count in placed.cases
    )
    return board.weight, -plain, -board.money
