"""Many writes at once, but not too many, none of which can spoil another."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

_Item = TypeVar("_Item")
_Answer = TypeVar("_Answer")

_log = logging.getLogger(__name__)


async def each(
    items: Iterable[_Item],
    write: Callable[[_Item], Awaitable[_Answer]],
    in_flight: int,
) -> list[tuple[_Item, _Answer]]:
    """Write every item, at most `in_flight` at a time; the answers, in the items' order.

    A write that raises is a fault of ours: it is logged and left out, the others go on.
    """
    gate = asyncio.Semaphore(in_flight)
    listed = list(items)

    async def one(item: _Item) -> _Answer:
        async with gate:
            return await write(item)

    answers = await asyncio.gather(*map(one, listed), return_exceptions=True)
    done: list[tuple[_Item, _Answer]] = []
    for item, answer in zip(listed, answers, strict=True):
        if isinstance(answer, Exception):
            _log.error(
                "A write failed through a fault of ours and is tried again in the next cycle: %r",
                answer,
                exc_info=answer,
            )
        elif isinstance(answer, BaseException):
            raise answer
        else:
            done.append((item, answer))
    return done
