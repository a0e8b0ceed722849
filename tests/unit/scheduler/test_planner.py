"""The planner: snapshot, parameters, stop and seed in, a plan out, the same one every time."""

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from tests.unit.scheduler.scenes import Overrides, policy, running, vehicle

from idlewatt_scheduler.feasibility import violations
from idlewatt_scheduler.model.plan import Leaving, Placement
from idlewatt_scheduler.model.reasons import PodReason, VehicleReason, WaitingCondition
from idlewatt_scheduler.model.snapshot import Snapshot
from idlewatt_scheduler.model.units import HOUR, MINUTE
from idlewatt_scheduler.model.vehicle import Power
from idlewatt_scheduler.model.workload import Pod
from idlewatt_scheduler.planner import Params, Stop, plan
from idlewatt_scheduler.testing import (
    AT,
    a_node,
    a_pod,
    a_running_pod,
    a_snapshot,
    a_vehicle,
)

GREEDY = Params(exact_literals=0, compiled=False)
NOTHING = Fraction(0)


def paid(name: str, availability: str, **overrides: Any) -> Any:  # noqa: ANN401
    """A vehicle whose owner is paid so much an hour."""
    return a_vehicle(
        name=name, compensation__availability_per_hour=Decimal(availability), **overrides
    )


def a_mixed_fleet() -> Snapshot:
    """Five cars of several prices, twelve pods of several sizes and priorities."""
    cars = [paid(f"v-{n}", f"0.{10 + n}") for n in range(4)]
    cars.append(paid("v-4", "0.01", observed__power=Power.ASLEEP))
    pods = [
        a_pod(
            name=f"p-{n}",
            priority=n % 3,
            created_at=AT - n,
            requests={"cpu": 1_000 * (1 + n % 7), "pods": 1_000},
        )
        for n in range(12)
    ]
    return a_snapshot(vehicles=tuple(cars), pending=tuple(pods))


@pytest.mark.parametrize("params", [GREEDY, Params()], ids=["greedy", "exact"])
def test_an_empty_snapshot_gives_an_empty_plan(params: Params) -> None:
    """No cars, no pods, no sites, and nothing goes wrong."""
    found = plan(Snapshot(at=AT), params)
    assert (found.at, found.placements, found.waiting, found.leaving) == (AT, (), (), ())
    assert (found.weight, found.bound, found.gap, found.cost) == (0, 0, NOTHING, NOTHING)
    assert found.currency is None


def test_pods_without_candidates_wait_for_machines() -> None:
    """Nothing of the present fleet could ever place them."""
    found = plan(a_snapshot(vehicles=(), pending=(a_pod(),)))
    (entry,) = found.waiting
    assert entry.condition is WaitingCondition.UNSCHEDULABLE
    assert entry.reasons == {}
    assert found.bound == 0


def test_candidates_without_pods_do_nothing() -> None:
    """And the plan is known to be the best."""
    found = plan(a_snapshot())
    assert (found.placements, found.currency, found.proven) == ((), "EUR", True)


@pytest.mark.parametrize("params", [GREEDY, Params()], ids=["greedy", "exact"])
def test_a_pod_is_placed_with_its_stay_its_power_and_its_cost(params: Params) -> None:
    """All of a placement, as the rules compute it."""
    found = plan(a_snapshot(pending=(a_pod(),)), params)
    assert found.placements == (
        Placement(
            pod=a_pod(),
            node="v-1",
            start=AT,
            ready_at=AT,
            until=AT + HOUR,
            power=62_500,
            cost=Fraction("0.1596135"),
            energy_watt_hours=Fraction("173.295"),
        ),
    )
    assert (found.weight, found.bound, found.gap) == (1, 1, NOTHING)
    assert (found.cost, found.currency, found.waiting) == (Fraction("0.1596135"), "EUR", ())


def test_costs_are_what_each_placement_adds_in_the_plans_order() -> None:
    """The highest priority and the oldest pay for the hour and the standby; they add up."""
    pods = (
        a_pod(name="young"),
        a_pod(name="old", created_at=AT - HOUR),
        a_pod(name="high", priority=1),
    )
    found = plan(a_snapshot(pending=pods))
    assert [placement.pod.name for placement in found.placements] == ["high", "old", "young"]
    first, second, third = (placement.cost for placement in found.placements)
    assert first == Fraction("0.1596135")
    assert second == Fraction("0.0244319")
    assert found.cost == first + second + third


def test_waking_belongs_to_the_first_pod_on_a_sleeper() -> None:
    """20 Wh at 0.30 per kWh are 0.006, in the cost and not in the energy."""
    pods = (a_pod(name="a"), a_pod(name="b"))
    awake = plan(a_snapshot(pending=pods))
    asleep = plan(a_snapshot(pending=pods, **vehicle(observed__power=Power.ASLEEP)))
    costs = [placement.cost for placement in asleep.placements]
    assert [placement.start for placement in asleep.placements] == [AT + MINUTE] * 2
    assert costs == [
        awake.placements[0].cost + Fraction("0.006"),
        awake.placements[1].cost,
    ]
    energies = [placement.energy_watt_hours for placement in asleep.placements]
    assert energies == [placement.energy_watt_hours for placement in awake.placements]


def test_pods_that_leave_are_named_and_still_count() -> None:
    """No new pod takes their place before their containers have ended."""
    whole = {"requests": {"cpu": 16_000, "pods": 1_000}}
    snapshot = a_snapshot(
        pending=(a_pod(**whole),),
        **running(pod=a_pod(name="running", **whole), bound_power=0, pod__reads_secret=True),
    )
    found = plan(snapshot)
    assert found.leaving == (Leaving(snapshot.running[0].pod, "v-1", PodReason.UNTRUSTED),)
    assert found.placements == ()
    assert found.waiting[0].reasons == {PodReason.NOT_ENOUGH_RESOURCES: 1}


PLAIN: Overrides = {
    "nodes": (a_node(), a_node(name="plain")),
    **policy(plain_nodes_allowed=True),
}


@pytest.mark.parametrize("params", [GREEDY, Params()], ids=["greedy", "exact"])
def test_plain_nodes_take_what_vehicles_leave(params: Params) -> None:
    """Free of charge, with a stay and without watts."""
    pods = tuple(a_pod(name=f"p-{n:02}") for n in range(18))
    found = plan(a_snapshot(pending=pods, **PLAIN), params)
    there = [placement for placement in found.placements if placement.node == "plain"]
    assert len(found.placements) == 18
    assert len(there) == 2
    assert {(p.cost, p.energy_watt_hours, p.power) for p in there} == {(NOTHING, NOTHING, 0)}
    assert {(p.start, p.until) for p in there} == {(AT, AT + HOUR)}


@pytest.mark.parametrize("params", [GREEDY, Params()], ids=["greedy", "exact"])
def test_plain_nodes_alone_are_a_fleet(params: Params) -> None:
    """Without a vehicle there is no currency, and no need of one."""
    alone = {**PLAIN, "nodes": (a_node(name="plain"),)}
    found = plan(a_snapshot(vehicles=(), pending=(a_pod(),), **alone), params)
    assert [placement.node for placement in found.placements] == ["plain"]
    assert (found.cost, found.currency) == (NOTHING, None)


def test_denied_plain_nodes_are_no_candidates() -> None:
    """They are neither used nor counted."""
    nodes = (a_node(name="plain"),)
    found = plan(a_snapshot(vehicles=(), nodes=nodes, pending=(a_pod(),)))
    assert found.placements == ()
    assert found.waiting[0].reasons == {}


@pytest.mark.parametrize("params", [GREEDY, Params()], ids=["greedy", "exact"])
def test_the_same_arguments_give_the_same_plan(params: Params) -> None:
    """To the last figure, and in whatever order the snapshot lists its parts."""
    snapshot = a_mixed_fleet()
    found = plan(snapshot, params, Stop(work=1.0), seed=3)
    assert plan(snapshot, params, Stop(work=1.0), seed=3) == found
    turned = replace(
        snapshot,
        vehicles=snapshot.vehicles[::-1],
        pending=snapshot.pending[::-1],
        nodes=dict(reversed(list(snapshot.nodes.items()))),
    )
    assert plan(turned, params, Stop(work=1.0), seed=3) == found


def test_whatever_the_seed_the_best_is_the_best() -> None:
    """Seeds lead to it by other ways; weight and cost are the same."""
    snapshot = a_mixed_fleet()
    plans = [plan(snapshot, seed=seed) for seed in range(3)]
    assert {found.proven for found in plans} == {True}
    assert len({found.weight for found in plans}) == 1
    assert len({round(found.cost * 10**6) for found in plans}) == 1


def test_the_seed_reaches_the_solver(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the parameters and the work that were asked for."""
    asked: list[tuple[object, ...]] = []

    def note(_board: object, candidates: range, *rest: object) -> None:
        asked.append((list(candidates), *rest))

    monkeypatch.setattr("idlewatt_scheduler.solvers.placing.solve", note)
    params = Params(exact_literals=7, compiled=False)
    found = plan(a_snapshot(pending=(a_pod(),)), params, Stop(work=0.5), seed=42)
    assert asked == [([0], 7, 0.5, 42)]
    assert not found.proven
    assert found.weight == 1


def test_the_exact_plan_is_better_where_greedy_errs() -> None:
    """Greedy gives the only car with a label to a pod that needs no label, and says how far off."""
    nodes = (a_node(labels={"gen": "4"}), a_node(name="v-2"))
    pods = (
        a_pod(name="anywhere", requests={"cpu": 8_000, "pods": 1_000}),
        a_pod(
            name="only-v-1",
            requests={"cpu": 9_000, "pods": 1_000},
            node_selector={"gen": "4"},
        ),
    )
    cars = (paid("v-1", "0.10"), paid("v-2", "0.20"))
    snapshot = a_snapshot(vehicles=cars, nodes=nodes, pending=pods)
    rough, best = plan(snapshot, GREEDY), plan(snapshot)
    assert (rough.weight, rough.bound, rough.gap, rough.proven) == (1, 2, Fraction(1, 2), False)
    assert (best.weight, best.bound, best.gap, best.proven) == (2, 2, NOTHING, True)
    assert violations(snapshot, rough) == violations(snapshot, best) == ()


def test_a_fleet_too_large_for_the_exact_solver_is_planned_greedily() -> None:
    """One literal too many, and nothing is proven."""
    snapshot = a_mixed_fleet()
    assert plan(snapshot).proven
    assert not plan(snapshot, Params(exact_literals=30)).proven


def test_a_stop_at_once_still_gives_a_plan() -> None:
    """The greedy one, with a bound; what more work would find is not worse."""
    snapshot = a_mixed_fleet()
    hasty, patient = plan(snapshot, stop=Stop(work=1e-9)), plan(snapshot)
    assert violations(snapshot, hasty) == ()
    assert hasty.weight <= patient.weight <= hasty.bound


def test_more_than_six_priorities_weigh_as_six() -> None:
    """The two lowest of seven are one, but are still served in their order."""
    pods = tuple(
        a_pod(name=f"p{n}", priority=n, requests={"cpu": 3_000, "pods": 1_000}) for n in range(7)
    )
    found = plan(a_snapshot(pending=pods))
    assert [placement.pod.priority for placement in found.placements] == [6, 5, 4, 3, 2]
    assert found.weight == 16**5 + 16**4 + 16**3 + 16**2 + 16**1
    assert {entry.pod.priority for entry in found.waiting} == {0, 1}


def test_merged_priorities_are_still_stable() -> None:
    """Of one weight, the lower one does not keep the higher one waiting."""
    filler = [a_pod(name=f"f{n}", priority=n, requests={"pods": 1_000}) for n in range(2, 7)]
    pods: list[Pod] = [
        a_pod(name="lowest", priority=0, requests={"cpu": 15_000, "pods": 1_000}),
        a_pod(name="low", priority=1, requests={"cpu": 16_000, "pods": 1_000}),
    ]
    found = plan(a_snapshot(pending=tuple(filler + pods)))
    assert [entry.pod.name for entry in found.waiting] == ["lowest"]


def test_two_plans_of_one_snapshot_do_not_touch_it() -> None:
    """What is planned is returned; the snapshot stays as it was given."""
    snapshot = a_mixed_fleet()
    before = repr(snapshot)
    plan(snapshot)
    assert repr(snapshot) == before


def test_a_lost_vehicle_keeps_its_pods_until_the_fence() -> None:
    """They are counted, and a replacement starts elsewhere."""
    given_up = a_running_pod(node="v-1", counts_until=AT + 2 * HOUR, bound_power=900_000)
    snapshot = a_snapshot(
        vehicles=(a_vehicle(), a_vehicle(name="v-2")),
        running=(given_up,),
        pending=(a_pod(demand__power_watts=200),),
    )
    found = plan(snapshot)
    assert found.leaving == ()
    assert [placement.node for placement in found.placements] == ["v-2"]


def test_several_currencies_without_a_rate_plan_nothing() -> None:
    """A plan that cannot be priced is not made."""
    cars = (a_vehicle(), a_vehicle(name="v-2", compensation__currency="SEK"))
    found = plan(a_snapshot(vehicles=cars, pending=(a_pod(),)))
    assert found.placements == ()
    assert found.currency is None
    assert found.waiting[0].reasons == {VehicleReason.CURRENCY_UNKNOWN: 2}
