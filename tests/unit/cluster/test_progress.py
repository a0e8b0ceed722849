"""A person who waits is told for what."""

import sys
from pathlib import Path

import pytest
from tests.cluster.places import SetupError
from tests.cluster.progress import run_long


def test_long_command_is_heard_of(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What is done, how long it usually takes, and a sign of life with the command's own word."""
    code = "import time; print('half way', flush=True); time.sleep(0.4)"
    seconds = run_long(
        [sys.executable, "-c", code],
        what="Building a thing",
        usual_seconds=3,
        log=tmp_path / "log",
        heartbeat_seconds=0.15,
    )
    said = capsys.readouterr().err.splitlines()
    assert seconds >= 0.4
    assert said[0] == "Building a thing (usually about 3 s)"
    assert any("so far: half way" in line for line in said[1:-1])
    assert said[-1].startswith("  done in")


def test_failure_shows_the_end_of_the_output(tmp_path: Path) -> None:
    """A command that fails ends in a sentence with its last lines and where all of them are."""
    code = "import sys; print('first\\n' * 50 + 'the cause'); sys.exit(3)"
    with pytest.raises(SetupError) as failure:
        run_long(
            [sys.executable, "-c", code],
            what="Building a thing",
            usual_seconds=3,
            log=tmp_path / "log",
        )
    said = str(failure.value)
    assert said.startswith("Building a thing failed with exit status 3")
    assert said.endswith("the cause")
    assert str(tmp_path / "log") in said
    assert said.count("first") < 20
