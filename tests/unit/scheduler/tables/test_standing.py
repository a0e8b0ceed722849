"""Where one more pod of a spread template may still go."""

import numpy as np

from idlewatt_scheduler.tables.layout import Spreads
from idlewatt_scheduler.tables.standing import Standing, incomplete


def a_group(*, floor_is_zero: bool = False) -> Spreads:
    """Three domains of a vehicle each, and a vehicle in none; template 0 is subject, 1 counted."""
    return Spreads(
        subject=np.array([[True, False]]),
        counted=np.array([[True, True]]),
        domain=np.array([[0, 1, 2, -1]], np.int32),
        first=np.array([0, 3], np.int64),
        running=np.array([1, 0, 0], np.int64),
        skew=np.array([1], np.int64),
        floor_is_zero=np.array([floor_is_zero]),
    )


def test_no_domain_may_be_ahead_of_the_emptiest_by_more_than_the_skew() -> None:
    """The first has one more already; who has to be spread goes nowhere without the key."""
    assert Standing(a_group(), []).keeps_away(0).tolist() == [True, False, False, True]


def test_pods_that_are_counted_alone_keep_to_no_skew_but_to_that_of_others() -> None:
    """Once a pod with the constraint stands in the second domain, that may not run ahead."""
    assert Standing(a_group(), []).keeps_away(1).tolist() == [False] * 4
    stands = [(1, 0, 1)]
    assert Standing(a_group(), stands).keeps_away(1).tolist() == [False, True, False, False]


def test_one_more_in_the_emptiest_domain_raises_the_least() -> None:
    """With one in each of the others, the third makes room for a second everywhere."""
    stands = [(1, 0, 1), (2, 0, 1)]
    assert Standing(a_group(), stands).keeps_away(0).tolist() == [False, False, False, True]


def test_with_too_few_domains_the_least_is_nought() -> None:
    """So that no domain may hold more than the skew."""
    stands = [(1, 0, 1), (2, 0, 1)]
    found = Standing(a_group(floor_is_zero=True), stands)
    assert found.keeps_away(0).tolist() == [True, True, True, True]


def test_a_gang_is_incomplete_until_enough_of_all_its_templates_are_placed() -> None:
    """Templates without a gang never are."""
    gang, needs = np.array([0, -1, 0], np.int32), np.array([3], np.int64)
    assert incomplete(gang, needs, np.array([1, 0, 1])).tolist() == [True, False, True]
    assert incomplete(gang, needs, np.array([1, 0, 2])).tolist() == [False, False, False]
