"""The client that counts, against servers that lose requests in every way a server can."""

import asyncio
import json
import struct
from base64 import b64encode
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from embedder.load import Load, arguments
from embedder.protocol import DIMENSIONS

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def vector(first: float = 1.0) -> str:
    """A vector of the length 1, as it is sent."""
    rest = (1 - first * first) ** 0.5
    numbers = [first, rest, *[0.0] * (DIMENSIONS - 2)]
    return b64encode(struct.pack(f"<{DIMENSIONS}f", *numbers)).decode()


async def right(request: web.Request) -> web.StreamResponse:
    """Answer rightly."""
    texts = (await request.json())["input"]
    data = [{"embedding": vector()} for _ in texts]
    return web.json_response({"data": data}, headers={"X-Served-By": "pod-a"})


async def run(handler: Handler, *options: str) -> Load:
    """Send for a moment to a server with this handler."""
    application = web.Application()
    application.router.add_post("/v1/embeddings", handler)
    async with TestServer(application) as server:
        written = [str(server.make_url("/")), "--seconds", "0.2", "--concurrency", "2", *options]
        load = Load(arguments(written))
        await load.run()
        return load


@pytest.mark.parametrize("batch", [1, 3])
async def test_right_answers_are_counted_by_who_gave_them(batch: int) -> None:
    """Nothing is lost, and connections are kept: two senders need two."""
    load = await run(right, "--batch", str(batch))
    summary = load.tally.summary(batch=batch)
    assert load.tally.is_clean()
    assert summary["served_by"] == {"pod-a": summary["sent"]}
    assert load.tally.connections == 2


async def test_a_connection_for_each_request_where_asked() -> None:
    """As clients do that a Service is to spread."""
    load = await run(right, "--new-connections")
    assert load.tally.connections == load.tally.summary(batch=1)["sent"]


async def test_a_rate_is_kept() -> None:
    """Twenty a second make four or five in a fifth of a second, however fast the server is."""
    load = await run(right, "--rate", "20")
    assert 3 <= load.tally.summary(batch=1)["sent"] <= 6


async def refuse(_: web.Request) -> web.StreamResponse:
    """Say no."""
    return web.json_response({"error": {"message": "busy"}}, status=503)


async def hang_up(request: web.Request) -> web.StreamResponse:
    """Close the connection without a word."""
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


async def break_off(request: web.Request) -> web.StreamResponse:
    """Close the connection in the middle of the answer."""
    response = web.StreamResponse(headers={"Content-Length": "1000"})
    await response.prepare(request)
    await response.write(b"{")
    assert request.transport is not None
    request.transport.close()
    return response


async def fall_silent(_: web.Request) -> web.StreamResponse:
    """Take longer than anybody waits."""
    await asyncio.sleep(5)
    return web.Response()


async def babble(_: web.Request) -> web.StreamResponse:
    """Answer with something else."""
    return web.Response(text="hello")


async def forget(_: web.Request) -> web.StreamResponse:
    """Answer with fewer vectors than texts."""
    return web.json_response({"data": []})


@pytest.mark.parametrize(
    ("handler", "kinds"),
    [
        (refuse, {"status 503"}),
        (hang_up, {"closed without an answer", "connection reset"}),
        (break_off, {"closed within the answer"}),
        (fall_silent, {"timeout"}),
        (babble, {"unreadable answer"}),
        (forget, {"wrong number of vectors"}),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
async def test_each_way_to_lose_a_request_has_its_name(handler: Handler, kinds: set[str]) -> None:
    """A lost request is counted under what happened to it, and none is sent twice."""
    load = await run(handler, "--timeout-seconds", "0.1" if handler is fall_silent else "30")
    assert not load.tally.is_clean()
    assert set(load.tally.failures) <= kinds
    assert load.tally.latencies == []


async def test_another_vector_for_the_same_text_is_a_failure() -> None:
    """A replica that answers wrongly loses the request as surely as one that is silent."""
    asked = 0

    async def drifting(request: web.Request) -> web.StreamResponse:
        nonlocal asked
        await request.read()
        asked += 1
        return web.json_response({"data": [{"embedding": vector(1.0 if asked < 9 else 0.5)}]})

    load = await run(drifting)
    assert set(load.tally.failures) == {"another vector than before"}


async def test_nobody_there_is_a_refused_connection() -> None:
    """What a client sees when a pod ends before the last node has heard of it."""
    async with TestServer(web.Application()) as server:
        gone = str(server.make_url("/"))
    load = Load(arguments([gone, "--seconds", "0.1", "--rate", "50"]))
    await load.run()
    assert set(load.tally.failures) == {"connection refused"}


async def test_the_summary_is_json() -> None:
    """The last line that the pod prints is what the tests of the cluster read."""
    load = await run(right)
    assert json.loads(json.dumps(load.tally.summary(batch=1)))["failed"] == 0


@pytest.mark.parametrize(
    ("written", "sentence"),
    [
        ([], "required: url"),
        (["localhost:8080"], "is no URL"),
        (["http://a", "--seconds", "0"], "invalid number above 0"),
        (["http://a", "--seconds", "nan"], "invalid number above 0"),
        (["http://a", "--batch", "0"], "invalid number from 1 to 1024"),
    ],
)
def test_a_wrong_command_line_is_told(
    written: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The status is 2, and a sentence says what is wrong."""
    with pytest.raises(SystemExit) as caught:
        arguments(written)
    assert caught.value.code == 2
    assert sentence in capsys.readouterr().err


def test_the_result_can_go_to_a_file(tmp_path: Path) -> None:
    """Beside standard output, which is what a pod's log keeps."""
    assert arguments(["http://a", "--out", str(tmp_path / "r.json")]).out == tmp_path / "r.json"
