"""Nodes become what planning needs of them."""

from typing import Any

import pytest

from idlewatt_operator.resources.nodes import node
from idlewatt_operator.resources.objects import NODE_DECODER, node_object
from idlewatt_scheduler.model.workload import Node, Ready, Taint


def a_node(status: dict[str, Any] | None = None, **spec: object) -> Node:
    """The value of a Node with this spec and status."""
    written = {"metadata": {"name": "v-1"}, "spec": spec, "status": status or {}}
    return node(node_object(written))


def test_a_bare_node() -> None:
    """Nothing allocatable, and its state is unknown."""
    assert node(NODE_DECODER.decode(b'{"metadata":{"name":"v-1"}}')) == Node("v-1")


def test_every_field_is_read() -> None:
    """Labels, taints, allocatable in thousandths, and all names of all images."""
    written = {
        "metadata": {"name": "v-1", "labels": {"zone": "a"}},
        "spec": {
            "unschedulable": True,
            "taints": [
                {"key": "idlewatt.dev/vehicle", "effect": "NoSchedule"},
                {
                    "key": "k",
                    "value": "v",
                    "effect": "NoExecute",
                    "timeAdded": "2026-01-15T12:00:00Z",
                },
            ],
        },
        "status": {
            "allocatable": {"cpu": "3920m", "memory": "1Ki", "pods": "110"},
            "capacity": {"cpu": "4"},
            "conditions": [
                {"type": "MemoryPressure", "status": "False"},
                {"type": "Ready", "status": "True", "lastTransitionTime": "2026-01-15T12:00:00Z"},
            ],
            "images": [{"names": ["llm:1", "llm@sha256:0"], "sizeBytes": 1}, {"names": None}, {}],
        },
    }
    assert node(node_object(written)) == Node(
        name="v-1",
        allocatable={"cpu": 3_920, "memory": 1_024_000, "pods": 110_000},
        labels={"zone": "a"},
        taints=(Taint("idlewatt.dev/vehicle", "NoSchedule"), Taint("k", "NoExecute", "v")),
        unschedulable=True,
        ready=Ready.TRUE,
        ready_since=1_768_478_400_000,
        images=frozenset({"llm:1", "llm@sha256:0"}),
    )


@pytest.mark.parametrize(
    ("status", "ready"),
    [
        ("True", Ready.TRUE),
        ("False", Ready.FALSE),
        ("Unknown", Ready.UNKNOWN),
        ("?", Ready.UNKNOWN),
    ],
)
def test_the_ready_condition(status: str, ready: Ready) -> None:
    """What it does not say plainly is unknown; without a time there is none."""
    read = a_node({"conditions": [{"type": "Ready", "status": status}]})
    assert (read.ready, read.ready_since) == (ready, None)


def test_garbage_is_not_allocatable_and_never_an_error() -> None:
    """Nothing fits on a quantity that is none."""
    written = {
        "status": {
            "allocatable": {"cpu": "many", "pods": "5"},
            "conditions": [{"type": "Ready", "status": "True", "lastTransitionTime": "noon"}],
        }
    }
    read = node(node_object(written))
    assert read.allocatable == {"pods": 5_000}
    assert read.ready_since is None
