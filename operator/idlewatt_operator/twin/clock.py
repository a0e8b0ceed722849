"""A clock that stands still until it is moved, and does what is due on the way."""

import asyncio
import heapq
from collections.abc import Callable
from typing import Final

from idlewatt_scheduler.model.units import Instant

_TURNS_AFTER_A_MOVE: Final = 20
"""How often the event loop is let go on after something was due, so that awakened tasks act."""


class ManualClock:
    """The twin's and the tests' clock: `Clock`, and a list of what is due when."""

    def __init__(self, at: Instant) -> None:
        self._now = at
        self._due: list[tuple[Instant, int, Callable[[], None]]] = []
        self._count = 0

    def now(self) -> Instant:
        """The present instant."""
        return self._now

    async def sleep(self, seconds: float) -> None:
        """Return once the clock was moved by `seconds`."""
        waited: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def wake() -> None:
            if not waited.done():
                waited.set_result(None)

        self.call_at(self._now + round(seconds * 1_000), wake)
        await waited

    def call_at(self, at: Instant, action: Callable[[], None]) -> None:
        """Do `action` when the clock reaches `at`, or at the next move if that is past."""
        self._count += 1
        heapq.heappush(self._due, (max(at, self._now), self._count, action))

    def next_due(self) -> Instant | None:
        """When something is due next; None if nothing is."""
        return self._due[0][0] if self._due else None

    def advance_to(self, at: Instant) -> None:
        """Move to `at`, doing what is due in the order of its time; never backwards."""
        while self._due and self._due[0][0] <= at:
            self._step()
        self._now = max(self._now, at)

    async def run_to(self, at: Instant) -> None:
        """Move to `at` as `advance_to`, letting tasks that wait on this clock act in between."""
        await _let_others_act()
        while self._due and self._due[0][0] <= at:
            self._step()
            await _let_others_act()
        self._now = max(self._now, at)
        await _let_others_act()

    def _step(self) -> None:
        due, _, action = heapq.heappop(self._due)
        self._now = max(self._now, due)
        action()


async def _let_others_act() -> None:
    for _ in range(_TURNS_AFTER_A_MOVE):
        await asyncio.sleep(0)
