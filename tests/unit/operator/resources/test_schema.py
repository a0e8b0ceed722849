"""The schemas keep the API conventions of Kubernetes and of this project, field by field."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

CRDS = sorted((Path(__file__).parents[4] / "crds").glob("*.yaml"))

UNITS = (
    "Watts|WattHours|Percent|Celsius|Kelvin|Seconds|Bytes|BitsPerSecond|MilliampsPerPhase|PerKWh"
    "|PerHour|Hours|Volts|MilliampsL[123]"
)
COUNTS = frozenset({"version", "observedGeneration", "pods", "phases", "migrationsAtOnce"})
MONEY = re.compile(
    r".*(PerHour|PerKWh|PerKW|PerPoint|Cap|Cost)|perKWh|earnedThisMonth|rate|taxPercent|value"
)
TIMES = re.compile(r".*(At|Until|Time|Since)|since|start")


@dataclass(frozen=True)
class Field:
    """A node of a schema, with the path that leads to it."""

    path: str
    name: str
    schema: dict[str, Any]

    def __str__(self) -> str:
        """Name it in a failure."""
        return self.path


def fields_of(path: str, schema: dict[str, Any]) -> Iterator[Field]:
    """Every field below a schema, items of lists and values of mappings included."""
    for name, field in schema.get("properties", {}).items():
        yield Field(f"{path}.{name}", name, field)
        yield from fields_of(f"{path}.{name}", field)
    for inner in ("items", "additionalProperties"):
        if inner in schema:
            yield Field(f"{path}[]", "", schema[inner])
            yield from fields_of(f"{path}[]", schema[inner])


def all_fields() -> list[Field]:
    """Every field below spec and status of the four kinds."""
    found = []
    for path in CRDS:
        crd = yaml.safe_load(path.read_text(encoding="utf-8"))
        (version,) = crd["spec"]["versions"]
        root = version["schema"]["openAPIV3Schema"]["properties"]
        for part in ("spec", "status"):
            name = f"{crd['spec']['names']['kind']}.{part}"
            found += [Field(name, part, root[part]), *fields_of(name, root[part])]
    return found


FIELDS = all_fields()


def offenders(of_type: str, keeps: Any) -> list[str]:  # noqa: ANN401 - a test of a field
    """The paths of the fields of a type that do not keep a rule."""
    return [
        field.path for field in FIELDS if field.schema.get("type") == of_type and not keeps(field)
    ]


def test_there_are_four_kinds() -> None:
    """One file a kind, and fields in all of them."""
    assert [path.stem for path in CRDS] == [
        "energytariffs",
        "fleetpolicies",
        "parkingsites",
        "vehiclenodes",
    ]
    assert len(FIELDS) > 150


def test_there_are_no_floats() -> None:
    """Nothing is a number with a fraction: money is text, the rest is whole."""
    assert offenders("number", lambda _: False) == []


def test_integers_are_64_bits_with_limits() -> None:
    """Every integer has a format, a least and a greatest value."""
    assert (
        offenders(
            "integer",
            lambda f: f.schema["format"] == "int64" and {"minimum", "maximum"} <= f.schema.keys(),
        )
        == []
    )


def test_integers_name_their_unit() -> None:
    """The name of an integer ends in its unit, or it counts something."""
    unit = re.compile(rf".*({UNITS}|24Hours)$")
    named = lambda f: f.name in COUNTS or unit.fullmatch(f.name[:1].upper() + f.name[1:])  # noqa: E731
    assert offenders("integer", named) == []


def test_strings_are_bounded() -> None:
    """Every string has a greatest length or a list of values."""
    assert offenders("string", lambda f: "maxLength" in f.schema or "enum" in f.schema) == []


def test_lists_are_bounded_and_say_how_they_merge() -> None:
    """Every list has a greatest length, and all but the ones in order say what tells apart."""
    assert offenders("array", lambda f: "maxItems" in f.schema) == []
    unnamed = [
        field.path
        for field in FIELDS
        if field.schema.get("type") == "array" and "x-kubernetes-list-type" not in field.schema
    ]
    assert unnamed == [
        "EnergyTariff.spec.intervals",
        "VehicleNode.spec.connection.chargeTaper",
        "VehicleNode.status.connection.chargingProfile.periods",
    ]


def test_the_keys_of_a_list_are_required() -> None:
    """What tells the items of a list apart is never left out."""
    for field in FIELDS:
        keys = field.schema.get("x-kubernetes-list-map-keys", [])
        assert set(keys) <= set(field.schema.get("items", {}).get("required", [])), field.path


def test_objects_have_known_fields_or_bounded_keys() -> None:
    """A mapping of free keys has a greatest size; nothing else is open."""
    keeps = lambda f: "properties" in f.schema or "maxProperties" in f.schema  # noqa: E731
    assert offenders("object", keeps) == []
    assert not [f.path for f in FIELDS if "x-kubernetes-preserve-unknown-fields" in f.schema]


def test_every_field_is_described() -> None:
    """Each field says what it means in a sentence, for `kubectl explain`."""
    silent = [
        field.path
        for field in FIELDS
        if field.name and not re.fullmatch(r"(?s)[A-Z].*[.]", field.schema.get("description", ""))
    ]
    assert silent == []


def test_schemas_are_structural() -> None:
    """No reference, no null and no alternative, but for quantities as text or as a number."""
    for field in FIELDS:
        assert not {"$ref", "nullable", "oneOf", "allOf", "not", "const"} & field.schema.keys()
        if "anyOf" in field.schema:
            assert field.schema["x-kubernetes-int-or-string"] is True, field.path


def test_names_are_camel_case() -> None:
    """Fields are camelCase; their enumerated values CamelCase, acronyms, or OpenADR's own."""
    for field in FIELDS:
        assert re.fullmatch(r"[a-z][A-Za-z0-9]*|", field.name), field.path
        for value in field.schema.get("enum", ()):
            assert re.fullmatch(r"[A-Z][A-Za-z0-9]*|EXPORT_PRICE", value), field.path


def test_references_end_in_ref() -> None:
    """A field that names another object ends in Ref and holds its name, and namespace if any."""
    references = [field for field in FIELDS if field.name.endswith("Ref")]
    assert {field.name for field in references} == {
        "siteRef",
        "tariffRef",
        "carbonRef",
        "departuresRef",
    }
    for field in references:
        namespaced = ["namespace"] if field.name == "departuresRef" else []
        assert field.schema["required"] == ["name", *namespaced], field.path
    assert not [f.path for f in FIELDS if re.fullmatch(r"(site|tariff|node)(Name|Id)?", f.name)]


def test_money_is_text() -> None:
    """Amounts, prices, rates and taxes are decimal text, never numbers."""
    money = [field for field in FIELDS if field.name and MONEY.fullmatch(field.name)]
    assert len(money) > 10
    for field in money:
        if field.name != "maxGramsPerKWh":
            assert field.schema["type"] == "string", field.path


def test_times_are_rfc_3339() -> None:
    """A field that is a time has the format date-time, and no other has it."""
    for field in FIELDS:
        is_time = field.schema.get("format") == "date-time"
        clock_time = field.name == "start" and not is_time
        assert not is_time or TIMES.fullmatch(field.name), field.path
        if field.schema.get("type") == "string" and TIMES.fullmatch(field.name):
            assert is_time or (clock_time and field.schema["maxLength"] == 5), field.path


def test_there_is_no_phase() -> None:
    """State is told by conditions, a list by type with the generation they are about."""
    assert not [field.path for field in FIELDS if field.name in {"phase", "state"}]
    conditions = [field for field in FIELDS if field.name == "conditions"]
    assert len(conditions) == len(CRDS)
    for field in conditions:
        assert field.schema["x-kubernetes-list-map-keys"] == ["type"]
        assert "observedGeneration" in field.schema["items"]["properties"]


def test_every_kind_says_which_generation_it_observed() -> None:
    """Each status has the generation of the spec that it is about."""
    observed = [f.path for f in FIELDS if f.path.endswith(".status.observedGeneration")]
    assert len(observed) == len(CRDS)


@pytest.mark.parametrize("path", CRDS, ids=lambda path: path.stem)
def test_every_rule_has_a_sentence(path: Path) -> None:
    """Each CEL rule says what is wrong in words of its own, never in the rule's."""
    text = yaml.safe_load(path.read_text(encoding="utf-8"))
    rules = list(rules_in(text))
    assert rules
    for rule in rules:
        assert " " in rule["message"], rule
        assert "self." not in rule["message"], rule
        assert len(rule["message"]) < 250, rule


def rules_in(node: object) -> Iterator[dict[str, str]]:
    """Every CEL rule below a part of a CRD."""
    if isinstance(node, dict):
        yield from node.get("x-kubernetes-validations", ())
        for inner in node.values():
            yield from rules_in(inner)
    elif isinstance(node, list):
        for inner in node:
            yield from rules_in(inner)
