"""How many pods have to leave a vehicle at the least, by what is requested of it alone.

That is no more than the truth, and it is asked of ten thousand vehicles at once: whoever looks
for the least asks the rest of the rules of few of them.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from idlewatt_scheduler.further.registry import amounts_of
from idlewatt_scheduler.model.units import FOREVER
from idlewatt_scheduler.model.workload import Pod, RunningPod
from idlewatt_scheduler.moves.clearing import Clearing

Ints = NDArray[np.int64]

NOBODY_LEAVES = -(2**63)
"""Below every priority: of a place for which nobody has to leave."""

_MOST = 2**60
"""More than anything there is."""


@dataclass(frozen=True, slots=True)
class Need:
    """What one who waits needs of a vehicle.

    Attributes:
        priority: who would leave for it has a lower one.
        asked: by resource; less than nothing where it requests none: that always fits.
    """

    priority: int
    asked: tuple[int, ...]


class Room:
    """What is free on each vehicle, and what those who would leave it would free.

    Args:
        vehicles: that take pods.
        orders: by vehicle, who would leave it, the first to go first.
        askers: all that will ask for room: what they do not request is not looked at.
        relieved: the vehicles where there may be room without anybody's leaving for it.
    """

    def __init__(
        self,
        clearing: Clearing,
        vehicles: Sequence[int],
        orders: Mapping[int, Sequence[RunningPod]],
        askers: Iterable[Pod],
        relieved: Collection[int] = (),
    ) -> None:
        self._clearing = clearing
        requested = {n for pod in askers for n, amount in amounts_of(pod).items() if amount > 0}
        self.resources = tuple(sorted(requested))
        self._free = {index: self._left(index) for index in vehicles}
        self._at_once = np.array(sorted(relieved), np.int64)
        self._free_at_once = np.array([self._free[index] for index in sorted(relieved)], np.int64)
        self._free_at_once = self._free_at_once.reshape(len(relieved), len(self.resources))
        rows = [(index, each) for index in vehicles for each in orders.get(index, ())]
        self._vehicle = np.array([index for index, _ in rows], np.int64)
        self._priority = np.array([each.pod.priority for _, each in rows], np.int64)
        freed = np.array([self._amounts(each.pod) for _, each in rows], np.int64)
        freed = freed.reshape(len(rows), len(self.resources))
        free = np.array([self._free[index] for index, _ in rows], np.int64).reshape(freed.shape)
        self._count, summed = _summed(self._vehicle, freed)
        self._after = free + summed

    def need(self, pod: Pod) -> Need:
        """What a pod needs."""
        return Need(pod.priority, tuple(amount or -_MOST for amount in self._amounts(pod)))

    def offers(self, need: Need) -> Iterator[tuple[int, int, int]]:
        """For each vehicle that might do: the highest priority to leave, how many, the vehicle.

        As things stood in the beginning, when nothing was free for anybody who waits but where
        others leave anyway.
        """
        asked = np.array(need.asked, np.int64)
        free = self._at_once[(self._free_at_once >= asked).all(axis=1)]
        yield from ((NOBODY_LEAVES, 0, index) for index in free.tolist())
        enough = (self._priority < need.priority) & (self._after >= asked).all(axis=1)
        enough &= ~np.isin(self._vehicle, free)
        rows = np.flatnonzero(enough)
        _, first = np.unique(self._vehicle[rows], return_index=True)
        chosen = rows[first]
        yield from zip(
            self._priority[chosen].tolist(),
            self._count[chosen].tolist(),
            self._vehicle[chosen].tolist(),
            strict=True,
        )

    def offer(
        self, need: Need, index: int, order: Sequence[RunningPod]
    ) -> tuple[int, int, int] | None:
        """The same of one vehicle as things stand, nobody leaving included."""
        free = list(self._free[index])
        last = NOBODY_LEAVES
        for count in range(len(order) + 1):
            if count:
                leaver = order[count - 1].pod
                if leaver.priority >= need.priority:
                    return None
                last = leaver.priority
                free = [a + b for a, b in zip(free, self._amounts(leaver), strict=True)]
            if all(a >= b for a, b in zip(free, need.asked, strict=True)):
                return last, count, index
        return None

    def refresh(self, index: int) -> None:
        """Something left a vehicle, or came to it."""
        self._free[index] = self._left(index)

    def _amounts(self, pod: Pod) -> list[int]:
        amounts = amounts_of(pod)
        return [amounts.get(name, 0) for name in self.resources]

    def _left(self, index: int) -> list[int]:
        where, used = self._clearing.candidate(index), self._clearing.placed(index).used
        return [min(where.holds(name), FOREVER) - used.get(name, 0) for name in self.resources]


def _summed(vehicle: Ints, freed: Ints) -> tuple[Ints, Ints]:
    """Of rows by vehicle: how many of that vehicle's there are so far, and what these free."""
    rows = np.arange(len(vehicle))
    starts = np.flatnonzero(np.diff(vehicle, prepend=-1))
    first = np.repeat(starts, np.diff(starts, append=len(vehicle)))
    total = np.cumsum(freed, axis=0)
    before = np.where(first[:, None] > 0, total[first - 1], 0)
    return rows - first + 1, total - before
