"""A template asked of all vehicles at once: its stay and power there, and the first failing clause.

It says what `clauses.pod` says, for the whole column.
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from idlewatt_scheduler.further.registry import amounts_of
from idlewatt_scheduler.model.policy import FleetPolicy
from idlewatt_scheduler.model.reasons import PodReason
from idlewatt_scheduler.model.units import SECOND, Instant, seconds
from idlewatt_scheduler.model.workload import Pod
from idlewatt_scheduler.stay import BITS, lead_of
from idlewatt_scheduler.tables.layout import PLENTY, Flags, Ints
from idlewatt_scheduler.tables.nodes import Matching
from idlewatt_scheduler.tables.reading import FULL_PERCENT, WATT
from idlewatt_scheduler.tables.vehicles import Vehicles

REASONS: Final = tuple(PodReason)
"""Code n > 0 is the n-th of them; 0: no clause fails."""

Codes = NDArray[np.uint8]

_CODE: Final = {reason: np.uint8(index + 1) for index, reason in enumerate(REASONS)}
MOST_BYTES: Final = 2**50
"""Fetching more than a pebibyte takes for ever."""

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


class Asking:
    """Asks templates of vehicles; what several of them have in common is worked out once.

    Attributes:
        most_power, efficiency: int64, by machine.
        whole: int64, of each resource, by machine.
        free_by_holding: the same of what is left, by holding.
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
        self._nodes = slice(first, first + len(vehicles.candidate))
        self._vehicles, self._matching, self._policy, self._at = vehicles, matching, policy, at
        self._resources = tuple(resources)
        shape = len(resources)
        self.most_power = np.array([power for power, _, _ in vehicles.machines], np.int64)
        self.efficiency = np.array([percent for _, percent, _ in vehicles.machines], np.int64)
        self.whole = _rows([whole for _, _, whole in vehicles.machines], shape)
        self._machine_of_holding = np.array([m for m, _ in vehicles.holdings], np.int32)
        used = _rows([used for _, used in vehicles.holdings], shape)
        self.free_by_holding = np.maximum(self.whole[self._machine_of_holding] - used, 0)
        self._rate = np.maximum(vehicles.link_bits, 1)
        self._delays: dict[Hashable, tuple[Ints, Ints] | None] = {}
        self._elsewhere: dict[frozenset[str], Flags] = {}

    @property
    def free(self) -> Ints:
        """int64[V, R]: what is left of each resource on each vehicle."""
        left: Ints = self.free_by_holding[self._vehicles.holding]
        return left

    def answer(self, pod: Pod) -> Answer:
        """What one template, of which this is a pod, is on each vehicle."""
        vehicles, demand, policy = self._vehicles, pod.demand, self._policy
        requests = self.amounts(pod)
        exceeds, power, fit = self._on_machines(requests, demand.power_watts)
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
        self._mark_trust(code, pod)
        self._mark_node(code, pod)
        ac = np.minimum(power, self.most_power) * FULL_PERCENT // self.efficiency
        machine = vehicles.machine
        return Answer(code, until, power[machine], ac[machine], fit[vehicles.holding])

    def stays(self, pod: Pod, rows: Ints) -> tuple[Ints, Ints]:
        """The ends of its stays on some vehicles, and its power there: int64 each."""
        demand = pod.demand
        requests = self.amounts(pod)
        _, power, _ = self._on_machines(requests, demand.power_watts)
        until = self._vehicles.start[rows] + self.length(pod)
        delayed = self._delay(pod)
        if delayed is not None:
            until = np.minimum(until + delayed[0][rows], PLENTY)
        return until, power[self._vehicles.machine[rows]]

    def amounts(self, pod: Pod) -> list[int]:
        """What it takes of each resource."""
        amounts = amounts_of(pod)
        return [amounts.get(name, 0) for name in self._resources]

    def length(self, pod: Pod) -> int:
        """Milliseconds from the image's arrival to the end of the stay."""
        lasts = pod.demand.expected_runtime
        length = seconds(self._policy.minimum_stay_seconds) if lasts is None else lasts
        return min(pod.demand.model_load_time + length, PLENTY)

    def never(self, pod: Pod) -> Flags:
        """Whether no time or charge of a vehicle could place the pod: bool for each of them."""
        requests = self.amounts(pod)
        exceeds, _, _ = self._on_machines(requests, pod.demand.power_watts)
        code = np.zeros(len(self._vehicles.candidate), np.uint8)
        mark(code, PodReason.EXCEEDS_CAPACITY, exceeds[self._vehicles.machine])
        self._mark_trust(code, pod)
        self._mark_node(code, pod)
        never: Flags = (code > 0) & (code != _CODE[PodReason.RESIDENCY])
        return never

    def _mark_node(self, code: Codes, pod: Pod) -> None:
        here = self._nodes
        mark(code, PodReason.TAINT_NOT_TOLERATED, ~self._matching.tolerated(pod)[here])
        mark(code, PodReason.NODE_AFFINITY, ~self._matching.selected(pod)[here])
        if pod.unsupported_fields:
            code[:] = _CODE[PodReason.UNSUPPORTED_FIELD]
        if is_invalid(pod):
            code[:] = _CODE[PodReason.INVALID_ANNOTATION]

    def _mark_trust(self, code: Codes, pod: Pod) -> None:
        if pod.reads_secret and not pod.demand.allow_untrusted:
            mark(code, PodReason.UNTRUSTED, ~self._vehicles.attested)
        regions = pod.demand.residency
        if regions is not None:
            if regions not in self._elsewhere:
                away = [region not in regions for region in self._vehicles.regions]
                self._elsewhere[regions] = np.array(away, np.bool_)[self._vehicles.region]
            mark(code, PodReason.RESIDENCY, self._elsewhere[regions])

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

    def _on_machines(
        self, requests: Sequence[int], declared: int | None
    ) -> tuple[Flags, Ints, Ints]:
        """By machine, whether it exceeds it and its power there; by holding, how many fit."""
        exceeds = np.zeros(len(self.whole), np.bool_)
        power = np.full(len(self.whole), min(WATT * (declared or 0), PLENTY), np.int64)
        fit = np.full(len(self.free_by_holding), PLENTY, np.int64)
        for column, (name, request) in enumerate(zip(self._resources, requests, strict=True)):
            if request <= 0:
                continue
            whole = self.whole[:, column]
            exceeds |= request > whole
            fit = np.minimum(fit, self.free_by_holding[:, column] // request)
            if draws_power(name):
                power = np.maximum(power, self._share(request, whole))
        return exceeds | (power > self.most_power), power, fit

    def _share(self, request: int, whole: Ints) -> Ints:
        """The share of its power that a request of so much is; more than it has is all of it."""
        asked = np.minimum(request, whole)
        if int(self.most_power.max(initial=0)) * int(asked.max(initial=0)) < PLENTY:
            return np.where(whole > 0, self.most_power * asked // np.maximum(whole, 1), 0)
        exact = [
            most * share // of if of else 0
            for most, share, of in zip(
                self.most_power.tolist(), asked.tolist(), whole.tolist(), strict=True
            )
        ]
        return np.array(exact, np.int64)

    def _delay(self, pod: Pod) -> tuple[Ints, Ints] | None:
        """Milliseconds to fetch what is missing, and its bytes; None: nothing can be missing."""
        size = min(pod.demand.image_size_bytes or 0, MOST_BYTES)
        if not size:
            return None
        key = pod.images, size
        if key not in self._delays:
            missing = np.where(self._present(pod.images), 0, size)
            fetch = _quotient_up(size * BITS * SECOND, self._rate)
            known = (missing > 0) & (self._vehicles.link_bits > 0)
            self._delays[key] = np.where(known, fetch, 0), missing
        return self._delays[key]

    def _present(self, images: tuple[str, ...]) -> Flags:
        """Whether each vehicle's Node lists every one of these."""
        if not images:
            return np.zeros(len(self._vehicles.candidate), np.bool_)
        listed = np.logical_and.reduce([self._vehicles.listed[image] for image in images])
        present: Flags = listed[self._vehicles.images]
        return present


def is_invalid(pod: Pod) -> bool:
    """Whether it is asked for in a way that no vehicle takes."""
    return bool(pod.invalid_annotations) or not (pod.controlled or pod.demand.allow_loss)


def draws_power(resource: str) -> bool:
    """Whether a share of it is a share of the machine's power."""
    return resource == "cpu" or "/" in resource


def _quotient_up(whole: int, by: Ints) -> Ints:
    """The whole divided by each of these, rounded up to the next whole number.

    In floating point, which is faster, where that is as good: below 2^53.
    """
    if whole + int(by.max(initial=0)) < _EXACT:
        up: Ints = ((whole - 1 + by) / by).astype(np.int64)
        return up
    return -(-whole // by)


def mark(code: Codes, reason: PodReason, fails: Flags) -> None:
    """Write a reason where it fails, over what stood there."""
    np.copyto(code, _CODE[reason], where=fails)


def _rows(rows: Sequence[Sequence[int]], width: int) -> Ints:
    return np.array(rows, np.int64).reshape(len(rows), width)
