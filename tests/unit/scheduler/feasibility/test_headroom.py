"""What circuits leave to a vehicle: at its start, and where least is left after it."""

from typing import Any

from idlewatt_scheduler.feasibility.circuits import Grid
from idlewatt_scheduler.feasibility.columns import PASSES, PLENTY, Fleet
from idlewatt_scheduler.feasibility.headroom import Headroom
from idlewatt_scheduler.feasibility.reading import Reading
from idlewatt_scheduler.model.site import Circuit, ObservedCircuit, Phase
from idlewatt_scheduler.model.units import HOUR, MINUTE
from idlewatt_scheduler.model.vehicle import Power, Supply
from idlewatt_scheduler.testing import AT, a_running_pod, a_site, a_snapshot, a_vehicle

CIRCUITS = (
    Circuit("main", None, 9_000, uncontrolled_load_watts=500),
    Circuit("row-a", "main", 3_000),
)


def headroom(**overrides: Any) -> Headroom:  # noqa: ANN401
    """Of all vehicles, charging assumed to be none."""
    snapshot = a_snapshot(**{"sites": (a_site(circuits=CIRCUITS),), **overrides})
    reading = Reading(snapshot)
    fleet = Fleet(reading, lambda _: None, [])
    assert list(fleet.refused) == [PASSES] * len(snapshot.vehicles)
    return Headroom(fleet, Grid.planned(reading, {}))


def test_the_tightest_circuit_above_counts() -> None:
    """Row a leaves 3 kW of its own, while main leaves 8.5."""
    found = headroom()
    assert list(found.at_start.watts) == [3_000_000]
    assert list(found.at_start.phase) == [PLENTY]


def test_who_is_not_plugged_in_has_plenty() -> None:
    """No circuit is asked of it."""
    unplugged = a_vehicle(observed__connection__supply=Supply.UNPLUGGED)
    assert list(headroom(vehicles=(unplugged,)).least_watts.watts) == [PLENTY]


def test_least_is_looked_for_from_the_start_on() -> None:
    """A curtailment that ends before an asleep vehicle is awake is nothing to it."""
    curtailed = ObservedCircuit("row-a", curtailed_to_watts=700, curtailed_until=AT + MINUTE)
    site = a_site(circuits=CIRCUITS, observed_circuits=(curtailed,))
    cars = (
        a_vehicle(),
        a_vehicle(name="v-2", observed__power=Power.ASLEEP, compute__wake_seconds=60),
    )
    found = headroom(vehicles=cars, sites=(site,))
    assert list(found.least_watts.watts) == [700_000, 3_000_000]
    assert list(found.least_watts.instant) == [AT, AT + MINUTE]


def test_running_pods_take_until_they_end() -> None:
    """A job of 500 W with 90 W of standby takes 670.454 W at the wall, for an hour."""
    job = a_running_pod(
        pod__demand__expected_runtime=HOUR, bound_until=AT + HOUR, bound_power=500_000
    )
    found = headroom(running=(job,))
    assert list(found.at_start.watts) == [3_000_000 - 670_454]
    assert list(found.least_watts.instant) == [AT]


def test_only_the_phases_that_a_car_is_on_count() -> None:
    """L2 is short of current; a car on L1 does not mind, one on who knows which does."""
    currents = (0, 9_000, 0)
    circuit = Circuit("row-a", None, 9_000, max_current_milliamps_per_phase=10_000)
    busy = ObservedCircuit(
        "row-a", uncontrolled_load_watts=2_070, observed_at=AT, uncontrolled_milliamps=currents
    )
    site = a_site(circuits=(circuit,), observed_circuits=(busy,), nominal_voltage_volts=230)
    on_l1 = a_vehicle(phases=1, observed__connection__phases=frozenset({Phase.L1}))
    unknown = a_vehicle(name="v-2", phases=1)
    found = headroom(vehicles=(on_l1, unknown), sites=(site,))
    assert list(found.at_start.phase) == [6 * 2_300_000, 6 * 230_000]
    assert list(found.parts) == [1, 1]
