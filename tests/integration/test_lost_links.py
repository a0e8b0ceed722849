"""A cut link, with Kubernetes' own controllers acting on it beside the operator."""

import json

from tests.cluster.simulated_kubelet import STOP_AFTER
from tests.integration.fleet_manifests import a_policy
from tests.integration.test_replacement import Operator, names, operator
from tests.integration.test_run import a_deployment

__all__ = ["operator"]

GIVEN_UP = "idlewatt.dev/given-up"
TOLERATED_SECONDS = 1


def given_up(operator: Operator) -> list[str]:
    """The pods that are written down on `v-1`."""
    notes = operator.cluster.api.get("VehicleNode", "v-1")["metadata"].get("annotations", {})
    return [each["name"] for each in json.loads(notes.get(GIVEN_UP, "[]"))]


async def serving_behind_a_link(operator: Operator, stale_drain_seconds: int) -> str:
    """A pod on `v-1`, whose link is then cut; Kubernetes evicts it after a second of that."""
    policy = a_policy()
    policy["spec"]["staleDrainSeconds"] = stale_drain_seconds
    deployment = a_deployment(1)
    template = deployment["spec"]["template"]
    template["metadata"]["annotations"] = {STOP_AFTER: "1"}
    template["spec"]["tolerations"] = [
        {
            "key": "node.kubernetes.io/unreachable",
            "operator": "Exists",
            "effect": "NoExecute",
            "tolerationSeconds": TOLERATED_SECONDS,
        }
    ]
    operator.cluster.api.apply(policy, deployment)
    await operator.look_anew()
    await operator.until(lambda: len(operator.on("v-1")) == 1, "the service is ready")
    (name,) = names(operator.on("v-1"))
    operator.away.clear()
    operator.cluster.cut_link("v-1")
    await operator.until(
        lambda: (
            names(operator.cluster.api.list("Pod", "default")) > {name}
            and name not in names(operator.pods())
        ),
        "Kubernetes evicts the pod and its ReplicaSet starts another one",
    )
    await operator.until(lambda: len(operator.on("v-2")) == 1, "the other one runs on `v-2`")
    return name


async def test_a_pod_that_kubernetes_evicts_is_written_down_when_it_is_given_up(
    operator: Operator,
) -> None:
    """It is being deleted and cannot end; it counts before its object goes, and after."""
    name = await serving_behind_a_link(operator, stale_drain_seconds=15)
    await operator.until(lambda: given_up(operator) == [name], "it is written down")
    await operator.until(
        lambda: name not in names(operator.cluster.api.list("Pod", "default")),
        "its object is removed",
    )
    operator.cluster.restore_link("v-1")
    await operator.until(lambda: operator.cluster.node_ready("v-1") == "True", "the link is back")
    await operator.run()
    assert given_up(operator) == [name]
    assert len(operator.pods()) == 1


async def test_a_link_that_is_back_in_time_ends_the_evicted_pod_and_writes_nothing_down(
    operator: Operator,
) -> None:
    """The kubelet hears that it is being deleted, and ends it; its replacement stays."""
    name = await serving_behind_a_link(operator, stale_drain_seconds=600)
    assert name in names(operator.cluster.api.list("Pod", "default"))
    operator.cluster.restore_link("v-1")
    await operator.until(
        lambda: name not in names(operator.cluster.api.list("Pod", "default")),
        "the kubelet ends it",
    )
    await operator.run()
    assert given_up(operator) == []
    assert len(operator.on("v-2")) == 1
