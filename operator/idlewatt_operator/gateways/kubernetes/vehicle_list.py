"""The names of all vehicles in one object, a VehicleList, for the chart's admission policy.

A policy of the API server cannot look a Node up, and one that is tried with every VehicleNode
costs 0.12 ms a vehicle for each pod that anybody creates. So one object has all the names. It is
of a kind of its own: what a policy knows of a ConfigMap stands still for ever once the last
policy that reads one was deleted, until the API server starts again (measured with 1.35).
"""

import logging
from collections.abc import Awaitable, Callable, Collection
from typing import Final
from urllib.parse import quote

from idlewatt_operator.gateways.kubernetes.session import Call
from idlewatt_operator.gateways.kubernetes.writes import Writes
from idlewatt_operator.gateways.protocols import Outcome

_LOG: Final = logging.getLogger(__name__)

API_VERSION: Final = "admission.idlewatt.dev/v1alpha1"
KIND: Final = "VehicleList"

_APPLY: Final = "application/apply-patch+yaml"
_HOW: Final = "?fieldManager=idlewatt&force=true"
_LOOK_SECONDS: Final = 1.0
_AGAIN_SECONDS: Final = 5.0
_REPAIR_AFTER_LOOKS: Final = 600
"""Whatever somebody else wrote there is put right after ten minutes."""


async def keep_vehicle_list(
    writes: Writes,
    name: str,
    names: Callable[[], Collection[str] | None],
    *,
    sleep: Callable[[float], Awaitable[None]],
) -> None:
    """Keep the VehicleList `name` to all names, for as long as it runs and leads.

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
        result = await writes.write("vehicle list", list_call(name, known))
        if result.outcome is Outcome.DONE:
            written, said, looks = known, "", 0
            continue
        if result.message != said:
            said = result.message
            _LOG.warning("The names of the vehicles could not be written: %s", said)
        await sleep(_AGAIN_SECONDS)


def list_call(name: str, names: Collection[str]) -> Call:
    """Make the object, or write it over; JSON is YAML."""
    body = {
        "apiVersion": API_VERSION,
        "kind": KIND,
        "metadata": {"name": name},
        "names": sorted(names),
    }
    path = f"/apis/{API_VERSION}/vehiclelists/{quote(name)}{_HOW}"
    return Call("PATCH", path, body=body, content_type=_APPLY)
