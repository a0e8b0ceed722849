"""The best plan of a small fleet, pattern by pattern: the greatest weight, then the least cost.

For each of the two: prices and a bound from the linear program; a better plan from the patterns
that are best at these prices; then all patterns that could be in a plan better than that, and the
best choice among these. Where all of them could be looked at, that is the proof.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

import numpy as np

from idlewatt_scheduler.board import Board, Held
from idlewatt_scheduler.circuits import Headroom, RoomKey
from idlewatt_scheduler.model.plan import Solver
from idlewatt_scheduler.model.shadow import Prices
from idlewatt_scheduler.model.units import Instant
from idlewatt_scheduler.solvers.limits import Params, Proof, Stop
from idlewatt_scheduler.solvers.patterns.goals import Goal, counted
from idlewatt_scheduler.solvers.patterns.joint import rank_of
from idlewatt_scheduler.solvers.patterns.master import Master
from idlewatt_scheduler.solvers.patterns.problem import Problem, problem_of
from idlewatt_scheduler.solvers.patterns.search import Counts
from idlewatt_scheduler.solvers.patterns.shown import Priced, priced, prices_of
from idlewatt_scheduler.solvers.patterns.sieve import Sieve
from idlewatt_scheduler.solvers.patterns.tree import Choosing, Tree
from idlewatt_scheduler.solvers.stability import settle

ROUNDS: Final = 150
FEW: Final = 400
MANY: Final = 500
"""So many patterns are chosen from at the most: without a sieve, and after it."""

CUTS: Final = 25
"""Rounds of cuts."""

LITTLE: Final = 1e-3
"""Weights are whole; what floating point hides of their sums is far below this."""

MONEY: Final = 1e-6
"""Costs closer than this, in the plan's currency, are held to be equal."""


@dataclass(slots=True)
class Found:
    """What is known of one goal."""

    bound: float
    first: Priced | None = None
    proven: bool = False


def solve(board: Board, params: Params, stop: Stop, seed: int) -> Proof | None:
    """Make the plan on the board the best there is, or a better one; what is known of it.

    The board's new pods are where the search begins, and what it goes back to. None where there are
    more than `exact_vehicles` vehicles that take pods, figures beyond 60 bits, or no kernels.
    """
    with _searching(board, params, stop, seed) as search:
        return None if search is None else search.run()


def shadow_prices(board: Board, params: Params, stop: Stop) -> Prices:
    """What more of what is scarce would be worth to the plan on the board; it is left as it is.

    There are none where `solve` would do nothing.
    """
    with _searching(board, params, stop, 0) as search:
        return Prices() if search is None else search.price()


@contextmanager
def _searching(board: Board, params: Params, stop: Stop, seed: int) -> Iterator["_Search | None"]:
    """A search around what the board holds; afterwards it holds the best of it."""
    taking = [c for c in board.candidates if c.refusal is None]
    vehicles = sum(candidate.parked is not None for candidate in taking)
    plain = len(taking) - vehicles
    if not params.compiled or max(vehicles, plain) > params.exact_vehicles:
        yield None
        return
    before = {index: placed.cases for index, placed in enumerate(board.placed)}
    _place(board, dict.fromkeys(before, ()))
    problem = problem_of(board)
    if problem is None:
        _place(board, before)
        yield None
        return
    search = _Search(board, problem, before, stop, seed)
    try:
        yield search
    finally:
        _place(board, search.best)


class _Search:
    """The best plan so far, and its problem; between calls the board is empty."""

    def __init__(
        self, board: Board, problem: Problem, before: dict[int, Held], stop: Stop, seed: int
    ) -> None:
        self._board, self._problem, self._stop, self._seed = board, problem, stop, seed
        self._rooms = {key: room.copy() for key, room in board.rooms.items()}
        self._merit = -1, 0, Fraction(0)
        self._reached: dict[int, int] = {}
        self._searched = 0
        self.best = before
        self._try(before)

    def run(self) -> Proof:
        """First the weight, then the cost at that weight."""
        if not self._problem.slots:
            prices = self._prices(None, None)
            return Proof(0, True, Fraction(0), prices, Solver.EXACT)  # noqa: FBT003 - proven
        taking = (each for each in self._board.candidates if each.refusal is None)
        has_plain = any(each.parked is None for each in taking)
        plain = self._dearest() if has_plain else 0.0
        heaviest, columns = self._heaviest()
        weight = -1
        while weight < self._merit[0]:
            weight = self._merit[0]
            self._decide(weight, columns)
            cheapest, columns = self._improve(Goal(weight, plain), columns)
        money = self._merit[2]
        bound = int(heaviest.bound + LITTLE) if np.isfinite(heaviest.bound) else None
        alone = not has_plain and not self._board.sites
        # The bound is of floating point; what that may hide is far below what is held to be equal.
        known = alone and np.isfinite(cheapest.bound)
        return Proof(
            bound,
            proven=bound == weight and cheapest.proven and not self._board.sites,
            cost_bound=min(Fraction(-cheapest.bound - MONEY), -money) if known else None,
            prices=self._prices(heaviest.first, cheapest.first),
            solver=Solver.EXACT,
            halted=_HALTED if self._stop.is_over else None,
        )

    def price(self) -> Prices:
        """What things are worth around the plan that is known, whoever made it."""
        found: list[Priced | None] = []
        for goal in (Goal(), Goal(self._merit[0])):
            master = Master(self._problem, goal)
            for index, some in enumerate(self._start()):
                master.add(index, some)
            duals = master.find_prices(ROUNDS, is_over=lambda: self._stop.is_over)
            found.append(None if duals is None else priced(self._problem, master, duals))
        return self._prices(*found)

    def _prices(self, weights: Priced | None, moneys: Priced | None) -> Prices:
        waiting = {t: len(each.pods) for t, each in enumerate(self._board.templates)}
        for held in self.best.values():
            for case, count in held:
                waiting[self._board.template_of(case)] -= count
        # Where all that fits anywhere has a place, no more weight is to be had from anything.
        short = any(waiting[template] for template in self._problem.demand)
        return prices_of(self._problem, waiting, weights if short else None, moneys)

    def _heaviest(self) -> tuple[Found, list[list[Counts]]]:
        """The greatest weight: of the highest rank alone, then with the next one, and so on.

        What is known of the higher ones is known of all plans. Asked all at once, a program would
        trade a pod of a high rank, in fractions, against all others.
        """
        found, columns = self._improve(Goal(), [], only_prices=True)
        if found.proven:
            return found, columns
        weights = {self._board.templates[template].weight for template in self._problem.demand}
        first = found.first
        for weight in sorted(weights, reverse=True):
            goal = Goal(rank=rank_of(weight))
            found, columns = self._improve(goal, columns)
            if np.isfinite(found.bound):
                self._problem.most[goal.rank] = int(found.bound + LITTLE)
        found.first = first
        return found, columns

    def _decide(self, weight: int, columns: list[list[Counts]]) -> None:
        """Decide the gangs without which, or with which, so much weight is out of reach."""
        self._problem.decided.clear()
        for gang, each in enumerate(self._board.together.gangs):
            if not each.needs:
                continue
            for placed in (False, True):
                self._problem.decided[gang] = placed
                master = Master(self._problem, Goal())
                for index, patterns in enumerate(columns):
                    master.add(index, patterns)
                prices = master.find_prices(ROUNDS)
                del self._problem.decided[gang]
                if prices is not None and prices.bound < weight - LITTLE:
                    self._problem.decided[gang] = not placed
                    break

    def _dearest(self) -> float:
        """More than all slots together could cost."""
        most = (
            float(np.abs(slot.bill.of(slot, slot.most[np.newaxis].astype(np.int16))).sum())
            for slot in self._problem.slots
        )
        return 1.0 + sum(most)

    def _improve(
        self, goal: Goal, columns: list[list[Counts]], *, only_prices: bool = False
    ) -> tuple[Found, list[list[Counts]]]:
        """A better plan, if there is one, and what no plan exceeds; and the patterns met."""
        choosing = Choosing(
            value=lambda: self._value(goal),
            step=_step(goal),
            choose=lambda pool: self._best_of(goal, pool),
            attempt=self._attempt,
            is_over=lambda: self._stop.is_over,
        )
        widely = not goal.rank
        tree = Tree(self._problem, goal, choosing, widely=widely)
        for patterns in (columns, self._start()):
            for index, some in enumerate(patterns):
                tree.master.add(index, some)
        tree.run(1 if only_prices else self._work_left(goal))
        self._searched += tree.searched
        proven = choosing.is_near(tree.bound)
        return Found(tree.bound, tree.first, proven=proven), tree.master.columns

    def _work_left(self, goal: Goal) -> int:
        """So many searches of slots: for the weight a part of all, for the money what is left."""
        most = (
            _SEARCHES_A_WORK * self._stop.work * (1.0 if goal.weight is not None else _FOR_WEIGHT)
        )
        return max(round(most) - self._searched, 1)

    def _best_of(self, goal: Goal, pool: list[list[Counts]]) -> float:
        """The best choice among these patterns, if it is better; what none of them exceeds."""
        pool = _joined(pool, self._start())
        if sum(map(len, pool)) <= FEW:
            return self._choose(goal, pool)
        sieve = Sieve(self._problem, goal, pool)
        sieve.run(self._value(goal), self._start(), CUTS)
        pool, whole = sieve.left(MANY)
        chosen = self._choose(goal, pool)
        return min(sieve.bound, chosen) if whole else sieve.bound

    def _attempt(self, chosen: dict[int, Counts]) -> None:
        """One choice, if it is better; the rooms that it overloads are looked at from then on."""
        held = {self._problem.slots[i].candidate: self._held(i, p) for i, p in chosen.items()}
        for key, instant in self._try(held):
            self._problem.add_room(key, instant)

    def _start(self) -> list[list[Counts]]:
        """The best plan, as patterns to begin with."""
        patterns = self._patterns()
        return [
            [patterns[index]] if index in patterns else []
            for index in range(len(self._problem.slots))
        ]

    def _choose(self, goal: Goal, pool: list[list[Counts]]) -> float:
        """The best choice among these patterns, if it is better; what none of them exceeds."""
        for _ in range(_REPEATS):
            whole = Master(self._problem, goal, whole=True)
            for index, patterns in enumerate(pool):
                whole.add(index, patterns)
            nodes = max(round(_NODES_A_WORK * self._stop.work), 1)
            limits = f"limits/nodes = {nodes}\nrandomization/randomseedshift = {self._seed}\n"
            whole.solver.SetSolverSpecificParametersAsString(limits + _CUT_LITTLE)
            if not whole.solve():
                return np.inf
            chosen = whole.chosen()
            held = {self._problem.slots[i].candidate: self._held(i, p) for i, p in chosen.items()}
            overloaded = self._try(held)
            if not overloaded:
                return float(whole.solver.Objective().BestBound())
            new = [self._problem.add_room(key, instant) for key, instant in overloaded]
            if not any(new):
                break
        return np.inf

    def _try(self, held: dict[int, Held]) -> list[tuple[RoomKey, Instant]]:
        """Keep this plan if it is one, made stable, and better; or the rooms that it overloads."""
        board = self._board
        _place(board, held)
        overloaded = list(_overloaded(self._rooms, board.rooms))
        if not overloaded and self._holds(held):
            self._note_ranks()
            settle(board)
            merit = board.weight, -_plain(board), -board.money
            if merit > self._merit:
                self._merit = merit
                self.best = {i: placed.cases for i, placed in enumerate(board.placed)}
        _place(board, dict.fromkeys(range(len(board.candidates)), ()))
        return overloaded

    def _note_ranks(self) -> None:
        """What the board places of each rank and those above, if that is more than so far."""
        board = self._board
        placed = {t: count - board.left[t] for t, count in self._problem.demand.items()}
        for weight in {board.templates[template].weight for template in placed}:
            rank = rank_of(weight)
            reached = sum(counted(self._problem, t, rank) * count for t, count in placed.items())
            self._reached[rank] = max(reached, self._reached.get(rank, 0))

    def _holds(self, held: dict[int, Held]) -> bool:
        """What rows leave out: spread, gangs, and batteries that are charged meanwhile."""
        together = self._board.together
        if not together.holds():
            return False
        if not all(together.is_whole(gang) for gang in range(len(together.gangs))):
            return False
        inexact = (slot.candidate for slot in self._problem.slots if not slot.exact)
        return all(self._fits(candidate, held.get(candidate, ())) for candidate in inexact)

    def _fits(self, candidate: int, held: Held) -> bool:
        """Whether a candidate can hold what it holds: the last one fits beside the others."""
        if not held:
            return True
        *others, (case, count) = held
        fewer = (*others, (case, count - 1)) if count > 1 else tuple(others)
        self._board.hold(candidate, fewer)
        fits = self._board.own_reason(case, candidate) is None
        self._board.hold(candidate, held)
        return fits

    def _value(self, goal: Goal) -> float:
        weight, plain, money = self._merit
        if goal.rank:
            return float(self._reached.get(goal.rank, 0))
        return float(weight) if goal.weight is None else float(money) + goal.plain * plain

    def _patterns(self) -> dict[int, Counts]:
        """The best plan as patterns."""
        found: dict[int, Counts] = {}
        for index, slot in enumerate(self._problem.slots):
            counts = np.zeros(len(slot.templates), np.int16)
            for case, count in self.best.get(slot.candidate, ()):
                counts[slot.templates.index(self._board.template_of(case))] += count
            if counts.any():
                found[index] = counts
        return found

    def _held(self, index: int, pattern: Counts) -> Held:
        cases = self._problem.slots[index].cases
        return tuple((cases[item], int(pattern[item])) for item in np.flatnonzero(pattern))


def _joined(columns: list[list[Counts]], pool: list[list[Counts]]) -> list[list[Counts]]:
    """By slot, the patterns of both, each once."""
    return [
        list({each.tobytes(): each for each in (*some, *more)}.values())
        for some, more in zip(columns, pool, strict=True)
    ]


def _step(goal: Goal) -> float:
    """What is better by less than this is no better: weights are whole, and money is nearly."""
    return 1 - LITTLE if goal.weight is None else MONEY


def _overloaded(
    before: dict[RoomKey, Headroom], after: dict[RoomKey, Headroom]
) -> list[tuple[RoomKey, Instant]]:
    """Where a room is over its limit, and more so than without the new pods."""
    return [
        (key, start)
        for key, room in after.items()
        for start, left in zip(room.starts, room.left, strict=True)
        if left < 0 and left < before[key].least(start, start + 1)
    ]


def _plain(board: Board) -> int:
    """How many pods stand on plain nodes."""
    return sum(
        count
        for placed, candidate in zip(board.placed, board.candidates, strict=True)
        if candidate.parked is None
        for _, count in placed.cases
    )


def _place(board: Board, held: dict[int, Held]) -> None:
    """Empty the candidates first, so that no circuit is counted twice on the way."""
    for candidate in held:
        board.hold(candidate, ())
    for candidate, cases in held.items():
        board.hold(candidate, cases)


_REPEATS: Final = 8
_SEARCHES_A_WORK: Final = 4_000
_FOR_WEIGHT: Final = 0.5
_NODES_A_WORK: Final = 50
_CUT_LITTLE: Final = "separating/maxroundsroot = 5\nseparating/maxrounds = 1\n"
"""The sieve has cut already: the solver's own cuts take five times as long as they save."""

_HALTED: Final = "It was told to stop before the best plan was found."
