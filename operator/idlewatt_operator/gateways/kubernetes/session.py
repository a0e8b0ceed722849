"""One HTTP session to the API server: requests with an answer, and streams for the watches."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace
from math import inf
from typing import Any, Final, Self

import aiohttp
import msgspec

from idlewatt_operator.gateways.kubernetes.credentials import (
    DELIVERY_SECONDS,
    Credentials,
    CredentialsError,
    CredentialSource,
)
from idlewatt_operator.gateways.leadership import Leadership, NotLeading

_LOG: Final = logging.getLogger(__name__)

JSON: Final = "application/json"
JSON_PATCH: Final = "application/json-patch+json"
MERGE_PATCH: Final = "application/merge-patch+json"
STRATEGIC_MERGE_PATCH: Final = "application/strategic-merge-patch+json"

_UNAUTHORIZED: Final = 401
_FAILED: Final = 400
_MESSAGE_LENGTH_MAX: Final = 1_024
# Answers are small or near; unpacking them would cost more than the line.
_HEADERS: Final = {"Accept": JSON, "Accept-Encoding": "identity", "User-Agent": "idlewatt"}


class ApiUnreachable(ConnectionError):  # noqa: N818 # it names a state of the world
    """No answer came: refused, cut, timed out, or not admitted to the line at all."""


class _Status(msgspec.Struct, rename="camel"):
    """The API server's `Status`, as much of it as is read here."""

    message: str = ""
    reason: str = ""


_STATUS: Final = msgspec.json.Decoder(_Status)


@dataclass(frozen=True, slots=True)
class Call:
    """One request.

    Attributes:
        path: below the server's base URL, names already quoted.
        body: made into JSON; None: no body.
    """

    method: str
    path: str
    params: Mapping[str, str] | None = None
    body: object = None
    content_type: str = JSON


@dataclass(frozen=True, slots=True)
class Answer:
    """What the API server answered."""

    status: int
    body: bytes = b""
    retry_after_seconds: float | None = None

    @property
    def ok(self) -> bool:
        """It was done."""
        return self.status < _FAILED

    @property
    def message(self) -> str:
        """The server's own sentence, or the start of what it sent in its place."""
        return self._status().message or f"HTTP {self.status}"

    @property
    def reason(self) -> str:
        """The server's own word for it, such as `AlreadyExists`; empty where it gave none."""
        return self._status().reason

    def _status(self) -> _Status:
        try:
            return _STATUS.decode(self.body)
        except msgspec.DecodeError:
            text = self.body[:_MESSAGE_LENGTH_MAX].decode(errors="replace").strip()
            return _Status(message=text)


class ApiSession:
    """Requests to the API server, with the credentials read again when they are refused.

    Use it as an asynchronous context manager. Connections are limited to `connections`, of
    which every watch holds one.
    """

    def __init__(
        self,
        source: CredentialSource,
        *,
        connections: int = 48,
        timeout_seconds: float = 30.0,
    ) -> None:
        self._source = source
        self._connections = connections
        self._timeout_seconds = timeout_seconds
        self._credentials: Credentials | None = None
        self._http: aiohttp.ClientSession | None = None
        self._renewal = asyncio.Lock()

    async def __aenter__(self) -> Self:
        await self._renew(None)
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._http is not None:
            await self._http.close()
            await asyncio.sleep(0)  # what was aborted is let go of in the next turn of the loop

    async def send(self, call: Call, leadership: Leadership | None = None) -> Answer:
        """Send the request and read the whole answer.

        Args:
            call: a write has a body.
            leadership: asked at the very moment of sending; what is left of it is all the time
                that the request gets, here and in the server.

        Raises:
            ApiUnreachable: no answer came, so that nobody knows whether it was done.
            NotLeading: it was not sent.
        """
        limit = aiohttp.ClientTimeout(total=self._timeout_seconds, sock_connect=10)
        async with self._open(call, limit, leadership) as response:
            try:
                body = await response.read()
            except (aiohttp.ClientError, TimeoutError, OSError) as error:
                raise _unreachable(call, error) from error
            return Answer(response.status, body, _retry_after_seconds(response))

    @contextlib.asynccontextmanager
    async def stream(self, call: Call) -> AsyncIterator[aiohttp.ClientResponse]:
        """Open the request and leave the reading of its answer, of any length, to the caller.

        Raises:
            ApiUnreachable: the line could not be opened.
        """
        limit = aiohttp.ClientTimeout(total=None, sock_connect=10)
        async with self._open(call, limit) as response:
            yield response

    @contextlib.asynccontextmanager
    async def _open(
        self, call: Call, limit: aiohttp.ClientTimeout, leadership: Leadership | None = None
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        used = self._credentials
        response = await self._request(call, limit, leadership)
        if response.status == _UNAUTHORIZED:
            response.release()
            await self._renew(used)
            response = await self._request(call, limit, leadership)
        try:
            yield response
        finally:
            if limit.total is None:
                _drop(response)
            else:
                response.release()

    async def _request(
        self, call: Call, limit: aiohttp.ClientTimeout, leadership: Leadership | None
    ) -> aiohttp.ClientResponse:
        if self._http is None or self._credentials is None:
            sentence = "The session with the API server is not open."
            raise ApiUnreachable(sentence)
        left, granted = inf if leadership is None else leadership.left_seconds(), 0.0
        if left <= 0:
            raise NotLeading
        if left < self._timeout_seconds:
            limit = aiohttp.ClientTimeout(total=left, sock_connect=limit.sock_connect)
            granted = left - DELIVERY_SECONDS
            call = _within(call, granted)
        try:
            # Until the headers are there even a stream has a limit.
            async with asyncio.timeout(limit.total or self._timeout_seconds):
                return await self._http.request(
                    call.method,
                    self._credentials.server + call.path,
                    params=call.params,
                    data=None if call.body is None else _Body(call, leadership, granted),
                    headers={
                        **_HEADERS,
                        **self._credentials.headers,
                        **({} if call.body is None else {"Content-Type": call.content_type}),
                    },
                    timeout=limit,
                )
        except aiohttp.ClientSSLError as error:
            await self._renew_quietly()
            raise _unreachable(call, error) from error
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            if isinstance(error.__cause__, NotLeading):
                raise error.__cause__ from error
            raise _unreachable(call, error) from error

    async def _renew_quietly(self) -> None:
        with contextlib.suppress(ApiUnreachable):
            await self._renew(self._credentials)

    async def _renew(self, refused: Credentials | None) -> None:
        async with self._renewal:
            if self._credentials is not refused:
                return  # another request has renewed them already
            try:
                fresh = await self._source.load()
                if self._http is None or _line_differs(fresh, self._credentials):
                    await self._replace_http(fresh)
            except CredentialsError as error:
                if refused is None:
                    raise
                raise ApiUnreachable(str(error)) from error
            self._credentials = fresh

    async def _replace_http(self, credentials: Credentials) -> None:
        old = self._http
        self._http = aiohttp.ClientSession(
            connector=credentials.connector(self._connections), proxy=credentials.proxy
        )
        if old is not None:
            _LOG.info("The certificates for %s changed; connecting anew.", credentials.server)
            await old.close()


class _Body(aiohttp.BytesPayload):
    """A body that asks once more who leads, when it is handed to the connection.

    Until then the head waits with it: without a connection that was free, between asking and
    sending there may be a look-up, a handshake, and a process that was stopped for a minute. What
    the head grants the server has to be left still.
    """

    def __init__(self, call: Call, leadership: Leadership | None, granted_seconds: float) -> None:
        super().__init__(msgspec.json.encode(call.body), content_type=call.content_type)
        self._leadership = leadership
        self._granted_seconds = granted_seconds

    async def write(self, writer: Any) -> None:  # noqa: ANN401 # aiohttp's own
        """Hand it over, or raise NotLeading."""
        await self.write_with_length(writer, None)

    async def write_with_length(self, writer: Any, content_length: int | None) -> None:  # noqa: ANN401
        """Hand it over, or raise NotLeading."""
        if self._leadership is not None:
            left = self._leadership.left_seconds()
            if left <= 0 or left < self._granted_seconds:
                raise NotLeading
        await super().write_with_length(writer, content_length)


def _within(call: Call, seconds: float) -> Call:
    """The call, with so much time for the server; whole seconds, and one at least."""
    return replace(call, params={**(call.params or {}), "timeout": f"{max(1, int(seconds))}s"})


def _line_differs(fresh: Credentials, old: Credentials | None) -> bool:
    if old is None:
        return True
    return any(
        getattr(fresh, name) != getattr(old, name)
        for name in ("fingerprint", "server", "server_name", "proxy", "verify")
    )


def _drop(response: aiohttp.ClientResponse) -> None:
    """End a stream: half read, and its far end may be dead, so no farewell is waited for."""
    connection = response.connection
    if connection is not None and connection.transport is not None:
        connection.transport.abort()
    response.close()


def _unreachable(call: Call, error: BaseException) -> ApiUnreachable:
    what = str(error) or type(error).__name__
    return ApiUnreachable(f"The API server did not answer {call.method} {call.path}: {what}.")


def _retry_after_seconds(response: aiohttp.ClientResponse) -> float | None:
    text = response.headers.get("Retry-After", "")
    return float(text) if text.isdigit() else None
