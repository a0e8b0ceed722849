"""The bench: one candidate beside all that a plan has placed, where a pod is tried on."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property

from idlewatt_scheduler.board import Board
from idlewatt_scheduler.candidates import Candidate, assemble
from idlewatt_scheduler.clauses.pod import PodCase, first_fixed_reason, pod_case
from idlewatt_scheduler.model.plan import Placement, Plan
from idlewatt_scheduler.model.policy import FleetPolicy
from idlewatt_scheduler.model.reasons import Reason
from idlewatt_scheduler.model.snapshot import Snapshot
from idlewatt_scheduler.model.units import Instant
from idlewatt_scheduler.model.workload import Pod
from idlewatt_scheduler.prices import PriceLine
from idlewatt_scheduler.templates import templates_of
from idlewatt_scheduler.why.outlook import Outlook, site_of


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
        return first_fixed_reason(case) or self.board.live_reason(case, self.index)

    def takes(self, wish: Wish) -> bool:
        """Whether the pod fits."""
        return self.reason(wish) is None


def board_left(snapshot: Snapshot, plan: Plan, without: Pod | None = None) -> Board:
    """The board with everything the plan has placed, one pod left out."""
    fleet = assemble(snapshot)
    board = Board(fleet, templates_of(snapshot.pending))
    indices = {candidate.name: index for index, candidate in enumerate(fleet.candidates)}
    template_of = {
        _id(pod): index for index, template in enumerate(board.templates) for pod in template.pods
    }
    counts = Counter(
        (template_of[_id(placed.pod)], indices[placed.node])
        for placed in _others(plan.placements, without)
    )
    for (template, candidate), count in counts.items():
        board.put(template, candidate, count)
    return board


class Future:
    """Benches of one candidate at later instants."""

    def __init__(self, outlook: Outlook, name: str) -> None:
        self._outlook = outlook
        self._name = name

    @cached_property
    def _beside(self) -> tuple[str, ...]:
        """The vehicles whose draw its circuits carry, itself among them."""
        site = site_of(self._outlook.candidates[self._name])
        return (self._name,) if site is None else self._outlook.at_site[site.name]

    def is_worth_a_look(self, wish: Wish, then: Instant) -> bool:
        """No clause fails that needs no look at other cars."""
        bench = self._bench(then, (self._name,))
        return bench.candidate.refusal is None and first_fixed_reason(bench.case(wish)) is None

    def bench(self, then: Instant) -> Bench:
        """The candidate among all that share its circuits."""
        return self._bench(then, self._beside)

    def takes(self, wish: Wish, then: Instant) -> bool:
        """Whether the pod would fit at that instant."""
        return self.is_worth_a_look(wish, then) and self.bench(then).takes(wish)

    def _bench(self, then: Instant, names: tuple[str, ...]) -> Bench:
        snapshot = self._outlook.snapshot_at(then, names)
        fleet = assemble(replace(snapshot, pending=()))
        index = next(i for i, each in enumerate(fleet.candidates) if each.name == self._name)
        return Bench(Board(fleet, ()), index)


def _others(placements: Iterable[Placement], without: Pod | None) -> Iterable[Placement]:
    sought = None if without is None else _id(without)
    return (placed for placed in placements if _id(placed.pod) != sought)


def _id(pod: Pod) -> tuple[str, str]:
    return pod.key, pod.uid
