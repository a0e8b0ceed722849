"""Why a pod waits: every candidate once, under the first clause that fails for it."""

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import Final

import numpy as np

from idlewatt_scheduler.candidates import Candidate
from idlewatt_scheduler.clauses.live import first_short_reason, holding
from idlewatt_scheduler.clauses.pod import first_fixed_reason, never_fits, pod_case
from idlewatt_scheduler.model.plan import Waiting
from idlewatt_scheduler.model.reasons import PodReason, Reason, VehicleReason, WaitingCondition
from idlewatt_scheduler.model.workload import Pod
from idlewatt_scheduler.tables.lasting import REASONS, Codes, Lasting
from idlewatt_scheduler.tables.layout import Count
from idlewatt_scheduler.tables.left_over import LeftOver, code_of
from idlewatt_scheduler.tables.shut import shut
from idlewatt_scheduler.tables.standing import Standing, incomplete
from idlewatt_scheduler.tables.together import gangs_of
from idlewatt_scheduler.tables.workings import Workings

_EVERY: Final[tuple[Reason, ...]] = (*REASONS, *VehicleReason)
"""Code n > 0 is the n-th of them; 0: no clause fails."""

_CODE: Final[Mapping[Reason | None, int]] = {
    None: 0,
    **{reason: index for index, reason in enumerate(_EVERY, start=1)},
}


def waiting(work: Workings, counts: Iterable[Count]) -> tuple[Waiting, ...]:
    """The pods that were not placed, judged against what the plan leaves.

    Args:
        work: what the plan's tables were made of.
        counts: candidates, templates and how many pods are placed there, each pair once.
    """
    placed = sorted(counts)
    left = [len(template.pods) for template in work.templates]
    for _, index, number in placed:
        left[index] -= number
    if not any(left):
        return ()
    view = _View(work, placed)
    result: list[Waiting] = []
    for index, (template, lacking) in enumerate(zip(work.templates, left, strict=True)):
        if lacking:
            condition, reasons = view.condition(template.sample), view.reasons(index)
            pods = template.pods[len(template.pods) - lacking :]
            result.extend(Waiting(pod, condition, reasons) for pod in pods)
    return tuple(result)


class _View:
    """What a plan leaves, for the pods that wait."""

    def __init__(self, work: Workings, placed: Sequence[Count]) -> None:
        self._work = work
        candidates = work.fleet.candidates
        self._codes = np.array([_CODE[candidate.refusal] for candidate in candidates], np.uint8)
        self._takers = np.flatnonzero(self._codes == 0)
        place_of = np.cumsum(self._codes == 0) - 1
        there = [(int(place_of[candidate]), t, number) for candidate, t, number in placed]
        # Vehicles come before other Nodes: the first places are the rows of the vehicles.
        vehicles = len(work.vehicles.candidate)
        self._there = [each for each in there if each[0] < vehicles]
        self._plain = [
            (candidate, _used(work, candidate, [(t, n) for p, t, n in there if p == place]))
            for place, candidate in enumerate(work.takers)
            if place >= vehicles
        ]
        self._standing = Standing(work.spreads, there)
        gang, needs = gangs_of(work.templates, work.running)
        numbers = np.zeros(len(work.templates), np.int64)
        for _, template, number in placed:
            numbers[template] += number
        self._incomplete = incomplete(gang, needs, numbers)

    def reasons(self, template: int) -> dict[Reason, int]:
        """How many candidates fail first on each clause, the commonest first."""
        pod = self._work.templates[template].sample
        own = np.concatenate([self._of_vehicles(pod), self._of_plain(pod)])
        spread = (own == 0) & self._standing.keeps_away(template)
        own[spread] = code_of(PodReason.TOPOLOGY_SPREAD)
        if self._incomplete[template]:
            own[own == 0] = code_of(PodReason.GANG_INCOMPLETE)
        codes = self._codes.copy()
        codes[self._takers] = own
        return _counted(codes)

    def condition(self, pod: Pod) -> WaitingCondition:
        """`Unschedulable` only if no time and no charge of the fleet could place the pod."""
        if not self._work.asking.never(pod).all() or not self._refused.never(pod).all():
            return WaitingCondition.WAITING_FOR_ENERGY
        snapshot = self._work.fleet.snapshot
        cases = (pod_case(pod, node, snapshot.policy, snapshot.at) for node, _ in self._plain)
        if all(map(never_fits, cases)):
            return WaitingCondition.UNSCHEDULABLE
        return WaitingCondition.WAITING_FOR_ENERGY

    @cached_property
    def _refused(self) -> Lasting:
        """The vehicles that have a Node and take no pods now."""
        return shut(self._work)

    @cached_property
    def _left_over(self) -> LeftOver:
        """The vehicles that take pods; asked only of what some of them could take."""
        return LeftOver(self._work, self._there)

    def _of_vehicles(self, pod: Pod) -> Codes:
        answer = self._work.asking.answer(pod)
        return answer.code if answer.code.all() else self._left_over.code(pod, answer)

    def _of_plain(self, pod: Pod) -> Codes:
        snapshot = self._work.fleet.snapshot
        codes = np.zeros(len(self._plain), np.uint8)
        for index, (candidate, used) in enumerate(self._plain):
            case = pod_case(pod, candidate, snapshot.policy, snapshot.at)
            reason = first_fixed_reason(case)
            codes[index] = code_of(reason or first_short_reason(case, used, 1))
        return codes


def _used(
    work: Workings, candidate: Candidate, held: Iterable[tuple[int, int]]
) -> Mapping[str, int]:
    """What is requested of a plain Node, new pods included."""
    snapshot = work.fleet.snapshot
    cases = [
        (pod_case(work.templates[t].sample, candidate, snapshot.policy, snapshot.at), number)
        for t, number in held
    ]
    return holding(candidate, cases).used


def _counted(codes: Codes) -> dict[Reason, int]:
    """How often each reason stands there, the commonest first; of equal ones the first to stand."""
    counts = np.bincount(codes, minlength=len(_EVERY) + 1)
    found = [int(code) for code in np.flatnonzero(counts) if code]
    first = {code: int(np.argmax(codes == code)) for code in found}
    found.sort(key=lambda code: (-int(counts[code]), first[code]))
    return {_EVERY[code - 1]: int(counts[code]) for code in found}
