"""Learned departures are read at the start, once a minute, and when the policy names others."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable

from aiohttp import web
from tests.integration.fleet_manifests import Manifest, a_policy
from tests.unit.operator.gateways.kubernetes.scripted_server import Script, a_status, serving
from tests.unit.operator.resources.test_learned import a_text

from idlewatt_operator.gateways.kubernetes.catalogue import CATALOGUED, Catalogue
from idlewatt_operator.gateways.kubernetes.departures import DeparturesReader
from idlewatt_operator.resources.departures import DATA_KEY
from idlewatt_operator.resources.fleetpolicy import FleetPolicy
from idlewatt_operator.resources.learned import Named

MINUTE_OF_LOOKS = 61


def a_config_map(version: int, text: str) -> Callable[[web.Request], Awaitable[web.Response]]:
    """Answer with the ConfigMap at a version."""

    async def answer(_: web.Request) -> web.Response:
        metadata = {"name": "idlewatt-departures", "resourceVersion": str(version)}
        return web.json_response({"metadata": metadata, "data": {DATA_KEY: text}})

    return answer


def policy(version: int, name: str | None) -> Manifest:
    """The policy at a version, with the ConfigMap that it names."""
    made = a_policy()
    made["metadata"] |= {"resourceVersion": str(version), "generation": version}
    if name is not None:
        made["spec"]["departuresRef"] = {"namespace": "idlewatt", "name": name}
    return made


class Steps:
    """A sleep that ends when the test says so; time passes by looks."""

    def __init__(self) -> None:
        self._gate = asyncio.Semaphore(0)
        self.asleep = asyncio.Event()

    async def sleep(self, _: float) -> None:
        """Wait for the test."""
        self.asleep.set()
        await self._gate.acquire()

    async def let(self, looks: int = 1) -> None:
        """Let it look so many times more."""
        for _ in range(looks):
            self.asleep.clear()
            self._gate.release()
            await asyncio.wait_for(self.asleep.wait(), 5)


class Scene:
    """A catalogue, a reader and what it asked for."""

    def __init__(self, reader: DeparturesReader, catalogue: Catalogue, steps: Steps) -> None:
        self.reader, self.catalogue, self.steps = reader, catalogue, steps

    @property
    def entries(self) -> int | None:
        """How many distributions are known; None: nothing is."""
        model = self.reader.learned.model
        return None if model is None else len(model.quantiles)


@contextlib.asynccontextmanager
async def reading(script: Script, name: str | None = "a") -> AsyncIterator[Scene]:
    """A reader that has looked once."""
    catalogue, steps = Catalogue(lambda: None), Steps()
    async with serving(script) as (session, _):
        reader = DeparturesReader(
            session, catalogue, lambda: None, jitter=lambda: 0.0, sleep=steps.sleep
        )
        task = asyncio.create_task(reader.run())
        try:
            await asyncio.sleep(0)
            assert not reader.settled
            for kind in CATALOGUED:
                catalogue.replace(kind, [policy(1, name)] if kind is FleetPolicy else [], "1")
            await asyncio.wait_for(steps.asleep.wait(), 5)
            yield Scene(reader, catalogue, steps)
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def test_what_the_policy_names_is_read_at_the_start() -> None:
    """Nothing is settled before: the first plan already reckons with it."""
    async with reading(Script(lists=[a_config_map(5, a_text())])) as scene:
        assert scene.reader.settled
        assert scene.entries == 1
        assert scene.reader.learned.named == Named("idlewatt", "a")


async def test_a_policy_that_names_none_has_nothing_asked_for() -> None:
    """Settled at once, and no request is sent."""
    script = Script()
    async with reading(script, name=None) as scene:
        assert scene.reader.settled
        assert scene.entries is None
        assert scene.reader.learned.fault == ""
    assert script.asked == []


async def test_it_is_read_again_after_a_minute() -> None:
    """A new fit is known then, and not asked for at every look."""
    script = Script(lists=[a_config_map(5, a_text()), a_config_map(6, "{")])
    async with reading(script) as scene:
        await scene.steps.let(30)
        assert len(script.asked) == 1
        await scene.steps.let(MINUTE_OF_LOOKS - 30)
        assert len(script.asked) == 2
        assert scene.entries is None
        assert "is no JSON" in scene.reader.learned.fault


async def test_another_name_is_read_at_once() -> None:
    """What the one before told holds no longer, and a missing one is told."""
    script = Script(lists=[a_config_map(5, a_text()), a_status(404)])
    async with reading(script) as scene:
        scene.catalogue.put(FleetPolicy, policy(2, "b"))
        assert scene.entries is None
        await scene.steps.let()
        assert scene.reader.learned.fault.startswith("There is no ConfigMap idlewatt/b")
        scene.catalogue.put(FleetPolicy, policy(3, None))
        await scene.steps.let()
        assert scene.reader.learned.fault == ""


async def test_what_is_forbidden_is_told() -> None:
    """With what would allow it; the stated departures stand."""
    async with reading(Script(lists=[a_status(403)])) as scene:
        assert scene.reader.settled
        assert "may not read" in scene.reader.learned.fault


async def test_what_was_known_stays_while_nobody_answers() -> None:
    """A server on a bad day takes nothing back, and is asked again."""
    answers = [a_config_map(5, a_text()), a_status(500), a_config_map(7, "{")]
    async with reading(Script(lists=answers)) as scene:
        await scene.steps.let(MINUTE_OF_LOOKS)
        assert scene.entries == 1
        await scene.steps.let()
        assert scene.entries is None


async def test_one_that_was_never_read_does_not_hold_the_operator_up() -> None:
    """It is settled, says why it knows nothing, and reads it as soon as it can."""
    answers = [a_status(500, "storage is initializing"), a_config_map(5, a_text())]
    async with reading(Script(lists=answers)) as scene:
        assert scene.reader.settled
        assert "could not be asked for yet: storage is init" in scene.reader.learned.fault
        await scene.steps.let()
        assert scene.entries == 1
