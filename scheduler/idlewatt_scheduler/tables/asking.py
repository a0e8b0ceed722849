"""A template asked of all vehicles at once: its stay and power there, and the first failing clause.

It says what `clauses.pod` says, for the whole column.
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from idlewatt_scheduler.model.policy import FleetPolicy
from idlewatt_scheduler.model.reasons import PodReason
from idlewatt_scheduler.model.units import SECOND, Instant, seconds
from idlewatt_scheduler.model.workload import Pod
from idlewatt_scheduler.stay import BITS, lead_of
from idlewatt_scheduler.tables.lasting import Codes, Lasting, mark, table_of
from idlewatt_scheduler.tables.layout import PLENTY, Flags, Ints
from idlewatt_scheduler.tables.nodes import Matching
from idlewatt_scheduler.tables.reading import FULL_PERCENT
from idlewatt_scheduler.tables.vehicles import Vehicles

MOST_BYTES: Final = 2**50
"""Fetching more than a pebibyte takes for ever."""

_FEW: Final = 10_000
"""Of so many vehicles it is kept how long fetching takes; of more that would be much memory."""

_EXACT: Final = 2**53
"""Up to here every whole number is one in floating point."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a template is on each vehicle.

    Attributes:
        code: uint8, the first fixed clause that fails; 0: none.
        until: int64, the end of its stay.
        power: int64, milliwatts.
        ac: int64, the same AC, rounded down.
        fit: int64, how many fit into what is left of the machine, resources alone.
    """

    code: Codes
    until: Ints
    power: Ints
    ac: Ints
    fit: Ints


class Asking(Lasting):
    """Asks templates of vehicles; what several of them have in common is worked out once.

    Attributes:
        free_by_holding: int64, what is left of each resource, by holding.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - what templates are asked with
        self,
        vehicles: Vehicles,
        matching: Matching,
        resources: Sequence[str],
        policy: FleetPolicy,
        at: Instant,
        first: int = 0,
    ) -> None:
        """`matching` is about the Nodes of these vehicles, from the `first` on, and of others."""
        super().__init__(vehicles, matching, resources, first)
        self._vehicles, self._policy, self._at = vehicles, policy, at
        machine_of = np.array([machine for machine, _ in vehicles.holdings], np.int32)
        used = table_of([used for _, used in vehicles.holdings], len(resources))
        self.free_by_holding = np.maximum(self.whole[machine_of] - used, 0)
        self._rate = np.maximum(vehicles.link_bits, 1)
        self._rows = slice(len(self._rate))
        self._delays: dict[Hashable, tuple[Ints, Ints]] = {}

    @property
    def free(self) -> Ints:
        """int64[V, R]: what is left of each resource on each vehicle."""
        left: Ints = self.free_by_holding[self._vehicles.holding]
        return left

    def answer(self, pod: Pod) -> Answer:
        """What one template, of which this is a pod, is on each vehicle."""
        vehicles, demand, policy = self._vehicles, pod.demand, self._policy
        requests = self.amounts(pod)
        exceeds, power = self.on_machines(requests, demand.power_watts)
        fit = self._fit(requests)
        until = vehicles.start + self.length(pod)
        delayed = self._delay(pod)
        if delayed is not None:
            until = np.minimum(until + delayed[0], PLENTY)
        code = np.zeros(len(vehicles.candidate), np.uint8)
        # The later clauses first: what is written last is what fails first.
        mark(code, PodReason.PRICE_UNKNOWN, until > vehicles.unpriced_from)
        if not demand.any_tariff:
            mark(code, PodReason.PRICE_UNKNOWN, until > vehicles.unknown_from)
            mark(code, PodReason.ON_PEAK, until > vehicles.on_peak_from)
        if demand.deadline is not None:
            mark(code, PodReason.DEADLINE_MISSED, until > min(demand.deadline - self._at, PLENTY))
        mark(code, PodReason.LEAVES_TOO_EARLY, until + lead_of(pod, policy) > vehicles.departure)
        mark(code, PodReason.OUTSIDE_PARKING_WINDOW, vehicles.no_window)
        self._mark_link(code, pod, delayed)
        mark(code, PodReason.EXCEEDS_CAPACITY, exceeds[vehicles.machine])
        self.mark_trust(code, pod)
        self.mark_node(code, pod)
        ac = np.minimum(power, self.most_power) * FULL_PERCENT // self.efficiency
        machine = vehicles.machine
        return Answer(code, until, power[machine], ac[machine], fit[vehicles.holding])

    def stays(self, pod: Pod, rows: Ints) -> tuple[Ints, Ints]:
        """The ends of its stays on some vehicles, and its power there: int64 each."""
        demand = pod.demand
        requests = self.amounts(pod)
        _, power = self.on_machines(requests, demand.power_watts)
        until = self._vehicles.start[rows] + self.length(pod)
        if _fetched_bytes(pod):
            until = np.minimum(until + self._fetching(pod, rows)[0], PLENTY)
        return until, power[self._vehicles.machine[rows]]

    def length(self, pod: Pod) -> int:
        """Milliseconds from the image's arrival to the end of the stay."""
        lasts = pod.demand.expected_runtime
        length = seconds(self._policy.minimum_stay_seconds) if lasts is None else lasts
        return min(pod.demand.model_load_time + length, PLENTY)

    def most_delay(self, pod: Pod) -> int:
        """Milliseconds that fetching its images may take."""
        return seconds(self._policy.max_start_delay_seconds) - pod.demand.model_load_time

    def _mark_link(self, code: Codes, pod: Pod, delayed: tuple[Ints, Ints] | None) -> None:
        """What `_delay` says, and whether that is too long, or too much for the month."""
        most = self.most_delay(pod)
        if delayed is None:
            mark(code, PodReason.LINK_TOO_SLOW, (self._vehicles.link_bytes < 0) | (most < 0))
            return
        delay, missing = delayed
        slow = (delay > most) | (missing > self._vehicles.link_bytes)
        mark(code, PodReason.LINK_TOO_SLOW, slow)

    def _fit(self, requests: Sequence[int]) -> Ints:
        """By holding, how many fit."""
        fit = np.full(len(self.free_by_holding), PLENTY, np.int64)
        for column, request in enumerate(requests):
            if request > 0:
                fit = np.minimum(fit, self.free_by_holding[:, column] // request)
        return fit

    def _delay(self, pod: Pod) -> tuple[Ints, Ints] | None:
        """Milliseconds to fetch what is missing, and its bytes; None: nothing can be missing."""
        size = _fetched_bytes(pod)
        if not size or len(self._rate) > _FEW:
            return self._fetching(pod, self._rows) if size else None
        key = pod.images, size
        if key not in self._delays:
            self._delays[key] = self._fetching(pod, self._rows)
        return self._delays[key]

    def _fetching(self, pod: Pod, rows: Ints | slice) -> tuple[Ints, Ints]:
        """The same on some of the vehicles, of a pod that may have to be fetched."""
        size, vehicles = _fetched_bytes(pod), self._vehicles
        missing = np.where(self._present(pod.images, rows), 0, size)
        fetch = _quotient_up(size * BITS * SECOND, self._rate[rows])
        known = (missing > 0) & (vehicles.link_bits[rows] > 0)
        return np.where(known, fetch, 0), missing

    def _present(self, images: tuple[str, ...], rows: Ints | slice) -> Flags:
        """Whether the Nodes of some of the vehicles list every one of these."""
        listing = self._vehicles.images[rows]
        if not images:
            return np.zeros(len(listing), np.bool_)
        listed = np.logical_and.reduce([self._vehicles.listed[image] for image in images])
        present: Flags = listed[listing]
        return present


def _fetched_bytes(pod: Pod) -> int:
    """What is fetched where its images are not there."""
    return min(pod.demand.image_size_bytes or 0, MOST_BYTES)


def _quotient_up(whole: int, by: Ints) -> Ints:
    """The whole divided by each of these, rounded up to the next whole number.

    In floating point, which is faster, where that is as good: below 2^53.
    """
    if whole + int(by.max(initial=0)) < _EXACT:
        up: Ints = ((whole - 1 + by) / by).astype(np.int64)
        return up
    return -(-whole // by)
