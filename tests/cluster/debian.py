"""Debian's packages: what is missing is installed where that is ours to do, else named."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.cluster.places import SetupError, cache_home
from tests.cluster.progress import run_long
from tests.cluster.wheels import find_executable

APT_USUAL_SECONDS = 30
UPDATE_USUAL_SECONDS = 10
# Another apt-get of this machine may hold the lock.
LOCK_TIMEOUT_SECONDS = 120


def ensure_programs(packages: Mapping[str, str], *, why: str) -> None:
    """Install the packages of the programs that are not on the PATH (``program: package``).

    Raises SetupError where something is missing and cannot be installed from here.
    """
    missing = {program: package for program, package in packages.items() if not _there(program)}
    if not missing:
        return
    if find_executable("apt-get") is None or os.geteuid() != 0:
        message = (
            f"{', '.join(missing)} missing, {why}. Here that is yours to do: on Debian, as root, "
            f"`apt-get install {' '.join(missing.values())}`."
        )
        raise SetupError(message)
    install(sorted(set(missing.values())))


def _there(program: str) -> bool:
    return find_executable(program) is not None or Path("/usr/sbin", program).exists()


def install(packages: Sequence[str]) -> None:
    """Install packages without asking anything; lists that are missing or old are fetched first."""
    try:
        _install(packages)
    except SetupError:
        _apt(["update", "-qq"], "Fetching Debian's package lists", UPDATE_USUAL_SECONDS)
        _install(packages)


def _install(packages: Sequence[str]) -> None:
    arguments = ["install", "-y", "--no-install-recommends", *packages]
    _apt(arguments, f"Installing {', '.join(packages)}", APT_USUAL_SECONDS)


def _apt(arguments: Sequence[str], what: str, usual_seconds: float) -> None:
    logs = cache_home()
    logs.mkdir(parents=True, exist_ok=True)
    run_long(
        ["apt-get", "-o", f"DPkg::Lock::Timeout={LOCK_TIMEOUT_SECONDS}", *arguments],
        what=what,
        usual_seconds=usual_seconds,
        log=logs / "apt.log",
        environment={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
    )
