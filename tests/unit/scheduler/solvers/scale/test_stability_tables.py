"""Stability on tables: whoever may push a lower pod aside does, and nobody else."""

import numpy as np
import pytest
from tests.benchmarks.fleets import Size as Fleet
from tests.benchmarks.instances import Plenty, an_instance
from tests.benchmarks.random_tables import Size, random_tables
from tests.unit.scheduler.solvers.scale.plain import counts_of, envies, faults

from idlewatt_scheduler.feasibility import violations
from idlewatt_scheduler.planner import Params, Stop, plan
from idlewatt_scheduler.solvers.scale.facts import facts_of
from idlewatt_scheduler.solvers.scale.greedy import greedy
from idlewatt_scheduler.solvers.scale.stability import settle
from idlewatt_scheduler.solvers.scale.state import copy_of, empty, put_many

SIZE = Size(20, 90, 16, 8, gangs=0.2, spread=0.2, supply="scarce")


@pytest.mark.parametrize("seed", range(8))
def test_a_settled_greedy_plan_is_stable(seed: int) -> None:
    """No waiting pod fits anywhere by leaving out lower ones there, asked one by one."""
    tables = random_tables(seed, SIZE)
    facts = facts_of(tables)
    live = empty(tables, facts)
    greedy(facts, live)
    settle(facts, live)
    counts = counts_of(tables, live)
    assert faults(tables, counts) == []
    assert envies(tables, counts) == []


@pytest.mark.parametrize("seed", range(8))
def test_a_plan_from_the_lowest_up_is_settled(seed: int) -> None:
    """Placed the wrong way round, many have to go; what comes of it is stable."""
    tables = random_tables(seed, SIZE)
    facts = facts_of(tables)
    live = empty(tables, facts)
    upside_down = facts._replace(priority=-facts.priority)
    greedy(upside_down, live)
    assert settle(facts, live) > 0
    counts = counts_of(tables, live)
    assert faults(tables, counts) == []
    assert envies(tables, counts) == []


def test_who_holds_a_spread_up_stays_where_others_make_room() -> None:
    """One lower pod there is counted by a constraint, two are not: these two are room enough."""
    snapshot = an_instance(Fleet(300, 300), Plenty.TIGHT, 702)
    found = plan(snapshot, Params(), Stop(), 2)
    assert violations(snapshot, found) == ()


def test_what_is_settled_stays() -> None:
    """A second look changes nothing."""
    tables = random_tables(3, SIZE)
    facts = facts_of(tables)
    live = empty(tables, facts)
    greedy(facts, live)
    settle(facts, live)
    before = copy_of(live)
    assert settle(facts, live) == 0
    assert np.array_equal(live.held, before.held)


def test_pods_of_a_gang_are_left_out_for_nobody() -> None:
    """A gang of the lowest priority that stands is not broken up for the highest."""
    tables = random_tables(1, SIZE)
    facts = facts_of(tables)
    facts = facts._replace(
        gang=np.zeros(tables.templates, np.int32), gang_needs=np.array([1], np.int64)
    )
    live = empty(tables, facts)
    greedy(facts._replace(priority=-facts.priority), live)
    before = copy_of(live)
    settle(facts, live)
    assert (live.held >= before.held).all()


def test_a_pod_is_not_placed_where_it_never_may() -> None:
    """Only pairs of the tables are used, and nobody beyond what is wanted."""
    tables = random_tables(4, SIZE)
    facts = facts_of(tables)
    live = empty(tables, facts)
    first = facts.first[:-1][np.diff(facts.first) > 0]
    put_many(facts, live, first[:3], np.ones(3, np.int64))
    settle(facts, live)
    assert (live.left >= 0).all()
