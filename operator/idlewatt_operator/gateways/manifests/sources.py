"""From paths to documents: files, folders and standard input, YAML or JSON, lists taken apart."""

import json
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from idlewatt_operator.gateways.manifests.plain_json import plain_json
from idlewatt_operator.resources.documents import (
    Document,
    DocumentError,
    read_documents,
    read_plainly,
)

STANDARD_INPUT: Final = "-"
STANDARD_INPUT_NAME: Final = "standard input"

_SUFFIXES: Final = frozenset({".json", ".yaml", ".yml"})
_VALUES_MAX: Final = 5_000_000
_DEPTH_MAX: Final = 100
_TOO_DEEP: Final = "this is nested too deeply to be read"
_BRACKETS: Final = re.compile(r"[\[\]{}]")
_BRACKETS_MAX: Final = 200
_INDENTED_TOO_FAR: Final = re.compile(r"^(?:[ \t]|[-?:][ \t]){2000}", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Source:
    """One object, and where it was written.

    Attributes:
        place: file and line, such as `fleet.yaml:12`.
        manifest: its fields.
        within: where in a `List` it stands, such as `items[3]`; else empty.
    """

    place: str
    manifest: Mapping[str, Any]
    within: str = ""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A place where no object could be read, and a sentence that says why."""

    place: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Text:
    """All of a file, or of standard input.

    Attributes:
        only_json: its name says so, and nothing else is tried.
    """

    name: str
    content: str
    only_json: bool = False


def read_sources(paths: Iterable[str]) -> Iterator[Source | Unreadable]:
    """Every object under these paths; `-` is standard input, a folder is read with its folders."""
    return sources_of(read_texts(paths))


def sources_of(texts: Iterable[Text | Unreadable]) -> Iterator[Source | Unreadable]:
    """Every object that is written in them."""
    for text in texts:
        if isinstance(text, Unreadable):
            yield text
        else:
            yield from _text(text.content, text.name, only_json=text.only_json)


def read_texts(paths: Iterable[str]) -> Iterator[Text | Unreadable]:
    """Every file under these paths, once."""
    seen: set[Path] = set()
    for path in dict.fromkeys(paths):
        if path == STANDARD_INPUT:
            yield _standard_input()
            continue
        for file in _files(Path(path)):
            if isinstance(file, Unreadable):
                yield file
            elif (resolved := file.resolve()) not in seen:
                seen.add(resolved)
                yield _file(file)


def _files(path: Path) -> Iterator[Path | Unreadable]:
    if not path.is_dir():
        yield path
        return
    found = sorted(
        file for file in path.rglob("*") if file.suffix in _SUFFIXES and not file.is_dir()
    )
    if not found:
        yield Unreadable(str(path), "this folder holds no .yaml, .yml or .json file")
    yield from found


def _standard_input() -> Text | Unreadable:
    try:
        return Text(STANDARD_INPUT_NAME, sys.stdin.read())
    except UnicodeDecodeError:
        return Unreadable(STANDARD_INPUT_NAME, "this is not text in UTF-8")


def _file(path: Path) -> Text | Unreadable:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        return Unreadable(str(path), "there is no such file or folder")
    except UnicodeDecodeError:
        return Unreadable(str(path), "this is not text in UTF-8")
    except OSError as error:
        return Unreadable(str(path), f"this cannot be read: {error.strerror or error}")
    return Text(str(path), text, only_json=path.suffix == ".json")


def _text(text: str, name: str, *, only_json: bool = False) -> Iterator[Source | Unreadable]:
    """JSON is YAML too, but reading it as such takes many times as long."""
    is_json = only_json or text.lstrip()[:1] in {"{", "["}
    plain = _plainly(text, is_json=is_json)
    if plain is not None:
        for document in plain:
            yield from _objects(document, name, with_line=not is_json)
        return
    if _is_too_deep(text):
        yield Unreadable(name, _TOO_DEEP)
        return
    yield from _strictly(text, name, is_json=is_json, only_json=only_json)


def _plainly(text: str, *, is_json: bool) -> list[Document] | None:
    """What is written as programs write it, at their speed; None: it takes a closer look."""
    if not is_json:
        return read_plainly(text)
    value = plain_json(text)
    return None if value is None else [Document(1, value)]


def _strictly(
    text: str, name: str, *, is_json: bool, only_json: bool
) -> Iterator[Source | Unreadable]:
    if is_json:
        try:
            yield from _document(Document(1, _json(text)), name, with_line=False)
        except ValueError as error:
            if only_json:
                yield Unreadable(name, _json_sentence(error))
                return
        else:
            return
    try:
        for document in read_documents(text):
            yield from _document(document, name, with_line=True)
    except DocumentError as error:
        yield Unreadable(name, str(error))


def _is_too_deep(text: str) -> bool:
    """Whether it is nested as only a mistake or malice is; libyaml would exhaust the stack."""
    if _INDENTED_TOO_FAR.search(text):
        return True
    depth = 0
    for bracket in _BRACKETS.finditer(text):
        depth = depth + 1 if bracket[0] in "[{" else max(depth - 1, 0)
        if depth > _BRACKETS_MAX:
            return True
    return False


def _json(text: str) -> object:
    return json.loads(text, object_pairs_hook=_distinct, parse_constant=_no_number)


def _distinct(pairs: list[tuple[str, object]]) -> dict[str, object]:
    fields = dict(pairs)
    if len(fields) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        message = f"the key '{twice}' stands in one object twice"
        raise ValueError(message)
    return fields


def _no_number(text: str) -> float:
    message = f"{text} is not a number in JSON"
    raise ValueError(message)


def _json_sentence(error: ValueError) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"line {error.lineno}, column {error.colno}: this is not JSON: {error.msg}"
    return f"this is not JSON: {error}"


def _document(document: Document, name: str, *, with_line: bool) -> Iterator[Source | Unreadable]:
    if _is_too_large(document.value):
        yield Unreadable(
            f"{name}:{document.line}" if with_line else name,
            "this is nested too deeply, or its aliases make too much of it to be read",
        )
    else:
        yield from _objects(document, name, with_line=with_line)


def _objects(document: Document, name: str, *, with_line: bool) -> Iterator[Source | Unreadable]:
    place = f"{name}:{document.line}" if with_line else name
    value = document.value
    if not isinstance(value, Mapping):
        yield Unreadable(
            place, "this is not an object: it must be a mapping with apiVersion, kind and metadata"
        )
    elif _is_list(value):
        yield from _items(value, place)
    else:
        yield Source(place, value)


def _is_too_large(value: object) -> bool:
    """Aliases share what they stand for, so that few bytes can make a great many values."""
    values, depth = _extent(value, {})
    return values > _VALUES_MAX or depth > _DEPTH_MAX


def _extent(value: object, known: dict[int, tuple[int, int]]) -> tuple[int, int]:
    """How many values there are in it, each alias written out, and how deep they are nested."""
    if id(value) in known:
        return known[id(value)]
    if isinstance(value, Mapping):
        parts = [_extent(inner, known) for inner in value.values()]
    elif isinstance(value, list):
        parts = [_extent(inner, known) for inner in value]
    else:
        return 1, 0
    extent = 1 + sum(part[0] for part in parts), 1 + max((part[1] for part in parts), default=0)
    known[id(value)] = extent
    return extent


def _is_list(value: Mapping[str, Any]) -> bool:
    kind = value.get("kind")
    return isinstance(kind, str) and kind.endswith("List") and "items" in value


def _items(value: Mapping[str, Any], place: str) -> Iterator[Source | Unreadable]:
    """The items of a `PodList` need not say what they are: the list does."""
    items = value["items"]
    if items is None:
        return
    if not isinstance(items, list):
        yield Unreadable(place, "items: this is not a list")
        return
    named = str(value["kind"]).removesuffix("List")
    implied = {"apiVersion": value.get("apiVersion"), "kind": named} if named else {}
    for index, item in enumerate(items):
        within = f"items[{index}]"
        if isinstance(item, Mapping):
            yield Source(place, {**implied, **item}, within)
        else:
            yield Unreadable(place, f"{within}: this is not an object")
