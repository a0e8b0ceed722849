"""Upper bounds on the weight that any plan can place; valid however the plan was found.

Each looks at one thing that runs out, and at nothing else: whatever it counts, a plan can place
no more. What runs out is filled with the heaviest pods for what they take of it, the last of them
in part (the fractional knapsack).
"""

from collections.abc import Iterable, Mapping
from fractions import Fraction

from idlewatt_scheduler.board import Board
from idlewatt_scheduler.candidates import Candidate
from idlewatt_scheduler.energy import computing_at
from idlewatt_scheduler.further.registry import amounts_of
from idlewatt_scheduler.model.site import Site
from idlewatt_scheduler.model.units import Milliwatts

Fits = Mapping[int, list[int]]
"""By template, the candidates on which one such pod fits were no other new pod placed."""


def bound(board: Board) -> int:
    """The least of what the pods, each resource and all circuits together allow.

    `board` is expected without a new pod on it.
    """
    fits = {
        template: takers
        for template in range(len(board.templates))
        if (takers := [c for c in board.takers(template) if board.may_ever_take(template, c)])
    }
    for gang in board.together.gangs:
        if sum(len(board.templates[t].pods) for t in gang.members if t in fits) < gang.needs:
            fits = {t: takers for t, takers in fits.items() if t not in gang.members}
    trivial = sum(_weight(board, template) for template in fits)
    resources = {name for template in fits for name in amounts_of(board.templates[template].sample)}
    by_resource = (_by_resource(board, name, fits) for name in sorted(resources))
    return min([trivial, _by_circuits(board, fits), *by_resource])


def _by_resource(board: Board, name: str, fits: Fits) -> int:
    """All that is left of a resource, or a column, on the candidates that take any of these."""
    takers = {candidate for candidates in fits.values() for candidate in candidates}
    room = sum(_left(board.candidates[candidate], name) for candidate in takers)
    asked = {t: amounts_of(board.templates[t].sample).get(name, 0) for t in fits}
    return _knapsack(board, room, asked)


def _by_circuits(board: Board, fits: Fits) -> int:
    """All the power that the circuits leave, for the pods that nothing else could carry.

    A pod on a car that is awake and far from its cap raises the load of its circuit from now on
    by its AC power; where it would raise it less, or later, it is not counted.
    """
    asked = {
        template: min(_raises(board, template, candidate) for candidate in candidates)
        for template, candidates in fits.items()
    }
    room = sum(_room(board, site) for site in board.fleet.snapshot.sites.values())
    return _knapsack(board, room, asked)


def _raises(board: Board, template: int, candidate: int) -> Milliwatts:
    """By how much a pod raises the load of the circuits at this instant, at the least."""
    parked = board.candidates[candidate].parked
    if parked is None or parked.case.asleep or not parked.circuits:
        return 0
    figures, charging = parked.electrics, parked.charging_at(board.fleet.snapshot.at)
    most = 1_000 * parked.vehicle.compute.max_power_watts + figures.standby
    if not figures.plugged or charging + figures.ac(most) > figures.cap:
        return 0
    case, _ = board.case(template, candidate)
    return figures.ac(case.power) if case.stay.start < case.stay.until else 0


def _room(board: Board, site: Site) -> Milliwatts:
    """What the circuits of a site leave at this instant, no branch more than its cars can use."""
    at = board.fleet.snapshot.at
    direct: dict[str, Milliwatts] = {}
    for candidate in board.candidates:
        parked = candidate.parked
        if parked is not None and parked.case.site is site and parked.circuits:
            most = 1_000 * parked.vehicle.compute.max_power_watts + parked.electrics.standby
            now = computing_at(parked.base, at)
            more = max(parked.draw(most, at) - parked.draw(now, at), 0)
            name = parked.circuits[0][1]
            direct[name] = direct.get(name, 0) + more
    below = dict.fromkeys((circuit.name for circuit in site.circuits), 0)
    roots = 0
    for circuit in reversed(site.circuits):
        left = max(board.rooms[site.name, circuit.name].least(at, at + 1), 0)
        room = min(left, below[circuit.name] + direct.get(circuit.name, 0))
        if circuit.parent is None:
            roots += room
        else:
            below[circuit.parent] += room
    return roots


def _left(candidate: Candidate, name: str) -> int:
    return max(candidate.holds(name) - candidate.used.get(name, 0), 0)


def _weight(board: Board, template: int) -> int:
    return board.templates[template].weight * len(board.templates[template].pods)


def _knapsack(board: Board, room: int, asked: Mapping[int, int]) -> int:
    """The most weight in so much room; what asks for nothing is placed."""
    placed = sum(_weight(board, template) for template, amount in asked.items() if not amount)
    for template, amount in _worth_most_first(board, asked):
        weight, count = board.templates[template].weight, len(board.templates[template].pods)
        whole = min(room // amount, count)
        placed += whole * weight
        room -= whole * amount
        if whole < count:
            return placed + room * weight // amount
    return placed


def _worth_most_first(board: Board, asked: Mapping[int, int]) -> Iterable[tuple[int, int]]:
    asking = [(template, amount) for template, amount in asked.items() if amount]
    weights = [template.weight for template in board.templates]
    return sorted(asking, key=lambda entry: (Fraction(entry[1], weights[entry[0]]), entry))
