"""The greedy plan on tables: what it places breaks no rule, and it places what fits."""

from dataclasses import replace

import numpy as np
import pytest
from tests.benchmarks.random_tables import Size, Supply, random_tables
from tests.unit.scheduler.solvers.scale.plain import counts_of, faults, score_of

from idlewatt_scheduler.solvers.scale.facts import facts_of
from idlewatt_scheduler.solvers.scale.greedy import greedy
from idlewatt_scheduler.solvers.scale.state import empty, put_many, score, take_back

SUPPLIES: tuple[Supply, ...] = ("ample", "tight", "scarce")


@pytest.mark.parametrize("supply", SUPPLIES)
@pytest.mark.parametrize("seed", range(4))
def test_a_greedy_plan_breaks_no_rule(seed: int, supply: Supply) -> None:
    """Asked by a plain reading of the tables, every rule holds, gangs and spread included."""
    pods = 120 if supply == "ample" else 240
    tables = random_tables(seed, Size(60, pods, 30, 8, gangs=0.3, spread=0.3, supply=supply))
    facts = facts_of(tables)
    live = empty(tables, facts)
    greedy(facts, live)
    counts = counts_of(tables, live)
    assert faults(tables, counts) == []
    assert score(facts, live) == pytest.approx(score_of(tables, counts))


def test_rooms_that_bind_are_shared_exactly() -> None:
    """Where circuits hold back most of a fleet, no room is taken twice, and some are taken up."""
    tables = random_tables(5, Size(80, 300, 20, 20, binding=1.0, spread=0, gangs=0))
    facts = facts_of(tables)
    live = empty(tables, facts)
    greedy(facts, live)
    assert faults(tables, counts_of(tables, live)) == []
    assert live.room.min() >= 0
    assert live.left.sum() > 0


def test_a_gang_that_cannot_be_completed_leaves_everything_as_it_was() -> None:
    """What was tried of a gang is taken back, down to the last milliwatt."""
    tables = random_tables(2, Size(30, 60, 10, 10, gangs=0, spread=0))
    gang = np.full(10, -1, np.int32)
    gang[:] = 0
    wanted = replace(tables.wanted, gang=gang, gang_needs=np.array([1_000], np.int64))
    tables = replace(tables, wanted=wanted)
    facts = facts_of(tables)
    live = empty(tables, facts)
    greedy(facts, live)
    for now, before in zip(live, empty(tables, facts), strict=True):
        assert np.array_equal(np.asarray(now), np.asarray(before))


def test_what_is_taken_back_was_never_placed() -> None:
    """Placing and taking back are each other's opposite, whatever else stands there."""
    tables = random_tables(7, Size(20, 80, 12, 10))
    facts = facts_of(tables)
    live = empty(tables, facts)
    greedy(facts, live)
    before = [np.array(array) for array in live]
    vehicles = np.flatnonzero(np.diff(facts.first) > 1)
    pairs = facts.first[vehicles] + 1
    number = np.ones(len(pairs), np.int64)
    put_many(facts, live, pairs, number)
    take_back(facts, live, pairs, number)
    assert all(
        np.array_equal(np.asarray(now), np.asarray(then))
        for now, then in zip(live, before, strict=True)
    )
