"""When people really leave, as it was learned: the early quantile of a distribution."""

from collections.abc import Iterator
from fractions import Fraction
from typing import Final

from idlewatt_scheduler.feasibility.wall_time import as_datetime
from idlewatt_scheduler.model.departures import DepartureModel, DepartureQuantiles
from idlewatt_scheduler.model.site import Site
from idlewatt_scheduler.model.units import SECOND, Instant
from idlewatt_scheduler.model.vehicle import DepartureSource, Vehicle

_HUNDRED: Final = 100
_MILLION: Final = 1_000_000


def learned_departure(
    learned: DepartureModel | None, percent_missed: int, vehicle: Vehicle, site: Site, at: Instant
) -> Instant | None:
    """The departure that was learned of such a stay, never before `at`; None: there is none."""
    observed = vehicle.observed
    source, expected = observed.departure_source, observed.departure_expected_at
    since = observed.parking.since if observed.parking else None
    if learned is None or since is None or since > at:
        return None
    if source is DepartureSource.LEARNED or (expected is not None and expected <= at):
        return None
    told = None if source is DepartureSource.PARKING_WINDOW else expected
    alike = [each for each in learned.quantiles if each.stated is (told is not None)]
    entry = next(_by_telling(alike, vehicle, site, since), None)
    if entry is None:
        return None
    if told is not None:
        departure = _before_stated(entry, (since, told), percent_missed, at)
    else:
        departure = _after_arrival(entry, since, percent_missed, at)
    return max(departure, at)


def _by_telling(
    alike: list[DepartureQuantiles], vehicle: Vehicle, site: Site, since: Instant
) -> Iterator[DepartureQuantiles]:
    """The entries that agree, the one that tells most first; `sorted` keeps the order listed."""
    arrival = as_datetime(since).astimezone(site.time_zone)
    agreeing = [
        entry
        for entry in alike
        if entry.vehicle in {None, vehicle.name}
        and entry.site in {None, site.name}
        and entry.hour in {None, arrival.hour}
        and entry.weekday in {None, arrival.weekday()}
    ]
    yield from sorted(
        agreeing,
        key=lambda entry: (
            entry.vehicle is None,
            entry.site is None,
            entry.hour is None,
            entry.weekday is None,
        ),
    )


def _before_stated(
    entry: DepartureQuantiles,
    stated_stay: tuple[Instant, Instant],
    percent_missed: int,
    at: Instant,
) -> Instant:
    since, told = stated_stay
    share = Fraction(told - since, _MILLION)
    known = percent_at(entry, (told - at) / share)
    if known == 0:
        return at
    early = quantile(entry, known * (_HUNDRED - percent_missed) / _HUNDRED)
    return told - (max(early, Fraction(0)) * share).__ceil__()


def _after_arrival(
    entry: DepartureQuantiles, since: Instant, percent_missed: int, at: Instant
) -> Instant:
    gone = percent_at(entry, Fraction(at - since, SECOND))
    if gone == _HUNDRED:
        return at
    length = quantile(entry, gone + (_HUNDRED - gone) * percent_missed / _HUNDRED)
    return since + (length * SECOND).__floor__()


def percent_at(entry: DepartureQuantiles, value: Fraction) -> Fraction:
    """The least percentage whose quantile is at least a value; 100 beyond the last one."""
    if value > entry.points[-1]:
        return Fraction(_HUNDRED)
    above = next(percent for percent, each in enumerate(entry.points) if each >= value)
    if above == 0:
        return Fraction(0)
    low, high = entry.points[above - 1], entry.points[above]
    return above - 1 + (value - low) / (high - low)


def quantile(entry: DepartureQuantiles, percent: Fraction) -> Fraction:
    """The value at a percentage, linear between whole ones."""
    below = min(percent.__floor__(), _HUNDRED - 1)
    low, high = entry.points[below], entry.points[below + 1]
    return low + (high - low) * (percent - below)
