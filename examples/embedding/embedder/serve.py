"""Runs the server from its start to an end that loses nothing."""

import asyncio
import logging
import signal
import time
from collections.abc import Callable

from aiohttp import web

from embedder.app import Embedder, Stage
from embedder.protocol import Model
from embedder.settings import Settings

# Longer than any client keeps an idle connection: who closes first cannot be sent to in vain, so
# it must be the client.
KEEP_ALIVE_SECONDS = 75.0
BACKLOG = 512

log = logging.getLogger("embedder")


async def serve(settings: Settings, load: Callable[[], Model]) -> None:
    """Listen, load the model, answer until SIGTERM, drain, finish what is being answered.

    SIGINT, or a second SIGTERM, ends the drain at once. Raises what ``load`` raises.
    """
    embedder = Embedder(settings)
    told = _Signals(asyncio.get_running_loop())
    runner = web.AppRunner(
        embedder.application(),
        access_log=None,
        handle_signals=False,
        keepalive_timeout=KEEP_ALIVE_SECONDS,
        shutdown_timeout=settings.finish_seconds,
    )
    await runner.setup()
    site = web.TCPSite(runner, settings.host, settings.port, backlog=BACKLOG)
    await site.start()
    log.info("listening on %s", ", ".join(f"{host}:{port}" for host, port, *_ in runner.addresses))
    try:
        await _live(embedder, told, load, settings.drain_seconds)
    finally:
        await runner.cleanup()
    log.info("ended: %d requests were answered", embedder.metrics.answered_in_all)


async def _live(
    embedder: Embedder, told: "_Signals", load: Callable[[], Model], drain_seconds: float
) -> None:
    """Load the model, be ready, and drain; where the end comes first, nobody was sent here yet."""
    began = time.perf_counter()
    loading = asyncio.create_task(asyncio.to_thread(load))
    ending = asyncio.create_task(told.to_end.wait())
    await asyncio.wait({loading, ending}, return_when=asyncio.FIRST_COMPLETED)
    if loading.done():
        took = time.perf_counter() - began
        embedder.loaded(loading.result(), took)
        log.info("ready: the model was loaded in %.2f s", took)
        await ending
        embedder.stage = Stage.STOPPING
        log.info("told to end: answering for another %.0f s", drain_seconds)
        await told.to_hurry_within(drain_seconds)
    else:
        embedder.stage = Stage.STOPPING
        log.info("told to end before the model was loaded")
        await loading
    ending.cancel()


class _Signals:
    """What the process was told."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.to_end = asyncio.Event()
        self._to_hurry = asyncio.Event()
        loop.add_signal_handler(signal.SIGTERM, self._end)
        loop.add_signal_handler(signal.SIGINT, self._hurry)

    def _end(self) -> None:
        if self.to_end.is_set():
            self._to_hurry.set()
        self.to_end.set()

    def _hurry(self) -> None:
        self.to_end.set()
        self._to_hurry.set()

    async def to_hurry_within(self, seconds: float) -> None:
        """Wait so long, or until told to hurry."""
        try:
            async with asyncio.timeout(seconds):
                await self._to_hurry.wait()
        except TimeoutError:
            return
