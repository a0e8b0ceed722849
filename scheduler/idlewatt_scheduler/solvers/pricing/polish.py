"""Prices polished over the whole fleet: each follows what is taken of its row, at its own pace.

The price of what is asked for beyond its limit rises, that of what is left over falls. How far it
goes at a time grows while the sign stays and is halved when it turns (Riedmiller and Braun, "A
direct adaptive method for faster backpropagation learning: the RPROP algorithm", 1993). Ten
thousand vehicles make what is taken nearly smooth in the prices, and so a few rounds do.
"""

import numpy as np

from idlewatt_scheduler.solvers.limits import Stop
from idlewatt_scheduler.solvers.pricing.goal import Rows
from idlewatt_scheduler.solvers.pricing.looks import Look, look_around
from idlewatt_scheduler.solvers.pricing.packing import Packed
from idlewatt_scheduler.tables.layout import Floats

_FASTER, _SLOWER = 1.25, 0.5
_FULL_STEP = 0.1
"""A row that is off by this part of its limit moves by a whole step, others by less."""

_ENOUGH = 5e-4
_PATIENCE = 4


def polished(  # noqa: PLR0913, PLR0917 - from where, and how far
    packed: Packed,
    rows: Rows,
    price: Floats,
    look: Look,
    rounds: int,
    pace: float,
    stop: Stop | None = None,
) -> Floats:
    """The best prices found on the way from these.

    Args:
        packed: the fleet.
        rows: of its master problem.
        price: float64[T + C + D + 1], to begin with.
        look: what was seen last; what is seen last afterwards.
        rounds: so many looks at all vehicles at the most.
        pace: the first step of a price, as a part of it.
        stop: once it is over, the best until then has to do.
    """
    binds = np.isfinite(rows.limit)
    limit = np.where(binds, rows.limit, 0.0)
    whole = _FULL_STEP * np.maximum(np.abs(limit), 1.0)
    step, side = pace * _scales(packed, rows, price), np.zeros(len(price))
    best, least, since = price, np.inf, 0
    for _ in range(rounds):
        seen = look_around(packed, rows, price, look)
        since = 0 if seen.reached < least - _ENOUGH * abs(least) else since + 1
        if seen.reached < least:
            best, least = price, seen.reached
        if since >= _PATIENCE or (stop is not None and stop.is_over):
            break
        off = np.where(binds, seen.taken - limit, 0.0)
        step *= np.where(off * side > 0, _FASTER, np.where(off * side < 0, _SLOWER, 1.0))
        side = off
        moved = price + step * np.clip(off / whole, -1.0, 1.0)
        price = np.where(binds, np.maximum(moved, rows.least), price)
    return best


def _scales(packed: Packed, rows: Rows, price: Floats) -> Floats:
    """By row: what a price of it is of the order of."""
    templates, rooms = len(packed.pods), len(packed.room_limit)
    worth = packed.weight * (rows.scale if rows.scale > 0 else price[-1])
    pod = np.abs(worth - price[:templates])
    middle = float(np.median(pod)) if templates else 0.0
    pod = np.maximum(pod, 1e-3 * worth if rows.scale > 0 else middle)
    known = np.bincount(packed.template, minlength=templates)
    power = np.bincount(packed.template, packed.power, templates) / np.maximum(known, 1)
    draws = power > 0
    density = float(np.median(pod[draws] / power[draws])) if draws.any() else 0.0
    return np.concatenate(
        [
            pod,
            np.full(rooms, 0.4 * density),
            np.full(len(packed.domain_limit), middle),
            [abs(price[-1])],
        ]
    )
