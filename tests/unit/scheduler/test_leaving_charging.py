"""Who leaves a site whose charging is ours: charging is shed before any pod, and phases count."""

from typing import Any

import pytest
from tests.unit.scheduler.scenes import a_fleet

from idlewatt_scheduler.leaving import leaves_time, leaving
from idlewatt_scheduler.model.charging import ChargingPeriod, ChargingProfile
from idlewatt_scheduler.model.plan import Leaving
from idlewatt_scheduler.model.reasons import PodReason
from idlewatt_scheduler.model.site import ChargingController, Circuit, ObservedCircuit, Site
from idlewatt_scheduler.model.units import HOUR
from idlewatt_scheduler.model.vehicle import EnergySource
from idlewatt_scheduler.testing import AT, a_running_pod, a_site, a_vehicle

FAST = ChargingProfile((ChargingPeriod(AT - HOUR, 11_000_000), ChargingPeriod(AT + 9 * HOUR, 0)))


def a_charged_site(watts: int = 22_000, **seen: Any) -> Site:  # noqa: ANN401
    """Ours, of one circuit, with what was observed of it."""
    observed = (ObservedCircuit("row-a", **seen),) if seen else ()
    return a_site(
        charging_controller=ChargingController.IDLEWATT,
        circuits=(Circuit("row-a", None, watts),),
        observed_circuits=observed,
    )


def scene(site: Site, charge: int = 50, **overrides: object) -> dict[str, Any]:
    """A controlled car that charges with 11 kW, and computes with 136.4 W AC, 12 W over it."""
    car = a_vehicle(
        observed__battery__state_of_charge_percent=charge,
        observed__connection__profile=FAST,
        **overrides,
    )
    return {"vehicles": (car,), "sites": (site,), "running": (a_running_pod(),)}


@pytest.mark.parametrize(
    ("seen", "reason"),
    [
        pytest.param({}, None, id="within its limit"),
        pytest.param({"curtailed_to_watts": 5_000}, None, id="charging less is enough"),
        pytest.param({"curtailed_to_watts": 1_000}, None, id="charging nothing is enough"),
        pytest.param({"curtailed_to_watts": 100}, PodReason.CIRCUIT_FULL, id="nothing is enough"),
        pytest.param(
            {"curtailed_to_watts": 100, "generation_watts": 100, "observed_at": AT},
            None,
            id="what is generated carries the pod",
        ),
        pytest.param(
            {"curtailed_to_watts": 100, "generation_watts": 100, "observed_at": AT - HOUR},
            PodReason.CIRCUIT_FULL,
            id="what was generated does not",
        ),
    ],
)
def test_charging_is_shed_before_a_pod(seen: dict[str, Any], reason: PodReason | None) -> None:
    """Of a controlled car its new profile alone counts, whatever its charger follows still."""
    fleet = a_fleet(**scene(a_charged_site(**seen)))
    assert [each.reason for each in leaving(fleet)] == ([reason] if reason else [])


def test_a_phase_that_is_over_is_relieved() -> None:
    """0.5 A at 230 V carry 115 W, and a pod whose phase nobody knows draws 173 W of them."""
    site = a_site(
        nominal_voltage_volts=230,
        circuits=(Circuit("row-a", None, 22_000, max_current_milliamps_per_phase=500),),
    )
    one = a_vehicle(phases=1)
    pods = (a_running_pod(),)
    (gone,) = leaving(a_fleet(vehicles=(one,), sites=(site,), running=pods))
    assert gone.reason is PodReason.CIRCUIT_FULL
    assert not leaving(a_fleet(sites=(site,), running=pods))


@pytest.mark.parametrize(
    ("watt_hours", "charge", "reason"),
    [
        pytest.param(60_000, 90, None, id="full"),
        pytest.param(90_000, 29, PodReason.BELOW_RESERVE, id="not at the reserve in time"),
        pytest.param(5_000, 29, PodReason.DEPARTURE_CHARGE_AT_RISK, id="at the reserve in time"),
    ],
)
def test_on_the_battery_what_both_profiles_give_is_credited(
    watt_hours: int, charge: int, reason: PodReason | None
) -> None:
    """1.6 kW less 152.5 W for five minutes are 2 % of a small battery, and nothing of a large."""
    overrides: dict[str, Any] = {
        "agreement__energy_sources": frozenset({EnergySource.BATTERY}),
        "battery__net_capacity_watt_hours": watt_hours,
        "observed__connection__charge_power_limit_watts": 1_600,
    }
    found = leaving(a_fleet(**scene(a_charged_site(), charge, **overrides)))
    assert [each.reason for each in found] == ([reason] if reason else [])


def test_a_circuit_that_charging_relieves_leaves_time() -> None:
    """It is over its limit only until the charger has heard."""
    fleet = a_fleet(**scene(a_charged_site(curtailed_to_watts=5_000)))
    running = fleet.snapshot.running[0]
    leaver = Leaving(running.pod, "v-1", PodReason.LEAVES_TOO_EARLY)
    assert fleet.headroom["depot-7", "row-a"].least(AT, AT + 1) < 0
    assert leaves_time(fleet, fleet.candidates[0], leaver, 30_000)
