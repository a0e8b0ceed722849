"""A node's link and its containers: what is run there, and how its answers are read."""

import subprocess
from typing import Any

import pytest
from tests.cluster import kind_nodes
from tests.cluster.kind_nodes import Container

LISTING = """\
aaa
bbb
ccc
---
TASK    PID     STATUS
aaa     583     RUNNING
sandbox 500     RUNNING
bbb     612     STOPPED
ccc     700     PAUSED
"""


def info(identity: str, pod: str, name: str) -> dict[str, Any]:
    """Give what containerd says of one container, as far as it is read."""
    labels = {
        "io.kubernetes.pod.namespace": "default",
        "io.kubernetes.pod.name": pod,
        "io.kubernetes.pod.uid": f"uid-{pod}",
        "io.kubernetes.container.name": name,
    }
    return {"ID": identity, "Labels": labels}


def test_a_container_runs_as_long_as_its_process_is_there() -> None:
    """A task that stopped is not running; one that is paused holds what it holds, and is."""
    ids, running = kind_nodes.parse_listing(LISTING)
    assert ids == ["aaa", "bbb", "ccc"]
    assert running == {"aaa": 583, "sandbox": 500, "ccc": 700}


def test_a_node_without_containers_lists_none() -> None:
    """An empty list and a table of headings alone are read as nothing."""
    assert kind_nodes.parse_listing("---\nTASK    PID    STATUS\n") == ([], {})


def test_containers_are_told_by_pod_and_ended_ones_too() -> None:
    """Names come from the labels, the state from the tasks; what has gone is left out."""
    labels = kind_nodes.parse_labels([info("aaa", "p", "c"), info("bbb", "q", "d"), None])
    found = kind_nodes.containers(["aaa", "bbb", "gone"], {"aaa": 583}, labels)
    assert found == [
        Container("default", "p", "c", running=True, pod_uid="uid-p", id="aaa", pid=583),
        Container("default", "q", "d", running=False, pod_uid="uid-q", id="bbb", pid=None),
    ]


@pytest.mark.parametrize(
    "script",
    [
        kind_nodes.cut_script(),
        kind_nodes.mend_script(),
        kind_nodes.LIST_SCRIPT,
        kind_nodes.labels_script(["a", "b"]),
    ],
)
def test_scripts_are_shell(script: str) -> None:
    """The node's plain shell can read each of them."""
    subprocess.run(["sh", "-n"], input=script, text=True, check=True)


def test_what_is_cut_can_be_mended() -> None:
    """Each rule that cutting adds, in both directions and families, mending takes away."""
    added = {line.partition(" -I ")[2] for line in kind_nodes.cut_script().splitlines()}
    removed = {
        line.partition(" -D ")[2].partition(" 2>")[0]
        for line in kind_nodes.mend_script().splitlines()
    }
    assert added == removed
    assert {rule.split()[0] for rule in added} == {"PREROUTING", "POSTROUTING"}
    assert {line.split()[0] for line in kind_nodes.cut_script().splitlines()} == {
        "iptables",
        "ip6tables",
    }
