"""Entries of a Redis stream, as whichever protocol gives them."""

import asyncio
from typing import Any


def entries_of(answer: Any) -> list[tuple[bytes, dict[bytes, bytes]]]:  # noqa: ANN401 # untyped there
    """What an XREAD of one stream gave."""
    if not answer:
        return []
    streams = answer.values() if isinstance(answer, dict) else (found for _, found in answer)
    first = next(iter(streams))
    # With RESP3 the entries are one level deeper.
    return first[0] if first and isinstance(first[0], list) else first


def text_of(value: bytes | str) -> str:
    """A field or a value as text; what is none has the sign for it."""
    return value if isinstance(value, str) else value.decode(errors="replace")


def number_of(entry_id: str) -> tuple[int, int]:
    """An entry's id as what orders it: the milliseconds, and its number within them."""
    milliseconds, _, sequence = entry_id.partition("-")
    return int(milliseconds), int(sequence)


def end_if_cancelled() -> None:
    """Obey a cancellation that redis-py (8.1) swallowed on its way here."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError
