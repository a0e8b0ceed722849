"""How many things may be watched at once: a limit that the nodes of several clusters share."""

from pathlib import Path
from typing import Final

from tests.cluster.progress import say

INSTANCES: Final = Path("/proc/sys/fs/inotify/max_user_instances")
ENOUGH: Final = 512
"""Four nodes were seen to take 70 to 80 of the usual 128; kind's own documentation asks for 512."""


def allow_watching(limit: Path = INSTANCES) -> None:
    """Raise the kernel's limit of inotify instances, where it is low and we may.

    Where it runs out, a node's init or kubelet ends with "too many open files". The limit goes
    back with the next boot. Where it cannot be raised nothing is lost yet: one cluster mostly fits.
    """
    try:
        given = int(limit.read_text(encoding="ascii"))
        if given >= ENOUGH:
            return
        limit.write_text(f"{ENOUGH}\n", encoding="ascii")
    except (OSError, ValueError):
        return
    say(f"  fs.inotify.max_user_instances raised from {given} to {ENOUGH} until the next boot")
