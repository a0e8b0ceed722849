"""Trajectories: charge over time, straight between the instants at which something changes."""

import pytest

from idlewatt_scheduler.energy import Step
from idlewatt_scheduler.model.units import HOUR, MINUTE
from idlewatt_scheduler.testing import a_vehicle
from idlewatt_scheduler.trajectory import Intake, charge_of, follow, percent_of, rise

CAR = a_vehicle(observed__battery__state_of_charge_percent=50)
KILOWATT = 1_000_000
WHOLE = Intake(11 * KILOWATT, 11 * KILOWATT, 1_380_000, 100)
TAPERED = Intake(
    11 * KILOWATT,
    11 * KILOWATT,
    1_380_000,
    100,
    steps=((percent_of(CAR, 60), 6 * KILOWATT), (percent_of(CAR, 80), 1 * KILOWATT)),
)


def kwh(amount: int) -> int:
    """Kilowatt-hours as charge."""
    return amount * KILOWATT * HOUR * 100


@pytest.mark.parametrize(
    ("intake", "charge", "computing", "kilowatts"),
    [
        pytest.param(WHOLE, 0, 0, 11, id="the most"),
        pytest.param(WHOLE, 0, 9 * KILOWATT, 2, id="computing comes first"),
        pytest.param(WHOLE, 0, 12 * KILOWATT, 0, id="computing takes all"),
        pytest.param(TAPERED, percent_of(CAR, 60) - 1, 0, 11, id="just under a step"),
        pytest.param(TAPERED, percent_of(CAR, 60), 0, 6, id="at a step"),
        pytest.param(TAPERED, percent_of(CAR, 99), 0, 1, id="the last step counts"),
    ],
)
def test_the_greatest_power(intake: Intake, charge: int, computing: int, kilowatts: int) -> None:
    """The least of what the car, its charge and its computing allow."""
    assert intake.greatest(charge, computing) == kilowatts * KILOWATT


def test_power_is_whole_watts() -> None:
    """What a converter's efficiency leaves over is rounded down."""
    intake = Intake(11 * KILOWATT, 11 * KILOWATT, 1_000, 100, computing_efficiency_percent=88)
    assert intake.greatest(0, 62_500) == 11 * KILOWATT - 72_000


@pytest.mark.parametrize(("given", "taken"), [(1_380_000, 1_380_000), (1_379_999, 0), (0, 0)])
def test_too_little_is_not_taken(given: int, taken: int) -> None:
    """Under 6 A a car does not charge."""
    assert WHOLE.taken(given, 0) == taken


def test_charge_rises_with_the_efficiency() -> None:
    """Of 10 kW over an hour, 90 % is 9 kWh in the battery."""
    intake = Intake(11 * KILOWATT, 11 * KILOWATT, 1_380_000, 90)
    path = follow(intake, kwh(20), [(0, HOUR, 10 * KILOWATT), (HOUR, 2 * HOUR, 0)])
    assert path.charge_at(HOUR) == path.charge_at(5 * HOUR) == kwh(29)
    assert path.charge_at(20 * MINUTE) == kwh(23)
    assert path.powers == (10 * KILOWATT, 0)


def test_charge_falls_by_computing_on_the_battery() -> None:
    """And rises by what charges it meanwhile, both at their own times."""
    intake = Intake(11 * KILOWATT, 11 * KILOWATT, 1_380_000, 100, drains=True)
    line = [Step(0, 2 * HOUR, 0, 3 * KILOWATT)]
    path = follow(intake, kwh(20), [(0, HOUR, 0), (HOUR, 3 * HOUR, 5 * KILOWATT)], line)
    assert [path.charge_at(n * HOUR) for n in range(4)] == [kwh(20), kwh(17), kwh(19), kwh(24)]
    assert path.least(0, 3 * HOUR) == kwh(17)
    assert path.greatest(2 * HOUR) == kwh(20)
    assert path.first_under(kwh(20)) == 1
    assert path.first_under(kwh(17)) is None
    assert path.reaches(kwh(24)) == 3 * HOUR


def test_power_falls_where_a_step_is_reached() -> None:
    """Not at the next quarter: 6 kWh at 11 kW, then 6 kW; the millisecond is rounded up."""
    path = follow(TAPERED, charge_of(CAR), [(0, 2 * HOUR, 11 * KILOWATT)])
    reached = path.reaches(percent_of(CAR, 60))
    assert reached == -(-6 * HOUR // 11)
    assert path.powers == (11 * KILOWATT, 6 * KILOWATT)


def test_nothing_is_taken_under_the_least_power_of_the_last_step() -> None:
    """The last step leaves 1 kW, and the car takes 1.38 kW or nothing."""
    path = follow(TAPERED, percent_of(CAR, 79), [(0, 9 * HOUR, 11 * KILOWATT)])
    assert path.powers[-1] == 0
    assert path.reaches(percent_of(CAR, 81)) is None


def test_a_step_that_was_reached_holds_until_the_next_wish() -> None:
    """A car that drains would otherwise change its power every millisecond."""
    intake = Intake(11 * KILOWATT, 11 * KILOWATT, 1_000, 100, ((kwh(10), KILOWATT),), drains=True)
    line = [Step(0, HOUR, 0, 2 * KILOWATT)]
    path = follow(intake, kwh(9), [(0, HOUR, 4 * KILOWATT)], line)
    assert path.powers == (4 * KILOWATT, KILOWATT)
    assert path.charge_at(HOUR) == kwh(10) - kwh(1) // 2


def test_a_full_car_takes_nothing_until_the_next_wish() -> None:
    """Though it falls by computing at once; then what was taken from it is brought back."""
    intake = Intake(11 * KILOWATT, 11 * KILOWATT, 1_000, 100, drains=True)
    line = [Step(0, 3 * HOUR, 0, KILOWATT)]
    wishes = [(0, HOUR, 3 * KILOWATT), (HOUR, 2 * HOUR, 3 * KILOWATT)]
    path = follow(intake, kwh(9), wishes, line, full=kwh(10))
    assert path.powers == (3 * KILOWATT, 0, 3 * KILOWATT, 0)
    assert path.instants == (0, HOUR // 2, HOUR, HOUR + HOUR // 4, 2 * HOUR)


def test_what_only_rises_needs_no_wish_in_between() -> None:
    """Gaps are no charging, and what was taken is told piece by piece."""
    wishes = [(0, HOUR, 11 * KILOWATT), (5 * HOUR, 9 * HOUR, 11 * KILOWATT)]
    charge, taken = rise(WHOLE, 0, wishes, kwh(22))
    assert charge == kwh(22)
    assert taken == [(0, HOUR, 11 * KILOWATT), (5 * HOUR, 6 * HOUR, 11 * KILOWATT)]


def test_without_a_report_there_is_no_charge() -> None:
    """Never the last value, and never a guess."""
    assert charge_of(a_vehicle(observed__battery=None)) == 0
