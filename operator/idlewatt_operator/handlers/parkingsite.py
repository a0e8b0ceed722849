"""ParkingSites: each event goes to the catalogue."""

from typing import Any

import kopf

from idlewatt_operator.gateways.kubernetes.catalogue import Catalogue
from idlewatt_operator.resources.parkingsite import ParkingSite


def register(registry: kopf.OperatorRegistry, catalogue: Catalogue) -> None:
    """Observe the ParkingSites."""

    @kopf.on.event("idlewatt.dev", "v1alpha1", ParkingSite.naming.plural, registry=registry)
    async def parking_site(event: kopf.RawEvent, **_: Any) -> None:  # noqa: ANN401 # kopf's own
        if event["type"] == "DELETED":
            catalogue.drop(ParkingSite, event["object"])
        else:
            catalogue.put(ParkingSite, event["object"])
