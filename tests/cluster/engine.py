"""A Docker engine: the one that answers, else, on Debian and as root, one that is started here.

An engine that is there is used as it is. One that we start keeps everything under
``~/.cache/idlewatt/docker``, images too, so that they need not be built again; it lives until
``python -m tests.cluster kind down --engine``, and nothing else ends it.
"""

import contextlib
import fcntl
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from tests.cluster import bounded_runc, debian, docker
from tests.cluster.places import SetupError, cache_home
from tests.cluster.progress import TAIL_LINES, say

START_TIMEOUT_SECONDS = 60.0
STOP_TIMEOUT_SECONDS = 30.0
POLL_SECONDS = 0.2
SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
APPARMOR = Path("/sys/module/apparmor/parameters/enabled")
# Held, or Python warns of a process that nobody waits for: an engine is to outlive us.
_STARTED: list["subprocess.Popen[bytes]"] = []
PACKAGES = {"dockerd": "docker.io", "containerd": "containerd", "runc": "runc"}


@dataclass(frozen=True)
class Engine:
    """Where an engine that we start keeps what lasts and what does not, and where it answers."""

    home: Path = field(default_factory=lambda: cache_home() / "docker")
    run: Path = Path("/run/idlewatt-docker")
    socket: Path = Path("/var/run/docker.sock")
    options: tuple[str, ...] = ()

    @property
    def log(self) -> Path:
        """Where the engine writes what it does."""
        return self.home / "dockerd.log"

    @property
    def data(self) -> Path:
        """Where images and containers are."""
        return self.home / "data"


def ensure() -> None:
    """See to it that a Docker engine answers. Raises SetupError with what to do where none can."""
    if docker.answers():
        return
    _refuse_if_not_ours_to_start()
    engine = Engine()
    engine.home.mkdir(parents=True, exist_ok=True)
    with (engine.home / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if docker.answers():
            return
        install()
        # Where an init system runs, the package itself may have started one.
        if not docker.answers():
            start(engine)
    if not docker.answers():
        message = "dockerd runs, but `docker version` does not reach it; is `docker context` set?"
        raise SetupError(message)


def _refuse_if_not_ours_to_start() -> None:
    elsewhere = os.environ.get("DOCKER_HOST")
    if elsewhere:
        message = (
            f"DOCKER_HOST says {elsewhere}, and no Docker engine answers there: start it, or unset "
            "DOCKER_HOST."
        )
        raise SetupError(message)
    if os.geteuid() != 0 or not Path("/etc/debian_version").exists():
        message = (
            "No Docker engine answers (`docker version`), and one is installed and started from "
            "here only on Debian and as root. Start Docker and try again; if it runs, you may not "
            "be allowed to reach it: `sudo usermod -aG docker $USER`, and log in again."
        )
        raise SetupError(message)


def install() -> None:
    """Install the engine and its client from Debian, and nothing that is there already."""
    packages = dict(PACKAGES)
    with contextlib.suppress(OSError):
        # Where the kernel has AppArmor on, an engine without its parser starts no container.
        if APPARMOR.read_text().strip() == "Y":
            packages["apparmor_parser"] = "apparmor"
    debian.ensure_programs(packages, why="for a Docker engine")
    # Since Debian 13 the client is a package of its own.
    debian.ensure_programs({"docker": "docker-cli"}, why="to reach a Docker engine")


def start(engine: Engine) -> int:
    """Start an engine that outlives us, wait until it answers, and give its process id."""
    clear_leftovers(engine)
    engine.data.mkdir(parents=True, exist_ok=True)
    say(f"Starting a Docker engine; it writes to {engine.log}.")
    started = time.monotonic()
    with engine.log.open("wb") as log:
        process = subprocess.Popen(
            command(engine, runtime(engine)),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd="/",
            env={**os.environ, "PATH": f"{os.environ.get('PATH', '')}:{SYSTEM_PATH}"},
            start_new_session=True,
        )
    while not _answers_at(engine):
        if process.poll() is not None or time.monotonic() - started > START_TIMEOUT_SECONDS:
            process.kill()
            process.wait()
            raise SetupError(_why_not(engine))
        time.sleep(POLL_SECONDS)
    _STARTED.append(process)
    say(f"  done in {time.monotonic() - started:.0f} s")
    return process.pid


def command(engine: Engine, runtime: Path | None) -> list[str]:
    """Give the command line of an engine; ``runtime`` stands before runc where it must."""
    words = ["dockerd", "--data-root", str(engine.data), "--exec-root", str(engine.run)]
    words += ["--pidfile", f"{engine.run}.pid", "--host", f"unix://{engine.socket}"]
    if runtime is not None:
        words += ["--add-runtime", f"bounded={runtime}", "--default-runtime", "bounded"]
    return [*words, *engine.options]


def runtime(engine: Engine) -> Path | None:
    """Write the runtime that stands before runc, where this machine lacks a capability."""
    missing = bounded_runc.missing_here()
    if not missing:
        return None
    say(f"This machine lacks {', '.join(sorted(missing))}: containers are started without.")
    wrapper = engine.home / "runc-bounded"
    # The interpreter itself: an environment may be deleted, the engine would still run.
    interpreter = Path(sys.executable).resolve()
    source = Path(bounded_runc.__file__).read_text()
    partial = wrapper.with_name(f".{wrapper.name}.{os.getpid()}.partial")
    partial.write_text(f"#!{interpreter} -IS\n{source}")
    partial.chmod(0o755)
    partial.replace(wrapper)
    return wrapper


def _answers_at(engine: Engine) -> bool:
    answer = subprocess.run(
        ["docker", "--host", f"unix://{engine.socket}", "version"], capture_output=True, check=False
    )
    return answer.returncode == 0


def _why_not(engine: Engine) -> str:
    text = engine.log.read_text(errors="replace")
    tail = "\n".join(text.strip().splitlines()[-TAIL_LINES:])
    return (
        "The Docker engine did not start on this machine. Its kernel may not allow containers, or "
        f"{engine.data} may be on a file system that no storage driver takes. The end of "
        f"{engine.log}:\n{tail}"
    )


def clear_leftovers(engine: Engine) -> None:
    """Delete what a killed engine left: the next takes any process of that number for its own."""
    if processes_of(engine):
        return
    Path(f"{engine.run}.pid").unlink(missing_ok=True)
    shutil.rmtree(engine.run, ignore_errors=True)


def processes_of(engine: Engine) -> dict[int, str]:
    """Find the engine's own processes, ``dockerd`` and its ``containerd``, by process id."""
    found = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        # A process may end between the listing and the reading.
        with contextlib.suppress(OSError):
            words = (entry / "cmdline").read_bytes().split(b"\0")
            name = os.fsdecode(words[0]).rpartition("/")[2]
            if is_of(engine, name, [os.fsdecode(word) for word in words[1:]]):
                found[int(entry.name)] = name
    return found


def is_of(engine: Engine, name: str, words: list[str]) -> bool:
    """Tell from a command line whether it is that of this engine, or of its containerd."""
    if name == "dockerd":
        return str(engine.data) in words or f"--data-root={engine.data}" in words
    return name == "containerd" and f"{engine.run}/containerd/containerd.toml" in words


def stop(engine: Engine | None = None) -> bool:
    """End an engine that we started, and its containers; tell whether there was one."""
    engine = engine or Engine()
    daemons = [pid for pid, name in processes_of(engine).items() if name == "dockerd"]
    for pid in daemons:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
    give_up_at = time.monotonic() + STOP_TIMEOUT_SECONDS
    while processes_of(engine) and time.monotonic() < give_up_at:
        time.sleep(POLL_SECONDS)
    return bool(daemons)
