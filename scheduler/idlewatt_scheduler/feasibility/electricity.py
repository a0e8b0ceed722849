"""What electricity costs at an instant, and whether that instant is off-peak."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from typing import Final

from idlewatt_scheduler.feasibility.steps import Steps
from idlewatt_scheduler.feasibility.wall_time import occurrences
from idlewatt_scheduler.model.calendars import Interval
from idlewatt_scheduler.model.policy import ExchangeRate, FleetPolicy
from idlewatt_scheduler.model.tariff import Tariff, TariffInterval
from idlewatt_scheduler.model.units import (
    CALENDAR_HORIZON,
    CLOCK_TOLERANCE,
    DAY,
    Instant,
    Milliseconds,
)

_HUNDRED: Final = 100


class Peak(Enum):
    """What the policy's tests say of an instant."""

    OFF = "off-peak"
    ON = "on peak"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class InForce:
    """What a tariff says of an instant.

    Attributes:
        price: per kWh in its own currency, tax included.
        export: what a kWh earns that flows out, in its own currency.
    """

    price: Fraction | None = None
    band: str | None = None
    grams: Fraction | None = None
    export: Fraction | None = None


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


@dataclass(frozen=True, slots=True)
class Published:
    """What is needed to tell which of a tariff's data is in force.

    Attributes:
        tariffs: every tariff by name, for the grams of those that state none.
        forecast_max_age: milliseconds after which a forecast is not used any more.
    """

    at: Instant
    forecast_max_age: Milliseconds
    tariffs: Mapping[str, Tariff] = field(default_factory=dict)


def tariff_over_time(tariff: Tariff, published: Published) -> Steps[InForce]:
    """The tariff from `at` to the end of the calendar's horizon."""
    at = published.at
    horizon = at + CALENDAR_HORIZON + DAY
    own = _touching(_stretches(tariff, published, horizon), at, horizon)
    cleaner = published.tariffs.get(tariff.carbon) if tariff.carbon else None
    elsewhere = _touching(_intervals(cleaner, published), at, horizon) if cleaner else []
    edges = {at}
    for stretch, _ in (*own, *elsewhere):
        edges |= {edge for edge in (stretch.start, stretch.end) if at < edge < horizon}

    def in_force(instant: Instant) -> InForce:
        said = _first_holding(own, instant)
        if said.grams is None:
            return replace(said, grams=_first_holding(elsewhere, instant).grams)
        return said

    return Steps.sampled(edges, in_force)


_Said = tuple[Interval, InForce]


def _touching(stretches: Iterator[_Said], at: Instant, horizon: Instant) -> list[_Said]:
    return [pair for pair in stretches if pair[0].end > at and pair[0].start < horizon]


def _first_holding(stretches: list[_Said], instant: Instant) -> InForce:
    holding = (said for stretch, said in stretches if stretch.start <= instant < stretch.end)
    return next(holding, InForce())


def _stretches(tariff: Tariff, published: Published, horizon: Instant) -> Iterator[_Said]:
    """Every stretch with what it says, the one that wins over the others first."""
    for zone in tariff.zones:
        said = InForce(
            price=_price(tariff, zone.price_per_kwh),
            band=zone.band,
            export=_fraction(zone.export_price_per_kwh),
        )
        for occurrence in occurrences(
            zone.recurrence, tariff.time_zone, published.at, horizon, tariff.public_holidays
        ):
            yield occurrence, said
    yield from _intervals(tariff, published)


def _intervals(tariff: Tariff, published: Published) -> Iterator[_Said]:
    """The intervals that count: the latest published first, of these the last to start."""
    if _is_stale(tariff, published.at):
        return
    counting = [
        (number, interval)
        for number, interval in enumerate(tariff.intervals)
        if _counts(interval, published)
    ]
    before_all = -(2**62)

    def wins(pair: tuple[int, TariffInterval]) -> tuple[Instant, Instant, int]:
        number, interval = pair
        created = before_all if interval.created_at is None else interval.created_at
        return created, interval.start, number

    for _, interval in sorted(counting, key=wins, reverse=True):
        yield (
            Interval(interval.start, interval.start + interval.duration),
            InForce(
                price=_price(tariff, interval.price_per_kwh),
                band=interval.band,
                grams=_fraction(interval.grams_per_kwh),
                export=_fraction(interval.export_price_per_kwh),
            ),
        )


def _is_stale(tariff: Tariff, at: Instant) -> bool:
    """Whether the tariff has a source that has not answered for too long, or never."""
    if tariff.max_age is None:
        return False
    return tariff.refreshed_at is None or at - tariff.refreshed_at > tariff.max_age


def _counts(interval: TariffInterval, published: Published) -> bool:
    created = interval.created_at
    if created is None:
        return not interval.forecast
    if created > published.at + CLOCK_TOLERANCE:
        return False
    return not (interval.forecast and published.at - created > published.forecast_max_age)


def _fraction(listed: Decimal | None) -> Fraction | None:
    return None if listed is None else Fraction(listed)


def _price(tariff: Tariff, listed: Decimal | None) -> Fraction | None:
    if listed is None or (tariff.wholesale and not tariff.adders):
        return None
    before_tax = Fraction(listed) + sum(map(Fraction, tariff.adders), Fraction(0))
    return before_tax * (1 + Fraction(tariff.tax_percent) / _HUNDRED)


def peak_over_time(
    policy: FleetPolicy, tariff: Tariff | None, over_time: Steps[InForce] | None, at: Instant
) -> Steps[Peak]:
    """On peak, off-peak or unknown, from `at` on; without a tariff no test has its data."""
    if tariff is None or over_time is None:
        return Steps((at,), (_verdict(_tests(policy, None, InForce(), _Least())),))
    least = _Least(
        price=_threshold(
            over_time,
            at,
            policy.off_peak.cheapest_percent_of_next_24_hours,
            lambda said: said.price,
        ),
        grams=_threshold(
            over_time,
            at,
            policy.off_peak.cleanest_percent_of_next_24_hours,
            lambda said: said.grams,
        ),
    )
    return Steps(
        over_time.edges,
        tuple(_verdict(_tests(policy, tariff, in_force, least)) for in_force in over_time.values),
    )


@dataclass(frozen=True, slots=True)
class _Least:
    """The greatest price and grams that still are among the least of the next 24 hours."""

    price: Fraction | None = None
    grams: Fraction | None = None


def _verdict(answers: Iterator[bool | None]) -> Peak:
    answered = list(answers)
    if False in answered:
        return Peak.ON
    return Peak.UNKNOWN if None in answered else Peak.OFF


def _tests(
    policy: FleetPolicy, tariff: Tariff | None, in_force: InForce, least: _Least
) -> Iterator[bool | None]:
    """The answer of each test that is asked; None where it lacks its data."""
    asked = policy.off_peak
    if asked.band is not None:
        yield None if in_force.band is None else in_force.band == asked.band
    if asked.max_price_per_kwh is not None:
        price = _converted(policy, tariff, in_force.price)
        yield _at_most(price, Fraction(asked.max_price_per_kwh))
    if asked.cheapest_percent_of_next_24_hours is not None:
        yield _at_most(in_force.price, least.price)
    if asked.max_grams_per_kwh is not None:
        yield _at_most(in_force.grams, Fraction(asked.max_grams_per_kwh))
    if asked.cleanest_percent_of_next_24_hours is not None:
        yield _at_most(in_force.grams, least.grams)


def _at_most(figure: Fraction | None, most: Fraction | None) -> bool | None:
    return None if figure is None or most is None else figure <= most


def _converted(
    policy: FleetPolicy, tariff: Tariff | None, price: Fraction | None
) -> Fraction | None:
    """A tariff's price in the currency of the policy's highest price."""
    if tariff is None or price is None or policy.off_peak.currency is None:
        return None
    rate = rate_between(policy.exchange_rates, tariff.currency, policy.off_peak.currency)
    return None if rate is None else price * rate


def _threshold(
    over_time: Steps[InForce],
    at: Instant,
    percent: int | None,
    figure_of: Callable[[InForce], Fraction | None],
) -> Fraction | None:
    """The least figure that at least so much of the known time of the next 24 hours reaches."""
    if percent is None:
        return None
    time_at: defaultdict[Fraction, int] = defaultdict(int)
    for begin, end, in_force in over_time.during(at, at + DAY):
        figure = figure_of(in_force)
        if figure is not None:
            time_at[figure] += end - begin
    known_time = sum(time_at.values())
    so_far = 0
    for figure in sorted(time_at):
        so_far += time_at[figure]
        if so_far * _HUNDRED >= percent * known_time:
            return figure
    return None
