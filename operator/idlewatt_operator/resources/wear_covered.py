"""Whether an owner is paid at least what the wear model says that a kWh wears off the battery."""

from decimal import ROUND_CEILING, Decimal
from functools import lru_cache
from typing import Final

from idlewatt_operator.resources.finding import Finding
from idlewatt_scheduler.model.policy import FleetPolicy, WearFloor
from idlewatt_scheduler.model.units import DAY, Instant
from idlewatt_scheduler.model.vehicle import (
    Agreement,
    Battery,
    Compensation,
    Compute,
    Observation,
    ObservedBattery,
    Vehicle,
)
from idlewatt_scheduler.wear import model_rate
from idlewatt_scheduler.wear_coefficients import CELLS

_KIND: Final = "WearCovered"
_TEMPERATE_CELSIUS: Final = 25


def wear_covered(vehicle: Vehicle, policy: FleetPolicy, at: Instant) -> Finding:
    """`WearCovered`: the agreement's rate against the model's, at 25 C or as warm as it is.

    A rate by the minute would come and go with the charge; so the model is asked about a pack at
    its departure charge, and below 25 C about one of 25 C.
    """
    seen = vehicle.observed.battery
    warmth = seen.temperature_celsius if seen is not None else None
    rate = _rate(
        vehicle.battery,
        vehicle.compensation,
        vehicle.agreement,
        vehicle.compute.max_power_watts,
        max(_TEMPERATE_CELSIUS, warmth or _TEMPERATE_CELSIUS),
        at - at % DAY,
    )
    floor = policy.wear_floor is WearFloor.MODEL
    if rate is None:
        return _unknown(vehicle, floor=floor)
    if floor:
        sentence = "The FleetPolicy pays at least the wear model's rate."
        return Finding(_KIND, "True", "FloorIsModel", sentence)
    paid, currency = vehicle.compensation.wear_per_kwh, vehicle.compensation.currency
    if paid < rate:
        return Finding(
            _KIND,
            "False",
            "WearBelowModel",
            f"Its owner is paid {paid} {currency} a kWh for wear, and the wear model says "
            f"{_shown(rate)}: raise compensation.wearPerKWh with a new version of the agreement, "
            "or set wearFloor: Model in the FleetPolicy.",
        )
    return Finding(_KIND, "True", "Covered", "Its wearPerKWh is no less than the wear model's.")


@lru_cache(maxsize=65_536)
def _rate(  # noqa: PLR0913, PLR0917 # all that the rate depends on, for the cache
    battery: Battery,
    compensation: Compensation,
    agreement: Agreement | None,
    max_power_watts: int,
    celsius: int,
    day: Instant,
) -> Decimal | None:
    """The model's rate of a usual night; asked of every vehicle in every cycle."""
    usual = ObservedBattery(battery.departure_percent, celsius)
    vehicle = Vehicle(
        name="",
        compensation=compensation,
        battery=battery,
        compute=Compute(max_power_watts, {}),
        max_charge_power_watts=0,
        agreement=agreement,
        observed=Observation(battery=usual),
    )
    return model_rate(vehicle, day)


def _unknown(vehicle: Vehicle, *, floor: bool) -> Finding:
    chemistry, known = vehicle.battery.chemistry, ", ".join(CELLS)
    if chemistry is None:
        why = f"its chemistry is not given: set battery.chemistry, of which {known} are known"
    elif chemistry not in CELLS:
        why = f"the wear model does not know {chemistry} cells; it knows {known}"
    else:
        why = "what a new battery costs is not given: set battery.replacementCostPerKWh"
    sentence = f"What computing wears off its battery is not known, since {why}."
    if not floor:
        return Finding(_KIND, "Unknown", "ModelUnknown", sentence)
    return Finding(
        _KIND, "False", "ModelUnknown", f"{sentence} Until then the agreement's rate is paid."
    )


def _shown(rate: Decimal) -> str:
    """To a thousandth, upwards."""
    return f"{rate.quantize(Decimal('0.001'), rounding=ROUND_CEILING)}"
