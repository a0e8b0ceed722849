"""An API server that answers by a script, for what a real one does only on a bad day."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer

from idlewatt_operator.gateways.kubernetes.credentials import Credentials, CredentialSource
from idlewatt_operator.gateways.kubernetes.session import ApiSession

Manifest = dict[str, Any]
Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


class FixedSource(CredentialSource):
    """Credentials of the scripted server; each loading hands out the next token."""

    def __init__(self, server: str) -> None:
        super().__init__()
        self.server = server
        self.loads = 0

    async def load(self) -> Credentials:
        """Give the credentials, with the number of the loading as token."""
        self.loads += 1
        return Credentials(self.server, authorization=f"Bearer {self.loads}")


def an_object(name: str, version: int, **spec: object) -> Manifest:
    """An object of no kind in particular."""
    metadata = {"name": name, "uid": f"uid-{name}", "resourceVersion": str(version)}
    return {"metadata": metadata, "spec": spec}


def a_status(code: int, message: str = "because", **headers: str) -> Answer:
    """Answer with the API server's Status."""

    async def answer(_: web.Request) -> web.StreamResponse:
        return web.json_response({"code": code, "message": message}, status=code, headers=headers)

    return answer


def a_page(*items: Manifest, version: int = 10, more: str = "") -> Answer:
    """Answer a list with a page of it."""
    metadata = {"resourceVersion": str(version), "continue": more}

    async def answer(_: web.Request) -> web.StreamResponse:
        return web.json_response({"metadata": metadata, "items": list(items)})

    return answer


def a_line(kind: str, item: Manifest) -> bytes:
    """One line of a watch."""
    return json.dumps({"type": kind, "object": item}).encode() + b"\n"


def a_watch(*chunks: bytes, then: str = "hold") -> Answer:
    """Answer a watch with these bytes, then hold the line, end it, or cut it."""

    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for chunk in chunks:
            await response.write(chunk)
            await asyncio.sleep(0.01)
        if then == "hold":
            await asyncio.sleep(60)
        if then == "cut" and request.transport is not None:
            request.transport.abort()
        return response

    return answer


@dataclass
class Script:
    """What is answered, in this order; the last answer to a watch is to hold the line.

    Attributes:
        asked: the queries of the requests, as they came.
        authorizations: their credentials.
    """

    lists: list[Answer] = field(default_factory=list)
    watches: list[Answer] = field(default_factory=list)
    writes: list[Answer] = field(default_factory=list)
    asked: list[dict[str, str]] = field(default_factory=list)
    authorizations: list[str] = field(default_factory=list)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Give the next answer of its sort."""
        self.asked.append(dict(request.query))
        self.authorizations.append(request.headers.get("Authorization", ""))
        if request.method != "GET":
            answers = self.writes
        elif "watch" in request.query:
            answers = self.watches
        else:
            answers = self.lists
        answer = answers.pop(0) if answers else a_watch()
        return await answer(request)

    @property
    def listings(self) -> list[dict[str, str]]:
        """The queries of the lists."""
        return [query for query in self.asked if "watch" not in query]

    @property
    def watched_from(self) -> list[str]:
        """The versions from which watches were asked for."""
        return [query["resourceVersion"] for query in self.asked if "watch" in query]


@contextlib.asynccontextmanager
async def serving(
    script: Script, *, timeout_seconds: float = 5.0
) -> AsyncIterator[tuple[ApiSession, FixedSource]]:
    """An open session with a server that plays the script."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", script.handle)
    async with TestServer(app) as server:
        source = FixedSource(str(server.make_url("/")).rstrip("/"))
        async with ApiSession(source, timeout_seconds=timeout_seconds) as session:
            yield session, source
