"""What containerd in each vehicle says: which containers run there, second by second.

The API server shows a pod behind a cut link as running for as long as nobody tells it better.
Whether a vehicle was vacated in time only the vehicle knows, so it is asked, every second, by a
shell that stays in its node's container and needs no network.
"""

import json
import subprocess
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, Self

LOOK_EVERY_SECONDS: Final = 1.0

# It looks once for each line that it is sent, and ends with its standard input.
_LOOK: Final = """
while read -r _; do
  echo "= $(date +%s.%N)"
  ctr -n k8s.io tasks ls | sed 1d
  echo .
done
"""


@dataclass(frozen=True)
class Container:
    """A container of a pod, by the labels that the kubelet gave it; `pod_uid` is its pod's."""

    namespace: str
    pod: str
    pod_uid: str
    name: str


@dataclass
class Span:
    """A container that ran on a vehicle, between the two looks that found it running.

    Attributes:
        began, seen: the first and the last look at which it ran, seconds since 1970.
        ended: the first look at which it ran no more; None: it runs still.
    """

    vehicle: str
    container: Container
    began: float
    seen: float
    ended: float | None = None

    def ran_at(self, instant: float) -> bool:
        """Whether it ran then."""
        return self.began <= instant and (self.ended is None or instant < self.ended)


@dataclass
class Sightings:
    """The spans of one vehicle, made of looks; containers without a pod's labels are left out."""

    vehicle: str
    spans: list[Span] = field(default_factory=list)
    looks: list[float] = field(default_factory=list)
    _open: dict[str, Span] = field(default_factory=dict)

    def look(
        self, at: float, running: Iterable[str], who: Callable[[str], Container | None]
    ) -> None:
        """Take in one look: the identifiers of what runs; `who` tells whose each is."""
        found = set(running)
        for identifier in set(self._open) - found:
            self._open.pop(identifier).ended = at
        for identifier in found - set(self._open):
            container = who(identifier)
            if container is not None:
                span = Span(self.vehicle, container, at, at)
                self._open[identifier] = span
                self.spans.append(span)
        for span in self._open.values():
            span.seen = at
        self.looks.append(at)


def running_in(listing: str) -> list[str]:
    """The identifiers of the running tasks in what `ctr tasks ls` prints, its heading left out."""
    rows = (line.split() for line in listing.splitlines())
    return [row[0] for row in rows if len(row) >= 3 and row[2] == "RUNNING"]


def container_of(labels: Mapping[str, str]) -> Container | None:
    """Whose container it is; None for a pod's sandbox, and for what no kubelet made."""
    name = labels.get("io.kubernetes.container.name")
    if name is None or labels.get("io.cri-containerd.kind") == "sandbox":
        return None
    return Container(
        labels["io.kubernetes.pod.namespace"],
        labels["io.kubernetes.pod.name"],
        labels["io.kubernetes.pod.uid"],
        name,
    )


class Witness:
    """Looks at every vehicle once a second until it is stopped.

    Args:
        nodes: by the vehicle's name, the Docker container that is its node.
    """

    def __init__(self, nodes: Mapping[str, str]) -> None:
        self.nodes = dict(nodes)
        self.sightings = {vehicle: Sightings(vehicle) for vehicle in nodes}
        self._known: dict[str, Container | None] = {}
        self._stopped = threading.Event()
        self._threads = [
            threading.Thread(target=self._watch, args=(vehicle,), daemon=True) for vehicle in nodes
        ]

    def start(self) -> Self:
        """Begin to look, and wait for the first look of each."""
        for thread in self._threads:
            thread.start()
        give_up_at = time.monotonic() + 30
        while not all(sightings.looks for sightings in self.sightings.values()):
            if time.monotonic() > give_up_at:
                message = "containerd did not answer in every node within 30 s."
                raise RuntimeError(message)
            time.sleep(0.05)
        return self

    def stop(self) -> None:
        """Look no more; what was seen is kept."""
        self._stopped.set()
        for thread in self._threads:
            thread.join(timeout=10)

    def spans(self, namespace: str | None = None, app: str = "") -> list[Span]:
        """What ran, in the namespace, of pods whose names begin with `app` and a hyphen."""
        return [
            span
            for sightings in self.sightings.values()
            for span in list(sightings.spans)
            if namespace in {None, span.container.namespace}
            and (not app or span.container.pod.startswith(f"{app}-"))
        ]

    def running(self, namespace: str | None = None, app: str = "") -> list[Span]:
        """Those of them that run now, by the latest look."""
        return [span for span in self.spans(namespace, app) if span.ended is None]

    def _watch(self, vehicle: str) -> None:
        """One shell after another in the node, until this is stopped."""
        while not self._stopped.is_set():
            command = ["docker", "exec", "-i", self.nodes[vehicle], "sh", "-c", _LOOK]
            with subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
            ) as shell:
                try:
                    self._look_on(vehicle, shell)
                except (OSError, ValueError, EOFError):
                    self._stopped.wait(LOOK_EVERY_SECONDS)
                finally:
                    shell.kill()

    def _look_on(self, vehicle: str, shell: "subprocess.Popen[str]") -> None:
        assert shell.stdin is not None
        assert shell.stdout is not None
        while not self._stopped.wait(LOOK_EVERY_SECONDS):
            shell.stdin.write("\n")
            shell.stdin.flush()
            heading, lines = "", []
            for line in shell.stdout:
                if line.startswith("= "):
                    heading = line
                elif line == ".\n":
                    break
                else:
                    lines.append(line)
            if not heading:
                raise EOFError
            at = float(heading.removeprefix("= "))
            running = running_in("".join(lines))
            self.sightings[vehicle].look(at, running, lambda found: self._who(vehicle, found))

    def _who(self, vehicle: str, identifier: str) -> Container | None:
        if identifier not in self._known:
            command = ["ctr", "-n", "k8s.io", "containers", "info", identifier]
            told = subprocess.run(
                ["docker", "exec", self.nodes[vehicle], *command],
                capture_output=True,
                text=True,
                check=False,
            )
            if told.returncode != 0:
                return None  # it is gone again
            self._known[identifier] = container_of(json.loads(told.stdout).get("Labels") or {})
        return self._known[identifier]
