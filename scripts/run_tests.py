"""Run every test: those on a real API server mostly wait, so they run beside all others.

`make test` calls it. What the others say is shown as they say it; the integration tests write to
`build/integration.log`, which is shown after that, to its end.
"""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO

CHECKOUT = Path(__file__).resolve().parents[1]
QUICK = ("tests/unit", "tests/property")
# Two that end at different times would forget each other's failures, of which `--lf` knows.
WAITING = ("tests/integration", "-o", "cache_dir=.pytest_cache/integration")
LOG = Path("build/integration.log")
LOOK_SECONDS = 0.2
ENDING_SECONDS = 30.0


def main() -> int:
    """Run them; the exit status is 0 where both passed, else that of one which did not."""
    # Ended from outside, it ends what it started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    pytest = (sys.executable, "-m", "pytest")
    return side_by_side((*pytest, *QUICK), (*pytest, *WAITING), CHECKOUT)


def side_by_side(quick: Sequence[str], waiting: Sequence[str], folder: Path) -> int:
    """Run two commands in `folder`, the output of the second after that of the first."""
    log = folder / LOG
    log.parent.mkdir(parents=True, exist_ok=True)
    _say(f"The integration tests run beside what follows; they write to {LOG}.")
    with log.open("w") as output, _beside(waiting, folder, output) as beside:
        first = subprocess.run(quick, cwd=folder, check=False).returncode
        _say(f"The integration tests, from {LOG}:")
        second = _show(log, beside)
    if first != 0:
        _say("Unit or property tests failed; their words are above those of the integration tests.")
    return first or second


@contextlib.contextmanager
def _beside(
    command: Sequence[str], folder: Path, output: IO[str]
) -> "Iterator[subprocess.Popen[bytes]]":
    """Start a command that does not outlive the block; after Ctrl-C it may tidy up first."""
    process = subprocess.Popen(
        command,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        # Who looks into the file sees how far it is.
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    try:
        yield process
    except KeyboardInterrupt:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(ENDING_SECONDS)
        raise
    finally:
        process.terminate()
        process.wait()


def _show(log: Path, writer: "subprocess.Popen[bytes]") -> int:
    """Show all that is and will be written to a file; the exit status of who writes it."""
    with log.open(errors="replace") as written:
        while True:
            # In this order: what it wrote last is there when it has ended.
            ended = writer.poll()
            sys.stdout.write(written.read())
            sys.stdout.flush()
            if ended is not None:
                return ended
            time.sleep(LOOK_SECONDS)


def _say(sentence: str) -> None:
    sys.stdout.write(sentence + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(128 + signal.SIGINT)
