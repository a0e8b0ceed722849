"""The second planner: by the rules, never worse than what it began from, within its own bounds."""

import pytest
from tests.benchmarks.fleets import Size
from tests.benchmarks.instances import Plenty, an_instance
from tests.benchmarks.measuring import GREEDY
from tests.benchmarks.second import better, broken, cost_of, counts_of, weight_of
from tests.benchmarks.second_patterns import bounds_of
from tests.benchmarks.second_problem import problem_of

from idlewatt_scheduler.planner import plan

SECONDS = 1.0


@pytest.mark.parametrize("plenty", list(Plenty))
def test_it_knows_what_a_plan_weighs_and_costs(plenty: Plenty) -> None:
    """Read by the check alone, a plan has the same weight and the same cost."""
    snapshot = an_instance(Size(30, 60), plenty, seed=4)
    made, problem = plan(snapshot, GREEDY), problem_of(snapshot)
    counts = counts_of(problem, made)
    assert (weight_of(problem, counts), cost_of(problem, counts)) == (made.weight, made.cost)


def test_what_it_finds_breaks_no_rule_and_is_within_its_bounds() -> None:
    """It is at least as good as the plan it began from, and no better than its programs allow."""
    snapshot = an_instance(Size(16, 40), Plenty.TIGHT, seed=2)
    made, problem = plan(snapshot, GREEDY), problem_of(snapshot)
    bounds = bounds_of(problem, counts_of(problem, made), SECONDS)
    found = better(problem, made, bounds, SECONDS)
    assert broken(problem, found) == {}
    assert made.weight <= found.weight <= bounds.weight + 0.5
    if found.weight == made.weight:
        assert bounds.cost is not None
        assert bounds.cost - 1e-6 <= found.cost <= float(made.cost) + 1e-6
