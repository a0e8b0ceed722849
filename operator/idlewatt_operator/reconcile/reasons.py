"""Which reasons may be told to whom, and which of them cannot wait for anybody.

An event or a log line is read by tenants. That an owner has come back, or has withdrawn a
consent, is nobody's business there: it is told as "no longer available".
"""

from typing import Final

from idlewatt_scheduler.model.reasons import MoveReason, PodReason, Reason, VehicleReason

_THE_OWNERS_BUSINESS: Final[frozenset[Reason]] = frozenset(
    {
        VehicleReason.SUSPENDED,
        VehicleReason.NO_AGREEMENT,
        VehicleReason.MONTHLY_CAP_REACHED,
        VehicleReason.CURRENCY_UNKNOWN,
        VehicleReason.NOT_PARKED,
        VehicleReason.OCCUPIED,
        VehicleReason.NOT_IDLE_LONG_ENOUGH,
        VehicleReason.DRAINING,
        PodReason.OUTSIDE_PARKING_WINDOW,
        PodReason.LEAVES_TOO_EARLY,
        PodReason.DEPARTURE_CHARGE_AT_RISK,
        PodReason.BELOW_RESERVE,
    }
)

CANNOT_WAIT: Final[frozenset[Reason]] = frozenset(
    {
        VehicleReason.NO_AGREEMENT,
        VehicleReason.NOT_PARKED,
        VehicleReason.OCCUPIED,
        VehicleReason.TOO_HOT,
        PodReason.OUTSIDE_PARKING_WINDOW,
        PodReason.BELOW_RESERVE,
        PodReason.DEPARTURE_CHARGE_AT_RISK,
        PodReason.CIRCUIT_FULL,
    }
)
"""Promises to the owner and to the grid: a disruption budget does not stand above them."""

_SENTENCES: Final[dict[Reason, str]] = {
    VehicleReason.NODE_NOT_READY: "its Node is not ready",
    VehicleReason.UNREACHABLE: "its Node has not been heard from for too long",
    VehicleReason.TELEMETRY_INVALID: "what it reports cannot be true",
    VehicleReason.TELEMETRY_STALE: "it has not reported for too long",
    VehicleReason.TOO_HOT: "it is too hot",
    VehicleReason.SITE_UNKNOWN: "nobody knows at which site it stands",
    VehicleReason.COMPUTE_NOT_ALLOWED: "its site does not allow computing",
    VehicleReason.NOT_SUPPLIED: "it has no energy source that may be used",
    PodReason.RESIDENCY: "its site is not in a region where this pod may run",
    PodReason.UNTRUSTED: "it is not attested, and this pod reads a Secret",
    PodReason.ON_PEAK: "off-peak time ends",
    PodReason.PRICE_UNKNOWN: "the price of the time to come is not known",
    PodReason.CIRCUIT_FULL: "a circuit of its site is over its limit",
    MoveReason.PREEMPTED: "a pod of higher priority needs its place",
    MoveReason.CHEAPER_ELSEWHERE: "running it elsewhere costs less",
}


def public_name(reason: Reason) -> str:
    """The reason's name, or `NoLongerAvailable` where it is the owner's business."""
    return "NoLongerAvailable" if reason in _THE_OWNERS_BUSINESS else str(reason)


def public_sentence(reason: Reason) -> str:
    """The same as part of a sentence about a vehicle."""
    return _SENTENCES.get(reason, "it is no longer available")
