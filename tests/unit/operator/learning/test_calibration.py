"""Checks on stays that taught nothing: a true model passes, an eager one is found out."""

from functools import cache

import pytest
from tests.unit.operator.learning.stays import nights, words

from idlewatt_operator.learning.calibration import CURVE_PERCENTS, check
from idlewatt_operator.learning.fit import fit
from idlewatt_operator.learning.learned import learned
from idlewatt_operator.learning.past import stated_columns, stay_columns
from idlewatt_operator.resources.departures import to_model
from idlewatt_scheduler.model.departures import DepartureModel, DepartureQuantiles

TAUGHT = [*nights(4_000, 21), *words(4_000, 22)]
OTHERS = [*nights(4_000, 23), *words(4_000, 24)]


@cache
def model() -> DepartureModel:
    """What `TAUGHT` teaches."""
    fits = [fit(stated_columns(TAUGHT)), fit(stay_columns(TAUGHT))]
    return to_model(learned(fits, TAUGHT, "", "", 240_000).entries)


@pytest.mark.parametrize("stated", [True, False])
def test_promises_hold_on_stays_of_the_same_kind(*, stated: bool) -> None:
    """As they come and while they stand there, within what chance does to 4,000 stays, twice."""
    columns = stated_columns(OTHERS) if stated else stay_columns(OTHERS)
    arriving, standing = check(model(), columns)
    assert (arriving.arriving, standing.arriving) == (True, False)
    for answer in arriving.learned:
        chance = 3 * 100 * (2 * answer.percent / 100 * (1 - answer.percent / 100) / 4_000) ** 0.5
        assert answer.missed_percent == pytest.approx(answer.percent, abs=chance)
    for answer in standing.learned:
        assert answer.missed_percent == pytest.approx(answer.percent, abs=answer.percent / 3 + 1)
    assert len(arriving.curve) == len(CURVE_PERCENTS)
    assert list(arriving.curve) == sorted(arriving.curve)


def test_hours_of_the_day_answer_sharper_than_one_for_all() -> None:
    """Where they differ."""
    arriving, _ = check(model(), stay_columns(OTHERS))
    losses = zip(arriving.learned, arriving.pooled, strict=True)
    assert all(ours.pinball_hours < theirs.pinball_hours for ours, theirs in losses)


def test_a_stated_departure_itself_is_the_plain_answer() -> None:
    """It is missed by all who leave early, here all of them, at whatever probability."""
    arriving, _ = check(model(), stated_columns(OTHERS))
    assert [answer.missed_percent for answer in arriving.plain] == [100] * 4
    assert check(model(), stay_columns(OTHERS))[0].plain == ()


def test_an_eager_model_is_found_out() -> None:
    """One that believes in stays of a week misses all departures."""
    eager = DepartureModel((DepartureQuantiles(stated=False, points=(7 * 86_400,) * 101),))
    arriving, _ = check(eager, stay_columns(OTHERS))
    assert arriving.learned[0].missed_percent == 100
    assert arriving.learned[0].spare_hours == 0


def test_what_was_not_learned_is_not_checked() -> None:
    """A model of stays says nothing of words."""
    stays_only = DepartureModel((DepartureQuantiles(stated=False, points=(60,) * 101),))
    assert check(stays_only, stated_columns(OTHERS)) == ()
