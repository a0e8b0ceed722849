"""The plan's placements: real pods, real candidates, true stays, and no clause that fails."""

from collections import defaultdict
from collections.abc import Iterator

from idlewatt_scheduler.feasibility.circuits import Grid
from idlewatt_scheduler.feasibility.pod import Question, first_failing_pod_clause
from idlewatt_scheduler.feasibility.reading import Candidate, Identity, Reading, Stay, identity
from idlewatt_scheduler.feasibility.report import Violation
from idlewatt_scheduler.feasibility.vehicle import failing_vehicle_clauses
from idlewatt_scheduler.model.plan import Placement, Plan
from idlewatt_scheduler.model.reasons import Reason, VehicleReason
from idlewatt_scheduler.model.workload import Pod


class Scene:
    """The fleet as the plan leaves it: running pods, and every placement that makes sense.

    The stays are those the rules ask for, whatever the plan says they are.
    """

    def __init__(self, reading: Reading, plan: Plan) -> None:
        self.reading = reading
        self._vehicle_reasons: dict[str, VehicleReason | None] = {}
        new: defaultdict[str, list[Stay]] = defaultdict(list)
        seen: set[Identity] = set()
        for placement in plan.placements:
            who = identity(placement.pod)
            if who in reading.pending and who not in seen and placement.node in reading.candidates:
                candidate = reading.candidates[placement.node]
                new[placement.node].append(reading.new_stay(reading.pending[who], candidate))
                seen.add(who)
        self._new = {name: tuple(stays) for name, stays in new.items()}
        self.grid = Grid.planned(reading, self._new)

    def new_on(self, name: str) -> tuple[Stay, ...]:
        """The stays the plan adds to a candidate, in the plan's order."""
        return self._new.get(name, ())

    def first_failing(
        self, pod: Pod, candidate: Candidate, beside: tuple[Stay, ...] | None = None
    ) -> Reason | None:
        """The first clause that keeps the pod off the candidate.

        `beside` are the new stays that the candidate keeps; all but the pod's own where it
        is None.
        """
        reason = self._first_vehicle_reason(candidate)
        if reason is not None:
            return reason
        if beside is None:
            who = identity(pod)
            beside = tuple(
                stay for stay in self.new_on(candidate.name) if identity(stay.pod) != who
            )
        stay = self.reading.new_stay(pod, candidate)
        return first_failing_pod_clause(Question(self.reading, self.grid, candidate, stay, beside))

    def _first_vehicle_reason(self, candidate: Candidate) -> VehicleReason | None:
        if candidate.name not in self._vehicle_reasons:
            failing = failing_vehicle_clauses(self.reading, candidate)
            self._vehicle_reasons[candidate.name] = next(failing, None)
        return self._vehicle_reasons[candidate.name]


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
