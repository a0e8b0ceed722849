"""A plan that was late: made for a moment that has passed, judged anew before it is carried out.

While it was made, telemetry went on: a car may have been opened, a circuit curtailed, a pod
deleted. Every placement is put on a board of the fleet as it is now, in the plan's order, and what
does not fit there any more is left out, with the rest of its gang. Nothing else is placed.

Chargers do not wait for a plan either: cars are charged before anything is placed, and a limit that
was lowered is kept by charging less first.
"""

import logging
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from fractions import Fraction

from idlewatt_operator.reconcile.checked import without_faults
from idlewatt_scheduler.board import Board
from idlewatt_scheduler.candidates import Fleet
from idlewatt_scheduler.feasibility import profile_violations
from idlewatt_scheduler.leaving import leaving
from idlewatt_scheduler.model.plan import Leaving, Placement, Plan
from idlewatt_scheduler.model.reasons import MoveReason
from idlewatt_scheduler.model.workload import Pod
from idlewatt_scheduler.templates import templates_of

_log = logging.getLogger(__name__)


def brought_up(plan: Plan, fleet: Fleet) -> Plan:
    """The plan as far as it holds for this fleet, with who has to leave now.

    The charging profiles are the fleet's own.
    """
    leavers = (*leaving(fleet), *_moved(plan, fleet))
    pending = {pod.uid: pod for pod in fleet.snapshot.pending}
    placements = tuple(_still_fitting(plan, fleet, pending, leavers))
    placed = {each.pod.uid for each in placements}
    brought = replace(
        plan,
        at=fleet.snapshot.at,
        placements=placements,
        waiting=tuple(
            replace(each, pod=pending[each.pod.uid])
            for each in plan.waiting
            if each.pod.uid in pending and each.pod.uid not in placed
        ),
        leaving=leavers,
        charging=fleet.charging,
        cost=sum((each.cost for each in placements), Fraction(0)),
        proven=False,
    )
    return _checked(brought, fleet)


def drains_alone(fleet: Fleet) -> Plan:
    """Who has to leave now, and what chargers are told; nobody is placed."""
    plan = Plan(fleet.snapshot.at, leaving=leaving(fleet), charging=fleet.charging)
    return _checked(plan, fleet)


def _checked(plan: Plan, fleet: Fleet) -> Plan:
    """The plan without the charging profiles that the check objects to."""
    if not plan.charging:
        return plan
    try:
        return without_faults(plan, profile_violations(fleet.snapshot, plan))
    except Exception:  # noqa: BLE001 - whatever it was, a drain must not wait for it
        _log.exception("The charging profiles could not be checked: no charger is told anything.")
        return replace(plan, charging=())


def _moved(plan: Plan, fleet: Fleet) -> list[Leaving]:
    """Those that make room or move, as long as they are where they were."""
    gone = {each.pod.uid for each in leaving(fleet)}
    running = {(each.pod.uid, each.node) for each in fleet.snapshot.running}
    return [
        each
        for each in plan.leaving
        if isinstance(each.reason, MoveReason)
        and each.pod.uid not in gone
        and (each.pod.uid, each.node) in running
    ]


def _still_fitting(
    plan: Plan, fleet: Fleet, pending: Mapping[str, Pod], leavers: Iterable[Leaving]
) -> list[Placement]:
    """The placements that no clause keeps from where they were planned, gangs whole.

    Spread is judged once all are placed: on the way there it may be uneven.
    """
    left_out: set[str] = set()
    templates = templates_of(pending.values())
    of_pod = {pod.uid: index for index, each in enumerate(templates) for pod in each.pods}
    nodes = {candidate.name: index for index, candidate in enumerate(fleet.candidates)}
    while True:
        board = Board(fleet, templates, leavers)
        kept = [
            _as_it_is_now(board, each, of_pod[each.pod.uid], nodes[each.node], pending)
            for each in plan.placements
            if each.pod.uid in pending
            and each.pod.uid not in left_out
            and each.node in nodes
            and _fits(board, of_pod[each.pod.uid], nodes[each.node])
        ]
        torn = set(_torn(board))
        if not torn:
            return kept
        stay = {each.pod.uid for each in kept if of_pod[each.pod.uid] not in torn}
        left_out = {each.pod.uid for each in plan.placements} - stay


def _fits(board: Board, template: int, candidate: int) -> bool:
    if board.candidates[candidate].refusal is not None:
        return False
    case, fixed = board.case(template, candidate)
    return (
        fixed is None
        and board.together.has_domains(template, candidate)
        and board.own_reason(case, candidate) is None
    )


def _as_it_is_now(
    board: Board, placement: Placement, template: int, candidate: int, pending: Mapping[str, Pod]
) -> Placement:
    """Put there, with the stay that it has from now on."""
    board.put(template, candidate)
    case, _ = board.case(template, candidate)
    return replace(
        placement,
        pod=pending[placement.pod.uid],
        start=case.stay.start,
        ready_at=case.stay.ready_at,
        until=case.stay.until,
        power=case.power,
    )


def _torn(board: Board) -> Iterator[int]:
    """The templates of gangs that are not whole any more, and those that are spread unevenly."""
    together = board.together
    for index, gang in enumerate(together.gangs):
        if not together.is_whole(index):
            yield from gang.members
    if not together.holds():
        for spread in together.spreads:
            yield from spread.subject
