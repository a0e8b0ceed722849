"""What prices are looked for: those of weight, or those of money at a weight."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from idlewatt_scheduler.solvers.pricing.packing import Packed
from idlewatt_scheduler.solvers.pricing.sweep import Prices
from idlewatt_scheduler.tables.layout import Floats


@dataclass(frozen=True, slots=True)
class Goal:
    """The greatest weight (`at_least` None), or the least money at this weight or more."""

    at_least: int | None = None

    @property
    def money(self) -> bool:
        """Whether it is money that is to be the least."""
        return self.at_least is not None


class Rows(NamedTuple):
    """The master problem's rows and their prices: a price is what one more of the row is worth.

    T templates (so many pods at the most), C rooms, D domains, and the weight, of which there has
    to be `-limit` at the least.

    Attributes:
        limit: float64[T + C + D + 1]; infinite where nothing binds.
        least: float64[T + C + D + 1], the least price; -infinite where all pods have to be placed.
        scale: what a unit of weight counts, so that figures stay near 1; 0: money counts.
        everything: all pods that fit anywhere have to be placed.
    """

    limit: Floats
    least: Floats
    scale: float
    everything: bool


def rows_for(packed: Packed, goal: Goal, share: float = 1.0) -> Rows:
    """The rows for so large a share of the fleet."""
    templates = len(packed.pods)
    total = float((packed.pods * packed.weight).sum())
    wanted = float(goal.at_least or 0)
    everything = goal.money and wanted >= total
    bound = goal.money and 0 < wanted < total
    weight = [-wanted * share if bound else np.inf]
    limit = np.concatenate([packed.pods, packed.room_limit, packed.domain_limit]) * share
    least = np.zeros(len(limit) + 1)
    if everything:
        least[:templates] = -np.inf
    scale = 0.0 if goal.money else 1.0 / max(float(packed.weight.max(initial=1.0)), 1.0)
    return Rows(np.concatenate([limit, weight]), least, scale, everything)


def prices_at(packed: Packed, rows: Rows, price: Floats) -> Prices:
    """What kernels ask for at these prices of the rows."""
    templates, rooms = len(packed.pods), len(packed.room_limit)
    worth = packed.weight * (rows.scale if rows.scale > 0 else price[-1])
    return Prices(
        pod=np.ascontiguousarray(worth - price[:templates], np.float64),
        room=np.ascontiguousarray(price[templates : templates + rooms], np.float64),
        spread=np.ascontiguousarray(price[templates + rooms : -1], np.float64),
        money=0.0 if rows.scale > 0 else 1.0,
    )


def paid(rows: Rows, price: Floats) -> float:
    """What all there is of the rows is worth at these prices: the bound without the vehicles."""
    binds = np.isfinite(rows.limit)
    return float(price[binds] @ rows.limit[binds])
