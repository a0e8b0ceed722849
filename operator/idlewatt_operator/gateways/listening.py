"""The HTTP server that kubelets and Prometheus ask: whether we live, are ready, and how we do."""

import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from functools import partial
from typing import Final, Protocol

from aiohttp import web

_OK: Final = 200
_UNAVAILABLE: Final = 503
_PORT_MAX: Final = 65_535


class ListenError(Exception):
    """The address cannot be listened on; the message is a sentence."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where to listen.

    Attributes:
        host: a name or an address; empty: every address of this machine.
        port: 0: one that is free.
    """

    host: str
    port: int

    @classmethod
    def parse(cls, text: str) -> "Endpoint":
        """Read `HOST:PORT`, `[ADDRESS]:PORT` or `:PORT`.

        Raises:
            ValueError: it is none of these; the message is a sentence.
        """
        host, colon, port = text.rpartition(":")
        bare = host.removeprefix("[").removesuffix("]")
        is_bracketed = host.startswith("[") and host.endswith("]")
        good = colon and port.isascii() and port.isdigit() and int(port[:6]) <= _PORT_MAX
        if not good or (":" in bare and not is_bracketed):
            sentence = f"'{text[:253]}' is not HOST:PORT; write 127.0.0.1:8080, [::1]:8080 or :8080"
            raise ValueError(sentence)
        return cls(bare, int(port))

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Verdict:
    """An answer to a probe.

    Attributes:
        lines: of the body, for people.
    """

    good: bool
    lines: tuple[str, ...]


class Vitals(Protocol):
    """What is asked of the process; each answers at once."""

    def alive(self) -> Verdict:
        """Whether it is better left alone than started anew."""

    def ready(self) -> Verdict:
        """Whether it can do its work, or take it over."""

    def metrics(self) -> tuple[bytes, str]:
        """The metrics as Prometheus reads them, and their content type."""


@contextlib.asynccontextmanager
async def listening(endpoint: Endpoint, vitals: Vitals) -> AsyncIterator[int]:
    """Answer `/livez`, `/readyz` and `/metrics` for as long as the block lasts; gives the port.

    Raises:
        ListenError: the address is in use, or none of this machine.
    """
    app = web.Application()
    app.router.add_get("/livez", partial(_told, vitals.alive))
    app.router.add_get("/readyz", partial(_told, vitals.ready))
    app.router.add_get("/metrics", partial(_measured, vitals.metrics))
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    try:
        try:
            site = web.TCPSite(runner, endpoint.host or None, endpoint.port)
            await site.start()
        except OSError as error:
            sentence = f"{endpoint} cannot be listened on: {error.strerror or error}."
            raise ListenError(sentence) from error
        yield int(runner.addresses[0][1])
    finally:
        await runner.cleanup()


async def _told(ask: Callable[[], Verdict], _: web.Request) -> web.Response:
    verdict = ask()
    text = "\n".join(verdict.lines) + "\n"
    return web.Response(text=text, status=_OK if verdict.good else _UNAVAILABLE)


async def _measured(ask: Callable[[], tuple[bytes, str]], _: web.Request) -> web.Response:
    body, content_type = ask()
    return web.Response(body=body, headers={"Content-Type": content_type})
