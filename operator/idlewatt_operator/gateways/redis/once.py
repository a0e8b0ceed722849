"""What vehicles reported and what tariffs' sources said, read once; nothing is written."""

import asyncio
import contextlib
from collections.abc import Container, Mapping
from typing import Final

from idlewatt_operator.gateways.clock import WallClock
from idlewatt_operator.gateways.leadership import Nobody
from idlewatt_operator.gateways.preflight import StartError, connected
from idlewatt_operator.gateways.protocols import Telemetry
from idlewatt_operator.gateways.redis.address import RedisAddress
from idlewatt_operator.gateways.redis.telemetry import RedisTelemetry
from idlewatt_operator.gateways.tariffs.keeping import RedisKeeping
from idlewatt_operator.gateways.tariffs.once import Supplied, as_kept, supplied
from idlewatt_operator.resources.energytariff import Source
from idlewatt_scheduler.model.tariff import Tariff

_PATIENCE_SECONDS: Final = 30.0


async def read_telemetry_once(
    address: RedisAddress, known: Container[str], within_seconds: float = _PATIENCE_SECONDS
) -> Telemetry:
    """The latest report of every vehicle and circuit.

    Raises:
        StartError: Redis cannot be reached, or did not give all of it in time.
    """
    client, trouble = await connected(address)
    async with contextlib.aclosing(client):
        if trouble:
            raise StartError(trouble)
        source = RedisTelemetry(
            client,
            WallClock(),
            known=lambda: known,
            on_change=lambda: None,
            jitter=lambda: 0.0,
            leadership=Nobody(),
        )
        reading = asyncio.create_task(source.run())
        synced = asyncio.create_task(source.wait_synced())
        await asyncio.wait({reading, synced}, timeout=within_seconds)
        for task in (reading, synced):
            task.cancel()
        await asyncio.gather(reading, synced, return_exceptions=True)
        if not source.synced:
            why = source.trouble or f"it took more than {within_seconds:.0f} s"
            sentence = f"What vehicles report could not be read from {address.shown}: {why}"
            raise StartError(sentence)
        return source.latest()


async def read_sources_once(
    address: RedisAddress, tariffs: Mapping[str, Tariff], sources: Mapping[str, Source]
) -> Supplied:
    """The tariffs with what the operator was last told by their sources.

    Raises:
        StartError: Redis cannot be reached.
    """
    client, trouble = await connected(address)
    async with contextlib.aclosing(client):
        if trouble:
            raise StartError(trouble)
        return await supplied(tariffs, sources, as_kept(RedisKeeping(client)))
