"""What can be read of a VehicleNode that cannot be used: enough to let pods leave in time."""

from decimal import Decimal
from typing import Any

import pytest
from tests.integration.fleet_manifests import Manifest, a_vehicle

from idlewatt_operator.resources.salvage import NO_CURRENCY, readable_part
from idlewatt_operator.resources.to_model import to_vehicle
from idlewatt_operator.resources.vehiclenode import VehicleNode
from idlewatt_scheduler.model.vehicle import Vehicle


def salvaged(manifest: Manifest) -> Vehicle:
    """The vehicle; it has to be readable."""
    resource = readable_part(manifest)
    assert resource is not None
    return to_vehicle(resource)


def test_a_field_that_nobody_knows_is_left_out() -> None:
    """As a newer enrolment may write it: all else is as it is written."""
    manifest = a_vehicle(unheardOf=1)
    manifest["spec"]["battery"]["colour"] = "blue"
    manifest["spec"]["parkingWindows"][0]["colour"] = "blue"
    usable = to_vehicle(VehicleNode.model_validate(a_vehicle()))
    found = salvaged(manifest)
    assert (found.battery, found.windows) == (usable.battery, usable.windows)
    assert (found.agreement, found.compute) == (usable.agreement, usable.compute)


def test_it_takes_no_new_pods() -> None:
    """Its monthly cap counts as reached, which drains nobody."""
    found = salvaged(a_vehicle(unheardOf=1))
    assert found.compensation.monthly_cap == Decimal(0)
    assert not found.suspend


@pytest.mark.parametrize(
    ("change", "read"),
    [
        ({"suspend": "yes"}, lambda found: found.suspend is True),
        ({"agreement": {"id": 7}}, lambda found: found.agreement is None),
        ({"battery": None}, lambda found: found.battery.reserve_percent == 100),
        (
            {"battery": {"netCapacityWattHours": 1, "reservePercent": 9, "departurePercent": 8}},
            lambda found: found.battery.departure_percent == 100,
        ),
        ({"compute": {"maxPowerWatts": -1}}, lambda found: found.compute.capacity == {}),
        ({"compensation": 7}, lambda found: found.compensation.currency == NO_CURRENCY),
        ({"connection": {}}, lambda found: found.max_charge_power_watts == 22_000),
        ({"link": "slow"}, lambda found: found.link.downlink_bits_per_second is None),
        ({"parkingWindows": [{"name": "x"}]}, lambda found: found.windows == ()),
        ({"parkingExceptions": [{"name": "x"}]}, lambda found: found.windows == ()),
        (
            {"connection": {"maxChargePowerWatts": 7_400, "phases": 4}},
            lambda found: (found.max_charge_power_watts, found.taper) == (22_000, ()),
        ),
        ({"battery": 7}, lambda found: found.battery.net_capacity_watt_hours == 1_000_000),
    ],
)
def test_a_block_with_a_mistake_gives_way_to_a_cautious_one(change: Manifest, read: Any) -> None:  # noqa: ANN401
    """No consent, a battery that must not be used, no window: pods leave where that matters."""
    assert read(salvaged(a_vehicle(**change)))


def test_a_mistake_in_what_was_observed_leaves_it_out() -> None:
    """Telemetry tells it anew; without it, it is missing, and so stale."""
    status = {"battery": {"stateOfChargePercent": 101}, "parking": {"parked": True}}
    found = salvaged({**a_vehicle(), "status": status})
    assert found.observed.battery is None
    assert found.observed.parking is not None
    assert salvaged({**a_vehicle(), "status": 7}).observed.parking is None


@pytest.mark.parametrize("spoilt", [{"spec": 7}, {"spec": None}, {"metadata": {"name": 7}}, {}])
def test_what_is_no_vehicle_at_all_is_not_read(spoilt: Manifest) -> None:
    """Nothing is made up where nothing is there."""
    assert readable_part({"kind": "VehicleNode", **spoilt}) is None
