"""Two commands beside each other: what is shown of them, and how they end."""

import importlib.util
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import ModuleType

import pytest
from tests.cluster.places import CHECKOUT

SCRIPT = CHECKOUT / "scripts" / "run_tests.py"
WAIT_SECONDS = 60.0


@pytest.fixture(scope="module")
def run_tests() -> ModuleType:
    """Load the script as a module."""
    spec = importlib.util.spec_from_file_location("run_tests", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def saying(words: str, status: int = 0) -> list[str]:
    """Give a command that says something and ends so."""
    return [sys.executable, "-c", f"print({words!r}); raise SystemExit({status})"]


@pytest.mark.parametrize(
    ("quick", "waiting", "status"), [(0, 0, 0), (0, 3, 3), (1, 0, 1), (1, 3, 1)]
)
def test_it_passes_where_both_do(
    run_tests: ModuleType, tmp_path: Path, quick: int, waiting: int, status: int
) -> None:
    """Whichever fails, the whole does."""
    commands = saying("quick", quick), saying("waiting", waiting)
    assert run_tests.side_by_side(*commands, tmp_path) == status


def test_the_words_of_both_are_shown_one_after_the_other(
    run_tests: ModuleType, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """The second's are kept too, and at the end it is said whether the first failed."""
    run_tests.side_by_side(saying("first words", 1), saying("second words"), tmp_path)
    shown = capfd.readouterr().out.splitlines()
    assert shown.index("first words") < shown.index("second words")
    assert shown[-1].startswith("Unit or property tests failed")
    assert (tmp_path / run_tests.LOG).read_text() == "second words\n"


def test_they_run_at_the_same_time(run_tests: ModuleType, tmp_path: Path) -> None:
    """The first waits for a file that the second writes, or it would fail."""
    there = tmp_path / "there"
    waits = (
        "import pathlib, sys, time\n"
        f"for _ in range({WAIT_SECONDS * 10:.0f}):\n"
        f"    if pathlib.Path({str(there)!r}).exists(): sys.exit(0)\n"
        "    time.sleep(0.1)\n"
        "sys.exit(1)"
    )
    writes = f"import pathlib; pathlib.Path({str(there)!r}).touch()"
    commands = [sys.executable, "-c", waits], [sys.executable, "-c", writes]
    assert run_tests.side_by_side(*commands, tmp_path) == 0


def test_who_ends_it_ends_both(tmp_path: Path) -> None:
    """A job that is cancelled leaves no process behind."""
    program = (
        "import runpy, signal, sys\n"
        f"script = runpy.run_path({str(SCRIPT)!r})\n"
        "script['main'].__globals__['side_by_side'] = lambda *_: script['side_by_side'](\n"
        "    [sys.executable, '-c', 'import time; time.sleep(600)'],\n"
        "    [sys.executable, '-c', 'import os, time; print(os.getpid()); time.sleep(600)'],\n"
        f"    __import__('pathlib').Path({str(tmp_path)!r}),\n"
        ")\n"
        "sys.exit(script['main']())"
    )
    log = tmp_path / "build" / "integration.log"
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.DEVNULL) as process:
        give_up_at = time.monotonic() + WAIT_SECONDS
        while not (log.exists() and log.read_text().endswith("\n")):
            assert time.monotonic() < give_up_at
            time.sleep(0.05)
        process.send_signal(signal.SIGTERM)
        assert process.wait(WAIT_SECONDS) == 128 + signal.SIGTERM
    with pytest.raises(ProcessLookupError):
        os.kill(int(log.read_text()), 0)
