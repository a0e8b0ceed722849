"""Distributions of few stays, leaning on those of more: partial pooling by weights.

Every distribution is a mixture of all stays, each with a weight. A site leans on all sites, an
hour of the day on its site, a weekday on that hour of all working days or weekend days, these on
that hour of all days, and a vehicle on what its site does then:
with `n` stays of its own, the mixture is n parts its own and `LEAN` parts its parent's. One part
more is the worst that can be: a car that leaves as it comes. So what is promised of p % of
departures holds, on the average, of those still to come, of which any may be the worst yet.

A site that is not known gets, percentage by percentage, the most careful answer of the known ones.
"""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from idlewatt_operator.learning.past import WHOLE, Columns, Floats

LEAN: Final = 20.0
"""How many stays of its own weigh as much as the parent."""

HOUR_WIDTH: Final = 1.0
"""Neighbouring hours count as by a bell curve this wide."""

HOURS_APART_MOST: Final = 3
"""Hours further away than this do not count at all."""

_KEPT: Final = 32
"""Mixtures that are kept: the hours of one site, and what they lean on."""

_LEVELS: Final = np.arange(101) / 100.0
_SATURDAY: Final = 5


@dataclass(frozen=True, slots=True)
class Keys:
    """Which distribution; what is None is not told apart.

    Attributes:
        site: its number; None: of a site that is not known.
        vehicle: its number, at that site.
        hour: of the arrival.
        weekday: of the arrival.
    """

    site: int | None = None
    vehicle: int | None = None
    hour: int | None = None
    weekday: int | None = None


class Pool:
    """Stays to take distributions from, sorted once."""

    def __init__(self, stays: Columns) -> None:
        order = np.argsort(stays.values, kind="stable")
        self._values = stays.values[order]
        self._stays = stays.where(order)
        self._stated = stays.stated
        self._sites = np.unique(stays.site)
        self._known: dict[Keys, tuple[Floats, Floats]] = {}

    def quantiles(self, keys: Keys) -> Floats:
        """The 101 quantiles of the stays that the keys tell, leaning on the others."""
        if keys.site is not None or self._sites.size == 1:
            return self._quantiles(self.weights(keys))
        of_sites = [self.quantiles(replace(keys, site=int(site))) for site in self._sites]
        careful = np.max if self._stated else np.min
        return np.asarray(careful(of_sites, axis=0), dtype=np.float64)

    def own(self, keys: Keys) -> float:
        """How many stays the keys tell, neighbouring hours and days counted by their weight."""
        return float(self._mixed(keys)[0].sum())

    def weights(self, keys: Keys) -> Floats:
        """The weight of every stay, in order of their values; together less than 1."""
        return self._mixed(keys)[1]

    def _mixed(self, keys: Keys) -> tuple[Floats, Floats]:
        """How much of its own every stay is, and its weight."""
        known = self._known.get(keys)
        if known is None:
            known = self._mix(keys)
            if keys.vehicle is None:  # a vehicle's are asked for once, and there are many
                self._known[keys] = known
                if len(self._known) > _KEPT:
                    self._known.pop(next(iter(self._known)))
        return known

    def _mix(self, keys: Keys) -> tuple[Floats, Floats]:
        stays = self._stays
        if keys == Keys():
            everybody = np.ones(len(stays))
            return everybody, everybody / (len(stays) + 1.0)
        if keys.vehicle is not None:
            parent, chosen = replace(keys, vehicle=None), stays.vehicle == keys.vehicle
        elif keys.weekday is not None:
            return self._mix_weekday(keys, keys.weekday)
        elif keys.hour is not None:
            parent, chosen = replace(keys, hour=None), _near(stays, keys.hour)
        else:
            parent, chosen = Keys(), stays.site == keys.site
        own, mix = self._mixed(parent)
        own = own * chosen
        return own, _leaning(own, mix)

    def _mix_weekday(self, keys: Keys, weekday: int) -> tuple[Floats, Floats]:
        own, mix = self._mixed(replace(keys, weekday=None))
        days = self._stays.weekday
        alike = own * ((days >= _SATURDAY) == (weekday >= _SATURDAY))
        own = own * (days == weekday)
        return own, _leaning(own, _leaning(alike, mix))

    def _quantiles(self, weights: Floats) -> Floats:
        heavy = weights > 0
        values, weights = self._values[heavy], weights[heavy]
        passed = np.cumsum(weights)
        if self._stated:
            values, passed = np.append(values, float(WHOLE)), np.append(passed, 1.0)
        else:
            worst = 1.0 - float(weights.sum())  # all of it, where not one stay is known
            values = np.concatenate(([0.0], values))
            passed = np.concatenate(([0.0], worst + passed - weights))
        return np.interp(_LEVELS, passed, values)


def _near(stays: Columns, hour: int) -> Floats:
    apart = np.minimum((stays.hour - hour) % 24, (hour - stays.hour) % 24)
    return np.where(apart <= HOURS_APART_MOST, np.exp(-0.5 * (apart / HOUR_WIDTH) ** 2), 0.0)


def _leaning(own: Floats, parent: Floats) -> Floats:
    return (own + LEAN * parent) / (float(own.sum()) + LEAN + 1.0)
