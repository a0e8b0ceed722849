"""What is done to, and asked of, one node of a kind cluster: its link, and its containers.

None of it asks the API server: a node that is cut off answers all the same.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

LINK = "eth0"
CTR = "ctr --namespace k8s.io"
LIST_SCRIPT = (
    f"""{CTR} containers list -q 'labels."io.cri-containerd.kind"==container'"""
    f"; echo ---; {CTR} tasks list"
)
# Before any other rule, on the way in and out, for the node and for its pods.
RULES = (("raw", "PREROUTING", "-i"), ("mangle", "POSTROUTING", "-o"))


@dataclass(frozen=True)
class Container:
    """A container as the node's own containerd knows it; ``pid`` is the node's, None if ended."""

    namespace: str
    pod: str
    name: str
    running: bool
    pod_uid: str
    id: str
    pid: int | None


@dataclass(frozen=True)
class Labels:
    """What the kubelet wrote on a container when it made it, and never changes."""

    namespace: str
    pod: str
    name: str
    pod_uid: str


def cut_script() -> str:
    """Give the shell lines that drop every packet between a node and the world."""
    return "\n".join(
        f"{program} -w -t {table} -C {rule} 2>/dev/null || {program} -w -t {table} -I {rule}"
        for program, table, rule in _rules()
    )


def mend_script() -> str:
    """Give the shell lines that undo it, however often it was done."""
    return "\n".join(
        f"while {program} -w -t {table} -D {rule} 2>/dev/null; do :; done"
        for program, table, rule in _rules()
    )


def _rules() -> Iterable[tuple[str, str, str]]:
    for program in ("iptables", "ip6tables"):
        for table, chain, direction in RULES:
            comment = "-m comment --comment idlewatt-cut"
            yield program, table, f"{chain} {direction} {LINK} {comment} -j DROP"


def parse_listing(text: str) -> tuple[list[str], dict[str, int]]:
    """Read LIST_SCRIPT's answer: the ids of all containers, and the pid of each that runs."""
    ids, _, tasks = text.partition("---\n")
    running = re.findall(r"^(\S+)\s+(\d+)\s+(?:RUNNING|PAUSED|PAUSING)\s*$", tasks, re.MULTILINE)
    return ids.split(), {identity: int(pid) for identity, pid in running}


def labels_script(ids: Iterable[str]) -> str:
    """Give the shell lines that print what is known of containers, as one JSON list."""
    return (
        f'echo "["; for id in {" ".join(ids)}; do '
        f"{CTR} containers info $id 2>/dev/null && echo ,; done; echo null]"
    )


def parse_labels(answer: Iterable[dict[str, Any] | None]) -> dict[str, Labels]:
    """Read labels_script's answer, by container; what has gone meanwhile is not in it."""
    return {
        info["ID"]: Labels(
            namespace=info["Labels"]["io.kubernetes.pod.namespace"],
            pod=info["Labels"]["io.kubernetes.pod.name"],
            name=info["Labels"]["io.kubernetes.container.name"],
            pod_uid=info["Labels"]["io.kubernetes.pod.uid"],
        )
        for info in answer
        if info is not None
    }


def containers(
    ids: Iterable[str], running: dict[str, int], labels: dict[str, Labels]
) -> list[Container]:
    """Put together what was listed and what is known of each."""
    return [
        Container(
            namespace=known.namespace,
            pod=known.pod,
            name=known.name,
            running=identity in running,
            pod_uid=known.pod_uid,
            id=identity,
            pid=running.get(identity),
        )
        for identity in ids
        if (known := labels.get(identity)) is not None
    ]
