"""Replacement first, with the real ReplicaSet and disruption controllers."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from tests.cluster.control_plane import ControlPlane
from tests.cluster.simulated_kubelet import READY_AFTER, STOP_AFTER
from tests.integration.fleet_manifests import Manifest, a_site, a_tariff, a_vehicle
from tests.integration.test_run import ALWAYS, a_deployment

from idlewatt_operator.gateways.clock import WallClock
from idlewatt_operator.gateways.kubernetes.credentials import CredentialSource
from idlewatt_operator.gateways.kubernetes.gateway import KubernetesCluster
from idlewatt_operator.gateways.kubernetes.session import ApiSession
from idlewatt_operator.reconcile.cycle import Cycle
from idlewatt_operator.resources.times import parse_instant
from idlewatt_operator.twin.memory_telemetry import MemoryTelemetry
from idlewatt_scheduler.model.plan import Plan
from idlewatt_scheduler.model.snapshot import Snapshot
from idlewatt_scheduler.model.units import HOUR, SECOND, Instant
from idlewatt_scheduler.model.vehicle import Observation
from idlewatt_scheduler.planner import plan
from idlewatt_scheduler.testing import an_observation, changed

LEAVES_IN = 280 * SECOND
"""Within the lead of 300 s, and with time for a replacement."""


async def the_planner(snapshot: Snapshot) -> Plan:
    """The core's, in a thread as in production."""
    return await asyncio.to_thread(plan, snapshot)


class AheadClock:
    """The wall's clock, and what a test adds to it."""

    def __init__(self) -> None:
        self.ahead = 0

    def now(self) -> Instant:
        """The present instant."""
        return WallClock().now() + self.ahead

    async def sleep(self, seconds: float) -> None:
        """Return once so much of the wall's time has passed."""
        await asyncio.sleep(seconds)


class Operator:
    """The cycle on a real API server, run by hand; vehicles report whenever it runs."""

    def __init__(self, cluster: ControlPlane, gateway: KubernetesCluster) -> None:
        self.cluster = cluster
        self.clock = AheadClock()
        self.telemetry = MemoryTelemetry()
        self.departures: dict[str, Instant] = {}
        self.away: set[str] = set()
        self._gateway = gateway
        self._cycle = self._a_cycle()

    def _a_cycle(self) -> Cycle:
        return Cycle(self._gateway, self.telemetry, self.clock, the_planner)

    async def look_anew(self) -> None:
        """See what was applied just now; sites and policies are listed now and then only."""
        await self._gateway.look_anew()

    def restart(self) -> None:
        """It was killed, and another one starts with an empty memory."""
        self._cycle = self._a_cycle()

    async def run(self) -> None:
        """One cycle."""
        for name in ("v-1", "v-2"):
            self.telemetry.vehicles[name] = self._observed(name)
        await self._cycle.run()

    def _observed(self, name: str) -> Observation:
        at = self.clock.now()
        parts = ("battery", "parking", "compute", "connection")
        return changed(
            an_observation(),
            connection__site="depot",
            connection__circuit="main",
            battery__state_of_charge_percent=85,
            parking__since=at - HOUR,
            parking__occupied=name in self.away,
            departure_expected_at=self.departures.get(name),
            **{f"{part}__observed_at": at for part in parts},
        )

    async def until(self, true: Callable[[], bool], what: str, seconds: float = 60) -> None:
        """Run cycles until it is true, as the API server shows it."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            await self.run()
            if await asyncio.to_thread(true):
                return
            await asyncio.sleep(0.3)
        pytest.fail(f"Not within {seconds:g} s: {what}.")

    def pods(self) -> list[Manifest]:
        """Those that are not being deleted."""
        found = self.cluster.api.list("Pod", "default")
        return [pod for pod in found if "deletionTimestamp" not in pod["metadata"]]

    def sees(self) -> int:
        """How many pods its watch shows."""
        return len(self._gateway.view().pods)

    def sees_ready(self) -> int:
        """How many of them are ready."""
        return sum(record.ready for record in self._gateway.view().pods.values())

    def on(self, vehicle: str) -> list[Manifest]:
        """Those on a vehicle that are ready."""
        return [pod for pod in self.pods() if pod["spec"].get("nodeName") == vehicle and ready(pod)]

    def released(self) -> list[Manifest]:
        """Those that their ReplicaSet has let go of."""
        return [pod for pod in self.pods() if "ownerReferences" not in pod["metadata"]]


def ready(pod: Manifest) -> bool:
    """What a Service asks."""
    conditions = pod["status"].get("conditions", [])
    return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)


def names(pods: list[Manifest]) -> set[str]:
    """Of these pods."""
    return {pod["metadata"]["name"] for pod in pods}


@pytest.fixture
async def operator(cluster: ControlPlane) -> AsyncIterator[Operator]:
    """Two vehicles at a site, one of them away, and the operator."""
    cluster.apply_definitions()
    cluster.create_nodes("v-1", "v-2")
    vehicles = [a_vehicle(name, parkingWindows=ALWAYS) for name in ("v-1", "v-2")]
    cluster.api.apply(a_site(), a_tariff(), *vehicles)
    async with ApiSession(CredentialSource(cluster.kubeconfig)) as session:
        gateway = KubernetesCluster(session, WallClock(), lambda: None)
        async with gateway.running():
            made = Operator(cluster, gateway)
            made.away.add("v-2")
            await operator_sees(gateway, vehicles=2)
            yield made


async def operator_sees(gateway: KubernetesCluster, vehicles: int) -> None:
    """Return once the watches have shown so many vehicles, and the Node of each."""
    for _ in range(600):
        view = gateway.view()
        if view.synced and len(view.vehicles) == len(view.nodes) == vehicles:
            return
        await asyncio.sleep(0.05)
    pytest.fail("The watches have not shown the fleet.")


async def serving(operator: Operator, replicas: int, **annotations: str) -> set[str]:
    """A Deployment whose pods are ready on `v-1`; `v-2` is back afterwards."""
    deployment = a_deployment(replicas)
    deployment["spec"]["template"]["metadata"]["annotations"] = annotations
    operator.cluster.api.apply(deployment)
    await operator.until(
        lambda: len(operator.on("v-1")) == operator.sees_ready() == replicas,
        "the service is ready, and seen to be",
    )
    operator.away.clear()
    return names(operator.on("v-1"))


async def test_a_service_is_replaced_first(operator: Operator) -> None:
    """Release, replacement, ready, eviction: at no moment is fewer than one pod ready."""
    (old,) = await serving(operator, 1, **{STOP_AFTER: "1"})
    operator.departures["v-1"] = operator.clock.now() + LEAVES_IN
    least = []

    def replaced() -> bool:
        least.append(sum(ready(pod) for pod in operator.pods()))
        return old not in names(operator.pods())

    await operator.until(replaced, "the old pod leaves")
    assert min(least) >= 1
    (new,) = operator.on("v-2")
    notes = new["metadata"]["annotations"]
    assert not [name for name in notes if name.startswith("idlewatt.dev/released")]
    events = operator.cluster.api.list("Event", "default", api_version="events.k8s.io/v1")
    told = [each["note"] for each in events if each["reason"] == "Draining"]
    assert sorted(told) == [
        "Leaves v-1 once another one is ready in its place, since it is no longer available.",
        "Leaves v-1: it is no longer available.",
    ]


async def test_a_released_pod_keeps_what_services_select_by(operator: Operator) -> None:
    """Its other labels, its readiness and its place; its ReplicaSet has let go of it for good."""
    (old,) = await serving(operator, 1)
    operator.away.add("v-2")
    operator.departures["v-1"] = operator.clock.now() + LEAVES_IN
    await operator.until(lambda: bool(operator.released()), "the pod is released")
    await operator.until(lambda: len(operator.pods()) == 2, "another one is made")
    for _ in range(5):
        await operator.run()
    (released,) = operator.released()
    metadata = released["metadata"]
    assert metadata["name"] == old
    assert metadata["labels"]["app"] == "a"
    assert metadata["labels"]["pod-template-hash"].endswith("-released")
    assert metadata["annotations"]["idlewatt.dev/released-ready"] == "1"
    parse_instant(metadata["annotations"]["idlewatt.dev/released-at"])
    assert ready(released)
    assert len(operator.pods()) == 2


async def test_killed_between_release_and_eviction(operator: Operator) -> None:
    """The next operator evicts the pod that the one before it released."""
    (old,) = await serving(operator, 1, **{READY_AFTER: "2"})
    operator.departures["v-1"] = operator.clock.now() + LEAVES_IN
    await operator.until(lambda: bool(operator.released()), "the pod is released")
    operator.restart()
    await operator.until(lambda: old not in names(operator.pods()), "the old pod leaves")
    assert len(operator.on("v-2")) == 1
    assert len(operator.pods()) == 1


async def test_a_replacement_that_never_gets_ready_is_not_waited_for_too_long(
    operator: Operator,
) -> None:
    """Half a minute before the last safe time the released pod is evicted all the same."""
    (old,) = await serving(operator, 1)
    operator.away.add("v-2")
    operator.departures["v-1"] = operator.clock.now() + LEAVES_IN
    await operator.until(lambda: bool(operator.released()), "the pod is released")
    await operator.until(lambda: operator.sees() == 2, "the operator sees the other one")
    operator.clock.ahead = LEAVES_IN - 150 * SECOND
    await operator.run()
    assert old in names(operator.pods())
    operator.clock.ahead = LEAVES_IN - 59 * SECOND
    await operator.until(lambda: old not in names(operator.pods()), "the old pod leaves", 20)


BUDGETS: list[dict[str, Any]] = [
    {"minAvailable": 2},
    {"minAvailable": "100%"},
    {"maxUnavailable": 0},
    {"maxUnavailable": "1%"},
    {"minAvailable": 1},
]


@pytest.mark.parametrize("budget", BUDGETS, ids=str)
async def test_a_budget_is_kept_and_blocks_nothing(
    operator: Operator, budget: dict[str, Any]
) -> None:
    """Two replicas leave a car: whatever the budget, two stay ready, and no eviction is forced."""
    old = await serving(operator, 2)
    operator.cluster.api.apply(
        {
            "apiVersion": "policy/v1",
            "kind": "PodDisruptionBudget",
            "metadata": {"name": "svc", "namespace": "default"},
            "spec": {"selector": {"matchLabels": {"app": "a"}}, **budget},
        }
    )
    operator.cluster.wait_until(
        lambda: (
            "expectedPods"
            in operator.cluster.api.get("PodDisruptionBudget", "svc", "default").get("status", {})
        ),
        "the budget is counted",
    )
    operator.departures["v-1"] = operator.clock.now() + LEAVES_IN
    least = []

    def replaced() -> bool:
        least.append(sum(ready(pod) for pod in operator.pods()))
        return not old & names(operator.pods())

    await operator.until(replaced, "both pods leave", 90)
    assert min(least) >= 2
    assert len(operator.on("v-2")) == 2


async def test_a_deployment_that_is_scaled_down_meanwhile(operator: Operator) -> None:
    """No replacement comes: the pod leaves in time, and the Deployment has what it wants."""
    (old,) = await serving(operator, 1)
    operator.away.add("v-2")
    operator.departures["v-1"] = operator.clock.now() + LEAVES_IN
    await operator.until(lambda: bool(operator.released()), "the pod is released")
    operator.cluster.api.patch("Deployment", "svc", {"spec": {"replicas": 0}}, "default")
    operator.clock.ahead = LEAVES_IN - 59 * SECOND
    await operator.until(lambda: old not in names(operator.pods()), "the old pod leaves", 20)
    operator.cluster.wait_until(lambda: not operator.pods(), "no pod is left")
