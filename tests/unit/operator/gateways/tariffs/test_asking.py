"""Asking a source: https or this machine, a folder that nothing leads out of, a size and a time."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from idlewatt_operator.gateways.tariffs import asking, entsoe
from idlewatt_operator.gateways.tariffs.asking import Asker, check_address
from idlewatt_operator.gateways.tariffs.series import SeriesError
from idlewatt_operator.resources.energytariff import Source

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


def source(**fields: object) -> Source:
    """A source with these fields."""
    given: dict[str, Any] = fields
    return Source.model_validate(given)


@pytest.fixture
async def publisher() -> AsyncIterator[tuple[str, dict[str, Answer]]]:
    """An address on this machine, and what it answers by path."""
    answers: dict[str, Answer] = {}

    async def handle(request: web.Request) -> web.StreamResponse:
        return await answers[request.path](request)

    server = web.Application()
    server.router.add_get("/{any:.*}", handle)
    runner = web.AppRunner(server)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}", answers
    await runner.cleanup()


async def test_an_address_is_asked(publisher: tuple[str, dict[str, Answer]]) -> None:
    """And its text comes as it is."""
    address, answers = publisher

    async def good(_: web.Request) -> web.StreamResponse:
        return web.Response(body=b'{"intervals": []}')

    answers["/prices"] = good
    assert await Asker()(source(type="Http", url=f"{address}/prices")) == b'{"intervals": []}'


async def test_an_address_that_answers_otherwise_is_a_sentence(
    publisher: tuple[str, dict[str, Answer]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A status, a redirection, too much, too late, nobody there."""
    address, answers = publisher
    monkeypatch.setattr(asking, "TIMEOUT_SECONDS", 0.5)
    monkeypatch.setattr(asking, "MOST_BYTES", 1_000)

    async def error(_: web.Request) -> web.StreamResponse:
        return web.Response(status=503)

    async def elsewhere(_: web.Request) -> web.StreamResponse:
        return web.Response(status=302, headers={"Location": "http://169.254.169.254/"})

    async def much(_: web.Request) -> web.StreamResponse:
        return web.Response(body=b" " * 1_001)

    async def late(_: web.Request) -> web.StreamResponse:
        await asyncio.sleep(2)
        return web.Response()

    answers |= {"/error": error, "/elsewhere": elsewhere, "/much": much, "/late": late}
    sentences = {
        f"{address}/error": "answers with status 503",
        f"{address}/elsewhere": "write the address it leads to",
        f"{address}/much": "answers with more than 1,000 bytes",
        f"{address}/late": "did not answer within",
        "http://127.0.0.1:9/": "cannot be asked",
        "https://../prices": "cannot be asked",
        f"https://{'a' * 64}.example/prices": "cannot be asked",
    }
    for url, sentence in sentences.items():
        with pytest.raises(SeriesError, match=sentence):
            await Asker()(source(type="Http", url=url))


@pytest.mark.parametrize(
    "url", ["https://prices.example/x", "http://127.0.0.1:1/", "http://localhost/"]
)
def test_https_and_this_machine_may_be_asked(url: str) -> None:
    """Nobody on the way can have written the answer."""
    check_address(url)


@pytest.mark.parametrize(
    "url", ["http://prices.example/x", "http://10.0.0.1/", "http://localhost.evil.example/"]
)
def test_nothing_else_is_asked_in_the_clear(url: str) -> None:
    """A price that anybody could have changed is no price."""
    with pytest.raises(SeriesError, match="by https alone"):
        check_address(url)


async def test_a_file_is_read_below_its_folder_alone(tmp_path: Path) -> None:
    """Wherever a link in it leads."""
    folder = tmp_path / "tariffs"
    folder.mkdir()
    (folder / "prices.json").write_bytes(b"{}")
    (tmp_path / "secret").write_bytes(b"secret")
    (folder / "link").symlink_to(tmp_path / "secret")
    asker = Asker(folder)
    assert await asker(source(type="File", path="prices.json")) == b"{}"
    with pytest.raises(SeriesError, match="leads out of the folder"):
        await asker(source(type="File", path="link"))
    with pytest.raises(SeriesError, match=r"missing\.json cannot be read"):
        await asker(source(type="File", path="missing.json"))
    with pytest.raises(SeriesError, match="IDLEWATT_TARIFFS_DIR"):
        await Asker()(source(type="File", path="prices.json"))


async def test_a_file_that_is_too_large_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A size that nobody publishes."""
    monkeypatch.setattr(asking, "MOST_BYTES", 10)
    (tmp_path / "prices.json").write_bytes(b" " * 11)
    with pytest.raises(SeriesError, match="more than 10 bytes"):
        await Asker(tmp_path)(source(type="File", path="prices.json"))


async def test_the_platform_is_asked_for_yesterday_to_the_day_after_tomorrow(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whole days of UTC; tomorrow's prices come in the afternoon."""
    asked: list[tuple[str, datetime, datetime]] = []

    class Stamp:
        def to_pydatetime(self) -> datetime:
            return datetime(2026, 1, 15, tzinfo=UTC)

    def asker(key: str) -> entsoe.Ask:
        assert key == "a-key"

        def ask(area: str, start: datetime, end: datetime) -> dict[Stamp, float]:
            asked.append((area, start, end))
            return {Stamp(): 80.0}

        return ask

    monkeypatch.setattr(entsoe, "asker", asker)
    now = datetime(2026, 1, 15, 13, 30, tzinfo=UTC)
    text = await Asker(entsoe_key="a-key", now=lambda: now)(source(type="Entsoe", area="DE_LU"))
    today = now.replace(hour=0, minute=0)
    assert asked == [("DE_LU", today - timedelta(days=1), today + timedelta(days=3))]
    assert json.loads(text)["intervals"][0]["payloads"] == [{"type": "PRICE", "value": "0.08"}]
