"""Promises are kept or broken by what happened; each definition has its nearest two cases."""

from dataclasses import replace
from datetime import date

import pytest

from idlewatt_operator.twin import promises
from idlewatt_operator.twin.homes import a_night
from idlewatt_operator.twin.journal import Departure, Draw
from idlewatt_operator.twin.kubelet import EndedBy, Run
from idlewatt_operator.twin.loads import Loads, loads_of
from idlewatt_operator.twin.scenario import Curtailment, Scenario
from idlewatt_scheduler.model.units import HOUR, MINUTE


@pytest.fixture(name="scenario", scope="module")
def a_scenario() -> Scenario:
    """Make a small night; only its vehicles and circuits matter here."""
    return a_night(date(2022, 7, 12), 6, 9, 1)


def test_a_charge_point_that_failed_counts_apart(scenario: Scenario) -> None:
    """It is said, and is no promise of ours; containers that still ran are one all the same."""
    failed = replace(a_departure(scenario, 60, 100), charger_failed=True)
    measured = promises.owner([failed], scenario)
    assert (measured.times, len(measured.apart)) == (0, 1)
    assert "since its charge point had failed" in measured.apart[0]
    cut_off = replace(failed, cut_off=(a_run(EndedBy.CAR),))
    measured = promises.owner([cut_off], scenario)
    assert (measured.times, len(measured.apart)) == (1, 0)


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


def loaded(
    scenario: Scenario, charging_watts: float, pods_watts: int, length: int, **given: int
) -> Loads:
    """Make the loads of one draw from the start on, on row-a of garage-1; the pods can be shed."""
    start, pods = scenario.start, pods_watts * 1_000
    given.setdefault("sheddable", pods)
    draw = Draw(
        start, start + length, "garage-1", "row-a", charging_watts, pods, pods, given["sheddable"]
    )
    return loads_of(scenario, [draw])


def test_a_minute_over_the_limit_breaks_the_grids_promise(scenario: Scenario) -> None:
    """34.6 kW is the row's limit: 34.7 with pods in it is a breach, 34.6 is none."""
    nothing = loads_of(scenario, [])
    over, _, _ = promises.grid(loaded(scenario, 34_000, 700, 3 * MINUTE), nothing)
    at, _, _ = promises.grid(loaded(scenario, 34_000, 600, 3 * MINUTE), nothing)
    assert over.times == 3
    assert over.broken == ("Tue 15:00 garage-1/row-a: 34.7 of 34.6 kW for 3 min, 0.7 of them ours",)
    assert (at.times, at.broken) == (0, ())


def test_an_interval_is_a_minute(scenario: Scenario) -> None:
    """Six seconds over the limit in a quiet minute are not a measured interval above it."""
    loads = loaded(scenario, 34_000, 5_000, MINUTE // 10)
    measured, _, _ = promises.grid(loads, loads_of(scenario, []))
    assert measured.times == 0
    assert measured.chances == 3 * 20 * 60


def test_what_we_could_not_have_shed_is_counted_apart(scenario: Scenario) -> None:
    """Others' charging above a limit is no breach of ours, and is said all the same."""
    loads = loaded(scenario, 40_000, 0, HOUR)
    measured, alone, unshed = promises.grid(loads, loads)
    assert measured.broken == ()
    assert (alone, unshed) == (60, 60)


def test_a_grace_that_is_being_used_is_counted_apart(scenario: Scenario) -> None:
    """Pods that were told to leave draw until they have ended; nothing sheds them any sooner."""
    loads = loaded(scenario, 34_000, 5_000, 2 * MINUTE, sheddable=0)
    measured, _, unshed = promises.grid(loads, loads_of(scenario, []))
    assert (measured.times, unshed) == (0, 2)


def test_charging_that_follows_our_profile_is_ours(scenario: Scenario) -> None:
    """Where the charge points do as we say, charging alone can break the promise."""
    loads = loaded(scenario, 40_000, 0, MINUTE, sheddable=40_000_000)
    measured, _, unshed = promises.grid(loads, loads_of(scenario, []))
    assert (measured.times, unshed) == (1, 0)


def test_a_curtailment_counts_from_five_seconds_after_it(scenario: Scenario) -> None:
    """The minute in which it begins has the old limit, those that lie in it have its own."""
    begin = scenario.start + 10 * MINUTE
    cut = Curtailment("garage-1", "row-a", 5_000, begin, 10 * MINUTE)
    curtailed = replace(scenario, curtailments=(cut,))
    load = loads_of(curtailed, []).circuits["garage-1", "row-a"]
    assert load.limit[9:12] == [34_600, 34_600, 5_000]
    assert load.limit[19:21] == [5_000, 34_600]


def test_the_load_of_a_row_loads_the_main_too(scenario: Scenario) -> None:
    """The main circuit carries its rows and the house."""
    main = loaded(scenario, 10_000, 0, MINUTE).circuits["garage-1", "main"]
    house = scenario.house_watts["garage-1"][15]
    assert main.total(0) == pytest.approx(10_000 + house)
    assert main.total(1) == pytest.approx(house)


def test_a_pod_that_waits_without_a_reason_breaks_the_engineers_promise() -> None:
    """Each such pod counts once, with the time when it was first seen."""
    measured = promises.platform({"inference/embed-1": "Tue 22:00"}, 12)
    assert measured.chances == 12
    assert measured.kept == 11
    assert measured.broken == ("Tue 22:00 inference/embed-1: no reason",)
