"""Draining: pods that must leave are evicted, in time, and in the end whatever blocks it.

A disruption budget may delay an eviction until the last safe time. After that the car would end
the containers itself, which is worse for everybody, so the pod is deleted with its grace.
"""

from dataclasses import dataclass
from typing import Final

from idlewatt_operator.gateways.protocols import ClusterGateway, Condition, Outcome, Result
from idlewatt_operator.reconcile.fence import to_replace
from idlewatt_operator.reconcile.lost import is_lost
from idlewatt_operator.reconcile.reasons import CANNOT_WAIT, public_name, public_sentence
from idlewatt_operator.reconcile.situation import Situation
from idlewatt_operator.resources.records import PodRecord
from idlewatt_scheduler.model.plan import Leaving, Plan
from idlewatt_scheduler.model.reasons import VehicleReason
from idlewatt_scheduler.model.units import SECOND, Milliseconds

_BEFORE_LAST_SAFE: Final[Milliseconds] = 30 * SECOND
"""A blocked eviction is given up so long before the last safe time: the fence must not win."""

FENCE_ENDS: Final = "FenceEnds"


@dataclass(frozen=True, slots=True)
class Drain:
    """A pod that is told to leave now.

    Attributes:
        reason: as it may be told to anybody.
        because: the same as part of a sentence about the vehicle.
        grace_seconds: of its own annotation; None: the pod's termination grace.
        cannot_wait: if a disruption budget blocks the eviction, it is deleted at once.
    """

    record: PodRecord
    vehicle: str
    reason: str
    because: str
    grace_seconds: int | None
    cannot_wait: bool


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
    drains = {}
    for leaving in plan.leaving:
        record = situation.view.pods.get(leaving.pod.uid)
        candidate = situation.candidates.get(leaving.node)
        if record is None or record.node != leaving.node or record.being_deleted:
            continue
        if candidate is None or not is_lost(situation, candidate, record):
            drains[record.pod.uid] = _leaving(situation, leaving, record)
    for record in to_replace(situation):
        candidate = situation.candidates[record.node or ""]
        if record.pod.uid not in drains and not is_lost(situation, candidate, record):
            drains[record.pod.uid] = _replacing(record)
    return list(drains.values())


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
    """Evict; delete where that is blocked and cannot wait."""
    result = await cluster.evict(decision.record, decision.grace_seconds)
    if result.outcome is not Outcome.BLOCKED or not decision.cannot_wait:
        return result
    grace = decision.grace_seconds
    if grace is None:
        grace = decision.record.pod.termination_grace_seconds
    return await cluster.delete(decision.record, grace)


def _leaving(situation: Situation, leaving: Leaving, record: PodRecord) -> Drain:
    last_safe = situation.last_safe(record.pod, leaving.node)
    at_last = last_safe is not None and situation.at >= last_safe - _BEFORE_LAST_SAFE
    return Drain(
        record=record,
        vehicle=leaving.node,
        reason=public_name(leaving.reason),
        because=public_sentence(leaving.reason),
        grace_seconds=_grace_seconds(record),
        cannot_wait=at_last or leaving.reason in CANNOT_WAIT,
    )


def _replacing(record: PodRecord) -> Drain:
    return Drain(
        record=record,
        vehicle=record.node or "",
        reason=FENCE_ENDS,
        because="it stays longer than this pod's deadline allows",
        grace_seconds=_grace_seconds(record),
        cannot_wait=False,
    )


def _grace_seconds(record: PodRecord) -> int | None:
    grace = record.pod.demand.drain_grace
    return None if grace is None else -(-grace // SECOND)


def _condition(status: str, reason: str, message: str, generation: int) -> Condition:
    return Condition("Draining", status, str(reason), message, generation)


def _draining() -> str:
    return "Every pod of ours there is asked to leave; no new one is placed until it is empty."
