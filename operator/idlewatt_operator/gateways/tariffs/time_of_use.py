"""A time-of-use tariff from JSON, in the form of acnportal: seasons, weekdays, hours, demand."""

import calendar
import json
from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from itertools import pairwise
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from idlewatt_operator.gateways.tariffs.series import Found, SeriesError, plain

WEEKDAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MONTHS: Final = tuple(calendar.month_abbr)[1:]
_DAYS_OF: Final[Mapping[str, tuple[str, ...]]] = {
    "WEEKDAYS": WEEKDAYS[:5],
    "WEEKENDS": WEEKDAYS[5:],
    "ALL": WEEKDAYS,
}
HOURS_OF_A_DAY: Final = 24
_NO_LEAP_YEAR: Final = 2_001


class _Schedule(BaseModel):
    """One season and kind of day."""

    model_config = ConfigDict(extra="forbid")

    id: str
    effective_start: str = Field(pattern=r"^\d\d-\d\d$")
    effective_end: str = Field(pattern=r"^\d\d-\d\d$")
    dow_mask: str
    times: list[Decimal]
    tariffs: list[Decimal]
    demand_charge: Decimal = Decimal(0)


class _Document(BaseModel):
    """The whole tariff."""

    model_config = ConfigDict(extra="forbid")

    name: str
    effective: str = ""
    link: str = ""
    schedule: list[_Schedule] = Field(min_length=1)


def is_time_of_use(text: str) -> bool:
    """Whether this is such a document, well-formed or not."""
    return text.lstrip().startswith("{") and '"schedule"' in text


def time_of_use(text: str, off_peak_at_most: Decimal | None = None) -> Found:
    """Zones by season, kind of day and hour; a demand charge for each season that has one.

    Args:
        text: the JSON.
        off_peak_at_most: the band is `OffPeak` up to this price and `Peak` above it; None: the
            document names no bands, and neither do the zones.

    Raises:
        SeriesError: it cannot be read, or a season does not begin and end with a month.
    """
    try:
        document = _Document.model_validate(json.loads(text, parse_float=Decimal))
    except json.JSONDecodeError as error:
        message = f"This is no JSON: {error.msg} in line {error.lineno}."
        raise SeriesError(message) from error
    except RecursionError as error:
        message = "This is no tariff: its JSON is nested too deeply."
        raise SeriesError(message) from error
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        message = f"{place}: {first['msg']}. A tariff has a name and a schedule of seasons."
        raise SeriesError(message) from error
    zones = [z for each in document.schedule for z in _zones(each, off_peak_at_most)]
    provenance = {"place": document.name}
    if document.effective:
        provenance["effective"] = document.effective
    if document.link:
        provenance["link"] = document.link
    return Found(
        zones=tuple(zones),
        demand_charges=tuple(_demand_charges(document.schedule)),
        provenance=provenance,
    )


def _zones(schedule: _Schedule, off_peak_at_most: Decimal | None) -> Iterator[dict[str, Any]]:
    days, months = _days(schedule), _months(schedule)
    hours = schedule.times
    if len(hours) != len(schedule.tariffs) or not hours or hours[0] != 0:
        message = f"{schedule.id}: there must be a price for each time, and the first time be 0."
        raise SeriesError(message)
    if sorted(set(hours)) != hours or hours[-1] >= HOURS_OF_A_DAY:
        message = f"{schedule.id}: the times must rise, from 0 to less than 24 hours."
        raise SeriesError(message)
    edges = pairwise([*hours, Decimal(HOURS_OF_A_DAY)])
    for (start, end), price in zip(edges, schedule.tariffs, strict=True):
        zone: dict[str, Any] = {
            "name": f"{schedule.id.lower()}-{_clock(start).replace(':', '')}",
            "days": list(days),
            "months": list(months),
            "start": _clock(start),
            "end": _clock(end % HOURS_OF_A_DAY),
        }
        if off_peak_at_most is not None:
            zone["band"] = "OffPeak" if price <= off_peak_at_most else "Peak"
        zone["pricePerKWh"] = plain(price)
        yield zone


def _demand_charges(schedules: list[_Schedule]) -> Iterator[dict[str, Any]]:
    """One charge for each price and set of months: weekdays and weekends share a month's peak."""
    days: dict[tuple[Decimal, str], set[str]] = {}
    for each in schedules:
        for month in _months(each) if each.demand_charge else ():
            days.setdefault((each.demand_charge, month), set()).update(_days(each))
    grouped: dict[tuple[Decimal, tuple[str, ...]], list[str]] = {}
    for month in MONTHS:
        for (price, held), on in days.items():
            if held == month:
                ordered = tuple(day for day in WEEKDAYS if day in on)
                grouped.setdefault((price, ordered), []).append(month)
    for number, ((price, of_week), months) in enumerate(grouped.items(), 1):
        charge: dict[str, Any] = {"name": f"demand-{number}", "pricePerKW": plain(price)}
        if of_week != WEEKDAYS:
            charge["days"] = list(of_week)
        if len(months) < len(MONTHS):
            charge["months"] = months
        yield charge


def _days(schedule: _Schedule) -> tuple[str, ...]:
    try:
        return _DAYS_OF[schedule.dow_mask]
    except KeyError as error:
        known = ", ".join(_DAYS_OF)
        message = f"{schedule.id}: '{schedule.dow_mask}' is no kind of day; known are {known}."
        raise SeriesError(message) from error


def _months(schedule: _Schedule) -> tuple[str, ...]:
    """The months of a season, which may go over the turn of the year."""
    (first, begins), (last, ends) = (
        map(int, text.split("-")) for text in (schedule.effective_start, schedule.effective_end)
    )
    try:
        whole = begins == 1 and ends == calendar.monthrange(_NO_LEAP_YEAR, last)[1]
        date(_NO_LEAP_YEAR, first, begins)
    except (ValueError, calendar.IllegalMonthError):
        whole = False
    if not whole:
        message = (
            f"{schedule.id}: a season from {schedule.effective_start} to {schedule.effective_end} "
            "does not begin and end with a month; zones know whole months."
        )
        raise SeriesError(message)
    count = (last - first) % 12 + 1
    return tuple(sorted((MONTHS[(first - 1 + n) % 12] for n in range(count)), key=MONTHS.index))


def _clock(hours: Decimal) -> str:
    minutes = hours * 60
    if minutes % 1:
        message = f"{hours} hours is no whole minute."
        raise SeriesError(message)
    return f"{int(minutes) // 60:02d}:{int(minutes) % 60:02d}"
