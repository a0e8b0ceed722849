"""The fleet as a plan leaves it, and what keeps one more pod off a candidate there."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from functools import cached_property

from idlewatt_scheduler.feasibility.circuits import Grid
from idlewatt_scheduler.feasibility.leaving import must_leave
from idlewatt_scheduler.feasibility.pod import Question, first_failing_pod_clause
from idlewatt_scheduler.feasibility.reading import Candidate, Identity, Reading, Stay, identity
from idlewatt_scheduler.feasibility.together import Crowd, Gangs, still_running
from idlewatt_scheduler.feasibility.vehicle import failing_vehicle_clauses
from idlewatt_scheduler.model.plan import Plan
from idlewatt_scheduler.model.reasons import PodReason, Reason, VehicleReason
from idlewatt_scheduler.model.workload import Pod


class Scene:
    """The fleet as the plan leaves it: running pods, and every placement that makes sense.

    The stays are those the rules ask for, whatever the plan says they are.
    """

    def __init__(self, reading: Reading, plan: Plan) -> None:
        self.reading = reading
        self._vehicle_reasons: dict[str, VehicleReason | None] = {}
        self.placed_on: dict[Identity, str] = {}
        new: defaultdict[str, list[Stay]] = defaultdict(list)
        for placement in plan.placements:
            who = identity(placement.pod)
            sensible = who in reading.pending and placement.node in reading.candidates
            if sensible and who not in self.placed_on:
                candidate = reading.candidates[placement.node]
                new[placement.node].append(reading.new_stay(reading.pending[who], candidate))
                self.placed_on[who] = placement.node
        self.new: Mapping[str, tuple[Stay, ...]] = {
            name: tuple(stays) for name, stays in new.items()
        }
        self.grid = Grid.planned(reading, self.new)

    def new_on(self, name: str) -> tuple[Stay, ...]:
        """The stays the plan adds to a candidate, in the plan's order."""
        return self.new.get(name, ())

    @cached_property
    def must_leave(self) -> Mapping[Identity, Reason]:
        """Who leaves whatever is placed, and why."""
        return must_leave(self.reading)

    @cached_property
    def gangs(self) -> Gangs:
        """How many pods of each gang are placed or run on."""
        placed = [self.reading.pending[who] for who in self.placed_on]
        return Gangs(self.reading, placed, self.must_leave.keys())

    @cached_property
    def crowd(self) -> Crowd:
        """All pods that spread constraints count."""
        return self.crowd_without(())

    def crowd_without(self, gone: Iterable[Identity]) -> Crowd:
        """The same without some of the running pods."""
        leaving = {*self.must_leave, *gone}
        open_to_pods = (
            name
            for name, candidate in self.reading.candidates.items()
            if self.vehicle_reason(candidate) is None
        )
        crowd = Crowd(self.reading.snapshot.nodes, open_to_pods)
        for running in still_running(self.reading.snapshot.running, leaving):
            crowd.add(running.pod, running.node, placed=False)
        for who, name in self.placed_on.items():
            crowd.add(self.reading.pending[who], name, placed=True)
        return crowd

    def first_failing(self, pod: Pod, candidate: Candidate) -> Reason | None:
        """The first clause that keeps the pod off the candidate; of a placed pod, beside the rest.

        A pod that is placed elsewhere is asked as if it came from there.
        """
        reason = self.first_failing_alone(pod, candidate)
        return reason or self.first_failing_together(pod, candidate)

    def first_failing_alone(
        self, pod: Pod, candidate: Candidate, beside: tuple[Stay, ...] | None = None
    ) -> Reason | None:
        """The same of the clauses that look at one candidate and its circuits.

        `beside` are the new stays that the candidate keeps; all but the pod's own where it
        is None.
        """
        reason = self.vehicle_reason(candidate)
        if reason is not None:
            return reason
        if beside is None:
            who = identity(pod)
            beside = tuple(
                stay for stay in self.new_on(candidate.name) if identity(stay.pod) != who
            )
        stay = self.reading.new_stay(pod, candidate)
        running = self.reading.running_on(candidate.name)
        return first_failing_pod_clause(
            Question(self.reading, self.grid, candidate, stay, running, beside)
        )

    def first_failing_together(self, pod: Pod, candidate: Candidate) -> Reason | None:
        """The same of the clauses that look at several pods: spread, then gangs."""
        elsewhere = self.placed_on.get(identity(pod))
        if elsewhere == candidate.name:
            holds = self.crowd.holds_of_placed(pod, candidate.name)
        elif elsewhere is None:
            holds = self.crowd.would_hold(pod, candidate.name)
        else:
            self.crowd.remove(pod, elsewhere)
            holds = self.crowd.would_hold(pod, candidate.name)
            self.crowd.add(pod, elsewhere, placed=True)
        if not holds:
            return PodReason.TOPOLOGY_SPREAD
        return PodReason.GANG_INCOMPLETE if self.gangs.is_incomplete(pod) else None

    def vehicle_reason(self, candidate: Candidate) -> VehicleReason | None:
        """The first vehicle clause that fails there."""
        if candidate.name not in self._vehicle_reasons:
            failing = failing_vehicle_clauses(self.reading, candidate)
            self._vehicle_reasons[candidate.name] = next(failing, None)
        return self._vehicle_reasons[candidate.name]
