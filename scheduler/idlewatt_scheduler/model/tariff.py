"""What electricity costs, when, and how clean it is."""

from dataclasses import dataclass, field
from datetime import tzinfo
from decimal import Decimal

from idlewatt_scheduler.model.calendars import PublicHolidays, Recurrence
from idlewatt_scheduler.model.units import Instant, Milliseconds


@dataclass(frozen=True, slots=True)
class TariffZone:
    """A recurring stretch with a band and a price; of overlapping ones the first listed wins.

    Attributes:
        export_price_per_kwh: what a kWh earns that is not used here, in the tariff's currency.
    """

    name: str
    recurrence: Recurrence
    band: str | None
    price_per_kwh: Decimal | None
    export_price_per_kwh: Decimal | None = None


@dataclass(frozen=True, slots=True)
class TariffInterval:
    """A dated stretch with what is known of it; a payload that is missing is None.

    Attributes:
        start: an instant.
        duration: milliseconds.
        price_per_kwh: the payload `PRICE`, in the tariff's currency.
        band: the payload `BAND`.
        grams_per_kwh: the payload `GHG`, grams of CO2 per kWh.
        export_price_per_kwh: the payload `EXPORT_PRICE`, in the tariff's currency.
        created_at: when this was published; None: before everything that says when.
        forecast: nobody is bound by it; it is used while it is young enough.
    """

    start: Instant
    duration: Milliseconds
    price_per_kwh: Decimal | None = None
    band: str | None = None
    grams_per_kwh: Decimal | None = None
    export_price_per_kwh: Decimal | None = None
    created_at: Instant | None = None
    forecast: bool = False


@dataclass(frozen=True, slots=True)
class DemandCharge:
    """A price on the greatest load of a calendar month, in the hours of its recurrence.

    Attributes:
        price_per_kilowatt: in the tariff's currency, before tax.
    """

    name: str
    recurrence: Recurrence
    price_per_kilowatt: Decimal


@dataclass(frozen=True, slots=True)
class ConnectionFee:
    """A price on staying plugged, from some time after the car arrived.

    Attributes:
        after: milliseconds after the car parked.
        price_per_hour: in the tariff's currency, before tax.
    """

    after: Milliseconds
    price_per_hour: Decimal


@dataclass(frozen=True, slots=True)
class Tariff:
    """An EnergyTariff: zones or intervals, never both.

    Attributes:
        wholesale: `basis: Wholesale`; such a tariff has no price until adders complete it.
        adders: amounts per kWh added to every price, in the tariff's currency.
        tax_percent: applied to price plus adders.
        carbon: the tariff whose grams count where this one states none.
        refreshed_at: when its source last gave good data; None: never, or it has no source.
        max_age: milliseconds after which what a source gave is unknown; None: it has no source.
    """

    name: str
    currency: str
    time_zone: tzinfo
    zones: tuple[TariffZone, ...] = ()
    intervals: tuple[TariffInterval, ...] = ()
    wholesale: bool = False
    adders: tuple[Decimal, ...] = ()
    tax_percent: Decimal = Decimal(0)
    public_holidays: PublicHolidays = field(default_factory=PublicHolidays)
    demand_charges: tuple[DemandCharge, ...] = ()
    connection_fee: ConnectionFee | None = None
    carbon: str | None = None
    refreshed_at: Instant | None = None
    max_age: Milliseconds | None = None
