"""A folder for each running control plane or Redis, and the cleaning up after a killed one.

``clusters/<checkout>/<session>/`` holds everything of one of them. Its owner keeps the
folder's ``owner`` file locked while it lives; the kernel lets go of the lock however the owner
ends. So a folder whose lock is free is a leftover: its processes, known by the folder's path in
their command lines, are ended and it is deleted. Nothing else is ever touched: not another
checkout's folders, not a session that is alive, not the standing one of ``make cluster``.
"""

import contextlib
import fcntl
import os
import shutil
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from tests.cluster.places import cache_home, checkout_key

STANDING = "standing"
COMPONENTS = ("etcd", "kube-apiserver", "kube-controller-manager", "kwok", "redis-server")
END_TIMEOUT_SECONDS = 10.0


@dataclass
class Session:
    """A control plane's folder, held for as long as the object is not released."""

    folder: Path
    _owner: TextIO | None = None

    def release(self) -> None:
        """End every process of the session and delete the folder."""
        end_processes_of(self.folder)
        shutil.rmtree(self.folder, ignore_errors=True)
        if self._owner is not None:
            self._owner.close()
            self._owner = None


def sessions_home() -> Path:
    """Give the folder of this checkout's sessions."""
    return cache_home() / "clusters" / checkout_key()


def standing_folder() -> Path:
    """Give the folder of the control plane that ``make cluster`` leaves running."""
    return sessions_home() / STANDING


def open_session(name: str) -> Session:
    """Clean up leftovers of this checkout, then make and hold a folder of a new name."""
    home = sessions_home()
    home.mkdir(parents=True, exist_ok=True)
    with _sweeping(home):
        sweep_locked(home)
        folder = home / f"{name}-{os.getpid()}-{time.monotonic_ns() % 1_000_000:06d}"
        folder.mkdir(mode=0o700)
        owner = (folder / "owner").open("w")
        fcntl.flock(owner, fcntl.LOCK_EX | fcntl.LOCK_NB)
    return Session(folder, owner)


def open_standing_session() -> Session:
    """Make the folder of the standing control plane; nobody holds it."""
    home = sessions_home()
    home.mkdir(parents=True, exist_ok=True)
    with _sweeping(home):
        sweep_locked(home)
        standing_folder().mkdir(mode=0o700)
    return Session(standing_folder())


def sweep() -> list[Path]:
    """Clean up this checkout's leftovers, and give the folders that were."""
    home = sessions_home()
    if not home.is_dir():
        return []
    with _sweeping(home):
        return sweep_locked(home)


@contextlib.contextmanager
def _sweeping(home: Path) -> Iterator[None]:
    """Keep two runs from sweeping at once: one could take a folder not yet held for a leftover."""
    with (home / ".sweep").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def sweep_locked(home: Path) -> list[Path]:
    """Do what ``sweep`` does, for a caller that holds the lock already."""
    leftovers = [
        folder
        for folder in sorted(home.iterdir())
        if folder.is_dir() and folder.name != STANDING and not _is_held(folder)
    ]
    for folder in leftovers:
        Session(folder).release()
    return leftovers


def _is_held(folder: Path) -> bool:
    try:
        with (folder / "owner").open("r") as owner:
            fcntl.flock(owner, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except FileNotFoundError:
        return False
    return False


def processes_of(folder: Path) -> list[int]:
    """List the processes that run one of our binaries with a path inside ``folder``.

    A person's own ``kubectl --kubeconfig .../kubeconfig`` is theirs, and is not among them.
    """
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        # A process may end between the listing and the reading.
        with contextlib.suppress(OSError):
            if entry.stat().st_uid == os.getuid() and is_ours(
                (entry / "cmdline").read_bytes(), folder
            ):
                found.append(int(entry.name))
    return found


def is_ours(command_line: bytes, folder: Path) -> bool:
    """Tell from ``/proc/PID/cmdline`` whether a control plane process belongs to ``folder``."""
    program, _, arguments = command_line.partition(b"\0")
    name = os.fsdecode(program).rpartition(os.sep)[2]
    return name in COMPONENTS and os.fsencode(f"{folder}{os.sep}") in arguments


def name_and_memory(pid: int) -> tuple[str, int]:
    """Give a process's program and its resident memory in MiB."""
    program = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[0]
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return Path(os.fsdecode(program)).name, pages * os.sysconf("SC_PAGE_SIZE") >> 20


def end_processes_of(folder: Path) -> None:
    """End them at once: what they hold is thrown away with the folder."""
    give_up_at = time.monotonic() + END_TIMEOUT_SECONDS
    while (pids := processes_of(folder)) and time.monotonic() < give_up_at:
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.02)
