"""What slots have in common, as linear rows: demand, gangs, spread, and the weight asked for.

Rows of circuits are apart: a car's draw is not linear in its pods. What a row cannot say linearly
is left out of it or relaxed: these rows are for prices and bounds, and hold of every plan.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from idlewatt_scheduler.solvers.patterns.problem import Problem, domain_of
from idlewatt_scheduler.solvers.patterns.search import Floats
from idlewatt_scheduler.templates import WEIGHT_BASE

INFINITE = np.inf


@dataclass(frozen=True, slots=True)
class Row:
    """low <= the sum of what the pods and the other variables count <= high.

    Attributes:
        pods: by template, what one pod of it counts on any slot, or on those of `slots`.
        slots: None: all of them.
        others: by variable.
        dear: by how much it is dearer to miss this row by one than another, where rows are missed.
    """

    low: float
    high: float
    pods: Mapping[int, float]
    slots: frozenset[int] | None = None
    others: Mapping[str, float] = field(default_factory=dict)
    dear: float = 1.0


@dataclass(frozen=True, slots=True)
class Joint:
    """The rows, and the least and the most of every other variable in them."""

    rows: tuple[Row, ...]
    others: Mapping[str, tuple[float, float]]

    def coefficients(self, slot: int, templates: Sequence[int]) -> Floats:
        """What one pod of each item of a slot counts in each row: float64[n, rows]."""
        table = np.zeros((len(templates), len(self.rows)))
        item = {template: index for index, template in enumerate(templates)}
        for number, row in enumerate(self.rows):
            if row.slots is None or slot in row.slots:
                for template in row.pods.keys() & item.keys():
                    table[item[template], number] = row.pods[template]
        return table


def joint_of(problem: Problem, weight: int | None, *, whole: bool = False) -> Joint:
    """The rows of a problem.

    Args:
        problem: the slots and their pods.
        weight: what has to be placed at the least; None: nothing is asked for.
        whole: the other variables are whole numbers: then the rows leave nothing out.
    """
    others: dict[str, tuple[float, float]] = {}
    forced: frozenset[int] = frozenset()
    rows: list[Row] = []
    if weight is not None:
        forced, left = _forced(problem, weight)
        rows.extend(_weight(problem, left, forced, others))
    rows.extend(_demand(problem, forced, others))
    rows.extend(_spread(problem, others, whole=whole))
    rows.extend(_ranks(problem))
    return Joint(tuple(rows), others)


def _ranks(problem: Problem) -> Iterator[Row]:
    """How many pods of a rank are placed: asked in branches alone; and what is known of ranks."""
    by_rank: dict[int, dict[int, float]] = {}
    for template in problem.demand:
        by_rank.setdefault(rank_of(problem.board.templates[template].weight), {})[template] = 1.0
    for _, pods in sorted(by_rank.items(), reverse=True):
        yield Row(-INFINITE, INFINITE, pods)
    for rank, most in sorted(problem.most.items()):
        weights = {
            template: float(problem.board.templates[template].weight // WEIGHT_BASE**rank)
            for template in problem.demand
        }
        counting = {template: weight for template, weight in weights.items() if weight}
        if sum(weight * problem.demand[t] for t, weight in counting.items()) > most:
            yield Row(-INFINITE, float(most), counting)


def _forced(problem: Problem, weight: int) -> tuple[frozenset[int], int]:
    """The templates of which every pod has to be placed, and what weight is asked of the others.

    Without all pods of the highest rank the lower ones do not make up for it; then likewise.
    """
    weights = {t: problem.board.templates[t].weight for t in problem.demand}
    whole = sum(weights[t] * count for t, count in problem.demand.items())
    forced: set[int] = set()
    for each in sorted(set(weights.values()), reverse=True):
        if whole - each >= weight:
            break
        forced.update(t for t in problem.demand if weights[t] == each)
    return frozenset(forced), weight - sum(weights[t] * problem.demand[t] for t in forced)


def _demand(
    problem: Problem,
    forced: frozenset[int],
    others: dict[str, tuple[float, float]],
) -> Iterator[Row]:
    """No more pods than wait, or all of them; of a gang none, or enough."""
    together = problem.board.together
    share = {
        gang: f"gang {gang}"
        for gang, each in enumerate(together.gangs)
        if each.needs and any(template in problem.demand for template in each.members)
    }
    for gang, name in share.items():
        decided = problem.decided.get(gang)
        others[name] = (float(decided or False), 1.0 if decided is None else float(decided))
        members = [t for t in together.gangs[gang].members if t in problem.demand]
        needs = float(together.gangs[gang].needs)
        yield Row(0.0, INFINITE, dict.fromkeys(members, 1.0), others={name: -needs})
    for template, count in problem.demand.items():
        gang = together.gang_of.get(template, -1)
        if template in forced:
            yield Row(float(count), float(count), {template: 1.0})
        elif gang in share:
            yield Row(-INFINITE, 0.0, {template: 1.0}, others={share[gang]: -float(count)})
        else:
            yield Row(-INFINITE, float(count), {template: 1.0})


def _spread(
    problem: Problem, others: dict[str, tuple[float, float]], *, whole: bool
) -> Iterator[Row]:
    """In no domain more than the skew above the emptiest, wherever a new pod asks for it."""
    for index, spread in enumerate(problem.board.together.spreads):
        counted = dict.fromkeys(spread.counted & problem.demand.keys(), 1.0)
        subject = dict.fromkeys(spread.subject & problem.demand.keys(), 1.0)
        if not subject or not spread.running:
            continue
        least = f"least {index}"
        new = float(sum(problem.demand[template] for template in counted))
        others[least] = (0.0, 0.0 if spread.floor_is_zero else min(spread.running) + new)
        floor = spread.least(spread.running)
        for domain, run in enumerate(spread.running):
            slots = frozenset(
                number
                for number, slot in enumerate(problem.slots)
                if domain_of(problem, index, slot) == domain
            )
            if not spread.floor_is_zero:
                yield Row(-float(run), INFINITE, counted, slots, {least: -1.0})
            room = float(spread.skew - run)
            # Where nobody stands who asks for it, nothing is asked. That is a matter of whole
            # numbers, but where all who are counted ask, and what runs alone would not break it.
            if spread.counted <= spread.subject and run - floor <= spread.skew:
                yield Row(-INFINITE, room, counted, slots, {least: -1.0})
            elif whole:
                asked = f"asked {index} {domain}"
                others[asked] = (0.0, 1.0)
                most = float(sum(problem.demand[template] for template in subject))
                yield Row(-INFINITE, 0.0, subject, slots, {asked: -most})
                off = new + run
                yield Row(-INFINITE, room + off, counted, slots, {least: -1.0, asked: off})


def _weight(
    problem: Problem,
    weight: int,
    forced: frozenset[int],
    others: dict[str, tuple[float, float]],
) -> Iterator[Row]:
    """At least so much weight, digit by digit: sixteen pods of a rank are one of the next.

    As one row it would range from 1 to a million, and a solver's tolerance would swallow pods.
    """
    by_rank: dict[int, dict[int, float]] = {}
    for template in problem.demand.keys() - forced:
        by_rank.setdefault(rank_of(problem.board.templates[template].weight), {})[template] = 1.0
    if not by_rank:
        return
    top = max(by_rank)
    carried = float(sum(problem.demand.values()) + WEIGHT_BASE)
    for rank in range(top + 1):
        last = rank == top
        weight, digit = (0, weight) if last else divmod(weight, WEIGHT_BASE)
        carry: dict[str, float] = {}
        if rank:
            carry[f"carry {rank - 1}"] = 1.0
        if not last:
            carry[f"carry {rank}"] = -float(WEIGHT_BASE)
            others[f"carry {rank}"] = (-carried, carried)
        dear = float(WEIGHT_BASE**rank)
        yield Row(float(digit), INFINITE, by_rank.get(rank, {}), others=carry, dear=dear)


def rank_of(weight: int) -> int:
    """The rank of a pod's priority, by what a pod weighs."""
    rank = 0
    while weight > WEIGHT_BASE**rank:
        rank += 1
    return rank
