"""In columns every clause fails where it fails singly: at the very same boundaries."""

from typing import Any

import pytest
from tests.unit.scheduler.feasibility.test_pod import CASES
from tests.unit.scheduler.feasibility.test_pod import R as Reasons
from tests.unit.scheduler.feasibility.test_together import CASES as OF_SEVERAL
from tests.unit.scheduler.feasibility.verdicts import a_placement

from idlewatt_scheduler.feasibility.judging import Judge
from idlewatt_scheduler.feasibility.reading import Reading
from idlewatt_scheduler.feasibility.scene import Scene
from idlewatt_scheduler.feasibility.throughout import Throughout
from idlewatt_scheduler.model.plan import Plan
from idlewatt_scheduler.model.reasons import PodReason
from idlewatt_scheduler.model.site import Circuit, EnergyBearer, ObservedCircuit
from idlewatt_scheduler.model.snapshot import Snapshot
from idlewatt_scheduler.model.units import HOUR, MINUTE
from idlewatt_scheduler.model.vehicle import EnergySource, Power, Supply
from idlewatt_scheduler.testing import (
    AT,
    a_pod,
    a_running_pod,
    a_site,
    a_snapshot,
    a_vehicle,
)


def told(snapshot: Snapshot, *placed: str) -> tuple[dict[str, int], int, int]:
    """Reasons, and how many could take the last pending pod; then how many were left open."""
    placements = tuple(
        a_placement(pod, node=node) for pod, node in zip(snapshot.pending, placed, strict=False)
    )
    scene = Scene(Reading(snapshot), Plan(AT, placements))
    pod = snapshot.pending[-1]
    verdict, singly = Judge(scene, 0).verdict(pod), Judge(scene, 10**9).verdict(pod)
    assert verdict == singly
    could = [sentence for sentence in verdict.could_be_placed if "as the plan" in sentence]
    open_ones = Throughout(scene).ask(pod).open
    return dict(verdict.reasons), len(could), len(open_ones) - len(could)


@pytest.mark.parametrize(
    ("reason", "overrides"),
    [pytest.param(reason, overrides, id=f"{reason}: {why}") for reason, why, overrides in CASES],
)
def test_every_case_of_a_clause_is_one_in_columns(
    reason: PodReason | None, overrides: dict[str, Any]
) -> None:
    """Each with the nearest case in which it does not fail."""
    snapshot = a_snapshot(**overrides)
    reasons, could, _ = told(snapshot)
    if reason is None:
        assert could == 1
    else:
        assert reasons[str(reason)] == 1
        assert could + sum(reasons.values()) == len(snapshot.vehicles)


@pytest.mark.parametrize(
    ("reason", "snapshot"),
    [pytest.param(reason, each, id=f"{reason}: {why}") for reason, why, each in OF_SEVERAL],
)
def test_so_is_every_case_of_several_pods(reason: PodReason | None, snapshot: Snapshot) -> None:
    """They are asked where all other clauses hold."""
    reasons, _, _ = told(snapshot)
    assert (str(reason) in reasons) == (reason is not None)


def beside(*watts: int, limit: int, **overrides: object) -> Snapshot:
    """Pods of these watts, pending, and one circuit."""
    circuits = (Circuit("row-a", None, limit),)
    return a_snapshot(
        **{
            "sites": (a_site(circuits=circuits),),
            "pending": tuple(
                a_pod(name=f"p-{number}", demand__power_watts=each)
                for number, each in enumerate(watts)
            ),
            **overrides,
        }
    )


def test_a_second_pod_brings_no_second_standby() -> None:
    """100 W beside 500 W and standby are 784.090 W at the wall; alone they are 215.909 W."""
    assert told(beside(500, 100, limit=785), "v-1") == ({}, 1, 0)
    assert told(beside(500, 100, limit=784), "v-1")[0] == {Reasons.CIRCUIT_FULL: 1}


def test_standby_comes_back_where_the_others_end_first() -> None:
    """A job ends in half an hour; from then on the pod keeps the vehicle up alone."""
    job = a_running_pod(
        pod__demand__expected_runtime=HOUR, bound_until=AT + 30 * MINUTE, bound_power=400_000
    )
    later = ObservedCircuit("row-a", curtailed_to_watts=9_000, curtailed_until=AT + 20 * MINUTE)
    site = a_site(circuits=(Circuit("row-a", None, 215),), observed_circuits=(later,))
    snapshot = beside(100, limit=0, sites=(site,), running=(job,))
    assert told(snapshot)[0] == {Reasons.CIRCUIT_FULL: 1}


def test_a_battery_is_drawn_by_standby_only_once() -> None:
    """Two hours of a running job, one of the pod: standby in two of them, not in three."""
    car = a_vehicle(
        agreement__energy_sources=frozenset({EnergySource.BATTERY}),
        battery__net_capacity_watt_hours=10_000,
        battery__departure_percent=50,
        compute__standby_power_watts=100,
        observed__connection__supply=Supply.UNPLUGGED,
        observed__battery__state_of_charge_percent=59,
    )
    job = a_running_pod(
        pod__demand__expected_runtime=HOUR, bound_until=AT + 2 * HOUR, bound_power=300_000
    )
    snapshot = beside(101, limit=9_000, vehicles=(car,), running=(job,))
    assert told(snapshot)[0] == {Reasons.DEPARTURE_CHARGE_AT_RISK: 1}
    assert told(beside(100, limit=9_000, vehicles=(car,), running=(job,))) == ({}, 1, 0)


def test_a_sleeper_keeps_its_running_pod_s_time_apart() -> None:
    """The job ends before the vehicle would be awake for the pod: standby in between is none."""
    car = a_vehicle(
        agreement__energy_sources=frozenset({EnergySource.BATTERY}),
        battery__net_capacity_watt_hours=10_000,
        battery__departure_percent=50,
        compute__standby_power_watts=100,
        compute__wake_seconds=3_600,
        observed__power=Power.ASLEEP,
        observed__connection__supply=Supply.UNPLUGGED,
        observed__battery__state_of_charge_percent=54,
    )
    job = a_running_pod(
        pod__demand__expected_runtime=HOUR, bound_until=AT + 30 * MINUTE, bound_power=100_000
    )
    exact = beside(200, limit=9_000, vehicles=(car,), running=(job,))
    assert told(exact) == ({}, 1, 0)
    over = beside(201, limit=9_000, vehicles=(car,), running=(job,))
    assert told(over)[0] == {Reasons.DEPARTURE_CHARGE_AT_RISK: 1}


def test_a_draw_at_its_cap_is_not_raised_though_the_circuit_is_over() -> None:
    """Charging takes all there is already; what runs takes as much."""
    car = a_vehicle(
        observed__connection__charge_power_watts=2_000,
        observed__connection__charge_power_limit_watts=2_000,
        observed__battery__state_of_charge_percent=90,
    )
    assert told(beside(100, limit=1_500, vehicles=(car,)))[1] == 1


def test_without_a_tariff_the_fleet_knows_no_price() -> None:
    """From the first instant on."""
    site = a_site(tariff=None, energy_borne_by=EnergyBearer.FLEET)
    snapshot = a_snapshot(sites=(site,), pending=(a_pod(demand__any_tariff=True),))
    assert told(snapshot)[0] == {Reasons.PRICE_UNKNOWN: 1}
