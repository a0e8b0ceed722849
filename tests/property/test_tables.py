"""The columns say what the clauses, the board and the costs say, of every vehicle and template."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import fields
from fractions import Fraction
from random import Random

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numba import typeof
from tests.benchmarks.fleets import Size
from tests.benchmarks.instances import Plenty, an_instance
from tests.property.charging_fleets import charging_fleets
from tests.property.crowd_strategies import busy_fleets, crowded
from tests.property.strategies import snapshots

from idlewatt_scheduler.board import Board
from idlewatt_scheduler.candidates import assemble
from idlewatt_scheduler.clauses.live import first_live_reason
from idlewatt_scheduler.clauses.pod import never_fits
from idlewatt_scheduler.explain import waiting
from idlewatt_scheduler.leaving import leaving
from idlewatt_scheduler.model.reasons import WaitingCondition
from idlewatt_scheduler.model.snapshot import Snapshot
from idlewatt_scheduler.solvers.greedy import greedy
from idlewatt_scheduler.solvers.pairing import pairs as pairing
from idlewatt_scheduler.solvers.pairing.pairs import compiled_pairs, laid_pairs
from idlewatt_scheduler.solvers.pairing.sheets import are_small, no_sheets, sheets_of
from idlewatt_scheduler.tables import Tables, tabulate, workings_of
from idlewatt_scheduler.tables.layout import Indices, Pairs
from idlewatt_scheduler.tables.pairs import pairs_of
from idlewatt_scheduler.tables.together import gangs_of
from idlewatt_scheduler.templates import templates_of

PATIENT = settings(
    deadline=None,
    max_examples=80,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
LARGE = {"most_vehicles": 5, "most_pending": 8, "most_running": 6}
CROWDS = st.one_of(snapshots(**LARGE).flatmap(crowded), busy_fleets())
FLEETS = st.one_of(snapshots(**LARGE), charging_fleets(), CROWDS)
A_MILLIWATT_FOR_A_MONTH = Fraction(1, 1_000)
"""More than any price of it."""


def _tabulated(snapshot: Snapshot) -> tuple[Board, Tables]:
    fleet = assemble(snapshot)
    templates = templates_of(snapshot.pending)
    return Board(fleet, templates), tabulate(fleet, templates)


def _pairs(tables: Tables) -> Iterator[tuple[int, int, int]]:
    """Vehicle, template and index of each pair."""
    first, template = tables.pairs.first.tolist(), tables.pairs.template.tolist()
    for vehicle in range(tables.vehicles):
        for index in range(first[vehicle], first[vehicle + 1]):
            yield vehicle, template[index], index


def _most(board: Board, template: int, candidate: int) -> int:
    """How many fit there, circuits aside, were nothing else placed."""
    if board.candidates[candidate].refusal or board.candidates[candidate].parked is None:
        return 0
    case, fixed = board.case(template, candidate)
    if fixed is not None:
        return 0
    placed, count = board.placed[candidate], len(board.templates[template].pods)
    fitting = (n for n in range(count, 0, -1) if first_live_reason(case, placed, (), n) is None)
    return next(fitting, 0)


@PATIENT
@given(snapshot=FLEETS)
def test_pairs_are_those_that_no_clause_keeps_apart(snapshot: Snapshot) -> None:
    """A pair for each vehicle and template that fit, with its power, its end and its most."""
    board, tables = _tabulated(snapshot)
    found = {(int(tables.offered.candidate[v]), t): index for v, t, index in _pairs(tables)}
    fallible = set(tables.offered.candidate[tables.offered.fallible].tolist())
    for candidate in range(len(board.candidates)):
        for template in range(len(board.templates)):
            most = _most(board, template, candidate)
            index = found.get((candidate, template))
            there = 0 if index is None else int(tables.pairs.most[index])
            assert there >= most if candidate in fallible else there == most
            if index is not None:
                case, _ = board.case(template, candidate)
                assert tables.pairs.until[index] == case.stay.until - snapshot.at
                assert tables.pairs.power[index] == case.power


def _fits(tables: Tables, vehicle: int, held: dict[int, int]) -> bool:
    """Whether a vehicle holds so many of each of its pairs, circuits aside, by the columns."""
    offered, pairs, wanted = tables.offered, tables.pairs, tables.wanted
    used = sum(n * wanted.request[pairs.template[i]] for i, n in held.items())
    power = sum(n * int(pairs.power[i]) for i, n in held.items())
    start = int(offered.start[vehicle])
    energy = sum(n * int(pairs.power[i]) * (int(pairs.until[i]) - start) for i, n in held.items())
    last = max(int(pairs.until[i]) for i in held)
    energy += int(offered.lone_power[vehicle]) * max(last - int(offered.lone_from[vehicle]), 0)
    return bool(
        np.all(used <= offered.free[vehicle])
        and power <= offered.power[vehicle]
        and energy <= offered.energy[vehicle]
    )


@PATIENT
@given(snapshot=FLEETS, seed=st.integers(0, 2**32))
def test_what_fits_together_is_what_the_board_says(snapshot: Snapshot, seed: int) -> None:
    """Random pods are put on each vehicle as long as the board lets them, circuits aside."""
    board, tables = _tabulated(snapshot)
    chance = Random(seed)  # noqa: S311 - repeatable on purpose
    for vehicle in range(tables.vehicles):
        candidate = int(tables.offered.candidate[vehicle])
        held: dict[int, int] = {}
        there = [(t, i) for v, t, i in _pairs(tables) if v == vehicle]
        for _ in range(12):
            template, index = chance.choice(there)
            case, _ = board.case(template, candidate)
            fits = first_live_reason(case, board.placed[candidate], ()) is None
            said = _fits(tables, vehicle, {**held, index: held.get(index, 0) + 1})
            assert said or not fits
            assert fits or not said or tables.offered.fallible[vehicle]
            if fits:
                held[index] = held.get(index, 0) + 1
                board.put(template, candidate)
        _assert_cost(board, tables, vehicle, held)


def _assert_cost(board: Board, tables: Tables, vehicle: int, held: dict[int, int]) -> None:
    """The columns' cost of what a vehicle holds is the board's, but for rounded milliwatts."""
    if not held:
        return
    pairs = tables.pairs
    cost = float(tables.offered.opening[vehicle])
    cost += max(float(pairs.stay_cost[i]) for i in held)
    cost += sum(n * float(pairs.cost[i]) for i, n in held.items())
    paid = float(board.cost(int(tables.offered.candidate[vehicle])).money)
    most = sum(abs(n * float(pairs.cost[i])) for i, n in held.items()) + abs(paid)
    assert cost <= paid + 1e-9 * most
    parked = board.candidates[int(tables.offered.candidate[vehicle])].parked
    prices = None if parked is None else parked.prices
    if prices is None or all((price or 0) >= 0 for price in prices.timeline.prices):
        assert cost >= paid - 1e-4 * (most + 1e-3)


@PATIENT
@given(snapshot=FLEETS)
def test_pods_wait_for_what_the_board_says(snapshot: Snapshot) -> None:
    """Every candidate once, under the same reason in the same order, whatever was placed."""
    fleet, templates = assemble(snapshot), templates_of(snapshot.pending)
    leavers = leaving(fleet)
    board = Board(fleet, templates, leavers)
    greedy(board)
    counts = [
        (index, board.template_of(case), count)
        for index, placed in enumerate(board.placed)
        for case, count in placed.cases
    ]
    found = iter(waiting(workings_of(fleet, templates, leavers), counts))
    for index, (template, left) in enumerate(zip(templates, board.left, strict=True)):
        every = [board.reason(index, candidate) for candidate in range(len(board.candidates))]
        expected = Counter(reason for reason in every if reason is not None).most_common()
        for pod in template.pods[len(template.pods) - left :] if left else ():
            said = next(found)
            assert said.pod is pod
            assert list(said.reasons.items()) == expected
            assert said.condition is _condition(board, index)
    assert next(found, None) is None


def _condition(board: Board, template: int) -> WaitingCondition:
    """`Unschedulable` only if no time and no charge of the present fleet could place the pod."""
    for index, candidate in enumerate(board.candidates):
        if candidate.node is not None and not never_fits(board.case(template, index)[0]):
            return WaitingCondition.WAITING_FOR_ENERGY
    return WaitingCondition.UNSCHEDULABLE


def _raised(tables: Tables, vehicle: int, power: int) -> int:
    """By how much new pods of so much power raise the draw of a vehicle."""
    offered = tables.offered
    base, added = int(offered.base[vehicle]), int(offered.standby[vehicle]) + power

    def draw(computing: int) -> int:
        ac = computing * 100 // int(offered.efficiency_percent[vehicle])
        return min(int(offered.cap[vehicle]), int(offered.charging[vehicle]) + ac)

    return draw(base + added) - draw(base)


def _taken(tables: Tables, held: Counter[tuple[int, int]], room: int, *, bound: bool) -> int:
    """What pods take of a room: as it is counted to place them, or as it may be for a bound."""
    rooms, pairs, offered = tables.rooms, tables.pairs, tables.offered
    start, end, instant = (int(c[room]) for c in (rooms.start, rooms.end, rooms.instant))
    taken = 0
    for vehicle in {vehicle for vehicle, _ in held}:
        begins, power = int(offered.start[vehicle]), 0
        there = False
        for index, number in ((i, n) for (v, i), n in held.items() if v == vehicle and n):
            until = int(pairs.until[index])
            counts = begins <= instant < until if bound else begins < end and until > start
            power += number * int(pairs.power[index]) * counts
            there = there or counts
        loads = range(*(int(edge) for edge in rooms.first[vehicle : vehicle + 2]))
        parts = sum(int(rooms.parts[load]) for load in loads if rooms.room[load] == room)
        if there and parts and not (bound and offered.fallible[vehicle]):
            taken += parts * _raised(tables, vehicle, power)
    return taken


@PATIENT
@given(snapshot=FLEETS, seed=st.integers(0, 2**32))
def test_rooms_are_never_overloaded_by_what_the_columns_allow(
    snapshot: Snapshot, seed: int
) -> None:
    """Pods are put anywhere as long as vehicles and rooms say so: the board agrees each time."""
    board, tables = _tabulated(snapshot)
    chance = Random(seed)  # noqa: S311 - repeatable on purpose
    everything, held = list(_pairs(tables)), Counter[tuple[int, int]]()
    for _ in range(20 if everything else 0):
        vehicle, template, index = chance.choice(everything)
        more = held + Counter({(vehicle, index): 1})
        own = {i: n for (v, i), n in more.items() if v == vehicle}
        rooms = range(len(tables.rooms.left))
        if not _fits(tables, vehicle, own) or any(
            _taken(tables, more, room, bound=False) > tables.rooms.left[room] for room in rooms
        ):
            continue
        candidate = int(tables.offered.candidate[vehicle])
        reason = board.own_reason(board.case(template, candidate)[0], candidate)
        if tables.offered.fallible[vehicle] and reason is not None:
            continue
        assert reason is None
        held = more
        board.put(template, candidate)


@PATIENT
@given(snapshot=FLEETS, seed=st.integers(0, 2**32))
def test_no_board_holds_more_than_rooms_say_for_bounds(snapshot: Snapshot, seed: int) -> None:
    """Whatever the board takes, what stays at a room's instant takes no more than is left."""
    board, tables = _tabulated(snapshot)
    chance = Random(seed)  # noqa: S311 - repeatable on purpose
    everything, held = list(_pairs(tables)), Counter[tuple[int, int]]()
    for _ in range(25 if everything else 0):
        vehicle, template, index = chance.choice(everything)
        candidate = int(tables.offered.candidate[vehicle])
        if board.own_reason(board.case(template, candidate)[0], candidate) is None:
            held[vehicle, index] += 1
            board.put(template, candidate)
    for room, left in enumerate(tables.rooms.left.tolist()):
        assert _taken(tables, held, room, bound=True) <= left


@PATIENT
@given(snapshot=CROWDS)
def test_gangs_and_spread_are_those_of_the_board(snapshot: Snapshot) -> None:
    """The same gangs, domains and running pods, in whatever order they are numbered."""
    fleet, templates = assemble(snapshot), templates_of(snapshot.pending)
    leavers = leaving(fleet)
    work = workings_of(fleet, templates, leavers)
    board, spreads = Board(fleet, templates, leavers), work.spreads
    gang, needs = gangs_of(templates, work.running)
    assert sorted(
        (tuple(np.flatnonzero(gang == number).tolist()), int(need))
        for number, need in enumerate(needs)
    ) == sorted((tuple(sorted(each.members)), each.needs) for each in board.together.gangs)
    takers = [i for i, each in enumerate(fleet.candidates) if each.refusal is None]
    assert sorted(
        (
            tuple(np.flatnonzero(spreads.subject[group]).tolist()),
            tuple(np.flatnonzero(spreads.counted[group]).tolist()),
            tuple(np.where(domain < 0, domain, domain - spreads.first[group]).tolist()),
            tuple(spreads.running[slice(*spreads.first[group : group + 2])].tolist()),
            int(spreads.skew[group]),
            bool(spreads.floor_is_zero[group]),
        )
        for group, domain in enumerate(spreads.domain)
    ) == sorted(
        (
            tuple(sorted(each.subject)),
            tuple(sorted(each.counted)),
            tuple(each.domain[taker] for taker in takers),
            tuple(each.running),
            each.skew,
            each.floor_is_zero,
        )
        for each in board.together.spreads
    )


@PATIENT
@given(snapshot=FLEETS)
def test_the_compiled_loop_lays_out_the_same_pairs(snapshot: Snapshot) -> None:
    """Bit for bit what whole columns say, of every vehicle and template."""
    fleet = assemble(snapshot)
    work = workings_of(fleet, templates_of(snapshot.pending), leaving(fleet))
    _assert_the_same(compiled_pairs(work), pairs_of(work))


@pytest.mark.parametrize("plenty", list(Plenty))
def test_the_compiled_loop_does_so_for_a_fleet_of_every_kind(plenty: Plenty) -> None:
    """With sleepers, tariffs and residency; what was compiled beforehand is what is called."""
    snapshot = an_instance(Size(300, 400), plenty, 501)
    fleet = assemble(snapshot)
    work = workings_of(fleet, templates_of(snapshot.pending), leaving(fleet))
    found = laid_pairs(work)
    assert len(work.vehicles.candidate) * len(work.templates) < pairing.MANY_CELLS
    assert are_small(work)
    _assert_the_same(found, pairs_of(work))
    _assert_the_same(compiled_pairs(work), found)
    assert len(found[0].template) > 1_000
    assert typeof(sheets_of(work)) == typeof(no_sheets())  # type: ignore[no-untyped-call]


def _assert_the_same(one: tuple[Pairs, Indices], other: tuple[Pairs, Indices]) -> None:
    np.testing.assert_array_equal(one[1], other[1])
    for column in fields(Pairs):
        mine, theirs = getattr(one[0], column.name), getattr(other[0], column.name)
        assert mine.dtype == theirs.dtype
        np.testing.assert_array_equal(mine, theirs)
