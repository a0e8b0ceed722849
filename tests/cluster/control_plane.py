"""A real control plane for tests: etcd, kube-apiserver, kube-controller-manager, and KWOK.

There is no kube-scheduler: idlewatt's own decides. Processes, not containers
(docs/decisions/0005): nothing is fetched from a registry, and it starts in seconds.

    with ControlPlane.start() as cluster:
        cluster.api.apply(Path("crds"))
        cluster.create_nodes("v-1", "v-2", labels={"zone": "a"}, allocatable={"cpu": "8"})
        cluster.api.bind(pod, "v-1")
        cluster.wait_for_phase(pod, "Running")
        cluster.cut_link("v-1")          # its Ready condition becomes Unknown

In pytest use the fixture ``cluster`` of ``tests/integration/conftest.py``. What the simulated
kubelets do, and how a test changes it, is told in ``simulated_kubelet``. Every call blocks; a
test that runs the operator in its own event loop waits with ``await asyncio.to_thread(...)``.
"""

import atexit
import contextlib
import secrets
import signal
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import urllib3
import yaml
from tests.cluster import simulated_kubelet
from tests.cluster.api import Api, Manifest, RefusedError
from tests.cluster.binaries import ensure
from tests.cluster.certificates import write_keys
from tests.cluster.components import Component, free_ports
from tests.cluster.places import CHECKOUT, SetupError
from tests.cluster.sessions import Session, open_session, open_standing_session

NODE_GRACE_SECONDS = 16
START_TIMEOUT_SECONDS = 60.0
START_ATTEMPTS = 3
WAIT_SECONDS = 30.0
POLL_SECONDS = 0.05
ALLOCATABLE = {"cpu": "16", "memory": "32Gi", "pods": "110"}
NOT_READY = "node.kubernetes.io/not-ready"
IN_USE = "address already in use"
AUDIT_LOG = "audit.log"
AUDIT_POLICY = {
    "apiVersion": "audit.k8s.io/v1",
    "kind": "Policy",
    "omitStages": ["RequestReceived"],
    "rules": [
        {"level": "Metadata", "userGroups": ["system:serviceaccounts"]},
        {"level": "None"},
    ],
}


class ControlPlane:
    """A running control plane. Made by ``start``; ``stop`` ends it and deletes all it wrote."""

    def __init__(self, session: Session, api: Api, components: Sequence[Component]) -> None:
        self.session = session
        self.api = api
        self.components = {component.name: component for component in components}

    @classmethod
    def start(
        cls,
        name: str = "tests",
        *,
        node_grace_seconds: int = NODE_GRACE_SECONDS,
        standing: bool = False,
        audit: bool = False,
    ) -> Self:
        """Start one, building its binaries first where that was never done.

        It ends with this process, however that ends, unless it is ``standing``. A node that
        is not heard of for ``node_grace_seconds`` becomes Unknown; its heartbeat comes four
        times as often. With ``audit`` the API server writes down each request of a service
        account, in ``audit_log``.
        Raises SetupError.
        """
        binaries = ensure()
        for attempt in range(1, START_ATTEMPTS + 1):
            session = open_standing_session() if standing else open_session(name)
            try:
                plane = cls._start_in(
                    session, binaries, node_grace_seconds, standing=standing, audit=audit
                )
            except SetupError as error:
                session.release()
                # Somebody took a port between our finding it free and the server's taking it.
                if IN_USE not in str(error) or attempt == START_ATTEMPTS:
                    raise
            except BaseException:
                session.release()
                raise
            else:
                if not standing:
                    atexit.register(plane.stop)
                return plane
        raise AssertionError

    @classmethod
    def _start_in(
        cls,
        session: Session,
        binaries: Path,
        node_grace_seconds: int,
        *,
        standing: bool,
        audit: bool,
    ) -> Self:
        folder = session.folder
        write_keys(folder)
        token = secrets.token_urlsafe(32)
        ports = free_ports(3)
        url = f"https://127.0.0.1:{ports[0]}"
        _write_private(folder / "tokens.csv", f'{token},admin,admin,"system:masters"\n')
        _write_private(folder / "kubeconfig", kubeconfig(url, token, folder / "ca.crt"))
        (folder / "kwok.yaml").write_text(simulated_kubelet.kwok_configuration())
        api = Api(url, token, folder / "ca.crt")
        first, second = _commands(folder, ports, node_grace_seconds)
        if audit:
            first["kube-apiserver"] += _audit_arguments(folder)
        plane = cls(session, api, ())
        try:
            for stage, ready in ((first, plane.is_serving), (second, plane.is_complete)):
                for program, arguments in stage.items():
                    component = Component(binaries / program, arguments, folder, standing=standing)
                    plane.components[program] = component
                    component.start()
                plane._await_start(ready)
        except BaseException:
            plane._end()
            raise
        return plane

    def _await_start(self, ready: Callable[[], bool]) -> None:
        give_up_at = time.monotonic() + START_TIMEOUT_SECONDS
        while not ready():
            for component in self.components.values():
                if not component.is_alive():
                    message = f"{component.name} ended while starting:\n{component.last_words()}"
                    raise SetupError(message)
            if time.monotonic() > give_up_at:
                words = "\n".join(part.last_words() for part in self.components.values())
                message = f"Not ready after {START_TIMEOUT_SECONDS:.0f} s:\n{words}"
                raise SetupError(message)
            time.sleep(POLL_SECONDS)

    @property
    def kubeconfig(self) -> Path:
        """The path of a kubeconfig that may do everything."""
        return self.session.folder / "kubeconfig"

    @property
    def url(self) -> str:
        """The API server's address."""
        return self.api.url

    @property
    def audit_log(self) -> Path:
        """The path of the audit log, an event a line; written where it was asked for."""
        return self.session.folder / AUDIT_LOG

    def is_serving(self) -> bool:
        """Tell whether the API server says it is ready."""
        return self._answers("/readyz")

    def is_complete(self) -> bool:
        """Tell whether a pod could be made: the controllers made the default service account."""
        return self._answers("/api/v1/namespaces/default/serviceaccounts/default")

    def _answers(self, path: str) -> bool:
        try:
            self.api.request("GET", path)
        except ValueError:
            return True  # /readyz answers `ok`, which is no JSON
        except (RefusedError, urllib3.exceptions.HTTPError):
            return False
        return True

    def stop(self) -> None:
        """End every process and delete the folder. It may be called twice."""
        atexit.unregister(self.stop)
        self._end()
        self.session.release()

    def _end(self) -> None:
        self.api.close()
        # What writes ends before what is written to, so that no log fills with complaints.
        for component in reversed(self.components.values()):
            component.end()

    def __enter__(self) -> Self:
        """Give the control plane itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop it, also after a failure."""
        self.stop()

    # What a test does to it.

    def apply_definitions(self, folder: Path = CHECKOUT / "crds") -> int:
        """Apply our resource definitions, wait until they are served, and give how many."""
        definitions = self.api.apply(folder) if folder.is_dir() else []
        names = [definition["metadata"]["name"] for definition in definitions]
        self.wait_until(
            lambda: all(self._is_established(name) for name in names), f"{folder} is served"
        )
        return len(names)

    def _is_established(self, name: str) -> bool:
        status = self.api.get("CustomResourceDefinition", name).get("status", {})
        return any(
            condition["type"] == "Established" and condition["status"] == "True"
            for condition in status.get("conditions") or []
        )

    def create_nodes(
        self,
        *names: str,
        labels: Mapping[str, str] | None = None,
        annotations: Mapping[str, str] | None = None,
        taints: Sequence[Mapping[str, str]] = (),
        allocatable: Mapping[str, str] | None = None,
        wait: bool = True,
    ) -> None:
        """Make simulated nodes, all alike, and wait until a pod could be bound to each.

        ``allocatable`` is their capacity too; ``cpu``, ``memory`` and ``pods`` have defaults.
        """
        for name in names:
            self.api.apply(a_node(name, labels, annotations, taints, allocatable))
        if wait:
            wanted = set(names)
            self.wait_until(
                lambda: wanted <= self._settled_nodes(), f"{len(names)} nodes are Ready"
            )

    def _settled_nodes(self) -> set[str]:
        """Give the nodes that are Ready and rid of the taint every node is born with."""
        return {
            node["metadata"]["name"]
            for node in self.api.list("Node")
            if _ready(node) == "True"
            and not any(taint["key"] == NOT_READY for taint in node["spec"].get("taints", []))
        }

    def node_ready(self, name: str) -> str:
        """Give a node's Ready condition: ``True``, ``False``, ``Unknown``, or nothing yet."""
        return _ready(self.api.get("Node", name))

    def cut_link(self, node: str) -> None:
        """Let nothing be heard of a node and its pods; its Ready becomes Unknown in time."""
        self._label_node(node, simulated_kubelet.LINK, simulated_kubelet.LINK_CUT)

    def restore_link(self, node: str) -> None:
        """Let the node be heard again, and report what happened on it meanwhile."""
        self._label_node(node, simulated_kubelet.LINK, None)

    def set_node_ready(self, node: str, *, ready: bool) -> None:
        """Let the node's kubelet say that it is, or is not, ready."""
        self._label_node(node, simulated_kubelet.READY, None if ready else "false")

    def _label_node(self, node: str, label: str, value: str | None) -> None:
        self.api.patch("Node", node, {"metadata": {"labels": {label: value}}})

    def wait_until(
        self, true: Callable[[], bool], what: str, timeout_seconds: float = WAIT_SECONDS
    ) -> None:
        """Wait until ``true()`` is; ``what`` is said by the AssertionError if it never is."""
        give_up_at = time.monotonic() + timeout_seconds
        while not true():
            if time.monotonic() > give_up_at:
                message = f"not after {timeout_seconds:.0f} s: {what}"
                raise AssertionError(message)
            time.sleep(POLL_SECONDS)

    def wait_for_phase(
        self, pod: Mapping[str, Any], phase: str, timeout_seconds: float = WAIT_SECONDS
    ) -> Manifest:
        """Wait until a pod is in a phase, and give it as it is then."""
        name, namespace = pod["metadata"]["name"], pod["metadata"]["namespace"]
        seen: Manifest = {}

        def reached() -> bool:
            seen.update(self.api.get("Pod", name, namespace))
            return bool(seen["status"]["phase"] == phase)

        self.wait_until(reached, f"pod {namespace}/{name} is {phase}", timeout_seconds)
        return seen

    @contextlib.contextmanager
    def paused(self, component: str = "kube-apiserver") -> Iterator[None]:
        """Freeze one process for a while: its connections stay open, and nothing answers."""
        self.components[component].signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self.components[component].signal(signal.SIGCONT)

    def restart(self, component: str = "kube-apiserver") -> None:
        """End one process as a crash would, start it again, and wait until it serves.

        An API server forgets the history of its objects: a watch that goes on from before is
        answered with 410 Expired.
        """
        self.components[component].end()
        self.components[component].start()
        self._await_start(self.is_serving)

    def memory_bytes(self) -> dict[str, int]:
        """Give the resident memory of each process."""
        return {name: part.memory_bytes() for name, part in self.components.items()}


def _ready(node: Manifest) -> str:
    conditions = node.get("status", {}).get("conditions", [])
    return next((str(c["status"]) for c in conditions if c["type"] == "Ready"), "")


def a_node(
    name: str,
    labels: Mapping[str, str] | None = None,
    annotations: Mapping[str, str] | None = None,
    taints: Sequence[Mapping[str, str]] = (),
    allocatable: Mapping[str, str] | None = None,
) -> Manifest:
    """Give the manifest of a simulated node."""
    resources = ALLOCATABLE | dict(allocatable or {})
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "name": name,
            "labels": {"kubernetes.io/hostname": name, **(labels or {})},
            "annotations": dict(annotations or {}),
        },
        "spec": {"taints": [dict(taint) for taint in taints]},
        "status": {"capacity": resources, "allocatable": resources},
    }


def kubeconfig(url: str, token: str, ca_file: Path) -> str:
    """Give the text of a kubeconfig that knows one cluster and one user."""
    context = {"cluster": "idlewatt", "user": "admin"}
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "idlewatt",
        "clusters": [
            {
                "name": "idlewatt",
                "cluster": {"server": url, "certificate-authority": str(ca_file)},
            }
        ],
        "users": [{"name": "admin", "user": {"token": token}}],
        "contexts": [{"name": "idlewatt", "context": context}],
    }
    return yaml.safe_dump(content, sort_keys=False)


def _write_private(path: Path, text: str) -> None:
    path.touch(mode=0o600)
    path.write_text(text)


def _audit_arguments(folder: Path) -> list[str]:
    policy = folder / "audit-policy.yaml"
    policy.write_text(yaml.safe_dump(AUDIT_POLICY))
    log = folder / AUDIT_LOG
    return [f"--audit-policy-file={policy}", f"--audit-log-path={log}", "--audit-log-mode=blocking"]


def _commands(
    folder: Path, ports: Sequence[int], node_grace_seconds: int
) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    """Give the arguments of what starts first, and of what needs an API server that serves."""
    api_port, etcd_port, peer_port = ports
    etcd_url = f"http://127.0.0.1:{etcd_port}"
    peer_url = f"http://127.0.0.1:{peer_port}"
    account_key = folder / "service-account.key"
    etcd = [
        "--name=test",
        f"--data-dir={folder / 'etcd'}",
        f"--listen-client-urls={etcd_url}",
        f"--advertise-client-urls={etcd_url}",
        f"--listen-peer-urls={peer_url}",
        f"--initial-advertise-peer-urls={peer_url}",
        f"--initial-cluster=test={peer_url}",
        "--unsafe-no-fsync",  # what it holds is thrown away
        "--log-level=warn",
    ]
    apiserver = [
        f"--etcd-servers={etcd_url}",
        "--bind-address=127.0.0.1",
        "--advertise-address=127.0.0.1",
        f"--secure-port={api_port}",
        f"--tls-cert-file={folder / 'apiserver.crt'}",
        f"--tls-private-key-file={folder / 'apiserver.key'}",
        f"--token-auth-file={folder / 'tokens.csv'}",
        "--authorization-mode=RBAC",
        "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
        f"--service-account-key-file={account_key}",
        f"--service-account-signing-key-file={account_key}",
        "--service-cluster-ip-range=10.0.0.0/24",
        # Nobody reaches the API server through a Service here.
        "--endpoint-reconciler-type=none",
    ]
    manager = [
        f"--kubeconfig={folder / 'kubeconfig'}",
        f"--service-account-private-key-file={account_key}",
        f"--root-ca-file={folder / 'ca.crt'}",
        f"--node-monitor-grace-period={node_grace_seconds}s",
        "--node-monitor-period=1s",
        "--leader-elect=false",
        "--secure-port=0",
        "--kube-api-qps=500",
        "--kube-api-burst=1000",
    ]
    kwok = [
        f"--kubeconfig={folder / 'kubeconfig'}",
        f"--config={folder / 'kwok.yaml'}",
        f"--manage-nodes-with-label-selector={simulated_kubelet.MANAGED_NODES}",
        f"--node-lease-duration-seconds={node_grace_seconds}",
    ]
    return (
        {"etcd": etcd, "kube-apiserver": apiserver},
        {"kube-controller-manager": manager, "kwok": kwok},
    )
