"""Several operators on a real API server: one leads, another takes over, and never both.

Each has a line of its own to the API server, on which all that it writes is noted.
"""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
import urllib3
from tests.cluster.components import free_ports
from tests.cluster.control_plane import ControlPlane
from tests.cluster.places import CHECKOUT
from tests.integration.counting_proxy import CountingProxy, counting_proxy
from tests.integration.fleet_manifests import a_pod, a_site, a_tariff, a_vehicle
from tests.integration.test_run import ALWAYS, a_report

VEHICLES = [f"v-{number}" for number in range(1, 9)]
LEASE = ("Lease", "idlewatt")
LEASE_SECONDS = 15.0
LOST = 76


@dataclass
class Operator:
    """`idlewatt run --leader-election` as a process, with its line and its probes."""

    name: str
    process: subprocess.Popen[str]
    proxy: CountingProxy
    address: str

    def probe(self, path: str) -> tuple[int, str]:
        """Status and body of a probe; 0 where nobody answers."""
        try:
            answer = urllib3.request(
                "GET", f"http://{self.address}{path}", timeout=3, retries=False
            )
        except urllib3.exceptions.HTTPError:
            return 0, ""
        return answer.status, answer.data.decode()

    @property
    def is_ready(self) -> bool:
        """As a kubelet would ask."""
        return self.probe("/readyz")[0] == 200

    @property
    def leads(self) -> bool:
        """As it says itself."""
        return "which is this one" in self.probe("/readyz")[1]

    def ended(self, seconds: float = 40) -> tuple[int, str]:
        """Exit status and what it said on standard error."""
        _, said = self.process.communicate(timeout=seconds)
        return self.process.returncode, said


@pytest.fixture
def start(cluster: ControlPlane, tmp_path: Path) -> Iterator[Callable[[str], Operator]]:
    """Start an operator by a name; all are ended afterwards."""
    with contextlib.ExitStack() as stack:

        def started(name: str) -> Operator:
            proxy = stack.enter_context(counting_proxy(cluster, tmp_path / name))
            (port,) = free_ports(1)
            environment = {
                **os.environ,
                "POD_NAME": name,
                "IDLEWATT_LISTEN": f"127.0.0.1:{port}",
                "IDLEWATT_LEADER_ELECTION": "true",
                "IDLEWATT_LEASE_NAMESPACE": "default",
            }
            process = subprocess.Popen(
                [sys.executable, "-m", "idlewatt_operator", "run"],
                cwd=CHECKOUT,
                env={**environment, "KUBECONFIG": str(proxy.kubeconfig)},
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                text=True,
            )
            stack.callback(end, process)
            return Operator(name, process, proxy, f"127.0.0.1:{port}")

        yield started


def end(process: subprocess.Popen[str]) -> None:
    """Kill it if it is still there."""
    process.kill()
    process.communicate(timeout=10)


@pytest.fixture
def fleet(cluster: ControlPlane) -> ControlPlane:
    """Eight vehicles that just reported, in their status."""
    cluster.apply_definitions()
    cluster.create_nodes(*VEHICLES)
    cluster.api.apply(
        a_site(),
        a_tariff(),
        *(a_vehicle(name, parkingWindows=ALWAYS) for name in VEHICLES),
    )
    report_now(cluster)
    return cluster


def report_now(cluster: ControlPlane) -> None:
    """All vehicles report again."""
    status = {"status": a_report(datetime.now(UTC))}
    for name in VEHICLES:
        cluster.api.patch("VehicleNode", name, status, subresource="status")


def make_pods(cluster: ControlPlane, prefix: str, count: int) -> None:
    """Pods of ours, each by itself, that nobody starts anew."""
    pods = [a_pod(f"{prefix}-{number}") for number in range(count)]
    for pod in pods:
        pod["metadata"]["annotations"] = {"idlewatt.dev/allow-loss": "true"}
    cluster.api.apply(*pods)


def bound(cluster: ControlPlane, prefix: str) -> int:
    """How many of them have a node."""
    return sum(
        bool(pod["spec"].get("nodeName"))
        for pod in cluster.api.list("Pod", "default")
        if pod["metadata"]["name"].startswith(prefix)
    )


def a_leader_and_a_standby(
    cluster: ControlPlane, start: Callable[[str], Operator]
) -> tuple[Operator, Operator]:
    """Two, of which the first leads."""
    first = start("first")
    cluster.wait_until(lambda: first.leads, "the first leads", 60)
    second = start("second")
    cluster.wait_until(lambda: second.is_ready, "the second is ready", 60)
    assert not second.leads
    return first, second


def no_pod_was_bound_twice(*operators: Operator) -> None:
    """Of all bindings that were done none is of a pod that another was done of."""
    done = [path for operator in operators for path in operator.proxy.bound]
    assert len(done) == len(set(done))


def test_another_takes_over_where_the_leader_is_killed(
    fleet: ControlPlane, start: Callable[[str], Operator]
) -> None:
    """A standby writes nothing; once the lease has run out it binds what waits, nothing twice."""
    first, second = a_leader_and_a_standby(fleet, start)
    make_pods(fleet, "a", 5)
    fleet.wait_until(lambda: bound(fleet, "a") == 5, "the first binds", 30)
    assert second.proxy.writes == []
    status, told = second.probe("/readyz")
    assert status == 200
    assert "lease: first_" in told
    assert second.probe("/livez")[0] == 200
    first.process.kill()
    killed_at = time.monotonic()
    make_pods(fleet, "b", 5)
    report_now(fleet)
    fleet.wait_until(lambda: bound(fleet, "b") == 5, "the second binds", 60)
    took_seconds = second.proxy.led[0].at - killed_at
    assert LEASE_SECONDS - 3 < took_seconds < LEASE_SECONDS + 8
    fleet.wait_until(lambda: second.leads, "the second leads on", 10)
    no_pod_was_bound_twice(first, second)
    print(f"first write {took_seconds:.1f} s after the leader was killed")  # noqa: T201


def test_a_leader_that_was_stopped_writes_nothing_when_it_goes_on(
    fleet: ControlPlane, start: Callable[[str], Operator]
) -> None:
    """Stopped in the middle of binding 200 pods for 30 s: it sends no write more, and ends."""
    first, second = a_leader_and_a_standby(fleet, start)
    first.proxy.bind_seconds = 0.5
    make_pods(fleet, "p", 200)
    fleet.wait_until(lambda: len(first.proxy.bound) >= 20, "the first is binding", 60)
    first.process.send_signal(signal.SIGSTOP)
    stopped_at = time.monotonic()
    report_now(fleet)
    fleet.wait_until(lambda: second.leads, "the second leads", 40)
    fleet.wait_until(lambda: bound(fleet, "p") == 200, "the second binds the rest", 60)
    while time.monotonic() < stopped_at + 30:
        time.sleep(0.5)
    before = len(first.proxy.writes)
    assert len(first.proxy.bound) < 200
    first.process.send_signal(signal.SIGCONT)
    status, said = first.ended()
    assert status == LOST
    assert "The lease was lost" in said
    late = first.proxy.writes[before:]
    assert [each for each in late if not each.is_lease] == []
    no_pod_was_bound_twice(first, second)
    fleet.wait_until(lambda: second.leads, "the second leads on", 10)


def test_a_leader_that_is_cut_off_has_ended_before_another_leads(
    fleet: ControlPlane, start: Callable[[str], Operator]
) -> None:
    """Nothing answers it any more: it ends at its deadline, the other waits for the lease."""
    first, second = a_leader_and_a_standby(fleet, start)
    first.proxy.is_cut = True
    cut_at = time.monotonic()
    status, said = first.ended()
    ended_seconds = time.monotonic() - cut_at
    assert status == LOST, said
    assert ended_seconds < LEASE_SECONDS - 3
    assert second.proxy.led == []
    fleet.wait_until(lambda: second.leads, "the second leads", 30)
    print(f"ended {ended_seconds:.1f} s after it was cut off")  # noqa: T201


def test_a_leader_that_ends_in_order_gives_the_lease_back(
    fleet: ControlPlane, start: Callable[[str], Operator]
) -> None:
    """The next one leads at its next look, without waiting for the lease to run out."""
    first, second = a_leader_and_a_standby(fleet, start)
    first.process.terminate()
    ended_at = time.monotonic()
    fleet.wait_until(lambda: second.leads, "the second leads", 30)
    took_seconds = time.monotonic() - ended_at
    status, said = first.ended()
    assert status == 0, said
    assert "gave the lease back" in said
    assert took_seconds < LEASE_SECONDS - 3
    make_pods(fleet, "c", 3)
    report_now(fleet)
    fleet.wait_until(lambda: bound(fleet, "c") == 3, "the second binds", 30)
    print(f"led {took_seconds:.1f} s after SIGTERM to the one before")  # noqa: T201


def test_a_lease_that_is_deleted_or_overwritten_harms_nobody(
    fleet: ControlPlane, start: Callable[[str], Operator]
) -> None:
    """Deleted, it is made again by who leads; overwritten, it is lost by who led."""
    first, second = a_leader_and_a_standby(fleet, start)
    fleet.api.delete(*LEASE, "default")
    fleet.wait_until(
        lambda: fleet.api.exists(*LEASE, "default"),
        "the lease is made again",
        20,
    )
    lease = fleet.api.get(*LEASE, "default")
    assert lease["spec"]["holderIdentity"].startswith("first_")
    fleet.wait_until(lambda: first.leads, "the first leads on", 10)
    garbage = {
        "spec": {
            "holderIdentity": "somebody",
            "leaseDurationSeconds": 1,
            "renewTime": None,
            "acquireTime": None,
        }
    }
    fleet.api.patch(*LEASE, garbage, "default")
    status, said = first.ended()
    assert status == LOST, said
    fleet.wait_until(lambda: second.leads, "the second leads", 20)
    make_pods(fleet, "d", 3)
    report_now(fleet)
    fleet.wait_until(lambda: bound(fleet, "d") == 3, "the second binds", 30)
    no_pod_was_bound_twice(first, second)
