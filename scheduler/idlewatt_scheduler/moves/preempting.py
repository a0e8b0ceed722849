"""Preemption: pods of lower priority leave where one that waits could then be placed.

The waiting pods are asked in turn, the highest priority first. Each is counted where it would go,
so that two do not count on the same room. Those alike are asked as one kind, which keeps what it
learned of every vehicle until something changes there.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from heapq import heapify, heappop, heappush

import numpy as np

from idlewatt_scheduler.board import Board
from idlewatt_scheduler.model.plan import Leaving
from idlewatt_scheduler.model.policy import Preemption
from idlewatt_scheduler.model.reasons import MoveReason, PodReason
from idlewatt_scheduler.model.workload import Pod, RunningPod
from idlewatt_scheduler.moves.asked import may_be_asked, name_of, names_of
from idlewatt_scheduler.moves.clearing import NOBODY, Clearing, Places
from idlewatt_scheduler.moves.room import NOBODY_LEAVES, Room
from idlewatt_scheduler.tables.workings import Workings

Offer = tuple[int, int, int]
"""The highest priority among those who would leave, how many they are, and the vehicle.

The least is the best: vehicles are numbered in order of their names.
"""


def preempted(board: Board, leavers: tuple[Leaving, ...], work: Workings) -> list[Leaving]:
    """Who is asked to leave for a waiting pod, in the order in which these were asked.

    Args:
        board: with all placements of the plan.
        leavers: for the ordinary reasons.
        work: of the board's templates.
    """
    if board.fleet.snapshot.policy.preemption is not Preemption.LOWER_PRIORITY:
        return []
    turn = list(_in_turn(board))
    if not turn:
        return []
    ground = _Ground(board, leavers, sorted(set(turn)), work)
    kinds = {template: _Kind(ground, template) for template in set(turn)}
    leaving: list[Leaving] = []
    for template in turn:
        offer = kinds[template].best()
        if offer is not None:
            _, count, vehicle = offer
            name = board.candidates[vehicle].name
            going = ground.take(template, vehicle, count)
            leaving.extend(Leaving(each.pod, name, MoveReason.PREEMPTED) for each in going)
    return leaving


def _in_turn(board: Board) -> Iterator[int]:
    """The templates of the waiting pods, by priority, then age, then name of each pod."""
    waiting = [
        (-pod.priority, pod.created_at, pod.key, template)
        for template, left in enumerate(board.left)
        if left and board.together.is_complete(template)
        for pod in board.templates[template].pods[-left:]
    ]
    return (template for *_, template in sorted(waiting))


@dataclass(slots=True)
class _Change:
    """What changed: a vehicle, the circuits of its site, and whoever these spreads concern."""

    vehicle: int
    site: str
    spreads: frozenset[int] = frozenset()


@dataclass(slots=True)
class _Order:
    """Who would leave a vehicle, one after the other.

    Attributes:
        places: of the running pods, the first to go first.
        gone: how many of them are gone already.
    """

    places: list[int] = field(default_factory=list)
    gone: int = 0

    @property
    def left(self) -> list[int]:
        """The places of those that still run."""
        return self.places[self.gone :]


class _Ground:
    """The fleet as all kinds see it: who is gone, who was put where, and what changed when."""

    def __init__(
        self,
        board: Board,
        leavers: tuple[Leaving, ...],
        templates: Iterable[int],
        work: Workings,
    ) -> None:
        self.board, self._work = board, work
        self.clearing = Clearing(board)
        self.together = board.together.copy()
        self.changes: list[_Change] = []
        self.vehicles = [
            index
            for index, candidate in enumerate(board.candidates)
            if candidate.parked is not None and candidate.refusal is None
        ]
        self.site_of = {index: self._site(index) for index in self.vehicles}
        self.at_site: dict[str, list[int]] = defaultdict(list)
        for index, site in self.site_of.items():
            self.at_site[site].append(index)
        gone = names_of(leavers)
        self.orders: dict[int, _Order] = {}
        for index, candidate in enumerate(board.candidates):
            if candidate.parked is not None and self.clearing.running(index):
                self._begin(index, gone)
        askers = [board.templates[template].sample for template in templates]
        orders = {index: self.pods(index) for index in self.orders}
        relieved = {i for change in self.changes for i in self.at_site.get(change.site, ())}
        self.room = Room(self.clearing, self.vehicles, orders, askers, relieved)

    def takers(self, pod: Pod) -> frozenset[int]:
        """The vehicles of which no clause keeps the pod away that no placement changes."""
        vehicles, answer = self._work.vehicles, self._work.asking.answer(pod)
        return frozenset(np.asarray(vehicles.candidate)[answer.code == 0].tolist())

    def pods(self, index: int) -> list[RunningPod]:
        """Who would leave a vehicle from now on, the first to go first."""
        if index not in self.orders:
            return []
        running = self.clearing.running(index)
        return [running[place] for place in self.orders[index].left]

    def offer(self, template: int, index: int, least: int) -> tuple[Offer | None, bool]:
        """The fewest who have to leave a vehicle so that the pod could be placed, from `least`.

        And, where there is no offer, whether one may come of what others do with its circuits.
        """
        priority, relievable = self.board.templates[template].priority, False
        pods = self.pods(index)
        places = self.orders[index].left if index in self.orders else []
        for count in range(least, len(pods) + 1):
            if count and pods[count - 1].pod.priority >= priority:
                break
            reason = self._reason(template, index, frozenset(places[:count]) or NOBODY)
            if reason is None:
                last = pods[count - 1].pod.priority if count else NOBODY_LEAVES
                return (last, count, index), False
            relievable |= reason is PodReason.CIRCUIT_FULL
        return None, relievable

    def take(self, template: int, index: int, count: int) -> list[RunningPod]:
        """So many leave a vehicle, and the pod is counted there; those who leave."""
        going = self.pods(index)[:count]
        concerned = set(self.together.concerning(template))
        if count:
            order = self.orders[index]
            self.clearing.clear(index, frozenset(order.left[:count]))
            order.gone += count
            for each in going:
                concerned.update(self.together.run(each.pod, index, -1))
        self.clearing.put(self.board.case(template, index)[0], index)
        self.together.change(template, index, 1)
        self.room.refresh(index)
        self.changes.append(_Change(index, self.site_of[index], frozenset(concerned)))
        return going

    def _reason(self, template: int, index: int, going: Places) -> PodReason | None:
        """The first clause that keeps one such pod off a vehicle were these gone as well."""
        case, fixed = self.board.case(template, index)
        reason = fixed or self.clearing.reason(case, index, going)
        if reason is not None or not self.together.concerning(template):
            return reason
        pods = [self.clearing.running(index)[place].pod for place in going]
        for pod in pods:
            self.together.run(pod, index, -1)
        takes = self.together.takes(template, index)
        for pod in pods:
            self.together.run(pod, index, 1)
        return None if takes else PodReason.TOPOLOGY_SPREAD

    def _begin(self, index: int, leavers: set[tuple[str, str, str]]) -> None:
        """Those who leave and those on their way are gone, and the others stand in order."""
        name, running = self.board.candidates[index].name, self.clearing.running(index)
        gone = frozenset(
            place
            for place, each in enumerate(running)
            if (each.being_deleted and each.counts_until is None)
            or name_of(each.pod, name) in leavers
        )
        if gone:
            self.clearing.clear(index, gone)
            self.changes.append(_Change(index, self._site(index)))
        if index in self.site_of:
            places = [p for p, each in enumerate(running) if p not in gone and may_be_asked(each)]
            self.orders[index] = _Order(sorted(places, key=lambda p: _goes_last(running[p])))
            self.orders[index].places.reverse()

    def _site(self, index: int) -> str:
        """Its site; a car without one shares nothing with any other."""
        parked = self.board.candidates[index].parked
        if parked is None or not parked.loads:
            return f"alone {index}"
        return parked.loads[0][0][0]


def _goes_last(running: RunningPod) -> tuple[int, int, str]:
    """Greatest for who goes first: the lowest priority, the youngest, the greater name."""
    pod = running.pod
    return -pod.priority, pod.created_at, pod.key


class _Kind:
    """The waiting pods of one template, and what each vehicle would cost them in others.

    A heap holds for every vehicle the best that it may offer, whether or not it was asked; what is
    on top once it was asked is the best of all. Whoever has nothing to offer, for a reason of its
    own, is not asked again before something changes there.
    """

    def __init__(self, ground: _Ground, template: int) -> None:
        self._ground, self._template = ground, template
        pod = ground.board.templates[template].sample
        self._need = ground.room.need(pod)
        self._spreads = frozenset(ground.together.concerning(template))
        self._stamp: dict[int, int] = {}
        self._seen = len(ground.changes)
        self._takers = ground.takers(pod)
        self._hopeless: set[int] = set()
        self._heap: list[tuple[Offer, bool, int]] = [
            (offer, False, 0)
            for offer in ground.room.offers(self._need)
            if offer[2] in self._takers
        ]
        heapify(self._heap)

    def best(self) -> Offer | None:
        """The best offer of any vehicle, as things stand; None: there is none."""
        self._catch_up()
        while self._heap:
            offer, asked, stamp = self._heap[0]
            _, count, index = offer
            if stamp != self._stamp.get(index, 0):
                heappop(self._heap)
            elif asked:
                return offer
            else:
                heappop(self._heap)
                found, relievable = self._ground.offer(self._template, index, count)
                if found is not None:
                    heappush(self._heap, (found, True, stamp))
                elif not relievable:
                    self._hopeless.add(index)
        return None

    def _catch_up(self) -> None:
        """Forget what is known of vehicles where something changed since."""
        changes = self._ground.changes[self._seen :]
        self._seen += len(changes)
        self._hopeless.difference_update(change.vehicle for change in changes)
        if any(self._spreads & change.spreads for change in changes):
            concerned: Iterable[int] = self._ground.vehicles
            self._hopeless.clear()
        else:
            sites = dict.fromkeys(change.site for change in changes)
            concerned = (index for site in sites for index in self._ground.at_site.get(site, ()))
        for index in self._takers.intersection(concerned) - self._hopeless:
            self._renew(index)

    def _renew(self, index: int) -> None:
        self._stamp[index] = self._stamp.get(index, 0) + 1
        offer = self._ground.room.offer(self._need, index, self._ground.pods(index))
        if offer is not None:
            heappush(self._heap, (offer, False, self._stamp[index]))
