"""Candidates: every vehicle with its Node, site, tariff and figures, looked up once a plan."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import pairwise

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
    Controlled,
    Electrics,
    Step,
    Stretch,
    computing_at,
    controlled,
    electrics,
    pod_power,
    power_at,
    steps,
)
from idlewatt_scheduler.exchange import Exchange
from idlewatt_scheduler.model.charging import ChargingProfile
from idlewatt_scheduler.model.plan import Charging
from idlewatt_scheduler.model.reasons import VehicleReason
from idlewatt_scheduler.model.site import Site
from idlewatt_scheduler.model.snapshot import Snapshot
from idlewatt_scheduler.model.units import FOREVER, Instant, Milliwatts, Quantities, seconds
from idlewatt_scheduler.model.vehicle import Vehicle
from idlewatt_scheduler.model.workload import Node, RunningPod
from idlewatt_scheduler.prices import PriceLine, price_line
from idlewatt_scheduler.quarters import Car

NOT_NAMED_MEANS_NODE_ONLY = frozenset({"pods", "ephemeral-storage"})


@dataclass(frozen=True, slots=True)
class Parked:
    """What a candidate has because it is a vehicle.

    Attributes:
        departure: the instant by which it leaves; None where no parking window is open.
        charge_by: until when to have charged it; None where no parking window is open.
        prices: its site's tariff as a line; None where there is none.
        circuits: its circuit and all above it; empty where that is unknown.
        running: what our running pods ask for, in stretches from `at`.
        base: the same as steps.
        loads: of its circuits, and their phases, all that its draw is taken from.
        charging: of a car whose charger follows a profile of ours; None of every other.
    """

    vehicle: Vehicle
    case: VehicleCase
    electrics: Electrics
    departure: Instant | None
    charge_by: Instant | None
    prices: PriceLine | None
    circuits: tuple[CircuitKey, ...]
    running: tuple[Stretch, ...]
    base: tuple[Step, ...]
    loads: tuple[Load, ...] = ()
    charging: Controlled | None = None

    def charging_at(self, instant: Instant) -> Milliwatts:
        """What charges it then, as far as its circuits have to reckon with it."""
        if self.charging is None:
            return self.electrics.charging
        return power_at(self.charging.most, instant)

    def draw(self, computing: Milliwatts, instant: Instant) -> Milliwatts:
        """What it takes from its circuits then while so much computes."""
        return self.electrics.draw(computing, self.charging_at(instant))

    def draw_now(self, computing: Milliwatts, at: Instant) -> Milliwatts:
        """The same at this instant if its new profile, where it has one, is followed already."""
        if self.charging is None or not self.charging.new:
            return self.draw(computing, at)
        return self.electrics.draw(computing, power_at(self.charging.new, at))

    @property
    def charging_edges(self) -> list[Instant]:
        """The instants at which what charges it changes."""
        return [piece.start for piece in self.charging.most] if self.charging else []


@dataclass(frozen=True, slots=True)
class Candidate:
    """A node that pods may be placed on, with its vehicle if it has one.

    Attributes:
        capacity: what pods may request of it in all, thousandths; see `capacity_of`.
        used: what the pods on it request already.
        refusal: the first vehicle clause that fails, None where it takes pods.
    """

    name: str
    node: Node | None
    parked: Parked | None
    capacity: Quantities
    used: Quantities
    refusal: VehicleReason | None


@dataclass(frozen=True, slots=True)
class Fleet:
    """The snapshot, looked up.

    Attributes:
        candidates: in order of name, vehicles before plain nodes.
        headroom: what running pods and cars leave of each circuit.
        running: our running pods by node.
        phases: what they leave of each phase whose amps are limited, in sixths of a milliwatt.
        present: what is left of either at this instant if what is generated is counted, and of
            cars that follow a profile their new one alone: whether running pods may stay.
        charging: the new profiles, in order of name.
    """

    snapshot: Snapshot
    exchange: Exchange
    candidates: tuple[Candidate, ...]
    headroom: Mapping[CircuitKey, Headroom]
    running: Mapping[str, tuple[RunningPod, ...]]
    phases: Mapping[RoomKey, Headroom] = field(default_factory=dict)
    present: Mapping[RoomKey, Milliwatts] = field(default_factory=dict)
    charging: tuple[Charging, ...] = ()


def assemble(snapshot: Snapshot) -> Fleet:
    """Look up everything that no placement changes.

    The answer for the last snapshot is kept: a cycle decides on the fleet that was planned for,
    and looking ten thousand vehicles up takes longer than much of the planning.
    """
    return _assembled(_Itself(snapshot))


class _Itself:
    """A snapshot that equals itself alone: comparing two whole ones would take too long."""

    __slots__ = ("snapshot",)

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Itself) and other.snapshot is self.snapshot

    def __hash__(self) -> int:
        return id(self.snapshot)


@lru_cache(maxsize=1)
def _assembled(itself: _Itself) -> Fleet:
    snapshot = itself.snapshot
    exchange = Exchange(snapshot.policy, snapshot.vehicles)
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
    running: dict[str, list[RunningPod]] = defaultdict(list)
    for pod in snapshot.running:
        running[pod.node].append(pod)
    by_node = {name: tuple(pods) for name, pods in running.items()}
    learned = learned_departures(snapshot.departures)
    found = _Found(snapshot, exchange, lines, by_node, learned)
    candidates = [
        _vehicle_candidate(found, vehicle)
        for vehicle in sorted(snapshot.vehicles, key=lambda vehicle: vehicle.name)
    ]
    if snapshot.policy.plain_nodes_allowed:
        taken = {vehicle.name for vehicle in snapshot.vehicles}
        candidates.extend(
            _plain_candidate(snapshot, node, by_node.get(name, ()))
            for name, node in sorted(snapshot.nodes.items())
            if name not in taken
        )
    sites, policy, at = snapshot.sites.values(), snapshot.policy, snapshot.at
    headroom = dict(pair for site in sites for pair in headroom_of(site, policy, at))
    phases = dict(pair for site in sites for pair in phase_headroom_of(site, policy, at))
    rooms = {key: room for each in (headroom, phases) for key, room in each.items()}
    new = _new_profiles(candidates, rooms, at)
    candidates = [
        _with_charging(candidate, new.get(candidate.name), at) for candidate in candidates
    ]
    _load(rooms, candidates, at)
    return Fleet(
        snapshot=snapshot,
        exchange=exchange,
        candidates=tuple(candidates),
        headroom=headroom,
        running=by_node,
        phases=phases,
        present=_present(snapshot, rooms, candidates),
        charging=tuple(Charging(name, profile) for name, profile in sorted(new.items())),
    )


def capacity_of(node: Node | None, stated: Quantities | None) -> Quantities:
    """Per resource the lesser of what the Node and what the vehicle's owner allow.

    What the owner does not name is nothing, `pods` and `ephemeral-storage` aside. A Node that
    does not count pods at all does not limit them.
    """
    allocatable = dict(node.allocatable) if node is not None else {}
    allocatable.setdefault("pods", FOREVER)
    if stated is None:
        return allocatable
    return {
        name: min(amount, stated[name]) if name in stated else amount
        for name, amount in allocatable.items()
        if name in stated or name in NOT_NAMED_MEANS_NODE_ONLY
    }


def total(*amounts: Quantities) -> Quantities:
    """Several lots of resources as one."""
    result: dict[str, int] = {}
    for lot in amounts:
        for name, amount in lot.items():
            result[name] = result.get(name, 0) + amount
    return result


def running_power(pod: RunningPod, vehicle: Vehicle, capacity: Quantities) -> Milliwatts:
    """What a running pod was bound with; without that, what it would be planned with now."""
    if pod.bound_power is not None:
        return pod.bound_power
    return pod_power(
        pod.pod.requests, capacity, vehicle.compute.max_power_watts, pod.pod.demand.power_watts
    )


def counts_until(pod: RunningPod, at: Instant) -> Instant:
    """Until when a running pod counts, in charge and in circuits."""
    if pod.counts_until is not None:
        return pod.counts_until
    timed = pod.pod.demand.expected_runtime is not None
    if timed and pod.bound_until is not None and pod.bound_until > at:
        return pod.bound_until
    return FOREVER


@dataclass(frozen=True, slots=True)
class _Found:
    """What is looked up once for all vehicles."""

    snapshot: Snapshot
    exchange: Exchange
    lines: Mapping[str, PriceLine]
    running: Mapping[str, tuple[RunningPod, ...]]
    learned: LearnedDepartures


def _vehicle_candidate(found: _Found, vehicle: Vehicle) -> Candidate:
    snapshot = found.snapshot
    pods = found.running.get(vehicle.name, ())
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
    circuits = above(site, connection.circuit) if site and connection else ()
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
        loads=loads_of(site, vehicle, circuits) if site else (),
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


def _plain_candidate(snapshot: Snapshot, node: Node, running: Iterable[RunningPod]) -> Candidate:
    return Candidate(
        name=node.name,
        node=node,
        parked=None,
        capacity=capacity_of(node, None),
        used=_used(snapshot, node.name, running),
        refusal=None,
    )


def _used(snapshot: Snapshot, node: str, running: Iterable[RunningPod]) -> Quantities:
    return total(snapshot.other_use.get(node, {}), *(pod.pod.requests for pod in running))


def _new_profiles(
    candidates: Iterable[Candidate], rooms: Mapping[RoomKey, Headroom], at: Instant
) -> dict[str, ChargingProfile]:
    """The profiles of all cars whose charging is ours to plan, site by site."""
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
    if parked is None or not is_controlled(parked.case):
        return candidate
    connection = parked.vehicle.observed.connection
    acknowledged = connection.profile if connection else None
    if acknowledged is None:
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
    for candidate in candidates:
        parked = candidate.parked
        if parked is None or not parked.loads or parked.loads[0][0] not in rooms:
            continue
        drawn = _draws(parked, at, computing_alone=computing_alone)
        for key, parts in parked.loads:
            taken[key].extend((start, end, parts * power) for start, end, power in drawn)
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


def start_of(candidate: Candidate, at: Instant) -> Instant:
    """When a pod placed now would start there: an asleep vehicle has to wake first."""
    parked = candidate.parked
    if parked is None or not parked.case.asleep:
        return at
    return at + seconds(parked.vehicle.compute.wake_seconds)
