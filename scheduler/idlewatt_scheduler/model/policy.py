"""The fleet's policy: what counts as off-peak, and the margins every decision keeps."""

from dataclasses import dataclass, field
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class OffPeakTest:
    """The tests an off-peak instant must pass; those that are None are not asked.

    Attributes:
        band: the band in force must be this one.
        max_price_per_kwh: the price in `currency` must be at most this.
        currency: the currency of `max_price_per_kwh`.
        cheapest_percent_of_next_24_hours: 1 to 100.
        max_grams_per_kwh: grams of CO2 per kWh.
    """

    band: str | None = None
    max_price_per_kwh: Decimal | None = None
    currency: str | None = None
    cheapest_percent_of_next_24_hours: int | None = None
    max_grams_per_kwh: Decimal | None = None

    @property
    def asks_anything(self) -> bool:
        """Without a single test every instant is off-peak."""
        tests = (self.band, self.max_price_per_kwh, self.max_grams_per_kwh)
        return any(test is not None for test in (*tests, self.cheapest_percent_of_next_24_hours))


@dataclass(frozen=True, slots=True)
class ExchangeRate:
    """One unit of `from_currency` is worth `rate` units of `to_currency`."""

    from_currency: str
    to_currency: str
    rate: Decimal


@dataclass(frozen=True, slots=True)
class FleetPolicy:
    """The FleetPolicy named `default`; the defaults here are those without one."""

    off_peak: OffPeakTest = field(default_factory=lambda: OffPeakTest(band="OffPeak"))
    telemetry_max_age_seconds: int = 120
    sleep_max_age_seconds: int = 43_200
    stale_drain_seconds: int = 600
    drain_lead_seconds: int = 300
    minimum_stay_seconds: int = 3_600
    max_start_delay_seconds: int = 1_800
    idle_before_start_seconds: int = 900
    miss_probability_percent: int = 1
    plain_nodes_allowed: bool = False
    exchange_rates: tuple[ExchangeRate, ...] = ()
