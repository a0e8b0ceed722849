"""Making room means what the rules say, read letter by letter with nothing remembered."""

from collections.abc import Iterable
from dataclasses import replace

from hypothesis import HealthCheck, assume, event, given, settings
from tests.property.crowded import crowded

from idlewatt_scheduler.board import Board
from idlewatt_scheduler.candidates import Fleet, assemble
from idlewatt_scheduler.clauses.pod import first_fixed_reason
from idlewatt_scheduler.leaving import leaving
from idlewatt_scheduler.model.plan import Leaving
from idlewatt_scheduler.model.policy import Preemption
from idlewatt_scheduler.model.reasons import MoveReason
from idlewatt_scheduler.model.snapshot import Snapshot
from idlewatt_scheduler.model.workload import Pod, RunningPod
from idlewatt_scheduler.moves import moves
from idlewatt_scheduler.solvers.greedy import greedy
from idlewatt_scheduler.solvers.stability import settle
from idlewatt_scheduler.templates import templates_of

PATIENT = settings(
    deadline=None,
    max_examples=200,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
Placed = tuple[tuple[Pod, str], ...]
"""Pods and the vehicles on which they were placed."""


def planned(snapshot: Snapshot) -> tuple[Board, tuple[Leaving, ...]]:
    """A stable plan on its board, and who leaves for the ordinary reasons."""
    fleet = assemble(snapshot)
    leavers = leaving(fleet)
    board = Board(fleet, templates_of(snapshot.pending), leavers)
    greedy(board)
    settle(board)
    return board, leavers


def placements(board: Board) -> tuple[Placed, tuple[Pod, ...]]:
    """Who is placed where, and who waits, by priority, age and name."""
    placed: list[tuple[Pod, str]] = []
    taken = [0] * len(board.templates)
    for index, held in enumerate(board.placed):
        for case, count in held.cases:
            template = board.template_of(case)
            first = taken[template]
            taken[template] += count
            pods = board.templates[template].pods[first : first + count]
            placed.extend((pod, board.candidates[index].name) for pod in pods)
    names = {pod.key for pod, _ in placed}
    waiting = (pod for pod in board.fleet.snapshot.pending if pod.key not in names)
    ordered = sorted(waiting, key=lambda pod: (-pod.priority, pod.created_at, pod.key))
    return tuple(placed), tuple(ordered)


def could_be_placed(
    fleet: Fleet, gone: Iterable[RunningPod], placed: Placed, pod: Pod, vehicle: str
) -> bool:
    """Whether every pod clause holds of the pod there, the whole fleet looked up anew."""
    away = {id(each) for each in gone}
    running = tuple(each for each in fleet.snapshot.running if id(each) not in away)
    pods = (*(each for each, _ in placed), pod)
    then = replace(fleet.snapshot, running=running, pending=pods)
    board = Board(assemble(then), templates_of(pods))
    index = {candidate.name: number for number, candidate in enumerate(board.candidates)}
    template = {
        each.key: number for number, made in enumerate(board.templates) for each in made.pods
    }
    for each, where in placed:
        board.put(template[each.key], index[where])
    case, _ = board.case(template[pod.key], index[vehicle])
    return first_fixed_reason(case) is None and board.live_reason(case, index[vehicle]) is None


def preempted_by_the_letter(board: Board, leavers: tuple[Leaving, ...]) -> set[tuple[str, str]]:
    """Steps 1 to 3 for each waiting pod in turn."""
    fleet = board.fleet
    if fleet.snapshot.policy.preemption is Preemption.NEVER:
        return set()
    reasons = {(each.pod.key, each.node) for each in leavers}
    gone = [
        each
        for each in fleet.snapshot.running
        if (each.being_deleted and each.counts_until is None)
        or (each.pod.key, each.node) in reasons
    ]
    vehicles = [
        candidate.name
        for candidate in fleet.candidates
        if candidate.parked is not None and candidate.refusal is None
    ]
    placed, waiting = placements(board)
    preempted: set[tuple[str, str]] = set()
    for pod in waiting:
        template = next(n for n, made in enumerate(board.templates) if pod in made.pods)
        if not board.together.is_complete(template):
            continue
        offers: list[tuple[int, int, str, list[RunningPod]]] = []
        for vehicle in vehicles:
            going = _going(fleet, gone, pod, vehicle)
            for count in range(len(going) + 1):
                if could_be_placed(fleet, [*gone, *going[:count]], placed, pod, vehicle):
                    highest = max((each.pod.priority for each in going[:count]), default=-(10**9))
                    offers.append((highest, count, vehicle, going[:count]))
                    break
        if offers:
            _, _, vehicle, leave = min(offers, key=lambda offer: offer[:3])
            gone += leave
            placed = (*placed, (pod, vehicle))
            preempted |= {(each.pod.key, vehicle) for each in leave}
    return preempted


def _going(fleet: Fleet, gone: list[RunningPod], pod: Pod, vehicle: str) -> list[RunningPod]:
    """Who would go for the pod, the first to go first: sorts are stable, so the last key first."""
    away = {id(each) for each in gone}
    asked = [
        each
        for each in fleet.running.get(vehicle, ())
        if id(each) not in away
        and each.pod.controlled
        and each.pod.demand.gang is None
        and each.counts_until is None
        and each.pod.priority < pod.priority
    ]
    asked.sort(key=lambda each: each.pod.key, reverse=True)
    asked.sort(key=lambda each: each.pod.created_at, reverse=True)
    asked.sort(key=lambda each: each.pod.priority)
    return asked


@PATIENT
@given(snapshot=crowded())
def test_who_is_preempted(snapshot: Snapshot) -> None:
    """Exactly those whom the three steps name."""
    board, leavers = planned(snapshot)
    assume(not board.fleet.charging)
    expected = preempted_by_the_letter(board, leavers)
    event(f"{min(len(expected), 3)} preempted")
    found = moves(board, leavers)
    assert {
        (each.pod.key, each.node) for each in found if each.reason is MoveReason.PREEMPTED
    } == expected
