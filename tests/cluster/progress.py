"""Long commands, run so that a person who waits sees that something is being done."""

import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.cluster.places import SetupError

HEARTBEAT_SECONDS = 8.0
TAIL_LINES = 15


def say(sentence: str) -> None:
    """Tell the person at the terminal; standard output is left to the command's own result."""
    sys.stderr.write(sentence + "\n")
    sys.stderr.flush()


def run_long(  # noqa: PLR0913 - each is a plain fact about the command
    command: Sequence[str],
    *,
    what: str,
    usual_seconds: float,
    log: Path,
    cwd: Path | None = None,
    environment: Mapping[str, str] | None = None,
    heartbeat_seconds: float = HEARTBEAT_SECONDS,
) -> float:
    """Run ``command``, print a line every few seconds, and give the seconds it took.

    Raises SetupError with the end of its output, which is kept in ``log``.
    """
    say(f"{what} (usually about {usual_seconds:.0f} s)")
    started = time.monotonic()
    with log.open("wb") as output:
        process = subprocess.Popen(
            list(command), stdout=output, stderr=subprocess.STDOUT, cwd=cwd, env=environment
        )
        try:
            _beat_until_done(process, what, started, log, heartbeat_seconds)
        except BaseException:
            process.kill()
            process.wait()
            raise
    seconds = time.monotonic() - started
    if process.returncode != 0:
        message = (
            f"{what} failed with exit status {process.returncode}; the last lines of {log}:\n"
            + _tail(log, TAIL_LINES)
        )
        raise SetupError(message)
    say(f"  done in {seconds:.0f} s")
    return seconds


def _beat_until_done(
    process: "subprocess.Popen[bytes]", what: str, started: float, log: Path, every_seconds: float
) -> None:
    while True:
        try:
            process.wait(timeout=every_seconds)
        except subprocess.TimeoutExpired:
            last = _tail(log, 1)
            doing = f": {last[:80]}" if last else ""
            say(f"  {what}: {time.monotonic() - started:.0f} s so far{doing}")
        else:
            return


def _tail(log: Path, lines: int) -> str:
    text = log.read_text(errors="replace")
    return "\n".join(text.strip().splitlines()[-lines:])
