"""One candidate in the exact model: its literals say what the board would say, pod by pod."""

from collections.abc import Mapping
from decimal import Decimal
from itertools import product

import pytest
from ortools.sat.python import cp_model
from tests.unit.scheduler.scenes import (
    Overrides,
    a_board,
    observed,
    on_battery,
    policy,
    running,
    short_and_long,
    vehicle,
)

from idlewatt_scheduler.board import Board
from idlewatt_scheduler.model.units import FOREVER, HOUR, MINUTE
from idlewatt_scheduler.model.vehicle import Power
from idlewatt_scheduler.solvers.bay import Bay, bay, edges_of, prices
from idlewatt_scheduler.testing import AT, a_node

PODS = short_and_long(2, 4_000)
LONG, SHORT = 0, 1
"""The templates of these pods, in their order."""

EXACT = {"compute__efficiency_percent": 100}
"""Without losses there is nothing to round."""


def a_bay(**overrides: object) -> tuple[cp_model.CpModel, Bay, Board]:
    """The only candidate with up to two pods of each template."""
    board = a_board(**{"pending": PODS, **overrides})
    model = cp_model.CpModel()
    return model, bay(model, board, 0, {LONG: 2, SHORT: 2}), board


def solved(model: cp_model.CpModel, made: Bay, counts: Mapping[int, int]) -> cp_model.CpSolver:
    """A solver that has found the candidate with exactly these pods."""
    for template, count in counts.items():
        model.add(made.number(template) == count)
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    assert solver.solve(model) == cp_model.OPTIMAL
    return solver


def value(solver: cp_model.CpSolver, expression: cp_model.LinearExprT) -> int:
    """What an expression came to, a constant included."""
    return expression if isinstance(expression, int) else solver.value(expression)


def test_the_templates_are_as_named() -> None:
    """The order the other tests rely on."""
    _, _, board = a_bay()
    assert [template.sample.name for template in board.templates] == ["long-0", "short-0"]


@pytest.mark.parametrize("counts", list(product(range(3), repeat=2)))
@pytest.mark.parametrize(
    "overrides",
    [
        pytest.param(vehicle(**EXACT), id="awake"),
        pytest.param(vehicle(**EXACT, observed__power=Power.ASLEEP), id="asleep"),
        pytest.param(vehicle(**EXACT) | running(), id="a service runs"),
        pytest.param(
            vehicle(**EXACT)
            | running(pod__demand__expected_runtime=HOUR, bound_until=AT + 90 * MINUTE),
            id="a job runs for a part of it",
        ),
        pytest.param(on_battery(100, **EXACT), id="on the battery"),
        pytest.param(
            vehicle(**EXACT, compensation__energy_per_kwh=Decimal("-0.40")), id="paid to compute"
        ),
    ],
)
def test_literals_cost_what_the_board_says(counts: tuple[int, int], overrides: Overrides) -> None:
    """Availability, standby and waking once, for every number of pods of either kind."""
    model, made, board = a_bay(**overrides)
    terms = prices(made, board.rates[0], board.preference)
    solver = solved(model, made, {LONG: counts[0], SHORT: counts[1]})
    money = sum(solver.value(literal) * price for literal, price in terms)
    held = [(made.cases[template], count) for template, count in enumerate(counts) if count]
    assert money == board.cost_alone(0, held).money


@pytest.mark.parametrize("counts", [(1, 1), (0, 1), (2, 0)])
@pytest.mark.parametrize("overrides", [{}, running(), observed(power=Power.ASLEEP)])
def test_computing_is_what_the_board_says(counts: tuple[int, int], overrides: Overrides) -> None:
    """At every instant at which it may change, and before the first."""
    model, made, board = a_bay(**overrides)
    asked = sorted({AT, *(edge for edge in edges_of(made) if edge < FOREVER)})
    expressions = [made.computing(instant) for instant in asked]
    solver = solved(model, made, {LONG: counts[0], SHORT: counts[1]})
    for template, count in enumerate(counts):
        if count:
            board.put(template, 0, count)
    line = board.placed[0].line
    for instant, expression in zip(asked, expressions, strict=True):
        expected = next((s.computing for s in line if s.start <= instant < s.end), 0)
        assert value(solver, expression) == expected


def test_nobody_stays_before_the_vehicle_is_awake() -> None:
    """Neither a pod nor standby loads the circuit while the car still wakes."""
    model, made, _ = a_bay(**observed(power=Power.ASLEEP))
    before, awake = made.computing(AT + MINUTE - 1), made.computing(AT + MINUTE)
    solver = solved(model, made, {SHORT: 1, LONG: 0})
    assert value(solver, before) == 0
    assert value(solver, awake) == 152_500


def most_of(template: int, **overrides: object) -> int:
    """The most pods of one template that the candidate's own limits allow."""
    model, made, _ = a_bay(**overrides)
    model.maximize(made.number(template))
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    assert solver.solve(model) == cp_model.OPTIMAL
    return value(solver, made.number(template))


@pytest.mark.parametrize(
    ("overrides", "most"),
    [
        pytest.param({}, 2, id="as many as there are literals"),
        pytest.param({"other_use": {"v-1": {"cpu": 8_000}}}, 2, id="cores for two"),
        pytest.param({"other_use": {"v-1": {"cpu": 8_001}}}, 1, id="a milli too few for two"),
        pytest.param(running(bound_power=500_000), 2, id="watts for two"),
        pytest.param(running(bound_power=500_001), 1, id="a milliwatt too few for two"),
        pytest.param(
            observed(power=Power.ASLEEP)
            | running(
                bound_power=1_000_000,
                pod__demand__expected_runtime=HOUR,
                bound_until=AT + MINUTE,
            ),
            2,
            id="a job has ended when it is awake",
        ),
        pytest.param(
            vehicle(**EXACT, observed__connection__charge_power_limit_watts=590),
            2,
            id="exactly at its cap",
        ),
        pytest.param(
            vehicle(**EXACT, observed__connection__charge_power_limit_watts=589),
            1,
            id="a watt over its cap",
        ),
        # Two are 590 W with standby, 670.4 W in AC; one 340 W, 386.4 W.
        pytest.param(observed(connection__charge_power_limit_watts=671), 2, id="under its cap"),
        pytest.param(observed(connection__charge_power_limit_watts=670), 1, id="over its cap"),
        pytest.param(observed(connection__charge_power_limit_watts=386), 0, id="far over its cap"),
        pytest.param(
            vehicle(
                observed__battery__state_of_charge_percent=79,
                observed__connection__charge_power_watts=10_000,
                observed__connection__charge_power_limit_watts=10_671,
            ),
            2,
            id="it leaves what charges",
        ),
        pytest.param(
            vehicle(
                observed__battery__state_of_charge_percent=79,
                observed__connection__charge_power_watts=10_000,
                observed__connection__charge_power_limit_watts=10_670,
            ),
            1,
            id="two would take what charges",
        ),
        pytest.param(
            vehicle(
                observed__battery__state_of_charge_percent=80,
                observed__connection__charge_power_watts=10_000,
                observed__connection__charge_power_limit_watts=10_000,
            ),
            2,
            id="it is charged enough to leave",
        ),
        # Two hours of 590 W are 1180 Wh: exactly 2 % of 59 kWh.
        pytest.param(on_battery(82, battery__net_capacity_watt_hours=59_000), 2, id="for two"),
        pytest.param(on_battery(82, battery__net_capacity_watt_hours=58_999), 1, id="for one"),
    ],
)
def test_its_own_limits_are_those_of_the_board(overrides: Overrides, most: int) -> None:
    """Cores, watts, the cap, charging and charge, to the last milliwatt."""
    assert most_of(LONG, **overrides) == most
    board = a_board(**{"pending": PODS, **overrides})
    case, _ = board.case(LONG, 0)
    fits = [count for count in (1, 2) if board.live_reason(case, 0, count) is None]
    assert max(fits, default=0) == most


def test_a_plain_node_has_only_its_requests() -> None:
    """It costs nothing, computes for nobody and changes at the stays' ends only."""
    plain = {"vehicles": (), "nodes": (a_node(name="plain"),), **policy(plain_nodes_allowed=True)}
    _, made, board = a_bay(**plain)
    assert prices(made, board.rates[0], board.preference) == []
    assert made.computing(AT) == 0
    assert edges_of(made) == {AT, AT + HOUR, AT + 2 * HOUR}
    assert most_of(LONG, **plain, other_use={"plain": {"cpu": 8_001}}) == 1
