"""Lists the catalogue's kinds whole, at the start and now and then.

At the start it is the only way to know that nothing is missing; later it is the guard against
a watch of kopf's that has died.
"""

import logging
from collections.abc import Awaitable, Callable
from typing import Any, Final

import msgspec

from idlewatt_operator.gateways.kubernetes.backoff import Backoff
from idlewatt_operator.gateways.kubernetes.catalogue import CATALOGUED, Catalogue
from idlewatt_operator.gateways.kubernetes.session import ApiSession, ApiUnreachable, Call
from idlewatt_operator.gateways.kubernetes.writes import API_GROUP_PATH
from idlewatt_operator.resources.base import API_VERSION, Resource

_LOG: Final = logging.getLogger(__name__)

RELIST_SECONDS: Final = 300.0


class _Metadata(msgspec.Struct, rename="camel"):
    resource_version: str = ""


class _List(msgspec.Struct):
    items: list[dict[str, Any]]
    metadata: _Metadata


_LIST: Final = msgspec.json.Decoder(_List)


async def keep_listing(
    session: ApiSession,
    catalogue: Catalogue,
    *,
    jitter: Callable[[], float],
    sleep: Callable[[float], Awaitable[None]],
    every_seconds: float = RELIST_SECONDS,
) -> None:
    """List at once, again after every failure, and every few minutes for as long as it runs."""
    backoff = Backoff(jitter)
    while True:
        failure = await list_all(session, catalogue)
        if failure:
            _LOG.warning("%s", failure)
            await sleep(backoff.next_seconds())
        else:
            backoff.reset()
            await sleep(every_seconds * (1 - jitter() / 10))


async def list_anew(
    session: ApiSession,
    catalogue: Catalogue,
    *,
    jitter: Callable[[], float],
    sleep: Callable[[float], Awaitable[None]],
) -> None:
    """List every kind with consistent reads that begin after this, and return once that is done."""
    backoff = Backoff(jitter)
    while failure := await list_all(session, catalogue):
        _LOG.warning("%s", failure)
        await sleep(backoff.next_seconds())


async def list_all(session: ApiSession, catalogue: Catalogue) -> str:
    """List every kind; a sentence where one could not be, else nothing."""
    failure = ""
    for kind in CATALOGUED:
        try:
            await _list(session, catalogue, kind)
        except (ApiUnreachable, msgspec.DecodeError) as error:
            failure = f"{kind.naming.plural} could not be listed: {error}"
        except Exception as error:  # noqa: BLE001 # a fault of ours must not end the guard
            _LOG.exception("The listing of %s failed.", kind.naming.plural)
            failure = f"{kind.naming.plural} could not be listed: {error!r}"
    return failure


async def _list(session: ApiSession, catalogue: Catalogue, kind: type[Resource]) -> None:
    answer = await session.send(Call("GET", f"{API_GROUP_PATH}/{kind.naming.plural}"))
    if not answer.ok:
        raise ApiUnreachable(answer.message)
    found = _LIST.decode(answer.body)
    # The items of a list leave out what its head says once.
    head = {"apiVersion": API_VERSION, "kind": kind.naming.kind}
    manifests = ({**head, **item} for item in found.items)
    catalogue.replace(kind, manifests, found.metadata.resource_version)
