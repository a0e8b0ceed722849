"""Gangs and spread constraints: what is asked of several pods at once."""

from typing import Any

import pytest
from tests.unit.scheduler.feasibility.verdicts import (
    a_placement,
    a_waiting_plan,
    reason_against,
    rules_broken,
)

from idlewatt_scheduler.model.plan import Plan, Waiting
from idlewatt_scheduler.model.reasons import PodReason, Reason, WaitingCondition
from idlewatt_scheduler.model.snapshot import Snapshot
from idlewatt_scheduler.model.workload import Pod, Requirement, RunningPod, Spread
from idlewatt_scheduler.testing import (
    AT,
    a_node,
    a_pod,
    a_policy,
    a_running_pod,
    a_snapshot,
    a_vehicle,
)

R = PodReason
APP = {"app": "a"}
COUNTED = (Requirement("app", "In", ("a",)),)
ZONE = Spread("zone", 1, COUNTED)
ENERGY = WaitingCondition.WAITING_FOR_ENERGY


def scene(
    *pending: Pod, zones: str = "a", running: tuple[RunningPod, ...] = (), **overrides: object
) -> Snapshot:
    """A vehicle in each of these zones, `v-1` in the first one; a dash is none."""
    names = [f"v-{number}" for number in range(1, len(zones) + 1)]
    return a_snapshot(
        **{
            "vehicles": tuple(a_vehicle(name=name) for name in names),
            "nodes": tuple(
                a_node(name=name, labels={} if zone == "-" else {"zone": zone})
                for name, zone in zip(names, zones, strict=True)
            ),
            "pending": pending,
            "running": running,
            **overrides,
        }
    )


def spread(name: str = "pod", **overrides: object) -> Pod:
    """A pod that is counted and wants zones to differ by one at the most."""
    return a_pod(**{"name": name, "labels": APP, "spread": (ZONE,), **overrides})


def counted(*nodes: str, **overrides: object) -> tuple[RunningPod, ...]:
    """Running pods that are counted, one on each of these Nodes."""
    return tuple(
        a_running_pod(
            pod__name=f"r-{number}", pod__labels=APP, node=node, bound_power=0, **overrides
        )
        for number, node in enumerate(nodes)
    )


def member(name: str = "pod", size: int = 2, **overrides: object) -> Pod:
    """A pod of the gang `g`."""
    return a_pod(name=name, demand__gang="g", demand__gang_size=size, **overrides)


def fellow(**overrides: object) -> tuple[RunningPod, ...]:
    """A running pod of the gang `g`."""
    gang = {"pod__demand__gang": "g", "pod__demand__gang_size": 2}
    return (a_running_pod(**{**gang, "bound_power": 0, **overrides}),)


CASES: list[tuple[PodReason | None, str, Snapshot]] = [
    (R.TOPOLOGY_SPREAD, "its Node has no zone", scene(spread(), zones="-")),
    (None, "the only zone there is", scene(spread())),
    (
        None,
        "pods of the only zone cannot be fewer elsewhere",
        scene(spread(), running=counted("v-1")),
    ),
    (R.TOPOLOGY_SPREAD, "an empty zone", scene(spread(), zones="ab", running=counted("v-1"))),
    (None, "a zone that is as full", scene(spread(), zones="ab", running=counted("v-1", "v-2"))),
    (
        None,
        "a skew of two",
        scene(spread(spread=(Spread("zone", 2, COUNTED),)), zones="ab", running=counted("v-1")),
    ),
    (
        R.TOPOLOGY_SPREAD,
        "the second of two constraints",
        scene(
            spread(spread=(Spread("zone", 2, COUNTED), ZONE)), zones="ab", running=counted("v-1")
        ),
    ),
    (
        None,
        "of what runs nothing is counted",
        scene(spread(), zones="ab", running=(a_running_pod(),)),
    ),
    (
        None,
        "who runs in another namespace",
        scene(spread(namespace="other"), zones="ab", running=counted("v-1")),
    ),
    (
        None,
        "who is being deleted",
        scene(spread(), zones="ab", running=counted("v-1", being_deleted=True)),
    ),
    (
        None,
        "who was given up",
        scene(spread(), zones="ab", running=counted("v-1", counts_until=AT + 1)),
    ),
    (
        None,
        "a pod that does not count itself",
        scene(spread(labels={"app": "b"}), zones="ab", running=counted("v-1")),
    ),
    (
        R.TOPOLOGY_SPREAD,
        "a pod that counts itself no more than others",
        scene(spread(labels={"app": "b"}), zones="ab", running=counted("v-1", "v-1")),
    ),
    (
        None,
        "a zone of a suspended vehicle is none",
        scene(
            spread(),
            zones="ab",
            running=counted("v-1"),
            vehicles=(a_vehicle(), a_vehicle(name="v-2", suspend=True)),
        ),
    ),
    (
        None,
        "a zone that the pod does not select is none",
        scene(spread(node_selector={"zone": "a"}), zones="ab", running=counted("v-1")),
    ),
    (
        R.TOPOLOGY_SPREAD,
        "fewer zones than asked for",
        scene(spread(spread=(Spread("zone", 1, COUNTED, 2),)), running=counted("v-1")),
    ),
    (
        None,
        "as many zones as asked for",
        scene(
            spread(spread=(Spread("zone", 1, COUNTED, 2),)),
            zones="ab",
            running=counted("v-1", "v-2"),
        ),
    ),
    (
        R.TOPOLOGY_SPREAD,
        "counted on a Node that is no candidate",
        scene(
            spread(),
            zones="ab",
            running=counted("plain"),
            nodes=(
                a_node(labels={"zone": "a"}),
                a_node(name="v-2", labels={"zone": "b"}),
                a_node(name="plain", labels={"zone": "a"}),
            ),
        ),
    ),
    (
        None,
        "a selector that selects nobody",
        scene(
            spread(spread=(Spread("zone", 1, (Requirement("", "In"),)),)),
            zones="ab",
            running=counted("v-1", "v-1"),
        ),
    ),
    (R.GANG_INCOMPLETE, "alone", scene(member())),
    (None, "the other one runs", scene(member(), running=fellow())),
    (
        R.GANG_INCOMPLETE,
        "the other one is being deleted",
        scene(member(), running=fellow(being_deleted=True)),
    ),
    (
        R.GANG_INCOMPLETE,
        "the other one was given up",
        scene(member(), running=fellow(counts_until=AT + 1)),
    ),
    (
        R.GANG_INCOMPLETE,
        "another gang of that name",
        scene(member(namespace="other"), running=fellow()),
    ),
    (R.GANG_INCOMPLETE, "three of them", scene(member(size=3), running=fellow())),
]


@pytest.mark.parametrize(
    ("reason", "snapshot"),
    [pytest.param(reason, snapshot, id=f"{reason}: {why}") for reason, why, snapshot in CASES],
)
def test_the_clause_that_fails_is_named(reason: PodReason | None, snapshot: Snapshot) -> None:
    """A pod placed where its clause fails is a violation of that name, and no other."""
    assert reason_against(snapshot) == reason


def on(*nodes: str | None, snapshot: Snapshot, **counts: int) -> set[str]:
    """Rules broken by placing the pending pods there, None of them nowhere."""
    pairs = list(zip(snapshot.pending, nodes, strict=True))
    reasons: dict[Reason, int] = {R(name): count for name, count in counts.items()}
    plan = Plan(
        AT,
        placements=tuple(a_placement(pod, node=node) for pod, node in pairs if node),
        waiting=tuple(Waiting(pod, ENERGY, reasons) for pod, node in pairs if not node),
    )
    return rules_broken(snapshot, plan)


def test_a_spread_holds_of_all_placements_together() -> None:
    """Two in one zone and none in the other is one too many; one in each is not."""
    two = scene(spread("p"), spread("q"), zones="aab")
    assert "TopologySpread" in on("v-1", "v-2", snapshot=two)
    assert "TopologySpread" not in on("v-1", "v-3", snapshot=two)


def test_a_pod_without_a_constraint_may_break_that_of_another() -> None:
    """It is the constraint of the placed pod that does not hold."""
    both = scene(spread("p"), a_pod(name="q", labels=APP), zones="aab")
    assert "TopologySpread" in on("v-1", "v-2", snapshot=both)
    assert "TopologySpread" not in on("v-1", "v-3", snapshot=both)


def test_a_waiting_pod_must_not_break_what_is_placed() -> None:
    """A counted pod without a constraint of its own waits for that of another."""
    both = scene(
        spread("p"), a_pod(name="q", labels=APP), zones="ab", other_use={"v-2": {"cpu": 15_500}}
    )
    right = {"TopologySpread": 1, "NotEnoughResources": 1}
    broken = {"Reasons", "Stability"}
    assert not broken & on("v-1", None, snapshot=both, **right)
    assert "Reasons" in on("v-1", None, snapshot=both, NotEnoughResources=2)


def test_who_has_to_leave_is_not_counted() -> None:
    """Neither by a gang nor by a spread: the plan knows that it goes."""
    leaver = {"pod__demand__residency": frozenset({"us"})}
    zones = scene(spread(), zones="ab", running=counted("v-1", **leaver))
    assert "TopologySpread" not in on("v-1", snapshot=zones)
    gang = scene(member(), running=fellow(**{**leaver, "pod__demand__gang": "g"}))
    assert "GangIncomplete" in on("v-1", snapshot=gang)


@pytest.mark.parametrize("placed", [(), ("v-1",), ("v-1", "v-1"), ("v-1", "v-1", "v-1")])
def test_a_gang_is_placed_whole_or_not_at_all(placed: tuple[str, ...]) -> None:
    """Of a gang of two of three pods none, two or three are placed."""
    three = scene(member("p"), member("q"), member("r"))
    nodes = [*placed, *[None] * (3 - len(placed))]
    broken = on(*nodes, snapshot=three, GangIncomplete=1)
    assert ("GangIncomplete" in broken) == (len(placed) == 1)
    assert ("Stability" in broken) == (len(placed) == 2)


def test_the_size_of_a_gang_is_the_greatest_that_is_said() -> None:
    """One of two pods says three."""
    two = scene(member("p"), member("q", size=3))
    assert "GangIncomplete" in on("v-1", "v-1", snapshot=two)


def test_plain_nodes_count_too() -> None:
    """A gang and a spread may lie half on plain Nodes, and are asked there like anywhere."""
    policy = a_policy(plain_nodes_allowed=True)
    nodes = (a_node(labels={"zone": "a"}), a_node(name="plain", labels={"zone": "b"}))
    gang = scene(member("p"), member("q"), policy=policy, nodes=nodes)
    assert "GangIncomplete" not in on("v-1", "plain", snapshot=gang)
    assert "GangIncomplete" in on("plain", None, snapshot=gang)
    zones = scene(spread("p"), spread("q"), policy=policy, nodes=nodes)
    assert "TopologySpread" not in on("v-1", "plain", snapshot=zones)
    assert "TopologySpread" in on("plain", "plain", snapshot=zones)


@pytest.mark.parametrize(
    ("reason", "snapshot"),
    [
        pytest.param(reason, snapshot, id=f"{reason}: {why}")
        for reason, why, snapshot in CASES
        if reason and len(snapshot.vehicles) == 1
    ],
)
def test_a_pod_that_waits_for_the_clause_is_right_to_wait(
    reason: PodReason, snapshot: Snapshot
) -> None:
    """Counted under the failing clause, it breaks no rule."""
    assert rules_broken(snapshot, a_waiting_plan(snapshot, reason)) == set()


def test_nobody_of_a_gang_is_left_out_for_another() -> None:
    """A waiting pod of higher priority may displace a lower one, but none of a gang."""
    big: dict[str, Any] = {"demand__power_watts": 600}
    lower = (member("p", **big), member("q", demand__power_watts=100))
    lone = (a_pod(name="p", **big), a_pod(name="q", demand__power_watts=100))
    upper = a_pod(name="u", priority=1, **big)
    counts = {"NotEnoughResources": 1}
    assert "Stability" not in on("v-1", "v-1", None, snapshot=scene(*lower, upper), **counts)
    assert "Stability" in on("v-1", "v-1", None, snapshot=scene(*lone, upper), **counts)


def test_a_pod_of_an_incomplete_gang_displaces_nobody() -> None:
    """It is not asked; one of a complete gang is."""
    lower = a_pod(name="p", demand__power_watts=1_000)
    alone = scene(lower, member("u", priority=1))
    assert "Stability" not in on("v-1", None, snapshot=alone, NotEnoughResources=1)
    two = (*fellow(), *fellow(pod__name="another"))
    backed = scene(lower, member("u", priority=1), running=two)
    assert "Stability" in on("v-1", None, snapshot=backed, NotEnoughResources=1)


def test_leaving_a_counted_pod_out_may_break_another_s_spread() -> None:
    """`q` in zone b holds up two in zone a; without it their skew would be two."""
    upper = a_pod(name="u", priority=1, demand__power_watts=1_000)
    low = a_pod(name="q", labels=APP, demand__power_watts=900)
    high = (spread("p", priority=1), spread("o", priority=1))
    held = scene(*high, low, upper, zones="aab")
    assert "Stability" not in on("v-1", "v-2", "v-3", None, snapshot=held, NotEnoughResources=3)
    free = scene(high[0], low, upper, zones="ab")
    assert "Stability" in on("v-1", "v-2", None, snapshot=free, NotEnoughResources=2)
