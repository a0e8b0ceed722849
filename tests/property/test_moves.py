"""Making room means what the rules say, read letter by letter with nothing remembered."""

from collections.abc import Iterable
from dataclasses import replace
from fractions import Fraction

from hypothesis import HealthCheck, assume, event, given, settings
from tests.property.crowded import crowded, restless

from idlewatt_scheduler.availability import currency_unknown
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
from idlewatt_scheduler.stay import Stay
from idlewatt_scheduler.tallies import fleet_pays
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


def moved_by_the_letter(board: Board, leavers: tuple[Leaving, ...]) -> set[tuple[str, str]]:
    """Who is asked in turn, everything looked up and added up anew for each question."""
    snapshot, fleet = board.fleet.snapshot, board.fleet
    if snapshot.policy.migration_cost is None:
        return set()
    gone = {(each.pod.key, each.node) for each in leavers} | preempted_by_the_letter(board, leavers)
    asked = [
        running
        for candidate in fleet.candidates
        if candidate.parked is not None
        for running in fleet.running.get(candidate.name, ())
        if (running.pod.key, candidate.name) not in gone
        and running.replaceable
        and running.pod.demand.expected_runtime is None
        and (running.bound_until is None or running.bound_until <= snapshot.at)
        and running.pod.controlled
        and running.pod.demand.gang is None
        and not running.being_deleted
        and running.counts_until is None
    ]
    placed, _ = placements(board)
    moved: dict[tuple[str, str], str] = {}
    alone = [(saving_by_the_letter(board, leavers, placed, {}, each), each) for each in asked]
    turn = sorted(
        ((saved[0], each) for saved, each in alone if saved is not None),
        key=lambda entry: (-entry[0], entry[1].pod.key),
    )
    for _, running in turn:
        saved = saving_by_the_letter(board, leavers, placed, moved, running)
        full = len(moved) == snapshot.policy.migrations_at_once
        if saved is not None and saved[0] > snapshot.policy.migration_cost and not full:
            moved[running.pod.key, running.node] = saved[1]
    return set(moved)


def saving_by_the_letter(
    board: Board,
    leavers: tuple[Leaving, ...],
    placed: Placed,
    moved: dict[tuple[str, str], str],
    running: RunningPod,
) -> tuple[Fraction, str] | None:
    """What moving the pod saves, and where it would go."""
    snapshot = board.fleet.snapshot
    went = [each for each in snapshot.running if (each.pod.key, each.node) in moved]
    new = (*placed, *((each.pod, moved[each.pod.key, each.node]) for each in went))
    paid = _paid(snapshot, new, running)
    if paid is None:
        return None
    away = {id(each) for each in (*went, running)}
    counted = tuple(
        replace(each, being_deleted=True) if id(each) in away else each for each in snapshot.running
    )
    pods = (*(pod for pod, _ in new), running.pod)
    then = _board(assemble(replace(snapshot, running=counted, pending=pods)), leavers, new, pods)
    template = next(n for n, made in enumerate(then.templates) if running.pod in made.pods)
    best: tuple[Fraction, str] | None = None
    for index, candidate in enumerate(then.candidates):
        if candidate.parked is None or candidate.name == running.node:
            continue
        case, fixed = then.case(template, index)
        refused = board.candidates[index].refusal is not None or fixed is not None
        if not refused and then.live_reason(case, index) is None:
            added = then.cost(index, ((case, 1),)).money - then.cost(index).money
            best = min(best or (added, candidate.name), (added, candidate.name))
    return None if best is None else (paid - best[0], best[1])


def _board(
    fleet: Fleet, leavers: tuple[Leaving, ...], placed: Placed, pods: tuple[Pod, ...]
) -> Board:
    board = Board(fleet, templates_of(pods), leavers)
    index = {candidate.name: number for number, candidate in enumerate(board.candidates)}
    for pod, where in placed:
        template = next(n for n, made in enumerate(board.templates) if pod in made.pods)
        board.put(template, index[where])
    return board


def _paid(snapshot: Snapshot, new: Placed, running: RunningPod) -> Fraction | None:
    """What its vehicle would cost with it as a new pod there, less without it."""
    at, stay = snapshot.at, snapshot.policy.minimum_stay_seconds * 1_000
    others = tuple(each for each in snapshot.running if each is not running)
    pods = (*(pod for pod, _ in new), running.pod)
    fleet = assemble(replace(snapshot, running=others, pending=pods))
    candidates = tuple(replace(candidate, refusal=None) for candidate in fleet.candidates)
    board = _board(replace(fleet, candidates=candidates), (), new, pods)
    index = next(n for n, each in enumerate(board.candidates) if each.name == running.node)
    parked, rates = board.candidates[index].parked, board.rates[index]
    assert parked is not None
    unpriced = parked.prices is None or not parked.prices.priced(at, at + stay)
    if currency_unknown(parked.case) or (fleet_pays(parked) and unpriced):
        return None
    template = next(n for n, made in enumerate(board.templates) if running.pod in made.pods)
    assert rates is not None
    assert running.bound_power is not None
    case, _ = board.case(template, index)
    it = replace(case, stay=Stay(at, at, at + stay), power=running.bound_power)
    waking = Fraction(0) if board.placed[index].cases else rates.waking
    return board.cost(index, ((it, 1),)).money - board.cost(index).money - waking


def asked_to_go(
    board: Board, leavers: tuple[Leaving, ...], reason: MoveReason
) -> set[tuple[str, str]]:
    """Whom the planner asks to leave for a reason: pods and their nodes."""
    return {(each.pod.key, each.node) for each in moves(board, leavers) if each.reason is reason}


@PATIENT
@given(snapshot=crowded())
def test_who_is_preempted(snapshot: Snapshot) -> None:
    """Exactly those whom the three steps name."""
    board, leavers = planned(snapshot)
    assume(not board.fleet.charging)
    expected = preempted_by_the_letter(board, leavers)
    event(f"{min(len(expected), 3)} preempted")
    assert asked_to_go(board, leavers, MoveReason.PREEMPTED) == expected


@PATIENT
@given(snapshot=restless())
def test_who_moves_to_save_money(snapshot: Snapshot) -> None:
    """Exactly those who are named when nothing is remembered from one question to the next."""
    board, leavers = planned(snapshot)
    assume(not board.fleet.charging)
    expected = moved_by_the_letter(board, leavers)
    event(f"{min(len(expected), 3)} moved")
    assert asked_to_go(board, leavers, MoveReason.CHEAPER_ELSEWHERE) == expected
