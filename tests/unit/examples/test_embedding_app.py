"""The embedding server's handlers, over real sockets, with a model that can be held up."""

import asyncio
import struct
import threading
from collections.abc import AsyncIterator, Sequence

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from embedder.app import Embedder, Stage
from embedder.protocol import DIMENSIONS, Encoded, RefusedError
from embedder.settings import Settings

Client = TestClient[web.Request, web.Application]

VECTOR = struct.pack(f"<{DIMENSIONS}f", 1.0, *[0.0] * (DIMENSIONS - 1))
SETTINGS = Settings(max_body_bytes=2000, max_waiting=2, server_name="pod-a")


class HeldModel:
    """Answers every text with the same vector, once it is let go."""

    def __init__(self) -> None:
        self.go = threading.Event()
        self.go.set()
        self._entered = threading.Semaphore(0)

    async def entered(self) -> None:
        """Wait until one more request is in the model."""
        assert await asyncio.to_thread(self._entered.acquire, timeout=5)

    def encode(self, texts: Sequence[str], *, truncate: bool) -> Encoded:
        """Wait to be let go; a text `long` is refused unless it may be cut."""
        self._entered.release()
        self.go.wait(timeout=10)
        if "long" in texts and not truncate:
            sentence = "input[0] is too long."
            raise RefusedError(sentence)
        return Encoded((VECTOR,) * len(texts), tokens=len(texts))


@pytest.fixture
def model() -> HeldModel:
    """A model that answers at once."""
    return HeldModel()


@pytest.fixture
def embedder() -> Embedder:
    """A server that has no model yet."""
    return Embedder(SETTINGS)


@pytest.fixture
async def client(embedder: Embedder) -> AsyncIterator[Client]:
    """Someone who sends to it."""
    async with TestClient(TestServer(embedder.application())) as made:
        yield made


async def sentence_of(client: Client, body: object, status: int) -> str:
    """Send a body that is to be refused, and give the sentence."""
    async with client.post("/v1/embeddings", json=body) as response:
        assert response.status == status
        said: str = (await response.json())["error"]["message"]
        return said


async def readiness(client: Client) -> int:
    """Give the status of the readiness probe."""
    async with client.get("/readyz") as response:
        return response.status


async def liveness(client: Client) -> int:
    """Give the status of the liveness probe."""
    async with client.get("/healthz") as response:
        return response.status


async def test_before_the_model_it_lives_and_is_not_ready(client: Client) -> None:
    """Loading is no reason to be killed, and none to be sent requests."""
    assert (await liveness(client), await readiness(client)) == (200, 503)
    async with client.post("/v1/embeddings", json={"input": "one"}) as response:
        assert (response.status, response.headers["Retry-After"]) == (503, "1")


async def test_with_the_model_it_answers(
    client: Client, embedder: Embedder, model: HeldModel
) -> None:
    """Ready, and each text gets its vector; the answer says which pod gave it."""
    embedder.loaded(model, 0.5)
    assert (await liveness(client), await readiness(client)) == (200, 200)
    async with client.post("/v1/embeddings", json={"input": ["one", "two"]}) as response:
        written = await response.json()
        assert (response.status, response.headers["X-Served-By"]) == (200, "pod-a")
    assert [len(each["embedding"]) for each in written["data"]] == [DIMENSIONS, DIMENSIONS]
    assert response.headers.get("Connection") != "close"


async def test_told_to_end_it_answers_and_sends_clients_on(
    client: Client, embedder: Embedder, model: HeldModel
) -> None:
    """Not ready at once, still alive, still answering, and every answer ends its connection."""
    embedder.loaded(model, 0.5)
    embedder.stage = Stage.STOPPING
    assert (await liveness(client), await readiness(client)) == (200, 503)
    for path, body in (("/v1/embeddings", {"input": "one"}), ("/v1/embeddings", {}), ("/x", {})):
        async with client.post(path, json=body) as response:
            assert response.headers["Connection"] == "close"
            assert response.status in {200, 400, 404}


async def test_told_to_end_while_it_loads_it_never_turns_ready(
    client: Client, embedder: Embedder, model: HeldModel
) -> None:
    """A model that arrives after the end was announced does not undo it."""
    embedder.stage = Stage.STOPPING
    embedder.loaded(model, 0.5)
    assert await readiness(client) == 503


async def test_a_request_that_the_end_meets_is_answered_and_closed(
    client: Client, embedder: Embedder, model: HeldModel
) -> None:
    """What is in the model when SIGTERM comes gets its answer, and that ends the connection."""
    embedder.loaded(model, 0.5)
    model.go.clear()
    sent = asyncio.create_task(client.post("/v1/embeddings", json={"input": "one"}))
    await model.entered()
    embedder.stage = Stage.STOPPING
    model.go.set()
    async with await sent as response:
        assert (response.status, response.headers["Connection"]) == (200, "close")


async def test_more_than_may_wait_are_told_to_come_back(
    client: Client, embedder: Embedder, model: HeldModel
) -> None:
    """The queue has a bound; who is refused is told so at once, who waits is answered."""
    embedder.loaded(model, 0.5)
    model.go.clear()
    waiting = [
        asyncio.create_task(client.post("/v1/embeddings", json={"input": "one"})) for _ in range(2)
    ]
    await model.entered()
    await model.entered()
    assert "2 requests wait already" in await sentence_of(client, {"input": "one"}, 503)
    model.go.set()
    assert [(await each).status for each in waiting] == [200, 200]


async def test_a_body_has_a_bound(client: Client, embedder: Embedder, model: HeldModel) -> None:
    """Nobody fills the memory; the sentence says the bound."""
    embedder.loaded(model, 0.5)
    said = await sentence_of(client, {"input": "x" * 3000}, 413)
    assert "longer than 2000 bytes" in said


async def test_what_the_model_refuses_is_told(
    client: Client, embedder: Embedder, model: HeldModel
) -> None:
    """A text that is too long is refused by the model, in its own sentence."""
    embedder.loaded(model, 0.5)
    assert await sentence_of(client, {"input": ["long"]}, 400) == "input[0] is too long."
    async with client.post("/v1/embeddings", json={"input": "long", "truncate": True}) as response:
        assert response.status == 200


@pytest.mark.parametrize(
    ("method", "path", "status"), [("GET", "/", 404), ("GET", "/v1/embeddings", 405)]
)
async def test_a_wrong_address_is_told_the_right_one(
    client: Client, method: str, path: str, status: int
) -> None:
    """Whoever comes to the wrong place learns where to go."""
    async with client.request(method, path) as response:
        assert response.status == status
        assert "POST /v1/embeddings" in (await response.json())["error"]["message"]


async def test_it_counts_what_it_did(client: Client, embedder: Embedder, model: HeldModel) -> None:
    """Requests by status, texts and tokens, and whether it wants more."""
    embedder.loaded(model, 0.5)
    for body in ({"input": ["one", "two"]}, {"input": "one"}, {}):
        async with client.post("/v1/embeddings", json=body) as response:
            await response.read()
    async with client.get("/metrics") as response:
        lines = (await response.text()).splitlines()
    assert {
        'embedder_requests_total{status="200"} 2.0',
        'embedder_requests_total{status="400"} 1.0',
        "embedder_texts_total 3.0",
        "embedder_tokens_total 3.0",
        "embedder_model_load_seconds 0.5",
        "embedder_waiting 0.0",
        "embedder_ready 1.0",
    } <= set(lines)
