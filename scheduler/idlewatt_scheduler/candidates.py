"""Candidates: every vehicle with its Node, site, tariff and figures, looked up once a plan."""

from collections import defaultdict
from collections.abc import Collection, Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import pairwise
from types import MappingProxyType
from typing import Final, TypeAlias

from idlewatt_scheduler.availability import VehicleCase, first_vehicle_reason
from idlewatt_scheduler.calendar import open_until
from idlewatt_scheduler.charging import car_of, is_controlled, is_ours, profiles
from idlewatt_scheduler.circuits import (
    Change,
    CircuitKey,
    Headroom,
    Load,
    RoomKey,
    above,
    generation_of,
    headroom_of,
    loads_of,
    phase_headroom_of,
)
from idlewatt_scheduler.departures import LearnedDepartures, learned_departures
from idlewatt_scheduler.energy import (
    Stretch,
    computing_at,
    controlled,
    electrics,
    steps,
)
from idlewatt_scheduler.exchange import Exchange
from idlewatt_scheduler.fleet import (
    Candidate,
    Fleet,
    Parked,
    capacity_of,
    counts_until,
    running_power,
    start_of,
    total,
)
from idlewatt_scheduler.further.registry import amounts_of, taken_by_others
from idlewatt_scheduler.further.rule import beside
from idlewatt_scheduler.model.charging import ChargingProfile
from idlewatt_scheduler.model.plan import Charging
from idlewatt_scheduler.model.site import ChargingController, Phase, Site
from idlewatt_scheduler.model.snapshot import Snapshot
from idlewatt_scheduler.model.units import FOREVER, Instant, Milliwatts, Quantities, seconds
from idlewatt_scheduler.model.vehicle import ObservedConnection, Vehicle
from idlewatt_scheduler.model.workload import Node, RunningPod
from idlewatt_scheduler.prices import PriceLine, price_line
from idlewatt_scheduler.quarters import Car

_NOTHING: Final[Quantities] = MappingProxyType({})

__all__ = [
    "Candidate",
    "Fleet",
    "Parked",
    "assemble",
    "capacity_of",
    "counts_until",
    "forget",
    "running_power",
    "start_of",
    "total",
]


def assemble(snapshot: Snapshot) -> Fleet:
    """Look up everything that no placement changes.

    The answer for the last snapshot is kept: a cycle decides on the fleet that was planned for. Of
    another snapshot of the same instant, what is the same object as before is not looked up again;
    ten thousand vehicles take longer than much of the planning.
    """
    last = _LAST[0] if _LAST else None
    if last is not None and last.fleet.snapshot is snapshot:
        return last.fleet
    found = _found(snapshot, last)
    known = last if last is not None and found.exchange is last.found.exchange else None
    fleet = _assembled(found, known)
    _LAST[:] = [_Last(fleet, found)]
    return fleet


def forget() -> None:
    """Let go of the last fleet, as if nothing had been looked up yet."""
    _LAST.clear()


def _found(snapshot: Snapshot, last: "_Last | None") -> "_Found":
    """What is looked up once; that of the last snapshot where sites, tariffs and time are its."""
    running: dict[str, list[RunningPod]] = defaultdict(list)
    for pod in snapshot.running:
        running[pod.node].append(pod)
    by_node = {name: tuple(pods) for name, pods in running.items()}
    exchange = Exchange(snapshot.policy, snapshot.vehicles)
    if last is not None and _is_same_world(last.fleet.snapshot, snapshot):
        same = last.found.exchange.plan_currency == exchange.plan_currency
        if same:
            return replace(last.found, snapshot=snapshot, running=by_node)
    lines = {
        name: price_line(
            tariff,
            snapshot.policy.off_peak,
            snapshot.at,
            exchange.rate,
            carbon=snapshot.tariffs.get(tariff.carbon or ""),
            forecast_max_age=seconds(snapshot.policy.forecast_max_age_seconds),
        )
        for name, tariff in snapshot.tariffs.items()
    }
    return _Found(snapshot, exchange, lines, by_node, learned_departures(snapshot.departures))


def _is_same_world(before: Snapshot, now: Snapshot) -> bool:
    """Nothing differs but vehicles, Nodes and pods."""
    if before.at != now.at or before.departures is not now.departures:
        return False
    if before.policy is not now.policy and before.policy != now.policy:
        return False
    pairs = ((before.sites, now.sites), (before.tariffs, now.tariffs))
    return all(
        len(old) == len(new) and all(old.get(name) is each for name, each in new.items())
        for old, new in pairs
    )


def _assembled(found: "_Found", last: "_Last | None") -> Fleet:
    """The fleet; of `last`, if there is one, only vehicles, Nodes and pods differ."""
    snapshot, by_node = found.snapshot, found.running
    again = _Again(last, snapshot)
    candidates = [
        again.candidate(vehicle, by_node.get(vehicle.name, ()))
        or _vehicle_candidate(found, vehicle)
        for vehicle in sorted(snapshot.vehicles, key=lambda vehicle: vehicle.name)
    ]
    if snapshot.policy.plain_nodes_allowed:
        taken = {vehicle.name for vehicle in snapshot.vehicles}
        candidates.extend(
            _plain_candidate(snapshot, node, by_node.get(name, ()))
            for name, node in sorted(snapshot.nodes.items())
            if name not in taken
        )
    policy, at = snapshot.policy, snapshot.at
    headroom, phases = again.rooms(candidates)
    sites = [site for name, site in snapshot.sites.items() if name not in again.untouched]
    headroom.update(pair for site in sites for pair in headroom_of(site, policy, at))
    phases.update(pair for site in sites for pair in phase_headroom_of(site, policy, at))
    rooms = {key: room for each in (headroom, phases) for key, room in each.items()}
    fresh = {key: room for key, room in rooms.items() if key[0] not in again.untouched}
    new = _new_profiles(candidates, fresh, at, sites)
    candidates = [
        _with_charging(candidate, new.get(candidate.name), at) for candidate in candidates
    ]
    _load(fresh, candidates, at)
    return Fleet(
        snapshot=snapshot,
        exchange=found.exchange,
        candidates=tuple(candidates),
        headroom=headroom,
        running=by_node,
        phases=phases,
        present=_present(snapshot, rooms, candidates),
        charging=tuple(Charging(name, profile) for name, profile in sorted(new.items())),
    )


class _Again:
    """What was looked up for the last snapshot and still holds.

    Attributes:
        untouched: the names of the sites at which nothing changed.
    """

    def __init__(self, last: "_Last | None", snapshot: Snapshot) -> None:
        self._last, self._snapshot = last, snapshot
        self._before = {} if last is None else {c.name: c for c in last.fleet.candidates}
        self.untouched: Container[str] = frozenset()

    def candidate(self, vehicle: Vehicle, running: tuple[RunningPod, ...]) -> Candidate | None:
        """The vehicle as it was looked up before; None where something about it changed."""
        before, name = self._before.get(vehicle.name), vehicle.name
        if self._last is None or before is None or before.parked is None:
            return None
        if before.parked.vehicle is not vehicle or before.parked.charging is not None:
            return None
        old, new = self._last.fleet.snapshot, self._snapshot
        same_node = before.node is new.nodes.get(name)
        same_use = old.other_use.get(name) == new.other_use.get(name)
        same_use &= old.other_ports.get(name) == new.other_ports.get(name)
        same_pods = self._last.fleet.running.get(name, ()) == running
        return before if same_node and same_use and same_pods else None

    def rooms(
        self, candidates: Iterable[Candidate]
    ) -> tuple[dict[CircuitKey, Headroom], dict[RoomKey, Headroom]]:
        """What circuits and phases leave at untouched sites; where we charge, none is."""
        last = self._last
        sites = self._snapshot.sites
        if last is None or any(
            site.charging_controller is ChargingController.IDLEWATT for site in sites.values()
        ):
            return {}, {}
        kept = set()
        touched: set[str] = set()
        for candidate in candidates:
            if self._before.get(candidate.name) is candidate:
                kept.add(candidate.name)
            else:
                touched.update(_sites_of(candidate))
        for name, before in self._before.items():
            if name not in kept:
                touched.update(_sites_of(before))
        self.untouched = sites.keys() - touched
        return (
            {key: room for key, room in last.fleet.headroom.items() if key[0] in self.untouched},
            {key: room for key, room in last.fleet.phases.items() if key[0] in self.untouched},
        )


def _sites_of(candidate: Candidate) -> Iterator[str]:
    """The site whose circuits a candidate loads."""
    if candidate.parked is not None and candidate.parked.loads:
        yield candidate.parked.loads[0][0][0]


_Wiring: TypeAlias = tuple[tuple[CircuitKey, ...], tuple[Load, ...]]


@dataclass(frozen=True, slots=True)
class _Found:
    """What is looked up once for all vehicles."""

    snapshot: Snapshot
    exchange: Exchange
    lines: Mapping[str, PriceLine]
    running: Mapping[str, tuple[RunningPod, ...]]
    learned: LearnedDepartures
    wired: dict[tuple[str, str | None, frozenset[Phase] | None, int], _Wiring] = field(
        default_factory=dict
    )

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


@dataclass(frozen=True, slots=True)
class _Last:
    """The last fleet, and what it was looked up with."""

    fleet: Fleet
    found: _Found


_LAST: Final[list[_Last]] = []
"""One at the most."""


def _plug(connection: ObservedConnection) -> tuple[str | None, frozenset[Phase] | None]:
    return connection.circuit, connection.phases


def _vehicle_candidate(found: _Found, vehicle: Vehicle) -> Candidate:
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
    figures = electrics(vehicle)
    capacity = capacity_of(node, vehicle.compute.capacity)
    stretches = tuple(
        Stretch(snapshot.at, counts_until(pod, snapshot.at), running_power(pod, vehicle, capacity))
        for pod in pods
    )
    circuits, loads = found.wiring(site, vehicle) if site and connection else ((), ())
    departure, charge_by = _leaves(found, vehicle, site)
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
    found: _Found, vehicle: Vehicle, site: Site | None
) -> tuple[Instant | None, Instant | None]:
    """When it leaves, for all that is known, and until when to have charged it."""
    at, miss_percent = found.snapshot.at, found.snapshot.policy.miss_probability_percent
    departure = _departure(vehicle, site, at)
    if site is None or departure is None:
        return None, None
    if not found.learned.entries:
        return departure, departure
    learned = found.learned.departure(vehicle, site, miss_percent, at)
    departure = departure if learned is None else min(departure, learned)
    return departure, found.learned.charge_by(vehicle, site, miss_percent, departure)


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


def _plain_candidate(snapshot: Snapshot, node: Node, running: Collection[RunningPod]) -> Candidate:
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


def _new_profiles(
    candidates: Iterable[Candidate],
    rooms: Mapping[RoomKey, Headroom],
    at: Instant,
    sites: Iterable[Site],
) -> dict[str, ChargingProfile]:
    """The profiles of all cars whose charging is ours to plan, site by site."""
    if all(site.charging_controller is not ChargingController.IDLEWATT for site in sites):
        return {}
    by_site: dict[str, list[Car]] = defaultdict(list)
    others: list[Candidate] = []
    for candidate in candidates:
        parked = candidate.parked
        charge_by = None if parked is None else _charge_by(parked)
        if parked is None or charge_by is None or not is_ours(parked.case, parked.circuits):
            others.append(candidate)
            continue
        car = car_of(
            parked.case,
            figures=parked.electrics,
            computing=parked.base,
            charge_by=charge_by,
            prices=parked.prices,
            loads=parked.loads,
        )
        by_site[parked.circuits[0][0]].append(car)
    if not by_site:
        return {}
    left = {key: room.copy() for key, room in rooms.items() if key[0] in by_site}
    ours = {car.name for cars in by_site.values() for car in cars}
    _load(left, [_with_charging(candidate, None, at) for candidate in others], at)
    _load(left, [each for each in candidates if each.name in ours], at, computing_alone=True)
    return profiles(by_site, left, at)


def _charge_by(parked: Parked) -> Instant | None:
    """Until when to have charged it; a car that overstays and follows our profile: by now."""
    if parked.charge_by is None and is_controlled(parked.case):
        return parked.case.at
    return parked.charge_by


def _with_charging(candidate: Candidate, new: ChargingProfile | None, at: Instant) -> Candidate:
    """A candidate that is charged as its charger acknowledged and is to be told, if it is."""
    parked = candidate.parked
    connection = None if parked is None else parked.vehicle.observed.connection
    acknowledged = None if connection is None else connection.profile
    if parked is None or acknowledged is None or not is_controlled(parked.case):
        return candidate
    charging = controlled(acknowledged, new, at)
    return replace(candidate, parked=replace(parked, charging=charging))


def _load(
    rooms: Mapping[RoomKey, Headroom],
    candidates: Iterable[Candidate],
    at: Instant,
    *,
    computing_alone: bool = False,
) -> None:
    """Let the cars draw what they draw without any new pod, or without charging either."""
    taken: dict[RoomKey, list[Change]] = defaultdict(list)
    steady: dict[tuple[Load, ...], Milliwatts] = defaultdict(int)
    for candidate in candidates:
        parked = candidate.parked
        if parked is None or not parked.loads or parked.loads[0][0] not in rooms:
            continue
        if not parked.base and parked.charging is None:
            steady[parked.loads] += 0 if computing_alone else parked.electrics.draw(0)
            continue
        drawn = _draws(parked, at, computing_alone=computing_alone)
        for key, parts in parked.loads:
            taken[key].extend((start, end, parts * power) for start, end, power in drawn)
    for loads, power in steady.items():
        for key, parts in loads:
            taken[key].append((at, FOREVER, parts * power))
    for key, changes in taken.items():
        rooms[key].take_all(changes)


def _draws(parked: Parked, at: Instant, *, computing_alone: bool) -> list[Change]:
    """From, until, and what the car draws without any new pod."""
    if not parked.base:
        if computing_alone:
            return []
        if parked.charging is not None:
            cap = parked.electrics.cap
            return [(p.start, p.end, min(cap, p.power)) for p in parked.charging.most if p.power]
    edges = {at, FOREVER}
    edges.update(edge for step in parked.base for edge in (step.start, step.end))
    if not computing_alone:
        edges.update(parked.charging_edges)
    draws: list[Change] = []
    for start, end in pairwise(sorted(edges)):
        charging = 0 if computing_alone else parked.charging_at(start)
        power = parked.electrics.draw(computing_at(parked.base, start), charging)
        if power:
            draws.append((start, end, power))
    return draws


def _present(
    snapshot: Snapshot, rooms: Mapping[RoomKey, Headroom], candidates: Iterable[Candidate]
) -> dict[RoomKey, Milliwatts]:
    at = snapshot.at
    left = {key: room.least(at, at + 1) for key, room in rooms.items()}
    for site in snapshot.sites.values():
        for circuit, generated in generation_of(site, snapshot.policy, at).items():
            if circuit in left:
                left[circuit] += generated
    for parked in (candidate.parked for candidate in candidates):
        if parked is not None and parked.charging is not None:
            computing = computing_at(parked.base, at)
            saved = parked.draw(computing, at) - parked.draw_now(computing, at)
            for key, parts in parked.loads:
                left[key] += parts * saved
    return left
