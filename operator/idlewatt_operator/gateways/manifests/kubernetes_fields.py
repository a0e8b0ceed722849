"""The fields that Pods and Nodes have, to find what is misspelt or of the wrong type.

The API server refuses an unknown field where it is asked to be strict, as kubectl asks it to.
Offline nobody would: a misspelt `nodeSelector` would be a pod without one.
"""

import difflib
import functools
import json
from collections.abc import Callable, Iterator, Mapping
from importlib.resources import files
from typing import Annotated, Any, Final

import msgspec

from idlewatt_operator.resources.mistakes import Mistake

FILE: Final = files(__package__) / "kubernetes_fields.json"

_MODELS: Final = {"Pod": "V1Pod", "Node": "V1Node"}
_LONGEST_VALUE: Final = 60
_GREATEST_INTEGER: Final = 2**63 - 1
_STATUS: Final = "status"
_LOOSE: Final = f".{_STATUS}"


@functools.cache
def _fields() -> Mapping[str, Mapping[str, str]]:
    return dict(json.loads(FILE.read_text(encoding="utf-8")))


def field_mistakes(kind: str, manifest: Mapping[str, Any]) -> Iterator[Mistake]:
    """Every field of a Pod or a Node that is unknown, or whose value has the wrong type.

    Unknown fields of the status are passed over: only the API server writes there, and a newer
    one knows more than we do.

    Raises:
        KeyError: it is of another kind.
    """
    if _is_good(manifest, _MODELS[kind]):
        return iter(())
    mistakes = _model(manifest, _MODELS[kind], "")
    return (Mistake(found.field.removeprefix("."), found.sentence) for found in mistakes)


def _is_good(manifest: Mapping[str, Any], model: str) -> bool:
    """Whether there is certainly no mistake: most have none, and need no names of fields."""
    try:
        msgspec.convert(manifest, _shape(model, is_loose=False))
    except (msgspec.ValidationError, RecursionError):
        return False
    return True


@functools.cache
def _shape(of: str, *, is_loose: bool) -> Any:  # noqa: ANN401 - types are values here
    """What msgspec has to find for a type; what is unknown is passed over if `is_loose`."""
    if of.startswith("List["):
        return list[_shape(of[5:-1], is_loose=is_loose) | None]  # type: ignore[misc]  # a value
    if of.startswith("Dict["):
        return dict[str, _shape(of[10:-1], is_loose=is_loose) | None]  # type: ignore[misc]  # so
    if of not in _fields():
        return _SHAPES[of]
    types, loose = _fields()[of], (_STATUS,) if of in _MODELS.values() else ()
    # Some are named like words of Python.
    names = {f"field_{number}": name for number, name in enumerate(types)}
    fields = [
        (field, _shape(types[name], is_loose=is_loose or name in loose) | None, None)
        for field, name in names.items()
    ]
    return msgspec.defstruct(of, fields, rename=names, forbid_unknown_fields=not is_loose)


def _check(value: Any, of: str, path: str) -> Iterator[Mistake]:  # noqa: ANN401 - any JSON value
    if value is None or of == "object":
        return
    if of.startswith("List["):
        yield from _list(value, of[5:-1], path)
    elif of.startswith("Dict["):
        yield from _map(value, of[10:-1], path)
    elif of in _fields():
        yield from _model(value, of, path)
    elif not _IS[of](value):
        yield Mistake(path, _MESSAGES[of].format(_shown(value)))


def _list(value: Any, of: str, path: str) -> Iterator[Mistake]:  # noqa: ANN401 - any JSON value
    if not isinstance(value, list):
        yield Mistake(path, f"{_shown(value)} is not a list")
        return
    for index, item in enumerate(value):
        yield from _check(item, of, f"{path}[{index}]")


def _map(value: Any, of: str, path: str) -> Iterator[Mistake]:  # noqa: ANN401 - any JSON value
    if not isinstance(value, Mapping):
        yield Mistake(path, f"{_shown(value)} is not a mapping of names to values")
        return
    for name, item in value.items():
        yield from _check(item, of, f"{path}.{name}")


def _model(value: Any, of: str, path: str) -> Iterator[Mistake]:  # noqa: ANN401 - any JSON value
    if not isinstance(value, Mapping):
        yield Mistake(path, f"{_shown(value)} is not a mapping of fields to values")
        return
    known = _fields()[of]
    for name, item in value.items():
        place = f"{path}.{name}"
        if name in known:
            yield from _check(item, known[name], place)
        elif not path.startswith(_LOOSE):
            yield Mistake(place, _unknown(str(name), known))


def _unknown(name: str, known: Mapping[str, str]) -> str:
    close = difflib.get_close_matches(name, known, n=1)
    return f"unknown field; did you mean {close[0]}?" if close else "unknown field"


def _shown(value: object) -> str:
    text = json.dumps(value, default=str, ensure_ascii=False)
    return text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]}..."


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_integer(value: object) -> bool:
    whole = isinstance(value, int) and not isinstance(value, bool)
    return whole and abs(value) <= _GREATEST_INTEGER  # type: ignore[arg-type]  # whole: an int


def _is_truth(value: object) -> bool:
    return isinstance(value, bool)


def _is_quantity(value: object) -> bool:
    return isinstance(value, str | int | float) and not isinstance(value, bool)


_IS: Final[Mapping[str, Callable[[object], bool]]] = {
    "str": _is_text,
    "datetime": _is_text,
    "int": _is_integer,
    "bool": _is_truth,
    "quantity": _is_quantity,
}
_WHOLE: Final = Annotated[int, msgspec.Meta(ge=-_GREATEST_INTEGER, le=_GREATEST_INTEGER)]
_SHAPES: Final[Mapping[str, Any]] = {
    "str": str,
    "datetime": str,
    "int": _WHOLE,
    "bool": bool,
    "quantity": str | int | float,
    "object": Any,
}
_MESSAGES: Final = {
    "str": "{} is not text; write it in quotes",
    "datetime": "{} is not an RFC 3339 time",
    "int": "{} is not a whole number, or is too great",
    "bool": "{} is neither true nor false; write one without quotes",
    "quantity": "{} is not a quantity",
}
