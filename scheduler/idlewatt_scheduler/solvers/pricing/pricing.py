"""Prices for a whole fleet, and the bound they prove: on a sample first, then on everybody.

1 guess    what a pod would cost on a full vehicle, or what room it would take
2 sample   column generation on a few hundred vehicles: master problem, oracle, in turn
3 polish   over all vehicles, the prices of each room and domain among them
4 bound    what all there is is worth at the prices, and each vehicle's best pattern: of the rounds
           the best. It is valid for any prices, however they were found.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from idlewatt_scheduler.solvers.limits import Stop
from idlewatt_scheduler.solvers.pricing.duals import Duals, Patterns
from idlewatt_scheduler.solvers.pricing.goal import Goal, Rows, paid, prices_at, rows_for
from idlewatt_scheduler.solvers.pricing.guess import guess
from idlewatt_scheduler.solvers.pricing.master import Master
from idlewatt_scheduler.solvers.pricing.packing import Packed, pack
from idlewatt_scheduler.solvers.pricing.pool import Pool, added, empty_pool
from idlewatt_scheduler.solvers.pricing.sample import sampled, spread_out
from idlewatt_scheduler.solvers.pricing.sweep import Effort, Found, nothing_found, sweep
from idlewatt_scheduler.tables.layout import Floats, Tables

_SLACK = 1e-9
_NEAR = 1e-3


@dataclass(frozen=True, slots=True)
class Depth:
    """How hard to look for prices; all of it counts.

    Attributes:
        sample: vehicles that prices are looked for on first.
        sample_rounds, polish_rounds: rounds there, and over all vehicles.
        nodes: patterns looked at on a vehicle in the last rounds; fewer before.
    """

    sample: int = 300
    sample_rounds: int = 30
    polish_rounds: int = 2
    nodes: int = 400


DEFAULT_DEPTH = Depth()


class Market(NamedTuple):
    """A fleet, or a sample of it, and the rows of its master problem."""

    packed: Packed
    rows: Rows


def price(
    tables: Tables,
    goal: Goal,
    depth: Depth = DEFAULT_DEPTH,
    stop: Stop | None = None,
    previous: Duals | None = None,
) -> Duals:
    """Prices of everything that vehicles share, and the bound they prove.

    Args:
        tables: the fleet and the pods.
        goal: the greatest weight; or the least money at a weight.
        depth: how hard to look.
        stop: once it is over, what is known by then has to do.
        previous: prices of the same templates, rooms and domains to begin with.
    """
    packed = pack(tables)
    market = Market(packed, rows_for(packed, goal))
    begin = _from_duals(market, previous) if previous is not None else None
    if begin is None:
        begin = _on_a_sample(packed, goal, depth, stop)
    found = _ask(market, begin, depth.nodes)
    return _duals(market, goal, begin, found)


def _on_a_sample(packed: Packed, goal: Goal, depth: Depth, stop: Stop | None) -> Floats:
    """Column generation: half way between the best prices so far and the master problem's."""
    sample = sampled(packed, depth.sample)
    market = Market(sample.packed, rows_for(sample.packed, goal, sample.share))
    asked = guess(sample.packed, market.rows, sample.share)
    master = Master(market.rows, sample.packed.vehicles, asked)
    best, least = asked, np.inf
    for turn in range(depth.sample_rounds):
        if stop is not None and stop.is_over and turn > 0:
            break
        found = _ask(market, asked, depth.nodes)
        reached = float(found.upper.sum()) + paid(market.rows, asked)
        if reached < least:
            best, least = asked, reached
        if turn == depth.sample_rounds // 3:
            master.insist()
        master.add(_as_pool(market, found))
        solved = master.solve()
        if solved is None:
            break
        value, prices = solved
        if turn > depth.sample_rounds // 3 and least - value <= _NEAR * abs(least):
            break
        asked = 0.5 * best + 0.5 * prices
    return spread_out(sample, packed, best)


def _ask(market: Market, asked: Floats, nodes: int) -> Found:
    """The best pattern of every vehicle at these prices of the rows."""
    packed = market.packed
    everyone = np.arange(packed.vehicles, dtype=np.int64)
    found = nothing_found(packed.vehicles)
    effort = Effort(np.zeros(packed.vehicles), 0.0, nodes, packed.widest)
    sweep(everyone, packed, prices_at(packed, market.rows, asked), effort, found)
    return found


def _as_pool(market: Market, found: Found) -> Pool:
    """The patterns that were found of all vehicles, as columns."""
    packed = market.packed
    none = np.zeros(0, np.int32)
    everyone = np.arange(packed.vehicles, dtype=np.int64)
    return added(empty_pool(packed.vehicles), none, everyone, found, packed, market.rows.scale)


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
    theta = np.array([previous.theta if previous.money else 0.0])
    return np.concatenate([pods, previous.room * scale, previous.spread * scale, theta])


def _duals(market: Market, goal: Goal, asked: Floats, found: Found) -> Duals:
    packed, rows = market
    templates, rooms = len(packed.pods), len(packed.room_limit)
    unit = 1.0 / rows.scale if rows.scale > 0 else 1.0
    pod = prices_at(packed, rows, asked).pod * unit
    theta = 1.0
    if goal.money:
        worth = float((pod / np.maximum(packed.weight, 1e-300)).max(initial=0.0))
        theta = worth if rows.everything else float(asked[-1])
    bound, trivial = proven(market, goal, asked, found)
    pool = _as_pool(market, found)
    share = np.ones(len(pool.value))
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
        patterns=Patterns(pool.first, pool.pods, pool.pair, pool.number, share),
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
