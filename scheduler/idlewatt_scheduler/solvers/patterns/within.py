"""What is asked of the patterns of one slot in a part of the search, and the search within that.

Pods that every pattern has to hold are taken off the room and off what may be added; the stay they
pay for is paid by all. So the same compiled search does for all parts.
"""

from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from idlewatt_scheduler.solvers.patterns.search import Counts, Floats, Ints, search
from idlewatt_scheduler.solvers.patterns.slots import Slot

NDArrayBool: TypeAlias = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Earnings:
    """What the patterns of a slot earn at some prices.

    Attributes:
        each: float64[n], one pod of each item.
        once: float64[e], taken off once, by the last end.
        beyond: what a pattern may earn on top of that.
    """

    each: Floats
    once: Floats
    beyond: float

    def of(self, slot: Slot, counts: Counts) -> Floats:
        """What these patterns earn, what is beyond left out: float64[m]."""
        ends = last_ends(slot, counts)
        stay = np.where(ends >= 0, self.once[ends], 0.0)
        found: Floats = counts @ self.each - stay
        return found


@dataclass(frozen=True, slots=True)
class Within:
    """The patterns of a slot that hold at least, and at most, so many of each item.

    Attributes:
        low, high: by item.
        first: the last of their ends is this one or a later one; -1: or there is none at all.
        last: it is this one or an earlier one.
    """

    low: tuple[int, ...]
    high: tuple[int, ...]
    first: int
    last: int

    def holds(self, slot: Slot, counts: Counts) -> NDArrayBool:
        """Of each pattern, whether it is one of them: bool[m]."""
        ends = last_ends(slot, counts)
        among = (counts >= np.array(self.low)) & (counts <= np.array(self.high))
        found: NDArrayBool = among.all(axis=1) & (ends >= self.first) & (ends <= self.last)
        return found

    @property
    def is_open(self) -> bool:
        """Whether nothing at all is one of them."""
        return self.first < 0 and not any(self.low)

    def at_most(self, item: int, count: int) -> "Within":
        """Those of them that hold no more than so many of an item."""
        return replace(self, high=_changed(self.high, item, count))

    def at_least(self, item: int, count: int) -> "Within":
        """Those of them that hold so many of an item or more."""
        return replace(self, low=_changed(self.low, item, count))


def everything(slot: Slot) -> Within:
    """All patterns of a slot."""
    none = (0,) * len(slot.templates)
    return Within(none, tuple(map(int, slot.most)), -1, len(slot.ends) - 1)


def only(slot: Slot, counts: Counts) -> Within:
    """One pattern alone."""
    end = int(last_ends(slot, counts[np.newaxis])[0])
    return Within(tuple(map(int, counts)), tuple(map(int, counts)), end, end)


def last_ends(slot: Slot, counts: Counts) -> Ints:
    """The last end of each pattern, -1 where it holds nothing: int64[m]."""
    found: Ints = np.where(counts > 0, slot.level, -1).max(axis=1, initial=-1)
    return found


class Part:
    """A slot within limits, ready to be searched.

    Args:
        alone: what items take of the rooms above it, and what these carry of it alone.

    Attributes:
        base: the pattern that all of them begin with.
        end: its last end.
        allowed: it is one of them itself.
        possible: there may be others.
    """

    def __init__(self, slot: Slot, within: Within, alone: tuple[Ints, Ints]) -> None:
        self._slot = slot
        self.base = np.array(within.low, np.int16)
        self.end = int(last_ends(slot, self.base[np.newaxis])[0])
        taken = np.array(within.low, np.int64)
        more = np.minimum(np.array(within.high, np.int64), slot.most) - taken
        self._items = np.flatnonzero((more > 0) & (slot.level <= within.last))
        ends = np.maximum(np.arange(len(slot.ends)), self.end)
        self._ends = ends
        takes = np.concatenate([slot.takes, alone[0]], axis=1)
        none = np.zeros((len(slot.ends), len(alone[1])), np.int64)
        extra = np.concatenate([slot.extra, none], axis=1)
        self._extra = np.ascontiguousarray(extra[ends])
        self._room = np.concatenate([slot.room, alone[1]]) - taken @ takes
        self._takes = np.ascontiguousarray(takes[self._items])
        self._level, self._most = slot.level[self._items], more[self._items]
        self._lowest = 0 if self.end >= within.first else within.first
        fits = np.all(self._room >= (extra[self.end] if self.end >= 0 else 0))
        sane = bool(np.all(more >= 0)) and self.end <= within.last and bool(fits)
        self.allowed = sane and self.end >= within.first
        self.possible = sane and len(self._items) > 0

    def nothing(self, earnings: Earnings) -> float:
        """What the pattern earns that all begin with; less than anything if it is none of them."""
        if not self.allowed:
            return -np.inf
        return float(earnings.of(self._slot, self.base[np.newaxis])[0])

    def search(  # noqa: PLR0913 - as the compiled search
        self,
        earnings: Earnings,
        threshold: float,
        tolerance: float,
        at_most: int,
        nodes: int,
        *,
        best_alone: bool,
    ) -> tuple[Counts, bool, float]:
        """Patterns that earn more than a threshold, whether these are all, and what none exceeds.

        The pattern that all begin with is not among them.
        """
        if not self.possible or not at_most:
            return np.zeros((0, len(self.base)), np.int16), not self.possible, -np.inf
        begun = float(self.base @ earnings.each)
        found = np.zeros((at_most, len(self._items)), np.int16)
        count, whole, bound = search(
            earnings.each[self._items],
            earnings.once[self._ends],
            self._level,
            self._most,
            self._takes,
            self._extra,
            self._room,
            threshold - begun,
            tolerance,
            best_alone,
            self._lowest,
            nodes,
            found,
            np.zeros(at_most),
        )
        patterns = np.repeat(self.base[np.newaxis], count, axis=0)
        patterns[:, self._items] += found[:count]
        return patterns, whole, bound + begun


def _changed(counts: tuple[int, ...], item: int, count: int) -> tuple[int, ...]:
    return (*counts[:item], count, *counts[item + 1 :])


def warm() -> None:
    """Compile the search, or load it: two items of different stays, and one row."""
    each, once, level = np.array([2.0, 1.0]), np.array([0.1, 0.2]), np.array([0, 1], np.int64)
    most, takes = np.array([2, 1], np.int64), np.array([[2], [1]], np.int64)
    extra, room = np.zeros((2, 1), np.int64), np.array([4], np.int64)
    slot = each, once, level, most, takes, extra, room
    found, worth = np.zeros((1, 2), np.int16), np.zeros(1)
    search(*slot, 0.0, 0.0, True, 0, 10, found, worth)  # noqa: FBT003 - compiled
