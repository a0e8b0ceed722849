"""Stays at homes, drawn from the quantiles that were counted there.

Between two quantiles the draw is even; beyond the outermost ones it is held there, so that no
stay is longer and no battery larger than the data support. The profile has no joint figures:
each quantity is drawn by itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from random import Random
from typing import Any, Final

from idlewatt_operator.twin.datasets import home_profile

_FIRST_HOUR: Final = 11
_SATURDAY: Final = 5
_MINUTES_PER_HOUR: Final = 60


def drawn(levels: Sequence[float], values: Sequence[float], share: float) -> float:
    """The value at `share` of the distribution whose quantiles at `levels` are `values`.

    Args:
        levels: rising, each between 0 and 1.
        values: rising, as many.
        share: from 0 to 1; outside the levels the outermost value is held.
    """
    if share <= levels[0]:
        return values[0]
    for (low, below), (high, above) in pairwise(zip(levels, values, strict=True)):
        if share <= high:
            return below + (above - below) * (share - low) / (high - low)
    return values[-1]


@dataclass(frozen=True, slots=True)
class HomeStay:
    """What the profile says of one plug-in.

    Attributes:
        day: the local day of the plug-in.
        minute: of that day.
        charge_percent: on arrival.
    """

    day: date
    minute: int
    stay_hours: float
    charge_percent: float
    capacity_kwh: float
    charge_power_kw: float


class HomeProfile:
    """`home_profile.json`, and draws from it."""

    def __init__(self, figures: dict[str, Any] | None = None) -> None:
        self.figures = home_profile() if figures is None else figures
        self.levels: list[float] = self.figures["stay_hours_quantiles"]["levels"]

    def draw(self, evening: date, dice: Random) -> HomeStay:
        """One plug-in between 11:00 on `evening` and 11:00 the next day."""
        day, hour = self._hour(evening, dice.random())
        return HomeStay(
            day=day,
            minute=hour * _MINUTES_PER_HOUR + dice.randrange(_MINUTES_PER_HOUR),
            stay_hours=drawn(self.levels, self._stays_after(hour), dice.random()),
            charge_percent=self.quantity("state_of_charge_start_percent_quantiles", dice),
            capacity_kwh=self.quantity("battery_capacity_kwh_quantiles", dice),
            charge_power_kw=self.quantity("charge_power_kw_quantiles", dice),
        )

    def quantity(self, name: str, dice: Random) -> float:
        """A draw from the quantiles of this name."""
        return drawn(self.levels, self.figures[name], dice.random())

    def _hour(self, evening: date, share: float) -> tuple[date, int]:
        """The hour at `share` of a day's plug-ins, by the shares of each day's kind."""
        following = evening + timedelta(days=1)
        hours = [(evening, hour) for hour in range(_FIRST_HOUR, 24)]
        hours += [(following, hour) for hour in range(_FIRST_HOUR)]
        weights = [self._shares(day)[hour] for day, hour in hours]
        left = share * sum(weights)
        for place, weight in zip(hours, weights, strict=True):
            left -= weight
            if left < 0:
                return place
        return hours[-1]

    def _shares(self, day: date) -> list[float]:
        kind = "weekend" if day.weekday() >= _SATURDAY else "weekday"
        shares: list[float] = self.figures["plug_in_hour_share"][kind]
        return shares

    def _stays_after(self, hour: int) -> Sequence[float]:
        """The quantiles of the stays that begin in the stretch of hours with this one."""
        for name, values in self.figures["stay_hours_quantiles"].items():
            first, dash, last = name.partition("-")
            if dash and int(first) <= hour < int(last):
                quantiles: list[float] = values
                return quantiles
        message = f"the profile has no stays that begin at {hour} o'clock"
        raise ValueError(message)
