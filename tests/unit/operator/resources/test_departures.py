"""The text of learned departures: read strictly, and written as it is read."""

import json
from typing import Any

import pytest

from idlewatt_operator.resources.departures import (
    DATA_KEY,
    DeparturesError,
    departure_model,
    departures_text,
    entry_text,
    read,
    text_in,
)
from idlewatt_scheduler.model.departures import DepartureQuantiles

PROVENANCE = {
    "source": "sessions.csv",
    "place": "depot-7 (Europe/Berlin)",
    "firstDay": "2026-01-05",
    "lastDay": "2026-03-29",
    "sites": [
        {
            "site": "depot-7",
            "sessions": 400,
            "stated": 0,
            "vehicles": 1,
            "statedLevel": "all",
            "stayLevel": "hour and weekday",
        }
    ],
}
POINTS = list(range(101))


def a_text(*entries: dict[str, Any], **overrides: object) -> str:
    """The text with these entries."""
    return json.dumps(
        {"format": 1, "provenance": PROVENANCE, "entries": list(entries), **overrides}
    )


def an_entry(**overrides: object) -> dict[str, Any]:
    """An entry of stays."""
    return {"stated": False, "sessions": 4, "points": POINTS, **overrides}


def test_an_entry_is_read_with_all_its_keys() -> None:
    """Weekdays by name, as everywhere in manifests."""
    keyed = an_entry(vehicle="v-1", site="depot-7", weekday="Tue", hour=18)
    assert departure_model(a_text(keyed, an_entry(stated=True))).quantiles == (
        DepartureQuantiles(
            stated=False, points=tuple(POINTS), site="depot-7", vehicle="v-1", weekday=1, hour=18
        ),
        DepartureQuantiles(stated=True, points=tuple(POINTS)),
    )


def test_what_is_written_is_what_is_read() -> None:
    """An entry stands on a line of its own."""
    file = read(a_text(an_entry(site="depot-7"), an_entry(hour=0)))
    text = departures_text(file.provenance, file.entries)
    assert read(text) == file
    assert entry_text(file.entries[0]) in {line.strip(" ,") for line in text.splitlines()}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("{", "departures.json is no JSON: Expecting property name"),
        ("[]", "departures.json is no JSON object; fit it again"),
        (a_text(format=2), "departures.json has format 2; this release reads 1"),
        (json.dumps({"format": 1, "entries": []}), "provenance: this field is required"),
        (a_text(an_entry(points=POINTS[:-1])), "entries[0].points: there are too few items"),
        (a_text(an_entry(points=[*POINTS, 101])), "entries[0].points: there are too many items"),
        (a_text(an_entry(points=[5, *POINTS[1:]])), "entries[0].points: the quantiles fall"),
        (a_text(an_entry(points=[-1, *POINTS[1:]])), "a length of a stay is negative"),
        (a_text(an_entry(stated=True, points=[*POINTS[1:], 1_000_001])), "left before arriving"),
        (a_text(an_entry(points=[0.5, *POINTS[1:]])), "0.5 is not a whole number"),
        (a_text(an_entry(hour=24)), "entries[0].hour: 24 is too great"),
        (a_text(an_entry(weekday="Tuesday")), 'entries[0].weekday: "Tuesday" is not known here'),
        (a_text(an_entry(hours=3)), "entries[0].hours: unknown field; did you mean hour?"),
        (a_text(an_entry(stated=1)), "entries[0].stated"),
    ],
)
def test_what_tells_no_distributions_is_refused(text: str, sentence: str) -> None:
    """In a sentence that names the place."""
    with pytest.raises(DeparturesError) as caught:
        departure_model(text)
    assert sentence in str(caught.value)


def test_the_text_is_found_in_its_config_map() -> None:
    """And a text that is no manifest is taken as it stands."""
    manifest = f"apiVersion: v1\nkind: ConfigMap\ndata:\n  {DATA_KEY}: |\n    {{}}\n"
    assert text_in(manifest) == "{}\n"
    assert text_in(' {"format": 1}') == ' {"format": 1}'


@pytest.mark.parametrize(
    ("written", "sentence"),
    [
        ("kind: ConfigMap\ndata: {other: x}", "it is no ConfigMap with departures.json"),
        ("kind: ConfigMap", "it is no ConfigMap with departures.json"),
        ("a: 1\n---\nb: 2", "it is neither one ConfigMap nor its JSON"),
        ("a: [", "it is neither one ConfigMap nor its JSON"),
    ],
)
def test_another_manifest_is_refused(written: str, sentence: str) -> None:
    """Whatever it is."""
    with pytest.raises(DeparturesError, match=sentence):
        text_in(written)
