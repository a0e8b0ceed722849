"""A waiting pod asked of all vehicles at once, as far as columns tell."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from idlewatt_scheduler.feasibility.beside import Beside, Common
from idlewatt_scheduler.feasibility.columns import PASSES, REASONS, Flags, Fleet
from idlewatt_scheduler.feasibility.reading import Candidate, Stay
from idlewatt_scheduler.feasibility.scene import Scene
from idlewatt_scheduler.feasibility.stability import may_be_left_out
from idlewatt_scheduler.model.reasons import NO_TIME_OR_CHARGE_WOULD_HELP, Reason
from idlewatt_scheduler.model.workload import Pod


@dataclass(frozen=True, slots=True)
class Asked:
    """What came of it.

    Attributes:
        counted: vehicles under the reason for which they do not take the pod.
        open: the vehicles that have to be asked one by one.
        displacing: where it might be placed if new pods of lower priority were left out.
        might_ever_take: some vehicle might at another time or with another charge.
    """

    counted: Mapping[str, int]
    open: Sequence[Candidate]
    displacing: Sequence[Candidate]
    might_ever_take: bool


class Throughout:
    """The columns of one scene."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        reading = scene.reading
        resources = {name for pod in reading.pending.values() for name in pod.requests}
        self._fleet = Fleet(reading, scene.vehicle_reason, resources)
        self._common = Common(self._fleet, scene.grid, reading.running_on, scene.new_on)
        self._beside = Beside(self._common, scene.new_on)
        self._above: dict[int, tuple[Beside, Flags]] = {}

    def ask(self, pod: Pod) -> Asked:
        """What keeps the pod off every vehicle, beside all that is placed."""
        stays = self._fleet.stays(pod)
        fixed = self._fleet.first_fixed(pod, stays)
        first, is_open = self._beside.first_failing(pod, stays, fixed)
        counted = Counter[str]()
        for number, count in enumerate(np.bincount(first[~is_open & (first < PASSES)])):
            counted[str(REASONS[number])] += int(count)
        open_ones = [self._fleet.cars[each] for each in np.flatnonzero(is_open)]
        told: dict[tuple[str | None, ...], Reason | None] = {}
        for each in np.flatnonzero(~is_open & (first == PASSES)):
            car = self._fleet.cars[each]
            seen = self._scene.crowd.domains_of(pod, car.name)
            if seen not in told:
                told[seen] = self._scene.first_failing_together(pod, car)
            if told[seen] is None:
                open_ones.append(car)
            else:
                counted[str(told[seen])] += 1
        displacing: Sequence[Candidate] = ()
        if not self._scene.gangs.is_incomplete(pod):
            beside, some_are_lower = self._above_priority(pod)
            above, unsure = beside.first_failing(pod, stays, np.where(some_are_lower, fixed, 0))
            rows = np.flatnonzero(some_are_lower & (unsure | (above == PASSES)))
            displacing = [self._fleet.cars[each] for each in rows]
        ever = self._fleet.would_ever_take(pod, stays, NO_TIME_OR_CHARGE_WOULD_HELP)
        return Asked(+counted, open_ones, displacing, ever)

    def _above_priority(self, pod: Pod) -> tuple[Beside, Flags]:
        """The vehicles without what may be left out for the pod, and which have any of it."""
        if pod.priority not in self._above:

            def kept(name: str) -> Sequence[Stay]:
                new = self._scene.new_on(name)
                return [stay for stay in new if not may_be_left_out(stay, pod)]

            has = self._fleet.column(
                lambda car: any(may_be_left_out(each, pod) for each in self._scene.new_on(car.name))
            )
            self._above[pod.priority] = Beside(self._common, kept), has.astype(bool)
        return self._above[pod.priority]
