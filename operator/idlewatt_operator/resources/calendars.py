"""Days: weekdays, months, dates and public holidays, as windows, zones and charges name them."""

from collections.abc import Iterator
from typing import Annotated, ClassVar, Final, Literal, Self, TypeAlias

import holidays
from pydantic import Field, model_validator

from idlewatt_operator.resources.base import ListSet, Location, Part, Rule, refuse
from idlewatt_operator.resources.fields import Country, Date, Subdivision

Weekday: TypeAlias = Literal["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
Month: TypeAlias = Literal[
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"
]
OnHolidays: TypeAlias = Literal["AsUsual", "Never", "Only", "Always"]

Days: TypeAlias = Annotated[tuple[Weekday, ...], Field(min_length=1, max_length=7), ListSet()]
"""Weekdays; a stretch that runs over midnight belongs to the day on which it starts."""

Months: TypeAlias = Annotated[tuple[Month, ...], Field(min_length=1, max_length=12), ListSet()]
"""Months; a stretch that runs into the next one belongs to the month in which it starts."""

Dates: TypeAlias = Annotated[tuple[Date, ...], Field(max_length=128), ListSet()]
"""Local days."""

_UNKNOWN_COUNTRY: Final = (
    "the public holidays of '{}' are not known: write the ISO 3166-1 code of a country, such as "
    "DE, or leave country out and list the days in additional"
)
_UNKNOWN_SUBDIVISION: Final = (
    "'{}' has no subdivision '{}' with public holidays of its own; write one of {}"
)
_NO_SUBDIVISIONS: Final = (
    "no part of '{}' has public holidays of its own that are known: leave subdivision out"
)


class PublicHolidays(Part):
    """Which days are public holidays; a country's own ones come from the package `holidays`."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            cel="!has(self.subdivision) || has(self.country)",
            message="a subdivision is a part of a country: give country, too",
            holds=lambda days: days.subdivision is None or days.country is not None,
            field="subdivision",
        ),
    )

    country: Country | None = None
    """ISO 3166-1 code of two letters; without one, only the days in `additional` are holidays."""
    subdivision: Subdivision | None = None
    """The part of the country, by its ISO 3166-2 code without the country, such as BY."""
    additional: Dates = ()
    """Days that are holidays here although the country has none."""
    excluded: Dates = ()
    """Days that are not holidays here although the country has one."""

    @model_validator(mode="after")
    def _keep_to_what_is_known(self) -> Self:
        refuse("publicHolidays", self._unknown())
        return self

    def _unknown(self) -> Iterator[tuple[Location, str]]:
        if self.country is None:
            return
        if self.country not in holidays.list_supported_countries(include_aliases=False):
            yield ("country",), _UNKNOWN_COUNTRY.format(self.country)
            return
        parts = holidays.country_holidays(self.country).subdivisions
        if self.subdivision is None or self.subdivision in parts:
            return
        known = _UNKNOWN_SUBDIVISION.format(self.country, self.subdivision, ", ".join(parts))
        yield ("subdivision",), known if parts else _NO_SUBDIVISIONS.format(self.country)
