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
    TariffRef,
)
from idlewatt_operator.resources.calendars import (
    Dates,
    Days,
    Months,
    OnHolidays,
    PublicHolidays,
)
from idlewatt_operator.resources.fields import (
    Amount,
    Band,
    BiddingZone,
    ClockTime,
    Currency,
    Flag,
    Generation,
    Name,
    PositiveSeconds,
    Price,
    RefreshSeconds,
    RelativePath,
    Seconds,
    TaxPercent,
    Text,
    Time,
    TimeZone,
    Url,
)

PayloadType: TypeAlias = Literal["PRICE", "EXPORT_PRICE", "GHG", "BAND"]
Basis: TypeAlias = Literal["AllIn", "Wholesale"]
SourceType: TypeAlias = Literal["Entsoe", "Http", "File"]

MOST_INTERVALS: Final = 3_000
"""A month of quarter-hours, and some."""

_PRICE: Final = "-?(0|[1-9][0-9]{0,8})([.][0-9]{1,24})?"
_GRAMS: Final = "(0|[1-9][0-9]{0,8})([.][0-9]{1,24})?"
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
        _payload_rule("EXPORT_PRICE", _PRICE, 'a price per kWh in quotes, such as "0.05"'),
        _payload_rule("GHG", _GRAMS, 'grams of CO2 per kWh in quotes, such as "312"'),
        _payload_rule("BAND", _BAND, "one word that starts with a letter, such as OffPeak"),
    )

    type: PayloadType
    """PRICE, EXPORT_PRICE: per kWh, bought and sold. GHG: grams of CO2 per kWh. BAND: a band."""
    value: Annotated[str, Text(max_length=63)]
    """In quotes: a decimal number, or for BAND the band."""


class Interval(Part):
    """A dated stretch; of overlapping ones the latest made counts, then the last to start."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            cel="!self.forecast || has(self.createdAt)",
            message="a forecast without createdAt has no age and would never be used: say when "
            "it was made",
            holds=lambda interval: not interval.forecast or interval.created_at is not None,
            field="createdAt",
        ),
    )

    start: Time
    """When it starts."""
    duration_seconds: PositiveSeconds
    """How long it lasts."""
    created_at: Time | None = None
    """When this was published: what was published later replaces it where they overlap."""
    forecast: Flag = False
    """Nobody is bound by it; used while it is younger than the policy's forecastMaxAgeSeconds."""
    payloads: Annotated[tuple[Payload, ...], Field(max_length=4), ListMap(keys=("type",))] = ()
    """What is known of it; what is not given is unknown, never cheap."""


class Zone(Part):
    """A stretch that comes back every week; of overlapping ones the first listed counts."""

    name: Name
    """Tells the zones of a tariff apart."""
    days: Days | None = None
    """The weekdays on which the zone starts; none means all."""
    months: Months | None = None
    """The months in which the zone starts; none means all."""
    on_holidays: OnHolidays | None = None
    """What a public holiday does to it; without it, AsUsual: nothing."""
    except_dates: Dates | None = None
    """Days on which the zone does not start."""
    start: ClockTime
    """Time of day in the tariff's time zone."""
    end: ClockTime
    """Time of day in the tariff's time zone; not after `start`, it is on the next day."""
    band: Band | None = None
    """The band that is in force; without one, the band is unknown."""
    price_per_kwh: Price | None = Field(default=None, alias="pricePerKWh")
    """The price before adders and tax; without one, the price is unknown."""
    export_price_per_kwh: Price | None = Field(default=None, alias="exportPricePerKWh")
    """What a kWh earns that is sold, not used; adders and tax do not touch it."""


class Adder(Part):
    """An amount that every kWh costs beside its price."""

    name: Name
    """What it is for; tells the adders of a tariff apart."""
    per_kwh: Price = Field(alias="perKWh")
    """In the tariff's currency, before tax; negative for a rebate."""


class DemandCharge(Part):
    """A price on the greatest load of a calendar month."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            cel="has(self.start) == has(self.end)",
            message="start and end belong together: give both, or neither for the whole day",
            holds=lambda charge: (charge.start is None) == (charge.end is None),
        ),
    )

    name: Name
    """Tells the demand charges of a tariff apart."""
    price_per_kw: Amount = Field(alias="pricePerKW")
    """For each kW of the month's greatest load, before tax."""
    days: Days | None = None
    """The weekdays whose load counts; none means all."""
    months: Months | None = None
    """The months in which it is charged; none means all."""
    on_holidays: OnHolidays | None = None
    """What a public holiday does to it; without it, AsUsual: nothing."""
    except_dates: Dates | None = None
    """Days whose load does not count."""
    start: ClockTime | None = None
    """Time of day in the tariff's time zone, from which the load counts; without it, all day."""
    end: ClockTime | None = None
    """Time of day in the tariff's time zone; not after `start`, it is on the next day."""


class ConnectionFee(Part):
    """A price on staying plugged after some time, as charge points ask for it."""

    after_seconds: Seconds
    """How long after the car parked it starts."""
    price_per_hour: Amount
    """For each hour, before tax."""


def _belongs_to(kind: str, field: str, attribute: str, meaning: str) -> Rule:
    return Rule(
        cel=f"(self.type == '{kind}') == has(self.{field})",
        message=f"{field} belongs to a source of type {kind}, which needs it, and to no other: "
        f"it is {meaning}",
        holds=lambda source: (source.type == kind) == (getattr(source, attribute) is not None),
        field=field,
    )


class Source(Part):
    """Where the tariff's intervals come from, again and again."""

    rules: ClassVar[tuple[Rule, ...]] = (
        _belongs_to("Entsoe", "area", "area", "the bidding zone whose day-ahead prices are asked"),
        _belongs_to("Http", "url", "url", "the address that is asked"),
        _belongs_to("File", "path", "path", "the file that is read"),
        Rule(
            cel="self.maxAgeSeconds >= self.refreshSeconds",
            message="maxAgeSeconds is below refreshSeconds: its prices would be stale before it "
            "is asked again",
            holds=lambda source: source.max_age_seconds >= source.refresh_seconds,
            field="maxAgeSeconds",
        ),
    )

    type: SourceType
    """Entsoe: the day-ahead prices of ENTSO-E. Http: an address. File: in the operator's folder."""
    area: BiddingZone | None = None
    """Of Entsoe: the bidding zone, such as DE_LU."""
    url: Url | None = None
    """Of Http: the address that answers with `intervals`, written as they are here, in JSON."""
    path: RelativePath | None = None
    """Of File: its place below the operator's folder of tariffs, with `intervals` in JSON."""
    refresh_seconds: RefreshSeconds = 3_600
    """How often it is asked."""
    max_age_seconds: RefreshSeconds = 86_400
    """How long after an answer its prices hold; older ones are unknown, never the last known."""


class EnergyTariffSpec(Part):
    """Zones that come back every week, dated intervals, or a source of these; one of the three."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            cel="!has(self.zones) || !has(self.intervals) || size(self.zones) == 0 || "
            "size(self.intervals) == 0",
            message="a tariff has either zones or intervals: with both, nobody could say which "
            "of them a price comes from",
            holds=lambda spec: not (spec.zones and spec.intervals),
        ),
        Rule(
            cel="!has(self.source) || ((!has(self.zones) || size(self.zones) == 0) && "
            "(!has(self.intervals) || size(self.intervals) == 0))",
            message="a tariff with a source has the intervals that the source gives: leave zones "
            "and intervals out, or the source",
            holds=lambda spec: spec.source is None or not (spec.zones or spec.intervals),
            field="source",
        ),
        Rule(
            cel="has(self.zones) || has(self.intervals) || has(self.source)",
            message="a tariff needs zones (times of day that come back), intervals (dated "
            "prices) or a source of intervals: give one of them",
            holds=lambda spec: (spec.zones, spec.intervals, spec.source) != (None, None, None),
        ),
        Rule(
            cel="!has(self.zones) || size(self.zones) == 0 || has(self.timeZone)",
            message="zones are times of day, so this tariff needs a timeZone to read them in, "
            "such as Europe/Berlin",
            holds=lambda spec: not spec.zones or spec.time_zone is not None,
            field="timeZone",
        ),
        Rule(
            cel="!has(self.demandCharges) || size(self.demandCharges) == 0 || has(self.timeZone)",
            message="a demand charge is about a calendar month, so this tariff needs a timeZone "
            "to tell it by, such as Europe/Berlin",
            holds=lambda spec: not spec.demand_charges or spec.time_zone is not None,
            field="timeZone",
        ),
    )

    currency: Currency
    """ISO 4217 code of every price here."""
    time_zone: TimeZone | None = None
    """IANA name, in which zones and demand charges are read; intervals need none."""
    public_holidays: PublicHolidays | None = None
    """Which days are public holidays to this tariff; without it, none is."""
    zones: Annotated[tuple[Zone, ...], Field(max_length=64), ListMap(keys=("name",))] | None = None
    """Times of day with a band and a price; the first that fits counts."""
    intervals: Annotated[tuple[Interval, ...], Field(max_length=MOST_INTERVALS)] | None = None
    """Dated stretches with what is known of them."""
    source: Source | None = None
    """Where intervals come from, where they are not listed here."""
    basis: Basis = "AllIn"
    """AllIn: what is paid. Wholesale: without grid fees, so no price until adders complete it."""
    adders: Annotated[tuple[Adder, ...], Field(max_length=16), ListMap(keys=("name",))] = ()
    """Amounts added to every price."""
    tax_percent: TaxPercent = Field(default="0", validate_default=True)
    """Applied to price plus adders, to demand charges and to the connection fee."""
    carbon_ref: TariffRef | None = None
    """The tariff whose GHG counts where this one has none."""
    demand_charges: Annotated[
        tuple[DemandCharge, ...], Field(max_length=16), ListMap(keys=("name",))
    ] = ()
    """Prices on the month's greatest load, where the fleet pays."""
    connection_fee: ConnectionFee | None = None
    """A price on staying plugged, where the fleet pays."""


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

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            cel="!has(self.spec.carbonRef) || self.spec.carbonRef.name != self.metadata.name",
            message="carbonRef names this very tariff: name the one that has the payloads GHG",
            holds=lambda tariff: (
                tariff.spec.carbon_ref is None
                or tariff.spec.carbon_ref.name != tariff.metadata.name
            ),
            field="spec.carbonRef",
        ),
    )

    kind: Literal["EnergyTariff"]
    spec: EnergyTariffSpec
    """What electricity costs, when, and how clean it is."""
    status: EnergyTariffStatus | None = None
    """What the operator found."""
