"""Prices for a whole fleet, and the bound they prove: on a sample first, then on everybody.

1 guess    what a pod would cost on a full vehicle, or what room it would take
2 sample   column generation on a few hundred vehicles: master problem, oracle, in turn
3 polish   over all vehicles, the prices of each room and domain among them
4 bound    what all there is is worth at the prices, and each vehicle's best pattern. It is valid
           for any prices, however they were found.

In the first three what vehicles would take is found at a glance; for the bound it is searched for.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from idlewatt_scheduler.solvers.limits import Stop
from idlewatt_scheduler.solvers.pricing.duals import Duals
from idlewatt_scheduler.solvers.pricing.goal import Goal, Rows, paid, prices_at, rows_for
from idlewatt_scheduler.solvers.pricing.looks import Look, first_look, look_around
from idlewatt_scheduler.solvers.pricing.model import learned
from idlewatt_scheduler.solvers.pricing.packing import Packed
from idlewatt_scheduler.solvers.pricing.polish import polished
from idlewatt_scheduler.solvers.pricing.sweep import Effort, Found, nothing_found, sweep
from idlewatt_scheduler.tables.layout import Floats

_SLACK = 1e-9
_CLOSE = 1e-4
_PACE, _LATER_PACE = 0.02, 0.005
_FINE = 6


@dataclass(frozen=True, slots=True)
class Depth:
    """How hard to look for prices; all of it counts.

    Attributes:
        sample: vehicles that prices are looked for on first.
        sample_rounds: rounds there.
        polish_rounds: rounds over all vehicles.
        again_rounds: rounds over all vehicles where prices of an earlier plan are known.
        nodes: patterns looked at on a vehicle for the bound.
    """

    sample: int = 300
    sample_rounds: int = 14
    polish_rounds: int = 24
    again_rounds: int = 6
    nodes: int = 400


DEFAULT_DEPTH = Depth()


class Market(NamedTuple):
    """A fleet and the rows of its master problem."""

    packed: Packed
    rows: Rows


def price(  # noqa: PLR0913, PLR0917 - what to look for, how hard, and from where
    packed: Packed,
    goal: Goal,
    depth: Depth = DEFAULT_DEPTH,
    stop: Stop | None = None,
    previous: Duals | None = None,
    spent: Floats | None = None,
) -> Duals:
    """Prices of everything that vehicles share, and the bound they prove.

    Args:
        packed: the fleet and the pods.
        goal: the greatest weight; or the least money at a weight.
        depth: how hard to look.
        stop: once it is over, what is known by then has to do.
        previous: prices of the same templates, rooms and domains to begin with.
        spent: float64[T], what a pod costs in a plan that is known, if one is.
    """
    market = Market(packed, rows_for(packed, goal))
    begin = _from_duals(market, previous) if previous is not None else None
    rounds, pace = depth.again_rounds, _LATER_PACE
    if begin is not None and previous is not None:
        look = _another(previous.look)
    else:
        look = first_look(packed)
        begin = learned(packed, goal, depth.sample, depth.sample_rounds, stop, spent)
        rounds, pace = depth.polish_rounds, _PACE
    asked = polished(packed, market.rows, begin, look, rounds, pace, stop)
    return _duals(market, goal, asked, look, depth.nodes)


def price_at_weight(
    packed: Packed, weight: int, duals: Duals, depth: Depth = DEFAULT_DEPTH
) -> Duals:
    """Prices at which less than everything is to be placed, from those of what is placed.

    What pods may earn is limited by what their weight is worth; that is tried from much to little
    (what all vehicles and rows are worth is concave in it), and the best of it makes the bound.

    Args:
        packed: the fleet and all the pods.
        weight: to be placed at the least.
        duals: in money, of a goal that asks for each pod that is placed.
        depth: how hard to look for the bound.
    """
    goal = Goal(at_least=weight)
    market = Market(packed, rows_for(packed, goal))
    pod = np.maximum(duals.pod, 0.0)
    ratios = np.unique(pod / np.maximum(packed.weight, 1e-300))
    look = _another(duals.look)
    best, least = _at(market, duals, pod, 0.0), np.inf
    low, high = 0, len(ratios) - 1
    known: dict[int, float] = {}

    def reached(index: int) -> float:
        if index not in known:
            asked = _at(market, duals, pod, float(ratios[index]))
            known[index] = look_around(packed, market.rows, asked, look).reached
        return known[index]

    while high - low > _FINE:
        left, right = low + (high - low) // 3, high - (high - low) // 3
        low, high = (low, right) if reached(left) <= reached(right) else (left, high)
    if len(ratios):
        index = min(range(low, high + 1), key=reached)
        best, least = _at(market, duals, pod, float(ratios[index])), reached(index)
    if least >= 0.0:
        best = np.zeros_like(best)
    return _duals(market, goal, best, look, depth.nodes)


def _at(market: Market, duals: Duals, pod: Floats, theta: float) -> Floats:
    """Prices of the rows where a unit of weight is worth `theta`."""
    place = np.maximum(theta * market.packed.weight - pod, 0.0)
    asked = np.concatenate([place, duals.room, duals.spread, [theta]])
    return _of_what_binds(market.rows, asked)


def _another(look: Look) -> Look:
    """The same look, to go on from without changing what an earlier plan remembers."""
    return Look(look.weight.copy(), look.held.copy(), look.value.copy())


def _reach(market: Market, asked: Floats, look: Look, nodes: int) -> Found:
    """No pattern of any vehicle earns more at these prices; what is found at a glance is known."""
    packed = market.packed
    look_around(packed, market.rows, asked, look)
    everyone = np.arange(packed.vehicles, dtype=np.int64)
    found = nothing_found(packed.vehicles)
    tolerance = _CLOSE * abs(paid(market.rows, asked)) / max(packed.vehicles, 1)
    effort = Effort(look.value.copy(), tolerance, nodes, packed.widest)
    sweep(everyone, packed, prices_at(packed, market.rows, asked), effort, found)
    return found


def _from_duals(market: Market, previous: Duals) -> Floats | None:
    """The rows' prices from duals of the same shape; None: they are of something else."""
    packed, rows = market
    shape = (len(packed.pods), len(packed.room_limit), len(packed.domain_limit))
    if shape != (len(previous.place), len(previous.room), len(previous.spread)):
        return None
    if previous.money == (rows.scale > 0):
        return None
    scale = rows.scale if rows.scale > 0 else 1.0
    pods = -previous.pod if rows.everything else previous.place * scale
    bare = rows.everything or not previous.money
    theta = np.array([0.0 if bare else previous.theta])
    asked = np.concatenate([pods, previous.room * scale, previous.spread * scale, theta])
    return _of_what_binds(rows, asked)


def _of_what_binds(rows: Rows, price: Floats) -> Floats:
    """These prices, none of rows without a limit: a bound with theirs would not be one.

    What binds may be otherwise than it was when the prices were found.
    """
    return np.where(np.isfinite(rows.limit), price, 0.0)


def _duals(market: Market, goal: Goal, asked: Floats, look: Look, nodes: int) -> Duals:
    packed, rows = market
    found = _reach(market, asked, look, nodes)
    templates, rooms = len(packed.pods), len(packed.room_limit)
    unit = 1.0 / rows.scale if rows.scale > 0 else 1.0
    pod = prices_at(packed, rows, asked).pod * unit
    theta = 1.0
    if goal.money:
        worth = float((pod / np.maximum(packed.weight, 1e-300)).max(initial=0.0))
        theta = worth if rows.everything else float(asked[-1])
    bound, trivial = proven(market, goal, asked, found)
    return Duals(
        money=goal.money,
        pod=pod,
        place=np.maximum(theta * packed.weight - pod, 0.0),
        room=asked[templates : templates + rooms] * unit,
        spread=asked[templates + rooms : -1] * unit,
        theta=theta,
        weight=goal.at_least or 0,
        best=found.upper * unit,
        bound=bound,
        trivial=trivial,
        look=look,
    )


def proven(market: Market, goal: Goal, asked: Floats, found: Found) -> tuple[float, float]:
    """What no plan can beat, whatever these prices are; and what can be said without any.

    What rounding in floating point might have taken is given back.
    """
    packed, rows = market
    unit = 1.0 / rows.scale if rows.scale > 0 else 1.0
    binds = np.isfinite(rows.limit)
    vehicles = float(found.upper.sum())
    reached = (vehicles + paid(rows, asked)) * unit
    size = (vehicles + float(np.abs(asked[binds] * rows.limit[binds]).sum())) * unit
    if goal.money:
        return max(-reached - _SLACK * size, 0.0), 0.0
    trivial = float((packed.pods * packed.weight).sum())
    return min(reached + _SLACK * size, trivial), trivial
