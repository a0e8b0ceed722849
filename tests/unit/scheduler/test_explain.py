"""Why a pod waits: every candidate counted once, and what an autoscaler is told."""

import pytest
from tests.unit.scheduler.scenes import (
    Overrides,
    a_board,
    node,
    pod,
    policy,
    vehicle,
)

from idlewatt_scheduler.board import Board
from idlewatt_scheduler.explain import waiting
from idlewatt_scheduler.model.plan import Waiting
from idlewatt_scheduler.model.reasons import PodReason, VehicleReason, WaitingCondition
from idlewatt_scheduler.tables import workings_of
from idlewatt_scheduler.testing import a_node, a_pod, a_vehicle

NEVER, LATER = WaitingCondition.UNSCHEDULABLE, WaitingCondition.WAITING_FOR_ENERGY


def _waiting(board: Board) -> tuple[Waiting, ...]:
    counts = [
        (candidate, board.template_of(case), number)
        for candidate, placed in enumerate(board.placed)
        for case, number in placed.cases
    ]
    return waiting(workings_of(board.fleet, board.templates), counts)


def test_every_candidate_is_counted_once_under_its_first_reason() -> None:
    """The commonest reason first; vehicle clauses before the pod's."""
    cars = (
        a_vehicle(),
        a_vehicle(name="v-2"),
        a_vehicle(name="v-3", suspend=True, windows=()),
        a_vehicle(name="v-4", windows=()),
    )
    board = a_board(vehicles=cars, **pod(requests={"cpu": 16_001, "pods": 1_000}))
    (entry,) = _waiting(board)
    assert list(entry.reasons.items()) == [
        (PodReason.EXCEEDS_CAPACITY, 3),
        (VehicleReason.SUSPENDED, 1),
    ]


def test_reasons_are_judged_against_what_the_plan_leaves() -> None:
    """The machine is large enough, but somebody has it now."""
    whole = {"requests": {"cpu": 16_000, "pods": 1_000}}
    board = a_board(pending=(a_pod(name="a", **whole), a_pod(name="b", **whole)))
    board.put(0, 0)
    (entry,) = _waiting(board)
    assert entry.pod.name == "b"
    assert entry.reasons == {PodReason.NOT_ENOUGH_RESOURCES: 1}


def test_the_youngest_of_a_template_wait() -> None:
    """Places go to the oldest first."""
    pods = [a_pod(name=f"p-{n}", created_at=n) for n in range(4)]
    board = a_board(pending=tuple(reversed(pods)))
    board.put(0, 0, 3)
    assert [entry.pod.name for entry in _waiting(board)] == ["p-3"]


def test_nobody_waits_where_all_are_placed() -> None:
    """There is nothing to explain."""
    board = a_board(**pod())
    board.put(0, 0)
    assert _waiting(board) == ()


@pytest.mark.parametrize(
    ("overrides", "condition"),
    [
        pytest.param({"vehicles": ()}, NEVER, id="no fleet"),
        pytest.param({"nodes": ()}, NEVER, id="no Node"),
        pytest.param(vehicle(suspend=True), LATER, id="a vehicle clause"),
        pytest.param(vehicle(windows=()), LATER, id="a window"),
        pytest.param(node(unschedulable=True), NEVER, id="a cordon"),
        pytest.param(pod(reads_secret=True), NEVER, id="untrusted"),
        pytest.param(pod(reads_secret=True) | vehicle(suspend=True), NEVER, id="both"),
        pytest.param(pod(demand__residency=frozenset()), LATER, id="residency"),
        pytest.param({"other_use": {"v-1": {"cpu": 16_000}}}, LATER, id="a machine that is full"),
        pytest.param(
            pod(requests={"cpu": 16_001, "pods": 1_000})
            | {
                "vehicles": (a_vehicle(), a_vehicle(name="v-2", suspend=True)),
                "nodes": (
                    a_node(),
                    a_node(name="v-2", allocatable={**a_node().allocatable, "cpu": 8_000}),
                ),
            },
            NEVER,
            id="too large for all",
        ),
        pytest.param(
            pod(reads_secret=True)
            | {"vehicles": (a_vehicle(), a_vehicle(name="v-2", attested=True, suspend=True))},
            LATER,
            id="one that could later is enough",
        ),
        pytest.param(
            pod(reads_secret=True)
            | {
                "vehicles": (a_vehicle(), a_vehicle(name="v-2", attested=True)),
                "nodes": (a_node(),),
            },
            NEVER,
            id="unless it has no Node",
        ),
        pytest.param(
            {"vehicles": (), "other_use": {"v-1": {"cpu": 16_000}}}
            | node()
            | policy(plain_nodes_allowed=True),
            LATER,
            id="a plain node that is full",
        ),
    ],
)
def test_a_pod_is_unschedulable_only_if_no_time_or_charge_would_help(
    overrides: Overrides, condition: WaitingCondition
) -> None:
    """Autoscalers buy machines on that word, and on no other."""
    (entry,) = _waiting(a_board(**{**pod(), **overrides}))
    assert entry.condition is condition


def test_a_fleet_of_none_gives_no_reasons() -> None:
    """There is no candidate to count."""
    (entry,) = _waiting(a_board(vehicles=(), **pod()))
    assert entry.reasons == {}
