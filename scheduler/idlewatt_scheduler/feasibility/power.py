"""Power and charge of a car, evaluated at the instants where something begins or ends."""

from collections.abc import Iterable, Sequence
from enum import Enum
from fractions import Fraction
from itertools import pairwise

from idlewatt_scheduler.feasibility.reading import Candidate, Stay
from idlewatt_scheduler.feasibility.steps import inner_edges
from idlewatt_scheduler.model.charging import ChargingProfile
from idlewatt_scheduler.model.site import ChargingController
from idlewatt_scheduler.model.units import (
    MILLIWATT_MILLISECONDS_PER_WATT_HOUR,
    Instant,
    Milliwatts,
    milliwatts,
)
from idlewatt_scheduler.model.vehicle import EnergySource, Supply


class Source(Enum):
    """Where a vehicle's computing takes its energy from."""

    GRID = "grid"
    BATTERY = "battery"
    NONE = "none"


def source_of(candidate: Candidate) -> Source:
    """The grid where it is supplied and consented to, else the battery if that is."""
    agreement = candidate.vehicle.agreement if candidate.vehicle else None
    consented = agreement.energy_sources if agreement else frozenset()
    if candidate.connection.supply is Supply.SUPPLIED and EnergySource.GRID in consented:
        return Source.GRID
    return Source.BATTERY if EnergySource.BATTERY in consented else Source.NONE


def is_plugged(candidate: Candidate) -> bool:
    """Whether the car hangs on a charge point that is known to be there."""
    return candidate.connection.supply in {Supply.PLUGGED_NOT_SUPPLIED, Supply.SUPPLIED}


def edges_of(stays: Iterable[Stay]) -> set[Instant]:
    """Every instant at which one of the stays begins or ends."""
    return {edge for stay in stays for edge in (stay.start, stay.end)}


def pods_power(stays: Iterable[Stay], instant: Instant) -> Milliwatts:
    """What our pods draw at an instant, standby left out."""
    return sum(stay.power for stay in stays if stay.covers(instant))


def computing_power(candidate: Candidate, stays: Sequence[Stay], instant: Instant) -> Milliwatts:
    """DC milliwatts of the computer at an instant; nothing without our pods."""
    if candidate.vehicle is None or not any(stay.covers(instant) for stay in stays):
        return 0
    standby = milliwatts(candidate.vehicle.compute.standby_power_watts)
    return pods_power(stays, instant) + standby


def ac_power(candidate: Candidate, dc: Milliwatts) -> Milliwatts:
    """What the wall gives for DC power, in whole milliwatts."""
    return dc * 100 // candidate.vehicle.compute.efficiency_percent if candidate.vehicle else 0


def charge_used(
    candidate: Candidate, stays: Sequence[Stay], at: Instant, instant: Instant
) -> Fraction:
    """State of charge in percent if nothing is charged: on the battery computing takes from it."""
    observed = candidate.vehicle.observed.battery if candidate.vehicle else None
    if candidate.vehicle is None or observed is None or observed.state_of_charge_percent is None:
        return Fraction(0)
    charge = Fraction(observed.state_of_charge_percent)
    if source_of(candidate) is not Source.BATTERY:
        return charge
    cuts = [at, *inner_edges(edges_of(stays), at, instant), max(at, instant)]
    used = sum(
        computing_power(candidate, stays, begin) * (end - begin) for begin, end in pairwise(cuts)
    )
    watt_hours = Fraction(used, MILLIWATT_MILLISECONDS_PER_WATT_HOUR)
    return charge - 100 * watt_hours / candidate.vehicle.battery.net_capacity_watt_hours


def charge_at(
    candidate: Candidate, stays: Sequence[Stay], at: Instant, instant: Instant
) -> Fraction:
    """State of charge in percent that is relied upon: a controlled car is charged by both profiles.

    At every instant it is credited with the lesser of what the two say.
    """
    charge = charge_used(candidate, stays, at, instant)
    old, new = acknowledged(candidate), candidate.new_profile
    if candidate.vehicle is None or old is None or new is None or instant <= at:
        return charge
    cuts = [at, *inner_edges(charging_edges(candidate), at, instant), instant]
    given = sum(
        min(power_of(old, begin), power_of(new, begin)) * (end - begin)
        for begin, end in pairwise(cuts)
    )
    stored = Fraction(
        given * candidate.vehicle.charge_efficiency_percent, MILLIWATT_MILLISECONDS_PER_WATT_HOUR
    )
    return charge + stored / candidate.vehicle.battery.net_capacity_watt_hours


def draw_cap(candidate: Candidate) -> Milliwatts:
    """The most the car draws from its charge point."""
    reported = candidate.connection.charge_power_limit_watts
    own = candidate.vehicle.max_charge_power_watts if candidate.vehicle else 0
    return milliwatts(own if reported is None else reported)


class Counting(Enum):
    """Which of a car's charging is counted, where its charger takes our profiles."""

    EITHER = "the greater of the acknowledged profile and the new one"
    NEW_IF_CONTROLLED = "the new profile of a controlled car"
    NEW = "the new profile of every car that has one"
    EITHER_OR_NEW = "the greater of the two; of a car that is not controlled, the new one"


def power_of(profile: ChargingProfile | None, instant: Instant) -> Milliwatts:
    """What a profile says of an instant; nothing where it says nothing."""
    return (profile.power_at(instant) or 0) if profile else 0


def acknowledged(candidate: Candidate) -> ChargingProfile | None:
    """The profile that a controlled car is known to keep; None: the car is not controlled."""
    connection, site = candidate.connection, candidate.site
    if site is None or site.charging_controller is not ChargingController.IDLEWATT:
        return None
    profile = connection.profile
    if connection.supply is not Supply.SUPPLIED or profile is None:
        return None
    return None if profile.power_at(candidate.at) is None else profile


def reported_charging(candidate: Candidate) -> Milliwatts:
    """What goes into the battery of a car we do not charge: as reported, else the most."""
    reported = candidate.connection.charge_power_watts
    if reported is not None:
        return milliwatts(reported)
    if candidate.connection.supply is Supply.PLUGGED_NOT_SUPPLIED:
        return 0
    return draw_cap(candidate)


def charging_power(
    candidate: Candidate, instant: Instant, which: Counting = Counting.EITHER
) -> Milliwatts:
    """What goes into the battery at an instant."""
    old, new = acknowledged(candidate), candidate.new_profile
    planned = power_of(new, instant)
    if old is None:
        counts_anyway = which in {Counting.NEW, Counting.EITHER_OR_NEW}
        return planned if new is not None and counts_anyway else reported_charging(candidate)
    if new is None or which in {Counting.EITHER, Counting.EITHER_OR_NEW}:
        return max(power_of(old, instant), planned)
    return planned


def charging_edges(candidate: Candidate) -> set[Instant]:
    """Every instant at which a profile of the car may change its power."""
    profiles = (acknowledged(candidate), candidate.new_profile)
    return {
        max(period.start, candidate.at)
        for profile in profiles
        if profile is not None
        for period in profile.periods
    }


def draw(
    candidate: Candidate,
    stays: Sequence[Stay],
    instant: Instant,
    which: Counting = Counting.EITHER,
) -> Milliwatts:
    """What the car takes from its circuit; a car of unknown supply is held to be plugged."""
    return draw_beside(candidate, stays, instant, charging_power(candidate, instant, which))


def draw_beside(
    candidate: Candidate, stays: Sequence[Stay], instant: Instant, charging: Milliwatts
) -> Milliwatts:
    """What the car takes from its circuit while so much goes into its battery."""
    if candidate.connection.supply is Supply.UNPLUGGED:
        return 0
    computing = ac_power(candidate, computing_power(candidate, stays, instant))
    return min(draw_cap(candidate), charging + computing)
