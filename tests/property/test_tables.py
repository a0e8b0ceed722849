"""The columns say what the clauses, the board and the costs say, of every vehicle and template."""

from collections.abc import Iterator
from fractions import Fraction

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.property.charging_fleets import charging_fleets
from tests.property.strategies import snapshots

from idlewatt_scheduler.board import Board
from idlewatt_scheduler.candidates import assemble
from idlewatt_scheduler.clauses.live import first_live_reason
from idlewatt_scheduler.model.snapshot import Snapshot
from idlewatt_scheduler.tables import Tables, tabulate
from idlewatt_scheduler.templates import templates_of

PATIENT = settings(
    deadline=None,
    max_examples=200,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
LARGE = {"most_vehicles": 5, "most_pending": 8, "most_running": 6}
FLEETS = st.one_of(snapshots(**LARGE), charging_fleets())
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
