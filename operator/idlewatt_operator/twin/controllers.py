"""Controllers of the simulated cluster: they start another pod where one is missing."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
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
        healthy = sum(1 for pod in own if pod.phase == "Running" and not pod.being_deleted)
        return healthy > self.min_available
