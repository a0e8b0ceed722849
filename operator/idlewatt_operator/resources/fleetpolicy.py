"""FleetPolicy (`policy`): what counts as off-peak, and the margins every decision keeps."""

from decimal import Decimal
from typing import Annotated, ClassVar, Literal, TypeAlias

from pydantic import Field

from idlewatt_operator.resources.base import (
    Column,
    Conditions,
    ListMap,
    Naming,
    Part,
    Resource,
    Rule,
)
from idlewatt_operator.resources.fields import (
    Amount,
    Band,
    Currency,
    Generation,
    Grams,
    ObjectName,
    Percent,
    PositivePercent,
    Price,
    Rate,
    Seconds,
)

PlainNodes: TypeAlias = Literal["Deny", "Allow"]
WearFloor: TypeAlias = Literal["Agreement", "Model"]
Preemption: TypeAlias = Literal["Never", "LowerPriority"]
Moves: TypeAlias = Annotated[int, Field(strict=True, ge=1, le=1_000)]


class OffPeak(Part):
    """Tests that an off-peak instant passes; all that are given must hold."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            cel="has(self.maxPricePerKWh) == has(self.currency)",
            message="maxPricePerKWh and currency belong together: give both or neither",
            holds=lambda test: (test.max_price_per_kwh is None) == (test.currency is None),
        ),
    )

    band: Band | None = None
    """The tariff's band must be this one."""
    max_price_per_kwh: Price | None = Field(default=None, alias="maxPricePerKWh")
    """The price must be at most this."""
    currency: Currency | None = None
    """ISO 4217 code of `maxPricePerKWh`."""
    cheapest_percent_of_next_24_hours: PositivePercent | None = Field(
        default=None, alias="cheapestPercentOfNext24Hours"
    )
    """The price must be among the cheapest of the next 24 hours, this share of their known time."""
    max_grams_per_kwh: Grams | None = Field(default=None, alias="maxGramsPerKWh")
    """Grams of CO2 per kWh must be at most this."""
    cleanest_percent_of_next_24_hours: PositivePercent | None = Field(
        default=None, alias="cleanestPercentOfNext24Hours"
    )
    """The grams must be among the least of the next 24 hours, this share of their known time."""


class ExchangeRate(Part):
    """What one unit of a currency is worth in another."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            cel="self.from != self.to",
            message="from and to are the same currency: a currency needs no rate into itself",
            holds=lambda rate: rate.from_currency != rate.to_currency,
            field="to",
        ),
    )

    from_currency: Currency = Field(alias="from")
    """ISO 4217 code."""
    to_currency: Currency = Field(alias="to")
    """ISO 4217 code; that of the first rate is the currency in which plans are compared."""
    rate: Rate
    """What one unit of `from` is worth in `to`."""


class DeparturesRef(Part):
    """A reference to the ConfigMap that `idlewatt departures fit` made."""

    name: ObjectName
    """The ConfigMap's name."""
    namespace: ObjectName
    """The ConfigMap's namespace."""


class FleetPolicySpec(Part):
    """The fleet's rules; each has a default."""

    off_peak: OffPeak = OffPeak(band="OffPeak")
    """What counts as off-peak. What is given here replaces the default whole."""
    telemetry_max_age_seconds: Seconds = 120
    """Older observations are stale."""
    sleep_max_age_seconds: Seconds = 43_200
    """How long what a vehicle reported before it fell asleep holds."""
    stale_drain_seconds: Seconds = 600
    """After telemetry has been stale, or a Node unreachable, for this long, its pods leave."""
    drain_lead_seconds: Seconds = 300
    """How long before a departure, at the latest, pods leave."""
    minimum_stay_seconds: Seconds = 3_600
    """How long a vehicle must stay available for a pod without an expected run time."""
    max_start_delay_seconds: Seconds = 1_800
    """The longest a pod may take to fetch its image and load its model."""
    idle_before_start_seconds: Seconds = 900
    """How long a car stands before pods come."""
    miss_probability_percent: Percent = 1
    """How often a departure may come earlier than foreseen."""
    departures_ref: DeparturesRef | None = None
    """What was learned of departures; without it, or unreadable, stated departures stand."""
    forecast_max_age_seconds: Seconds = 21_600
    """How long after it was published a tariff's forecast is used."""
    surplus_seconds: Seconds = 900
    """How long a measured export is held to last."""
    wear_floor: WearFloor = "Agreement"
    """Model: wear is paid at no less than the wear model's rate, whatever an agreement says."""
    preference_cost_per_point: Amount = Decimal("0.001")
    """What a point of an unmet preference weighs, in the currency in which plans are compared."""
    preemption: Preemption = "Never"
    """LowerPriority: running pods leave where a waiting pod of higher priority needs the room."""
    migration_cost: Amount | None = None
    """What moving a running pod must save at the least, in that currency; without it none moves."""
    migrations_at_once: Moves = 10
    """How many pods one plan may move to save money."""
    plain_nodes: PlainNodes = "Deny"
    """Whether Nodes without a vehicle may be used."""
    exchange_rates: Annotated[
        tuple[ExchangeRate, ...], Field(max_length=64), ListMap(keys=("from", "to"))
    ] = ()
    """Rates between currencies; without one, amounts in another currency cannot be compared."""


class FleetPolicyStatus(Part):
    """What the operator found."""

    observed_generation: Generation | None = None
    """The generation of the spec that this status is about."""
    conditions: Conditions = ()
    """Ready: the policy can be used as it is described, or why not."""


class FleetPolicy(Resource):
    """The rules of the whole fleet; there is one, named `default`."""

    naming: ClassVar[Naming] = Naming("FleetPolicy", "fleetpolicies", "fleetpolicy", "policy")
    columns: ClassVar[tuple[Column, ...]] = (
        Column("Band", ".spec.offPeak.band", description="The band that is off-peak."),
        Column("Stay", ".spec.minimumStaySeconds", "integer", "Seconds a service must stay."),
        Column("Drain Lead", ".spec.drainLeadSeconds", "integer", "Seconds before a departure."),
        Column("Plain Nodes", ".spec.plainNodes", description="Nodes without a vehicle."),
        Column(
            "Ready", ".status.conditions[?(@.type=='Ready')].status", description="Usable as it is."
        ),
        Column("Reason", ".status.conditions[?(@.type=='Ready')].reason", description="Why."),
        Column("Age", ".metadata.creationTimestamp", "date", "Since it was made."),
    )
    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            cel="self.metadata.name == 'default'",
            message="the fleet has one policy, and its name is default",
            holds=lambda policy: policy.metadata.name == "default",
            field="metadata.name",
        ),
    )

    kind: Literal["FleetPolicy"]
    spec: FleetPolicySpec = Field(
        default_factory=FleetPolicySpec, json_schema_extra={"default": {}}
    )
    """The fleet's rules; each has a default."""
    status: FleetPolicyStatus | None = None
    """What the operator found."""
