"""The clock that is moved by hand."""

import asyncio

from idlewatt_operator.twin.clock import ManualClock


async def test_what_is_due_is_done_in_the_order_of_its_time() -> None:
    """Also what was asked for on the way; and the clock shows each one's time meanwhile."""
    clock = ManualClock(0)
    done: list[tuple[str, int]] = []

    def first() -> None:
        done.append(("first", clock.now()))
        clock.call_at(20, lambda: done.append(("between", clock.now())))

    clock.call_at(30, lambda: done.append(("last", clock.now())))
    clock.call_at(10, first)
    assert clock.next_due() == 10
    clock.advance_to(100)
    assert done == [("first", 10), ("between", 20), ("last", 30)]
    assert clock.now() == 100
    assert clock.next_due() is None


async def test_a_sleeper_wakes_when_the_clock_gets_there() -> None:
    """Not before, however much of the wall's time passes."""
    clock = ManualClock(0)
    woken: list[int] = []

    async def sleeper() -> None:
        await clock.sleep(5)
        woken.append(clock.now())
        await clock.sleep(5)
        woken.append(clock.now())

    task = asyncio.create_task(sleeper())
    await clock.run_to(4_999)
    assert woken == []
    await clock.run_to(20_000)
    assert woken == [5_000, 10_000]
    await task


async def test_it_never_goes_back() -> None:
    """A move to the past is none."""
    clock = ManualClock(100)
    clock.advance_to(50)
    assert clock.now() == 100
