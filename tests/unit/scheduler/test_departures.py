"""Learned departures: which entry counts, and what it says while the car still stands there."""

from dataclasses import replace
from datetime import UTC, datetime
from fractions import Fraction

import pytest
from tests.unit.scheduler.scenes import a_candidate, a_fleet, vehicle

from idlewatt_scheduler.candidates import assemble
from idlewatt_scheduler.departures import (
    LearnedDepartures,
    after_a_stay,
    after_a_word,
    learned_departures,
    quantile,
    share_below,
)
from idlewatt_scheduler.model.departures import DepartureModel, DepartureQuantiles
from idlewatt_scheduler.model.units import HOUR, MINUTE
from idlewatt_scheduler.model.vehicle import DepartureSource
from idlewatt_scheduler.testing import AT, a_policy, a_site, a_vehicle

STAYS = tuple(range(0, 101 * 360, 360))
"""From nothing to ten hours, each length as likely as every other."""
WORDS = tuple(range(0, 1_000_001, 10_000))
"""From as stated to never, as likely."""
SINCE = AT - 5 * HOUR


def learned(*entries: DepartureQuantiles) -> LearnedDepartures:
    """An index of these entries."""
    return learned_departures(DepartureModel(entries))


def entry(*, stated: bool = False, marked: int = 0, **keys: str | int) -> DepartureQuantiles:
    """An entry whose every quantile is `marked`, for these keys."""
    return DepartureQuantiles(stated, (marked,) * 101, **keys)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("value", "share"),
    [(-1, 0), (0, 0), (180, Fraction(1, 2)), (360, 1), (35_990, Fraction(3_599, 36)), (36_000, 100),
     (36_001, 100)],
)  # fmt: skip
def test_the_share_below_a_value_is_linear_between_percentages(value: int, share: Fraction) -> None:
    """Nothing lies below the first quantile, everything below what is beyond the last."""
    assert share_below(STAYS, Fraction(value)) == share


def test_where_quantiles_are_equal_the_least_percentage_counts() -> None:
    """A tenth of all stays that last an hour sharp has not passed when the hour strikes."""
    points = tuple([0] * 10 + [3_600] * 10 + [7_200] * 81)
    assert share_below(points, Fraction(3_600)) == 10
    assert share_below(points, Fraction(3_601)) == 19 + Fraction(1, 3_600)


def test_quantiles_are_linear_between_whole_percentages() -> None:
    """From the first to the last one, these included."""
    assert [quantile(STAYS, Fraction(p)) for p in ("0", "0.5", "99.75", "100")] == [
        0, 180, 35_910, 36_000,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("hours_stayed", "departs_after"),
    [
        pytest.param(0, HOUR, id="a tenth of ten hours"),
        pytest.param(5, 5 * HOUR + 30 * MINUTE, id="a tenth of the five that are left"),
        pytest.param(10, 10 * HOUR, id="nobody stayed longer"),
        pytest.param(11, 11 * HOUR, id="longer than anybody"),
    ],
)
def test_a_stay_that_has_lasted_is_judged_by_those_that_lasted_as_long(
    hours_stayed: int, departs_after: int
) -> None:
    """At 10 % a tenth of the cars that are still there leave before what is learned."""
    at = AT + hours_stayed * HOUR
    assert after_a_stay(STAYS, AT, 10, at) == AT + departs_after


@pytest.mark.parametrize(
    ("hours_stayed", "departs_after"),
    [
        pytest.param(0, HOUR, id="nine of ten hours early"),
        pytest.param(5, 5 * HOUR + 30 * MINUTE, id="nine tenths of what is left"),
        pytest.param(9, 9 * HOUR + 6 * MINUTE, id="the same an hour before"),
    ],
)
def test_who_is_still_there_cannot_leave_earlier_than_now(
    hours_stayed: int, departs_after: int
) -> None:
    """Of the stated ten hours the same share is lost by all: what has passed is ruled out."""
    at = AT + hours_stayed * HOUR
    assert after_a_word(WORDS, AT, AT + 10 * HOUR, 10, at) == AT + departs_after


def test_a_stated_departure_is_never_put_off() -> None:
    """People who leave later than they say do not make anybody leave later."""
    late = tuple(point - 2_000_000 for point in WORDS)
    assert after_a_word(late, AT, AT + HOUR, 1, AT) == AT + HOUR


def test_nothing_is_known_of_an_hour_by_which_everybody_had_left() -> None:
    """Where all left an hour early at least, the last hour is nobody's."""
    early = tuple(100_000 + point // 2 for point in WORDS)
    assert after_a_word(early, AT, AT + 10 * HOUR, 10, AT + 9 * HOUR) == AT + 9 * HOUR


def test_fractions_of_a_millisecond_are_rounded_to_the_careful_side() -> None:
    """Both learned departures are the earlier of the two milliseconds."""
    assert after_a_stay(STAYS, AT, 1, AT + 1) == AT + 360_000
    assert after_a_word(WORDS, AT, AT + 1_001, 1, AT) == AT + 10


ALL_KEYS = [
    {"vehicle": v, "site": s, "hour": h, "weekday": w}
    for v in ("v-1", None)
    for s in ("depot-7", None)
    for h in (18, None)
    for w in (3, None)
]


@pytest.mark.parametrize("first", range(len(ALL_KEYS)))
def test_the_vehicle_tells_more_than_the_site_and_that_more_than_the_hour(first: int) -> None:
    """Of all entries that agree, whatever their order, the one that tells the most counts."""
    entries = [entry(marked=n, **keys) for n, keys in enumerate(ALL_KEYS)]  # type: ignore[arg-type]
    found = learned(*reversed(entries[first:])).entry(
        stated=False, vehicle="v-1", site="depot-7", arrived=datetime(2026, 1, 15, 18, tzinfo=UTC)
    )
    assert found is not None
    assert found.points[0] == first


@pytest.mark.parametrize(
    "other",
    [{"vehicle": "v-2"}, {"site": "depot-8"}, {"hour": 19}, {"weekday": 4}, {"stated": True}],
)
def test_an_entry_of_something_else_says_nothing(other: dict[str, str | int]) -> None:
    """Every key that is given has to agree, and words are not stays."""
    index = learned(entry(**other))  # type: ignore[arg-type]
    arrived = datetime(2026, 1, 15, 18, tzinfo=UTC)
    assert index.entry(stated=False, vehicle="v-1", site="depot-7", arrived=arrived) is None


def test_of_entries_with_the_same_keys_the_first_counts() -> None:
    """As written, without adding them up."""
    index = learned(entry(marked=1, site="depot-7"), entry(marked=2, site="depot-7"))
    arrived = datetime(2026, 1, 15, 18, tzinfo=UTC)
    found = index.entry(stated=False, vehicle="v-1", site="depot-7", arrived=arrived)
    assert found is not None
    assert found.points[0] == 1


BOTH = (
    DepartureQuantiles(stated=True, points=WORDS),
    DepartureQuantiles(stated=False, points=STAYS),
)


@pytest.mark.parametrize(
    ("expected", "source", "departure"),
    [
        pytest.param(None, None, AT + 30 * MINUTE, id="nobody said: of the stays"),
        pytest.param(
            AT + 5 * HOUR,
            DepartureSource.PARKING_WINDOW,
            AT + 30 * MINUTE,
            id="only the window did",
        ),
        pytest.param(AT + 5 * HOUR, DepartureSource.OWNER, AT + 30 * MINUTE, id="the owner did"),
        pytest.param(AT + HOUR, DepartureSource.CHARGER, AT + 6 * MINUTE, id="the charger did"),
        pytest.param(AT + HOUR, None, AT + 6 * MINUTE, id="somebody did"),
        pytest.param(AT + HOUR, DepartureSource.LEARNED, None, id="somebody learned it already"),
        pytest.param(AT, DepartureSource.OWNER, None, id="it should have left"),
        pytest.param(AT, DepartureSource.PARKING_WINDOW, None, id="its window has closed"),
    ],
)
def test_who_said_it_decides_what_is_learned(
    expected: int | None, source: DepartureSource | None, departure: int | None
) -> None:
    """Words are judged by words and stays by stays; nothing is learned twice."""
    parked = a_vehicle(observed__departure_expected_at=expected, observed__departure_source=source)
    assert learned(*BOTH).departure(parked, a_site(), 10, AT) == departure


@pytest.mark.parametrize("since", [None, AT + 1])
def test_nothing_is_learned_of_a_stay_whose_beginning_nobody_saw(since: int | None) -> None:
    """Without `parking.since`, or with one that is still to come."""
    parked = a_vehicle(observed__parking__since=since)
    assert learned(*BOTH).departure(parked, a_site(), 10, AT) is None


def test_the_hour_is_that_of_the_arrival_on_the_sites_clocks() -> None:
    """Parked at 17:00 UTC: at six in Berlin, at five in London."""
    berlin = learned(DepartureQuantiles(stated=False, points=STAYS, hour=18, weekday=3))
    assert berlin.departure(a_vehicle(), a_site(), 10, AT) == AT + 30 * MINUTE
    london = replace(a_site(), time_zone=UTC)
    assert berlin.departure(a_vehicle(), london, 10, AT) is None


def test_a_car_is_charged_by_what_was_learned_when_it_came() -> None:
    """The learned departure recedes while it stays, and charging must not recede with it."""
    index = learned(*BOTH)
    assert index.charge_by(a_vehicle(), a_site(), 10, AT + 8 * HOUR) == SINCE + HOUR
    assert index.charge_by(a_vehicle(), a_site(), 10, SINCE) == SINCE
    assert learned().charge_by(a_vehicle(), a_site(), 10, AT + HOUR) == AT + HOUR


def test_a_plan_reckons_with_the_learned_departure() -> None:
    """With a model and the policy's probability; without a model with the window alone."""
    chosen = {"policy": a_policy(miss_probability_percent=10)}
    plain = a_candidate(**chosen).parked
    with_model = a_candidate(departures=DepartureModel(BOTH), **chosen).parked
    assert plain is not None
    assert with_model is not None
    assert (plain.departure, plain.charge_by) == (AT + 8 * HOUR, AT + 8 * HOUR)
    assert (with_model.departure, with_model.charge_by) == (AT + 30 * MINUTE, SINCE + HOUR)


def test_what_was_learned_does_not_outlast_its_model() -> None:
    """A minute later, with the very same vehicle: the model is gone, or has come."""
    policy = a_policy(miss_probability_percent=10)
    learned_once = a_fleet(policy=policy, departures=DepartureModel(BOTH)).snapshot
    plain = replace(learned_once, departures=None, at=learned_once.at + MINUTE)
    again = replace(learned_once, at=learned_once.at + 2 * MINUTE)
    departures = []
    for snapshot in (learned_once, plain, again):
        parked = assemble(snapshot).candidates[0].parked
        assert parked is not None
        assert parked.departure is not None
        departures.append(parked.departure)
    assert departures[1] == AT + 8 * HOUR
    assert AT < departures[0] < departures[2] < AT + HOUR


def test_a_learned_departure_opens_no_window() -> None:
    """Where the owner expects no car to stand, none departs."""
    parked = a_candidate(departures=DepartureModel(BOTH), **vehicle(windows=())).parked
    assert parked is not None
    assert (parked.departure, parked.charge_by) == (None, None)
