"""YAML is read as kubectl reads it, and what is no YAML ends in a sentence."""

import pytest

from idlewatt_operator.resources.documents import Document, DocumentError, read_documents


def values(text: str) -> list[object]:
    """The values of all documents."""
    return [document.value for document in read_documents(text)]


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("22:00", "22:00"),
        ("1:30:00", "1:30:00"),
        ("2026-01-15T22:00:00Z", "2026-01-15T22:00:00Z"),
        ("2026-01-15", "2026-01-15"),
        ("!!timestamp 2026-01-15", "2026-01-15"),
        ("16", 16),
        ("-3", -3),
        ("010", 8),
        ("0x1F", 31),
        ("1_000", "1_000"),
        ("0.5", 0.5),
        ("1e3", 1000.0),
        ("32Gi", "32Gi"),
        ("yes", True),
        ("~", None),
        ('"22:00"', "22:00"),
        ("!!set {x, y}", {"x": None, "y": None}),
    ],
)
def test_a_scalar_is_what_kubectl_takes_it_for(written: str, value: object) -> None:
    """Times and times of day are text without quotes, numbers are numbers."""
    assert values(f"a: {written}") == [{"a": value}]


def test_documents_are_told_apart_by_their_lines() -> None:
    """Each document knows the line it starts on; empty ones are left out."""
    text = "---\n# nothing\n---\na: 1\n---\nb: 2\n"
    assert list(read_documents(text)) == [
        Document(line=4, value={"a": 1}),
        Document(line=6, value={"b": 2}),
    ]


def test_json_is_yaml() -> None:
    """JSON is read by the same reader."""
    assert values('{"a": [1, {"b": null}], "c": "22:00"}') == [
        {"a": [1, {"b": None}], "c": "22:00"}
    ]


def test_keys_are_text() -> None:
    """A key that looks like a number or a truth value is the text that was written."""
    assert values("1: a\nyes: b") == [{"1": "a", "yes": "b"}]


def test_an_alias_and_a_merge_are_followed() -> None:
    """Anchors, aliases and merge keys mean what YAML says."""
    assert values("x: &a {q: 1}\ny:\n  <<: *a\n  z: [*a]") == [
        {"x": {"q": 1}, "y": {"q": 1, "z": [{"q": 1}]}}
    ]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a: 1\nb: 2\na: 3", "line 3, column 1: this is not YAML: the key 'a' stands in one"),
        ("a: {b: 1, b: 2}", "line 1, column 11: this is not YAML: the key 'b'"),
        ("? [1]\n: 2", "line 1, column 3: this is not YAML: a key must be text"),
        ("a: [1\nb: 2", "line 2"),
        ("\ta: 1", "line 1, column 1: this is not YAML: found character"),
        ("a: *nobody", "line 1, column 4: this is not YAML: found undefined alias"),
        ("&a [*a]", "recursive"),
        ("a: !!python/object:os.system 1", "could not determine a constructor"),
        ("a: \x00", "this is not YAML"),
        ("!!int x", "cannot be read as YAML"),
        ("[" * 5_000 + "]" * 5_000, "nested too deeply"),
    ],
)
def test_what_is_no_yaml_is_refused_with_a_sentence(text: str, says: str) -> None:
    """Broken text ends in one sentence, with the line wherever there is one."""
    with pytest.raises(DocumentError, match="YAML") as refused:
        values(text)
    assert says in str(refused.value)


def test_what_stands_before_the_mistake_is_read() -> None:
    """Documents before a broken one are given first."""
    documents = read_documents("a: 1\n---\nb: [")
    assert next(documents).value == {"a": 1}
    with pytest.raises(DocumentError):
        next(documents)
