"""Vehicles are read once: who is the same object is not read again, and nothing else is kept."""

from dataclasses import fields, replace

import numpy as np
from tests.unit.scheduler.scenes import pod

from idlewatt_scheduler import candidates
from idlewatt_scheduler.candidates import assemble
from idlewatt_scheduler.model.snapshot import Snapshot
from idlewatt_scheduler.tables import Tables, reading, tabulate
from idlewatt_scheduler.templates import templates_of
from idlewatt_scheduler.testing import a_snapshot, a_vehicle

CARS = tuple(a_vehicle(name=f"v-{number}") for number in range(4))


def forget() -> None:
    """As if nothing had been looked up or read."""
    candidates.forget()
    reading.forget()


def tabulated(snapshot: Snapshot) -> Tables:
    """The tables of a snapshot."""
    return tabulate(assemble(snapshot), templates_of(snapshot.pending))


def test_what_changed_is_read_again_and_the_rest_is_not() -> None:
    """One car's charge falls, one goes, one comes: the tables are as if they were the first."""
    before = a_snapshot(vehicles=CARS, **pod())
    cars = {
        "observed__battery__state_of_charge_percent": 29,
        "observed__connection__charge_power_watts": 500,
    }
    later = a_snapshot(
        vehicles=(CARS[0], a_vehicle(name="v-1", **cars), CARS[3], a_vehicle(name="v-9")), **pod()
    )
    later = replace(later, sites=before.sites, tariffs=before.tariffs, policy=before.policy)
    forget()
    tabulated(before)
    again = tabulated(later)
    forget()
    afresh = tabulated(later)
    for name in ("wanted", "offered", "pairs"):
        old, new = getattr(again, name), getattr(afresh, name)
        for column in fields(old):
            assert np.array_equal(getattr(old, column.name), getattr(new, column.name))
    assert again.offered.candidate.tolist() == [0, 2, 3]


def test_who_is_the_same_is_the_same_row() -> None:
    """Read once for two plans of one instant."""
    forget()
    snapshot = a_snapshot(vehicles=CARS, **pod())
    fleet = assemble(snapshot)
    read = reading.Reading(fleet, ("cpu",), frozenset())
    chosen = [(each, each.parked) for each in fleet.candidates if each.parked is not None]
    first = read.rows(chosen)
    for one, other in zip(first, read.rows(chosen), strict=True):
        assert np.array_equal(np.asarray(one), np.asarray(other))
    assert len(read.rows(chosen[:1])[0]) == 1
