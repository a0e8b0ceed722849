"""The clauses about a vehicle: whether it is there for anybody at all."""

from collections.abc import Callable, Iterator
from functools import partial

from idlewatt_scheduler.feasibility.power import Source, is_plugged, source_of
from idlewatt_scheduler.feasibility.reading import Candidate, Reading
from idlewatt_scheduler.model.reasons import VehicleReason
from idlewatt_scheduler.model.site import EnergyBearer
from idlewatt_scheduler.model.units import Instant, seconds
from idlewatt_scheduler.model.vehicle import (
    ObservedBattery,
    ObservedConnection,
    ObservedParking,
    Quality,
    Vehicle,
)
from idlewatt_scheduler.model.workload import Ready

FOR_EVER_SINCE: Instant = -(2**62)
"""Since before anything: what is missing has always been missing."""

_Block = ObservedBattery | ObservedParking | ObservedConnection


def failing_vehicle_clauses(reading: Reading, candidate: Candidate) -> Iterator[VehicleReason]:
    """The vehicle clauses that fail at `at`, in their order; none for a plain Node."""
    vehicle = candidate.vehicle
    if vehicle is None:
        return
    clauses: dict[VehicleReason, Callable[[], bool]] = {
        VehicleReason.SUSPENDED: lambda: vehicle.suspend,
        VehicleReason.NO_AGREEMENT: lambda: vehicle.agreement is None,
        VehicleReason.CURRENCY_UNKNOWN: partial(_currency_unknown, reading, candidate, vehicle),
        VehicleReason.MONTHLY_CAP_REACHED: partial(_cap_reached, vehicle),
        VehicleReason.NODE_NOT_READY: partial(_not_ready, candidate),
        VehicleReason.UNREACHABLE: partial(_unreachable, candidate),
        VehicleReason.TELEMETRY_INVALID: partial(telemetry_invalid, reading, vehicle),
        VehicleReason.TELEMETRY_STALE: lambda: stale_since(reading, candidate) is not None,
        VehicleReason.NOT_PARKED: lambda: _parking(vehicle).parked is False,
        VehicleReason.OCCUPIED: lambda: _parking(vehicle).occupied is True,
        VehicleReason.NOT_IDLE_LONG_ENOUGH: partial(_not_idle, reading, candidate, vehicle),
        VehicleReason.TOO_HOT: partial(_too_hot, reading, candidate, vehicle),
        VehicleReason.TOO_COLD: partial(_too_cold, vehicle),
        VehicleReason.SITE_UNKNOWN: partial(_site_unknown, candidate),
        VehicleReason.COMPUTE_NOT_ALLOWED: lambda: bool(
            candidate.site and not candidate.site.compute_allowed
        ),
        VehicleReason.NOT_SUPPLIED: lambda: source_of(candidate) is Source.NONE,
        VehicleReason.DRAINING: lambda: vehicle.draining,
    }
    yield from (reason for reason, fails in clauses.items() if fails())


def _parking(vehicle: Vehicle) -> ObservedParking:
    return vehicle.observed.parking or ObservedParking()


def _currency_unknown(reading: Reading, candidate: Candidate, vehicle: Vehicle) -> bool:
    needed = {vehicle.compensation.currency}
    tariff = reading.tariff_of(candidate.site)
    if tariff and candidate.site and candidate.site.energy_borne_by is EnergyBearer.FLEET:
        needed.add(tariff.currency)
    return any(reading.rate(currency) is None for currency in needed)


def _cap_reached(vehicle: Vehicle) -> bool:
    cap = vehicle.compensation.monthly_cap
    return cap is not None and vehicle.earned_this_month >= cap


def _not_ready(candidate: Candidate) -> bool:
    if candidate.node is None:
        return True
    return not candidate.asleep and candidate.node.ready is Ready.FALSE


def _unreachable(candidate: Candidate) -> bool:
    if candidate.node is None or candidate.asleep:
        return False
    return candidate.node.ready is Ready.UNKNOWN


def _essential_blocks(vehicle: Vehicle) -> list[tuple[_Block | None, object]]:
    """The three blocks, each with the field without which it says nothing."""
    observed = vehicle.observed
    battery, parking, connection = observed.battery, observed.parking, observed.connection
    return [
        (battery, battery and battery.state_of_charge_percent),
        (parking, parking and parking.parked),
        (connection, connection and connection.supply),
    ]


def telemetry_invalid(reading: Reading, vehicle: Vehicle) -> bool:
    """One of the three blocks says so of itself, or comes from the future."""
    return any(
        block.quality is Quality.INVALID
        or (block.observed_at is not None and reading.too_late(block.observed_at))
        for block, _ in _essential_blocks(vehicle)
        if block is not None
    )


def stale_since(reading: Reading, candidate: Candidate) -> Instant | None:
    """Since when the telemetry is stale; None: it is not."""
    if candidate.vehicle is None:
        return None
    since: list[Instant] = []
    for block, essential in _essential_blocks(candidate.vehicle):
        if block is None or essential is None or block.observed_at is None:
            since.append(FOR_EVER_SINCE)
        elif block.quality is Quality.STALE:
            since.append(block.observed_at)
        elif reading.at - block.observed_at > candidate.age_allowed:
            since.append(block.observed_at + candidate.age_allowed)
    return min(since, default=None)


def _not_idle(reading: Reading, candidate: Candidate, vehicle: Vehicle) -> bool:
    if any(stay.covers(reading.at) for stay in reading.running_on(candidate.name)):
        return False
    since = _parking(vehicle).since
    return since is None or reading.at - since < seconds(reading.policy.idle_before_start_seconds)


def _too_hot(reading: Reading, candidate: Candidate, vehicle: Vehicle) -> bool:
    battery, computer = vehicle.observed.battery, vehicle.observed.compute
    pack = battery.temperature_celsius if battery else None
    chip = None
    if computer and computer.quality is Quality.GOOD and computer.observed_at is not None:
        old = reading.at - computer.observed_at > candidate.age_allowed
        if not old and not reading.too_late(computer.observed_at):
            chip = computer.temperature_celsius
    limits = (vehicle.battery.max_temperature_celsius, vehicle.compute.max_temperature_celsius)
    return any(
        degrees is not None and limit is not None and degrees > limit
        for degrees, limit in zip((pack, chip), limits, strict=True)
    )


def _too_cold(vehicle: Vehicle) -> bool:
    degrees = vehicle.observed.battery.temperature_celsius if vehicle.observed.battery else None
    limit = vehicle.battery.min_temperature_celsius
    return degrees is not None and limit is not None and degrees < limit


def _site_unknown(candidate: Candidate) -> bool:
    if candidate.site is None:
        return True
    named = candidate.connection.circuit
    if named is None:
        return is_plugged(candidate)
    return named not in {circuit.name for circuit in candidate.site.circuits}
