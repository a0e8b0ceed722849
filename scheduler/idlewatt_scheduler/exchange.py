"""Exchange rates and the currency of a plan."""

from collections.abc import Iterable
from fractions import Fraction

from idlewatt_scheduler.model.policy import FleetPolicy
from idlewatt_scheduler.model.vehicle import Vehicle

_SAME = Fraction(1)


class Exchange:
    """The policy's rates, as they are listed: no inverse, no chain.

    Attributes:
        plan_currency: the `to` of the first rate, else the fleet's only currency, else None.
    """

    __slots__ = ("_rates", "plan_currency")

    def __init__(self, policy: FleetPolicy, vehicles: Iterable[Vehicle]) -> None:
        self._rates: dict[tuple[str, str], Fraction] = {}
        for rate in policy.exchange_rates:
            pair = (rate.from_currency, rate.to_currency)
            self._rates.setdefault(pair, Fraction(rate.rate))
        if policy.exchange_rates:
            self.plan_currency: str | None = policy.exchange_rates[0].to_currency
        else:
            currencies = {vehicle.compensation.currency for vehicle in vehicles}
            self.plan_currency = currencies.pop() if len(currencies) == 1 else None

    def rate(self, from_currency: str, to_currency: str) -> Fraction | None:
        """What one unit is worth; None without a rate."""
        if from_currency == to_currency:
            return _SAME
        return self._rates.get((from_currency, to_currency))

    def to_plan(self, currency: str) -> Fraction | None:
        """What one unit is worth in the plan's currency; None without a rate."""
        return None if self.plan_currency is None else self.rate(currency, self.plan_currency)
