"""The image of kind's nodes: kind's own where a registry answers, else one that is built here.

The tag of the one built here carries a key of all that it is built from; it is built again when
that changes, and then only.
"""

import contextlib
import fcntl
import hashlib
import shutil
import tempfile
import urllib.error
import urllib.request
from pathlib import Path

from tests.cluster import debian, node_build
from tests.cluster.binaries import (
    CONTROL_PLANE,
    KIND,
    KUBERNETES_NODE,
    build_key,
    ensure,
    module_version,
)
from tests.cluster.docker import docker, image_exists
from tests.cluster.places import SetupError, cache_home
from tests.cluster.progress import run_long, say

# Published with kind v0.33.0: the last Kubernetes that runs where control groups are version 1.
KINDS_OWN = (
    "kindest/node:v1.35.8@sha256:07b2536e30b803ed61d1677a79df6115f798ce64c80f9e22f6ed45afd09323c0"
)
REGISTRY = "https://registry-1.docker.io/v2/"
REGISTRY_TIMEOUT_SECONDS = 5.0
REGISTRY_API = "Docker-Distribution-Api-Version"

REPOSITORY = "idlewatt/kind-node"


def node_image() -> str:
    """Give the tag of an image for kind's nodes, pulling or building it where it is missing.

    Raises SetupError.
    """
    if image_exists(KINDS_OWN):
        return KINDS_OWN
    tag = built_tag()
    if image_exists(tag):
        return tag
    if registry_answers():
        with contextlib.suppress(SetupError):
            return _pulled(KINDS_OWN)
        say(f"{KINDS_OWN} could not be pulled; an image is built instead.")
    _build_once(tag)
    return tag


def is_built_here(tag: str) -> bool:
    """Tell whether a node image came from here, so that no registry can be counted on."""
    return tag.startswith(f"{REPOSITORY}:")


def built_tag() -> str:
    """Name the image that would be built now: Kubernetes' version, and the key of its content."""
    digest = hashlib.sha256()
    for part in (build_key(CONTROL_PLANE), build_key(KIND)):
        digest.update(f"{part}\n".encode())
    for source in (*sorted(node_build.NODE.iterdir()), Path(node_build.__file__)):
        digest.update(f"{source.name}\n".encode() + source.read_bytes())
    return f"{REPOSITORY}:{module_version(KUBERNETES_NODE)}-{digest.hexdigest()[:12]}"


def registry_answers() -> bool:
    """Tell whether Docker's registry can be reached; that it asks who we are is answer enough."""
    try:
        with urllib.request.urlopen(REGISTRY, timeout=REGISTRY_TIMEOUT_SECONDS) as answer:
            return REGISTRY_API in answer.headers
    except urllib.error.HTTPError as refusal:
        return REGISTRY_API in refusal.headers
    except OSError:
        return False


def _pulled(image: str) -> str:
    folder = _work_home()
    run_long(
        ["docker", "pull", image],
        what=f"Pulling {image.partition('@')[0]}",
        usual_seconds=60,
        log=folder / "pull.log",
    )
    return image


def _work_home() -> Path:
    home = cache_home() / "kind"
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    return home


def _build_once(tag: str) -> None:
    """Build the image unless another run does or did, and clear away what a killed one left."""
    with (_work_home() / "node-image.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if image_exists(tag):
            return
        _remove_leftovers()
        programs = {**_programs(ensure(CONTROL_PLANE)), **_programs(ensure(KIND))}
        debian.ensure_programs(
            {"mmdebstrap": "mmdebstrap"}, why="to build a node image where no registry answers"
        )
        say(f"No registry answers: building the nodes' image {tag}, once.")
        with tempfile.TemporaryDirectory(dir=_work_home(), prefix="building-") as folder:
            node_build.build(tag, Path(folder), programs)


def _programs(folder: Path) -> dict[str, Path]:
    return {program.name: program for program in folder.iterdir()}


def _remove_leftovers() -> None:
    left = docker("ps", "--all", "--quiet", "--filter", f"label={node_build.BUILDING}").split()
    if left:
        docker("rm", "--force", "--volumes", *left)
    for folder in _work_home().glob("building-*"):
        shutil.rmtree(folder, ignore_errors=True)
