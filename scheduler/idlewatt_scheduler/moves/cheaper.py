"""Moving services to where they cost less: what each saves, and who moves in this plan.

Asked is whoever has stayed as long as it was promised. The one that saves most is asked first; each
is counted where it would go before the next one is asked.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction

from idlewatt_scheduler.availability import currency_unknown
from idlewatt_scheduler.board import Board
from idlewatt_scheduler.clauses.affinity import unmet_points
from idlewatt_scheduler.clauses.live import stretch_of
from idlewatt_scheduler.costs import cost_of, rates_of
from idlewatt_scheduler.energy import Stretch
from idlewatt_scheduler.model.plan import Leaving
from idlewatt_scheduler.model.reasons import MoveReason
from idlewatt_scheduler.model.units import seconds
from idlewatt_scheduler.model.workload import RunningPod
from idlewatt_scheduler.moves.asked import may_be_asked, name_of, names_of
from idlewatt_scheduler.moves.clearing import without
from idlewatt_scheduler.moves.market import Market, Place
from idlewatt_scheduler.tallies import fleet_pays


@dataclass(frozen=True, slots=True)
class _Service:
    """A running pod that may move: on which candidate, and which of those there it is."""

    running: RunningPod
    home: int
    place: int


def cheaper_elsewhere(
    board: Board, leavers: tuple[Leaving, ...], preempted: tuple[Leaving, ...]
) -> list[Leaving]:
    """Who is asked to leave since running it elsewhere costs less, in the order of asking.

    Args:
        board: with all placements of the plan.
        leavers: for the ordinary reasons, whom spread does not count.
        preempted: those that leave for a waiting pod.
    """
    policy = board.fleet.snapshot.policy
    if policy.migration_cost is None:
        return []
    services = list(_services(board, names_of((*leavers, *preempted))))
    if not services:
        return []
    market = Market(board, leavers, [service.running.pod for service in services])
    least = Fraction(policy.migration_cost)
    moving: list[Leaving] = []
    for service in _in_turn(market, services, least):
        found = _saving(market, service)
        if found is not None and found[0] > least:
            pod, name = service.running.pod, board.candidates[service.home].name
            market.move(pod, service.home, found[1])
            moving.append(Leaving(pod, name, MoveReason.CHEAPER_ELSEWHERE))
            if len(moving) == policy.migrations_at_once:
                break
    return moving


def _services(board: Board, gone: set[tuple[str, str, str]]) -> Iterator[_Service]:
    """The open-ended pods on vehicles that have stayed as long as they were promised."""
    fleet = board.fleet
    for home, candidate in enumerate(board.candidates):
        if candidate.parked is None:
            continue
        for place, running in enumerate(fleet.running.get(candidate.name, ())):
            timed = running.pod.demand.expected_runtime is not None
            promised = running.bound_until is not None and running.bound_until > fleet.snapshot.at
            if timed or promised or name_of(running.pod, candidate.name) in gone:
                continue
            if running.replaceable and may_be_asked(running):
                yield _Service(running, home, place)


def _in_turn(market: Market, services: list[_Service], least: Fraction) -> list[_Service]:
    """Those that might move, by what each would save alone, then by name.

    Whoever would not save enough even on a vehicle where nothing but its own use was paid for is
    not asked at all.
    """
    alone: list[tuple[Fraction, str, str, _Service]] = []
    for service in services:
        pod = service.running.pod
        paid, bound = _paid_at_home(market, service), market.kind(pod).least
        if paid is None or bound is None:
            continue
        if paid - least <= bound and not market.may_earn(service.home):
            continue
        best = market.kind(pod).best(pod, service.home)
        if best is not None:
            alone.append((best[0] - paid, pod.key, pod.uid, service))
    return [service for *_, service in sorted(alone, key=lambda entry: entry[:3])]


def _saving(market: Market, service: _Service) -> tuple[Fraction, Place] | None:
    """What moving it saves as things stand, and where it would go."""
    pod = service.running.pod
    paid, best = _paid_at_home(market, service), market.kind(pod).best(pod, service.home)
    return None if paid is None or best is None else (paid - best[0], best)


def _paid_at_home(market: Market, service: _Service) -> Fraction | None:
    """What its vehicle costs more with it than without, for a stay; None: nobody knows."""
    board, home = market.board, service.home
    snapshot, candidate = board.fleet.snapshot, board.candidates[home]
    parked = candidate.parked
    until = snapshot.at + seconds(snapshot.policy.minimum_stay_seconds)
    if parked is None or currency_unknown(parked.case):
        return None
    line = parked.prices
    if fleet_pays(parked) and (line is None or not line.priced(snapshot.at, until)):
        return None
    gone = frozenset({service.place})
    bare = without(candidate, market.clearing.running(home), gone).parked
    rates = rates_of(replace(candidate, refusal=None))
    if bare is None or rates is None:
        return None
    awake = replace(rates, waking=Fraction(0))
    new = [stretch_of(*each) for each in market.clearing.placed(home).cases]
    it = Stretch(snapshot.at, until, parked.running[service.place].power)
    paid = cost_of(bare, awake, [*new, it]).money - cost_of(bare, awake, new).money
    unmet = 0 if candidate.node is None else unmet_points(service.running.pod, candidate.node)
    return paid + unmet * Fraction(snapshot.policy.preference_cost_per_point)
