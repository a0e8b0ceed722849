"""The clauses of a controlled car: pods get what its charging leaves, and no phase is forgotten."""

from typing import Any

import pytest
from tests.unit.scheduler.scenes import a_board, reason_against

from idlewatt_scheduler.model.charging import ChargingPeriod, ChargingProfile
from idlewatt_scheduler.model.reasons import PodReason
from idlewatt_scheduler.model.site import ChargingController, Circuit, Phase, Site
from idlewatt_scheduler.model.units import FOREVER, HOUR, MINUTE
from idlewatt_scheduler.model.vehicle import EnergySource
from idlewatt_scheduler.planner import plan
from idlewatt_scheduler.testing import AT, a_pod, a_site, a_snapshot, a_vehicle

R = PodReason
A_JOB = a_pod(demand__power_watts=790, demand__expected_runtime=HOUR)
"""With standby 880 W DC, 1000 W AC, for an hour."""


def profile(*kilowatts: int) -> ChargingProfile:
    """So many kilowatts in each quarter from `AT` on, then nothing."""
    periods = [
        ChargingPeriod(AT + index * 15 * MINUTE, 1_000_000 * power)
        for index, power in enumerate((*kilowatts, 0))
    ]
    return ChargingProfile(tuple(periods))


def ours(watts: int = 22_000, **overrides: object) -> Site:
    """A site of one circuit whose charging is ours."""
    return a_site(
        charging_controller=ChargingController.IDLEWATT,
        circuits=(Circuit("row-a", None, watts),),
        **overrides,
    )


def scene(site: Site, charge: int, **overrides: object) -> dict[str, Any]:
    """One car of such a charge there, and the job that waits."""
    car = a_vehicle(observed__battery__state_of_charge_percent=charge, **overrides)
    return {"sites": (site,), "vehicles": (car,), "pending": (A_JOB,)}


@pytest.mark.parametrize(
    ("acknowledged", "charge", "limit", "reason"),
    [
        pytest.param(None, 85, 22_000, None, id="full and External"),
        pytest.param(profile(), 85, 22_000, None, id="full"),
        pytest.param(profile(11), 85, 11_999, R.CIRCUIT_FULL, id="the old profile counts still"),
        pytest.param(profile(11), 85, 12_000, None, id="the old profile leaves just enough"),
        pytest.param(profile(), 60, 11_999, R.CIRCUIT_FULL, id="the new profile counts already"),
        pytest.param(profile(), 60, 12_000, None, id="the new profile leaves just enough"),
        pytest.param(None, 60, 1_000, None, id="not acknowledged: External and idle"),
    ],
)
def test_a_circuit_carries_the_greater_of_both_profiles(
    acknowledged: ChargingProfile | None, charge: int, limit: int, reason: PodReason | None
) -> None:
    """1 kW for the pod, 11 kW where either charges; the cap of 12 kW leaves room for both."""
    overrides = {
        "max_charge_power_watts": 11_000,
        "observed__connection__charge_power_limit_watts": 12_000,
        "observed__connection__profile": acknowledged,
    }
    assert reason_against(**scene(ours(limit), charge, **overrides)) == reason


@pytest.mark.parametrize(
    ("acknowledged", "cap", "reason"),
    [
        pytest.param(profile(), 11_999, R.DEPARTURE_CHARGE_AT_RISK, id="it would charge slower"),
        pytest.param(profile(), 12_000, None, id="there is room for both"),
        pytest.param(None, 11_999, None, id="not acknowledged: it is not relied on"),
    ],
)
def test_charging_is_not_slowed(
    acknowledged: ChargingProfile | None, cap: int, reason: PodReason | None
) -> None:
    """What its new profile has at some time of the stay, and computing, fit into the cap."""
    overrides = {
        "observed__connection__charge_power_limit_watts": cap,
        "observed__connection__profile": acknowledged,
        "observed__connection__charge_power_watts": 0,
    }
    assert reason_against(**scene(ours(), 60, **overrides)) == reason


@pytest.mark.parametrize(
    ("charge", "reason"),
    [(40, R.DEPARTURE_CHARGE_AT_RISK), (30, R.BELOW_RESERVE), (90, None)],
)
def test_on_the_battery_nothing_is_credited_before_both_say_so(
    charge: int, reason: PodReason | None
) -> None:
    """The charger follows a profile of nothing: the new one is no promise yet."""
    overrides = {
        "agreement__energy_sources": frozenset({EnergySource.BATTERY}),
        "battery__departure_percent": 40,
        "observed__connection__profile": profile(),
    }
    assert reason_against(**scene(ours(), charge, **overrides)) == reason


def test_on_the_battery_the_reserve_is_asked_at_every_instant() -> None:
    """Charged later only, it would be under its reserve before: what comes later does not help."""
    later = ChargingProfile(
        (ChargingPeriod(AT, 0), ChargingPeriod(AT + HOUR, 11_000_000), ChargingPeriod(FOREVER, 0))
    )
    overrides = {
        "agreement__energy_sources": frozenset({EnergySource.BATTERY}),
        "battery__net_capacity_watt_hours": 5_000,
        "observed__connection__profile": later,
    }
    assert reason_against(**scene(ours(), 31, **overrides)) is R.BELOW_RESERVE


@pytest.mark.parametrize(
    ("phases", "milliamps", "reason"),
    [
        pytest.param(frozenset(Phase), 1_450, None, id="a third on each"),
        pytest.param(frozenset(Phase), 1_449, R.CIRCUIT_FULL, id="a third on each is too much"),
        pytest.param(frozenset({Phase.L2}), 4_348, None, id="all on one"),
        pytest.param(frozenset({Phase.L2}), 4_347, R.CIRCUIT_FULL, id="all on one is too much"),
    ],
)
def test_every_phase_carries_its_part(
    phases: frozenset[Phase], milliamps: int, reason: PodReason | None
) -> None:
    """1000 W at 230 V: 4.348 A on one phase, 1.4493 A on each of three."""
    site = a_site(
        nominal_voltage_volts=230,
        circuits=(Circuit("row-a", None, 22_000, max_current_milliamps_per_phase=milliamps),),
    )
    assert reason_against(**scene(site, 85, observed__connection__phases=phases)) == reason


def test_a_placed_pod_is_taken_from_every_phase() -> None:
    """The second does not fit on L1 any more, though the circuit in watts has room."""
    site = a_site(
        nominal_voltage_volts=230,
        circuits=(Circuit("row-a", None, 22_000, max_current_milliamps_per_phase=5_000),),
    )
    cars = tuple(
        a_vehicle(name=name, observed__connection__phases=frozenset({phase}))
        for name, phase in (("v-1", Phase.L1), ("v-2", Phase.L1), ("v-3", Phase.L2))
    )
    board = a_board(sites=(site,), vehicles=cars, pending=(A_JOB,))
    board.put(0, 0)
    assert [board.reason(0, index) for index in (1, 2)] == [R.CIRCUIT_FULL, None]


def test_pods_get_what_charging_leaves_in_an_exact_plan() -> None:
    """Three cars on 12 kW: one is charged with 11 of them, so one pod of three can stay."""
    cars = tuple(
        a_vehicle(
            name=f"v-{index}",
            observed__battery__state_of_charge_percent=70 if index == 1 else 85,
            observed__connection__profile=profile(11, 11) if index == 1 else profile(),
            max_charge_power_watts=11_000,
            observed__connection__charge_power_limit_watts=22_000,
        )
        for index in (1, 2, 3)
    )
    pods = tuple(
        a_pod(name=f"p-{index}", demand__power_watts=790, demand__expected_runtime=HOUR)
        for index in range(3)
    )
    found = plan(a_snapshot(sites=(ours(12_000),), vehicles=cars, pending=pods))
    assert len(found.placements) == 1
    assert found.proven
    assert [each.vehicle for each in found.charging] == ["v-1", "v-2", "v-3"]
