"""Charging on a real Redis and a real API server: asked, acknowledged, curtailed within 5 s."""

import asyncio
import contextlib
import itertools
import json
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from typing import Any

import pytest
import redis
import redis.asyncio
from tests.cluster.control_plane import ControlPlane
from tests.integration.fleet_manifests import a_site, a_tariff, a_vehicle
from tests.integration.test_run import ALWAYS, a_deployment

from idlewatt_operator.cli.wiring import Options, run_operator
from idlewatt_operator.gateways.clock import WallClock
from idlewatt_operator.gateways.leadership import Nobody
from idlewatt_operator.gateways.ocpp import read_charging_profile
from idlewatt_operator.gateways.protocols import Outcome
from idlewatt_operator.gateways.redis.address import RedisAddress
from idlewatt_operator.gateways.redis.charging import ANSWERS, WANTED, RedisCharging, hearing
from idlewatt_operator.gateways.redis.contract import STREAM
from idlewatt_operator.gateways.redis.entries import end_if_cancelled
from idlewatt_operator.reconcile.report import Report
from idlewatt_operator.resources.times import format_instant
from idlewatt_operator.settings import Settings
from idlewatt_scheduler.model.charging import ChargingPeriod, ChargingProfile
from idlewatt_scheduler.model.units import HOUR, SECOND

PROMISED_SECONDS = 5.0
NOW = int(time.time()) * SECOND
PROFILE = ChargingProfile((ChargingPeriod(NOW, 3_700_000), ChargingPeriod(NOW + HOUR, 0)))
NOTHING = ChargingProfile((ChargingPeriod(NOW, 0),))


@pytest.fixture
def client(redis_url: str) -> Iterator[redis.Redis]:
    """A client of the empty Redis, to play vehicles and circuits and to look."""
    with redis.Redis.from_url(redis_url, decode_responses=True) as client:
        yield client


class Agent:
    """Who speaks to the charge points: reads what is wanted, and answers.

    Attributes:
        says: what charge points answer; None: nothing.
        wanted: what was read, and when.
    """

    def __init__(self, url: str) -> None:
        self.says: str | None = "Accepted"
        self.wanted: list[tuple[float, dict[str, str]]] = []
        self._redis = redis.asyncio.Redis.from_url(url, decode_responses=True)

    async def run(self) -> None:
        """Read and answer for ever."""
        position = "0-0"
        while True:
            end_if_cancelled()
            answer: Any = await self._redis.xread({WANTED: position}, block=500)
            found = answer.values() if isinstance(answer, dict) else [x for _, x in answer]
            for entries in found:
                flat = entries[0] if entries and isinstance(entries[0], list) else entries
                for position, fields in flat:  # noqa: B007 - where it goes on
                    self.wanted.append((time.monotonic(), fields))
                    if self.says is not None:
                        await self.answer(fields["request"], self.says)

    async def answer(self, request: str, status: str, **more: str) -> None:
        """Say what became of a request."""
        await self.say(request=request, status=status, **more)

    async def say(self, **fields: str) -> None:
        """Write anything at all where answers are read."""
        entry: dict[Any, Any] = dict(fields)
        await self._redis.xadd(ANSWERS, entry)

    def profiles(self) -> list[ChargingProfile]:
        """The profiles that were wanted so far."""
        return [read_charging_profile(json.loads(each["profile"])) for _, each in self.wanted]

    async def close(self) -> None:
        """Let go of Redis."""
        await self._redis.aclose()


@contextlib.asynccontextmanager
async def an_agent(url: str) -> AsyncIterator[Agent]:
    """An agent at work."""
    agent = Agent(url)
    task = asyncio.create_task(agent.run())
    try:
        yield agent
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await agent.close()


@contextlib.asynccontextmanager
async def charging_on(url: str, **given: Any) -> AsyncIterator[RedisCharging]:  # noqa: ANN401
    """The gateway, hearing."""
    tokens = (f"{time.monotonic_ns()}-{number}" for number in itertools.count())
    async with hearing(
        RedisAddress(url), WallClock(), token=lambda: next(tokens), jitter=lambda: 0.0, **given
    ) as charging:
        await asyncio.wait_for(charging.wait_hearing(), 10)
        yield charging


async def until(reached: Callable[[], Any], seconds: float = 20) -> None:
    """Wait until it is so; a look at the API server must not hold up the operator in this loop."""
    give_up_at = time.monotonic() + seconds
    while not await asyncio.to_thread(reached):
        assert time.monotonic() < give_up_at
        await asyncio.sleep(0.05)


async def test_only_what_a_charge_point_took_is_acknowledged(redis_url: str) -> None:
    """Accepted is done, Rejected is refused with its reason, and neither is taken for the other."""
    async with charging_on(redis_url) as charging, an_agent(redis_url) as agent:
        assert (await charging.set_profile("v-1", PROFILE)).outcome is Outcome.DONE
        assert charging.acknowledged() == {"v-1": PROFILE}
        agent.says = "Rejected"
        result = await charging.set_profile("v-1", NOTHING)
        assert result.outcome is Outcome.REFUSED
        assert charging.acknowledged() == {"v-1": PROFILE}
        assert agent.profiles() == [PROFILE, NOTHING]
        fields = agent.wanted[0][1]
        assert set(fields) == {"request", "vehicle", "requestedAt", "expiresAt", "profile"}


async def test_an_answer_that_comes_too_late_counts_from_then_on(redis_url: str) -> None:
    """Nobody answers within 3 s: nobody knows. Once it is heard it holds, and asks for a cycle."""
    asked: list[int] = []
    async with (
        charging_on(redis_url, on_change=lambda: asked.append(1)) as charging,
        an_agent(redis_url) as agent,
    ):
        agent.says = None
        began = time.monotonic()
        result = await charging.set_profile("v-1", PROFILE)
        assert result.outcome is Outcome.UNKNOWN
        assert time.monotonic() - began < 4
        assert charging.acknowledged() == {}
        await agent.answer(agent.wanted[0][1]["request"], "Accepted")
        await until(charging.acknowledged)
        assert asked == [1]


async def test_an_older_answer_takes_nothing_back(redis_url: str) -> None:
    """Of two requests the later one holds, in whatever order they are answered."""
    async with charging_on(redis_url) as charging, an_agent(redis_url) as agent:
        agent.says = None
        both = [charging.set_profile("v-1", each) for each in (PROFILE, NOTHING)]
        waiting = asyncio.gather(*both)
        await until(lambda: len(agent.wanted) == 2)
        for _, fields in reversed(agent.wanted):
            await agent.answer(fields["request"], "Accepted")
        assert [each.outcome for each in await waiting] == [Outcome.DONE, Outcome.DONE]
        assert charging.acknowledged() == {"v-1": NOTHING}


async def test_what_a_charge_point_lost_is_not_relied_on(redis_url: str) -> None:
    """`Cleared` ends an acknowledgement at once and asks for a cycle."""
    asked: list[int] = []
    async with (
        charging_on(redis_url, on_change=lambda: asked.append(1)) as charging,
        an_agent(redis_url) as agent,
    ):
        await charging.set_profile("v-1", PROFILE)
        await agent.say(vehicle="v-1", status="Cleared")
        await until(lambda: not charging.acknowledged())
        assert asked == [1]


async def test_garbage_is_counted_and_stops_nobody(redis_url: str) -> None:
    """Between answers of no use, and to requests of another process, the good one is heard."""
    async with charging_on(redis_url) as charging, an_agent(redis_url) as agent:
        await agent.say(status="Splendid")
        await agent.say(status="Accepted")
        await agent.say(status="Accepted", request="of-another-process")
        await agent.say(status="Cleared", vehicle="v-99")
        await agent.say(nothing="at all")
        assert (await charging.set_profile("v-1", PROFILE)).outcome is Outcome.DONE
        assert charging.refused_count == 5


async def test_a_restart_relies_on_nothing(redis_url: str) -> None:
    """Answers to an earlier process are no answers to this one."""
    async with an_agent(redis_url):
        async with charging_on(redis_url) as charging:
            await charging.set_profile("v-1", PROFILE)
        async with charging_on(redis_url) as charging:
            assert charging.acknowledged() == {}


async def test_who_does_not_lead_asks_nothing(redis_url: str, client: redis.Redis) -> None:
    """A standby and a dry run hear, and write nothing at all."""
    async with charging_on(redis_url, leadership=Nobody()) as charging:
        assert (await charging.set_profile("v-1", PROFILE)).outcome is Outcome.REFUSED
        assert client.exists(WANTED) == 0


class Depot:
    """What a depot's meters, chargers and cars report to Redis."""

    def __init__(self, client: redis.Redis) -> None:
        self._client = client

    def _send(self, about: Mapping[str, str], data: Mapping[str, object]) -> None:
        at = format_instant(time.time_ns() // 1_000_000)
        entry: dict[Any, Any] = {**about, "observedAt": at, "data": json.dumps(data)}
        self._client.xadd(STREAM, entry)

    def car(self, charge_watts: int) -> None:
        """The car stands with 40 % and charges so."""
        self._send(
            {"vehicle": "v-1"},
            {
                "Idlewatt.Power": "Awake",
                "Vehicle.Powertrain.TractionBattery.StateOfCharge.Current": 40,
                "Vehicle.Powertrain.Transmission.IsParkLockEngaged": True,
                "Vehicle.Cabin.Seat.Row1.DriverSide.IsOccupied": False,
                "Idlewatt.Parking.Since": "2026-01-01T00:00:00Z",
                "OCPP.TransactionEvent.transactionInfo.chargingState": "Charging",
                "OCPP.MeterValues.Power.Active.Import": charge_watts,
                "Idlewatt.Connection.Site": "depot",
                "Idlewatt.Connection.Circuit": "main",
            },
        )

    def curtail(self, watts: int) -> float:
        """The grid lets the circuit carry only so much; when this was sent."""
        data = {"OpenADR.IMPORT_CAPACITY_LIMIT": watts}
        sent = time.monotonic()
        self._send({"site": "depot", "circuit": "main"}, data)
        return sent


async def test_a_curtailment_sheds_charging_within_5_s_and_then_pods(
    cluster: ControlPlane, redis_url: str, client: redis.Redis
) -> None:
    """The whole operator: at 3 kW charging yields and pods stay, at nothing pods leave as well."""
    cluster.apply_definitions()
    cluster.create_nodes("v-1")
    site = a_site(chargingController="Idlewatt")
    cluster.api.apply(site, a_tariff(), a_vehicle(parkingWindows=ALWAYS), a_deployment())
    depot, stop, reports = Depot(client), asyncio.Event(), list[Report]()
    depot.car(0)
    options = Options(cluster.kubeconfig, RedisAddress(redis_url), Settings())
    async with an_agent(redis_url) as agent:
        task = asyncio.create_task(run_operator(options, stop=stop, on_report=reports.append))
        try:
            await until(lambda: _bound(cluster) == 2, 60)
            await until(lambda: _told_watts(agent) > 3_000, 60)
            depot.car(11_000)

            sent = depot.curtail(3_000)
            await until(lambda: _told_watts(agent) <= 3_000)
            shed_seconds = agent.wanted[-1][0] - sent
            assert shed_seconds < PROMISED_SECONDS
            assert await asyncio.to_thread(_leaving, cluster) == 0

            sent = depot.curtail(0)
            await until(lambda: _leaving(cluster) > 0)
            assert time.monotonic() - sent < PROMISED_SECONDS
            assert _told_watts(agent) == 0
        finally:
            stop.set()
            await asyncio.wait_for(task, 60)


def _told_watts(agent: Agent) -> int:
    """With how much the car was last told to charge at this moment."""
    if not agent.wanted:
        return 0
    soon = time.time_ns() // 1_000_000 + 2 * SECOND
    return (agent.profiles()[-1].power_at(soon) or 0) // 1_000


def _bound(cluster: ControlPlane) -> int:
    return sum(1 for pod in cluster.api.list("Pod", "default") if pod["spec"].get("nodeName"))


def _leaving(cluster: ControlPlane) -> int:
    pods = cluster.api.list("Pod", "default")
    return sum(1 for pod in pods if pod["metadata"].get("deletionTimestamp"))
