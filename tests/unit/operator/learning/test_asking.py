"""The rule in floats, beside the exact one of the core; and which questions are asked."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.operator.learning.stays import a_stay

from idlewatt_operator.learning.asking import (
    Questions,
    learned_seconds,
    merged,
    on_arrival,
    pinball_seconds,
    while_there,
)
from idlewatt_operator.learning.past import columns, stated_columns
from idlewatt_scheduler.departures import after_a_stay, after_a_word

HOUR = 3_600.0


def a_question(age: float, stay: float, stated: float | None) -> Questions:
    """One question."""
    return Questions(
        stated=stated is not None,
        stay=np.array([0]),
        age_seconds=np.array([age]),
        stay_seconds=np.array([stay]),
        stated_seconds=np.array([1.0 if stated is None else stated]),
    )


points_of = st.lists(st.integers(0, 90_000), min_size=101, max_size=101).map(sorted)


@settings(max_examples=200, deadline=None)
@given(points_of, st.integers(0, 100_000), st.integers(0, 100))
def test_stays_are_answered_as_the_core_answers(points: list[int], age: int, percent: int) -> None:
    """To within a millisecond, which the core rounds away."""
    exact = after_a_stay(tuple(points), 0, percent, age * 1_000) / 1_000
    asked = a_question(age, age + 1, None)
    found = learned_seconds(np.array(points, dtype=np.float64), asked, percent)
    assert found[0] == pytest.approx(exact, abs=0.002)


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.integers(-2_000_000, 1_000_000), min_size=101, max_size=101).map(sorted),
    st.integers(0, 9_999),
    st.integers(0, 100),
)
def test_words_are_answered_as_the_core_answers(points: list[int], age: int, percent: int) -> None:
    """To within a millisecond, which the core rounds away."""
    exact = after_a_word(tuple(points), 0, 10_000_000, percent, age * 1_000) / 1_000
    asked = a_question(age, age + 1, 10_000)
    found = learned_seconds(np.array(points, dtype=np.float64), asked, percent)
    assert found[0] == pytest.approx(exact, abs=0.002)


def test_every_stay_is_asked_about_once_as_the_car_comes() -> None:
    """At age nought."""
    asked = on_arrival(columns([a_stay(0), a_stay(1)], stated=False))
    assert asked.stay.tolist() == [0, 1]
    assert asked.age_seconds.tolist() == [0, 0]


def test_while_it_stands_there_a_car_is_asked_about_by_the_clock() -> None:
    """Every full hour until it leaves, or until it was stated to leave."""
    stays = [a_stay(0, 18, 2.5), a_stay(1, 18, 0.9)]
    assert while_there(columns(stays, stated=False), HOUR).age_seconds.tolist() == [
        0, HOUR, 2 * HOUR, 0,
    ]  # fmt: skip
    said = [a_stay(0, 18, 5, stated=1.5)]
    assert while_there(stated_columns(said), HOUR).age_seconds.tolist() == [0, HOUR]


def test_a_stay_between_two_strokes_of_the_clock_is_not_asked_about() -> None:
    """It came after the one and left before the other."""
    stay = a_stay(0, 18, 0.25)
    late = replace(stay, arrived=stay.arrived.replace(minute=10))
    assert while_there(columns([late], stated=False), HOUR).stay.size == 0


def test_two_rows_of_questions_become_one_by_stay() -> None:
    """The first row's stand before the second's."""
    stays = columns([a_stay(0, 18, 1.5), a_stay(1, 18, 1.5)], stated=False)
    both = merged(on_arrival(stays), while_there(stays, HOUR))
    assert both.stay.tolist() == [0, 0, 0, 1, 1, 1]
    assert both.age_seconds.tolist() == [0, 0, HOUR, 0, 0, HOUR]


def test_a_late_answer_costs_more_than_an_early_one() -> None:
    """At 10 %: an hour too early is a tenth of an hour, an hour too late nine tenths."""
    asked = a_question(0, 10 * HOUR, None)
    assert pinball_seconds(np.array([9 * HOUR]), asked, 10).tolist() == pytest.approx([0.1 * HOUR])
    assert pinball_seconds(np.array([11 * HOUR]), asked, 10).tolist() == pytest.approx([0.9 * HOUR])
