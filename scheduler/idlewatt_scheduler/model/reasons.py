"""The named reasons, in the order in which they are asked.

The order of the members is the order of the clauses: a candidate is counted under the first
one that fails. `docs/reference/rules.md` gives each its exact meaning.
"""

from enum import StrEnum
from typing import Final, TypeAlias


class VehicleReason(StrEnum):
    """Why a vehicle takes no pod at all."""

    SUSPENDED = "Suspended"
    NO_AGREEMENT = "NoAgreement"
    CURRENCY_UNKNOWN = "CurrencyUnknown"
    MONTHLY_CAP_REACHED = "MonthlyCapReached"
    NODE_NOT_READY = "NodeNotReady"
    UNREACHABLE = "Unreachable"
    TELEMETRY_INVALID = "TelemetryInvalid"
    TELEMETRY_STALE = "TelemetryStale"
    NOT_PARKED = "NotParked"
    OCCUPIED = "Occupied"
    NOT_IDLE_LONG_ENOUGH = "NotIdleLongEnough"
    TOO_HOT = "TooHot"
    TOO_COLD = "TooCold"
    SITE_UNKNOWN = "SiteUnknown"
    COMPUTE_NOT_ALLOWED = "ComputeNotAllowed"
    NOT_SUPPLIED = "NotSupplied"
    DRAINING = "Draining"


class PodReason(StrEnum):
    """Why a vehicle that takes pods does not take this one, for this stay."""

    INVALID_ANNOTATION = "InvalidAnnotation"
    UNSUPPORTED_FIELD = "UnsupportedField"
    NODE_AFFINITY = "NodeAffinity"
    TAINT_NOT_TOLERATED = "TaintNotTolerated"
    RESIDENCY = "Residency"
    UNTRUSTED = "Untrusted"
    EXCEEDS_CAPACITY = "ExceedsCapacity"
    LINK_TOO_SLOW = "LinkTooSlow"
    OUTSIDE_PARKING_WINDOW = "OutsideParkingWindow"
    LEAVES_TOO_EARLY = "LeavesTooEarly"
    DEADLINE_MISSED = "DeadlineMissed"
    ON_PEAK = "OnPeak"
    PRICE_UNKNOWN = "PriceUnknown"
    BELOW_RESERVE = "BelowReserve"
    DEPARTURE_CHARGE_AT_RISK = "DepartureChargeAtRisk"
    NOT_ENOUGH_RESOURCES = "NotEnoughResources"
    HOST_PORT_TAKEN = "HostPortTaken"
    CIRCUIT_FULL = "CircuitFull"
    TOPOLOGY_SPREAD = "TopologySpread"
    GANG_INCOMPLETE = "GangIncomplete"


class MoveReason(StrEnum):
    """Why a running pod has to leave though it might stay."""

    PREEMPTED = "Preempted"
    CHEAPER_ELSEWHERE = "CheaperElsewhere"


Reason: TypeAlias = VehicleReason | PodReason | MoveReason

KEEPS_NEW_PODS_AWAY_ONLY: Final = frozenset(
    {
        VehicleReason.CURRENCY_UNKNOWN,
        VehicleReason.MONTHLY_CAP_REACHED,
        VehicleReason.NOT_IDLE_LONG_ENOUGH,
        VehicleReason.TOO_COLD,
    }
)
"""Vehicle clauses that never drain a running pod."""

NO_TIME_OR_CHARGE_WOULD_HELP: Final = frozenset(
    {
        PodReason.INVALID_ANNOTATION,
        PodReason.UNSUPPORTED_FIELD,
        PodReason.NODE_AFFINITY,
        PodReason.TAINT_NOT_TOLERATED,
        PodReason.UNTRUSTED,
        PodReason.EXCEEDS_CAPACITY,
    }
)
"""A pod that fails first on one of these everywhere is `Unschedulable`."""


SEEN_AHEAD: Final[frozenset[Reason]] = frozenset(
    {
        PodReason.LEAVES_TOO_EARLY,
        PodReason.ON_PEAK,
        PodReason.PRICE_UNKNOWN,
        PodReason.BELOW_RESERVE,
        PodReason.DEPARTURE_CHARGE_AT_RISK,
        MoveReason.CHEAPER_ELSEWHERE,
    }
)
"""Reasons to leave that are not pressing yet: they may leave time for a replacement."""


class WaitingCondition(StrEnum):
    """The reason of a waiting pod's `PodScheduled=False`."""

    UNSCHEDULABLE = "Unschedulable"
    WAITING_FOR_ENERGY = "WaitingForEnergy"
