"""What services would cost as new pods elsewhere, the cheapest vehicles first.

Those alike are of one kind, and every kind is asked of all vehicles at once by the columns that
planning at scale has. What the columns say is never more than what is paid, and whoever they leave
out has no room; so only few vehicles of each kind are asked exactly.
"""

from bisect import insort
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from heapq import heappop, heappush
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from idlewatt_scheduler.board import Board
from idlewatt_scheduler.clauses.pod import PodCase, first_fixed_reason, pod_case
from idlewatt_scheduler.clauses.together import Together
from idlewatt_scheduler.model.plan import Leaving
from idlewatt_scheduler.model.workload import Pod
from idlewatt_scheduler.moves.clearing import Clearing
from idlewatt_scheduler.prices import PriceLine
from idlewatt_scheduler.tables import tabulate
from idlewatt_scheduler.templates import Template, templates_of

Place = tuple[Fraction, int]
"""What a pod would add to the cost of a vehicle, and the vehicle; the least is the best.

Vehicles are numbered in order of their names.
"""


class Market:
    """All vehicles, with the placements of the plan and of those that moved so far."""

    def __init__(self, board: Board, leavers: Iterable[Leaving], pods: Iterable[Pod]) -> None:
        self.board = board
        self.clearing = Clearing(board)
        kinds = list(_kinds(pods))
        going = tuple(leavers)
        self.together = Together(board.fleet, (*board.templates, *kinds), going)
        for index, placed in enumerate(board.placed):
            for case, count in placed.cases:
                self.together.change(board.template_of(case), index, count)
        self._kinds: list[Kind] = []
        self._kind_of: dict[tuple[str, str], Kind] = {}
        self._may_earn = _may_earn(board)
        for made, bounds in zip(kinds, _bounds(board, kinds, going, self._may_earn), strict=True):
            number = len(board.templates) + len(self._kinds)
            self._kinds.append(Kind(self, number, made.sample, bounds))
            self._kind_of.update(((pod.key, pod.uid), self._kinds[-1]) for pod in made.pods)

    def may_earn(self, index: int) -> bool:
        """Whether standby on a vehicle may earn money."""
        return bool(self._may_earn[index])

    def kind(self, pod: Pod) -> "Kind":
        """The kind of one of the pods that were given."""
        return self._kind_of[pod.key, pod.uid]

    def move(self, pod: Pod, home: int, place: Place) -> None:
        """The pod is counted where it would go, and by spread there alone."""
        kind, (_, vehicle) = self.kind(pod), place
        case = kind.case(vehicle)
        if case is not None:
            self.together.run(pod, home, -1)
            self.together.change(kind.number, vehicle, 1)
            self.clearing.put(case, vehicle)
            for each in self._kinds:
                each.renew(vehicle)


class Kind:
    """Services alike: what one more of them would add to each vehicle.

    What was asked exactly is known, the cheapest first; what was not is no less than its bound.

    Attributes:
        number: by which spread knows it, like a template.
    """

    def __init__(self, market: "Market", number: int, sample: Pod, bounds: "Bounds") -> None:
        self.number = number
        self._market, self._sample, self._bounds = market, sample, bounds
        self._next = 0
        self._cases: dict[int, PodCase | None] = {}
        self._known: list[Place] = []
        self._again: list[tuple[float, int]] = []

    @property
    def least(self) -> float | None:
        """No vehicle can ever be had for less; None: there is none."""
        return self._bounds.cost[0] if self._bounds.cost else None

    def case(self, index: int) -> PodCase | None:
        """One of them as a new pod on a vehicle; None: no placement would make it fit there."""
        if index not in self._cases:
            board = self._market.board
            snapshot, where = board.fleet.snapshot, board.candidates[index]
            case = pod_case(self._sample, where, snapshot.policy, snapshot.at)
            self._cases[index] = case if first_fixed_reason(case) is None else None
        return self._cases[index]

    def best(self, pod: Pod, home: int) -> Place | None:
        """Where this one of them would go from its home; None: nowhere."""
        together = self._market.together
        if not together.concerning(self.number):
            return next((place for place in self._places() if place[1] != home), None)
        together.run(pod, home, -1)
        places = (place for place in self._places() if place[1] != home)
        found = next((place for place in places if together.takes(self.number, place[1])), None)
        together.run(pod, home, 1)
        return found

    def renew(self, index: int) -> None:
        """Something came to a vehicle: what it costs there is another matter now."""
        self._known = [place for place in self._known if place[1] != index]
        heappush(self._again, (float("-inf"), index))

    def _places(self) -> Iterator[Place]:
        """Those that fit now, the cheapest first; who does not fit now never will."""
        number = 0
        while True:
            bound = self._bound()
            if number < len(self._known) and not _is_less(bound, self._known[number]):
                place = self._known[number]
                if self._fits(place[1]):
                    yield place
                    number += 1
                else:
                    del self._known[number]
            elif bound is not None:
                self._ask(bound)
            else:
                return

    def _bound(self) -> tuple[float, int] | None:
        """What the next one to be asked costs at the least, and which it is."""
        following = None
        if self._next < len(self._bounds.cost):
            following = self._bounds.cost[self._next], self._bounds.vehicle[self._next]
        again = self._again[0] if self._again else None
        if following is None or again is None:
            return following or again
        return min(following, again)

    def _ask(self, bound: tuple[float, int]) -> None:
        """Ask exactly what one more of them adds there."""
        index = bound[1]
        if self._again and self._again[0] == bound:
            heappop(self._again)
        else:
            self._next += 1
        known = any(place[1] == index for place in self._known)
        if not known and self.case(index) is not None and self._fits(index):
            insort(self._known, (self._added(index), index))

    def _fits(self, index: int) -> bool:
        case = self.case(index)
        return case is not None and self._market.clearing.reason(case, index) is None

    def _added(self, index: int) -> Fraction:
        board, held = self._market.board, self._market.clearing.placed(index).cases
        case = self.case(index)
        more = held if case is None else (*held, (case, 1))
        return board.cost_alone(index, more).money - board.cost_alone(index, held).money


@dataclass(frozen=True, slots=True)
class Bounds:
    """The vehicles that might take a kind, the cheapest first by what it costs at the least."""

    cost: Sequence[float]
    vehicle: Sequence[int]


def _is_less(bound: tuple[float, int] | None, place: Place) -> bool:
    """Whether something may still be found that is better; floats and fractions compare exactly."""
    if bound is None:
        return False
    return bound[0] < place[0] or (bound[0] == place[0] and bound[1] < place[1])


def _kinds(pods: Iterable[Pod]) -> Iterator[Template]:
    """Pods that no clause, and no other pod's spread, can tell apart."""
    groups: dict[tuple[str, tuple[tuple[str, str], ...]], list[Pod]] = {}
    for pod in pods:
        groups.setdefault((pod.namespace, tuple(sorted(pod.labels.items()))), []).append(pod)
    for group in groups.values():
        yield from templates_of(group)


def _bounds(
    board: Board, kinds: list[Template], leavers: tuple[Leaving, ...], may_earn: NDArray[np.bool_]
) -> Iterator[Bounds]:
    """By kind: the vehicles that might take it, and what it would add there at the least."""
    tables = tabulate(board.fleet, kinds, leavers)
    pairs, rows = tables.pairs, np.repeat(np.arange(tables.vehicles), np.diff(tables.pairs.first))
    is_vehicle = np.array([each.parked is not None for each in board.candidates], np.bool_)
    candidate = tables.offered.candidate[rows]
    cost = np.where(may_earn[candidate], -np.inf, pairs.cost)
    order = np.lexsort((candidate, cost, pairs.template))
    order = order[is_vehicle[candidate[order]]]
    edges = np.searchsorted(pairs.template[order], np.arange(len(kinds) + 1))
    for start, end in pairwise(edges.tolist()):
        chosen = order[start:end]
        yield Bounds(cost[chosen].tolist(), candidate[chosen].tolist())


def _may_earn(board: Board) -> NDArray[np.bool_]:
    """Candidates where standby may earn money, so that a pod may add less than its own cost."""
    below: dict[PriceLine, bool] = {}
    found = np.zeros(len(board.candidates), np.bool_)
    for index, candidate in enumerate(board.candidates):
        line = None if candidate.parked is None else candidate.parked.prices
        if line is not None:
            if line not in below:
                below[line] = any(price is not None and price < 0 for price in line.timeline.prices)
            found[index] = below[line]
    return found
