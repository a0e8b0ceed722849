"""How many have to go at the least, by requests alone: of all vehicles at once and of one."""

from tests.unit.scheduler.moves.scenes import a_plan, cars, runs, waits

from idlewatt_scheduler.moves.clearing import Clearing
from idlewatt_scheduler.moves.room import NOBODY_LEAVES, Room

ON_FIRST = [runs("a", "v-1", 4, pod__priority=1), runs("b", "v-1", 8, pod__priority=3)]
ON_SECOND = [runs("c", "v-2", 12, pod__priority=2)]
ORDERS = {0: ON_FIRST, 1: ON_SECOND}


def the_room(*cores: int) -> Room:
    """Four cores are free on either car; asked by pods of so many cores."""
    board, _ = a_plan(cars("v-1", "v-2"), [*ON_FIRST, *ON_SECOND])
    return Room(Clearing(board), (0, 1), ORDERS, [waits(f"w-{each}", each) for each in cores])


def test_as_few_as_might_do_for_each_vehicle() -> None:
    """The highest priority among them, how many they are, and the vehicle."""
    room = the_room(8, 12)
    assert sorted(room.offers(room.need(waits("w", 8)))) == [(1, 1, 0), (2, 1, 1)]
    assert sorted(room.offers(room.need(waits("w", 12)))) == [(2, 1, 1), (3, 2, 0)]


def test_nobody_of_the_same_priority_goes() -> None:
    """What is left to ask on the first car is not enough."""
    room = the_room(12)
    assert sorted(room.offers(room.need(waits("w", 12, priority=3)))) == [(2, 1, 1)]
    assert room.offer(room.need(waits("w", 12, priority=3)), 0, ON_FIRST) is None


def test_one_vehicle_is_asked_as_things_stand() -> None:
    """Nobody has to go where it fits already, and who is gone is not asked again."""
    room = the_room(4, 8)
    assert room.offer(room.need(waits("w", 4)), 0, ON_FIRST) == (NOBODY_LEAVES, 0, 0)
    assert room.offer(room.need(waits("w", 8)), 0, ON_FIRST) == (1, 1, 0)
    assert room.offer(room.need(waits("w", 8)), 0, ON_FIRST[1:]) == (3, 1, 0)


def test_what_is_not_requested_is_not_looked_at() -> None:
    """A pod that asks for no cores fits where none is left."""
    room = the_room(16, 0)
    assert room.offer(room.need(waits("w", 0)), 1, ()) == (NOBODY_LEAVES, 0, 1)
