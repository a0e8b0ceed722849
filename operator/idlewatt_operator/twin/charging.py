"""Charge points that can be told when to charge: they take an OCPP profile, or they do not.

What goes wrong with real ones can be made to go wrong here: a profile is rejected, an answer is
lost on its way, a charge point starts anew and knows no profile any more, or gives nothing at all.
A car whose charge point was told nothing charges at once.
"""

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial
from typing import Any, Final

from idlewatt_operator.gateways.ocpp import charging_profile, read_charging_profile
from idlewatt_operator.gateways.protocols import Outcome, Result
from idlewatt_operator.twin.clock import ManualClock
from idlewatt_scheduler.model.charging import ChargingProfile
from idlewatt_scheduler.model.units import Milliwatts

MOST_PERIODS: Final = 1_024
"""`ChargingScheduleMaxPeriods` of a well made charge point."""


class Answer(StrEnum):
    """What comes of a `SetChargingProfile`."""

    ACCEPTED = "Accepted"
    REJECTED = "Rejected"
    LOST_ON_THE_WAY = "LostOnTheWay"
    """It never arrived, and nobody answers."""
    ANSWER_LOST = "AnswerLost"
    """It is followed, and nobody answers."""


@dataclass
class Station:
    """The charge point that one car is plugged into.

    Attributes:
        minimum: milliwatts; below 6 A nothing can be given.
        profile: what it was told in this transaction; None: nothing, or it has started anew.
        acknowledged: the profile, and that it was taken, are known to the operator.
    """

    minimum: Milliwatts
    profile: ChargingProfile | None = None
    acknowledged: ChargingProfile | None = None
    dead: bool = False

    def take(self, written: Mapping[str, Any]) -> str:
        """Why it is not taken; empty: it is."""
        try:
            profile = read_charging_profile(written)
        except (KeyError, ValueError) as error:
            return str(error)
        if len(profile.periods) > MOST_PERIODS:
            return f"It has {len(profile.periods)} periods; {MOST_PERIODS} are the most."
        if any(0 < each.power < self.minimum for each in profile.periods):
            return f"Between nothing and {self.minimum // 1_000} W it can give nothing."
        self.profile = profile
        return ""


@dataclass
class Stations:
    """Every charge point that can be told something: `ChargingGateway` of the twin.

    Args:
        clock: moves everything.
        on_change: called with the vehicle whose charge point gives something else from now on.

    Attributes:
        faults: what comes of the next profiles, before all go well again.
        sent: how many there were.
    """

    clock: ManualClock
    on_change: Callable[[str], None]
    faults: deque[Answer] = field(default_factory=deque)
    sent: int = 0
    _by_vehicle: dict[str, Station] = field(default_factory=dict)

    def plug(self, vehicle: str, minimum: Milliwatts) -> None:
        """A transaction begins at a charge point that can be told something."""
        self._by_vehicle[vehicle] = Station(minimum)

    def unplug(self, vehicle: str) -> None:
        """The transaction ends, and its profile with it."""
        self._by_vehicle.pop(vehicle, None)

    def station(self, vehicle: str) -> Station | None:
        """The charge point of a car; None: it is at none that can be told something."""
        return self._by_vehicle.get(vehicle)

    def gives(self, vehicle: str) -> Milliwatts | None:
        """The most that goes into the battery now; None: nobody said."""
        station = self._by_vehicle.get(vehicle)
        if station is None:
            return None
        if station.dead:
            return 0
        return None if station.profile is None else station.profile.power_at(self.clock.now())

    def reboot(self, vehicle: str) -> None:
        """It starts anew and has forgotten its profile, and says so as it comes back."""
        station = self._by_vehicle.get(vehicle)
        if station is not None:
            station.profile = station.acknowledged = None
            self.on_change(vehicle)

    def fail(self, vehicle: str, *, dead: bool) -> None:
        """It gives nothing any more, or again what it was told."""
        station = self._by_vehicle.get(vehicle)
        if station is not None:
            station.dead = dead
            self.on_change(vehicle)

    def acknowledged(self) -> Mapping[str, ChargingProfile]:
        """What charge points acknowledged and still know."""
        return {
            name: station.acknowledged
            for name, station in self._by_vehicle.items()
            if station.acknowledged is not None
        }

    async def set_profile(self, vehicle: str, profile: ChargingProfile) -> Result:
        """`SetChargingProfile`, and what comes of it."""
        station = self._by_vehicle.get(vehicle)
        if station is None:
            return Result(Outcome.REFUSED, f"no charge point that {vehicle} is at can be told")
        self.sent += 1
        fault = self.faults.popleft() if self.faults else Answer.ACCEPTED
        if fault is Answer.LOST_ON_THE_WAY:
            return Result(Outcome.UNKNOWN, "the charge point did not answer in time")
        why = "it has no reason" if fault is Answer.REJECTED else ""
        why = why or station.take(charging_profile(profile))
        if why:
            return Result(Outcome.REFUSED, f"the charge point rejected it: {why}")
        self._follow(vehicle, station)
        if fault is Answer.ANSWER_LOST:
            return Result(Outcome.UNKNOWN, "the charge point did not answer in time")
        station.acknowledged = profile
        return Result(Outcome.DONE)

    def _follow(self, vehicle: str, station: Station) -> None:
        """Change what is given whenever a period begins."""
        now, followed = self.clock.now(), station.profile
        self.on_change(vehicle)
        for period in followed.periods if followed is not None else ():
            if period.start > now:
                self.clock.call_at(
                    period.start, partial(self._next_period, vehicle, station, followed)
                )

    def _next_period(
        self, vehicle: str, station: Station, followed: ChargingProfile | None
    ) -> None:
        if self._by_vehicle.get(vehicle) is station and station.profile is followed:
            self.on_change(vehicle)
