"""Candidates: what is looked up once, before any pod is placed."""

from zoneinfo import ZoneInfo

import pytest
from tests.unit.scheduler.scenes import (
    Overrides,
    a_battery_car,
    a_candidate,
    a_fleet,
    node,
    observed,
    policy,
    row_a,
    running,
    site,
    vehicle,
)

from idlewatt_scheduler.candidates import (
    assemble,
    capacity_of,
    counts_until,
    running_power,
    start_of,
    total,
)
from idlewatt_scheduler.energy import Step
from idlewatt_scheduler.model.site import Circuit, ObservedCircuit
from idlewatt_scheduler.model.units import FOREVER, HOUR, MINUTE, SECOND
from idlewatt_scheduler.model.vehicle import Power, Quality, Supply, Vehicle
from idlewatt_scheduler.testing import (
    AT,
    a_charging_site,
    a_controlled_car,
    a_node,
    a_pod,
    a_profile,
    a_running_pod,
    a_site,
    a_snapshot,
    a_vehicle,
    changed,
)


@pytest.mark.parametrize(
    ("allocatable", "stated", "expected"),
    [
        pytest.param({"cpu": 8}, {"cpu": 16}, {"cpu": 8, "pods": FOREVER}, id="the Node has less"),
        pytest.param({"cpu": 16}, {"cpu": 8}, {"cpu": 8, "pods": FOREVER}, id="the owner less"),
        pytest.param({"cpu": 8}, {}, {"pods": FOREVER}, id="the owner does not name it"),
        pytest.param({}, {"cpu": 8}, {"pods": FOREVER}, id="the Node does not have it"),
        pytest.param(
            {"pods": 7, "ephemeral-storage": 5},
            {},
            {"pods": 7, "ephemeral-storage": 5},
            id="pods and storage are the Node's word",
        ),
        pytest.param(
            {"pods": 7, "ephemeral-storage": 5},
            {"pods": 3, "ephemeral-storage": 9},
            {"pods": 3, "ephemeral-storage": 5},
            id="unless the owner names them",
        ),
        pytest.param({"cpu": 8, "x/y": 1}, None, {"cpu": 8, "x/y": 1, "pods": FOREVER}, id="plain"),
    ],
)
def test_capacity_is_the_lesser_of_two_words(
    allocatable: dict[str, int], stated: dict[str, int] | None, expected: dict[str, int]
) -> None:
    """Per resource what the Node and the owner allow; what the owner does not name is nothing."""
    assert capacity_of(a_node(allocatable=allocatable), stated) == expected


def test_without_a_node_there_is_no_capacity_but_for_pods() -> None:
    """Nothing can be requested of what is not there."""
    assert capacity_of(None, {"cpu": 8}) == {"pods": FOREVER}


def test_lots_of_resources_add_up() -> None:
    """Whichever of them names a resource."""
    assert total({"cpu": 1}, {"cpu": 2, "pods": 1}, {}) == {"cpu": 3, "pods": 1}
    assert total() == {}


@pytest.mark.parametrize(
    ("overrides", "until"),
    [
        pytest.param({}, FOREVER, id="open-ended, whatever it was bound until"),
        pytest.param({"bound_until": AT + HOUR}, FOREVER, id="open-ended, bound for longer"),
        pytest.param(
            {"pod__demand__expected_runtime": HOUR, "bound_until": AT + 1}, AT + 1, id="a job"
        ),
        pytest.param(
            {"pod__demand__expected_runtime": HOUR, "bound_until": AT}, FOREVER, id="a late job"
        ),
        pytest.param(
            {"pod__demand__expected_runtime": HOUR, "bound_until": None}, FOREVER, id="unknown"
        ),
        pytest.param({"counts_until": AT + 7}, AT + 7, id="given up: its fence"),
    ],
)
def test_a_running_pod_counts_until_its_promise_or_for_good(
    overrides: Overrides, until: int
) -> None:
    """One that outlives what it expected counts without end."""
    assert counts_until(a_running_pod(**overrides), AT) == until


@pytest.mark.parametrize(
    ("overrides", "power"),
    [
        ({"bound_power": 1}, 1),
        ({"bound_power": 0}, 0),
        ({"bound_power": None}, 62_500),
        ({"bound_power": None, "pod__demand__power_watts": 70}, 70_000),
    ],
)
def test_a_running_pod_draws_what_it_was_bound_with(overrides: Overrides, power: int) -> None:
    """Without that, what it would be planned with now."""
    found = running_power(a_running_pod(**overrides), a_vehicle(), a_candidate().capacity)
    assert found == power


def test_vehicles_stand_in_order_of_name_before_plain_nodes() -> None:
    """However the snapshot lists them."""
    nodes = (a_node(name="b"), a_node(name="v-1"), a_node(name="a"), a_node(name="v-2"))
    vehicles = (a_vehicle(name="v-2"), a_vehicle())
    fleet = a_fleet(vehicles=vehicles, nodes=nodes, **policy(plain_nodes_allowed=True))
    assert [candidate.name for candidate in fleet.candidates] == ["v-1", "v-2", "a", "b"]
    assert [candidate.parked is None for candidate in fleet.candidates] == [
        False,
        False,
        True,
        True,
    ]


def test_plain_nodes_are_no_candidates_unless_they_are_allowed() -> None:
    """The policy denies them by default."""
    fleet = a_fleet(nodes=(a_node(), a_node(name="a")))
    assert [candidate.name for candidate in fleet.candidates] == ["v-1"]


def test_all_pods_on_a_node_use_its_capacity() -> None:
    """Ours, also those that leave or are past their time, and everybody else's."""
    late = a_running_pod(pod__demand__expected_runtime=HOUR, bound_until=AT, being_deleted=True)
    candidate = a_candidate(running=(late,), other_use={"v-1": {"cpu": 500, "pods": 2_000}})
    assert candidate.used["cpu"] == 1_500
    assert candidate.used["pods"] == 3_000


@pytest.mark.parametrize(
    ("overrides", "departure"),
    [
        pytest.param({}, AT + 8 * HOUR, id="the window's end"),
        pytest.param(observed(departure_expected_at=AT + HOUR), AT + HOUR, id="expected earlier"),
        pytest.param(
            observed(departure_expected_at=AT + 9 * HOUR), AT + 8 * HOUR, id="expected later"
        ),
        pytest.param(observed(departure_expected_at=AT - HOUR), AT - HOUR, id="expected back"),
        pytest.param(vehicle(windows=()), None, id="no window"),
        pytest.param(
            vehicle(windows=(), observed__departure_expected_at=AT + HOUR),
            None,
            id="no window, but expected",
        ),
        pytest.param(observed(connection=None), None, id="nobody knows where it stands"),
        pytest.param(
            observed(connection__quality=Quality.STALE), AT + 8 * HOUR, id="known a while ago"
        ),
        pytest.param(
            site(time_zone=ZoneInfo("Europe/London")), AT + 9 * HOUR, id="in the site's time zone"
        ),
    ],
)
def test_a_car_departs_with_its_window_or_when_it_is_expected_to(
    overrides: Overrides, departure: int | None
) -> None:
    """Whichever is earlier; an expectation alone opens no window."""
    parked = a_candidate(**overrides).parked
    assert parked is not None
    assert parked.departure == departure


def told(car: Vehicle, **row: object) -> list[int]:
    """The powers, in watts, of the new profile of the only car, at a site of ours."""
    ours = a_charging_site(circuits=(Circuit("row-a", None, 11_000),), **row)
    fleet = assemble(a_snapshot(vehicles=(car,), sites=(ours,)))
    return [period.power // 1_000 for each in fleet.charging for period in each.profile.periods]


def test_a_car_that_overstays_and_follows_our_profile_is_charged_at_once_and_can_be_shed() -> None:
    """No window is open any more; what its charger follows can only be changed by a new profile."""
    following = a_profile((-HOUR, 11_000), (9 * HOUR, 0))
    car = a_controlled_car(windows=(), observed__connection__profile=following)
    assert told(car) == [11_000, 0]
    assert told(car, observed_circuits=(ObservedCircuit("row-a", curtailed_to_watts=0),)) == [0]
    assert told(changed(car, observed__connection__profile=None)) == []


@pytest.mark.parametrize(
    ("power", "start"),
    [(Power.AWAKE, AT), (Power.ASLEEP, AT + MINUTE), (Power.WAKING, AT + MINUTE)],
)
def test_a_pod_starts_once_the_car_is_awake(power: Power, start: int) -> None:
    """A waking vehicle is judged as an asleep one."""
    assert start_of(a_candidate(**observed(power=power)), AT) == start


def test_a_pod_on_a_plain_node_starts_at_once() -> None:
    """There is nothing to wake."""
    fleet = a_fleet(vehicles=(), **node(), **policy(plain_nodes_allowed=True))
    assert start_of(fleet.candidates[0], AT) == AT


def test_running_pods_are_the_base_of_every_plan() -> None:
    """A job until its promise, a service without end, standby once."""
    job = a_running_pod(
        pod__name="job",
        pod__demand__expected_runtime=HOUR,
        bound_until=AT + HOUR,
        bound_power=100_000,
    )
    parked = a_candidate(running=(job, a_running_pod())).parked
    assert parked is not None
    assert parked.base == (
        Step(AT, AT + HOUR, 162_500, 252_500),
        Step(AT + HOUR, FOREVER, 62_500, 152_500),
    )


def left(when: int = AT, **overrides: object) -> int:
    """What is left of row-a at an instant, in milliwatts, of 22 kW."""
    return a_fleet(**overrides).headroom["depot-7", "row-a"].least(when, when + 1)


CHARGING = {"observed__connection__charge_power_watts": 2_000}


@pytest.mark.parametrize(
    ("overrides", "drawn"),
    [
        pytest.param({}, 0, id="a car that does nothing"),
        pytest.param(vehicle(**CHARGING), 2_000_000, id="one that charges"),
        pytest.param(vehicle(**CHARGING, suspend=True), 2_000_000, id="suspended"),
        pytest.param(vehicle(**CHARGING, agreement=None), 2_000_000, id="without an agreement"),
        pytest.param(
            vehicle(**CHARGING, observed__connection__observed_at=AT - 99 * HOUR),
            2_000_000,
            id="last seen long ago",
        ),
        pytest.param(
            vehicle(**CHARGING, observed__connection__quality=Quality.INVALID),
            2_000_000,
            id="of an invalid observation",
        ),
        pytest.param(
            observed(connection__charge_power_watts=None), 11_000_000, id="one that does not say"
        ),
        pytest.param(
            vehicle(**CHARGING, observed__connection__charge_power_limit_watts=1_500),
            1_500_000,
            id="at its cap",
        ),
        pytest.param(running(), 173_295, id="one that computes"),
        pytest.param({"vehicles": (a_battery_car(90),)}, 0, id="one that is not plugged in"),
        pytest.param(
            observed(connection__supply=None, connection__charge_power_watts=None),
            11_000_000,
            id="of which nobody knows whether it is plugged in",
        ),
        pytest.param({"nodes": ()} | vehicle(**CHARGING), 2_000_000, id="without a Node"),
        pytest.param(observed(connection__circuit="main"), 0, id="on the circuit above"),
    ],
)
def test_every_car_last_seen_on_a_circuit_loads_it(overrides: Overrides, drawn: int) -> None:
    """However bad or old the observation, and whether or not the car takes pods."""
    assert left(**overrides) == 22_000_000 - drawn


def test_cars_load_every_circuit_above_them() -> None:
    """8 kW of the main connection are used anyhow; two rows of one car each come on top."""
    circuits = (
        Circuit("main", None, 60_000, uncontrolled_load_watts=8_000),
        Circuit("row-a", "main", 22_000),
        Circuit("row-b", "main", 22_000),
    )
    cars = (
        a_vehicle(**CHARGING),
        a_vehicle(name="v-2", **CHARGING, observed__connection__circuit="row-b"),
        a_vehicle(name="v-3", **CHARGING, observed__connection__circuit="main"),
    )
    headroom = a_fleet(vehicles=cars, sites=(a_site(circuits=circuits),)).headroom
    assert {name: room.least(AT, AT + 1) for (_, name), room in headroom.items()} == {
        "main": 46_000_000,
        "row-a": 20_000_000,
        "row-b": 20_000_000,
    }


def test_a_running_job_frees_its_circuit_when_it_was_to_end() -> None:
    """And its standby with it."""
    job = running(pod__demand__expected_runtime=HOUR, bound_until=AT + HOUR)
    assert left(AT + HOUR - 1, **job) == 22_000_000 - 173_295
    assert left(AT + HOUR, **job) == 22_000_000


def test_a_circuit_may_be_over_before_anything_is_planned() -> None:
    """What is left is negative then."""
    assert left(**row_a(1), **vehicle(**CHARGING)) == -1_999_000


def test_a_site_without_a_tariff_has_no_line() -> None:
    """As one that names a tariff which is not there."""
    for overrides in (site(tariff=None), site(tariff="gone"), {"tariffs": ()}):
        parked = a_candidate(**overrides).parked
        assert parked is not None
        assert parked.prices is None


def test_a_car_whose_circuit_is_unknown_loads_none() -> None:
    """Supplied or not: nobody can say which it would be."""
    parked = a_candidate(**observed(connection__circuit="row-z")).parked
    assert parked is not None
    assert parked.circuits == ()
    assert left(**observed(connection__circuit="row-z", connection__supply=Supply.SUPPLIED)) == (
        22_000_000
    )


def test_what_we_run_there_is_known_of_a_vehicle() -> None:
    """So that nobody asks how long it has been idle."""
    for overrides, expected in ((running(), True), ({}, False), (running(node="v-2"), False)):
        parked = a_candidate(**overrides).parked
        assert parked is not None
        assert parked.case.runs_ours is expected


def test_an_old_sleeper_may_be_looked_at_with_more_patience() -> None:
    """What it last reported holds for twelve hours, awake it would hold for two minutes."""
    for power, allowed in ((Power.ASLEEP, 12 * HOUR), (Power.AWAKE, 120 * SECOND)):
        parked = a_candidate(**observed(power=power)).parked
        assert parked is not None
        assert parked.case.allowed_age == allowed


def test_the_headroom_of_every_site_is_there() -> None:
    """Also where no car stands."""
    headroom = a_fleet(sites=(a_site(), a_site(name="depot-8")), pending=(a_pod(),)).headroom
    assert set(headroom) == {(s, c) for s in ("depot-7", "depot-8") for c in ("main", "row-a")}


def test_a_snapshot_is_looked_up_once_and_another_for_itself() -> None:
    """The same snapshot has the same fleet; one that is only equal to it has its own."""
    one, other = a_snapshot(), a_snapshot()
    assert assemble(one) is assemble(one)
    assert assemble(other).snapshot is other
    assert assemble(one).snapshot is one
