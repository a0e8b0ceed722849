"""Both ways to take a fraction away hold every choice of whole patterns between them."""

from itertools import product

import numpy as np
from tests.unit.scheduler.scenes import a_board

from idlewatt_scheduler.solvers.patterns.forks import fork_slot, fork_together
from idlewatt_scheduler.solvers.patterns.goals import Goal
from idlewatt_scheduler.solvers.patterns.master import Branch, Master
from idlewatt_scheduler.solvers.patterns.problem import Problem, problem_of
from idlewatt_scheduler.solvers.patterns.within import everything, only
from idlewatt_scheduler.testing import a_pod, a_vehicle


def a_problem() -> Problem:
    """Three pods of 5, 6 and 7 cores; any two of them fit on one of two vehicles."""
    pods = [a_pod(name=f"p-{n}", requests={"cpu": 1_000 * n, "pods": 1_000}) for n in (5, 6, 7)]
    found = problem_of(a_board(vehicles=(a_vehicle(), a_vehicle(name="v-2")), pending=pods))
    assert found is not None
    return found


def test_a_vehicle_in_halves_is_in_neither_branch() -> None:
    """Halves of three pairs hold all three pods; each half of the fork has other choices."""
    problem = a_problem()
    master = Master(problem, Goal())
    pairs = np.array([[1, 1, 0], [0, 1, 1], [1, 0, 1]], np.int16)
    for index in range(2):
        master.add(index, pairs)
    assert master.solve()
    whole = sum(share * pattern.sum() for _, pattern, share in master.taken())
    assert round(whole, 6) == 3
    assert fork_together(problem, master, Branch()) is None
    fork = fork_slot(problem, master, Branch())
    assert fork is not None
    (index,) = fork[0].slots
    slot = problem.slots[index]
    every = np.array(list(product(*(range(most + 1) for most in slot.most))), np.int16)
    first, other = (branch.slots[index].holds(slot, every) for branch in fork)
    assert np.all(first ^ other)
    taken = np.array([pattern for i, pattern, _ in master.taken() if i == index])
    for branch in fork:
        assert not branch.slots[index].holds(slot, taken).all() or len(taken) == 1


def test_a_part_of_a_pod_is_in_neither_branch() -> None:
    """One and a half pods of a rank: half of a template's only one, which is placed or is not."""
    problem = a_problem()
    master = Master(problem, Goal())
    master.add(0, np.array([[1, 1, 0], [1, 0, 0]], np.int16))
    ranks = [n for n, row in enumerate(master.joint.rows) if len(row.pods) == 3]
    master.enter(Branch(rows={ranks[0]: (-np.inf, 1.5)}))
    assert master.solve()
    fork = fork_together(problem, master, Branch())
    assert fork is not None
    (more,), (fewer,) = (branch.rows.values() for branch in fork)
    assert (more, fewer) == ((1.0, 1.0), (-np.inf, 0.0))


def test_what_a_slot_may_hold_is_said_exactly() -> None:
    """All patterns, those with and without a pod, and one alone."""
    slot = a_problem().slots[0]
    whole = everything(slot)
    counts = np.array(list(product(*(range(most + 1) for most in slot.most))), np.int16)
    assert whole.holds(slot, counts).all()
    assert whole.is_open
    assert not whole.at_least(0, 1).is_open
    with_pod, without = (
        each.holds(slot, counts) for each in (whole.at_least(0, 1), whole.at_most(0, 0))
    )
    assert np.all(with_pod ^ without)
    assert only(slot, counts[1]).holds(slot, counts).sum() == 1
