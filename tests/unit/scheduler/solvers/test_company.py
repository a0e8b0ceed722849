"""Gangs and spread in the exact solvers: whole or not at all, and nobody too many in a zone."""

import pytest
from tests.unit.scheduler.scenes import a_board

from idlewatt_scheduler.board import Board
from idlewatt_scheduler.model.workload import Pod, Requirement, Spread
from idlewatt_scheduler.solvers.exact import solve
from idlewatt_scheduler.solvers.greedy import greedy
from idlewatt_scheduler.solvers.limits import Params, Stop
from idlewatt_scheduler.solvers.patterns import solve as solve_by_patterns
from idlewatt_scheduler.solvers.stability import envies, settle
from idlewatt_scheduler.testing import a_node, a_pod, a_vehicle

WEB = (Requirement("app", "In", ("web",)),)
CARS = {
    "vehicles": (a_vehicle(), a_vehicle(name="v-2")),
    "nodes": (a_node(labels={"zone": "a"}), a_node(name="v-2", labels={"zone": "b"})),
}


def cores(count: int, name: str, **overrides: object) -> Pod:
    """A pod of so many cores; a vehicle has sixteen."""
    return a_pod(name=name, requests={"cpu": 1_000 * count, "pods": 1_000}, **overrides)


def a_gang(count: int, each: int, size: int, **overrides: object) -> tuple[Pod, ...]:
    """So many pods of so many cores."""
    gang = {"demand__gang": "g", "demand__gang_size": size}
    return tuple(cores(each, f"g-{n}", **gang, **overrides) for n in range(count))


def spread(count: int, each: int, **overrides: object) -> tuple[Pod, ...]:
    """So many pods of so many cores, at most one more in a zone than in the other."""
    of = {"labels": {"app": "web"}, "spread": (Spread("zone", 1, WEB),)}
    return tuple(cores(each, f"w-{n}", **of, **overrides) for n in range(count))


def placed_by(how: str, board: Board) -> dict[str, int]:
    """How many of each template a solver places, by the first letter of its name."""
    greedy(board)
    if how == "literals":
        assert solve(board, range(len(board.candidates)), 400, 2.0, 0) is not None
    if how == "patterns":
        assert solve_by_patterns(board, Params(), Stop(), 0) is not None
    assert not list(envies(board))
    return {
        template.sample.name[0]: len(template.pods) - left
        for template, left in zip(board.templates, board.left, strict=True)
    }


every_solver = pytest.mark.parametrize("how", ["greedy", "literals", "patterns"])
exact_solvers = pytest.mark.parametrize("how", ["literals", "patterns"])


@every_solver
def test_a_gang_is_placed_whole_or_not_at_all(how: str) -> None:
    """Four of eight cores fit on two vehicles, and five do not."""
    assert placed_by(how, a_board(pending=a_gang(4, 8, 4), **CARS)) == {"g": 4}
    assert placed_by(how, a_board(pending=a_gang(5, 8, 5), **CARS)) == {"g": 0}
    assert placed_by(how, a_board(pending=a_gang(5, 8, 4), **CARS)) == {"g": 4}


@every_solver
def test_who_cannot_be_whole_keeps_nobody_out(how: str) -> None:
    """The gang of a higher priority needs more than there is: the others have it all."""
    pods = (*a_gang(5, 8, 5, priority=1), *(cores(8, f"l-{n}") for n in range(4)))
    assert placed_by(how, a_board(pending=pods, **CARS)) == {"g": 0, "l": 4}


@exact_solvers
def test_a_gang_goes_where_it_is_whole(how: str) -> None:
    """Three pods of eleven cores fit on no two vehicles: two smaller ones weigh less, and stay."""
    pods = (*a_gang(3, 11, 3, priority=1), cores(16, "b"), cores(16, "c"))
    assert placed_by(how, a_board(pending=pods, **CARS)) == {"g": 0, "b": 2}


@every_solver
def test_zones_are_filled_evenly(how: str) -> None:
    """One zone has room for two, the other for one of them: three fit, not four."""
    pods = (cores(8, "o", priority=1, node_selector={"zone": "b"}), *spread(4, 8))
    assert placed_by(how, a_board(pending=pods, **CARS)) == {"o": 1, "w": 3}


@exact_solvers
def test_weight_is_the_greatest_that_the_spread_allows(how: str) -> None:
    """Zone b is full of a pod that may go nowhere else: one of the spread ones is all."""
    pods = (cores(16, "o", priority=1, node_selector={"zone": "b"}), *spread(3, 4))
    assert placed_by(how, a_board(pending=pods, **CARS)) == {"o": 1, "w": 1}


def test_pods_of_a_gang_make_room_for_nobody() -> None:
    """A waiting pod of higher priority envies the lower ones only."""
    pods = (*a_gang(2, 8, 2), cores(8, "high", priority=1))
    board = a_board(pending=pods)
    high, gang = 0, 1
    board.put(gang, 0, 2)
    assert not list(envies(board))
    alone = a_board(pending=(*(cores(8, f"l-{n}") for n in range(2)), pods[-1]))
    alone.put(1, 0, 2)
    assert [envy.template for envy in envies(alone)] == [high]


def test_a_pod_of_an_incomplete_gang_envies_nobody() -> None:
    """Not before enough of it are placed."""
    board = a_board(pending=a_gang(3, 4, 2), **CARS)
    assert not list(envies(board))
    board.put(0, 0, 2)
    assert {envy.template for envy in envies(board)} == {0}


def test_nobody_is_left_out_where_that_would_break_the_spread_of_others() -> None:
    """In zone b stands the only pod that keeps two in zone a within the skew."""
    pods = (*spread(3, 8), cores(9, "high", priority=1, node_selector={"zone": "b"}))
    board = a_board(pending=pods, **CARS)
    high, web = 0, 1
    board.put(web, 0, 2)
    board.put(web, 1)
    assert not list(envies(board))
    settle(board)
    assert board.left == [1, 0]
    alone = a_board(pending=pods, **CARS)
    alone.put(web, 0)
    alone.put(web, 1)
    assert high in {envy.template for envy in envies(alone)}


def test_some_of_the_lower_may_stay_for_the_sake_of_the_spread() -> None:
    """Two lower ones are in the way; one of them is counted in a zone, and the other goes."""
    pods = (
        *spread(3, 8, priority=0),
        cores(8, "low", node_selector={"zone": "b"}),
        cores(8, "high", priority=1, node_selector={"zone": "b"}),
    )
    board = a_board(pending=pods, **CARS)
    names = [template.sample.name for template in board.templates]
    high, low, web = names.index("high"), names.index("low"), names.index("w-0")
    board.put(web, 0, 2)
    board.put(web, 1)
    board.put(low, 1)
    (envy,) = envies(board)
    assert envy.template == high
    assert [board.template_of(case) for case, _ in envy.kept] == [web]


@exact_solvers
def test_stability_is_asked_with_the_spread(how: str) -> None:
    """Many light pods weigh more than the one of higher priority that they would keep waiting."""
    pods = (
        cores(16, "high", priority=1, node_selector={"zone": "b"}),
        *(cores(1, f"l-{n}", node_selector={"zone": "b"}) for n in range(16)),
        cores(1, "one-more", node_selector={"zone": "b"}),
        *spread(2, 8),
    )
    found = placed_by(how, a_board(pending=pods, **CARS))
    assert found["h"] == 1
    assert found["w"] == 1


def test_others_are_counted_where_a_neighbourhood_is_chosen_anew() -> None:
    """Pods on candidates that are no part of the model keep their zone and their gang."""
    board = a_board(pending=(*spread(3, 4), *a_gang(2, 4, 2, priority=1)), **CARS)
    gang, web = 0, 1
    board.put(gang, 0)
    board.put(web, 0)
    assert solve(board, [1], 400, 2.0, 0) is not None
    assert board.left == [0, 0]
    assert board.together.holds()
