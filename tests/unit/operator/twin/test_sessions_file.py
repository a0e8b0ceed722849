"""Somebody's own sessions: what is right is read as it stands, what is wrong is told by line."""

from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from idlewatt_operator.twin.own import a_play
from idlewatt_operator.twin.sessions_file import SessionsError, parse, read
from idlewatt_scheduler.calendar import instant_of
from idlewatt_scheduler.model.units import HOUR, MINUTE

BERLIN = ZoneInfo("Europe/Berlin")
TEXAS = ZoneInfo("America/Chicago")
HEADER = "vehicle,arrival,departure"


def a_file(folder: Path, *lines: str) -> Path:
    """Write a CSV file of these lines."""
    path = folder / "sessions.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def mistakes(folder: Path, *lines: str) -> list[str]:
    """Give the mistakes in a file of these lines, without the file's name."""
    path = a_file(folder, *lines)
    with pytest.raises(SessionsError) as caught:
        read(path, TEXAS)
    return [each.replace(str(path), "FILE") for each in caught.value.mistakes]


def test_the_least_file_is_read(tmp_path: Path) -> None:
    """Three columns are enough; wall times are the default zone's."""
    path = a_file(tmp_path, HEADER, "red,2026-01-15T18:04,2026-01-16T07:30", "")
    sessions = read(path, TEXAS)
    (row,) = sessions.rows
    assert row.vehicle == "red"
    assert row.leaves_at - row.arrives_at == 13 * HOUR + 26 * MINUTE
    assert row.arrives_at == instant_of(datetime(2026, 1, 15, 18, 4, tzinfo=TEXAS))
    assert (row.stated_leave_at, row.energy_kwh, row.capacity_kwh) == (None, None, None)
    assert sessions.zone == TEXAS


def test_what_is_not_played_may_be_of_any_length(tmp_path: Path) -> None:
    """Learning of departures reads months, and the site of each row; overlaps are still told."""
    lines = [f"{HEADER},site", "a,2026-01-15T18:00,2026-01-16T07:00,depot-7"]
    text = "\n".join([*lines, "a,2026-07-15T18:00,2026-07-16T07:00,"])
    rows = parse(text, tmp_path, BERLIN, played=False).rows
    assert [row.site for row in rows] == ["depot-7", None]
    with pytest.raises(SessionsError, match="at most 7 are played at once"):
        parse(text, tmp_path, BERLIN, played=True)
    twice = "\n".join([*lines, "a,2026-01-16T06:00,2026-01-16T09:00,"])
    with pytest.raises(SessionsError, match="arrives before it left"):
        parse(twice, tmp_path, BERLIN, played=False)


def test_every_column_is_read(tmp_path: Path) -> None:
    """Numbers, a stated departure and a time zone."""
    path = a_file(
        tmp_path,
        f"{HEADER},stated_departure,energy_kwh,charge_power_kw,capacity_kwh,arrival_percent,time_zone",
        "a,2026-01-15T18:00,2026-01-16T07:00,2026-01-16T08:00,12.5,7.4,60,35,Europe/Berlin",
    )
    sessions = read(path, TEXAS)
    (row,) = sessions.rows
    assert sessions.zone == BERLIN
    assert row.leaves_at - row.arrives_at == 13 * HOUR
    assert row.stated_leave_at == row.leaves_at + HOUR
    assert (row.energy_kwh, row.charge_power_kw, row.capacity_kwh) == (12.5, 7.4, 60)
    assert row.arrival_percent == 35


def test_a_time_with_an_offset_is_taken_as_it_is(tmp_path: Path) -> None:
    """An offset outranks the zone."""
    path = a_file(tmp_path, HEADER, "a,2026-01-15T18:00:00+01:00,2026-01-15T23:00:00Z")
    (row,) = read(path, TEXAS).rows
    assert row.leaves_at - row.arrives_at == 6 * HOUR
    assert row.arrives_at == instant_of(datetime(2026, 1, 15, 17, tzinfo=UTC))


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        ("a,yesterday,2026-01-16T07:00", "arrival 'yesterday' is not a time"),
        ("a,,2026-01-16T07:00", "there is no arrival"),
        (",2026-01-15T18:00,2026-01-16T07:00", "there is no vehicle"),
        ("a,2026-01-16T07:00,2026-01-15T18:00", "departure is not after arrival"),
        ("a,2026-01-15T18:00,2026-01-15T18:00", "departure is not after arrival"),
        ("a,2026-01-15T18:00", "2 fields where the header has 3"),
    ],
)
def test_a_bad_row_is_told_with_its_line(tmp_path: Path, row: str, sentence: str) -> None:
    """The sentence names the line and what is wrong there."""
    (mistake,) = mistakes(tmp_path, HEADER, "b,2026-01-15T18:00,2026-01-16T07:00", row)
    assert mistake.startswith("FILE, line 3: ")
    assert sentence in mistake


@pytest.mark.parametrize(
    ("column", "cell", "sentence"),
    [
        ("energy_kwh", "much", "energy_kwh 'much' is not a number"),
        ("energy_kwh", "-1", "is not between 0 and 500"),
        ("energy_kwh", "nan", "is not between 0 and 500"),
        ("charge_power_kw", "0", "is not between 0.1 and 500"),
        ("capacity_kwh", "60000", "is not between 1 and 1000"),
        ("arrival_percent", "101", "is not between 0 and 100"),
        ("stated_departure", "2026-01-15T17:00", "stated_departure is not after arrival"),
        ("time_zone", "Mars/Olympus", "time_zone 'Mars/Olympus' is not known"),
        ("time_zone", "../../etc", "is not known"),
    ],
)
def test_a_bad_cell_is_told(tmp_path: Path, column: str, cell: str, sentence: str) -> None:
    """Each optional column has its limits."""
    row = f"a,2026-01-15T18:00,2026-01-16T07:00,{cell}"
    (mistake,) = mistakes(tmp_path, f"{HEADER},{column}", row)
    assert sentence in mistake


@pytest.mark.parametrize(
    ("header", "sentence"),
    [
        ("vehicle,arrival", "the header lacks departure"),
        ("vehicle,arrival,departure,colour", "the header has 'colour', which nobody knows"),
        ("vehicle,arrival,departure,arrival", "the header has arrival more than once"),
        ("", "the header lacks vehicle, arrival, departure"),
    ],
)
def test_a_bad_header_is_told(tmp_path: Path, header: str, sentence: str) -> None:
    """Without its columns no row can be read."""
    (mistake,) = mistakes(tmp_path, header, "a,b,c")
    assert sentence in mistake


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    """Two bad rows are two sentences; beyond twenty the rest is counted."""
    assert len(mistakes(tmp_path, HEADER, "a,x,y", "b,x,2026-01-16T07:00")) == 3
    many = mistakes(tmp_path, HEADER, *["a,x,2026-01-16T07:00"] * 30)
    assert (len(many), many[-1]) == (21, "and 10 more")


def test_a_car_is_in_one_place_at_a_time(tmp_path: Path) -> None:
    """Two stays of a vehicle that overlap are refused, whatever their order in the file."""
    (mistake,) = mistakes(
        tmp_path,
        HEADER,
        "a,2026-01-15T22:00,2026-01-16T07:00",
        "a,2026-01-15T18:00,2026-01-15T23:00",
    )
    assert mistake == "FILE, line 2: a arrives before it left (line 3)"


def test_a_battery_does_not_change_its_size(tmp_path: Path) -> None:
    """A vehicle has one capacity."""
    (mistake,) = mistakes(
        tmp_path,
        f"{HEADER},capacity_kwh",
        "a,2026-01-15T08:00,2026-01-15T09:00,40",
        "a,2026-01-15T18:00,2026-01-15T23:00,60",
    )
    assert "another capacity_kwh than on line 2" in mistake


def test_more_than_a_week_is_refused(tmp_path: Path) -> None:
    """The sentence says how much may be played."""
    (mistake,) = mistakes(tmp_path, HEADER, "a,2026-01-01T08:00,2026-01-09T09:00")
    assert "8.0 days" in mistake
    assert "at most 7" in mistake


def test_what_is_no_text_is_refused(tmp_path: Path) -> None:
    """A spreadsheet's own format, a folder and a missing file are each a sentence."""
    path = tmp_path / "book.xlsx"
    path.write_bytes(b"PK\x03\x04\xff\xfe\x00")
    for bad, sentence in (
        (path, "is not UTF-8"),
        (tmp_path, "cannot be read"),
        (tmp_path / "no", "cannot be read"),
    ):
        with pytest.raises(SessionsError, match=sentence):
            read(bad, TEXAS)


def test_an_empty_table_is_refused(tmp_path: Path) -> None:
    """A header alone is nothing to play."""
    assert mistakes(tmp_path, HEADER) == ["FILE: there is no session below the header"]


def test_names_of_cars_do_not_leave_the_file(tmp_path: Path) -> None:
    """What the file calls a car may be its number plate: the play gives it a name of its own."""
    path = a_file(tmp_path, HEADER, "B-XY-123,2026-01-15T18:00,2026-01-16T07:00")
    scenario = a_play(path, at_work=False, pods=9, seed=1)
    assert [vehicle.name[:2] for vehicle in scenario.vehicles] == ["v-"]
    assert "XY" not in repr(scenario.vehicles)


def test_what_the_file_says_is_played_as_it_stands(tmp_path: Path) -> None:
    """Times, energy and battery are the file's; no clock is shifted."""
    path = a_file(
        tmp_path,
        f"{HEADER},energy_kwh,capacity_kwh,arrival_percent,charge_power_kw,time_zone",
        "a,2026-01-15T18:00,2026-01-16T07:00,10,40,50,4,Europe/Berlin",
    )
    scenario = a_play(path, at_work=False, pods=9, seed=1)
    (stay,) = scenario.stays
    assert stay.arrives_at == instant_of(datetime(2026, 1, 15, 18, tzinfo=BERLIN))
    assert stay.arrival_watt_hours == pytest.approx(20_000)
    assert stay.full_watt_hours == pytest.approx(29_000)  # 90 % of 10 kWh reach the battery
    assert scenario.vehicles[0].battery.net_capacity_watt_hours == 40_000
    assert stay.charge_power_watts == 4_000
