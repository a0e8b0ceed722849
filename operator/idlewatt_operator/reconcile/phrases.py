"""Why a pod waits, for people: `0/120 vehicles: 50 on-peak, 40 leave too early, 30 below reserve`.

Reasons are counted over the fleet and never name a vehicle: whose car is not there is nobody's
business but its owner's.
"""

from collections.abc import Mapping
from typing import Final

from idlewatt_scheduler.model.plan import Waiting
from idlewatt_scheduler.model.reasons import PodReason, Reason, VehicleReason
from idlewatt_scheduler.model.workload import Pod

_PHRASES: Final[Mapping[Reason, str | tuple[str, str]]] = {
    VehicleReason.SUSPENDED: "suspended",
    VehicleReason.NO_AGREEMENT: "without an agreement",
    VehicleReason.CURRENCY_UNKNOWN: "in a currency without an exchange rate",
    VehicleReason.MONTHLY_CAP_REACHED: ("at its monthly cap", "at their monthly cap"),
    VehicleReason.NODE_NOT_READY: ("with its Node not ready", "with their Nodes not ready"),
    VehicleReason.UNREACHABLE: "unreachable",
    VehicleReason.TELEMETRY_INVALID: "with invalid telemetry",
    VehicleReason.TELEMETRY_STALE: "with stale telemetry",
    VehicleReason.NOT_PARKED: "not parked",
    VehicleReason.OCCUPIED: "occupied",
    VehicleReason.NOT_IDLE_LONG_ENOUGH: "not idle long enough",
    VehicleReason.TOO_HOT: "too hot",
    VehicleReason.TOO_COLD: "too cold",
    VehicleReason.SITE_UNKNOWN: "at an unknown site or circuit",
    VehicleReason.COMPUTE_NOT_ALLOWED: "at a site that does not allow computing",
    VehicleReason.NOT_SUPPLIED: "without an energy source",
    VehicleReason.DRAINING: "draining",
    PodReason.INVALID_ANNOTATION: "closed to annotations that are wrong or missing",
    PodReason.UNSUPPORTED_FIELD: "closed to an unsupported field",
    PodReason.NODE_AFFINITY: "outside the node affinity",
    PodReason.TAINT_NOT_TOLERATED: "with a taint that is not tolerated",
    PodReason.RESIDENCY: "outside the residency",
    PodReason.UNTRUSTED: "not attested for Secrets",
    PodReason.EXCEEDS_CAPACITY: "too small",
    PodReason.LINK_TOO_SLOW: "too slow to fetch the image",
    PodReason.OUTSIDE_PARKING_WINDOW: "outside a parking window",
    PodReason.LEAVES_TOO_EARLY: ("leaves too early", "leave too early"),
    PodReason.DEADLINE_MISSED: "too late for the deadline",
    PodReason.ON_PEAK: "on-peak",
    PodReason.PRICE_UNKNOWN: "without a known price",
    PodReason.BELOW_RESERVE: "below reserve",
    PodReason.DEPARTURE_CHARGE_AT_RISK: "short of charge at departure",
    PodReason.NOT_ENOUGH_RESOURCES: "without enough room left",
    PodReason.HOST_PORT_TAKEN: "where the host port is taken",
    PodReason.CIRCUIT_FULL: "on a full circuit",
    PodReason.TOPOLOGY_SPREAD: "where its pods would not be spread evenly",
    PodReason.GANG_INCOMPLETE: "open only to its whole gang",
}

_ORDER: Final = {reason: place for place, reason in enumerate((*VehicleReason, *PodReason))}

NO_CANDIDATES: Final = "there is no vehicle in the fleet"


def ordered(reasons: Mapping[Reason, int]) -> tuple[tuple[Reason, int], ...]:
    """The reasons that were counted at all: the commonest first, ties as they are asked."""
    counted = [(reason, count) for reason, count in reasons.items() if count]
    return tuple(sorted(counted, key=lambda entry: (-entry[1], _ORDER[entry[0]])))


def leading_reason(reasons: Mapping[Reason, int]) -> Reason | None:
    """The one that keeps most candidates; None where there is no candidate."""
    return next((reason for reason, _ in ordered(reasons)), None)


def histogram(reasons: Mapping[Reason, int], noun: str = "vehicles") -> str:
    """Every candidate once, under the first clause that fails for it.

    Args:
        reasons: a waiting pod's.
        noun: what the candidates are; say `nodes` where Nodes without a vehicle are among them.
    """
    counted = ordered(reasons)
    if not counted:
        return NO_CANDIDATES
    total = sum(count for _, count in counted)
    return f"0/{total} {noun}: {', '.join(_counted(reason, count) for reason, count in counted)}"


def _counted(reason: Reason, count: int) -> str:
    phrase = _PHRASES[reason]
    if isinstance(phrase, tuple):
        phrase = phrase[count != 1]
    return f"{count} {phrase}"


def waiting_message(waiting: Waiting, noun: str = "vehicles") -> str:
    """The histogram, and what is wrong with the pod itself: that keeps it wherever cars are."""
    pod = waiting.pod
    faults = (*annotation_faults(pod), *unsupported_faults(pod))
    return ". ".join((histogram(waiting.reasons, noun), *faults)).replace("?. ", "? ")


def annotation_faults(pod: Pod) -> tuple[str, ...]:
    """A sentence, without its full stop, for all that `InvalidAnnotation` means of this pod."""
    if pod.controlled or pod.demand.allow_loss:
        return pod.invalid_annotations
    bare = (
        "a pod without a controller is lost once it is moved; "
        'give it a controller or annotate it idlewatt.dev/allow-loss: "true"'
    )
    return (*pod.invalid_annotations, bare)


def unsupported_faults(pod: Pod) -> tuple[str, ...]:
    """A sentence, without its full stop, about the fields that idlewatt does not honour yet."""
    if not pod.unsupported_fields:
        return ()
    return (f"idlewatt does not honour {', '.join(pod.unsupported_fields)} yet",)
