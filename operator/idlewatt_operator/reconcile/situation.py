"""One instant as the deciding steps see it: what the watches show, and what the core makes of it.

Steps read it and answer with lists of decisions; none of them changes it.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from idlewatt_operator.gateways.protocols import ClusterView
from idlewatt_operator.resources.records import PodRecord
from idlewatt_scheduler.candidates import Candidate, Fleet, running_power
from idlewatt_scheduler.model.snapshot import Snapshot
from idlewatt_scheduler.model.units import Instant, Milliwatts
from idlewatt_scheduler.model.vehicle import Power, Vehicle
from idlewatt_scheduler.model.workload import Node, Pod, Ready, RunningPod
from idlewatt_scheduler.stay import grace_of


@dataclass(frozen=True)
class Situation:
    """What one cycle decides on.

    Attributes:
        at: the instant of the snapshot.
        view: what the watches show.
        snapshot: what the planner was given.
        fleet: the snapshot's candidates, looked up.
        scheduler_name: pods that name it are ours.
    """

    at: Instant
    view: ClusterView
    snapshot: Snapshot
    fleet: Fleet
    scheduler_name: str

    @cached_property
    def candidates(self) -> Mapping[str, Candidate]:
        """Every vehicle, by name."""
        return {each.name: each for each in self.fleet.candidates if each.parked is not None}

    @cached_property
    def bound(self) -> Mapping[str, tuple[PodRecord, ...]]:
        """Our pods that are bound and have not ended, by node, in order of name."""
        by_node: defaultdict[str, list[PodRecord]] = defaultdict(list)
        for record in self.view.pods.values():
            if record.node is not None and is_ours(record, self.scheduler_name):
                by_node[record.node].append(record)
        return {
            node: tuple(sorted(records, key=lambda record: record.pod.key))
            for node, records in sorted(by_node.items())
        }

    def on_vehicles(self) -> Iterator[tuple[Candidate, PodRecord]]:
        """Every bound pod of ours on a vehicle, with that vehicle."""
        for node, records in self.bound.items():
            candidate = self.candidates.get(node)
            if candidate is not None:
                for record in records:
                    yield candidate, record

    def vehicle(self, name: str) -> Vehicle | None:
        """A vehicle with what was observed of it."""
        candidate = self.candidates.get(name)
        return candidate.parked.vehicle if candidate and candidate.parked else None

    def departure(self, name: str) -> Instant | None:
        """When a vehicle leaves; None where no parking window is open."""
        candidate = self.candidates.get(name)
        return candidate.parked.departure if candidate and candidate.parked else None

    def power(self, record: PodRecord, name: str) -> Milliwatts:
        """What a pod draws on a vehicle: what it was bound with, or else would be bound with."""
        candidate = self.candidates[name]
        running = RunningPod(record.pod, name, bound_power=record.bound_power)
        vehicle = candidate.parked.vehicle if candidate.parked else None
        if vehicle is None:
            return 0
        return running_power(running, vehicle, candidate.capacity)

    def last_safe(self, pod: Pod, node: str) -> Instant | None:
        """The last instant at which a pod can be told to end and still ends before departure."""
        departure = self.departure(node)
        return None if departure is None else departure - grace_of(pod)


def is_ours(record: PodRecord, scheduler_name: str) -> bool:
    """A pod of ours that has not ended."""
    return record.scheduler_name == scheduler_name and not record.ended


def is_awake(vehicle: Vehicle) -> bool:
    """Its computer is up, as it last reported."""
    return vehicle.observed.power is Power.AWAKE


def is_unseen(node: Node | None) -> bool:
    """Nobody hears from its kubelet: the Node is gone, or its `Ready` is Unknown."""
    return node is None or node.ready is Ready.UNKNOWN
