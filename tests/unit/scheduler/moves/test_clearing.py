"""A plan as if some were gone: what they used is free, and the board stays as it was."""

from tests.unit.scheduler.moves.scenes import a_plan, cars, runs, waits

from idlewatt_scheduler.model.reasons import PodReason
from idlewatt_scheduler.model.site import Circuit
from idlewatt_scheduler.moves.clearing import Clearing
from idlewatt_scheduler.testing import a_site

FIRST = frozenset({0})
ROW = {"sites": {"depot-7": a_site(circuits=(Circuit("row-a", None, 1_300),))}}


def a_full_car() -> Clearing:
    """Two pods of eight cores on sixteen, and one that waits for eight."""
    running = [runs("a", "v-1"), runs("b", "v-1")]
    return Clearing(a_plan(cars("v-1"), running, [waits("w")])[0])


def test_what_is_gone_is_room_for_one() -> None:
    """For the question alone, or from then on; and then it is taken."""
    clearing = a_full_car()
    case, _ = clearing.board.case(0, 0)
    assert clearing.reason(case, 0) is PodReason.NOT_ENOUGH_RESOURCES
    assert clearing.reason(case, 0, FIRST) is None
    assert clearing.reason(case, 0) is PodReason.NOT_ENOUGH_RESOURCES
    clearing.clear(0, FIRST)
    assert clearing.reason(case, 0) is None
    clearing.put(case, 0)
    assert clearing.reason(case, 0) is PodReason.NOT_ENOUGH_RESOURCES
    assert clearing.reason(case, 0, frozenset({1})) is None


def test_the_board_stays_as_it_is() -> None:
    """What runs runs on, and nothing stands there that was not placed."""
    clearing = a_full_car()
    before = clearing.board.placed[0].used, clearing.board.rooms["depot-7", "row-a"].copy()
    clearing.clear(0, FIRST)
    clearing.put(clearing.board.case(0, 0)[0], 0)
    assert (clearing.board.placed[0].used, clearing.board.rooms["depot-7", "row-a"]) == before
    assert [each.pod.name for each in clearing.running(0)] == ["a", "b"]


def test_circuits_are_relieved_and_loaded() -> None:
    """Next door one ends, and there is room; one more comes, and there is none."""
    running = [runs("a", "v-1", 4), runs("b", "v-2", 4, pod__priority=20)]
    board, _ = a_plan(cars("v-1", "v-2"), running, [waits("w", 16)], **ROW)
    clearing = Clearing(board)
    case, _ = board.case(0, 0)
    assert clearing.reason(case, 0, FIRST) is PodReason.CIRCUIT_FULL
    clearing.clear(1, FIRST)
    assert clearing.reason(case, 0, FIRST) is None
    clearing.put(board.case(0, 1)[0], 1)
    assert clearing.reason(case, 0, FIRST) is PodReason.CIRCUIT_FULL
