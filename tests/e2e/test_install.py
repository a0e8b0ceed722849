"""The chart is installed as its page says, and a first pod runs in a car."""

from datetime import datetime

from tests.cluster.api import Manifest
from tests.e2e.stage import Stage

HELLO = "hello"


def bound_at(pod: Manifest) -> float:
    """When a pod was bound, by its own condition."""
    times = {each["type"]: each["lastTransitionTime"] for each in pod["status"]["conditions"]}
    return datetime.fromisoformat(times["PodScheduled"]).timestamp()


def test_a_first_pod_is_placed(fleet: Stage) -> None:
    """`helm install` and `kubectl apply -f examples/kind` are all it takes."""
    fleet.wait(
        lambda: sum(fleet.ready_on(HELLO, "default").values()) == 2, "the first pods run", 120
    )
    assert set(fleet.ready_on(HELLO, "default")) <= set(fleet.nodes)
    first = min(bound_at(pod) for pod in fleet.pods(HELLO, "default"))
    begin = fleet.timeline.get("install")
    if begin is not None:
        fleet.figures.note("helm install, until ready (s)", fleet.timeline["installed"] - begin)
        fleet.figures.note("helm install to first bind (s)", first - begin)


def test_every_vehicle_has_its_taint(fleet: Stage) -> None:
    """Nothing but ours and daemons comes to a car: its Node has the taint, and kept its others."""
    for name in fleet.nodes:
        taints = fleet.api.get("Node", name)["spec"].get("taints", [])
        assert {"key": "idlewatt.dev/vehicle", "effect": "NoSchedule"} in taints


def test_the_operators_stand_beside_the_control_plane(fleet: Stage) -> None:
    """Two of them, ready, neither on a car; one of them leads."""
    fleet.wait(lambda: len(fleet.operators()) == 2 and fleet.leader(), "one of two leads")
    assert not {pod["spec"]["nodeName"] for pod in fleet.operators()} & set(fleet.nodes)
