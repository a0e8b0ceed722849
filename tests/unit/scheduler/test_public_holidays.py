"""Public holidays: what the law of a place says, and what a site says beside it."""

from datetime import date, timedelta

import pytest

from idlewatt_scheduler.model.calendars import PublicHolidays
from idlewatt_scheduler.public_holidays import is_holiday

BAVARIA_2026 = [
    (1, 1),
    (1, 6),
    (4, 3),
    (4, 6),
    (5, 1),
    (5, 14),
    (5, 25),
    (6, 4),
    (10, 3),
    (11, 1),
    (12, 25),
    (12, 26),
]
"""As the Bavarian law lists them; Assumption is one in some municipalities only."""


def test_the_holidays_of_a_year_in_bavaria() -> None:
    """Those of all Germany and those of the subdivision, and no other day."""
    place = PublicHolidays("DE", "BY")
    every = [date(2026, 1, 1) + timedelta(days=day) for day in range(365)]
    assert [(day.month, day.day) for day in every if is_holiday(place, day)] == BAVARIA_2026


def test_a_day_in_lieu_is_a_holiday() -> None:
    """Independence Day 2026 is a Saturday: in the United States the Friday is free, too."""
    place = PublicHolidays("US")
    assert is_holiday(place, date(2026, 7, 3))
    assert is_holiday(place, date(2026, 7, 4))


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        pytest.param(PublicHolidays(), False, id="nothing said"),
        pytest.param(PublicHolidays("DE", "BY"), True, id="by law"),
        pytest.param(PublicHolidays("DE", "BE"), False, id="not in Berlin"),
        pytest.param(PublicHolidays(subdivision="BY"), False, id="of no country"),
        pytest.param(
            PublicHolidays("DE", "BY", excluded=frozenset({date(2026, 1, 6)})), False, id="excluded"
        ),
        pytest.param(PublicHolidays(additional=frozenset({date(2026, 1, 6)})), True, id="added"),
        pytest.param(
            PublicHolidays(
                additional=frozenset({date(2026, 1, 6)}), excluded=frozenset({date(2026, 1, 6)})
            ),
            False,
            id="excluded, although added",
        ),
        pytest.param(PublicHolidays("XX"), False, id="no such country"),
        pytest.param(PublicHolidays("DE", "ZZ"), False, id="no such subdivision"),
    ],
)
def test_what_a_site_says_counts_beside_the_law(place: PublicHolidays, expected: bool) -> None:  # noqa: FBT001
    """Epiphany 2026, in several places."""
    assert is_holiday(place, date(2026, 1, 6)) is expected
