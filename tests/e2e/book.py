"""A book of all pods of ours that there ever were, with what they were bound with.

A pod that is drained takes its annotations with it; what it drew has to be known afterwards.
"""

import threading
from dataclasses import dataclass
from typing import Any, Final, Self

import urllib3
from tests.cluster.api import Api, RefusedError

LOOK_EVERY_SECONDS: Final = 0.5
WATTS: Final = "idlewatt.dev/bound-watts"
OURS: Final = "spec.schedulerName=idlewatt"


@dataclass(frozen=True)
class Entry:
    """A pod as it was seen last; `watts` is None as long as it is not bound."""

    namespace: str
    name: str
    vehicle: str | None
    watts: int | None


class Book:
    """Reads the pods twice a second until it is stopped."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self.entries: dict[str, Entry] = {}
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._read_on, daemon=True)

    def start(self) -> Self:
        """Begin to read."""
        self._thread.start()
        return self

    def stop(self) -> None:
        """Read no more; what was read is kept."""
        self._stopped.set()
        self._thread.join(timeout=10)

    def _read_on(self) -> None:
        while not self._stopped.wait(LOOK_EVERY_SECONDS):
            try:
                pods = self._api.list("Pod", fieldSelector=OURS)
            except (RefusedError, urllib3.exceptions.HTTPError):
                continue
            self.entries |= {pod["metadata"]["uid"]: entry_of(pod) for pod in pods}


def entry_of(pod: dict[str, Any]) -> Entry:
    """What is kept of a pod."""
    metadata = pod["metadata"]
    watts = metadata.get("annotations", {}).get(WATTS)
    return Entry(
        metadata["namespace"],
        metadata["name"],
        pod["spec"].get("nodeName"),
        None if watts is None else int(watts),
    )
