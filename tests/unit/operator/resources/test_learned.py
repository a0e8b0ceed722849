"""Learned departures: the ConfigMap that a policy names, or a sentence about it."""

import json

import pytest

from idlewatt_operator.resources.departures import DATA_KEY
from idlewatt_operator.resources.fleetpolicy import FleetPolicySpec
from idlewatt_operator.resources.learned import (
    Learned,
    Named,
    learned_departures,
    named_departures,
)

NAMED = Named("idlewatt", "idlewatt-departures")


def a_text(**entry: object) -> str:
    """What `idlewatt departures fit` writes, with one distribution."""
    provenance = {
        "source": "sessions.csv",
        "place": "depot",
        "firstDay": "2026-01-01",
        "lastDay": "2026-03-31",
        "sites": [],
    }
    points = [60 * step for step in range(101)]
    entries = [{"stated": False, "sessions": 400, "points": points, **entry}]
    return json.dumps({"format": 1, "provenance": provenance, "entries": entries})


def test_a_config_map_is_read() -> None:
    """Each distribution arrives as the core has it."""
    learned = learned_departures(NAMED, {DATA_KEY: a_text(site="depot", weekday="Tue", hour=9)})
    assert (learned.named, learned.fault) == (NAMED, "")
    assert learned.model is not None
    (only,) = learned.model.quantiles
    assert (only.site, only.weekday, only.hour, only.vehicle) == ("depot", 1, 9, None)
    assert only.points[100] == 6_000


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (None, "has no departures.json in its data"),
        ({"other.json": "{}"}, "has no departures.json in its data"),
        ({DATA_KEY: "{"}, "cannot be read: departures.json is no JSON"),
        ({DATA_KEY: '{"format": 2}'}, "cannot be read"),
        ({DATA_KEY: a_text(points=[1, 2])}, "cannot be read: departures.json: entries[0].points"),
    ],
)
def test_what_cannot_be_read_is_told(data: dict[str, str] | None, told: str) -> None:
    """The sentence names the ConfigMap, and nothing is learned."""
    learned = learned_departures(NAMED, data)
    assert learned.model is None
    assert learned.fault.startswith("The ConfigMap idlewatt/idlewatt-departures")
    assert told in learned.fault


def test_what_is_not_there_or_forbidden_is_told() -> None:
    """Each with what to do."""
    assert "make it with idlewatt departures fit" in Learned.missing(NAMED).fault
    assert "the verb get on that name" in Learned.forbidden(NAMED).fault


def test_a_policy_names_one_config_map_or_none() -> None:
    """By name and namespace."""
    spec = FleetPolicySpec.model_validate({"departuresRef": {"namespace": "a", "name": "b"}})
    assert named_departures(spec) == Named("a", "b")
    assert named_departures(FleetPolicySpec()) is None
