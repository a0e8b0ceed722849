"""Who waits: listed once, with the right condition, counted rightly, and not able to be placed."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from idlewatt_scheduler.feasibility.placing import Scene
from idlewatt_scheduler.feasibility.pod import (
    Question,
    first_lasting_pod_clause,
)
from idlewatt_scheduler.feasibility.reading import Candidate, Identity, identity
from idlewatt_scheduler.feasibility.report import Violation
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
    verdicts: dict[str, Verdict] = {}
    for waiting in plan.waiting:
        who, subject = identity(waiting.pod), waiting.pod.key
        if who in listed:
            yield Violation("Waiting", subject, "It is listed as waiting more than once.")
        elif who not in pending:
            yield Violation("Waiting", subject, "It waits, but it is not pending.")
        elif who in placed:
            yield Violation("Waiting", subject, "It waits, and is placed as well.")
        else:
            # Waiting pods that differ in name and age only are judged once.
            alike = repr(replace(pending[who], namespace="", name="", uid="", created_at=0))
            if alike not in verdicts:
                verdicts[alike] = _verdict(scene, pending[who])
            yield from _compare(waiting, verdicts[alike])
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
        lower = _displaced(scene, pod, candidate)
        if lower:
            could.append(
                f"It waits, but {candidate.name} could take it without {', '.join(lower)},"
                " of less priority."
            )
    return Verdict(dict(counted), condition_of(scene, pod), tuple(could))


def _displaced(scene: Scene, pod: Pod, candidate: Candidate) -> list[str]:
    """The new pods of lower priority on a vehicle, if leaving them out would make room.

    All of them are left out at once: no clause fails because fewer pods are there.
    """
    new = scene.new_on(candidate.name)
    kept = tuple(stay for stay in new if stay.pod.priority >= pod.priority)
    if candidate.vehicle is None or len(kept) == len(new):
        return []
    if scene.first_failing(pod, candidate, beside=kept) is not None:
        return []
    return [stay.pod.key for stay in new if stay not in kept]


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
