"""The status of a VehicleNode: what was observed of a vehicle, and what was decided."""

import itertools
from typing import Annotated, ClassVar, Final, Literal, TypeAlias

from pydantic import Field

from idlewatt_operator.resources.base import Conditions, ListSet, Part, Rule, SiteRef
from idlewatt_operator.resources.fields import (
    Amount,
    Bytes,
    Celsius,
    Count,
    Flag,
    Generation,
    Name,
    Percent,
    Time,
    Watts,
)

PowerState: TypeAlias = Literal["Awake", "Asleep", "Waking"]
QualityName: TypeAlias = Literal["Good", "Stale", "Invalid"]
SupplyState: TypeAlias = Literal["Unplugged", "PluggedNotSupplied", "Supplied"]
DepartureSource: TypeAlias = Literal["ParkingWindow", "Owner", "Charger", "Learned"]
PhaseName: TypeAlias = Literal["L1", "L2", "L3"]

MOST_PERIODS: Final = 1_500
"""Fourteen days of quarter-hours, and some."""


class BatteryStatus(Part):
    """What was last observed of the battery."""

    state_of_charge_percent: Percent | None = None
    """Charge in percent of the net capacity."""
    temperature_celsius: Celsius | None = None
    """Temperature of the cells."""
    observed_at: Time | None = None
    """When this was observed."""
    quality: QualityName | None = None
    """How far this can be trusted; without one, it is Good."""


class ParkingStatus(Part):
    """Whether the car stands, alone."""

    parked: Flag | None = None
    """The park lock is engaged."""
    occupied: Flag | None = None
    """Somebody is in the car."""
    since: Time | None = None
    """Since when it has stood there unoccupied."""
    observed_at: Time | None = None
    """When this was observed."""
    quality: QualityName | None = None
    """How far this can be trusted; without one, it is Good."""


class ComputeStatus(Part):
    """What was last observed of the computer."""

    temperature_celsius: Celsius | None = None
    """Temperature of the computer."""
    observed_at: Time | None = None
    """When this was observed."""
    quality: QualityName | None = None
    """How far this can be trusted; without one, it is Good."""


class ProfilePeriod(Part):
    """From one instant on, to the next period, how the car is charged."""

    start_time: Time
    """When it starts."""
    charge_power_watts: Watts
    """AC power that goes into the battery."""


class ChargingProfileStatus(Part):
    """What the charge point was told last, and has acknowledged."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            cel="self.periods.all(i, period, i == 0 || "
            "self.periods[i - 1].startTime < period.startTime)",
            message="the periods are out of order: each starts after the one before it",
            holds=lambda profile: all(
                earlier.start_time < later.start_time
                for earlier, later in itertools.pairwise(profile.periods)
            ),
            field="periods",
        ),
    )

    acknowledged_at: Time
    """When the charge point acknowledged it."""
    periods: Annotated[tuple[ProfilePeriod, ...], Field(min_length=1, max_length=MOST_PERIODS)]
    """In order of time; before the first nothing is said, and the last has no end."""


class ConnectionStatus(Part):
    """Where the car stands, and what flows."""

    site_ref: SiteRef | None = None
    """The site it was observed at."""
    circuit: Name | None = None
    """The site's circuit that its charge point is on."""
    supply: SupplyState | None = None
    """What the charge point gives."""
    charge_power_watts: Watts | None = None
    """AC power that goes into the battery."""
    charge_power_limit_watts: Watts | None = None
    """The most the charge point gives at present, AC."""
    phases: (
        Annotated[tuple[PhaseName, ...], Field(min_length=1, max_length=3), ListSet()] | None
    ) = None
    """The phases the car is connected to; without them nobody knows which."""
    charging_profile: ChargingProfileStatus | None = None
    """The charging profile that was acknowledged last; what was not is not relied upon."""
    observed_at: Time | None = None
    """When this was observed."""
    quality: QualityName | None = None
    """How far this can be trusted; without one, it is Good."""


class DepartureStatus(Part):
    """When the car is expected to leave."""

    expected_at: Time | None = None
    """The expected departure; an earlier end of the parking window goes before it."""
    source: DepartureSource | None = None
    """Who expects it."""


class CompensationStatus(Part):
    """What was earned."""

    earned_this_month: Amount | None = None
    """In the currency of the compensation, this calendar month."""


class LinkStatus(Part):
    """What went over the data link."""

    used_this_month_bytes: Bytes | None = None
    """Bytes, this calendar month."""


class VehicleNodeStatus(Part):
    """What was observed, each block with its own time and quality, and what was decided."""

    observed_generation: Generation | None = None
    """The generation of the spec that this status is about."""
    power: PowerState | None = None
    """Whether the vehicle's computer is up; without it, Awake."""
    battery: BatteryStatus | None = None
    """The traction battery."""
    parking: ParkingStatus | None = None
    """Whether the car stands, alone."""
    compute: ComputeStatus | None = None
    """The computer."""
    connection: ConnectionStatus | None = None
    """Where it stands, and what flows."""
    departure: DepartureStatus | None = None
    """When it is expected to leave."""
    compensation: CompensationStatus | None = None
    """What was earned."""
    link: LinkStatus | None = None
    """What went over the data link."""
    available_until: Time | None = None
    """How long the vehicle stays available, as last planned."""
    pods: Count | None = None
    """How many of our pods are there."""
    allocated_power_watts: Watts | None = None
    """DC power of our pods there, standby included."""
    conditions: Conditions = ()
    """Available, Reachable, TelemetryFresh, Draining, Attested."""
