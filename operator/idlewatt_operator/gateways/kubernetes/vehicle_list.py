"""The names of all vehicles in one ConfigMap, for the chart's admission policy.

A policy of the API server cannot look a Node up, and one that is tried with every VehicleNode
costs 0.12 ms a vehicle for each pod that anybody creates. So one object has all the names.
"""

import logging
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from idlewatt_operator.gateways.kubernetes.session import MERGE_PATCH, Call
from idlewatt_operator.gateways.kubernetes.writes import Writes
from idlewatt_operator.gateways.protocols import Outcome

_LOG: Final = logging.getLogger(__name__)

_LOOK_SECONDS: Final = 1.0
_AGAIN_SECONDS: Final = 5.0
_REPAIR_AFTER_LOOKS: Final = 600
"""Whatever somebody else wrote there is put right after ten minutes."""


@dataclass(frozen=True, slots=True)
class ConfigMapName:
    """Where a ConfigMap is."""

    namespace: str
    name: str

    @classmethod
    def parse(cls, text: str) -> "ConfigMapName":
        """Read `NAMESPACE/NAME`.

        Raises:
            ValueError: it is something else; the message is a sentence.
        """
        namespace, slash, name = text.partition("/")
        if not (slash and namespace and name) or "/" in name:
            sentence = (
                f"'{text[:64]}' is no NAMESPACE/NAME of a ConfigMap, such as idlewatt/vehicles."
            )
            raise ValueError(sentence)
        return cls(namespace, name)

    @property
    def path(self) -> str:
        """Its path on the API server."""
        return f"/api/v1/namespaces/{quote(self.namespace)}/configmaps/{quote(self.name)}"


async def keep_vehicle_list(
    writes: Writes,
    target: ConfigMapName,
    names: Callable[[], Collection[str] | None],
    *,
    sleep: Callable[[float], Awaitable[None]],
) -> None:
    """Keep `data.names` of the ConfigMap to all names, one a line, for as long as it runs and leads.

    `names` gives those of all vehicles now, None where they are not known yet; `sleep` returns
    after so many seconds.
    """
    written: Collection[str] | None = None
    said, looks = "", 0
    while True:
        looks += 1
        known = names() if writes.may_write else None
        if known is None or (known == written and looks < _REPAIR_AFTER_LOOKS):
            await sleep(_LOOK_SECONDS)
            continue
        body = {"data": {"names": "\n".join(sorted(known))}}
        call = Call("PATCH", target.path, body=body, content_type=MERGE_PATCH)
        result = await writes.write("vehicle list", call)
        if result.outcome is Outcome.DONE:
            written, said, looks = known, "", 0
            continue
        if result.message != said:
            said = result.message
            _LOG.warning("The names of the vehicles could not be written: %s", said)
        await sleep(_AGAIN_SECONDS)
