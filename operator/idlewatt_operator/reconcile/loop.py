"""The loop: a cycle when something asks for one, and one now and then since time moves too.

Handlers and watches only request. Requests are gathered for a moment, cycles keep a distance,
and one that fails is told in the log and never keeps the next from being tried.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final

from idlewatt_operator.gateways.protocols import Clock
from idlewatt_operator.reconcile.report import Report
from idlewatt_operator.settings import Settings
from idlewatt_scheduler.model.units import SECOND, Instant, Milliseconds

_log: Final = logging.getLogger(__name__)


class Loop:
    """Runs cycles until it is stopped.

    Args:
        run_cycle: one cycle; None: there was nothing to decide on yet.
        on_report: told of every cycle that ran through.

    Attributes:
        beats: cycles that ended, well, badly, or with nothing to decide on.
        cycles: those that ran through.
        failures: those that failed.
    """

    def __init__(
        self,
        run_cycle: Callable[[], Awaitable[Report | None]],
        clock: Clock,
        settings: Settings,
        on_report: Callable[[Report], None] = lambda _: None,
    ) -> None:
        self.beats = 0
        self.cycles = 0
        self.failures = 0
        self._run_cycle = run_cycle
        self._clock = clock
        self._settings = settings
        self._on_report = on_report
        self._requested = asyncio.Event()
        self._stopped = asyncio.Event()
        self._finished_at: Instant = clock.now()

    def request(self) -> None:
        """Something changed: have a cycle soon."""
        self._requested.set()

    def stop(self) -> None:
        """Let the cycle that runs end, and start no other."""
        self._stopped.set()
        self._requested.set()

    @property
    def heartbeat_age(self) -> Milliseconds:
        """How long ago a cycle last ended well; one that fails again and again is no progress."""
        return self._clock.now() - self._finished_at

    @property
    def is_zombie(self) -> bool:
        """It lives and has finished no cycle well for too long: better to be started anew."""
        return self.heartbeat_age > self._settings.heartbeat_age_limit

    async def run(self) -> None:
        """Cycle until `stop`."""
        while not self._stopped.is_set():
            started_at = self._clock.now()
            self._requested.clear()
            await self._one()
            await self._until_next(started_at)

    async def _one(self) -> None:
        try:
            report = await self._run_cycle()
            if report is not None:
                self.cycles += 1
                self._on_report(report)
            self._finished_at = self._clock.now()
        except Exception:  # noqa: BLE001 - whatever it was, the next cycle has to run
            self.failures += 1
            _log.exception("A cycle failed and nothing more was written in it; the next one runs.")
        self.beats += 1

    async def _until_next(self, started_at: Instant) -> None:
        """Until the next cycle is due: requested and not too soon, or long enough ago."""
        settings = self._settings
        due_at = started_at + settings.cycle_at_least_every
        await self._requested_or(due_at - self._clock.now())
        if self._stopped.is_set() or self._clock.now() >= due_at:
            return
        earliest = max(
            self._clock.now() + settings.debounce, started_at + settings.cycle_at_most_every
        )
        await self._stopped_or(min(earliest, due_at) - self._clock.now())

    async def _requested_or(self, delay: Milliseconds) -> None:
        await self._first_of(self._requested, delay)

    async def _stopped_or(self, delay: Milliseconds) -> None:
        await self._first_of(self._stopped, delay)

    async def _first_of(self, event: asyncio.Event, delay: Milliseconds) -> None:
        """Until the event is set, or the clock has moved on by `delay`.

        Never longer than between two cycles: a clock that was set back makes what is due seem far.
        """
        delay = min(delay, self._settings.cycle_at_least_every)
        if delay <= 0 or event.is_set():
            return
        tasks = {
            asyncio.ensure_future(event.wait()),
            asyncio.ensure_future(self._clock.sleep(delay / SECOND)),
        }
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
