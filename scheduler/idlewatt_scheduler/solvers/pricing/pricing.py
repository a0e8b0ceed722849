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
from idlewatt_scheduler.solvers.pricing.sample import gathered, sampled, spread_out
from idlewatt_scheduler.solvers.pricing.sweep import Effort, Found, nothing_found, sweep
from idlewatt_scheduler.tables.layout import Floats, Ints, Tables

_SLACK = 1e-9
_NEAR = 1e-3
_CLOSE = 1e-4


@dataclass(frozen=True, slots=True)
class Depth:
    """How hard to look for prices; all of it counts.

    Attributes:
        sample: vehicles that prices are looked for on first.
        sample_rounds, again_rounds: rounds there, at first and after each correction.
        polish_rounds: how often the sample is corrected by what all vehicles do, at the most;
            a correction that does not help is the last.
        sample_nodes, nodes: patterns looked at on a vehicle there, and in the end.
    """

    sample: int = 300
    sample_rounds: int = 24
    again_rounds: int = 6
    polish_rounds: int = 2
    sample_nodes: int = 60
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
    if begin is not None:
        return _duals(market, goal, _reach(market, begin, depth.nodes))
    model = Model(market, goal, depth)
    model.learn(depth.sample_rounds, stop)
    best = _reach(market, model.prices(), depth.nodes)
    here = best
    for _ in range(0 if model.is_all else depth.polish_rounds):
        if stop is not None and stop.is_over:
            break
        model.correct(here)
        model.learn(depth.again_rounds, stop)
        here = _reach(market, model.prices(), depth.nodes)
        helped = here.reached < best.reached - _CLOSE * abs(best.reached)
        best = here if here.reached < best.reached else best
        if not helped:
            break
    return _duals(market, goal, best)


class Reached(NamedTuple):
    """What is known at some prices: what no plan can beat, and every vehicle's best pattern."""

    asked: Floats
    found: Found
    reached: float


def _reach(market: Market, asked: Floats, nodes: int) -> Reached:
    found = _ask(market, asked, nodes)
    return Reached(asked, found, float(found.upper.sum()) + paid(market.rows, asked))


class Model:
    """A sample of the fleet, on which prices are found by column generation.

    What all vehicles take at its prices tells what is wrong with the sample; then its limits are
    corrected by that. So the sample only has to show how what is taken changes with a price.
    """

    def __init__(self, market: Market, goal: Goal, depth: Depth) -> None:
        self._whole = market
        self._sample = sampled(market.packed, depth.sample)
        packed = self._sample.packed
        self._market = Market(packed, rows_for(packed, goal, self._sample.share))
        self._nodes = depth.sample_nodes
        self._best = guess(packed, self._market.rows, self._sample.share)
        self._asked = self._best
        self._least = np.inf
        self._master = Master(self._market.rows, packed.vehicles, self._best)
        self._firm = False

    @property
    def is_all(self) -> bool:
        """Whether it is no sample but everybody."""
        return self._sample.packed is self._whole.packed

    def prices(self) -> Floats:
        """Those of the whole fleet's rows, the best so far."""
        return spread_out(self._sample, self._whole.packed, self._best)

    def learn(self, rounds: int, stop: Stop | None) -> None:
        """Column generation: half way between the best prices so far and the master problem's."""
        for turn in range(rounds):
            if turn > 0 and stop is not None and stop.is_over:
                break
            here = _reach(self._market, self._asked, self._nodes)
            if here.reached < self._least:
                self._best, self._least = self._asked, here.reached
            if not self._firm and turn >= rounds // 3:
                self._master.insist()
                self._firm = True
            self._master.add(_as_pool(self._market, here.found))
            solved = self._master.solve()
            if solved is None:
                break
            value, prices = solved
            if self._firm and self._least - value <= _NEAR * abs(self._least):
                break
            self._asked = 0.5 * self._best + 0.5 * prices

    def correct(self, here: Reached) -> None:
        """Limits as if the sample took its share of what all vehicles take at these prices."""
        packed, chosen = self._whole.packed, self._sample.chosen
        everything = _as_pool(self._whole, here.found)
        taken = _taken(everything, np.arange(packed.vehicles), len(here.asked))
        ours = _taken(everything, chosen, len(here.asked))
        off = gathered(self._sample, packed, ours - self._sample.share * taken)
        rows = self._market.rows
        limit = rows.limit.copy()
        binds = np.isfinite(limit)
        limit[binds] = limit[binds] + off[binds]
        demand = slice(0, len(packed.pods))
        limit[demand] = np.maximum(limit[demand], 0.0)
        self._market = Market(self._market.packed, rows._replace(limit=limit))
        self._master.limit(limit)
        self._asked, self._least = self._best, np.inf


def _taken(pool: Pool, vehicles: Ints, rows: int) -> Floats:
    """What the columns of these vehicles take of each row."""
    begin, end = pool.begin[pool.first[vehicles]], pool.begin[pool.first[vehicles + 1]]
    marks = np.zeros(len(pool.row) + 1)
    np.add.at(marks, begin, 1.0)
    np.add.at(marks, end, -1.0)
    taken = np.zeros(rows)
    np.add.at(taken, pool.row, pool.coefficient * np.cumsum(marks)[:-1])
    return taken


def _ask(market: Market, asked: Floats, nodes: int) -> Found:
    """The best pattern of every vehicle at these prices of the rows."""
    packed = market.packed
    everyone = np.arange(packed.vehicles, dtype=np.int64)
    found = nothing_found(packed.vehicles)
    tolerance = _CLOSE * abs(paid(market.rows, asked)) / max(packed.vehicles, 1)
    effort = Effort(np.zeros(packed.vehicles), tolerance, nodes, packed.widest)
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
    bare = rows.everything or not previous.money
    theta = np.array([0.0 if bare else previous.theta])
    return np.concatenate([pods, previous.room * scale, previous.spread * scale, theta])


def _duals(market: Market, goal: Goal, best: Reached) -> Duals:
    packed, rows = market
    asked, found = best.asked, best.found
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
