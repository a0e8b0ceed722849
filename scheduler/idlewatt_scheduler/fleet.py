"""What is looked up once a plan: every vehicle with its Node, site, tariff and figures."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from idlewatt_scheduler.availability import VehicleCase
from idlewatt_scheduler.circuits import CircuitKey, Headroom, Load, RoomKey
from idlewatt_scheduler.energy import Controlled, Electrics, Step, Stretch, pod_power, power_at
from idlewatt_scheduler.exchange import Exchange
from idlewatt_scheduler.further.registry import held
from idlewatt_scheduler.model.plan import Charging
from idlewatt_scheduler.model.reasons import VehicleReason
from idlewatt_scheduler.model.snapshot import Snapshot
from idlewatt_scheduler.model.units import FOREVER, Instant, Milliwatts, Quantities, seconds
from idlewatt_scheduler.model.vehicle import Vehicle
from idlewatt_scheduler.model.workload import Node, RunningPod
from idlewatt_scheduler.prices import PriceLine

NOT_NAMED_MEANS_NODE_ONLY = frozenset({"pods", "ephemeral-storage"})


@dataclass(frozen=True, slots=True)
class Parked:
    """What a candidate has because it is a vehicle.

    Attributes:
        departure: the instant by which it leaves; None where no parking window is open.
        charge_by: until when to have charged it; None where no parking window is open.
        prices: its site's tariff as a line; None where there is none.
        circuits: its circuit and all above it; empty where that is unknown.
        running: what our running pods ask for, in stretches from `at`.
        base: the same as steps.
        loads: of its circuits, and their phases, all that its draw is taken from.
        charging: of a car whose charger follows a profile of ours; None of every other.
    """

    vehicle: Vehicle
    case: VehicleCase
    electrics: Electrics
    departure: Instant | None
    charge_by: Instant | None
    prices: PriceLine | None
    circuits: tuple[CircuitKey, ...]
    running: tuple[Stretch, ...]
    base: tuple[Step, ...]
    loads: tuple[Load, ...] = ()
    charging: Controlled | None = None

    def charging_at(self, instant: Instant) -> Milliwatts:
        """What charges it then, as far as its circuits have to reckon with it."""
        if self.charging is None:
            return self.electrics.charging
        return power_at(self.charging.most, instant)

    def draw(self, computing: Milliwatts, instant: Instant) -> Milliwatts:
        """What it takes from its circuits then while so much computes."""
        return self.electrics.draw(computing, self.charging_at(instant))

    def draw_now(self, computing: Milliwatts, at: Instant) -> Milliwatts:
        """The same at this instant if its new profile, where it has one, is followed already."""
        if self.charging is None or not self.charging.new:
            return self.draw(computing, at)
        return self.electrics.draw(computing, power_at(self.charging.new, at))

    @property
    def charging_edges(self) -> list[Instant]:
        """The instants at which what charges it changes."""
        return [piece.start for piece in self.charging.most] if self.charging else []


@dataclass(frozen=True, slots=True)
class Candidate:
    """A node that pods may be placed on, with its vehicle if it has one.

    Attributes:
        capacity: what pods may request of it in all, thousandths; see `capacity_of`.
        used: what the pods on it request already, and take of further rules' columns.
        refusal: the first vehicle clause that fails, None where it takes pods.
    """

    name: str
    node: Node | None
    parked: Parked | None
    capacity: Quantities
    used: Quantities
    refusal: VehicleReason | None

    def holds(self, name: str) -> int:
        """How much it has in all of a resource, or of a further rule's column."""
        amount = self.capacity.get(name)
        return held(name, self.node) if amount is None else amount


@dataclass(frozen=True, slots=True)
class Fleet:
    """The snapshot, looked up.

    Attributes:
        candidates: in order of name, vehicles before plain nodes.
        headroom: what running pods and cars leave of each circuit.
        running: our running pods by node.
        phases: what they leave of each phase whose amps are limited, in sixths of a milliwatt.
        present: what is left of either at this instant if what is generated is counted, and of
            cars that follow a profile their new one alone: whether running pods may stay.
        charging: the new profiles, in order of name.
    """

    snapshot: Snapshot
    exchange: Exchange
    candidates: tuple[Candidate, ...]
    headroom: Mapping[CircuitKey, Headroom]
    running: Mapping[str, tuple[RunningPod, ...]]
    phases: Mapping[RoomKey, Headroom] = field(default_factory=dict)
    present: Mapping[RoomKey, Milliwatts] = field(default_factory=dict)
    charging: tuple[Charging, ...] = ()


def capacity_of(node: Node | None, stated: Quantities | None) -> Quantities:
    """Per resource the lesser of what the Node and what the vehicle's owner allow.

    What the owner does not name is nothing, `pods` and `ephemeral-storage` aside. A Node that
    does not count pods at all does not limit them.
    """
    allocatable = dict(node.allocatable) if node is not None else {}
    allocatable.setdefault("pods", FOREVER)
    if stated is None:
        return allocatable
    return {
        name: min(amount, stated[name]) if name in stated else amount
        for name, amount in allocatable.items()
        if name in stated or name in NOT_NAMED_MEANS_NODE_ONLY
    }


def total(*amounts: Quantities) -> Quantities:
    """Several lots of resources as one."""
    result: dict[str, int] = {}
    for lot in amounts:
        for name, amount in lot.items():
            result[name] = result.get(name, 0) + amount
    return result


def running_power(pod: RunningPod, vehicle: Vehicle, capacity: Quantities) -> Milliwatts:
    """What a running pod was bound with; without that, what it would be planned with now."""
    if pod.bound_power is not None:
        return pod.bound_power
    return pod_power(
        pod.pod.requests, capacity, vehicle.compute.max_power_watts, pod.pod.demand.power_watts
    )


def counts_until(pod: RunningPod, at: Instant) -> Instant:
    """Until when a running pod counts, in charge and in circuits."""
    if pod.counts_until is not None:
        return pod.counts_until
    timed = pod.pod.demand.expected_runtime is not None
    if timed and pod.bound_until is not None and pod.bound_until > at:
        return pod.bound_until
    return FOREVER


def start_of(candidate: Candidate, at: Instant) -> Instant:
    """When a pod placed now would start there: an asleep vehicle has to wake first."""
    parked = candidate.parked
    if parked is None or not parked.case.asleep:
        return at
    return at + seconds(parked.vehicle.compute.wake_seconds)
