"""Pydantic's errors in our own words: one sentence for each mistake, with the field's path."""

import difflib
import json
import typing
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from idlewatt_operator.resources.mistakes import Mistake

_LONGEST_VALUE: Final = 60


def mistakes(error: ValidationError, kind: type[BaseModel]) -> tuple[Mistake, ...]:
    """Every mistake that reading an object of `kind` found, in the manifest's order."""
    return tuple(
        Mistake(field=_path(line["loc"]), sentence=_sentence(line, kind)) for line in error.errors()
    )


def _path(place: tuple[str | int, ...]) -> str:
    text = ""
    for step in place:
        if isinstance(step, int):
            text += f"[{step}]"
        elif step != "[key]":
            text += f".{step}" if text else step
    return text


def _sentence(line: ErrorDetails, kind: type[BaseModel]) -> str:
    if line["type"] == "extra_forbidden":
        return _unknown(line["loc"], kind)
    if line["type"] == "string_type":
        return _not_text(line["input"])
    say = _SENTENCES.get(line["type"])
    if say is None:
        return line["msg"]
    return say(_shown(line["input"]), line.get("ctx", {}))


def _shown(value: object) -> str:
    text = json.dumps(value, default=str, ensure_ascii=False)
    return text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]}..."


_Context = Mapping[str, Any]

_SENTENCES: Final[Mapping[str, Callable[[str, _Context], str]]] = {
    "refused": lambda _value, ctx: str(ctx["sentence"]),
    "missing": lambda _value, _ctx: "this field is required",
    "int_type": lambda value, _ctx: f"{value} is not a whole number; write one without quotes",
    "int_from_float": lambda value, _ctx: f"{value} is not a whole number",
    "bool_type": lambda value, _ctx: f"{value} is neither true nor false; write one without quotes",
    "greater_than_equal": lambda value, ctx: (
        f"{value} is too small: it must be at least {ctx['ge']}"
    ),
    "less_than_equal": lambda value, ctx: f"{value} is too great: it must be at most {ctx['le']}",
    "literal_error": lambda value, ctx: f"{value} is not known here: write {ctx['expected']}",
    "string_too_long": lambda value, ctx: (
        f"{value} is too long: it may have at most {ctx['max_length']} characters"
    ),
    "too_long": lambda _value, ctx: (
        f"there are too many items: at most {ctx['max_length']} are allowed"
    ),
    "too_short": lambda _value, ctx: (
        f"there are too few items: at least {ctx['min_length']} must be given"
    ),
    "tuple_type": lambda value, _ctx: f"{value} is not a list",
    "list_type": lambda value, _ctx: f"{value} is not a list",
    "dict_type": lambda value, _ctx: f"{value} is not a mapping of names to values",
    "model_type": lambda value, _ctx: f"{value} is not a mapping of fields to values",
}


def _not_text(value: object) -> str:
    if isinstance(value, bool | int | float):
        return f'{_shown(value)} is not text: write it in quotes, "{_shown(value)}"'
    return f"{_shown(value)} is not text"


def _unknown(place: tuple[str | int, ...], kind: type[BaseModel]) -> str:
    name = str(place[-1])
    known = tuple(_fields_at(place[:-1], kind))
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
    if close:
        return f"unknown field; did you mean {close[0]}?"
    return f"unknown field; the fields here are {', '.join(known)}" if known else "unknown field"


def _fields_at(place: tuple[str | int, ...], kind: type[BaseModel]) -> Iterator[str]:
    part: type[BaseModel] | None = kind
    for step in place:
        if part is not None and isinstance(step, str):
            fields = part.model_fields.values()
            annotation = next((field.annotation for field in fields if field.alias == step), None)
            part = _part_in(annotation)
    if part is not None:
        yield from (str(field.alias) for field in part.model_fields.values())


def _part_in(annotation: object) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    parts = (_part_in(argument) for argument in typing.get_args(annotation))
    return next((part for part in parts if part is not None), None)
