"""Each vehicle with its Node, site and tariff, and all that follows from these alone."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final, TypeAlias

from idlewatt_scheduler.availability import VehicleCase, first_vehicle_reason
from idlewatt_scheduler.calendar import open_until
from idlewatt_scheduler.circuits import CircuitKey, Load, above, loads_of
from idlewatt_scheduler.departures import LearnedDepartures
from idlewatt_scheduler.energy import Stretch, electrics, steps
from idlewatt_scheduler.exchange import Exchange
from idlewatt_scheduler.fleet import (
    Candidate,
    Parked,
    capacity_of,
    counts_until,
    running_power,
    total,
)
from idlewatt_scheduler.further.registry import amounts_of, taken_by_others
from idlewatt_scheduler.further.rule import beside
from idlewatt_scheduler.model.site import Phase, Site
from idlewatt_scheduler.model.snapshot import Snapshot
from idlewatt_scheduler.model.units import CALENDAR_HORIZON, Instant, Quantities
from idlewatt_scheduler.model.vehicle import ObservedConnection, Vehicle
from idlewatt_scheduler.model.workload import Node, RunningPod
from idlewatt_scheduler.prices import PriceLine

_NOTHING: Final[Quantities] = MappingProxyType({})

_Wiring: TypeAlias = tuple[tuple[CircuitKey, ...], tuple[Load, ...]]


@dataclass(frozen=True, slots=True)
class Found:
    """What is looked up once for all vehicles.

    Attributes:
        before: vehicles by name, as they were looked up at another time.
        by_windows: nothing that was learned had a part in when they leave, nor has it now.
    """

    snapshot: Snapshot
    exchange: Exchange
    lines: Mapping[str, PriceLine]
    running: Mapping[str, tuple[RunningPod, ...]]
    learned: LearnedDepartures
    wired: dict[tuple[str, str | None, frozenset[Phase] | None, int], _Wiring] = field(
        default_factory=dict
    )
    before: Mapping[str, Candidate] = field(default_factory=dict)
    by_windows: bool = False

    def pods(self, vehicle: Vehicle) -> tuple[RunningPod, ...]:
        """Our pods that run there."""
        return self.running.get(vehicle.name, ())

    def wiring(self, site: Site, vehicle: Vehicle) -> _Wiring:
        """The circuits above a vehicle, and all that its draw loads; worked out once for each."""
        connection = vehicle.observed.connection
        circuit, phases = (None, None) if connection is None else _plug(connection)
        key = site.name, circuit, phases, vehicle.phases
        found = self.wired.get(key)
        if found is None:
            circuits = above(site, circuit)
            found = self.wired[key] = circuits, loads_of(site, vehicle, circuits)
        return found


def _plug(connection: ObservedConnection) -> tuple[str | None, frozenset[Phase] | None]:
    return connection.circuit, connection.phases


def vehicle_candidate(found: Found, vehicle: Vehicle) -> Candidate:
    """A vehicle; what charges it by a profile of ours is not known yet."""
    snapshot = found.snapshot
    pods = found.pods(vehicle)
    connection = vehicle.observed.connection
    site = snapshot.sites.get(connection.site or "") if connection else None
    tariff = (site.tariff or "") if site else ""
    node = snapshot.nodes.get(vehicle.name)
    case = VehicleCase(
        at=snapshot.at,
        policy=snapshot.policy,
        exchange=found.exchange,
        vehicle=vehicle,
        node=node,
        site=site,
        tariff=snapshot.tariffs.get(tariff),
        runs_ours=bool(pods),
    )
    before = found.before.get(vehicle.name)
    known = None if before is None or before.parked is None else before.parked
    if known is not None and known.vehicle is not vehicle:
        known = None
    figures = electrics(vehicle) if known is None else known.electrics
    if before is None or known is None or before.node is not node:
        capacity = capacity_of(node, vehicle.compute.capacity)
    else:
        capacity = before.capacity
    stretches = tuple(
        Stretch(snapshot.at, counts_until(pod, snapshot.at), running_power(pod, vehicle, capacity))
        for pod in pods
    )
    circuits, loads = found.wiring(site, vehicle) if site and connection else ((), ())
    departure, charge_by = _leaves(found, vehicle, site, known)
    parked = Parked(
        vehicle=vehicle,
        case=case,
        electrics=figures,
        departure=departure,
        charge_by=charge_by,
        prices=found.lines.get(tariff),
        circuits=circuits,
        running=stretches,
        base=tuple(steps(stretches, figures.standby)),
        loads=loads,
    )
    return Candidate(
        name=vehicle.name,
        node=node,
        parked=parked,
        capacity=capacity,
        used=_used(snapshot, vehicle.name, pods),
        refusal=first_vehicle_reason(case),
    )


def _leaves(
    found: Found, vehicle: Vehicle, site: Site | None, known: Parked | None
) -> tuple[Instant | None, Instant | None]:
    """When it leaves, for all that is known, and until when to have charged it."""
    at, miss_percent = found.snapshot.at, found.snapshot.policy.miss_probability_percent
    departure = None if known is None or known.case.site is not site else _still(found, known)
    departure = _departure(vehicle, site, at) if departure is None else departure
    if site is None or departure is None:
        return None, None
    if not found.learned.entries:
        return departure, departure
    learned = found.learned.departure(vehicle, site, miss_percent, at)
    departure = departure if learned is None else min(departure, learned)
    return departure, found.learned.charge_by(vehicle, site, miss_percent, departure)


def _still(found: Found, known: Parked) -> Instant | None:
    """The departure that was known a while ago, if it must be the same now.

    The windows that were open then still are, and end where they did; unless that was as far as
    anybody had looked.
    """
    departure, then, now = known.departure, known.case.at, found.snapshot.at
    if departure is None or not found.by_windows:
        return None
    return departure if then <= now < departure < then + CALENDAR_HORIZON else None


def _departure(vehicle: Vehicle, site: Site | None, at: Instant) -> Instant | None:
    """When the windows open at `at` end, or when it is expected to leave if that is earlier."""
    if site is None:
        return None
    closes = open_until(
        vehicle.windows,
        site.name,
        site.time_zone,
        at,
        exceptions=vehicle.exceptions,
        holidays=site.public_holidays,
    )
    expected = vehicle.observed.departure_expected_at
    return closes if closes is None or expected is None else min(closes, expected)


def plain_candidate(snapshot: Snapshot, node: Node, running: Collection[RunningPod]) -> Candidate:
    """A Node without a vehicle."""
    return Candidate(
        name=node.name,
        node=node,
        parked=None,
        capacity=capacity_of(node, None),
        used=_used(snapshot, node.name, running),
        refusal=None,
    )


def _used(snapshot: Snapshot, node: str, running: Collection[RunningPod]) -> Quantities:
    others = snapshot.other_use.get(node, _NOTHING)
    others = beside(others, taken_by_others(snapshot, node))
    return total(others, *(amounts_of(pod.pod) for pod in running)) if running else others
