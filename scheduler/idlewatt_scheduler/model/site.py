"""Where vehicles stand: the site, its circuits, and who buys the electricity."""

from dataclasses import dataclass
from datetime import tzinfo
from enum import StrEnum

from idlewatt_scheduler.model.units import Instant


class EnergyBearer(StrEnum):
    """Who buys the kWh, and is therefore paid for it."""

    OWNER = "Owner"
    SITE_HOST = "SiteHost"
    FLEET = "Fleet"


@dataclass(frozen=True, slots=True)
class Circuit:
    """One level of a site's grid connection; a parent stands before its children."""

    name: str
    parent: str | None
    import_capacity_limit_watts: int
    uncontrolled_load_watts: int | None = None
    failsafe_limit_watts: int | None = None


@dataclass(frozen=True, slots=True)
class ObservedCircuit:
    """What was last reported of a circuit.

    Attributes:
        uncontrolled_load_watts: measured load of what idlewatt does not control.
        observed_at: when that was measured.
        curtailed_to_watts: a limit imposed from outside.
        curtailed_until: when that limit ends; None: it holds until it is withdrawn.
    """

    name: str
    uncontrolled_load_watts: int | None = None
    observed_at: Instant | None = None
    curtailed_to_watts: int | None = None
    curtailed_until: Instant | None = None


@dataclass(frozen=True, slots=True)
class Site:
    """A ParkingSite with what was observed of its circuits."""

    name: str
    time_zone: tzinfo
    region: str | None
    tariff: str | None
    energy_borne_by: EnergyBearer
    compute_allowed: bool
    circuits: tuple[Circuit, ...] = ()
    observed_circuits: tuple[ObservedCircuit, ...] = ()
