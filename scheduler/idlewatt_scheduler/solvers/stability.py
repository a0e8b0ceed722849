"""Stability: no waiting pod could be placed by leaving out only pods of lower priority there.

On a plain node nobody has to make room: a pod that waits envies those there only for what is free.
Pods of gangs make room for nobody, and none envies anybody before its gang is complete.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

from idlewatt_scheduler.board import Board, Held


@dataclass(frozen=True, slots=True)
class Envy:
    """A waiting pod that would fit on a candidate, were some lower ones not there.

    Attributes:
        kept: the pods there that it may not displace, or does not.
        gone: of those left out, by template, how many a spread constraint counts.
        counts: of each spread constraint, how many pods are counted in each domain.
        standing: likewise, how many stand there that it has to hold of.
    """

    template: int
    candidate: int
    kept: Held
    gone: tuple[tuple[int, int], ...] = ()
    counts: tuple[tuple[int, ...], ...] = ()
    standing: tuple[tuple[int, ...], ...] = ()


def envies(board: Board) -> Iterator[Envy]:
    """Every reason for which the plan on the board is not stable, highest priority first."""
    for template, left in enumerate(board.left):
        if left and board.together.is_complete(template):
            for candidate in board.takers(template):
                kept = room_beside(board, template, candidate)
                if kept is not None:
                    yield Envy(
                        template,
                        candidate,
                        kept,
                        tuple(sorted(_counted_less(board, candidate, kept).items())),
                        tuple(map(tuple, board.together.counts)),
                        tuple(map(tuple, board.together.standing)),
                    )


def room_beside(board: Board, template: int, candidate: int) -> Held | None:
    """The pods on a candidate beside which one of the template would fit; None: there are none.

    What fits beside some pods fits beside fewer, but for the spread of others: a domain that loses
    a pod may become the emptiest. So all lower ones go, or some of those that are counted stay.
    """
    kept = kept_for(board, template, candidate)
    held = board.placed[candidate].cases
    if not fits_with(board, template, candidate, kept, spread=False):
        return None
    for beside in _beside(board, candidate, kept, held):
        if fits_with(board, template, candidate, beside):
            return beside
    return None


def kept_for(board: Board, template: int, candidate: int) -> Held:
    """The new pods on a candidate that a pod of the template may not displace."""
    priority = board.templates[template].priority
    held = board.placed[candidate].cases
    if board.candidates[candidate].parked is None:
        return held
    return tuple(
        (case, count)
        for case, count in held
        if case.pod.priority >= priority or case.pod.demand.gang is not None
    )


def fits_with(
    board: Board, template: int, candidate: int, kept: Held, *, spread: bool = True
) -> bool:
    """Whether the pod fits there beside `kept` alone; the board is as before afterwards.

    With `spread` that of all placed pods is asked, too.
    """
    case, _ = board.case(template, candidate)
    held = board.placed[candidate].cases
    if kept != held:
        board.hold(candidate, kept)
    fits = board.own_reason(case, candidate) is None
    if fits and spread and board.together.spreads:
        board.together.change(template, candidate, 1)
        fits = board.together.has_domains(template, candidate) and board.together.holds()
        board.together.change(template, candidate, -1)
    if kept != held:
        board.hold(candidate, held)
    return fits


def settle(board: Board) -> None:
    """Let every envious pod take its place until there is none.

    Each step gives a place to a pod at the cost of lower ones only, so the placed pods, counted
    from the highest priority down, never become fewer, and it ends.
    """
    while (envy := next(envies(board), None)) is not None:
        board.hold(envy.candidate, envy.kept)
        board.put(envy.template, envy.candidate)


def _counted_less(board: Board, candidate: int, kept: Held) -> Counter[int]:
    """Of the pods there that are not kept, those that some spread constraint counts."""
    counting = board.together.counting(candidate)
    number: Counter[int] = Counter()
    for sign, cases in ((1, board.placed[candidate].cases), (-1, kept)):
        for case, count in cases:
            template = board.template_of(case)
            if template in counting:
                number[template] += sign * count
    return +number


def _beside(board: Board, candidate: int, kept: Held, held: Held) -> Iterator[Held]:
    """`kept` alone, then with every choice of the others there that a spread constraint counts."""
    yield kept
    counting = board.together.counting(candidate)
    others = [
        (case, count)
        for case, count in held
        if (case, count) not in kept and board.template_of(case) in counting
    ]
    choices = product(*(range(count + 1) for _, count in others))
    for numbers in choices:
        stay = tuple((case, n) for (case, _), n in zip(others, numbers, strict=True) if n)
        if stay:
            yield (*kept, *stay)
