"""The CRDs and the field reference are what the models say, and drift is found."""

import hashlib
import json
from pathlib import Path

import pytest

from idlewatt_operator.resources.base import SCHEMA_VERSION
from idlewatt_operator.resources.generate import definition, definitions, drifted, main
from idlewatt_operator.resources.kinds import KINDS

ROOT = Path(__file__).parents[4]


def arguments(folder: Path) -> list[str]:
    """Where the files of a test go."""
    return ["--folder", str(folder), "--reference", str(folder / "fields.md")]


def test_the_committed_files_are_what_the_models_say() -> None:
    """Whoever changes a model runs `make crds` in the same change."""
    assert drifted(ROOT / "crds", ROOT / "docs" / "reference" / "fields.md") == ()


def test_the_files_are_written_and_checked(tmp_path: Path) -> None:
    """Writing makes files with which a check is content."""
    folder = tmp_path / "made" / "crds"
    assert main(arguments(folder)) == 0
    assert {path.name for path in folder.iterdir()} == {*definitions(), "fields.md"}
    assert main([*arguments(folder), "--check"]) == 0


@pytest.mark.parametrize("name", ["vehiclenodes.yaml", "stale.yaml", "fields.md"])
def test_a_check_names_what_differs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    """A file that was edited, and one that should not be there, fail the check by name."""
    main(arguments(tmp_path))
    (tmp_path / name).write_text("edited: by hand\n", encoding="utf-8")
    assert main([*arguments(tmp_path), "--check"]) == 1
    assert f"{name} is not what the models say: run `make crds`" in capsys.readouterr().err
    assert (tmp_path / name).read_text(encoding="utf-8") == "edited: by hand\n"


def test_a_check_names_what_is_missing(tmp_path: Path) -> None:
    """An empty folder lacks the four definitions and the page."""
    assert len(drifted(tmp_path, tmp_path / "fields.md")) == 5


def test_a_change_of_the_definitions_raises_their_version() -> None:
    """An operator must be able to tell older definitions: whoever changes them raises the number.

    Where this fails, raise SCHEMA_VERSION by one and write the new pair here; what a version was
    once released with never changes.
    """
    specs = [_without_descriptions(definition(kind)["spec"]) for kind in KINDS.values()]
    digest = hashlib.sha256(json.dumps(specs, sort_keys=True).encode()).hexdigest()
    assert (SCHEMA_VERSION, digest[:16]) == (3, "05a756eda2384dd1")


def _without_descriptions(node: object) -> object:
    """The part of a definition without what only people read."""
    if isinstance(node, list):
        return [_without_descriptions(each) for each in node]
    if isinstance(node, dict):
        return {
            name: _without_descriptions(each)
            for name, each in node.items()
            if name != "description" or not isinstance(each, str)
        }
    return node
