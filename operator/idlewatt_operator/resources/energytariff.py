"""EnergyTariff (`tariff`): what electricity costs, when, and how clean it is."""

import re
from typing import Annotated, ClassVar, Final, Literal, TypeAlias

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
    Band,
    ClockTime,
    Currency,
    Generation,
    Name,
    PositiveSeconds,
    Price,
    TaxPercent,
    Text,
    Time,
    TimeZone,
)
from idlewatt_operator.resources.vehiclenode import Days

PayloadType: TypeAlias = Literal["PRICE", "GHG", "BAND"]
Basis: TypeAlias = Literal["AllIn", "Wholesale"]

MOST_INTERVALS: Final = 3_000
"""A month of quarter-hours, and some."""

_PRICE: Final = "-?(0|[1-9][0-9]{0,8})([.][0-9]{1,9})?"
_GRAMS: Final = "(0|[1-9][0-9]{0,8})([.][0-9]{1,9})?"
_BAND: Final = "[A-Za-z][A-Za-z0-9_-]{0,62}"


def _payload_rule(kind: str, pattern: str, meaning: str) -> Rule:
    return Rule(
        cel=f"self.type != '{kind}' || self.value.matches('^({pattern})$')",
        message=f"'{{}}' is not a value of {kind}: write {meaning}",
        holds=lambda payload: (
            payload.type != kind or re.fullmatch(pattern, payload.value) is not None
        ),
        field="value",
        value_cel="self.value",
        value=lambda payload: payload.value,
    )


class Payload(Part):
    """One thing that is known of an interval."""

    rules: ClassVar[tuple[Rule, ...]] = (
        _payload_rule("PRICE", _PRICE, 'a price per kWh in quotes, such as "0.082"'),
        _payload_rule("GHG", _GRAMS, 'grams of CO2 per kWh in quotes, such as "312"'),
        _payload_rule("BAND", _BAND, "one word that starts with a letter, such as OffPeak"),
    )

    type: PayloadType
    """PRICE: per kWh, in the tariff's currency. GHG: grams of CO2 per kWh. BAND: a band."""
    value: Annotated[str, Text(max_length=63)]
    """In quotes: a decimal number, or for BAND the band."""


class Interval(Part):
    """A dated stretch of time; of overlapping ones the one that starts last counts, whole."""

    start: Time
    """When it starts."""
    duration_seconds: PositiveSeconds
    """How long it lasts."""
    payloads: Annotated[tuple[Payload, ...], Field(max_length=3), ListMap(keys=("type",))] = ()
    """What is known of it; what is not given is unknown, never cheap."""


class Zone(Part):
    """A stretch that comes back every week; of overlapping ones the first listed counts."""

    name: Name
    """Tells the zones of a tariff apart."""
    days: Days | None = None
    """The weekdays on which the zone starts; none means all."""
    start: ClockTime
    """Time of day in the tariff's time zone."""
    end: ClockTime
    """Time of day in the tariff's time zone; not after `start`, it is on the next day."""
    band: Band | None = None
    """The band that is in force; without one, the band is unknown."""
    price_per_kwh: Price | None = Field(default=None, alias="pricePerKWh")
    """The price before adders and tax; without one, the price is unknown."""


class Adder(Part):
    """An amount that every kWh costs beside its price."""

    name: Name
    """What it is for; tells the adders of a tariff apart."""
    per_kwh: Price = Field(alias="perKWh")
    """In the tariff's currency, before tax; negative for a rebate."""


class EnergyTariffSpec(Part):
    """Zones that come back every week, or dated intervals; never both."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            cel="!has(self.zones) || !has(self.intervals) || size(self.zones) == 0 || "
            "size(self.intervals) == 0",
            message="a tariff has either zones or intervals: with both, nobody could say which "
            "of them a price comes from",
            holds=lambda spec: not (spec.zones and spec.intervals),
        ),
        Rule(
            cel="has(self.zones) || has(self.intervals)",
            message="a tariff needs zones (times of day that come back) or intervals (dated "
            "prices): give one of the two",
            holds=lambda spec: spec.zones is not None or spec.intervals is not None,
        ),
        Rule(
            cel="!has(self.zones) || size(self.zones) == 0 || has(self.timeZone)",
            message="zones are times of day, so this tariff needs a timeZone to read them in, "
            "such as Europe/Berlin",
            holds=lambda spec: not spec.zones or spec.time_zone is not None,
            field="timeZone",
        ),
    )

    currency: Currency
    """ISO 4217 code of every price here."""
    time_zone: TimeZone | None = None
    """IANA name, in which zones are read; intervals need none."""
    zones: Annotated[tuple[Zone, ...], Field(max_length=64), ListMap(keys=("name",))] | None = None
    """Times of day with a band and a price; the first that fits counts."""
    intervals: Annotated[tuple[Interval, ...], Field(max_length=MOST_INTERVALS)] | None = None
    """Dated stretches with what is known of them."""
    basis: Basis = "AllIn"
    """AllIn: what is paid. Wholesale: without grid fees, so no price until adders complete it."""
    adders: Annotated[tuple[Adder, ...], Field(max_length=16), ListMap(keys=("name",))] = ()
    """Amounts added to every price."""
    tax_percent: TaxPercent = Field(default="0", validate_default=True)
    """Applied to price plus adders."""


class EnergyTariffStatus(Part):
    """What the operator found."""

    observed_generation: Generation | None = None
    """The generation of the spec that this status is about."""
    conditions: Conditions = ()
    """Ready: the tariff can be used as it is described, or why not."""


class EnergyTariff(Resource):
    """What electricity costs at the sites that refer to it."""

    naming: ClassVar[Naming] = Naming("EnergyTariff", "energytariffs", "energytariff", "tariff")
    columns: ClassVar[tuple[Column, ...]] = (
        Column("Currency", ".spec.currency", description="Of every price."),
        Column("Basis", ".spec.basis", description="AllIn or Wholesale."),
        Column("Tax", ".spec.taxPercent", description="Percent of price plus adders."),
        Column("From", ".spec.intervals[0].start", description="Start of the first interval."),
        Column(
            "Ready", ".status.conditions[?(@.type=='Ready')].status", description="Usable as it is."
        ),
        Column("Reason", ".status.conditions[?(@.type=='Ready')].reason", description="Why."),
        Column("Time Zone", ".spec.timeZone", description="Of its zones.", priority=1),
        Column("Age", ".metadata.creationTimestamp", "date", "Since it was made."),
    )

    kind: Literal["EnergyTariff"]
    spec: EnergyTariffSpec
    """What electricity costs, when, and how clean it is."""
    status: EnergyTariffStatus | None = None
    """What the operator found."""
