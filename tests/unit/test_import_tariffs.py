"""docs/howto/import-tariffs.md: its commands answer what it says, and its tariffs are valid."""

import shlex
from pathlib import Path

import pytest
from tests.cluster.places import CHECKOUT
from tests.pages import HOWTO, blocks
from typer.testing import CliRunner

from idlewatt_operator.cli.app import app

PAGE = HOWTO / "import-tariffs.md"
OURS = [
    line
    for block in blocks(PAGE, "console")
    for line in block.text.splitlines()
    if "examples/tariffs" in line or "/tmp/" in line  # noqa: S108 # the page's words
]


def test_the_page_s_commands_answer_what_it_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each is typed in a checkout; what it says on standard error is what the page shows."""
    monkeypatch.chdir(CHECKOUT)
    shown: list[str] = []
    for line in OURS:
        here = line.replace("/tmp", str(tmp_path))  # noqa: S108 # the page's words
        if not here.startswith("$ "):
            assert here in shown
            continue
        words = shlex.split(here.removeprefix("$ idlewatt "))
        done = CliRunner().invoke(app, words)
        assert done.exit_code == 0, done.output
        shown = done.stderr.splitlines()
    assert sorted(file.name for file in tmp_path.iterdir()) == [
        "carbon.yaml",
        "depot.yaml",
        "sce.yaml",
    ]
