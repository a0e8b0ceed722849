"""A snapshot as the checker reads it: candidates, their capacity, and stays upon them."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from copy import copy
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Final

from idlewatt_scheduler.feasibility.departure import learned_departure
from idlewatt_scheduler.feasibility.electricity import (
    InForce,
    Peak,
    Published,
    peak_over_time,
    rate_between,
    tariff_over_time,
)
from idlewatt_scheduler.feasibility.steps import Steps
from idlewatt_scheduler.feasibility.wall_time import open_window_end
from idlewatt_scheduler.model.charging import ChargingProfile
from idlewatt_scheduler.model.plan import Charging
from idlewatt_scheduler.model.site import Circuit, Site
from idlewatt_scheduler.model.snapshot import Snapshot
from idlewatt_scheduler.model.tariff import Tariff
from idlewatt_scheduler.model.units import (
    CLOCK_TOLERANCE,
    FOREVER,
    Instant,
    Milliseconds,
    Milliwatts,
    milliwatts,
    seconds,
)
from idlewatt_scheduler.model.vehicle import ObservedConnection, Power, Vehicle
from idlewatt_scheduler.model.workload import HostPort, Node, Pod, RunningPod

Identity = tuple[str, str]
_NODE_SPEAKS_FOR: Final = frozenset({"pods", "ephemeral-storage"})
"""Resources that a vehicle's own capacity may leave to its Node."""


def identity(pod: Pod) -> Identity:
    """What tells two pods apart, even of one name: a StatefulSet's replacement has its own."""
    return pod.key, pod.uid


@dataclass(frozen=True, slots=True)
class Stay:
    """A pod on a candidate from `start` to before `end`, drawing `power` all the while."""

    pod: Pod
    start: Instant
    ready_at: Instant
    end: Instant
    power: Milliwatts

    def covers(self, instant: Instant) -> bool:
        """Whether the pod is there at an instant."""
        return self.start <= instant < self.end


@dataclass(frozen=True, eq=False)
class Candidate:
    """Somewhere a pod may be placed: a Node with, or under `Allow` without, a vehicle.

    Attributes:
        new_profile: the charging profile that the plan gives it, right or wrong.
        other_ports: the ports of its Node that pods of others have.
    """

    name: str
    vehicle: Vehicle | None
    node: Node | None
    site: Site | None
    at: Instant
    age_allowed: Milliseconds
    other_use: Mapping[str, int]
    learned_departure: Instant | None = None
    learned_on_arrival: Instant | None = None
    new_profile: ChargingProfile | None = None
    other_ports: tuple[HostPort, ...] = ()

    @cached_property
    def asleep(self) -> bool:
        """Whether it has to be woken first; a waking vehicle is judged as an asleep one."""
        return self.vehicle is not None and self.vehicle.observed.power is not Power.AWAKE

    @cached_property
    def connection(self) -> ObservedConnection:
        """What was last observed of the connection, or a blank one."""
        observed = self.vehicle.observed.connection if self.vehicle else None
        return observed or ObservedConnection()

    @cached_property
    def circuits_above(self) -> tuple[Circuit, ...]:
        """The circuit it stands on, then that one's parent, and so on upward."""
        by_name = {circuit.name: circuit for circuit in self.site.circuits} if self.site else {}
        chain: list[Circuit] = []
        name = self.connection.circuit
        while name in by_name and by_name[name] not in chain:
            chain.append(by_name[name])
            name = chain[-1].parent
        return tuple(chain)

    @cached_property
    def departure(self) -> Instant | None:
        """When the car leaves; None: no parking window is open here and now."""
        if self.vehicle is None or self.site is None:
            return None
        end = open_window_end(self.vehicle, self.site, self.at)
        if end is None:
            return None
        told = (self.vehicle.observed.departure_expected_at, self.learned_departure)
        return min([end, *(each for each in told if each is not None)])

    @cached_property
    def charge_by(self) -> Instant | None:
        """When the car is to have its departure charge; None: no parking window is open."""
        told = self.learned_on_arrival
        return (
            self.departure if self.departure is None or told is None else min(self.departure, told)
        )

    def capacity(self, resource: str) -> int | None:
        """Thousandths of a resource it has in all; None: as many as one likes."""
        allocatable = self.node.allocatable if self.node else {}
        by_node = allocatable.get(resource, None if resource == "pods" else 0)
        if self.vehicle is None:
            return by_node
        own = self.vehicle.compute.capacity
        if resource in own:
            return own[resource] if by_node is None else min(own[resource], by_node)
        return by_node if resource in _NODE_SPEAKS_FOR else 0

    def power_of(self, pod: Pod) -> Milliwatts:
        """Milliwatts the pod draws here: what it declares, or its share of the machine."""
        if self.vehicle is None:
            return 0
        declared = milliwatts(pod.demand.power_watts or 0)
        most = self.vehicle.compute.max_power_watts
        shares = [
            most * 1_000 * amount // capacity
            for resource, amount in pod.requests.items()
            if (resource == "cpu" or "/" in resource) and (capacity := self.capacity(resource))
        ]
        return max([declared, *shares])

    def has_image_of(self, pod: Pod) -> bool:
        """Whether the Node lists every image of the pod by the same string."""
        return self.node is not None and all(image in self.node.images for image in pod.images)


class Reading:
    """The snapshot with all that follows from it, wherever pods are placed.

    The new charging profiles of a plan are taken as they are: whether they are right is asked
    elsewhere, but what pods may draw beside them depends on them.
    """

    def __init__(self, snapshot: Snapshot, charging: Sequence[Charging] = ()) -> None:
        self._profiles = {each.vehicle: each.profile for each in reversed(charging)}
        self.snapshot = snapshot
        self.at = snapshot.at
        self.policy = snapshot.policy
        self.vehicles = {vehicle.name: self._candidate(vehicle) for vehicle in snapshot.vehicles}
        self.plain = {
            name: Candidate(
                name=name,
                vehicle=None,
                node=node,
                site=None,
                at=self.at,
                age_allowed=0,
                other_use=snapshot.other_use.get(name, {}),
                other_ports=snapshot.other_ports.get(name, ()),
            )
            for name, node in snapshot.nodes.items()
            if snapshot.policy.plain_nodes_allowed and name not in self.vehicles
        }
        self.candidates: dict[str, Candidate] = {**self.vehicles, **self.plain}
        self.pending = {identity(pod): pod for pod in snapshot.pending}
        self._running: dict[str, tuple[Stay, ...]] = {}
        self._bound: defaultdict[str, list[RunningPod]] = defaultdict(list)
        for running in snapshot.running:
            self._bound[running.node].append(running)
        self._tariffs: dict[str, Steps[InForce]] = {}
        self._peaks: dict[str, Steps[Peak]] = {}

    def _candidate(self, vehicle: Vehicle) -> Candidate:
        observed = vehicle.observed
        asleep = observed.power is not Power.AWAKE
        policy = self.policy
        age = policy.sleep_max_age_seconds if asleep else policy.telemetry_max_age_seconds
        site_name = observed.connection.site if observed.connection else None
        site = self.snapshot.sites.get(site_name) if site_name else None
        since = observed.parking.since if observed.parking else None
        return Candidate(
            name=vehicle.name,
            vehicle=vehicle,
            node=self.snapshot.nodes.get(vehicle.name),
            site=site,
            at=self.at,
            age_allowed=seconds(age),
            other_use=self.snapshot.other_use.get(vehicle.name, {}),
            learned_departure=self._learned(vehicle, site, self.at),
            learned_on_arrival=self._learned(vehicle, site, since),
            new_profile=self._profiles.get(vehicle.name),
            other_ports=self.snapshot.other_ports.get(vehicle.name, ()),
        )

    def _learned(
        self, vehicle: Vehicle, site: Site | None, instant: Instant | None
    ) -> Instant | None:
        """The learned departure as it is, or was, at an instant."""
        if site is None or instant is None:
            return None
        missed = self.policy.miss_probability_percent
        return learned_departure(self.snapshot.departures, missed, vehicle, site, instant)

    @cached_property
    def cars_by_circuit(self) -> Mapping[tuple[str, str], list[Candidate]]:
        """By site and circuit, the cars last observed on it or below it."""
        found: defaultdict[tuple[str, str], list[Candidate]] = defaultdict(list)
        for car in self.vehicles.values():
            if car.site is not None:
                for circuit in car.circuits_above:
                    found[car.site.name, circuit.name].append(car)
        return found

    def running_on(self, name: str) -> tuple[Stay, ...]:
        """The stays of our pods that already run on a node."""
        if name not in self._running:
            self._running[name] = tuple(self._running_stays(name))
        return self._running[name]

    def _running_stays(self, name: str) -> Iterator[Stay]:
        for running in self._bound.get(name, ()):
            power = running.bound_power
            if power is None:
                power = self.candidates[name].power_of(running.pod) if self._has(name) else 0
            yield Stay(running.pod, self.at, self.at, self._counts_to(running), power)

    def without(self, gone: AbstractSet[Identity]) -> "Reading":
        """The same snapshot as if these running pods were not there."""
        other = copy(self)
        other._running = {}  # noqa: SLF001 - its own copy
        other._bound = defaultdict(list)  # noqa: SLF001
        for running in self.snapshot.running:
            if identity(running.pod) not in gone:
                other._bound[running.node].append(running)  # noqa: SLF001
        return other

    def _has(self, name: str) -> bool:
        return name in self.candidates

    def _counts_to(self, running: RunningPod) -> Instant:
        if running.counts_until is not None:
            return running.counts_until
        job = running.pod.demand.expected_runtime is not None
        if job and running.bound_until is not None and running.bound_until > self.at:
            return running.bound_until
        return FOREVER

    def start_of(self, candidate: Candidate) -> Instant:
        """When a new pod would start there: an asleep vehicle is woken first."""
        if candidate.vehicle is None or not candidate.asleep:
            return self.at
        return self.at + seconds(candidate.vehicle.compute.wake_seconds)

    def new_stay(self, pod: Pod, candidate: Candidate) -> Stay:
        """The stay the pod would have on the candidate, as the rules compute it."""
        start, fetching = self.start_of(candidate), 0
        if candidate.vehicle is not None:
            size, speed = (
                pod.demand.image_size_bytes,
                candidate.vehicle.link.downlink_bits_per_second,
            )
            if size is not None and speed and not candidate.has_image_of(pod):
                fetching = -(-size * 8_000 // speed)  # in whole milliseconds, rounded up
        ready_at = start + fetching + pod.demand.model_load_time
        runtime = pod.demand.expected_runtime
        if runtime is None:
            runtime = seconds(self.policy.minimum_stay_seconds)
        return Stay(pod, start, ready_at, ready_at + runtime, candidate.power_of(pod))

    def lead(self, pod: Pod) -> Milliseconds:
        """How long before the car leaves its drain begins: the policy's lead, or its grace."""
        grace = pod.demand.drain_grace
        if grace is None:
            grace = seconds(pod.termination_grace_seconds)
        return max(seconds(self.policy.drain_lead_seconds), grace)

    def too_late(self, observed_at: Instant) -> bool:
        """Whether an observation lies further in the future than clocks may differ."""
        return observed_at > self.at + CLOCK_TOLERANCE

    def tariff_of(self, site: Site | None) -> Tariff | None:
        """The tariff of a site, where there is one."""
        return self.snapshot.tariffs.get(site.tariff) if site and site.tariff else None

    def prices(self, tariff: Tariff) -> Steps[InForce]:
        """What a tariff says from `at` on."""
        if tariff.name not in self._tariffs:
            policy, snapshot = self.policy, self.snapshot
            published = Published(
                self.at, seconds(policy.forecast_max_age_seconds), snapshot.tariffs
            )
            self._tariffs[tariff.name] = tariff_over_time(tariff, published)
        return self._tariffs[tariff.name]

    def peak(self, site: Site) -> Steps[Peak]:
        """What the policy's tests say at a site from `at` on."""
        if site.name not in self._peaks:
            tariff = self.tariff_of(site)
            prices = self.prices(tariff) if tariff else None
            self._peaks[site.name] = peak_over_time(self.policy, tariff, prices, self.at)
        return self._peaks[site.name]

    @cached_property
    def currency(self) -> str | None:
        """The plan's currency; None where the fleet has no common one."""
        if self.policy.exchange_rates:
            return self.policy.exchange_rates[0].to_currency
        paid_in = {vehicle.compensation.currency for vehicle in self.snapshot.vehicles}
        return paid_in.pop() if len(paid_in) == 1 else None

    def rate(self, currency: str) -> Fraction | None:
        """What one unit of a currency is worth in the plan's."""
        if self.currency is None:
            return None
        return rate_between(self.policy.exchange_rates, currency, self.currency)
