"""Slots say of patterns what the board says: whether they fit, what they cost, what they draw."""

from itertools import product

import numpy as np
import pytest
from tests.unit.scheduler.scenes import (
    Overrides,
    a_board,
    observed,
    on_battery,
    policy,
    running,
    short_and_long,
    vehicle,
)

from idlewatt_scheduler.board import Board
from idlewatt_scheduler.clauses.live import holding
from idlewatt_scheduler.energy import computing_at
from idlewatt_scheduler.model.units import HOUR, MINUTE
from idlewatt_scheduler.model.vehicle import Power
from idlewatt_scheduler.model.workload import Taint
from idlewatt_scheduler.solvers.patterns.slots import Slot, slots_of
from idlewatt_scheduler.testing import AT, a_node, a_pod

PODS = short_and_long(3, 6_000)
SCENES = [
    pytest.param({}, id="awake"),
    pytest.param(observed(power=Power.ASLEEP), id="asleep"),
    pytest.param(running(), id="a service runs"),
    pytest.param(
        running(pod__demand__expected_runtime=HOUR, bound_until=AT + 90 * MINUTE),
        id="a job runs for a part of it",
    ),
    pytest.param(on_battery(82), id="on the battery"),
    pytest.param(vehicle(compute__max_power_watts=300), id="little power"),
    pytest.param(
        {"nodes": (a_node(taints=(Taint("x", "y", "PreferNoSchedule"),)),)}, id="not preferred"
    ),
]


def a_slot(overrides: Overrides) -> tuple[Board, Slot]:
    """The only candidate, and every number of two kinds of pods on it."""
    board = a_board(**{"pending": PODS, **overrides})
    slots = slots_of(board)
    assert slots is not None
    return board, slots[0]


def all_counts(slot: Slot) -> np.ndarray:
    """Every number of each item up to three."""
    return np.array(list(product(range(4), repeat=len(slot.templates)))[1:], np.int16)


@pytest.mark.parametrize("overrides", SCENES)
def test_a_pattern_fits_where_the_board_takes_it(overrides: Overrides) -> None:
    """Requests, power and charge, standby and what runs there included."""
    board, slot = a_slot(overrides)
    for counts in all_counts(slot):
        held = [(case, int(n)) for case, n in zip(slot.cases, counts, strict=True) if n]
        board.hold(0, ())
        fits = True
        for case, count in held:
            fits = fits and board.own_reason(case, 0, count) is None
            board.hold(0, (*board.placed[0].cases, (case, count)))
        last = max(int(slot.level[item]) for item in np.flatnonzero(counts))
        taken = counts.astype(np.int64) @ slot.takes + slot.extra[last]
        assert bool(np.all(taken <= slot.room) and np.all(counts <= slot.most)) == fits


@pytest.mark.parametrize("overrides", SCENES)
def test_a_pattern_costs_what_the_board_says(overrides: Overrides) -> None:
    """To floating point; and the linear figures are never less, and hardly more."""
    board, slot = a_slot(overrides)
    each, once, beyond = slot.bill.linear(slot)
    counts = all_counts(slot)
    for row, cost in zip(counts, slot.bill.of(slot, counts), strict=True):
        held = [(case, int(n)) for case, n in zip(slot.cases, row, strict=True) if n]
        assert cost == pytest.approx(float(board.cost_alone(0, held).money), abs=1e-12)
        last = max(int(slot.level[item]) for item in np.flatnonzero(row))
        linear = float(row @ each + once[last])
        assert -1e-12 <= linear - cost <= beyond + 1e-12


@pytest.mark.parametrize("overrides", SCENES)
def test_a_pattern_raises_the_draw_as_the_board_says(overrides: Overrides) -> None:
    """Before its pods start, while they stay, and after some have ended."""
    board, slot = a_slot(overrides)
    parked = slot.parked
    assert parked is not None
    counts = all_counts(slot)
    for instant in (AT, AT + 30 * MINUTE, AT + 100 * MINUTE, AT + 5 * HOUR):
        before = parked.draw(computing_at(parked.base, instant), instant)
        for row, raised in zip(counts, slot.raised(counts, instant), strict=True):
            held = [(case, int(n)) for case, n in zip(slot.cases, row, strict=True) if n]
            line = holding(board.candidates[0], held).line
            assert raised == parked.draw(computing_at(line, instant), instant) - before


def test_a_plain_node_costs_nothing() -> None:
    """Whatever stands there."""
    nodes = (a_node(name="plain"),)
    board, slot = a_slot({"vehicles": (), "nodes": nodes, **policy(plain_nodes_allowed=True)})
    assert slot.parked is None
    assert not slot.bill.of(slot, all_counts(slot)).any()
    assert not slot.raised(all_counts(slot), AT).any()
    assert board.cost_alone(0, ()).money == 0


def test_figures_beyond_sixty_bits_are_left_to_others() -> None:
    """Sums in 64 bits would be wrong."""
    huge = {"cpu": 2**61, "pods": 110_000}
    board = a_board(
        nodes=(a_node(allocatable=huge),),
        pending=[
            a_pod(name=f"p-{n}", requests={"cpu": 2**60 + n, "pods": 1_000}) for n in range(4)
        ],
        **vehicle(compute__capacity=huge),
    )
    assert slots_of(board) is None
