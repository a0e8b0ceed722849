"""Planning a large fleet: greedily at once, and then as well as the prices tell.

1 greedy     the incumbent: whatever happens later, this plan or a better one is returned
2 weight     prices in weight, a plan from them, and what can be exchanged for more weight
3 cost       prices in money at that weight, a plan from them, and what can be exchanged for less
             cost; what is lighter than the incumbent is never taken

Every plan that becomes the incumbent has its gangs whole, its pods spread, and is stable.
"""

from dataclasses import dataclass, field

import numpy as np

from idlewatt_scheduler.model.plan import Solver
from idlewatt_scheduler.solvers.found import Found
from idlewatt_scheduler.solvers.limits import Params, Stop
from idlewatt_scheduler.solvers.pricing.duals import Duals
from idlewatt_scheduler.solvers.pricing.goal import Goal
from idlewatt_scheduler.solvers.pricing.packing import Packed, pack
from idlewatt_scheduler.solvers.pricing.pricing import Depth, price, price_at_weight
from idlewatt_scheduler.solvers.pricing.sweep import Prices
from idlewatt_scheduler.solvers.scale.construct import (
    construct,
    mend,
    quotas,
    shuffled,
    without_broken_gangs,
)
from idlewatt_scheduler.solvers.scale.facts import Facts, facts_of
from idlewatt_scheduler.solvers.scale.greedy import greedy
from idlewatt_scheduler.solvers.scale.regroup import bench_for, improve
from idlewatt_scheduler.solvers.scale.repack import Guide, guide_for
from idlewatt_scheduler.solvers.scale.spending import spent_on
from idlewatt_scheduler.solvers.scale.stability import settle
from idlewatt_scheduler.solvers.scale.state import Live, Score, copy_of, empty, score
from idlewatt_scheduler.tables.layout import Floats, Tables

GROUP = 6
"""So many vehicles at most are taken apart at a time."""


SAMPLED, LEAST_SAMPLE, MOST_SAMPLE = 16, 100, 300
"""Prices are learned on one in so many vehicles, and on so many at the least and at the most."""


@dataclass(slots=True)
class Search:
    """One plan in the making.

    Attributes:
        best: the incumbent, and how good it is.
        weights, moneys: prices, once they are known.
        bound, cost_bound: what no plan beats, once that is known.
    """

    tables: Tables
    params: Params
    stop: Stop
    seed: int
    facts: Facts
    packed: Packed
    best: Live
    score: Score
    weights: Duals | None = None
    moneys: Duals | None = None
    bound: int | None = None
    cost_bound: float | None = None
    solver: Solver = field(default=Solver.GREEDY)
    halted: str | None = None

    def offer(self, live: Live) -> None:
        """Settle a plan; it becomes the incumbent if it is better."""
        settle(self.facts, live)
        reached = score(self.facts, live)
        if reached.beats(self.score):
            self.best, self.score, self.solver = live, reached, Solver.PRICES

    def guide(self, duals: Duals) -> Guide:
        """What vehicles are filled by at these prices, beside the incumbent."""
        prices = Prices(duals.pod.copy(), duals.room, duals.spread, float(duals.money))
        prices = without_broken_gangs(self.facts, self.best, prices)
        quota = quotas(self.facts, self.best) if duals.money else self.best.domain.copy()
        return guide_for(self.packed, prices, quota, duals.look.weight)


def solve_at_scale(
    tables: Tables,
    params: Params,
    stop: Stop,
    seed: int,
    memory: object | None = None,  # noqa: ARG001
) -> Found:
    """The best plan that was found for these tables.

    Args:
        tables: the fleet and the pods.
        params: how hard to try.
        stop: once it is over, the best plan so far is returned.
        seed: of everything that is chosen at random.
        memory: that of the last plan, to begin from.
    """
    facts = facts_of(tables)
    live = empty(tables, facts)
    greedy(facts, live)
    settle(facts, live)
    search = Search(tables, params, stop, seed, facts, pack(tables), live, score(facts, live))
    if params.compiled and params.improve_rounds > 0 and len(facts.template):
        try:
            _by_prices(search)
        except Exception as error:  # noqa: BLE001 - whatever fails, the incumbent is a plan
            search.halted = (
                f"Planning by prices failed ({type(error).__name__}: {error}); "
                "the best plan until then is used."
            )
    return _found(search)


def _by_prices(search: Search) -> None:
    for step in (_weigh, _save):
        if search.stop.is_over:
            search.halted = "Time was over before planning was; the best plan until then is used."
            return
        step(search)


def _weigh(search: Search) -> None:
    """Find more weight, unless everything is placed that could be anywhere."""
    packed = search.packed
    most = int((packed.pods * packed.weight).sum())
    if search.score.weight >= most:
        search.bound = most
        return
    search.weights = price(packed, Goal(), _depth(search), search.stop)
    search.bound = min(most, int(np.floor(search.weights.bound)))
    prices = _build(search, search.weights)
    if search.score.weight < search.bound:
        _exchange(search, prices, search.weights.look.weight)


def _save(search: Search) -> None:
    """Find less cost for the pods that are placed; what is known of any at that weight."""
    packed, placed = search.packed, search.facts.wanted - search.best.left
    some = packed._replace(pods=np.minimum(placed.astype(np.float64), packed.pods))
    goal, depth = Goal(at_least=search.score.weight), _depth(search)
    spent = spent_on(search.facts, packed, search.best)
    duals = price(some, goal, depth, search.stop, spent=spent)
    if (some.pods == packed.pods).all():
        search.moneys = duals
    else:
        search.moneys = price_at_weight(packed, search.score.weight, duals, depth)
    search.cost_bound = search.moneys.bound
    _exchange(search, _build(search, duals), duals.look.weight)


def _build(search: Search, duals: Duals) -> Prices:
    """A plan from these prices; what the prices became by it."""
    guide = search.guide(duals)
    live = empty(search.tables, search.facts)
    construct(search.facts, guide, search.best, live, search.seed)
    search.offer(live)
    return guide.prices


def _exchange(search: Search, prices: Prices, weight: Floats) -> None:
    """Take groups of vehicles apart, every vehicle's turn comes once in all rounds together."""
    live = copy_of(search.best)
    rounds = search.params.improve_rounds
    order = shuffled(search.seed, search.tables.vehicles)
    for turn in range(rounds):
        if search.stop.is_over:
            break
        guide = guide_for(search.packed, prices, quotas(search.facts, live), weight)
        bench = bench_for(guide, search.seed * rounds + turn)
        improve(search.facts, live, bench, order[turn::rounds].copy(), GROUP)
    mend(search.facts, live)
    search.offer(live)


def _depth(search: Search) -> Depth:
    params, vehicles = search.params, search.tables.vehicles
    return Depth(
        sample=min(max(vehicles // SAMPLED, LEAST_SAMPLE), MOST_SAMPLE),
        sample_rounds=params.price_rounds,
        polish_rounds=params.polish_rounds,
    )


def _found(search: Search) -> Found:
    facts, held = search.facts, np.flatnonzero(search.best.held)
    return Found(
        vehicle=facts.vehicle[held],
        template=facts.template[held],
        number=search.best.held[held],
        bound=search.bound,
        cost_bound=search.cost_bound,
        solver=search.solver,
        halted=search.halted,
        weights=search.weights,
        moneys=search.moneys,
    )
