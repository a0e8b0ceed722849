"""One pod at a time: within all clauses, by priority, where the least is allocated."""

from collections import Counter

import pytest
from tests.benchmarks.fleets import Size
from tests.benchmarks.instances import Plenty, an_instance
from tests.benchmarks.measuring import GREEDY, tables_of
from tests.benchmarks.one_at_a_time import one_at_a_time

from idlewatt_scheduler.candidates import assemble
from idlewatt_scheduler.feasibility import placement_violations
from idlewatt_scheduler.model.plan import Plan
from idlewatt_scheduler.model.snapshot import Snapshot
from idlewatt_scheduler.planner import plan
from idlewatt_scheduler.templates import templates_of
from idlewatt_scheduler.testing import a_node, a_pod, a_snapshot, a_vehicle


def placed(snapshot: Snapshot) -> Plan:
    """Give the placements as a plan has them, as far as the check looks at them."""
    fleet, templates = assemble(snapshot), templates_of(snapshot.pending)
    tables = tables_of(snapshot)
    chosen = one_at_a_time(tables, fleet, templates)
    return chosen.as_plan(tables, fleet, templates)


@pytest.mark.parametrize("plenty", list(Plenty))
@pytest.mark.parametrize("seed", [1, 2])
def test_it_keeps_all_clauses(plenty: Plenty, seed: int) -> None:
    """Charge, circuits, spread, gangs: the check has nothing to say against a placement."""
    snapshot = an_instance(Size(80, 240), plenty, seed)
    assert Counter(each.rule for each in placement_violations(snapshot, placed(snapshot))) == {}


def test_it_costs_more_than_a_plan_of_the_same_weight() -> None:
    """With ample supply both place everything that fits, and it looks at no price."""
    snapshot = an_instance(Size(200, 100), Plenty.AMPLE, seed=1)
    made, other = plan(snapshot, GREEDY), placed(snapshot)
    assert len(other.placements) == len(made.placements)
    assert other.cost > made.cost


def test_it_takes_the_vehicle_that_has_the_most_left() -> None:
    """Of two vehicles the larger one is less allocated with the pod there."""
    larger = {"cpu": 32_000, "memory": 2**36 * 1_000, "pods": 110_000}
    snapshot = a_snapshot(
        vehicles=(a_vehicle(), a_vehicle(name="v-2", compute__capacity=larger)),
        nodes=[a_node(), a_node(name="v-2", allocatable=larger)],
        pending=(a_pod(),),
    )
    assert [each.node for each in placed(snapshot).placements] == ["v-2"]
