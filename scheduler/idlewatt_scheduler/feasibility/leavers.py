"""Who leaves: those that have to, and those that make room; nobody else, and nobody twice."""

from collections.abc import Iterator

from idlewatt_scheduler.feasibility.making_room import asked_to_make_room
from idlewatt_scheduler.feasibility.reading import Identity, identity
from idlewatt_scheduler.feasibility.report import Violation
from idlewatt_scheduler.feasibility.scene import Scene
from idlewatt_scheduler.model.plan import Plan


def leaving_violations(scene: Scene, plan: Plan) -> Iterator[Violation]:
    """Exactly the pods that must leave are listed, each once and under its first reason."""
    must = {**scene.must_leave, **asked_to_make_room(scene)}
    snapshot = scene.reading.snapshot
    nodes = {identity(running.pod): running.node for running in snapshot.running}
    listed: set[Identity] = set()
    for leaving in plan.leaving:
        who, subject = identity(leaving.pod), leaving.pod.key
        expected = must.get(who)
        if who in listed:
            yield Violation("Leaving", subject, "It is listed as leaving more than once.")
        elif who not in nodes:
            yield Violation("Leaving", subject, "It leaves, but it does not run.")
        elif expected is None:
            sentence = f"It leaves for {leaving.reason}, but nothing asks it to."
            yield Violation("Leaving", subject, sentence)
        elif expected != leaving.reason:
            sentence = f"It leaves for {leaving.reason}; the first reason is {expected}."
            yield Violation("Leaving", subject, sentence)
        elif nodes[who] != leaving.node:
            sentence = f"It leaves {leaving.node}, but it runs on {nodes[who]}."
            yield Violation("Leaving", subject, sentence)
        listed.add(who)
    for who, reason in must.items():
        if who not in listed:
            yield Violation(
                str(reason), who[0], f"It must leave for {reason}, and is not asked to."
            )
