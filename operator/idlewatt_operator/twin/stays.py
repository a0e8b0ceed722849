"""A stay: what a car really does, what its owner said of it, and what it is without us."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from idlewatt_operator.twin.places import local_time
from idlewatt_scheduler.model.calendars import Recurrence
from idlewatt_scheduler.model.units import DAY, HOUR, MINUTE, Instant
from idlewatt_scheduler.model.vehicle import ParkingWindow

CHARGE_EFFICIENCY: Final = 0.9
"""Of what the charger draws, the share that reaches the battery; assumed."""


@dataclass(frozen=True, slots=True)
class Stay:
    """One stay of a vehicle, plugged in from its arrival until it leaves.

    Attributes:
        arrives_at: parked and plugged in; it charges at once.
        leaves_at: the park lock opens; this is what happens, whoever knew of it.
        stated_leave_at: when the owner's habit or word says the car leaves; None: nobody said.
        notice_at: when the owner tells that it will be `leaves_at`; None: never told.
        boards_at: the owner opens the door.
        arrival_watt_hours: in the battery on arrival.
        full_watt_hours: charging ends there.
        charge_power_watts: AC, the most car and charger make together.
        limit_watts: AC, the most the charge point gives.
    """

    vehicle: str
    site: str
    circuit: str
    arrives_at: Instant
    leaves_at: Instant
    stated_leave_at: Instant | None
    notice_at: Instant | None
    boards_at: Instant
    arrival_watt_hours: float
    full_watt_hours: float
    charge_power_watts: int
    limit_watts: int

    @property
    def leaves_early(self) -> bool:
        """It leaves before its owner had said."""
        return self.stated_leave_at is not None and self.leaves_at < self.stated_leave_at

    @property
    def charged_alone_at(self) -> Instant:
        """When charging would end without us."""
        missing = max(0.0, self.full_watt_hours - self.arrival_watt_hours)
        return self.arrives_at + round(missing / (self._battery_watts) * HOUR)

    def alone_watt_hours(self, at: Instant) -> float:
        """What the battery would hold at `at`, charged at once, without us."""
        gained = self._battery_watts * (at - self.arrives_at) / HOUR
        return max(
            self.arrival_watt_hours, min(self.full_watt_hours, self.arrival_watt_hours + gained)
        )

    @property
    def _battery_watts(self) -> float:
        return min(self.charge_power_watts, self.limit_watts) * CHARGE_EFFICIENCY


def windows(stay: Stay, zone: ZoneInfo) -> tuple[ParkingWindow, ...]:
    """The owner's parking window that covers this stay: a habit, or a dated one if it is long.

    Where nobody said when the car leaves there is none.
    """
    start, end = stay.arrives_at // MINUTE * MINUTE, stay.stated_leave_at
    if end is None or end <= start:
        return ()
    begins, ends = local_time(start, zone), local_time(end, zone)
    name = f"from-{begins:%a-%H%M}".lower()
    if end - start >= DAY - HOUR:
        return (ParkingWindow(name, stay.site, start=start, end=end),)
    habit = Recurrence(frozenset({begins.weekday()}), _minutes(begins), _minutes(ends))
    return (ParkingWindow(name, stay.site, recurrence=habit),)


def _minutes(local: datetime) -> int:
    return local.hour * 60 + local.minute
