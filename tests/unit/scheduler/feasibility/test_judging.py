"""What a waiting pod is to say, asked one by one or of all vehicles at once."""

import pytest
from tests.unit.scheduler.feasibility.verdicts import a_placement

from idlewatt_scheduler.feasibility.judging import WORTH_COLUMNS, Judge, Verdict
from idlewatt_scheduler.feasibility.reading import Reading
from idlewatt_scheduler.feasibility.scene import Scene
from idlewatt_scheduler.model.plan import Plan
from idlewatt_scheduler.model.reasons import WaitingCondition
from idlewatt_scheduler.model.snapshot import Snapshot
from idlewatt_scheduler.testing import AT, a_node, a_pod, a_policy, a_snapshot, a_vehicle

BIG = a_pod(name="big", requests={"cpu": 8_001, "pods": 1_000}, priority=5)
HUGE = a_pod(name="huge", requests={"cpu": 16_001, "pods": 1_000})
SMALL = a_pod(name="small", requests={"cpu": 8_000, "pods": 1_000})
ALIKE = a_pod(name="alike", requests={"cpu": 8_001, "pods": 1_000}, priority=5)

WAYS = pytest.mark.parametrize("worth_columns", [0, 10**9], ids=["at once", "one by one"])


def fleet(count: int, **overrides: object) -> Snapshot:
    """As many vehicles, the last one suspended, and a plain Node that is too small."""
    names = [f"v-{number}" for number in range(1, count + 1)]
    small = a_node(name="plain", allocatable={"cpu": 1_000, "pods": 110_000})
    vehicles = tuple(a_vehicle(name=name, suspend=name == names[-1]) for name in names)
    return a_snapshot(
        **{
            "vehicles": vehicles,
            "nodes": (*(a_node(name=name) for name in names), small),
            "pending": (SMALL, BIG, HUGE, ALIKE),
            "policy": a_policy(plain_nodes_allowed=True),
            **overrides,
        }
    )


def judged(snapshot: Snapshot, worth_columns: int, *pods: object) -> list[Verdict]:
    """Verdicts on these pods, with `small` on `v-1`."""
    scene = Scene(Reading(snapshot), Plan(AT, (a_placement(SMALL),)))
    judge = Judge(scene, worth_columns)
    return [judge.verdict(pod) for pod in pods]  # type: ignore[arg-type]


@WAYS
def test_every_candidate_is_counted_once(worth_columns: int) -> None:
    """Under its first failing clause, vehicle clauses first; plain Nodes among them."""
    (huge,) = judged(fleet(3), worth_columns, HUGE)
    assert huge.reasons == {"ExceedsCapacity": 3, "Suspended": 1}
    assert huge.condition is WaitingCondition.UNSCHEDULABLE
    assert huge.could_be_placed == ()


@WAYS
def test_who_could_take_it_is_named(worth_columns: int) -> None:
    """As the plan stands, or without a pod of lower priority."""
    (big,) = judged(fleet(3), worth_columns, BIG)
    assert big.reasons == {"NotEnoughResources": 1, "Suspended": 1, "ExceedsCapacity": 1}
    assert sorted(big.could_be_placed) == [
        "It waits, but v-1 could take it without default/small, of less priority.",
        "It waits, but v-2 could take it as the plan stands.",
    ]
    assert big.condition is WaitingCondition.WAITING_FOR_ENERGY


def test_pods_of_one_kind_are_judged_once() -> None:
    """The second of two alike is told the same, without being asked."""
    first, second = judged(fleet(2), 0, BIG, ALIKE)
    assert first is second


def test_few_vehicles_are_asked_one_by_one() -> None:
    """From a number of vehicles on the default is to ask all at once; the answer is the same."""
    for count in (WORTH_COLUMNS - 1, WORTH_COLUMNS):
        snapshot = fleet(count)
        scene = Scene(Reading(snapshot), Plan(AT, (a_placement(SMALL),)))
        assert Judge(scene).verdict(BIG).reasons == Judge(scene, 10**9).verdict(BIG).reasons
