"""What was learned of departures, read from the one ConfigMap that the FleetPolicy names.

It is asked for once a minute, and as soon as the policy names another one. A watch would tell a
change at once, but what is learned changes once a day at most, and a watch needs the verbs list
and watch: `get` on one name is the least right with which a ConfigMap can be read.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final
from urllib.parse import quote

import msgspec

from idlewatt_operator.gateways.kubernetes.backoff import Backoff
from idlewatt_operator.gateways.kubernetes.catalogue import Catalogue
from idlewatt_operator.gateways.kubernetes.session import Answer, ApiSession, ApiUnreachable, Call
from idlewatt_operator.resources.learned import Learned, Named, learned_departures
from idlewatt_operator.resources.objects import Metadata

_LOG: Final = logging.getLogger(__name__)

_LOOK_SECONDS: Final = 1.0
_READ_AGAIN_AFTER_LOOKS: Final = 60
_NOT_FOUND: Final = 404
_FORBIDDEN: Final = 403


class _ConfigMap(msgspec.Struct):
    metadata: Metadata
    data: dict[str, str] | None = None


_CONFIG_MAP: Final = msgspec.json.Decoder(_ConfigMap)


class DeparturesReader:
    """Keeps what was learned; `run` reads it for as long as it is not cancelled.

    Args:
        catalogue: which has the policy, and so the name of the ConfigMap.
        on_change: called when something else is known than before.
        jitter: numbers in [0, 1), for delays.
    """

    def __init__(
        self,
        session: ApiSession,
        catalogue: Catalogue,
        on_change: Callable[[], None],
        *,
        jitter: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]],
    ) -> None:
        self._session = session
        self._catalogue = catalogue
        self._on_change = on_change
        self._sleep = sleep
        self._backoff = Backoff(jitter)
        self._known = Learned()
        self._version = ""
        self._settled = asyncio.Event()

    @property
    def learned(self) -> Learned:
        """What is known of the ConfigMap that the policy names now."""
        named = self._catalogue.departures
        return self._known if named == self._known.named else Learned(named)

    @property
    def settled(self) -> bool:
        """What the policy names was asked for once, whatever came of it."""
        return self._settled.is_set()

    async def wait_settled(self) -> None:
        """Return once `settled`."""
        await self._settled.wait()

    async def run(self) -> None:
        """Read what the policy names, again and again; only cancellation ends it."""
        await self._catalogue.wait_synced()
        looks = 0
        while True:
            named, looks = self._catalogue.departures, looks + 1
            answered = True
            if named is None:
                self._take(Learned())
            elif named != self._known.named or looks > _READ_AGAIN_AFTER_LOOKS:
                looks, answered = 0, await self._read(named)
            self._settled.set()
            if answered:
                self._backoff.reset()
                await self._sleep(_LOOK_SECONDS)
            else:
                looks = _READ_AGAIN_AFTER_LOOKS
                await self._sleep(self._backoff.next_seconds())

    async def _read(self, named: Named) -> bool:
        """Whether the API server answered; what was known stays while it does not."""
        path = f"/api/v1/namespaces/{quote(named.namespace)}/configmaps/{quote(named.name)}"
        try:
            answer = await self._session.send(Call("GET", path))
        except ApiUnreachable as error:
            return self._unanswered(named, str(error))
        if answer.status == _NOT_FOUND:
            self._take(Learned.missing(named))
        elif answer.status == _FORBIDDEN:
            self._take(Learned.forbidden(named))
        elif answer.ok:
            self._take_answer(named, answer)
        else:
            return self._unanswered(named, answer.message)
        return True

    def _unanswered(self, named: Named, why: str) -> bool:
        if named != self._known.named:
            fault = f"The {named} could not be asked for yet: {why.rstrip('.')}."
            self._take(Learned(named, fault=fault))
        return False

    def _take_answer(self, named: Named, answer: Answer) -> None:
        try:
            found = _CONFIG_MAP.decode(answer.body)
        except msgspec.DecodeError as error:
            self._take(Learned(named, fault=f"The {named} cannot be read: {error}."))
            return
        version = found.metadata.resource_version
        if named != self._known.named or version != self._version or not version:
            self._take(learned_departures(named, found.data), version)

    def _take(self, learned: Learned, version: str = "") -> None:
        changed = learned != self._known
        self._known, self._version = learned, version
        if changed:
            if learned.fault:
                _LOG.warning("%s", learned.fault)
            self._on_change()
