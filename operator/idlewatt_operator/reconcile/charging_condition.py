"""Whether idlewatt charges a car, and if it should and does not, why.

Only of cars at sites whose charging is idlewatt's. One that was, and has gone elsewhere, is told
of once more, so that nothing stands there that is not so any more.
"""

from collections.abc import Mapping
from typing import Final

from idlewatt_operator.gateways.protocols import Condition
from idlewatt_operator.resources.records import VehicleRecord
from idlewatt_scheduler.candidates import Parked
from idlewatt_scheduler.charging import is_controlled, is_ours
from idlewatt_scheduler.model.site import ChargingController
from idlewatt_scheduler.model.vehicle import Supply

KIND: Final = "ChargingControlled"


_SENTENCES: Final[Mapping[str, str]] = {
    "External": "It stands at no site whose charging is idlewatt's.",
    "Unplugged": "It is not plugged in.",
    "NotSupplied": "Its charge point gives nothing.",
    "CircuitUnknown": "It was observed on no circuit of its site, so idlewatt cannot tell what it "
    "may draw: report Idlewatt.Connection.Circuit.",
    "Acknowledged": "Its charger follows what idlewatt plans.",
    "OutsideParkingWindow": "No parking window of it is open here, so it has no departure to be "
    "charged by.",
    "NotParked": "It is not parked.",
    "TelemetryMissing": "What it has to report is missing, stale or invalid.",
    "NotAcknowledged": "Its charger has not acknowledged a charging profile, so its charging "
    "counts as somebody else's: look whether the charging gateway reaches it.",
}


def charging_condition(parked: Parked, record: VehicleRecord) -> Condition | None:
    """`ChargingControlled`; None where nobody asks."""
    reason = _reason(parked)
    if reason == "External" and not _stands(record.status):
        return None
    status = "True" if reason == "Acknowledged" else "False"
    return Condition(KIND, status, reason, _SENTENCES[reason], record.generation)


def _stands(status: Mapping[str, object]) -> bool:
    rows = status.get("conditions")
    listed = rows if isinstance(rows, list) else []
    return any(isinstance(row, Mapping) and row.get("type") == KIND for row in listed)


def _reason(parked: Parked) -> str:
    """The first that holds, of which there is always one."""
    case = parked.case
    site, observed = case.site, case.vehicle.observed
    connection, parking = observed.connection, observed.parking
    supply = connection.supply if connection is not None else None
    ours = site is not None and site.charging_controller is ChargingController.IDLEWATT
    holding = {
        "External": not ours,
        "Unplugged": supply in {None, Supply.UNPLUGGED},
        "NotSupplied": supply is not Supply.SUPPLIED,
        "CircuitUnknown": not parked.circuits,
        "Acknowledged": is_controlled(case),
        "OutsideParkingWindow": parked.charge_by is None,
        "NotParked": parking is not None and parking.parked is False,
        "TelemetryMissing": not is_ours(case, parked.circuits),
        "NotAcknowledged": True,
    }
    return next(reason for reason, holds in holding.items() if holds)
