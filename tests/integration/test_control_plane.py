"""The control plane for tests is a real one, and its simulated kubelets do what kubelets do."""

import concurrent.futures
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from tests.cluster import control_plane, sessions, simulated_kubelet
from tests.cluster.api import RefusedError
from tests.cluster.binaries import KUBERNETES, module_version
from tests.cluster.control_plane import ControlPlane
from tests.cluster.places import CHECKOUT, SetupError

Manifest = dict[str, Any]


def a_pod(name: str = "p", annotations: dict[str, str] | None = None, **spec: object) -> Manifest:
    """Give the manifest of a pod of one container."""
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "default", "annotations": annotations or {}},
        "spec": {"schedulerName": "idlewatt", "containers": [{"name": "c", "image": "i"}], **spec},
    }


def a_job(name: str = "j", annotations: dict[str, str] | None = None) -> Manifest:
    """Give the manifest of a Job of one pod."""
    template = {
        "metadata": {"annotations": annotations or {}},
        "spec": {"restartPolicy": "Never", "containers": [{"name": "c", "image": "i"}]},
    }
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {"template": template, "backoffLimit": 0},
    }


def bound(cluster: ControlPlane, pod: Manifest, node: str = "v-1") -> Manifest:
    """Create a pod and bind it; give it as it was created."""
    (created,) = cluster.api.apply(pod)
    cluster.api.bind(created, node)
    return created


@pytest.fixture
def node(cluster: ControlPlane) -> str:
    """Give the name of a node that is Ready."""
    cluster.create_nodes("v-1")
    return "v-1"


def test_the_api_server_is_of_the_pinned_version(cluster: ControlPlane) -> None:
    """The server that answers is the one that go.mod pins."""
    version = cluster.api.request("GET", "/version")["gitVersion"]
    assert version == module_version(KUBERNETES)


def test_no_scheduler_but_ours(cluster: ControlPlane, node: str) -> None:
    """A pod for the default scheduler stays pending, since there is none."""
    assert cluster.node_ready(node) == "True"
    (pod,) = cluster.api.apply(a_pod(schedulerName="default-scheduler"))
    time.sleep(1.5)
    assert "nodeName" not in cluster.api.get("Pod", pod["metadata"]["name"], "default")["spec"]


def test_nodes_have_what_they_were_given(cluster: ControlPlane) -> None:
    """Labels, taints and allocatable resources of a simulated node arrive as asked."""
    taint = {"key": "idlewatt.dev/vehicle", "effect": "NoSchedule"}
    cluster.create_nodes(
        "v-1", "v-2", labels={"kind": "car"}, taints=[taint], allocatable={"nvidia.com/gpu": "1"}
    )
    (first, second) = cluster.api.list("Node", labelSelector="kind=car")
    assert first["spec"]["taints"] == second["spec"]["taints"] == [taint]
    assert first["status"]["allocatable"]["nvidia.com/gpu"] == "1"
    assert first["status"]["allocatable"]["cpu"] == "16"


def test_bound_pod_runs_and_is_deleted(cluster: ControlPlane, node: str) -> None:
    """A pod bound to a simulated node runs at once, and is gone once it is deleted."""
    pod = bound(cluster, a_pod(), node)
    running = cluster.wait_for_phase(pod, "Running")
    assert running["spec"]["nodeName"] == node
    assert "running" in running["status"]["containerStatuses"][0]["state"]
    cluster.api.delete("Pod", "p", "default")
    cluster.wait_until(lambda: not cluster.api.exists("Pod", "p", "default"), "p is gone")


def test_pod_is_ready_when_it_says(cluster: ControlPlane, node: str) -> None:
    """A pod with a time to get ready is Pending on its node until then."""
    pod = bound(cluster, a_pod(annotations={simulated_kubelet.READY_AFTER: "2"}), node)

    def started() -> bool:
        return "startTime" in cluster.api.get("Pod", "p", "default")["status"]

    cluster.wait_until(started, "the kubelet has seen the pod")
    assert cluster.api.get("Pod", "p", "default")["status"]["phase"] == "Pending"
    cluster.wait_for_phase(pod, "Running")


def test_job_completes(cluster: ControlPlane, node: str) -> None:
    """A Job's pod that is bound succeeds after the time it was given, and so the Job does."""
    cluster.api.apply(a_job(annotations={simulated_kubelet.COMPLETE_AFTER: "1"}))
    cluster.wait_until(lambda: bool(cluster.api.list("Pod", "default")), "the Job has its pod")
    (pod,) = cluster.api.list("Pod", "default")
    cluster.api.bind(pod, node)

    def complete() -> bool:
        status = cluster.api.get("Job", "j", "default").get("status", {})
        return bool(status.get("succeeded") == 1)

    cluster.wait_until(complete, "the Job has succeeded")


def test_containers_end_within_the_grace_period(cluster: ControlPlane, node: str) -> None:
    """A deleted pod is still there, being deleted, until its containers end."""
    pod = a_pod(annotations={simulated_kubelet.STOP_AFTER: "2"}, terminationGracePeriodSeconds=5)
    cluster.wait_for_phase(bound(cluster, pod, node), "Running")
    cluster.api.delete("Pod", "p", "default")
    leaving = cluster.api.get("Pod", "p", "default")
    assert "deletionTimestamp" in leaving["metadata"]
    assert leaving["status"]["phase"] == "Running"
    cluster.wait_until(lambda: not cluster.api.exists("Pod", "p", "default"), "p is gone")


def test_binding_with_a_wrong_uid_is_refused(cluster: ControlPlane, node: str) -> None:
    """A Binding whose UID is of another pod of that name is a conflict, and binds nothing."""
    (pod,) = cluster.api.apply(a_pod())
    with pytest.raises(RefusedError, match="409"):
        cluster.api.bind(pod, node, uid="00000000-0000-0000-0000-000000000000")
    assert "nodeName" not in cluster.api.get("Pod", "p", "default")["spec"]


def test_binding_brings_its_annotations(cluster: ControlPlane, node: str) -> None:
    """Annotations of a Binding are on the pod from the moment it has a node."""
    (pod,) = cluster.api.apply(a_pod(annotations={"idlewatt.dev/power": "400"}))
    cluster.api.bind(pod, node, annotations={"idlewatt.dev/bound-watts": "460"})
    landed = cluster.api.get("Pod", "p", "default")
    assert landed["spec"]["nodeName"] == node
    annotations = landed["metadata"]["annotations"]
    assert annotations == {"idlewatt.dev/power": "400", "idlewatt.dev/bound-watts": "460"}


def test_deadline_can_be_lowered_never_raised(cluster: ControlPlane, node: str) -> None:
    """The fence is set before binding, may come nearer after, and is refused when pushed away."""
    (pod,) = cluster.api.apply(a_pod())
    for seconds in (600, 300):
        cluster.api.patch("Pod", "p", {"spec": {"activeDeadlineSeconds": seconds}}, "default")
    cluster.api.bind(pod, node)
    cluster.wait_for_phase(pod, "Running")
    cluster.api.patch("Pod", "p", {"spec": {"activeDeadlineSeconds": 200}}, "default")
    with pytest.raises(RefusedError, match="422"):
        cluster.api.patch("Pod", "p", {"spec": {"activeDeadlineSeconds": 400}}, "default")


def test_deadline_ends_a_running_pod(cluster: ControlPlane, node: str) -> None:
    """The simulated kubelet follows a deadline that was lowered, and ends the pod by it."""
    pod = bound(cluster, a_pod(activeDeadlineSeconds=600), node)
    cluster.wait_for_phase(pod, "Running")
    cluster.api.patch("Pod", "p", {"spec": {"activeDeadlineSeconds": 2}}, "default")
    ended = cluster.wait_for_phase(pod, "Failed")
    assert ended["status"]["reason"] == "DeadlineExceeded"
    assert "terminated" in ended["status"]["containerStatuses"][0]["state"]


def test_lost_link_hides_the_node_and_what_ends_on_it(cluster: ControlPlane, node: str) -> None:
    """A node that is not heard of becomes Unknown; what ended meanwhile is told on its return."""
    deadline_seconds = 4
    fenced = bound(cluster, a_pod("fenced", activeDeadlineSeconds=deadline_seconds), node)
    free = bound(cluster, a_pod("free"), node)
    cluster.wait_for_phase(fenced, "Running")
    cluster.wait_for_phase(free, "Running")
    cluster.cut_link(node)
    cut_at = time.monotonic()
    cluster.wait_until(lambda: cluster.node_ready(node) == "Unknown", "the node is Unknown", 25)
    unknown_after_seconds = time.monotonic() - cut_at
    assert deadline_seconds < unknown_after_seconds < 20
    assert cluster.api.get("Pod", "fenced", "default")["status"]["phase"] == "Running"
    cluster.restore_link(node)
    cluster.wait_until(lambda: cluster.node_ready(node) == "True", "the node is back")
    assert cluster.wait_for_phase(fenced, "Failed")["status"]["reason"] == "DeadlineExceeded"
    assert cluster.api.get("Pod", "free", "default")["status"]["phase"] == "Running"


def test_node_can_say_that_it_is_not_ready(cluster: ControlPlane, node: str) -> None:
    """Ready may be False too, which is another thing than Unknown, and True again."""
    cluster.set_node_ready(node, ready=False)
    cluster.wait_until(lambda: cluster.node_ready(node) == "False", "the node is not ready")
    cluster.set_node_ready(node, ready=True)
    cluster.wait_until(lambda: cluster.node_ready(node) == "True", "the node is ready")


def test_unknown_fields_are_refused(cluster: ControlPlane) -> None:
    """Manifests are applied under Strict validation: a misspelt field is named, not dropped."""
    pod = a_pod()
    pod["spec"]["schedulerNmae"] = "idlewatt"
    with pytest.raises(RefusedError, match="schedulerNmae"):
        cluster.api.apply(pod)


def test_kubeconfig_serves_kubectl(cluster: ControlPlane, node: str) -> None:
    """The kubectl that was built with it can use the kubeconfig."""
    kubectl = Path(cluster.components["etcd"].program).parent / "kubectl"
    command = [str(kubectl), "--kubeconfig", str(cluster.kubeconfig), "get", "nodes", "-o", "name"]
    answer = subprocess.run(command, capture_output=True, text=True, check=True, timeout=30)
    assert answer.stdout.split() == [f"node/{node}"]


def test_restarted_api_server_keeps_objects_and_forgets_their_history(
    cluster: ControlPlane, node: str
) -> None:
    """After a crash the objects are there, and a watch from before it is answered with 410."""
    seen = cluster.api.request("GET", "/api/v1/nodes")["metadata"]["resourceVersion"]
    cluster.api.patch("Node", node, {"metadata": {"labels": {"colour": "red"}}})
    cluster.restart("kube-apiserver")
    assert cluster.node_ready(node) == "True"
    query = {"watch": "1", "resourceVersion": seen, "timeoutSeconds": "2"}
    event = cluster.api.request("GET", "/api/v1/nodes", query=query)
    assert (event["type"], event["object"]["code"]) == ("ERROR", 410)


def test_what_a_thread_restarted_outlives_it(cluster: ControlPlane, node: str) -> None:
    """A test with an event loop restarts a process in a thread, whose end must not end that."""
    thread = threading.Thread(target=cluster.restart, args=("kube-controller-manager",))
    thread.start()
    thread.join()
    time.sleep(0.3)
    assert cluster.components["kube-controller-manager"].is_alive()
    assert cluster.node_ready(node) == "True"


def test_paused_api_server_answers_later(cluster: ControlPlane, node: str) -> None:
    """A frozen API server leaves a request without an answer, until it goes on."""
    cluster.api.get("Node", node)
    with cluster.paused(), concurrent.futures.ThreadPoolExecutor() as pool:
        asked = pool.submit(cluster.api.get, "Node", node)
        with pytest.raises(TimeoutError):
            asked.result(timeout=0.5)
        cluster.components["kube-apiserver"].signal(signal.SIGCONT)
        assert asked.result(timeout=10)["metadata"]["name"] == node


def test_start_that_fails_is_a_sentence_and_leaves_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A process that ends while starting is named with its last words; all the rest is gone."""
    monkeypatch.setattr(
        control_plane,
        "_commands",
        lambda *_: ({"kube-apiserver": ["--no-such-flag"]}, {}),
    )
    with pytest.raises(SetupError, match=r"(?s)kube-apiserver ended while starting.*no-such-flag"):
        ControlPlane.start("failing")
    assert list(sessions.sessions_home().glob("failing-*")) == []


def test_leftovers_of_a_killed_run_are_cleaned_up() -> None:
    """A run that was killed leaves no process, and the next start deletes what it wrote."""
    code = (
        "import os, signal\n"
        "from tests.cluster.control_plane import ControlPlane\n"
        "plane = ControlPlane.start('killed')\n"
        "print(plane.session.folder, flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code], cwd=CHECKOUT, capture_output=True, text=True, check=False
    )
    folder = Path(ended.stdout.strip())
    assert folder.is_dir(), ended.stderr
    sessions.sweep()
    assert not folder.exists()
    assert sessions.processes_of(folder) == []
