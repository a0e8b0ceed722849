"""A time-of-use tariff: its seasons, hours and demand charge, in zones that mean the same."""

import json
from datetime import datetime, timedelta
from decimal import Decimal
from importlib import resources
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from idlewatt_operator.gateways.tariffs.manifest import Made, manifest
from idlewatt_operator.gateways.tariffs.series import SeriesError
from idlewatt_operator.gateways.tariffs.time_of_use import time_of_use

PACKED = resources.files("idlewatt_operator.twin") / "data" / "sce_tou_ev_4_march_2019.json"
TEXT = PACKED.read_text()
DOCUMENT = json.loads(TEXT)
WEEK = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def in_the_document(moment: datetime) -> Decimal:
    """The price of an hour, read from the JSON in another way."""
    day = f"{moment:%m-%d}"
    for season in DOCUMENT["schedule"]:
        begins, ends = season["effective_start"], season["effective_end"]
        inside = begins <= day <= ends if begins <= ends else day >= begins or day <= ends
        if inside and (season["dow_mask"] == "WEEKENDS") == (moment.weekday() >= 5):
            steps = zip(season["times"], season["tariffs"], strict=True)
            return Decimal(str([price for time, price in steps if time <= moment.hour][-1]))
    raise AssertionError(moment)


def in_the_zones(zones: tuple[Any, ...], moment: datetime) -> list[str]:
    """The prices of the zones in force, by their words alone."""
    return [
        zone["pricePerKWh"]
        for zone in zones
        if WEEK[moment.weekday()] in zone["days"]
        and f"{moment:%b}" in zone["months"]
        and zone["start"] <= f"{moment:%H:%M}" < (zone["end"] if zone["end"] != "00:00" else "24")
    ]


def test_every_hour_of_a_year_has_the_price_it_had() -> None:
    """8,760 hours, one zone each."""
    zones = time_of_use(TEXT).zones
    hour = datetime(2019, 3, 1, tzinfo=ZoneInfo("America/Los_Angeles"))
    for _ in range(8_760):
        assert [Decimal(price) for price in in_the_zones(zones, hour)] == [in_the_document(hour)]
        hour += timedelta(hours=1)


def test_weekdays_and_weekends_share_one_peak() -> None:
    """The document names its demand charge four times; a month has one greatest kilowatt."""
    assert time_of_use(TEXT).demand_charges == ({"name": "demand-1", "pricePerKW": "15.51"},)


def test_a_season_with_its_own_demand_charge_has_it() -> None:
    """In its months."""
    document = json.loads(TEXT)
    for season in document["schedule"]:
        season["demand_charge"] = 20 if season["id"].startswith("Summer") else 0
    found = time_of_use(json.dumps(document))
    assert found.demand_charges == (
        {"name": "demand-1", "pricePerKW": "20", "months": ["Jun", "Jul", "Aug", "Sep"]},
    )


def test_where_it_comes_from_is_kept() -> None:
    """Name, date and address."""
    assert time_of_use(TEXT).provenance == {
        "place": DOCUMENT["name"],
        "effective": DOCUMENT["effective"],
        "link": DOCUMENT["link"],
    }


def test_bands_are_named_by_a_price() -> None:
    """Up to it is OffPeak."""
    bands = {
        (zone["band"], zone["pricePerKWh"]) for zone in time_of_use(TEXT, Decimal("0.07")).zones
    }
    assert bands == {
        ("OffPeak", "0.05623"),
        ("OffPeak", "0.06087"),
        ("Peak", "0.0925"),
        ("Peak", "0.26668"),
        ("Peak", "0.07492"),
        ("Peak", "0.0869"),
    }


def test_a_tariff_needs_a_zone_and_a_currency() -> None:
    """The document has neither; a sentence asks for them."""
    found = time_of_use(TEXT)
    with pytest.raises(SeriesError, match="say so with --currency"):
        manifest(found, Made("sce"))
    with pytest.raises(SeriesError, match="say so with --time-zone"):
        manifest(found, Made("sce", currency="USD"))
    assert "name: summer-weekday-1200" in manifest(
        found, Made("sce", currency="USD", time_zone="America/Los_Angeles")
    )


def changed(**season: object) -> str:
    """The document with its first season changed."""
    document = json.loads(TEXT)
    document["schedule"][0].update(season)
    return json.dumps(document)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("{", "This is no JSON"),
        ("{}", "name: Field required"),
        (changed(dow_mask="HOLIDAYS"), "Summer-Weekday: 'HOLIDAYS' is no kind of day"),
        (changed(effective_start="06-15"), "does not begin and end with a month"),
        (changed(effective_end="09-29"), "does not begin and end with a month"),
        (changed(effective_end="13-31"), "does not begin and end with a month"),
        (changed(times=[0, 8]), "there must be a price for each time"),
        (changed(times=[0, 12, 8, 18, 23]), "the times must rise"),
        (changed(times=[0, 8, 12, 18, 24]), "the times must rise"),
        (changed(times=[0, 8.001, 12, 18, 23]), "no whole minute"),
        (changed(surprise=1), "Extra inputs are not permitted"),
    ],
)
def test_what_is_not_understood_is_refused(text: str, sentence: str) -> None:
    """Nothing is left out in silence."""
    with pytest.raises(SeriesError, match=sentence):
        time_of_use(text)
