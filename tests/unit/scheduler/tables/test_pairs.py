"""Pairs laid out by vehicle."""

import numpy as np
import pytest
from tests.unit.scheduler.scenes import a_battery_car, pod
from tests.unit.scheduler.tables.sheets import a_table

from idlewatt_scheduler.model.units import HOUR
from idlewatt_scheduler.tables import pairs
from idlewatt_scheduler.tables.layout import Tables
from idlewatt_scheduler.testing import a_pod, a_vehicle

SMALL = a_pod(name="small")
LARGE = a_pod(name="large", priority=1, requests={"cpu": 9_000, "pods": 1_000})
HUGE = a_pod(name="huge", requests={"cpu": 17_000, "pods": 1_000})


def a_mixed_table() -> Tables:
    """Three vehicles of which one is away, and three templates of which one fits nowhere."""
    cars = (a_vehicle(), a_vehicle(name="v-2", windows=()), a_vehicle(name="v-3"))
    many = [a_pod(name=f"small-{number}") for number in range(20)]
    return a_table(vehicles=cars, pending=(SMALL, LARGE, HUGE, *many))


def test_pairs_stand_by_vehicle_and_only_those_with_any() -> None:
    """No more fit than there are, and than the machine holds."""
    tables = a_mixed_table()
    assert tables.offered.candidate.tolist() == [0, 2]
    assert tables.pairs.first.tolist() == [0, 2, 4]
    assert tables.pairs.template.tolist() == [0, 2, 0, 2]
    assert tables.pairs.most.tolist() == [1, 16, 1, 16]
    assert tables.wanted.count.tolist() == [1, 1, 21]


def test_as_many_fit_as_the_battery_carries() -> None:
    """5 % of 60 kWh is 3 kWh: standby takes 0.63 kWh of it in seven hours, each pod 0.4375."""
    long = pod(demand__expected_runtime=7 * HOUR)["pending"][0]
    pending = [a_pod(name=f"p-{number}", demand=long.demand) for number in range(9)]
    tables = a_table(vehicles=(a_battery_car(85),), pending=tuple(pending))
    assert tables.pairs.most.tolist() == [5]


def test_vehicles_asked_in_parts_are_laid_out_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """One at a time, or all at once."""
    whole = a_mixed_table()
    monkeypatch.setattr(pairs, "VEHICLES_AT_ONCE", 1)
    parts = a_mixed_table()
    for name in ("first", "template", "power", "until", "most", "cost", "stay_cost"):
        assert np.array_equal(getattr(parts.pairs, name), getattr(whole.pairs, name))
