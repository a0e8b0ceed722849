"""What electricity costs, when, and how clean it is."""

from dataclasses import dataclass
from datetime import tzinfo
from decimal import Decimal

from idlewatt_scheduler.model.calendars import Recurrence
from idlewatt_scheduler.model.units import Instant, Milliseconds


@dataclass(frozen=True, slots=True)
class TariffZone:
    """A recurring stretch with a band and a price; of overlapping ones the first listed wins."""

    name: str
    recurrence: Recurrence
    band: str | None
    price_per_kwh: Decimal | None


@dataclass(frozen=True, slots=True)
class TariffInterval:
    """A dated stretch with what is known of it; a payload that is missing is None.

    Attributes:
        start: an instant.
        duration: milliseconds.
        price_per_kwh: the payload `PRICE`, in the tariff's currency.
        band: the payload `BAND`.
        grams_per_kwh: the payload `GHG`, grams of CO2 per kWh.
    """

    start: Instant
    duration: Milliseconds
    price_per_kwh: Decimal | None = None
    band: str | None = None
    grams_per_kwh: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Tariff:
    """An EnergyTariff: zones or intervals, never both.

    Attributes:
        wholesale: `basis: Wholesale`; such a tariff has no price until adders complete it.
        adders: amounts per kWh added to every price, in the tariff's currency.
        tax_percent: applied to price plus adders.
    """

    name: str
    currency: str
    time_zone: tzinfo
    zones: tuple[TariffZone, ...] = ()
    intervals: tuple[TariffInterval, ...] = ()
    wholesale: bool = False
    adders: tuple[Decimal, ...] = ()
    tax_percent: Decimal = Decimal(0)
