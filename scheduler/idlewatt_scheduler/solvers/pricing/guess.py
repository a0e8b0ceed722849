"""Prices to begin with, before any pattern is known."""

import numpy as np

from idlewatt_scheduler.solvers.pricing.goal import Rows
from idlewatt_scheduler.solvers.pricing.packing import Packed
from idlewatt_scheduler.tables.layout import Floats, Ints

_FILLED = 0.8

_CHEAPER = 0.9
"""Prices come out at about so much of what a greedy plan pays."""


def guess(packed: Packed, rows: Rows, share: float, paid: Floats | None = None) -> Floats:
    """What a pod costs on a vehicle that is full, where there are enough; or what room it takes.

    Args:
        packed: a fleet, or a sample of it.
        rows: of the master problem.
        share: how large a part of the fleet the sample is.
        paid: float64[T], what pods cost in a plan that is known, if one is.
    """
    price = np.zeros(len(rows.limit))
    part = takes(packed, np.arange(len(packed.template)))
    templates = len(packed.pods)
    known = np.bincount(packed.template, minlength=templates)
    mean = np.bincount(packed.template, part, templates) / np.maximum(known, 1)
    asked = float((packed.pods * share * mean).sum()) / max(packed.vehicles, 1)
    if rows.scale > 0:
        ratio = packed.weight / np.maximum(mean, 1e-9)
        price[:templates] = packed.weight * rows.scale
        order = np.argsort(-ratio)
        filled = np.cumsum((packed.pods * share * mean)[order])
        last = int(np.searchsorted(filled, packed.vehicles * _FILLED))
        cut = ratio[order[last]] if last < templates else 0.0
        price[:templates] = np.maximum(packed.weight - cut * mean, 0.0) * rows.scale
        return price
    cost = _cost_if_full(packed, part, min(0.7 * asked, 0.9)) if paid is None else _CHEAPER * paid
    if rows.everything:
        price[:templates] = -cost
    else:
        price[-1] = float((cost / np.maximum(packed.weight, 1e-9)).max(initial=0.0))
        price[:templates] = np.maximum(packed.weight * price[-1] - cost, 0.0)
    return price


def takes(packed: Packed, pairs: Ints) -> Floats:
    """By pair asked: the share of its vehicle that a pod takes, of whatever it takes most of."""
    vehicle = np.searchsorted(packed.first, pairs, side="right") - 1
    power, template = packed.power[pairs], packed.template[pairs]
    part = power / np.maximum(packed.power_left[vehicle], 1)
    for resource in range(packed.request.shape[1]):
        asked = packed.request[template, resource]
        part = np.maximum(part, asked / np.maximum(packed.free[vehicle, resource], 1))
    energy = power * (packed.until[pairs] - packed.start[vehicle]).astype(np.float64)
    return np.asarray(np.maximum(part, energy / np.maximum(packed.energy_left[vehicle], 1)))


def _cost_if_full(packed: Packed, takes_: Floats, part: float) -> Floats:
    """By template: its cost where it is cheap, paying its share of what is paid once."""
    vehicle = np.repeat(np.arange(packed.vehicles), np.diff(packed.first))
    once = packed.stay_cost + packed.opening[vehicle]
    full = packed.cost + once * np.minimum(takes_, 1.0)
    order = np.lexsort((full, packed.template))
    lengths = np.bincount(packed.template, minlength=len(packed.pods))
    first = np.cumsum(lengths) - lengths
    chosen = first + np.minimum((lengths * part).astype(np.int64), np.maximum(lengths - 1, 0))
    cost = np.append(full[order], 0.0)[np.minimum(chosen, len(full))]
    return np.where(lengths > 0, cost, 0.0).astype(np.float64)
