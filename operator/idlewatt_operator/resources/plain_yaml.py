"""YAML as kubectl and most programs write it, read line by line; everything else is left alone.

Block mappings and sequences, plain and quoted texts on one line, literal blocks, short lists in
brackets, comments on lines of their own: a great many manifests are nothing but that, and reading
them so takes a tenth of the time. Whatever looks otherwise is not guessed at: `plain_documents`
answers None, and PyYAML reads the text. What is read here is what PyYAML reads, line numbers too.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, TypeAlias, TypeVar, cast

_UNUSUAL: Final = re.compile(r"[^\n\x20-\x7e\xa1-\u1fff]")
_PAIR: Final = re.compile(r"([A-Za-z0-9_/.][A-Za-z0-9_/.-]*):(?: +(.*))?")
_SINGLE_QUOTED: Final = re.compile(r"'((?:[^']|'')*)'")
_DOUBLE_QUOTED: Final = re.compile(
    r'"(?:[^"\\]|\\["\\/bfnrt]|\\u(?![dD][89a-fA-F])[0-9a-fA-F]{4})*"'
)
_SHORT_LIST: Final = re.compile(r"\[[^\[\]{}\"'#&*!|>%@`:?]*\]")
_NEVER_FIRST: Final = frozenset(",[]{}#&*!|>'\"%@`?:=<")
_KEPT_AT_MOST: Final = 200_000
_DEEPEST: Final = 100


_Nest = TypeVar("_Nest", dict[str, Any], list[Any])


class _NotPlainError(Exception):
    """PyYAML has to read it."""


Resolve: TypeAlias = Callable[[str], Any]
"""What an unquoted text stands for: itself, a number, a truth value, nothing."""


@dataclass(frozen=True, slots=True)
class PlainDocument:
    """One document: the line of its first word, 1 for the first, and its value."""

    line: int
    value: object


@dataclass(frozen=True, slots=True)
class _Line:
    """What one line says, whatever its indentation.

    Attributes:
        item: the columns from the dash to what it introduces; 0: it is no item.
        key: None: there is none.
        make: makes the value; None: it follows on the next lines.
        block: it is a literal block, which ends with a line feed, or (False) does not.
    """

    item: int
    key: str | None
    make: Callable[[], Any] | None
    block: bool | None = None


_NOTHING: Final = _Line(0, None, None)
_DASHES: Final = _Line(0, None, None)


def plain_documents(text: str, resolve: Resolve) -> list[PlainDocument] | None:
    """Every document that is not empty; None where it takes more to read it.

    Args:
        text: of the file.
        resolve: as PyYAML's loader would.
    """
    if _UNUSUAL.search(text) is not None:
        return None
    try:
        return _Reader(resolve).read(text)
    except _NotPlainError:
        return None


class _Reader:
    """Reads one text; remembers what lines say, since the same ones come again and again."""

    def __init__(self, resolve: Resolve) -> None:
        self._resolve = resolve
        self._lines: dict[str, _Line] = {}
        self._documents: list[PlainDocument] = []
        self._begin()

    def _begin(self) -> None:
        """Nothing of the next document was read yet."""
        self._root: Any = None
        self._first = 0
        self._open: list[tuple[int, Any]] = []
        self._awaiting: tuple[int, dict[str, Any], str] | None = None
        self._block: _Block | None = None

    def read(self, text: str) -> list[PlainDocument]:
        """Every document.

        Raises:
            _NotPlainError: PyYAML has to read it.
        """
        known = self._lines
        for number, line in enumerate(text.split("\n"), 1):
            words = line.lstrip(" ")
            indent = len(line) - len(words)
            if self._block is not None and self._block.takes(line, words, indent):
                continue
            if words:
                said = known.get(words) or self._said(words)
                if said.key is not None or said.item:
                    self._first = self._first or number
                    self._take(said, indent)
                elif said is _DASHES:
                    self._next(indent)
        if self._block is not None and not text.endswith("\n"):
            raise _NotPlainError
        self._end()
        return self._documents

    def _next(self, indent: int) -> None:
        """A line of dashes: another document begins."""
        if indent:
            raise _NotPlainError
        self._end()

    def _end(self) -> None:
        if self._block is not None:
            self._block.end()
        if self._root is not None:
            self._documents.append(PlainDocument(self._first, self._root))
        self._begin()

    def _take(self, said: _Line, indent: int) -> None:
        if self._block is not None:
            self._block.end()
            self._block = None
        if said.item:
            items = self._items(indent)
            if said.key is None:
                items.append(said.make() if said.make is not None else None)
                return
            fields: dict[str, Any] = {}
            items.append(fields)
            indent += said.item
            self._open.append((indent, fields))
        else:
            fields = self._fields(indent)
        key = said.key
        if key is None or key in fields:
            raise _NotPlainError
        if said.make is not None:
            fields[key] = said.make()
            return
        fields[key] = None
        if said.block is None:
            self._awaiting = indent, fields, key
        else:
            self._block = _Block(indent, fields, key, said.block)

    def _items(self, indent: int) -> list[Any]:
        """The sequence that an item at this column belongs to."""
        awaiting, self._awaiting = self._awaiting, None
        if awaiting is not None and indent >= awaiting[0]:
            return self._nested(awaiting, indent, [])
        opened = self._open
        while opened and (opened[-1][0] > indent):
            opened.pop()
        if self._root is None:
            self._root = []
            opened.append((indent, self._root))
        if not opened or opened[-1][0] != indent or type(opened[-1][1]) is not list:
            raise _NotPlainError
        return opened[-1][1]

    def _fields(self, indent: int) -> dict[str, Any]:
        """The mapping that a key at this column belongs to."""
        awaiting, self._awaiting = self._awaiting, None
        if awaiting is not None and indent > awaiting[0]:
            return self._nested(awaiting, indent, {})
        opened = self._open
        while opened and (
            opened[-1][0] > indent or (opened[-1][0] == indent and type(opened[-1][1]) is list)
        ):
            opened.pop()
        if self._root is None:
            self._root = {}
            opened.append((indent, self._root))
        if not opened or opened[-1][0] != indent:
            raise _NotPlainError
        return cast("dict[str, Any]", opened[-1][1])

    def _nested(self, awaiting: tuple[int, dict[str, Any], str], indent: int, made: _Nest) -> _Nest:
        _, fields, key = awaiting
        if len(self._open) > _DEEPEST:
            raise _NotPlainError
        fields[key] = made
        self._open.append((indent, made))
        return made

    def _said(self, words: str) -> _Line:
        said = self._understood(words)
        if len(self._lines) < _KEPT_AT_MOST:
            self._lines[words] = said
        return said

    def _understood(self, words: str) -> _Line:
        if words[0] == "#":
            return _NOTHING
        if words == "---":
            return _DASHES
        if words.startswith("- "):
            inner = words[2:].lstrip(" ")
            pair = _PAIR.fullmatch(inner)
            if pair is None:
                return _Line(len(words) - len(inner), None, self._maker(inner.rstrip(" ")))
            return self._pair(pair, len(words) - len(inner))
        pair = _PAIR.fullmatch(words)
        if pair is None:
            raise _NotPlainError
        return self._pair(pair, 0)

    def _pair(self, pair: re.Match[str], item: int) -> _Line:
        key, value = pair[1], (pair[2] or "").rstrip(" ")
        if not value:
            return _Line(item, key, None)
        if value in {"|", "|-"}:
            return _Line(item, key, None, value == "|")
        return _Line(item, key, self._maker(value))

    def _maker(self, value: str) -> Callable[[], Any]:
        """What makes the value; a mapping or a list is another one each time."""
        if value == "{}":
            return dict
        if _SHORT_LIST.fullmatch(value) is not None:
            inner = value[1:-1].strip(" ")
            items = [self._scalar(each.strip(" ")) for each in inner.split(",")] if inner else []
            return lambda: list(items)
        scalar = self._scalar(value)
        return lambda: scalar

    def _scalar(self, value: str) -> Any:  # noqa: ANN401 - whatever it stands for
        if not value:
            raise _NotPlainError
        if value[0] == "'" and (quoted := _SINGLE_QUOTED.fullmatch(value)) is not None:
            return quoted[1].replace("''", "'")
        if value[0] == '"' and _DOUBLE_QUOTED.fullmatch(value) is not None:
            return json.loads(value)
        if (
            value[0] in _NEVER_FIRST
            or value == "-"
            or value.startswith(("- ", "---", "..."))
            or value.endswith(":")
            or ": " in value
            or " #" in value
        ):
            raise _NotPlainError
        return self._resolve(value)


class _Block:
    """A literal block that is being read: its lines as they stand, less their indentation."""

    def __init__(self, indent: int, fields: dict[str, Any], key: str, ends_with_feed: bool) -> None:  # noqa: FBT001 - one of two forms
        self._parent = indent
        self._fields = fields
        self._key = key
        self._feed = ends_with_feed
        self._indent: int | None = None
        self._lines: list[str] = []

    def takes(self, line: str, words: str, indent: int) -> bool:
        """Whether the line belongs to it."""
        if not words:
            if self._indent is None or indent > self._indent:
                raise _NotPlainError
            self._lines.append("")
            return True
        if indent <= self._parent:
            return False
        if self._indent is None:
            self._indent = indent
        if indent < self._indent:
            raise _NotPlainError
        self._lines.append(line[self._indent :])
        return True

    def end(self) -> None:
        """Its text is whole."""
        text = "\n".join(self._lines).rstrip("\n")
        if not text:
            raise _NotPlainError
        self._fields[self._key] = f"{text}\n" if self._feed else text
