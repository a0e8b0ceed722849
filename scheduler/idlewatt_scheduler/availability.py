"""Vehicle clauses: what makes a vehicle available to any pod, each failing under its own name."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeAlias

from idlewatt_scheduler.energy import Source, source_of
from idlewatt_scheduler.exchange import Exchange
from idlewatt_scheduler.model.policy import FleetPolicy
from idlewatt_scheduler.model.reasons import VehicleReason
from idlewatt_scheduler.model.site import EnergyBearer, Site
from idlewatt_scheduler.model.tariff import Tariff
from idlewatt_scheduler.model.units import CLOCK_TOLERANCE, Instant, Milliseconds, seconds
from idlewatt_scheduler.model.vehicle import (
    ObservedBattery,
    ObservedCompute,
    ObservedConnection,
    ObservedParking,
    Power,
    Quality,
    Supply,
    Vehicle,
)
from idlewatt_scheduler.model.workload import Node, Ready

Block: TypeAlias = ObservedBattery | ObservedParking | ObservedConnection | ObservedCompute


@dataclass(frozen=True, slots=True)
class VehicleCase:
    """All that a vehicle clause may look at.

    Attributes:
        site: the ParkingSite at which it was observed, None if that is unknown.
        tariff: that site's, None if there is none.
        runs_ours: a pod of ours runs on it.
    """

    at: Instant
    policy: FleetPolicy
    exchange: Exchange
    vehicle: Vehicle
    node: Node | None
    site: Site | None
    tariff: Tariff | None
    runs_ours: bool

    @property
    def asleep(self) -> bool:
        """A waking vehicle is judged as an asleep one."""
        return self.vehicle.observed.power is not Power.AWAKE

    @property
    def allowed_age(self) -> Milliseconds:
        """How old an observation may be."""
        policy = self.policy
        return seconds(
            policy.sleep_max_age_seconds if self.asleep else policy.telemetry_max_age_seconds
        )

    @property
    def blocks(self) -> tuple[Block | None, Block | None, Block | None]:
        """The three blocks without which nothing is placed."""
        observed = self.vehicle.observed
        return observed.battery, observed.parking, observed.connection


def suspended(case: VehicleCase) -> bool:
    """Somebody suspended the vehicle."""
    return case.vehicle.suspend


def no_agreement(case: VehicleCase) -> bool:
    """Its owner has not agreed to anything."""
    return case.vehicle.agreement is None


def currency_unknown(case: VehicleCase) -> bool:
    """What it is paid in cannot be compared; nor, where the fleet pays, what it costs."""
    if case.exchange.to_plan(case.vehicle.compensation.currency) is None:
        return True
    fleet_pays = case.site is not None and case.site.energy_borne_by is EnergyBearer.FLEET
    if not fleet_pays or case.tariff is None:
        return False
    return case.exchange.to_plan(case.tariff.currency) is None


def monthly_cap_reached(case: VehicleCase) -> bool:
    """Its owner has earned all that may be paid this month."""
    cap = case.vehicle.compensation.monthly_cap
    return cap is not None and case.vehicle.earned_this_month >= cap


def node_not_ready(case: VehicleCase) -> bool:
    """It has no Node, or one that says it is not ready."""
    if case.node is None:
        return True
    return not case.asleep and case.node.ready is Ready.FALSE


def unreachable(case: VehicleCase) -> bool:
    """The control plane does not hear from its kubelet."""
    return case.node is not None and not case.asleep and case.node.ready is Ready.UNKNOWN


def telemetry_invalid(case: VehicleCase) -> bool:
    """An observation is marked as invalid, or comes from a clock that runs ahead."""
    return any(block is not None and is_invalid(block, case.at) for block in case.blocks)


def telemetry_stale(case: VehicleCase) -> bool:
    """An observation is missing, marked as stale or too old."""
    return any(
        is_missing(block) or not is_fresh(block, case.at, case.allowed_age) for block in case.blocks
    )


def not_parked(case: VehicleCase) -> bool:
    """It is being driven."""
    parking = case.vehicle.observed.parking
    return parking is not None and parking.parked is False


def occupied(case: VehicleCase) -> bool:
    """Somebody sits in it."""
    parking = case.vehicle.observed.parking
    return parking is not None and parking.occupied is True


def not_idle_long_enough(case: VehicleCase) -> bool:
    """It was parked a moment ago; not asked where our pods run already."""
    if case.runs_ours:
        return False
    parking = case.vehicle.observed.parking
    since = parking.since if parking else None
    return since is None or case.at - since < seconds(case.policy.idle_before_start_seconds)


def too_hot(case: VehicleCase) -> bool:
    """Its battery, or its computer where that is known, is hotter than allowed."""
    observed, vehicle = case.vehicle.observed, case.vehicle
    battery = observed.battery.temperature_celsius if observed.battery else None
    if _above(battery, vehicle.battery.max_temperature_celsius):
        return True
    computer = observed.compute
    if computer is None or not is_fresh(computer, case.at, case.allowed_age):
        return False
    return _above(computer.temperature_celsius, vehicle.compute.max_temperature_celsius)


def too_cold(case: VehicleCase) -> bool:
    """Its battery is colder than allowed."""
    battery = case.vehicle.observed.battery
    temperature = battery.temperature_celsius if battery else None
    return _above(case.vehicle.battery.min_temperature_celsius, temperature)


def site_unknown(case: VehicleCase) -> bool:
    """Nobody has observed where it stands, or on which of the site's circuits."""
    connection = case.vehicle.observed.connection
    if case.site is None or connection is None:
        return True
    if connection.circuit is None:
        return connection.supply in {Supply.SUPPLIED, Supply.PLUGGED_NOT_SUPPLIED}
    return all(circuit.name != connection.circuit for circuit in case.site.circuits)


def compute_not_allowed(case: VehicleCase) -> bool:
    """The site does not allow computing."""
    return case.site is None or not case.site.compute_allowed


def not_supplied(case: VehicleCase) -> bool:
    """No source it may use gives anything."""
    connection = case.vehicle.observed.connection
    return source_of(case.vehicle, connection.supply if connection else None) is Source.NONE


def draining(case: VehicleCase) -> bool:
    """It is being emptied."""
    return case.vehicle.draining


VEHICLE_CLAUSES: Final[tuple[tuple[VehicleReason, Callable[[VehicleCase], bool]], ...]] = (
    (VehicleReason.SUSPENDED, suspended),
    (VehicleReason.NO_AGREEMENT, no_agreement),
    (VehicleReason.CURRENCY_UNKNOWN, currency_unknown),
    (VehicleReason.MONTHLY_CAP_REACHED, monthly_cap_reached),
    (VehicleReason.NODE_NOT_READY, node_not_ready),
    (VehicleReason.UNREACHABLE, unreachable),
    (VehicleReason.TELEMETRY_INVALID, telemetry_invalid),
    (VehicleReason.TELEMETRY_STALE, telemetry_stale),
    (VehicleReason.NOT_PARKED, not_parked),
    (VehicleReason.OCCUPIED, occupied),
    (VehicleReason.NOT_IDLE_LONG_ENOUGH, not_idle_long_enough),
    (VehicleReason.TOO_HOT, too_hot),
    (VehicleReason.TOO_COLD, too_cold),
    (VehicleReason.SITE_UNKNOWN, site_unknown),
    (VehicleReason.COMPUTE_NOT_ALLOWED, compute_not_allowed),
    (VehicleReason.NOT_SUPPLIED, not_supplied),
    (VehicleReason.DRAINING, draining),
)


def first_vehicle_reason(case: VehicleCase) -> VehicleReason | None:
    """The first clause that fails; None: the vehicle takes pods.

    Ten thousand vehicles are asked in every cycle, and most of them take pods: whether a whole
    group of clauses holds is looked at first, and only where one does not, which it is.
    """
    if _is_willing(case) and _is_heard(case) and _is_ready(case) and _is_placed(case):
        return None
    return next((reason for reason, fails in VEHICLE_CLAUSES if fails(case)), None)


def _is_willing(case: VehicleCase) -> bool:
    """No clause about what was agreed fails, nor is it being emptied."""
    vehicle = case.vehicle
    if vehicle.suspend or vehicle.draining or vehicle.agreement is None:
        return False
    cap = vehicle.compensation.monthly_cap
    return (cap is None or vehicle.earned_this_month < cap) and not currency_unknown(case)


def _is_heard(case: VehicleCase) -> bool:
    """No clause about the Node and about telemetry fails."""
    asleep, node, at = case.asleep, case.node, case.at
    if node is None or not (asleep or node.ready is Ready.TRUE):
        return False
    policy, latest = case.policy, at + CLOCK_TOLERANCE
    age = policy.sleep_max_age_seconds if asleep else policy.telemetry_max_age_seconds
    oldest, observed = at - seconds(age), case.vehicle.observed
    battery, parking, connection = observed.battery, observed.parking, observed.connection
    if battery is None or battery.state_of_charge_percent is None:
        return False
    if parking is None or parking.parked is None:
        return False
    if connection is None or connection.supply is None:
        return False
    for block in (battery, parking, connection):
        seen = block.observed_at
        if seen is None or block.quality is not Quality.GOOD or not oldest <= seen <= latest:
            return False
    return True


def _is_ready(case: VehicleCase) -> bool:
    """No clause about how it stands there fails."""
    parking = case.vehicle.observed.parking
    if parking is None or parking.parked is False or parking.occupied is True:
        return False
    return not (not_idle_long_enough(case) or too_hot(case) or too_cold(case))


def _is_placed(case: VehicleCase) -> bool:
    """No clause about where it stands fails."""
    site = case.site
    if site is None or not site.compute_allowed or site_unknown(case):
        return False
    return not not_supplied(case)


def is_invalid(block: Block, at: Instant) -> bool:
    """Marked so, or observed after `at` by more than clocks may differ."""
    if block.quality is Quality.INVALID:
        return True
    return block.observed_at is not None and block.observed_at > at + CLOCK_TOLERANCE


def is_missing(block: Block | None) -> bool:
    """Never reported, or reported without the one figure that makes it worth having."""
    match block:
        case None:
            return True
        case ObservedBattery():
            return block.state_of_charge_percent is None
        case ObservedParking():
            return block.parked is None
        case ObservedConnection():
            return block.supply is None
        case ObservedCompute():
            return False


def is_fresh(block: Block | None, at: Instant, allowed_age: Milliseconds) -> bool:
    """Good, and observed not longer ago than allowed."""
    if block is None or block.observed_at is None or is_invalid(block, at):
        return False
    return block.quality is Quality.GOOD and at - block.observed_at <= allowed_age


def _above(temperature: int | None, limit: int | None) -> bool:
    return temperature is not None and limit is not None and temperature > limit
