"""Whatever is read line by line is what PyYAML reads, or it is left to PyYAML."""

from typing import Any

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from idlewatt_operator.resources import documents
from idlewatt_operator.resources.documents import Document, DocumentError, read_documents
from idlewatt_operator.resources.plain_yaml import plain_documents

WORDS = st.sampled_from(
    [
        *("a", "name", "x-y", "v1", "it's", 'say "hi"', "22:00", "03:31", "0x1F", "017", "1e3"),
        *("true", "No", "~", "null", "", " ", " led", "trail ", "a: b", "a #b", "#c", "- d", "-"),
        *("[x]", "{y}", "&z", "*z", "!t", "|", ">", "%", "@", "`", "2026-01-15", "--- e", "..."),
        *("registry.example/model:1", "long " * 30, "two\nlines", "two\n\nlines\n", "\n", "Grüne"),
        *("=", "<<", "?", "? f", ":", ":g", "h:", "0o7", "1_000", ".5", "-.inf", "+1", "12:30:45"),
    ]
)
SCALARS = WORDS | st.integers(-(2**70), 2**70) | st.booleans() | st.none() | st.floats(-9, 9)
KEYS = st.sampled_from(["a", "b", "c-d", "e.f/g", "1", "true", "h i", "", "<<"]) | WORDS
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)
LINES = st.lists(
    st.sampled_from(
        [
            *(
                "a: 1",
                "b:",
                "  c: 2",
                "  d:",
                "    e: f",
                "- g",
                "- h: 1",
                "  i: 2",
                "-",
                "---",
                "",
            ),
            *("- - j", "k: [l, m]", "n: {}", "o: []", "p: |", "  text", "   more", "q: |-", "# r"),
            *("  # s", "t: 'u", "  v'", "w: x # y", " z: 1", "a: 2", "...", "%YAML 1.1", "b: >"),
            *("c: &d e", "f: *d", "<<: g", "h: !i j", "? k", "'l': m", '"n": o', "p: -", "q: - r"),
            *("-  s: t", "   u: v", "w:x", "y : z", "a: 'b' ", "c: [1, -2, 0x3]", "d: [a, b", "]"),
        ]
    ),
    max_size=12,
).map("\n".join)


def _both(text: str, monkeypatch: pytest.MonkeyPatch) -> tuple[Any, Any]:
    """What is read, and what PyYAML alone reads; of a text that is no YAML, None."""
    found = _read(text)
    with monkeypatch.context() as context:
        context.setattr(documents, "plain_documents", lambda *_: None)
        return found, _read(text)


def _read(text: str) -> list[tuple[int, str]] | None:
    try:
        return [(each.line, repr(each.value)) for each in read_documents(text)]
    except DocumentError:
        return None


@pytest.fixture(scope="module")
def patch() -> pytest.MonkeyPatch:
    """One for all examples."""
    return pytest.MonkeyPatch()


@given(
    values=st.lists(VALUES, min_size=1, max_size=3),
    width=st.sampled_from([20, 80, 10_000]),
    indent=st.sampled_from([2, 4]),
    style=st.sampled_from([None, '"', "'", "|"]),
    flow=st.sampled_from([False, None]),
)
def test_what_programs_write(  # noqa: PLR0913, PLR0917 - each is a way to write it
    patch: pytest.MonkeyPatch,
    values: list[object],
    width: int,
    indent: int,
    style: str | None,
    flow: bool | None,  # noqa: FBT001 - PyYAML's own
) -> None:
    """In any style that PyYAML writes in."""
    text = yaml.safe_dump_all(
        values,
        width=width,
        indent=indent,
        default_style=style,
        default_flow_style=flow,
        allow_unicode=True,
    )
    found, expected = _both(text, patch)
    assert found == expected


@given(text=LINES)
@example(text="a:\n- b\nc: d")
@example(text="a:\n  - b: 1\n    c:\n    - d\n  - e")
def test_what_people_write(patch: pytest.MonkeyPatch, text: str) -> None:
    """Right and wrong: where PyYAML refuses it, it is refused."""
    found, expected = _both(text, patch)
    assert found == expected


def test_manifests_are_read_line_by_line() -> None:
    """Else all of this would be for nothing."""
    text = """\
# Source: chart
---
apiVersion: v1
kind: Pod
metadata:
  name: llm
  annotations:
    idlewatt.dev/power: '183'
    last: |
      {"kind": "Pod"}

      # not a comment
spec:
  tolerations: []
  containers:
  - name: main
    command: [sleep, infinity]
    image: "registry.example/model:1"
---
kind: List
"""
    found = plain_documents(text, documents._resolved)  # noqa: SLF001 - as it is used
    assert found is not None
    first, second = found
    assert (first.line, second.line) == (3, 20)
    assert first.value == yaml.safe_load(text.split("---")[1])
    assert list(read_documents("a: 1")) == [Document(1, {"a": 1})]
