"""Stability: nobody waits for a place that only pods of lower priority hold."""

from tests.unit.scheduler.scenes import a_board, on_battery, policy, vehicle

from idlewatt_scheduler.board import Board
from idlewatt_scheduler.model.workload import Pod
from idlewatt_scheduler.solvers.stability import envies, fits_with, kept_for, settle
from idlewatt_scheduler.testing import a_node, a_pod, a_vehicle


def cores(count: int, **overrides: object) -> Pod:
    """A pod of so many cores."""
    return a_pod(
        **{
            "name": f"c{count}-p{overrides.get('priority', 0)}",
            "requests": {"cpu": 1_000 * count, "pods": 1_000},
            **overrides,
        }
    )


def held(board: Board) -> list[dict[int, int]]:
    """How many of each template every candidate holds."""
    found: list[dict[int, int]] = []
    for placed in board.placed:
        counts: dict[int, int] = {}
        for case, count in placed.cases:
            template = board.template_of(case)
            counts[template] = counts.get(template, 0) + count
        found.append(counts)
    return found


def test_an_empty_board_is_envied_by_all_who_fit() -> None:
    """Every pod on every candidate, the highest priority first."""
    board = a_board(
        vehicles=(a_vehicle(), a_vehicle(name="v-2")), pending=(cores(1), cores(2, priority=5))
    )
    found = [(envy.template, envy.candidate, envy.kept) for envy in envies(board)]
    assert found == [(0, 0, ()), (0, 1, ()), (1, 0, ()), (1, 1, ())]


def test_who_cannot_be_there_envies_nobody() -> None:
    """A clause that no placement changes keeps it away, or the vehicle takes no pods."""
    cars = (a_vehicle(suspend=True), a_vehicle(name="v-2", windows=()))
    assert list(envies(a_board(vehicles=cars, pending=(cores(1),)))) == []


def test_the_lower_make_room_and_equals_do_not() -> None:
    """Sixteen cores are held by a pod of the lower, then of the same priority."""
    pods = (cores(16), cores(1, priority=1))
    board = a_board(pending=pods)
    board.put(1, 0)
    (envy,) = envies(board)
    assert (envy.template, envy.candidate, envy.kept) == (0, 0, ())
    equals = a_board(pending=(cores(16, created_at=0), cores(1)))
    equals.put(0, 0)
    assert list(envies(equals)) == []


def test_only_the_lower_are_left_out() -> None:
    """What of equal and higher priority is there stays, and may still be in the way."""
    pods = (cores(8, priority=2), cores(4, priority=1), cores(4), cores(9, priority=1, name="w"))
    board = a_board(pending=pods)
    eight, four, waits, low = 0, 1, 2, 3
    assert [template.sample.name for template in board.templates] == [
        "c8-p2",
        "c4-p1",
        "w",
        "c4-p0",
    ]
    for template in (eight, four, low):
        board.put(template, 0)
    kept = kept_for(board, waits, 0)
    assert [board.template_of(case) for case, _ in kept] == [eight, four]
    assert not fits_with(board, waits, 0, kept)
    assert fits_with(board, waits, 0, kept[1:])


def test_asking_leaves_the_board_as_it_is() -> None:
    """Whatever the answer, nothing was moved."""
    board = a_board(pending=(cores(16), cores(1, priority=1)))
    board.put(1, 0)
    before, left = held(board), list(board.left)
    room = board.rooms["depot-7", "row-a"].least(0, 2**60)
    assert fits_with(board, 0, 0, ())
    assert (held(board), board.left) == (before, left)
    assert board.rooms["depot-7", "row-a"].least(0, 2**60) == room


def test_a_settled_board_has_no_envy() -> None:
    """The higher pod takes the place of the lower ones on one vehicle, and only there."""
    pods = (cores(16, priority=1), *(cores(4, name=f"low-{n}") for n in range(8)))
    board = a_board(vehicles=(a_vehicle(), a_vehicle(name="v-2")), pending=pods)
    board.put(1, 0, 4)
    board.put(1, 1, 4)
    settle(board)
    assert held(board) == [{0: 1}, {1: 4}]
    assert board.left == [0, 4]
    assert list(envies(board)) == []


def test_those_who_had_to_go_may_settle_elsewhere() -> None:
    """Four pods lose their place to one that needs it all, and find another."""
    pods = (
        cores(16, priority=1, node_selector={"gen": "4"}),
        *(cores(4, name=f"low-{n}") for n in range(4)),
    )
    board = a_board(
        vehicles=(a_vehicle(), a_vehicle(name="v-2")),
        nodes=(a_node(labels={"gen": "4"}), a_node(name="v-2")),
        pending=pods,
    )
    board.put(1, 0, 4)
    settle(board)
    assert held(board) == [{0: 1}, {1: 4}]


def test_charge_is_envied_as_cores_are() -> None:
    """On the battery a lower pod holds what the higher one could have used."""
    # 600 W for an hour are the one percent there is, and 90 W of them are standby.
    high = a_pod(name="high", priority=1, demand__power_watts=510)
    low = a_pod(name="low", demand__power_watts=300)
    board = a_board(pending=(high, low), **on_battery(81))
    board.put(1, 0)
    assert [envy.template for envy in envies(board)] == [0]
    settle(board)
    assert held(board) == [{0: 1}]


def test_on_a_plain_node_nobody_makes_room() -> None:
    """Stability is about vehicles; of a plain node only what is free is envied."""
    board = a_board(
        vehicles=(),
        nodes=(a_node(name="plain"),),
        pending=(cores(16, priority=1), *(cores(4, name=f"low-{n}") for n in range(4))),
        **policy(plain_nodes_allowed=True),
    )
    board.put(1, 0, 3)
    assert [(envy.template, envy.kept) for envy in envies(board)] == [(1, board.placed[0].cases)]
    board.put(1, 0)
    assert list(envies(board)) == []


def test_a_vehicle_that_is_refused_is_not_settled() -> None:
    """Nobody envies what takes no pods."""
    board = a_board(pending=(cores(1),), **vehicle(draining=True))
    settle(board)
    assert held(board) == [{}]
