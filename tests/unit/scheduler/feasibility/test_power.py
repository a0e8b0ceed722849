"""What a car draws and what its charge will be, where its charger takes our profiles."""

from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest
from tests.unit.scheduler.feasibility.verdicts import a_placement, rules_broken

from idlewatt_scheduler.feasibility.power import (
    Counting,
    acknowledged,
    charge_at,
    charge_used,
    charging_power,
    draw,
)
from idlewatt_scheduler.feasibility.reading import Candidate, Reading
from idlewatt_scheduler.model.charging import ChargingProfile
from idlewatt_scheduler.model.plan import Charging, Leaving, Plan
from idlewatt_scheduler.model.reasons import PodReason
from idlewatt_scheduler.model.site import Circuit, ObservedCircuit, Phase
from idlewatt_scheduler.model.units import HOUR
from idlewatt_scheduler.model.vehicle import EnergySource, Supply
from idlewatt_scheduler.testing import (
    AT,
    a_charging_site,
    a_controlled_car,
    a_pod,
    a_profile,
    a_running_pod,
    a_site,
    a_snapshot,
)

NEW = a_profile((0, 4_000), (HOUR, 0))


def car(
    new: ChargingProfile | None = NEW, *, site: object = None, **overrides: object
) -> Candidate:
    """A car that acknowledged 3 kW for two hours, and its new profile: 4 kW for one."""
    vehicle = a_controlled_car(
        **{"observed__connection__profile": a_profile((0, 3_000), (2 * HOUR, 0)), **overrides}
    )
    snapshot = a_snapshot(vehicles=(vehicle,), sites=(site or a_charging_site(),))
    charging = () if new is None else (Charging("v-1", new),)
    return Reading(snapshot, charging).vehicles["v-1"]


@pytest.mark.parametrize(
    ("controlled", "site", "overrides"),
    [
        (True, a_charging_site(), {}),
        (False, a_site(), {}),
        (False, a_charging_site(), {"observed__connection__profile": None}),
        (False, a_charging_site(), {"observed__connection__profile": a_profile((1, 0))}),
        (False, a_charging_site(), {"observed__connection__supply": Supply.PLUGGED_NOT_SUPPLIED}),
    ],
)
def test_a_car_is_controlled_where_its_charger_acknowledged(
    controlled: bool,  # noqa: FBT001
    site: object,
    overrides: dict[str, Any],
) -> None:
    """At a site of ours, supplied, with a profile that has begun."""
    assert (acknowledged(car(site=site, **overrides)) is not None) is controlled


def watts(candidate: Candidate, counting: Counting) -> list[int]:
    """What is counted now, in an hour, and in two."""
    return [charging_power(candidate, AT + hours * HOUR, counting) // 1_000 for hours in range(3)]


def test_either_profile_may_be_true_until_the_new_one_is_acknowledged() -> None:
    """The greater of both; where charging is shed or planned, the new one alone."""
    assert watts(car(), Counting.EITHER) == [4_000, 3_000, 0]
    assert watts(car(), Counting.NEW_IF_CONTROLLED) == [4_000, 0, 0]
    assert watts(car(), Counting.NEW) == [4_000, 0, 0]
    assert watts(car(), Counting.EITHER_OR_NEW) == [4_000, 3_000, 0]
    for counting in Counting:
        assert watts(car(None), counting) == [3_000, 3_000, 0]


def test_a_car_that_is_not_controlled_is_counted_as_it_reports() -> None:
    """A new profile changes nothing until it is planned by."""
    external = car(observed__connection__profile=None, observed__connection__charge_power_watts=900)
    assert watts(external, Counting.EITHER) == [900] * 3
    assert watts(external, Counting.NEW_IF_CONTROLLED) == [900] * 3
    assert watts(external, Counting.NEW) == [4_000, 0, 0]
    assert watts(external, Counting.EITHER_OR_NEW) == [4_000, 0, 0]


def test_a_draw_is_capped() -> None:
    """Whatever the profiles say."""
    assert draw(car(observed__connection__charge_power_limit_watts=3_500), (), AT) == 3_500_000


def test_a_controlled_car_is_credited_with_what_both_profiles_give() -> None:
    """3 kW for an hour into 60 kWh at 90 % is 4.5 %; then the new one gives nothing."""
    controlled = car(charge_efficiency_percent=90)
    assert charge_at(controlled, (), AT, AT) == 40
    assert charge_at(controlled, (), AT, AT + HOUR) == Fraction("44.5")
    assert charge_at(controlled, (), AT, AT + 3 * HOUR) == Fraction("44.5")
    assert charge_used(controlled, (), AT, AT + HOUR) == 40
    assert charge_at(car(None), (), AT, AT + HOUR) == 40
    assert charge_at(car(observed__connection__profile=None), (), AT, AT + HOUR) == 40


def placing(profile: ChargingProfile, **overrides: object) -> set[str]:
    """The clauses broken by placing an hour's pod beside a profile; what the profile is aside."""
    vehicle = a_controlled_car(**{"observed__battery__state_of_charge_percent": 79, **overrides})
    snapshot = a_snapshot(vehicles=(vehicle,), sites=(a_charging_site(),), pending=(a_pod(),))
    plan = Plan(
        at=AT,
        placements=(a_placement(snapshot.pending[0]),),
        weight=1,
        bound=1,
        cost=a_placement(snapshot.pending[0]).cost,
        currency="EUR",
        charging=(Charging("v-1", profile),),
    )
    return rules_broken(snapshot, plan) - {"Charging"}


def test_a_pod_takes_nothing_from_charging() -> None:
    """173.3 W AC beside 10,826 W fit into 11 kW; beside a watt more they do not."""
    assert placing(a_profile((0, 10_826), (HOUR, 0))) == set()
    assert placing(a_profile((0, 10_827), (HOUR, 0))) == {"DepartureChargeAtRisk"}
    later = a_profile((0, 0), (HOUR - 1, 10_827), (2 * HOUR, 0))
    assert placing(later) == {"DepartureChargeAtRisk"}
    assert placing(a_profile((0, 0), (HOUR, 10_827), (2 * HOUR, 0))) == set()


def test_on_the_battery_a_pod_may_use_what_is_certain_to_be_charged() -> None:
    """A car with just its departure charge has nothing to give, unless both profiles charge it."""
    battery = {
        "agreement__energy_sources": frozenset({EnergySource.BATTERY}),
        "observed__battery__state_of_charge_percent": 80,
    }
    charged = a_profile((0, 5_000), (HOUR, 0))
    both = {"observed__connection__profile": charged, **battery}
    assert "DepartureChargeAtRisk" not in placing(charged, **both)
    assert "DepartureChargeAtRisk" in placing(charged, **battery)


def leaving(seen: dict[str, Any], *, charging: ChargingProfile = NEW, leaves: bool) -> set[str]:
    """The rules broken if a pod of 500 W leaves 3 kW with 2.6 kW of others, or stays."""
    vehicle = a_controlled_car(
        compute__standby_power_watts=0,
        compute__efficiency_percent=100,
        observed__battery__state_of_charge_percent=90,
        phases=seen.pop("car_phases", 3),
    )
    circuit = Circuit("row-a", None, 3_000, 2_600, max_current_milliamps_per_phase=6_000)
    observed = ObservedCircuit(**{"name": "row-a", "observed_at": AT, **seen})
    site = a_charging_site(
        circuits=(circuit,), observed_circuits=(observed,), nominal_voltage_volts=230
    )
    pod = a_running_pod(bound_power=500_000)
    snapshot = a_snapshot(vehicles=(vehicle,), sites=(site,), running=(pod,))
    gone = (Leaving(pod.pod, "v-1", PodReason.CIRCUIT_FULL),) if leaves else ()
    plan = Plan(at=AT, leaving=gone, charging=(Charging("v-1", charging),), currency="EUR")
    return rules_broken(snapshot, plan) - {"Charging"}


@pytest.mark.parametrize(
    ("seen", "leaves"),
    [
        ({}, True),
        ({"generation_watts": 99}, True),
        ({"generation_watts": 100}, False),
        ({"generation_watts": 100, "observed_at": AT - 121_000}, True),
        ({"uncontrolled_load_watts": 2_500}, False),
        ({"uncontrolled_load_watts": 0, "uncontrolled_milliamps": (5_300, 0, 0)}, True),
        ({"uncontrolled_load_watts": 0, "uncontrolled_milliamps": (5_000, 0, 0)}, False),
        (
            {"uncontrolled_load_watts": 0, "uncontrolled_milliamps": (5_000, 0, 0)}
            | {"car_phases": 1},
            True,
        ),
        (
            {"uncontrolled_load_watts": 0, "uncontrolled_milliamps": (5_300, 0, 0)}
            | {"generation_watts": 9_000},
            True,
        ),
    ],
)
def test_a_full_circuit_is_relieved_by_the_sun_but_no_phase_is(
    seen: dict[str, Any],
    leaves: bool,  # noqa: FBT001
) -> None:
    """Charging that the new profile ends is not counted either: it is shed before any pod."""
    idle = a_profile((0, 0))
    assert leaving(dict(seen), charging=idle, leaves=leaves) == set()
    assert leaving(dict(seen), charging=idle, leaves=not leaves) != set()


def test_of_two_cars_the_one_on_the_phase_that_is_over_makes_room() -> None:
    """Who is on another phase need not leave, however unimportant its pod."""
    car_on = {
        phase: a_controlled_car(
            name=name,
            compute__standby_power_watts=0,
            compute__efficiency_percent=100,
            observed__battery__state_of_charge_percent=90,
            observed__connection__phases=frozenset({phase}),
        )
        for name, phase in (("v-1", Phase.L1), ("v-2", Phase.L2))
    }
    circuit = Circuit("row-a", None, 9_000, max_current_milliamps_per_phase=2_000)
    site = a_charging_site(circuits=(circuit,), nominal_voltage_volts=230)
    important = a_running_pod(pod__name="a", pod__priority=9, bound_power=500_000)
    other = replace(important, node="v-2", bound_power=400_000)
    other = replace(other, pod=a_pod(name="b", priority=1))
    snapshot = a_snapshot(
        vehicles=tuple(car_on.values()), sites=(site,), running=(important, other)
    )
    charging = tuple(Charging(name, a_profile((0, 0))) for name in ("v-1", "v-2"))
    good = Plan(
        at=AT,
        leaving=(Leaving(important.pod, "v-1", PodReason.CIRCUIT_FULL),),
        charging=charging,
        currency="EUR",
    )
    assert rules_broken(snapshot, good) == set()
