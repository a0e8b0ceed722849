"""Compiling all kernels, on a fleet of three vehicles, before the first plan needs them.

What a process has compiled or loaded from numba's cache it keeps; until then plans are greedy.
"""

from functools import cache

import numpy as np

from idlewatt_scheduler.solvers import patterns
from idlewatt_scheduler.solvers.limits import Params, Stop
from idlewatt_scheduler.solvers.pairing import pairs as pairing
from idlewatt_scheduler.solvers.pricing.goal import Goal
from idlewatt_scheduler.solvers.pricing.packing import pack
from idlewatt_scheduler.solvers.pricing.pricing import Depth, price
from idlewatt_scheduler.solvers.scale.solving import Beginning, Known, solve_at_scale
from idlewatt_scheduler.tables.layout import (
    PLENTY,
    Offered,
    Pairs,
    Rooms,
    Spreads,
    Tables,
    Wanted,
)

_HOUR = 3_600_000


def warm() -> None:
    """Compile, or load from the cache, whatever planning calls, of small fleets and at scale."""
    _warmed()


def is_warm() -> bool:
    """Whether `warm` has been through in this process."""
    return _warmed.cache_info().currsize > 0


@cache
def _warmed() -> bool:
    pairing.warm()
    patterns.warm()
    tables = a_small_fleet()
    for goal in (Goal(), Goal(at_least=int(tables.wanted.weight @ tables.wanted.count))):
        price(pack(tables), goal, Depth(sample=2, sample_rounds=3))
    known = solve_at_scale(tables, Params(), Stop(), 0).memory
    if isinstance(known, Known):
        again = Beginning(known.held, known.weights, known.moneys)
        solve_at_scale(tables, Params(), Stop(), 0, again)
    return True


def a_small_fleet() -> Tables:
    """Three vehicles, one of them on its battery; two templates, a gang, a spread and a room."""
    vehicles, pairs = 3, 6
    wanted = Wanted(
        count=np.array([2, 3]),
        weight=np.array([16, 1]),
        priority=np.array([1, 0]),
        request=np.array([[2_000, 1_000], [1_000, 1_000]]),
        gang=np.array([-1, 0], np.int32),
        gang_needs=np.array([2]),
    )
    return Tables(
        resources=("cpu", "pods"),
        wanted=wanted,
        offered=_offered(vehicles),
        pairs=Pairs(
            first=np.array([0, 2, 4, 6]),
            template=np.array([0, 1] * vehicles, np.int32),
            power=np.full(pairs, 100_000, np.int32),
            until=np.array([_HOUR, 2 * _HOUR] * vehicles, np.int32),
            most=np.array([1, 2] * vehicles, np.int32),
            cost=np.linspace(0.01, 0.06, pairs).astype(np.float32),
            stay_cost=np.array([0.1, 0.2] * vehicles, np.float32),
        ),
        rooms=Rooms(
            key=(("site", "main"),),
            left=np.array([250_000]),
            start=np.array([0]),
            end=np.array([_HOUR]),
            instant=np.array([60_000]),
            first=np.array([0, 1, 2, 2]),
            room=np.zeros(2, np.int32),
            parts=np.ones(2, np.int64),
        ),
        spreads=Spreads(
            subject=np.array([[True, False]]),
            counted=np.array([[True, False]]),
            domain=np.array([[0, 1, 1]], np.int32),
            first=np.array([0, 2]),
            running=np.array([0, 0]),
            skew=np.array([1]),
            floor_is_zero=np.array([False]),
        ),
        site=np.zeros(vehicles, np.int32),
        sites=("site",),
    )


def _offered(vehicles: int) -> Offered:
    return Offered(
        candidate=np.arange(vehicles, dtype=np.int32),
        free=np.full((vehicles, 2), 3_000),
        power=np.full(vehicles, 400_000),
        energy=np.array([PLENTY, PLENTY, 500_000 * _HOUR]),
        start=np.array([0, 0, 60_000]),
        departure=np.full(vehicles, 8 * _HOUR),
        opening=np.array([0.0, 0.0, 0.01]),
        fallible=np.zeros(vehicles, np.bool_),
        base=np.zeros(vehicles, np.int64),
        standby=np.full(vehicles, 50_000),
        cap=np.array([3_700_000, 3_700_000, 0]),
        charging=np.zeros(vehicles, np.int64),
        efficiency_percent=np.full(vehicles, 90),
        lone_from=np.array([0, 0, 60_000]),
        lone_power=np.full(vehicles, 50_000),
    )
