"""ParkingSite (`site`): where vehicles stand, its circuits, and who buys the electricity."""

from collections.abc import Iterator
from typing import Annotated, ClassVar, Final, Literal, Self, TypeAlias

from pydantic import Field, model_validator

from idlewatt_operator.resources.base import (
    Column,
    Conditions,
    ListMap,
    Location,
    Naming,
    Part,
    Resource,
    Rule,
    TariffRef,
    refuse,
)
from idlewatt_operator.resources.calendars import PublicHolidays
from idlewatt_operator.resources.fields import (
    Flag,
    Generation,
    Milliamps,
    Name,
    Time,
    TimeZone,
    Volts,
    Watts,
)

EnergyBearerName: TypeAlias = Literal["Owner", "SiteHost", "Fleet"]
ChargingController: TypeAlias = Literal["External", "Idlewatt"]

MOST_CIRCUITS: Final = 256

_UNKNOWN_PARENT: Final = (
    "'{}' is no circuit of this site: name one that is listed, or leave parent out where the "
    "circuit hangs on the grid"
)
_LATE_PARENT: Final = (
    "circuit '{}' stands before its parent: list a parent before its children, so that no circuit "
    "can be above itself"
)


class Circuit(Part):
    """One level of the site's grid connection."""

    name: Name
    """Tells the circuits of a site apart."""
    parent: Name | None = None
    """The circuit above this one; without one it hangs on the grid."""
    import_capacity_limit_watts: Watts
    """What the circuit may carry, AC."""
    uncontrolled_load_watts: Watts | None = None
    """What else draws on it and below it, where nothing is measured; without one, 0."""
    failsafe_limit_watts: Watts | None = None
    """The limit while a measurement that once came is stale."""
    max_current_milliamps_per_phase: Milliamps | None = None
    """What a phase may carry; judged where the site states its nominalVoltageVolts."""


class ParkingSiteSpec(Part):
    """The site as its host describes it."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            cel="!has(self.circuits) || self.circuits.all(c, !has(c.parent) || "
            "self.circuits.exists(o, o.name == c.parent))",
            message="a circuit's parent is no circuit of this site: name one that is listed, or "
            "leave parent out where the circuit hangs on the grid",
            field="circuits",
        ),
        Rule(
            cel="!has(self.circuits) || self.circuits.all(i, c, !has(c.parent) || "
            "!self.circuits.exists(o, o.name == c.parent) || "
            "self.circuits.exists(j, o, j < i && o.name == c.parent))",
            message="a circuit stands before its parent: list a parent before its children, so "
            "that no circuit can be above itself",
            field="circuits",
        ),
    )

    time_zone: TimeZone
    """IANA name, in which parking windows at this site are read."""
    public_holidays: PublicHolidays | None = None
    """Which days are public holidays here; without it, none is."""
    region: Name | None = None
    """Where pods run, as they ask for it by `residency`; without one, no such pod comes."""
    tariff_ref: TariffRef | None = None
    """What electricity costs here; without one, no price is known."""
    energy_borne_by: EnergyBearerName = "Owner"
    """Who buys the electricity, and is paid for it."""
    compute_allowed: Flag = False
    """Whether the host lets vehicles compute here."""
    charging_controller: ChargingController = "External"
    """Who decides when cars charge: someone else, or idlewatt."""
    nominal_voltage_volts: Volts | None = None
    """Between a phase and neutral; without it, the current of a phase is not judged."""
    circuits: Annotated[
        tuple[Circuit, ...], Field(max_length=MOST_CIRCUITS), ListMap(keys=("name",))
    ] = ()
    """The levels of the grid connection; a parent stands before its children."""

    @model_validator(mode="after")
    def _keep_order(self) -> Self:
        refuse("circuits", self._misplaced())
        return self

    def _misplaced(self) -> Iterator[tuple[Location, str]]:
        names = {circuit.name for circuit in self.circuits}
        seen: set[str] = set()
        for index, circuit in enumerate(self.circuits):
            place = ("circuits", index, "parent")
            if circuit.parent is not None and circuit.parent not in names:
                yield place, _UNKNOWN_PARENT.format(circuit.parent)
            elif circuit.parent is not None and circuit.parent not in seen:
                yield place, _LATE_PARENT.format(circuit.name)
            seen.add(circuit.name)


_PHASES: Final = tuple(f"uncontrolledMilliamps{phase}" for phase in ("L1", "L2", "L3"))


class CircuitStatus(Part):
    """What was last reported of a circuit."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            cel=" && ".join(
                f"has(self.{_PHASES[0]}) == has(self.{other})" for other in _PHASES[1:]
            ),
            message="the currents of the three phases belong together: give all of them or none",
            holds=lambda circuit: not circuit.measures_some_phases_only,
        ),
        Rule(
            cel="has(self.peakWatts) == has(self.peakAt)",
            message="peakWatts and peakAt belong together: give both or neither",
            holds=lambda circuit: (circuit.peak_watts is None) == (circuit.peak_at is None),
        ),
    )

    name: Name
    """The circuit's name."""
    uncontrolled_load_watts: Watts | None = None
    """Measured load of what idlewatt does not control, on the circuit and below it."""
    generation_watts: Watts | None = None
    """Measured generation on the circuit and below it."""
    export_watts: Watts | None = None
    """Measured power that flows out of a circuit that has no parent."""
    uncontrolled_milliamps_l1: Milliamps | None = None
    """Measured current on L1 of what idlewatt does not control."""
    uncontrolled_milliamps_l2: Milliamps | None = None
    """Measured current on L2 of what idlewatt does not control."""
    uncontrolled_milliamps_l3: Milliamps | None = None
    """Measured current on L3 of what idlewatt does not control."""
    observed_at: Time | None = None
    """When all of that was measured."""
    peak_watts: Watts | None = None
    """The greatest load so far in the month in which `peakAt` lies."""
    peak_at: Time | None = None
    """When that was."""
    curtailed_to_watts: Watts | None = None
    """A limit imposed from outside."""
    curtailed_until: Time | None = None
    """When that limit ends; without one it holds until it is withdrawn."""

    @property
    def milliamps(self) -> tuple[int, int, int] | None:
        """Per phase, L1 to L3, what idlewatt does not control; None where one is not measured."""
        first = self.uncontrolled_milliamps_l1
        second = self.uncontrolled_milliamps_l2
        third = self.uncontrolled_milliamps_l3
        if first is None or second is None or third is None:
            return None
        return first, second, third

    @property
    def measures_some_phases_only(self) -> bool:
        """One of the three phases is missing."""
        measured = (
            self.uncontrolled_milliamps_l1,
            self.uncontrolled_milliamps_l2,
            self.uncontrolled_milliamps_l3,
        )
        return None in measured and any(value is not None for value in measured)


class ParkingSiteStatus(Part):
    """What was observed of the site, and what the operator found."""

    observed_generation: Generation | None = None
    """The generation of the spec that this status is about."""
    circuits: Annotated[
        tuple[CircuitStatus, ...],
        Field(max_length=MOST_CIRCUITS),
        ListMap(keys=("name",)),
    ] = ()
    """What was last reported of each circuit."""
    conditions: Conditions = ()
    """Ready: the site can be used as it is described, or why not."""


class ParkingSite(Resource):
    """A place where vehicles stand and may compute."""

    naming: ClassVar[Naming] = Naming("ParkingSite", "parkingsites", "parkingsite", "site")
    columns: ClassVar[tuple[Column, ...]] = (
        Column("Region", ".spec.region", description="Where pods run."),
        Column("Tariff", ".spec.tariffRef.name", description="What electricity costs here."),
        Column(
            "Compute", ".spec.computeAllowed", "boolean", "Whether the host lets vehicles compute."
        ),
        Column("Paid To", ".spec.energyBorneBy", description="Who buys the electricity."),
        Column(
            "Limit",
            ".spec.circuits[0].importCapacityLimitWatts",
            "integer",
            "Watts of the first circuit.",
        ),
        Column(
            "Ready", ".status.conditions[?(@.type=='Ready')].status", description="Usable as it is."
        ),
        Column("Reason", ".status.conditions[?(@.type=='Ready')].reason", description="Why."),
        Column("Time Zone", ".spec.timeZone", description="Of its windows.", priority=1),
        Column("Age", ".metadata.creationTimestamp", "date", "Since it was made."),
    )

    kind: Literal["ParkingSite"]
    spec: ParkingSiteSpec
    """The site as its host describes it."""
    status: ParkingSiteStatus | None = None
    """What was observed and found."""
