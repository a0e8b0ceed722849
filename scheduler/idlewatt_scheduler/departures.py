"""How early a car leaves, for all that was learned of departures so far.

A model tells distributions; what is known at the instant of the question, that the car has not
left yet, narrows them down. Everything is whole numbers and fractions.
"""

from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from fractions import Fraction
from itertools import product
from typing import Final, TypeAlias

from idlewatt_scheduler.model.departures import DepartureModel, DepartureQuantiles
from idlewatt_scheduler.model.site import Site
from idlewatt_scheduler.model.units import SECOND, Instant
from idlewatt_scheduler.model.vehicle import DepartureSource, Vehicle

WHOLE: Final = 1_000_000
"""The stated stay, in the unit of a stated entry's quantiles."""

_ALL: Final = 100
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_NOT_STATED: Final = frozenset({DepartureSource.PARKING_WINDOW, DepartureSource.LEARNED})

_Keys: TypeAlias = tuple[bool, str | None, str | None, int | None, int | None]
"""Stated, vehicle, site, hour and weekday: the order in which they tell more."""


@dataclass(frozen=True, slots=True)
class LearnedDepartures:
    """A model, indexed by what its entries tell; empty where nothing was learned."""

    entries: Mapping[_Keys, DepartureQuantiles]

    def entry(
        self, *, stated: bool, vehicle: str, site: str, arrived: datetime
    ) -> DepartureQuantiles | None:
        """The entry that tells the most of this stay; None where none is about it.

        Args:
            stated: whether somebody said when the car would leave.
            vehicle: its name.
            site: where it stands.
            arrived: when it was parked, local to the site.
        """
        keys = product(
            (vehicle, None), (site, None), (arrived.hour, None), (arrived.weekday(), None)
        )
        found = (self.entries.get((stated, *key)) for key in keys)
        return next((entry for entry in found if entry is not None), None)

    def departure(
        self, vehicle: Vehicle, site: Site, miss_percent: int, at: Instant
    ) -> Instant | None:
        """Before when it leaves in `miss_percent` of such cases; None: nothing was learned of it.

        Args:
            vehicle: parked.
            site: where it was observed.
            miss_percent: how often it may leave earlier than is answered here.
            at: the instant of the question; it is known that the car has not left yet.
        """
        since = vehicle.observed.parking.since if vehicle.observed.parking else None
        source = vehicle.observed.departure_source
        expected = vehicle.observed.departure_expected_at
        if not self.entries or since is None or since > at or source is DepartureSource.LEARNED:
            return None
        if expected is not None and expected <= at:
            return None
        stated = expected is not None and source not in _NOT_STATED
        arrived = _local(since, site.time_zone)
        entry = self.entry(stated=stated, vehicle=vehicle.name, site=site.name, arrived=arrived)
        if entry is None:
            return None
        if not stated or expected is None:
            return after_a_stay(entry.points, since, miss_percent, at)
        return after_a_word(entry.points, since, expected, miss_percent, at)

    def charge_by(
        self, vehicle: Vehicle, site: Site, miss_percent: int, departure: Instant
    ) -> Instant:
        """Until when to have charged: the departure, or earlier what was learned on arrival.

        A learned departure recedes while the car stays; who charged by that would put it off
        until the car has gone.
        """
        since = vehicle.observed.parking.since if vehicle.observed.parking else None
        on_arrival = None
        if since is not None:
            on_arrival = self.departure(vehicle, site, miss_percent, since)
        return departure if on_arrival is None else min(departure, on_arrival)


def learned_departures(model: DepartureModel | None) -> LearnedDepartures:
    """A model, indexed once a snapshot. Of entries with the same keys the first counts."""
    entries: dict[_Keys, DepartureQuantiles] = {}
    for entry in model.quantiles if model is not None else ():
        key = (entry.stated, entry.vehicle, entry.site, entry.hour, entry.weekday)
        entries.setdefault(key, entry)
    return LearnedDepartures(entries)


def after_a_word(
    points: tuple[int, ...], since: Instant, expected: Instant, miss_percent: int, at: Instant
) -> Instant:
    """The learned departure of a car whose departure was stated.

    Args:
        points: quantiles of stated less actual departure, in millionths of the stated stay.
        since: when it was parked, not after `at`.
        expected: the stated departure, after `at`.
        miss_percent: how often it may leave earlier.
        at: the instant of the question.
    """
    stay = expected - since
    reached = share_below(points, Fraction((expected - at) * WHOLE, stay))
    if reached == 0:
        return at
    early = max(Fraction(0), quantile(points, reached * (_ALL - miss_percent) / _ALL))
    return max(at, expected - (early * stay / WHOLE).__ceil__())


def after_a_stay(
    points: tuple[int, ...], since: Instant, miss_percent: int, at: Instant
) -> Instant:
    """The learned departure of a car of which nobody said when it leaves.

    Args:
        points: quantiles of the length of a stay, in seconds.
        since: when it was parked, not after `at`.
        miss_percent: how often it may leave earlier.
        at: the instant of the question.
    """
    passed = share_below(points, Fraction(at - since, SECOND))
    if passed == _ALL:
        return at
    length = quantile(points, passed + (_ALL - passed) * miss_percent / _ALL)
    return max(at, since + (length * SECOND).__floor__())


def share_below(points: tuple[int, ...], value: Fraction) -> Fraction:
    """The percentage of a distribution that lies below a value, from its quantiles."""
    above = bisect_left(points, value)
    if above == 0:
        return Fraction(0)
    if above == len(points):
        return Fraction(_ALL)
    low, high = points[above - 1], points[above]
    return above - 1 + (value - low) / (high - low)


def quantile(points: tuple[int, ...], percent: Fraction) -> Fraction:
    """The quantile at a percentage from 0 to 100, linear between whole percentages."""
    below = min(int(percent), _ALL - 1)
    low, high = points[below], points[below + 1]
    return low + (high - low) * (percent - below)


def _local(at: Instant, zone: tzinfo) -> datetime:
    return (_EPOCH + timedelta(milliseconds=at)).astimezone(zone)
