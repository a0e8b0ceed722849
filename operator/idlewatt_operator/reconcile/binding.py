"""Binding: first the fence, then the Binding with what the pod was planned with.

The order matters. A pod that is bound without a fence would run on behind a cut link until the
car is driven away; a fence without a binding harms nobody.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from idlewatt_operator.gateways.protocols import BindOrder, ClusterGateway, Outcome, Result
from idlewatt_operator.reconcile.fence import fence_seconds
from idlewatt_operator.reconcile.situation import Situation, is_awake
from idlewatt_operator.reconcile.snapshot import Assumed
from idlewatt_operator.resources.annotations import (
    BOUND_AGREEMENT_VERSION,
    BOUND_UNTIL,
    BOUND_WATTS,
)
from idlewatt_operator.resources.records import PodRecord
from idlewatt_operator.resources.times import format_instant
from idlewatt_scheduler.model.plan import Placement, Plan
from idlewatt_scheduler.model.units import Instant, Milliwatts, seconds
from idlewatt_scheduler.model.vehicle import Vehicle


@dataclass(frozen=True, slots=True)
class Binding:
    """A placement that is bound now.

    Attributes:
        last_safe: what the fence is counted from; None: its node never leaves.
    """

    record: PodRecord
    placement: Placement
    last_safe: Instant | None
    annotations: Mapping[str, str]

    def deadline_seconds(self, at: Instant) -> int | None:
        """The fence to set before it is bound; None: the pod's own deadline is early enough."""
        if self.last_safe is None:
            return None
        fence = fence_seconds(self.last_safe, since=at)
        own = self.record.active_deadline_seconds
        return fence if own is None or own > fence else None

    @property
    def order(self) -> BindOrder:
        """What is posted."""
        pod = self.record.pod
        return BindOrder(pod.namespace, pod.name, pod.uid, self.placement.node, self.annotations)

    @property
    def assumed(self) -> Assumed:
        """What counts in the snapshot while nobody knows how it ended."""
        return Assumed(self.placement.node, self.placement.power, self.placement.until)


@dataclass(frozen=True, slots=True)
class Renewal:
    """A pending pod with a fence of ours that is too early for the stay it is planned for now.

    A deadline can never be raised, so its controller has to start another pod.
    """

    record: PodRecord


@dataclass(frozen=True, slots=True)
class Answer:
    """How a binding ended, and at which of its two writes.

    Attributes:
        sent: the Binding itself was sent.
    """

    result: Result
    sent: bool


def to_bind(situation: Situation, plan: Plan) -> tuple[list[Binding], list[Renewal]]:
    """Placements to be bound now: those whose vehicle is awake.

    Args:
        situation: what the plan was made from.
        plan: its placements are gone through in their order.
    """
    bindings: list[Binding] = []
    renewals: list[Renewal] = []
    for placement in plan.placements:
        record = situation.view.pods.get(placement.pod.uid)
        vehicle = situation.vehicle(placement.node)
        if record is None or (vehicle is not None and not is_awake(vehicle)):
            continue
        if _outgrown(record, placement, situation.at):
            renewals.append(Renewal(record))
            continue
        bindings.append(
            Binding(
                record,
                placement,
                situation.last_safe(record.pod, placement.node),
                annotations_of(placement, vehicle),
            )
        )
    return bindings, renewals


def annotations_of(placement: Placement, vehicle: Vehicle | None) -> dict[str, str]:
    """What arrives on the pod together with its node's name."""
    notes = {
        BOUND_WATTS: watts_text(placement.power),
        BOUND_UNTIL: format_instant(placement.until),
    }
    if vehicle is not None and vehicle.agreement is not None:
        notes[BOUND_AGREEMENT_VERSION] = str(vehicle.agreement.version)
    return notes


def watts_text(power: Milliwatts) -> str:
    """Milliwatts as an exact decimal of watts, without needless zeros."""
    text = format(Decimal(power).scaleb(-3), "f")
    return text.rstrip("0").rstrip(".")


async def bind(binding: Binding, cluster: ClusterGateway, at: Instant) -> Answer:
    """Fence, then bind; a fence that could not be set leaves the pod unbound.

    Args:
        binding: what was decided.
        cluster: where it is written.
        at: now, which among many bindings is later than when it was decided.
    """
    seconds_left = binding.deadline_seconds(at)
    if seconds_left is not None:
        fence = await cluster.set_active_deadline(binding.record, seconds_left)
        if fence.outcome is not Outcome.DONE:
            return Answer(fence, sent=False)
    result = await cluster.bind(binding.order)
    return Answer(result, sent=True)


def _outgrown(record: PodRecord, placement: Placement, at: Instant) -> bool:
    """Whether its deadline was set here, by whatever process, and is too early for this stay."""
    deadline = record.active_deadline_seconds
    if deadline is None or deadline != record.fence_seconds:
        return False
    return record.pod.controlled and at + seconds(deadline) < placement.until
