"""The changes that can be advised, each a value that can be applied to a snapshot."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any, TypeAlias

from idlewatt_scheduler.model.plan import Plan
from idlewatt_scheduler.model.snapshot import Snapshot
from idlewatt_scheduler.model.units import Instant, Quantities, seconds
from idlewatt_scheduler.model.workload import Pod
from idlewatt_scheduler.why.outlook import Outlook


@dataclass(frozen=True, slots=True)
class LaterStart:
    """Wait until `at`, and let come true by then what is known; see `Outlook`.

    Attributes:
        plan: what has been placed meanwhile.
    """

    at: Instant
    plan: Plan = field(repr=False, compare=False)

    def apply(self, snapshot: Snapshot) -> Snapshot:
        """The snapshot as it is foreseen for that instant."""
        return Outlook(snapshot, self.plan).snapshot_at(self.at)


@dataclass(frozen=True, slots=True)
class ShorterStay:
    """Need less time: a job's `expected-runtime`, or the policy's `minimumStaySeconds`.

    Attributes:
        pod: `namespace/name`.
        length_seconds: the greatest that is short enough.
        of_all_services: the pod is open-ended, so it is the policy that would change.
    """

    pod: str
    length_seconds: int
    of_all_services: bool

    def apply(self, snapshot: Snapshot) -> Snapshot:
        """The snapshot with the stay shortened."""
        if self.of_all_services:
            policy = replace(snapshot.policy, minimum_stay_seconds=self.length_seconds)
            return replace(snapshot, policy=policy)
        return _with_pod(
            snapshot,
            self.pod,
            lambda pod: with_demand(pod, expected_runtime=seconds(self.length_seconds)),
        )


@dataclass(frozen=True, slots=True)
class LessPower:
    """Draw less: the annotation `power`, and, where its share of the machine says more, that.

    Attributes:
        pod: `namespace/name`.
        power_watts: the most it may draw on this vehicle, whole watts.
        declared_watts: what `power` has to say then; None: the pod declares none.
        requests: what it has to request instead, thousandths; empty where that need not change.
    """

    pod: str
    power_watts: int
    declared_watts: int | None
    requests: Quantities = field(default_factory=dict)

    def apply(self, snapshot: Snapshot) -> Snapshot:
        """The snapshot with a pod that draws less."""
        return _with_pod(
            snapshot,
            self.pod,
            lambda pod: with_less_power(pod, self.declared_watts, self.requests),
        )


@dataclass(frozen=True, slots=True)
class HigherPrice:
    """Let the policy call more hours off-peak: its `maxPricePerKWh`; others gain from it too."""

    max_price_per_kwh: Decimal
    currency: str

    def apply(self, snapshot: Snapshot) -> Snapshot:
        """The snapshot under that policy."""
        test = replace(snapshot.policy.off_peak, max_price_per_kwh=self.max_price_per_kwh)
        return replace(snapshot, policy=replace(snapshot.policy, off_peak=test))


@dataclass(frozen=True, slots=True)
class AnyTariff:
    """Let the pod run at any price: the annotation `tariff: any`."""

    pod: str

    def apply(self, snapshot: Snapshot) -> Snapshot:
        """The snapshot with a pod that does not mind."""
        return _with_pod(snapshot, self.pod, lambda pod: with_demand(pod, any_tariff=True))


@dataclass(frozen=True, slots=True)
class Together:
    """Several changes, none of which suffices without the others."""

    changes: "tuple[LaterStart | ShorterStay | LessPower | HigherPrice | AnyTariff, ...]"

    def apply(self, snapshot: Snapshot) -> Snapshot:
        """The snapshot with all of them, one after the other."""
        for change in self.changes:
            snapshot = change.apply(snapshot)
        return snapshot


Single: TypeAlias = LaterStart | ShorterStay | LessPower | HigherPrice | AnyTariff
Change: TypeAlias = Single | Together


def with_demand(pod: Pod, **overrides: Any) -> Pod:  # noqa: ANN401 - any field of a Demand
    """The pod with some annotations changed."""
    return replace(pod, demand=replace(pod.demand, **overrides))


def with_less_power(pod: Pod, declared_watts: int | None, requests: Mapping[str, int]) -> Pod:
    """The pod with another `power`, and with some requests changed."""
    return replace(
        with_demand(pod, power_watts=declared_watts), requests={**pod.requests, **requests}
    )


def _with_pod(snapshot: Snapshot, key: str, change: Callable[[Pod], Pod]) -> Snapshot:
    pending = tuple(change(pod) if pod.key == key else pod for pod in snapshot.pending)
    return replace(snapshot, pending=pending)
