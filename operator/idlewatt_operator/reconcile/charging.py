"""Charging: which profiles are sent now, and what may be in force at a charger meanwhile.

A plan has a new profile for every car in every cycle, and most of them say what the charger was
told already. Only what differs is sent. What was not answered may be in force all the same, so a
car counts with the greatest of what was acknowledged and what has been sent since. Nothing of it
outlives the process, nor the session at one charge point: until a charger has acknowledged
something in this one, its car's charging is External.
"""

from collections import Counter
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from idlewatt_operator.gateways.protocols import Outcome, Result
from idlewatt_operator.reconcile.backoff import Backoffs
from idlewatt_operator.reconcile.situation import Situation
from idlewatt_scheduler.model.charging import ChargingPeriod, ChargingProfile
from idlewatt_scheduler.model.plan import Charging, Plan
from idlewatt_scheduler.model.snapshot import Snapshot
from idlewatt_scheduler.model.units import (
    MILLIWATT_MILLISECONDS_PER_WATT_HOUR,
    MINUTE,
    SECOND,
    Instant,
    Milliwatts,
)
from idlewatt_scheduler.model.vehicle import Supply, Vehicle

SOON: Final = MINUTE
"""What differs within this time is sent, however little it is."""

SENT: Final = "Sent"
"""How all profiles are counted; those that were answered once more, by their outcome."""

_SAME_PERCENT: Final = 2
"""A charge is reported in whole percents, which moves the end of charging by as much: a profile
that differs by no more than twice that, and not soon, is the same one."""

_UNANSWERED_MOST: Final = 4


@dataclass(frozen=True, slots=True)
class Sending:
    """A profile that is sent now.

    Attributes:
        sheds: the car is to take less at once than it may be taking.
    """

    vehicle: str
    profile: ChargingProfile
    sheds: bool


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """A profile that a charger took, and since when that is known."""

    profile: ChargingProfile
    at: Instant


@dataclass(frozen=True, slots=True)
class _Session:
    """A car at a charge point, as far as it can be told from the one before and the one after."""

    site: str | None
    circuit: str | None
    since: Instant | None

    def goes_on_as(self, other: "_Session") -> bool:
        """Whether the other one may be the same; somebody who sits in the car ends no session."""
        if (self.site, self.circuit) != (other.site, other.circuit):
            return False
        return None in {self.since, other.since} or self.since == other.since


@dataclass(slots=True)
class _Talk:
    """What was said to a charger in one session, and what it answered.

    Attributes:
        unanswered: sent since what was acknowledged, the oldest first.
        in_flight: how many of them may still be answered.
    """

    session: _Session
    acknowledged: ChargingProfile | None = None
    acknowledged_at: Instant = 0
    unanswered: tuple[ChargingProfile, ...] = ()
    in_flight: int = 0

    def may_hold(self) -> ChargingProfile | None:
        """The most that may be in force; None: nothing was acknowledged."""
        if self.acknowledged is None or not self.unanswered:
            return self.acknowledged
        return greatest(self.acknowledged, self.unanswered)

    def hear(self, acknowledged: ChargingProfile | None, at: Instant) -> None:
        """What the gateway knows to be acknowledged at this instant."""
        if acknowledged in self.unanswered:
            heard = self.unanswered.index(acknowledged)
            self.acknowledged, self.acknowledged_at = acknowledged, at
            self.unanswered = self.unanswered[heard + 1 :]
        elif acknowledged != self.acknowledged:
            self.acknowledged = None

    def say(self, profile: ChargingProfile) -> None:
        """It is being sent."""
        self.in_flight += 1
        self.unanswered = (*self.unanswered, profile)
        if len(self.unanswered) > _UNANSWERED_MOST:
            first, second, *rest = self.unanswered
            self.unanswered = (greatest(first, (second,)), *rest)


@dataclass
class Charges:
    """What was said to every charger in the sessions that go on.

    Attributes:
        per_second: how many profiles may be sent.
        backoffs: chargers that refused, or did not answer, by vehicle.
        counts: how many profiles were sent, and how those that were answered ended.
    """

    per_second: int
    backoffs: Backoffs
    counts: Counter[str] = field(default_factory=Counter)
    _talks: dict[str, _Talk] = field(default_factory=dict)
    _allowed: float = 0.0
    _at: Instant | None = None

    def merged(
        self, snapshot: Snapshot, acknowledged: Mapping[str, ChargingProfile] | None
    ) -> Snapshot:
        """The snapshot in which every car counts with what its charger may hold.

        Args:
            snapshot: what was observed; what it says of profiles is not believed.
            acknowledged: as the gateway has it; None: there is no gateway.
        """
        known = {} if acknowledged is None else acknowledged
        at = snapshot.at
        vehicles = tuple(self._merged(each, known.get(each.name), at) for each in snapshot.vehicles)
        return replace(snapshot, vehicles=vehicles)

    def acknowledged(self) -> Mapping[str, Acknowledged]:
        """By vehicle what its charger took last in the session that goes on, and when."""
        return {
            name: Acknowledged(talk.acknowledged, talk.acknowledged_at)
            for name, talk in self._talks.items()
            if talk.acknowledged is not None
        }

    def to_send(self, plan: Plan, situation: Situation) -> list[Sending]:
        """The profiles that differ from what their chargers were told: what sheds first."""
        self._refill(situation.at)
        wanted = [
            sending
            for charging in plan.charging
            if (sending := self._sending(charging, situation)) is not None
        ]
        wanted.sort(key=lambda each: (not each.sheds, each.vehicle))
        chosen = wanted[: int(self._allowed)]
        self._allowed -= len(chosen)
        return chosen

    def sending(self, sending: Sending) -> None:
        """It is on its way; whatever comes of it, it may be in force from now on."""
        self.counts[SENT] += 1
        self._talks[sending.vehicle].say(sending.profile)

    def answered(self, sending: Sending, result: Result, at: Instant) -> None:
        """The charger answered, or did not in time."""
        self.counts[str(result.outcome)] += 1
        if result.outcome is Outcome.DONE:
            self.backoffs.settled(sending.vehicle)
        else:
            self.backoffs.refused(sending.vehicle, at)
        talk = self._talks.get(sending.vehicle)
        if talk is None:
            return
        talk.in_flight = max(0, talk.in_flight - 1)
        if result.outcome not in {Outcome.DONE, Outcome.UNKNOWN}:
            talk.unanswered = tuple(each for each in talk.unanswered if each != sending.profile)

    def keep_only(self, vehicles: Container[str]) -> None:
        """Forget the vehicles that are no more."""
        self._talks = {name: talk for name, talk in self._talks.items() if name in vehicles}
        self.backoffs.keep_only(vehicles)

    def _merged(
        self, vehicle: Vehicle, acknowledged: ChargingProfile | None, at: Instant
    ) -> Vehicle:
        connection = vehicle.observed.connection
        session = _session(vehicle)
        talk = self._talks.get(vehicle.name)
        if session is None or (talk is not None and not talk.session.goes_on_as(session)):
            self._talks.pop(vehicle.name, None)
            talk = None
        profile = None
        if talk is not None:
            talk.hear(acknowledged, at)
            profile = talk.may_hold()
        elif session is not None:
            self._talks[vehicle.name] = _Talk(session)
        if connection is None or connection.profile == profile:
            return vehicle
        with_profile = replace(connection, profile=profile)
        return replace(vehicle, observed=replace(vehicle.observed, connection=with_profile))

    def _sending(self, charging: Charging, situation: Situation) -> Sending | None:
        talk, vehicle = self._talks.get(charging.vehicle), situation.vehicle(charging.vehicle)
        if talk is None or vehicle is None:
            return None
        sheds = _takes_less(vehicle, talk, charging.profile, situation.at)
        told = talk.unanswered[-1] if talk.unanswered else talk.acknowledged
        is_new = told is None or differs(told, charging.profile, situation.at, vehicle)
        if not is_new and not talk.unanswered:
            return None
        waits = talk.in_flight or self.backoffs.holds(charging.vehicle, situation.at)
        if waits and not (sheds and is_new):
            return None
        return Sending(charging.vehicle, charging.profile, sheds)

    def _refill(self, at: Instant) -> None:
        passed = SECOND if self._at is None else max(0, at - self._at)
        most = float(self.per_second * 10)
        self._allowed = min(most, self._allowed + self.per_second * passed / SECOND)
        self._at = at


def differs(told: ChargingProfile, new: ChargingProfile, at: Instant, vehicle: Vehicle) -> bool:
    """Whether a charger that was told the one has to be told the other.

    It has to where they part within the next minute, and where they part later by more energy than
    2 % of the battery.
    """
    least = vehicle.battery.net_capacity_watt_hours * _SAME_PERCENT
    apart = 0
    for start, end, one, other in _both(told, new, at):
        if one != other and start < at + SOON:
            return True
        apart += abs((one or 0) - (other or 0)) * (end - start)
        if apart * 100 > least * MILLIWATT_MILLISECONDS_PER_WATT_HOUR:
            return True
    return False


def greatest(first: ChargingProfile, others: Iterable[ChargingProfile]) -> ChargingProfile:
    """At every instant since `first` began the greatest power of all."""
    all_of_them = (first, *others)
    begin = first.periods[0].start
    starts = sorted({each.start for one in all_of_them for each in one.periods} | {begin})
    periods: list[ChargingPeriod] = []
    for start in starts:
        power = max(one.power_at(start) or 0 for one in all_of_them)
        if start >= begin and (not periods or periods[-1].power != power):
            periods.append(ChargingPeriod(start, power))
    return ChargingProfile(tuple(periods))


def _both(
    told: ChargingProfile, new: ChargingProfile, at: Instant
) -> Iterable[tuple[Instant, Instant, Milliwatts | None, Milliwatts | None]]:
    """Stretches from `at` to the last change of either, with the power of each."""
    changes = {each.start for one in (told, new) for each in one.periods if each.start > at}
    starts = [at, *sorted(changes)]
    # Behind the last change both are what they are for ever: a minute of it tells whether equal.
    ends = [*starts[1:], starts[-1] + SOON]
    for start, end in zip(starts, ends, strict=True):
        yield start, end, told.power_at(start), new.power_at(start)


def _session(vehicle: Vehicle) -> _Session | None:
    """The session that goes on; None: the car is at no charge point that is known."""
    connection, parking = vehicle.observed.connection, vehicle.observed.parking
    if connection is None or connection.supply in {None, Supply.UNPLUGGED}:
        return None
    since = parking.since if parking is not None and parking.parked else None
    return _Session(connection.site, connection.circuit, since)


def _takes_less(vehicle: Vehicle, talk: _Talk, new: ChargingProfile, at: Instant) -> bool:
    """Whether the car may be taking more at this instant than the new profile gives."""
    wanted = new.power_at(at) or 0
    held = talk.may_hold()
    if held is not None:
        return (held.power_at(at) or 0) > wanted
    connection = vehicle.observed.connection
    watts = None if connection is None else connection.charge_power_watts
    return watts is None or watts * 1_000 > wanted
