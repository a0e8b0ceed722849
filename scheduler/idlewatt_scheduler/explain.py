"""Why a pod waits: every candidate once, under the first clause that fails for it."""

from collections import Counter

from idlewatt_scheduler.board import Board
from idlewatt_scheduler.clauses.pod import never_fits
from idlewatt_scheduler.model.plan import Waiting
from idlewatt_scheduler.model.reasons import Reason, WaitingCondition


def waiting(board: Board) -> tuple[Waiting, ...]:
    """The pods that were not placed, judged against what the plan leaves."""
    result: list[Waiting] = []
    for index, (template, left) in enumerate(zip(board.templates, board.left, strict=True)):
        if left:
            condition, reasons = _condition(board, index), _reasons(board, index)
            pods = template.pods[len(template.pods) - left :]
            result.extend(Waiting(pod, condition, reasons) for pod in pods)
    return tuple(result)


def _reasons(board: Board, template: int) -> dict[Reason, int]:
    """How many candidates fail first on each clause, the commonest first."""
    found = Counter(board.reason(template, index) for index in range(len(board.candidates)))
    return {reason: count for reason, count in found.most_common() if reason is not None}


def _condition(board: Board, template: int) -> WaitingCondition:
    """`Unschedulable` only if no time and no charge of the present fleet could place the pod."""
    for index, candidate in enumerate(board.candidates):
        if candidate.node is not None and not never_fits(board.case(template, index)[0]):
            return WaitingCondition.WAITING_FOR_ENERGY
    return WaitingCondition.UNSCHEDULABLE
