"""Promises are kept or broken by what happened; each definition has its nearest two cases."""

from dataclasses import replace
from datetime import date

import pytest

from idlewatt_operator.twin import promises
from idlewatt_operator.twin.homes import a_night
from idlewatt_operator.twin.journal import Departure, Draw
from idlewatt_operator.twin.kubelet import EndedBy, Run
from idlewatt_operator.twin.meter import QUARTER, Meter, charged_alone
from idlewatt_operator.twin.scenario import Scenario
from idlewatt_scheduler.model.units import HOUR


@pytest.fixture(name="scenario", scope="module")
def a_scenario() -> Scenario:
    """Make a small night; only its vehicles and circuits matter here."""
    return a_night(date(2022, 7, 12), 6, 9, 1)


def a_departure(
    scenario: Scenario, percent: float, alone_percent: float, *cut_off: Run
) -> Departure:
    """Make a departure of the first car with so much charge, and so much without us."""
    capacity = scenario.vehicles[0].battery.net_capacity_watt_hours
    stay = scenario.stays[0]
    return Departure(stay, capacity * percent / 100, capacity * alone_percent / 100, cut_off)


def a_run(ended_by: EndedBy | None, ended_at: int | None = 1) -> Run:
    """Make a run that ended so."""
    return Run("u", "inference/embed-1", "v-1", 0, ended_at=ended_at, ended_by=ended_by)


@pytest.mark.parametrize(
    ("percent", "alone", "broken"),
    [
        (80, 100, False),  # the departure charge is reached
        (79, 100, True),  # it is not, and without us it would have been
        (55, 55, False),  # the stay was too short, with us or without
        (54, 55, True),  # without us it would have held more
        (100, 100, False),
    ],
)
def test_the_owner_is_promised_the_lesser_of_two_charges(
    scenario: Scenario, percent: float, alone: float, *, broken: bool
) -> None:
    """min(departure charge, what the same stay would have held, charged at once, without us)."""
    measured = promises.owner([a_departure(scenario, percent, alone)], scenario)
    assert measured.chances == 1
    assert bool(measured.broken) is broken


def test_a_container_behind_an_open_park_lock_breaks_the_owners_promise(scenario: Scenario) -> None:
    """Full charge does not help where a container still ran."""
    departure = a_departure(scenario, 100, 100, a_run(EndedBy.CAR))
    (sentence,) = promises.owner([departure], scenario).broken
    assert "embed-1 still ran when the park lock opened" in sentence


@pytest.mark.parametrize(
    ("ended_by", "broken"),
    [(EndedBy.ITSELF, 0), (EndedBy.DRAIN, 0), (EndedBy.DEADLINE, 0), (EndedBy.CAR, 1)],
)
def test_only_the_car_breaks_the_workloads_promise(
    scenario: Scenario, ended_by: EndedBy, broken: int
) -> None:
    """A drain and the fence are no breach; being cut off is."""
    measured = promises.workload([a_run(ended_by)], scenario)
    assert (measured.chances, len(measured.broken)) == (1, broken)


def test_a_run_that_goes_on_is_no_chance(scenario: Scenario) -> None:
    """Only what has ended can be judged."""
    assert promises.workload([a_run(None, None)], scenario).chances == 0


def metered(scenario: Scenario, charging_watts: float, computing_watts: int, length: int) -> Meter:
    """Make meters that read one draw from the start on, on row-a of garage-1."""
    meter = Meter(scenario)
    start = scenario.start
    milliwatts = computing_watts * 1_000
    draw = Draw(start, start + length, "garage-1", "row-a", charging_watts, milliwatts, milliwatts)
    meter.count(scenario.vehicles[0].name, [draw])
    return meter


def nothing_alone(scenario: Scenario) -> Meter:
    """Make the meters of a night in which nothing is charged."""
    return charged_alone(replace(scenario, stays=()))


def test_a_quarter_over_the_limit_breaks_the_grids_promise(scenario: Scenario) -> None:
    """34.6 kW is the row's limit: 34.7 with pods in it is a breach, 34.6 is none."""
    over, _, _ = promises.grid(metered(scenario, 34_000, 700, QUARTER), nothing_alone(scenario))
    at, _, _ = promises.grid(metered(scenario, 34_000, 600, QUARTER), nothing_alone(scenario))
    assert len(over.broken) == 1
    assert "garage-1/row-a: 34.7 of 34.6 kW" in over.broken[0]
    assert at.broken == ()


def test_an_interval_is_a_quarter_of_an_hour(scenario: Scenario) -> None:
    """Three minutes over the limit in a quiet quarter are not a measured interval above it."""
    meter = metered(scenario, 34_000, 5_000, QUARTER // 5)
    measured, _, _ = promises.grid(meter, nothing_alone(scenario))
    assert measured.broken == ()


def test_what_we_could_not_have_shed_is_counted_apart(scenario: Scenario) -> None:
    """Charging alone above the limit is nobody's promise of ours, and is said all the same."""
    meter = metered(scenario, 40_000, 0, HOUR)
    measured, alone, unshed = promises.grid(meter, meter)
    assert measured.broken == ()
    assert (alone, unshed) == (4, 4)


def test_the_load_of_a_row_loads_the_main_too(scenario: Scenario) -> None:
    """The main circuit carries its rows and the house."""
    meter = metered(scenario, 10_000, 0, QUARTER)
    main = promises.loads(meter, meter.circuits["garage-1", "main"], "garage-1", "main")
    house = scenario.house_watts["garage-1"][15]
    assert main[0] == pytest.approx(10_000 + house)
    assert main[1] == pytest.approx(house)


def test_a_pod_that_waits_without_a_reason_breaks_the_engineers_promise() -> None:
    """Each such pod counts once, with the time when it was first seen."""
    measured = promises.platform({"inference/embed-1": "Tue 22:00"}, 12)
    assert measured.chances == 12
    assert measured.kept == 11
    assert measured.broken == ("Tue 22:00 inference/embed-1: no reason",)
