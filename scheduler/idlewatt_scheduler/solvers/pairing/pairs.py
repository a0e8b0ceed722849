"""The pairs of a fleet: compiled where it is large and the kernel is ready, else in columns."""

from typing import Final

import numpy as np

from idlewatt_scheduler.solvers.pairing.kernel import Known, Laid, lay
from idlewatt_scheduler.solvers.pairing.sheets import UNKNOWN, are_small, no_sheets, sheets_of
from idlewatt_scheduler.tables.layout import Indices, Pairs
from idlewatt_scheduler.tables.pairs import pairs_of
from idlewatt_scheduler.tables.workings import Workings

MANY_CELLS: Final = 50_000
"""Vehicles times templates: with fewer, columns are as quick as looking the kernel up."""

_CELLS_AT_ONCE: Final = 500_000


def laid_pairs(work: Workings) -> tuple[Pairs, Indices]:
    """The same as `pairs_of`, quickly for a large fleet."""
    cells = len(work.vehicles.candidate) * len(work.templates)
    return compiled_pairs(work) if cells >= MANY_CELLS and are_small(work) else pairs_of(work)


def compiled_pairs(work: Workings) -> tuple[Pairs, Indices]:
    """The pairs, and which rows of the vehicles have any."""
    templates, vehicles = len(work.templates), len(work.vehicles.candidate)
    if not templates:
        return pairs_of(work)
    sheets = sheets_of(work)
    per_point = float(work.fleet.snapshot.policy.preference_cost_per_point)
    at_once = max(_CELLS_AT_ONCE // templates, 1)
    taken = np.zeros(vehicles, np.int64)
    part = _empty(min(at_once, vehicles) * templates)
    known = _known(len(sheets.whole), len(sheets.free), templates)
    laid, number = _empty(0)._asdict(), 0
    for first in range(0, vehicles, at_once):
        last = min(first + at_once, vehicles)
        more = lay(sheets, per_point, first, last, part, known, taken)
        for name, into in laid.items():
            into.resize(number + more, refcheck=False)
            into[number:] = getattr(part, name)[:more]
        number += more
    rows = np.flatnonzero(taken).astype(np.int32)
    first_of = np.concatenate([np.zeros(1, np.int64), np.cumsum(taken[rows])])
    return Pairs(first=first_of, **laid), rows


def warm() -> None:
    """Compile the kernel, or load it."""
    lay(no_sheets(), 0.0, 0, 0, _empty(0), _known(0, 0, 0), np.zeros(0, np.int64))


def _empty(length: int) -> Laid:
    return Laid(
        template=np.empty(length, np.int32),
        power=np.empty(length, np.int32),
        until=np.empty(length, np.int32),
        most=np.empty(length, np.int32),
        cost=np.empty(length, np.float32),
        stay_cost=np.empty(length, np.float32),
    )


def _known(machines: int, holdings: int, templates: int) -> Known:
    """Nothing yet."""
    return Known(
        np.full((machines, templates), UNKNOWN, np.int64),
        np.full((holdings, templates), UNKNOWN, np.int32),
    )
