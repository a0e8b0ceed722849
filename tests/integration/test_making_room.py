"""Gangs and preemption on a real API server: whole or not at all, and room for what matters."""

from tests.integration import test_replacement as by_hand
from tests.integration.fleet_manifests import Manifest
from tests.integration.test_replacement import Operator, names
from tests.integration.test_run import a_deployment

operator = by_hand.operator

POLICY: Manifest = {
    "apiVersion": "idlewatt.dev/v1alpha1",
    "kind": "FleetPolicy",
    "metadata": {"name": "default"},
    "spec": {"preemption": "LowerPriority"},
}
URGENT: Manifest = {
    "apiVersion": "scheduling.k8s.io/v1",
    "kind": "PriorityClass",
    "metadata": {"name": "urgent"},
    "value": 100,
}


def some_pods(name: str, replicas: int, cores: int, *, gang_size: int = 0, **spec: str) -> Manifest:
    """A Deployment of pods of so many cores, which are a gang if that has a size."""
    made = a_deployment(replicas)
    made["metadata"]["name"] = name
    made["spec"]["selector"] = {"matchLabels": {"app": name}}
    template = made["spec"]["template"]
    template["metadata"] = {"labels": {"app": name}}
    if gang_size:
        gang = {"idlewatt.dev/gang": name, "idlewatt.dev/gang-size": str(gang_size)}
        template["metadata"]["annotations"] = gang
    container = {**template["spec"]["containers"][0]}
    container["resources"] = {"requests": {"cpu": str(cores)}}
    template["spec"] = {**template["spec"], "containers": [container], **spec}
    return made


def of(operator: Operator, name: str) -> list[Manifest]:
    """The pods of a Deployment."""
    return [pod for pod in operator.pods() if pod["metadata"]["labels"].get("app") == name]


def places(operator: Operator, name: str) -> list[str]:
    """The vehicles they are bound to, in order."""
    bound = (pod["spec"].get("nodeName") for pod in of(operator, name))
    return sorted(node for node in bound if node)


def says(pod: Manifest) -> str:
    """Why it waits."""
    conditions = pod["status"].get("conditions", [])
    return next((each.get("message", "") for each in conditions if each["status"] == "False"), "")


async def test_a_gang_lands_whole_and_room_is_made(operator: Operator) -> None:
    """Three of six cores each beside eight on one car; then eight more that matter more."""
    api = operator.cluster.api
    api.apply(POLICY, URGENT, some_pods("low", 1, 8))
    await operator.look_anew()
    await operator.until(lambda: places(operator, "low") == ["v-1"], "the service runs")
    api.apply(some_pods("gang", 3, 6, gang_size=3))
    await operator.until(
        lambda: any("1 open only to its whole gang" in says(pod) for pod in of(operator, "gang")),
        "the gang waits, though one of it would fit",
    )
    assert places(operator, "gang") == []

    operator.away.clear()
    await operator.until(lambda: len(places(operator, "gang")) == 3, "the gang runs")
    assert places(operator, "gang") == ["v-1", "v-2", "v-2"]

    (old,) = names(of(operator, "low"))
    api.apply(some_pods("high", 1, 8, priorityClassName="urgent"))
    await operator.until(lambda: places(operator, "high") == ["v-1"], "room is made for it")
    assert old not in names(of(operator, "low"))
    assert places(operator, "gang") == ["v-1", "v-2", "v-2"]
    events = api.list("Event", "default", api_version="events.k8s.io/v1")
    assert "Leaves v-1: a pod of higher priority needs its place." in {
        each["note"] for each in events if each["reason"] == "Draining"
    }
