"""A cluster of real kubelets in containers: one control plane, and three workers, the vehicles.

    with kind.running(cluster_name("e2e")) as cluster:
        cluster.load("idlewatt/operator:0.1.0")
        cluster.kubectl("apply", "-f", "examples/kind")
        cluster.cut(cluster.workers[0])

Its name comes from the checkout's path, and so do its containers' and its folder's: nothing else on
the engine is looked at. A cluster that a killed run left is taken up again if it is whole and of
the same make, else replaced.
"""

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.cluster import engine, image_loading, kernel_limits, kind_network, kind_nodes
from tests.cluster.binaries import CONTROL_PLANE, KIND, ensure
from tests.cluster.docker import docker
from tests.cluster.kind_config import (
    AUDIT_LOG,
    CLUSTER_LABEL,
    VEHICLES,
    WORKERS,
    audit_policy,
    cluster_name,
    control_plane_of,
    kind_config,
    workers_of,
)
from tests.cluster.kind_nodes import Container, Labels
from tests.cluster.node_image import is_built_here, node_image
from tests.cluster.places import SetupError, cache_home
from tests.cluster.progress import run_long, say

CREATE_USUAL_SECONDS = 30
READY_TIMEOUT_SECONDS = 180
KUBECTL_TIMEOUT_SECONDS = 300.0
POLL_SECONDS = 0.3
SYSTEM = (("kube-system", "coredns"), ("local-path-storage", "local-path-provisioner"))


class KubectlError(SetupError):
    """kubectl ended with another status than 0; the message is its own."""


@dataclass
class KindCluster:
    """A running cluster, and where its kubeconfig is; ``name`` is kind's name for it."""

    name: str
    folder: Path
    _labels: dict[str, Labels] = field(default_factory=dict, repr=False)

    @property
    def kubeconfig(self) -> Path:
        """The kubeconfig file, readable by its owner alone."""
        return self.folder / "kubeconfig"

    @property
    def control_plane(self) -> str:
        """The control plane's Node, and its container."""
        return control_plane_of(self.name)

    @property
    def workers(self) -> tuple[str, ...]:
        """The workers' Nodes, which bear the names of vehicles."""
        return VEHICLES

    @property
    def nodes(self) -> tuple[str, ...]:
        """All of them, the control plane first."""
        return (self.control_plane, *self.workers)

    def container(self, node: str) -> str:
        """The Docker container that a Node is."""
        return workers_of(self.name).get(node, node)

    def kubectl(
        self,
        *arguments: str,
        input: str | None = None,  # noqa: A002 - what subprocess calls it
        timeout_seconds: float = KUBECTL_TIMEOUT_SECONDS,
    ) -> str:
        """Run kubectl as the cluster's administrator. Raises KubectlError with what it said."""
        command = [str(kubectl_program()), "--kubeconfig", str(self.kubeconfig), *arguments]
        try:
            answer = subprocess.run(
                command,
                input=input,
                stdin=subprocess.DEVNULL if input is None else None,
                capture_output=True,
                text=True,
                timeout=timeout_seconds,
                check=False,
            )
        except subprocess.TimeoutExpired:
            message = f"kubectl {' '.join(arguments)} did not end within {timeout_seconds:.0f} s."
            raise KubectlError(message) from None
        if answer.returncode != 0:
            message = f"kubectl {' '.join(arguments)}: {answer.stderr.strip()}"
            raise KubectlError(message)
        return answer.stdout

    def kubectl_json(self, *arguments: str) -> Any:  # noqa: ANN401 - it is JSON
        """Run kubectl with ``-o json`` and give what it answers."""
        return json.loads(self.kubectl(*arguments, "-o", "json"))

    def shell(self, node: str, script: str, *, timeout_seconds: float = 60.0) -> str:
        """Run shell lines as root inside a node; the node's link is not needed."""
        command = ("exec", "-i", self.container(node), "sh")
        return docker(*command, given=script, timeout_seconds=timeout_seconds)

    def load(self, *image_tags: str, nodes: Sequence[str] = ()) -> None:
        """Give images that the engine has to nodes, by default to all; who has them is left out.

        Raises SetupError where the engine has no such image.
        """
        containers = [self.container(node) for node in nodes or self.nodes]
        image_loading.load(self.folder, containers, image_tags)

    def cut(self, worker: str) -> None:
        """Cut a node's link: nothing reaches it, nothing leaves it, and its containers run on."""
        self.shell(worker, kind_nodes.cut_script())

    def mend(self, worker: str) -> None:
        """Bring a node's link back; where it was not cut, nothing changes."""
        self.shell(worker, kind_nodes.mend_script())

    def containers(self, worker: str) -> list[Container]:
        """Ask a node's own containerd for its pods' containers, running and ended."""
        ids, running = kind_nodes.parse_listing(self.shell(worker, kind_nodes.LIST_SCRIPT))
        unknown = [identity for identity in ids if identity not in self._labels]
        if unknown:
            answer = json.loads(self.shell(worker, kind_nodes.labels_script(unknown)))
            answer = [info for info in answer if info is not None]
            self._labels |= kind_nodes.parse_labels(answer)
        return kind_nodes.containers(ids, running, self._labels)

    def audit_log(self) -> Iterator[dict[str, Any]]:
        """Give what programs in pods asked of the API server, in the order it was answered."""
        text = docker("exec", self.control_plane, "cat", AUDIT_LOG)
        # The last line may be in the middle of being written.
        whole = text[: text.rfind("\n") + 1]
        return (json.loads(line) for line in whole.splitlines())


def kubectl_program() -> Path:
    """Give kubectl, building it alone: where nodes come as an image, nothing else is needed."""
    return ensure(CONTROL_PLANE, "kubectl") / "kubectl"


def folder_of(name: str) -> Path:
    """Give the folder of a cluster's files: its kubeconfig, its logs, what it was made of."""
    return cache_home() / "kind" / name


def up(name: str | None = None) -> KindCluster:
    """Give a running cluster of this name, by default this checkout's own.

    One that runs and is made of the same is taken as it is, with every link mended; else it is made
    anew. Raises SetupError.
    """
    name = name or cluster_name()
    with _held(name) as folder:
        say(f"[1/4] A Docker engine, for the cluster {name}")
        engine.ensure()
        say("[2/4] The nodes' image")
        image = node_image()
        cluster = KindCluster(name, folder)
        make = _make_of(name, image, folder)
        if is_whole(cluster, make):
            say("[3/4] The cluster runs already")
            _in_all(cluster.workers, cluster.mend)
            say("[4/4] The network between its pods")
            _connect(cluster)
        else:
            _remove(name, folder)
            kernel_limits.allow_watching()
            _create(cluster, image)
            say("[4/4] The network between its pods")
            _connect(cluster)
            _settle(cluster, with_upstream=not is_built_here(image))
            (folder / "made-of").write_text(make)
    return cluster


def down(name: str | None = None) -> bool:
    """Remove a cluster, its files too; tell whether there was one. Nothing else is touched."""
    name = name or cluster_name()
    with _held(name) as folder:
        return _remove(name, folder)


@contextlib.contextmanager
def running(name: str) -> Iterator[KindCluster]:
    """Have a cluster for as long as the block runs, made anew or taken up."""
    try:
        yield up(name)
    finally:
        down(name)


def is_up(name: str | None = None) -> KindCluster | None:
    """Give the cluster if it runs and its API server answers."""
    name = name or cluster_name()
    cluster = KindCluster(name, folder_of(name))
    made_of = cluster.folder / "made-of"
    if not made_of.is_file() or not is_whole(cluster, made_of.read_text()):
        return None
    return cluster


@contextlib.contextmanager
def _held(name: str) -> Iterator[Path]:
    """Keep others from making or removing the same cluster meanwhile; give its folder."""
    folder = folder_of(name)
    folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with folder.with_name(f"{name}.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"Another run is making or removing the cluster {name}; waiting for it.")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield folder


def containers_of(name: str, *, only_running: bool = False) -> list[str]:
    """List a cluster's containers on the engine, by kind's own label."""
    filters = ["--filter", f"label={CLUSTER_LABEL}={name}"]
    if only_running:
        filters += ["--filter", "status=running"]
    return docker("ps", "--all", "--quiet", *filters).split()


def is_whole(cluster: KindCluster, make: str) -> bool:
    """Tell whether a cluster was finished, of this make, and has all nodes and an API server."""
    made_of = cluster.folder / "made-of"
    if not made_of.is_file() or made_of.read_text() != make:
        return False
    if len(containers_of(cluster.name, only_running=True)) != 1 + WORKERS:
        return False
    with contextlib.suppress(KubectlError):
        cluster.kubectl("get", "--raw", "/readyz", "--request-timeout=5s", timeout_seconds=15)
        return True
    return False


def _make_of(name: str, image: str, folder: Path) -> str:
    asked = json.dumps([kind_config(name, image, folder / "audit"), audit_policy()])
    return f"{image} {hashlib.sha256(asked.encode()).hexdigest()}\n"


def _remove(name: str, folder: Path) -> bool:
    # First what a killed run left at work: when kind fails, it removes the nodes of that name.
    for pid in creators(folder):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    containers = containers_of(name)
    _in_all(containers, lambda container: docker("rm", "--force", "--volumes", container))
    existed = bool(containers) or folder.exists()
    shutil.rmtree(folder, ignore_errors=True)
    return existed


def creators(folder: Path) -> list[int]:
    """List the processes that make the cluster of this folder."""
    found = []
    for entry in Path("/proc").iterdir():
        # A process may end between the listing and the reading.
        with contextlib.suppress(OSError):
            if entry.name.isdigit() and is_creator((entry / "cmdline").read_bytes(), folder):
                found.append(int(entry.name))
    return found


def is_creator(command_line: bytes, folder: Path) -> bool:
    """Tell from ``/proc/PID/cmdline`` whether a process is kind, making this folder's cluster."""
    program, *arguments = command_line.split(b"\0")
    is_kind = os.fsdecode(program).rpartition("/")[2] == "kind"
    return is_kind and os.fsencode(folder / "kind.yaml") in arguments


def _create(cluster: KindCluster, image: str) -> None:
    folder = cluster.folder
    (folder / "audit").mkdir(mode=0o700, parents=True)
    folder.chmod(0o700)
    # JSON is YAML.
    (folder / "audit" / "policy.yaml").write_text(json.dumps(audit_policy(), indent=2))
    config = kind_config(cluster.name, image, folder / "audit")
    (folder / "kind.yaml").write_text(json.dumps(config, indent=2))
    command = [str(ensure(KIND, "kind") / "kind"), "create", "cluster", "--config"]
    command += [str(folder / "kind.yaml"), "--kubeconfig", str(cluster.kubeconfig)]
    run_long(
        # Without a network no node is ever ready: it comes after.
        [*command, "--wait", "0s"],
        what=f"[3/4] Creating the cluster, {1 + WORKERS} nodes",
        usual_seconds=CREATE_USUAL_SECONDS,
        log=folder / "create.log",
    )


def _connect(cluster: KindCluster) -> None:
    """Give pods addresses and routes; where they have them, nothing changes."""
    networks = _networks(cluster)
    scripts = {network.name: kind_network.script(network, networks) for network in networks}
    _in_all(scripts, lambda node: cluster.shell(node, scripts[node]))


def _settle(cluster: KindCluster, *, with_upstream: bool) -> None:
    """Keep the system's own pods off the workers, and wait until all of it runs."""
    if not with_upstream:
        _forget_upstream(cluster)
    for namespace, deployment in SYSTEM:
        patch = json.dumps(
            kind_network.on_the_control_plane("coredns" if deployment == "coredns" else None)
        )
        cluster.kubectl("-n", namespace, "patch", "deployment", deployment, "--patch", patch)
    timeout = f"--timeout={READY_TIMEOUT_SECONDS}s"
    cluster.kubectl("wait", "--for=condition=Ready", "nodes", "--all", timeout)
    for namespace, deployment in SYSTEM:
        rollout = ["rollout", "status", f"deployment/{deployment}", timeout]
        cluster.kubectl("-n", namespace, *rollout)


def _networks(cluster: KindCluster) -> list[kind_network.NodeNetwork]:
    """Wait until every node was given a range of addresses for its pods."""
    give_up_at = time.monotonic() + READY_TIMEOUT_SECONDS
    while True:
        networks = kind_network.node_networks(cluster.kubectl_json("get", "nodes"))
        if len(networks) == 1 + WORKERS:
            return networks
        if time.monotonic() > give_up_at:
            message = (
                f"Only {len(networks)} of {1 + WORKERS} nodes were given addresses for their pods; "
                f"look at `kubectl --kubeconfig {cluster.kubeconfig} get nodes`."
            )
            raise SetupError(message)
        time.sleep(POLL_SECONDS)


def _forget_upstream(cluster: KindCluster) -> None:
    config = cluster.kubectl_json("-n", "kube-system", "get", "configmap", "coredns")
    without = kind_network.without_upstream(config["data"]["Corefile"])
    if without != config["data"]["Corefile"]:
        config["data"]["Corefile"] = without
        cluster.kubectl("replace", "-f", "-", input=json.dumps(config))


def _in_all(nodes: Iterable[str], act: Callable[[str], object]) -> None:
    """Do something in several nodes at once; the first failure is raised."""
    with ThreadPoolExecutor() as pool:
        list(pool.map(act, nodes))
