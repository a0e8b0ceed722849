"""Looking one cycle onward: a pod is not bound where the next cycle would send it away.

A service is placed for its minimum stay and, once it runs, counts without end. On a battery that
is not the same: the charge may last for the stay and not until departure. The pod would be bound,
drained, replaced and bound again for as long as the night lasts. Here the plan is asked what it
would answer if it were done; what it would regret is left undone, and the vehicle's battery is
left alone for a while, so that another vehicle is chosen.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from idlewatt_operator.reconcile.situation import Situation, is_awake
from idlewatt_scheduler.candidates import assemble
from idlewatt_scheduler.leaving import leaving
from idlewatt_scheduler.model.plan import Placement, Plan
from idlewatt_scheduler.model.reasons import Reason
from idlewatt_scheduler.model.snapshot import Snapshot
from idlewatt_scheduler.model.units import Instant, Milliseconds
from idlewatt_scheduler.model.vehicle import EnergySource, Vehicle
from idlewatt_scheduler.model.workload import RunningPod


@dataclass(frozen=True, slots=True)
class Regret:
    """A placement that would be undone at once, and why."""

    placement: Placement
    reason: Reason


def regrets(situation: Situation, plan: Plan) -> list[Regret]:
    """The placements on vehicles that a pod would have to leave on their account."""
    placed = [each for each in plan.placements if _is_bound_now(situation, each)]
    if not placed:
        return []
    leaves_anyway = {each.pod.uid for each in plan.leaving}
    done = replace(
        situation.snapshot,
        pending=(),
        running=(*situation.snapshot.running, *map(_running, placed)),
    )
    reasons = {
        each.node: each.reason
        for each in leaving(assemble(done))
        if each.pod.uid not in leaves_anyway
    }
    return [Regret(each, reasons[each.node]) for each in placed if each.node in reasons]


def _is_bound_now(situation: Situation, placement: Placement) -> bool:
    vehicle = situation.vehicle(placement.node)
    return vehicle is not None and is_awake(vehicle)


def _running(placement: Placement) -> RunningPod:
    return RunningPod(
        placement.pod, placement.node, bound_power=placement.power, bound_until=placement.until
    )


@dataclass
class SparedBatteries:
    """Vehicles whose battery is left alone for a while, by name, and until when."""

    spared_for: Milliseconds
    _until: dict[str, Instant] = field(default_factory=dict)

    def spare(self, name: str, at: Instant) -> None:
        """A placement on its battery would have been regretted."""
        self._until[name] = at + self.spared_for

    def applied_to(self, snapshot: Snapshot) -> Snapshot:
        """The snapshot without the consent to these batteries, where none of ours runs on one."""
        self._until = {name: until for name, until in self._until.items() if until > snapshot.at}
        in_use = {running.node for running in snapshot.running}
        spared = self._until.keys() - in_use
        if not spared:
            return snapshot
        return replace(
            snapshot,
            vehicles=tuple(
                _without_battery(vehicle) if vehicle.name in spared else vehicle
                for vehicle in snapshot.vehicles
            ),
        )

    def keep_only(self, vehicles: Mapping[str, object]) -> None:
        """Forget the vehicles that are no more."""
        self._until = {name: until for name, until in self._until.items() if name in vehicles}


def _without_battery(vehicle: Vehicle) -> Vehicle:
    if vehicle.agreement is None:
        return vehicle
    sources = vehicle.agreement.energy_sources - {EnergySource.BATTERY}
    return replace(vehicle, agreement=replace(vehicle.agreement, energy_sources=sources))
