"""The planner: the only way in. Snapshot, parameters, stop and seed in; a plan out.

1 look up      every vehicle with its Node, site, tariff, charge and circuits
2 charge       the cars whose charging is ours, before anything is placed
3 ask          which running pods have to leave
4 group        pending pods that no clause can tell apart
5 tabulate     vehicles and pods as columns of numbers
6 place        proven the best where the fleet is small, at the prices of what is scarce elsewhere
7 make room    running pods that leave for others, or for less money, where the policy says so
8 explain      why each pod that waits does
9 add up       what each placement costs, in the plan's order

The first two are one call: what a car may compute depends on what charges it.
"""

from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction

from idlewatt_scheduler.board import Board
from idlewatt_scheduler.candidates import assemble
from idlewatt_scheduler.clauses.live import Placed, holding
from idlewatt_scheduler.clauses.pod import PodCase
from idlewatt_scheduler.costs import Cost
from idlewatt_scheduler.explain import waiting
from idlewatt_scheduler.leaving import leaving
from idlewatt_scheduler.model.plan import Placement, Plan
from idlewatt_scheduler.model.snapshot import Snapshot
from idlewatt_scheduler.model.workload import Pod
from idlewatt_scheduler.solvers.limits import Params, Stop
from idlewatt_scheduler.solvers.placing import place
from idlewatt_scheduler.tables import tabulate
from idlewatt_scheduler.templates import templates_of

__all__ = ["Params", "Stop", "plan"]

DEFAULT_PARAMS = Params()
DEFAULT_STOP = Stop()


def plan(
    snapshot: Snapshot,
    params: Params = DEFAULT_PARAMS,
    stop: Stop = DEFAULT_STOP,
    seed: int = 0,
    previous: Plan | None = None,
) -> Plan:
    """Decide who is placed where and who leaves; the same arguments give the same plan.

    The placed weight is the greatest, then the cost the least, that the solver could prove or
    find; `Plan.bound` says how far from the best the weight may be, `Plan.cost_bound` how far the
    cost at that weight, `Plan.proven` that neither is. `previous` is the plan of the world a little
    earlier: it is what the search begins from, and what `Plan.moved` compares with.
    """
    steps = _Steps(stop.clock)
    fleet = assemble(snapshot)
    steps.done("look up")
    leavers = leaving(fleet)
    steps.done("leave")
    board = Board(fleet, templates_of(snapshot.pending), leavers)
    steps.done("group")
    tables = tabulate(fleet, board.templates, leavers)
    steps.done("tabulate")
    memory = None if previous is None else previous.memory
    proof = place(board, tables, params, stop, seed, memory)
    steps.done("place")
    waits = waiting(board)
    steps.done("explain")
    placements = tuple(_placements(board))
    steps.done("add up")
    return Plan(
        at=snapshot.at,
        placements=placements,
        waiting=waits,
        leaving=leavers,
        weight=board.weight,
        bound=board.weighing if proof.bound is None else min(proof.bound, board.weighing),
        cost=board.money,
        currency=fleet.exchange.plan_currency,
        proven=proof.proven,
        charging=fleet.charging,
        cost_bound=proof.cost_bound,
        prices=proof.prices,
        solver=proof.solver,
        halted=proof.halted,
        moved=_moved(placements, previous),
        step_seconds=steps.seconds,
        memory=proof.memory,
    )


class _Steps:
    """How long each step took, where somebody gave a clock."""

    def __init__(self, clock: Callable[[], float] | None) -> None:
        self._clock = clock
        self._last = 0.0 if clock is None else clock()
        self.seconds: dict[str, float] = {}

    def done(self, step: str) -> None:
        if self._clock is not None:
            now = self._clock()
            self.seconds[step], self._last = now - self._last, now


def _moved(placements: Iterable[Placement], previous: Plan | None) -> int | None:
    """How many pods the previous plan placed on another node."""
    if previous is None:
        return None
    before = {placement.pod.key: placement.node for placement in previous.placements}
    return sum(before.get(each.pod.key, each.node) != each.node for each in placements)


def _placements(board: Board) -> Iterator[Placement]:
    """By priority, then age; each with what it adds to its vehicle after those before it."""
    chosen: list[tuple[int, Pod, int, PodCase]] = []
    taken = [0] * len(board.templates)
    for index, placed in enumerate(board.placed):
        for case, count in placed.cases:
            template = board.template_of(case)
            pods = board.templates[template].pods[taken[template] : taken[template] + count]
            taken[template] += count
            chosen.extend((template, pod, index, case) for pod in pods)
    spent = [Cost()] * len(board.candidates)
    share = _Shares(board)
    held: list[list[tuple[PodCase, int]]] = [[] for _ in board.candidates]
    for _, pod, index, case in sorted(chosen, key=lambda entry: (entry[0], _age(entry[1]))):
        held[index].append((case, 1))
        total = board.cost_alone(index, held[index])
        added, spent[index] = total - spent[index], total
        money = added.money + share.add(index, held[index])
        stay = case.stay
        yield Placement(
            pod=pod,
            node=board.candidates[index].name,
            start=stay.start,
            ready_at=stay.ready_at,
            until=stay.until,
            power=case.power,
            cost=money,
            energy_watt_hours=added.energy_watt_hours,
        )


class _Shares:
    """What each placement adds to the cost of its site, in the plan's order."""

    def __init__(self, board: Board) -> None:
        self._board = board
        self._held: dict[str, dict[int, Placed]] = {name: {} for name in board.sites}
        self._spent = dict.fromkeys(board.sites, Fraction(0))

    def add(self, candidate: int, held: list[tuple[PodCase, int]]) -> Fraction:
        """A candidate holds these from now on: by how much its site costs more."""
        name = self._board.site_of(candidate)
        if name is None:
            return Fraction(0)
        self._held[name][candidate] = holding(self._board.candidates[candidate], held)
        before = self._spent[name]
        self._spent[name] = self._board.site_money(name, self._held[name])
        return self._spent[name] - before


def _age(pod: Pod) -> tuple[int, str]:
    return pod.created_at, pod.key
