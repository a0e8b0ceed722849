"""The list of vehicles is written when it is another, put right in time, and tried again."""

import asyncio
from collections.abc import Awaitable, Callable, Collection

import pytest
from aiohttp import web
from tests.unit.operator.gateways.kubernetes.scripted_server import Script, a_status, serving

from idlewatt_operator.gateways.kubernetes.vehicle_list import keep_vehicle_list
from idlewatt_operator.gateways.kubernetes.writes import Writes

TARGET = "idlewatt"
END = 400.0


class Asked:
    """What the server was asked to write."""

    def __init__(self) -> None:
        self.bodies: list[dict[str, object]] = []
        self.paths: list[str] = []

    async def __call__(self, request: web.Request) -> web.Response:
        """Take it."""
        self.paths.append(request.path)
        self.bodies.append(await request.json())
        return web.json_response({})


class Ended(Exception):  # noqa: N818 # it ends a loop that has no end
    """The test has seen enough."""


def until(seconds: float, turn: Callable[[float], None]) -> Callable[[float], Awaitable[None]]:
    """A sleep that passes at once; `turn` is told the time, and at the end all ends."""
    passed = 0.0

    async def sleep(wanted: float) -> None:
        nonlocal passed
        passed += wanted
        if passed > seconds:
            raise Ended
        turn(passed)
        await asyncio.sleep(0)

    return sleep


async def test_names_are_written_once_they_are_known_and_when_they_change() -> None:
    """Nothing before the first listing, then each other set of names once, sorted."""
    asked, known = Asked(), None

    def turn(passed: float) -> None:
        nonlocal known
        known = {3.0: frozenset({"v-2", "v-1"}), 6.0: frozenset({"v-2"})}.get(passed, known)

    async with serving(Script(writes=[asked] * 9)) as (session, _):
        with pytest.raises(Ended):
            await keep_vehicle_list(Writes(session), TARGET, lambda: known, sleep=until(END, turn))
    assert [body["names"] for body in asked.bodies] == [["v-1", "v-2"], ["v-2"]]
    assert asked.paths[0] == "/apis/admission.idlewatt.dev/v1alpha1/vehiclelists/idlewatt"


async def test_what_somebody_else_wrote_is_put_right() -> None:
    """After ten minutes the same names are written again."""
    asked = Asked()
    names: Collection[str] = frozenset({"v-1"})
    async with serving(Script(writes=[asked] * 9)) as (session, _):
        with pytest.raises(Ended):
            await keep_vehicle_list(
                Writes(session), TARGET, lambda: names, sleep=until(700, lambda _: None)
            )
    assert len(asked.bodies) == 2


async def test_a_refused_write_is_tried_again_and_told_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Without its kind it is said once, and written as soon as it is there."""
    asked = Asked()
    script = Script(writes=[a_status(404, "no such kind"), a_status(404, "no such kind"), asked])
    async with serving(script) as (session, _):
        with pytest.raises(Ended):
            await keep_vehicle_list(
                Writes(session), TARGET, lambda: {"v-1"}, sleep=until(60, lambda _: None)
            )
    assert len(asked.bodies) == 1
    assert caplog.text.count("no such kind") == 1
