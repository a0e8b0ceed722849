"""Planning a large fleet: greedily at once, and then as well as the prices tell.

1 greedy     the incumbent: whatever happens later, this plan or a better one is returned
2 weight     prices in weight, a plan from them, and what can be exchanged for more weight
3 cost       prices in money at that weight, a plan from them, and what can be exchanged for less
             cost; what is lighter than the incumbent is never taken

Where a plan of a little earlier is known the incumbent is that plan, mended; its prices are where
the search for prices begins, and only vehicles that changed and some of the others are taken apart.

Every plan that becomes the incumbent has its gangs whole, its pods spread, and is stable.
"""

from dataclasses import dataclass, field, replace

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
    drop_gangs,
    mend,
    quotas,
    shuffled,
    trim,
    without_broken_gangs,
)
from idlewatt_scheduler.solvers.scale.facts import Facts, facts_of
from idlewatt_scheduler.solvers.scale.regroup import bench_for, improve
from idlewatt_scheduler.solvers.scale.repack import Guide, guide_for, lay
from idlewatt_scheduler.solvers.scale.spending import spent_on
from idlewatt_scheduler.solvers.scale.stability import settle
from idlewatt_scheduler.solvers.scale.state import Live, Score, copy_of, empty, score
from idlewatt_scheduler.tables.layout import Floats, Indices, Tables

GROUP = 6
"""So many vehicles at most are taken apart at a time."""


MANY, ROUNDS_OF_MANY, AGAIN_OF_MANY = 2_000, 14, 6
"""Of more vehicles prices are learned in so many rounds, and polished again in so many."""


CHANGED_PART = 10
"""Besides what changed one in so many vehicles is looked at again."""

HELD_ON = 0.2
"""A vehicle keeps what it has unless it earns more by this part of what all do in the mean."""

WORSE, FURTHER = 1.5, 0.02
"""A plan is made anew once its gap is so many times what it was, and this beyond that."""


@dataclass(frozen=True, slots=True)
class Known:
    """What is known in the end, by the tables' columns.

    Attributes:
        held: int32[N], so many pods of each pair.
        weights, moneys: prices.
        bound, cost_bound: as in `Found`.
        turn: so many plans followed the one that was made anew.
        gap: what that one cost beyond its bound, as a part of it.
        is_whole: planning went through all its steps.
    """

    held: Indices
    weights: Duals | None
    moneys: Duals | None
    bound: int | None
    cost_bound: float | None
    solver: Solver
    turn: int
    gap: float
    is_whole: bool


@dataclass(frozen=True, slots=True)
class Beginning:
    """The plan of a little earlier and its prices, by the tables' columns.

    Attributes:
        same: nothing changed, so this is known; None: something did.
        calm: the same vehicles and pods, only later: if all still fit they stay where they were.
    """

    held: Indices
    weights: Duals | None
    moneys: Duals | None
    same: Known | None = None
    turn: int = 0
    gap: float = 0.0
    calm: bool = False


@dataclass(slots=True)
class Search:
    """One plan in the making.

    Attributes:
        best: the incumbent, and how good it is.
        kept: what is left of the last plan; nothing where the plan is made anew.
        beginning: what is known from the last plan; None: the plan is made anew.
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
    kept: Live
    beginning: Beginning | None = None
    weights: Duals | None = None
    moneys: Duals | None = None
    bound: int | None = None
    cost_bound: float | None = None
    solver: Solver = field(default=Solver.GREEDY)
    halted: str | None = None
    gap: float = 0.0

    @property
    def is_calm(self) -> bool:
        """Whether the last plan is to be kept as it is."""
        return self.beginning is not None and self.beginning.calm

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
        earns = duals.best[duals.best > 0]
        hold = 1e-9
        if self.beginning is not None and len(earns):
            hold = HELD_ON * float(earns.mean())
        return guide_for(self.packed, prices, quota, duals.look.weight, hold)


def solve_at_scale(
    tables: Tables,
    params: Params,
    stop: Stop,
    seed: int,
    beginning: Beginning | None = None,
) -> Found:
    """The best plan that was found for these tables.

    Args:
        tables: the fleet and the pods.
        params: how hard to try.
        stop: once it is over, the best plan so far is returned.
        seed: of everything that is chosen at random.
        beginning: what is known from the last plan.
    """
    facts = facts_of(tables)
    if beginning is not None and beginning.same is not None:
        return _as_known(facts, beginning.same)
    searches = params.compiled and params.improve_rounds > 0 and len(facts.template) > 0
    known = beginning if searches else None
    live = empty(tables, facts)
    if known is not None:
        lay(facts, live, known.held)
        while drop_gangs(facts, live) + trim(facts, live):
            pass
    kept = copy_of(live)
    mend(facts, live)
    settle(facts, live)
    if known is not None and not np.array_equal(live.held, known.held):
        known = replace(known, calm=False)
    search = Search(tables, params, stop, seed, facts, pack(tables), live, score(facts, live), kept)
    search.beginning = known
    if searches:
        try:
            _by_prices(search)
        except Exception as error:  # noqa: BLE001 - whatever fails, the incumbent is a plan
            search.halted = (
                f"Planning by prices failed ({type(error).__name__}: {error}); "
                "the best plan until then is used."
            )
    return _found(search)


def _by_prices(search: Search) -> None:
    for step in (_weigh, _save, _save_again):
        if search.stop.is_over:
            search.halted = "Time was over before planning was; the best plan until then is used."
            return
        step(search)


def _weigh(search: Search) -> None:
    """Find more weight, unless everything is placed that could be anywhere."""
    packed, known = search.packed, search.beginning
    most = int((packed.pods * packed.weight).sum())
    if search.score.weight >= most:
        search.bound = most
        return
    previous = None if known is None else known.weights
    search.weights = price(packed, Goal(), _depth(search), search.stop, previous)
    search.bound = min(most, int(np.floor(search.weights.bound)))
    prices = _build(search, search.weights)
    if search.score.weight < search.bound:
        _exchange(search, prices, search.weights.look.weight)


def _save(search: Search) -> None:
    """Find less cost for the pods that are placed; what is known of any at that weight."""
    packed, placed, known = search.packed, search.facts.wanted - search.best.left, search.beginning
    some = packed._replace(pods=np.minimum(placed.astype(np.float64), packed.pods))
    goal, depth = Goal(at_least=search.score.weight), _depth(search)
    spent = spent_on(search.facts, packed, search.best)
    previous = None if known is None else known.moneys
    duals = price(some, goal, depth, search.stop, previous, spent)
    search.moneys, bound = duals, duals.bound
    if (some.pods != packed.pods).any():
        bound = price_at_weight(packed, search.score.weight, duals, depth).bound
    search.cost_bound = bound
    prices = _build(search, duals)
    if known is not None and _gap(search, duals.bound) > WORSE * known.gap + FURTHER:
        search.kept, search.beginning = empty(search.tables, search.facts), None
        prices = _build(search, duals)
    _exchange(search, prices, duals.look.weight)
    kept = search.beginning
    search.gap = _gap(search, duals.bound) if kept is None else kept.gap


def _save_again(search: Search) -> None:
    """Where all that could be is placed only now: what is known of any plan that places it."""
    goal = 0 if search.moneys is None else search.moneys.weight
    most = int((search.packed.pods * search.packed.weight).sum())
    if goal < most == search.score.weight:
        _save(search)


def _gap(search: Search, bound: float) -> float:
    """What the incumbent costs beyond the bound of its own pods, as a part of it."""
    return search.score.cost / bound - 1.0 if bound > 0 else 0.0


def _build(search: Search, duals: Duals) -> Prices:
    """A plan from these prices; what the prices became by it."""
    guide = search.guide(duals)
    if search.is_calm:
        return guide.prices
    live = copy_of(search.kept)
    construct(search.facts, guide, search.best, live, search.seed)
    search.offer(live)
    return guide.prices


def _exchange(search: Search, prices: Prices, weight: Floats) -> None:
    """Take groups of vehicles apart, every vehicle's turn comes once in all rounds together."""
    if search.is_calm:
        return
    live = copy_of(search.best)
    known, rounds = search.beginning, search.params.improve_rounds
    order = shuffled(search.seed, search.tables.vehicles)
    if known is not None:
        order = _changed(search, known, order)
        rounds = 1
    for turn in range(rounds):
        if search.stop.is_over:
            break
        guide = guide_for(search.packed, prices, quotas(search.facts, live), weight)
        bench = bench_for(guide, search.seed * rounds + turn)
        improve(search.facts, live, bench, order[turn::rounds].copy(), GROUP)
    mend(search.facts, live)
    search.offer(live)


def _changed(search: Search, known: Beginning, order: Indices) -> Indices:
    """The vehicles that hold something else than before, and a part of the others in turn."""
    facts = search.facts
    other = np.flatnonzero(search.best.held != known.held)
    changed = np.zeros(search.tables.vehicles, np.bool_)
    changed[facts.vehicle[other]] = True
    turn = order[known.turn % CHANGED_PART :: CHANGED_PART]
    return np.concatenate([np.flatnonzero(changed), turn[~changed[turn]]]).astype(np.int32)


def _depth(search: Search) -> Depth:
    params, many = search.params, search.tables.vehicles > MANY
    return Depth(
        sample_rounds=min(params.price_rounds, ROUNDS_OF_MANY) if many else params.price_rounds,
        polish_rounds=params.polish_rounds,
        again_rounds=min(params.polish_rounds, AGAIN_OF_MANY) if many else params.polish_rounds,
    )


def _found(search: Search) -> Found:
    known = Known(
        held=search.best.held,
        weights=search.weights,
        moneys=search.moneys,
        bound=search.bound,
        cost_bound=search.cost_bound,
        solver=search.solver,
        turn=0 if search.beginning is None else search.beginning.turn,
        gap=search.gap,
        is_whole=search.moneys is not None and search.halted is None,
    )
    return replace(_as_known(search.facts, known), halted=search.halted)


def _as_known(facts: Facts, known: Known) -> Found:
    held = np.flatnonzero(known.held)
    return Found(
        vehicle=facts.vehicle[held],
        template=facts.template[held],
        number=known.held[held],
        bound=known.bound,
        cost_bound=known.cost_bound,
        solver=known.solver,
        weights=known.weights,
        moneys=known.moneys,
        memory=known,
    )
