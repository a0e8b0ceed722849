"""`ClusterGateway` on a real API server: what the watches show, and every write."""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

from idlewatt_operator.gateways.kubernetes.catalogue import Catalogue
from idlewatt_operator.gateways.kubernetes.departures import DeparturesReader
from idlewatt_operator.gateways.kubernetes.event_writer import EventWriter
from idlewatt_operator.gateways.kubernetes.informer import Informer, Patience, Watching
from idlewatt_operator.gateways.kubernetes.listing import keep_listing, list_anew
from idlewatt_operator.gateways.kubernetes.object_writer import ObjectWriter
from idlewatt_operator.gateways.kubernetes.pod_writer import PodWriter
from idlewatt_operator.gateways.kubernetes.session import ApiSession
from idlewatt_operator.gateways.kubernetes.vehicle_list import keep_vehicle_list
from idlewatt_operator.gateways.kubernetes.watched import (
    NODES,
    VEHICLES,
    other_pods,
    our_pods,
    with_readable,
)
from idlewatt_operator.gateways.kubernetes.writes import Writes
from idlewatt_operator.gateways.leadership import Leadership
from idlewatt_operator.gateways.protocols import (
    BindOrder,
    Clock,
    ClusterView,
    Condition,
    EventNote,
    Result,
)
from idlewatt_operator.resources.records import GivenUp, PodRecord, Released
from idlewatt_scheduler.model.site import ObservedCircuit
from idlewatt_scheduler.model.tariff import Tariff

SCHEDULER_NAME: Final = "idlewatt"


class KubernetesCluster:
    """The real cluster. `running` keeps its watches going for as long as its block lasts.

    Args:
        session: open; this gateway does not close it.
        request_cycle: called when something changed that is worth a cycle; cheap, and often.
        instance: who reports events, such as the pod's name.
        jitter: numbers in [0, 1), for delays.
        leadership: asked before each write; None: nobody else can lead.
        vehicle_list: the VehicleList that is kept to the names of all vehicles; None: none is.

    Attributes:
        supply: completes the tariffs with what their sources answered.
    """

    def __init__(  # noqa: PLR0913 # what it is made of, all of it injected
        self,
        session: ApiSession,
        clock: Clock,
        request_cycle: Callable[[], None],
        *,
        scheduler_name: str = SCHEDULER_NAME,
        instance: str = "idlewatt",
        jitter: Callable[[], float] = random.random,
        patience: Patience | None = None,
        leadership: Leadership | None = None,
        vehicle_list: str | None = None,
    ) -> None:
        self.catalogue = Catalogue(request_cycle)
        self.supply: Callable[[Mapping[str, Tariff]], Mapping[str, Tariff]] = lambda shown: shown
        self._session = session
        self._clock = clock
        self._jitter = jitter
        patience = patience or Patience()
        self._our_pods = Informer(
            session, our_pods(scheduler_name), request_cycle, jitter=jitter, patience=patience
        )
        self._other_pods = Informer(
            session, other_pods(scheduler_name), request_cycle, jitter=jitter, patience=patience
        )
        self._nodes = Informer(session, NODES, request_cycle, jitter=jitter, patience=patience)
        self._vehicles = Informer(
            session, VEHICLES, request_cycle, jitter=jitter, patience=patience
        )
        self._departures = DeparturesReader(
            session,
            self.catalogue,
            request_cycle,
            jitter=jitter,
            sleep=clock.sleep,
        )
        self._watching = Watching(*self._informers())
        self._merged: tuple[Mapping[str, PodRecord], ...] = ({}, {}, {})
        self._writes = Writes(session, leadership)
        self._vehicle_list = vehicle_list
        self._pods = PodWriter(self._writes, clock)
        self._objects = ObjectWriter(self._writes, clock, self._known_conditions)
        self._events = EventWriter(self._writes, clock, instance)

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """List and watch everything for as long as the block lasts."""
        sleep = self._clock.sleep
        loops = [
            keep_listing(self._session, self.catalogue, jitter=self._jitter, sleep=sleep),
            self._departures.run(),
        ]
        if self._vehicle_list is not None:
            names = self._vehicle_names
            loops.append(keep_vehicle_list(self._writes, self._vehicle_list, names, sleep=sleep))
        tasks = [asyncio.create_task(loop) for loop in loops]
        try:
            async with self._watching.running():
                yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def wait_synced(self) -> None:
        """Return once every kind was listed."""
        await self.catalogue.wait_synced()
        await asyncio.gather(*(each.wait_synced() for each in self._informers()))
        await self._departures.wait_settled()

    async def look_anew(self) -> None:
        """List everything with consistent reads that begin after this; for one that begins to lead.

        What the one before wrote last is in it, which the watches may not have shown yet.
        """
        await asyncio.gather(
            self._watching.look_anew(),
            list_anew(self._session, self.catalogue, jitter=self._jitter, sleep=self._clock.sleep),
        )

    @property
    def writes(self) -> Mapping[str, int]:
        """How many writes were sent, by their kind."""
        return self._writes.counts

    @property
    def write_outcomes(self) -> Mapping[tuple[str, str], int]:
        """How many writes of each kind ended how; `Withheld` are those that were not sent."""
        return self._writes.outcomes

    @property
    def unknown_write_age_seconds(self) -> float:
        """How long ago it was last left open whether a write was done; it may be done still."""
        return self._writes.unknown_age_seconds

    @property
    def synced(self) -> bool:
        """Every kind was listed whole at least once, and what the policy names was asked for."""
        listed = self.catalogue.synced and all(each.synced for each in self._informers())
        return listed and self._departures.settled

    def _informers(self) -> tuple[Informer[Any], ...]:
        return (self._our_pods, self._other_pods, self._nodes, self._vehicles)

    def _vehicle_names(self) -> frozenset[str] | None:
        """Of all VehicleNodes, those that cannot be used too."""
        return self._vehicles.store.keys() if self._vehicles.synced else None

    @property
    def silent_seconds(self) -> Mapping[str, float]:
        """By watch, how long ago the API server was last heard of."""
        return {each.watched.name: each.silent_seconds for each in self._informers()}

    def view(self) -> ClusterView:
        """What is known now; copied once for each batch of changes."""
        return ClusterView(
            synced=self.synced,
            policy=self.catalogue.policy,
            vehicles=with_readable(self._vehicles.store.shown(), self._vehicles.store.refused()),
            nodes=self._nodes.store.shown(),
            sites=self.catalogue.sites,
            tariffs=self.supply(self.catalogue.tariffs),
            learned=self._departures.learned,
            pods=self._shown_pods(),
            generations=self.catalogue.generations,
            refused=(
                *self.catalogue.refused,
                *self._vehicles.store.refused(),
                *self._nodes.store.refused(),
                *self._our_pods.store.refused(),
            ),
        )

    def _shown_pods(self) -> Mapping[str, PodRecord]:
        parts = (self._other_pods.store.shown(), self._our_pods.store.shown())
        if parts[0] is not self._merged[0] or parts[1] is not self._merged[1]:
            self._merged = (*parts, MappingProxyType({**parts[0], **parts[1]}))
        return self._merged[2]

    def _known_conditions(self, kind: str, name: str) -> Sequence[Mapping[str, Any]] | None:
        if kind != "VehicleNode":
            return self.catalogue.conditions(kind, name)
        record = self._vehicles.store.shown().get(name)
        if record is None:
            return None
        conditions = record.status.get("conditions")
        return conditions if isinstance(conditions, list) else ()

    async def bind(self, order: BindOrder) -> Result:
        """Post the Binding."""
        return await self._pods.bind(order)

    async def pod(self, namespace: str, name: str) -> PodRecord | None:
        """The pod as it stands; None where there is none.

        Raises:
            ConnectionError: no answer came: nothing is known.
        """
        return await self._pods.pod(namespace, name)

    async def set_active_deadline(self, record: PodRecord, seconds: int) -> Result:
        """Set or lower `activeDeadlineSeconds`."""
        return await self._pods.set_active_deadline(record, seconds)

    async def evict(self, record: PodRecord, grace_seconds: int | None = None) -> Result:
        """Ask the Eviction API."""
        return await self._pods.evict(record, grace_seconds)

    async def release(self, record: PodRecord, mark: Released) -> Result:
        """Take the pod from its ReplicaSet."""
        return await self._pods.release(record, mark)

    async def delete(self, record: PodRecord, grace_seconds: int) -> Result:
        """Delete with a grace, past any disruption budget."""
        return await self._pods.delete(record, grace_seconds)

    async def remove(self, record: PodRecord) -> Result:
        """Remove the object at once."""
        return await self._pods.remove(record)

    async def say(self, note: EventNote) -> None:
        """Write an event; a lost one is not an error."""
        await self._events.say(note)

    async def set_waiting(self, record: PodRecord, reason: str, message: str) -> Result:
        """Write `PodScheduled=False`."""
        return await self._pods.set_waiting(record, reason, message)

    async def keep_taint(self, node: str) -> Result:
        """Put the permanent taint on the Node."""
        return await self._objects.keep_taint(node)

    async def write_vehicle_status(self, name: str, patch: Mapping[str, object]) -> Result:
        """Merge into the VehicleNode's status."""
        return await self._objects.write_vehicle_status(name, patch)

    async def write_given_up(self, name: str, given_up: Sequence[GivenUp]) -> Result:
        """Keep the pods that were given up on this vehicle."""
        return await self._objects.write_given_up(name, given_up)

    async def write_circuits(self, site: str, circuits: Sequence[ObservedCircuit]) -> Result:
        """Keep what was reported of these circuits in the ParkingSite's status."""
        return await self._objects.write_circuits(site, circuits)

    async def write_conditions(
        self, kind: str, name: str, conditions: Sequence[Condition]
    ) -> Result:
        """Write conditions of one of our kinds."""
        return await self._objects.write_conditions(kind, name, conditions)
