"""Tables as a whole: what they are of, and that nothing in them is nothing."""

import pytest
from tests.unit.scheduler.scenes import Overrides, a_fleet, node, pod, policy, vehicle
from tests.unit.scheduler.tables.sheets import a_table

from idlewatt_scheduler.explain import waiting
from idlewatt_scheduler.tables import tables_of, tabulate, workings_of
from idlewatt_scheduler.templates import templates_of
from idlewatt_scheduler.testing import AT, a_node, a_pod, a_vehicle


@pytest.mark.parametrize(
    "overrides",
    [
        pytest.param({}, id="no pods"),
        pytest.param({"vehicles": (), "nodes": []} | pod(), id="no vehicles"),
        pytest.param(pod() | vehicle(suspend=True), id="none that takes pods"),
        pytest.param(pod(requests={"cpu": 17_000, "pods": 1_000}), id="none that fits"),
        pytest.param(pod(requests={"pods": 1_000}), id="a pod that asks for a slot"),
        pytest.param(pod() | node(allocatable={}), id="a Node that offers nothing"),
    ],
)
def test_tables_without_pairs_are_tables(overrides: Overrides) -> None:
    """Every column has the length it should have; whoever waits is told why."""
    fleet = a_fleet(**overrides)
    work = workings_of(fleet, templates_of(fleet.snapshot.pending))
    tables = tables_of(work)
    assert len(tables.pairs.first) == tables.vehicles + 1
    assert tables.pairs.first[-1] == len(tables.pairs.template) == len(tables.pairs.cost)
    assert tables.offered.free.shape == (tables.vehicles, len(tables.resources))
    assert tables.wanted.request.shape == (tables.templates, len(tables.resources))
    assert tables.spreads.domain.shape == (0, tables.vehicles)
    assert len(tables.rooms.first) == tables.vehicles + 1
    waits = waiting(work, ())
    assert len(waits) == len(fleet.snapshot.pending)


def test_tables_are_of_one_instant() -> None:
    """All else is counted from it; a Node without a vehicle is not in them."""
    nodes = [a_node(), a_node(name="plain")]
    tables = a_table(**pod(), **policy(plain_nodes_allowed=True), nodes=nodes)
    assert (tables.at, tables.vehicles, tables.sites) == (AT, 1, ("depot-7",))
    assert tables.resources == ("cpu", "memory", "pods")
    assert tables.offered.free.tolist() == [[16_000, 32 * 2**30 * 1_000, 110_000]]


def test_the_plan_s_order_is_that_of_the_templates() -> None:
    """By priority; weights are powers of sixteen."""
    pending = (a_pod(name="a"), a_pod(name="b", priority=3), a_pod(name="c"))
    fleet = a_fleet(pending=pending, vehicles=(a_vehicle(),))
    wanted = tabulate(fleet, templates_of(pending)).wanted
    assert wanted.priority.tolist() == [3, 0]
    assert wanted.weight.tolist() == [16, 1]
    assert wanted.count.tolist() == [1, 2]
    assert wanted.gang.tolist() == [-1, -1]
