"""One question asked of all vehicles at once, in columns of whole numbers.

Nothing here is another rule: it is what `vehicle`, `pod` and `circuits` say, for a pod and every
vehicle, in exact 64-bit integers. What does not fit into columns (a car that is charged by our
profiles, a circuit that is full for a while only) is left open, and asked one by one.
"""

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from idlewatt_scheduler.feasibility.electricity import Peak
from idlewatt_scheduler.feasibility.matching import affinity_matches, tolerates_taints
from idlewatt_scheduler.feasibility.pod import invalid_annotation, outside_residency
from idlewatt_scheduler.feasibility.reading import Candidate, Reading
from idlewatt_scheduler.feasibility.steps import Steps
from idlewatt_scheduler.model.reasons import PodReason, Reason, VehicleReason
from idlewatt_scheduler.model.site import EnergyBearer
from idlewatt_scheduler.model.units import FOREVER, Instant, milliwatts, seconds
from idlewatt_scheduler.model.vehicle import Vehicle
from idlewatt_scheduler.model.workload import Pod

Ints: TypeAlias = NDArray[np.int64]
Flags: TypeAlias = NDArray[np.bool_]

_Value = TypeVar("_Value")

REASONS: Final[tuple[Reason, ...]] = (*VehicleReason, *PodReason)
"""In the order in which they are asked: the first that fails has the least number."""
NUMBER: Final = {reason: number for number, reason in enumerate(REASONS)}
PASSES: Final = len(REASONS)
PLENTY: Final = 2**60
_MOST: Final = 2**62


@dataclass(frozen=True, slots=True)
class Stays:
    """The stay that a pod would have on every vehicle."""

    start: Ints
    ready_at: Ints
    end: Ints
    power: Ints


class Fleet:
    """All vehicles as columns, and the clauses that no placement changes."""

    def __init__(
        self,
        reading: Reading,
        vehicle_reason: Callable[[Candidate], VehicleReason | None],
        resources: Iterable[str],
    ) -> None:
        self.reading = reading
        self.cars = list(reading.vehicles.values())
        self.index = {car.name: number for number, car in enumerate(self.cars)}
        self.resources = sorted(resources)
        self.refused = self.column(
            lambda car: PASSES if (reason := vehicle_reason(car)) is None else NUMBER[reason]
        )
        self.has_node = self.column(lambda car: car.node is not None).astype(bool)
        self.start = self.column(reading.start_of)
        self.departure = self.column(lambda car: -1 if car.departure is None else car.departure)
        self.max_watts = self.column(lambda car: _vehicle(car).compute.max_power_watts)
        self.capacity = {
            name: self.column(lambda car, name=name: _or_plenty(car.capacity(name)))  # type: ignore[misc]
            for name in self.resources
        }
        self._speed = self.column(lambda car: _vehicle(car).link.downlink_bits_per_second or 0)
        self._metered_left = self.column(_metered_left)
        self._attested = self.column(lambda car: _vehicle(car).attested).astype(bool)
        self._region = self._grouped(lambda car: car.site and car.site.region)
        self._images = self._grouped(lambda car: car.node and car.node.images)
        self._taints = self._grouped(
            lambda car: car.node and (car.node.taints, car.node.unschedulable, car.asleep)
        )
        self._told: dict[Hashable, Flags] = {}
        self._first_on_peak, self._first_unknown, self._first_unpriced = self._first_instants()

    def column(self, figure_of: Callable[[Candidate], int]) -> Ints:
        """A figure of each vehicle."""
        return np.fromiter(map(figure_of, self.cars), np.int64, len(self.cars))

    def stays(self, pod: Pod) -> Stays:
        """What `Reading.new_stay` says, of all vehicles."""
        fetching = np.zeros(len(self.cars), np.int64)
        size = pod.demand.image_size_bytes
        if size is not None:
            fetches = (self._speed > 0) & ~self._present(pod)
            bits = size * 8_000
            fetching[fetches] = -(-bits // self._speed[fetches])
        ready_at = self.start + fetching + pod.demand.model_load_time
        runtime = pod.demand.expected_runtime
        if runtime is None:
            runtime = seconds(self.reading.policy.minimum_stay_seconds)
        return Stays(self.start, ready_at, ready_at + runtime, self._power(pod))

    def first_fixed(self, pod: Pod, stays: Stays) -> Ints:
        """The number of the first clause that fails, up to those that placements change."""
        first = self.refused.copy()
        for reason, fails in self._lasting(pod, stays):
            note(first, reason, fails)
        for reason, fails in self._of_the_stay(pod, stays):
            note(first, reason, fails)
        return first

    def would_ever_take(self, pod: Pod, stays: Stays, but_for: Iterable[Reason]) -> bool:
        """Whether some vehicle with a Node fails first on something but these, or on nothing."""
        first = np.full(len(self.cars), PASSES, np.int64)
        for reason, fails in self._lasting(pod, stays):
            note(first, reason, fails)
        never = [NUMBER[reason] for reason in but_for]
        return bool((self.has_node & ~np.isin(first, never)).any())

    def _lasting(self, pod: Pod, stays: Stays) -> Iterable[tuple[PodReason, Flags | bool]]:
        yield PodReason.INVALID_ANNOTATION, invalid_annotation(pod)
        yield PodReason.UNSUPPORTED_FIELD, bool(pod.unsupported_fields)
        yield PodReason.NODE_AFFINITY, ~self._selected(pod)
        yield PodReason.TAINT_NOT_TOLERATED, ~self._tolerated(pod)
        if pod.demand.residency is not None:
            group, some = self._region
            outside = np.array([outside_residency(pod, car) for car in some], bool)
            yield PodReason.RESIDENCY, outside[group]
        if pod.reads_secret and not pod.demand.allow_untrusted:
            yield PodReason.UNTRUSTED, ~self._attested
        exceeds = stays.power > self.max_watts * 1_000
        for name, amount in pod.requests.items():
            if amount > 0:
                exceeds |= amount > self.capacity[name]
        yield PodReason.EXCEEDS_CAPACITY, exceeds

    def _of_the_stay(self, pod: Pod, stays: Stays) -> Iterable[tuple[PodReason, Flags | bool]]:
        policy, demand = self.reading.policy, pod.demand
        slow = stays.ready_at - stays.start > seconds(policy.max_start_delay_seconds)
        missing = np.where(self._present(pod), 0, demand.image_size_bytes or 0)
        yield PodReason.LINK_TOO_SLOW, slow | (missing > self._metered_left)
        yield PodReason.OUTSIDE_PARKING_WINDOW, self.departure < 0
        yield PodReason.LEAVES_TOO_EARLY, stays.end + self.reading.lead(pod) > self.departure
        if demand.deadline is not None:
            yield PodReason.DEADLINE_MISSED, stays.end > demand.deadline
        if not demand.any_tariff:
            yield PodReason.ON_PEAK, self._first_on_peak < stays.end
            yield PodReason.PRICE_UNKNOWN, self._first_unknown < stays.end
        yield PodReason.PRICE_UNKNOWN, self._first_unpriced < stays.end

    def _power(self, pod: Pod) -> Ints:
        power = np.full(len(self.cars), milliwatts(pod.demand.power_watts or 0), np.int64)
        for name, amount in pod.requests.items():
            if name != "cpu" and "/" not in name:
                continue
            capacity = self.capacity[name]
            there = (capacity > 0) & (capacity < PLENTY)
            watts = self.max_watts[there]
            if len(watts) and int(watts.max()) * 1_000 * amount >= _MOST:
                watts = watts.astype(object)
            power[there] = np.maximum(power[there], watts * 1_000 * amount // capacity[there])
        return power

    def _present(self, pod: Pod) -> Flags:
        group, some = self._images
        return self._once(
            ("images", pod.images),
            lambda: np.array([car.has_image_of(pod) for car in some], bool)[group],
        )

    def _selected(self, pod: Pod) -> Flags:
        selector = frozenset(pod.node_selector.items())
        return self._once(("affinity", selector, pod.node_affinity), lambda: self._matching(pod))

    def _matching(self, pod: Pod) -> Flags:
        """Asked once of all Nodes that look alike to the pod."""
        terms = pod.node_affinity or ()
        keys = {*pod.node_selector, *(each.key for term in terms for each in term.labels)}
        by_name = any(term.fields for term in terms)

        def look(car: Candidate) -> Hashable:
            if car.node is None:
                return None
            return (*map(car.node.labels.get, keys), by_name and car.node.name, True)

        alike: dict[Hashable, bool] = {}
        for car in self.cars:
            seen = look(car)
            if seen not in alike:
                alike[seen] = affinity_matches(pod, car)
        return self.column(lambda car: alike[look(car)]).astype(bool)

    def _tolerated(self, pod: Pod) -> Flags:
        def asked() -> Flags:
            group, some = self._taints
            return np.array([tolerates_taints(pod, car) for car in some], bool)[group]

        return self._once(("taints", pod.tolerations), asked)

    def _once(self, key: Hashable, ask: Callable[[], Flags]) -> Flags:
        if key not in self._told:
            self._told[key] = ask()
        return self._told[key]

    def _grouped(self, look: Callable[[Candidate], Hashable]) -> "_Groups":
        """For each vehicle the number of its group, and a vehicle of each group."""
        looks: dict[Hashable, int] = {}
        some: list[Candidate] = []
        group = np.zeros(len(self.cars), np.int64)
        for number, car in enumerate(self.cars):
            seen = look(car)
            if seen not in looks:
                looks[seen] = len(looks)
                some.append(car)
            group[number] = looks[seen]
        return group, some

    def _first_instants(self) -> tuple[Ints, Ints, Ints]:
        """For each vehicle the first instants from its start on: on peak, unknown, unpriced."""
        found: dict[tuple[str | None, Instant], tuple[Instant, Instant, Instant]] = {}
        columns = np.empty((3, len(self.cars)), np.int64)
        for number, car in enumerate(self.cars):
            start = int(self.start[number])
            key = (car.site.name if car.site else None, start)
            if key not in found:
                found[key] = self._firsts_at(car, start)
            columns[:, number] = found[key]
        return columns[0], columns[1], columns[2]

    def _firsts_at(self, car: Candidate, start: Instant) -> tuple[Instant, Instant, Instant]:
        site, reading = car.site, self.reading
        if site is None:
            return FOREVER, FOREVER, FOREVER
        peak, unpriced = reading.peak(site), FOREVER
        if site.energy_borne_by is EnergyBearer.FLEET:
            tariff = reading.tariff_of(site)
            unpriced = start
            if tariff is not None:
                prices = reading.prices(tariff)
                unpriced = _first(prices, start, lambda said: said.price is None)
        on = _first(peak, start, lambda verdict: verdict is Peak.ON)
        return on, _first(peak, start, lambda verdict: verdict is Peak.UNKNOWN), unpriced


_Groups: TypeAlias = tuple[Ints, Sequence[Candidate]]


def note(first: Ints, reason: Reason, fails: "Flags | bool") -> None:
    """Where a clause fails, the first that does is this one, unless one before it does."""
    if fails is True:
        np.minimum(first, NUMBER[reason], out=first)
    elif fails is not False:
        np.copyto(first, NUMBER[reason], where=fails & (first > NUMBER[reason]))


def _first(steps: Steps[_Value], start: Instant, holds: Callable[[_Value], bool]) -> Instant:
    """The first instant from `start` on at which something holds of the value."""
    found = (begin for begin, _, value in steps.during(start, FOREVER) if holds(value))
    return next(found, FOREVER)


def _vehicle(car: Candidate) -> Vehicle:
    if car.vehicle is None:
        message = f"{car.name} is no vehicle: it has no column."
        raise TypeError(message)
    return car.vehicle


def _or_plenty(capacity: int | None) -> int:
    return PLENTY if capacity is None else capacity


def _metered_left(car: Candidate) -> int:
    vehicle = _vehicle(car)
    limit = vehicle.link.monthly_limit_bytes
    if not vehicle.link.metered or limit is None:
        return PLENTY
    return limit - vehicle.used_this_month_bytes
