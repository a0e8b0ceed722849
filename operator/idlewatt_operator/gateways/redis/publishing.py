"""Telemetry from a file: every line judged as the reader will judge it, then sent."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from redis.exceptions import RedisError

from idlewatt_operator.gateways.redis.address import AddressError, RedisAddress
from idlewatt_operator.gateways.redis.contract import STREAM, ReportError, read_report

STREAM_LENGTH_MAX: Final = 1_000_000
"""About so many entries are kept in the stream; what is known is kept beside it."""

_BATCH: Final = 500
_LINE: Final = msgspec.json.Decoder(dict[str, Any])


class PublishError(Exception):
    """Redis did not take it; the message is a sentence."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the file.

    Attributes:
        number: 1 for the first.
        fields: of the stream's entry; empty where the line is no report at all.
        mistakes: a sentence each; a line with any is bad.
    """

    number: int
    fields: Mapping[str, str]
    mistakes: tuple[str, ...] = ()


def read_lines(lines: Iterable[str]) -> Iterator[Line]:
    """Judge each line that is not blank."""
    for number, text in enumerate(lines, start=1):
        if text.strip():
            yield _line(number, text)


def _line(number: int, text: str) -> Line:
    try:
        written = _LINE.decode(text)
    except (msgspec.DecodeError, RecursionError) as error:
        return Line(number, {}, (f"It is not a JSON object: {error}.",))
    wrong = [name for name, value in written.items() if name != "data" and type(value) is not str]
    if wrong:
        return Line(number, {}, (f"Its field {wrong[0][:128]} is not text in quotes.",))
    if not isinstance(written.get("data"), dict):
        return Line(number, {}, ("Its field data is not an object of signals and values.",))
    fields = {**written, "data": json.dumps(written["data"], separators=(",", ":"))}
    try:
        report = read_report(fields)
    except ReportError as error:
        return Line(number, fields, (str(error),))
    return Line(number, fields, (*report.problems, *report.passed_over))


async def publish(address: RedisAddress, entries: Sequence[Mapping[str, str]]) -> None:
    """Append the entries to the stream, in their order.

    Raises:
        PublishError: Redis did not take them all.
    """
    try:
        client = address.connect()
    except AddressError as error:
        sentence = f"The address of Redis cannot be used: {error}."
        raise PublishError(sentence) from error
    sent = 0
    try:
        for start in range(0, len(entries), _BATCH):
            batch = entries[start : start + _BATCH]
            async with client.pipeline(transaction=False) as pipeline:
                for entry in batch:
                    fields: dict[Any, Any] = dict(entry)
                    pipeline.xadd(STREAM, fields, maxlen=STREAM_LENGTH_MAX, approximate=True)
                await pipeline.execute()
            sent += len(batch)
    except (RedisError, OSError, TimeoutError) as error:
        sentence = (
            f"Redis at {address.shown} did not take them all: {str(error).rstrip('.')}. "
            f"{sent} of {len(entries)} reports were sent."
        )
        raise PublishError(sentence) from error
    finally:
        await client.aclose()
