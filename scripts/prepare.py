"""Make the virtual environment and install what is locked into it.

Runs on a bare machine with the standard library alone, and is written so that an old Python
(3.7 or later) can still read it and say what is wrong. `make` calls it: `prepare.py VENV LOCK...`.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

OLDEST = (3, 11)
NEWEST = (3, 14)
BUNDLED_PIP = "import ensurepip; ensurepip.version()"
PIP = ("-m", "pip", "--disable-pip-version-check", "--no-input", "install", "--no-compile")


def main(arguments: list[str]) -> int:
    """Prepare the environment; the exit status is 0, or 1 after a sentence that says why not."""
    venv = Path(arguments[0])
    locks = arguments[1:]
    began = time.monotonic()
    refusal = _refusal() or _make(venv) or _install(venv, locks)
    if refusal:
        sys.stderr.write("idlewatt: " + refusal + "\n")
        return 1
    _say(f"{venv} is ready after {time.monotonic() - began:.0f} s.")
    return 0


def _refusal() -> str | None:
    """Say why this Python cannot be used, or None."""
    version = sys.version_info[:2]
    if OLDEST <= version <= NEWEST:
        return None
    return (
        f"{sys.executable} is Python {_dotted(version)}; idlewatt needs 3.11 to 3.14. "
        "Name another one: make PYTHON=python3.12 ..."
    )


def _make(venv: Path) -> str | None:
    """Create the environment if there is none for this Python; a sentence if that fails."""
    if _is_usable(venv):
        return None
    _say(f"Making {venv} with Python {_dotted(sys.version_info[:2])}.")
    if venv.exists():
        shutil.rmtree(str(venv))
    if not _can(BUNDLED_PIP) and _is_debian_root():
        _install_debian_venv()
    if _can(BUNDLED_PIP):
        command = [sys.executable, "-m", "venv", str(venv)]
    elif _can("import virtualenv"):
        command = [sys.executable, "-m", "virtualenv", "--quiet", str(venv)]
    elif _can("import venv, pip.__main__"):
        return _make_with_our_pip(venv)
    else:
        return (
            "this Python can make no virtual environment: it has neither ensurepip nor "
            "virtualenv nor pip. On Debian or Ubuntu: apt-get install python3-venv; "
            "then run make again."
        )
    return _run(command, f"could not make the virtual environment {venv}")


def _make_with_our_pip(venv: Path) -> str | None:
    """Make an environment without pip, and have the pip outside install one into it."""
    said = f"could not make the virtual environment {venv}"
    inside = str(venv / "bin" / "python")
    return _run([sys.executable, "-m", "venv", "--without-pip", str(venv)], said) or _run(
        [sys.executable, "-m", "pip", "--python", inside, "install", "--quiet", "pip"], said
    )


def _is_usable(venv: Path) -> bool:
    """Tell whether the environment is there, has pip, and is of this Python's version."""
    python = venv / "bin" / "python"
    if not python.exists():
        return False
    question = "import sys, pip; print(*sys.version_info[:2], sep='.')"
    answer = subprocess.run(
        [str(python), "-c", question], capture_output=True, text=True, check=False
    )
    return answer.stdout.strip() == _dotted(sys.version_info[:2])


def _can(code: str) -> bool:
    """Tell whether this Python can run a line of code."""
    command = [sys.executable, "-c", code]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def _dotted(version: tuple[int, ...]) -> str:
    return ".".join(str(part) for part in version)


def _is_debian_root() -> bool:
    return shutil.which("apt-get") is not None and os.geteuid() == 0


def _install_debian_venv() -> None:
    """Fetch the part of Python that Debian packs apart; a failure shows in what comes next."""
    _say("This Python lacks ensurepip, which Debian packs apart: installing python3-venv.")
    environment = dict(os.environ, DEBIAN_FRONTEND="noninteractive")
    for command in (
        ["apt-get", "update", "-qq"],
        ["apt-get", "install", "-y", "-qq", "--no-install-recommends", "python3-venv"],
    ):
        subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, check=False)


def _install(venv: Path, locks: list[str]) -> str | None:
    """Install the locked packages, then idlewatt itself, editable; a sentence if that fails."""
    python = str(venv / "bin" / "python")
    names: set[str] = set()
    command = [python, *PIP, "--require-hashes", "--only-binary", ":all:"]
    for lock in locks:
        names.update(re.findall(r"^([\w.-]+)==", Path(lock).read_text(), re.MULTILINE))
        command += ["-r", lock]
    refusal = _run_pip(command, len(names))
    if refusal:
        return refusal
    editable = ["--quiet", "--no-deps", "--no-build-isolation", "--editable", "."]
    return _run([python, *PIP, *editable], "could not install idlewatt itself")


def _run_pip(command: list[str], total: int) -> str | None:
    """Run pip and show how far it is; everything it said is shown only if it fails."""
    _say(f"Installing {total} packages, as locked.")
    said: list[str] = []
    seen = 0
    pip = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        universal_newlines=True,
    )
    for line in pip.stdout or ():
        said.append(line)
        if line.startswith(("Collecting ", "Requirement already satisfied: ")):
            seen += 1
            _show(f"  {seen} of {total}: {_package(line)}", seen)
        elif line.startswith("Installing collected packages"):
            _show("  all fetched; unpacking", 0)
    if sys.stdout.isatty():
        sys.stdout.write("\r\033[K")
    if pip.wait() == 0:
        return None
    sys.stderr.write("".join(said[-40:]))
    return "pip could not install the locked packages; what it said stands above."


def _package(line: str) -> str:
    """Give the package's name out of a line in which pip names its requirement."""
    return line.split("==", maxsplit=1)[0].rsplit(maxsplit=1)[-1]


def _show(text: str, count: int) -> None:
    """Show progress: one changing line on a terminal, every tenth one elsewhere."""
    if sys.stdout.isatty():
        sys.stdout.write("\r\033[K" + text)
        sys.stdout.flush()
    elif count % 10 == 0:
        _say(text)


def _run(command: list[str], failed: str) -> str | None:
    """Run a command; None, or a sentence that begins with what failed."""
    status = subprocess.run(command, stdin=subprocess.DEVNULL, check=False).returncode
    if status == 0:
        return None
    return f"{failed}: {' '.join(command)} ended with status {status}."


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
