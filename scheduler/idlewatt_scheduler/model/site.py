"""Where vehicles stand: the site, its circuits, and who buys the electricity."""

from dataclasses import dataclass, field
from datetime import tzinfo
from enum import StrEnum

from idlewatt_scheduler.model.calendars import PublicHolidays
from idlewatt_scheduler.model.units import Instant


class EnergyBearer(StrEnum):
    """Who buys the kWh, and is therefore paid for it."""

    OWNER = "Owner"
    SITE_HOST = "SiteHost"
    FLEET = "Fleet"


class ChargingController(StrEnum):
    """Who decides when cars charge."""

    EXTERNAL = "External"
    IDLEWATT = "Idlewatt"


class Phase(StrEnum):
    """A conductor of a three-phase connection."""

    L1 = "L1"
    L2 = "L2"
    L3 = "L3"


@dataclass(frozen=True, slots=True)
class Circuit:
    """One level of a site's grid connection; a parent stands before its children.

    Attributes:
        max_current_milliamps_per_phase: judged where the site states its nominal voltage.
    """

    name: str
    parent: str | None
    import_capacity_limit_watts: int
    uncontrolled_load_watts: int | None = None
    failsafe_limit_watts: int | None = None
    max_current_milliamps_per_phase: int | None = None


@dataclass(frozen=True, slots=True)
class ObservedCircuit:
    """What was last reported of a circuit.

    Attributes:
        uncontrolled_load_watts: measured load of what idlewatt does not control.
        observed_at: when that, generation, export and currents were measured.
        curtailed_to_watts: a limit imposed from outside.
        curtailed_until: when that limit ends; None: it holds until it is withdrawn.
        generation_watts: what is generated on the circuit and below it.
        export_watts: what flows out of a circuit that has no parent.
        uncontrolled_milliamps: per phase, L1 to L3, of what idlewatt does not control.
        peak_watts: the greatest load so far in the billing period.
        peak_at: when that was.
    """

    name: str
    uncontrolled_load_watts: int | None = None
    observed_at: Instant | None = None
    curtailed_to_watts: int | None = None
    curtailed_until: Instant | None = None
    generation_watts: int | None = None
    export_watts: int | None = None
    uncontrolled_milliamps: tuple[int, int, int] | None = None
    peak_watts: int | None = None
    peak_at: Instant | None = None


@dataclass(frozen=True, slots=True)
class Site:
    """A ParkingSite with what was observed of its circuits.

    Attributes:
        nominal_voltage_volts: between a phase and neutral; None: currents are not judged.
    """

    name: str
    time_zone: tzinfo
    region: str | None
    tariff: str | None
    energy_borne_by: EnergyBearer
    compute_allowed: bool
    circuits: tuple[Circuit, ...] = ()
    observed_circuits: tuple[ObservedCircuit, ...] = ()
    charging_controller: ChargingController = ChargingController.EXTERNAL
    nominal_voltage_volts: int | None = None
    public_holidays: PublicHolidays = field(default_factory=PublicHolidays)
