"""Whether a car's charger follows what idlewatt plans, and why not."""

from dataclasses import replace

import pytest

from idlewatt_operator.reconcile.charging_condition import KIND, charging_condition
from idlewatt_operator.resources.records import VehicleRecord
from idlewatt_scheduler.candidates import assemble
from idlewatt_scheduler.model.site import Site
from idlewatt_scheduler.model.units import HOUR
from idlewatt_scheduler.model.vehicle import Observation, Supply, Vehicle
from idlewatt_scheduler.testing import (
    AT,
    a_charging_site,
    a_controlled_car,
    a_site,
    a_snapshot,
)

OURS = a_charging_site()


def told(vehicle: Vehicle, site: Site = OURS, *standing: str) -> tuple[str, str] | None:
    """Status and reason of the condition, where these conditions stand already."""
    snapshot = a_snapshot(vehicles=(vehicle,), sites={site.name: site})
    candidate = next(each for each in assemble(snapshot).candidates if each.name == vehicle.name)
    assert candidate.parked is not None
    rows: list[object] = [{"type": kind} for kind in standing]
    record = VehicleRecord(vehicle, generation=3, status={"conditions": rows})
    condition = charging_condition(candidate.parked, record)
    if condition is None:
        return None
    assert (condition.type, condition.observed_generation) == (KIND, 3)
    return condition.status, condition.reason


def test_a_car_whose_charger_acknowledged_is_controlled() -> None:
    """And one elsewhere is nobody's business, unless it was ours before."""
    assert told(a_controlled_car()) == ("True", "Acknowledged")
    assert told(a_controlled_car(), a_site()) is None
    assert told(replace(a_controlled_car(), observed=Observation())) is None
    assert told(a_controlled_car(), a_site(), KIND) == ("False", "External")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"observed__connection__profile": None}, "NotAcknowledged"),
        (
            {"observed__connection__supply": Supply.UNPLUGGED},
            "Unplugged",
        ),
        ({"observed__connection__supply": Supply.PLUGGED_NOT_SUPPLIED}, "NotSupplied"),
        ({"observed__connection__circuit": None}, "CircuitUnknown"),
        ({"observed__connection__profile": None, "windows": ()}, "OutsideParkingWindow"),
        ({"observed__connection__profile": None, "observed__parking__parked": False}, "NotParked"),
        (
            {"observed__connection__profile": None, "observed__battery__observed_at": AT - HOUR},
            "TelemetryMissing",
        ),
    ],
)
def test_what_keeps_idlewatt_from_charging_a_car_is_told(
    changes: dict[str, object], reason: str
) -> None:
    """The first thing that a person can look after."""
    assert told(a_controlled_car(**changes)) == ("False", reason)
