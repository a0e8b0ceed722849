"""The fleet's policy: what counts as off-peak, and the margins every decision keeps."""

from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class OffPeakTest:
    """The tests an off-peak instant must pass; those that are None are not asked.

    Attributes:
        band: the band in force must be this one.
        max_price_per_kwh: the price in `currency` must be at most this.
        currency: the currency of `max_price_per_kwh`.
        cheapest_percent_of_next_24_hours: 1 to 100.
        max_grams_per_kwh: grams of CO2 per kWh.
        cleanest_percent_of_next_24_hours: 1 to 100, of grams of CO2 per kWh.
    """

    band: str | None = None
    max_price_per_kwh: Decimal | None = None
    currency: str | None = None
    cheapest_percent_of_next_24_hours: int | None = None
    max_grams_per_kwh: Decimal | None = None
    cleanest_percent_of_next_24_hours: int | None = None

    @property
    def asks_anything(self) -> bool:
        """Without a single test every instant is off-peak."""
        tests = (
            self.band,
            self.max_price_per_kwh,
            self.cheapest_percent_of_next_24_hours,
            self.max_grams_per_kwh,
            self.cleanest_percent_of_next_24_hours,
        )
        return any(test is not None for test in tests)


@dataclass(frozen=True, slots=True)
class ExchangeRate:
    """One unit of `from_currency` is worth `rate` units of `to_currency`."""

    from_currency: str
    to_currency: str
    rate: Decimal


class WearFloor(StrEnum):
    """The least that is paid for wear."""

    AGREEMENT = "Agreement"
    MODEL = "Model"


class Preemption(StrEnum):
    """Whether a running pod may be asked to leave for a waiting one."""

    NEVER = "Never"
    LOWER_PRIORITY = "LowerPriority"


@dataclass(frozen=True, slots=True)
class FleetPolicy:
    """The FleetPolicy named `default`; the defaults here are those without one.

    Attributes:
        forecast_max_age_seconds: forecasts of a tariff that are older are not used.
        surplus_seconds: how long a measured export is held to last.
        wear_floor: `MODEL`: wear is paid at no less than the wear model's rate.
        preference_cost_per_point: what a point of an unmet preference weighs, in the plan's
            currency.
        migration_cost: what moving a running pod has to save at the least, in the plan's currency;
            None: running pods stay where they are.
        migrations_at_once: the most that move in one cycle.
    """

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
    forecast_max_age_seconds: int = 21_600
    surplus_seconds: int = 900
    wear_floor: WearFloor = WearFloor.AGREEMENT
    preference_cost_per_point: Decimal = Decimal("0.001")
    preemption: Preemption = Preemption.NEVER
    migration_cost: Decimal | None = None
    migrations_at_once: int = 10

    @property
    def makes_room(self) -> bool:
        """Whether a running pod may be asked to leave for another one, or to save money."""
        return self.preemption is not Preemption.NEVER or self.migration_cost is not None
