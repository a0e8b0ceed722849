"""The board: what is placed takes from charge, machines and circuits, and gives it back."""

from fractions import Fraction

from tests.unit.scheduler.scenes import a_battery_car, a_board, pod, policy, row_a, vehicle

from idlewatt_scheduler.board import Board
from idlewatt_scheduler.model.reasons import PodReason, VehicleReason
from idlewatt_scheduler.model.units import HOUR
from idlewatt_scheduler.testing import AT, a_node, a_pod, a_vehicle

COST_OF_ONE = Fraction("0.1596135")
"""0.10 for an hour, 173.295 Wh AC at 0.30, 152.5 Wh DC at 0.05."""


def two_alike(**overrides: object) -> Board:
    """A board with two pods of one template."""
    return a_board(pending=(a_pod(), a_pod(name="other")), **overrides)


def left(board: Board) -> int:
    """What is left of row-a during the stay."""
    return board.rooms["depot-7", "row-a"].least(AT, AT + HOUR)


def test_a_new_board_holds_nothing() -> None:
    """All wait, and nothing is paid."""
    board = two_alike()
    assert (board.left, board.weight, board.money) == ([2], 0, Fraction(0))
    assert left(board) == 22_000_000


def test_what_is_put_is_held() -> None:
    """It weighs, costs, requests and draws."""
    board = two_alike()
    board.put(0, 0)
    assert (board.left, board.weight, board.money) == ([1], 1, COST_OF_ONE)
    assert board.placed[0].used["cpu"] == 1_000
    assert left(board) == 22_000_000 - 173_295
    board.put(0, 0)
    assert board.left == [0]
    assert left(board) == 22_000_000 - 244_318


def test_a_second_pod_costs_what_it_adds() -> None:
    """The hour is paid, and standby drawn, already."""
    board = two_alike()
    board.put(0, 0)
    case, _ = board.case(0, 0)
    both = board.cost(0, ((case, 1),))
    # 244.318 - 173.295 Wh AC at 0.30, and 62.5 Wh DC at 0.05.
    assert both.money - COST_OF_ONE == Fraction("0.0213069") + Fraction("0.003125")
    assert both == board.cost_alone(0, ((case, 2),))
    assert board.cost(0).money == COST_OF_ONE


def test_what_is_taken_away_is_given_back() -> None:
    """A board that held something and holds nothing is as before, step by step."""
    board, fresh = two_alike(), two_alike()
    board.put(0, 0, 2)
    board.hold(0, ())
    assert (board.left, board.weight, board.money) == ([2], 0, Fraction(0))
    assert board.placed[0] == fresh.placed[0]
    room = board.rooms["depot-7", "row-a"]
    steps = zip(room.starts, room.left, strict=True)
    assert {left for start, left in steps if start < AT + 9 * HOUR} == {22_000_000}


def test_boards_of_one_fleet_do_not_share_circuits() -> None:
    """What one plan takes is there for the next."""
    board = two_alike()
    board.put(0, 0)
    other = Board(board.fleet, board.templates)
    assert left(other) == 22_000_000


def test_takers_are_candidates_that_nothing_fixed_keeps_the_pod_from() -> None:
    """A full machine takes it as far as that goes; a refused or unfitting one does not."""
    cars = (
        a_vehicle(),
        a_vehicle(name="v-2", suspend=True),
        a_vehicle(name="v-3", windows=()),
        a_vehicle(name="v-4"),
    )
    board = a_board(vehicles=cars, other_use={"v-4": {"cpu": 16_000}}, **pod())
    assert board.takers(0) == [0, 3]
    assert [board.reason(0, candidate) for candidate in range(4)] == [
        None,
        VehicleReason.SUSPENDED,
        PodReason.OUTSIDE_PARKING_WINDOW,
        PodReason.NOT_ENOUGH_RESOURCES,
    ]


def test_reasons_are_judged_against_what_is_placed() -> None:
    """The pod that fitted before another one came does not fit after it."""
    board = two_alike(**row_a(174))
    assert board.reason(0, 0) is None
    board.put(0, 0)
    assert board.reason(0, 0) is PodReason.CIRCUIT_FULL


def test_cars_on_one_circuit_share_it() -> None:
    """What one car draws the other cannot; one on the battery does not ask."""
    cars = (a_vehicle(), a_vehicle(name="v-2"), a_battery_car(90, name="v-3"))
    board = two_alike(vehicles=cars, **row_a(346))
    board.put(0, 0)
    assert board.reason(0, 1) is PodReason.CIRCUIT_FULL
    assert board.reason(0, 2) is None


def test_a_plain_node_costs_nothing_and_has_no_circuits() -> None:
    """It weighs all the same."""
    nodes = (a_node(name="plain"),)
    board = a_board(vehicles=(), nodes=nodes, **pod(), **policy(plain_nodes_allowed=True))
    board.put(0, 0)
    assert (board.weight, board.money) == (1, Fraction(0))
    assert not board.circuits(0)


def test_a_case_knows_its_template() -> None:
    """Also where templates look alike but for their priority."""
    board = a_board(pending=(a_pod(), a_pod(name="other", priority=1)), **vehicle())
    assert [board.template_of(board.case(template, 0)[0]) for template in (0, 1)] == [0, 1]
    assert board.case(0, 0) is board.case(0, 0)
