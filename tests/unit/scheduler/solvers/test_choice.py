"""The exact model of several candidates: demand, circuits, plain nodes, and what is forbidden."""

from decimal import Decimal

import pytest
from tests.unit.scheduler.scenes import a_battery_car, a_board, policy, row_a, running

from idlewatt_scheduler.board import Board
from idlewatt_scheduler.model.units import HOUR, MINUTE
from idlewatt_scheduler.model.vehicle import Power
from idlewatt_scheduler.model.workload import Pod
from idlewatt_scheduler.solvers.choice import Choice
from idlewatt_scheduler.solvers.greedy import most_there
from idlewatt_scheduler.solvers.stability import Envy, envies
from idlewatt_scheduler.testing import AT, a_node, a_pod, a_vehicle


def a_choice(board: Board, work: float = 2.0) -> Choice:
    """The model of all candidates."""
    most = {
        candidate: {
            template: count
            for template in range(len(board.templates))
            if candidate in board.takers(template)
            and (count := most_there(board, template, candidate))
        }
        for candidate in range(len(board.candidates))
    }
    return Choice(board, most, work, seed=0)


def counts(board: Board, choice: Choice) -> list[int]:
    """How many pods the best choice has on each candidate."""
    found = choice.best({})
    assert found is not None
    return [sum(count for _, count in found[c]) for c in range(len(board.candidates))]


def alike(count: int, **overrides: object) -> tuple[Pod, ...]:
    """So many pods of one template."""
    return tuple(a_pod(name=f"p-{n}", **overrides) for n in range(count))


TWO = (a_vehicle(), a_vehicle(name="v-2"))


def test_no_pod_is_placed_twice() -> None:
    """Three pods and room for thirty-two."""
    board = a_board(vehicles=TWO, pending=alike(3))
    choice = a_choice(board)
    assert sum(counts(board, choice)) == 3
    assert (choice.bound, choice.proven) == (3, True)


@pytest.mark.parametrize(
    ("limit", "placed"),
    [
        # On one car one pod draws 173.3 W, two 244.3 W, three 315.3 W; one on each car 346.6 W.
        (173, 0),
        (174, 1),
        (244, 1),
        (245, 2),
        (346, 3),
    ],
)
def test_a_circuit_is_kept_by_all_cars_together(limit: int, placed: int) -> None:
    """Each car adds its standby, in AC and rounded down for the car."""
    board = a_board(vehicles=TWO, pending=alike(4), **row_a(limit))
    assert sum(counts(board, a_choice(board))) == placed


def test_a_circuit_is_kept_at_every_instant() -> None:
    """What ends before a curtailment is over has no room; what starts after it has all."""
    asleep = a_vehicle(observed__power=Power.ASLEEP)
    for until, placed in ((AT + MINUTE, 1), (AT + MINUTE + 1, 0)):
        board = a_board(
            vehicles=(asleep,),
            pending=alike(1),
            **row_a(1_000, curtailed_to_watts=0, curtailed_until=until),
        )
        # The circuit is asked by the model alone: as if the board had not looked.
        choice = Choice(board, {0: {0: 1}}, work=2.0, seed=0)
        assert counts(board, choice) == [placed]


def test_pods_share_a_circuit_one_after_the_other() -> None:
    """A car that wakes when the short job on the other one has ended needs no more room."""
    cars = (a_vehicle(), a_vehicle(name="v-2", observed__power=Power.ASLEEP))
    for runtime, placed in ((MINUTE, 2), (MINUTE + 1, 1)):
        pods = (
            a_pod(name="short", demand__expected_runtime=runtime, node_selector={"n": "1"}),
            a_pod(name="long", demand__expected_runtime=HOUR, node_selector={"n": "2"}),
        )
        nodes = (a_node(labels={"n": "1"}), a_node(name="v-2", labels={"n": "2"}))
        board = a_board(vehicles=cars, nodes=nodes, pending=pods, **row_a(174))
        assert sum(counts(board, a_choice(board))) == placed


@pytest.mark.parametrize(("limit", "placed"), [(244, 0), (245, 1)])
def test_what_runs_there_is_in_the_circuit_already(limit: int, placed: int) -> None:
    """A second pod on the car makes 173.3 W into 244.3 W; the standby is drawn as it is."""
    board = a_board(pending=alike(1), **row_a(limit), **running())
    assert counts(board, Choice(board, {0: {0: 1}}, work=2.0, seed=0)) == [placed]


@pytest.mark.parametrize(("limit", "placed"), [(173, 0), (174, 1)])
def test_what_has_ended_when_a_car_is_awake_is_not(limit: int, placed: int) -> None:
    """A job that ends as the new pod starts leaves it nothing to add to."""
    job = running(bound_power=500_000, pod__demand__expected_runtime=HOUR, bound_until=AT + MINUTE)
    asleep = {"vehicles": (a_vehicle(observed__power=Power.ASLEEP),)}
    board = a_board(pending=alike(1), **row_a(limit), **job, **asleep)
    assert counts(board, Choice(board, {0: {0: 1}}, work=2.0, seed=0)) == [placed]


def test_every_power_can_be_drawn() -> None:
    """At 97 %, 97.032 W are 100.03299 W, of which the last part is rounded away."""
    machine = {"cpu": 1_000_000, "pods": 110_000}
    car = {
        "compute__capacity": machine,
        "compute__efficiency_percent": 97,
        "compute__standby_power_watts": 0,
    }
    board = a_board(
        vehicles=(a_vehicle(**car), a_vehicle(name="v-2", **car)),
        nodes=tuple(a_node(name=name, allocatable=machine) for name in ("v-1", "v-2")),
        pending=alike(2, requests={"cpu": 97_032, "pods": 1_000}),
        **row_a(101),
    )
    assert sum(counts(board, a_choice(board))) == 1


def test_cars_that_load_no_circuit_are_not_limited_by_it() -> None:
    """One on the battery, unplugged, takes what it can."""
    board = a_board(vehicles=(a_battery_car(90),), pending=alike(4), **row_a(0))
    assert counts(board, a_choice(board)) == [4]


def test_of_equal_weight_the_cheaper_is_chosen() -> None:
    """The second vehicle is paid less."""
    cars = (a_vehicle(), a_vehicle(name="v-2", compensation__availability_per_hour=Decimal("0.05")))
    board = a_board(vehicles=cars, pending=alike(2))
    assert counts(board, a_choice(board)) == [0, 2]


def test_plain_nodes_are_used_last() -> None:
    """Any vehicle is preferred to them, whatever it costs."""
    dear = a_vehicle(compensation__availability_per_hour=Decimal(10**6))
    board = a_board(
        vehicles=(dear,),
        nodes=(a_node(), a_node(name="plain")),
        pending=alike(17),
        **policy(plain_nodes_allowed=True),
    )
    assert counts(board, a_choice(board)) == [16, 1]


def test_what_is_forbidden_is_not_chosen_again() -> None:
    """The many light ones make room for the heavy one they kept waiting."""
    high = a_pod(name="high", priority=1, requests={"cpu": 16_000, "pods": 1_000})
    light = {"requests": {"cpu": 800, "pods": 1_000}}
    board = a_board(pending=(high, *(a_pod(name=f"low-{n}", **light) for n in range(20))))
    choice = a_choice(board)
    first = choice.best({})
    assert first is not None
    board.hold(0, first[0])
    assert board.left == [1, 0]
    (envy,) = envies(board)
    board.hold(0, ())
    assert choice.forbid(envy)
    second = choice.best(first)
    assert second is not None
    assert [board.template_of(case) for case, _ in second[0]] == [0]
    assert choice.bound == 16


def test_nothing_is_forbidden_twice() -> None:
    """Whoever finds the same envy again would go on for ever."""
    board = a_board(pending=alike(2))
    choice = a_choice(board)
    assert choice.forbid(Envy(0, 0, ()))
    assert not choice.forbid(Envy(0, 0, ()))


def test_without_work_there_is_no_choice() -> None:
    """Whoever asks keeps what there was."""
    board = a_board(pending=alike(2))
    choice = a_choice(board, work=1e-12)
    choice.best({})
    assert choice.best({}) is None


def test_an_empty_model_has_an_empty_choice() -> None:
    """Nothing to place, and it is the best there is."""
    board = a_board()
    choice = a_choice(board)
    assert choice.best({}) == {0: ()}
    assert (choice.bound, choice.proven) == (0, True)
