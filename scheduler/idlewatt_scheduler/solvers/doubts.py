"""What tables forbid although the rules may allow it: those places are asked for again on a board.

Tables are careful with circuits. Of a car that our profiles charge they do not know when its plug
is full anyway; and where an asleep car would start only after something has ended, they count both.
Then they keep pods waiting that could be placed, and whatever shares such a circuit too. Limits of
fallible vehicles err the other way: where fewer pods stay than tables placed, others may fit.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from idlewatt_scheduler.board import Board
from idlewatt_scheduler.clauses.live import requests_fit
from idlewatt_scheduler.clauses.together import NOWHERE
from idlewatt_scheduler.solvers.greedy import place_gang
from idlewatt_scheduler.solvers.stability import kept_for, room_beside
from idlewatt_scheduler.tables.layout import Flags, Ints, Tables


@dataclass(slots=True)
class Doubts:
    """Vehicles that any waiting pod may fit on, and templates that may fit anywhere.

    Attributes:
        vehicles: bool[V].
        templates: bool[T].
    """

    tables: Tables
    vehicles: Flags
    templates: Flags

    @property
    def are_any(self) -> bool:
        """Whether there is anything to ask."""
        return bool(self.vehicles.any() or self.templates.any())

    def after_change(self, board: Board, row: int, lost: Iterable[int], new: Iterable[int]) -> None:
        """On a vehicle pods of some templates are no more, and some of others are new."""
        self.vehicles[row] = True
        rooms = self.tables.rooms
        here = rooms.room[rooms.first[row] : rooms.first[row + 1]]
        if len(here):
            shared = np.isin(rooms.room, here)
            self.vehicles[owners_of(rooms.first)[shared]] = True
        for template in lost:
            self.templates[template] = True
            self._after_counting(board, template)
        for template in new:
            self._after_counting(board, template)

    def after_counting(self, board: Board, templates: Iterable[int]) -> None:
        """Spread constraints that count these templates count more pods of them, or fewer."""
        for template in templates:
            self._after_counting(board, template)

    def _after_counting(self, board: Board, template: int) -> None:
        for index in board.together.concerning(template):
            spread = board.together.spreads[index]
            self.templates[[*(spread.subject | spread.counted)]] = True


def none(tables: Tables) -> Doubts:
    """No doubts at all."""
    return Doubts(tables, np.zeros(tables.vehicles, np.bool_), np.zeros(tables.templates, np.bool_))


def doubts_of(tables: Tables) -> Doubts:
    """The vehicles below circuits of which the tables do not know exactly what is left.

    They do where the row tells what is left at an instant at which all that load it have started,
    and where the draw of all of these is known.
    """
    rooms, offered = tables.rooms, tables.offered
    owner = owners_of(rooms.first)
    latest = np.zeros(len(rooms.left), np.int64)
    np.maximum.at(latest, rooms.room, offered.start[owner])
    careful = rooms.instant < latest
    careful[rooms.room[offered.fallible[owner]]] = True
    found = none(tables)
    found.vehicles[owner[careful[rooms.room]]] = True
    return found


def owners_of(first: Ints) -> Ints:
    """Whose each of the entries is that begin there."""
    return np.repeat(np.arange(len(first) - 1), np.diff(first))


def settle(board: Board, doubts: Doubts) -> None:
    """Let every pod take its place that was kept from it, until nobody envies anybody.

    Expects a board that is stable but for what is in doubt. Each step gives a place to a pod at the
    cost of lower ones only, so it ends. What a step changed is in doubt next.
    """
    if not any(board.left):
        return
    asking = _Asking(board, doubts.tables)
    while doubts.are_any:
        doubts = asking.settle_once(doubts)


class _Asking:
    """Asks waiting pods of vehicles that may take them: of the pairs of the tables."""

    def __init__(self, board: Board, tables: Tables) -> None:
        self._board, self._tables = board, tables
        order = np.argsort(tables.pairs.template, kind="stable")
        self._rows = owners_of(tables.pairs.first)[order]
        held = np.bincount(tables.pairs.template, minlength=tables.templates)
        self._first = np.concatenate([np.zeros(1, np.int64), np.cumsum(held)])
        self._candidate = tables.offered.candidate.tolist()

    def settle_once(self, doubts: Doubts) -> Doubts:
        """Ask about every doubt once; what is in doubt by what was changed."""
        board, later = self._board, none(self._tables)
        for template in range(self._tables.templates):
            if board.left[template] and board.together.is_complete(template):
                for row in self._asked(template, doubts):
                    while board.left[template] and self._take(template, row, later):
                        pass
        return later

    def _asked(self, template: int, doubts: Doubts) -> list[int]:
        rows = self._rows[self._first[template] : self._first[template + 1]]
        if not doubts.templates[template]:
            rows = rows[doubts.vehicles[rows]]
        asked: list[int] = rows.tolist()
        return asked

    def _take(self, template: int, row: int, later: Doubts) -> bool:
        """Place one pod there if it would fit beside those that it may not displace."""
        board, candidate = self._board, self._candidate[row]
        if not self._might(template, candidate):
            return False
        kept = room_beside(board, template, candidate)
        if kept is None:
            return False
        held = {board.template_of(case): n for case, n in board.placed[candidate].cases}
        board.hold(candidate, kept)
        board.put(template, candidate)
        there = {board.template_of(case): n for case, n in board.placed[candidate].cases}
        lost = [each for each, number in held.items() if there.get(each, 0) < number]
        later.after_change(board, row, lost, [template])
        return True

    def _might(self, template: int, candidate: int) -> bool:
        """Whether its requests would fit, which is found out much faster than all the rest."""
        board = self._board
        used = dict(board.candidates[candidate].used)
        for case, count in kept_for(board, template, candidate):
            for name, request in case.pod.requests.items():
                used[name] = used.get(name, 0) + count * request
        return requests_fit(board.case(template, candidate)[0], used, 1)


def keep_together(board: Board, doubts: Doubts) -> None:
    """After pods were taken back: no gang stays that is not whole any more, nor what is crowded.

    A gang is looked for another place at once.
    """
    row_of = {candidate: row for row, candidate in enumerate(doubts.tables.offered.candidate)}
    broken: set[int] = set()
    while True:
        gangs = [g for g in range(len(board.together.gangs)) if not board.together.is_whole(g)]
        if gangs:
            broken.update(gangs)
            templates = {t for gang in gangs for t in board.together.gangs[gang].members}
            for candidate in range(len(board.placed)):
                _take_back(board, doubts, row_of, candidate, templates)
        elif (crowded := next(_crowded(board), None)) is not None:
            _take_back(board, doubts, row_of, *crowded, most=1)
        else:
            break
    for gang in sorted(broken):
        place_gang(board, gang)
        members = board.together.gangs[gang].members
        doubts.templates[list(members)] = True
        doubts.after_counting(board, members)


def _take_back(  # noqa: PLR0913, PLR0917 - what is taken back, and from where
    board: Board,
    doubts: Doubts,
    row_of: dict[int, int],
    candidate: int,
    templates: set[int],
    most: int | None = None,
) -> None:
    """Leave out new pods of some templates there, all of them or so many of each."""
    held = board.placed[candidate].cases
    lost = {board.template_of(case) for case, _ in held} & templates
    if lost:
        stay = [
            (case, left)
            for case, number in held
            if (left := number - _number(number, most) * (board.template_of(case) in lost))
        ]
        board.hold(candidate, stay)
        doubts.after_change(board, row_of[candidate], lost, ())


def _number(number: int, most: int | None) -> int:
    return number if most is None else min(number, most)


def _crowded(board: Board) -> Iterator[tuple[int, set[int]]]:
    """Where a constraint does not hold of a pod: its candidate and template, the lightest first."""
    for index, spread in enumerate(board.together.spreads):
        counts, standing = board.together.counts[index], board.together.standing[index]
        least = spread.least(counts)
        for domain, count in enumerate(counts):
            if not standing[domain] or count - least <= spread.skew:
                continue
            there = [
                (board.template_of(case), candidate)
                for candidate, placed in enumerate(board.placed)
                if spread.domain[candidate] == domain != NOWHERE
                for case, _ in placed.cases
                if board.template_of(case) in spread.subject
            ]
            template, candidate = max(there)
            yield candidate, {template}
