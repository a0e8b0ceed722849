"""Stability: no waiting pod could be placed by leaving out only pods of lower priority there.

On a plain node nobody has to make room: a pod that waits envies those there only for what is free.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from idlewatt_scheduler.board import Board, Held


@dataclass(frozen=True, slots=True)
class Envy:
    """A waiting pod that would fit on a candidate, were the lower ones not there.

    Attributes:
        kept: the pods there that it may not displace.
    """

    template: int
    candidate: int
    kept: Held


def envies(board: Board) -> Iterator[Envy]:
    """Every reason for which the plan on the board is not stable, highest priority first."""
    for template, left in enumerate(board.left):
        if left:
            for candidate in board.takers(template):
                kept = kept_for(board, template, candidate)
                if fits_with(board, template, candidate, kept):
                    yield Envy(template, candidate, kept)


def kept_for(board: Board, template: int, candidate: int) -> Held:
    """The new pods on a candidate that a pod of the template may not displace."""
    priority = board.templates[template].priority
    held = board.placed[candidate].cases
    if board.candidates[candidate].parked is None:
        return held
    return tuple((case, count) for case, count in held if case.pod.priority >= priority)


def fits_with(board: Board, template: int, candidate: int, kept: Held) -> bool:
    """Whether the pod fits there beside `kept` alone; the board is as before afterwards."""
    case, _ = board.case(template, candidate)
    held = board.placed[candidate].cases
    if kept == held:
        return board.live_reason(case, candidate) is None
    board.hold(candidate, kept)
    fits = board.live_reason(case, candidate) is None
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
