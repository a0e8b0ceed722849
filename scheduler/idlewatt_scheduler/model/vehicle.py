"""A vehicle: what its owner agreed to, what it is made of, and what was last observed of it."""

from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

from idlewatt_scheduler.model.calendars import Recurrence
from idlewatt_scheduler.model.charging import ChargingProfile
from idlewatt_scheduler.model.site import Phase
from idlewatt_scheduler.model.units import Instant, Quantities


class EnergySource(StrEnum):
    """Where computing may take its energy from; each is a consent of its own."""

    GRID = "Grid"
    BATTERY = "Battery"


class Power(StrEnum):
    """Whether the vehicle's computer is up."""

    AWAKE = "Awake"
    ASLEEP = "Asleep"
    WAKING = "Waking"


class Supply(StrEnum):
    """What the charge point gives."""

    UNPLUGGED = "Unplugged"
    PLUGGED_NOT_SUPPLIED = "PluggedNotSupplied"
    SUPPLIED = "Supplied"


class Quality(StrEnum):
    """How far an observation can be trusted, as its source says."""

    GOOD = "Good"
    STALE = "Stale"
    INVALID = "Invalid"


@dataclass(frozen=True, slots=True)
class Agreement:
    """What the owner consented to."""

    id: str
    version: int
    energy_sources: frozenset[EnergySource] = frozenset({EnergySource.GRID})


@dataclass(frozen=True, slots=True)
class Compensation:
    """What is paid, in `currency`."""

    currency: str
    availability_per_hour: Decimal = Decimal(0)
    energy_per_kwh: Decimal = Decimal(0)
    wear_per_kwh: Decimal = Decimal(0)
    monthly_cap: Decimal | None = None


class DepartureSource(StrEnum):
    """Who said when the car leaves."""

    PARKING_WINDOW = "ParkingWindow"
    OWNER = "Owner"
    CHARGER = "Charger"
    LEARNED = "Learned"


@dataclass(frozen=True, slots=True)
class Battery:
    """The traction battery and what must stay in it, percent of the net capacity.

    Attributes:
        chemistry: `NCA`, `LFP`, `NMC811`, ...; None: not known.
        replacement_cost_per_kwh: in the compensation's currency.
        round_trip_efficiency_percent: from the plug through the battery to the computer; None:
            energy from the battery is not priced apart.
        compute_rise_kelvin: how much warmer the pack is while the computer works.
        in_service_since: when the pack was new.
    """

    net_capacity_watt_hours: int
    reserve_percent: int
    departure_percent: int
    min_temperature_celsius: int | None = None
    max_temperature_celsius: int | None = None
    chemistry: str | None = None
    replacement_cost_per_kwh: Decimal | None = None
    round_trip_efficiency_percent: int | None = None
    compute_rise_kelvin: int | None = None
    in_service_since: Instant | None = None


@dataclass(frozen=True, slots=True)
class TaperStep:
    """From this charge on the car takes at most so much, AC."""

    from_percent: int
    max_charge_power_watts: int


@dataclass(frozen=True, slots=True)
class Compute:
    """The computer: its power is DC, its capacity thousandths of each resource's unit."""

    max_power_watts: int
    capacity: Quantities
    standby_power_watts: int = 0
    efficiency_percent: int = 100
    wake_seconds: int = 0
    wake_energy_watt_hours: int = 0
    max_temperature_celsius: int | None = None


@dataclass(frozen=True, slots=True)
class Link:
    """The data link; None where nothing is known."""

    downlink_bits_per_second: int | None = None
    metered: bool = False
    monthly_limit_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class ParkingWindow:
    """When and where the owner expects to stand: recurring, or once from `start` to `end`."""

    name: str
    site: str
    recurrence: Recurrence | None = None
    start: Instant | None = None
    end: Instant | None = None


@dataclass(frozen=True, slots=True)
class ParkingException:
    """From `start` to `end` the car will not stand where its windows say.

    Attributes:
        site: the only site this is about; None: all.
    """

    name: str
    start: Instant
    end: Instant
    site: str | None = None


@dataclass(frozen=True, slots=True)
class ObservedBattery:
    """The status block `battery`."""

    state_of_charge_percent: int | None = None
    temperature_celsius: int | None = None
    observed_at: Instant | None = None
    quality: Quality = Quality.GOOD


@dataclass(frozen=True, slots=True)
class ObservedParking:
    """The status block `parking`."""

    parked: bool | None = None
    occupied: bool | None = None
    since: Instant | None = None
    observed_at: Instant | None = None
    quality: Quality = Quality.GOOD


@dataclass(frozen=True, slots=True)
class ObservedCompute:
    """The status block `compute`."""

    temperature_celsius: int | None = None
    observed_at: Instant | None = None
    quality: Quality = Quality.GOOD


@dataclass(frozen=True, slots=True)
class ObservedConnection:
    """The status block `connection`: where it stands, and what flows.

    Attributes:
        phases: those the car is connected to; None: not reported.
        profile: the charging profile that the charger last acknowledged.
    """

    site: str | None = None
    circuit: str | None = None
    supply: Supply | None = None
    charge_power_watts: int | None = None
    charge_power_limit_watts: int | None = None
    phases: frozenset[Phase] | None = None
    profile: ChargingProfile | None = None
    observed_at: Instant | None = None
    quality: Quality = Quality.GOOD


@dataclass(frozen=True, slots=True)
class Observation:
    """All that was last observed; a block that was never reported is None."""

    power: Power = Power.AWAKE
    battery: ObservedBattery | None = None
    parking: ObservedParking | None = None
    compute: ObservedCompute | None = None
    connection: ObservedConnection | None = None
    departure_expected_at: Instant | None = None
    departure_source: DepartureSource | None = None


@dataclass(frozen=True, slots=True)
class Vehicle:
    """A VehicleNode.

    Attributes:
        name: the name of the vehicle and of its Node.
        max_charge_power_watts: the most the car draws where its charger reports no limit.
        min_charge_power_watts: the least it can be charged with, AC: 6 A.
        charge_efficiency_percent: from AC into the battery.
        phases: how many it charges on, 1 to 3.
        taper: steps of rising `from_percent`.
        earned_this_month: in the compensation's currency.
        attested: condition `Attested` is True.
        draining: condition `Draining` is True.
    """

    name: str
    compensation: Compensation
    battery: Battery
    compute: Compute
    max_charge_power_watts: int
    agreement: Agreement | None
    suspend: bool = False
    link: Link = field(default_factory=Link)
    windows: tuple[ParkingWindow, ...] = ()
    observed: Observation = field(default_factory=Observation)
    earned_this_month: Decimal = Decimal(0)
    used_this_month_bytes: int = 0
    attested: bool = False
    draining: bool = False
    exceptions: tuple[ParkingException, ...] = ()
    min_charge_power_watts: int = 1_380
    charge_efficiency_percent: int = 100
    phases: int = 3
    taper: tuple[TaperStep, ...] = ()
