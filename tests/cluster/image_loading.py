"""Images from the engine into a cluster's nodes, each once.

``kind load`` asks the nodes for what they have with a program that Debian does not carry, and so
would load everything anew each time. Here it is written down what went where, in the cluster's
folder; a node loses no image while it lives.
"""

import json
import subprocess
import tempfile
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.cluster.docker import docker
from tests.cluster.places import SetupError
from tests.cluster.progress import run_long, say

IMPORT = "ctr --namespace k8s.io images import --all-platforms --digests --snapshotter overlayfs -"
IMPORT_TIMEOUT_SECONDS = 300
SAVE_USUAL_SECONDS = 5

# For each node and tag, the id of the image that went there.
Loaded = dict[str, dict[str, str]]


def load(folder: Path, nodes: Sequence[str], tags: Sequence[str]) -> None:
    """Give images to nodes (their containers) that have them not, or another one of that tag.

    Raises SetupError where the engine has no such image.
    """
    note = folder / "loaded.json"
    loaded: Loaded = json.loads(note.read_text()) if note.is_file() else {}
    ids = {tag: _id_of(tag) for tag in tags}
    wanting = missing(loaded, nodes, ids)
    if not wanting:
        return
    needed = sorted({tag for tags in wanting.values() for tag in tags})
    with tempfile.TemporaryDirectory(dir=folder) as work:
        archive = Path(work) / "images.tar"
        run_long(
            # One archive for all: what they have in common is in it once.
            ["docker", "save", "--output", str(archive), *needed],
            what=f"Saving {', '.join(needed)}",
            usual_seconds=SAVE_USUAL_SECONDS,
            log=folder / "load.log",
        )
        _import(archive, wanting)
    for node, node_tags in wanting.items():
        loaded.setdefault(node, {}).update({tag: ids[tag] for tag in node_tags})
    note.write_text(json.dumps(loaded, indent=2))


def missing(loaded: Loaded, nodes: Iterable[str], ids: dict[str, str]) -> dict[str, list[str]]:
    """Tell which tags each node wants; a node that wants none is left out."""
    wanting = {
        node: [tag for tag, image in ids.items() if loaded.get(node, {}).get(tag) != image]
        for node in nodes
    }
    return {node: tags for node, tags in wanting.items() if tags}


def _id_of(tag: str) -> str:
    image = docker("image", "ls", "--quiet", "--no-trunc", tag).strip()
    if not image:
        message = f"The Docker engine has no image {tag}: build it first."
        raise SetupError(message)
    return image


def _import(archive: Path, nodes: Iterable[str]) -> None:
    started = time.monotonic()
    say(f"Putting {archive.stat().st_size >> 20} MiB of images into {', '.join(nodes)}")
    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda node: _import_into(node, archive), nodes))
    say(f"  done in {time.monotonic() - started:.0f} s")


def _import_into(node: str, archive: Path) -> None:
    with archive.open("rb") as content:
        answer = subprocess.run(
            ["docker", "exec", "-i", node, *IMPORT.split()],
            stdin=content,
            capture_output=True,
            timeout=IMPORT_TIMEOUT_SECONDS,
            check=False,
        )
    if answer.returncode != 0:
        said = answer.stderr.decode(errors="replace").strip()
        message = f"{node} did not take the images: {said}"
        raise SetupError(message)
