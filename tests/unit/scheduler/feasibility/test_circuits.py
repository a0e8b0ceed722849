"""Loads and limits of circuits, in all and on each phase."""

from typing import Any

import pytest

from idlewatt_scheduler.feasibility.circuits import CircuitReading, Load, exceeded, share
from idlewatt_scheduler.feasibility.reading import Reading
from idlewatt_scheduler.model.site import Circuit, ObservedCircuit, Phase
from idlewatt_scheduler.model.units import SECOND
from idlewatt_scheduler.testing import AT, a_site, a_snapshot, a_vehicle, changed

FRESH, STALE = AT - 120 * SECOND, AT - 121 * SECOND


def main(volts: int | None = 230, **seen: object) -> CircuitReading:
    """A circuit of 16 A a phase and 9 kW, with 600 W of others, and what was seen of it."""
    circuit = Circuit("main", None, 9_000, 600, 100, max_current_milliamps_per_phase=16_000)
    observed = changed(ObservedCircuit("main", observed_at=FRESH), **seen)
    site = a_site(circuits=(circuit,), observed_circuits=(observed,), nominal_voltage_volts=volts)
    return CircuitReading(Reading(a_snapshot(sites=(site,))), site, circuit)


def phases_of(**car: Any) -> tuple[int, ...]:  # noqa: ANN401
    """What 900 mW are on each phase, in sixths of a milliwatt."""
    reading = Reading(a_snapshot(vehicles=(a_vehicle(**car),)))
    total, *phases = share(reading.vehicles["v-1"], 900)
    assert total == 900
    return tuple(phases)


@pytest.mark.parametrize(
    ("car", "phases"),
    [
        ({}, (1_800, 1_800, 1_800)),
        ({"phases": 1}, (5_400, 5_400, 5_400)),
        ({"phases": 2}, (2_700, 2_700, 2_700)),
        ({"observed__connection__phases": frozenset({Phase.L2})}, (0, 5_400, 0)),
        ({"observed__connection__phases": frozenset({Phase.L1, Phase.L3})}, (2_700, 0, 2_700)),
        ({"phases": 1, "observed__connection__phases": frozenset(Phase)}, (1_800, 1_800, 1_800)),
    ],
)
def test_a_car_loads_the_phases_it_is_on(car: dict[str, Any], phases: tuple[int, ...]) -> None:
    """All three where nobody knows which, each with as much as it may be."""
    assert phases_of(**car) == phases


def test_currents_are_judged_where_the_voltage_is_stated() -> None:
    """16 A at 230 V are 3,680 W a phase; without a voltage there is no such limit."""
    assert main().limits(AT) == (9_000_000, *[3_680_000 * 6] * 3)
    far = (2**61,) * 3
    car = Reading(a_snapshot()).vehicles["v-1"]
    assert not exceeded((0, *far), main(volts=None).limits(AT), car)
    assert exceeded((0, *far), main().limits(AT), car)


@pytest.mark.parametrize(
    ("load", "over"),
    [((9_000_001, 0, 0, 0), True), ((0, 0, 2**61, 0), True), ((0, 2**61, 0, 2**61), False)],
)
def test_a_car_is_asked_of_the_phases_it_is_on(load: Load, over: bool) -> None:  # noqa: FBT001
    """What is over on another phase is not its doing."""
    vehicle = a_vehicle(observed__connection__phases=frozenset({Phase.L2}))
    car = Reading(a_snapshot(vehicles=(vehicle,))).vehicles["v-1"]
    assert exceeded(load, main().limits(AT), car) is over


def test_what_others_draw_is_measured_on_each_phase_or_spread_evenly() -> None:
    """A stale measurement counts for nothing; a third of the whole is exact."""
    assert main().uncontrolled == (600_000, *[1_200_000] * 3)
    seen = main(uncontrolled_milliamps=(1_000, 0, 2_000), uncontrolled_load_watts=700)
    assert seen.uncontrolled == (700_000, 230_000 * 6, 0, 460_000 * 6)
    old = main(uncontrolled_milliamps=(1_000, 0, 2_000), observed_at=STALE)
    assert old.uncontrolled == (600_000, *[1_200_000] * 3)


def test_the_failsafe_holds_no_phase_back() -> None:
    """It is a limit of watts alone."""
    assert main(uncontrolled_load_watts=1, observed_at=STALE).limits(AT) == (
        100_000,
        *[3_680_000 * 6] * 3,
    )


def test_generation_and_export_count_while_they_are_fresh() -> None:
    """And not a second longer."""
    fresh = main(generation_watts=5, export_watts=7)
    assert (fresh.generated, fresh.exported) == (5_000, 7_000)
    stale = main(generation_watts=5, export_watts=7, observed_at=STALE)
    assert (stale.generated, stale.exported) == (0, 0)
