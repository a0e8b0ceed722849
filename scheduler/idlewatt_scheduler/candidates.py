"""Candidates: every vehicle with its Node, site, tariff and figures, looked up once a plan."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final

from idlewatt_scheduler.charging import car_of, is_controlled, is_ours, profiles
from idlewatt_scheduler.circuits import (
    Change,
    Headroom,
    Load,
    RoomKey,
    generation_of,
    headroom_of,
    phase_headroom_of,
)
from idlewatt_scheduler.departures import learned_departures
from idlewatt_scheduler.energy import computing_at, controlled
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
from idlewatt_scheduler.model.charging import ChargingProfile
from idlewatt_scheduler.model.plan import Charging
from idlewatt_scheduler.model.site import ChargingController, Site
from idlewatt_scheduler.model.snapshot import Snapshot
from idlewatt_scheduler.model.units import FOREVER, Instant, Milliwatts, seconds
from idlewatt_scheduler.model.vehicle import Vehicle
from idlewatt_scheduler.model.workload import RunningPod
from idlewatt_scheduler.parking import Found, plain_candidate, vehicle_candidate
from idlewatt_scheduler.prices import price_line
from idlewatt_scheduler.quarters import Car

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
    fleet = None
    if last is not None and found.exchange is last.found.exchange:
        fleet = _changed(found, last.fleet)
    fleet = fleet or _assembled(found)
    _LAST[:] = [_Last(fleet, replace(found, before={}))]
    return fleet


def forget() -> None:
    """Let go of the last fleet, as if nothing had been looked up yet."""
    _LAST.clear()


def _found(snapshot: Snapshot, last: "_Last | None") -> "Found":
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
    found = Found(snapshot, exchange, lines, by_node, learned_departures(snapshot.departures))
    if last is None:
        return found
    known = {candidate.name: candidate for candidate in last.fleet.candidates}
    wired = last.found.wired if _are_same(last.fleet.snapshot.sites, snapshot.sites) else {}
    by_windows = not (found.learned.entries or last.found.learned.entries)
    return replace(found, before=known, wired=wired, by_windows=by_windows)


def _is_same_world(before: Snapshot, now: Snapshot) -> bool:
    """Nothing differs but vehicles, Nodes and pods."""
    if before.at != now.at or before.departures is not now.departures:
        return False
    if before.policy is not now.policy and before.policy != now.policy:
        return False
    return _are_same(before.sites, now.sites) and _are_same(before.tariffs, now.tariffs)


def _are_same(before: Mapping[str, object], now: Mapping[str, object]) -> bool:
    """The very same objects by the same names."""
    return len(before) == len(now) and all(before.get(name) is each for name, each in now.items())


def _assembled(found: Found) -> Fleet:
    """The fleet, looked up anew."""
    snapshot, by_node = found.snapshot, found.running
    candidates = [vehicle_candidate(found, vehicle) for vehicle in _in_order(snapshot)]
    if snapshot.policy.plain_nodes_allowed:
        taken = {vehicle.name for vehicle in snapshot.vehicles}
        candidates.extend(
            plain_candidate(snapshot, node, by_node.get(name, ()))
            for name, node in sorted(snapshot.nodes.items())
            if name not in taken
        )
    policy, at, sites = snapshot.policy, snapshot.at, snapshot.sites.values()
    headroom = dict(pair for site in sites for pair in headroom_of(site, policy, at))
    phases = dict(pair for site in sites for pair in phase_headroom_of(site, policy, at))
    rooms = {key: room for each in (headroom, phases) for key, room in each.items()}
    new = _new_profiles(candidates, rooms, at, sites)
    candidates = [
        _with_charging(candidate, new.get(candidate.name), at) for candidate in candidates
    ]
    _load(rooms, candidates, at)
    return Fleet(
        snapshot=snapshot,
        exchange=found.exchange,
        candidates=tuple(candidates),
        headroom=headroom,
        running=by_node,
        phases=phases,
        present=_present(snapshot, sites, rooms, candidates),
        charging=tuple(Charging(name, profile) for name, profile in sorted(new.items())),
    )


def _in_order(snapshot: Snapshot) -> list[Vehicle]:
    return sorted(snapshot.vehicles, key=lambda vehicle: vehicle.name)


def _changed(found: Found, last: Fleet) -> Fleet | None:
    """The last fleet, of which only vehicles, Nodes and pods differ; None: to be looked up anew.

    What stayed the same object is not looked up again, nor are circuits whose cars draw what they
    did. Where charging is ours, and where Nodes without a vehicle are used, everything is.
    """
    snapshot = found.snapshot
    sites, policy, at = snapshot.sites, snapshot.policy, snapshot.at
    ours = any(each.charging_controller is ChargingController.IDLEWATT for each in sites.values())
    if ours or policy.plain_nodes_allowed:
        return None
    before = {candidate.name: candidate for candidate in last.candidates}
    new = _new_names(found, last)
    candidates: list[Candidate] = []
    drawn: set[str] = set()
    for vehicle in _in_order(snapshot):
        old = before.pop(vehicle.name, None)
        same = old is not None and old.parked is not None and old.parked.vehicle is vehicle
        if old is None or not same or vehicle.name in new:
            now = vehicle_candidate(found, vehicle)
            if old is None or _drawn(old) != _drawn(now):
                drawn.update(site for each in (old, now) if each for site in _sites_of(each))
            old = now
        candidates.append(old)
    drawn.update(site for gone in before.values() for site in _sites_of(gone))
    again = [site for name, site in sites.items() if name in drawn]
    headroom = dict(pair for site in again for pair in headroom_of(site, policy, at))
    phases = dict(pair for site in again for pair in phase_headroom_of(site, policy, at))
    rooms = {key: room for each in (headroom, phases) for key, room in each.items()}
    _load(rooms, candidates, at)
    return Fleet(
        snapshot=snapshot,
        exchange=found.exchange,
        candidates=tuple(candidates),
        headroom={**last.headroom, **headroom},
        running=found.running,
        phases={**last.phases, **phases},
        present={**last.present, **_present(snapshot, again, rooms, ())},
    )


def _new_names(found: Found, last: Fleet) -> set[str]:
    """The names of the Nodes of which anything but their vehicle is not as it was."""
    old, new = last.snapshot, found.snapshot
    pairs: tuple[tuple[Mapping[str, object], Mapping[str, object]], ...] = (
        (old.nodes, new.nodes),
        (old.other_use, new.other_use),
        (old.other_ports, new.other_ports),
        (last.running, found.running),
    )
    names: set[str] = set()
    for one, other in pairs:
        if one is not other:
            names.update(one.keys() ^ other.keys())
            names.update(name for name, each in other.items() if one.get(name) != each)
    return names


def _drawn(candidate: Candidate) -> object:
    """What decides what a car that is not charged by us draws, and from which circuits."""
    parked = candidate.parked
    return None if parked is None else (parked.loads, parked.base, parked.electrics)


def _sites_of(candidate: Candidate) -> Iterator[str]:
    """The site whose circuits a candidate loads."""
    if candidate.parked is not None and candidate.parked.loads:
        yield candidate.parked.loads[0][0][0]


@dataclass(frozen=True, slots=True)
class _Last:
    """The last fleet, and what it was looked up with."""

    fleet: Fleet
    found: Found


_LAST: Final[list[_Last]] = []
"""One at the most."""


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
    snapshot: Snapshot,
    sites: Iterable[Site],
    rooms: Mapping[RoomKey, Headroom],
    candidates: Iterable[Candidate],
) -> dict[RoomKey, Milliwatts]:
    at = snapshot.at
    left = {key: room.least(at, at + 1) for key, room in rooms.items()}
    for site in sites:
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
