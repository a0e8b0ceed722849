"""A second planner, to judge the first: assignment by CP-SAT, by the rules as the check reads them.

    python -m tests.benchmarks.second 80x160/tight --seeds 5 --seconds 60

It shares no code with the planner: what may run where, what it costs and what is left it asks
of `feasibility`, which was written from the rules alone. It begins from the first one's plan and
looks for a better one, weight first, then cost at that weight, for as long as it is given. What it
finds is checked; it tells by how much the first plan was worse, and whether its bounds hold. That a
plan is stable it does not see to, so that it may place weight that no stable plan can.
"""

import argparse
import sys
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor
from time import perf_counter
from typing import Any, Final

from ortools.sat.python import cp_model
from rich.console import Console
from tests.benchmarks.at_scale import Case
from tests.benchmarks.instances import an_instance

from idlewatt_scheduler.feasibility import placement_violations, violations
from idlewatt_scheduler.feasibility.bill import bill
from idlewatt_scheduler.feasibility.circuits import Grid, share
from idlewatt_scheduler.feasibility.kinds import kind_of
from idlewatt_scheduler.feasibility.leaving import must_leave
from idlewatt_scheduler.feasibility.matching import all_hold, selects_node
from idlewatt_scheduler.feasibility.pod import Question, first_failing_pod_clause
from idlewatt_scheduler.feasibility.power import (
    Source,
    ac_power,
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
from idlewatt_scheduler.model.plan import Placement, Plan
from idlewatt_scheduler.model.snapshot import Snapshot
from idlewatt_scheduler.model.units import (
    FOREVER,
    MILLIWATT_MILLISECONDS_PER_WATT_HOUR,
    milliwatts,
)
from idlewatt_scheduler.model.workload import Pod, Spread
from idlewatt_scheduler.planner import Params, plan

MONEY: Final = 10**7
MILLIWATT_HOURS: Final = MILLIWATT_MILLISECONDS_PER_WATT_HOUR // 1_000
WEIGHT_BASE: Final = 16
HIGHEST_RANK: Final = 5
WORKERS: Final = 2


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


# --- the model


@dataclass(frozen=True, slots=True)
class Found:
    """What the second planner found.

    Attributes:
        counts: by car and offer.
        placements: the same as a plan has it, as far as the check looks at it.
    """

    weight: int
    cost: float
    counts: Mapping[tuple[int, int], int]
    status: str


class _Model:
    """Integers for how many pods of each kind are on each vehicle, and the rules about them."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.model = cp_model.CpModel()
        self.counts: dict[tuple[int, int], Any] = {}
        self.used: dict[tuple[int, int], Any] = {}
        by_kind: defaultdict[int, list[Any]] = defaultdict(list)
        for c, car in enumerate(problem.cars):
            for o, offer in enumerate(car.offers):
                count = self.model.new_int_var(0, offer.most, f"n{c}_{o}")
                used = self.model.new_bool_var(f"u{c}_{o}") if offer.most > 1 else count
                if offer.most > 1:
                    self.model.add(count <= offer.most * used)
                    self.model.add(count >= used)
                self.counts[c, o], self.used[c, o] = count, used
                by_kind[offer.kind].append(count)
        for kind, counts in by_kind.items():
            self.model.add(sum(counts) <= len(problem.kinds[kind].pods))
        self.open = [self.model.new_bool_var(f"open{c}") for c in range(len(problem.cars))]
        for (c, _), used in self.used.items():
            self.model.add(used <= self.open[c])
        self._machines()
        self._circuits()
        self._gangs(by_kind)
        for constraint, subjects in _constraints(problem):
            self._spread(*constraint, subjects)

    def _machines(self) -> None:
        for c, car in enumerate(self.problem.cars):
            mine = [(offer, self.counts[c, o]) for o, offer in enumerate(car.offers)]
            kinds = self.problem.kinds
            for name, left in car.left.items():
                unit = 1_000 if name not in {"memory", "ephemeral-storage"} else 1_000 * 2**20
                asked = [
                    (ceil(Fraction(1_000 * amount, unit)), n)
                    for offer, n in mine
                    if (amount := kinds[offer.kind].pods[0].requests.get(name, 0))
                ]
                if asked:
                    most = floor(Fraction(1_000 * left, unit))
                    self.model.add(sum(amount * n for amount, n in asked) <= most)
            self.model.add(sum(offer.stay.power * n for offer, n in mine) <= car.power)
            if car.energy is not None:
                self._battery(c, car, mine)

    def _battery(self, c: int, car: Car, mine: Sequence[tuple[Offer, Any]]) -> None:
        if car.energy is None:
            return
        unit = MILLIWATT_HOURS
        most = floor(car.energy / unit)
        standby = self.model.new_int_var(0, max(most, 0), f"standby{c}")
        for o, offer in enumerate(car.offers):
            alone = car.standby * max(offer.stay.end - car.alone_from, 0)
            self.model.add(standby >= ceil(Fraction(alone, unit)) * self.used[c, o])
        taken = [
            (ceil(Fraction(offer.stay.power * (offer.stay.end - offer.stay.start), unit)), n)
            for offer, n in mine
        ]
        self.model.add(sum(each * n for each, n in taken) + standby <= most)

    def _circuits(self) -> None:
        """All new pods run together at the last start: that is when circuits carry the most."""
        problem, reading = self.problem, self.problem.reading
        grid = Grid.planned(reading, {})
        raised: defaultdict[tuple[str, str], list[tuple[Candidate, Any]]] = defaultdict(list)
        for c, car in enumerate(problem.cars):
            if is_plugged(car.candidate) and car.candidate.site is not None:
                more = self._raise(c, car)
                for above in car.candidate.circuits_above:
                    raised[car.candidate.site.name, above.name].append((car.candidate, more))
        for (site_name, name), there in raised.items():
            site = problem.snapshot.sites[site_name]
            circuit = next(each for each in site.circuits if each.name == name)
            instants = (reading.at, problem.last_start)
            load = [grid.load(site, circuit).at(instant) for instant in instants]
            limits = grid.circuit(site, circuit).limits(reading.at)
            for place in range(4):
                left = limits[place] - max(each[place] for each in load)
                parts = [(share(candidate, 6)[place] // 6, more) for candidate, more in there]
                asked = [(part, more) for part, more in parts if part]
                if asked and limits[place] < FOREVER:
                    # what is over already may stay as it is, but nobody may add to it
                    self.model.add(sum(part * more for part, more in asked) <= max(left, 0))

    def _raise(self, c: int, car: Car) -> Any:  # noqa: ANN401 - an expression of the model
        """By how many milliwatts AC a car draws more."""
        percent = car.candidate.vehicle.compute.efficiency_percent if car.candidate.vehicle else 100
        cap, charging = draw_cap(car.candidate), reported_charging(car.candidate)
        alone = 0 if car.now else car.standby
        new = sum(offer.stay.power * self.counts[c, o] for o, offer in enumerate(car.offers))
        before = min(cap, charging + ac_power(car.candidate, car.now))
        most = cap - before
        more = self.model.new_int_var(0, max(most, 0), f"raise{c}")
        if most <= 0:
            return more
        wanted = new + alone * self.open[c]
        reach = ac_power(car.candidate, car.power + alone) + 1
        if charging + ac_power(car.candidate, car.now) + reach <= cap:
            self.model.add(percent * more >= 100 * wanted)
            return more
        full = self.model.new_bool_var(f"full{c}")
        self.model.add(percent * more >= 100 * wanted).only_enforce_if(full.negated())
        self.model.add(more >= most).only_enforce_if(full)
        return more

    def _gangs(self, by_kind: Mapping[int, list[Any]]) -> None:
        problem = self.problem
        stay = still_running(problem.snapshot.running, must_leave(problem.reading).keys())
        run = Counter((each.pod.namespace, each.pod.demand.gang) for each in stay)
        gangs: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
        for index, kind in enumerate(problem.kinds):
            pod = kind.pods[0]
            if pod.demand.gang is not None:
                gangs[pod.namespace, pod.demand.gang].append(index)
        for name, members in gangs.items():
            size = max(problem.kinds[index].pods[0].demand.gang_size for index in members)
            needs = max(size - run[name], 0)
            placed = [count for index in members for count in by_kind.get(index, ())]
            whole = self.model.new_bool_var(f"gang{name}")
            self.model.add(sum(placed) >= needs * whole)
            self.model.add(sum(placed) <= 1_000_000 * whole)

    def _spread(
        self, namespace: str, spread: Spread, domains: frozenset[str], subjects: frozenset[int]
    ) -> None:
        problem = self.problem
        counted = {
            index
            for index, kind in enumerate(problem.kinds)
            if kind.pods[0].namespace == namespace
            and all_hold(spread.selector, kind.pods[0].labels)
        }
        stay = still_running(problem.snapshot.running, must_leave(problem.reading).keys())
        base = Counter(
            node.labels.get(spread.topology_key)
            for each in stay
            if each.pod.namespace == namespace and all_hold(spread.selector, each.pod.labels)
            if (node := problem.snapshot.nodes.get(each.node)) is not None
        )
        here: defaultdict[str, list[Any]] = defaultdict(list)
        own: defaultdict[str, list[Any]] = defaultdict(list)
        for c, car in enumerate(problem.cars):
            node = car.candidate.node
            domain = node.labels.get(spread.topology_key) if node else None
            for o, offer in enumerate(car.offers):
                if offer.kind in subjects and domain is None:
                    self.model.add(self.counts[c, o] == 0)
                elif domain is not None:
                    if offer.kind in counted:
                        here[domain].append(self.counts[c, o])
                    if offer.kind in subjects:
                        own[domain].append(self.counts[c, o])
        total = sum(len(problem.kinds[index].pods) for index in counted) + sum(base.values())
        least: Any = 0
        if len(domains) >= spread.min_domains:
            least = self.model.new_int_var(0, total, "least")
            for domain in domains:
                self.model.add(least <= sum(here[domain]) + base[domain])
        for domain, placed in own.items():
            some = self.model.new_bool_var("some")
            self.model.add(sum(placed) <= total * some)
            self.model.add(
                sum(here[domain]) + base[domain] - least <= spread.max_skew
            ).only_enforce_if(some)

    def weight(self) -> Any:  # noqa: ANN401 - an expression of the model
        """What is placed."""
        cars, kinds = self.problem.cars, self.problem.kinds
        return sum(kinds[cars[c].offers[o].kind].weight * n for (c, o), n in self.counts.items())

    def cost(self) -> Any:  # noqa: ANN401 - an expression of the model
        """What it costs, in fractions of the currency."""
        terms: list[Any] = []
        for c, car in enumerate(self.problem.cars):
            longest = round(max(offer.stay_cost for offer in car.offers) * MONEY)
            stay = self.model.new_int_var(0, max(longest, 0), f"stay{c}")
            for o, offer in enumerate(car.offers):
                self.model.add(stay >= round(offer.stay_cost * MONEY) * self.used[c, o])
                terms.append(round(offer.cost * MONEY) * self.counts[c, o])
            terms += [stay, round(car.opening * MONEY) * self.open[c]]
        return sum(terms)


def _constraints(
    problem: Problem,
) -> list[tuple[tuple[str, Spread, frozenset[str]], frozenset[int]]]:
    """Every spread constraint with its domains, and the kinds that have it."""
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
    return [(key, frozenset(subjects)) for key, subjects in found.items()]


def better(problem: Problem, first: Plan, seconds: float) -> Found:
    """The best found in so many seconds for weight, and as many for cost, begun from a plan."""
    hint = _counts_of(problem, first)
    model = _Model(problem)
    model.model.maximize(model.weight())
    status, counts = _solved(model, hint, seconds)
    weight = _weight_of(problem, counts)
    model = _Model(problem)
    model.model.add(model.weight() >= max(weight, first.weight))
    model.model.minimize(model.cost())
    then, cheaper = _solved(model, counts if weight > first.weight else hint, seconds)
    return Found(
        weight=_weight_of(problem, cheaper),
        cost=float(_cost_of(problem, cheaper)),
        counts=cheaper,
        status=f"{status}, {then}",
    )


def _solved(
    model: _Model, hint: Mapping[tuple[int, int], int], seconds: float
) -> tuple[str, dict[tuple[int, int], int]]:
    for key, count in model.counts.items():
        model.model.add_hint(count, hint.get(key, 0))
    solver = cp_model.CpSolver()
    solver.parameters.max_time_in_seconds = seconds
    solver.parameters.num_workers = WORKERS
    solver.parameters.repair_hint = True
    status = solver.solve(model.model)
    if status not in {cp_model.OPTIMAL, cp_model.FEASIBLE}:
        return solver.status_name(status), dict(hint)
    counts = {key: solver.value(count) for key, count in model.counts.items()}
    return solver.status_name(status), {key: count for key, count in counts.items() if count}


def _counts_of(problem: Problem, made: Plan) -> dict[tuple[int, int], int]:
    car_of = {car.candidate.name: c for c, car in enumerate(problem.cars)}
    kind = {pod.uid: index for index, each in enumerate(problem.kinds) for pod in each.pods}
    offer_of = {
        (c, offer.kind): o
        for c, car in enumerate(problem.cars)
        for o, offer in enumerate(car.offers)
    }
    return dict(
        Counter(
            (car_of[each.node], offer_of[car_of[each.node], kind[each.pod.uid]])
            for each in made.placements
        )
    )


def _weight_of(problem: Problem, counts: Mapping[tuple[int, int], int]) -> int:
    return sum(
        problem.kinds[problem.cars[c].offers[o].kind].weight * n for (c, o), n in counts.items()
    )


def _cost_of(problem: Problem, counts: Mapping[tuple[int, int], int]) -> Fraction:
    """Exactly, as the check bills it."""
    stays: defaultdict[int, list[Stay]] = defaultdict(list)
    for (c, o), number in counts.items():
        stays[c] += [problem.cars[c].offers[o].stay] * number
    bills = (bill(problem.reading, problem.cars[c].candidate, each) for c, each in stays.items())
    return sum((each.cost or Fraction(0) for each in bills), Fraction(0))


def broken(problem: Problem, found: Found) -> Counter[str]:
    """The rules that the second plan breaks, by name: there should be none."""
    taken: Counter[int] = Counter()
    placements = []
    for (c, o), number in sorted(found.counts.items()):
        car, offer = problem.cars[c], problem.cars[c].offers[o]
        pods = problem.kinds[offer.kind].pods[taken[offer.kind] : taken[offer.kind] + number]
        taken[offer.kind] += number
        placements += [
            Placement(
                pod, car.candidate.name, offer.stay.start, offer.stay.ready_at, offer.stay.end,
                offer.stay.power,
            )
            for pod in pods
        ]  # fmt: skip
    made = Plan(at=problem.snapshot.at, placements=tuple(placements))
    return Counter(each.rule for each in placement_violations(problem.snapshot, made))


def main(arguments: Sequence[str] | None = None) -> int:
    """Judge plans of many instances, a line for each."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.second")
    parser.add_argument("cases", nargs="+", type=Case.read, metavar="VEHICLESxPODS[/SUPPLY]")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--first-seed", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=30.0, help="for weight, and for cost")
    given = parser.parse_args(arguments)
    console = Console(width=200)
    for case in given.cases:
        for seed in range(given.first_seed, given.first_seed + given.seeds):
            snapshot = an_instance(case.size, case.plenty, seed)
            began = perf_counter()
            first = plan(snapshot, Params(), seed=seed)
            took = perf_counter() - began
            wrong = Counter(each.rule for each in violations(snapshot, first))
            problem = problem_of(snapshot)
            found = better(problem, first, given.seconds)
            console.print(f"{case}, seed {seed}: {_verdict(first, found)}", highlight=False)
            told = f"{first.solver} {took:.2f} s, proven {first.proven}, halted {first.halted}"
            rules = f"rules broken: {dict(wrong)} and {dict(broken(problem, found))}"
            console.print(f"    {told}; second: {found.status}; {rules}", highlight=False)
    return 0


def _verdict(first: Plan, found: Found) -> str:
    weight_worse = 100 * (found.weight - first.weight) / max(found.weight, 1)
    words = [
        f"weight {first.weight} (gap {100 * float(first.gap):.4f} %), second {weight_worse:+.5f} %"
    ]
    cost = float(first.cost)
    if found.weight == first.weight:
        words.append(
            f"cost {cost:.4f}, second {100 * (cost - found.cost) / max(cost, 1e-9):.4f} % less"
        )
    else:
        words.append(f"cost {cost:.4f} and {found.cost:.4f} at that weight")
    if first.cost_bound is not None:
        words.append(f"cost gap {100 * float(first.cost_gap or 0):.4f} %")
    if found.weight > first.bound:
        words.append(f"BOUND {first.bound} BEATEN")
    cheaper = first.cost_bound is not None and found.cost < float(first.cost_bound) - 1e-6
    if found.weight >= first.weight and cheaper:
        words.append(f"COST BOUND {float(first.cost_bound or 0):.6f} BEATEN by {found.cost:.6f}")
    if first.proven and (found.weight > first.weight or found.cost < cost - 1e-6):
        words.append("PROVEN PLAN BEATEN")
    return "; ".join(words)


if __name__ == "__main__":
    sys.exit(main())
