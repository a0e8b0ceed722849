"""Stays as columns: which values they have, and which of them teach what."""

import numpy as np
from tests.unit.operator.learning.stays import a_stay

from idlewatt_operator.learning.past import (
    ENOUGH_UNSTATED,
    columns,
    stated_columns,
    stay_columns,
    unstated_columns,
)


def test_what_was_lost_of_a_stated_stay_is_counted_in_millionths_of_it() -> None:
    """Eight hours stated and six stayed: a quarter is lost; ten stayed: less than nothing."""
    found = stated_columns([a_stay(0, hours=6, stated=8), a_stay(1, hours=10, stated=8)])
    assert found.values.tolist() == [250_000, -250_000]
    assert found.stated_seconds.tolist() == [28_800, 28_800]


def test_columns_are_in_order_of_arrival_and_on_the_sites_clock() -> None:
    """Whatever the order of the file."""
    found = columns([a_stay(6, 23), a_stay(0, 7, site="a", vehicle="v-1")], stated=False)
    assert [row.site for row in found.rows] == ["a", "depot-7"]
    assert found.hour.tolist() == [7, 23]
    assert found.weekday.tolist() == [0, 6]
    assert found.vehicle.tolist() == [0, -1]


def test_a_part_of_the_columns_keeps_every_column() -> None:
    """By flags, and by numbers of rows in another order."""
    found = columns([a_stay(day, hours=day + 1) for day in range(3)], stated=False)
    assert found.where(np.array([True, False, True])).values.tolist() == [3_600, 10_800]
    assert found.where(np.array([2, 0])).weekday.tolist() == [2, 0]


def test_lengths_of_stays_are_learned_where_nothing_was_stated() -> None:
    """From these alone where there are enough of them, from all where there are few."""
    stated = [a_stay(hours=8, stated=8)] * 5
    unstated = [a_stay(hours=2)] * ENOUGH_UNSTATED
    assert len(stay_columns([*stated, *unstated])) == ENOUGH_UNSTATED
    assert len(stay_columns([*stated, *unstated[1:]])) == ENOUGH_UNSTATED - 1 + 5
    assert len(unstated_columns([*stated, *unstated])) == ENOUGH_UNSTATED
