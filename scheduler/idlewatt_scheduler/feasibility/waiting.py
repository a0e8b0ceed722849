"""Who waits: listed once, with the right condition, counted rightly, and not able to be placed."""

from collections import Counter
from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass

from idlewatt_scheduler.feasibility.kinds import kind_of
from idlewatt_scheduler.feasibility.pod import (
    Question,
    first_lasting_pod_clause,
)
from idlewatt_scheduler.feasibility.reading import Identity, identity
from idlewatt_scheduler.feasibility.report import Violation
from idlewatt_scheduler.feasibility.scene import Scene
from idlewatt_scheduler.feasibility.stability import displaced
from idlewatt_scheduler.model.plan import Plan, Waiting
from idlewatt_scheduler.model.reasons import NO_TIME_OR_CHARGE_WOULD_HELP, WaitingCondition
from idlewatt_scheduler.model.workload import Pod


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is to be said of a waiting pod.

    Attributes:
        reasons: every candidate that does not take it, under its first failing clause.
        condition: what its `PodScheduled` must say.
        could_be_placed: a sentence for each candidate that could take it.
    """

    reasons: Mapping[str, int]
    condition: WaitingCondition
    could_be_placed: tuple[str, ...]


def waiting_violations(scene: Scene, plan: Plan) -> Iterator[Violation]:
    """Every pending pod that is not placed waits, and says why."""
    pending = scene.reading.pending
    placed = {identity(placement.pod) for placement in plan.placements}
    listed: set[Identity] = set()
    verdicts: dict[Hashable, Verdict] = {}
    for waiting in plan.waiting:
        who, subject = identity(waiting.pod), waiting.pod.key
        if who in listed:
            yield Violation("Waiting", subject, "It is listed as waiting more than once.")
        elif who not in pending:
            yield Violation("Waiting", subject, "It waits, but it is not pending.")
        elif who in placed:
            yield Violation("Waiting", subject, "It waits, and is placed as well.")
        else:
            kind = kind_of(pending[who])
            if kind not in verdicts:
                verdicts[kind] = _verdict(scene, pending[who])
            yield from _compare(waiting, verdicts[kind])
        listed.add(who)
    for who in pending:
        if who not in placed and who not in listed:
            yield Violation("Waiting", who[0], "It is pending, and neither placed nor waiting.")


def _compare(waiting: Waiting, verdict: Verdict) -> Iterator[Violation]:
    subject = waiting.pod.key
    for sentence in verdict.could_be_placed:
        yield Violation("Stability", subject, sentence)
    listed = {str(reason): count for reason, count in waiting.reasons.items() if count}
    if listed != verdict.reasons:
        sentence = f"Its candidates are counted as {listed}; they are {verdict.reasons}."
        yield Violation("Reasons", subject, sentence)
    if waiting.condition is not verdict.condition:
        sentence = f"Its condition is {waiting.condition}; it must be {verdict.condition}."
        yield Violation("Condition", subject, sentence)


def _verdict(scene: Scene, pod: Pod) -> Verdict:
    counted: Counter[str] = Counter()
    could: list[str] = []
    for candidate in scene.reading.candidates.values():
        reason = scene.first_failing(pod, candidate)
        if reason is None:
            could.append(f"It waits, but {candidate.name} could take it as the plan stands.")
            continue
        counted[str(reason)] += 1
        lower = displaced(scene, pod, candidate)
        if lower:
            names = ", ".join(stay.pod.key for stay in lower)
            could.append(
                f"It waits, but {candidate.name} could take it without {names}, of less priority."
            )
    return Verdict(dict(counted), condition_of(scene, pod), tuple(could))


def condition_of(scene: Scene, pod: Pod) -> WaitingCondition:
    """`Unschedulable` where no time and no charge of the fleet could place the pod."""
    for candidate in scene.reading.candidates.values():
        if candidate.node is None:
            continue
        stay = scene.reading.new_stay(pod, candidate)
        reason = first_lasting_pod_clause(Question(scene.reading, scene.grid, candidate, stay))
        if reason not in NO_TIME_OR_CHARGE_WOULD_HELP:
            return WaitingCondition.WAITING_FOR_ENERGY
    return WaitingCondition.UNSCHEDULABLE
