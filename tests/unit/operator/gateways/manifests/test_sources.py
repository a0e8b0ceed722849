"""Files, folders and standard input become objects, or a sentence about where none is."""

import io
import json
from pathlib import Path

import pytest

from idlewatt_operator.gateways.manifests.sources import Source, Unreadable, read_sources

POD = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}}


def read(path: Path) -> list[Source | Unreadable]:
    """All that stands under a path."""
    return list(read_sources([str(path)]))


def read_text(tmp_path: Path, text: str, name: str = "some.yaml") -> list[Source | Unreadable]:
    """All that stands in a file with this text."""
    file = tmp_path / name
    file.write_text(text, encoding="utf-8")
    return read(file)


def the_sentence(tmp_path: Path, text: str, name: str = "some.yaml") -> str:
    """The one thing that is wrong with a file with this text."""
    (found,) = read_text(tmp_path, text, name)
    assert isinstance(found, Unreadable)
    assert found.place.startswith(str(tmp_path / name))
    return found.sentence


def test_several_documents_each_with_its_line(tmp_path: Path) -> None:
    """Empty documents and comments are nothing."""
    file = tmp_path / "some.yaml"
    found = read_text(tmp_path, "# first\nkind: A\n---\n---\nkind: B\n---\n# nothing\n")
    assert found == [
        Source(f"{file}:2", {"kind": "A"}),
        Source(f"{file}:5", {"kind": "B"}),
    ]


@pytest.mark.parametrize("suffix", ["json", "yaml"])
def test_json_is_read_under_either_name(tmp_path: Path, suffix: str) -> None:
    """As kubectl does."""
    file = tmp_path / f"some.{suffix}"
    assert read_text(tmp_path, json.dumps(POD), file.name) == [Source(str(file), POD)]


def test_flow_style_is_not_taken_for_broken_json(tmp_path: Path) -> None:
    """A YAML file may start with a brace."""
    (found,) = read_text(tmp_path, "{kind: A}")
    assert isinstance(found, Source)
    assert found.manifest == {"kind": "A"}


def test_lists_are_taken_apart(tmp_path: Path) -> None:
    """The items of a `PodList` need not say what they are."""
    file = tmp_path / "some.json"
    items = {"apiVersion": "v1", "kind": "PodList", "items": [{"metadata": {"name": "a"}}, POD]}
    assert read_text(tmp_path, json.dumps(items), file.name) == [
        Source(str(file), POD, "items[0]"),
        Source(str(file), POD, "items[1]"),
    ]
    plain = {"apiVersion": "v1", "kind": "List", "items": [POD]}
    assert read_text(tmp_path, json.dumps(plain), file.name) == [Source(str(file), POD, "items[0]")]


def test_an_empty_list_holds_nothing(tmp_path: Path) -> None:
    """An explicit null is what Go writes for no items."""
    assert read_text(tmp_path, "kind: List\nitems:\n") == []


def test_folders_are_read_with_their_folders_in_order(tmp_path: Path) -> None:
    """Only what is named as a manifest, each file once however often it is given."""
    (tmp_path / "b" / "c").mkdir(parents=True)
    for name in ("z.yaml", "b/c/y.yml", "b/x.json"):
        (tmp_path / name).write_text(json.dumps({"kind": name}), encoding="utf-8")
    (tmp_path / "b" / "README.md").write_text("kind: no", encoding="utf-8")
    found = list(read_sources([str(tmp_path), str(tmp_path / "b"), str(tmp_path / "z.yaml")]))
    assert [source.manifest["kind"] for source in found if isinstance(source, Source)] == [
        "b/c/y.yml",
        "b/x.json",
        "z.yaml",
    ]


def test_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    """`-` is what is piped in; asked for twice it is read once."""
    monkeypatch.setattr("sys.stdin", io.StringIO("kind: A\n"))
    assert list(read_sources(["-", "-"])) == [Source("standard input:1", {"kind": "A"})]


def test_standard_input_that_is_no_text(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bytes that are no UTF-8 are said to be none."""
    piped = io.TextIOWrapper(io.BytesIO(b"\xff\xfe\x00"), encoding="utf-8")
    monkeypatch.setattr("sys.stdin", piped)
    assert list(read_sources(["-"])) == [Unreadable("standard input", "this is not text in UTF-8")]


def test_a_path_that_leads_nowhere(tmp_path: Path) -> None:
    """A missing file, an empty folder, a file that is no text, one that may not be read."""
    assert read(tmp_path / "none.yaml") == [
        Unreadable(str(tmp_path / "none.yaml"), "there is no such file or folder")
    ]
    (tmp_path / "empty").mkdir()
    (found,) = read(tmp_path / "empty")
    assert isinstance(found, Unreadable)
    assert found.sentence == "this folder holds no .yaml, .yml or .json file"
    (tmp_path / "bytes.yaml").write_bytes(b"\xff\xfe\x00")
    (found,) = read(tmp_path / "bytes.yaml")
    assert isinstance(found, Unreadable)
    assert found.sentence == "this is not text in UTF-8"
    (found,) = read(tmp_path / "bytes.yaml" / "inside.yaml")
    assert isinstance(found, Unreadable)
    assert found.sentence.startswith("this cannot be read: ")


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        ("a.yaml", "kind: A\nmetadata: {name: a\n", "line 3, column 1: this is not YAML"),
        ("a.yaml", "kind: A\n\tname: a\n", "line 2, column 1: this is not YAML"),
        ("a.yaml", "kind: A\nkind: B\n", "the key 'kind' stands in one mapping twice"),
        ("a.json", '{"kind": "A"', "line 1, column 13: this is not JSON"),
        ("a.json", '{"kind": "A", "kind": "B"}', "the key 'kind' stands in one object twice"),
        ("a.json", '{"kind": NaN}', "NaN is not a number in JSON"),
        ("a.json", "", "line 1, column 1: this is not JSON"),
        ("a.yaml", "- kind: A\n", "this is not an object"),
        ("a.yaml", "just words\n", "this is not an object"),
        ("a.yaml", "kind: List\nitems: {}\n", "items: this is not a list"),
        ("a.yaml", "kind: List\nitems: [1]\n", "items[0]: this is not an object"),
        ("a.yaml", "[" * 100_000, "this is nested too deeply"),
        ("a.json", "[" * 100_000, "this is nested too deeply"),
        ("a.yaml", "- " * 100_000, "this is nested too deeply"),
        ("a.yaml", "a: " + "[" * 150 + "]" * 150, "this is nested too deeply"),
        ("a.yaml", "a: &a [*a]\n", "this is not YAML"),
        ("a.yaml", "a: !!python/object:os.system {}\n", "this is not YAML"),
    ],
)
def test_text_that_is_no_manifest(tmp_path: Path, name: str, text: str, sentence: str) -> None:
    """One sentence that says where and what, whatever the text."""
    assert sentence in the_sentence(tmp_path, text, name)


def test_aliases_cannot_blow_up_a_file(tmp_path: Path) -> None:
    """A few lines that stand for more values than memory holds are refused at once."""
    lines = ["a0: &a0 [x, x]", *(f"a{i}: &a{i} [*a{i - 1}, *a{i - 1}]" for i in range(1, 60))]
    assert "nested too deeply, or its aliases" in the_sentence(tmp_path, "\n".join(lines))


def test_what_stands_before_a_mistake_is_read(tmp_path: Path) -> None:
    """So that its own mistakes are told too."""
    first, second = read_text(tmp_path, "kind: A\n---\nkind: [\n")
    assert isinstance(first, Source)
    assert isinstance(second, Unreadable)
