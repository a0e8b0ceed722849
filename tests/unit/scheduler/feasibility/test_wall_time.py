"""Wall times become instants as the rules say, through both nights of a daylight saving year."""

from zoneinfo import ZoneInfo

import pytest

from idlewatt_scheduler.feasibility.wall_time import occurrences, open_window_end
from idlewatt_scheduler.model.calendars import EVERY_DAY, Interval, Recurrence
from idlewatt_scheduler.model.units import DAY, HOUR
from idlewatt_scheduler.model.vehicle import ParkingWindow
from idlewatt_scheduler.testing import a_site, a_vehicle, instant

BERLIN = ZoneInfo("Europe/Berlin")
SPRING, AUTUMN = "2026-03-29T", "2026-10-25T"
"""In spring 02:00 to 03:00 is missing, in autumn it occurs twice."""


def daily(start: str, end: str) -> Recurrence:
    """Every day between two wall times."""
    begin, finish = (int(text[:2]) * 60 + int(text[3:]) for text in (start, end))
    return Recurrence(EVERY_DAY, begin, finish)


def on_day_of(start: str, end: str, day: str) -> list[tuple[str, str]]:
    """The occurrences of a daily stretch that start on one Berlin day, in UTC."""
    noon = instant(f"{day}11:00:00Z")
    local_midnight = instant(f"{day}00:00:00+01:00") - HOUR
    return [
        (_text(each.start), _text(each.end))
        for each in occurrences(daily(start, end), BERLIN, noon, noon)
        if local_midnight <= each.start < local_midnight + DAY
    ]


def _text(moment: int) -> str:
    hours, minutes = divmod(moment % DAY // 60_000, 60)
    return f"{hours:02}:{minutes:02}"


@pytest.mark.parametrize(
    ("day", "start", "end", "expected"),
    [
        (SPRING, "01:30", "03:30", [("00:30", "01:30")]),
        (SPRING, "02:30", "04:00", [("01:30", "02:00")]),
        (SPRING, "01:00", "02:30", [("00:00", "01:30")]),
        (SPRING, "02:30", "03:15", []),
        (AUTUMN, "01:30", "02:30", [("23:30", "00:30")]),
        (AUTUMN, "02:30", "03:30", [("00:30", "02:30")]),
    ],
)
def test_daylight_saving(day: str, start: str, end: str, expected: list[tuple[str, str]]) -> None:
    """A missing time moves on by the gap, of a double one the first counts, empty is empty."""
    assert on_day_of(start, end, day) == expected


def test_a_stretch_belongs_to_the_day_on_which_it_starts() -> None:
    """A Friday night lasts into Saturday; there is no Saturday night."""
    friday = Recurrence(frozenset({4}), 22 * 60, 6 * 60)
    first = instant("2026-01-17T00:00:00+01:00")
    (night,) = occurrences(friday, BERLIN, first, first + DAY)
    assert night == Interval(first - 2 * HOUR, first + 6 * HOUR)


def end_of(*windows: tuple[str, str], at: str = "2026-01-15T22:00:00Z") -> str | None:
    """The hour and minute, in UTC, at which the daily windows open at `at` end."""
    recurrences = [daily(*window) for window in windows]
    vehicle = a_vehicle(
        windows=tuple(ParkingWindow(f"w{n}", "s", each) for n, each in enumerate(recurrences))
    )
    end = open_window_end(vehicle, a_site(name="s"), instant(at))
    return None if end is None else _text(end)


def test_windows_that_touch_or_overlap_are_one() -> None:
    """23:00 is within the first; what follows without a gap prolongs it."""
    assert end_of(("22:00", "23:30")) == "22:30"
    assert end_of(("22:00", "23:30"), ("23:30", "01:00")) == "00:00"
    assert end_of(("22:00", "23:30"), ("23:00", "00:15"), ("00:00", "02:00")) == "01:00"
    assert end_of(("22:00", "23:30"), ("23:31", "01:00")) == "22:30"
    assert end_of(("22:00", "02:00"), ("23:30", "01:00")) == "01:00"


def test_a_window_is_open_from_its_start_to_before_its_end() -> None:
    """Half-open, as every stay."""
    assert end_of(("23:00", "23:30")) == "22:30"
    assert end_of(("22:00", "23:00")) is None
    assert end_of(("23:01", "23:30")) is None


def test_nobody_looks_further_than_fourteen_days() -> None:
    """Round-the-clock parking ends at the horizon, and so does a very long holiday."""
    at = instant("2026-01-15T22:00:00Z")
    always = ParkingWindow("always", "s", Recurrence(EVERY_DAY, 0, 0))
    holiday = ParkingWindow("holiday", "s", start=at - HOUR, end=at + 100 * DAY)
    for window in (always, holiday):
        vehicle = a_vehicle(windows=(window,))
        assert open_window_end(vehicle, a_site(name="s"), at) == at + 14 * DAY
