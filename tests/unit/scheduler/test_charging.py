"""Charging: whose is ours, and the cars of a site together."""

from typing import Any

import pytest
from tests.unit.scheduler.test_quarters import KILOWATT, a_car, prices

from idlewatt_scheduler.availability import VehicleCase
from idlewatt_scheduler.charging import car_of, is_controlled, is_ours, profiles, slack
from idlewatt_scheduler.circuits import Headroom
from idlewatt_scheduler.energy import Step, electrics
from idlewatt_scheduler.exchange import Exchange
from idlewatt_scheduler.model.charging import ChargingPeriod, ChargingProfile
from idlewatt_scheduler.model.site import ChargingController, Site
from idlewatt_scheduler.model.units import FOREVER, HOUR, MINUTE, SECOND
from idlewatt_scheduler.model.vehicle import (
    EnergySource,
    ObservedParking,
    Quality,
    Supply,
    TaperStep,
    Vehicle,
)
from idlewatt_scheduler.quarters import QUARTER, Car, grid
from idlewatt_scheduler.testing import AT, a_policy, a_site, a_vehicle
from idlewatt_scheduler.trajectory import percent_of

OURS = a_site(charging_controller=ChargingController.IDLEWATT)
ROW_A = (("depot-7", "row-a"), ("depot-7", "main"))
PROFILE = ChargingProfile((ChargingPeriod(AT, 0),))


def a_case(site: Site | None = OURS, **overrides: object) -> VehicleCase:
    """A vehicle at a site whose charging is ours."""
    vehicle = a_vehicle(**overrides)
    exchange = Exchange(a_policy(), (vehicle,))
    return VehicleCase(AT, a_policy(), exchange, vehicle, None, site, None, runs_ours=False)


@pytest.mark.parametrize(
    "overrides",
    [
        {"site": a_site()},
        {"site": None},
        {"observed__connection": None},
        {"observed__connection__supply": Supply.UNPLUGGED},
        {"observed__connection__supply": Supply.PLUGGED_NOT_SUPPLIED},
        {"observed__parking": ObservedParking(observed_at=AT)},
        {"observed__parking__parked": False},
        {"observed__battery__state_of_charge_percent": None},
        {"observed__battery__observed_at": AT - 121 * SECOND},
        {"observed__connection__quality": Quality.INVALID},
    ],
)
def test_whose_charging_is_not_ours(overrides: dict[str, Any]) -> None:
    """What is not known to stand there, supplied, at a site of ours, is somebody else's."""
    assert not is_ours(a_case(**overrides), ROW_A)


def test_whose_charging_is_ours() -> None:
    """No agreement, no consent and no place to compute is asked of a car that is to be charged."""
    assert is_ours(a_case(agreement=None, suspend=True, observed__parking__occupied=True), ROW_A)
    assert not is_ours(a_case(), ())


@pytest.mark.parametrize(
    ("profile", "supply", "site", "is_so"),
    [
        (PROFILE, Supply.SUPPLIED, OURS, True),
        (None, Supply.SUPPLIED, OURS, False),
        (ChargingProfile((ChargingPeriod(AT + 1, 0),)), Supply.SUPPLIED, OURS, False),
        (PROFILE, Supply.PLUGGED_NOT_SUPPLIED, OURS, False),
        (PROFILE, Supply.SUPPLIED, a_site(), False),
        (PROFILE, Supply.SUPPLIED, None, False),
    ],
)
def test_a_car_is_controlled_by_what_its_charger_acknowledged(
    profile: ChargingProfile | None, supply: Supply, site: Site | None, *, is_so: bool
) -> None:
    """It has begun, and the site is ours; otherwise the car's charging is External."""
    overrides = {"observed__connection__profile": profile, "observed__connection__supply": supply}
    assert is_controlled(a_case(site, **overrides)) is is_so


def of(vehicle: Vehicle) -> Car:
    """The vehicle as charging sees it."""
    return car_of(
        a_case(),
        figures=electrics(vehicle),
        computing=(),
        charge_by=AT + HOUR,
        prices=None,
        loads=(),
    )


def test_what_charging_sees_of_a_vehicle() -> None:
    """Its figures as charge and milliwatts; the charger's limit is the cap, the car's the most."""
    overrides: dict[str, Any] = {
        "taper": (TaperStep(80, 6_000),),
        "observed__connection__charge_power_limit_watts": 12_000,
        "observed__connection__profile": PROFILE,
        "agreement__energy_sources": frozenset({EnergySource.BATTERY}),
    }
    vehicle = a_vehicle(**overrides)
    car = car_of(
        a_case(**overrides),
        figures=electrics(vehicle),
        computing=(),
        charge_by=AT + HOUR,
        prices=None,
        loads=(),
    )
    assert (car.charge, car.reserve, car.target) == tuple(
        percent_of(vehicle, n) for n in (85, 30, 80)
    )
    assert (car.intake.cap, car.intake.most, car.intake.least) == (
        12_000_000,
        11_000_000,
        1_380_000,
    )
    assert car.intake.steps == ((percent_of(vehicle, 80), 6_000_000),)
    assert car.intake.drains
    assert car.acknowledged == PROFILE
    assert of(a_vehicle()).acknowledged is None


def test_slack_is_what_is_left_of_the_time() -> None:
    """Two hours, less half an hour of charging; less as much again where half computes."""
    quarters = grid(AT, [AT + 2 * HOUR])
    assert slack(a_car(2), quarters) == 2 * HOUR - 2 * QUARTER
    assert slack(a_car(0), quarters) == 2 * HOUR
    computing = (Step(AT, FOREVER, 0, 4 * KILOWATT),)
    assert slack(a_car(2, computing=computing), quarters) == 2 * HOUR - 4 * QUARTER
    assert slack(a_car(200), quarters) == -FOREVER


Rooms = dict[tuple[str, ...], Headroom]


def planned(kilowatts: int, *cars: Car) -> dict[str, list[int]]:
    """Kilowatts in each quarter of the next two hours, under one circuit."""
    rooms: Rooms = {("depot-7", "row-a"): Headroom([AT], [kilowatts * KILOWATT])}
    found = profiles({"depot-7": cars}, rooms, AT)
    return {
        name: [(found[name].power_at(AT + i * QUARTER) or 0) // KILOWATT for i in range(8)]
        for name in sorted(found)
    }


def test_the_least_slack_chooses_first() -> None:
    """`v-2` leaves in an hour; then `v-1` takes what is left of the cheapest."""
    assert planned(8, a_car(2), a_car(2, 1, name="v-2")) == {
        "v-1": [0, 0, 0, 0, 8, 0, 8, 0],
        "v-2": [0, 8, 8, 0, 0, 0, 0, 0],
    }


def test_one_makes_way_for_another() -> None:
    """`v-1` has less slack and the same cheapest quarters; `v-2` is gone before the dear ones."""
    line = prices((10, 10, 10, 10, 40, 40, 40, 40))
    cars = a_car(6, prices=line), a_car(1, 1, prices=line, name="v-2")
    found = planned(8, *cars)
    assert sorted(found["v-1"]) == [0, 0, 8, 8, 8, 8, 8, 8]
    assert sum(found["v-2"][:4]) == 8


def test_half_a_room_each_where_neither_can_wait() -> None:
    """Two cars of 8 kW that need 4 kW throughout share 8 kW."""
    cars = [
        a_car(4, name=name, intake=a_car().intake, charge_by=AT + 2 * HOUR)
        for name in ("v-1", "v-2")
    ]
    found = planned(8, *cars)
    assert sum(found["v-1"]) == sum(found["v-2"]) == 4 * 8
    assert all(sum(both) == 8 for both in zip(*found.values(), strict=True))


def test_who_has_its_quarters_keeps_them() -> None:
    """Both want the cheapest; `v-1` has it acknowledged, though `v-2` has less slack by now."""
    held = ChargingProfile(
        (
            ChargingPeriod(AT, 0),
            ChargingPeriod(AT + 6 * QUARTER, 8 * KILOWATT),
            ChargingPeriod(AT + 7 * QUARTER, 0),
        )
    )
    first = a_car(1, acknowledged=held)
    second = a_car(1, name="v-2", charge_by=AT + 2 * HOUR - MINUTE)
    found = planned(8, first, second)
    assert found["v-1"][6] == 8
    assert found["v-2"][1] == 8
    assert planned(8, a_car(1), second)["v-2"][6] == 8


def test_sites_are_planned_apart() -> None:
    """What one takes is nothing to the other, and each car is in the answer once."""
    other = a_car(2, name="v-2", loads=((("depot-8", "row-a"), 1),))
    rooms: Rooms = {
        ("depot-7", "row-a"): Headroom([AT], [8 * KILOWATT]),
        ("depot-8", "row-a"): Headroom([AT], [8 * KILOWATT]),
    }
    found = profiles({"depot-7": [a_car(2)], "depot-8": [other]}, rooms, AT)
    assert found["v-1"] == found["v-2"]
