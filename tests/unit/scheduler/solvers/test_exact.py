"""The exact plan of a few candidates: better than greedy where greedy errs, and never worse."""

from decimal import Decimal

import pytest
from tests.unit.scheduler.scenes import Overrides, a_board, policy, row_a

from idlewatt_scheduler.board import Board
from idlewatt_scheduler.model.units import HOUR, MINUTE
from idlewatt_scheduler.model.vehicle import Power, Vehicle
from idlewatt_scheduler.model.workload import Pod
from idlewatt_scheduler.solvers.exact import solve
from idlewatt_scheduler.solvers.greedy import greedy
from idlewatt_scheduler.solvers.limits import Proof
from idlewatt_scheduler.solvers.stability import envies
from idlewatt_scheduler.testing import AT, a_node, a_pod, a_vehicle

ENOUGH, WORK, SEED = 400, 2.0, 0


def paid(name: str, availability: str, **overrides: object) -> Vehicle:
    """A vehicle whose owner is paid so much an hour."""
    return a_vehicle(
        name=name, compensation__availability_per_hour=Decimal(availability), **overrides
    )


def cores(count: int, name: str, **overrides: object) -> Pod:
    """A pod of so many cores."""
    return a_pod(name=name, requests={"cpu": 1_000 * count, "pods": 1_000}, **overrides)


def solved(board: Board) -> tuple[int | None, bool] | None:
    """All candidates, with enough of everything: the bound, and whether it is proven."""
    return known(solve(board, range(len(board.candidates)), ENOUGH, WORK, SEED))


def known(proof: Proof | None) -> tuple[int | None, bool] | None:
    """The bound, and whether the board is proven to be the best."""
    return None if proof is None else (proof.bound, proof.proven)


def held(board: Board) -> list[list[str]]:
    """The templates on each candidate, by the name of their oldest pod, once for each pod."""
    return [
        sorted(case.pod.name for case, count in placed.cases for _ in range(count))
        for placed in board.placed
    ]


CHOOSY: Overrides = {
    "vehicles": (paid("v-1", "0.10"), paid("v-2", "0.20")),
    "nodes": (a_node(labels={"gen": "4"}), a_node(name="v-2")),
    "pending": (
        cores(8, "anywhere"),
        cores(9, "only-v-1", node_selector={"gen": "4"}),
    ),
}
"""Greedy takes the cheaper car for the smaller pod, and leaves none for the one that needs it."""


def test_it_places_more_than_greedy() -> None:
    """The pod that may go elsewhere does, for the one that may not."""
    board = a_board(**CHOOSY)
    greedy(board)
    assert held(board) == [["anywhere"], []]
    assert solved(board) == (2, True)
    assert held(board) == [["only-v-1"], ["anywhere"]]


def test_it_costs_less_than_greedy() -> None:
    """Greedy opens the cheapest car for what comes first; the dearer one alone costs less."""
    cars = (paid("v-1", "0.10"), paid("v-2", "0.11"))
    nodes = (a_node(), a_node(name="v-2", labels={"gen": "4"}))
    pods = (a_pod(name="small"), cores(2, "only-v-2", node_selector={"gen": "4"}))
    board = a_board(vehicles=cars, nodes=nodes, pending=pods)
    greedy(board)
    assert held(board) == [["small"], ["only-v-2"]]
    before = board.money
    assert solved(board) == (2, True)
    assert held(board) == [[], ["only-v-2", "small"]]
    # An hour of the other car and of its standby: 0.10 EUR, 102.27 Wh AC, 90 Wh DC.
    assert float(before - board.money) == pytest.approx(0.10 + 0.0306818 + 0.0045, abs=1e-6)


def test_a_plan_that_is_the_best_stays() -> None:
    """And is known to be."""
    board = a_board(pending=(a_pod(),))
    greedy(board)
    before = held(board)
    assert solved(board) == (1, True)
    assert held(board) == before


def test_it_is_stable_though_that_weighs_less() -> None:
    """Twenty light pods outweigh the heavy one, but may not keep it waiting."""
    light = [a_pod(name=f"light-{n}", requests={"cpu": 800, "pods": 1_000}) for n in range(20)]
    board = a_board(pending=(cores(16, "heavy", priority=1), *light))
    assert solved(board) == (16, True)
    assert held(board) == [["heavy"]]
    assert list(envies(board)) == []


def lights(count: int, name: str, **overrides: object) -> list[Pod]:
    """So many pods of which twenty fill a machine."""
    return [
        a_pod(**{"name": f"{name}-{n:02}", "requests": {"cpu": 800, "pods": 1_000}, **overrides})
        for n in range(count)
    ]


def test_one_of_two_that_want_a_place_is_enough() -> None:
    """The second heavy pod waits for no lower one, once the first has the place."""
    heavy = [cores(16, f"heavy-{n}", priority=1) for n in range(2)]
    board = a_board(pending=(*heavy, *lights(20, "light")))
    assert solved(board) == (16, True)
    assert held(board) == [["heavy-0"]]


def test_equals_stay_where_a_higher_pod_comes() -> None:
    """Two halves fill the machine; only the light ones make room for the second."""
    halves = [cores(8, "half", priority=1), cores(8, "other", priority=1, images=())]
    small = lights(20, "light", requests={"cpu": 400, "pods": 1_000})
    board = a_board(pending=(*halves, *small))
    assert solved(board) == (32, True)
    assert held(board) == [["half", "other"]]


def test_who_is_placed_elsewhere_envies_nobody() -> None:
    """The heavy pod takes the place of eighteen rather than that of twenty, and is content."""
    cars = (a_vehicle(), a_vehicle(name="v-2"))
    nodes = (a_node(labels={"gen": "4"}), a_node(name="v-2", labels={"gen": "5"}))
    board = a_board(
        vehicles=cars,
        nodes=nodes,
        pending=(
            cores(16, "heavy", priority=1),
            *lights(18, "there", node_selector={"gen": "4"}),
            *lights(20, "here", node_selector={"gen": "5"}),
        ),
    )
    assert solved(board) == (36, True)
    assert held(board) == [["heavy"], ["here-00"] * 20]


@pytest.mark.parametrize(("limit", "weight"), [(1_000, 36), (1_001, 32)])
def test_a_circuit_is_in_the_way_to_the_last_milliwatt(limit: int, weight: int) -> None:
    """Light pods need not make room for a heavy one that the other car leaves too little power."""
    # A thousandth of a core is a milliwatt here, and memory draws nothing.
    machine = {"cpu": 1_000_000, "memory": 100, "pods": 110_000}
    car = {
        "compute__capacity": machine,
        "compute__efficiency_percent": 100,
        "compute__standby_power_watts": 0,
    }
    here, there = {"node_selector": {"gen": "4"}}, {"node_selector": {"gen": "5"}}
    heavy = {"cpu": 600_000, "memory": 100, "pods": 1_000}
    other = {"cpu": 400_001, "pods": 1_000}
    light = {"memory": 5, "pods": 1_000}
    board = a_board(
        vehicles=(a_vehicle(**car), a_vehicle(name="v-2", **car)),
        nodes=(
            a_node(allocatable=machine, labels={"gen": "4"}),
            a_node(name="v-2", allocatable=machine, labels={"gen": "5"}),
        ),
        pending=(
            a_pod(name="heavy", priority=1, requests=heavy, **here),
            a_pod(name="other", priority=1, requests=other, **there),
            *(a_pod(name=f"light-{n}", requests=light, **here) for n in range(20)),
        ),
        **row_a(limit),
    )
    assert solved(board) == (weight, True)
    assert list(envies(board)) == []


def test_on_a_plain_node_weight_alone_counts() -> None:
    """Nobody has to make room there, so the twenty light pods stay."""
    light = [a_pod(name=f"light-{n}", requests={"cpu": 800, "pods": 1_000}) for n in range(20)]
    board = a_board(
        vehicles=(),
        nodes=(a_node(name="plain"),),
        pending=(cores(16, "heavy", priority=1), *light),
        **policy(plain_nodes_allowed=True),
    )
    greedy(board)
    assert board.weight == 16
    assert solved(board) == (20, True)
    assert board.weight == 20


def test_a_circuit_may_keep_the_higher_pod_waiting() -> None:
    """Where the room is taken by another car's pods, nobody on this car makes any."""
    cars = (a_vehicle(), a_vehicle(name="v-2"))
    nodes = (a_node(labels={"gen": "4"}), a_node(name="v-2", labels={"gen": "5"}))
    high = a_pod(name="high", priority=1, node_selector={"gen": "4"}, demand__power_watts=900)
    light = [
        a_pod(
            name=f"low-{n}",
            node_selector={"gen": "5"},
            requests={"cpu": 800, "pods": 1_000},
        )
        for n in range(20)
    ]
    board = a_board(vehicles=cars, nodes=nodes, pending=(high, *light), **row_a(1_250))
    # The high pod draws 1125 W in AC; the light ones all together 1238.6 W: one or the others.
    assert solved(board) == (20, True)
    assert held(board) == [[], ["low-0"] * 20]
    assert list(envies(board)) == []


def test_a_sleeper_does_not_draw_before_it_is_awake() -> None:
    """While the row is curtailed the cheap car wakes; the dear one on another row is not needed."""
    cheap = paid("v-1", "0", observed__power=Power.ASLEEP, compute__wake_energy_watt_hours=0)
    dear = paid("v-2", "5", observed__connection__circuit="row-a")
    curtailed = row_a(1_000, curtailed_to_watts=0, curtailed_until=AT + MINUTE)
    board = a_board(vehicles=(cheap, dear), pending=(a_pod(),), **curtailed)
    assert solved(board) == (1, True)
    assert held(board) == [["pod"], []]


def test_too_many_literals_are_not_tried() -> None:
    """Two pods on two cars are four: with three the board stays as it is."""
    board = a_board(**CHOOSY)
    greedy(board)
    before = held(board)
    everything = range(2)
    assert solve(board, everything, 2, WORK, SEED) is None
    assert held(board) == before
    assert solve(board, everything, 3, WORK, SEED) is not None


def test_without_the_work_the_board_stays_as_it_is() -> None:
    """Whatever was found so far."""
    pods = [cores(n % 5 + 1, f"p-{n}", priority=n % 3) for n in range(18)]
    cars = (a_vehicle(), a_vehicle(name="v-2"))
    board = a_board(vehicles=cars, pending=pods)
    greedy(board)
    before = held(board)
    assert known(solve(board, range(2), ENOUGH, 1e-9, SEED)) in {None, (board.weight, False)}
    assert held(board) == before


def test_a_neighbourhood_leaves_the_others_as_they_are() -> None:
    """Only what stands on these candidates, or waits, is moved; the rest is counted."""
    cars = (paid("v-1", "0.30"), paid("v-2", "0.20"), paid("v-3", "0.10"))
    board = a_board(vehicles=cars, pending=[cores(8, f"p-{n}") for n in range(4)])
    board.put(0, 0, 1)
    board.put(0, 1, 1)
    assert known(solve(board, [1, 2], ENOUGH, WORK, SEED)) == (3, True)
    assert held(board) == [["p-0"], ["p-0"], ["p-0", "p-0"]]


def test_nothing_that_could_be_placed_is_proven_at_once() -> None:
    """Neither pods, nor candidates, nor room."""
    for overrides in ({}, {"vehicles": ()}, {"other_use": {"v-1": {"cpu": 16_000}}}):
        board = a_board(**{"pending": (a_pod(),), **overrides} if overrides else {})
        assert solved(board) == (0, True)


def test_of_one_weight_the_cheaper_gets_the_only_room() -> None:
    """For half an hour the circuit carries one pod; the short one costs less than the long one."""
    cars = (a_vehicle(), a_vehicle(name="v-2"))
    pods = (
        a_pod(name="long", demand__expected_runtime=4 * HOUR),
        a_pod(name="short", demand__expected_runtime=HOUR),
    )
    narrow = row_a(1_000, curtailed_to_watts=174, curtailed_until=AT + 30 * MINUTE)
    board = a_board(vehicles=cars, pending=pods, **narrow)
    assert solved(board) == (1, True)
    assert held(board) in ([["short"], []], [[], ["short"]])


def test_figures_beyond_the_solvers_integers_are_left_to_the_greedy_plan() -> None:
    """A plain Node that claims to be beyond measure, and pods that ask for half of that each."""
    beyond = a_node(name="plain", allocatable={"cpu": 2**63, "pods": 110_000})
    pods = tuple(a_pod(name=f"p{n}", requests={"cpu": 2**62 + n, "pods": 1_000}) for n in range(3))
    board = a_board(**policy(plain_nodes_allowed=True), nodes=(beyond,), vehicles=(), pending=pods)
    greedy(board)
    placed = held(board)
    assert solved(board) is None
    assert held(board) == placed
    assert len(placed[0]) == 1
