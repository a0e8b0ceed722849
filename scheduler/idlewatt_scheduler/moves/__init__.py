"""Making room: which running pods are asked to leave for a waiting one, or to save money.

Both are asked of a finished plan and change nothing of it: who leaves counts until its containers
end, and the next plan decides who takes its place. Both are off unless the policy turns them on.
"""

from collections.abc import Iterable

from idlewatt_scheduler.board import Board
from idlewatt_scheduler.model.plan import Leaving
from idlewatt_scheduler.moves.cheaper import cheaper_elsewhere
from idlewatt_scheduler.moves.preempting import preempted
from idlewatt_scheduler.tables.workings import Workings, workings_of

__all__ = ["moves"]


def moves(
    board: Board, leavers: Iterable[Leaving], work: Workings | None = None
) -> tuple[Leaving, ...]:
    """The running pods that are asked to leave though they might stay, by node and name.

    Args:
        board: with all placements of the plan.
        leavers: the running pods that have to leave for other reasons.
        work: of the board's templates, where it is known already.
    """
    going = tuple(leavers)
    work = workings_of(board.fleet, board.templates, going) if work is None else work
    room = preempted(board, going, work)
    money = cheaper_elsewhere(board, going, tuple(room))
    return tuple(sorted((*room, *money), key=lambda each: (each.node, each.pod.key)))
