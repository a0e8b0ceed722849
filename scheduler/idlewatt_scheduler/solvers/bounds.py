"""Upper bounds on the weight that any plan can place; valid however the plan was found."""

from idlewatt_scheduler.board import Board


def bound(board: Board) -> int:
    """The least of the trivial bound and, for each resource, what all vehicles have of it.

    Trivial: every pod that would fit on some candidate were no other new pod placed. For one
    resource: the heaviest pods for what they request of it, the last of them in part (the
    fractional knapsack), in what is left of it on all candidates that take any of them.

    `board` is expected without a new pod on it.
    """
    fits = {
        template: [c for c in board.takers(template) if board.reason(template, c) is None]
        for template in range(len(board.templates))
    }
    open_templates = [template for template, takers in fits.items() if takers]
    trivial = sum(_weight(board, template) for template in open_templates)
    takers = {candidate for template in open_templates for candidate in fits[template]}
    resources = {
        name for template in open_templates for name in board.templates[template].sample.requests
    }
    return min([trivial, *(_knapsack(board, name, open_templates, takers) for name in resources)])


def _weight(board: Board, template: int) -> int:
    return board.templates[template].weight * len(board.templates[template].pods)


def _knapsack(board: Board, name: str, templates: list[int], takers: set[int]) -> int:
    room = sum(
        max(board.candidates[c].capacity.get(name, 0) - board.candidates[c].used.get(name, 0), 0)
        for c in takers
    )
    placed = 0
    asking = []
    for index in templates:
        template = board.templates[index]
        request = template.sample.requests.get(name, 0)
        if request > 0:
            asking.append((request / template.weight, request, template.weight, len(template.pods)))
        else:
            placed += _weight(board, index)
    for _, request, weight, count in sorted(asking):
        whole = min(room // request, count)
        placed += whole * weight
        room -= whole * request
        if whole < count:
            return placed + room * weight // request
    return placed
