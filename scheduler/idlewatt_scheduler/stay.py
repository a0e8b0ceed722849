"""The stay: from the start of the image's fetch until the pod has had what it needs."""

from dataclasses import dataclass
from typing import Final

from idlewatt_scheduler.candidates import Candidate, start_of
from idlewatt_scheduler.model.policy import FleetPolicy
from idlewatt_scheduler.model.units import SECOND, Instant, Milliseconds, seconds
from idlewatt_scheduler.model.workload import Pod

BITS: Final = 8
"""In a byte."""


@dataclass(frozen=True, slots=True)
class Stay:
    """`[start, until)`, the pod being ready from `ready_at` on."""

    start: Instant
    ready_at: Instant
    until: Instant


def stay_of(pod: Pod, candidate: Candidate, policy: FleetPolicy, at: Instant) -> Stay:
    """When the pod would start there, be ready, and be done; an open-ended one for the least."""
    demand = pod.demand
    start = start_of(candidate, at)
    ready_at = start + _fetch_time(pod, candidate) + demand.model_load_time
    if demand.expected_runtime is None:
        return Stay(start, ready_at, ready_at + seconds(policy.minimum_stay_seconds))
    return Stay(start, ready_at, ready_at + demand.expected_runtime)


def missing_bytes(pod: Pod, candidate: Candidate) -> int:
    """Bytes to be fetched: none where the Node lists every image of the pod, or none are stated."""
    present = candidate.node.images if candidate.node else frozenset()
    if pod.images and all(image in present for image in pod.images):
        return 0
    return pod.demand.image_size_bytes or 0


def grace_of(pod: Pod) -> Milliseconds:
    """How long it may take to end."""
    declared = pod.demand.drain_grace
    return seconds(pod.termination_grace_seconds) if declared is None else declared


def lead_of(pod: Pod, policy: FleetPolicy) -> Milliseconds:
    """How long before a departure the pod has to be asked to leave."""
    return max(seconds(policy.drain_lead_seconds), grace_of(pod))


def _fetch_time(pod: Pod, candidate: Candidate) -> Milliseconds:
    rate = candidate.parked.vehicle.link.downlink_bits_per_second if candidate.parked else None
    size = missing_bytes(pod, candidate)
    return -(-size * BITS * SECOND // rate) if rate and size else 0
