"""Exactly the running pods that must leave do, each for its first reason."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from tests.unit.scheduler.feasibility.verdicts import rules_broken

from idlewatt_scheduler.model.calendars import EVERY_DAY, Recurrence
from idlewatt_scheduler.model.plan import Leaving, Plan
from idlewatt_scheduler.model.reasons import PodReason, Reason, VehicleReason
from idlewatt_scheduler.model.site import Circuit, ObservedCircuit
from idlewatt_scheduler.model.snapshot import Snapshot
from idlewatt_scheduler.model.tariff import TariffInterval
from idlewatt_scheduler.model.units import HOUR, MINUTE, SECOND
from idlewatt_scheduler.model.vehicle import EnergySource, Quality, Supply
from idlewatt_scheduler.model.workload import Ready
from idlewatt_scheduler.testing import (
    AT,
    a_node,
    a_running_pod,
    a_site,
    a_snapshot,
    a_tariff,
    a_vehicle,
)

V, P = VehicleReason, PodReason
FULL_DAY = Recurrence(EVERY_DAY, 0, 0)
GRACE = 5 * MINUTE


def vehicle(**overrides: object) -> dict[str, Any]:
    """The vehicle changed."""
    return {"vehicles": (a_vehicle(**overrides),)}


def running(**overrides: object) -> dict[str, Any]:
    """The running pod changed."""
    return {"running": (a_running_pod(**overrides),)}


def on_battery(charge: int, **overrides: object) -> dict[str, Any]:
    """An unplugged car whose pod and standby take 600 W, 1 % an hour, until 07:00."""
    return running(bound_power=510_000) | vehicle(
        **{
            "agreement__energy_sources": frozenset(EnergySource),
            "observed__connection__supply": Supply.UNPLUGGED,
            "observed__battery__state_of_charge_percent": charge,
            **overrides,
        }
    )


def off_peak_for(duration: int) -> dict[str, Any]:
    """Off-peak from `AT` on for some time; nothing is known of what follows."""
    interval = TariffInterval(AT, duration, band="OffPeak", price_per_kwh=Decimal(1))
    return {"tariffs": (a_tariff(zones=(), intervals=(interval,)),)}


def peak_after(duration: int) -> dict[str, Any]:
    """Off-peak from `AT` on for some time, and peak after that."""
    after = TariffInterval(AT + duration, HOUR, band="Peak")
    tariff = off_peak_for(duration)["tariffs"][0]
    return {"tariffs": (replace(tariff, intervals=(*tariff.intervals, after)),)}


CASES: list[tuple[Reason | None, str, dict[str, Any]]] = [
    (None, "nothing is wrong", {}),
    (V.SUSPENDED, "suspended", vehicle(suspend=True)),
    (V.NO_AGREEMENT, "no agreement", vehicle(agreement=None)),
    (
        None,
        "several currencies",
        {"vehicles": (a_vehicle(), a_vehicle(name="v-2", compensation__currency="SEK"))},
    ),
    (None, "the cap is reached", vehicle(earned_this_month=Decimal(60))),
    (V.NODE_NOT_READY, "no Node", {"nodes": ()}),
    (V.NODE_NOT_READY, "not ready", {"nodes": (a_node(ready=Ready.FALSE),)}),
    (
        None,
        "unreachable for ten minutes",
        {"nodes": (a_node(ready=Ready.UNKNOWN, ready_since=AT - 600 * SECOND),)},
    ),
    (
        V.UNREACHABLE,
        "unreachable for longer",
        {"nodes": (a_node(ready=Ready.UNKNOWN, ready_since=AT - 600 * SECOND - 1),)},
    ),
    (
        V.UNREACHABLE,
        "unreachable, nobody knows since when",
        {"nodes": (a_node(ready=Ready.UNKNOWN, ready_since=None),)},
    ),
    (V.TELEMETRY_INVALID, "invalid", vehicle(observed__battery__quality=Quality.INVALID)),
    (None, "too old for ten minutes", vehicle(observed__battery__observed_at=AT - 720 * SECOND)),
    (
        V.TELEMETRY_STALE,
        "too old for longer",
        vehicle(observed__battery__observed_at=AT - 720 * SECOND - 1),
    ),
    (
        None,
        "stale for ten minutes",
        vehicle(
            observed__parking__quality=Quality.STALE,
            observed__parking__observed_at=AT - 600 * SECOND,
        ),
    ),
    (
        V.TELEMETRY_STALE,
        "stale for longer",
        vehicle(
            observed__parking__quality=Quality.STALE,
            observed__parking__observed_at=AT - 600 * SECOND - 1,
        ),
    ),
    (V.TELEMETRY_STALE, "a block is missing", vehicle(observed__connection=None)),
    (V.NOT_PARKED, "it drives", vehicle(observed__parking__parked=False)),
    (
        V.NOT_PARKED,
        "it drives, and the battery is stale for a moment",
        vehicle(observed__parking__parked=False, observed__battery__quality=Quality.STALE),
    ),
    (V.OCCUPIED, "somebody is in it", vehicle(observed__parking__occupied=True)),
    (None, "just parked", vehicle(observed__parking__since=AT)),
    (V.TOO_HOT, "hot", vehicle(observed__battery__temperature_celsius=46)),
    (None, "cold", vehicle(observed__battery__temperature_celsius=-1)),
    (V.SITE_UNKNOWN, "no site", vehicle(observed__connection__site=None)),
    (V.COMPUTE_NOT_ALLOWED, "forbidden", {"sites": (a_site(compute_allowed=False),)}),
    (V.NOT_SUPPLIED, "unplugged", vehicle(observed__connection__supply=Supply.UNPLUGGED)),
    (V.DRAINING, "draining", vehicle(draining=True)),
    (P.RESIDENCY, "another region", running(pod__demand__residency=frozenset({"eu-fr"}))),
    (P.UNTRUSTED, "a Secret", running(pod__reads_secret=True)),
    (None, "a bad annotation", running(pod__invalid_annotations=("?",))),
    (P.OUTSIDE_PARKING_WINDOW, "no window", vehicle(windows=())),
    (
        P.LEAVES_TOO_EARLY,
        "the car leaves within the lead",
        vehicle(observed__departure_expected_at=AT + GRACE),
    ),
    (None, "the car leaves just after", vehicle(observed__departure_expected_at=AT + GRACE + 1)),
    (
        P.LEAVES_TOO_EARLY,
        "the pod's grace is long",
        running(pod__termination_grace_seconds=8 * 3_600),
    ),
    (
        P.LEAVES_TOO_EARLY,
        "the owner was expected an hour ago",
        vehicle(observed__departure_expected_at=AT - HOUR),
    ),
    (P.ON_PEAK, "the band changes by then", peak_after(GRACE)),
    (None, "the band changes just later", peak_after(GRACE + 1)),
    (P.PRICE_UNKNOWN, "nothing is known of then", off_peak_for(GRACE)),
    (None, "any tariff will do", off_peak_for(GRACE) | running(pod__demand__any_tariff=True)),
    (
        None,
        "a job within its time",
        off_peak_for(GRACE) | running(pod__demand__expected_runtime=HOUR, bound_until=AT + 1),
    ),
    (
        P.PRICE_UNKNOWN,
        "a job past its time",
        off_peak_for(GRACE) | running(pod__demand__expected_runtime=HOUR, bound_until=AT),
    ),
    (
        P.PRICE_UNKNOWN,
        "a job whose time nobody wrote down",
        off_peak_for(GRACE) | running(pod__demand__expected_runtime=HOUR, bound_until=None),
    ),
    (P.BELOW_RESERVE, "the charge falls below the reserve", on_battery(30)),
    (P.DEPARTURE_CHARGE_AT_RISK, "the charge falls below what the owner needs", on_battery(87)),
    (None, "the charge is just enough", on_battery(88)),
    (
        None,
        "a job ends before it takes too much",
        on_battery(82)
        | running(
            bound_power=510_000, pod__demand__expected_runtime=HOUR, bound_until=AT + 2 * HOUR
        ),
    ),
    (
        P.DEPARTURE_CHARGE_AT_RISK,
        "a job past its time takes on",
        on_battery(82)
        | running(bound_power=510_000, pod__demand__expected_runtime=HOUR, bound_until=AT),
    ),
    (
        None,
        "on the grid the charge does not matter",
        vehicle(observed__battery__state_of_charge_percent=10),
    ),
    (
        P.CIRCUIT_FULL,
        "the circuit is over",
        {"sites": (a_site(circuits=(Circuit("row-a", None, 173),)),)},
    ),
    (
        None,
        "the circuit is just full",
        {"sites": (a_site(circuits=(Circuit("row-a", None, 174),)),)},
    ),
    (
        None,
        "the circuit is over, but the car is at its cap anyway",
        {"sites": (a_site(circuits=(Circuit("row-a", None, 173),)),)}
        | vehicle(
            observed__connection__charge_power_watts=180,
            observed__connection__charge_power_limit_watts=180,
        ),
    ),
    (None, "it was given up already", vehicle(suspend=True) | running(counts_until=AT + HOUR)),
    (
        None,
        "it runs on no vehicle",
        running(node="plain") | vehicle(suspend=True) | {"nodes": (a_node(), a_node(name="plain"))},
    ),
]


def a_leaving_plan(snapshot: Snapshot, *leaving: Leaving) -> Plan:
    """A plan that only asks pods to leave."""
    currencies = {vehicle.compensation.currency for vehicle in snapshot.vehicles}
    currency = currencies.pop() if len(currencies) == 1 else None
    return Plan(at=AT, leaving=leaving, currency=currency)


@pytest.mark.parametrize(
    ("reason", "overrides"),
    [pytest.param(reason, overrides, id=f"{reason}: {why}") for reason, why, overrides in CASES],
)
def test_who_must_leave_does_and_nobody_else(
    reason: Reason | None, overrides: dict[str, Any]
) -> None:
    """Right is to list it under that reason; silence, another reason or a groundless one is not."""
    snapshot = a_snapshot(**{"running": (a_running_pod(),), **overrides})
    (pod,) = snapshot.running
    other = V.DRAINING if reason is not V.DRAINING else V.SUSPENDED
    silent = a_leaving_plan(snapshot)
    wrong = a_leaving_plan(snapshot, Leaving(pod.pod, pod.node, other))
    assert "Leaving" in rules_broken(snapshot, wrong)
    if reason is None:
        assert rules_broken(snapshot, silent) == set()
        return
    right = a_leaving_plan(snapshot, Leaving(pod.pod, pod.node, reason))
    assert rules_broken(snapshot, right) == set()
    assert rules_broken(snapshot, silent) == {str(reason)}
    twice = replace(right, leaving=right.leaving * 2)
    assert rules_broken(snapshot, twice) == {"Leaving"}
    elsewhere = a_leaving_plan(snapshot, Leaving(pod.pod, "elsewhere", reason))
    assert rules_broken(snapshot, elsewhere) == {"Leaving"}


def test_nobody_leaves_who_does_not_run() -> None:
    """A pod that is not there cannot be asked to go."""
    snapshot = a_snapshot()
    stranger = Leaving(a_running_pod().pod, "v-1", V.SUSPENDED)
    assert rules_broken(snapshot, a_leaving_plan(snapshot, stranger)) == {"Leaving"}


def shed(names: list[str], *pods: dict[str, Any], limit: int, **site: Any) -> set[str]:  # noqa: ANN401
    """The rules broken when of some pods of 80 W these leave a circuit that is over."""
    site = site or {"circuits": (Circuit("row-a", None, limit),)}
    there = tuple(a_running_pod(**{"bound_power": 80_000, **pod}) for pod in pods)
    vehicle = a_vehicle(compute__standby_power_watts=0, compute__efficiency_percent=100)
    vehicles = (vehicle, replace(vehicle, name="v-2"))
    snapshot = a_snapshot(vehicles=vehicles, running=there, sites=(a_site(**site),))
    leaving = (
        Leaving(running.pod, running.node, P.CIRCUIT_FULL)
        for running in there
        if running.pod.name in names
    )
    return rules_broken(snapshot, a_leaving_plan(snapshot, *leaving))


def of(name: str, **overrides: object) -> dict[str, Any]:
    """Overrides of a running pod of a name."""
    return {"pod__name": name, **overrides}


def test_the_lowest_priority_leaves_a_full_circuit_first() -> None:
    """One of two suffices: it is the less important one, on whichever car."""
    pods = (of("a", pod__priority=2), of("b", pod__priority=1, node="v-2"))
    assert shed(["b"], *pods, limit=159) == set()
    assert "CircuitFull" in shed(["a"], *pods, limit=159)
    assert shed(["a", "b"], *pods, limit=79) == set()
    assert "Leaving" in shed(["a", "b"], *pods, limit=80)


def test_the_youngest_of_equals_leaves_first() -> None:
    """Of one priority the one created last; of one age the greater name."""
    young, old = of("young", pod__created_at=AT - MINUTE), of("old", pod__created_at=AT - HOUR)
    assert shed(["young"], young, old, limit=159) == set()
    assert shed(["b"], of("b"), of("a"), limit=159) == set()


def test_those_who_leave_anyway_are_left_out_first() -> None:
    """A pod being deleted, or leaving for another reason, already makes room."""
    going = of("going", being_deleted=True, pod__priority=9)
    assert shed([], going, of("staying"), limit=80) == set()
    snapshot = a_snapshot(
        vehicles=(a_vehicle(suspend=True), a_vehicle(name="v-2")),
        running=(a_running_pod(), a_running_pod(pod__name="other", node="v-2")),
        sites=(a_site(circuits=(Circuit("row-a", None, 174),)),),
    )
    leaving = Leaving(snapshot.running[0].pod, "v-1", V.SUSPENDED)
    assert rules_broken(snapshot, a_leaving_plan(snapshot, leaving)) == set()


def test_one_that_was_given_up_still_loads_the_circuit() -> None:
    """It counts until its fence, so another one has to go."""
    lost = of("lost", counts_until=AT + HOUR, node="v-2")
    assert shed(["staying"], lost, of("staying"), limit=80) == set()


def test_children_are_relieved_before_their_parents() -> None:
    """Who leaves a full row relieves the depot too, so nobody else has to."""
    circuits = (Circuit("main", None, 80), Circuit("row-a", "main", 79))
    pods = (of("a", pod__priority=5), of("b", node="v-2"))
    assert "Leaving" not in shed(["a", "b"], *pods, limit=0, circuits=circuits)
    roomy = (Circuit("main", None, 159), Circuit("row-a", "main", 22_000))
    assert shed(["b"], *pods, limit=0, circuits=roomy) == set()


def test_curtailment_sheds_too() -> None:
    """What the grid imposes from outside is a limit like any other, while it lasts."""
    circuits = (Circuit("row-a", None, 22_000),)
    for until, leaving in ((AT + 1, ["a"]), (AT, []), (None, ["a"])):
        observed = (ObservedCircuit("row-a", curtailed_to_watts=79, curtailed_until=until),)
        broken = shed(leaving, of("a"), limit=0, circuits=circuits, observed_circuits=observed)
        assert broken == set()
