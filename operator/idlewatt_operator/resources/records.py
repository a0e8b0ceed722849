"""Objects of the cluster as the cycle sees them: a core value, and what only the shell needs."""

from dataclasses import dataclass, field

from idlewatt_scheduler.model.units import Instant, Milliwatts
from idlewatt_scheduler.model.vehicle import Vehicle
from idlewatt_scheduler.model.workload import Pod


@dataclass(frozen=True, slots=True)
class Released:
    """What is written on a pod that was taken from its ReplicaSet, so that another one starts.

    Attributes:
        at: when; 0 where it cannot be read, which is long ago.
        replica_set: the UID of the ReplicaSet.
        needed: how many pods of it were ready then and wanted, this one included.
    """

    at: Instant
    replica_set: str
    needed: int


@dataclass(frozen=True, slots=True)
class PodRecord:
    """A Pod, ours or another scheduler's.

    Attributes:
        pod: the core's value; of a pod that is not ours only names and requests matter.
        scheduler_name: `spec.schedulerName`.
        node: `spec.nodeName`, None while unbound.
        phase: `Pending`, `Running`, `Succeeded`, `Failed` or `Unknown`.
        gated: it has a scheduling gate.
        being_deleted: it has a deletion timestamp.
        start_time: `status.startTime`, from which the kubelet counts the deadline.
        active_deadline_seconds: `spec.activeDeadlineSeconds`.
        bound_power: annotation `bound-watts` in milliwatts; None if absent or malformed.
        bound_until: annotation `bound-until`; None as above.
        bound_agreement_version: annotation `bound-agreement-version`; None as above.
        fence_seconds: annotation `fence-seconds`, the deadline that was set here; None as above.
        ready: its condition `Ready` is True: Services send to it.
        replica_set: the UID of the Deployment's ReplicaSet that keeps it; empty: none does.
        template_hash: its label `pod-template-hash`, by which that ReplicaSet knows it.
        released: set once it was taken from its ReplicaSet.
        waiting_reason: the reason of its condition `PodScheduled=False`, None without one.
        waiting_message: that condition's message.
    """

    pod: Pod
    scheduler_name: str
    node: str | None = None
    phase: str = "Pending"
    gated: bool = False
    being_deleted: bool = False
    start_time: Instant | None = None
    active_deadline_seconds: int | None = None
    bound_power: Milliwatts | None = None
    bound_until: Instant | None = None
    bound_agreement_version: int | None = None
    fence_seconds: int | None = None
    ready: bool = False
    replica_set: str = ""
    template_hash: str = ""
    released: Released | None = None
    waiting_reason: str | None = None
    waiting_message: str = ""
    resource_version: str = ""

    @property
    def ended(self) -> bool:
        """The kubelet reported that its containers ended."""
        return self.phase in {"Succeeded", "Failed"}

    @property
    def may_be_released(self) -> bool:
        """A ReplicaSet would start another one in its place while it goes on serving.

        A pod that is not ready serves nobody, and its replacement starts with its eviction.
        """
        return self.ready and bool(self.replica_set) and self.released is None


@dataclass(frozen=True, slots=True)
class GivenUp:
    """A pod whose object was removed while its vehicle could not be reached.

    It counts on the vehicle until its fence: nobody has seen its containers end.

    Attributes:
        pod: name, priority and requests, as they were.
        power: milliwatts.
        fence: the instant by which the kubelet alone has ended it.
    """

    pod: Pod
    node: str
    power: Milliwatts
    fence: Instant


@dataclass(frozen=True, slots=True)
class VehicleRecord:
    """A VehicleNode.

    Attributes:
        vehicle: the core's value, with what its status says was observed.
        generation: `metadata.generation`.
        given_up: from the annotation `idlewatt.dev/given-up`.
        status: the status as it stands in the cluster, to write only what changed.
    """

    vehicle: Vehicle
    generation: int = 0
    resource_version: str = ""
    given_up: tuple[GivenUp, ...] = ()
    status: dict[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Refused:
    """An object that the API server took and we cannot use, and a sentence that says why.

    Attributes:
        readable: what can be read of a VehicleNode: pods may run there, and its car draws power.
    """

    kind: str
    name: str
    message: str
    generation: int = 0
    readable: VehicleRecord | None = None
