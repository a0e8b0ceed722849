"""Many writes at once: bounded, and none spoils another."""

import asyncio
import logging

import pytest

from idlewatt_operator.reconcile.flight import each
from idlewatt_operator.twin.faults import Crashed


async def test_no_more_are_in_flight_than_allowed() -> None:
    """Sixty writes, never more than twenty-four at once, all answered in order."""
    flying, most = 0, 0

    async def write(item: int) -> int:
        nonlocal flying, most
        flying += 1
        most = max(most, flying)
        await asyncio.sleep(0)
        flying -= 1
        return item * 2

    answers = await each(range(60), write, 24)
    assert answers == [(item, item * 2) for item in range(60)]
    assert most == 24


async def test_one_that_raises_does_not_stop_the_others(caplog: pytest.LogCaptureFixture) -> None:
    """A fault of ours is logged with its trace, and left out of the answers."""

    async def write(item: int) -> int:
        return 6 // item

    with caplog.at_level(logging.ERROR):
        assert await each((3, 0, 2), write, 2) == [(3, 2), (2, 3)]
    assert "a fault of ours" in caplog.text


async def test_a_death_is_not_survived() -> None:
    """What is no ordinary exception goes through."""

    async def write(_: int) -> int:
        raise Crashed

    with pytest.raises(Crashed):
        await each((1, 2), write, 2)
