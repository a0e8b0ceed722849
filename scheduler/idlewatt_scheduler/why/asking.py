"""The question why a pod waits, asked of one vehicle or of the fleet."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

from idlewatt_scheduler.model.plan import Plan
from idlewatt_scheduler.model.reasons import PodReason, Reason
from idlewatt_scheduler.model.snapshot import Snapshot
from idlewatt_scheduler.model.workload import Pod
from idlewatt_scheduler.planner import Params
from idlewatt_scheduler.planner import plan as plan_of
from idlewatt_scheduler.why.answer import (
    Advice,
    Answer,
    Failing,
    Limits,
    Prediction,
    VehicleAnswer,
)
from idlewatt_scheduler.why.bench import Bench, Wish, board_left
from idlewatt_scheduler.why.changes import (
    AnyTariff,
    Change,
    HigherPrice,
    LaterStart,
    LessPower,
    ShorterStay,
    Together,
)
from idlewatt_scheduler.why.failing import failing
from idlewatt_scheduler.why.least import (
    NO_CHANGE_HELPS,
    Vehicle,
    later_start,
    least_changes,
    spells,
)
from idlewatt_scheduler.why.outlook import Outlook

AT_ONCE: Final = Params(exact_literals=0)
"""The queue of a later instant is planned greedily: it is foreseen, not decided."""

DEFAULT_LIMITS: Final = Limits()


@dataclass(frozen=True, slots=True)
class _Asked:
    """One question, with what answers it."""

    pod: Pod
    outlook: Outlook
    benches: tuple[Bench, ...]
    limits: Limits

    @property
    def wish(self) -> Wish:
        return Wish(self.pod, self.outlook.snapshot.policy)


def why(
    snapshot: Snapshot,
    plan: Plan,
    pod: Pod,
    on: str | None = None,
    limits: Limits = DEFAULT_LIMITS,
) -> Answer:
    """Why a pending pod waits, or where it goes, judged against what the plan leaves.

    Args:
        snapshot: with the pod among its pending ones.
        plan: made for this snapshot.
        pod: one of `snapshot.pending`.
        on: the only vehicle to be asked about; None: the whole fleet.
        limits: how far to look.

    Raises:
        ValueError: the pod is not pending, or there is no such candidate.
    """
    if all(_id(each) != _id(pod) for each in snapshot.pending):
        message = f"Pod {pod.key} is not among those that wait for a place."
        raise ValueError(message)
    placed = next((each for each in plan.placements if _id(each.pod) == _id(pod)), None)
    beside = replace(
        plan, placements=tuple(each for each in plan.placements if _id(each.pod) != _id(pod))
    )
    board = board_left(snapshot, beside)
    chosen = _chosen(tuple(Bench(board, i) for i in range(len(board.candidates))), on)
    asked = _Asked(pod, Outlook(snapshot, beside), chosen, limits)
    waits = placed is None
    found = [
        VehicleAnswer(each.candidate.name, _failing(each, asked, waits=waits)) for each in chosen
    ]
    answers = tuple(sorted(_with_changes(asked, found), key=_nearness))
    answers = tuple(_with_spells(asked, answers)) if waits else answers
    return Answer(
        pod=pod.key,
        at=snapshot.at,
        placed=placed,
        condition=next(
            (each.condition for each in plan.waiting if _id(each.pod) == _id(pod)), None
        ),
        reasons=_counted(answers),
        vehicles=answers,
        advice=tuple(_advice(answers)) if waits else (),
        prediction=_prediction(asked, answers, plan) if waits else None,
    )


def _failing(bench: Bench, asked: "_Asked", *, waits: bool) -> tuple[Failing, ...]:
    """What fails there; the gang of a pod that is placed is complete with it."""
    found = failing(bench, asked.wish)
    if waits:
        return found
    return tuple(each for each in found if each.reason is not PodReason.GANG_INCOMPLETE)


def _chosen(benches: tuple[Bench, ...], on: str | None) -> tuple[Bench, ...]:
    if on is None:
        return benches
    found = tuple(bench for bench in benches if bench.candidate.name == on)
    if not found:
        message = f"There is no vehicle {on}."
        raise ValueError(message)
    return found


def _with_changes(asked: _Asked, found: Iterable[VehicleAnswer]) -> Iterator[VehicleAnswer]:
    """The nearest vehicles with the changes that would do there, then all the others."""
    benches = {bench.candidate.name: bench for bench in asked.benches}
    looked = 0
    for answer in sorted(found, key=_nearness):
        hopeful = answer.failing and not is_hopeless(answer)
        if not hopeful or looked >= asked.limits.examined:
            yield replace(answer, examined=not hopeful)
            continue
        looked += 1
        vehicle = Vehicle(benches[answer.name], asked.outlook, asked.wish)
        yield replace(answer, examined=True, changes=least_changes(vehicle))


def _with_spells(asked: _Asked, answers: Iterable[VehicleAnswer]) -> Iterator[VehicleAnswer]:
    """The nearest vehicles with the day to come."""
    benches = {bench.candidate.name: bench for bench in asked.benches}
    for rank, answer in enumerate(answers):
        bench = benches[answer.name]
        if rank < asked.limits.drawn and bench.candidate.parked and answer.changes:
            drawn = spells(Vehicle(bench, asked.outlook, asked.wish))
            yield replace(answer, spells=drawn)
        else:
            yield answer


def is_hopeless(answer: VehicleAnswer) -> bool:
    """No change of time, power or money touches one of the clauses that fail."""
    return any(each.reason in NO_CHANGE_HELPS for each in answer.failing)


def _nearness(answer: VehicleAnswer) -> tuple[bool, bool, int, str]:
    """Nearest where one change does, then where several do, then where little fails."""
    together = all(isinstance(change, Together) for change in answer.changes)
    return is_hopeless(answer), together, len(answer.failing), answer.name


def _counted(answers: Iterable[VehicleAnswer]) -> Mapping[Reason, int]:
    counts = Counter(answer.reason for answer in answers)
    return {reason: count for reason, count in counts.most_common() if reason is not None}


def _advice(answers: Iterable[VehicleAnswer]) -> Iterator[Advice]:
    """The least of each kind; several changes together only where no single one does anywhere."""
    found = [(change, answer.name) for answer in answers for change in answer.changes]
    single = [each for each in found if not isinstance(each[0], Together)]
    by_kind: dict[tuple[type, ...], list[tuple[Change, str]]] = {}
    for change, name in single or found:
        by_kind.setdefault(_kind(change), []).append((change, name))
    for kind in sorted(by_kind, key=_kind_order):
        least, name = min(by_kind[kind], key=lambda each: (_effort(each[0]), each[1]))
        yield Advice(least, name, len({name for _, name in by_kind[kind]}))


_KINDS: Final = (LaterStart, ShorterStay, LessPower, HigherPrice, AnyTariff)


def _kind(change: Change) -> tuple[type, ...]:
    return tuple(map(type, change.changes)) if isinstance(change, Together) else (type(change),)


def _kind_order(kind: tuple[type, ...]) -> tuple[int, ...]:
    return tuple(_KINDS.index(each) for each in kind)


def _effort(change: Change) -> tuple[object, ...]:
    """Smaller for what changes less."""
    match change:
        case LaterStart():
            return (change.at,)
        case ShorterStay():
            return (-change.length_seconds,)
        case LessPower():
            return -change.power_watts, bool(change.requests)
        case HigherPrice():
            return (change.max_price_per_kwh,)
        case AnyTariff():
            return ()
        case Together():
            # The instant last: of two later starts the better one is what leaves more.
            parts = sorted(change.changes, key=lambda each: isinstance(each, LaterStart))
            return tuple(part for each in parts for part in _effort(each))


def _prediction(asked: _Asked, answers: Iterable[VehicleAnswer], plan: Plan) -> Prediction | None:
    """When the pod starts; where others wait as well, once they have been planned for, too."""
    starts = sorted(
        (change.at, answer.name)
        for answer in answers
        for change in answer.changes
        if isinstance(change, LaterStart)
    )
    if not starts:
        return None
    at, name = starts[0]
    others = [waiting.pod for waiting in plan.waiting if _id(waiting.pod) != _id(asked.pod)]
    if not others:
        return Prediction(at, name)
    if len(asked.outlook.fleet.candidates) * len(others) > asked.limits.queued:
        return Prediction(at, name, queue_asked=False)
    return _in_the_queue(asked, [each[1] for each in starts], at)


def _in_the_queue(asked: _Asked, names: list[str], at: int) -> Prediction | None:
    """Plan at the instants at which the pod could start, until it does."""
    outlook, wish, ahead = asked.outlook, asked.wish, 0
    for _ in range(asked.limits.rounds):
        snapshot = outlook.snapshot_at(at)
        made = plan_of(snapshot, AT_ONCE)
        mine = next((each for each in made.placements if _id(each.pod) == _id(asked.pod)), None)
        if mine is not None:
            return Prediction(at, mine.node, ahead)
        ahead += len(made.placements)
        outlook = Outlook(snapshot, made)
        board = board_left(snapshot, made)
        index = {candidate.name: i for i, candidate in enumerate(board.candidates)}
        found = map(
            partial(_start_on, outlook, wish), (Bench(board, index[name]) for name in names)
        )
        following = min((start for start in found if start is not None), default=None)
        if following is None:
            return None
        at = following
    return None


def _start_on(outlook: Outlook, wish: Wish, bench: Bench) -> int | None:
    return later_start(Vehicle(bench, outlook, wish))


def _id(pod: Pod) -> tuple[str, str]:
    return pod.key, pod.uid
