"""Draining: pods that must leave are evicted, in time, and in the end whatever blocks it.

A disruption budget may delay an eviction until the last safe time. After that the car would end
the containers itself, which is worse for everybody, so the pod is deleted with its grace.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from idlewatt_operator.gateways.protocols import ClusterGateway, Condition, Outcome, Result
from idlewatt_operator.reconcile.fence import fence_of, to_replace
from idlewatt_operator.reconcile.lost import is_lost
from idlewatt_operator.reconcile.reasons import CANNOT_WAIT, public_name, public_sentence
from idlewatt_operator.reconcile.situation import Situation
from idlewatt_operator.resources.records import PodRecord
from idlewatt_scheduler.leaving import leaves_time
from idlewatt_scheduler.model.plan import Leaving, Plan
from idlewatt_scheduler.model.reasons import MoveReason, PodReason, VehicleReason
from idlewatt_scheduler.model.units import SECOND, Milliseconds

BEFORE_LAST_SAFE: Final[Milliseconds] = 30 * SECOND
"""A blocked eviction is given up so long before the last safe time: the fence must not win."""

FENCE_ENDS: Final = "FenceEnds"

_NOT_EVICTED: Final = frozenset({Outcome.BLOCKED, Outcome.REFUSED, Outcome.UNKNOWN})
"""A webhook that is down answers every eviction with a 500; a second delete harms nobody."""


@dataclass(frozen=True, slots=True)
class Drain:
    """A pod that is told to leave now.

    Attributes:
        reason: as it may be told to anybody.
        because: the same as part of a sentence about the vehicle.
        grace_seconds: of its own annotation; None: the pod's termination grace.
        cannot_wait: if a disruption budget blocks the eviction, it is deleted at once.
        seen_ahead: the reason leaves time for another pod to be ready in its place.
    """

    record: PodRecord
    vehicle: str
    reason: str
    because: str
    grace_seconds: int | None
    cannot_wait: bool
    seen_ahead: bool = False


@dataclass(frozen=True, slots=True)
class Marking:
    """The condition `Draining` of a vehicle, to be written now."""

    vehicle: str
    condition: Condition

    @property
    def holds(self) -> bool:
        """Whether it is set rather than cleared."""
        return self.condition.status == "True"


def to_drain(situation: Situation, plan: Plan) -> list[Drain]:
    """The pods to be evicted now; those that are being deleted or given up are not asked."""
    asked = dict(_asked(situation, plan))
    drains = {
        uid: each
        for uid, (leaving, each) in asked.items()
        if not isinstance(leaving.reason, MoveReason)
    }
    for record in to_replace(situation):
        candidate = situation.candidates[record.node or ""]
        if record.pod.uid not in drains and not is_lost(situation, candidate, record):
            drains[record.pod.uid] = _replacing(situation, record)
    for leaving, record in _at_their_last(situation):
        drains.setdefault(record.pod.uid, _leaving(situation, leaving, record))
    for uid, (_, each) in asked.items():
        drains.setdefault(uid, each)
    for record in _on_withdrawn(situation):
        drains[record.pod.uid] = _without_agreement(record)
    return list(drains.values())


def _asked(situation: Situation, plan: Plan) -> Iterator[tuple[str, tuple[Leaving, Drain]]]:
    """By UID whom the plan asks to leave; who makes room may have a more pressing reason here."""
    for leaving in plan.leaving:
        record = situation.view.pods.get(leaving.pod.uid)
        candidate = situation.candidates.get(leaving.node)
        if record is None or record.node != leaving.node or record.being_deleted:
            continue
        if candidate is None or not is_lost(situation, candidate, record):
            yield record.pod.uid, (leaving, _leaving(situation, leaving, record))


def to_mark(situation: Situation, plan: Plan) -> list[Marking]:
    """Vehicles of which a clause of their own drains every pod, and those that are empty again."""
    markings = []
    drained = {
        leaving.node: leaving.reason
        for leaving in plan.leaving
        if isinstance(leaving.reason, VehicleReason)
    }
    occupied = {
        running.node for running in situation.snapshot.running if running.counts_until is None
    }
    for name, record in sorted(situation.view.vehicles.items()):
        reason, draining = drained.get(name), record.vehicle.draining
        if reason is not None and not draining and reason is not VehicleReason.DRAINING:
            markings.append(
                Marking(name, _condition("True", reason, _draining(), record.generation))
            )
        elif draining and name not in occupied:
            empty = "No pod of ours runs there any more."
            markings.append(Marking(name, _condition("False", "Drained", empty, record.generation)))
    return markings


async def drain(decision: Drain, cluster: ClusterGateway) -> Result:
    """Evict; delete where that was not done, as far as anybody knows, and cannot wait."""
    result = await cluster.evict(decision.record, decision.grace_seconds)
    if result.outcome not in _NOT_EVICTED or not decision.cannot_wait:
        return result
    grace = decision.grace_seconds
    if grace is None:
        grace = decision.record.pod.termination_grace_seconds
    return await cluster.delete(decision.record, grace)


def _leaving(situation: Situation, leaving: Leaving, record: PodRecord) -> Drain:
    candidate = situation.candidates.get(leaving.node)
    seen_ahead = candidate is not None and leaves_time(
        situation.fleet, candidate, leaving, BEFORE_LAST_SAFE
    )
    hurries = leaving.reason in CANNOT_WAIT and not seen_ahead
    return Drain(
        record=record,
        vehicle=leaving.node,
        reason=public_name(leaving.reason),
        because=public_sentence(leaving.reason),
        grace_seconds=grace_seconds(record),
        cannot_wait=hurries or _is_last(situation, leaving, record),
        seen_ahead=seen_ahead,
    )


def _at_their_last(situation: Situation) -> Iterator[tuple[Leaving, PodRecord]]:
    """Pods whose last safe time is here: their fence must not end them before they are asked to.

    Where the grace is as long as the lead, the lead would ask them no earlier than that.
    """
    for candidate, record in situation.on_vehicles():
        last_safe = situation.last_safe(record.pod, candidate.name)
        if last_safe is None or record.being_deleted or is_lost(situation, candidate, record):
            continue
        if situation.at >= last_safe - BEFORE_LAST_SAFE:
            yield Leaving(record.pod, candidate.name, PodReason.LEAVES_TOO_EARLY), record


def _is_last(situation: Situation, leaving: Leaving, record: PodRecord) -> bool:
    """Whether the last safe time is here, or there is none since no window is open."""
    last_safe = situation.last_safe(record.pod, leaving.node)
    if last_safe is not None:
        return situation.at >= last_safe - BEFORE_LAST_SAFE
    candidate = situation.candidates.get(leaving.node)
    return (
        candidate is not None and candidate.parked is not None and bool(candidate.parked.case.site)
    )


def _on_withdrawn(situation: Situation) -> Iterator[PodRecord]:
    """Pods that were bound to a vehicle whose VehicleNode was deleted since.

    One that is there and cannot be used is another matter: that is a mistake, and no withdrawal.
    """
    refused = {each.name for each in situation.view.refused if each.kind == "VehicleNode"}
    known = situation.view.vehicles.keys() | refused
    for node, records in situation.bound.items():
        if node not in known:
            for record in records:
                if record.bound_agreement_version is not None and not record.being_deleted:
                    yield record


def _without_agreement(record: PodRecord) -> Drain:
    return Drain(
        record=record,
        vehicle=record.node or "",
        reason=public_name(VehicleReason.NO_AGREEMENT),
        because=public_sentence(VehicleReason.NO_AGREEMENT),
        grace_seconds=grace_seconds(record),
        cannot_wait=True,
    )


def _replacing(situation: Situation, record: PodRecord) -> Drain:
    fence = fence_of(record)
    return Drain(
        record=record,
        vehicle=record.node or "",
        reason=FENCE_ENDS,
        because="it stays longer than this pod's deadline allows",
        grace_seconds=grace_seconds(record),
        cannot_wait=False,
        seen_ahead=fence is not None and situation.at + BEFORE_LAST_SAFE < fence,
    )


def grace_seconds(record: PodRecord) -> int | None:
    """The pod's own; None: its termination grace. With 0 the API server waits for no kubelet."""
    grace = record.pod.demand.drain_grace
    if grace is None:
        return None if record.pod.termination_grace_seconds >= 1 else 1
    return max(1, -(-grace // SECOND))


def within_departure(situation: Situation, decision: Drain) -> Drain:
    """The same with no more grace than there is until the car leaves.

    A pod's grace can be longer than it was when the pod was bound: its author may write another
    one, and a departure moves. However long it is, the owner does not wait.
    """
    departure = situation.departure(decision.vehicle)
    if departure is None:
        return decision
    left_seconds = max(1, (departure - situation.at) // SECOND)
    grace = decision.grace_seconds
    if grace is None:
        grace = decision.record.pod.termination_grace_seconds
    return decision if grace <= left_seconds else replace(decision, grace_seconds=left_seconds)


def _condition(status: str, reason: str, message: str, generation: int) -> Condition:
    return Condition("Draining", status, str(reason), message, generation)


def _draining() -> str:
    return "Every pod of ours there is asked to leave; no new one is placed until it is empty."
