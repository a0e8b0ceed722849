"""A tariff with a source, on a real API server and Redis: answers, restarts, garbage, age."""

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
import redis
from aiohttp import web
from tests.cluster.control_plane import ControlPlane
from tests.integration.fleet_manifests import a_site, a_tariff, a_vehicle
from tests.integration.test_run import ALWAYS, a_deployment

from idlewatt_operator.cli.wiring import Options, run_operator
from idlewatt_operator.gateways.kubernetes.gateway import KubernetesCluster
from idlewatt_operator.gateways.redis.address import RedisAddress
from idlewatt_operator.gateways.redis.contract import STREAM
from idlewatt_operator.gateways.tariffs.keeping import HASH
from idlewatt_operator.reconcile.report import Report
from idlewatt_operator.resources.times import format_instant
from idlewatt_operator.settings import Settings

REFRESH_SECONDS = 60


class Publisher:
    """Publishes prices on this machine.

    Attributes:
        says: what it answers.
        status: with this status.
        asked: how often it was asked.
    """

    def __init__(self) -> None:
        self.says = day("OffPeak")
        self.status = 200
        self.asked = 0
        self.address = ""

    async def handle(self, _: web.Request) -> web.Response:
        """Answer."""
        self.asked += 1
        return web.Response(status=self.status, body=self.says)


def day(band: str) -> bytes:
    """Two days of hours from yesterday on, all of one band."""
    start = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(days=1)
    hours = (start + timedelta(hours=n) for n in range(72))
    return json.dumps(
        {
            "intervals": [
                {
                    "start": f"{hour:%Y-%m-%dT%H:%M:%SZ}",
                    "durationSeconds": 3600,
                    "payloads": [
                        {"type": "BAND", "value": band},
                        {"type": "PRICE", "value": "0.08"},
                    ],
                }
                for hour in hours
            ]
        }
    ).encode()


@pytest.fixture
async def publisher() -> AsyncIterator[Publisher]:
    """One, on a port of its own."""
    publisher = Publisher()
    server = web.Application()
    server.router.add_get("/prices", publisher.handle)
    runner = web.AppRunner(server)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    publisher.address = f"http://127.0.0.1:{runner.addresses[0][1]}/prices"
    yield publisher
    await runner.cleanup()


@pytest.fixture
def client(redis_url: str) -> Iterator[redis.Redis]:
    """A client of the empty Redis."""
    with redis.Redis.from_url(redis_url) as client:
        yield client


def a_sourced_tariff(url: str, max_age_seconds: int = 86_400) -> dict[str, Any]:
    """The depot's tariff, published elsewhere."""
    tariff = a_tariff()
    tariff["spec"] = {
        "currency": "EUR",
        "source": {
            "type": "Http",
            "url": url,
            "refreshSeconds": REFRESH_SECONDS,
            "maxAgeSeconds": max_age_seconds,
        },
    }
    return tariff


class Running:
    """An operator at work."""

    def __init__(self) -> None:
        self.stop = asyncio.Event()
        self.reports: list[Report] = []
        self.clusters: list[KubernetesCluster] = []

    @property
    def offpeak_intervals(self) -> int:
        """How many intervals the last cycle had of the depot's tariff."""
        if not self.reports:
            return -1
        return len(self.reports[-1].situation.snapshot.tariffs["depot"].intervals)


@contextlib.asynccontextmanager
async def running(cluster: ControlPlane, redis_url: str) -> AsyncIterator[Running]:
    """The whole operator, until the block ends."""
    operator = Running()
    options = Options(cluster.kubeconfig, RedisAddress(redis_url), Settings())
    task = asyncio.create_task(
        run_operator(
            options,
            stop=operator.stop,
            on_report=operator.reports.append,
            on_cluster=operator.clusters.append,
        )
    )
    try:
        yield operator
    finally:
        operator.stop.set()
        await asyncio.wait_for(task, 60)


async def until(reached: Callable[[], Any], seconds: float = 60) -> None:
    """Wait until it is so; a look at the API server must not hold up the operator in this loop."""
    give_up_at = time.monotonic() + seconds
    while not await asyncio.to_thread(reached):
        assert time.monotonic() < give_up_at
        await asyncio.sleep(0.05)


def report(client: redis.Redis) -> None:
    """The car stands with 90 % at the depot."""
    data = {
        "Idlewatt.Power": "Awake",
        "Vehicle.Powertrain.TractionBattery.StateOfCharge.Current": 90,
        "Vehicle.Powertrain.Transmission.IsParkLockEngaged": True,
        "Vehicle.Cabin.Seat.Row1.DriverSide.IsOccupied": False,
        "Idlewatt.Parking.Since": "2026-01-01T00:00:00Z",
        "OCPP.TransactionEvent.transactionInfo.chargingState": "SuspendedEV",
        "OCPP.MeterValues.Power.Active.Import": 0,
        "Idlewatt.Connection.Site": "depot",
        "Idlewatt.Connection.Circuit": "main",
    }
    at = format_instant(time.time_ns() // 1_000_000)
    client.xadd(STREAM, {"vehicle": "v-1", "observedAt": at, "data": json.dumps(data)})


def bound(cluster: ControlPlane) -> int:
    """How many pods have a node."""
    return sum(1 for pod in cluster.api.list("Pod", "default") if pod["spec"].get("nodeName"))


def leaving(cluster: ControlPlane) -> int:
    """How many pods are told to end."""
    pods = cluster.api.list("Pod", "default")
    return sum(1 for pod in pods if pod["metadata"].get("deletionTimestamp"))


def _cycled(operator: Running) -> bool:
    """Whether it looked at the world a few times."""
    return len(operator.reports) > 2


def reason(cluster: ControlPlane) -> str:
    """What the tariff's conditions say, in one line."""
    (tariff,) = cluster.api.list("EnergyTariff")
    found = (tariff.get("status") or {}).get("conditions") or []
    return " ".join(f"{each['type']}={each['status']}/{each['reason']}" for each in found)


async def test_prices_come_stay_over_a_restart_and_are_not_replaced_by_garbage(
    cluster: ControlPlane, redis_url: str, client: redis.Redis, publisher: Publisher
) -> None:
    """Pods land by what a source says; a restart while it talks nonsense moves nobody."""
    cluster.apply_definitions()
    cluster.create_nodes("v-1")
    cluster.api.apply(
        a_site(),
        a_sourced_tariff(publisher.address),
        a_vehicle(parkingWindows=ALWAYS),
        a_deployment(),
    )
    report(client)
    async with running(cluster, redis_url) as first:
        await until(lambda: bound(cluster) == 2)
        await until(lambda: first.offpeak_intervals == 72)
        assert publisher.asked == 1
    assert client.hlen(HASH) == 1

    for says, status in ((b"<html>", 200), (b"", 503)):
        publisher.says, publisher.status = says, status
        asked = publisher.asked
        report(client)
        async with running(cluster, redis_url) as second:
            await until(partial(_cycled, second))
            assert second.offpeak_intervals == 72
            assert await asyncio.to_thread(leaving, cluster) == 0
            assert publisher.asked == asked


async def test_what_was_never_answered_is_unknown_and_said_to_be(
    cluster: ControlPlane, redis_url: str, client: redis.Redis, publisher: Publisher
) -> None:
    """No pod lands on a price that nobody knows; once the source answers, they do."""
    publisher.status = 500
    cluster.apply_definitions()
    cluster.create_nodes("v-1")
    cluster.api.apply(
        a_site(),
        a_sourced_tariff(publisher.address),
        a_vehicle(parkingWindows=ALWAYS),
        a_deployment(),
    )
    report(client)
    async with running(cluster, redis_url) as operator:
        await until(lambda: "PricesStale" in reason(cluster))
        assert await asyncio.to_thread(bound, cluster) == 0
        waits = operator.reports[-1].plan.waiting
        assert {str(each) for pod in waits for each in pod.reasons} == {"PriceUnknown"}
        publisher.status = 200
        await until(lambda: operator.offpeak_intervals == 72, 90)
        report(client)
        await until(lambda: bound(cluster) == 2)
        await until(lambda: "PricesStale" not in reason(cluster))
