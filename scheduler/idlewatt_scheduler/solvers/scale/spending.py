"""What pods cost in a plan, what their vehicles pay once shared among them."""

import numpy as np

from idlewatt_scheduler.solvers.pricing.guess import takes
from idlewatt_scheduler.solvers.pricing.packing import Packed
from idlewatt_scheduler.solvers.scale.facts import Facts
from idlewatt_scheduler.solvers.scale.state import Live
from idlewatt_scheduler.tables.layout import Floats


def spent_on(facts: Facts, packed: Packed, live: Live) -> Floats:
    """By template: the mean cost of a placed pod; the middle of them where none is placed."""
    pairs = np.flatnonzero(live.held)
    vehicle, template = facts.vehicle[pairs], facts.template[pairs]
    part = takes(packed, pairs) * live.held[pairs]
    whole = np.maximum(np.bincount(vehicle, part, packed.vehicles), 1e-12)
    once = (live.stay_cost + packed.opening)[vehicle] * part / whole[vehicle]
    cost = np.bincount(template, facts.cost[pairs] * live.held[pairs] + once, packed.templates)
    placed = np.bincount(template, live.held[pairs], packed.templates)
    mean = cost / np.maximum(placed, 1)
    middle = float(np.median(mean[placed > 0])) if placed.any() else 0.0
    return np.where(placed > 0, mean, middle).astype(np.float64)
