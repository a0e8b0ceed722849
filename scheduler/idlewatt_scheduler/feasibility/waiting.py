"""Who waits: listed once, with the right condition, counted rightly, and not able to be placed."""

from collections.abc import Iterator

from idlewatt_scheduler.feasibility.judging import Judge, Verdict
from idlewatt_scheduler.feasibility.reading import Identity, identity
from idlewatt_scheduler.feasibility.report import Violation
from idlewatt_scheduler.feasibility.scene import Scene
from idlewatt_scheduler.model.plan import Plan, Waiting


def waiting_violations(scene: Scene, plan: Plan) -> Iterator[Violation]:
    """Every pending pod that is not placed waits, and says why."""
    pending = scene.reading.pending
    placed = {identity(placement.pod) for placement in plan.placements}
    listed: set[Identity] = set()
    judge = Judge(scene)
    for waiting in plan.waiting:
        who, subject = identity(waiting.pod), waiting.pod.key
        if who in listed:
            yield Violation("Waiting", subject, "It is listed as waiting more than once.")
        elif who not in pending:
            yield Violation("Waiting", subject, "It waits, but it is not pending.")
        elif who in placed:
            yield Violation("Waiting", subject, "It waits, and is placed as well.")
        else:
            yield from _compare(waiting, judge.verdict(pending[who]))
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
