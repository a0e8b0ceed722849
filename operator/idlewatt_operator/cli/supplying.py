"""Tariffs with a source, supplied while the operator runs."""

import asyncio
import contextlib
import logging
import os
import random
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import Final

from idlewatt_operator.gateways.kubernetes.gateway import KubernetesCluster
from idlewatt_operator.gateways.leadership import Leadership
from idlewatt_operator.gateways.preflight import connected
from idlewatt_operator.gateways.protocols import Clock
from idlewatt_operator.gateways.redis.address import RedisAddress
from idlewatt_operator.gateways.tariffs.asking import Asker
from idlewatt_operator.gateways.tariffs.entsoe import KEY_VARIABLE
from idlewatt_operator.gateways.tariffs.keeping import RedisKeeping
from idlewatt_operator.gateways.tariffs.refreshing import TariffSources
from idlewatt_operator.resources.energytariff import Source

_LOG: Final = logging.getLogger(__name__)

PATIENCE_SECONDS: Final = 20.0
"""Unknown prices drain what runs off-peak: a start waits for them, but not for ever."""


@contextlib.asynccontextmanager
async def supplying(  # noqa: PLR0913 # what it is made of, all of it injected
    cluster: KubernetesCluster,
    clock: Clock,
    redis: RedisAddress | None,
    folder: Path | None,
    *,
    on_change: Callable[[], None],
    leadership: Leadership,
) -> AsyncIterator[TariffSources]:
    """Ask the sources of the cluster's tariffs for as long as the block lasts.

    Args:
        cluster: whose tariffs are supplied.
        clock: by which they age.
        redis: where the last good answers are kept; None: nowhere.
        folder: of sources that are files; None: there is none.
        on_change: called when an answer brought something new.
        leadership: asked before anything is kept.
    """

    def wanted() -> Mapping[str, Source] | None:
        return cluster.catalogue.sources if cluster.catalogue.synced else None

    async with contextlib.AsyncExitStack() as stack:
        keeping = None
        if redis is not None:
            client, _ = await connected(redis)
            await stack.enter_async_context(contextlib.aclosing(client))
            keeping = RedisKeeping(client)
        sources = TariffSources(
            wanted,
            Asker(folder, os.environ.get(KEY_VARIABLE, "")),
            clock,
            on_change=on_change,
            jitter=random.random,
            keeping=keeping,
            leadership=leadership,
            sleep=clock.sleep,
        )
        cluster.supply = sources.completed
        task = asyncio.create_task(sources.run())
        try:
            yield sources
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def settled(sources: TariffSources, stop: asyncio.Event) -> None:
    """Return once every source was asked, what it kept was read, or patience or the run is over."""
    waits = [asyncio.create_task(wait) for wait in (sources.wait_settled(), stop.wait())]
    done, late = await asyncio.wait(
        waits, timeout=PATIENCE_SECONDS, return_when=asyncio.FIRST_COMPLETED
    )
    for task in late:
        task.cancel()
    await asyncio.gather(*late, return_exceptions=True)
    if not done:
        _LOG.warning(
            "Not every source of a tariff answered within %.0f s: their prices are unknown until "
            "they do.",
            PATIENCE_SECONDS,
        )
