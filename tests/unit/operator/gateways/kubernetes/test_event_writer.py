"""Events: a repeated one counts up, a forgotten one is said anew, a lost one is only lost."""

from collections.abc import Awaitable, Callable

import pytest
from aiohttp import web
from tests.unit.operator.gateways.kubernetes.scripted_server import Script, a_status, serving

from idlewatt_operator.gateways.kubernetes.event_writer import EventWriter
from idlewatt_operator.gateways.kubernetes.writes import Writes
from idlewatt_operator.gateways.protocols import EventNote
from idlewatt_scheduler.model.units import HOUR, Instant

NOTE = EventNote("default", "p", "uid", "FailedScheduling", "on peak", "Scheduling", warning=True)


class SetClock:
    """A clock that stands until it is set."""

    at: Instant = 1_768_514_400_123

    def now(self) -> Instant:
        """The instant it was set to."""
        return self.at

    async def sleep(self, seconds: float) -> None:
        """Move on by so much."""
        self.at += round(seconds * 1_000)


class Taken:
    """What the server took, and how."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, dict[str, object]]] = []

    def __call__(self, status: int = 200) -> Callable[[web.Request], Awaitable[web.Response]]:
        """Answer with this status, and remember the request."""

        async def answer(request: web.Request) -> web.Response:
            self.requests.append((request.method, await request.json()))
            return web.json_response({}, status=status)

        return answer


@pytest.mark.parametrize(
    ("later", "answers", "methods"),
    [
        (0, (201, 200, 200), ["POST", "PATCH", "PATCH"]),
        (HOUR, (201, 201, 201), ["POST", "POST", "POST"]),
        (0, (201, 404, 201, 200), ["POST", "PATCH", "POST", "PATCH"]),
        (0, (403, 201, 200), ["POST", "POST", "PATCH"]),
    ],
    ids=["repeated", "forgotten by its age", "gone early", "refused at first"],
)
async def test_three_times_the_same(
    later: Instant, answers: tuple[int, ...], methods: list[str]
) -> None:
    """The same note three times: one event with a series, unless it is not there any more."""
    taken, clock = Taken(), SetClock()
    script = Script(writes=[taken(status) for status in answers])
    async with serving(script) as (session, _):
        writer = EventWriter(Writes(session), clock)
        for _ in range(3):
            await writer.say(NOTE)
            clock.at += later
    assert [method for method, _ in taken.requests] == methods


async def test_times_have_the_form_the_server_wants() -> None:
    """`eventTime` has six decimals and a name of its own each time."""
    taken = Taken()
    async with serving(Script(writes=[taken(201), taken(201)])) as (session, _):
        writer = EventWriter(Writes(session), SetClock())
        await writer.say(NOTE)
        await writer.say(EventNote("default", "p", "uid", "Scheduled", "m", "Binding"))
    (_, first), (_, second) = taken.requests
    assert first["eventTime"] == "2026-01-15T22:00:00.123000Z"
    assert first["metadata"] != second["metadata"]


async def test_a_lost_event_is_only_logged(caplog: pytest.LogCaptureFixture) -> None:
    """Where the event is refused, the log has the pod and the server's reason."""
    async with serving(Script(writes=[a_status(403, "not allowed")])) as (session, _):
        await EventWriter(Writes(session), SetClock()).say(NOTE)
    assert "default/p" in caplog.text
    assert "not allowed" in caplog.text
