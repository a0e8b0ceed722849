"""Pods that leave though they might stay: evicted for a waiting one, replaced first to save."""

from dataclasses import replace
from decimal import Decimal

from tests.unit.operator.reconcile.scene import Scene, real_planner

from idlewatt_operator.gateways.protocols import Outcome, Result
from idlewatt_scheduler.model.plan import Leaving, Plan
from idlewatt_scheduler.model.policy import Preemption
from idlewatt_scheduler.model.reasons import MoveReason
from idlewatt_scheduler.model.snapshot import Snapshot
from idlewatt_scheduler.model.units import HOUR, MINUTE, SECOND
from idlewatt_scheduler.model.workload import Demand
from idlewatt_scheduler.testing import GIBIBYTE, a_node, a_policy, a_vehicle

ANY = Demand(any_tariff=True)


def asks(cores: int) -> dict[str, int]:
    """The requests of a pod of so many cores."""
    return {"cpu": 1_000 * cores, "memory": GIBIBYTE, "pods": 1_000}


async def test_who_is_preempted_is_evicted_at_once() -> None:
    """It is told why; the one that waited has its place, and another one waits its turn."""
    scene = Scene()
    scene.cluster.set_policy(a_policy(preemption=Preemption.LOWER_PRIORITY))
    scene.service("low", requests=asks(12), stop_seconds=60)
    await scene.run(30)
    scene.service("high", requests=asks(8), priority=5)
    await scene.run(120)
    assert scene.pod("high-1").node == "v-0"
    assert [each.verb for each in scene.writes("release", "evict")] == ["evict"]
    assert scene.events("Draining") == ["Leaves v-0: a pod of higher priority needs its place."]
    assert scene.pod("low-2").node is None


async def test_nobody_else_is_preempted_while_containers_end() -> None:
    """One of two leaves, however long it takes, and not the other one in the next cycle."""
    scene = Scene(2)
    scene.cluster.set_policy(a_policy(preemption=Preemption.LOWER_PRIORITY))
    scene.service("low", 2, requests=asks(12), stop_seconds=300)
    await scene.run(30)
    scene.service("high", requests=asks(8), priority=5)
    await scene.run(250)
    assert len(scene.writes("evict")) == 1


async def a_dear_car_and_a_cheap_one() -> Scene:
    """A service that runs on the dear one; an hour later, as was promised, it may move."""
    scene = Scene()
    cheap = a_vehicle(name="v-1", compensation__availability_per_hour=Decimal("0.02"))
    scene.cluster.add_vehicle(cheap, a_node(name="v-1"))
    scene.cluster.set_policy(a_policy(migration_cost=Decimal("0.05")))
    scene.telemetry.vehicles["v-1"] = scene.telemetry.vehicles["v-0"]
    scene.observe("v-1", parking__occupied=True)
    scene.service(demand=ANY)
    await scene.run(30)
    scene.observe("v-1", parking__occupied=False, parking__since=scene.clock.now() - HOUR)
    return scene


async def test_who_moves_to_save_money_is_replaced_first() -> None:
    """Once it has stayed for the hour it was promised, and it does not come back."""
    scene = await a_dear_car_and_a_cheap_one()
    await scene.run(3_400, every=60)
    assert scene.writes("release", "evict") == []
    await scene.run(400)
    assert [each.verb for each in scene.writes("release", "evict")] == ["release", "evict"]
    assert scene.pod("svc-2").node == "v-1"
    assert scene.events("Draining")[0] == (
        "Leaves v-0 once another one is ready in its place, since running it elsewhere costs less."
    )
    await scene.run(7_200, every=60)
    assert scene.names() == {"svc-2"}


async def test_a_release_that_is_refused_is_no_eviction_where_it_may_stay() -> None:
    """Money is no reason to lose a service for; the next cycle asks again."""
    scene = await a_dear_car_and_a_cheap_one()
    await scene.run(3_540, every=60)
    scene.fail("release", Result(Outcome.REFUSED, "admission webhook denied the request"))
    await scene.run(400)
    assert [each.verb for each in scene.writes()].count("release") == 2
    assert len(scene.writes("evict")) == 1
    assert scene.writes("evict")[0].at > scene.writes("release")[1].at


async def asked_to_move(scene: Scene, departure: int) -> Scene:
    """Every running pod is to move, whatever its car does; it leaves then."""

    async def move(snapshot: Snapshot) -> Plan:
        made = await real_planner(snapshot)
        running = snapshot.running
        asked = (Leaving(each.pod, each.node, MoveReason.CHEAPER_ELSEWHERE) for each in running)
        return replace(made, leaving=tuple(asked))

    scene.planner = move
    scene.cycle = scene.a_cycle()
    scene.observe("v-0", departure_expected_at=departure)
    await scene.run(1)
    return scene


async def test_who_is_not_ready_is_not_moved() -> None:
    """Nothing would be ready in its place before it goes, and it may as well get ready here."""
    scene = Scene(2)
    scene.cluster.preparation = lambda _: 20 * MINUTE
    scene.service(demand=ANY)
    await scene.run(30)
    await asked_to_move(scene, scene.clock.now() + HOUR)
    assert scene.writes("release", "evict") == []


async def test_a_car_that_leaves_is_left_whatever_else_is_asked() -> None:
    """Half a minute before the last safe time a move that may wait is a drain that may not."""
    scene = await a_dear_car_and_a_cheap_one()
    await asked_to_move(scene, scene.clock.now() + 59 * SECOND)
    assert [each.verb for each in scene.writes("release", "evict")] == ["evict"]
