"""Prices of small fleets say what one more of something would be worth, whoever solved them."""

from dataclasses import replace
from decimal import Decimal

import pytest
from tests.unit.scheduler.scenes import a_board, row_a

from idlewatt_scheduler.model.shadow import Prices, Worth
from idlewatt_scheduler.model.vehicle import Vehicle
from idlewatt_scheduler.solvers.greedy import greedy
from idlewatt_scheduler.solvers.limits import Params, Stop
from idlewatt_scheduler.solvers.patterns import shadow_prices, solve
from idlewatt_scheduler.testing import a_pod, a_vehicle


def paid(name: str, per_hour: str) -> Vehicle:
    """A vehicle that is paid so much for an hour."""
    return a_vehicle(name=name, compensation__availability_per_hour=Decimal(per_hour))


def pods(count: int) -> list[object]:
    """Pods alike, two of which fill a vehicle."""
    return [a_pod(name=f"p-{n}", requests={"cpu": 8_000, "pods": 1_000}) for n in range(count)]


def test_a_place_is_worth_a_pod_where_places_are_short() -> None:
    """Five pods and room for four: one more place is one more pod, and so is half a vehicle."""
    board = a_board(vehicles=(paid("v-1", "0.1"), paid("v-2", "0.3")), pending=pods(5))
    greedy(board)
    found = shadow_prices(board, Params(), Stop())
    (place,) = found.pods
    assert (place.pods, place.waiting) == (5, 1)
    assert place.place.weight == pytest.approx(1)
    assert found.slots
    assert all(each.vehicles <= 2 for each in found.slots)
    assert found.slots[0].slot.weight == pytest.approx(2)


def test_where_everything_has_a_place_money_tells() -> None:
    """Three pods: the third one needs the dear vehicle, and none is worth any weight more."""
    board = a_board(vehicles=(paid("v-1", "0.1"), paid("v-2", "0.3")), pending=pods(3))
    greedy(board)
    (place,) = shadow_prices(board, Params(), Stop()).pods
    assert place.waiting == 0
    assert place.place.weight == pytest.approx(0, abs=1e-6)
    assert place.place.money > 0


def test_a_full_circuit_has_a_price() -> None:
    """Four pods want 346.6 W on two cars and there are fewer: a kilowatt more is worth weight."""
    board = a_board(
        vehicles=(a_vehicle(), a_vehicle(name="v-2")),
        pending=[a_pod(name=f"p-{n}") for n in range(4)],
        **row_a(300),
    )
    greedy(board)
    found = shadow_prices(board, Params(), Stop())
    assert found.circuits
    assert all(each.kilowatt.weight > 0 and each.start < each.end for each in found.circuits)
    # Were the circuit wide, it would be worth nothing.
    wide = a_board(vehicles=(a_vehicle(),), pending=[a_pod()], **row_a(22_000))
    assert not shadow_prices(wide, Params(), Stop()).circuits


def test_the_board_is_left_as_it_is() -> None:
    """Asking for prices moves nobody, and without kernels there are none."""
    board = a_board(vehicles=(paid("v-1", "0.1"), paid("v-2", "0.3")), pending=pods(3))
    greedy(board)
    before = [placed.cases for placed in board.placed]
    assert shadow_prices(board, Params(compiled=False), Stop()) == Prices()
    shadow_prices(board, Params(), Stop())
    assert [placed.cases for placed in board.placed] == before


def test_the_search_says_the_same() -> None:
    """Its prices are those of the same programs."""
    board = a_board(vehicles=(paid("v-1", "0.1"), paid("v-2", "0.3")), pending=pods(5))
    greedy(board)
    found = solve(board, Params(), Stop(), 0)
    assert found is not None
    alone = shadow_prices(board, Params(), Stop())
    assert [replace(each, place=Worth()) for each in found.prices.pods] == [
        replace(each, place=Worth()) for each in alone.pods
    ]
    assert found.prices.pods[0].place.weight == pytest.approx(alone.pods[0].place.weight)
