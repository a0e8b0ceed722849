"""The images that run on a cluster of tests: idlewatt's own, Redis, and those of the examples.

    from tests.cluster.images import operator_image
    operator_image()    # "idlewatt/operator:0.1.0", built if need be

An image is built from its Dockerfile, which is the one a user builds. Where a registry answers, the
base is pulled, and the packages come from PyPI as they do for the user. Where none does, the base
is made of Debian's packages and the wheels are fetched on this side of the build. Each image
carries a key of what it was built from; an unchanged tree builds nothing.

For that, a Dockerfile takes its base in `ARG BASE`, installs with pip from a lock with hashes with
`--find-links .`, copies `wheel[s]` beside the lock, and runs without a network where PIP_NO_INDEX
is 1. `scripts/image.py` makes the rest small.
"""

import hashlib
import os
import platform
import shutil
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

from tests.cluster import debian_images, engine, keyed_images
from tests.cluster.docker import image_exists
from tests.cluster.node_image import registry_answers
from tests.cluster.places import CHECKOUT, SetupError
from tests.cluster.progress import run_long, say
from tests.cluster.wheelhouse import Target, wheels_for

OFFICIAL_REDIS = "redis:7.2-bookworm"
IGNORED = {"__pycache__", ".venv"}
LAST_STAGE_SECONDS = 10


@dataclass(frozen=True)
class Image:
    """One image: its name, its Dockerfile, the locks of its packages, and what else it is built of.

    Paths are the checkout's; a Dockerfile sees them under the same names. ``stages`` are those
    before the last, with the seconds they usually take. Each is built by its name: without one, an
    engine would keep every one that ever was.
    """

    name: str
    dockerfile: str
    locks: tuple[str, ...]
    sources: tuple[str, ...]
    stages: dict[str, int]

    @property
    def tag(self) -> str:
        """The name with the version of the project."""
        return f"{self.name}:{_version()}"

    def files(self) -> list[Path]:
        """Give every file that goes into a build, in order."""
        found: set[Path] = set()
        for name in (self.dockerfile, *self.locks, *self.sources):
            path = CHECKOUT / name
            found |= (
                {each for each in path.rglob("*") if each.is_file()} if path.is_dir() else {path}
            )
        return sorted(path for path in found if not IGNORED & set(path.parts))

    def key(self) -> str:
        """Name the content that it is built from, the machine's architecture with it."""
        digest = hashlib.sha256(f"{platform.machine()}\n".encode())
        for path in self.files():
            content = path.read_bytes()
            digest.update(f"{path.relative_to(CHECKOUT)} {len(content)}\n".encode() + content)
        return digest.hexdigest()[:16]


OPERATOR = Image(
    "idlewatt/operator",
    "Dockerfile",
    ("requirements/run.txt", "requirements/build.txt"),
    ("scripts/image.py", "pyproject.toml", "README.md", "LICENSE", "scheduler", "operator"),
    stages={"packages": 45, "idlewatt": 10, "kernels": 60},
)
EMBEDDING = Image(
    "idlewatt/embedding",
    "examples/embedding/Dockerfile",
    ("examples/embedding/requirements.txt", "examples/embedding/requirements-model.txt"),
    ("scripts/image.py", "examples/embedding/embedder"),
    stages={"model": 10, "packages": 30},
)


def operator_image() -> str:
    """Give the tag of idlewatt's image, built if it was not from this tree. Raises SetupError."""
    return image(OPERATOR)


def embedding_image() -> str:
    """Give the tag of the example that answers requests. Raises SetupError."""
    return image(EMBEDDING)


def redis_image() -> str:
    """Give the tag of a Redis that runs as uid 999 and keeps /data. Raises SetupError."""
    engine.ensure()
    recipe = debian_images.REDIS
    if keyed_images.key_of(recipe.tag) == recipe.key():
        return recipe.tag
    if image_exists(OFFICIAL_REDIS):
        return OFFICIAL_REDIS
    if registry_answers():
        run_long(
            ["docker", "pull", OFFICIAL_REDIS],
            what=f"Pulling {OFFICIAL_REDIS}",
            usual_seconds=20,
            log=keyed_images.log_of(OFFICIAL_REDIS),
        )
        return OFFICIAL_REDIS
    return debian_images.made(recipe)


def image(wanted: Image) -> str:
    """Give the tag of an image, building it where the engine has none of this content."""
    engine.ensure()
    key = wanted.key()
    if keyed_images.key_of(wanted.tag) != key:
        with keyed_images.building("images"):
            if keyed_images.key_of(wanted.tag) != key:
                _build(wanted, key)
    return wanted.tag


def _build(wanted: Image, key: str) -> None:
    arguments = ["--file", wanted.dockerfile]
    wheels: list[Path] = []
    if registry_answers():
        say(f"{wanted.tag}: the registry answers; its base is pulled, its packages are PyPI's.")
    else:
        say(f"{wanted.tag}: no registry answers; its base is made of Debian's packages.")
        wheels = wheels_for([CHECKOUT / lock for lock in wanted.locks], _target())
        base = debian_images.made(debian_images.PYTHON_BASE)
        arguments += ["--build-arg", f"BASE={base}", "--build-arg", "PIP_NO_INDEX=1"]
        arguments += ["--network", "none"]
    with keyed_images.work_folder("context") as context:
        lay_out(wanted, wheels, context)
        arguments[1] = str(context / wanted.dockerfile)
        for stage, usual_seconds in wanted.stages.items():
            tag = f"{wanted.name}-{stage}:{_version()}"
            target = [*arguments, "--target", stage]
            keyed_images.built(context, tag, key, target, usual_seconds)
        keyed_images.built(context, wanted.tag, key, arguments, LAST_STAGE_SECONDS)


def _target() -> Target:
    return Target(debian_images.PYTHON, platform.machine(), debian_images.GLIBC_MINOR)


def lay_out(wanted: Image, wheels: list[Path], context: Path) -> None:
    """Put what a build sees into a folder, and nothing else."""
    for path in wanted.files():
        target = context / path.relative_to(CHECKOUT)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, target)
    (context / "wheels").mkdir()
    for wheel in wheels:
        os.link(wheel, context / "wheels" / wheel.name)


def _version() -> str:
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))
    return str(project["project"]["version"])


def main(arguments: list[str]) -> int:
    """Build the images that are named, or idlewatt's own, and print their tags."""
    known = {"operator": operator_image, "redis": redis_image, "embedding": embedding_image}
    names = arguments or ["operator"]
    if strange := [name for name in names if name not in known]:
        say(f"There is no image {strange[0]}; there are {', '.join(known)}.")
        return 2
    try:
        for name in names:
            sys.stdout.write(known[name]() + "\n")
    except SetupError as error:
        say(str(error))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
