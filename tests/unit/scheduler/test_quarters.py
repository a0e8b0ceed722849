"""Quarters: what one car chooses in the room it has."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pytest

from idlewatt_scheduler.energy import Step
from idlewatt_scheduler.model.charging import ChargingPeriod, ChargingProfile
from idlewatt_scheduler.model.policy import OffPeakTest
from idlewatt_scheduler.model.tariff import TariffInterval
from idlewatt_scheduler.model.units import FOREVER, HOUR, MINUTE
from idlewatt_scheduler.prices import PriceLine, price_line
from idlewatt_scheduler.quarters import OVERTIME, QUARTER, Asking, Car, Choice, Grid, grid
from idlewatt_scheduler.testing import AT, a_tariff
from idlewatt_scheduler.trajectory import Intake

KILOWATT = 1_000_000
KWH = KILOWATT * HOUR * 100
ROOM = ("depot-7", "row-a")
CENTS = (30, 10, 20, None, 10, 40, 5, 30)


def prices(cents: Sequence[int | None] = CENTS) -> PriceLine:
    """By the quarter, from `AT`; None is a gap."""
    intervals = tuple(
        TariffInterval(AT + index * QUARTER, QUARTER, Decimal(price) / 100)
        for index, price in enumerate(cents)
        if price is not None
    )
    tariff = a_tariff(zones=(), intervals=intervals)
    return price_line(tariff, OffPeakTest(), AT, lambda _, __: None)


def a_car(lacks: int = 0, hours: int = 2, **overrides: Any) -> Car:  # noqa: ANN401
    """A car of 8 kW that lacks so many quarters of them and leaves in so many hours."""
    values: dict[str, Any] = {
        "name": "v-1",
        "charge_by": AT + hours * HOUR,
        "charge": 20 * KWH,
        "reserve": 10 * KWH,
        "target": 20 * KWH + lacks * 2 * KWH,
        "percent": KWH // 2,
        "intake": Intake(8 * KILOWATT, 8 * KILOWATT, 2 * KILOWATT, 100),
        "prices": prices(),
        "loads": ((ROOM, 1),),
    }
    return Car(**{**values, **overrides})


def asking(car: Car, left: Sequence[int] = (), quarters: Grid | None = None) -> Asking:
    """The car with so many kilowatts in the first quarters, and more than enough in all others."""
    quarters = quarters or grid(AT, [car.charge_by])
    rooms = [kilowatts * KILOWATT for kilowatts in left]
    return Asking(car, quarters, {ROOM: [*rooms, *[FOREVER] * (len(quarters) - len(rooms))]})


def taken(choice: Choice) -> dict[int, int]:
    """Kilowatts by quarter."""
    return {index: power // KILOWATT for index, power in choice.taken.items()}


def test_the_first_quarter_is_what_is_left_of_the_running_one() -> None:
    """And the last begins a day after the last departure."""
    quarters = grid(AT + MINUTE, [AT + HOUR])
    assert quarters.edges[:3] == [AT + MINUTE, AT + QUARTER, AT + 2 * QUARTER]
    assert quarters.edges[-1] == AT + HOUR + OVERTIME * QUARTER
    assert quarters.before(AT + HOUR) == 4
    assert quarters.before(AT + HOUR + 1) == 5
    assert quarters.before(AT - HOUR) == 0


def test_unknown_prices_come_last_and_equal_ones_by_time() -> None:
    """A negative price would come first."""
    order = grid(AT, [AT + 2 * HOUR]).cheapest_first(prices(), 8)
    assert list(order) == [6, 1, 4, 2, 0, 7, 5, 3]
    assert list(grid(AT, [AT + HOUR]).cheapest_first(None, 3)) == [0, 1, 2]


@pytest.mark.parametrize(
    ("lacks", "chosen"),
    [
        (0, {}),
        (1, {6: 8}),
        (3, {1: 8, 4: 8, 6: 8}),
        (7, {0: 8, 1: 8, 2: 8, 4: 8, 5: 8, 6: 8, 7: 8}),
        (8, dict.fromkeys(range(8), 8)),
    ],
)
def test_the_cheapest_quarters_are_taken(lacks: int, chosen: dict[int, int]) -> None:
    """As many as are needed, and the unknown one last."""
    found = asking(a_car(lacks)).choose()
    assert (taken(found), found.short) == (chosen, 0)


def test_the_dearest_is_given_just_what_is_needed() -> None:
    """Whole watts, rounded up, and no less than the car can be charged with."""
    just = asking(a_car(target=20 * KWH + 3 * KWH + 1)).choose()
    assert just.taken == {6: 8 * KILOWATT, 1: 4 * KILOWATT + 1_000}
    least = asking(a_car(target=20 * KWH + 2 * KWH + 1)).choose()
    assert least.taken == {1: 2 * KILOWATT, 6: 8 * KILOWATT}


def test_what_is_out_of_reach_is_charged_at_once_and_on() -> None:
    """Nine quarters in eight: the ninth is after the departure, and the shortage is told."""
    found = asking(a_car(9)).choose()
    assert taken(found) == dict.fromkeys(range(9), 8)
    assert found.short == 2 * KWH
    assert found.periods == (ChargingPeriod(AT, 8 * KILOWATT), ChargingPeriod(AT + 9 * QUARTER, 0))


def test_a_car_that_should_have_left_is_charged_at_once() -> None:
    """Its departure is past, and it stands there still."""
    assert taken(asking(a_car(1, hours=-1)).choose()) == {0: 8}


def test_up_to_the_reserve_it_is_charged_at_once() -> None:
    """Then in the cheapest quarters; the rest of the running one is one of them."""
    found = asking(a_car(charge=9 * KWH, target=12 * KWH)).choose()
    assert found.periods[:2] == (ChargingPeriod(AT, 8 * KILOWATT), ChargingPeriod(AT + 450_000, 0))
    assert taken(found) == {0: 8, 6: 8}


def test_it_takes_no_more_than_the_circuits_leave() -> None:
    """Whole watts, and none where that is less than it can be charged with."""
    found = asking(a_car(2), [9, 1, 9, 9, 9, 9, 3]).choose()
    assert taken(found) == {4: 8, 6: 3, 2: 5}


def test_a_share_of_a_phase_is_divided() -> None:
    """On one phase of three a milliwatt takes six sixths, on two three each."""
    car = a_car(1, loads=((ROOM, 6),))
    assert asking(car, [24]).room(0) == 4 * KILOWATT


def test_computing_leaves_less() -> None:
    """The quarter in which a pod ends still counts as one in which it computes."""
    line = (Step(AT, AT + QUARTER + 1, 0, 3 * KILOWATT),)
    assert [asking(a_car(computing=line)).room(i) // KILOWATT for i in range(3)] == [5, 5, 8]


def test_a_taper_is_followed() -> None:
    """At 8 kW to 22 kWh and 2 kW from there on it needs one quarter of the one, and four."""
    intake = Intake(8 * KILOWATT, 8 * KILOWATT, 1_000, 100, ((22 * KWH, 2 * KILOWATT),))
    found = asking(a_car(intake=intake, target=24 * KWH)).choose()
    assert (taken(found), found.short) == ({0: 8, 1: 2, 2: 2, 4: 2, 6: 2}, 0)


def test_a_tapered_car_s_dearest_quarter_is_given_just_what_is_needed() -> None:
    """To 50 W: 2 kWh at 8 kW and 1 kWh at 4.001 kW up to the step, then half a kWh at 2 kW."""
    intake = Intake(8 * KILOWATT, 8 * KILOWATT, 1_000, 100, ((23 * KWH, 2 * KILOWATT),))
    found = asking(a_car(intake=intake, target=23 * KWH + KWH // 2)).choose()
    assert found.short == 0
    assert found.taken == {1: 8_000_000, 4: 4_001_000, 6: 2_000_000}


def test_a_car_that_drains_is_followed_too() -> None:
    """Its pods take 1 kW of its 8 and of its charge: 3.5 kWh less 1.25 are 2 in time.

    What they took until the cheapest quarter is brought back in that.
    """
    intake = Intake(8 * KILOWATT, 8 * KILOWATT, 1_000, 100, drains=True)
    line = (Step(AT, FOREVER, 0, KILOWATT),)
    found = asking(a_car(1, intake=intake, computing=line)).choose()
    assert found.short == 0
    assert taken(found) == {1: 7, 4: 7, 6: 7}


def test_the_acknowledged_power_is_kept_while_it_is_enough() -> None:
    """A percent of the battery too much at most: the charge is reported no finer."""
    for held, kept in ((4, 4), (5, 5), (6, 6), (7, 4), (3, 4)):
        profile = ChargingProfile((ChargingPeriod(AT, held * KILOWATT), ChargingPeriod(FOREVER, 0)))
        car = a_car(target=23 * KWH, acknowledged=profile)
        assert taken(asking(car).choose())[1] == kept


def test_what_is_acknowledged_is_kept_as_far_as_there_is_room() -> None:
    """What no longer fits is less, or nothing."""
    profile = ChargingProfile((ChargingPeriod(AT, 6 * KILOWATT), ChargingPeriod(AT + HOUR, 0)))
    car = a_car(8, acknowledged=profile)
    assert taken(asking(car, [8, 4, 1, 8]).keep()) == {0: 6, 1: 4, 3: 6}


def test_a_quarter_that_others_need_is_left_to_them() -> None:
    """If there are others; what is short takes it all the same."""
    assert taken(asking(a_car(1)).choose(frozenset({6, 1}))) == {4: 8}
    assert taken(asking(a_car(8)).choose(frozenset({6, 1}))) == dict.fromkeys(range(8), 8)


def test_quarters_are_crowded_where_more_could_be_taken() -> None:
    """Before the departure only."""
    car = asking(a_car(8), [8, 3, 8, 8, 8, 8, 1, 8])
    assert car.crowded(car.choose().taken) == [1, 6]
