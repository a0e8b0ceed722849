"""Whether the wear that is paid covers the wear that is modelled."""

from dataclasses import replace
from decimal import Decimal

from idlewatt_operator.resources.finding import Finding
from idlewatt_operator.resources.wear_covered import wear_covered
from idlewatt_scheduler.model.policy import WearFloor
from idlewatt_scheduler.model.vehicle import ObservedBattery, Vehicle
from idlewatt_scheduler.testing import AT, a_policy, a_vehicle


def a_car(paid: str, chemistry: str | None = "LFP", cost: str | None = "100") -> Vehicle:
    """A car whose owner is paid so much for wear, observed at 24 C."""
    made = a_vehicle()
    battery = replace(
        made.battery,
        chemistry=chemistry,
        replacement_cost_per_kwh=None if cost is None else Decimal(cost),
        compute_rise_kelvin=5,
    )
    return replace(
        made,
        battery=battery,
        compensation=replace(made.compensation, wear_per_kwh=Decimal(paid)),
        observed=replace(made.observed, battery=ObservedBattery(70, 24, AT)),
    )


def told(vehicle: Vehicle, floor: WearFloor = WearFloor.AGREEMENT) -> Finding:
    """What is found under a policy."""
    return wear_covered(vehicle, a_policy(wear_floor=floor), AT)


def test_a_rate_below_the_model_is_told() -> None:
    """With both figures and with what to do."""
    finding = told(a_car("0.0001"))
    assert (finding.type, finding.status, finding.reason) == (
        "WearCovered",
        "False",
        "WearBelowModel",
    )
    assert "is paid 0.0001 EUR a kWh" in finding.message


def test_a_rate_above_the_model_covers_it() -> None:
    """However cheap the model holds it to be."""
    assert told(a_car("0.50")).reason == "Covered"


def test_a_warm_battery_is_asked_about_as_warm_as_it_is() -> None:
    """A cold one is asked about at 25 C, so that a cold night takes no sentence back."""
    paid = "0.0205"
    warm, cold = (
        replace(each, observed=replace(each.observed, battery=ObservedBattery(70, celsius, AT)))
        for each, celsius in ((a_car(paid), 44), (a_car(paid), -5))
    )
    assert told(warm).reason == "WearBelowModel"
    assert told(cold) == told(a_car(paid))


def test_a_policy_whose_floor_is_the_model_covers_it() -> None:
    """Whatever the agreement says."""
    assert told(a_car("0"), WearFloor.MODEL).reason == "FloorIsModel"


def test_what_is_not_known_is_named() -> None:
    """And is a fault only where the policy relies on the model."""
    for vehicle, word in (
        (a_car("0.05", chemistry=None), "chemistry is not given"),
        (a_car("0.05", chemistry="LTO"), "does not know LTO cells"),
        (a_car("0.05", cost=None), "battery.replacementCostPerKWh"),
    ):
        finding = told(vehicle)
        assert (finding.status, finding.reason) == ("Unknown", "ModelUnknown")
        assert word in finding.message
        assert told(vehicle, WearFloor.MODEL).status == "False"
