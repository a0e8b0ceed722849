"""The greedy plan: by priority, each where it costs least a pod, vehicles before plain nodes."""

from decimal import Decimal

import pytest
from tests.unit.scheduler.scenes import (
    Overrides,
    a_board,
    on_battery,
    policy,
    row_a,
    running,
)

from idlewatt_scheduler.board import Board
from idlewatt_scheduler.model.units import HOUR
from idlewatt_scheduler.model.vehicle import Power, Vehicle
from idlewatt_scheduler.model.workload import Pod, Requirement, Spread
from idlewatt_scheduler.solvers.greedy import greedy, in_order, most_there
from idlewatt_scheduler.testing import AT, GIBIBYTE, a_node, a_pod, a_running_pod, a_vehicle


def alike(count: int, **overrides: object) -> tuple[Pod, ...]:
    """So many pods of one template."""
    prefix = overrides.pop("prefix", "p")
    return tuple(a_pod(name=f"{prefix}-{n}", **overrides) for n in range(count))


def paid(name: str, availability: str, **overrides: object) -> Vehicle:
    """A vehicle whose owner is paid so much an hour."""
    return a_vehicle(
        name=name, compensation__availability_per_hour=Decimal(availability), **overrides
    )


def placed(board: Board) -> dict[str, int]:
    """How many new pods each candidate holds."""
    return {
        candidate.name: sum(count for _, count in there.cases)
        for candidate, there in zip(board.candidates, board.placed, strict=True)
    }


def after_greedy(**overrides: object) -> Board:
    """A board on which the greedy plan is made."""
    board = a_board(**overrides)
    greedy(board)
    return board


@pytest.mark.parametrize(
    ("overrides", "most"),
    [
        pytest.param({"pending": alike(3)}, 3, id="as many as are left"),
        pytest.param({"pending": alike(20)}, 16, id="as many as there are cores"),
        pytest.param({"pending": alike(20), **running()}, 15, id="beside what runs"),
        pytest.param({"pending": alike(20), "other_use": {"v-1": {"cpu": 16_000}}}, 0, id="none"),
        pytest.param(
            {"pending": alike(20), "other_use": {"v-1": {"cpu": 99_000}}}, 0, id="less than none"
        ),
        # 90 W standby and n times 62.5 W in AC: 244 W for two, 315 W for three.
        pytest.param({"pending": alike(20), **row_a(300)}, 2, id="as many as the circuit carries"),
        pytest.param({"pending": alike(20), **row_a(173)}, 0, id="a circuit that carries none"),
        pytest.param({"pending": alike(1), **row_a(173)}, 0, id="the last one that is left"),
        # 600 Wh for an hour of n times 62.5 W and 90 W: eight are 590 W, nine 652.5 W.
        pytest.param({"pending": alike(20), **on_battery(81)}, 8, id="as many as charge allows"),
        pytest.param(
            {"pending": alike(9, requests={"cpu": 0, "pods": 1_000})}, 9, id="what asks for nothing"
        ),
    ],
)
def test_the_most_pods_that_fit_there(overrides: Overrides, most: int) -> None:
    """Of cores, charge and circuits what runs out first, and no more than are left."""
    assert most_there(a_board(**overrides), 0, 0) == most


def test_templates_come_by_priority_then_the_smaller_first() -> None:
    """Of equals more fit that way; of one size the older come first."""
    pods = (
        a_pod(name="large", requests={"cpu": 8_000, "pods": 1_000}),
        a_pod(name="small"),
        a_pod(name="memory", requests={"memory": 20 * GIBIBYTE, "pods": 1_000}),
        a_pod(name="first", requests={"cpu": 16_000, "pods": 1_000}, priority=1),
    )
    board = a_board(pending=pods)
    names = [board.templates[template].sample.name for template in in_order(board)]
    assert names == ["first", "small", "large", "memory"]


def test_pods_go_where_they_cost_least() -> None:
    """The cheapest vehicle first, and the next one when it is full."""
    cars = (paid("v-1", "0.30"), paid("v-2", "0.10"), paid("v-3", "0.20"))
    board = after_greedy(vehicles=cars, pending=alike(20))
    assert placed(board) == {"v-1": 0, "v-2": 16, "v-3": 4}


def test_a_car_that_is_paid_already_is_cheaper() -> None:
    """Where a pod of ours runs, neither availability nor standby comes on top."""
    cars = (paid("v-1", "0.10"), paid("v-2", "0.20"))
    board = after_greedy(vehicles=cars, pending=alike(1), **running(node="v-2"))
    assert placed(board) == {"v-1": 0, "v-2": 1}


def test_waking_a_car_is_counted() -> None:
    """A sleeper is used after one that is awake, if that costs less than its hour."""
    wake = {"observed__power": Power.ASLEEP, "compute__wake_energy_watt_hours": 200}
    board = after_greedy(
        vehicles=(paid("v-1", "0.10", **wake), paid("v-2", "0.15")), pending=alike(1)
    )
    assert placed(board) == {"v-1": 0, "v-2": 1}
    board = after_greedy(
        vehicles=(paid("v-1", "0.10", **wake), paid("v-2", "0.17")), pending=alike(1)
    )
    assert placed(board) == {"v-1": 1, "v-2": 0}


def test_plain_nodes_are_used_last() -> None:
    """Though they cost nothing."""
    board = after_greedy(
        nodes=(a_node(), a_node(name="plain")),
        pending=alike(20),
        **policy(plain_nodes_allowed=True),
    )
    assert placed(board) == {"v-1": 16, "plain": 4}


def test_who_stands_on_a_plain_node_goes_to_a_vehicle_that_takes_it_by_now() -> None:
    """`last` is counted in the other zone; only then may `first` stand where two run already."""
    spread = Spread("zone", 1, (Requirement("app", "Exists"),))
    board = after_greedy(
        nodes=(a_node(labels={"zone": "a"}), a_node(name="plain", labels={"zone": "b"})),
        pending=(
            a_pod(name="first", created_at=0, spread=(spread,)),
            a_pod(name="last", labels={"app": "x"}, spread=(spread,)),
        ),
        **policy(plain_nodes_allowed=True),
        running=tuple(
            a_running_pod(pod=a_pod(name=name, uid=name, labels={"app": "x"}))
            for name in ("r-0", "r-1")
        ),
    )
    assert placed(board) == {"v-1": 1, "plain": 1}
    assert board.left == [0, 0]


def test_the_higher_priority_is_served_first() -> None:
    """Whatever is older or smaller."""
    pods = (
        *alike(16, prefix="low", created_at=0),
        a_pod(name="high", priority=1, requests={"cpu": 10_000, "pods": 1_000}),
    )
    board = after_greedy(pending=pods)
    assert [template.priority for template in board.templates] == [1, 0]
    assert board.left == [0, 10]


def test_what_fits_nowhere_stays_where_it_is() -> None:
    """And hinders nobody."""
    pods = (a_pod(name="huge", requests={"cpu": 99_000, "pods": 1_000}, priority=9), *alike(2))
    assert after_greedy(pending=pods).left == [1, 0]


def test_without_pods_or_candidates_nothing_happens() -> None:
    """An empty fleet and an empty queue are both fine."""
    assert placed(after_greedy()) == {"v-1": 0}
    assert after_greedy(vehicles=(), pending=alike(2)).left == [2]


def test_a_circuit_is_filled_to_its_limit_by_all_cars_together() -> None:
    """Two cars share 400 W: the second one's standby counts too."""
    cars = (paid("v-1", "0.10"), paid("v-2", "0.10"))
    board = after_greedy(vehicles=cars, pending=alike(9), **row_a(400))
    # 90 W and four times 62.5 W are 386 W in AC; what is left carries no second car.
    assert placed(board) == {"v-1": 4, "v-2": 0}
    assert board.rooms["depot-7", "row-a"].least(AT, AT + HOUR) == 400_000 - 386_363
