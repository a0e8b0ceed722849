"""One process that a test needs: started, asked whether it lives, frozen, ended."""

import concurrent.futures
import contextlib
import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Sequence
from pathlib import Path

LAST_LINES = 12
END_TIMEOUT_SECONDS = 10.0

# The kernel ties a child's life to that of the thread that started it. So one thread starts
# them all, and lives as long as this process: a test may restart one from a thread of its own.
_STARTER = concurrent.futures.ThreadPoolExecutor(max_workers=1, thread_name_prefix="starter")


class Component:
    """A program with its arguments, whose output goes to ``<folder>/<name>.log``."""

    def __init__(
        self, program: Path, arguments: Sequence[str], folder: Path, *, standing: bool
    ) -> None:
        self.program = program
        self.name = program.name
        self.log = folder / f"{program.name}.log"
        self._command = [str(program), *arguments]
        self._folder = folder
        self._standing = standing
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, tied to the life of this process unless it is to stand."""
        command = self._command
        # Where setpriv is missing, a killed run's processes live until the next run's sweep.
        if not self._standing and (setpriv := shutil.which("setpriv")):
            command = [setpriv, "--pdeathsig", "KILL", "--", *command]
        self._process = _STARTER.submit(self._spawn, command).result()

    def _spawn(self, command: Sequence[str]) -> "subprocess.Popen[bytes]":
        with self.log.open("ab") as output:
            # A session of its own: Ctrl-C at the terminal is for pytest, which then ends us.
            return subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=self._folder,
                start_new_session=True,
            )

    def is_alive(self) -> bool:
        """Tell whether the process runs."""
        return self._process is not None and self._process.poll() is None

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        if self._process is not None:
            self._process.send_signal(number)

    def end(self) -> None:
        """Kill it and wait for its end; what it holds is thrown away."""
        if self._process is None:
            return
        self._process.kill()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(END_TIMEOUT_SECONDS)
        self._process = None

    def last_words(self) -> str:
        """Give the end of its log, under its name."""
        lines = self.log.read_text(errors="replace").splitlines() if self.log.is_file() else []
        return "\n".join([f"--- {self.log}", *lines[-LAST_LINES:]])

    def memory_bytes(self) -> int:
        """Give its resident memory; 0 where it does not run."""
        if not self.is_alive() or self._process is None:
            return 0
        pages = Path(f"/proc/{self._process.pid}/statm").read_text().split()[1]
        return int(pages) * os.sysconf("SC_PAGE_SIZE")


def free_ports(count: int) -> list[int]:
    """Find ports of the loopback address that nobody listens on now."""
    with contextlib.ExitStack() as held:
        ports = []
        for _ in range(count):
            listener = held.enter_context(socket.socket(socket.AF_INET, socket.SOCK_STREAM))
            listener.bind(("127.0.0.1", 0))
            ports.append(int(listener.getsockname()[1]))
    return ports
