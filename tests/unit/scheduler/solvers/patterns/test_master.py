"""Prices and bounds of the linear program, and the sieve: no choice of patterns is better."""

from itertools import product

import numpy as np
import pytest
from tests.unit.scheduler.scenes import a_board, row_a

from idlewatt_scheduler.solvers.patterns.goals import Goal
from idlewatt_scheduler.solvers.patterns.master import Branch, Master
from idlewatt_scheduler.solvers.patterns.problem import Problem, problem_of
from idlewatt_scheduler.solvers.patterns.search import Counts
from idlewatt_scheduler.solvers.patterns.sieve import Sieve
from idlewatt_scheduler.solvers.patterns.within import everything
from idlewatt_scheduler.testing import a_pod, a_vehicle


def a_problem(limit: int = 22_000) -> Problem:
    """Two vehicles, and pods of three sizes and two priorities, more than there is room for."""
    pods = [
        a_pod(
            name=f"p-{size}-{n}",
            priority=size % 2,
            requests={"cpu": 1_000 * size, "pods": 1_000},
        )
        for size in (5, 6, 7)
        for n in range(2)
    ]
    cars = (a_vehicle(), a_vehicle(name="v-2"))
    found = problem_of(a_board(vehicles=cars, pending=pods, **row_a(limit)))
    assert found is not None
    return found


def patterns(problem: Problem) -> list[list[Counts]]:
    """All patterns of each slot, the empty one included."""
    made: list[list[Counts]] = []
    for slot in problem.slots:
        every = np.array(list(product(*(range(most + 1) for most in slot.most))), np.int16)
        taken = every.astype(np.int64) @ slot.takes
        made.append(list(every[np.all(taken <= slot.room, axis=1)]))
    return made


def best_of(problem: Problem, goal: Goal) -> float:
    """What the best choice is worth, of all there are."""
    best = -np.inf
    limits = np.array(list(problem.demand.values()))
    weigh = Goal()
    for first, second in product(*patterns(problem)):
        pair = [np.array([first]), np.array([second])]
        if np.any(first + second > limits):
            continue
        if any(
            sum(
                parts * int(problem.slots[slot].raised(pair[slot], room.instant)[0])
                for slot, parts in room.parts.items()
            )
            > room.left
            for room in problem.rooms
        ):
            continue
        weight = sum(
            float(weigh.values(problem, slot, each)[0])
            for slot, each in zip(problem.slots, pair, strict=True)
        )
        if goal.weight is None or weight >= goal.weight:
            worth = sum(
                float(goal.values(problem, slot, each)[0])
                for slot, each in zip(problem.slots, pair, strict=True)
            )
            best = max(best, worth)
    return best


@pytest.mark.parametrize("limit", [22_000, 900, 500])
def test_no_choice_is_worth_more_than_the_bound(limit: int) -> None:
    """In weight, and then in cost at the greatest weight; whole programs find the best."""
    problem = a_problem(limit)
    heaviest = best_of(problem, Goal())
    for goal in (Goal(), Goal(round(heaviest))):
        best = best_of(problem, goal)
        master, whole = Master(problem, goal), Master(problem, goal, whole=True)
        for index, every in enumerate(patterns(problem)):
            master.add(index, every)
            whole.add(index, every)
        prices = master.find_prices(50)
        assert prices is not None
        assert prices.bound >= best - 1e-9
        assert whole.solve()
        assert whole.solver.Objective().Value() == pytest.approx(best)


def test_all_patterns_within_the_gap_are_enough() -> None:
    """The best choice is among them, and a sieve keeps it."""
    problem = a_problem()
    goal = Goal()
    best = best_of(problem, goal)
    master = Master(problem, goal)
    prices = master.find_prices(50)
    assert prices is not None
    pool, complete = master.enumerate(prices, prices.bound - best + 0.5, 5_000, 100_000)
    assert complete
    sieve = Sieve(problem, goal, pool)  # type: ignore[arg-type]
    sieve.run(best - 0.5, pool, 10)  # type: ignore[arg-type]
    assert sieve.bound >= best - 1e-9
    kept, everything = sieve.left(5_000)
    assert everything
    whole = Master(problem, goal, whole=True)
    for index, each in enumerate(kept):
        whole.add(index, each)
    assert whole.solve()
    assert whole.solver.Objective().Value() == pytest.approx(best)


def test_too_many_patterns_are_told() -> None:
    """Then no more are looked for; those near the prices are some of the best of each slot."""
    problem = a_problem()
    master = Master(problem, Goal())
    prices = master.find_prices(50)
    assert prices is not None
    pool, complete = master.enumerate(prices, prices.bound, 2, 100_000)
    assert not complete
    assert sum(map(len, pool)) <= 2
    known = [len(columns) for columns in master.columns]
    near = master.near(prices, prices.bound, 2, 100_000)
    assert all(n < len(each) <= n + 2 for n, each in zip(known, near, strict=True))


def test_without_a_choice_the_solution_lacks_something() -> None:
    """More weight than there is: whatever lacks is dearer than everything, and so is the bound."""
    problem = a_problem()
    master = Master(problem, Goal(10**6))
    prices = master.find_prices(20)
    assert prices is not None
    assert master.lacks()
    assert prices.bound < -Goal(10**6).beyond(problem)


def test_in_a_branch_only_its_choices_count() -> None:
    """Bounds of both halves hold of the best choice in them, and one is that of everything."""
    problem = a_problem()
    best = best_of(problem, Goal())
    every = patterns(problem)
    slot = problem.slots[0]
    for item in range(len(slot.templates)):
        inside = everything(slot)
        halves = inside.at_least(item, 1), inside.at_most(item, 0)
        bounds = []
        for half in halves:
            master = Master(problem, Goal())
            for index, each in enumerate(every):
                master.add(index, each)
            master.enter(Branch(slots={0: half}))
            prices = master.find_prices(50)
            assert prices is not None
            assert all(half.holds(slot, p[np.newaxis])[0] for i, p, _ in master.taken() if i == 0)
            bounds.append(prices.bound)
        assert max(bounds) >= best - 1e-9
