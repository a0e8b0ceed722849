"""The bench: one candidate beside all that a plan has placed, where a pod is tried on."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

from idlewatt_scheduler.board import Board
from idlewatt_scheduler.candidates import Candidate, Fleet, assemble
from idlewatt_scheduler.clauses.pod import PodCase, first_fixed_reason, pod_case
from idlewatt_scheduler.model.plan import Plan
from idlewatt_scheduler.model.policy import FleetPolicy
from idlewatt_scheduler.model.reasons import MoveReason, PodReason, Reason
from idlewatt_scheduler.model.snapshot import Snapshot
from idlewatt_scheduler.model.units import Instant
from idlewatt_scheduler.model.workload import Pod
from idlewatt_scheduler.prices import PriceLine, Verdict
from idlewatt_scheduler.stay import lead_of
from idlewatt_scheduler.templates import templates_of
from idlewatt_scheduler.why.outlook import Outlook, hours_of, site_of


@dataclass(frozen=True, slots=True)
class Wish:
    """What is asked for: the pod as it is, or changed, under the policy as it is, or changed.

    Attributes:
        prices: judged by a changed policy; None: the vehicle's own.
    """

    pod: Pod
    policy: FleetPolicy
    prices: PriceLine | None = None


class Bench:
    """One candidate on a board."""

    def __init__(self, board: Board, index: int) -> None:
        self.board = board
        self.index = index
        self.candidate: Candidate = board.candidates[index]

    @property
    def at(self) -> Instant:
        """The board's time."""
        return self.board.fleet.snapshot.at

    def case(self, wish: Wish) -> PodCase:
        """The pod there, as it is asked for."""
        candidate = self.candidate
        if wish.prices is not None and candidate.parked is not None:
            candidate = replace(candidate, parked=replace(candidate.parked, prices=wish.prices))
        return pod_case(wish.pod, candidate, wish.policy, self.at)

    def reason(self, wish: Wish) -> Reason | None:
        """The first clause that fails; None: it fits."""
        if self.candidate.refusal is not None:
            return self.candidate.refusal
        case = self.case(wish)
        alone = first_fixed_reason(case) or self.board.own_reason(case, self.index)
        return alone or next(self.company(wish.pod), None)

    def company(self, pod: Pod) -> Iterator[PodReason]:
        """The clauses about several pods that fail: no wish about the pod itself changes them."""
        for template, each in enumerate(self.board.templates):
            if any((one.key, one.uid) == (pod.key, pod.uid) for one in each.pods):
                if not self.board.together.takes(template, self.index, 1):
                    yield PodReason.TOPOLOGY_SPREAD
                if not self.board.together.is_complete(template):
                    yield PodReason.GANG_INCOMPLETE
                return

    def takes(self, wish: Wish) -> bool:
        """Whether the pod fits."""
        return self.reason(wish) is None


def board_left(snapshot: Snapshot, plan: Plan) -> Board:
    """The board with everything the plan has placed."""
    return board_of(assemble(snapshot), plan)


def board_of(fleet: Fleet, plan: Plan) -> Board:
    """The same for a part of the fleet: what is placed elsewhere is left out."""
    leavers = [each for each in plan.leaving if not isinstance(each.reason, MoveReason)]
    board = Board(fleet, templates_of(fleet.snapshot.pending), leavers)
    indices = {candidate.name: index for index, candidate in enumerate(fleet.candidates)}
    template_of = {
        (pod.key, pod.uid): index
        for index, template in enumerate(board.templates)
        for pod in template.pods
    }
    counts = Counter(
        (template_of[placed.pod.key, placed.pod.uid], indices[placed.node])
        for placed in plan.placements
        if placed.node in indices
    )
    for (template, candidate), count in counts.items():
        board.put(template, candidate, count)
    return board


class Future:
    """Benches of one candidate at later instants."""

    def __init__(self, outlook: Outlook, name: str) -> None:
        self._outlook = outlook
        self._name = name
        self._now = outlook.candidates[name]

    @cached_property
    def _beside(self) -> tuple[str, ...]:
        """The vehicles whose draw its circuits carry, itself among them."""
        site = site_of(self._now)
        return (self._name,) if site is None else self._outlook.at_site[site.name]

    def reason(self, wish: Wish, then: Instant) -> Reason | None:
        """The first clause that would fail at that instant; None: it would fit."""
        return self._alone_reason(wish, then) or self.bench(then).reason(wish)

    def takes(self, wish: Wish, then: Instant) -> bool:
        """Whether the pod would fit at that instant."""
        return self.is_worth_a_look(wish, then) and self.bench(then).takes(wish)

    def is_worth_a_look(self, wish: Wish, then: Instant) -> bool:
        """No clause fails that needs no look at other cars."""
        return self._is_plausible(wish, then) and self._alone_reason(wish, then) is None

    def bench(self, then: Instant) -> Bench:
        """The candidate among all that share its circuits."""
        board = self._outlook.boards.get((then, self._beside))
        if board is None:
            fleet = self._fleet(then, self._beside)
            board = self._outlook.boards[then, self._beside] = Board(fleet, ())
        names = (each.name for each in board.candidates)
        return Bench(board, next(i for i, name in enumerate(names) if name == self._name))

    def _alone_reason(self, wish: Wish, then: Instant) -> Reason | None:
        """The first that fails of the clauses about this vehicle alone."""
        fleet = self._fleet(then, (self._name,))
        candidate = next(each for each in fleet.candidates if each.name == self._name)
        if candidate.refusal is not None:
            return candidate.refusal
        return first_fixed_reason(pod_case(wish.pod, candidate, wish.policy, then))

    def _is_plausible(self, wish: Wish, then: Instant) -> bool:
        """What needs no other snapshot: window, deadline and, where each hour stands, prices."""
        parked, demand = self._now.parked, wish.pod.demand
        if parked is None:
            return True
        wait = then - self._outlook.snapshot.at
        stay = pod_case(wish.pod, self._now, wish.policy, self._outlook.snapshot.at).stay
        if demand.deadline is not None and stay.until + wait > demand.deadline:
            return False
        hours = hours_of(parked, then)
        closes = hours.open_until(then) if hours is not None else None
        if closes is None or stay.until + wait + lead_of(wish.pod, wish.policy) > closes:
            return False
        test = wish.policy.off_peak
        moves = test.cheapest_percent_of_next_24_hours or test.cleanest_percent_of_next_24_hours
        if demand.any_tariff or moves or parked.prices is None:
            return True
        return parked.prices.worst(stay.start + wait, stay.until + wait) is Verdict.OFF_PEAK

    def _fleet(self, then: Instant, names: tuple[str, ...]) -> Fleet:
        snapshot = self._outlook.snapshot_at(then, names)
        return assemble(replace(snapshot, pending=()))
