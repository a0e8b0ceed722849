"""Rows of vehicles: their limits, by hand."""

from decimal import Decimal

import pytest
from tests.unit.scheduler.scenes import Overrides, a_battery_car, pod, running, vehicle
from tests.unit.scheduler.tables.sheets import a_working

from idlewatt_scheduler.model.calendars import EVERY_DAY, Recurrence
from idlewatt_scheduler.model.tariff import TariffZone
from idlewatt_scheduler.model.units import HOUR, SECOND
from idlewatt_scheduler.model.vehicle import Power
from idlewatt_scheduler.tables.layout import PLENTY
from idlewatt_scheduler.tables.vehicles import Vehicles
from idlewatt_scheduler.testing import AT, a_charging_site, a_controlled_car, a_tariff, a_vehicle

NIGHT = 8 * HOUR
"""From `AT` to the end of the parking window."""


def rows(**overrides: object) -> Vehicles:
    """The vehicles of a snapshot with one pending pod."""
    return a_working(**pod(), **overrides).vehicles


@pytest.mark.parametrize(
    ("overrides", "power"),
    [
        pytest.param({}, 1_000_000, id="the computer's own"),
        pytest.param(running(), 937_500, id="less what runs"),
        pytest.param(
            vehicle(observed__connection__charge_power_limit_watts=500),
            500_000 * 88 // 100 - 90_000,
            id="what the plug gives, less standby",
        ),
        pytest.param(
            vehicle(
                observed__battery__state_of_charge_percent=70,
                observed__connection__charge_power_watts=10_500,
            ),
            500_000 * 88 // 100 - 90_000,
            id="what charging leaves of it, where the charge is short",
        ),
        pytest.param(
            vehicle(observed__connection__charge_power_watts=10_500),
            1_000_000,
            id="charging may be slowed where the charge suffices",
        ),
    ],
)
def test_power_that_new_pods_may_draw(overrides: Overrides, power: int) -> None:
    """The least of what the computer, the plug and charging leave; AC is rounded down."""
    assert rows(**overrides).power[0] == power


def test_energy_is_what_the_battery_holds_above_the_departure_charge() -> None:
    """5 % of 60 kWh, less what runs until the car leaves; and 50 % above the reserve."""
    car = a_battery_car(85)
    assert rows(vehicles=(car,)).energy[0] == 3_000_000 * HOUR
    assert rows(vehicles=(car,)).reserve[0] == 33_000_000 * HOUR
    spent = (62_500 + 90_000) * NIGHT
    assert rows(vehicles=(car,), **running()).energy[0] == 3_000_000 * HOUR - spent
    assert rows().energy[0] == PLENTY


def test_a_sleeping_vehicle_starts_once_it_is_awake() -> None:
    """A minute later; waking costs 20 Wh at 0.30."""
    found = rows(**vehicle(observed__power=Power.ASLEEP))
    assert (found.start[0], found.opening[0]) == (60 * SECOND, pytest.approx(0.006))
    assert (rows().start[0], rows().opening[0]) == (0, 0)


def test_standby_is_drawn_by_the_first_pod_alone() -> None:
    """Where pods run, it is drawn already, and only after them by new ones."""
    alone, beside = rows(), rows(**running(bound_until=AT + HOUR, pod__demand__expected_runtime=1))
    assert (alone.base[0], alone.standby[0], alone.lone_from[0]) == (0, 90_000, 0)
    assert (beside.base[0], beside.standby[0], beside.lone_from[0]) == (152_500, 0, HOUR)


def test_prices_are_turns_of_the_line() -> None:
    """The night band ends at six, seven hours from now; the host pays, so no price is asked."""
    found = rows()
    assert (found.on_peak_from[0], found.unpriced_from[0]) == (7 * HOUR, PLENTY)


def test_a_car_charged_later_is_fallible_where_charging_may_be_slowed() -> None:
    """Electricity is cheaper from two o'clock on: then the plug leaves less to compute than now."""
    deep = TariffZone("deep", Recurrence(EVERY_DAY, 120, 360), "OffPeak", Decimal("0.10"))
    rest = TariffZone("rest", Recurrence(EVERY_DAY, 0, 0), "OffPeak", Decimal("0.30"))
    there = {"sites": [a_charging_site()], "tariffs": [a_tariff(zones=(deep, rest))]}
    limit = {"observed__connection__charge_power_limit_watts": 1_500}
    charge = {"observed__battery__state_of_charge_percent": 79}
    assert rows(vehicles=(a_controlled_car(**limit, **charge),), **there).fallible[0]
    assert not rows(vehicles=(a_controlled_car(**charge),), **there).fallible[0]


def test_vehicles_in_a_part_keep_only_their_own_holdings() -> None:
    """And rows on the battery are counted from the part's first."""
    cars = (a_vehicle(), a_battery_car(85, name="v-2"), a_vehicle(name="v-3"))
    whole = rows(vehicles=cars, other_use={"v-3": {"cpu": 1_000}})
    part = whole.part(1, 3)
    assert part.candidate.tolist() == [1, 2]
    assert part.on_battery.tolist() == [0]
    assert [part.holdings[n] for n in part.holding] == [
        whole.holdings[n] for n in whole.holding[1:]
    ]
    assert len(part.holdings) == 2
