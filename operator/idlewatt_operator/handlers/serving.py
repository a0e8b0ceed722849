"""kopf, embedded in our loop, observing and nothing else: no finalizers, patches or events.

Three of its ways are kept out. Its own runner ends by cancelling every task of the loop that
was started after it, ours included, so its tasks are waited for here. It takes SIGINT and
SIGTERM for itself, so they are taken back. And ten minutes after it was asked to stop it kills
the process, which a restart of the watch alone must not do.
"""

import asyncio
import contextlib
import logging
import signal
from collections.abc import Awaitable, Callable, Collection
from typing import Any, Final

import kopf

from idlewatt_operator.gateways.kubernetes.backoff import Backoff
from idlewatt_operator.gateways.kubernetes.catalogue import Catalogue
from idlewatt_operator.gateways.kubernetes.credentials import CredentialsError, CredentialSource
from idlewatt_operator.handlers import energytariff, fleetpolicy, parkingsite

_LOG: Final = logging.getLogger(__name__)

_CONNECTIONS: Final = 8
_SERVER_SECONDS: Final = 290
_CLIENT_SECONDS: Final = 330
_SILENCE_SECONDS: Final = 90.0
_STOPPING_SECONDS: Final = 10.0


async def serve(
    source: CredentialSource,
    catalogue: Catalogue,
    *,
    stop: asyncio.Event,
    jitter: Callable[[], float],
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> None:
    """Observe the kinds of which there are few until `stop` is set or the task is cancelled.

    In the main thread SIGINT and SIGTERM set `stop` from here on. Where kopf ends by itself it
    is started again; the catalogue's own listing bridges the gap.
    """
    backoff = Backoff(jitter)
    while not stop.is_set():
        began = asyncio.get_running_loop().time()
        try:
            await _serve_once(_registry(source, catalogue), stop)
        except Exception as error:  # noqa: BLE001 # whatever ended kopf must not end the operator
            _LOG.warning("The observation of sites, tariffs and policies ended: %s", error)
        if stop.is_set():
            return
        if asyncio.get_running_loop().time() - began > _SERVER_SECONDS:
            backoff.reset()
        await sleep(backoff.next_seconds())


async def _serve_once(registry: kopf.OperatorRegistry, stop: asyncio.Event) -> None:
    tasks = await kopf.spawn_tasks(
        registry=registry, settings=_settings(), standalone=True, clusterwide=True, stop_flag=stop
    )
    try:
        _take_signals_back(stop)
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        await _end(tasks)


async def _end(tasks: Collection[asyncio.Task[Any]]) -> None:
    for task in tasks:
        task.cancel()
    _, pending = await asyncio.wait(tasks, timeout=_STOPPING_SECONDS)
    if pending:
        _LOG.warning("%d tasks of kopf did not end in time and were left.", len(pending))


def _take_signals_back(stop: asyncio.Event) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        # In another thread than the main one kopf takes none either.
        with contextlib.suppress(NotImplementedError, RuntimeError, ValueError):
            loop.add_signal_handler(number, stop.set)


def _settings() -> kopf.OperatorSettings:
    settings = kopf.OperatorSettings()
    settings.posting.enabled = False
    settings.scanning.disabled = True
    settings.process.ultimate_exiting_timeout = None
    settings.watching.server_timeout = _SERVER_SECONDS
    settings.watching.client_timeout = _CLIENT_SECONDS
    settings.watching.inactivity_timeout = _SILENCE_SECONDS
    return settings


def _registry(source: CredentialSource, catalogue: Catalogue) -> kopf.OperatorRegistry:
    registry = kopf.OperatorRegistry()

    @kopf.on.login(registry=registry)
    async def login(**_: Any) -> kopf.AiohttpSession:  # noqa: ANN401 # kopf's own
        try:
            credentials = await source.load()
        except CredentialsError as error:
            raise kopf.TemporaryError(str(error), delay=5) from error
        # kopf closes it, when the credentials are refused and when it ends.
        return kopf.AiohttpSession(
            server=credentials.server, aiohttp_session=credentials.http_session(_CONNECTIONS)
        )

    for kind in (parkingsite, energytariff, fleetpolicy):
        kind.register(registry, catalogue)
    return registry
