"""What is known of vehicles while their reports cannot be read: what their status says, stale.

An operator that starts while Redis is away cannot tell what vehicles reported since. Nothing new
is placed on what may not be true any more; windows, deadlines and circuits go on being kept, and
after `staleDrainSeconds` of silence vehicles are vacated as ever. Status is written rarely, so
that the silence counts from the moment the operator began to listen.
"""

from dataclasses import replace
from typing import TypeVar

from idlewatt_scheduler.model.snapshot import Snapshot
from idlewatt_scheduler.model.units import Instant
from idlewatt_scheduler.model.vehicle import (
    Observation,
    ObservedBattery,
    ObservedConnection,
    ObservedParking,
    Quality,
)

Block = TypeVar("Block", ObservedBattery, ObservedParking, ObservedConnection)


def without_reports(snapshot: Snapshot, since: Instant) -> Snapshot:
    """The snapshot with everything that was observed stale, as of `since` or later."""
    return replace(
        snapshot,
        vehicles=tuple(
            replace(vehicle, observed=_stale(vehicle.observed, since))
            for vehicle in snapshot.vehicles
        ),
    )


def _stale(observed: Observation, since: Instant) -> Observation:
    return replace(
        observed,
        battery=_aged(observed.battery, since),
        parking=_aged(observed.parking, since),
        connection=_aged(observed.connection, since),
    )


def _aged(block: Block | None, since: Instant) -> Block | None:
    """What was never reported, and what cannot be true, stays as it is."""
    if block is None or block.observed_at is None or block.quality is Quality.INVALID:
        return block
    return replace(block, quality=Quality.STALE, observed_at=max(block.observed_at, since))
