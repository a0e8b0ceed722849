"""Price and carbon of every quarter of an hour of a play."""

from dataclasses import dataclass
from fractions import Fraction

from idlewatt_operator.twin.meter import QUARTER
from idlewatt_operator.twin.places import local_time
from idlewatt_operator.twin.scenario import Scenario
from idlewatt_scheduler.exchange import Exchange
from idlewatt_scheduler.model.units import Instant
from idlewatt_scheduler.prices import PriceLine, Verdict, price_line


@dataclass(frozen=True, slots=True)
class Quarter:
    """What a kWh was in one quarter of an hour.

    Attributes:
        price: per kWh, adders and tax included; None where it is not published.
        grams: marginal CO2 per kWh; None outside the series.
    """

    start: Instant
    price: Fraction | None
    grams: Fraction | None


def judged(scenario: Scenario, at: Instant) -> PriceLine:
    """The prices from `at` on, as the policy judges them at `at`."""
    exchange = Exchange(scenario.policy, scenario.vehicles)
    return price_line(scenario.tariffs[0], scenario.policy.off_peak, at, exchange.rate)


def off_peak(line: PriceLine, at: Instant) -> bool:
    """Whether the instant `at` is off-peak on this line."""
    return line.verdict_at(at) is Verdict.OFF_PEAK


def quarters(scenario: Scenario) -> tuple[Quarter, ...]:
    """Every quarter of the play, in order."""
    line = judged(scenario, scenario.start)
    result = []
    for start in range(scenario.start, scenario.end, QUARTER):
        grams = scenario.carbon.at(local_time(start, scenario.zone))
        result.append(
            Quarter(start, line.price_at(start), None if grams is None else Fraction(grams))
        )
    return tuple(result)
