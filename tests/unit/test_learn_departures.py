"""docs/howto/learn-departures.md: its commands answer what it says, in the figures it shows."""

import shlex
from pathlib import Path

import pytest
from tests.cluster.places import CHECKOUT
from tests.pages import HOWTO, blocks, commands
from typer.testing import CliRunner

from idlewatt_operator.cli.app import app

PAGE = HOWTO / "learn-departures.md"
OURS = [command for command in commands(PAGE) if command.startswith("idlewatt ")]
(SHOWN,) = (block.text for block in blocks(PAGE, "text"))


def test_the_page_s_commands_answer_what_it_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each is typed in a checkout; the table of the first is the page's."""
    monkeypatch.chdir(CHECKOUT)
    said = []
    for command in OURS:
        words = shlex.split(command.replace("/tmp", str(tmp_path)))  # noqa: S108 # the page's words
        done = CliRunner().invoke(app, words[1:])
        assert done.exit_code == 0, done.output
        said.append([" ".join(line.split()) for line in done.stdout.splitlines() if line.strip()])
    table = [" ".join(line.split()) for line in SHOWN.splitlines() if line.strip()]
    assert len(said) == 2
    at = said[0].index(table[0])
    assert said[0][at : at + len(table)] == table
    assert sorted(file.name for file in tmp_path.iterdir()) == [
        "calibration.svg",
        "idlewatt-departures.yaml",
    ]
