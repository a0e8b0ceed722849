"""Day-ahead prices from CSV: every figure as it stands there, every hour where it was."""

import gzip
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from importlib import resources

import pytest

from idlewatt_operator.gateways.tariffs.day_ahead import Columns, any_series, ercot
from idlewatt_operator.gateways.tariffs.series import SeriesError

HEADER = "Delivery Date,Hour Ending,Repeated Hour Flag,Settlement Point,Settlement Point Price\n"


def texas(*lines: str) -> str:
    """A file of ERCOT's, date, hour ending, flag and price to a line."""
    rows = [line.split() for line in lines]
    return HEADER + "".join(f"{d},{h},{flag},HB_NORTH,{price}\n" for d, h, flag, price in rows)


def test_a_month_of_the_market_loses_nothing() -> None:
    """744 hours without a gap, and their sum to the last cent."""
    data = resources.files("idlewatt_operator.twin") / "data"
    packed = (data / "ercot_day_ahead_2022-07_HB_NORTH.csv.gz").read_bytes()
    text = gzip.decompress(packed).decode()
    found = ercot(text)
    listed = [Decimal(line.rsplit(",", 1)[1]) for line in text.splitlines()[1:]]
    assert [each.values["PRICE"] * 1_000 for each in found.intervals] == listed
    assert found.notes == ()
    starts = [each.start for each in found.intervals]
    assert starts[0] == datetime(2022, 7, 1, 5, tzinfo=UTC)
    assert starts == [starts[0] + n * timedelta(hours=1) for n in range(744)]
    assert (found.currency, found.wholesale) == ("USD", True)
    assert found.provenance["place"] == "ERCOT HB_NORTH"


def test_the_hour_that_comes_twice_is_told_by_its_flag() -> None:
    """In November hour ending 02:00 is there twice; the second is an hour later."""
    found = ercot(
        texas(
            "11/06/2022 01:00 N 10",
            "11/06/2022 02:00 N 20",
            "11/06/2022 02:00 Y 30",
            "11/06/2022 03:00 N 40",
        )
    )
    assert [(each.start.hour, int(each.values["PRICE"] * 1_000)) for each in found.intervals] == [
        (5, 10),
        (6, 20),
        (7, 30),
        (8, 40),
    ]


def test_the_hour_that_is_missing_in_march_is_no_gap() -> None:
    """Hour ending 03:00 is not there, and nothing is unknown."""
    found = ercot(texas("03/13/2022 02:00 N 10", "03/13/2022 04:00 N 20"))
    first, second = found.intervals
    assert second.start - first.start == timedelta(hours=1)
    assert found.notes == ()


def test_a_price_below_nothing_stays_below_nothing() -> None:
    """Wind at night."""
    found = ercot(texas("07/01/2022 01:00 N -7.5", "07/01/2022 02:00 N 1"))
    assert found.intervals[0].values["PRICE"] == Decimal("-0.0075")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (texas("07/01/2022 25:00 N 1"), "line 2: '25:00' is no hour ending"),
        (texas("2022-07-01 01:00 N 1"), "line 2: '2022-07-01' is no date"),
        (texas("07/01/2022 01:00 N dear"), "line 2: 'dear' in the column .* is no number"),
        (texas("07/01/2022 01:00 N NaN"), "is no number"),
        (HEADER, "no line of prices"),
        (HEADER + "07/01/2022,01:00\n", "line 2: it has not as many cells"),
        (
            HEADER + "07/01/2022,01:00,N,HB_NORTH,1\n07/01/2022,01:00,N,HB_WEST,2\n",
            "2 settlement points here, HB_NORTH, HB_WEST",
        ),
    ],
)
def test_a_line_that_cannot_be_read_is_named(text: str, sentence: str) -> None:
    """With its number, and what was expected."""
    with pytest.raises(SeriesError, match=sentence):
        ercot(text)


QUARTERS = """start,eur
2026-01-15T23:00:00Z,82.5
2026-01-15T23:15:00Z,-3
2026-01-15T23:45:00Z,1e1
2026-01-15T23:15:00Z,-4
"""
COLUMNS = Columns(time="start", price="eur")


def test_duplicates_and_gaps_are_told_and_the_last_line_counts() -> None:
    """Half past eleven is missing; a quarter past is there twice."""
    found = any_series(QUARTERS, COLUMNS)
    assert [(each.start.minute, each.values["PRICE"]) for each in found.intervals] == [
        (0, Decimal("0.0825")),
        (15, Decimal("-0.004")),
        (45, Decimal("0.01")),
    ]
    assert {each.seconds for each in found.intervals} == {900}
    twice, gap = found.notes
    assert twice == "1 line was there twice, 1 with another figure: the last one counts."
    assert gap.startswith("Nothing is said from 2026-01-15T23:30:00Z to 2026-01-15T23:45:00Z:")


@pytest.mark.parametrize(
    ("unit", "price"), [("MWh", "0.0825"), ("kWh", "82.5"), ("ct/kWh", "0.825")]
)
def test_a_price_is_one_of_its_unit(unit: str, price: str) -> None:
    """Divided exactly."""
    found = any_series(QUARTERS, Columns(time="start", price="eur", unit=unit))
    assert found.intervals[0].values["PRICE"] == Decimal(price)


def test_revisions_are_all_kept_with_the_time_they_were_made() -> None:
    """Which of them counts depends on when one asks."""
    text = (
        "start,eur,published\n"
        "2026-01-15T23:00:00Z,80,2026-01-15T12:00:00Z\n"
        "2026-01-16T00:00:00Z,80,2026-01-15T12:00:00Z\n"
        "2026-01-15T23:00:00Z,90,2026-01-15T14:00:00Z\n"
    )
    found = any_series(text, Columns(time="start", price="eur", created="published"))
    assert [each.manifest().get("createdAt") for each in found.intervals] == [
        "2026-01-15T12:00:00Z",
        "2026-01-15T14:00:00Z",
        "2026-01-15T12:00:00Z",
    ]


def test_local_times_of_an_autumn_night_are_both_there() -> None:
    """02:00 to 03:00 comes twice in Berlin: the second follows the first."""
    times = ["01:30", "02:00", "02:30", "02:00", "02:30", "03:00"]
    text = "time,price\n" + "".join(f"2026-10-25 {time}:00,1\n" for time in times)
    found = any_series(text, Columns(zone="Europe/Berlin"))
    starts = [each.start for each in found.intervals]
    assert starts == [starts[0] + n * timedelta(minutes=30) for n in range(6)]
    assert found.notes == ()


def test_an_autumn_night_that_begins_with_its_end_is_read_backwards() -> None:
    """Some publishers write the latest line first: the hour that comes twice is in both orders."""
    times = ["03:00", "02:00", "02:00", "01:00", "00:00"]
    text = "time,price\n" + "".join(f"2026-10-25 {at}:00,{n}\n" for n, at in enumerate(times))
    found = any_series(text, Columns(zone="Europe/Berlin", unit="kWh"))
    assert [each.values["PRICE"] for each in found.intervals] == [4, 3, 2, 1, 0]
    assert found.notes == ()


def test_a_market_that_goes_from_hours_to_quarters_keeps_both() -> None:
    """No line holds longer than until the next, and the last no longer than the one before it."""
    hours = [f"2026-01-15T{hour:02d}:00Z" for hour in range(10)]
    quarters = [f"2026-01-15T10:{minute:02d}Z" for minute in (0, 15, 30, 45)]
    text = "time,price\n" + "".join(f"{time},1\n" for time in (*hours, *quarters))
    found = any_series(text, Columns())
    assert [each.seconds for each in found.intervals] == [3_600] * 10 + [900] * 4


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "no line of prices"),
        ("time,price,price\n2026-01-15T23:00:00Z,1,2\n", "2 columns price"),
        ("time,price\n9999-12-31T23:00:00Z,1\n", "not between the years 1970 and 2200"),
        ("time,price\n0001-01-01T00:00:00+14:00,1\n", "not between the years 1970 and 2200"),
        (f"time,price\n2026-01-15T23:00:00Z,{'1' * 200_000}\n", "no line of a CSV"),
        ("time,price\n2026-01-15T23:00:00,1\n2026-01-16,1\n", "is in no time zone"),
        ("time,price\nmidnight,1\n", "line 2: 'midnight' is no time"),
        ("when,price\n2026-01-15T23:00:00Z,1\n", "no column time: the columns are when, price"),
        ("time,price\n2026-01-15T23:00:00Z,1\n", "give at least two"),
        (
            "time,price\n2026-01-15T23:00:00Z,1\n2026-01-15T23:07:00Z,1\n",
            "every 5, 15, 30 or 60 minutes",
        ),
    ],
)
def test_a_series_that_cannot_be_read_says_why(text: str, sentence: str) -> None:
    """And what to do."""
    with pytest.raises(SeriesError, match=sentence):
        any_series(text, Columns())
