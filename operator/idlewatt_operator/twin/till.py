"""What was paid and emitted so far, while a play goes on: a display's figures, not the books."""

from bisect import bisect_right

from idlewatt_operator.twin.journal import Draw
from idlewatt_operator.twin.quarters import Quarter
from idlewatt_operator.twin.scenario import Scenario
from idlewatt_scheduler.model.site import EnergyBearer
from idlewatt_scheduler.model.units import HOUR, Instant

_GRAMS_PER_KILOGRAM = 1_000
_MILLIWATT_MILLISECONDS_PER_KWH = 3.6e12


class Till:
    """Adds up draws as they come, in floats; waking is left to the accounts."""

    def __init__(self, scenario: Scenario, quarters: tuple[Quarter, ...]) -> None:
        self.paid = 0.0
        self.kilograms = 0.0
        self._quarters = quarters
        self._starts = [quarter.start for quarter in quarters]
        self._rates = {each.name: each.compensation for each in scenario.vehicles}
        self._fleet_pays = {
            site.name for site in scenario.sites if site.energy_borne_by is EnergyBearer.FLEET
        }
        self._read: dict[str, int] = {}

    def price_at(self, at: Instant) -> float | None:
        """The price per kWh in the quarter of `at`."""
        price = self._quarter(at).price
        return None if price is None else float(price)

    def count(self, vehicle: str, draws: list[Draw]) -> None:
        """Add what this vehicle drew since it was last counted."""
        rates = self._rates[vehicle]
        for draw in draws[self._read.get(vehicle, 0) :]:
            if draw.computing_dc:
                self._add(draw, float(rates.energy_per_kwh))
                length = draw.end - draw.start
                self.paid += float(rates.availability_per_hour) * length / HOUR
                dc_kwh = draw.computing_dc * length / _MILLIWATT_MILLISECONDS_PER_KWH
                self.paid += float(rates.wear_per_kwh) * dc_kwh
        self._read[vehicle] = len(draws)

    def _add(self, draw: Draw, rate: float) -> None:
        quarter = self._quarter(draw.start)
        kwh = draw.computing * (draw.end - draw.start) / _MILLIWATT_MILLISECONDS_PER_KWH
        if draw.site in self._fleet_pays:
            rate = float(quarter.price or 0)
        self.paid += rate * kwh
        self.kilograms += float(quarter.grams or 0) * kwh / _GRAMS_PER_KILOGRAM

    def _quarter(self, at: Instant) -> Quarter:
        return self._quarters[max(0, bisect_right(self._starts, at) - 1)]
