"""Controllers of the simulated cluster: they start another pod where one is missing."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from idlewatt_operator.resources.records import PodRecord
from idlewatt_scheduler.model.units import Instant
from idlewatt_scheduler.model.workload import Pod


class WorkloadKind(StrEnum):
    """What a controller wants: so many pods at any time, or so many that succeeded."""

    SERVICE = "Service"
    JOB = "Job"


@dataclass(slots=True)
class Workload:
    """A Deployment-like or Job-like owner of pods.

    Attributes:
        template: its pods, but for name, UID and creation time; its name is the workload's.
        count: replicas of a service, completions of a job.
        run_seconds: how long a job's pod really runs; None for a service.
        stop_seconds: how long its containers take to end when told to; the grace bounds it.
        min_available: the disruption budget; None: it has none.
    """

    template: Pod
    kind: WorkloadKind
    count: int
    run_seconds: int | None = None
    stop_seconds: int = 2
    min_available: int | None = None
    made: int = 0

    @property
    def key(self) -> str:
        """`namespace/name`."""
        return self.template.key

    @property
    def replica_set(self) -> str:
        """The UID of the ReplicaSet of a service; a job has none."""
        return f"rs-{self.key}" if self.kind is WorkloadKind.SERVICE else ""

    def missing(self, own: Iterable[PodRecord]) -> int:
        """How many pods to create, given all its pods there are."""
        pods = list(own)
        active = sum(1 for record in pods if not record.ended and not record.being_deleted)
        done = sum(1 for record in pods if record.phase == "Succeeded")
        wanted = self.count - done if self.kind is WorkloadKind.JOB else self.count
        return max(0, wanted - active)

    def another(self, at: Instant) -> Pod:
        """The next pod: name and UID are made from the workload's and a running number."""
        self.made += 1
        name = f"{self.template.name}-{self.made}"
        uid = f"uid-{self.template.namespace}-{name}"
        return replace(self.template, name=name, uid=uid, created_at=at)

    def may_evict(self, own: Iterable[PodRecord]) -> bool:
        """Whether the disruption budget allows one more eviction."""
        if self.min_available is None:
            return True
        healthy = sum(1 for pod in own if pod.ready and not pod.being_deleted)
        return healthy > self.min_available


@dataclass
class Controllers:
    """All workloads by `namespace/name`, and which of them made which pod."""

    workloads: dict[str, Workload] = field(default_factory=dict)
    _owner: dict[str, str] = field(default_factory=dict)

    def owner_of(self, uid: str) -> Workload | None:
        """The workload that made a pod; None: it was made by hand."""
        return self.workloads.get(self._owner.get(uid, ""))

    def missing_pods(
        self, workload: Workload, pods: Mapping[str, PodRecord], at: Instant
    ) -> list[PodRecord]:
        """Make the pods that are missing; one that was taken from its ReplicaSet is."""
        own = [record for record in self._made_by(workload, pods) if record.released is None]
        made = [workload.another(at) for _ in range(workload.missing(own))]
        self._owner.update({pod.uid: workload.key for pod in made})
        return [
            PodRecord(pod, scheduler_name="idlewatt", replica_set=workload.replica_set)
            for pod in made
        ]

    def may_evict(self, uid: str, pods: Mapping[str, PodRecord]) -> bool:
        """Whether a disruption budget allows it; that knows pods by labels, released ones too."""
        workload = self.owner_of(uid)
        return workload is None or workload.may_evict(self._made_by(workload, pods))

    def stop_seconds(self, uid: str) -> int:
        """How long the pod's containers take to end when told to."""
        workload = self.owner_of(uid)
        return workload.stop_seconds if workload is not None else 2

    def run_seconds(self, uid: str) -> int | None:
        """How long a job's pod really runs; None for every other one."""
        workload = self.owner_of(uid)
        is_job = workload is not None and workload.kind is WorkloadKind.JOB
        return workload.run_seconds if workload is not None and is_job else None

    def _made_by(self, workload: Workload, pods: Mapping[str, PodRecord]) -> list[PodRecord]:
        return [record for uid, record in pods.items() if self._owner.get(uid) == workload.key]
