"""The conditions of a vehicle, each with a sentence that says what is the matter."""

from collections.abc import Iterator, Mapping

from idlewatt_operator.gateways.protocols import Condition
from idlewatt_operator.reconcile.charging_condition import charging_condition
from idlewatt_operator.reconcile.situation import Situation
from idlewatt_operator.resources.findings import vehicle_findings
from idlewatt_operator.resources.records import VehicleRecord
from idlewatt_scheduler.availability import (
    VehicleCase,
    node_not_ready,
    telemetry_invalid,
    telemetry_stale,
    unreachable,
)
from idlewatt_scheduler.candidates import Candidate, Parked
from idlewatt_scheduler.model.reasons import VehicleReason

_SENTENCES: Mapping[VehicleReason, str] = {
    VehicleReason.SUSPENDED: "spec.suspend is true.",
    VehicleReason.NO_AGREEMENT: "Its owner has not accepted an agreement.",
    VehicleReason.CURRENCY_UNKNOWN: "No exchange rate leads to the plan's currency: "
    "add one to the FleetPolicy.",
    VehicleReason.MONTHLY_CAP_REACHED: "It has earned its cap for this month.",
    VehicleReason.NODE_NOT_READY: "Its Node is missing or not ready.",
    VehicleReason.UNREACHABLE: "The control plane does not hear from its kubelet.",
    VehicleReason.TELEMETRY_INVALID: "A block of its status is marked Invalid, or was observed "
    "in the future: check the sender's clock.",
    VehicleReason.TELEMETRY_STALE: "Battery, parking or connection were not reported, or too "
    "long ago.",
    VehicleReason.NOT_PARKED: "It is not parked.",
    VehicleReason.OCCUPIED: "It is occupied.",
    VehicleReason.NOT_IDLE_LONG_ENOUGH: "It has not been parked for idleBeforeStartSeconds yet.",
    VehicleReason.TOO_HOT: "Its battery or its computer is too hot.",
    VehicleReason.TOO_COLD: "Its battery is too cold.",
    VehicleReason.SITE_UNKNOWN: "It was observed at no ParkingSite and circuit that there is.",
    VehicleReason.COMPUTE_NOT_ALLOWED: "Its site does not allow computing.",
    VehicleReason.NOT_SUPPLIED: "No energy source that its owner consented to gives anything.",
    VehicleReason.DRAINING: "It is being emptied.",
}


def vehicle_conditions(
    candidate: Candidate, record: VehicleRecord, situation: Situation
) -> tuple[Condition, ...]:
    """All of a vehicle's conditions but Attested, which is nobody's here.

    `Draining` is here for a vehicle that never had it; later it is written where it is decided.
    """
    if candidate.parked is None:
        return ()
    generation = record.generation
    charging = charging_condition(candidate.parked, record)
    return (
        _available(candidate, generation),
        _reachable(candidate.parked, generation),
        _fresh(candidate.parked.case, generation),
        *_findings(candidate.parked, situation, generation),
        *(() if charging is None else (charging,)),
        Condition("Draining", "False", "NotDraining", "No drain was needed yet.", generation),
    )


def _findings(parked: Parked, situation: Situation, generation: int) -> Iterator[Condition]:
    view = situation.view
    for each in vehicle_findings(parked.vehicle, view.sites, view.policy, situation.at):
        yield Condition(each.type, each.status, each.reason, each.message, generation)


def _available(candidate: Candidate, generation: int) -> Condition:
    refusal = candidate.refusal
    if refusal is None:
        return Condition("Available", "True", "Available", "It takes pods.", generation)
    return Condition("Available", "False", str(refusal), _SENTENCES[refusal], generation)


def _reachable(parked: Parked, generation: int) -> Condition:
    case = parked.case
    if case.asleep and case.node is not None:
        return Condition(
            "Reachable", "Unknown", "Asleep", "It is asleep; nobody asks it.", generation
        )
    for reason, fails in (
        (VehicleReason.NODE_NOT_READY, node_not_ready),
        (VehicleReason.UNREACHABLE, unreachable),
    ):
        if fails(case):
            return Condition("Reachable", "False", str(reason), _SENTENCES[reason], generation)
    return Condition("Reachable", "True", "NodeReady", "Its Node is ready.", generation)


def _fresh(case: VehicleCase, generation: int) -> Condition:
    for reason, fails in (
        (VehicleReason.TELEMETRY_INVALID, telemetry_invalid),
        (VehicleReason.TELEMETRY_STALE, telemetry_stale),
    ):
        if fails(case):
            return Condition("TelemetryFresh", "False", str(reason), _SENTENCES[reason], generation)
    return Condition(
        "TelemetryFresh", "True", "Fresh", "All it has to report is fresh.", generation
    )
