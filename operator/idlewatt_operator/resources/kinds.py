"""The four kinds by name, and the one way to read an object of any of them."""

from collections.abc import Mapping
from typing import Any, Final

from idlewatt_operator.resources.base import Resource
from idlewatt_operator.resources.energytariff import EnergyTariff
from idlewatt_operator.resources.fleetpolicy import FleetPolicy
from idlewatt_operator.resources.parkingsite import ParkingSite
from idlewatt_operator.resources.vehiclenode import VehicleNode

KINDS: Final[Mapping[str, type[Resource]]] = {
    kind.naming.kind: kind for kind in (VehicleNode, ParkingSite, EnergyTariff, FleetPolicy)
}


def read_resource(manifest: Mapping[str, Any]) -> Resource:
    """Read an object of one of our kinds.

    Raises:
        KeyError: it is of another kind.
        pydantic.ValidationError: it breaks a rule; `errors.sentences` says which, in words.
    """
    return KINDS[manifest["kind"]].model_validate(dict(manifest))
