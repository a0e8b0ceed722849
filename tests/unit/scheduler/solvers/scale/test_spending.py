"""What pods cost in a plan: all of it is shared among those that are placed."""

from dataclasses import replace

import numpy as np
import pytest
from tests.benchmarks.random_tables import Size, Supply, random_tables
from tests.unit.scheduler.solvers.scale.plain import counts_of, score_of

from idlewatt_scheduler.solvers.pricing.packing import pack
from idlewatt_scheduler.solvers.scale.construct import mend
from idlewatt_scheduler.solvers.scale.facts import facts_of
from idlewatt_scheduler.solvers.scale.repack import lay
from idlewatt_scheduler.solvers.scale.spending import spent_on
from idlewatt_scheduler.solvers.scale.state import empty
from idlewatt_scheduler.solvers.warming import a_small_fleet
from idlewatt_scheduler.tables.layout import PLENTY


@pytest.mark.parametrize("supply", ["ample", "tight", "scarce"])
@pytest.mark.parametrize("seed", range(3))
def test_all_that_a_plan_costs_is_shared_among_its_pods(seed: int, supply: Supply) -> None:
    """Nothing is counted twice, nothing is left out."""
    tables = random_tables(seed, Size(30, 80, 16, 10, gangs=0.2, spread=0.2, supply=supply))
    facts = facts_of(tables)
    live = empty(tables, facts)
    mend(facts, live)
    spent = spent_on(facts, pack(tables), live)
    placed = facts.wanted - live.left
    _, cost = score_of(tables, counts_of(tables, live))
    assert cost > 0
    assert float(spent @ placed) == pytest.approx(cost)
    assert (spent > 0).all()


def test_pods_share_by_what_they_take_of_their_vehicle() -> None:
    """Two thirds of the cores pay two thirds of what is paid once; cost of its own each pays."""
    small = a_small_fleet()
    tables = replace(small, offered=replace(small.offered, energy=np.full(3, PLENTY)))
    facts = facts_of(tables)
    live = empty(tables, facts)
    held = np.zeros(6, np.int32)
    held[4], held[5] = 1, 1
    lay(facts, live, held)
    once = 0.2 + 0.01
    spent = spent_on(facts, pack(tables), live)
    assert spent == pytest.approx([0.05 + once * 2 / 3, 0.06 + once / 3])


def test_who_is_not_placed_would_pay_as_the_one_in_the_middle() -> None:
    """And nothing where nobody is placed."""
    tables = a_small_fleet()
    facts = facts_of(tables)
    live = empty(tables, facts)
    assert spent_on(facts, pack(tables), live) == pytest.approx([0.0, 0.0])
    held = np.zeros(6, np.int32)
    held[0] = 1
    lay(facts, live, held)
    assert spent_on(facts, pack(tables), live) == pytest.approx([0.11, 0.11])
