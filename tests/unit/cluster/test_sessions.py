"""Cleaning up after a run that was killed, and touching nothing else."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.cluster import sessions


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep the sessions of these tests apart from the real ones; give their folder."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return sessions.sessions_home()


Start = Callable[..., "subprocess.Popen[bytes]"]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Give a function that starts a sleeping process under a name, with arguments."""
    started = []

    def run(name: str, *arguments: object) -> "subprocess.Popen[bytes]":
        program = tmp_path / name
        # A copy of the shell, since a script's command line would name its interpreter.
        shutil.copy("/bin/sh", program)
        code = "while :; do sleep 0.1; done"
        process = subprocess.Popen([program, "-c", code, *map(str, arguments)])
        started.append(process)
        # For a moment after it was started the kernel shows an empty command line.
        while not Path(f"/proc/{process.pid}/cmdline").read_bytes():
            time.sleep(0.005)
        return process

    yield run
    for process in started:
        process.kill()
        process.wait()


def test_leftover_is_swept_with_its_processes(home: Path, start: Start) -> None:
    """A folder nobody holds is deleted, and what ran in it is ended."""
    folder = home / "pytest-1-000001"
    folder.mkdir(parents=True)
    process = start("etcd", f"--data-dir={folder / 'etcd'}")
    assert sessions.processes_of(folder) == [process.pid]
    assert sessions.sweep() == [folder]
    assert not folder.exists()
    assert process.wait(5) != 0


def test_living_session_is_left_alone(home: Path) -> None:
    """Another run of the same checkout that is alive keeps its folder, until it lets go."""
    session = sessions.open_session("pytest")
    assert session.folder.parent == home
    assert sessions.sweep() == []
    session.release()
    assert not session.folder.exists()


def test_session_of_a_killed_owner_is_a_leftover() -> None:
    """The kernel lets go of the lock of an owner that was killed, and the sweep notices."""
    code = (
        "import os, signal\n"
        "from tests.cluster.sessions import open_session\n"
        "session = open_session('killed')\n"
        "print(session.folder, flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    root = Path(__file__).resolve().parents[3]
    ended = subprocess.run(
        [sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=False
    )
    folder = Path(ended.stdout.strip())
    assert folder.is_dir()
    assert sessions.sweep() == [folder]


def test_standing_one_is_never_swept() -> None:
    """What `make cluster` started stays through any number of test runs."""
    session = sessions.open_standing_session()
    assert sessions.sweep() == []
    other = sessions.open_session("pytest")
    other.release()
    assert other.folder != session.folder
    assert session.folder.is_dir()


def test_only_our_programs_in_that_very_folder_are_ended(home: Path, start: Start) -> None:
    """A person's kubectl with the kubeconfig, and a neighbour's etcd, live on."""
    folder, neighbour = home / "pytest-1", home / "pytest-12"
    folder.mkdir(parents=True)
    person = start("kubectl", "--kubeconfig", folder / "kubeconfig")
    other = start("kwok", f"--config={neighbour / 'kwok.yaml'}")
    sessions.sweep()
    time.sleep(0.1)
    assert person.poll() is None
    assert other.poll() is None


def test_command_lines_are_read_as_the_kernel_writes_them() -> None:
    """A name that only looks like one of ours, or a path that only begins alike, is not ours."""
    folder = Path("/cache/pytest-1")
    argument = b"--data-dir=/cache/pytest-1/etcd"
    assert sessions.is_ours(b"/any/where/etcd\0" + argument + b"\0", folder)
    assert not sessions.is_ours(b"/any/where/etcdctl\0" + argument + b"\0", folder)
    assert not sessions.is_ours(b"/bin/etcd\0--data-dir=/cache/pytest-12/etcd\0", folder)
    assert not sessions.is_ours(b"", folder)


def test_program_and_memory_of_a_process() -> None:
    """What `status` prints of a process is its program's name and a plausible size."""
    name, mebibytes = sessions.name_and_memory(os.getpid())
    assert name.startswith(("python", "pytest"))
    assert 5 < mebibytes < 5000
