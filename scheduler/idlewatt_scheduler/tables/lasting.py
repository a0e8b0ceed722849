"""What neither time nor charge changes: whether machine, place and Node may take a pod."""

from collections.abc import Sequence
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from idlewatt_scheduler.further.registry import amounts_of
from idlewatt_scheduler.model.reasons import PodReason
from idlewatt_scheduler.model.workload import Pod
from idlewatt_scheduler.tables.layout import PLENTY, Flags, Indices, Ints
from idlewatt_scheduler.tables.nodes import Matching
from idlewatt_scheduler.tables.reading import WATT, Machine

REASONS: Final = tuple(PodReason)
"""Code n > 0 is the n-th of them; 0: no clause fails."""

Codes = NDArray[np.uint8]

_CODE: Final = {reason: np.uint8(index + 1) for index, reason in enumerate(REASONS)}


class Standing(Protocol):
    """Vehicles, a row each, as far as they stay what they are; see `tables.vehicles`."""

    @property
    def machine(self) -> Indices:
        """Which of `machines` each has."""

    @property
    def machines(self) -> Sequence[Machine]:
        """The kinds of machines."""

    @property
    def attested(self) -> Flags:
        """Whether each is trusted with secrets."""

    @property
    def region(self) -> Indices:
        """Which of `regions` each is in."""

    @property
    def regions(self) -> Sequence[str | None]:
        """Where vehicles are."""


class Lasting:
    """Asks templates of vehicles, as far as the answer lasts.

    Attributes:
        most_power, efficiency: int64, by machine.
        whole: int64, of each resource, by machine.
    """

    def __init__(
        self, places: Standing, matching: Matching, resources: Sequence[str], first: int = 0
    ) -> None:
        """`matching` is about the Nodes of these vehicles, from the `first` on, and of others."""
        self._places, self._matching, self._resources = places, matching, tuple(resources)
        self._nodes = slice(first, first + len(places.machine))
        self.most_power = np.array([power for power, _, _ in places.machines], np.int64)
        self.efficiency = np.array([percent for _, percent, _ in places.machines], np.int64)
        self.whole = table_of([whole for _, _, whole in places.machines], len(resources))
        self._elsewhere: dict[frozenset[str], Flags] = {}

    def never(self, pod: Pod) -> Flags:
        """Whether no time or charge of a vehicle could place the pod: bool for each of them."""
        requests = self.amounts(pod)
        exceeds, _ = self.on_machines(requests, pod.demand.power_watts)
        code = np.zeros(len(self._places.machine), np.uint8)
        mark(code, PodReason.EXCEEDS_CAPACITY, exceeds[self._places.machine])
        self.mark_trust(code, pod)
        self.mark_node(code, pod)
        never: Flags = (code > 0) & (code != _CODE[PodReason.RESIDENCY])
        return never

    def amounts(self, pod: Pod) -> list[int]:
        """What it takes of each resource."""
        amounts = amounts_of(pod)
        return [amounts.get(name, 0) for name in self._resources]

    def on_machines(self, requests: Sequence[int], declared: int | None) -> tuple[Flags, Ints]:
        """By machine: whether a pod exceeds it, and its power there."""
        exceeds = np.zeros(len(self.whole), np.bool_)
        power = np.full(len(self.whole), min(WATT * (declared or 0), PLENTY), np.int64)
        for column, (name, request) in enumerate(zip(self._resources, requests, strict=True)):
            if request > 0:
                whole = self.whole[:, column]
                exceeds |= request > whole
                if draws_power(name):
                    power = np.maximum(power, self._share(request, whole))
        return exceeds | (power > self.most_power), power

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

    def mark_node(self, code: Codes, pod: Pod) -> None:
        """Mark what keeps it away from each Node, or from all."""
        here = self._nodes
        mark(code, PodReason.TAINT_NOT_TOLERATED, ~self._matching.tolerated(pod)[here])
        mark(code, PodReason.NODE_AFFINITY, ~self._matching.selected(pod)[here])
        if pod.unsupported_fields:
            code[:] = _CODE[PodReason.UNSUPPORTED_FIELD]
        if is_invalid(pod):
            code[:] = _CODE[PodReason.INVALID_ANNOTATION]

    def mark_trust(self, code: Codes, pod: Pod) -> None:
        """Mark where it would not be trusted, or is not to be."""
        if pod.reads_secret and not pod.demand.allow_untrusted:
            mark(code, PodReason.UNTRUSTED, ~self._places.attested)
        regions = pod.demand.residency
        if regions is not None:
            if regions not in self._elsewhere:
                away = [region not in regions for region in self._places.regions]
                self._elsewhere[regions] = np.array(away, np.bool_)[self._places.region]
            mark(code, PodReason.RESIDENCY, self._elsewhere[regions])


def is_invalid(pod: Pod) -> bool:
    """Whether it is asked for in a way that no vehicle takes."""
    return bool(pod.invalid_annotations) or not (pod.controlled or pod.demand.allow_loss)


def draws_power(resource: str) -> bool:
    """Whether a share of it is a share of the machine's power."""
    return resource == "cpu" or "/" in resource


def mark(code: Codes, reason: PodReason, fails: Flags) -> None:
    """Write a reason where it fails, over what stood there."""
    np.copyto(code, _CODE[reason], where=fails)


def table_of(rows: Sequence[Sequence[int]], width: int) -> Ints:
    """Rows of so many numbers."""
    return np.array(rows, np.int64).reshape(len(rows), width)
