"""The loop: cycles when asked and when time has moved, and no failure that ends it."""

import asyncio
import logging

import pytest

from idlewatt_operator.reconcile.loop import Loop
from idlewatt_operator.reconcile.report import Report
from idlewatt_operator.settings import Settings
from idlewatt_operator.twin.clock import ManualClock
from idlewatt_scheduler.model.units import HOUR, MINUTE, SECOND, Instant
from idlewatt_scheduler.testing import AT


class Cycles:
    """Counts the cycles, and fails in those it is told to."""

    def __init__(self, clock: ManualClock) -> None:
        self.at: list[Instant] = []
        self.fail_in: set[int] = set()
        self._clock = clock

    async def run(self) -> Report | None:
        """One cycle."""
        self.at.append(self._clock.now() - AT)
        if len(self.at) in self.fail_in:
            message = "no such thing"
            raise RuntimeError(message)
        return None


async def played(until: Instant, requests: tuple[Instant, ...] = ()) -> list[Instant]:
    """When cycles ran, with requests at these times."""
    clock = ManualClock(AT)
    cycles = Cycles(clock)
    loop = Loop(cycles.run, clock, Settings())
    for at in requests:
        clock.call_at(AT + at, loop.request)
    task = asyncio.create_task(loop.run())
    await clock.run_to(AT + until)
    loop.stop()
    await clock.run_to(AT + until + SECOND)
    await task
    return cycles.at


async def test_time_alone_starts_a_cycle_every_ten_seconds() -> None:
    """Nothing is requested, and tariffs and departures come nearer all the same."""
    assert await played(35 * SECOND) == [0, 10 * SECOND, 20 * SECOND, 30 * SECOND]


async def test_a_request_starts_a_cycle_soon() -> None:
    """A change is acted on within the debounce once the last cycle is a second old."""
    assert await played(6 * SECOND, (4 * SECOND,)) == [0, 4_200]


async def test_many_requests_are_one_cycle() -> None:
    """A burst of changes is gathered, and cycles keep a second between them."""
    burst = tuple(range(300, 900, 10))
    assert await played(5 * SECOND, burst) == [0, 1_000]


async def test_a_failing_cycle_never_stops_the_next(caplog: pytest.LogCaptureFixture) -> None:
    """It is told in a sentence, and ten seconds later the next one runs."""
    clock = ManualClock(AT)
    cycles = Cycles(clock)
    cycles.fail_in = {1, 2}
    loop = Loop(cycles.run, clock, Settings())
    task = asyncio.create_task(loop.run())
    with caplog.at_level(logging.ERROR):
        await clock.run_to(AT + 25 * SECOND)
    loop.stop()
    await clock.run_to(AT + 26 * SECOND)
    await task
    assert cycles.at == [0, 10 * SECOND, 20 * SECOND]
    assert loop.failures == 2
    assert "the next one runs" in caplog.text


async def test_a_cycle_that_hangs_makes_a_zombie_that_can_be_told() -> None:
    """The heartbeat's age grows while a cycle does not end."""
    clock = ManualClock(AT)

    async def hang() -> Report | None:
        await asyncio.Event().wait()
        return None

    loop = Loop(hang, clock, Settings())
    task = asyncio.create_task(loop.run())
    await clock.run_to(AT + 4 * MINUTE)
    assert not loop.is_zombie
    await clock.run_to(AT + 6 * MINUTE)
    assert loop.is_zombie
    assert loop.heartbeat_age == 6 * MINUTE
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_cycles_that_only_fail_are_no_progress() -> None:
    """A leader whose memory breaks every cycle gives way to one that begins anew."""
    clock = ManualClock(AT)
    broken = True

    async def fail() -> Report | None:
        if broken:
            message = "no such thing"
            raise RuntimeError(message)
        return None

    loop = Loop(fail, clock, Settings())
    task = asyncio.create_task(loop.run())
    await clock.run_to(AT + 4 * MINUTE)
    assert not loop.is_zombie
    await clock.run_to(AT + 6 * MINUTE)
    assert loop.is_zombie
    broken = False
    await clock.run_to(AT + 7 * MINUTE)
    assert not loop.is_zombie
    loop.stop()
    await clock.run_to(AT + 8 * MINUTE)
    await task


async def test_a_clock_that_is_set_back_holds_up_no_cycle() -> None:
    """Due times of the old clock are an hour away; what passes on the new one counts."""
    clock = SetBack(AT)
    cycles = Cycles(clock)
    loop = Loop(cycles.run, clock, Settings())
    clock.call_at(AT + 5 * SECOND, loop.request)
    task = asyncio.create_task(loop.run())
    await clock.run_to(AT + 4 * SECOND)
    clock.back = HOUR
    await clock.run_to(AT + 40 * SECOND)
    loop.stop()
    await clock.run_to(AT + 60 * SECOND)
    await task
    assert len(cycles.at) >= 3


class SetBack(ManualClock):
    """A clock that a time server corrects; sleeping is not touched by it."""

    back = 0

    def now(self) -> Instant:
        """The present instant, as corrected."""
        return super().now() - self.back
