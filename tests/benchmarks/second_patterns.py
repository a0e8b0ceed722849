"""Patterns for the second planner: what a vehicle may carry together, found by column generation.

The master is a linear program (GLOP) over patterns, with a row for each kind of pod, circuit and
spread constraint; at its prices CP-SAT finds the best pattern of each vehicle, exactly. When there
is no better one, the master's value bounds every plan: weight first, then the cost at a weight.
Gangs are left out of it, which can only make a bound wider. That is an opinion of its own on the
planner's bounds, and the patterns are what good plans are made of.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from fractions import Fraction
from math import ceil, floor, inf
from time import perf_counter
from typing import Any, Final

from ortools.linear_solver import pywraplp
from ortools.sat.python import cp_model
from tests.benchmarks.second_model import MONEY, CarsModel
from tests.benchmarks.second_problem import (
    Car,
    CircuitRow,
    Problem,
    SpreadRow,
    circuits_of,
    spreads_of,
)

from idlewatt_scheduler.feasibility.power import ac_power, draw_cap, reported_charging

GREATEST: Final = 10.0**13
"""The greatest price becomes so large a whole number: the others are rounded up beside it."""

WORKERS: Final = 2

NO_BETTER: Final = 1e-9
"""Of the greatest price: what is taken for rounding."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """What one car carries: how many pods of which offers."""

    car: int
    counts: tuple[tuple[int, int], ...]
    weight: int
    cost: float
    raised: int


@dataclass(frozen=True, slots=True)
class Bounds:
    """What the linear programs say.

    Attributes:
        weight: no plan places more; at least what any does.
        cost: no plan of the given weight costs less. None: it was not reached in time.
        converged: no pattern was left that would have made a difference.
    """

    weight: float
    cost: float | None
    converged: bool
    patterns: tuple[Pattern, ...]


def pattern_of(problem: Problem, c: int, counts: Mapping[int, int]) -> Pattern:
    """A pattern with what it weighs, costs and draws."""
    car = problem.cars[c]
    held = [(car.offers[o], n) for o, n in counts.items() if n]
    power = sum(offer.stay.power * n for offer, n in held)
    longest = max((offer.stay_cost for offer, _ in held), default=Fraction(0))
    money = sum((offer.cost * n for offer, n in held), Fraction(0))
    return Pattern(
        car=c,
        counts=tuple(sorted((o, n) for o, n in counts.items() if n)),
        weight=sum(problem.kinds[offer.kind].weight * n for offer, n in held),
        cost=float(money + longest + car.opening) if held else 0.0,
        raised=raised_by(car, power) if held else 0,
    )


def raised_by(car: Car, power: int) -> int:
    """By how many milliwatts a car draws more with new pods of so much power."""
    cap, charging = draw_cap(car.candidate), reported_charging(car.candidate)
    alone = 0 if car.now else car.standby
    before = min(cap, charging + ac_power(car.candidate, car.now))
    return min(cap, charging + ac_power(car.candidate, car.now + alone + power)) - before


class _Pricer:
    """The best pattern of one car, for prices that change."""

    def __init__(self, problem: Problem, c: int, *, costs: bool) -> None:
        self._problem, self._c, self._costs = problem, c, costs
        self._car = problem.cars[c]
        self._cars = CarsModel(replace(problem, cars=(self._car,)))
        self._raised = self._cars.raised(0, self._car)
        self._stay = self._cars.stay_cost(0, self._car) if costs else 0

    def best(self, gains: Sequence[float], drawn: float) -> tuple[float, Pattern]:
        """The greatest value of any pattern, at least, and a pattern that has it.

        `gains` are by offer, `drawn` the price of a milliwatt drawn; costs are taken off where
        they count.
        """
        greatest = max(gains, default=0.0)
        if greatest <= 0:
            return 0.0, pattern_of(self._problem, self._c, {})
        cars, unit = self._cars, GREATEST / greatest
        objective = sum(
            ceil(gain * unit) * cars.counts[0, o] for o, gain in enumerate(gains) if gain > 0
        )
        objective = objective - floor(drawn * unit) * self._raised
        if self._costs:
            opening = floor(self._car.opening * Fraction(unit))
            objective = objective - opening * cars.open[0] - floor(unit / MONEY) * self._stay
        cars.model.maximize(objective)
        solver = cp_model.CpSolver()
        solver.parameters.num_workers = 1
        solver.parameters.max_time_in_seconds = 5.0
        status = solver.solve(cars.model)
        if status not in {cp_model.OPTIMAL, cp_model.FEASIBLE}:
            return solver.best_objective_bound / unit, pattern_of(self._problem, self._c, {})
        counts = {o: solver.value(cars.counts[0, o]) for o in range(len(self._car.offers))}
        bound = max(solver.best_objective_bound / unit, 0.0)
        return bound, pattern_of(self._problem, self._c, counts)


class _Master:
    """The linear program over patterns, for weight or, at a weight, for cost."""

    def __init__(self, problem: Problem, rows: "_Coupling", least_weight: int | None) -> None:
        self._problem, self._rows = problem, rows
        self._costs = least_weight is not None
        self._solver = pywraplp.Solver.CreateSolver("GLOP")
        infinity = self._solver.infinity()
        make = self._solver.Constraint
        self._cars = [make(-infinity, 1.0) for _ in problem.cars]
        self._kinds = [make(-infinity, float(len(kind.pods))) for kind in problem.kinds]
        self._circuits = [make(-infinity, row.left / KILO) for row in rows.circuits]
        self._unit = float(max((kind.weight for kind in problem.kinds), default=1))
        # weights are whole: half of one less is no other plan, and leaves room for rounding
        self._weight = make(((least_weight or 0) - 0.5) / self._unit, infinity)
        self._over: list[dict[str, Any]] = []
        self._under: list[dict[str, Any]] = []
        for row in rows.spreads:
            self._add_spread(row)
        objective = self._solver.Objective()
        objective.SetMinimization() if self._costs else objective.SetMaximization()
        self._objective = objective
        self._seen: set[tuple[int, tuple[tuple[int, int], ...]]] = set()

    def _add_spread(self, row: SpreadRow) -> None:
        """In each domain the count is at most the least, which each is at least, and the skew."""
        solver, infinity = self._solver, self._solver.infinity()
        least = solver.NumVar(0.0, 0.0 if row.floor_is_zero else infinity, "")
        over, under = {}, {}
        for domain, base in row.base.items():
            if set(row.counted.get(domain, ())) <= set(row.own.get(domain, ())) and not base:
                over[domain] = solver.Constraint(-infinity, float(row.skew - base))
                over[domain].SetCoefficient(least, -1.0)
            if not row.floor_is_zero:
                under[domain] = solver.Constraint(-float(base), infinity)
                under[domain].SetCoefficient(least, -1.0)
        self._over.append(over)
        self._under.append(under)

    def add(self, pattern: Pattern) -> bool:
        """One more pattern; False: it is there already."""
        key = pattern.car, pattern.counts
        if key in self._seen or not pattern.counts:
            return False
        self._seen.add(key)
        variable = self._solver.NumVar(0.0, self._solver.infinity(), "")
        self._cars[pattern.car].SetCoefficient(variable, 1.0)
        for constraint, amount in self._amounts(pattern):
            constraint.SetCoefficient(variable, amount)
        self._weight.SetCoefficient(variable, pattern.weight / self._unit)
        gained = pattern.cost if self._costs else pattern.weight / self._unit
        self._objective.SetCoefficient(variable, gained)
        return True

    def _amounts(self, pattern: Pattern) -> Iterator[tuple[Any, float]]:
        offers = self._problem.cars[pattern.car].offers
        amounts: defaultdict[int, float] = defaultdict(float)
        for o, n in pattern.counts:
            amounts[offers[o].kind] += n
        yield from ((self._kinds[kind], amount) for kind, amount in amounts.items())
        for constraint, row in zip(self._circuits, self._rows.circuits, strict=True):
            if part := row.parts.get(pattern.car):
                yield constraint, part * pattern.raised / KILO
        spread: defaultdict[Any, float] = defaultdict(float)
        held = dict(pattern.counts)
        for place, domain, o in self._rows.counted[pattern.car]:
            for rows in (self._over[place], self._under[place]):
                if o in held and domain in rows:
                    spread[rows[domain]] += held[o]
        yield from spread.items()

    def solve(self) -> float:
        """The value of the program, with the patterns there are.

        Raises:
            RuntimeError: there is none: patterns of no plan of that weight were given.
        """
        if self._solver.Solve() != pywraplp.Solver.OPTIMAL:
            message = "The master has no optimum: begin with the patterns of a plan."
            raise RuntimeError(message)
        return float(self._objective.Value())

    def prices(self, c: int) -> tuple[list[float], float, float]:
        """For a car: what each offer gains, what a milliwatt costs, what the car itself does."""
        sign = -1.0 if self._costs else 1.0
        weight = sign * self._weight.dual_value()
        offers = self._problem.cars[c].offers
        gains = []
        for offer in offers:
            own = self._problem.kinds[offer.kind].weight / self._unit
            gain = own * (-weight if self._costs else 1.0)
            gain -= sign * self._kinds[offer.kind].dual_value()
            gains.append(gain - (float(offer.cost) if self._costs else 0.0))
        for place, domain, o in self._rows.counted[c]:
            for rows in (self._over[place], self._under[place]):
                if domain in rows:
                    gains[o] -= sign * rows[domain].dual_value()
        drawn = sum(
            sign * constraint.dual_value() * row.parts[c] / KILO
            for constraint, row in zip(self._circuits, self._rows.circuits, strict=True)
            if c in row.parts
        )
        return gains, max(drawn, 0.0), sign * self._cars[c].dual_value()

    @property
    def unit(self) -> float:
        """What the objective is counted in."""
        return 1.0 if self._costs else self._unit


KILO: Final = 1_000_000.0
"""Circuits are counted in kilowatts, so that a program's figures are of one size."""


@dataclass(frozen=True, slots=True)
class _Coupling:
    """What vehicles share; `counted` are by car the spread rows, domains and offers they count."""

    circuits: tuple[CircuitRow, ...]
    spreads: tuple[SpreadRow, ...]
    counted: tuple[list[tuple[int, str, int]], ...]


def _coupling(problem: Problem) -> _Coupling:
    spreads = tuple(spreads_of(problem))
    counted: tuple[list[tuple[int, str, int]], ...] = tuple([] for _ in problem.cars)
    for place, row in enumerate(spreads):
        for domain, keys in row.counted.items():
            for c, o in keys:
                counted[c].append((place, domain, o))
    return _Coupling(tuple(circuits_of(problem)), spreads, counted)


def generated(
    problem: Problem, begin: Iterable[Pattern], least_weight: int | None, seconds: float
) -> tuple[float, bool, list[Pattern]]:
    """The bound of one program, whether it converged, and all patterns that were found.

    The program is for the most weight; with a `least_weight`, for the least cost at that.
    """
    rows, costs = _coupling(problem), least_weight is not None
    master = _Master(problem, rows, least_weight)
    pricers = [_Pricer(problem, c, costs=costs) for c in range(len(problem.cars))]
    found = list(begin)
    for pattern in found:
        master.add(pattern)
    end = perf_counter() + seconds
    best = -inf if costs else inf
    while True:
        value = master.solve()
        slack, more = 0.0, 0
        for own, (upper, pattern) in _priced(pricers, master):
            slack += max(upper - own, 0.0)
            if upper - own > NO_BETTER * max(abs(own), 1.0) and master.add(pattern):
                found.append(pattern)
                more += 1
        bound = value - slack if costs else value + slack
        best = max(best, bound) if costs else min(best, bound)
        if not more or perf_counter() > end:
            return best * master.unit, not more, found


def _priced(
    pricers: Sequence[_Pricer], master: _Master
) -> list[tuple[float, tuple[float, Pattern]]]:
    """For each car what the master says it is worth, and the best pattern; all of the same prices.

    They are read before anything is added: a changed program has none.
    """
    prices = [master.prices(c) for c in range(len(pricers))]
    gains, drawn, worth = zip(*prices, strict=True)
    with ThreadPoolExecutor(WORKERS) as pool:
        answers = pool.map(_Pricer.best, pricers, gains, drawn)
        return list(zip(worth, answers, strict=True))


def bounds_of(problem: Problem, first: Mapping[tuple[int, int], int], seconds: float) -> Bounds:
    """Bounds on weight, and on cost at a plan's weight; begun from that plan's own patterns.

    Args:
        problem: what is to be planned.
        first: the plan, as counts by car and offer.
        seconds: for each of the two programs.
    """
    by_car: defaultdict[int, dict[int, int]] = defaultdict(dict)
    for (c, o), n in first.items():
        by_car[c][o] = n
    begin = [pattern_of(problem, c, counts) for c, counts in by_car.items()]
    placed = sum(pattern.weight for pattern in begin)
    weight, whole, patterns = generated(problem, begin, None, seconds)
    cost, cheapest, more = generated(problem, patterns, placed, seconds)
    return Bounds(weight, cost, whole and cheapest, tuple(more))
