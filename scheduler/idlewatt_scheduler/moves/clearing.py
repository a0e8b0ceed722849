"""A plan as it would stand were some of the running pods gone, and more new ones placed."""

from dataclasses import replace

from idlewatt_scheduler.board import Board
from idlewatt_scheduler.candidates import Candidate
from idlewatt_scheduler.circuits import Headroom, Room, RoomKey, Share
from idlewatt_scheduler.clauses.live import Placed, draw_changes, first_live_reason, holding
from idlewatt_scheduler.clauses.pod import PodCase
from idlewatt_scheduler.energy import steps
from idlewatt_scheduler.further.registry import amounts_of
from idlewatt_scheduler.model.reasons import PodReason
from idlewatt_scheduler.model.workload import RunningPod

Places = frozenset[int]
"""Places of running pods among those of their candidate, as in `Parked.running`."""

NOBODY: Places = frozenset()


def without(candidate: Candidate, running: tuple[RunningPod, ...], gone: Places) -> Candidate:
    """A vehicle on which some of the running pods do not run; its vehicle clauses stay."""
    parked = candidate.parked
    if not gone or parked is None:
        return candidate
    used = dict(candidate.used)
    for place in gone:
        for name, amount in amounts_of(running[place].pod).items():
            used[name] -= amount
    stay = tuple(one for place, one in enumerate(parked.running) if place not in gone)
    base = tuple(steps(stay, parked.electrics.standby))
    return replace(candidate, used=used, parked=replace(parked, running=stay, base=base))


class Clearing:
    """What a board leaves once pods are gone from it and others stand on it; it stays as it is."""

    def __init__(self, board: Board) -> None:
        self.board = board
        self._gone: dict[int, Places] = {}
        self._candidates: dict[int, Candidate] = {}
        self._placed: dict[int, Placed] = {}
        self._rooms: dict[RoomKey, Headroom] = {}

    def running(self, index: int) -> tuple[RunningPod, ...]:
        """All that runs on a candidate, those that are gone included."""
        return self.board.fleet.running.get(self.board.candidates[index].name, ())

    def candidate(self, index: int) -> Candidate:
        """A candidate with those that still run there."""
        return self._candidates.get(index, self.board.candidates[index])

    def placed(self, index: int) -> Placed:
        """What it holds with all that was put there."""
        return self._placed.get(index, self.board.placed[index])

    def reason(self, case: PodCase, index: int, going: Places = NOBODY) -> PodReason | None:
        """The first clause about charge, machine and circuits that fails there; None: it fits.

        Args:
            case: of one more new pod on this candidate.
            index: of the candidate.
            going: running pods that are gone as well, for this question.
        """
        where, placed = self._as_if(index, going)
        rooms = self._rooms_as_if(index, placed)
        return first_live_reason(replace(case, candidate=where), placed, rooms)

    def clear(self, index: int, going: Places) -> None:
        """These are gone from a candidate from now on."""
        where, placed = self._as_if(index, going)
        self._hold(index, where, placed)
        self._gone[index] = self._gone.get(index, NOBODY) | going

    def put(self, case: PodCase, index: int) -> None:
        """One more new pod stands on a candidate from now on."""
        where, before = self.candidate(index), self.placed(index)
        self._hold(index, where, holding(where, (*before.cases, (case, 1))))

    def _as_if(self, index: int, going: Places) -> tuple[Candidate, Placed]:
        if not going:
            return self.candidate(index), self.placed(index)
        gone = self._gone.get(index, NOBODY) | going
        where = without(self.board.candidates[index], self.running(index), gone)
        return where, holding(where, self.placed(index).cases)

    def _rooms_as_if(self, index: int, placed: Placed) -> list[Room]:
        """What its circuits would leave if it held that."""
        parked = self.board.candidates[index].parked
        if parked is None:
            return []
        changes = draw_changes(parked, self.placed(index).line, placed.line)
        rooms: list[Room] = []
        for key, parts in parked.loads:
            left = self._rooms.get(key) or self.board.rooms[key]
            if changes:
                left = left.copy()
                for start, end, more in changes:
                    left.take(start, end, more * parts)
            rooms.append(left if parts == 1 else Share(left, parts))
        return rooms

    def _hold(self, index: int, where: Candidate, placed: Placed) -> None:
        parked = self.board.candidates[index].parked
        if parked is not None:
            for start, end, more in draw_changes(parked, self.placed(index).line, placed.line):
                for key, parts in parked.loads:
                    self._room(key).take(start, end, more * parts)
        self._candidates[index], self._placed[index] = where, placed

    def _room(self, key: RoomKey) -> Headroom:
        """One that may be taken from."""
        if key not in self._rooms:
            self._rooms[key] = self.board.rooms[key].copy()
        return self._rooms[key]
