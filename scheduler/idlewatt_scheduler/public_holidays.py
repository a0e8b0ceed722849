"""Public holidays: which local days are one, by country and subdivision, and by a site's own list.

What the law of a country says is the package `holidays`' to know, days in lieu included. It is
asked once for each country, subdivision and year.
"""

from datetime import date
from functools import lru_cache

from holidays import country_holidays

from idlewatt_scheduler.model.calendars import PublicHolidays


def is_holiday(place: PublicHolidays, day: date) -> bool:
    """Whether a local day is a public holiday; where nothing is said of a place, none is."""
    if day in place.excluded:
        return False
    if day in place.additional:
        return True
    return place.country is not None and day in _by_law(place.country, place.subdivision, day.year)


@lru_cache(maxsize=4_096)
def _by_law(country: str, subdivision: str | None, year: int) -> frozenset[date]:
    """The holidays of a year; none where the place is not known: resources are refused for that."""
    try:
        return frozenset(country_holidays(country, subdiv=subdivision, years=year, expand=False))
    except NotImplementedError:
        return frozenset()
