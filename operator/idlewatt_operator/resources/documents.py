"""YAML and JSON text into plain values, read as kubectl reads it.

PyYAML makes a date of an unquoted time, and the number 1320 of `22:00`; to kubectl both are
text. A key that stands twice in a mapping is a mistake, not a choice.
"""

import re
from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import yaml

from idlewatt_operator.resources.plain_yaml import plain_documents

_INTEGER: Final = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,40}|0[0-7]{1,40}|0x[0-9a-fA-F]{1,40})\Z")
_FLOAT: Final = re.compile(
    r"[-+]?(?:[0-9]+\.[0-9]*(?:[eE][-+]?[0-9]+)?|\.[0-9]+(?:[eE][-+]?[0-9]+)?|[0-9]+[eE][-+]?[0-9]+"
    r"|\.(?:inf|Inf|INF))\Z|\.(?:nan|NaN|NAN)\Z"
)
_REREAD: Final = frozenset({"timestamp", "int", "float"})
_TAG: Final = "tag:yaml.org,2002:"
_MERGE: Final = f"{_TAG}merge"
_STARTS_OF_NUMBERS: Final = "-+0123456789."

# libyaml is ten times as fast and in every wheel of PyYAML, but not in every build of it.
_Base: Any = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader


class DocumentError(ValueError):
    """The text is no YAML; the message is a sentence with line and column."""


@dataclass(frozen=True, slots=True)
class Document:
    """One document of a text.

    Attributes:
        line: where it starts, 1 for the first.
        value: dictionaries, lists, text, numbers, truth values and None; None where it is empty.
    """

    line: int
    value: object


class _Loader(_Base):  # type: ignore[misc]  # which of the two it is depends on PyYAML's build
    """PyYAML's safe loader, with kubectl's idea of what is a number and what is text."""

    def construct_mapping(
        self,
        node: yaml.MappingNode,
        deep: bool = False,  # noqa: ARG002, FBT001, FBT002  # the signature is PyYAML's
    ) -> dict[Hashable, Any]:
        """Build a mapping whose keys are text, each there once."""
        seen: set[str] = set()
        for key, _ in node.value:
            text = key.value
            if not isinstance(text, str):
                problem = "a key must be text"
            elif key.tag != _MERGE and text in seen:
                problem = f"the key '{text}' stands in one mapping twice"
            else:
                seen.add(text)
                continue
            raise yaml.constructor.ConstructorError(None, None, problem, key.start_mark)
        self.flatten_mapping(node)
        return {key.value: self.construct_object(value, deep=True) for key, value in node.value}

    def construct_list(self, node: yaml.SequenceNode) -> list[Any]:
        """Build a list at once, so that one that contains itself is found out."""
        return [self.construct_object(item, deep=True) for item in node.value]


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag.rpartition(":")[2] not in _REREAD]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_constructor(f"{_TAG}timestamp", _Loader.construct_yaml_str)
_Loader.add_constructor(f"{_TAG}map", _Loader.construct_mapping)
# A set is a mapping of names to nothing, as kubectl reads it too.
_Loader.add_constructor(f"{_TAG}set", _Loader.construct_mapping)
_Loader.add_constructor(f"{_TAG}seq", _Loader.construct_list)
_Loader.add_implicit_resolver(f"{_TAG}int", _INTEGER, list(_STARTS_OF_NUMBERS))
_Loader.add_implicit_resolver(f"{_TAG}float", _FLOAT, list(_STARTS_OF_NUMBERS))


def _resolved(text: str) -> Any:  # noqa: ANN401 - whatever it stands for
    """What an unquoted text on one line stands for."""
    for tag, pattern in _Loader.yaml_implicit_resolvers.get(text[0], ()):
        if pattern.match(text):
            node = yaml.ScalarNode(tag, text)
            return _CONSTRUCTOR.construct_object(node)
    return text


_CONSTRUCTOR: Final = _Loader("")


def read_plainly(text: str) -> list[Document] | None:
    """The same of a text as programs write it, in a tenth of the time; None: it is not so plain.

    Nothing in it is nested deeply, and there are no aliases.
    """
    plain = plain_documents(text, _resolved)
    return None if plain is None else [Document(each.line, each.value) for each in plain]


def read_documents(text: str) -> Iterator[Document]:
    """Every document of a text that is not empty, in its order.

    Raises:
        DocumentError: the text, from some line on, is no YAML.
    """
    plain = read_plainly(text)
    if plain is not None:
        yield from plain
        return
    loader = None
    try:
        loader = _Loader(text)
        while loader.check_node():
            node = loader.get_node()
            value = loader.construct_document(node)
            if value is not None:
                yield Document(line=node.start_mark.line + 1, value=value)
    except yaml.YAMLError as error:
        raise DocumentError(_sentence(error)) from None
    except (RecursionError, ValueError):
        sentence = "this cannot be read as YAML: it is nested too deeply, or a value is malformed"
        raise DocumentError(sentence) from None
    finally:
        if loader is not None:
            loader.dispose()


def _sentence(error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    place = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
    problem = getattr(error, "problem", None) or getattr(error, "reason", None)
    return f"{place}this is not YAML: {problem or 'it cannot be read'}"
