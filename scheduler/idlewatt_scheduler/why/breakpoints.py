"""The instants at which a pod that does not fit on a vehicle may begin to.

What is asked of a stay is asked from its start on, so whatever comes true comes true at such an
instant: a window opens, a price or a limit changes, a pod ends. Between two of them nothing does.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from typing import Final

from idlewatt_scheduler.candidates import Candidate, Parked
from idlewatt_scheduler.circuits import Room
from idlewatt_scheduler.energy import MILLIWATT_MILLISECONDS_PER_PERCENT_WATT_HOUR
from idlewatt_scheduler.model.policy import FleetPolicy
from idlewatt_scheduler.model.units import DAY, FOREVER, MINUTE, Instant
from idlewatt_scheduler.prices import Segment
from idlewatt_scheduler.why.outlook import (
    AHEAD,
    Outlook,
    hours_of,
    idle_enough_at,
    relied_upon,
    site_of,
    stays_until,
)

QUARTER: Final = 15 * MINUTE

_Level = Fraction | Decimal


def instants(outlook: Outlook, candidate: Candidate, rooms: Sequence[Room]) -> list[Instant]:
    """In order, after the snapshot's time and at most a week from it.

    Args:
        outlook: of the fleet.
        candidate: one of its vehicles; nothing comes true for a Node without one but pods' ends.
        rooms: what the plan leaves of the circuits above it.
    """
    at, parked = outlook.snapshot.at, candidate.parked
    found: set[Instant] = set(_ends(outlook, candidate))
    if parked is not None:
        found.update(_openings(outlook, parked))
        found.update(start for room in rooms for start in room.starts)
        if parked.prices is not None:
            segments = parked.prices.segments
            found.update(segment.start for segment in segments)
            found.update(_thresholds(segments, outlook.snapshot.policy, at))
        found.update(_charged(parked, at))
        if outlook.snapshot.departures is not None or relied_upon(parked, at) is not None:
            found.update(range(at - at % QUARTER, at + DAY, QUARTER))
    wake = outlook.wake(candidate)
    found.update([instant - wake for instant in found] if wake else ())
    return sorted(instant for instant in found if at < instant <= at + AHEAD)


def _ends(outlook: Outlook, candidate: Candidate) -> Iterator[Instant]:
    """When pods there and beside it end, and when the cars that they are on leave."""
    site = site_of(candidate)
    beside = () if site is None else outlook.at_site.get(site.name, ())
    for name in {candidate.name, *beside}:
        for stay in outlook.stays.get(name, ()):
            if stay.stretch.end < FOREVER:
                yield stay.stretch.end


def _openings(outlook: Outlook, parked: Parked) -> Iterator[Instant]:
    """When its windows open, and when it has stood long enough."""
    at, idle = outlook.snapshot.at, outlook.snapshot.policy.idle_before_start_seconds
    parking = parked.vehicle.observed.parking
    if parking is not None and parking.since is not None:
        yield idle_enough_at(parking.since, idle)
    hours = hours_of(parked, at)
    for start in () if hours is None else hours.starts:
        yield start
        yield idle_enough_at(start, idle)
    gone = stays_until(parked, at)
    if gone is not None:
        yield gone


def _charged(parked: Parked, at: Instant) -> Iterator[Instant]:
    """When acknowledged charging reaches the charges that clauses ask about."""
    profile, battery = relied_upon(parked, at), parked.vehicle.observed.battery
    if profile is None or battery is None or battery.state_of_charge_percent is None:
        return
    for period in profile.periods:
        yield period.start
    capacity = parked.vehicle.battery.net_capacity_watt_hours
    whole = 100 * capacity * MILLIWATT_MILLISECONDS_PER_PERCENT_WATT_HOUR
    efficiency = parked.vehicle.charge_efficiency_percent
    percent = Fraction(battery.state_of_charge_percent)
    for start, end, power in profile.pieces(at, at + AHEAD):
        for level in range(int(percent) + 1, 101) if power else ():
            reached = start + -(-(level - percent) * whole // (power * efficiency))
            if reached > end:
                break
            yield int(reached)
        percent += Fraction(power * efficiency * (end - start), whole)


def _thresholds(segments: Sequence[Segment], policy: FleetPolicy, at: Instant) -> Iterator[Instant]:
    """When the cheapest, or cleanest, part of the next 24 hours becomes another one."""
    tests: list[tuple[int | None, Callable[[Segment], _Level | None]]] = [
        (policy.off_peak.cheapest_percent_of_next_24_hours, lambda segment: segment.price),
        (policy.off_peak.cleanest_percent_of_next_24_hours, lambda segment: segment.grams),
    ]
    for percent, value in tests:
        if percent is not None:
            yield from _crossings(_known(segments, value), percent, at)


def _known(
    segments: Sequence[Segment], value: Callable[[Segment], _Level | None]
) -> list[tuple[Instant, Instant, _Level]]:
    return [
        (segment.start, segment.end, level)
        for segment in segments
        if (level := value(segment)) is not None
    ]


def _crossings(
    known: Sequence[tuple[Instant, Instant, _Level]], percent: int, at: Instant
) -> Iterator[Instant]:
    """When some level begins, or ceases, to cover `percent` of the known time of a day ahead.

    Between two edges, now and a day later, every covered time changes evenly.
    """
    edges = {edge - shift for start, end, _ in known for edge in (start, end) for shift in (0, DAY)}
    inside = sorted(edge for edge in edges if at < edge < at + AHEAD)
    for begin, finish in pairwise([at, *inside]):
        before, after = _excess(known, percent, begin), _excess(known, percent, finish)
        for level, first in before.items():
            last = after.get(level, first)
            if (first >= 0) != (last >= 0):
                crossed = begin + Fraction(first * (finish - begin), first - last)
                yield crossed.__floor__()
                yield crossed.__floor__() + 1
        yield finish


def _excess(
    known: Sequence[tuple[Instant, Instant, _Level]], percent: int, at: Instant
) -> Mapping[_Level, int]:
    """By level, 100 x the time of the day from `at` on at or below it, less its due."""
    lengths: dict[_Level, int] = {}
    total = 0
    for start, end, level in known:
        length = max(min(end, at + DAY) - max(start, at), 0)
        lengths[level] = lengths.get(level, 0) + length
        total += length
    reached, result = 0, {}
    for level in sorted(lengths):
        reached += lengths[level]
        result[level] = 100 * reached - percent * total
    return result
