"""Planning a large fleet: greedily at once, and then as well as the prices tell."""

import numpy as np

from idlewatt_scheduler.solvers.found import Found
from idlewatt_scheduler.solvers.limits import Params, Stop
from idlewatt_scheduler.solvers.scale.facts import facts_of
from idlewatt_scheduler.solvers.scale.greedy import greedy
from idlewatt_scheduler.solvers.scale.stability import settle
from idlewatt_scheduler.solvers.scale.state import empty
from idlewatt_scheduler.tables.layout import Tables


def solve_at_scale(
    tables: Tables,
    params: Params,  # noqa: ARG001
    stop: Stop,  # noqa: ARG001
    seed: int,  # noqa: ARG001
    memory: object | None = None,  # noqa: ARG001
) -> Found:
    """The best plan that was found for these tables."""
    facts = facts_of(tables)
    live = empty(tables, facts)
    greedy(facts, live)
    settle(facts, live)
    held = np.flatnonzero(live.held)
    vehicle = np.searchsorted(tables.pairs.first, held, side="right") - 1
    return Found(
        vehicle=vehicle.astype(np.int32),
        template=facts.template[held].astype(np.int32),
        number=live.held[held].astype(np.int32),
    )
