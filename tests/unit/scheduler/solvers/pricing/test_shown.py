"""Prices in the words of people: kilowatts, vehicles through an hour, places for pods."""

from dataclasses import replace

import numpy as np
import pytest

from idlewatt_scheduler.model.shadow import Worth
from idlewatt_scheduler.solvers.pricing.duals import Duals
from idlewatt_scheduler.solvers.pricing.looks import first_look
from idlewatt_scheduler.solvers.pricing.packing import pack
from idlewatt_scheduler.solvers.pricing.shown import prices_of
from idlewatt_scheduler.solvers.warming import a_small_fleet

HOUR = 3_600_000


def _duals(*, money: bool) -> Duals:
    return Duals(
        money=money,
        pod=np.array([3.0, 0.0]),
        place=np.zeros(2),
        room=np.array([2e-6]),
        spread=np.zeros(2),
        theta=1.0,
        weight=0,
        best=np.array([0.0, 3.0, 6.0]),
        bound=0.0,
        trivial=0.0,
        look=first_look(pack(a_small_fleet())),
    )


def test_a_room_is_priced_by_the_kilowatt() -> None:
    """A price of a millionth for a milliwatt is one for a kilowatt, at its site and time."""
    shown = prices_of(a_small_fleet(), ("a", "b"), np.zeros(2, np.int32), None, _duals(money=True))
    (circuit,) = shown.circuits
    assert (circuit.site, circuit.circuit, circuit.phase) == ("site", "main", None)
    assert (circuit.start, circuit.end) == (0, HOUR)
    assert circuit.kilowatt.money == pytest.approx(2.0)


def test_a_phase_is_priced_by_the_kilowatt_too() -> None:
    """Its room is counted in sixths of a milliwatt."""
    tables = a_small_fleet()
    tables = replace(tables, rooms=replace(tables.rooms, key=(("site", "main", "L1"),)))
    shown = prices_of(tables, ("a", "b"), np.zeros(2, np.int32), _duals(money=False), None)
    assert shown.circuits[0].phase == "L1"
    assert shown.circuits[0].kilowatt.weight == pytest.approx(12.0)


def test_a_slot_is_the_mean_of_the_vehicles_that_stay() -> None:
    """Through every hour until the last of them leaves."""
    tables = a_small_fleet()
    leave = np.array([HOUR, 2 * HOUR, 2 * HOUR])
    tables = replace(tables, offered=replace(tables.offered, departure=leave))
    shown = prices_of(tables, ("a", "b"), np.zeros(2, np.int32), None, _duals(money=True))
    assert [(slot.start, slot.vehicles, slot.slot.money) for slot in shown.slots] == [
        (0, 3, 3.0),
        (HOUR, 2, 4.5),
    ]


def test_a_place_is_worth_what_a_pod_earns() -> None:
    """And what waits is what was not placed."""
    shown = prices_of(
        a_small_fleet(), ("a", "b"), np.array([2, 1], np.int32), None, _duals(money=True)
    )
    assert [(pod.sample, pod.pods, pod.waiting, pod.place.money) for pod in shown.pods] == [
        ("a", 2, 0, 3.0),
        ("b", 3, 2, 0.0),
    ]


def test_a_place_for_what_fits_nowhere_is_worth_its_weight() -> None:
    """Whatever the prices say of it: nothing was ever tried there."""
    tables = a_small_fleet()
    some = replace(
        tables.pairs,
        first=np.array([0, 1, 2, 3]),
        **{
            name: getattr(tables.pairs, name)[1::2]
            for name in ("template", "power", "until", "most", "cost", "stay_cost")
        },
    )
    shown = prices_of(
        replace(tables, pairs=some), ("a", "b"), np.zeros(2, np.int32), None, _duals(money=True)
    )
    assert shown.pods[0].place == Worth(weight=16.0)
