"""The operator while Redis is away, at the start and later, on a real API server."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime
from functools import partial

import pytest
import redis
from tests.cluster.control_plane import ControlPlane
from tests.cluster.redis_server import RedisServer
from tests.integration.fleet_manifests import a_site, a_tariff, a_vehicle
from tests.integration.test_run import ALWAYS, a_deployment, a_report

from idlewatt_operator.cli.wiring import Options, run_operator
from idlewatt_operator.gateways.listening import Endpoint
from idlewatt_operator.gateways.redis.address import RedisAddress
from idlewatt_operator.gateways.redis.contract import STREAM
from idlewatt_operator.reconcile.report import Report
from idlewatt_operator.settings import Settings
from idlewatt_scheduler.model.units import SECOND

WITHIN = Settings(cycle_at_least_every=1 * SECOND, telemetry_awaited_for=2 * SECOND)


@pytest.fixture
def server() -> Iterator[RedisServer]:
    """A Redis of the test's own."""
    with RedisServer.start() as server:
        yield server


@contextlib.asynccontextmanager
async def operating(cluster: ControlPlane, server: RedisServer) -> AsyncIterator[list[Report]]:
    """Run the operator here; gives the cycles that ran through."""
    stop, reports = asyncio.Event(), list[Report]()
    options = Options(
        cluster.kubeconfig, RedisAddress(server.url), WITHIN, listen=Endpoint("127.0.0.1", 0)
    )
    task = asyncio.create_task(run_operator(options, stop=stop, on_report=reports.append))
    try:
        yield reports
    finally:
        stop.set()
        await asyncio.wait_for(task, 40)


async def waited(cluster: ControlPlane, true: Callable[[], bool], what: str) -> None:
    """Wait in a thread until it is so."""
    await asyncio.to_thread(cluster.wait_until, true, what, 40)


def all_bound(cluster: ControlPlane) -> bool:
    """Every pod has a node."""
    pods = cluster.api.list("Pod", "default")
    return bool(pods) and all(pod["spec"].get("nodeName") for pod in pods)


def tell(server: RedisServer) -> None:
    """The vehicle reports to Redis."""
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    data = {
        "Vehicle.Powertrain.TractionBattery.StateOfCharge.Current": 80,
        "Vehicle.Powertrain.Transmission.IsParkLockEngaged": True,
        "Vehicle.IsMoving": False,
        "Vehicle.Cabin.Seat.Row1.DriverSide.IsOccupied": False,
        "Idlewatt.Parking.Since": "2026-01-01T00:00:00Z",
        "Idlewatt.Connection.Site": "depot",
        "Idlewatt.Connection.Circuit": "main",
        "Idlewatt.Power": "Awake",
        "OCPP.TransactionEvent.transactionInfo.chargingState": "SuspendedEV",
        "OCPP.MeterValues.Power.Active.Import": 0,
    }
    with redis.Redis.from_url(server.url) as client:
        client.xadd(STREAM, {"vehicle": "v-1", "observedAt": now, "data": json.dumps(data)})


async def test_an_operator_begins_without_redis_and_places_once_it_is_back(
    cluster: ControlPlane, server: RedisServer
) -> None:
    """Cycles run, the status is left as it is, nothing is bound; with reports it is, at once."""
    cluster.apply_definitions()
    await asyncio.to_thread(cluster.create_nodes, "v-1")
    cluster.api.apply(a_site(), a_tariff(), a_vehicle(parkingWindows=ALWAYS), a_deployment())
    status = {"status": a_report(datetime.now(UTC))}
    cluster.api.patch("VehicleNode", "v-1", status, subresource="status")
    server.crash()
    async with operating(cluster, server) as reports:
        await waited(cluster, lambda: len(reports) >= 5, "five cycles ran")
        assert all(not report.decisions.bind for report in reports)
        shown = cluster.api.get("VehicleNode", "v-1")["status"]
        assert shown["battery"]["stateOfChargePercent"] == 85
        (fresh,) = [each for each in shown["conditions"] if each["type"] == "TelemetryFresh"]
        assert fresh["status"] == "False"
        server.restart()
        tell(server)
        await waited(cluster, partial(all_bound, cluster), "all is bound")


async def test_pods_run_on_where_redis_comes_back_empty(
    cluster: ControlPlane, server: RedisServer
) -> None:
    """Nobody is drained for it, and what vehicles report next is read."""
    cluster.apply_definitions()
    await asyncio.to_thread(cluster.create_nodes, "v-1")
    cluster.api.apply(a_site(), a_tariff(), a_vehicle(parkingWindows=ALWAYS), a_deployment(1))
    tell(server)
    async with operating(cluster, server) as reports:
        await waited(cluster, partial(all_bound, cluster), "all is bound")
        server.crash()
        before = len(reports)
        await waited(cluster, lambda: len(reports) >= before + 3, "three cycles ran")
        server.restart()
        cluster.api.patch("Deployment", "svc", {"spec": {"replicas": 2}}, "default")
        await waited(cluster, lambda: len(cluster.api.list("Pod", "default")) == 2, "pods are made")
        tell(server)
        await waited(cluster, partial(all_bound, cluster), "all is bound")
        assert all(not report.decisions.drain for report in reports)
