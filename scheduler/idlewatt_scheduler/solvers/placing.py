"""Which solver places the pods: the exact ones where the fleet is small, prices where it is large.

Small fleets are planned on a board, which asks every clause of every pod. A large one is planned on
tables, and only vehicles of which these do not know the whole truth are asked again.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import groupby
from operator import itemgetter
from typing import Final

import numpy as np

from idlewatt_scheduler.board import Board
from idlewatt_scheduler.candidates import Fleet
from idlewatt_scheduler.clauses.live import first_live_reason, holding
from idlewatt_scheduler.clauses.pod import PodCase, pod_case
from idlewatt_scheduler.model.plan import Leaving
from idlewatt_scheduler.model.shadow import Prices
from idlewatt_scheduler.site_costs import site_terms
from idlewatt_scheduler.solvers import doubts, patterns
from idlewatt_scheduler.solvers.bounds import bound
from idlewatt_scheduler.solvers.exact import solve
from idlewatt_scheduler.solvers.found import Found
from idlewatt_scheduler.solvers.greedy import greedy
from idlewatt_scheduler.solvers.limits import Params, Proof, Stop, better
from idlewatt_scheduler.solvers.pricing.shown import prices_of
from idlewatt_scheduler.solvers.remembering import Earlier, begin, remember
from idlewatt_scheduler.solvers.scale.solving import solve_at_scale
from idlewatt_scheduler.tables.layout import Count, Tables
from idlewatt_scheduler.templates import Template

LITERALLY: Final = 0.25
"""What part of the work literals have before patterns are asked."""


@dataclass(frozen=True, slots=True)
class Question:
    """The fleet, looked up, and the pods that want a place on it.

    Attributes:
        leavers: the running pods that have to leave: gangs and spread do not count them.
        tables: of all of it.
    """

    fleet: Fleet
    templates: tuple[Template, ...]
    leavers: tuple[Leaving, ...]
    tables: Tables

    def board(self, counts: Iterable[Count] = ()) -> Board:
        """A board with these pods on it."""
        board = Board(self.fleet, self.templates, self.leavers)
        for candidate, held in groupby(counts, key=itemgetter(0)):
            board.hold(
                candidate, [(board.case(template, candidate)[0], n) for _, template, n in held]
            )
        return board


@dataclass(frozen=True, slots=True)
class Placed:
    """Candidate, template and number of all that is placed, sorted, and how good that is."""

    counts: tuple[Count, ...]
    proof: Proof


def place(question: Question, params: Params, stop: Stop, seed: int, earlier: Earlier) -> Placed:
    """Place the pods, from what is known of the plan of a little earlier."""
    if question.tables.vehicles <= params.exact_vehicles:
        return _place_exactly(question, params, stop, seed)
    fleet, templates, tables = question.fleet, question.templates, question.tables
    beginning = begin(fleet, templates, tables, earlier)
    found = solve_at_scale(tables, params, stop, seed, beginning)
    counts = _certain(question, found)
    proof = Proof(
        bound=found.bound,
        cost_bound=_cost_bound(question, found, counts),
        prices=_prices(question, found),
        solver=found.solver,
        halted=found.halted,
        memory=remember(fleet, templates, tables, found.memory),
    )
    return _beside_vehicles(question, Placed(counts, proof))


def _cost_bound(question: Question, found: Found, counts: Iterable[Count]) -> Fraction | None:
    """That of the plan that was found; it does not hold of one that places less weight.

    Tables know of each vehicle's cost alone: what sites export may save some of it.
    """
    weight = question.tables.wanted.weight
    if found.cost_bound is None:
        return None
    placed = sum(int(weight[template]) * number for _, template, number in counts)
    sought = sum(
        int(weight[template]) * number
        for template, number in zip(found.template.tolist(), found.number.tolist(), strict=True)
    )
    if placed < sought:
        return None
    saved = sum(each.saved_at_most for each in site_terms(question.fleet).values())
    return Fraction(found.cost_bound) - saved


def _prices(question: Question, found: Found) -> Prices:
    """What is shown of the prices that were found; nothing where none were."""
    if found.weights is None and found.moneys is None:
        return Prices()
    placed = np.zeros(question.tables.templates, np.int32)
    np.add.at(placed, found.template, found.number)
    samples = [template.sample.key for template in question.templates]
    return prices_of(question.tables, samples, placed, found.weights, found.moneys)


def _place_exactly(question: Question, params: Params, stop: Stop, seed: int) -> Placed:
    """Greedily at once, then exactly if the fleet is small enough for that.

    What literals do not prove soon, patterns often do; where these are not compiled, there is all
    the work for literals.
    """
    board = question.board()
    most = bound(board)
    greedy(board)
    if not params.exact_literals:
        return Placed(_on(board), Proof(bound=most))
    everything = range(len(board.candidates))
    work = stop.work * LITERALLY if params.compiled else stop.work
    proof = solve(board, everything, params.exact_literals, work, seed)
    if proof is None or not proof.proven:
        proof = better(proof, patterns.solve(board, params, stop, seed))
    else:
        proof = replace(proof, prices=patterns.shadow_prices(board, params, stop))
    known = most if proof.bound is None else min(most, proof.bound)
    return Placed(_on(board), replace(proof, bound=known))


def _certain(question: Question, found: Found) -> tuple[Count, ...]:
    """What was found, by candidate, once it is certain that clauses allow it, and allow no more.

    Fallible vehicles may hold more than their own clauses allow, and circuits may be fuller in the
    tables than they are: whoever has no place any more, or has none yet, may find one.
    """
    offered, rows = question.tables.offered, found.vehicle
    counts = list(
        zip(
            offered.candidate[rows].tolist(),
            found.template.tolist(),
            found.number.tolist(),
            strict=True,
        )
    )
    asked = [each for each, ask in zip(counts, offered.fallible[rows], strict=True) if ask]
    agreed = [
        count
        for candidate, held in groupby(asked, key=itemgetter(0))
        for count in _agreed(question, candidate, held)
    ]
    unsure = doubts.doubts_of(question.tables)
    everything = int(found.number.sum()) == int(question.tables.wanted.count.sum())
    if agreed == asked and (everything or not unsure.are_any):
        return tuple(sorted(counts))
    board = question.board(sorted({*counts} - {*asked} | {*agreed}))
    if agreed != asked:
        row_of = dict(zip((candidate for candidate, *_ in counts), rows.tolist(), strict=True))
        for candidate, template, _ in {*asked} - {*agreed}:
            unsure.after_change(board, row_of[candidate], [template], ())
        doubts.keep_together(board, unsure)
    doubts.settle(board, unsure)
    return _on(board)


def _agreed(question: Question, candidate: int, held: Iterable[Count]) -> Iterator[Count]:
    """As many of these pods as the vehicle's own clauses allow, in the order given."""
    fleet = question.fleet
    where, snapshot = fleet.candidates[candidate], fleet.snapshot
    agreed: list[tuple[PodCase, int]] = []
    for _, template, number in held:
        sample = question.templates[template].sample
        case = pod_case(sample, where, snapshot.policy, snapshot.at)
        placed, count = holding(where, agreed), 0
        while count < number and first_live_reason(case, placed, (), count + 1) is None:
            count += 1
        if count:
            agreed.append((case, count))
            yield candidate, template, count


def _beside_vehicles(question: Question, placed: Placed) -> Placed:
    """Use plain nodes for what no vehicle takes; what is known of the rest holds no more then."""
    plain = [each for each in question.fleet.candidates if each.parked is None]
    wanted = sum(len(template.pods) for template in question.templates)
    if not plain or sum(number for *_, number in placed.counts) == wanted:
        return placed
    board = question.board(sorted(placed.counts))
    greedy(board)
    return Placed(_on(board), replace(placed.proof, bound=None, cost_bound=None))


def _on(board: Board) -> tuple[Count, ...]:
    """What is placed on a board."""
    return tuple(
        sorted(
            (candidate, board.template_of(case), number)
            for candidate, placed in enumerate(board.placed)
            for case, number in placed.cases
        )
    )
