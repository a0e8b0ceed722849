"""Images made of Debian's packages alone, for where no image registry answers.

Each is made once by mmdebstrap and kept in the engine, under a tag or label that tells what it was
made of.
"""

import hashlib
import json
from dataclasses import dataclass

from tests.cluster import debian, keyed_images
from tests.cluster.places import SetupError
from tests.cluster.progress import run_long

SUITE = "bookworm"
PYTHON = "3.11.2"
GLIBC_MINOR = 36
# Manuals and translations that nobody reads in a container, and Perl, which only installing needs.
UNREAD = (
    *(f"/usr/share/{name}" for name in ("info", "lintian", "locale", "man", "perl*", "zoneinfo")),
    "/usr/bin/*perl*",
    "/usr/lib/*/perl*",
    "/usr/lib/*/gconv",
)
REDIS_USER = 999
REDIS_LINE = f"redis:x:{REDIS_USER}:{REDIS_USER}:redis:/data:/usr/sbin/nologin"


@dataclass(frozen=True)
class Recipe:
    """An image of Debian packages: how mmdebstrap makes it, and what Docker is told of it."""

    tag: str
    arguments: tuple[str, ...]
    changes: tuple[str, ...]
    usual_seconds: int

    def key(self) -> str:
        """Name the content: another recipe has another key."""
        told = json.dumps([SUITE, self.tag, self.arguments, self.changes])
        return hashlib.sha256(told.encode()).hexdigest()[:16]


# What a build needs: pip, a shell, ldd. Of it only Python and its libraries are shipped.
PYTHON_BASE = Recipe(
    tag="idlewatt/debian-python:bookworm",
    arguments=(
        "--variant=minbase",
        "--include=python3,python3-pip,ca-certificates",
        *(f"--dpkgopt=path-exclude=/usr/share/{name}/*" for name in ("man", "locale", "info")),
    ),
    changes=("CMD python3",),
    usual_seconds=75,
)

# Unpacked, not installed: no maintainer script runs, so the user is written by hand. The shell and
# the few programs beside it are what the official image has, too, and what start scripts call.
REDIS = Recipe(
    tag="idlewatt/redis:7.0",
    arguments=(
        "--variant=extract",
        "--include=base-files,dash,coreutils,grep,sed,redis-server,redis-tools",
        *(f'--extract-hook=rm -rf "$1"{path}' for path in UNREAD),
        f'--extract-hook=echo "{REDIS_LINE}" > "$1"/etc/passwd',
        f'--extract-hook=echo "redis:x:{REDIS_USER}:" > "$1"/etc/group',
        f'--extract-hook=install -d -o {REDIS_USER} -g {REDIS_USER} "$1"/data',
    ),
    changes=(
        "ENV PATH=/usr/local/bin:/usr/bin:/bin",
        f"USER {REDIS_USER}:{REDIS_USER}",
        "WORKDIR /data",
        "VOLUME /data",
        "EXPOSE 6379",
        'CMD ["redis-server"]',
    ),
    usual_seconds=20,
)


def made(recipe: Recipe) -> str:
    """Give the tag of an image, making it first where the engine has none of this content.

    Raises SetupError where it cannot be made here.
    """
    with keyed_images.building("Debian images"):
        if keyed_images.key_of(recipe.tag) != recipe.key():
            _make(recipe)
    return recipe.tag


def _make(recipe: Recipe) -> None:
    debian.ensure_programs(
        {"mmdebstrap": "mmdebstrap"}, why="to make images where no registry answers"
    )
    log = keyed_images.log_of(recipe.tag)
    with keyed_images.work_folder("debian") as folder:
        archive = folder / "root.tar"
        try:
            run_long(
                ["mmdebstrap", *recipe.arguments, SUITE, str(archive)],
                what=f"Making {recipe.tag} of Debian's packages",
                usual_seconds=recipe.usual_seconds,
                log=log,
            )
        except SetupError as error:
            message = (
                f"{error}\nThe packages come from deb.debian.org, which has to be reachable, and "
                "mmdebstrap needs root or user namespaces."
            )
            raise SetupError(message) from None
        keyed_images.imported(archive, recipe.tag, recipe.key(), recipe.changes)
