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

import gc
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from idlewatt_scheduler.adding_up import Billed, Known, add_up
from idlewatt_scheduler.candidates import assemble
from idlewatt_scheduler.explain import waiting
from idlewatt_scheduler.leaving import leaving
from idlewatt_scheduler.model.plan import Placement, Plan
from idlewatt_scheduler.model.snapshot import Snapshot
from idlewatt_scheduler.moves import moves
from idlewatt_scheduler.solvers.limits import Params, Stop
from idlewatt_scheduler.solvers.pairing.pairs import laid_pairs
from idlewatt_scheduler.solvers.placing import Question, place
from idlewatt_scheduler.solvers.remembering import Earlier
from idlewatt_scheduler.tables import tables_of, workings_of
from idlewatt_scheduler.tables.pairs import pairs_of
from idlewatt_scheduler.templates import Template, templates_of

__all__ = ["Params", "Stop", "plan"]

DEFAULT_PARAMS = Params()
DEFAULT_STOP = Stop()


@contextmanager
def _uncollected() -> Iterator[None]:
    """Without looking for garbage: a plan makes none that needs it, and a fleet is much to search.

    Of ten thousand vehicles planning takes half as long.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


@_uncollected()
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
    steps, last = _Steps(stop.clock), _remembered(previous)
    fleet = assemble(snapshot)
    steps.done("look up")
    leavers = leaving(fleet)
    steps.done("leave")
    templates = templates_of(snapshot.pending, last.templates)
    steps.done("group")
    work = workings_of(fleet, templates, leavers)
    tables = tables_of(work, laid_pairs if params.compiled else pairs_of)
    question = Question(fleet, templates, leavers, tables)
    steps.done("tabulate")
    before = {} if previous is None else {each.pod.key: each.node for each in previous.placements}
    placed = place(question, params, stop, seed, Earlier(before, last.solver))
    steps.done("place")
    makes_room = snapshot.policy.makes_room
    moving = moves(question.board(placed.counts), leavers, work) if makes_room else ()
    steps.done("make room")
    waits = waiting(work, placed.counts)
    steps.done("explain")
    known = Known(work.vehicles.tally_by_candidate, last.billed)
    added = add_up(fleet, templates, placed.counts, before, known)
    steps.done("add up")
    proof, most = placed.proof, sum(each.weight * len(each.pods) for each in templates)
    return Plan(
        at=snapshot.at,
        placements=added.placements,
        waiting=waits,
        leaving=tuple(sorted((*leavers, *moving), key=lambda each: (each.node, each.pod.key))),
        weight=sum(templates[template].weight * number for _, template, number in placed.counts),
        bound=most if proof.bound is None else min(proof.bound, most),
        cost=added.money,
        currency=fleet.exchange.plan_currency,
        proven=proof.proven,
        charging=fleet.charging,
        cost_bound=proof.cost_bound,
        prices=proof.prices,
        solver=proof.solver,
        halted=proof.halted,
        moved=None if previous is None else _moved(added.placements, before),
        step_seconds=steps.seconds,
        memory=_Memory(templates, added.billed, proof.memory),
    )


@dataclass(frozen=True, slots=True)
class _Memory:
    """What a plan leaves to the next one. None of it changes what is planned but for the solver's.

    Attributes:
        templates: pods that were alike.
        billed: what was added up, by candidate.
        solver: the solver's own.
    """

    templates: tuple[Template, ...] = ()
    billed: Mapping[int, Billed] = field(default_factory=dict)
    solver: object | None = None


def _remembered(previous: Plan | None) -> _Memory:
    """What the previous plan left; nothing where there is none, or it came from elsewhere."""
    memory = None if previous is None else previous.memory
    return memory if isinstance(memory, _Memory) else _Memory()


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


def _moved(placements: Iterable[Placement], before: Mapping[str, str]) -> int:
    """How many pods were placed on another node before."""
    return sum(before.get(each.pod.key, each.node) != each.node for each in placements)
