"""Images that are known by what they were made of: a label carries the key of their content."""

import contextlib
import fcntl
import re
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.cluster.docker import LABEL, docker, image_exists
from tests.cluster.places import SetupError, cache_home
from tests.cluster.progress import run_long, say

KEY_LABEL = f"{LABEL}.build-key"


def key_of(tag: str) -> str | None:
    """Give the key of an image of ours; None where the engine has none under this tag."""
    if not image_exists(tag):
        return None
    form = f'{{{{index .Config.Labels "{KEY_LABEL}"}}}}'
    return docker("image", "inspect", "--format", form, tag).strip() or None


def imported(archive: Path, tag: str, key: str, changes: Sequence[str]) -> None:
    """Make an image of one layer from a tar file of a root file system."""
    options: list[str] = []
    for change in (*changes, f"LABEL {LABEL}=image {KEY_LABEL}={key}"):
        options += ["--change", change]
    with _taking_over(tag):
        docker("import", *options, str(archive), tag)


def built(context: Path, tag: str, key: str, arguments: Sequence[str], usual_seconds: int) -> None:
    """Build an image from a folder with a Dockerfile, showing that it moves."""
    labels = ["--label", f"{LABEL}=image", "--label", f"{KEY_LABEL}={key}"]
    with _taking_over(tag):
        run_long(
            ["docker", "build", "--force-rm", *labels, "--tag", tag, *arguments, str(context)],
            what=f"Building the image {tag}",
            usual_seconds=usual_seconds,
            log=log_of(tag),
        )


@contextlib.contextmanager
def _taking_over(tag: str) -> Iterator[None]:
    """Remove the image that had the tag before, unless something uses it still."""
    old = docker("image", "ls", "--no-trunc", "--quiet", tag).strip()
    yield
    if old and old != docker("image", "ls", "--no-trunc", "--quiet", tag).strip():
        with contextlib.suppress(SetupError):
            docker("image", "rm", old)


@contextlib.contextmanager
def work_folder(what: str) -> Iterator[Path]:
    """Give an empty folder to build in, deleted afterwards; one that a killed run left goes first.

    Only who holds the right to build ``what`` may ask for it.
    """
    folder = _folder() / f".{what}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def building(what: str) -> Iterator[None]:
    """Hold the right to build: two callers at once build once, and one after the other.

    Builds that begin alike share these steps, but not where they take them at the same time: later
    ones then find the steps of the one, and none of what follows.
    """
    with _folder().joinpath(f"{what}.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"Another run is making {what}; waiting for it.")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def log_of(tag: str) -> Path:
    """Give where the making of an image is logged."""
    return _folder() / f"{re.sub(r'[^A-Za-z0-9.-]', '-', tag)}.log"


def _folder() -> Path:
    folder = cache_home() / "images"
    folder.mkdir(parents=True, exist_ok=True)
    return folder
