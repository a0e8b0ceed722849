"""The fence: the deadline that a kubelet enforces alone, also where nobody can reach it.

It is only ever lowered: the API server refuses to raise it. A pod whose vehicle stays longer
than its fence is replaced before the fence ends it.
"""

from dataclasses import dataclass
from typing import Final

from idlewatt_operator.reconcile.situation import Situation, is_unseen
from idlewatt_operator.resources.records import PodRecord
from idlewatt_scheduler.candidates import Candidate
from idlewatt_scheduler.model.units import SECOND, Instant, Milliseconds, seconds
from idlewatt_scheduler.stay import lead_of

FENCE_MARGIN_SECONDS: Final = 10
"""Kept between the end that the kubelet enforces and the last safe time."""

_STAYS_LONGER: Final[Milliseconds] = 30 * SECOND
"""A last safe time so much later than the fence is a vehicle that stays longer, not rounding."""


@dataclass(frozen=True, slots=True)
class Lowering:
    """A deadline to be lowered to `seconds` after the pod's start."""

    record: PodRecord
    seconds: int


def fence_seconds(last_safe: Instant, *, since: Instant) -> int:
    """The deadline that ends a pod ten seconds before `last_safe`, counted from `since`."""
    return max(1, (last_safe - since) // SECOND - FENCE_MARGIN_SECONDS)


def fence_of(record: PodRecord) -> Instant | None:
    """When the kubelet ends the pod by its deadline; None while that is unknown."""
    if record.start_time is None or record.active_deadline_seconds is None:
        return None
    return record.start_time + seconds(record.active_deadline_seconds)


def to_lower(situation: Situation) -> list[Lowering]:
    """Fences that lie after the last safe time, of pods whose kubelet can hear of it.

    The object of a pod behind a cut link keeps the deadline that its kubelet knows: until then
    it counts, should it be given up.
    """
    lowerings = []
    for candidate, record in situation.on_vehicles():
        if record.being_deleted or is_unseen(candidate.node):
            continue
        last_safe = situation.last_safe(record.pod, candidate.name)
        since = situation.at if record.start_time is None else record.start_time
        old = record.active_deadline_seconds
        if last_safe is None or (old is not None and since + seconds(old) <= last_safe):
            continue
        lowerings.append(Lowering(record, fence_seconds(last_safe, since=since)))
    return [each for each in lowerings if _is_lower(each)]


def to_replace(situation: Situation) -> list[PodRecord]:
    """Open-ended pods that their fence would end although their vehicle stays longer.

    They are evicted a lead before, as if the car left: their controller starts another one,
    which gets a fence of its own.
    """
    return [
        record
        for candidate, record in situation.on_vehicles()
        if not record.being_deleted and _ends_too_soon(situation, candidate, record)
    ]


def _is_lower(lowering: Lowering) -> bool:
    old = lowering.record.active_deadline_seconds
    return old is None or lowering.seconds < old


def _ends_too_soon(situation: Situation, candidate: Candidate, record: PodRecord) -> bool:
    pod = record.pod
    fence, last_safe = fence_of(record), situation.last_safe(pod, candidate.name)
    if fence is None or last_safe is None or not pod.controlled:
        return False
    if pod.demand.expected_runtime is not None or last_safe - fence <= _STAYS_LONGER:
        return False
    return situation.at + lead_of(pod, situation.snapshot.policy) >= fence
