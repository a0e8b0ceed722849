"""Who waits: listed once, with the right condition, counted rightly, and not able to be placed."""

from collections import Counter
from collections.abc import Iterator

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


def waiting_violations(scene: Scene, plan: Plan) -> Iterator[Violation]:
    """Every pending pod that is not placed waits, and says why."""
    pending = scene.reading.pending
    placed = {identity(placement.pod) for placement in plan.placements}
    listed: set[Identity] = set()
    for waiting in plan.waiting:
        who, subject = identity(waiting.pod), waiting.pod.key
        if who in listed:
            yield Violation("Waiting", subject, "It is listed as waiting more than once.")
        elif who not in pending:
            yield Violation("Waiting", subject, "It waits, but it is not pending.")
        elif who in placed:
            yield Violation("Waiting", subject, "It waits, and is placed as well.")
        else:
            yield from _of_one(scene, pending[who], waiting)
        listed.add(who)
    for who in pending:
        if who not in placed and who not in listed:
            yield Violation("Waiting", who[0], "It is pending, and neither placed nor waiting.")


def _of_one(scene: Scene, pod: Pod, waiting: Waiting) -> Iterator[Violation]:
    counted: Counter[str] = Counter()
    for candidate in scene.reading.candidates.values():
        reason = scene.first_failing(pod, candidate)
        if reason is not None:
            counted[reason] += 1
        else:
            sentence = f"It waits, but {candidate.name} could take it as the plan stands."
            yield Violation("Stability", pod.key, sentence)
            continue
        yield from _could_displace(scene, pod, candidate)
    listed = {str(reason): count for reason, count in waiting.reasons.items() if count}
    if listed != dict(counted):
        sentence = f"Its candidates are counted as {listed}; they are {dict(counted)}."
        yield Violation("Reasons", pod.key, sentence)
    condition = condition_of(scene, pod)
    if waiting.condition is not condition:
        sentence = f"Its condition is {waiting.condition}; it must be {condition}."
        yield Violation("Condition", pod.key, sentence)


def _could_displace(scene: Scene, pod: Pod, candidate: Candidate) -> Iterator[Violation]:
    """Whether leaving out new pods of lower priority on one vehicle would make room.

    All of them are left out at once: none of the clauses fails because fewer pods are there.
    """
    new = scene.new_on(candidate.name)
    kept = tuple(stay for stay in new if stay.pod.priority >= pod.priority)
    if candidate.vehicle is None or len(kept) == len(new):
        return
    if scene.first_failing(pod, candidate, beside=kept) is None:
        lower = ", ".join(stay.pod.key for stay in new if stay not in kept)
        sentence = (
            f"It waits, but {candidate.name} could take it without {lower}, of less priority."
        )
        yield Violation("Stability", pod.key, sentence)


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
