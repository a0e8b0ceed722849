"""The users of the chart's Redis: each can do its work, and nothing else."""

import asyncio
import http.server
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from tests.integration.chart.chart_redis import PASSWORDS, ChartRedis
from tests.integration.chart.release import FOLDER, one, rendered

from idlewatt_operator.gateways.clock import WallClock
from idlewatt_operator.gateways.protocols import Outcome
from idlewatt_operator.gateways.redis.address import RedisAddress
from idlewatt_operator.gateways.redis.contract import STREAM, WAKE_STREAM
from idlewatt_operator.gateways.redis.keeping import HASH, POSITION
from idlewatt_operator.gateways.redis.telemetry import reading
from idlewatt_operator.resources.times import format_instant

NO_PERMISSION = (redis.exceptions.NoPermissionError, redis.exceptions.AuthenticationError)
CHARGE = "Vehicle.Powertrain.TractionBattery.StateOfCharge.Current"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ChartRedis]:
    """The chart's Redis, as it is by default."""
    home = tmp_path_factory.mktemp("helm")
    files = one(rendered(home, only=["redis-configmap.yaml"]), "ConfigMap")["data"]
    with ChartRedis(files) as server:
        yield server


def report(client: redis.Redis) -> None:
    """Report for a vehicle as a gateway does."""
    at = format_instant(time.time_ns() // 1_000_000 - 1_000)
    data = json.dumps({CHARGE: 71})
    fields: dict[Any, Any] = {"vehicle": "v-1", "observedAt": at, "data": data}
    client.xadd(STREAM, fields, maxlen=1_000_000, approximate=True)


async def test_the_operator_can_do_all_that_it_does(server: ChartRedis) -> None:
    """It reads and keeps what a gateway reports, wishes, and goes on after a restart."""
    address = RedisAddress(server.url, "operator", PASSWORDS["operator-password"])
    with server.client("gateway") as gateway:
        report(gateway)
        for _ in range(2):
            async with reading(
                address,
                WallClock(),
                known=lambda: {"v-1"},
                on_change=lambda: None,
                jitter=lambda: 0.0,
            ) as telemetry:
                await asyncio.wait_for(telemetry.wait_synced(), 10)
                assert telemetry.latest().vehicles["v-1"].battery is not None
                assert (await telemetry.wake("v-1")).outcome is Outcome.DONE
        ((_, entries),) = gateway.xread({WAKE_STREAM: "0"})
    assert [fields[b"vehicle"] for _, fields in entries] == [b"v-1", b"v-1"]


@pytest.mark.parametrize(
    "attempt",
    [
        lambda client: client.get(POSITION),
        lambda client: client.hgetall(HASH),
        lambda client: client.delete(STREAM),
        lambda client: client.xtrim(STREAM, maxlen=0),
        lambda client: client.flushall(),
        lambda client: client.config_get("*"),
        lambda client: client.keys("*"),
        lambda client: client.acl_list(),
        lambda client: client.shutdown(),
        lambda client: client.set("idlewatt:other", "x"),
        lambda client: client.eval("return 1", 0),
    ],
)
def test_a_gateway_may_do_nothing_else(
    server: ChartRedis, attempt: Callable[[redis.Redis], object]
) -> None:
    """It can neither look into what is known, nor destroy it, nor manage the server."""
    with server.client("gateway") as client, pytest.raises(NO_PERMISSION):
        attempt(client)


def test_a_gateway_may_not_read_what_others_reported(server: ChartRedis) -> None:
    """Who is away and since when is told to the operator alone; nor may a gateway wish."""
    if not server.knows_keys_by_direction:
        pytest.skip("Redis before 7.0 grants a key whole; tests/e2e tries it in the chart's image")
    with server.client("gateway") as client:
        for words in (
            ("XREAD", "STREAMS", STREAM, "0"),
            ("XRANGE", STREAM, "-", "+"),
            ("XADD", WAKE_STREAM, "*", "vehicle", "v-1"),
        ):
            with pytest.raises(NO_PERMISSION):
                client.execute_command(*words)


@pytest.mark.parametrize(
    "attempt",
    [
        lambda client: client.flushall(),
        lambda client: client.config_set("maxmemory", "1"),
        lambda client: client.delete(STREAM),
        lambda client: client.set("other", "x"),
        lambda client: client.acl_list(),
    ],
)
def test_the_operator_may_do_nothing_else(
    server: ChartRedis, attempt: Callable[[redis.Redis], object]
) -> None:
    """It cannot delete what was reported, nor touch keys of others, nor manage the server."""
    with server.client("operator") as client, pytest.raises(NO_PERMISSION):
        attempt(client)


def test_without_a_password_redis_says_that_it_lives(server: ChartRedis) -> None:
    """So a probe needs no secret; whoever else comes along learns nothing more."""
    with server.client() as client:
        assert client.ping()
        with pytest.raises(NO_PERMISSION):
            client.xlen(STREAM)


def test_a_wrong_password_opens_nothing(server: ChartRedis) -> None:
    """Neither another user's nor an empty one."""
    for password in (PASSWORDS["gateway-password"], "", "nopass"):
        with (
            redis.Redis.from_url(server.url, username="operator", password=password) as client,
            pytest.raises((*NO_PERMISSION, redis.exceptions.ResponseError)),
        ):
            client.xlen(STREAM)


@pytest.mark.parametrize("empty", ["operator-password", "gateway-password"])
def test_without_a_password_in_the_secret_redis_does_not_start(tmp_path: Path, empty: str) -> None:
    """An empty one would let in everybody who gives none."""
    for name, password in {**PASSWORDS, empty: "\n"}.items():
        (tmp_path / name).write_text(password)
    server = tmp_path / "redis-server"
    server.write_text("#!/bin/sh\necho it started\n")
    server.chmod(0o755)
    users = tmp_path / "users.acl"
    environment = {
        "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}",
        "PASSWORDS": str(tmp_path),
        "USERS": str(users),
    }
    script = FOLDER / "files" / "redis-start.sh"
    result = subprocess.run(
        ["sh", script], env=environment, capture_output=True, text=True, check=False
    )
    assert result.returncode == 1
    assert result.stdout == ""
    assert f"The Secret has no {empty}" in result.stderr
    assert not users.exists()


# --- what `helm test` runs


class Ready(http.server.BaseHTTPRequestHandler):
    """An operator that is ready, as far as a probe can tell."""

    def do_GET(self) -> None:
        """Say so."""
        self.send_response(200 if self.path == "/readyz" else 404)
        self.end_headers()
        self.wfile.write(b"ready: it leads")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 # as it is called there
        """Say nothing."""


@pytest.fixture(scope="module")
def operator() -> Iterator[str]:
    """The address of such an operator."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Ready) as listening:
        threading.Thread(target=listening.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{listening.server_port}"
        listening.shutdown()


def tried(operator: str, server: ChartRedis, password: str) -> tuple[int, str]:
    """Run the chart's test; its exit status, and what it said."""
    settings = {
        "IDLEWATT_METRICS": operator,
        "IDLEWATT_REDIS_URL": server.url,
        "IDLEWATT_REDIS_USERNAME": "operator",
        "IDLEWATT_REDIS_PASSWORD": password,
        "GIVE_UP_SECONDS": "0",
    }
    code = (FOLDER / "files" / "test.py").read_text(encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, **settings},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def test_helm_test_sees_that_all_is_well(server: ChartRedis, operator: str) -> None:
    """A ready operator and a Redis that lets its user in are what it asks for."""
    status, said = tried(operator, server, PASSWORDS["operator-password"])
    assert status == 0, said
    assert "ready: it leads" in said


def test_helm_test_says_what_is_amiss(server: ChartRedis, operator: str) -> None:
    """A wrong password, and an operator that does not answer, are named in sentences."""
    status, said = tried(operator, server, "wrong")
    assert status == 1
    assert "Redis did not answer to the operator's user" in said
    status, said = tried("http://127.0.0.1:1", server, PASSWORDS["operator-password"])
    assert status == 1
    assert "did not say that the operator is ready" in said
    assert "Traceback" not in said
