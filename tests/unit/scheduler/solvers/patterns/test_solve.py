"""Patterns: the best plan of a small fleet, its bounds, and what they do not promise."""

from decimal import Decimal
from fractions import Fraction

import pytest
from tests.unit.scheduler.scenes import a_board, policy, row_a

from idlewatt_scheduler.board import Board
from idlewatt_scheduler.model.plan import Solver
from idlewatt_scheduler.model.vehicle import Vehicle
from idlewatt_scheduler.model.workload import Pod
from idlewatt_scheduler.solvers.greedy import greedy
from idlewatt_scheduler.solvers.limits import Params, Proof, Stop
from idlewatt_scheduler.solvers.patterns import solve
from idlewatt_scheduler.testing import a_node, a_pod, a_vehicle

NEARLY = Fraction(1, 10**5)


def cores(count: int, name: str, **overrides: object) -> Pod:
    """A pod of so many cores; a vehicle has sixteen."""
    return a_pod(name=name, requests={"cpu": 1_000 * count, "pods": 1_000}, **overrides)


def paid(name: str, per_hour: str, **overrides: object) -> Vehicle:
    """A vehicle that is paid so much for an hour."""
    return a_vehicle(name=name, compensation__availability_per_hour=Decimal(per_hour), **overrides)


def solved(board: Board, **params: int) -> Proof:
    """The best of all patterns, after greed."""
    greedy(board)
    asked = Params(**params)  # type: ignore[arg-type]
    found = solve(board, asked, Stop(), 0)
    assert found is not None
    assert found.solver is Solver.EXACT
    return found


def held(board: Board) -> list[int]:
    """How many pods each candidate holds."""
    return [sum(count for _, count in placed.cases) for placed in board.placed]


def test_it_places_the_most() -> None:
    """Greedy puts the pod that may go anywhere where the other one has to go."""
    board = a_board(
        vehicles=(paid("v-1", "0.10"), paid("v-2", "0.20")),
        nodes=(a_node(labels={"gen": "4"}), a_node(name="v-2")),
        pending=(cores(8, "anywhere"), cores(9, "only", node_selector={"gen": "4"})),
    )
    found = solved(board)
    assert (found.bound, found.proven, held(board)) == (2, True, [1, 1])


def test_it_costs_the_least_and_says_so() -> None:
    """Sixteen cores in pods of three sizes, on the cheaper two of three vehicles."""
    cars = (paid("v-1", "0.30"), paid("v-2", "0.10"), paid("v-3", "0.11"))
    pods = [cores(size, f"p-{size}-{n}") for size in (3, 5, 8) for n in range(2)]
    board = a_board(vehicles=cars, pending=pods)
    found = solved(board)
    assert found.proven
    assert held(board)[0] == 0
    assert found.cost_bound is not None
    assert 0 <= board.money - found.cost_bound <= NEARLY


def test_circuits_are_kept() -> None:
    """On one car three pods draw 315.3 W; on two of them 346.6 W at the least."""
    board = a_board(
        vehicles=(a_vehicle(), a_vehicle(name="v-2")),
        pending=[a_pod(name=f"p-{n}") for n in range(4)],
        **row_a(346),
    )
    found = solved(board)
    assert (found.bound, found.proven) == (3, True)
    assert sorted(held(board)) == [0, 3]


def test_weights_of_millions_do_not_hide_a_pod() -> None:
    """One pod of sixteen to the fifth, and seventeen of weight 1: every one of them is placed."""
    levels = [cores(1, f"level-{n}", priority=n) for n in range(6)]
    small = [cores(1, f"small-{n}") for n in range(17)]
    board = a_board(vehicles=(a_vehicle(), a_vehicle(name="v-2")), pending=[*levels, *small])
    found = solved(board)
    assert found.bound == board.weight == sum(16**n for n in range(6)) + 17


def test_vehicles_go_before_plain_nodes() -> None:
    """Whatever they cost; and nothing is said of the least cost then."""
    board = a_board(
        vehicles=(paid("v-1", "1000"),),
        nodes=(a_node(), a_node(name="plain")),
        pending=[cores(8, f"p-{n}") for n in range(3)],
        **policy(plain_nodes_allowed=True),
    )
    found = solved(board)
    assert held(board) == [2, 1]
    assert found.cost_bound is None


def test_where_nothing_fits_nothing_is_better() -> None:
    """It is known without looking."""
    board = a_board(pending=(cores(17, "huge"),))
    found = solved(board)
    assert (found.bound, found.proven, found.cost_bound) == (0, True, Fraction(0))
    (price,) = found.prices.pods
    assert (price.waiting, price.place.weight) == (1, 1.0)


@pytest.mark.parametrize("params", [{"exact_vehicles": 1}, {"exact_vehicles": 0}])
def test_larger_fleets_are_left_to_others(params: dict[str, int]) -> None:
    """And so is everything while nothing is compiled; the board stays as it is."""
    board = a_board(vehicles=(a_vehicle(), a_vehicle(name="v-2")), pending=(cores(1, "p"),))
    greedy(board)
    before = held(board)
    asked = Params(**params)  # type: ignore[arg-type]
    assert solve(board, asked, Stop(), 0) is None
    assert solve(board, Params(compiled=False), Stop(), 0) is None
    assert held(board) == before


def test_who_has_to_stop_keeps_what_there_is() -> None:
    """And says so; its bounds hold all the same."""
    pods = [cores(size, f"p-{size}-{n}") for size in (3, 5, 8) for n in range(3)]
    cars = (paid("v-1", "0.30"), paid("v-2", "0.10"), paid("v-3", "0.11"))
    board = a_board(vehicles=cars, pending=pods)
    greedy(board)
    weight, money = board.weight, board.money
    found = solve(board, Params(), Stop(expired=lambda: True), 0)
    assert found is not None
    assert found.halted is not None
    assert (board.weight, board.money) == (weight, money)
    assert found.bound is not None
    assert found.bound >= weight
