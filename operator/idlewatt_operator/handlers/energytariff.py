"""EnergyTariffs: each event goes to the catalogue."""

from typing import Any

import kopf

from idlewatt_operator.gateways.kubernetes.catalogue import Catalogue
from idlewatt_operator.resources.energytariff import EnergyTariff


def register(registry: kopf.OperatorRegistry, catalogue: Catalogue) -> None:
    """Observe the EnergyTariffs."""

    @kopf.on.event("idlewatt.dev", "v1alpha1", EnergyTariff.naming.plural, registry=registry)
    async def energy_tariff(event: kopf.RawEvent, **_: Any) -> None:  # noqa: ANN401 # kopf's own
        if event["type"] == "DELETED":
            catalogue.drop(EnergyTariff, event["object"])
        else:
            catalogue.put(EnergyTariff, event["object"])
