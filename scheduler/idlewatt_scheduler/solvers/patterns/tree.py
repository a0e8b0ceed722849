"""Branch and price: where fractions are left, both ways to take them away are looked at apart.

Each branch is followed to where it ends, which finds plans; then the one is looked at in which a
plan could be better by the most, which lowers the bound. Where few enough patterns could be in a
better plan, the best choice among them ends a branch.
"""

import heapq
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from typing import Final

import numpy as np

from idlewatt_scheduler.solvers.patterns.forks import Fork, fork_slot, fork_together
from idlewatt_scheduler.solvers.patterns.goals import Goal
from idlewatt_scheduler.solvers.patterns.master import MANY_NODES, Branch, Master, Prices
from idlewatt_scheduler.solvers.patterns.problem import Problem
from idlewatt_scheduler.solvers.patterns.search import Counts
from idlewatt_scheduler.solvers.patterns.shown import Priced, priced

ROUNDS: Final = 150
SOME_NODES: Final = 6_000
"""Patterns looked at for the best one of a slot, but for the first branch."""

AT_FIRST: Final = (40, 400)
"""Before slots are branched on, so many patterns of each are looked at for a better plan."""

MOST: Final = 500
NEAR: Final = 120
"""What a choice among many counts as, in searches; and so many columns are few, in a branch."""

OFTEN: Final = 30
SELDOM: Final = 8
"""So many branches at first, and of the others every so-manieth, are looked at for better plans."""

FEW: Final = 300
ALL: Final = 10_000
"""More patterns of a branch, or of the first one, are not chosen from."""

Pool = list[list[Counts]]


@dataclass(frozen=True, slots=True)
class Choosing:
    """What a tree asks of whoever knows the plans.

    Attributes:
        value: what the best plan is worth.
        step: what is better by less than this is no better.
        choose: the best choice among patterns, if it is better; what no choice of them exceeds.
        attempt: one choice, as patterns by slot, if it is better.
        is_over: whether the best plan so far has to do.
    """

    value: Callable[[], float]
    step: float
    choose: Callable[[Pool], float]
    attempt: Callable[[dict[int, Counts]], None]
    is_over: Callable[[], bool]

    def is_near(self, bound: float) -> bool:
        """Whether a bound says that nothing better is to be found."""
        return bound <= self.value() + self.step


class Tree:
    """The search for one goal.

    Args:
        widely: many patterns are looked at for better plans before slots are branched on.

    Attributes:
        bound: no plan is worth more.
        first: what things are worth in the first branch, which is everything.
        master: the program of it all.
    """

    def __init__(
        self, problem: Problem, goal: Goal, choosing: Choosing, *, widely: bool = True
    ) -> None:
        self._problem, self._goal, self._choosing = problem, goal, choosing
        self._widely = widely
        self._branches = 0
        self._asked = 0
        self.master = Master(problem, goal)
        self.bound = np.inf
        self.first: Priced | None = None

    def run(self, work: int) -> None:
        """Look at branches until none could be better, or slots were searched so many times."""
        number, done = count(), -np.inf
        waiting: list[tuple[float, int, Branch]] = [(-np.inf, next(number), Branch())]
        follow: tuple[float, Branch] | None = None
        while waiting or follow is not None:
            if follow is None:
                negative, _, branch = heapq.heappop(waiting)
                follow = -negative, branch
            bound, branch = follow
            follow = None
            if self._choosing.is_near(bound):
                continue
            if self._branches and (self.searched >= work or self._choosing.is_over()):
                done = max(done, bound, *(-each for each, _, _ in waiting), -np.inf)
                break
            bound, fork = self._look(branch, bound)
            if self._choosing.is_near(bound):
                continue
            if fork is None:
                done = max(done, bound)
                continue
            follow = bound, fork[0]
            heapq.heappush(waiting, (-bound, next(number), fork[1]))
        self.bound = min(self.bound, max(done, self._choosing.value()))
        self.master.enter(Branch())

    @property
    def searched(self) -> int:
        """How much work it was: how often a slot was searched for patterns."""
        return self._asked + self.master.asked

    def _look(self, branch: Branch, bound: float) -> tuple[float, Fork | None]:
        """A nearer bound of a branch, and the two that it is made of; none: it ends there."""
        self._branches += 1
        self._make_room()
        self.master.enter(branch)
        prices = self._price(SOME_NODES if branch.slots else MANY_NODES)
        if prices is None:
            return bound, None
        if not branch.slots and not branch.rows and not branch.others:
            self.first, self.bound = priced(self._problem, self.master, prices), prices.bound
        bound = min(bound, prices.bound)
        if self._choosing.is_near(bound):
            return bound, None
        fork = fork_together(self._problem, self.master, branch)
        if fork is not None and self._branches > 1:
            return bound, fork
        bound = min(bound, self._choose(branch, prices))
        fork = fork or fork_slot(self._problem, self.master, branch)
        return (bound, fork) if fork is not None else self._end(branch, bound)

    def _end(self, branch: Branch, bound: float) -> tuple[float, Fork | None]:
        """Every slot has a pattern: it is a choice, unless rows are missed that are still cheap."""
        prices: Prices | None = None
        while self.master.lacks() and not self._choosing.is_near(bound) and self.master.insist():
            prices = self._price(SOME_NODES)
            bound = bound if prices is None else min(bound, prices.bound)
            fork = fork_together(self._problem, self.master, branch)
            fork = fork or fork_slot(self._problem, self.master, branch)
            if fork is not None:
                return bound, fork
        if self.master.lacks() or self._choosing.is_near(bound):
            return bound, None
        self._choosing.attempt(self.master.chosen())
        if len(self._problem.rooms) > len(self.master.rooms):
            return self._look(branch, bound)
        prices = self._price(SOME_NODES)
        if prices is not None and not self._choosing.is_near(bound):
            bound = min(bound, prices.bound, self._finish(prices, FEW))
        return bound, None

    def _price(self, nodes: int) -> Prices | None:
        enough = self._choosing.value() + self._choosing.step
        return self.master.find_prices(ROUNDS, enough, nodes, self._choosing.is_over)

    def _choose(self, branch: Branch, prices: Prices) -> float:
        """Look for better plans near the prices of a branch; what it is not worth more than."""
        if branch.slots:
            bound = self._finish(prices, FEW)
            often = self._branches <= OFTEN or self._branches % SELDOM == 0
            if not np.isfinite(bound) and often:
                self._among(self.master.best_columns(prices, NEAR))
            return bound
        some = AT_FIRST if not branch.rows and not branch.others else AT_FIRST[:1]
        for at_most in some if self._widely else ():
            gap = prices.bound - self._choosing.value()
            if gap <= self._choosing.step:
                break
            self._among(self.master.near(prices, gap, at_most, SOME_NODES))
        return self._finish(prices, ALL)

    def _finish(self, prices: Prices, at_most: int) -> float:
        """The best choice among all patterns that could be in a better one, if they are few."""
        gap = prices.bound - self._choosing.value() - self._choosing.step
        if gap <= 0.0:
            return prices.bound
        pool, complete = self.master.enumerate(prices, gap, at_most, SOME_NODES)
        if not complete:
            return np.inf
        return max(self._among([list(some) for some in pool]), self._choosing.value())

    def _among(self, pool: Pool) -> float:
        """The best choice among patterns: a column of it is about as much work as a search."""
        if self._choosing.is_over():
            return np.inf
        self._asked += min(sum(map(len, pool)), MOST)
        return self._choosing.choose(pool)

    def _make_room(self) -> None:
        """Begin the program anew where more rooms are looked at than it knows."""
        if len(self._problem.rooms) > len(self.master.rooms):
            before = self.master
            self._asked += before.asked
            self.master = Master(self._problem, self._goal)
            for index, columns in enumerate(before.columns):
                self.master.add(index, columns)
