"""What electricity costs at an instant, and whether that instant is off-peak."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from typing import Final

from idlewatt_scheduler.feasibility.steps import Steps
from idlewatt_scheduler.feasibility.wall_time import occurrences
from idlewatt_scheduler.model.calendars import Interval
from idlewatt_scheduler.model.policy import ExchangeRate, FleetPolicy
from idlewatt_scheduler.model.tariff import Tariff
from idlewatt_scheduler.model.units import CALENDAR_HORIZON, DAY, Instant

_HUNDRED: Final = 100


class Peak(Enum):
    """What the policy's tests say of an instant."""

    OFF = "off-peak"
    ON = "on peak"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class InForce:
    """What a tariff says of an instant; `price` per kWh in its own currency, tax included."""

    price: Fraction | None = None
    band: str | None = None
    grams: Fraction | None = None


def rate_between(
    rates: Sequence[ExchangeRate], from_currency: str, to_currency: str
) -> Fraction | None:
    """The first listed direct rate; 1 within one currency; None where there is none."""
    if from_currency == to_currency:
        return Fraction(1)
    for rate in rates:
        if (rate.from_currency, rate.to_currency) == (from_currency, to_currency):
            return Fraction(rate.rate)
    return None


def tariff_over_time(tariff: Tariff, at: Instant) -> Steps[InForce]:
    """The tariff from `at` to the end of the calendar's horizon."""
    horizon = at + CALENDAR_HORIZON + DAY
    stretches = [
        (stretch, said)
        for stretch, said in _stretches(tariff, at, horizon)
        if stretch.end > at and stretch.start < horizon
    ]
    edges = {at}
    for stretch, _ in stretches:
        edges |= {edge for edge in (stretch.start, stretch.end) if at < edge < horizon}

    def in_force(instant: Instant) -> InForce:
        holding = [said for stretch, said in stretches if stretch.start <= instant < stretch.end]
        return holding[0] if holding else InForce()

    return Steps.sampled(edges, in_force)


def _stretches(tariff: Tariff, at: Instant, horizon: Instant) -> Iterator[tuple[Interval, InForce]]:
    """Every stretch with what it says, the one that wins over the others first."""
    for zone in tariff.zones:
        said = InForce(price=_price(tariff, zone.price_per_kwh), band=zone.band)
        for occurrence in occurrences(zone.recurrence, tariff.time_zone, at, horizon):
            yield occurrence, said
    latest_first = sorted(
        enumerate(tariff.intervals), key=lambda pair: (pair[1].start, pair[0]), reverse=True
    )
    for _, interval in latest_first:
        grams = interval.grams_per_kwh
        yield (
            Interval(interval.start, interval.start + interval.duration),
            InForce(
                price=_price(tariff, interval.price_per_kwh),
                band=interval.band,
                grams=None if grams is None else Fraction(grams),
            ),
        )


def _price(tariff: Tariff, listed: Decimal | None) -> Fraction | None:
    if listed is None or (tariff.wholesale and not tariff.adders):
        return None
    before_tax = Fraction(listed) + sum(map(Fraction, tariff.adders), Fraction(0))
    return before_tax * (1 + Fraction(tariff.tax_percent) / _HUNDRED)


def peak_over_time(policy: FleetPolicy, tariff: Tariff | None, at: Instant) -> Steps[Peak]:
    """On peak, off-peak or unknown, from `at` on; without a tariff no test has its data."""
    if tariff is None:
        nothing = _verdict(_tests(policy, None, InForce(), None))
        return Steps((at,), (nothing,))
    over_time = tariff_over_time(tariff, at)
    threshold = _cheapest_threshold(policy, over_time, at)
    return Steps(
        over_time.edges,
        tuple(
            _verdict(_tests(policy, tariff, in_force, threshold)) for in_force in over_time.values
        ),
    )


def _verdict(answers: Iterator[bool | None]) -> Peak:
    answered = list(answers)
    if False in answered:
        return Peak.ON
    return Peak.UNKNOWN if None in answered else Peak.OFF


def _tests(
    policy: FleetPolicy, tariff: Tariff | None, in_force: InForce, threshold: Fraction | None
) -> Iterator[bool | None]:
    """The answer of each test that is asked; None where it lacks its data."""
    asked = policy.off_peak
    if asked.band is not None:
        yield None if in_force.band is None else in_force.band == asked.band
    if asked.max_price_per_kwh is not None:
        price = _converted(policy, tariff, in_force.price)
        yield None if price is None else price <= Fraction(asked.max_price_per_kwh)
    if asked.cheapest_percent_of_next_24_hours is not None:
        price = in_force.price
        yield None if price is None or threshold is None else price <= threshold
    if asked.max_grams_per_kwh is not None:
        most = Fraction(asked.max_grams_per_kwh)
        yield None if in_force.grams is None else in_force.grams <= most


def _converted(
    policy: FleetPolicy, tariff: Tariff | None, price: Fraction | None
) -> Fraction | None:
    """A tariff's price in the currency of the policy's highest price."""
    if tariff is None or price is None or policy.off_peak.currency is None:
        return None
    rate = rate_between(policy.exchange_rates, tariff.currency, policy.off_peak.currency)
    return None if rate is None else price * rate


def _cheapest_threshold(
    policy: FleetPolicy, over_time: Steps[InForce], at: Instant
) -> Fraction | None:
    percent = policy.off_peak.cheapest_percent_of_next_24_hours
    if percent is None:
        return None
    time_at_price: defaultdict[Fraction, int] = defaultdict(int)
    for begin, end, in_force in over_time.during(at, at + DAY):
        if in_force.price is not None:
            time_at_price[in_force.price] += end - begin
    known_time = sum(time_at_price.values())
    so_far = 0
    for price in sorted(time_at_price):
        so_far += time_at_price[price]
        if so_far * _HUNDRED >= percent * known_time:
            return price
    return None
