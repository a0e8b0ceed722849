"""A fleet over a day in steps: its table, and what is asked of it."""

from dataclasses import replace

import numpy as np
import pytest

from idlewatt_scheduler.availability_grid import REASONS, availability
from idlewatt_scheduler.candidates import assemble
from idlewatt_scheduler.foresight import Car, Need, car_of, reason_at
from idlewatt_scheduler.model.reasons import PodReason
from idlewatt_scheduler.model.units import HOUR, MINUTE
from idlewatt_scheduler.model.vehicle import EnergySource, Supply
from idlewatt_scheduler.testing import AT, a_pod, a_running_pod, a_snapshot, a_vehicle

NEED = Need(power=500_000, stay=HOUR, lead=5 * MINUTE)


def two_cars() -> list[Car]:
    """One that stays until seven, and one that leaves in an hour and a half."""
    hurried = a_vehicle(name="v-2", observed__departure_expected_at=AT + 90 * MINUTE)
    fleet = assemble(a_snapshot(vehicles=(a_vehicle(), hurried)))
    return [car_of(each.parked) for each in fleet.candidates if each.parked is not None]


def test_a_day_has_288_steps_and_every_car_a_row() -> None:
    """Five minutes each, the first at `at`."""
    found = availability(two_cars(), NEED, AT)
    assert found.vehicles == ("v-1", "v-2")
    assert found.available.shape == found.reasons.shape == (2, 288)
    assert found.instants[0] == AT
    assert set(np.diff(found.instants).tolist()) == {5 * MINUTE}


def test_each_car_is_available_until_a_clause_fails() -> None:
    """The first until the band ends six hours later, the second for 25 minutes."""
    found = availability(two_cars(), NEED, AT)
    assert found.available[0].nonzero()[0].tolist() == [*range(73), *range(276, 288)]
    assert found.available[1].nonzero()[0].tolist() == [*range(6), *range(276, 288)]
    assert found.reason(1, 6) is PodReason.LEAVES_TOO_EARLY
    assert found.reason(0, 73) is PodReason.ON_PEAK
    assert found.reason(0, 96) is PodReason.OUTSIDE_PARKING_WINDOW
    assert found.count()[[0, 6, 100, 280]].tolist() == [2, 1, 0, 2]


def test_the_next_time_by_car_and_of_the_fleet() -> None:
    """Where a table begins in the morning, both wait for the night."""
    cars = [replace(car, at=AT) for car in two_cars()]
    found = availability(cars, replace(NEED, stay=2 * HOUR), AT)
    assert found.next_available(0) == found.earliest() == AT
    assert found.next_available(1) == AT + 23 * HOUR
    nothing = availability(cars, replace(NEED, stay=30 * HOUR), AT)
    assert nothing.next_available(0) is None
    assert nothing.earliest() is None


def test_each_car_may_be_asked_for_something_else() -> None:
    """A need for each, in their order."""
    found = availability(two_cars(), [NEED, replace(NEED, deadline=AT)], AT, count=1)
    assert [found.reason(row, 0) for row in range(2)] == [None, PodReason.DEADLINE_MISSED]


def test_standby_counts_once_where_a_pod_runs_already() -> None:
    """3 kWh are left for the pod that runs for three hours, the new one for four, and the standby.

    Standby is 90 W for as long as either is there.
    """
    battery = a_vehicle(
        agreement__energy_sources=frozenset({EnergySource.BATTERY}),
        observed__connection__supply=Supply.UNPLUGGED,
    )
    running = a_running_pod(
        pod=a_pod(name="running", demand__expected_runtime=9 * HOUR),
        bound_power=200_000,
        bound_until=AT + 3 * HOUR,
    )
    fleet = assemble(a_snapshot(vehicles=(battery,), running=(running,)))
    (car,) = [car_of(each.parked) for each in fleet.candidates if each.parked is not None]
    just = Need(power=510_000, stay=4 * HOUR, lead=0)  # 0.6 + 2.04 + 0.36 kWh
    codes = availability([car, car], [just, replace(just, power=510_001)], AT, count=13)
    assert codes.reason(0, 0) is None
    assert codes.reason(1, 0) is PodReason.DEPARTURE_CHARGE_AT_RISK
    assert codes.reason(0, 12) is PodReason.DEPARTURE_CHARGE_AT_RISK  # an hour of standby more
    assert [reason_at(car, just, AT + step * 5 * MINUTE) for step in range(13)] == [
        codes.reason(0, step) for step in range(13)
    ]


def test_no_cars_make_an_empty_table() -> None:
    """Of as many steps."""
    found = availability([], NEED, AT)
    assert found.available.shape == (0, 288)
    assert found.earliest() is None


@pytest.mark.parametrize("step", [MINUTE, 13 * MINUTE + 7])
def test_steps_of_any_length_are_what_single_answers_are(step: int) -> None:
    """Also such as fall between all that is on the quarter hour."""
    cars = two_cars()
    found = availability(cars, NEED, AT, step=step, count=100)
    for row, car in enumerate(cars):
        alone = [reason_at(car, NEED, AT + index * step) for index in range(100)]
        assert [found.reason(row, index) for index in range(100)] == alone


def test_the_codes_are_in_the_order_of_asking() -> None:
    """0 is available; the members of `PodReason` are in the rules' order."""
    order = list(PodReason)
    assert REASONS[0] is None
    asked = [order.index(reason) for reason in REASONS if reason is not None]
    assert asked == sorted(asked)
