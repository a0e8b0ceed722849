"""Files of sessions: which form they have, what is refused by line, and what is left out."""

import gzip
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from idlewatt_operator.learning.past import PastStay
from idlewatt_operator.learning.reading import Past, object_name, read
from idlewatt_operator.twin.sessions_file import SessionsError

ACN = "arrival,departure,delivered_energy (kWh),station_id,estimated_departure,claimed,site"
HOME = "location,user,session,plugged_in_local,plugged_out_local,energy_kwh"
OWN = "vehicle,arrival,departure,stated_departure,time_zone,site"


def a_file(folder: Path, *lines: str, name: str = "sessions.csv") -> Path:
    """Write a file of these lines."""
    path = folder / name
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def past(folder: Path, *lines: str, zone: str | None = None, **renamed: str) -> Past:
    """Read a file of these lines."""
    return read(a_file(folder, *lines), ZoneInfo(zone) if zone else None, renamed)


def one(found: Past) -> PastStay:
    """The only stay."""
    (stay,) = found.stays
    return stay


def mistakes(folder: Path, *lines: str) -> list[str]:
    """Give the mistakes in a file of these lines, without the file's name."""
    with pytest.raises(SessionsError) as caught:
        past(folder, *lines)
    return [each.replace(str(folder / "sessions.csv"), "FILE") for each in caught.value.mistakes]


ACN_ROW = "2019-05-01 08:18:45+00:00,2019-05-01 22:18:45+00:00,44.1,CA-305,{},{},caltech"


def test_acn_data_is_read_as_it_is_published(tmp_path: Path) -> None:
    """UTC is told on Californian clocks; what was claimed was stated."""
    stay = one(past(tmp_path, ACN, ACN_ROW.format("2019-05-01 16:18:45+00:00", "True")))
    assert (stay.site, stay.vehicle, stay.arrived.hour) == ("caltech", None, 1)
    assert stay.stay_seconds == 14 * 3_600
    assert stay.stated_seconds == 8 * 3_600


def test_what_nobody_claimed_nobody_stated(tmp_path: Path) -> None:
    """The file then repeats the departure as if it had been known."""
    stay = one(past(tmp_path, ACN, ACN_ROW.format("2019-05-01 22:18:45+00:00", "False")))
    assert stay.stated_seconds is None


def test_homes_are_read_as_they_are_published(tmp_path: Path) -> None:
    """Wall times in Oslo, over a night in which the clocks change; a household is a vehicle."""
    stay = one(
        past(tmp_path, HOME, "OSL_S,OSL_S_KT169,1,2018-03-24 20:00:00,2018-03-25 08:00:00,4")
    )
    assert (stay.site, stay.vehicle) == ("osl-s", "osl-s-kt169")
    assert stay.stay_seconds == 11 * 3_600
    assert stay.arrived.hour == 20


def test_our_own_format_is_read_and_longer_than_a_play(tmp_path: Path) -> None:
    """Months, with a site in the file and another name for it here."""
    found = past(
        tmp_path,
        OWN,
        "v-1,2026-01-15T18:00,2026-01-16T07:00,2026-01-16T08:00,Europe/Berlin,CA",
        "v-1,2026-06-15T18:00,2026-06-16T07:00,,Europe/Berlin,",
        CA="garage",
    )
    assert [stay.site for stay in found.stays] == ["garage", "site"]
    assert [stay.stated_seconds for stay in found.stays] == [14 * 3_600, None]
    assert [stay.arrived.hour for stay in found.stays] == [18, 18]
    assert str(found.zone) == "Europe/Berlin"


def test_a_gzipped_file_is_known_by_its_content(tmp_path: Path) -> None:
    """Whatever it is called."""
    path = tmp_path / "sessions"
    path.write_bytes(gzip.compress(f"{ACN}\n{ACN_ROW.format('', 'False')}\n".encode()))
    assert len(read(path, None, {}).stays) == 1
    path.write_bytes(gzip.compress(b"a,b\n" * 100)[:-9])
    with pytest.raises(SessionsError, match="no whole gzip file"):
        read(path, None, {})


def test_the_time_zone_that_is_asked_for_counts(tmp_path: Path) -> None:
    """Before that of the form."""
    row = ACN_ROW.format("", "False")
    assert one(past(tmp_path, ACN, row, zone="Europe/Berlin")).arrived.hour == 10


def test_what_cannot_be_read_is_refused_by_line(tmp_path: Path) -> None:
    """All of it at once."""
    assert mistakes(
        tmp_path,
        ACN,
        ACN_ROW.format("soon", "True"),
        ACN_ROW.format("", "perhaps"),
        "2019-05-01 08:18:45+00:00,2019",
        ACN_ROW.format("", "False").replace("caltech", ""),
    ) == [
        "FILE, line 2: estimated_departure 'soon' is not a time; write it as 2026-01-15T18:04",
        "FILE, line 3: claimed 'perhaps' is neither True nor False",
        "FILE, line 4: 2 fields where the header has 7",
        "FILE, line 5: it names no site",
    ]


def test_what_tells_of_no_departure_is_left_out_and_told(tmp_path: Path) -> None:
    """A session that has not ended, one that ends before it begins, one stated for the past."""
    found = past(
        tmp_path,
        ACN,
        ACN_ROW.format("", "False"),
        "2019-05-01 08:18:45+00:00,,0,CA-1,,False,caltech",
        "2019-05-01 08:18:45+00:00,2019-05-01 08:18:45+00:00,0,CA-1,,False,caltech",
        ACN_ROW.format("2019-05-01 08:00:00+00:00", "True"),
    )
    assert len(found.stays) == 1
    assert [sentence.partition(", ")[2] for sentence in found.left_out] == [
        "line 3: there is no departure",
        "line 4: departure is not after arrival",
        "line 5: estimated_departure is not after arrival",
    ]


def test_a_file_without_a_departure_teaches_nothing(tmp_path: Path) -> None:
    """It says so."""
    row = "2019-05-01 08:18:45+00:00,,0,CA-1,,False,caltech"
    assert mistakes(tmp_path, ACN, row) == ["FILE: there is no session with a departure in it"]


def test_wall_times_need_a_zone(tmp_path: Path) -> None:
    """Our own format has no country."""
    assert mistakes(
        tmp_path, "vehicle,arrival,departure", "a,2026-01-15T18:00,2026-01-15T19:00"
    ) == ["FILE, line 1: the header has no time_zone; add one, or say --time-zone Europe/Berlin"]


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    """In a sentence."""
    with pytest.raises(SessionsError, match="cannot be read: No such file"):
        read(tmp_path / "none.csv", None, {})


@pytest.mark.parametrize(
    ("name", "tidy"),
    [("OSL_S", "osl-s"), ("depot-7", "depot-7"), ("Büro 3", "b-ro-3"), ("__", "site")],
)
def test_names_are_written_as_kubernetes_allows(name: str, tidy: str) -> None:
    """Small letters, digits, hyphens and dots."""
    assert object_name(name) == tidy
