"""The charge of one vehicle over time, exactly.

Charge is counted in hundredths of a milliwatt-millisecond, so that an efficiency in whole percent
leaves every figure an integer: it rises by power x time x efficiency, falls on the battery by
100 x computing x time, and is a straight line between two instants at which nothing changes.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeAlias

from idlewatt_scheduler.energy import (
    MILLIWATT_MILLISECONDS_PER_PERCENT_WATT_HOUR,
    Controlled,
    Electrics,
    Source,
    Step,
)
from idlewatt_scheduler.model.units import FOREVER, Instant, Milliwatts
from idlewatt_scheduler.model.vehicle import Vehicle

Charge: TypeAlias = int
"""Hundredths of a milliwatt-millisecond in the battery."""

Wish: TypeAlias = tuple[Instant, Instant, Milliwatts]
"""From, until, and the AC power that a profile gives the car meanwhile."""

WATT = 1_000


@dataclass(frozen=True, slots=True)
class Intake:
    """What a plugged car takes of the power it is given.

    Attributes:
        cap: milliwatts AC that charging and computing share.
        most: milliwatts AC, the most that charging takes at any charge.
        least: milliwatts AC, under which the car does not charge at all.
        charge_efficiency_percent: from AC into the battery.
        steps: of the taper, by rising charge: from there on at most so many milliwatts.
        computing_efficiency_percent: from AC to the computer's DC.
        drains: the computer takes its power from the battery.
    """

    cap: Milliwatts
    most: Milliwatts
    least: Milliwatts
    charge_efficiency_percent: int
    steps: tuple[tuple[Charge, Milliwatts], ...] = ()
    computing_efficiency_percent: int = 100
    drains: bool = False

    def greatest(self, charge: Charge, computing: Milliwatts = 0) -> Milliwatts:
        """The greatest power at a charge while so much (DC) computes, in whole watts."""
        tapered = self.most
        for level, most in self.steps:
            if level > charge:
                break
            tapered = most
        left = self.cap - computing * 100 // self.computing_efficiency_percent
        return max(min(self.most, tapered, left), 0) // WATT * WATT

    def taken(self, given: Milliwatts, charge: Charge, computing: Milliwatts = 0) -> Milliwatts:
        """What goes in of so much: none where that is less than the car can be charged with."""
        power = min(given // WATT * WATT, self.greatest(charge, computing))
        return power if power >= self.least else 0


@dataclass(frozen=True, slots=True)
class Trajectory:
    """Charge at each of some instants, a straight line between two, level after the last.

    Attributes:
        powers: milliwatts AC into the battery from each instant to the next.
    """

    instants: tuple[Instant, ...]
    charges: tuple[Charge, ...]
    powers: tuple[Milliwatts, ...]

    def charge_at(self, instant: Instant) -> Charge:
        """The charge at one instant, at or after the first."""
        index = bisect_right(self.instants, instant) - 1
        if index >= len(self.powers):
            return self.charges[-1]
        start, end = self.instants[index], self.instants[index + 1]
        rise = (self.charges[index + 1] - self.charges[index]) // (end - start)
        return self.charges[index] + rise * (instant - start)

    def first_under(self, level: Charge) -> Instant | None:
        """The first instant at which the charge is under `level`; None: it never is."""
        if self.charges[0] < level:
            return self.instants[0]
        for start, end, before, after in self._pieces():
            if after < level:
                fall = (before - after) // (end - start)
                return start + (before - level) // fall + 1
        return None

    def reaches(self, level: Charge) -> Instant | None:
        """The first instant, rounded up, at which the charge is at `level`; None: it never is."""
        if self.charges[0] >= level:
            return self.instants[0]
        for start, end, before, after in self._pieces():
            if after >= level:
                rise = (after - before) // (end - start)
                return start - (before - level) // rise
        return None

    def greatest(self, end: Instant) -> Charge:
        """The greatest charge up to an instant."""
        before = (c for t, c in zip(self.instants, self.charges, strict=True) if t < end)
        return max(self.charge_at(end), *before)

    def least(self, start: Instant, end: Instant) -> Charge:
        """The least charge in `[start, end]`."""
        inside = (c for t, c in zip(self.instants, self.charges, strict=True) if start < t < end)
        return min(self.charge_at(start), self.charge_at(end), *inside)

    def _pieces(self) -> Iterator[tuple[Instant, Instant, Charge, Charge]]:
        times, charges = pairwise(self.instants), pairwise(self.charges)
        for (start, end), (before, after) in zip(times, charges, strict=True):
            yield start, end, before, after


def percent_of(vehicle: Vehicle, percent: int) -> Charge:
    """So many percent of the net capacity."""
    per_percent = vehicle.battery.net_capacity_watt_hours
    return percent * per_percent * MILLIWATT_MILLISECONDS_PER_PERCENT_WATT_HOUR * 100


def charge_of(vehicle: Vehicle) -> Charge:
    """The charge as it was last reported; without a report there is none."""
    battery = vehicle.observed.battery
    reported = battery.state_of_charge_percent if battery else None
    return percent_of(vehicle, reported or 0)


def follow(
    intake: Intake,
    charge: Charge,
    wishes: Iterable[Wish],
    computing: Sequence[Step] = (),
    full: Charge | None = None,
) -> Trajectory:
    """How the charge moves while the car is given the power of each wish.

    A step of the taper that was reached, and `full` likewise, holds until the next wish, though the
    charge fall again: otherwise a car could stand on a step and change its power every millisecond.

    Args:
        intake: what the car takes of it.
        charge: at the start of the first wish.
        wishes: in order of time, without gaps; none of them endless.
        computing: what computes, in order of time.
        full: once there, nothing is taken any more, until the next wish.
    """
    instants: list[Instant] = []
    charges, powers = [charge], []
    for start, end, given in wishes:
        if not instants:
            instants.append(start)
        at, highest, stopped = start, charge, False
        while at < end:
            stopped = stopped or (full is not None and charge >= full)
            highest = max(highest, charge)
            busy, until = _computing(computing, at)
            power = 0 if stopped else intake.taken(given, highest, busy)
            gain = power * intake.charge_efficiency_percent - (100 * busy if intake.drains else 0)
            until = min(end, until)
            if gain > 0:
                until = min(until, at - (charge - _next_level(intake, highest, full)) // gain)
            charge += gain * (until - at)
            instants.append(until)
            charges.append(charge)
            powers.append(power)
            at = until
    return Trajectory(tuple(instants), tuple(charges), tuple(powers))


def rise(
    intake: Intake, charge: Charge, wishes: Iterable[Wish], full: Charge
) -> tuple[Charge, list[Wish]]:
    """The charge after these wishes while nothing takes from it, and what was taken and when.

    The same as `follow`, without what computes, for wishes that have gaps and leave room for it.
    """
    levels = [level for level, _ in intake.steps]
    taken: list[Wish] = []
    for start, end, given in wishes:
        at = start
        while at < end:
            if charge >= full:
                return charge, taken
            passed = bisect_right(levels, charge)
            power = min(given, intake.steps[passed - 1][1] // WATT * WATT) if passed else given
            if power < intake.least or not power:
                break
            goal = min(full, levels[passed]) if passed < len(levels) else full
            gain = power * intake.charge_efficiency_percent
            until = min(end, at - (charge - goal) // gain)
            charge += gain * (until - at)
            taken.append((at, until, power))
            at = until
    return charge, taken


def _computing(line: Sequence[Step], at: Instant) -> tuple[Milliwatts, Instant]:
    """What computes at an instant, and until when."""
    for step in line:
        if at < step.start:
            return 0, step.start
        if at < step.end:
            return step.computing, step.end
    return 0, FOREVER


def _next_level(intake: Intake, charge: Charge, full: Charge | None) -> Charge:
    """The next charge at which something changes."""
    levels = [level for level, _ in intake.steps]
    if full is not None:
        levels.append(full)
    return min((level for level in levels if level > charge), default=FOREVER * FOREVER)


def charge_ahead(
    vehicle: Vehicle,
    figures: Electrics,
    charging: Controlled | None,
    computing: Sequence[Step],
    until: Instant,
) -> Trajectory:
    """The charge that is relied upon to an instant: a controlled car's profiles, the lesser."""
    pieces = charging.least if charging else ()
    intake = Intake(
        cap=FOREVER,
        most=FOREVER,
        least=0,
        charge_efficiency_percent=vehicle.charge_efficiency_percent,
        drains=figures.source is not Source.GRID,
    )
    wishes = [
        (piece.start, min(piece.end, until), piece.power) for piece in pieces if piece.start < until
    ]
    return follow(intake, charge_of(vehicle), wishes or [(until, until + 1, 0)], computing)
