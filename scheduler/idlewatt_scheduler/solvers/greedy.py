"""The greedy plan: by priority, each template where it costs least a pod, vehicles first.

It is stable: whatever kept a pod away when it was asked still does, for what was placed later
has no higher priority. A gang is placed with its first pod, whole or not at all. It is the
incumbent from the first moment.
"""

from heapq import heapify, heappop, heappush

from idlewatt_scheduler.board import Board
from idlewatt_scheduler.further.registry import amounts_of
from idlewatt_scheduler.solvers.stability import settle

Offer = tuple[float, int, int]
"""Cost a pod, the candidate, and how many pods fit there."""


def greedy(board: Board) -> None:
    """Place everything that fits, then mend what a later placement made possible."""
    asked: set[int] = set()
    for template in in_order(board):
        gang = board.together.gang_of.get(template)
        if gang is None or not board.together.gangs[gang].needs:
            fill(board, template)
        elif gang not in asked:
            asked.add(gang)
            place_gang(board, gang)
    settle(board)
    while vehicles_first(board):
        settle(board)


def vehicles_first(board: Board) -> bool:
    """Put pods on plain nodes where a vehicle takes them by now; whether there were any.

    One that was placed later may have made the difference: it was counted in another domain, or it
    took the place of those that stood on the vehicle.
    """
    moved = False
    for node, candidate in enumerate(board.candidates):
        if candidate.parked is None:
            for case, number in board.placed[node].cases:
                template = board.template_of(case)
                for _ in range(number):
                    if not _to_vehicle(board, template, node):
                        break
                    moved = True
    return moved


def _to_vehicle(board: Board, template: int, node: int) -> bool:
    """Place one pod that stands on a plain node on the vehicle where it costs least, if any."""
    held = board.placed[node].cases
    place = next(i for i, (case, _) in enumerate(held) if board.template_of(case) == template)
    case, number = held[place]
    fewer = [(case, number - 1)] if number > 1 else []
    board.hold(node, [*held[:place], *fewer, *held[place + 1 :]])
    takers = [
        (board.added(index, ((there, 1),)), index)
        for index in board.takers(template)
        if board.candidates[index].parked is not None
        for there in [board.case(template, index)[0]]
        if board.live_reason(there, index) is None
    ]
    for _, index in sorted(takers):
        before = board.placed[index].cases
        board.put(template, index)
        if board.together.holds():
            return True
        board.hold(index, before)
    board.hold(node, held)
    return False


def place_gang(board: Board, gang: int) -> None:
    """Place as many pods of a gang as fit, its highest priority first; none if they are too few."""
    before = [placed.cases for placed in board.placed]
    members = board.together.gangs[gang].members
    for template in in_order(board):
        if template in members:
            fill(board, template)
    if board.together.is_whole(gang):
        return
    for candidate, held in enumerate(before):
        if board.placed[candidate].cases != held:
            board.hold(candidate, held)


def in_order(board: Board) -> list[int]:
    """Templates by priority; among equals the smaller first, so that more of them fit."""
    return sorted(
        range(len(board.templates)),
        key=lambda index: (-board.templates[index].priority, _size(board, index), index),
    )


def fill(board: Board, template: int) -> None:
    """Place as many pods of a template as fit, always where the next ones cost least."""
    takers = board.takers(template) if board.left[template] else []
    vehicles = [index for index in takers if board.candidates[index].parked is not None]
    for among in (vehicles, [index for index in takers if index not in set(vehicles)]):
        left = board.left[template] + 1
        while board.left[template] < left:
            left = board.left[template]
            _fill_cheapest(board, template, among)
            if not board.together.concerning(template):
                break


def _fill_cheapest(board: Board, template: int, among: list[int]) -> None:
    offers = [offer for index in among if (offer := _offer(board, template, index))]
    heapify(offers)
    while offers and board.left[template]:
        stale = heappop(offers)
        offer = _offer(board, template, stale[1])
        if offer is None:
            continue
        if offer > stale and offers and offer > offers[0]:
            heappush(offers, offer)
            continue
        board.put(template, offer[1], offer[2])
        again = _offer(board, template, offer[1])
        if again is not None:
            heappush(offers, again)


def _offer(board: Board, template: int, candidate: int) -> Offer | None:
    """What the pods cost each if as many as fit, or are left, are placed there."""
    case, _ = board.case(template, candidate)
    count = most_there(board, template, candidate)
    if count == 0:
        return None
    return float(board.added(candidate, ((case, count),))) / count, candidate, count


def most_there(board: Board, template: int, candidate: int, *, spread: bool = True) -> int:
    """The most pods of a template that fit there now: what fits, fits in smaller number.

    Without `spread` as many as would fit if no spread constraint were asked.
    """
    case, _ = board.case(template, candidate)
    reason = board.live_reason if spread else board.own_reason
    where, used = board.candidates[candidate], board.placed[candidate].used
    high = board.left[template]
    for name, amount in amounts_of(case.pod).items():
        if amount > 0:
            high = min(high, (where.holds(name) - used.get(name, 0)) // amount)
    if high < 1 or reason(case, candidate, high) is None:
        return max(high, 0)
    low, high = 0, high - 1
    while low < high:
        middle = (low + high + 1) // 2
        if reason(case, candidate, middle) is None:
            low = middle
        else:
            high = middle - 1
    return low


def _size(board: Board, template: int) -> float:
    """The largest share of what all candidates have that one pod asks for."""
    shares = [0.0]
    for name, request in board.templates[template].sample.requests.items():
        whole = board.whole.get(name, 0)
        shares.append(request / whole if whole else 1.0 if request else 0.0)
    return max(shares)
