"""Who waits says why, is counted rightly, and could not have been placed."""

from dataclasses import replace
from fractions import Fraction

import pytest
from tests.unit.scheduler.feasibility.verdicts import (
    a_placement,
    a_waiting_plan,
    rules_broken,
)

from idlewatt_scheduler.model.plan import Plan, Waiting
from idlewatt_scheduler.model.reasons import PodReason, VehicleReason, WaitingCondition
from idlewatt_scheduler.model.vehicle import Power
from idlewatt_scheduler.testing import (
    AT,
    GIBIBYTE,
    a_node,
    a_pod,
    a_policy,
    a_snapshot,
    a_vehicle,
)

SUSPENDED = a_snapshot(vehicles=(a_vehicle(suspend=True),), pending=(a_pod(),))
WAITS = a_waiting_plan(SUSPENDED, VehicleReason.SUSPENDED)
ENERGY, NEVER = WaitingCondition.WAITING_FOR_ENERGY, WaitingCondition.UNSCHEDULABLE


def rewritten(plan: Plan, **overrides: object) -> Plan:
    """The same plan with its only waiting pod changed."""
    return replace(plan, waiting=(replace(plan.waiting[0], **overrides),))  # type: ignore[arg-type]


def test_waiting_rightly_breaks_no_rule() -> None:
    """The plan that the tests below spoil is a good one."""
    assert rules_broken(SUSPENDED, WAITS) == set()


@pytest.mark.parametrize(
    ("rule", "plan"),
    [
        ("Reasons", rewritten(WAITS, reasons={VehicleReason.SUSPENDED: 2})),
        ("Reasons", rewritten(WAITS, reasons={VehicleReason.NO_AGREEMENT: 1})),
        ("Reasons", rewritten(WAITS, reasons={})),
        ("Condition", rewritten(WAITS, condition=NEVER)),
        ("Waiting", replace(WAITS, waiting=())),
        ("Waiting", replace(WAITS, waiting=WAITS.waiting * 2)),
        ("Waiting", rewritten(WAITS, pod=a_pod(name="nobody"))),
        ("Waiting", replace(WAITS, placements=(a_placement(a_pod()),))),
    ],
)
def test_a_spoilt_list_of_waiting_pods_is_named(rule: str, plan: Plan) -> None:
    """Whatever the list says wrongly is a violation of that name."""
    assert rule in rules_broken(SUSPENDED, plan)


def test_a_pod_that_a_vehicle_could_take_does_not_wait() -> None:
    """Leaving a free vehicle to itself is not stable."""
    snapshot = a_snapshot(pending=(a_pod(),))
    assert "Stability" in rules_broken(snapshot, a_waiting_plan(snapshot))


def all_cores(name: str, priority: int) -> tuple[dict[str, int], str, int]:
    """What a pod of all the cores asks for."""
    return {"cpu": 16_000, "memory": GIBIBYTE, "pods": 1_000}, name, priority


@pytest.mark.parametrize(("priority", "stable"), [(0, True), (1, True), (2, False)])
def test_a_pod_does_not_wait_behind_one_of_lower_priority(priority: int, *, stable: bool) -> None:
    """It could be placed by leaving out the other, unless that one is as important."""
    cores = {"cpu": 16_000, "pods": 1_000}
    placed = a_pod(name="placed", priority=1, requests=cores)
    waiting = a_pod(name="waiting", priority=priority, requests=cores)
    snapshot = a_snapshot(pending=(placed, waiting))
    plan = Plan(
        at=AT,
        placements=(a_placement(placed, power=1_000_000),),
        waiting=(Waiting(waiting, ENERGY, {PodReason.NOT_ENOUGH_RESOURCES: 1}),),
    )
    assert ("Stability" not in rules_broken(snapshot, plan)) is stable


def test_reasons_are_judged_against_what_the_plan_leaves() -> None:
    """On an empty vehicle nothing is against the second pod: the plan's first one is."""
    cores = {"cpu": 16_000, "pods": 1_000}
    pods = (a_pod(name="a", requests=cores), a_pod(name="b", requests=cores))
    snapshot = a_snapshot(pending=pods)
    plan = Plan(
        at=AT,
        placements=(
            a_placement(
                pods[0],
                power=1_000_000,
                cost=Fraction("0.5260908"),
                energy_watt_hours=Fraction("1238.636"),
            ),
        ),
        waiting=(Waiting(pods[1], ENERGY, {PodReason.NOT_ENOUGH_RESOURCES: 1}),),
        weight=1,
        bound=1,
        cost=Fraction("0.5260908"),
        currency="EUR",
    )
    assert rules_broken(snapshot, plan) == set()


def test_every_candidate_is_counted_once() -> None:
    """Three vehicles, two reasons, three counts, and a plain Node under `Allow`."""
    vehicles = (
        a_vehicle(suspend=True),
        a_vehicle(name="v-2", suspend=True),
        a_vehicle(name="v-3", observed__power=Power.ASLEEP),
    )
    nodes = (a_node(), a_node(name="v-2"), a_node(name="plain", unschedulable=True))
    policy = a_policy(plain_nodes_allowed=True)
    snapshot = a_snapshot(vehicles=vehicles, nodes=nodes, policy=policy, pending=(a_pod(),))
    plan = a_waiting_plan(
        snapshot,
        VehicleReason.SUSPENDED,
        VehicleReason.SUSPENDED,
        VehicleReason.NODE_NOT_READY,
        PodReason.TAINT_NOT_TOLERATED,
    )
    assert rules_broken(snapshot, plan) == set()


def test_no_candidate_at_all_is_unschedulable() -> None:
    """An empty fleet places nothing, whatever the time."""
    snapshot = a_snapshot(vehicles=(), pending=(a_pod(),))
    plan = a_waiting_plan(snapshot, condition=NEVER, currency=None)
    assert rules_broken(snapshot, plan) == set()


def test_a_pod_that_fits_one_vehicle_some_time_waits_for_energy() -> None:
    """One candidate has no Node, one is too small, one sleeps badly: the last one decides."""
    small = a_node(name="v-2", allocatable={"cpu": 100, "memory": GIBIBYTE, "pods": 110_000})
    vehicles = (a_vehicle(), a_vehicle(name="v-2"), a_vehicle(name="v-3", suspend=True))
    reasons = (VehicleReason.NODE_NOT_READY, PodReason.EXCEEDS_CAPACITY, VehicleReason.SUSPENDED)
    snapshot = a_snapshot(vehicles=vehicles, nodes=(small, a_node(name="v-3")), pending=(a_pod(),))
    assert rules_broken(snapshot, a_waiting_plan(snapshot, *reasons)) == set()
    fewer = replace(snapshot, vehicles=vehicles[:2], nodes={"v-2": small})
    plan = a_waiting_plan(fewer, *reasons[:2], condition=NEVER)
    assert rules_broken(fewer, plan) == set()


def test_vehicle_clauses_are_left_aside_for_the_condition() -> None:
    """A suspended vehicle that is too small as well would never do."""
    snapshot = a_snapshot(
        vehicles=(a_vehicle(suspend=True),),
        pending=(a_pod(requests={"cpu": 16_001, "pods": 1_000}),),
    )
    right = a_waiting_plan(snapshot, VehicleReason.SUSPENDED, condition=NEVER)
    assert rules_broken(snapshot, right) == set()


def test_residency_may_yet_be_met() -> None:
    """The car may stand elsewhere tomorrow: that is no reason to buy nodes."""
    snapshot = a_snapshot(pending=(a_pod(demand__residency=frozenset({"eu-fr"})),))
    assert rules_broken(snapshot, a_waiting_plan(snapshot, PodReason.RESIDENCY)) == set()
