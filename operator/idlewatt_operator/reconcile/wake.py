"""Waking: an asleep vehicle is asked to wake for a placement that is decided, and for nothing else.

The placement is held as an intention. Once the vehicle is awake and reports, the next plan finds
it an ordinary candidate and the pod is bound there, or wherever is better by then. A vehicle that
does not wake is left alone for a while.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from idlewatt_operator.reconcile.situation import Situation, is_awake
from idlewatt_scheduler.model.plan import Plan
from idlewatt_scheduler.model.snapshot import Snapshot
from idlewatt_scheduler.model.units import Instant, Milliseconds, seconds
from idlewatt_scheduler.model.vehicle import ObservedParking, Power, Quality, Vehicle


@dataclass
class Wakes:
    """The vehicles that were asked to wake, and those that did not.

    Attributes:
        margin: what a vehicle may take beyond its `wakeSeconds`.
        avoided_for: how long one that did not wake is left alone.
    """

    margin: Milliseconds
    avoided_for: Milliseconds
    _asked: dict[str, Instant] = field(default_factory=dict)
    _avoided: dict[str, Instant] = field(default_factory=dict)

    def settle(self, vehicles: Mapping[str, Vehicle], at: Instant) -> list[str]:
        """Forget those that woke; the names of those that have just failed to."""
        failed = []
        for name, asked_at in list(self._asked.items()):
            vehicle = vehicles.get(name)
            if vehicle is None or is_awake(vehicle):
                del self._asked[name]
            elif at > asked_at + seconds(vehicle.compute.wake_seconds) + self.margin:
                self.failed(name, at)
                failed.append(name)
        self._avoided = {
            name: until
            for name, until in self._avoided.items()
            if until > at and name in vehicles and not is_awake(vehicles[name])
        }
        return failed

    def asked(self, name: str, at: Instant) -> None:
        """The vehicle is asked to wake."""
        self._asked.setdefault(name, at)

    def failed(self, name: str, at: Instant) -> None:
        """It will not wake; it is left alone."""
        self._asked.pop(name, None)
        self._avoided[name] = at + self.avoided_for

    def without_avoided(self, snapshot: Snapshot) -> Snapshot:
        """The snapshot with stale telemetry for the vehicles that did not wake.

        They stay in it, since their charging loads a circuit all the same. That they do not
        answer is what makes their last report stale.
        """
        if not self._avoided:
            return snapshot
        return replace(
            snapshot,
            vehicles=tuple(
                _unanswering(vehicle) if vehicle.name in self._avoided else vehicle
                for vehicle in snapshot.vehicles
            ),
        )

    def to_wake(self, situation: Situation, plan: Plan) -> list[str]:
        """The asleep vehicles that a placement is decided for and that were not asked yet."""
        names = []
        for name in sorted({placement.node for placement in plan.placements}):
            vehicle = situation.vehicle(name)
            if vehicle is None or is_awake(vehicle) or name in self._asked:
                continue
            if vehicle.observed.power is Power.WAKING:
                self.asked(name, situation.at)  # somebody asked already; it has its time too
            else:
                names.append(name)
        return names


def _unanswering(vehicle: Vehicle) -> Vehicle:
    parking = vehicle.observed.parking or ObservedParking()
    stale = replace(parking, quality=Quality.STALE)
    return replace(vehicle, observed=replace(vehicle.observed, parking=stale))
