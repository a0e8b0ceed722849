"""Structural OpenAPI schemas, as CustomResourceDefinitions need them, from our models.

Pydantic writes JSON Schema with references, titles and `anyOf` for what is optional; the API
server takes none of these. An optional field is one that is not required, never a nullable one.
"""

from collections.abc import Mapping
from typing import Any, Final, TypeAlias

from pydantic import BaseModel

from idlewatt_operator.resources.fields import RULES

Schema: TypeAlias = dict[str, Any]

_DROPPED: Final = frozenset({"title", "additionalProperties", "$defs"})
_ORDER: Final = (
    "description",
    "type",
    "format",
    "default",
    "enum",
    "minimum",
    "maximum",
    "maxLength",
    "minItems",
    "maxItems",
    "maxProperties",
    "x-kubernetes-int-or-string",
    "anyOf",
    "x-kubernetes-list-type",
    "x-kubernetes-list-map-keys",
    "required",
    "properties",
    "additionalProperties",
    "items",
    RULES,
)


def structural_schema(model: type[BaseModel]) -> Schema:
    """The schema of a model but for `metadata`, every reference resolved in place."""
    raw = model.model_json_schema(by_alias=True, mode="validation")
    raw["properties"].pop("metadata", None)
    return _structural(raw, raw.get("$defs", {}))


def _structural(raw: Mapping[str, Any], definitions: Mapping[str, Any]) -> Schema:
    flat = _resolved(raw, definitions)
    schema = {key: value for key, value in flat.items() if key not in _DROPPED}
    if "properties" in schema:
        schema["properties"] = {
            name: _structural(field, definitions) for name, field in schema["properties"].items()
        }
    elif flat.get("type") == "object":
        schema["additionalProperties"] = _structural(flat["additionalProperties"], definitions)
    if "items" in schema:
        schema["items"] = _structural(schema["items"], definitions)
    if schema.get("type") == "integer":
        schema["format"] = "int64"
    if "default" in schema:
        schema["default"] = _without_nulls(schema["default"])
    if schema.get("default", "given") in (None, []):
        del schema["default"]
    return {key: schema[key] for key in _ORDER if key in schema}


def _resolved(raw: Mapping[str, Any], definitions: Mapping[str, Any]) -> Schema:
    """The schema itself where `raw` only points at it, or says that it may be null."""
    flat = dict(raw)
    if "$ref" in flat:
        target = definitions[flat.pop("$ref").removeprefix("#/$defs/")]
        return _resolved({**target, **flat}, definitions)
    options = [option for option in flat.get("anyOf", ()) if option != {"type": "null"}]
    if len(options) == 1:
        del flat["anyOf"]
        return _resolved({**options[0], **flat}, definitions)
    return flat


def _without_nulls(default: object) -> object:
    if isinstance(default, dict):
        return {name: value for name, value in default.items() if value is not None}
    return default
