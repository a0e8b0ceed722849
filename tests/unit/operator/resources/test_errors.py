"""Pydantic's errors become one sentence for each mistake, with the path as manifests write it."""

from typing import Any

import pytest
from pydantic import ValidationError
from tests.integration.corpus.cases import good_manifest

from idlewatt_operator.resources.errors import mistakes
from idlewatt_operator.resources.kinds import KINDS, read_resource


def said_of(manifest: dict[str, Any]) -> list[str]:
    """Every mistake in a manifest, as path and sentence."""
    with pytest.raises(ValidationError) as refused:
        read_resource(manifest)
    return [str(mistake) for mistake in mistakes(refused.value, KINDS[manifest["kind"]])]


def test_every_mistake_is_told_at_once() -> None:
    """A manifest with three mistakes in three places gets three sentences, in their order."""
    manifest = good_manifest("VehicleNode")
    manifest["spec"]["suspend"] = "yes"
    manifest["spec"]["compensation"]["currency"] = "EURO"
    manifest["spec"]["parkingWindows"][0]["start"] = "6pm"
    paths = [sentence.partition(": ")[0] for sentence in said_of(manifest)]
    assert paths == [
        "spec.suspend",
        "spec.compensation.currency",
        "spec.parkingWindows[0].start",
    ]


def test_two_broken_rules_of_one_part_are_both_told() -> None:
    """Rules between fields do not hide one another."""
    manifest = good_manifest("VehicleNode")
    manifest["spec"]["battery"]["reservePercent"] = 90
    manifest["spec"]["battery"]["minTemperatureCelsius"] = 60
    paths = [sentence.partition(": ")[0] for sentence in said_of(manifest)]
    assert paths == ["spec.battery.reservePercent", "spec.battery.minTemperatureCelsius"]


def test_an_unknown_field_is_told_beside_the_known_ones() -> None:
    """Where no field is alike, the sentence lists those there are."""
    manifest = good_manifest("ParkingSite")
    manifest["spec"]["tariffRef"]["zzz"] = 1
    assert said_of(manifest) == ["spec.tariffRef.zzz: unknown field; the fields here are name"]


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        (5, "spec: 5 is not a mapping of fields to values"),
        ([], "spec: [] is not a mapping of fields to values"),
        (None, "spec: this field is required"),
        ("x" * 100, 'spec: "' + "x" * 59 + "... is not a mapping of fields to values"),
    ],
)
def test_something_else_than_an_object_is_told(value: object, sentence: str) -> None:
    """Where a mapping must stand, whatever else stands there is shown, long text cut."""
    manifest = good_manifest("EnergyTariff")
    manifest["spec"] = value
    assert said_of(manifest) == [sentence]


def test_a_list_that_is_none_is_told() -> None:
    """Text where a list must stand is shown as it is."""
    manifest = good_manifest("EnergyTariff")
    manifest["spec"]["zones"] = "night"
    assert said_of(manifest) == ['spec.zones: "night" is not a list']


def test_an_object_where_text_must_stand_is_told() -> None:
    """A reference written where a name belongs is no text."""
    manifest = good_manifest("EnergyTariff")
    manifest["spec"]["currency"] = {"name": "EUR"}
    assert said_of(manifest) == ['spec.currency: {"name": "EUR"} is not text']


def test_metadata_may_hold_what_kubernetes_puts_there() -> None:
    """A manifest as `kubectl get -o yaml` prints it is read; a label that is a number is not."""
    manifest = good_manifest("FleetPolicy")
    manifest["metadata"] |= {
        "uid": "u",
        "resourceVersion": "5",
        "generation": 2,
        "creationTimestamp": "2026-01-01T00:00:00Z",
        "managedFields": [{"manager": "kubectl"}],
    }
    assert read_resource(manifest).metadata.generation == 2
    manifest["metadata"]["labels"] = {"row": 7}
    assert said_of(manifest) == ['metadata.labels.row: 7 is not text: write it in quotes, "7"']


def test_a_name_is_required() -> None:
    """An object without metadata, or without a name in it, says so."""
    manifest = good_manifest("FleetPolicy")
    manifest["metadata"] = {}
    assert said_of(manifest) == ["metadata.name: this field is required"]
    del manifest["metadata"]
    assert said_of(manifest) == ["metadata: this field is required"]
