"""The plan's placements: real pods, real candidates, true stays, and no clause that fails."""

from collections.abc import Iterator

from idlewatt_scheduler.feasibility.reading import Identity, identity
from idlewatt_scheduler.feasibility.report import Violation
from idlewatt_scheduler.feasibility.scene import Scene
from idlewatt_scheduler.model.plan import Placement, Plan
from idlewatt_scheduler.model.workload import Pod


def placing_violations(scene: Scene, plan: Plan) -> Iterator[Violation]:
    """Everything that is wrong with where, when and with what power pods are placed."""
    seen: set[Identity] = set()
    for placement in plan.placements:
        who, subject = identity(placement.pod), placement.pod.key
        if who not in scene.reading.pending:
            yield Violation("NotPending", subject, "It is placed, but it is not pending.")
        elif who in seen:
            yield Violation("PlacedTwice", subject, "It is placed more than once.")
        elif placement.node not in scene.reading.candidates:
            sentence = f"It is placed on {placement.node}, which is no candidate."
            yield Violation("UnknownCandidate", subject, sentence)
        else:
            yield from _of_one(scene, scene.reading.pending[who], placement)
        seen.add(who)


def _of_one(scene: Scene, pod: Pod, placement: Placement) -> Iterator[Violation]:
    candidate = scene.reading.candidates[placement.node]
    stay = scene.reading.new_stay(pod, candidate)
    said = (placement.start, placement.ready_at, placement.until)
    if said != (stay.start, stay.ready_at, stay.end):
        sentence = (
            f"Its start, readyAt and until are {said} on {candidate.name};"
            f" they must be {(stay.start, stay.ready_at, stay.end)}."
        )
        yield Violation("Stay", pod.key, sentence)
    if placement.power != stay.power:
        sentence = f"It is planned with {placement.power} mW; it draws {stay.power} mW there."
        yield Violation("Power", pod.key, sentence)
    reason = scene.first_failing(pod, candidate)
    if reason is not None:
        sentence = f"It is placed on {candidate.name}, where {reason} fails."
        yield Violation(str(reason), pod.key, sentence)
    if candidate.vehicle is None:
        yield from _not_last(scene, pod)


def _not_last(scene: Scene, pod: Pod) -> Iterator[Violation]:
    """Plain Nodes are used last: only where no vehicle could take the pod."""
    for vehicle in scene.reading.vehicles.values():
        if scene.first_failing(pod, vehicle) is None:
            sentence = f"It is placed on a plain Node, but {vehicle.name} could take it."
            yield Violation("PlainNodesLast", pod.key, sentence)
            return
