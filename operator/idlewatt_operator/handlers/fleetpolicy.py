"""FleetPolicies: each event goes to the catalogue."""

from typing import Any

import kopf

from idlewatt_operator.gateways.kubernetes.catalogue import Catalogue
from idlewatt_operator.resources.fleetpolicy import FleetPolicy


def register(registry: kopf.OperatorRegistry, catalogue: Catalogue) -> None:
    """Observe the FleetPolicies."""

    @kopf.on.event("idlewatt.dev", "v1alpha1", FleetPolicy.naming.plural, registry=registry)
    async def fleet_policy(event: kopf.RawEvent, **_: Any) -> None:  # noqa: ANN401 # kopf's own
        if event["type"] == "DELETED":
            catalogue.drop(FleetPolicy, event["object"])
        else:
            catalogue.put(FleetPolicy, event["object"])
