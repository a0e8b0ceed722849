"""The CRDs and the field reference are what the models say, and drift is found."""

from pathlib import Path

import pytest

from idlewatt_operator.resources.generate import definitions, drifted, main

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
