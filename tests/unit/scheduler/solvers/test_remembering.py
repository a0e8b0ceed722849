"""What a plan leaves for the next: where everybody stood, and what everything was worth."""

from dataclasses import replace
from typing import Final

import numpy as np
import pytest
from tests.benchmarks.fleets import Size
from tests.benchmarks.instances import Plenty, a_changed, an_instance

from idlewatt_scheduler.candidates import assemble
from idlewatt_scheduler.feasibility import violations
from idlewatt_scheduler.model.plan import Plan
from idlewatt_scheduler.model.snapshot import Snapshot
from idlewatt_scheduler.planner import Params, Stop, plan
from idlewatt_scheduler.solvers.remembering import Memory, remember
from idlewatt_scheduler.solvers.scale.solving import solve_at_scale
from idlewatt_scheduler.tables import tables_of, workings_of
from idlewatt_scheduler.templates import templates_of

BY_PRICES: Final = Params(exact_literals=0, exact_vehicles=0, price_rounds=8, improve_rounds=4)
SHARE: Final = 0.03


def a_fleet(seed: int, plenty: Plenty = Plenty.AMPLE) -> Snapshot:
    """Some eighty vehicles that take pods."""
    return an_instance(Size(120, 180), plenty, seed)


def places(found: Plan) -> dict[str, str]:
    """Where every pod stands."""
    return {each.pod.key: each.node for each in found.placements}


@pytest.mark.parametrize("plenty", list(Plenty))
def test_an_unchanged_world_gives_the_same_plan(plenty: Plenty) -> None:
    """Nobody moves, and what is known of the plan stays known."""
    snapshot = a_fleet(1, plenty)
    before = plan(snapshot, BY_PRICES)
    after = plan(snapshot, BY_PRICES, previous=before)
    assert places(after) == places(before)
    assert after.moved == 0
    assert (after.bound, after.cost_bound, after.prices) == (
        before.bound,
        before.cost_bound,
        before.prices,
    )


@pytest.mark.parametrize("plenty", list(Plenty))
def test_nobody_moves_because_a_second_has_passed(plenty: Plenty) -> None:
    """The same vehicles and pods a little later: everybody stays, no rule is broken."""
    snapshot = a_fleet(7, plenty)
    before = plan(snapshot, BY_PRICES)
    later = replace(snapshot, at=snapshot.at + 1_000)
    after = plan(later, BY_PRICES, previous=before)
    assert places(after) == places(before)
    assert violations(later, after) == ()
    assert after.cost_bound is not None
    assert after.cost_bound <= after.cost


@pytest.mark.parametrize("plenty", list(Plenty))
def test_a_small_change_moves_few_pods(plenty: Plenty) -> None:
    """Fewer than a plan that is made anew would, and no rule is broken; its bound still holds."""
    snapshot = a_fleet(2, plenty)
    before = plan(snapshot, BY_PRICES)
    later = a_changed(snapshot, SHARE, 5)
    after, anew = plan(later, BY_PRICES, previous=before), plan(later, BY_PRICES, seed=9)
    known, found = places(before), places(anew)
    moved_anew = sum(known.get(pod, node) != node for pod, node in found.items())
    assert violations(later, after) == ()
    assert after.moved is not None
    assert after.moved < moved_anew / 2
    assert after.bound is not None
    assert max(after.weight, anew.weight) <= after.bound


def test_what_is_remembered_is_told_by_name() -> None:
    """Vehicles in another order, and one less, are the same vehicles: their pods stay."""
    snapshot = a_fleet(3)
    before = plan(snapshot, BY_PRICES)
    left = next(iter(places(before).values()))
    vehicles = tuple(each for each in reversed(snapshot.vehicles) if each.name != left)
    after = plan(replace(snapshot, vehicles=vehicles), BY_PRICES, previous=before)
    known = places(before)
    stay = [pod for pod, node in places(after).items() if known.get(pod) == node]
    assert len(stay) > 0.8 * sum(node != left for node in known.values())


def test_a_plan_that_was_cut_short_is_made_again() -> None:
    """Once there is time, the same world is planned to the end."""
    snapshot = a_fleet(6)
    short = plan(snapshot, BY_PRICES, Stop(expired=lambda: True))
    whole = plan(snapshot, BY_PRICES, previous=short)
    assert short.halted is not None
    assert whole.halted is None
    assert whole.cost < short.cost


def test_a_plan_without_a_memory_begins_anew() -> None:
    """As one that was made greedily: the next one is made as if there were none before."""
    snapshot = a_fleet(4)
    before = plan(snapshot, replace(BY_PRICES, compiled=False))
    bare = replace(before, memory=None)
    after, anew = plan(snapshot, BY_PRICES, previous=bare), plan(snapshot, BY_PRICES)
    assert (after.weight, after.cost, after.bound) == (anew.weight, anew.cost, anew.bound)


def test_a_memory_holds_the_prices_of_what_it_names() -> None:
    """As many pods, vehicles and rooms have a name as its columns have rows."""
    snapshot = a_fleet(5)
    fleet, templates = assemble(snapshot), templates_of(snapshot.pending)
    tables = tables_of(workings_of(fleet, templates, ()))
    found = solve_at_scale(tables, BY_PRICES, Stop(), 0)
    memory = remember(fleet, templates, tables, found.memory)
    assert isinstance(memory, Memory)
    assert memory.known.moneys is not None
    assert len(memory.row) == memory.tables.vehicles
    assert set(memory.template.values()) == set(range(memory.tables.templates))
    assert sorted(memory.room.values()) == list(range(len(memory.tables.rooms.left)))
    assert len(memory.known.moneys.pod) == memory.tables.templates
    assert int(np.sum(memory.known.held)) == int(found.number.sum())
