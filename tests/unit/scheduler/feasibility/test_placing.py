"""A placement is of a pending pod, once, on a candidate, with its stay and its power."""

from dataclasses import replace
from typing import Any

import pytest
from tests.unit.scheduler.feasibility.verdicts import a_placement, a_placing_plan, rules_broken

from idlewatt_scheduler.feasibility import violations
from idlewatt_scheduler.model.plan import Plan
from idlewatt_scheduler.model.reasons import PodReason
from idlewatt_scheduler.model.site import Circuit
from idlewatt_scheduler.model.units import HOUR, MINUTE
from idlewatt_scheduler.model.vehicle import Power
from idlewatt_scheduler.testing import (
    AT,
    a_node,
    a_pod,
    a_policy,
    a_running_pod,
    a_site,
    a_snapshot,
    a_vehicle,
)

ALLOW = a_policy(plain_nodes_allowed=True)
ONE = a_snapshot(pending=(a_pod(),))


def respelt(plan: Plan, **overrides: object) -> Plan:
    """The same plan with its only placement changed."""
    return replace(plan, placements=(replace(plan.placements[0], **overrides),))  # type: ignore[arg-type]


def test_a_good_plan_breaks_no_rule() -> None:
    """The plan that every other test spoils is a good one."""
    assert violations(ONE, a_placing_plan(ONE)) == ()


@pytest.mark.parametrize(
    ("rule", "overrides"),
    [
        ("Stay", {"start": AT + 1}),
        ("Stay", {"ready_at": AT + 1}),
        ("Stay", {"until": AT + HOUR - 1}),
        ("Power", {"power": 62_499}),
        ("UnknownCandidate", {"node": "v-2"}),
        ("NotPending", {"pod": a_pod(name="other")}),
        ("NotPending", {"pod": a_pod(uid="of its predecessor")}),
    ],
)
def test_a_spoilt_placement_is_named(rule: str, overrides: dict[str, Any]) -> None:
    """Whatever a placement says wrongly is a violation of that name."""
    assert rule in rules_broken(ONE, respelt(a_placing_plan(ONE), **overrides))


def test_a_pod_is_placed_once() -> None:
    """The same placement twice is one too many."""
    plan = a_placing_plan(ONE)
    assert "PlacedTwice" in rules_broken(ONE, replace(plan, placements=plan.placements * 2))


def test_a_plan_is_of_the_snapshot_s_instant() -> None:
    """A plan made at another time is told so."""
    assert "Time" in rules_broken(ONE, replace(a_placing_plan(ONE), at=AT + 1))


def test_a_sleeping_vehicle_starts_late() -> None:
    """It is woken first, then the image is fetched, then the model loaded."""
    vehicle = a_vehicle(observed__power=Power.ASLEEP)
    pod = a_pod(demand__image_size_bytes=6_250_001, demand__model_load_time=MINUTE)
    snapshot = a_snapshot(vehicles=(vehicle,), pending=(pod,))
    start, ready_at = AT + MINUTE, AT + 2 * MINUTE + 1_001
    plan = respelt(a_placing_plan(snapshot), start=start, ready_at=ready_at, until=ready_at + HOUR)
    assert "Stay" not in rules_broken(snapshot, plan)
    assert "Stay" in rules_broken(snapshot, respelt(plan, start=AT))


def test_a_job_stays_for_its_runtime() -> None:
    """`expected-runtime` counts from when the pod is ready."""
    snapshot = a_snapshot(pending=(a_pod(demand__expected_runtime=2 * HOUR),))
    plan = a_placing_plan(snapshot)
    assert "Stay" in rules_broken(snapshot, plan)
    assert "Stay" not in rules_broken(snapshot, respelt(plan, until=AT + 2 * HOUR))


def test_power_is_the_greatest_share_of_the_machine() -> None:
    """Three of sixteen cores or the only GPU: the GPU decides; a declared power may be more."""
    requests = {"cpu": 3_000, "nvidia.com/gpu": 500, "pods": 1_000}
    for declared, power in ((None, 500_000), (499, 500_000), (501, 501_000)):
        pod = a_pod(requests=requests, demand__power_watts=declared)
        snapshot = a_snapshot(pending=(pod,))
        plan = a_placing_plan(snapshot)
        assert "Power" not in rules_broken(snapshot, respelt(plan, power=power))
        assert "Power" in rules_broken(snapshot, respelt(plan, power=power + 1))


def test_power_is_rounded_down_to_the_milliwatt() -> None:
    """A third of a core of sixteen is 20.8125 W; 333 thousandths are 20 812 mW."""
    snapshot = a_snapshot(pending=(a_pod(requests={"cpu": 333, "pods": 1_000}),))
    plan = a_placing_plan(snapshot)
    assert "Power" not in rules_broken(snapshot, respelt(plan, power=20_812))


def together(*pods_and_nodes: tuple[str, str], watts: int, **snapshot: Any) -> set[str]:  # noqa: ANN401
    """Rules broken by placing pods of some watts together."""
    pods = [a_pod(name=name, demand__power_watts=watts) for name, _ in pods_and_nodes]
    the_snapshot = a_snapshot(pending=tuple(pods), **snapshot)
    placements = tuple(
        a_placement(pod, node=node, power=watts * 1_000)
        for pod, (_, node) in zip(pods, pods_and_nodes, strict=True)
    )
    return rules_broken(the_snapshot, Plan(at=AT, placements=placements))


TWO_CARS = (a_vehicle(), a_vehicle(name="v-2"))


def row_a(limit: int) -> Any:  # noqa: ANN401
    """One circuit of a limit, filed as the site."""
    return (a_site(circuits=(Circuit("row-a", None, limit),)),)


def test_two_pods_may_not_share_what_is_enough_for_one() -> None:
    """Placements are judged beside each other, not alone."""
    one, two = ("a", "v-1"), ("b", "v-1")
    assert PodReason.NOT_ENOUGH_RESOURCES not in together(one, two, watts=500)
    assert PodReason.NOT_ENOUGH_RESOURCES in together(one, two, watts=501)


def test_two_cars_may_not_share_a_circuit_that_is_enough_for_one() -> None:
    """The circuit's limit holds for all cars on it: 590 W are 670.454 W at the wall."""
    both = (("a", "v-1"), ("b", "v-2"))
    assert PodReason.CIRCUIT_FULL not in together(
        *both, watts=500, vehicles=TWO_CARS, sites=row_a(1_341)
    )
    assert PodReason.CIRCUIT_FULL in together(
        *both, watts=500, vehicles=TWO_CARS, sites=row_a(1_340)
    )


def test_pods_that_raise_a_full_circuit_together_are_found() -> None:
    """Each alone would change nothing, as the other already brings the car to its cap."""
    car = a_vehicle(
        observed__connection__charge_power_watts=2_500,
        observed__connection__charge_power_limit_watts=3_000,
    )
    both = (("a", "v-1"), ("b", "v-1"))
    assert PodReason.CIRCUIT_FULL in together(*both, watts=480, vehicles=(car,), sites=row_a(2_999))
    assert PodReason.CIRCUIT_FULL not in together(
        *both, watts=480, vehicles=(car,), sites=row_a(3_000)
    )


def test_a_circuit_is_judged_at_every_instant_of_the_stay() -> None:
    """A sleeping car's pod starts a minute later, and only then is the circuit over."""
    cars = (a_vehicle(), a_vehicle(name="v-2", observed__power=Power.ASLEEP))
    both = (("a", "v-1"), ("b", "v-2"))
    assert PodReason.CIRCUIT_FULL in together(*both, watts=500, vehicles=cars, sites=row_a(1_340))


def beside_a_job(until: int, **job: object) -> set[str]:
    """Rules broken by a pod on a sleeping vehicle where a job runs until some instant."""
    running = a_running_pod(pod__demand__expected_runtime=HOUR, bound_until=until, **job)
    snapshot = a_snapshot(
        vehicles=(a_vehicle(observed__power=Power.ASLEEP),), running=(running,), pending=(a_pod(),)
    )
    return rules_broken(snapshot, a_placing_plan(snapshot))


def test_a_running_job_s_power_counts_until_its_time_has_come() -> None:
    """A stay that starts when the job ends finds all watts free, a millisecond earlier none."""
    assert PodReason.NOT_ENOUGH_RESOURCES not in beside_a_job(AT + MINUTE, bound_power=1_000_000)
    assert PodReason.NOT_ENOUGH_RESOURCES in beside_a_job(AT + MINUTE + 1, bound_power=1_000_000)


def test_a_running_job_holds_its_cores_until_it_has_ended() -> None:
    """Nobody else is bound to what it requests, whenever it says it will end."""
    cores = {"cpu": 16_000, "pods": 1_000}
    assert PodReason.NOT_ENOUGH_RESOURCES in beside_a_job(
        AT + 1, bound_power=0, pod__requests=cores
    )


def test_a_plain_node_is_a_candidate_only_when_the_policy_says_so() -> None:
    """`plainNodes: Deny` leaves other Nodes alone; under `Allow` they cost and draw nothing."""
    plain = {"node": "plain", "power": 0, "cost": 0, "energy_watt_hours": 0}
    for policy, allowed in ((a_policy(), False), (ALLOW, True)):
        snapshot = a_snapshot(
            vehicles=(), nodes=(a_node(name="plain"),), policy=policy, pending=(a_pod(),)
        )
        plan = Plan(
            at=AT,
            placements=(a_placement(snapshot.pending[0], **plain),),
            weight=1,
            bound=1,
        )
        assert ("UnknownCandidate" not in rules_broken(snapshot, plan)) is allowed
        assert (rules_broken(snapshot, plan) == set()) is allowed


def test_plain_nodes_are_used_last() -> None:
    """A pod that a vehicle could take is not put on a plain Node."""
    snapshot = a_snapshot(nodes=(a_node(), a_node(name="plain")), policy=ALLOW, pending=(a_pod(),))
    plan = respelt(a_placing_plan(snapshot), node="plain", power=0, cost=0, energy_watt_hours=0)
    assert "PlainNodesLast" in rules_broken(snapshot, plan)
