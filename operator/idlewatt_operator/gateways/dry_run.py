"""A cluster that is only looked at: every write is counted and none is sent."""

from collections import Counter
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

from idlewatt_operator.gateways.protocols import (
    BindOrder,
    ClusterGateway,
    ClusterView,
    Condition,
    EventNote,
    Outcome,
    Result,
    Telemetry,
    TelemetryGateway,
)
from idlewatt_operator.resources.records import GivenUp, PodRecord, Released
from idlewatt_scheduler.model.site import ObservedCircuit

_DRY: Final = Result(Outcome.DONE, "dry run: nothing was written")


class DryRunCluster:
    """`ClusterGateway` that reads from another one and writes nothing at all.

    Args:
        behind: what is looked at; of it only `view` and `pod` are ever called.
    """

    def __init__(self, behind: ClusterGateway) -> None:
        self._behind = behind
        self._counts: Counter[str] = Counter()

    @property
    def withheld(self) -> Mapping[str, int]:
        """How many writes were not sent, by their kind."""
        return MappingProxyType(self._counts)

    def view(self) -> ClusterView:
        """What is known now."""
        return self._behind.view()

    async def pod(self, namespace: str, name: str) -> PodRecord | None:
        """A fresh GET."""
        return await self._behind.pod(namespace, name)

    async def bind(self, order: BindOrder) -> Result:  # noqa: ARG002 # the port's shape
        """Bind nothing."""
        return self._withhold("bind")

    async def set_active_deadline(self, record: PodRecord, seconds: int) -> Result:  # noqa: ARG002
        """Fence nothing."""
        return self._withhold("deadline")

    async def evict(self, record: PodRecord, grace_seconds: int | None = None) -> Result:  # noqa: ARG002
        """Evict nothing."""
        return self._withhold("evict")

    async def release(self, record: PodRecord, mark: Released) -> Result:  # noqa: ARG002
        """Take nothing from its ReplicaSet."""
        return self._withhold("release")

    async def delete(self, record: PodRecord, grace_seconds: int) -> Result:  # noqa: ARG002
        """Delete nothing."""
        return self._withhold("delete")

    async def remove(self, record: PodRecord) -> Result:  # noqa: ARG002
        """Remove nothing."""
        return self._withhold("remove")

    async def say(self, note: EventNote) -> None:  # noqa: ARG002
        """Say nothing."""
        self._withhold("event")

    async def set_waiting(self, record: PodRecord, reason: str, message: str) -> Result:  # noqa: ARG002
        """Write no condition of a pod."""
        return self._withhold("condition")

    async def keep_taint(self, node: str) -> Result:  # noqa: ARG002
        """Taint nothing."""
        return self._withhold("taint")

    async def write_vehicle_status(self, name: str, patch: Mapping[str, object]) -> Result:  # noqa: ARG002
        """Write no status."""
        return self._withhold("vehicle-status")

    async def write_given_up(self, name: str, given_up: Sequence[GivenUp]) -> Result:  # noqa: ARG002
        """Keep nothing."""
        return self._withhold("given-up")

    async def write_circuits(self, site: str, circuits: Sequence[ObservedCircuit]) -> Result:  # noqa: ARG002
        """Write no status of a site."""
        return self._withhold("circuits")

    async def write_conditions(
        self,
        kind: str,  # noqa: ARG002
        name: str,  # noqa: ARG002
        conditions: Sequence[Condition],  # noqa: ARG002
    ) -> Result:
        """Write no conditions."""
        return self._withhold("conditions")

    def _withhold(self, kind: str) -> Result:
        self._counts[kind] += 1
        return _DRY


class DryRunTelemetry:
    """`TelemetryGateway` that reads from another one and wakes nobody."""

    def __init__(self, behind: TelemetryGateway) -> None:
        self._behind = behind

    def latest(self) -> Telemetry | None:
        """What is known now."""
        return self._behind.latest()

    async def wake(self, vehicle: str) -> Result:  # noqa: ARG002 # the port's shape
        """Wake nobody."""
        return _DRY
