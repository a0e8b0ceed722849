"""What can be read of a VehicleNode that cannot be used as it is written.

Its car stands there all the same, and pods may run on it: they have to leave in time, and what it
draws loads its circuits. So what can be read is read. A field that nobody knows is left out; a
block with a mistake gives way to the most cautious one: no consent, a battery that must not be
used, no window. Nothing is placed on such a vehicle, as if its monthly cap were reached.
"""

import copy
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from pydantic import ValidationError

from idlewatt_operator.resources.vehiclenode import VehicleNode

NO_CURRENCY: Final = "XXX"
"""ISO 4217's code where no currency is meant: the compensation cannot be read."""

_NOTHING_IS_PAID: Final[Mapping[str, str]] = {"currency": "EUR"}

_CAUTIOUS: Final[Mapping[str, object]] = {
    "suspend": True,
    "compensation": _NOTHING_IS_PAID,
    "battery": {"netCapacityWattHours": 1_000_000, "reservePercent": 100, "departurePercent": 100},
    "compute": {"maxPowerWatts": 1, "capacity": {}},
    "connection": {"maxChargePowerWatts": 22_000},
}
"""By block of the spec; one that is missing here is left out. 22 kW: three phases of 32 A.

The battery is one that no night fills: where charging is ours to plan, the car is charged at once
and for as long as it stands.
"""

_ATTEMPTS: Final = 5
"""A block that gave way may uncover a rule between two blocks."""


def readable_part(manifest: Mapping[str, Any]) -> VehicleNode | None:
    """The resource, with cautious blocks for what cannot be read; None: nothing can be.

    Args:
        manifest: as the API server holds it.
    """
    rest = copy.deepcopy(dict(manifest))
    for _ in range(_ATTEMPTS):
        try:
            resource = VehicleNode.model_validate(rest)
        except ValidationError as error:
            for line in error.errors():
                if not _mended(rest, line["type"], line["loc"]):
                    return None
        else:
            paid = rest["spec"]["compensation"] is not _NOTHING_IS_PAID
            return _that_takes_nothing(resource, paid=paid)
    return None


def _mended(rest: dict[str, Any], what: str, place: tuple[str | int, ...]) -> bool:
    """Whether the mistake was taken out."""
    if what == "extra_forbidden":
        return _left_out(rest, place)
    match place:
        case ("spec", str(block), *_):
            return _made_cautious(rest, block)
        case ("status", str(block), *_):
            return _left_out(rest, ("status", block))
        case ("status", *_):
            return _left_out(rest, ("status",))
        case _:
            return False


def _left_out(rest: dict[str, Any], place: tuple[str | int, ...]) -> bool:
    """Done as well where the part around it gave way before."""
    part: Any = rest
    for step in place[:-1]:
        try:
            part = part[step]
        except (KeyError, IndexError, TypeError):
            return True
    if isinstance(part, dict):
        part.pop(str(place[-1]), None)
    return True


def _made_cautious(rest: dict[str, Any], block: str) -> bool:
    spec = rest.get("spec")
    if not isinstance(spec, dict):
        return False
    if block == "parkingExceptions":
        spec.pop("parkingWindows", None)
    if block in _CAUTIOUS:
        spec[block] = _CAUTIOUS[block]
    else:
        spec.pop(block, None)
    return True


def _that_takes_nothing(resource: VehicleNode, *, paid: bool) -> VehicleNode:
    terms: dict[str, object] = {"monthly_cap": Decimal(0)}
    if not paid:
        terms["currency"] = NO_CURRENCY
    compensation = resource.spec.compensation.model_copy(update=terms)
    spec = resource.spec.model_copy(update={"compensation": compensation})
    return resource.model_copy(update={"spec": spec})
