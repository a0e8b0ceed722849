"""Public holidays: what only the package that knows them can refuse."""

from datetime import date

import pytest
from pydantic import ValidationError

from idlewatt_operator.resources.calendars import PublicHolidays
from idlewatt_operator.resources.errors import mistakes


def told(**fields: object) -> list[str]:
    """The sentences about public holidays that are refused."""
    with pytest.raises(ValidationError) as refused:
        PublicHolidays.model_validate(fields)
    return [str(each) for each in mistakes(refused.value, PublicHolidays)]


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"country": "DE"},
        {"country": "DE", "subdivision": "BY"},
        {"country": "NO"},
        {"additional": ["2026-12-24"]},
    ],
)
def test_what_is_known_is_taken(fields: dict[str, object]) -> None:
    """A country with or without a part of it, and days of one's own."""
    assert PublicHolidays.model_validate(fields).additional in {(), (date(2026, 12, 24),)}


def test_a_country_whose_holidays_nobody_knows_is_refused() -> None:
    """With a way around it."""
    (sentence,) = told(country="XX")
    assert sentence.startswith("country: the public holidays of 'XX' are not known")
    assert "list the days in additional" in sentence


def test_a_part_of_another_country_is_refused() -> None:
    """With the parts there are."""
    (sentence,) = told(country="DE", subdivision="TX")
    assert sentence.startswith("subdivision: 'DE' has no subdivision 'TX'")
    assert "BY" in sentence
    assert "leave subdivision out" in told(country="SE", subdivision="AB")[0]
