"""VehicleNode (`vn`): a vehicle, what its owner agreed to, and what was last observed of it."""

import itertools
import re
from typing import Annotated, ClassVar, Final, Literal, TypeAlias

from pydantic import Field

from idlewatt_operator.resources.base import (
    Column,
    ListMap,
    ListSet,
    Naming,
    Part,
    Resource,
    Rule,
    SiteRef,
)
from idlewatt_operator.resources.calendars import Dates, Days, Months, OnHolidays
from idlewatt_operator.resources.fields import (
    NOT_A_RESOURCE,
    RESOURCE_NAME,
    Amount,
    BitsPerSecond,
    Bytes,
    Celsius,
    ClockTime,
    Currency,
    Flag,
    Identifier,
    Kelvin,
    Name,
    Percent,
    PhaseCount,
    PositivePercent,
    PositiveWattHours,
    PositiveWatts,
    Quantity,
    ResourceName,
    Seconds,
    Time,
    Version,
    WattHours,
    Watts,
)
from idlewatt_operator.resources.vehiclestatus import VehicleNodeStatus

EnergySource: TypeAlias = Literal["Grid", "Battery"]
Chemistry: TypeAlias = Literal[
    "LFP",
    "LMFP",
    "NMC",
    "NMC111",
    "NMC532",
    "NMC622",
    "NMC811",
    "NCA",
    "NMCA",
    "LMO",
    "LTO",
    "SodiumIon",
]


class Agreement(Part):
    """What the owner consented to."""

    id: Identifier
    """Identifies the agreement."""
    version: Version
    """Counts the agreements of this vehicle: whatever changes in one, this grows."""
    accepted_at: Time | None = None
    """When the owner accepted this version."""
    owner_id: Identifier | None = None
    """A pseudonym of the owner, who is paid. Without one, the payee is looked up by `id`."""
    energy_sources: Annotated[tuple[EnergySource, ...], Field(max_length=2), ListSet()] = ("Grid",)
    """Where computing may take energy from, each a consent of its own; an empty list: none."""


class Compensation(Part):
    """What is paid, in one currency."""

    currency: Currency
    """ISO 4217 code of every amount of this block."""
    availability_per_hour: Amount = Field(default="0", validate_default=True)
    """Paid for each hour in which pods stay on the vehicle."""
    energy_per_kwh: Amount = Field(default="0", alias="energyPerKWh", validate_default=True)
    """Paid for each kWh (AC) that computing took, to whoever buys the electricity."""
    wear_per_kwh: Amount = Field(default="0", alias="wearPerKWh", validate_default=True)
    """Paid for each kWh (DC) that computing took, for the battery's wear."""
    monthly_cap: Amount | None = None
    """New pods stay away once this much was earned in the month. Without one there is no cap."""


class Battery(Part):
    """The traction battery, and what must stay in it, in percent of its net capacity."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            cel="self.reservePercent <= self.departurePercent",
            message="reservePercent is above departurePercent: a car that leaves with its "
            "departure charge must still hold its reserve",
            holds=lambda battery: battery.reserve_percent <= battery.departure_percent,
            field="reservePercent",
        ),
        Rule(
            cel="!has(self.minTemperatureCelsius) || !has(self.maxTemperatureCelsius) || "
            "self.minTemperatureCelsius <= self.maxTemperatureCelsius",
            message="minTemperatureCelsius is above maxTemperatureCelsius: no battery would ever "
            "be in range",
            holds=lambda battery: (
                battery.min_temperature_celsius is None
                or battery.max_temperature_celsius is None
                or battery.min_temperature_celsius <= battery.max_temperature_celsius
            ),
            field="minTemperatureCelsius",
        ),
    )

    chemistry: Chemistry | None = None
    """The cells' chemistry, which decides how they wear."""
    net_capacity_watt_hours: PositiveWattHours
    """Usable energy between 0 and 100 percent of charge."""
    reserve_percent: Percent
    """The charge never falls below this while a pod stays."""
    departure_percent: Percent
    """The charge the owner wants to leave with; never below the reserve."""
    replacement_cost_per_kwh: Amount | None = Field(default=None, alias="replacementCostPerKWh")
    """What a new battery costs per kWh, in the currency of the compensation."""
    round_trip_efficiency_percent: PositivePercent | None = None
    """Energy that comes out of the battery, in percent of the AC energy that put it there."""
    compute_temperature_rise_kelvin: Kelvin | None = None
    """How much warmer the cells are while the computer works."""
    in_service_since: Time | None = None
    """When the battery was new; without it, its age is not known."""
    min_temperature_celsius: Celsius | None = None
    """Colder than this, no new pods come. Without one, cold keeps none away."""
    max_temperature_celsius: Celsius | None = None
    """Hotter than this, pods leave. Without one, a hot battery sends none away."""


class Compute(Part):
    """The computer in the vehicle; its powers are DC."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            cel=f"self.capacity.all(name, name.matches('^({RESOURCE_NAME})$'))",
            message=NOT_A_RESOURCE,
            field="capacity",
        ),
    )

    max_power_watts: PositiveWatts
    """What pods draw in all at full use, standby left out."""
    standby_power_watts: Watts = 0
    """What it draws beside the pods while at least one is there."""
    efficiency_percent: PositivePercent = 100
    """DC power that reaches the computer, in percent of the AC power taken for it."""
    wake_seconds: Seconds = 0
    """How long a sleeping vehicle takes until pods can start."""
    wake_energy_watt_hours: WattHours = 0
    """AC energy of waking it once."""
    max_temperature_celsius: Celsius | None = None
    """Hotter than this, pods leave. Without one, a hot computer sends none away."""
    capacity: Annotated[dict[ResourceName, Quantity], Field(max_length=32)]
    """What pods may request in all, by resource name; what is not named is 0."""


class TaperStep(Part):
    """From some charge on, the car takes less."""

    from_percent: Percent
    """The charge from which on this holds."""
    max_charge_power_watts: Watts
    """The most the car draws from there on, AC."""


class Connection(Part):
    """How the car charges; AC, at the plug."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            cel="!has(self.minChargePowerWatts) || "
            "self.minChargePowerWatts <= self.maxChargePowerWatts",
            message="minChargePowerWatts is above maxChargePowerWatts: the car could never charge",
            holds=lambda connection: (
                (connection.min_charge_power_watts or 0) <= connection.max_charge_power_watts
            ),
            field="minChargePowerWatts",
        ),
        Rule(
            cel="!has(self.chargeTaper) || self.chargeTaper.all(i, step, i == 0 || "
            "self.chargeTaper[i - 1].fromPercent < step.fromPercent)",
            message="the steps of chargeTaper are out of order: write them by rising fromPercent, "
            "each charge once",
            holds=lambda connection: all(
                lower.from_percent < upper.from_percent
                for lower, upper in itertools.pairwise(connection.charge_taper)
            ),
            field="chargeTaper",
        ),
        Rule(
            cel="!has(self.chargeTaper) || self.chargeTaper.all(i, step, "
            "step.maxChargePowerWatts <= (i == 0 ? self.maxChargePowerWatts : "
            "self.chargeTaper[i - 1].maxChargePowerWatts))",
            message="a step of chargeTaper allows more power than the one before it, or than "
            "maxChargePowerWatts: a car takes less as it fills, never more",
            holds=lambda connection: connection.tapers,
            field="chargeTaper",
        ),
    )

    min_charge_power_watts: Watts | None = None
    """Less than this, the car does not charge at all. Without it, 1380: 6 A on one phase."""
    max_charge_power_watts: Watts
    """The most the car draws, where its charger reports no limit."""
    charge_efficiency_percent: PositivePercent = 100
    """Energy that reaches the battery, in percent of the AC energy taken for it."""
    phases: PhaseCount = 3
    """On how many phases the car charges."""
    charge_taper: Annotated[tuple[TaperStep, ...], Field(max_length=32)] = ()
    """What the car takes as it fills, by rising charge; below the first step, the most."""

    @property
    def tapers(self) -> bool:
        """No step allows more than the one before it, nor the first more than there is."""
        powers = (
            self.max_charge_power_watts,
            *(step.max_charge_power_watts for step in self.charge_taper),
        )
        return all(upper <= lower for lower, upper in itertools.pairwise(powers))


class Link(Part):
    """The vehicle's data link."""

    downlink_bits_per_second: BitsPerSecond | None = None
    """How fast images arrive. Without one, fetching counts as instant."""
    metered: Flag = False
    """Whether bytes are paid for."""
    monthly_limit_bytes: Bytes | None = None
    """Bytes a month on a metered link. Without one there is no limit."""


_RECURRING: Final = "!has(self.startTime) && !has(self.endTime)"
_ONCE: Final = " && ".join(
    f"!has(self.{field})"
    for field in ("start", "end", "days", "months", "onHolidays", "exceptDates")
)


class ParkingWindow(Part):
    """When and where the owner expects to stand: on weekdays, or once."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            cel=f"({_RECURRING} && has(self.start) && has(self.end)) || "
            f"({_ONCE} && has(self.startTime) && has(self.endTime))",
            message="a window has either start and end (times of day, on days) or startTime and "
            "endTime (instants, once): give both of one pair and nothing of the other",
            holds=lambda window: window.is_recurring or window.is_once,
        ),
        Rule(
            cel="!has(self.startTime) || !has(self.endTime) || self.startTime < self.endTime",
            message="this window is empty: endTime must be after startTime",
            holds=lambda window: (
                window.start_time is None
                or window.end_time is None
                or window.start_time < window.end_time
            ),
            field="endTime",
        ),
    )

    name: Name
    """Tells the windows of a vehicle apart."""
    site_ref: SiteRef
    """Where it expects to stand."""
    days: Days | None = None
    """The weekdays on which the window starts; none means all."""
    months: Months | None = None
    """The months in which the window starts; none means all."""
    on_holidays: OnHolidays | None = None
    """What a public holiday at the site does to it; without it, AsUsual: nothing."""
    except_dates: Dates | None = None
    """Days at the site on which the window does not start."""
    start: ClockTime | None = None
    """Time of day in the site's time zone."""
    end: ClockTime | None = None
    """Time of day in the site's time zone; not after `start`, it is on the next day."""
    start_time: Time | None = None
    """The start of a window that happens once."""
    end_time: Time | None = None
    """The end of a window that happens once."""

    @property
    def is_recurring(self) -> bool:
        """Both times of day are given, and no instant."""
        wall, instants = (self.start, self.end), (self.start_time, self.end_time)
        return None not in wall and instants == (None, None)

    @property
    def is_once(self) -> bool:
        """Both instants are given, and nothing that recurs."""
        recurring = (self.start, self.end, self.days, self.months, self.on_holidays)
        instants = (self.start_time, self.end_time)
        return None not in instants and {*recurring, self.except_dates} == {None}


class ParkingException(Part):
    """A time at which the car will not stand where its windows say."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            cel="self.startTime < self.endTime",
            message="this exception is empty: endTime must be after startTime",
            holds=lambda exception: exception.start_time < exception.end_time,
            field="endTime",
        ),
    )

    name: Name
    """Tells the exceptions of a vehicle apart."""
    site_ref: SiteRef | None = None
    """The only site that this is about; without one, every site."""
    start_time: Time
    """From when on the car is away."""
    end_time: Time
    """Until when the car is away."""


class VehicleNodeSpec(Part):
    """What the fleet's enrolment knows of a vehicle and its owner's wishes."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            cel="!has(oldSelf.agreement) || !has(self.agreement) || "
            "self.agreement == oldSelf.agreement || "
            "self.agreement.version > oldSelf.agreement.version",
            message="the agreement has changed without a new version: what was consented to "
            "before is paid by the old version, so the new one must be greater",
            field="agreement",
        ),
    )

    suspend: Flag = False
    """Takes the vehicle out of use: its pods leave and no new ones come."""
    agreement: Agreement | None = None
    """What the owner consented to; without one nothing runs."""
    compensation: Compensation
    """What is paid."""
    battery: Battery
    """The traction battery."""
    compute: Compute
    """The computer."""
    connection: Connection
    """How the car charges."""
    link: Link | None = None
    """The data link; without one nothing is known of it."""
    parking_windows: Annotated[
        tuple[ParkingWindow, ...], Field(max_length=64), ListMap(keys=("name",))
    ] = ()
    """When and where the owner expects to stand; outside of them nothing runs."""
    parking_exceptions: Annotated[
        tuple[ParkingException, ...], Field(max_length=64), ListMap(keys=("name",))
    ] = ()
    """When the car is away although a window is open."""


_VIN: Final = r"[a-hj-npr-z0-9]{13}[0-9]{4}"


class VehicleNode(Resource):
    """A parked electric vehicle whose computer is the cluster's Node of the same name."""

    naming: ClassVar[Naming] = Naming("VehicleNode", "vehiclenodes", "vehiclenode", "vn")
    columns: ClassVar[tuple[Column, ...]] = (
        Column("Site", ".status.connection.siteRef.name", description="Where it was observed."),
        Column(
            "Charge", ".status.battery.stateOfChargePercent", "integer", "State of charge, percent."
        ),
        Column("Parked", ".status.parking.parked", "boolean", "Whether it is parked."),
        Column("Until", ".status.availableUntil", description="How long it stays available."),
        Column("Pods", ".status.pods", "integer", "How many pods run on it."),
        Column("Watts", ".status.allocatedPowerWatts", "integer", "Power of its pods, DC."),
        Column(
            "Rate", ".spec.compensation.availabilityPerHour", description="Paid for an hour of use."
        ),
        Column("Currency", ".spec.compensation.currency", description="Of the rate.", priority=1),
        Column(
            "Earned",
            ".status.compensation.earnedThisMonth",
            description="Earned this month.",
            priority=1,
        ),
        Column("Power", ".status.power", description="Awake, Asleep or Waking.", priority=1),
        Column(
            "Reason",
            ".status.conditions[?(@.type=='Available')].reason",
            description="Why it is available, or is not.",
        ),
        Column("Age", ".metadata.creationTimestamp", "date", "Since it was enrolled."),
    )
    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            cel=f"!self.metadata.name.matches('^{_VIN}$')",
            message="the name looks like a vehicle identification number, by which its owner "
            "could be found: use a random name such as v-3f9c2a",
            field="metadata.name",
            holds=lambda vehicle: not re.fullmatch(_VIN, vehicle.metadata.name),
        ),
    )

    kind: Literal["VehicleNode"]
    spec: VehicleNodeSpec
    """What the fleet's enrolment knows of the vehicle and its owner's wishes."""
    status: VehicleNodeStatus | None = None
    """What was observed and decided."""
