"""How long `idlewatt plan -f` takes, from the shell's prompt to the next one."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Final

from tests.benchmarks.fleets import Size

ROOT: Final = Path(__file__).resolve().parents[2]
AT: Final = "2026-01-15T22:00:00Z"


@dataclass(frozen=True, slots=True)
class FromFiles:
    """One run of the command.

    Attributes:
        cpu_seconds: of the command and of what it started.
        mebibytes: of all the files.
    """

    vehicles: int
    pods: int
    form: str
    seed: int
    seconds: float
    cpu_seconds: float
    mebibytes: float


def from_files(size: Size, form: str, seed: int) -> FromFiles:
    """Write an instance with ample supply as manifests, and plan it by the command.

    Raises:
        RuntimeError: a command failed; what it said is in the message.
    """
    with TemporaryDirectory() as folder:
        words = [f"{size.vehicles}x{size.pods}", folder, "--seed", str(seed), "--format", form]
        _run("tests.benchmarks.manifests", *words)
        whole = sum(path.stat().st_size for path in Path(folder).iterdir())
        before, began = os.times(), perf_counter()
        _run("idlewatt_operator", "plan", "-f", folder, "--at", AT)
        seconds, after = perf_counter() - began, os.times()
    spent = (after.children_user - before.children_user) + (
        after.children_system - before.children_system
    )
    return FromFiles(size.vehicles, size.pods, form, seed, seconds, spent, whole / 2**20)


def _run(module: str, *words: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", module, *words], cwd=ROOT, capture_output=True, check=False
    )
    if done.returncode:
        message = f"`{module} {' '.join(words)}` failed:\n{done.stderr.decode()}"
        raise RuntimeError(message)
