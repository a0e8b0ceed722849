"""A watch that keeps a store up to date, and that cannot die silently.

It lists in pages, watches from there with bookmarks, resumes from the last version it saw, and
lists again where that version is gone or the line sent what cannot be read. A line on which
nothing arrives for `silence_seconds`, not even the bookmark the API server sends every minute,
is given up and opened anew from the last version: that costs one request, where a watch that
is believed alive and is not costs the fleet. Objects are decoded one by one, so that one which
cannot be used hides no other, and on change only.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

import aiohttp
import msgspec

from idlewatt_operator.gateways.kubernetes.backoff import Backoff
from idlewatt_operator.gateways.kubernetes.session import Answer, ApiSession, ApiUnreachable, Call
from idlewatt_operator.gateways.kubernetes.store import Seen, Store
from idlewatt_operator.resources.objects import Metadata
from idlewatt_operator.resources.records import Refused

_LOG: Final = logging.getLogger(__name__)
T = TypeVar("T")

_GONE: Final = 410
_PAGE_ATTEMPTS: Final = 2
_LINE_BYTES_MAX: Final = 32 * 1024 * 1024
_WATCH_ATTEMPTS: Final = 5
_SHORT_SECONDS: Final = 5.0


@dataclass(frozen=True, slots=True)
class Watched(Generic[T]):
    """A kind to watch.

    Attributes:
        name: for people, such as `our pods`.
        kind: of its objects.
        path: of the collection.
        key: the store's key, of an object's metadata.
        read: makes the value of the object's JSON; whatever it raises is a fault of ours.
        matters: whether a change is worth a cycle.
        field_selector: as the API server takes it; empty: everything.
    """

    name: str
    kind: str
    path: str
    key: Callable[[Metadata], str]
    read: Callable[[bytes], T | Refused]
    matters: Callable[[T, T], bool]
    field_selector: str = ""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a watch waits, in seconds.

    Attributes:
        watch_seconds: the longest watch the server is asked for; up to a quarter less.
        silence_seconds: without a byte on the line before it is given up.
        page_objects: objects a page of the listing.
    """

    watch_seconds: float = 290.0
    silence_seconds: float = 90.0
    page_objects: int = 500


class _Object(msgspec.Struct):
    metadata: Metadata


class _Page(msgspec.Struct):
    items: list[msgspec.Raw]
    metadata: "_PageMetadata"


class _PageMetadata(msgspec.Struct, rename="camel"):
    resource_version: str = ""
    continue_: str = msgspec.field(name="continue", default="")


class _Line(msgspec.Struct):
    type: str
    object: msgspec.Raw


class _Error(msgspec.Struct):
    code: int = 0
    message: str = ""


_OBJECT: Final = msgspec.json.Decoder(_Object)
_PAGE: Final = msgspec.json.Decoder(_Page)
_LINE: Final = msgspec.json.Decoder(_Line)
_ERROR: Final = msgspec.json.Decoder(_Error)


class _Again(Exception):  # noqa: N818 # not a fault: what to do next
    """The watch or listing ended and has to be tried again.

    Attributes:
        relist: the version held is of no use any more.
        wait_seconds: what the server asked for.
        at_once: it took long enough already.
    """

    def __init__(
        self, why: str, *, relist: bool, wait_seconds: float = 0.0, at_once: bool = False
    ) -> None:
        super().__init__(why)
        self.relist = relist
        self.wait_seconds = wait_seconds
        self.at_once = at_once


class _PagesGone(Exception):  # noqa: N818 # not a fault: the pages are asked for again
    """The token of the next page has expired."""


class Informer(Generic[T]):
    """Keeps the objects of one kind, from `run` until that is cancelled.

    Args:
        on_change: called after a batch of changes of which at least one is worth a cycle.
        jitter: numbers in [0, 1), so that many watches do not move in step.
    """

    def __init__(  # noqa: PLR0913 # what it is made of, all of it injected
        self,
        session: ApiSession,
        watched: Watched[T],
        on_change: Callable[[], None],
        *,
        jitter: Callable[[], float],
        patience: Patience | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.watched = watched
        self.store: Store[T] = Store(watched.matters)
        self._session = session
        self._on_change = on_change
        self._jitter = jitter
        self._patience = patience or Patience()
        self._sleep = sleep
        self._backoff = Backoff(jitter)
        self._version: str | None = None
        self._listed = asyncio.Event()
        self._listed_anew = asyncio.Event()
        self._heard_at = time.monotonic()
        self._said: tuple[str, float] = ("", 0.0)

    @property
    def synced(self) -> bool:
        """Everything was listed at least once."""
        return self._listed.is_set()

    @property
    def silent_seconds(self) -> float:
        """How long ago the API server was last heard of for this kind."""
        return time.monotonic() - self._heard_at

    async def wait_synced(self) -> None:
        """Return once everything was listed."""
        await self._listed.wait()

    def begin_anew(self) -> None:
        """Let the next `run` list everything anew; what is known stays until that is done."""
        self._version = None
        self._listed_anew.clear()

    async def wait_listed_anew(self) -> None:
        """Return once everything was listed since `begin_anew`."""
        await self._listed_anew.wait()

    async def run(self) -> None:
        """List, watch, and go on for ever; only cancellation ends it."""
        while True:
            try:
                if self._version is None:
                    await self._list()
                await self._watch()
            except _Again as again:
                if again.relist or self._backoff.failures >= _WATCH_ATTEMPTS:
                    self._version = None
                self._say(str(again))
                if not again.at_once:
                    await self._sleep(self._backoff.next_seconds(again.wait_seconds))
            except ApiUnreachable as error:
                self._say(str(error))
                await self._sleep(self._backoff.next_seconds())
            except Exception:  # noqa: BLE001 # a fault of ours must not leave a watch dead
                _LOG.exception("The watch of %s failed; it starts anew.", self.watched.name)
                self._version = None
                await self._sleep(self._backoff.next_seconds())

    async def _list(self) -> None:
        for attempt in range(_PAGE_ATTEMPTS):
            try:
                # The last attempt asks for one page: no token can expire between pages.
                limit = 0 if attempt == _PAGE_ATTEMPTS - 1 else self._patience.page_objects
                found, version = await self._pages(limit)
            except _PagesGone:
                continue
            changed = self.store.replace(found)
            self._version = version
            changed |= not self.synced
            self._listed.set()
            self._listed_anew.set()
            if changed:
                self._on_change()
            return
        why = f"The list of {self.watched.name} went out of date while it was read."
        raise _Again(why, relist=True)

    async def _pages(self, limit: int) -> tuple[list[Seen[T]], str]:
        found: list[Seen[T]] = []
        token = ""
        while True:
            page = await self._page(limit, token)
            found.extend(self._seen(raw) for raw in page.items)
            token = page.metadata.continue_
            if not token:
                return found, page.metadata.resource_version
            await asyncio.sleep(0)  # others may work between two pages

    async def _page(self, limit: int, token: str) -> _Page:
        params = self._params({"limit": str(limit)} if limit else {})
        if token:
            params["continue"] = token
        answer = await self._session.send(Call("GET", self.watched.path, params))
        self._heard()
        if answer.status == _GONE and token:
            raise _PagesGone
        if not answer.ok:
            raise self._refusal(answer, "list")
        try:
            return _PAGE.decode(answer.body)
        except msgspec.DecodeError as error:
            why = f"The list of {self.watched.name} cannot be read: {error}."
            raise _Again(why, relist=True) from error

    async def _watch(self) -> None:
        seconds = self._patience.watch_seconds * (1 - self._jitter() / 4)
        params = self._params(
            {
                "watch": "1",
                "allowWatchBookmarks": "true",
                "resourceVersion": self._version or "",
                "timeoutSeconds": str(round(seconds)),
            }
        )
        opened_at, heard_any = time.monotonic(), False
        async with self._session.stream(Call("GET", self.watched.path, params)) as response:
            if not response.status < 400:  # noqa: PLR2004 # HTTP's own limit
                answer = Answer(response.status, await response.content.read(65_536))
                raise self._refusal(answer, "watch")
            async for lines in self._batches(response):
                self._take(lines)
                heard_any = True
                self._backoff.reset()
        if not heard_any and time.monotonic() - opened_at < _SHORT_SECONDS:
            why = f"The watch of {self.watched.name} ended before it began."
            raise _Again(why, relist=False)

    async def _batches(self, response: aiohttp.ClientResponse) -> AsyncIterator[list[bytes]]:
        rest = b""
        while True:
            try:
                async with asyncio.timeout(self._patience.silence_seconds):
                    chunk = await response.content.readany()
            except TimeoutError as error:
                why = (
                    f"Nothing was heard of {self.watched.name} for "
                    f"{self._patience.silence_seconds:g} s; the watch is opened anew."
                )
                raise _Again(why, relist=False, at_once=True) from error
            except (aiohttp.ClientError, OSError) as error:
                why = f"The watch of {self.watched.name} was cut: {error}."
                raise _Again(why, relist=False) from error
            if not chunk:
                return
            self._heard()
            *lines, rest = (rest + chunk).split(b"\n")
            if len(rest) > _LINE_BYTES_MAX:
                why = f"The watch of {self.watched.name} sent a line without an end."
                raise _Again(why, relist=True)
            if lines:
                yield lines
            await asyncio.sleep(0)  # a flood of events must not starve the cycle

    def _take(self, lines: Iterable[bytes]) -> None:
        changed = False
        try:
            for line in lines:
                if line.strip():
                    changed |= self._take_one(line)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            why = f"The watch of {self.watched.name} sent what cannot be read: {error}."
            raise _Again(why, relist=True) from error
        finally:
            if changed:
                self._on_change()

    def _take_one(self, text: bytes) -> bool:
        line = _LINE.decode(text)
        if line.type == "ERROR":
            raise self._error(line.object)
        metadata = _OBJECT.decode(line.object).metadata
        if line.type == "BOOKMARK":
            changed = False
        elif line.type == "DELETED":
            changed = self.store.drop(self.watched.key(metadata))
        elif line.type in {"ADDED", "MODIFIED"}:
            changed = self.store.put(self._seen(line.object, metadata))
        else:
            _LOG.warning("The watch of %s sent an unknown %r.", self.watched.name, line.type)
            return False
        self._version = metadata.resource_version or self._version
        return changed

    def _seen(self, raw: msgspec.Raw, metadata: Metadata | None = None) -> Seen[T]:
        metadata = metadata or _OBJECT.decode(raw).metadata
        key = self.watched.key(metadata)
        old = self.store.get(key)
        if old is not None and old.version == metadata.resource_version:
            return old
        return Seen(key, metadata.resource_version, self._value(raw, metadata))

    def _value(self, raw: msgspec.Raw, metadata: Metadata) -> T | Refused:
        try:
            return self.watched.read(bytes(raw))
        except Exception as error:  # noqa: BLE001 # one fault of ours must not blind us
            _LOG.exception("%s %s cannot be read.", self.watched.name, metadata.name)
            why = f"It cannot be read: {type(error).__name__}: {error}."
            return Refused(self.watched.kind, metadata.name, why, metadata.generation)

    def _error(self, raw: msgspec.Raw) -> _Again:
        error = _ERROR.decode(raw)
        if error.code == _GONE:
            why = f"The version of {self.watched.name} held is gone; listing them again."
            return _Again(why, relist=True)
        why = f"The watch of {self.watched.name} ended with an error: {error.message}"
        return _Again(why, relist=False)

    def _refusal(self, answer: Answer, verb: str) -> _Again:
        why = f"The API server refused to {verb} {self.watched.name}: {answer.message}"
        return _Again(
            why,
            relist=answer.status == _GONE,
            wait_seconds=answer.retry_after_seconds or 0.0,
        )

    def _params(self, more: dict[str, str]) -> dict[str, str]:
        selector = self.watched.field_selector
        return {**more, **({"fieldSelector": selector} if selector else {})}

    def _heard(self) -> None:
        self._heard_at = time.monotonic()

    def _say(self, sentence: str) -> None:
        said, at = self._said
        now = time.monotonic()
        if sentence != said or now - at > 60:  # noqa: PLR2004 # seconds
            self._said = (sentence, now)
            _LOG.warning("%s", sentence)


class Watching:
    """Informers that run, and that can be made to list everything anew.

    Args:
        informers: none of them runs yet.
    """

    def __init__(self, *informers: Informer[Any]) -> None:
        self._informers = informers
        self._tasks: list[asyncio.Task[None]] = []

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Run them for as long as the block lasts."""
        self._start()
        try:
            yield
        finally:
            await self._end()

    async def look_anew(self) -> None:
        """List everything with consistent reads that begin after this, and return once it is known.

        A watch shows what was, and may be late by as much as the line is.
        """
        await self._end()
        for informer in self._informers:
            informer.begin_anew()
        self._start()
        await asyncio.gather(*(each.wait_listed_anew() for each in self._informers))

    def _start(self) -> None:
        self._tasks = [
            asyncio.create_task(each.run(), name=f"watch {each.watched.name}")
            for each in self._informers
        ]

    async def _end(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
