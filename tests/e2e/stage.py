"""The cluster of the end-to-end tests: one control plane, three cars, and what a user put there."""

import base64
import json
import os
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from fractions import Fraction
from typing import Any, Final

import yaml
from tests.cluster import engine, images, kind
from tests.cluster.api import Api, Manifest, RefusedError
from tests.cluster.docker import docker
from tests.cluster.kind import KindCluster
from tests.cluster.kind_config import cluster_name
from tests.cluster.places import CHECKOUT
from tests.cluster.progress import say
from tests.e2e import loads, release, workloads
from tests.e2e.audit import Request, request_of
from tests.e2e.book import Book
from tests.e2e.cars import Cars
from tests.e2e.figures import Figures
from tests.e2e.screens import Screens
from tests.e2e.witness import Witness

BUILD: Final = CHECKOUT / "build" / "e2e"
EXAMPLE: Final = CHECKOUT / "examples" / "kind"
OURS: Final = release.NAMESPACE
ADMIN: Final = "e2e-admin"
EXAMPLE_POLICY: Final[dict[str, int]] = yaml.safe_load((EXAMPLE / "policy.yaml").read_text())[
    "spec"
]
_ERRANDS: Final = ThreadPoolExecutor(max_workers=1)
POLL_SECONDS: Final = 0.2
PATIENCE_SECONDS: Final = 60.0
SETTLED_SECONDS: Final = 4.0


@dataclass(repr=False)
class Stage:
    """Everything a scenario needs.

    Attributes:
        nodes: by the vehicle's name, the Docker container that is its node.
        embedding: the tag of its image, once that is on the nodes.
        cut_off: the vehicles whose link is cut now.
        apart: workloads of a longer story, which others leave alone.
        timeline: when what happened that later tests ask for, seconds since 1970.
    """

    cluster: KindCluster
    api: Api
    release: release.Release
    nodes: dict[str, str]
    cars: Cars
    witness: Witness
    book: Book
    embedding: "Future[str]"
    cut_off: set[str] = field(default_factory=set)
    apart: set[str] = field(default_factory=set)
    timeline: dict[str, float] = field(default_factory=dict)
    figures: Figures = field(default_factory=lambda: Figures(BUILD / "figures.json"))
    screens: Screens = field(default_factory=lambda: Screens(BUILD / "screens"))

    @property
    def far(self) -> str:
        """The vehicle whose link is cut for long."""
        return sorted(self.nodes)[2]

    @property
    def near(self) -> str:
        """The vehicle that most scenarios are about."""
        return min(self.nodes)

    @property
    def other(self) -> str:
        """The vehicle where replacements go."""
        return sorted(self.nodes)[1]

    def cluster_nodes(self) -> list[str]:
        """The names of all nodes, the control plane's among them."""
        return [node["metadata"]["name"] for node in self.api.list("Node")]

    def on_control_plane(self, *words: str) -> str:
        """Run a command in the control plane's node."""
        return docker("exec", self.cluster.control_plane, *words)

    def kubectl(self, *words: str, given: str | None = None) -> str:
        """Run kubectl."""
        return self.cluster.kubectl(*words, input=given)

    def screen(self, name: str, *words: str) -> str:
        """Run kubectl, and keep what it shows."""
        return self.screens.keep(name, f"kubectl {' '.join(words)}", self.kubectl(*words))

    def wait(
        self, true: Callable[[], object], what: str, seconds: float = PATIENCE_SECONDS
    ) -> float:
        """Wait until it is; give the time at which it was. Fails with what never was."""
        give_up_at = time.monotonic() + seconds
        while not true():
            if time.monotonic() > give_up_at:
                message = f"not within {seconds:.0f} s: {what}"
                raise AssertionError(message)
            time.sleep(POLL_SECONDS)
        return time.time()

    def pods(self, app: str, namespace: str = workloads.NAMESPACE) -> list[Manifest]:
        """The pods of a workload that are not on their way out."""
        return [
            pod
            for pod in self.api.list("Pod", namespace, labelSelector=f"app={app}")
            if "deletionTimestamp" not in pod["metadata"]
            and pod["status"]["phase"] in {"Pending", "Running"}
        ]

    def ready_on(self, app: str, namespace: str = workloads.NAMESPACE) -> dict[str, int]:
        """How many pods of it are Ready, by the vehicle they run on."""
        found: dict[str, int] = {}
        for pod in self.pods(app, namespace):
            conditions = pod["status"].get("conditions", [])
            if any(each["type"] == "Ready" and each["status"] == "True" for each in conditions):
                node = pod["spec"]["nodeName"]
                found[node] = found.get(node, 0) + 1
        return found

    def allow(self, app: str, *vehicles: str) -> None:
        """Let the pods of a held workload run there, and nowhere else."""
        for node in self.nodes:
            label = {workloads.label_of(app): "true" if node in vehicles else None}
            self.api.patch("Node", node, {"metadata": {"labels": label}})

    def place(self, manifest: Manifest, *vehicles: str, seconds: float = PATIENCE_SECONDS) -> float:
        """Make a Deployment and wait until all its pods are Ready, on these vehicles alone."""
        self.api.apply(manifest)
        app, replicas = manifest["metadata"]["name"], manifest["spec"]["replicas"]
        self.wait(
            lambda: (
                sum(self.ready_on(app).values()) == replicas
                and len(self.witness.running(workloads.NAMESPACE, app)) == replicas
            ),
            f"{app} is placed",
            seconds,
        )
        assert set(self.ready_on(app)) <= set(vehicles or self.nodes)
        return time.time()

    def remove(self, *apps: str) -> None:
        """Delete Deployments, and wait until no container of theirs runs where one is heard of."""
        for app in apps:
            self.api.delete("Deployment", app, workloads.NAMESPACE)
        for app in apps:
            self.wait(lambda app=app: not self.running(app), f"{app} is gone")  # type: ignore[misc]

    def park(self) -> None:
        """Park both cars, or the one whose link is not cut."""
        self.cars.park(*sorted({self.near, self.other} - self.cut_off))

    def clear(self) -> None:
        """Park the cars, and delete all workloads but those that are apart."""
        self.park()
        deployments = self.api.list("Deployment", workloads.NAMESPACE)
        names = {each["metadata"]["name"] for each in deployments}
        self.remove(*sorted(names - self.apart))

    def running(self, app: str, *vehicles: str) -> list[str]:
        """The vehicles on which containers of it run, one entry each, as containerd says.

        Unless they are named, those that are cut off are left out.
        """
        asked = set(vehicles) or set(self.nodes) - self.cut_off
        return [
            span.vehicle
            for span in self.witness.running(workloads.NAMESPACE, app)
            if span.vehicle in asked
        ]

    def vacated(self, app: str, vehicle: str, seconds: float = PATIENCE_SECONDS) -> float:
        """Wait until none of its containers runs on the vehicle; give when the last one ended."""
        self.wait(lambda: not self.running(app, vehicle), f"{vehicle} is vacated by {app}", seconds)
        ended = [
            span.ended
            for span in self.witness.spans(workloads.NAMESPACE, app)
            if span.vehicle == vehicle and span.ended is not None
        ]
        return max(ended)

    def settle(self, app: str) -> int:
        """Wait until all pods that are bound run, and no more are bound; give how many."""
        steady, since = -1, time.monotonic()

        def is_settled() -> bool:
            nonlocal steady, since
            bound = sum(1 for pod in self.pods(app) if pod["spec"].get("nodeName"))
            if bound != steady or bound != sum(self.ready_on(app).values()):
                steady, since = bound, time.monotonic()
            return time.monotonic() - since > SETTLED_SECONDS and len(self.running(app)) == bound

        self.wait(is_settled, f"all of {app} that fit run")
        return steady

    def load_watts(self, at: float | None = None) -> Fraction:
        """The load of the circuit that the cars are on, now or then, by what containerd says."""
        watts = {uid: each.watts for uid, each in self.book.entries.items() if each.watts}
        found = loads.looks(
            [time.time() if at is None else at], self.witness.spans(), watts, self.electrics()
        )
        return found[0].load_watts

    def electrics(self) -> dict[str, loads.Car]:
        """What each vehicle draws beside its pods, as the example has it."""
        return {
            vehicle["metadata"]["name"]: loads.Car(
                vehicle["spec"]["compute"]["standbyPowerWatts"],
                vehicle["spec"]["compute"]["efficiencyPercent"],
            )
            for vehicle in example_manifests(["vehicles.yaml"])
        }

    def requests(self) -> list[Request]:
        """What programs in pods asked of the API server so far, as its audit log has it."""
        return list(filter(None, map(request_of, self.cluster.audit_log())))

    def signal(self, pod: str, name: str, *, namespace: str = OURS, container: str = "") -> None:
        """Send a signal to a pod's first process, from its node: `KILL`, `STOP`, `CONT`."""
        found = self.api.get("Pod", pod, namespace)
        statuses = found["status"]["containerStatuses"]
        (status,) = [each for each in statuses if container in {"", each["name"]}]
        identifier = status["containerID"].removeprefix("containerd://")
        node = self.cluster.container(found["spec"]["nodeName"])
        tasks = docker("exec", node, "ctr", "-n", "k8s.io", "tasks", "ls")
        (process,) = [line.split()[1] for line in tasks.splitlines() if identifier in line]
        docker("exec", node, "kill", f"-{name}", process)

    @staticmethod
    def instant(text: str) -> float:
        """Read a time as Kubernetes writes it."""
        return datetime.fromisoformat(text).timestamp()

    def decided_at(self, app: str, since: float) -> float | None:
        """When a pod of the workload was first told to leave after that; None: nobody was."""
        times = [
            datetime.fromisoformat(event["eventTime"]).timestamp()
            for event in self.events("Draining")
            if event["regarding"]["name"].startswith(f"{app}-") and event.get("eventTime")
        ]
        return min((at for at in times if at >= since), default=None)

    def events(self, reason: str, namespace: str = workloads.NAMESPACE) -> list[Manifest]:
        """The events with that reason."""
        found = self.api.list("Event", namespace, api_version="events.k8s.io/v1")
        return [event for event in found if event["reason"] == reason]

    def told(self, reason: str, app: str) -> list[str]:
        """What the events with that reason say of the pods of a workload."""
        return [
            event["note"]
            for event in self.events(reason)
            if event["regarding"]["name"].startswith(f"{app}-")
        ]

    def condition(self, vehicle: str, of_type: str) -> tuple[str, str]:
        """The status and the reason of one of a vehicle's conditions."""
        status = self.api.get("VehicleNode", vehicle).get("status", {})
        for each in status.get("conditions", []):
            if each["type"] == of_type:
                return each["status"], each["reason"]
        return "", ""

    def operators(self) -> list[Manifest]:
        """The operators' pods that are not on their way out."""
        selector = "app.kubernetes.io/name=idlewatt,app.kubernetes.io/component=operator"
        return [
            pod
            for pod in self.api.list("Pod", release.NAMESPACE, labelSelector=selector)
            if "deletionTimestamp" not in pod["metadata"]
        ]

    def leader(self) -> str:
        """The name of the pod that holds the Lease; empty where none does."""
        try:
            lease = self.api.get("Lease", release.RELEASE, release.NAMESPACE)
        except RefusedError:
            return ""
        holder = lease["spec"].get("holderIdentity") or ""
        names = [pod["metadata"]["name"] for pod in self.operators()]
        return next((name for name in names if holder.startswith(name)), "")


def raise_cluster() -> KindCluster:
    """A cluster of the tests' own, with what the chart needs; what a killed run left is removed."""
    engine.ensure()
    name = cluster_name("e2e")
    if not is_kept():
        kind.down(name)
    cluster = kind.up(name)
    wanted = images.operator_image(), images.redis_image()
    cluster.load(*wanted, nodes=[cluster.control_plane])
    return cluster


def bring_embedding(cluster: KindCluster) -> "Future[str]":
    """Build the embedding service's image and put it on the nodes, while other things happen."""

    def bring() -> str:
        tag = images.embedding_image()
        cluster.load(tag, nodes=[cluster.control_plane, *sorted(cluster.workers)[:2]])
        return tag

    return _ERRANDS.submit(bring)


def on_stage(cluster: KindCluster) -> Stage:
    """Be its administrator, know its nodes, and begin to look at the vehicles' containers."""
    nodes = {name: cluster.container(name) for name in cluster.workers}
    folder = BUILD / "helm"
    folder.mkdir(parents=True, exist_ok=True)
    api = _administrator(cluster)
    return Stage(
        cluster=cluster,
        api=api,
        release=release.Release(
            cluster.kubeconfig,
            folder,
            release.settings_for(images.operator_image(), images.redis_image()),
        ),
        nodes=nodes,
        cars=Cars(cluster.kubectl),
        witness=Witness(nodes).start(),
        book=Book(api).start(),
        embedding=bring_embedding(cluster),
    )


def example_manifests(names: Sequence[str]) -> list[Manifest]:
    """The manifests of these files of the example."""
    return [
        manifest
        for name in names
        for manifest in yaml.safe_load_all((EXAMPLE / name).read_text(encoding="utf-8"))
    ]


def _administrator(cluster: KindCluster) -> Api:
    """A client that may do everything, with a token of its own."""
    binding = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": ADMIN},
        "roleRef": {
            "apiGroup": "rbac.authorization.k8s.io",
            "kind": "ClusterRole",
            "name": "cluster-admin",
        },
        "subjects": [{"kind": "ServiceAccount", "name": ADMIN, "namespace": "kube-system"}],
    }
    account = {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": {"name": ADMIN, "namespace": "kube-system"},
    }
    both = json.dumps({"apiVersion": "v1", "kind": "List", "items": [account, binding]})
    cluster.kubectl("apply", "-f", "-", input=both)
    token = cluster.kubectl("-n", "kube-system", "create", "token", ADMIN, "--duration=24h")
    known: dict[str, Any] = yaml.safe_load(cluster.kubeconfig.read_text())["clusters"][0]["cluster"]
    ca_file = BUILD / "ca.crt"
    ca_file.parent.mkdir(parents=True, exist_ok=True)
    ca_file.write_bytes(base64.b64decode(known["certificate-authority-data"]))
    return Api(known["server"], token.strip(), ca_file)


def is_kept() -> bool:
    """Whether the cluster is to stay up after the tests: `E2E_KEEP=1`."""
    return os.environ.get("E2E_KEEP", "") not in {"", "0"}


def announce(sentence: str) -> None:
    """Tell whoever waits for the tests."""
    say(f"e2e: {sentence}")
