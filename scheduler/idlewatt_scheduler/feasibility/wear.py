"""What a kWh of computing wears off a battery, by the wear model's coefficients."""

from fractions import Fraction

from idlewatt_scheduler.model.units import Instant
from idlewatt_scheduler.model.vehicle import Vehicle


def wear_rate(vehicle: Vehicle, at: Instant) -> Fraction | None:
    """In the owner's currency per kWh DC; None: of this battery nothing is known."""
    del vehicle, at
    return None
