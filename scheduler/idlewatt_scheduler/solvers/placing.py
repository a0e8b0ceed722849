"""Which solver places the pods: the exact ones where the fleet is small, prices where it is large.

Whatever solver it is, its answer is on the board in the end, and what is known of how good it is
in the proof.
"""

from collections import defaultdict
from dataclasses import replace
from fractions import Fraction

from idlewatt_scheduler.board import Board
from idlewatt_scheduler.clauses.live import first_live_reason, holding
from idlewatt_scheduler.clauses.pod import PodCase
from idlewatt_scheduler.solvers.bounds import bound
from idlewatt_scheduler.solvers.exact import solve
from idlewatt_scheduler.solvers.found import Found
from idlewatt_scheduler.solvers.greedy import fill, greedy
from idlewatt_scheduler.solvers.limits import Params, Proof, Stop
from idlewatt_scheduler.solvers.scale.solving import solve_at_scale
from idlewatt_scheduler.tables.layout import Tables


def place(  # noqa: PLR0913, PLR0917 - what the planner was given, and what it made of it
    board: Board, tables: Tables, params: Params, stop: Stop, seed: int, memory: object | None
) -> Proof:
    """Put the pods on the board: exactly, or at the prices of what is scarce.

    `board` is expected without a new pod on it, `tables` to be made of the same fleet and
    templates; `memory` is that of the last proof, if there is one.
    """
    if tables.vehicles <= params.exact_vehicles:
        most = bound(board)
        proof = _place_exactly(board, params, stop, seed)
        return replace(proof, bound=most if proof.bound is None else min(most, proof.bound))
    found = solve_at_scale(tables, params, stop, seed, memory)
    _commit(board, tables, found)
    proof = Proof(
        bound=found.bound,
        cost_bound=None if found.cost_bound is None else Fraction(found.cost_bound),
        prices=found.prices,
        solver=found.solver,
        halted=found.halted,
        memory=found.memory,
    )
    return _beside_vehicles(board, proof)


def _place_exactly(board: Board, params: Params, stop: Stop, seed: int) -> Proof:
    """Greedily at once, then exactly if the fleet is small enough for that."""
    greedy(board)
    everything = range(len(board.candidates))
    return solve(board, everything, params.exact_literals, stop.work, seed) or Proof()


def _commit(board: Board, tables: Tables, found: Found) -> None:
    """Put on the board what was found on the tables.

    The tables do not know the whole truth about a fallible vehicle: there the board has the last
    word, and the pods that came last are left out until it agrees.
    """
    offered = tables.offered
    held: dict[int, list[tuple[PodCase, int]]] = defaultdict(list)
    for row, template, number in zip(
        found.vehicle.tolist(), found.template.tolist(), found.number.tolist(), strict=True
    ):
        candidate = int(offered.candidate[row])
        held[row].append((board.case(template, candidate)[0], number))
    for row, cases in held.items():
        candidate = int(offered.candidate[row])
        agreed = _agreed(board, candidate, cases) if offered.fallible[row] else cases
        board.hold(candidate, agreed)


def _agreed(
    board: Board, candidate: int, cases: list[tuple[PodCase, int]]
) -> list[tuple[PodCase, int]]:
    """As many of these pods as the vehicle's own clauses allow, in the order given."""
    agreed: list[tuple[PodCase, int]] = []
    for case, number in cases:
        count = 0
        placed = holding(board.candidates[candidate], agreed)
        while count < number and first_live_reason(case, placed, (), count + 1) is None:
            count += 1
        if count:
            agreed.append((case, count))
    return agreed


def _beside_vehicles(board: Board, proof: Proof) -> Proof:
    """Use plain nodes for what no vehicle takes; what is known of the rest holds no more then."""
    plain = [c for c, candidate in enumerate(board.candidates) if candidate.parked is None]
    if not plain or not any(board.left):
        return proof
    for template, left in enumerate(board.left):
        if left:
            fill(board, template)
    return replace(proof, bound=None, cost_bound=None)
