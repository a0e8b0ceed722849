"""The server: what it answers, and the three stages of its life: loading, ready, stopping.

Stopping is where requests are lost. Between a pod's end being decided and every node's kube-proxy
knowing it, clients still send to it, on connections that are open and on new ones. So after
SIGTERM the server answers as before for `drain_seconds`; only its readiness says no, and every
answer carries `Connection: close`, so that a client that keeps connections opens its next one to
another pod.
"""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from enum import Enum

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST

from embedder import protocol
from embedder.metrics import Metrics
from embedder.protocol import Model, RefusedError
from embedder.settings import Settings

# A body that takes longer to arrive is given up, so that slow senders do not fill the server.
READ_SECONDS = 30.0
RETRY_SECONDS = "1"

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Stage(Enum):
    """Where in its life the server is."""

    LOADING = "the model is being loaded"
    READY = "ready"
    STOPPING = "stopping: it was told to end, and answers what still comes"


class Embedder:
    """One server's state, and its handlers."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._model: Model | None = None
        self._threads = ThreadPoolExecutor(settings.max_waiting, thread_name_prefix="request")
        self._waiting = 0
        self.stage = Stage.LOADING
        self.metrics = Metrics()

    def loaded(self, model: Model, seconds: float) -> None:
        """Begin to answer."""
        self._model = model
        self.metrics.model_load_seconds.set(seconds)
        if self.stage is Stage.LOADING:
            self.stage = Stage.READY

    def application(self) -> web.Application:
        """Give the routes, behind what every answer goes through."""

        @web.middleware
        async def each(request: web.Request, handler: Handler) -> web.StreamResponse:
            return await self._each(request, handler)

        limit = self._settings.max_body_bytes
        application = web.Application(middlewares=[each], client_max_size=limit)
        application.add_routes(
            [
                web.post("/v1/embeddings", self._embed),
                web.get("/healthz", self._live),
                web.get("/readyz", self._ready),
                web.get("/metrics", self._exposition),
            ]
        )
        return application

    async def _each(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Turn a refusal into an answer; say who answered, and whether to come back here."""
        try:
            response = await handler(request)
        except RefusedError as error:
            response = _refused(error)
        except web.HTTPRequestEntityTooLarge:
            limit = self._settings.max_body_bytes
            sentence = f"The body is longer than {limit} bytes; send fewer texts at once."
            response = _refused(RefusedError(sentence, status=413))
        except web.HTTPException as error:
            sentence = f"{request.method} {request.path}: {error.reason}; POST /v1/embeddings."
            response = _refused(RefusedError(sentence, status=error.status))
        response.headers["X-Served-By"] = self._settings.server_name
        if request.path == "/v1/embeddings":
            self.metrics.answered(response.status)
        # Asked after the handler: the end may have been announced while the model worked.
        if self.stage is Stage.STOPPING:
            response.force_close()
        return response

    async def _embed(self, request: web.Request) -> web.StreamResponse:
        model = self._model
        if model is None:
            sentence = "The model is still being loaded; try again."
            raise RefusedError(sentence, status=503)
        if self._waiting >= self._settings.max_waiting:
            sentence = f"{self._waiting} requests wait already; try again in a second."
            raise RefusedError(sentence, status=503)
        self._waiting += 1
        try:
            with self.metrics.seconds.time():
                asked = protocol.read(await _body(request), max_texts=self._settings.max_texts)
                loop = asyncio.get_running_loop()
                answer = await loop.run_in_executor(self._threads, self._answer, model, asked)
        finally:
            self._waiting -= 1
        return web.Response(body=answer, content_type="application/json")

    def _answer(self, model: Model, asked: protocol.Request) -> bytes:
        encoded = model.encode(asked.texts, truncate=asked.truncate)
        self.metrics.texts.inc(len(encoded.vectors))
        self.metrics.tokens.inc(encoded.tokens)
        return protocol.answer(encoded, asked)

    async def _live(self, _: web.Request) -> web.StreamResponse:
        return web.Response(text=f"{self.stage.value}\n")

    async def _ready(self, _: web.Request) -> web.StreamResponse:
        status = 200 if self.stage is Stage.READY else 503
        return web.Response(status=status, text=f"{self.stage.value}\n")

    async def _exposition(self, _: web.Request) -> web.StreamResponse:
        ready = self.stage is Stage.READY
        written = self.metrics.exposition(ready=ready, waiting=self._waiting)
        return web.Response(body=written, headers={"Content-Type": CONTENT_TYPE_LATEST})


async def _body(request: web.Request) -> bytes:
    try:
        async with asyncio.timeout(READ_SECONDS):
            return await request.read()
    except TimeoutError:
        sentence = f"The body did not arrive within {READ_SECONDS:.0f} s."
        raise RefusedError(sentence, status=408) from None


def _refused(error: RefusedError) -> web.Response:
    response = web.Response(
        status=error.status, body=protocol.refusal(error), content_type="application/json"
    )
    if error.status == 503:  # noqa: PLR2004 - HTTP: not now
        response.headers["Retry-After"] = RETRY_SECONDS
    return response
