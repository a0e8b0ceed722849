"""Telemetry on a real Redis: garbage, restarts, cuts, and the wish to wake."""

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from tests.cluster.places import CHECKOUT
from tests.cluster.redis_server import RedisServer
from typer.testing import CliRunner

from idlewatt_operator.cli.app import app
from idlewatt_operator.gateways.clock import WallClock
from idlewatt_operator.gateways.leadership import Leadership, Nobody, Tenure, Terms, steady_seconds
from idlewatt_operator.gateways.protocols import Outcome
from idlewatt_operator.gateways.redis.address import RedisAddress
from idlewatt_operator.gateways.redis.contract import STREAM, WAKE_STREAM, VehicleReport
from idlewatt_operator.gateways.redis.folding import KnownVehicle, fold_vehicle
from idlewatt_operator.gateways.redis.keeping import HASH, POSITION
from idlewatt_operator.gateways.redis.telemetry import RedisTelemetry, reading
from idlewatt_operator.resources.times import format_instant
from idlewatt_scheduler.model.site import ObservedCircuit
from idlewatt_scheduler.model.vehicle import ObservedBattery, Power, Quality

CHARGE = "Vehicle.Powertrain.TractionBattery.StateOfCharge.Current"
KNOWN = {f"v-{number}" for number in range(5)}
EXAMPLE = CHECKOUT / "examples" / "telemetry" / "night.jsonl"


@pytest.fixture
def client(redis_url: str) -> Iterator[redis.Redis]:
    """A client of the empty Redis, to play vehicles and to look."""
    with redis.Redis.from_url(redis_url, decode_responses=True) as client:
        yield client


def report(client: redis.Redis, vehicle: str, data: object, ago_seconds: float = 1) -> None:
    """Play a vehicle's report, observed a moment ago."""
    at = int((time.time() - ago_seconds) * 1_000)
    text = data if isinstance(data, str) else json.dumps(data)
    client.xadd(STREAM, {"vehicle": vehicle, "observedAt": format_instant(at), "data": text})


@contextlib.asynccontextmanager
async def telemetry_of(
    url: str,
    *,
    on_change: Callable[[], None] = lambda: None,
    leadership: Leadership | None = None,
) -> AsyncIterator[RedisTelemetry]:
    """The gateway, synced."""
    async with reading(
        RedisAddress(url),
        WallClock(),
        known=lambda: KNOWN,
        on_change=on_change,
        jitter=lambda: 0.0,
        leadership=leadership,
    ) as telemetry:
        await asyncio.wait_for(telemetry.wait_synced(), 10)
        yield telemetry


def battery(telemetry: RedisTelemetry, vehicle: str) -> ObservedBattery:
    """The last known battery of a vehicle."""
    block = telemetry.latest().vehicles[vehicle].battery
    assert block is not None
    return block


async def until(reached: Callable[[], Any], seconds: float = 15) -> None:
    """Wait until it is so."""
    give_up_at = time.monotonic() + seconds
    while not reached():
        assert time.monotonic() < give_up_at
        await asyncio.sleep(0.05)


async def test_a_backlog_is_read_before_it_is_synced(redis_url: str, client: redis.Redis) -> None:
    """What was reported before the start is known as soon as the gateway is synced."""
    for number in range(1_200):
        report(client, f"v-{number % 5}", {CHARGE: number % 100}, ago_seconds=2_000 - number)
    async with telemetry_of(redis_url) as telemetry:
        assert telemetry.accepted == 1_200
        assert battery(telemetry, "v-4").state_of_charge_percent == 99
        assert telemetry.latest() is telemetry.latest()


async def test_reports_arrive_and_request_a_cycle(redis_url: str, client: redis.Redis) -> None:
    """A new report is shown and asks for a cycle; the old value shown before stays as it was."""
    requests = []
    async with telemetry_of(redis_url, on_change=lambda: requests.append(1)) as telemetry:
        before, asked = telemetry.latest(), len(requests)
        report(client, "v-1", {CHARGE: 71.5, "Idlewatt.Power": "Asleep"})
        await until(lambda: "v-1" in telemetry.latest().vehicles)
        assert battery(telemetry, "v-1").state_of_charge_percent == 71
        assert telemetry.latest().vehicles["v-1"].power is Power.ASLEEP
        assert len(requests) > asked
        assert before.vehicles == {}


async def test_garbage_stops_nobody(redis_url: str, client: redis.Redis) -> None:
    """Between garbage of every sort the good reports count, and the sentences stay few."""
    async with telemetry_of(redis_url) as telemetry:
        for data in ("{", "[]", '{"a": NaN}', json.dumps({CHARGE: "71"}), "\x00" * 99):
            report(client, "v-2", data)
        report(client, "v-3", {CHARGE: 4e9})
        report(client, "v-99", {CHARGE: 50})
        report(client, "v-4", {CHARGE: 50}, ago_seconds=-3_600)
        client.xadd(STREAM, {"nothing": "at all"})
        client.xadd(STREAM, {b"\xff": b"\xfe"})
        for _ in range(300):
            report(client, "x" * 999, "{")
        report(client, "v-1", {CHARGE: 50})
        await until(lambda: "v-1" in telemetry.latest().vehicles)
        latest = telemetry.latest()
        assert set(latest.vehicles) == {"v-1", "v-3"}
        assert battery(telemetry, "v-3").quality is Quality.INVALID
        assert battery(telemetry, "v-3").state_of_charge_percent is None
        assert telemetry.refused_count == 310
        assert len(latest.refused) <= 20
        sentences = "\n".join(latest.refused)
        assert "v-2: Its data is not a JSON object of signals" in sentences
        assert "v-99: There is no VehicleNode of this name." in sentences
        assert "v-4: It was observed in the future" in sentences


@pytest.mark.parametrize(
    "poison",
    ['{"a":' + "[" * 60_000, '{"' + CHARGE + '":' + "9" * 500 + "}"],
    ids=["too deep", "too great"],
)
async def test_no_report_is_read_for_ever(redis_url: str, client: redis.Redis, poison: str) -> None:
    """What Python itself stumbles over is one refused report, and the next one is read."""
    report(client, "v-0", poison)
    report(client, "v-1", {CHARGE: 70})
    async with telemetry_of(redis_url) as telemetry:
        assert battery(telemetry, "v-1").state_of_charge_percent == 70
        assert telemetry.refused_count == 1


async def test_a_fault_of_ours_costs_one_report(
    redis_url: str, client: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An entry that we fail on is passed over, not tried again before all that follow it."""

    def fold(known: KnownVehicle, said: VehicleReport) -> KnownVehicle:
        if said.vehicle == "v-0":
            message = "no such thing"
            raise RuntimeError(message)
        return fold_vehicle(known, said)

    monkeypatch.setattr("idlewatt_operator.gateways.redis.telemetry.fold_vehicle", fold)
    report(client, "v-0", {CHARGE: 60})
    report(client, "v-1", {CHARGE: 70})
    async with telemetry_of(redis_url) as telemetry:
        assert battery(telemetry, "v-1").state_of_charge_percent == 70
        assert telemetry.refused_count == 1


async def test_invented_circuits_do_not_pile_up(
    redis_url: str, client: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sites and circuits that nobody has are taken up to a bound; those known go on."""
    monkeypatch.setattr("idlewatt_operator.gateways.redis.telemetry._CIRCUITS_MAX", 2)
    for name, load in (("a", 1), ("b", 2), ("c", 3), ("a", 4)):
        data = json.dumps({"Idlewatt.Circuit.UncontrolledLoad": load})
        at = format_instant(1_000 * load)
        client.xadd(STREAM, {"site": "depot", "circuit": name, "observedAt": at, "data": data})
    async with telemetry_of(redis_url) as telemetry:
        loads = {each.name: each.uncontrolled_load_watts for each in circuits(telemetry)}
        assert loads == {"a": 4, "b": 2}
        assert telemetry.refused_count == 1


def circuits(telemetry: RedisTelemetry) -> tuple[ObservedCircuit, ...]:
    """The known circuits of the one site."""
    return telemetry.latest().circuits["depot"]


async def test_a_sleeping_car_survives_a_restart(redis_url: str, client: redis.Redis) -> None:
    """What was known comes back after a restart, although the stream was cut meanwhile."""
    report(client, "v-1", {CHARGE: 71, "Idlewatt.Power": "Asleep"})
    client.xadd(
        STREAM,
        {
            "site": "depot",
            "circuit": "main",
            "observedAt": format_instant(int(time.time() * 1_000) - 1_000),
            "data": json.dumps({"Idlewatt.Circuit.UncontrolledLoad": 5_200}),
        },
    )
    async with telemetry_of(redis_url) as first:
        known = first.latest()
    client.xtrim(STREAM, maxlen=0)
    async with telemetry_of(redis_url) as second:
        assert second.latest().vehicles == known.vehicles
        assert second.latest().circuits == known.circuits
        assert second.accepted == 0
        assert second.latest().circuits["depot"][0].uncontrolled_load_watts == 5_200


async def test_a_restart_reads_nothing_twice(redis_url: str, client: redis.Redis) -> None:
    """A restart goes on after the last entry that was kept."""
    report(client, "v-1", {CHARGE: 71})
    async with telemetry_of(redis_url):
        pass
    report(client, "v-1", {CHARGE: 70}, ago_seconds=0)
    async with telemetry_of(redis_url) as second:
        assert second.accepted == 1
        assert battery(second, "v-1").state_of_charge_percent == 70


async def test_a_stream_that_began_anew_is_read(redis_url: str, client: redis.Redis) -> None:
    """Where the stream was lost and its ids start lower, it is not waited for in vain."""
    client.set(POSITION, "99999999999999-0")
    report(client, "v-1", {CHARGE: 71})
    async with telemetry_of(redis_url) as telemetry:
        assert battery(telemetry, "v-1").state_of_charge_percent == 71
    client.set(POSITION, "garbage")
    client.hset(HASH, "vehicle/v-2", "garbage")
    async with telemetry_of(redis_url) as telemetry:
        assert "v-1" in telemetry.latest().vehicles
        assert any("vehicle/v-2" in sentence for sentence in telemetry.latest().refused)


async def test_a_redis_that_restarts_is_found_again(
    redis_server: RedisServer, redis_url: str, client: redis.Redis
) -> None:
    """While Redis is away the last values stay; once it is back, empty, reports count again."""
    report(client, "v-1", {CHARGE: 71})
    async with telemetry_of(redis_url) as telemetry:
        assert battery(telemetry, "v-1").state_of_charge_percent == 71
        await asyncio.to_thread(redis_server.restart)
        assert battery(telemetry, "v-1").state_of_charge_percent == 71
        await until(client.ping)
        report(client, "v-1", {CHARGE: 60}, ago_seconds=0)
        await until(lambda: battery(telemetry, "v-1").state_of_charge_percent == 60, seconds=30)


async def test_a_dry_run_writes_nothing(redis_url: str, client: redis.Redis) -> None:
    """Read-only, the gateway leaves Redis as it found it."""
    report(client, "v-1", {CHARGE: 71})
    async with telemetry_of(redis_url, leadership=Nobody()) as telemetry:
        assert battery(telemetry, "v-1").state_of_charge_percent == 71
        assert (await telemetry.wake("v-1")).outcome is Outcome.REFUSED
    assert client.keys() == [STREAM]


async def test_who_takes_over_keeps_all_that_it_heard_while_it_stood_by(
    redis_url: str, client: redis.Redis
) -> None:
    """What the leader before had no time to keep is not lost with it."""
    tenure = Tenure(Terms())
    report(client, "v-1", {CHARGE: 71})
    async with telemetry_of(redis_url, leadership=tenure):
        assert client.keys() == [STREAM]
        tenure.renewed(steady_seconds())
        report(client, "v-2", {CHARGE: 44})
        await until(lambda: client.hlen(HASH) == 2)
        tenure.end()
        report(client, "v-3", {CHARGE: 33})
        await asyncio.sleep(1.5)
        assert client.hlen(HASH) == 2


async def test_what_was_known_is_kept_anew_where_redis_comes_back_empty(
    redis_url: str, client: redis.Redis
) -> None:
    """A car that sleeps says nothing for hours; the next start would know nothing of it."""
    report(client, "v-1", {CHARGE: 71})
    async with telemetry_of(redis_url):
        client.flushall()
        report(client, "v-2", {CHARGE: 44})
        await until(lambda: client.hlen(HASH) == 2, seconds=10)


async def test_a_redis_that_keeps_nothing_is_read_all_the_same(
    redis_url: str, client: redis.Redis
) -> None:
    """A user that may only read, a replica, a full disk: reports that can be read must count."""
    client.acl_setuser(
        "reader", enabled=True, nopass=True, keys=["*"], categories=["-@all", "+@read"],
        commands=["+xinfo", "+ping", "+client|setinfo"],
    )  # fmt: skip
    over = asyncio.Event()

    async def reports_without_end() -> None:
        while not over.is_set():
            report(client, "v-1", {CHARGE: 71})
            await asyncio.sleep(0.05)

    reporting = asyncio.create_task(reports_without_end())
    try:
        url = redis_url.replace("redis://", "redis://reader:any@")
        async with telemetry_of(url) as telemetry:
            await until(lambda: "v-1" in telemetry.latest().vehicles)
            await until(lambda: "cannot be kept in Redis" in telemetry.trouble)
            assert "permission" in telemetry.trouble
            accepted = telemetry.accepted
            await until(lambda: telemetry.accepted > accepted + 40, 6)
    finally:
        over.set()
        await reporting
        client.acl_deluser("reader")
    assert client.get(POSITION) is None


async def test_the_wish_to_wake_is_written(redis_url: str, client: redis.Redis) -> None:
    """A wish to wake names the vehicle and the time; without a Redis it is not known to be."""
    async with telemetry_of(redis_url) as telemetry:
        assert (await telemetry.wake("v-1")).outcome is Outcome.DONE
    wishes: Any = client.xrange(WAKE_STREAM)
    ((_, wish),) = wishes
    assert wish["vehicle"] == "v-1"
    assert wish["requestedAt"].endswith("Z")
    async with reading(
        RedisAddress("redis://127.0.0.1:1/0"),
        WallClock(),
        known=lambda: None,
        on_change=lambda: None,
        jitter=lambda: 0.0,
    ) as nowhere:
        assert (await nowhere.wake("v-1")).outcome is Outcome.UNKNOWN
        assert not nowhere.synced
        assert nowhere.latest().absent


def test_the_example_is_published(redis_url: str, client: redis.Redis) -> None:
    """The example of the help is sent line by line, and the gateway can read it."""
    result = CliRunner().invoke(
        app, ["telemetry", "publish", str(EXAMPLE), "--redis-url", redis_url]
    )
    assert result.exit_code == 0, result.output
    lines = EXAMPLE.read_text().splitlines()
    assert f"Sent {len(lines)} reports." in result.output
    assert client.xlen(STREAM) == len(lines)


def test_bad_lines_are_named_and_nothing_is_sent(
    redis_url: str, client: redis.Redis, tmp_path: Path
) -> None:
    """A bad line ends in a sentence with its number, and holds the good ones back unless asked."""
    good = {"vehicle": "v-1", "observedAt": "2026-01-15T22:00:00Z", "data": {CHARGE: 71}}
    file = tmp_path / "reports.jsonl"
    bad = [
        "nonsense",
        json.dumps({**good, "data": {CHARGE: 171}}),
        json.dumps({**good, "data": {"Vehicle.Speed": 0}}),
        json.dumps({**good, "vehicle": 7}),
    ]
    file.write_text("\n".join([json.dumps(good), "", *bad]))
    command = ["telemetry", "publish", str(file), "--redis-url", redis_url]
    result = CliRunner().invoke(app, command)
    assert result.exit_code == 2
    assert [line.split(":")[0] for line in result.stderr.splitlines()[:4]] == [
        "line 3",
        "line 4",
        "line 5",
        "line 6",
    ]
    assert client.exists(STREAM) == 0
    result = CliRunner().invoke(app, [*command, "--skip-bad"])
    assert result.exit_code == 2
    assert client.xlen(STREAM) == 1


def test_publishing_to_nowhere_ends_in_a_sentence() -> None:
    """A Redis that is not there ends in a sentence without its password, and status 1."""
    url = "redis://user:secret@127.0.0.1:1/0"
    command = ["telemetry", "publish", str(EXAMPLE)]
    result = CliRunner().invoke(app, command, env={"IDLEWATT_REDIS_URL": url})
    assert result.exit_code == 1
    assert "did not take them all" in result.stderr
    assert ".. " not in result.stderr
    assert "secret" not in result.stderr
    result = CliRunner().invoke(app, ["telemetry", "publish", str(EXAMPLE), "--redis-url", "x"])
    assert result.exit_code == 1
    assert "redis://HOST:6379/0" in result.stderr
    result = CliRunner().invoke(app, ["telemetry", "publish", "no-such-file.jsonl"])
    assert result.exit_code == 2
    assert "cannot be read" in result.stderr
