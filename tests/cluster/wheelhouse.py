"""Wheels for an image that is built where no network is: fetched here, checked, kept.

The lock says which bytes; pip fetches them for the Python of the image, which is seldom the one
that runs. They are kept in ``wheels/locked/`` of the cache, and given by their paths.
"""

import fcntl
import hashlib
import json
import os
import re
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from packaging.markers import Marker
from tests.cluster.places import SetupError, cache_home
from tests.cluster.progress import run_long
from tests.cluster.wheels import pip_command

# A wheel made for an older C library runs with a newer one: PEP 600.
OLDEST_MANYLINUX = 17


@dataclass(frozen=True)
class Target:
    """The Python that the wheels are for: its version (``3.11.2``), machine and C library."""

    python: str
    machine: str
    glibc_minor: int

    def markers(self) -> dict[str, str]:
        """Give what this Python answers to the questions of a lock's markers."""
        return {
            "implementation_name": "cpython",
            "implementation_version": self.python,
            "os_name": "posix",
            "platform_machine": self.machine,
            "platform_python_implementation": "CPython",
            "platform_system": "Linux",
            "python_full_version": self.python,
            "python_version": ".".join(self.python.split(".")[:2]),
            "sys_platform": "linux",
        }

    def pip_options(self) -> list[str]:
        """Give the options with which pip fetches for this Python."""
        minors = range(self.glibc_minor, OLDEST_MANYLINUX - 1, -1)
        platforms = [f"manylinux_2_{minor}_{self.machine}" for minor in minors]
        platforms += [f"manylinux2014_{self.machine}", f"linux_{self.machine}"]
        options = ["--implementation", "cp", "--python-version", self.python]
        for platform in platforms:
            options += ["--platform", platform]
        return options


def locked_for(lock: str, target: Target) -> list[str]:
    """Give the lines of a lock's text that this Python needs: ``name==version --hash=...``.

    pip asks the Python that runs it about the markers, so they are answered here and left out.
    """
    joined = re.sub(r"\\\n\s*", " ", lock)
    kept = []
    for line in joined.splitlines():
        match = re.match(r"([\w.\-\[\],]+==[^\s;]+)\s*(?:;\s*(.*?))?\s+(--hash=.*)", line)
        if match is None:
            continue
        pin, marker, hashes = match.groups()
        if marker is None or Marker(marker).evaluate(dict(target.markers())):
            kept.append(f"{pin} {hashes}")
    return kept


def wheels_for(locks: Sequence[Path], target: Target) -> list[Path]:
    """Give the wheels of some locks for a Python, fetching those that were never fetched.

    Raises SetupError where the index lacks one or cannot be reached.
    """
    lines = sorted({line for lock in locks for line in locked_for(lock.read_text(), target)})
    asked = "\n".join([*lines, *target.pip_options()])
    key = hashlib.sha256(asked.encode()).hexdigest()[:16]
    house = cache_home() / "wheels" / "locked"
    house.mkdir(parents=True, exist_ok=True)
    with (house / ".lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        found = _remembered(house, key)
        if found is None:
            _fetch(lines, target, house, key)
            found = _remembered(house, key)
    if found is None:
        message = f"pip fetched no wheels into {house}; delete the folder and try again."
        raise SetupError(message)
    return found


def _remembered(house: Path, key: str) -> list[Path] | None:
    """Give the wheels of a list that was fetched; None where one of them is gone."""
    try:
        names = json.loads((house / f"{key}.json").read_text())
    except (OSError, ValueError):
        return None
    found = [house / name for name in names]
    return found if found and all(path.is_file() for path in found) else None


def _fetch(lines: list[str], target: Target, house: Path, key: str) -> None:
    with tempfile.TemporaryDirectory(dir=house, prefix=".fetching-") as folder:
        work = Path(folder)
        (work / "locked.txt").write_text("\n".join(lines) + "\n")
        command = [*pip_command(), "download", "--no-deps", "--disable-pip-version-check"]
        command += ["--only-binary", ":all:", "--require-hashes", *target.pip_options()]
        command += ["--dest", str(work / "wheels")]
        # What was fetched for another list: pip takes it from there after checking its hash.
        (work / "wheels").mkdir()
        for wheel in house.glob("*.whl"):
            os.link(wheel, work / "wheels" / wheel.name)
        try:
            run_long(
                [*command, "-r", str(work / "locked.txt")],
                what=f"Fetching {len(lines)} locked wheels for Python {target.python}",
                usual_seconds=30,
                log=house / "pip.log",
            )
        except SetupError as error:
            message = (
                f"{error}\nThe image's packages come from PyPI, or from the mirror that pip is "
                f"configured with: check that `{' '.join(pip_command())} download --no-deps "
                f"{lines[0].split()[0]}` works from here."
            )
            raise SetupError(message) from None
        wanted = set(re.findall(r"sha256:(\w+)", "\n".join(lines)))
        fetched = [each for each in (work / "wheels").glob("*.whl") if _sha256(each) in wanted]
        for wheel in fetched:
            wheel.replace(house / wheel.name)
        partial = work / "list"
        partial.write_text(json.dumps(sorted(wheel.name for wheel in fetched)))
        partial.replace(house / f"{key}.json")


def _sha256(path: Path) -> str:
    with path.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()
