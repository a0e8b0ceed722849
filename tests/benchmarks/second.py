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
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil
from time import perf_counter
from typing import Final

from ortools.sat.python import cp_model
from rich.console import Console
from tests.benchmarks.at_scale import Case
from tests.benchmarks.instances import an_instance
from tests.benchmarks.second_model import MONEY, FleetModel
from tests.benchmarks.second_patterns import Bounds, bounds_of
from tests.benchmarks.second_problem import Problem, problem_of

from idlewatt_scheduler.feasibility import placement_violations, violations
from idlewatt_scheduler.feasibility.bill import bill
from idlewatt_scheduler.feasibility.reading import Stay
from idlewatt_scheduler.model.plan import Placement, Plan
from idlewatt_scheduler.planner import Params, plan

WORKERS: Final = 2
ROUNDING: Final = 1_000
"""Of the parts of the currency that a model counts: what rounding each figure may add up to."""


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


def better(problem: Problem, first: Plan, bounds: Bounds, seconds: float) -> Found:
    """The best found in so many seconds for weight, and as many for cost, begun from a plan.

    First the patterns are put together as well as they can be, then pods are moved freely.
    """
    counts: Mapping[tuple[int, int], int] = counts_of(problem, first)
    by_car: defaultdict[int, set[tuple[tuple[int, int], ...]]] = defaultdict(set)
    for pattern in bounds.patterns:
        by_car[pattern.car].add(pattern.counts)
    told = []
    for cheaply in (False, True):
        for patterns in (by_car, None):
            model = FleetModel(problem)
            model.model.add(model.weight() >= weight_of(problem, counts))
            if cheaply:
                money = model.cost()
                model.model.add(money <= ceil(MONEY * cost_of(problem, counts)) + ROUNDING)
                model.model.minimize(money)
            else:
                model.model.maximize(model.weight())
            if patterns is not None:
                model.made_of({c: sorted(each) for c, each in patterns.items()})
            status, counts = _solved(model, counts, seconds)
            told.append(status)
    return Found(
        weight=weight_of(problem, counts),
        cost=float(cost_of(problem, counts)),
        counts=counts,
        status=", ".join(told),
    )


def _solved(
    model: FleetModel, hint: Mapping[tuple[int, int], int], seconds: float
) -> tuple[str, dict[tuple[int, int], int]]:
    """What was found, or, where nothing was, the hint."""
    for key, count in model.counts.items():
        model.model.add_hint(count, hint.get(key, 0))
    solver = cp_model.CpSolver()
    solver.parameters.max_time_in_seconds = seconds
    solver.parameters.num_workers = WORKERS
    status = solver.solve(model.model)
    if status not in {cp_model.OPTIMAL, cp_model.FEASIBLE}:
        return solver.status_name(status), dict(hint)
    counts = {key: solver.value(count) for key, count in model.counts.items()}
    return solver.status_name(status), {key: count for key, count in counts.items() if count}


def counts_of(problem: Problem, made: Plan) -> dict[tuple[int, int], int]:
    """A plan, by car and offer."""
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


def weight_of(problem: Problem, counts: Mapping[tuple[int, int], int]) -> int:
    """What is placed."""
    return sum(
        problem.kinds[problem.cars[c].offers[o].kind].weight * n for (c, o), n in counts.items()
    )


def cost_of(problem: Problem, counts: Mapping[tuple[int, int], int]) -> Fraction:
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
            bounds = bounds_of(problem, counts_of(problem, first), given.seconds)
            found = better(problem, first, bounds, given.seconds)
            console.print(f"{case}, seed {seed}: {_verdict(first, found)}", highlight=False)
            console.print(f"    {_opinion(first, found, bounds)}", highlight=False)
            told = f"{first.solver} {took:.2f} s, proven {first.proven}, halted {first.halted}"
            rules = f"rules broken: {dict(wrong)} and {dict(broken(problem, found))}"
            console.print(f"    {told}; second: {found.status}; {rules}", highlight=False)
            sys.stdout.flush()
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


def _opinion(first: Plan, found: Found, bounds: Bounds) -> str:
    """What the linear programs say of the same."""
    weight = 100 * (bounds.weight - first.weight) / max(bounds.weight, 1.0)
    words = [f"by patterns: weight gap {weight:.4f} %"]
    if found.weight == first.weight and bounds.cost is not None:
        cost = float(first.cost)
        gap = 100 * (cost - bounds.cost) / max(cost, 1e-9)
        left = 100 * (found.cost - bounds.cost) / max(found.cost, 1e-9)
        words.append(f"cost gap {gap:.4f} %, of the second {left:.4f} %")
    words.append("converged" if bounds.converged else "stopped early")
    return ", ".join(words)


if __name__ == "__main__":
    sys.exit(main())
