"""Whom a waiting pod could displace: newly placed pods of lower priority, as few as it takes."""

from tests.unit.scheduler.feasibility.verdicts import a_placement

from idlewatt_scheduler.feasibility.reading import Reading
from idlewatt_scheduler.feasibility.scene import Scene
from idlewatt_scheduler.feasibility.stability import displaced
from idlewatt_scheduler.model.plan import Plan
from idlewatt_scheduler.model.snapshot import Snapshot
from idlewatt_scheduler.model.workload import Pod, Requirement, Spread
from idlewatt_scheduler.testing import AT, a_node, a_pod, a_policy, a_snapshot, a_vehicle

APP = {"app": "a"}
ZONE = Spread("zone", 1, (Requirement("app", "Exists"),))


def pushed(snapshot: Snapshot, *nodes: str, by: Pod, on: str = "v-1") -> set[str]:
    """The names of the pods that would be left out for one that waits; the others are placed."""
    placements = tuple(
        a_placement(pod, node=node) for pod, node in zip(snapshot.pending, nodes, strict=False)
    )
    scene = Scene(Reading(snapshot), Plan(AT, placements))
    return {stay.pod.name for stay in displaced(scene, by, scene.reading.candidates[on])}


def of(*pods: Pod, zones: str = "a") -> Snapshot:
    """Vehicles `v-1` and so on, one in each of these zones."""
    names = [f"v-{number}" for number in range(1, len(zones) + 1)]
    return a_snapshot(
        vehicles=tuple(a_vehicle(name=name) for name in names),
        nodes=tuple(
            a_node(name=name, labels={"zone": zone})
            for name, zone in zip(names, zones, strict=True)
        ),
        pending=pods,
    )


def pod(name: str, watts: int = 500, **overrides: object) -> Pod:
    """A pod of that many watts."""
    return a_pod(name=name, demand__power_watts=watts, **overrides)


def test_only_lower_priorities_are_left_out() -> None:
    """Those of the same or of a higher one stay, and then there may be no room."""
    high = pod("u", 600, priority=5)
    assert pushed(of(pod("p"), pod("q"), high), "v-1", "v-1", by=high) == {"p", "q"}
    equal = (pod("p", priority=5), pod("q"), high)
    assert pushed(of(*equal), "v-1", "v-1", by=high) == set()


def test_nobody_is_left_out_where_that_does_not_help() -> None:
    """It would not fit alone either."""
    high = pod("u", 1_001, priority=5)
    assert pushed(of(pod("p"), high), "v-1", by=high) == set()


def test_a_plain_node_is_not_asked() -> None:
    """Rules speak of vehicles."""
    high = pod("u", 100, priority=5, requests={"cpu": 16_000, "pods": 1_000})
    snapshot = a_snapshot(
        pending=(pod("p"), high),
        nodes=(a_node(), a_node(name="plain")),
        policy=a_policy(plain_nodes_allowed=True),
    )
    assert pushed(snapshot, "plain", by=high, on="plain") == set()
    assert pushed(snapshot, "v-1", by=high) == {"p"}


def test_some_may_have_to_stay_so_that_a_spread_of_others_holds() -> None:
    """Without both counted pods of zone b, the one in zone a would be two more: one of them goes.

    Left out may be one of the two, and the pod that nobody counts.
    """
    held = (
        pod("x", 100, labels=APP, spread=(ZONE,), priority=9),
        pod("y", 100, labels=APP, spread=(ZONE,), priority=9),
    )
    low = (pod("p", 400, labels=APP), pod("q", 400, labels=APP), pod("r", 100))
    high = pod("u", 600, priority=5)
    there = ("v-1", "v-1", "v-2", "v-2", "v-2")
    gone = pushed(of(*held, *low, high, zones="ab"), *there, by=high, on="v-2")
    assert gone == {"p", "r"}
