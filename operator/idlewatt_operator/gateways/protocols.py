"""The ports: what the cycle asks of a cluster, of telemetry and of a clock.

Two sets of gateways stand behind them: the real ones (`kubernetes/`, `redis/`) and the
twin's. The cycle does not know which it has.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from idlewatt_operator.resources.learned import Learned
from idlewatt_operator.resources.records import GivenUp, PodRecord, Refused, Released, VehicleRecord
from idlewatt_scheduler.model.charging import ChargingProfile
from idlewatt_scheduler.model.policy import FleetPolicy
from idlewatt_scheduler.model.site import ObservedCircuit, Site
from idlewatt_scheduler.model.tariff import Tariff
from idlewatt_scheduler.model.units import Instant
from idlewatt_scheduler.model.vehicle import Observation
from idlewatt_scheduler.model.workload import Node


class Clock(Protocol):
    """Time, injected: the wall's, a test's, or the twin's."""

    def now(self) -> Instant:
        """The present instant."""

    async def sleep(self, seconds: float) -> None:
        """Return once `seconds` have passed on this clock."""


@dataclass(frozen=True, slots=True)
class ClusterView:
    """What the watches last showed.

    Attributes:
        synced: every kind was listed whole at least once; without it nothing is decided.
        vehicles, nodes, sites, tariffs: by name. A vehicle that is refused stands here with what
            can be read of it, so that pods leave it in time; it takes no new ones.
        pods: by UID; ours, and those of others that are bound and have not ended.
        learned: what was learned of departures, from the ConfigMap that the policy names.
        refused: objects that are in the cluster and cannot be used.
        generations: of sites, tariffs and the policy, by kind and name.
    """

    synced: bool = False
    policy: FleetPolicy = field(default_factory=FleetPolicy)
    vehicles: Mapping[str, VehicleRecord] = field(default_factory=dict)
    nodes: Mapping[str, Node] = field(default_factory=dict)
    sites: Mapping[str, Site] = field(default_factory=dict)
    tariffs: Mapping[str, Tariff] = field(default_factory=dict)
    pods: Mapping[str, PodRecord] = field(default_factory=dict)
    learned: Learned = field(default_factory=Learned)
    refused: tuple[Refused, ...] = ()
    generations: Mapping[tuple[str, str], int] = field(default_factory=dict)


class Outcome(StrEnum):
    """How a write ended; nothing but a fault of our own is raised."""

    DONE = "Done"
    GONE = "Gone"  # 404, or 409 because the UID is another's: the pod is not there any more
    CONFLICT = "Conflict"  # 409: somebody changed it first; look again, then decide again
    REFUSED = "Refused"  # 400, 403, 422: it will not be taken; the message says why
    BLOCKED = "Blocked"  # 429: a disruption budget, or the server asks for patience
    UNKNOWN = "Unknown"  # 5xx, a cut line, a time-out: it may have been done


@dataclass(frozen=True, slots=True)
class Result:
    """An outcome, and the server's sentence where it gave one.

    Attributes:
        retry_after_seconds: how long the server asked to wait; None: it did not say.
    """

    outcome: Outcome
    message: str = ""
    retry_after_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class BindOrder:
    """One Binding: the pod by UID, the node, and the annotations that arrive with `nodeName`."""

    namespace: str
    name: str
    uid: str
    node: str
    annotations: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class EventNote:
    """An event about a pod; `reason` is `Scheduled`, `FailedScheduling` or a drain's.

    Attributes:
        warning: its type is `Warning` rather than `Normal`.
    """

    namespace: str
    name: str
    uid: str
    reason: str
    message: str
    action: str
    warning: bool = False


@dataclass(frozen=True, slots=True)
class Condition:
    """A status condition; its transition time is the writer's business.

    Attributes:
        status: `True`, `False` or `Unknown`.
        reason: CamelCase.
    """

    type: str
    status: str
    reason: str
    message: str
    observed_generation: int = 0


class ClusterGateway(Protocol):
    """The cluster: what the watches show, and every write there is."""

    def view(self) -> ClusterView:
        """What is known now; cheap, and never changed afterwards."""

    async def bind(self, order: BindOrder) -> Result:
        """Post the Binding."""

    async def pod(self, namespace: str, name: str) -> PodRecord | None:
        """A fresh, consistent GET, to settle a binding whose answer was lost."""

    async def set_active_deadline(self, record: PodRecord, seconds: int) -> Result:
        """Set or lower `activeDeadlineSeconds`, for this UID alone."""

    async def evict(self, record: PodRecord, grace_seconds: int | None = None) -> Result:
        """Ask the Eviction API to end the pod, with its UID as precondition."""

    async def release(self, record: PodRecord, mark: Released) -> Result:
        """Take the pod from its ReplicaSet, which starts another one; the pod runs on."""

    async def delete(self, record: PodRecord, grace_seconds: int) -> Result:
        """Delete the pod with a grace, past any disruption budget, its UID as precondition."""

    async def remove(self, record: PodRecord) -> Result:
        """Delete the object of a pod on a lost vehicle at once, with its UID as precondition."""

    async def say(self, note: EventNote) -> None:
        """Write an event; a lost one is not an error."""

    async def set_waiting(self, record: PodRecord, reason: str, message: str) -> Result:
        """Write the pod's condition `PodScheduled=False`."""

    async def keep_taint(self, node: str) -> Result:
        """Put `idlewatt.dev/vehicle:NoSchedule` on the Node, tested by its resourceVersion."""

    async def write_vehicle_status(self, name: str, patch: Mapping[str, object]) -> Result:
        """Merge `patch` into the VehicleNode's status."""

    async def write_given_up(self, name: str, given_up: Sequence[GivenUp]) -> Result:
        """Keep the pods that were given up on this vehicle in an annotation of its own."""

    async def write_circuits(self, site: str, circuits: Sequence[ObservedCircuit]) -> Result:
        """Keep what was reported of these circuits in the ParkingSite's status; others stay."""

    async def write_conditions(
        self, kind: str, name: str, conditions: Sequence[Condition]
    ) -> Result:
        """Write the conditions of a ParkingSite, EnergyTariff, FleetPolicy or VehicleNode."""


@dataclass(frozen=True, slots=True)
class Telemetry:
    """The latest that was reported, by vehicle, and by site for its circuits.

    Attributes:
        refused: sentences about reports that could not be used, newest last, a few of them.
        absent: the source was not read yet, and nobody knows what it holds.
        limits_changed_at: when the last report arrived that changed what a circuit may carry.
    """

    vehicles: Mapping[str, Observation] = field(default_factory=dict)
    circuits: Mapping[str, tuple[ObservedCircuit, ...]] = field(default_factory=dict)
    refused: tuple[str, ...] = ()
    absent: bool = False
    limits_changed_at: Instant | None = None


class TelemetryGateway(Protocol):
    """Where observations come from."""

    def latest(self) -> Telemetry | None:
        """What is known now; None: this source has none, the objects' status is to be read."""

    async def wake(self, vehicle: str) -> Result:
        """Ask an asleep vehicle to wake, for a placement that is already decided."""


class ChargingGateway(Protocol):
    """Who tells charge points what to give, and hears whether they took it."""

    def acknowledged(self) -> Mapping[str, ChargingProfile]:
        """By vehicle the profile that its charger last acknowledged, as far as that still holds.

        What was acknowledged before this process began is not here: nobody knows whether it holds.
        """

    async def set_profile(self, vehicle: str, profile: ChargingProfile) -> Result:
        """Have a charger follow the profile from now on.

        `DONE` is the charger's own word, and nothing less; `REFUSED`: it goes on as before;
        `UNKNOWN`: it did not answer, and either may be true.
        """
