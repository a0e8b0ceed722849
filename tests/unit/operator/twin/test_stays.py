"""A stay without us: charged at once, until it is full or leaves."""

from dataclasses import replace
from datetime import date
from zoneinfo import ZoneInfo

import pytest

from idlewatt_operator.twin.stays import Stay, windows
from idlewatt_scheduler.calendar import open_until, wall_clock
from idlewatt_scheduler.model.units import DAY, HOUR, MINUTE

ZONE = ZoneInfo("America/Chicago")
EVENING = wall_clock(date(2022, 7, 12), 18 * 60, ZONE)


def a_stay(**changes: object) -> Stay:
    """Make a stay from 18:00 to 07:00 with 10 of 40 kWh on arrival, at 5 kW."""
    stay = Stay(
        vehicle="v-1",
        site="garage-1",
        circuit="row-a",
        arrives_at=EVENING,
        leaves_at=EVENING + 13 * HOUR,
        stated_leave_at=EVENING + 13 * HOUR,
        notice_at=None,
        boards_at=EVENING + 13 * HOUR - MINUTE,
        arrival_watt_hours=10_000,
        full_watt_hours=40_000,
        charge_power_watts=5_000,
        limit_watts=11_000,
    )
    return replace(stay, **changes)  # type: ignore[arg-type]


def test_it_charges_at_once() -> None:
    """After two hours at 5 kW and 90 % the battery holds 9 kWh more."""
    assert a_stay().alone_watt_hours(EVENING + 2 * HOUR) == pytest.approx(19_000)


def test_it_ends_where_it_is_full() -> None:
    """30 kWh at 4.5 kW take 6 h 40 min, and nothing is added after that."""
    stay = a_stay()
    assert stay.charged_alone_at == EVENING + 6 * HOUR + 40 * MINUTE
    assert stay.alone_watt_hours(EVENING + 12 * HOUR) == 40_000


def test_the_charge_point_limits_the_car() -> None:
    """A car that could take more takes what the charge point gives."""
    stay = a_stay(charge_power_watts=22_000)
    assert stay.alone_watt_hours(EVENING + HOUR) == pytest.approx(10_000 + 11_000 * 0.9)


def test_a_full_car_stays_as_it_is() -> None:
    """Nothing is charged, and nothing is lost."""
    stay = a_stay(arrival_watt_hours=40_000)
    assert stay.charged_alone_at == EVENING
    assert stay.alone_watt_hours(EVENING + HOUR) == 40_000


def test_the_window_covers_the_stay_as_it_was_stated() -> None:
    """It is open from the arrival until the stated departure, whatever the real one is."""
    stay = a_stay(leaves_at=EVENING + 2 * HOUR)
    own = windows(stay, ZONE)
    assert open_until(own, "garage-1", ZONE, EVENING + HOUR) == EVENING + 13 * HOUR
    assert open_until(own, "garage-1", ZONE, EVENING - MINUTE) is None
    assert open_until(own, "garage-2", ZONE, EVENING + HOUR) is None


def test_a_stay_of_days_has_a_dated_window() -> None:
    """A habit cannot be longer than a day."""
    stay = a_stay(leaves_at=EVENING + 3 * DAY, stated_leave_at=EVENING + 3 * DAY)
    (window,) = windows(stay, ZONE)
    assert window.recurrence is None
    assert open_until([window], "garage-1", ZONE, EVENING + 2 * DAY) == EVENING + 3 * DAY


def test_where_nobody_said_anything_there_is_no_window() -> None:
    """No stated departure, no consent to any hour."""
    assert windows(a_stay(stated_leave_at=None), ZONE) == ()


def test_early_is_before_what_was_said() -> None:
    """A car is early only against a word."""
    assert a_stay(leaves_at=EVENING + HOUR).leaves_early
    assert not a_stay().leaves_early
    assert not a_stay(stated_leave_at=None).leaves_early
