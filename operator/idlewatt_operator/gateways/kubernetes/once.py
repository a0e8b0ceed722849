"""A cluster read once, with `list` and nothing more: for somebody who asks, and goes again."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from typing import Final, TypeVar

import msgspec

from idlewatt_operator.gateways.kubernetes.catalogue import Catalogue
from idlewatt_operator.gateways.kubernetes.departures import DeparturesReader
from idlewatt_operator.gateways.kubernetes.informer import Watched
from idlewatt_operator.gateways.kubernetes.listing import list_all
from idlewatt_operator.gateways.kubernetes.session import ApiSession, ApiUnreachable, Call
from idlewatt_operator.gateways.kubernetes.watched import (
    NODES,
    VEHICLES,
    other_pods,
    our_pods,
    with_readable,
)
from idlewatt_operator.gateways.preflight import StartError
from idlewatt_operator.gateways.protocols import ClusterView
from idlewatt_operator.resources.energytariff import Source
from idlewatt_operator.resources.records import Refused

_PAGE_OBJECTS: Final = 500
_ATTEMPTS: Final = 4
_PAUSE_SECONDS: Final = 1.0
"""An API server that has just learned of a kind cannot list it for a moment."""

_REFUSED: Final = "forbidden"
_LEARNED_WITHIN_SECONDS: Final = 5.0
_FORBIDDEN: Final = 403

T = TypeVar("T")


class _Metadata(msgspec.Struct):
    continue_: str = msgspec.field(name="continue", default="")


class _Page(msgspec.Struct):
    items: list[msgspec.Raw] | None = None
    metadata: _Metadata = msgspec.field(default_factory=_Metadata)


_PAGE: Final = msgspec.json.Decoder(_Page)


@dataclass(frozen=True, slots=True)
class Reading:
    """A cluster at one moment.

    Attributes:
        sources: by tariff, where its prices come from; what they said is not in the cluster.
    """

    view: ClusterView
    sources: Mapping[str, Source]


async def read_once(session: ApiSession, scheduler_name: str) -> Reading:
    """All that a cycle would look at, as it stands in the cluster now.

    Raises:
        StartError: a kind could not be listed; the message says which, and why.
    """
    catalogue = Catalogue(lambda: None)
    for left in reversed(range(_ATTEMPTS)):
        failure = await list_all(session, catalogue)
        if not failure:
            break
        if not left or _REFUSED in failure:
            raise StartError(failure)
        await asyncio.sleep(_PAUSE_SECONDS)
    departures = await _learned(session, catalogue)
    ours, _ = await _whole(session, our_pods(scheduler_name), lambda pod: pod.pod.uid)
    others, _ = await _whole(session, other_pods(scheduler_name), lambda pod: pod.pod.uid)
    nodes, _ = await _whole(session, NODES, lambda node: node.name)
    vehicles, refused = await _whole(session, VEHICLES, lambda each: each.vehicle.name)
    view = ClusterView(
        synced=True,
        policy=catalogue.policy,
        vehicles=with_readable(vehicles, refused),
        nodes=nodes,
        sites=catalogue.sites,
        tariffs=catalogue.tariffs,
        learned=departures.learned,
        pods={**others, **ours},
        refused=(*catalogue.refused, *refused),
    )
    return Reading(view, catalogue.sources)


async def _learned(session: ApiSession, catalogue: Catalogue) -> DeparturesReader:
    """What the policy names; where it may not be read, what is stated stands."""
    reader = DeparturesReader(
        session, catalogue, lambda: None, jitter=lambda: 0.0, sleep=asyncio.sleep
    )
    reading = asyncio.create_task(reader.run())
    settled = asyncio.create_task(reader.wait_settled())
    await asyncio.wait({reading, settled}, timeout=_LEARNED_WITHIN_SECONDS)
    for task in (reading, settled):
        task.cancel()
    await asyncio.gather(reading, settled, return_exceptions=True)
    return reader


async def _whole(
    session: ApiSession, watched: Watched[T], key: Callable[[T], str]
) -> tuple[dict[str, T], list[Refused]]:
    found: dict[str, T] = {}
    refused: list[Refused] = []
    async for raw in _items(session, watched):
        try:
            value = watched.read(raw)
        except (msgspec.DecodeError, ValueError) as error:
            refused.append(Refused(watched.kind, "", str(error)))
            continue
        if isinstance(value, Refused):
            refused.append(value)
        else:
            found[key(value)] = value
    return found, refused


async def _items(session: ApiSession, watched: Watched[T]) -> AsyncIterator[bytes]:
    token = ""
    while True:
        params = {"limit": str(_PAGE_OBJECTS)}
        if watched.field_selector:
            params["fieldSelector"] = watched.field_selector
        if token:
            params["continue"] = token
        try:
            answer = await session.send(Call("GET", watched.path, params))
            page = _PAGE.decode(answer.body) if answer.ok else None
        except (ApiUnreachable, msgspec.DecodeError) as error:
            sentence = f"The {watched.name} could not be listed: {error}"
            raise StartError(sentence) from error
        if page is None:
            advice = (
                " Asking needs list, and no other right." if answer.status == _FORBIDDEN else ""
            )
            sentence = f"The {watched.name} could not be listed: {answer.message}.{advice}"
            raise StartError(sentence)
        for item in page.items or ():
            yield bytes(item)
        token = page.metadata.continue_
        if not token:
            return
