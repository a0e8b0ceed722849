"""The admission policies: what goes around the operator is refused by the API server."""

from collections.abc import Iterator
from typing import Any

import pytest
from tests.cluster.api import Api, Manifest, RefusedError
from tests.cluster.control_plane import ControlPlane
from tests.integration.chart.conftest import wipe
from tests.integration.chart.release import NAMESPACE, rendered
from tests.integration.chart.waiting import settled

from idlewatt_operator.gateways.kubernetes.vehicle_list import API_VERSION, list_call
from idlewatt_operator.resources import annotations

OPERATOR = f"system:serviceaccount:{NAMESPACE}:idlewatt"
WRITTEN = sorted(
    annotations.PREFIX + name
    for name in annotations._WRITTEN  # noqa: SLF001 # what it alone knows
)
WATTS = annotations.BOUND_WATTS
ADMISSION = "admissionregistration.k8s.io/v1"
NAMES = ("v-0", "v-1", "v-2")
ONLY_THE_OPERATOR = "only the operator"
A_VEHICLE = "is a vehicle"


@pytest.fixture(scope="module")
def manifests(tmp_path_factory: pytest.TempPathFactory) -> list[Manifest]:
    """What of the chart these tests need."""
    templates = ["vehiclelist", "admissionpolicy", "clusterrole", "serviceaccount"]
    only = [f"{name}.yaml" for name in templates]
    return rendered(tmp_path_factory.mktemp("helm"), only=only)


@pytest.fixture(scope="module")
def policed(chart_plane: ControlPlane, manifests: list[Manifest]) -> Iterator[ControlPlane]:
    """A cluster whose policies hold, with the vehicle v-1 and the plain node n-1."""
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}
    chart_plane.api.apply(namespace, *manifests)
    chart_plane.create_nodes("v-1", "n-1")
    chart_plane.wait_until(lambda: takes_names(chart_plane), "the list of vehicles is served")
    settled(chart_plane)
    yield chart_plane
    wipe(chart_plane)


@pytest.fixture
def guarded(policed: ControlPlane) -> Iterator[ControlPlane]:
    """That cluster, without any pod."""
    yield policed
    for kind in ("ReplicaSet", "Pod"):
        for item in policed.api.list(kind, "default"):
            policed.api.delete(kind, item["metadata"]["name"], "default", grace_seconds=0)
    policed.wait_until(lambda: not policed.api.list("Pod", "default"), "all pods are gone")


def takes_names(plane: ControlPlane) -> bool:
    """Whether the list could be written."""
    try:
        write_names(plane, *NAMES)
    except RefusedError:
        return False
    return True


def write_names(plane: ControlPlane, *names: str) -> None:
    """Write the list of vehicles as the operator does, with the operator's own rights."""
    call = list_call("idlewatt", names)
    plane.api.acting_as(OPERATOR).request(
        call.method, call.path, call.body, content_type=call.content_type
    )


def a_pod(name: str = "p", *, annotated: dict[str, str] | None = None, **spec: Any) -> Manifest:  # noqa: ANN401 # a pod's fields
    """A pod of idlewatt's, with annotations and with more in its spec."""
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "default", "annotations": annotated or {}},
        "spec": {
            "schedulerName": "idlewatt",
            "containers": [{"name": "c", "image": "x"}],
            **spec,
        },
    }


def annotate(api: Api, change: dict[str, str | None], subresource: str = "") -> Manifest:
    """Change the pod's annotations."""
    body = {"metadata": {"annotations": change}}
    return api.patch("Pod", "p", body, "default", subresource=subresource)


def refused(sentence: str) -> Any:  # noqa: ANN401 # pytest's own context
    """Expect a refusal that says this."""
    return pytest.raises(RefusedError, match=sentence)


def test_the_policy_names_all_that_the_operator_writes(guarded: ControlPlane) -> None:
    """Each annotation that is the operator's is refused to everybody else, at creation."""
    for name in WRITTEN:
        with refused(ONLY_THE_OPERATOR):
            guarded.api.apply(a_pod(annotated={name: "1"}))
    guarded.api.apply(a_pod(annotated={annotations.PREFIX + "power": "1", "other/x": "y"}))


def test_nobody_else_changes_or_removes_what_a_binding_carried(guarded: ControlPlane) -> None:
    """An update may change everything but these annotations, and the operator those too."""
    guarded.api.apply(a_pod())
    operator = guarded.api.acting_as(OPERATOR)
    annotate(operator, {WATTS: "200"})
    annotate(guarded.api, {"other/x": "y"})
    changes: tuple[dict[str, str | None], ...]
    changes = ({WATTS: "1"}, {WATTS: None}, {annotations.BOUND_UNTIL: "x"})
    for change in changes:
        with refused(ONLY_THE_OPERATOR):
            annotate(guarded.api, change)
    annotate(operator, {WATTS: "100"})
    assert annotate(operator, {WATTS: None})["metadata"]["annotations"] == {"other/x": "y"}


def test_a_vehicle_does_not_write_what_it_is_paid_by(guarded: ControlPlane) -> None:
    """A kubelet may write its pods' status, and with it annotations, but not these."""
    guarded.api.apply(a_pod())
    guarded.api.apply(
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "ClusterRoleBinding",
            "metadata": {"name": "idlewatt-test-nodes"},
            "roleRef": {
                "apiGroup": "rbac.authorization.k8s.io",
                "kind": "ClusterRole",
                "name": "system:node",
            },
            "subjects": [
                {"kind": "Group", "name": "system:nodes", "apiGroup": "rbac.authorization.k8s.io"}
            ],
        }
    )
    kubelet = guarded.api.acting_as("system:node:v-1", "system:nodes")
    assert annotate(kubelet, {"other/x": "y"}, "status")["metadata"]["annotations"] == {
        "other/x": "y"
    }
    with refused(ONLY_THE_OPERATOR):
        annotate(kubelet, {WATTS: "900"}, "status")


def test_nobody_else_binds_with_them(guarded: ControlPlane) -> None:
    """A Binding may carry them from the operator alone, by either of the API's two ways."""
    pod = guarded.api.apply(a_pod())[0]
    with refused(ONLY_THE_OPERATOR):
        guarded.api.bind(pod, "v-1", annotations={WATTS: "200"})
    legacy = {
        "apiVersion": "v1",
        "kind": "Binding",
        "metadata": {"name": "p", "annotations": {WATTS: "200"}},
        "target": {"kind": "Node", "name": "v-1"},
    }
    with refused(ONLY_THE_OPERATOR):
        guarded.api.request("POST", "/api/v1/namespaces/default/bindings", legacy)
    guarded.api.acting_as(OPERATOR).bind(pod, "v-1", annotations={WATTS: "200"})
    bound = guarded.api.get("Pod", "p", "default")
    assert bound["spec"]["nodeName"] == "v-1"
    assert bound["metadata"]["annotations"] == {WATTS: "200"}


def test_pods_live_on_under_the_policy(guarded: ControlPlane) -> None:
    """With the annotations on it a pod runs, is evicted and goes, whoever writes about it."""
    pod = guarded.api.apply(a_pod())[0]
    guarded.api.acting_as(OPERATOR).bind(pod, "v-1", annotations={WATTS: "200"})
    guarded.wait_for_phase(pod, "Running")
    eviction = {
        "apiVersion": "policy/v1",
        "kind": "Eviction",
        "metadata": {"name": "p", "namespace": "default"},
    }
    guarded.api.request("POST", "/api/v1/namespaces/default/pods/p/eviction", eviction)
    guarded.wait_until(lambda: not guarded.api.exists("Pod", "p", "default"), "the pod is gone")


@pytest.mark.parametrize("vehicle", ["v-0", "v-1", "v-2"])
def test_no_pod_is_created_on_a_vehicle(guarded: ControlPlane, vehicle: str) -> None:
    """With nodeName a pod would pass every scheduler by; the first and last name count too."""
    with refused(A_VEHICLE):
        guarded.api.apply(a_pod(nodeName=vehicle))
    with refused(A_VEHICLE):
        guarded.api.acting_as(OPERATOR, "system:masters").apply(a_pod(nodeName=vehicle))


@pytest.mark.parametrize("node", ["n-1", "v", "v-11", "1", "xv-1"])
def test_other_nodes_are_nobodys_business(guarded: ControlPlane, node: str) -> None:
    """A plain node, or a name that is part of a vehicle's or has one within, may be named."""
    guarded.api.apply(a_pod(nodeName=node))


def test_a_workloads_template_cannot_name_a_vehicle(guarded: ControlPlane) -> None:
    """The ReplicaSet's controller is refused like anybody, and says why in an event."""
    labels = {"app": "x"}
    guarded.api.apply(
        {
            "apiVersion": "apps/v1",
            "kind": "ReplicaSet",
            "metadata": {"name": "r", "namespace": "default"},
            "spec": {
                "selector": {"matchLabels": labels},
                "template": {"metadata": {"labels": labels}, "spec": a_pod(nodeName="v-1")["spec"]},
            },
        }
    )
    guarded.wait_until(
        lambda: any(A_VEHICLE in e["message"] for e in guarded.api.list("Event", "default")),
        "the refusal is an event",
    )


def test_a_daemons_pods_get_to_vehicles(guarded: ControlPlane) -> None:
    """A DaemonSet names its node by affinity, and its scheduler binds without annotations."""
    guarded.api.apply(a_pod(schedulerName="default-scheduler"))
    pod = guarded.api.get("Pod", "p", "default")
    guarded.api.acting_as("system:kube-scheduler", "system:masters").bind(pod, "v-1")
    assert guarded.api.get("Pod", "p", "default")["spec"]["nodeName"] == "v-1"


def test_without_the_list_nothing_is_stopped(guarded: ControlPlane) -> None:
    """Before the operator wrote the names, or when they are gone, no pod is held up."""
    guarded.api.request("DELETE", f"/apis/{API_VERSION}/vehiclelists/idlewatt")
    guarded.wait_until(lambda: passes(guarded.api, nodeName="v-1"), "a pod passes")
    write_names(guarded, *NAMES)
    settled(guarded)


def test_a_policy_that_was_made_again_knows_new_vehicles(
    guarded: ControlPlane, manifests: list[Manifest]
) -> None:
    """After the release went and came, names are read anew: those of a ConfigMap would not be."""
    policies = [each for each in manifests if each["apiVersion"] == ADMISSION]
    for each in policies:
        guarded.api.delete(each["kind"], each["metadata"]["name"], api_version=ADMISSION)
    guarded.wait_until(lambda: passes(guarded.api, nodeName="v-1"), "a pod passes")
    guarded.api.apply(*policies)
    write_names(guarded, *NAMES, "v-3")
    settled(guarded, "v-3")
    write_names(guarded, *NAMES)


def passes(api: Api, *, nodeName: str) -> bool:  # noqa: N803 # the field's own name
    """Whether a pod could be created there."""
    try:
        query = {"dryRun": "All"}
        api.request(
            "POST", "/api/v1/namespaces/default/pods", a_pod(nodeName=nodeName), query=query
        )
    except RefusedError:
        return False
    return True


def test_the_policies_type_check(guarded: ControlPlane) -> None:
    """The API server, which knows the types of pods, has no warning about an expression."""

    def checked() -> bool:
        policies = guarded.api.list("ValidatingAdmissionPolicy", api_version=ADMISSION)
        return len(policies) == 2 and all(
            "typeChecking" in each.get("status", {})
            for each in policies  # both
        )

    guarded.wait_until(checked, "both policies are checked")
    for policy in guarded.api.list("ValidatingAdmissionPolicy", api_version=ADMISSION):
        assert policy["status"]["typeChecking"] == {}


def test_they_can_be_left_out(home: Any) -> None:  # noqa: ANN401 # a path
    """With admissionPolicy.enabled false there is no policy, no list, and no right to write one."""
    text = str(rendered(home, {"admissionPolicy": {"enabled": False}}))
    for trace in ("ValidatingAdmission", "vehiclelists", "VEHICLE_LIST"):
        assert trace not in text
