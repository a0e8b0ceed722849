"""A client that counts every request: `python -m embedder.load URL --seconds 60`.

It sends requests for as long as it is told, tries none of them twice, checks every answer, and
prints one line of JSON with what became of each. The status is 0 if all were answered, 1 if one
was not, 2 if it was not told what to do. What it says while it runs goes to standard error.

By HTTP a client may not send a POST again by itself (RFC 9110, 9.2.2), and a server may close a
connection that is idle. So that this is no race, the client forgets an idle connection after
`--idle-seconds`, well before a server that stops will close it: see the README.
"""

import argparse
import asyncio
import json
import signal
import sys
from array import array
from base64 import b64decode
from pathlib import Path

import aiohttp
import msgspec

from embedder.protocol import DIMENSIONS
from embedder.tally import Tally

# What is embedded: a few sentences of the length that people search with.
TEXTS = (
    "A parked car has a battery, a computer, and most of the day nothing to do.",
    "How long does the battery of an electric van last in winter?",
    "Electricity is cheapest at night, when the wind blows and nobody is awake.",
    "The owner needs the car at seven in the morning, with a full charge.",
    "Which of these documents explains how a pod is moved before the car leaves?",
    "A circuit has a limit that charging and computing together must never exceed.",
    "The depot stands beside the river, behind the old station.",
    "Two replicas behind a service lose no request while one of them is moved.",
)
# The same text gives the same vector from every replica; another machine rounds differently.
LEAST_LIKENESS = 0.999
SAY_EVERY_SECONDS = 10.0


class Answer(msgspec.Struct):
    """The part of an answer that is checked."""

    data: list["Item"]


class Item(msgspec.Struct):
    """One vector, as base64 of float32."""

    embedding: str


class Load:
    """One run: so many senders, each with one request at a time."""

    def __init__(self, options: argparse.Namespace) -> None:
        self._options = options
        self._url = options.url.rstrip("/") + "/v1/embeddings"
        self._loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        self._sent = 0
        self._reference: dict[int, array[float]] = {}
        self.tally = Tally()

    async def run(self) -> None:
        """Send until the time is over, or until told to end; every request sent is waited for."""
        for name in (signal.SIGTERM, signal.SIGINT):
            self._loop.add_signal_handler(name, self._stop.set)
        options = self._options
        connector = aiohttp.TCPConnector(
            limit=options.concurrency,
            keepalive_timeout=None if options.new_connections else options.idle_seconds,
            force_close=options.new_connections,
        )
        timeout = aiohttp.ClientTimeout(total=options.timeout_seconds)
        trace = aiohttp.TraceConfig()
        trace.on_connection_create_end.append(self._connected)
        self.tally.begin(self._loop.time())
        async with aiohttp.ClientSession(
            connector=connector, timeout=timeout, trace_configs=[trace]
        ) as session:
            ending = self._loop.call_later(options.seconds, self._stop.set)
            saying = asyncio.create_task(self._say())
            await asyncio.gather(*(self._send_on(session) for _ in range(options.concurrency)))
            ending.cancel()
            saying.cancel()
        self.tally.end(self._loop.time())

    async def _send_on(self, session: aiohttp.ClientSession) -> None:
        began = self._loop.time()
        while not self._stop.is_set():
            number = self._sent
            self._sent += 1
            if self._options.rate:
                due = began + number / self._options.rate
                if await self._stopped_before(due):
                    return
                self.tally.late(self._loop.time() - due)
            await self._send(session, number)

    async def _stopped_before(self, due: float) -> bool:
        """Wait until it is time to send; True if told to end before that."""
        seconds = due - self._loop.time()
        if seconds <= 0:
            return False
        try:
            async with asyncio.timeout(seconds):
                await self._stop.wait()
        except TimeoutError:
            return False
        return True

    async def _send(self, session: aiohttp.ClientSession, number: int) -> None:
        chosen = [(number + offset) % len(TEXTS) for offset in range(self._options.batch)]
        body = {"input": [TEXTS[index] for index in chosen], "encoding_format": "base64"}
        began = self._loop.time()
        try:
            async with session.post(self._url, json=body) as response:
                said = await response.read()
                wrong = self._wrong(response.status, said, chosen)
                server = response.headers.get("X-Served-By", "unnamed")
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            self.tally.failed(kind_of(error), str(error), self._loop.time())
            return
        now = self._loop.time()
        if wrong is None:
            self.tally.answered(now - began, server, now)
        else:
            self.tally.failed(wrong, f"{server}: {said[:200].decode(errors='replace')}", now)

    def _wrong(self, status: int, said: bytes, chosen: list[int]) -> str | None:
        """Name what is wrong with an answer, or None."""
        if status != 200:  # noqa: PLR2004 - HTTP: answered
            return f"status {status}"
        try:
            vectors = [
                array("f", b64decode(item.embedding))
                for item in msgspec.json.decode(said, type=Answer).data
            ]
        except ValueError:
            return "unreadable answer"
        if [len(vector) for vector in vectors] != [DIMENSIONS] * len(chosen):
            return "wrong number of vectors"
        for index, vector in zip(chosen, vectors, strict=True):
            first = self._reference.setdefault(index, vector)
            if sum(a * b for a, b in zip(first, vector, strict=True)) < LEAST_LIKENESS:
                return "another vector than before"
        return None

    async def _connected(self, *_: object) -> None:
        self.tally.connections += 1

    async def _say(self) -> None:
        while True:
            await asyncio.sleep(SAY_EVERY_SECONDS)
            sys.stderr.write(self.tally.sentence() + "\n")


# How a request failed, in the words of who looks for the cause; the first that fits.
KINDS: tuple[tuple[type[Exception], str], ...] = (
    (TimeoutError, "timeout"),
    (aiohttp.ClientConnectorDNSError, "name not found"),
    (aiohttp.ClientConnectorError, "not connected"),
    (aiohttp.ServerDisconnectedError, "closed without an answer"),
    (aiohttp.ClientPayloadError, "closed within the answer"),
    (ConnectionResetError, "connection reset"),
    (BrokenPipeError, "connection reset"),
)


def kind_of(error: Exception) -> str:
    """Name how a request failed."""
    if isinstance(error, aiohttp.ClientConnectorError) and isinstance(
        error.os_error, ConnectionRefusedError
    ):
        return "connection refused"
    return next((name for kind, name in KINDS if isinstance(error, kind)), type(error).__name__)


def arguments(written: list[str] | None = None) -> argparse.Namespace:
    """Read the command line; ends with the status 2 and a sentence where it cannot be used."""
    parser = argparse.ArgumentParser(
        prog="python -m embedder.load", description="Send requests, and count every one."
    )
    parser.add_argument("url", help="where the server is, such as http://embedding:8080")
    parser.add_argument("--seconds", type=_positive, default=10.0, help="for how long (10)")
    parser.add_argument("--concurrency", type=_count, default=4, help="senders (4)")
    parser.add_argument("--rate", type=_positive, help="requests a second in all (as many as go)")
    parser.add_argument("--batch", type=_count, default=1, help="texts in a request (1)")
    parser.add_argument(
        "--new-connections", action="store_true", help="open a connection for each request"
    )
    parser.add_argument(
        "--idle-seconds", type=_positive, default=4.0, help="forget a connection idle so long (4)"
    )
    parser.add_argument(
        "--timeout-seconds", type=_positive, default=30.0, help="count as lost after (30)"
    )
    parser.add_argument("--out", type=Path, help="write the JSON here too")
    options = parser.parse_args(written)
    if not options.url.startswith(("http://", "https://")):
        parser.error(f"{options.url!r} is no URL; write one such as http://embedding:8080")
    return options


def _positive(text: str) -> float:
    number = float(text)
    if not 0 < number < 1e6:  # noqa: PLR2004 - eleven days; also refuses what is not a number
        raise ValueError
    return number


def _count(text: str) -> int:
    number = int(text)
    if not 1 <= number <= 1024:  # noqa: PLR2004 - as many connections as a process may have
        raise ValueError
    return number


_positive.__name__ = "number above 0"
_count.__name__ = "number from 1 to 1024"


async def _main(options: argparse.Namespace) -> int:
    load = Load(options)
    await load.run()
    line = json.dumps(load.tally.summary(batch=options.batch))
    sys.stdout.write(line + "\n")
    if options.out:
        options.out.write_text(line + "\n", encoding="utf-8")
    return 0 if load.tally.is_clean() else 1


if __name__ == "__main__":
    sys.exit(asyncio.run(_main(arguments())))
