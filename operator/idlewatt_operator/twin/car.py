"""A car as it is, and what it reports of itself."""

from dataclasses import dataclass
from typing import Final

from idlewatt_operator.twin.stays import CHARGE_EFFICIENCY, Stay
from idlewatt_scheduler.model.units import HOUR, SECOND, Instant, Milliseconds, Milliwatts
from idlewatt_scheduler.model.vehicle import (
    DepartureSource,
    Observation,
    ObservedBattery,
    ObservedCompute,
    ObservedConnection,
    ObservedParking,
    Power,
    Supply,
    Vehicle,
)

REPORT_EVERY: Final[Milliseconds] = 30 * SECOND
STATES: Final = ("computing", "leaving", "lost", "charging", "idle", "asleep", "away")
"""What a car may be doing: `leaving` while its pods are drained, `lost` without a link."""

_BATTERY_CELSIUS: Final = 25
_COMPUTER_CELSIUS: Final = 45


@dataclass(slots=True)
class Car:
    """A car as it is, whatever is known of it.

    Attributes:
        stay: where it stands; None: it is being driven.
        since: when it parked, or drove off.
        watt_hours: in the battery at `settled_at`.
        computing: AC milliwatts; `computing_dc` the same at the computer.
        sheddable: milliwatts of both that are ours to shed.
        charger_failed: its charge point has given nothing in this stay for a while.
        supplied: its charge point gives something now.
        told: its owner told when it leaves.
        silent: what was reported last, where nothing is reported any more.
        idle_since: it stands full and without pods since then.
        changed_at: it reported a change then.
    """

    vehicle: Vehicle
    stay: Stay | None = None
    since: Instant = 0
    watt_hours: float = 0.0
    settled_at: Instant = 0
    charging_watts: float = 0.0
    computing: Milliwatts = 0
    computing_dc: Milliwatts = 0
    boarded: bool = False
    told: bool = False
    sheddable: Milliwatts = 0
    charger_failed: bool = False
    supplied: bool = True
    power: Power = Power.AWAKE
    lost: bool = False
    silent: Observation | None = None
    idle_since: Instant | None = None
    changed_at: Instant = 0

    @property
    def name(self) -> str:
        """The vehicle's name."""
        return self.vehicle.name

    def holds(self, at: Instant) -> float:
        """Watt-hours in the battery at `at`, if nothing changes until then."""
        gained = self.charging_watts * CHARGE_EFFICIENCY * (at - self.settled_at) / HOUR
        full = self.stay.full_watt_hours if self.stay is not None else self.watt_hours
        return max(self.watt_hours, min(full, self.watt_hours + gained))

    def state(self, *, leaving: bool) -> str:
        """A word of `STATES`.

        Args:
            leaving: its pods are being drained.
        """
        if self.lost:
            return "lost"
        if self.stay is None:
            return "away"
        if leaving:
            return "leaving"
        if self.computing:
            return "computing"
        if self.power is not Power.AWAKE:
            return "asleep"
        return "charging" if self.charging_watts else "idle"

    def reported(self, now: Instant) -> Observation:
        """What was reported last."""
        return self.silent if self.silent is not None else self.seen(now)

    def seen(self, now: Instant) -> Observation:
        """What a car that reports has reported: on the half minute, and at every change."""
        at = max(now - now % REPORT_EVERY, self.changed_at)
        stay, departure = self.stay, self._departure()
        percent = int(100 * self.holds(now) / self.vehicle.battery.net_capacity_watt_hours)
        return Observation(
            power=self.power,
            battery=ObservedBattery(percent, _BATTERY_CELSIUS, at),
            parking=ObservedParking(
                parked=stay is not None,
                occupied=stay is None or self.boarded,
                since=self.since,
                observed_at=at,
            ),
            compute=ObservedCompute(_COMPUTER_CELSIUS, at),
            connection=self._connection(at),
            departure_expected_at=departure,
            departure_source=None if departure is None else self._source(),
        )

    def _departure(self) -> Instant | None:
        """When it is said to leave: as its owner told, or had stated on plugging in."""
        if self.stay is None:
            return None
        return self.stay.leaves_at if self.told else self.stay.stated_leave_at

    def _source(self) -> DepartureSource:
        return DepartureSource.OWNER if self.told else DepartureSource.CHARGER

    def _connection(self, at: Instant) -> ObservedConnection:
        stay = self.stay
        if stay is None:
            return ObservedConnection(supply=Supply.UNPLUGGED, observed_at=at)
        return ObservedConnection(
            site=stay.site,
            circuit=stay.circuit,
            supply=Supply.SUPPLIED if self.supplied else Supply.PLUGGED_NOT_SUPPLIED,
            charge_power_watts=int(self.charging_watts),
            charge_power_limit_watts=stay.limit_watts,
            observed_at=at,
        )
