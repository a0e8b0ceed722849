"""Places for services: the cheapest first, those that moved counted, each kind asked once."""

from decimal import Decimal

from tests.unit.scheduler.moves.scenes import MONEY, a_plan, cars, runs

from idlewatt_scheduler.model.vehicle import Vehicle
from idlewatt_scheduler.model.workload import Requirement, Spread
from idlewatt_scheduler.moves.market import Market
from idlewatt_scheduler.testing import GIBIBYTE, a_node


def paid(name: str, per_hour: str, cores: int = 16) -> Vehicle:
    """A car that costs so much an hour."""
    (car,) = cars(
        name,
        compensation__availability_per_hour=Decimal(per_hour),
        compute__capacity={"cpu": 1_000 * cores, "memory": GIBIBYTE},
    )
    return car


def test_the_cheapest_place_elsewhere() -> None:
    """Its own car is not elsewhere; once somebody moved there, staying there costs less."""
    a, b = runs("a", "v-1", 4), runs("b", "v-2", 4)
    fleet = (paid("v-1", "0.1", 8), paid("v-2", "0.2", 8), paid("v-3", "0.3"), paid("v-4", "0.3"))
    board, leavers = a_plan(fleet, [a, b, runs("c", "v-1", 4), runs("d", "v-2", 4)], policy=MONEY)
    market = Market(board, leavers, [a.pod, b.pod])
    assert market.kind(a.pod) is market.kind(b.pod)
    first = market.kind(a.pod).best(a.pod, 0)
    assert first is not None
    assert first[1] == 2
    market.move(a.pod, 0, first)
    second = market.kind(b.pod).best(b.pod, 1)
    assert second is not None
    assert second[1] == 2
    assert second[0] < first[0]


def test_there_may_be_no_place() -> None:
    """Every other car is too small."""
    a = runs("a", "v-1", 8)
    board, leavers = a_plan((paid("v-1", "0.1"), paid("v-2", "0.1", 4)), [a], policy=MONEY)
    market = Market(board, leavers, [a.pod])
    assert market.kind(a.pod).best(a.pod, 0) is None


def test_spread_counts_it_only_where_it_would_go() -> None:
    """It may move into the row that it would be alone in, and out of the one it is alone in."""
    spread = Spread("row", 1, (Requirement("app", "In", ("a",)),), min_domains=3)
    like = {"pod__labels": {"app": "a"}, "pod__spread": (spread,)}
    a, b = runs("a", "v-1", 4, **like), runs("b", "v-2", 4, **like)
    rows = (("v-1", "x"), ("v-2", "y"), ("v-3", "y"), ("v-4", "x"))
    nodes = {name: a_node(name=name, labels={"row": row}) for name, row in rows}
    fleet = (paid("v-1", "1"), paid("v-2", "1", 4), paid("v-3", "0.1"), paid("v-4", "0.5"))
    board, leavers = a_plan(fleet, [a, b], policy=MONEY, nodes=nodes)
    market = Market(board, leavers, [a.pod, b.pod])
    place = market.kind(a.pod).best(a.pod, 0)
    assert place is not None
    assert place[1] == 3
