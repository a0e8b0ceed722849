"""Rooms: what is left of the circuits that could be short."""

from decimal import Decimal

from tests.unit.scheduler.scenes import pod, row_a, running
from tests.unit.scheduler.tables.sheets import a_table

from idlewatt_scheduler.model.calendars import EVERY_DAY, Recurrence
from idlewatt_scheduler.model.site import Circuit
from idlewatt_scheduler.model.tariff import TariffZone
from idlewatt_scheduler.model.units import HOUR, MINUTE, SECOND
from idlewatt_scheduler.model.vehicle import Power
from idlewatt_scheduler.tables.layout import PLENTY
from idlewatt_scheduler.testing import (
    AT,
    a_charging_site,
    a_controlled_car,
    a_site,
    a_tariff,
    a_vehicle,
)


def test_a_circuit_that_carries_all_its_cars_is_no_room() -> None:
    """1 kW and 90 W of standby are 1239 W AC."""
    assert a_table(**pod(), **row_a(1_239)).rooms.key == ()
    assert a_table(**pod(), **row_a(1_238)).rooms.key == (("depot-7", "row-a"),)


def test_what_is_left_counts_the_cars_that_are_there() -> None:
    """A running pod and standby take 173.295 W; what is over the limit leaves nothing."""
    rooms = a_table(**pod(), **running(), **row_a(1_000)).rooms
    assert rooms.left.tolist() == [1_000_000 - 173_295]
    assert (rooms.start[0], rooms.end[0], rooms.instant[0]) == (0, PLENTY, 0)
    assert a_table(**pod(), **running(), **row_a(100)).rooms.left.tolist() == [0]


def test_a_bound_counts_pods_once_all_of_them_have_started() -> None:
    """A minute later, where a car has to wake; at once, where more will be left by then."""
    cars = (a_vehicle(), a_vehicle(name="v-2", observed__power=Power.ASLEEP))
    rooms = a_table(**pod(), vehicles=cars, **row_a(1_000)).rooms
    assert rooms.instant.tolist() == [60 * SECOND]
    soon = {"curtailed_to_watts": 500, "curtailed_until": AT + 30 * SECOND}
    rooms = a_table(**pod(), vehicles=cars, **row_a(1_000, **soon)).rooms
    assert (rooms.left.tolist(), rooms.instant.tolist()) == ([500_000], [0])


def test_a_car_on_a_phase_takes_all_of_its_draw_from_it() -> None:
    """In sixths of a milliwatt: on one phase, six for each; nobody knows which, so on all three."""
    circuits = (Circuit("row-a", None, 60_000, max_current_milliamps_per_phase=4_000),)
    there = {"sites": [a_site(circuits=circuits, nominal_voltage_volts=230)]}
    rooms = a_table(**pod(), vehicles=(a_vehicle(phases=1),), **there).rooms
    assert rooms.key == tuple(("depot-7", "row-a", phase) for phase in ("L1", "L2", "L3"))
    assert rooms.left.tolist() == [6 * 920_000] * 3
    assert (rooms.first.tolist(), rooms.parts.tolist()) == ([0, 3], [6, 6, 6])


def test_where_cars_follow_profiles_a_row_stands_for_each_time_with_less_left() -> None:
    """One charges from two o'clock on, when electricity is cheap: until then the other has more."""
    deep = TariffZone("deep", Recurrence(EVERY_DAY, 120, 360), "OffPeak", Decimal("0.10"))
    rest = TariffZone("rest", Recurrence(EVERY_DAY, 0, 0), "OffPeak", Decimal("0.30"))
    cars = (
        a_controlled_car(observed__battery__state_of_charge_percent=79),
        a_vehicle(name="v-2", observed__battery__state_of_charge_percent=90),
    )
    circuits = (Circuit("row-a", None, 2_000),)
    rooms = a_table(
        **pod(),
        vehicles=cars,
        sites=[a_charging_site(circuits=circuits)],
        tariffs=[a_tariff(zones=(deep, rest))],
    ).rooms
    assert rooms.left[0] == 2_000_000
    assert rooms.left[-1] < 2_000_000
    assert rooms.start[-1] == 3 * HOUR
    assert rooms.end[-1] - rooms.start[-1] <= 60 * MINUTE
