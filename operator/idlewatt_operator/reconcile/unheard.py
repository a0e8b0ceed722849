"""Vehicles that have said nothing since the operator looks: that may be our silence, not theirs.

An operator that starts beside an empty Redis knows of no vehicle. Were every block that it has not
seen yet missing for ever, its first cycle would empty the fleet. So it listens for as long as stale
telemetry may last before it drains; new pods stay away from such a vehicle all the while.
"""

from dataclasses import replace

from idlewatt_operator.reconcile.situation import Situation
from idlewatt_scheduler.model.plan import Leaving, Plan
from idlewatt_scheduler.model.reasons import VehicleReason
from idlewatt_scheduler.model.units import Instant, seconds
from idlewatt_scheduler.model.vehicle import Observation


def without_unheard(plan: Plan, situation: Situation, looking_since: Instant) -> Plan:
    """The plan without drains for `TelemetryStale` of vehicles that never reported, for a while.

    Args:
        plan: as the core made it.
        situation: what it was made from.
        looking_since: the first cycle of this process.
    """
    patience = seconds(situation.snapshot.policy.stale_drain_seconds)
    if situation.at - looking_since > patience:
        return plan
    kept = tuple(leaving for leaving in plan.leaving if not _is_unheard(situation, leaving))
    return replace(plan, leaving=kept)


def _is_unheard(situation: Situation, leaving: Leaving) -> bool:
    vehicle = situation.vehicle(leaving.node)
    if vehicle is None or leaving.reason is not VehicleReason.TELEMETRY_STALE:
        return False
    return vehicle.observed == Observation()
