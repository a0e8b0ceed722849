"""The last good answer of each source, kept in Redis over a restart.

An operator that starts while a publisher is away must not know less than the one before it:
unknown prices drain what runs off-peak. What is kept keeps its age.
"""

import zlib
from typing import Final, Protocol

import msgspec
from redis.asyncio import Redis
from redis.exceptions import RedisError

from idlewatt_operator.resources.energytariff import Source
from idlewatt_operator.resources.tariff_answers import MOST_BYTES
from idlewatt_scheduler.model.units import Instant

HASH: Final = "idlewatt:tariffs"
VERSION: Final = 1
MOST_KEPT_BYTES: Final = 16_000_000
"""Packed. A day-ahead market is a few kilobytes."""


class Kept(msgspec.Struct, frozen=True):
    """One field of the hash.

    Attributes:
        source: the source that was asked; of another one nothing is believed.
        answered_at: milliseconds since 1970.
        packed: the answer's text, deflated.
    """

    version: int
    source: str
    answered_at: Instant
    packed: bytes


class KeepingError(Exception):
    """Redis could not be asked, or what it keeps cannot be read; the message is a sentence."""


class Keeping(Protocol):
    """Where answers are kept."""

    async def read(self, tariff: str, source: Source) -> tuple[bytes, Instant] | None:
        """The last good answer of this very source, and when it came; None: there is none."""

    async def write(self, tariff: str, source: Source, text: bytes, at: Instant) -> None:
        """Keep an answer."""

    async def forget(self, tariffs: frozenset[str]) -> None:
        """Keep nothing but of these."""


def told(source: Source) -> str:
    """A source as text: two that are equal tell the same."""
    return source.model_dump_json(include={"type", "area", "url", "path"})


class RedisKeeping:
    """`Keeping` in one hash, a field for each tariff."""

    def __init__(self, client: Redis) -> None:
        self._client = client

    async def read(self, tariff: str, source: Source) -> tuple[bytes, Instant] | None:
        """The last good answer of this very source.

        Raises:
            KeepingError: Redis is away, or what it keeps is no answer.
        """
        try:
            field = await self._client.hget(HASH, tariff)
        except (RedisError, OSError) as error:
            message = f"The last answer for {tariff} cannot be read from Redis: {error}."
            raise KeepingError(message) from error
        if field is None:
            return None
        try:
            kept = msgspec.msgpack.decode(_bytes(field), type=Kept)
            if (kept.version, kept.source) != (VERSION, told(source)):
                return None
            unpacked = zlib.decompressobj()
            return unpacked.decompress(kept.packed, MOST_BYTES), kept.answered_at
        except (msgspec.DecodeError, zlib.error) as error:
            message = f"What Redis keeps for {tariff} is no answer of ours: {error}."
            raise KeepingError(message) from error

    async def write(self, tariff: str, source: Source, text: bytes, at: Instant) -> None:
        """Keep an answer; one that is too large even when packed is not kept.

        Raises:
            KeepingError: it is too large, or Redis is away.
        """
        packed = zlib.compress(text)
        if len(packed) > MOST_KEPT_BYTES:
            message = (
                f"The answer for {tariff} is {len(packed):,} bytes even when packed, so it is not "
                "kept over a restart."
            )
            raise KeepingError(message)
        field = msgspec.msgpack.encode(Kept(VERSION, told(source), at, packed))
        try:
            await self._client.hset(HASH, tariff, field)
        except (RedisError, OSError) as error:
            message = f"The answer for {tariff} cannot be kept in Redis: {error}."
            raise KeepingError(message) from error

    async def forget(self, tariffs: frozenset[str]) -> None:
        """Keep nothing but of these tariffs.

        Raises:
            KeepingError: Redis is away.
        """
        try:
            there = {_bytes(name).decode() for name in await self._client.hkeys(HASH)}
            gone = sorted(there - tariffs)
            if gone:
                await self._client.hdel(HASH, *gone)
        except (RedisError, OSError) as error:
            message = f"Redis cannot be asked for what it keeps of tariffs: {error}."
            raise KeepingError(message) from error


def _bytes(value: bytes | str) -> bytes:
    return value if isinstance(value, bytes) else value.encode("utf-8", "surrogateescape")
