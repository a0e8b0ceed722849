"""The watches on a real API server: they show what is there, and go on showing it."""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable

import pytest
from tests.cluster.control_plane import ControlPlane
from tests.integration.fleet_manifests import a_pod, a_policy, a_site, a_tariff, a_vehicle

from idlewatt_operator.gateways.clock import WallClock
from idlewatt_operator.gateways.kubernetes.credentials import CredentialSource
from idlewatt_operator.gateways.kubernetes.gateway import KubernetesCluster
from idlewatt_operator.gateways.kubernetes.informer import Patience
from idlewatt_operator.gateways.kubernetes.session import ApiSession
from idlewatt_operator.gateways.protocols import ClusterView
from idlewatt_operator.handlers.serving import serve

TIMEOUT_SECONDS = 30.0
PATIENCE = Patience(watch_seconds=20, silence_seconds=3, page_objects=3)


@pytest.fixture(scope="module")
def served(control_plane: ControlPlane) -> ControlPlane:
    """The control plane, with our kinds."""
    control_plane.apply_definitions()
    return control_plane


class Requests:
    """Counts the requests for a cycle."""

    count = 0

    def __call__(self) -> None:
        """Count one."""
        self.count += 1


@pytest.fixture
def requests() -> Requests:
    """What the gateway calls when something changed."""
    return Requests()


@pytest.fixture
async def gateway(
    served: ControlPlane, cluster: ControlPlane, requests: Requests
) -> AsyncIterator[KubernetesCluster]:
    """The gateway with its watches running, in pages of three objects."""
    assert served is cluster
    async with ApiSession(CredentialSource(cluster.kubeconfig), timeout_seconds=5) as session:
        gateway = KubernetesCluster(session, WallClock(), requests, patience=PATIENCE)
        async with gateway.running():
            yield gateway


async def until(
    gateway: KubernetesCluster, shows: Callable[[ClusterView], bool], seconds: float = 30
) -> ClusterView:
    """Wait until the view shows it."""
    give_up_at = time.monotonic() + seconds
    while not shows(gateway.view()):
        assert time.monotonic() < give_up_at, gateway.view()
        await asyncio.sleep(0.05)
    return gateway.view()


def pod_names(view: ClusterView) -> set[str]:
    """The names of all pods shown."""
    return {record.pod.name for record in view.pods.values()}


async def test_everything_there_is_shown_once_synced(
    cluster: ControlPlane, gateway: KubernetesCluster
) -> None:
    """Objects of every kind, over several pages, are shown, those of others only when bound."""
    cluster.create_nodes(*(f"v-{number}" for number in range(7)))
    cluster.api.apply(a_site(), a_tariff(), a_policy(), *(a_vehicle(f"v-{n}") for n in range(7)))
    cluster.api.apply(*(a_pod(f"p-{number}") for number in range(5)))
    (other,) = cluster.api.apply(a_pod("other", scheduler="another"))
    cluster.api.apply(a_pod("unbound", scheduler="another"))
    cluster.api.bind(other, "v-1")
    view = await until(
        gateway,
        lambda view: (
            view.synced and len(view.nodes) == 7 and len(view.vehicles) == 7 and len(view.pods) == 6
        ),
    )
    assert pod_names(view) == {"other", *(f"p-{number}" for number in range(5))}
    others = [record for record in view.pods.values() if record.scheduler_name == "another"]
    assert others[0].node == "v-1"
    assert others[0].pod.requests["cpu"] == 500
    assert view.vehicles["v-3"].vehicle.battery.net_capacity_watt_hours == 60_000
    assert view.refused == ()


async def test_changes_arrive_and_request_a_cycle(
    cluster: ControlPlane, gateway: KubernetesCluster, requests: Requests
) -> None:
    """A change is shown and asks for a cycle; what the operator wrote itself asks for none."""
    cluster.create_nodes("v-1")
    cluster.api.apply(a_vehicle(), a_pod())
    await until(gateway, lambda view: "v-1" in view.vehicles and pod_names(view) == {"p"})
    cluster.api.patch("VehicleNode", "v-1", {"spec": {"suspend": True}})
    view = await until(gateway, lambda view: view.vehicles["v-1"].vehicle.suspend)
    assert view.vehicles["v-1"].generation == 2
    before = requests.count
    await gateway.write_vehicle_status("v-1", {"pods": 2})
    await until(gateway, lambda view: view.vehicles["v-1"].status == {"pods": 2})
    assert requests.count == before
    cluster.api.delete("Pod", "p", "default", grace_seconds=0)
    await until(gateway, lambda view: not view.pods)
    assert requests.count > before


async def test_a_view_never_changes(cluster: ControlPlane, gateway: KubernetesCluster) -> None:
    """A view that was taken shows what it showed, whatever happens meanwhile."""
    cluster.api.apply(a_vehicle("v-1"))
    old = await until(gateway, lambda view: "v-1" in view.vehicles)
    cluster.api.apply(a_vehicle("v-2"))
    await until(gateway, lambda view: "v-2" in view.vehicles)
    assert set(old.vehicles) == {"v-1"}


async def test_a_stopped_server_is_noticed_and_found_again(
    cluster: ControlPlane, gateway: KubernetesCluster
) -> None:
    """A server that stops answering without closing a line is waited for, not believed."""
    cluster.api.apply(a_vehicle("v-1"))
    await until(gateway, lambda view: view.synced and "v-1" in view.vehicles)
    with cluster.paused():
        await asyncio.sleep(5)
        assert max(gateway.silent_seconds.values()) > 3
        assert set(gateway.view().vehicles) == {"v-1"}
    cluster.api.apply(a_vehicle("v-2"))
    await until(gateway, lambda view: "v-2" in view.vehicles, seconds=60)


async def test_a_server_that_is_started_again_is_watched_again(
    cluster: ControlPlane, gateway: KubernetesCluster
) -> None:
    """After a restart of the API server nothing is missed."""
    cluster.api.apply(a_vehicle("v-1"), a_pod())
    await until(gateway, lambda view: view.synced and "v-1" in view.vehicles)
    cluster.restart()
    cluster.api.apply(a_vehicle("v-2"))
    cluster.api.delete("VehicleNode", "v-1")
    cluster.api.delete("Pod", "p", "default", grace_seconds=0)
    await until(gateway, lambda view: set(view.vehicles) == {"v-2"} and not view.pods, seconds=60)


async def test_kopf_brings_sites_tariffs_and_the_policy(
    cluster: ControlPlane, gateway: KubernetesCluster
) -> None:
    """Between two listings kopf's events keep the catalogue, and leave no mark on the objects."""
    await until(gateway, lambda view: view.synced)
    stop = asyncio.Event()
    source = CredentialSource(cluster.kubeconfig)
    bystander = asyncio.create_task(asyncio.sleep(3_600))
    serving = asyncio.create_task(serve(source, gateway.catalogue, stop=stop, jitter=random.random))
    later = asyncio.create_task(asyncio.sleep(3_600))
    cluster.api.apply(a_site(), a_tariff(), a_policy(1_234))
    view = await until(
        gateway,
        lambda view: (
            "depot" in view.sites
            and "depot" in view.tariffs
            and view.policy.minimum_stay_seconds == 1_234
        ),
    )
    assert view.sites["depot"].region == "eu-de"
    cluster.api.patch("ParkingSite", "depot", {"spec": {"computeAllowed": False}})
    await until(gateway, lambda view: not view.sites["depot"].compute_allowed)
    metadata = cluster.api.get("ParkingSite", "depot")["metadata"]
    assert "finalizers" not in metadata
    assert "annotations" not in metadata
    cluster.api.delete("FleetPolicy", "default")
    await until(gateway, lambda view: view.policy.minimum_stay_seconds == 3_600)
    stop.set()
    await asyncio.wait_for(serving, TIMEOUT_SECONDS)
    assert not bystander.done()
    assert not later.done()
    for task in (bystander, later):
        task.cancel()
    events = cluster.api.list("Event", "default", api_version="events.k8s.io/v1")
    assert [event for event in events if event["regarding"]["kind"] == "ParkingSite"] == []


async def test_the_catalogue_is_listed_without_kopf(
    cluster: ControlPlane, gateway: KubernetesCluster
) -> None:
    """What was there before the start is known as soon as the view is synced."""
    cluster.api.apply(a_site(), a_tariff(), a_policy(1_234))
    async with ApiSession(CredentialSource(cluster.kubeconfig)) as session:
        second = KubernetesCluster(session, WallClock(), lambda: None)
        async with second.running():
            view = await until(second, lambda view: view.synced)
    assert set(view.sites) == {"depot"}
    assert view.policy.minimum_stay_seconds == 1_234
    assert gateway.view().refused == ()
