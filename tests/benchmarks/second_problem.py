"""What the second planner knows: who may run where, what is left, what it costs, as the check says.

Nothing here is asked of the planner: stays, clauses, bills, loads and domains come from
`feasibility`, which was written from the rules alone.
"""

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from idlewatt_scheduler.feasibility.bill import bill
from idlewatt_scheduler.feasibility.circuits import Grid, share
from idlewatt_scheduler.feasibility.kinds import kind_of
from idlewatt_scheduler.feasibility.leaving import must_leave
from idlewatt_scheduler.feasibility.matching import all_hold, selects_node
from idlewatt_scheduler.feasibility.pod import Question, first_failing_pod_clause
from idlewatt_scheduler.feasibility.power import (
    Source,
    charge_at,
    computing_power,
    draw_cap,
    is_plugged,
    pods_power,
    reported_charging,
    source_of,
)
from idlewatt_scheduler.feasibility.reading import Candidate, Reading, Stay
from idlewatt_scheduler.feasibility.together import still_running
from idlewatt_scheduler.feasibility.vehicle import failing_vehicle_clauses
from idlewatt_scheduler.model.snapshot import Snapshot
from idlewatt_scheduler.model.units import (
    FOREVER,
    MILLIWATT_MILLISECONDS_PER_WATT_HOUR,
    milliwatts,
)
from idlewatt_scheduler.model.workload import Pod, RunningPod, Spread

WEIGHT_BASE: Final = 16
HIGHEST_RANK: Final = 5
MIX: Final = 6
"""Sixths of a milliwatt, in which the check counts phases."""


@dataclass(frozen=True, slots=True)
class Kind:
    """Pods alike, the oldest first."""

    pods: tuple[Pod, ...]
    weight: int


@dataclass(frozen=True, slots=True)
class Offer:
    """One kind of pod on one vehicle: the most that fit, and what one costs there."""

    kind: int
    stay: Stay
    most: int
    cost: Fraction
    stay_cost: Fraction


@dataclass(frozen=True, slots=True)
class Car:
    """A vehicle that takes pods, and what it has left.

    Attributes:
        power: milliwatts for new pods, standby aside.
        energy: milliwatt-milliseconds; None: no end of it.
        alone_from: no running pod is there from then on.
        charging, cap: milliwatts AC; `now` is what computes there already.
    """

    candidate: Candidate
    offers: tuple[Offer, ...]
    left: Mapping[str, int]
    power: int
    energy: Fraction | None
    alone_from: int
    standby: int
    now: int
    opening: Fraction


@dataclass(frozen=True, slots=True)
class Problem:
    """All that the second planner knows."""

    snapshot: Snapshot
    reading: Reading
    kinds: tuple[Kind, ...]
    cars: tuple[Car, ...]
    last_start: int


def problem_of(snapshot: Snapshot) -> Problem:
    """Ask the check for everything there is to know."""
    reading = Reading(snapshot)
    kinds = tuple(_kinds(snapshot))
    grid = Grid.planned(reading, {})
    cars = tuple(
        car
        for candidate in reading.vehicles.values()
        if next(failing_vehicle_clauses(reading, candidate), None) is None
        if (car := _car(reading, grid, kinds, candidate)).offers
    )
    last = max((car.offers[0].stay.start for car in cars), default=snapshot.at)
    return Problem(snapshot, reading, kinds, cars, last)


def _kinds(snapshot: Snapshot) -> Iterator[Kind]:
    levels = sorted({pod.priority for pod in snapshot.pending}, reverse=True)
    highest = min(len(levels) - 1, HIGHEST_RANK)
    weight = {level: WEIGHT_BASE ** max(highest - place, 0) for place, level in enumerate(levels)}
    groups: dict[Hashable, list[Pod]] = {}
    for pod in sorted(snapshot.pending, key=lambda pod: (pod.created_at, pod.key)):
        groups.setdefault(kind_of(pod), []).append(pod)
    for pods in groups.values():
        yield Kind(tuple(pods), weight[pods[0].priority])


def _car(reading: Reading, grid: Grid, kinds: Sequence[Kind], candidate: Candidate) -> Car:
    running = reading.running_on(candidate.name)
    start = reading.new_stay(kinds[0].pods[0], candidate).start
    vehicle = candidate.vehicle
    if vehicle is None:
        message = f"{candidate.name} is no vehicle."
        raise TypeError(message)
    now = computing_power(candidate, running, start)
    alone = not any(stay.covers(start) for stay in running)
    standby = milliwatts(vehicle.compute.standby_power_watts)
    computing = now + (standby if alone else 0)
    power = milliwatts(vehicle.compute.max_power_watts) - pods_power(running, start)
    percent = vehicle.compute.efficiency_percent
    if is_plugged(candidate):
        most_ac = draw_cap(candidate)
        observed = vehicle.observed.battery
        charge = observed.state_of_charge_percent if observed else None
        below = (charge or 0) < vehicle.battery.departure_percent
        charges = (candidate.connection.charge_power_watts or 0) > 0
        if source_of(candidate) is Source.GRID and below and charges:
            most_ac -= reported_charging(candidate)
        most_dc = ((most_ac + 1) * percent - 1) // 100  # the greatest with ac(most_dc) <= most_ac
        power = min(power, most_dc - computing)
    names = {name for kind in kinds for name in kind.pods[0].requests}
    left = {
        name: capacity
        - candidate.other_use.get(name, 0)
        - sum(stay.pod.requests.get(name, 0) for stay in running)
        for name in names
        if (capacity := candidate.capacity(name)) is not None
    }
    ends = [stay.end for stay in running]
    offers = tuple(_offers(grid, kinds, candidate, left, power))
    opening = Fraction(0)
    if offers:
        one = [offers[0].stay]
        whole, awake = bill(reading, candidate, one), bill(reading, candidate, one, waking=False)
        opening = (whole.cost or Fraction(0)) - (awake.cost or Fraction(0))
    return Car(
        candidate=candidate,
        offers=offers,
        left=left,
        power=power,
        energy=_energy(reading, candidate),
        alone_from=max(start, *ends) if ends else start,
        standby=standby,
        now=now,
        opening=opening,
    )


def _energy(reading: Reading, candidate: Candidate) -> Fraction | None:
    """What new pods may take from the battery up to the departure."""
    vehicle, departure = candidate.vehicle, candidate.departure
    if vehicle is None or departure is None or source_of(candidate) is not Source.BATTERY:
        return None
    running = reading.running_on(candidate.name)
    charge = charge_at(candidate, running, reading.at, departure)
    spare = (charge - vehicle.battery.departure_percent) / 100
    capacity = vehicle.battery.net_capacity_watt_hours * MILLIWATT_MILLISECONDS_PER_WATT_HOUR
    return spare * capacity


def _offers(
    grid: Grid, kinds: Sequence[Kind], candidate: Candidate, left: Mapping[str, int], power: int
) -> Iterator[Offer]:
    reading = grid.reading
    running = reading.running_on(candidate.name)
    for index, kind in enumerate(kinds):
        pod = kind.pods[0]
        stay = reading.new_stay(pod, candidate)
        question = Question(reading, grid, candidate, stay, running)
        if first_failing_pod_clause(question) is not None:
            continue
        asks = ((name, asked) for name, asked in pod.requests.items() if asked and name in left)
        fits = [left[name] // asked for name, asked in asks]
        fits += [power // stay.power] if stay.power else []
        once = bill(reading, candidate, [stay], waking=False).cost
        twice = bill(reading, candidate, [stay, stay], waking=False).cost
        if once is None or twice is None:
            continue
        yield Offer(index, stay, min(len(kind.pods), *fits), twice - once, once - (twice - once))


# --- what vehicles share


@dataclass(frozen=True, slots=True)
class CircuitRow:
    """What a circuit, or one of its phases, has left, and the cars that take from it.

    Attributes:
        parts: by car, how much of it a milliwatt that the car draws takes.
    """

    left: int
    parts: Mapping[int, int]


@dataclass(frozen=True, slots=True)
class SpreadRow:
    """One spread constraint: what it counts where.

    Attributes:
        base: what runs, by domain.
        counted, own: by domain the offers, car and number, that are counted and that have it.
        nowhere: offers that have it on a Node without its key.
    """

    skew: int
    base: Mapping[str, int]
    floor_is_zero: bool
    counted: Mapping[str, Sequence[tuple[int, int]]]
    own: Mapping[str, Sequence[tuple[int, int]]]
    nowhere: Sequence[tuple[int, int]]


def staying(problem: Problem) -> list[RunningPod]:
    """The running pods that gangs and spread constraints count."""
    leaving = must_leave(problem.reading).keys()
    return list(still_running(problem.snapshot.running, leaving))


def circuits_of(problem: Problem) -> Iterator[CircuitRow]:
    """All new pods run together at the last start: that is when circuits carry the most."""
    reading = problem.reading
    grid = Grid.planned(reading, {})
    below: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
    for c, car in enumerate(problem.cars):
        if is_plugged(car.candidate) and car.candidate.site is not None:
            for above in car.candidate.circuits_above:
                below[car.candidate.site.name, above.name].append(c)
    for (site_name, name), cars in below.items():
        site = problem.snapshot.sites[site_name]
        circuit = next(each for each in site.circuits if each.name == name)
        loads = [grid.load(site, circuit).at(i) for i in (reading.at, problem.last_start)]
        limits = grid.circuit(site, circuit).limits(reading.at)
        for place in range(4):
            parts = {c: share(problem.cars[c].candidate, MIX)[place] // MIX for c in cars}
            parts = {c: part for c, part in parts.items() if part}
            if parts and limits[place] < FOREVER:
                # what is over already may stay as it is, but nobody may add to it
                yield CircuitRow(max(limits[place] - max(load[place] for load in loads), 0), parts)


def spreads_of(problem: Problem) -> Iterator[SpreadRow]:
    """Every spread constraint of a pending pod."""
    stay = staying(problem)
    for (namespace, spread, domains), subjects in _constraints(problem).items():
        base = Counter(
            node.labels[spread.topology_key]
            for each in stay
            if _counts(namespace, spread, each.pod)
            if (node := problem.snapshot.nodes.get(each.node)) is not None
            if spread.topology_key in node.labels
        )
        counted: defaultdict[str, list[tuple[int, int]]] = defaultdict(list)
        own: defaultdict[str, list[tuple[int, int]]] = defaultdict(list)
        nowhere = []
        for c, car in enumerate(problem.cars):
            node = car.candidate.node
            domain = node.labels.get(spread.topology_key) if node else None
            for o, offer in enumerate(car.offers):
                if domain is None:
                    nowhere += [(c, o)] if offer.kind in subjects else []
                    continue
                if _counts(namespace, spread, problem.kinds[offer.kind].pods[0]):
                    counted[domain].append((c, o))
                if offer.kind in subjects:
                    own[domain].append((c, o))
        yield SpreadRow(
            skew=spread.max_skew,
            base={domain: base[domain] for domain in domains},
            floor_is_zero=len(domains) < spread.min_domains,
            counted=counted,
            own=own,
            nowhere=nowhere,
        )


def _counts(namespace: str, spread: Spread, pod: Pod) -> bool:
    return pod.namespace == namespace and all_hold(spread.selector, pod.labels)


def _constraints(
    problem: Problem,
) -> Mapping[tuple[str, Spread, frozenset[str]], set[int]]:
    """The constraints with their domains, and the kinds that have each."""
    found: defaultdict[tuple[str, Spread, frozenset[str]], set[int]] = defaultdict(set)
    reading = problem.reading
    open_to_pods = [
        candidate.node
        for candidate in reading.vehicles.values()
        if candidate.node is not None
        and next(failing_vehicle_clauses(reading, candidate), None) is None
    ]
    for index, kind in enumerate(problem.kinds):
        pod = kind.pods[0]
        for spread in pod.spread:
            values = (
                node.labels.get(spread.topology_key)
                for node in open_to_pods
                if selects_node(pod, node)
            )
            domains = frozenset(value for value in values if value is not None)
            found[pod.namespace, spread, domains].add(index)
    return found
