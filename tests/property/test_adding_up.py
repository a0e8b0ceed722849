"""Placements cost the same whether they are added up at once or asked of the board one by one."""

from dataclasses import replace
from fractions import Fraction

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.property.charging_fleets import charging_fleets
from tests.property.energy_strategies import enriched
from tests.property.strategies import snapshots

from idlewatt_scheduler.adding_up import Known, add_up
from idlewatt_scheduler.board import Board
from idlewatt_scheduler.candidates import assemble
from idlewatt_scheduler.model.snapshot import Snapshot
from idlewatt_scheduler.solvers.greedy import greedy
from idlewatt_scheduler.templates import templates_of

PATIENT = settings(
    deadline=None,
    max_examples=100,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
LARGE = {"most_vehicles": 5, "most_pending": 8, "most_running": 6}


def _counts(board: Board) -> list[tuple[int, int, int]]:
    """What is placed."""
    return sorted(
        (index, board.template_of(case), count)
        for index, placed in enumerate(board.placed)
        for case, count in placed.cases
    )


@PATIENT
@given(
    snapshot=st.one_of(snapshots(**LARGE), snapshots(**LARGE).flatmap(enriched), charging_fleets())
)
def test_placements_cost_what_they_add_to_the_board(snapshot: Snapshot) -> None:
    """One pod after the other is put on a second board, and what that costs more is its cost."""
    fleet, templates = assemble(snapshot), templates_of(snapshot.pending)
    board, again = Board(fleet, templates), Board(fleet, templates)
    greedy(board)
    counts = _counts(board)
    added = add_up(fleet, templates, counts)
    names = {candidate.name: index for index, candidate in enumerate(fleet.candidates)}
    kinds = {pod.key: index for index, each in enumerate(templates) for pod in each.pods}
    for placement in added.placements:
        candidate, template = names[placement.node], kinds[placement.pod.key]
        case, _ = again.case(template, candidate)
        before = again.cost(candidate)
        assert placement.cost == again.added(candidate, ((case, 1),))
        again.put(template, candidate)
        more = again.cost(candidate) - before
        assert placement.energy_watt_hours == more.energy_watt_hours
        assert placement.power == case.power
        stay = (placement.start, placement.ready_at, placement.until)
        assert stay == (case.stay.start, case.stay.ready_at, case.stay.until)
    assert added.money == board.money == sum((p.cost for p in added.placements), Fraction(0))
    assert again.left == board.left


@PATIENT
@given(snapshot=snapshots(**LARGE), data=st.data())
def test_what_is_known_already_adds_up_to_the_same(snapshot: Snapshot, data: st.DataObject) -> None:
    """Other pods wait and others are placed: old bills and old templates change nothing."""
    pods = snapshot.pending
    fewer = data.draw(st.lists(st.sampled_from(pods), unique_by=id) if pods else st.just([]))
    last = templates_of(fewer)
    fleet = assemble(replace(snapshot, pending=tuple(fewer)))
    board = Board(fleet, last)
    greedy(board)
    billed = add_up(fleet, last, _counts(board)).billed
    templates = templates_of(pods, last)
    assert templates == templates_of(pods)
    fleet = assemble(snapshot)
    board = Board(fleet, templates)
    greedy(board)
    counts = _counts(board)
    again = add_up(fleet, templates, counts, known=Known(billed=billed))
    assert again.placements == add_up(fleet, templates, counts).placements
    assert again.money == board.money
