"""Who has to leave: each reason at its boundary, and who goes first from a circuit that is over."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from tests.unit.scheduler.scenes import (
    Overrides,
    a_fleet,
    node,
    observed,
    off_peak,
    on_battery,
    row_a,
    running,
    site,
    vehicle,
)

from idlewatt_scheduler.leaving import leaving
from idlewatt_scheduler.model.plan import Leaving
from idlewatt_scheduler.model.reasons import KEEPS_NEW_PODS_AWAY_ONLY, PodReason, VehicleReason
from idlewatt_scheduler.model.site import Circuit
from idlewatt_scheduler.model.tariff import TariffInterval
from idlewatt_scheduler.model.units import HOUR, MINUTE, SECOND
from idlewatt_scheduler.model.vehicle import EnergySource, ParkingWindow, Power, Quality, Supply
from idlewatt_scheduler.model.workload import Ready
from idlewatt_scheduler.testing import AT, a_running_pod, a_site, a_tariff, a_vehicle

V, P = VehicleReason, PodReason
LEAD = 5 * MINUTE
TEN_MINUTES = 600 * SECOND
STALE_AFTER = 120 * SECOND
A_JOB = {"pod__demand__expected_runtime": HOUR}


def bands(*stretches: tuple[int, str | None]) -> Overrides:
    """A tariff of bands, each so many milliseconds long, from `AT` on."""
    intervals, start = [], AT
    for length, band in stretches:
        intervals.append(TariffInterval(start, length, Decimal(1), band))
        start += length
    return {"tariffs": (a_tariff(zones=(), intervals=tuple(intervals)),)}


def window(end: int) -> Overrides:
    """The only window closes so many milliseconds after `AT`."""
    return vehicle(windows=(ParkingWindow("once", "depot-7", start=AT - HOUR, end=AT + end),))


def heavy(charge: int, departure_percent: int = 30, **overrides: object) -> Overrides:
    """A battery car whose pod and standby take 600 W, 1 % an hour, until 07:00."""
    car = on_battery(charge, battery__departure_percent=departure_percent)
    return car | running(bound_power=510_000, **overrides)


CASES: list[tuple[VehicleReason | PodReason | None, str, Overrides]] = [
    (None, "nothing is wrong", {}),
    (V.SUSPENDED, "suspended", vehicle(suspend=True)),
    (V.NO_AGREEMENT, "no agreement", vehicle(agreement=None)),
    (None, "the cap is reached", vehicle(earned_this_month=Decimal(60))),
    (None, "parked a moment ago", observed(parking__since=AT)),
    (None, "cold", observed(battery__temperature_celsius=-40)),
    (
        None,
        "no common currency",
        {"vehicles": (a_vehicle(), a_vehicle(name="v-2", compensation__currency="SEK"))},
    ),
    (V.NODE_NOT_READY, "no Node", {"nodes": ()}),
    (V.NODE_NOT_READY, "not ready", node(ready=Ready.FALSE)),
    (
        None,
        "unreachable for ten minutes",
        node(ready=Ready.UNKNOWN, ready_since=AT - TEN_MINUTES),
    ),
    (
        V.UNREACHABLE,
        "unreachable for longer",
        node(ready=Ready.UNKNOWN, ready_since=AT - TEN_MINUTES - 1),
    ),
    (V.UNREACHABLE, "unreachable for ever", node(ready=Ready.UNKNOWN, ready_since=None)),
    (V.TELEMETRY_INVALID, "invalid", observed(parking__quality=Quality.INVALID)),
    (
        V.TELEMETRY_INVALID,
        "from the future",
        observed(battery__observed_at=AT + 5 * SECOND + 1),
    ),
    (
        None,
        "too old for ten minutes",
        observed(connection__observed_at=AT - STALE_AFTER - TEN_MINUTES),
    ),
    (
        V.TELEMETRY_STALE,
        "too old for longer",
        observed(connection__observed_at=AT - STALE_AFTER - TEN_MINUTES - 1),
    ),
    (
        None,
        "stale for ten minutes",
        observed(battery__quality=Quality.STALE, battery__observed_at=AT - TEN_MINUTES),
    ),
    (
        V.TELEMETRY_STALE,
        "stale for longer",
        observed(battery__quality=Quality.STALE, battery__observed_at=AT - TEN_MINUTES - 1),
    ),
    (V.TELEMETRY_STALE, "a block is missing", observed(battery=None)),
    (V.TELEMETRY_STALE, "a block of no time", observed(battery__observed_at=None)),
    (V.TELEMETRY_STALE, "no charge", observed(battery__state_of_charge_percent=None)),
    (
        None,
        "a sleeper's word is older",
        observed(power=Power.ASLEEP, battery__observed_at=AT - 12 * HOUR - TEN_MINUTES),
    ),
    (
        V.TELEMETRY_STALE,
        "a sleeper's word is too old",
        observed(power=Power.ASLEEP, battery__observed_at=AT - 12 * HOUR - TEN_MINUTES - 1),
    ),
    (
        V.OCCUPIED,
        "stale for a moment, and occupied",
        observed(battery__quality=Quality.STALE, parking__occupied=True),
    ),
    (V.NOT_PARKED, "it drives", observed(parking__parked=False)),
    (V.OCCUPIED, "somebody is in it", observed(parking__occupied=True)),
    (V.TOO_HOT, "hot", observed(battery__temperature_celsius=46)),
    (None, "as hot as allowed", observed(battery__temperature_celsius=45)),
    (V.SITE_UNKNOWN, "no such circuit", observed(connection__circuit="row-z")),
    (V.COMPUTE_NOT_ALLOWED, "forbidden", site(compute_allowed=False)),
    (V.NOT_SUPPLIED, "unplugged", observed(connection__supply=Supply.UNPLUGGED)),
    (V.DRAINING, "draining", vehicle(draining=True)),
    (P.RESIDENCY, "another region", running(pod__demand__residency=frozenset({"eu-fr"}))),
    (None, "its region", running(pod__demand__residency=frozenset({"eu-de"}))),
    (P.UNTRUSTED, "a Secret", running(pod__reads_secret=True)),
    (None, "a Secret, attested", running(pod__reads_secret=True) | vehicle(attested=True)),
    (None, "a Secret, allowed", running(pod__reads_secret=True, pod__demand__allow_untrusted=True)),
    (None, "a clause for new pods only", running(pod__unsupported_fields=("hostPort",))),
    (None, "a label that is gone", running(pod__node_selector={"gen": "4"})),
    (P.OUTSIDE_PARKING_WINDOW, "no window", vehicle(windows=())),
    (P.OUTSIDE_PARKING_WINDOW, "the window closes now", window(0)),
    (P.LEAVES_TOO_EARLY, "it departs when the lead is over", window(LEAD)),
    (None, "it departs a millisecond later", window(LEAD + 1)),
    (
        P.LEAVES_TOO_EARLY,
        "the pod's grace is longer than the lead",
        window(LEAD + 1) | running(pod__termination_grace_seconds=301),
    ),
    (
        None,
        "the pod's own word on its grace",
        window(LEAD + 1)
        | running(pod__termination_grace_seconds=301, pod__demand__drain_grace=SECOND),
    ),
    (P.LEAVES_TOO_EARLY, "it should have left", observed(departure_expected_at=AT - HOUR)),
    (P.ON_PEAK, "peak when the lead is over", bands((LEAD, "OffPeak"), (HOUR, "Peak"))),
    (None, "peak a millisecond later", bands((LEAD + 1, "OffPeak"), (HOUR, "Peak"))),
    (None, "peak now, and over by then", bands((LEAD, "Peak"), (HOUR, "OffPeak"))),
    (P.PRICE_UNKNOWN, "unknown when the lead is over", bands((LEAD, "OffPeak"))),
    (None, "unknown a millisecond later", bands((LEAD + 1, "OffPeak"))),
    (P.PRICE_UNKNOWN, "no tariff", {"tariffs": ()}),
    (None, "no tariff, and the policy asks nothing", {"tariffs": ()} | off_peak()),
    (
        None,
        "peak, and it does not mind",
        bands((HOUR, "Peak")) | running(pod__demand__any_tariff=True),
    ),
    (
        None,
        "peak, in a job's last millisecond",
        bands((HOUR, "Peak")) | running(**A_JOB, bound_until=AT + 1),
    ),
    (
        P.ON_PEAK,
        "peak, and the job is past its time",
        bands((HOUR, "Peak")) | running(**A_JOB, bound_until=AT),
    ),
    (
        P.ON_PEAK,
        "peak, and the job's time is not known",
        bands((HOUR, "Peak")) | running(**A_JOB, bound_until=None),
    ),
    (
        P.ON_PEAK,
        "peak, and open-ended though bound for longer",
        bands((HOUR, "Peak")) | running(bound_until=AT + HOUR),
    ),
    # 50 Wh in the five minutes of the lead, of 600 Wh a percent.
    (P.BELOW_RESERVE, "at the reserve, and it falls", heavy(30)),
    (
        P.BELOW_RESERVE,
        "a watt-hour under the reserve when the lead is over",
        on_battery(31, battery__departure_percent=30, battery__net_capacity_watt_hours=4_900)
        | running(bound_power=510_000),
    ),
    (
        P.DEPARTURE_CHARGE_AT_RISK,
        "just at the reserve when the lead is over",
        on_battery(31, battery__departure_percent=30, battery__net_capacity_watt_hours=5_000)
        | running(bound_power=510_000),
    ),
    (P.DEPARTURE_CHARGE_AT_RISK, "7 % for 8 hours", heavy(37)),
    (None, "8 % for 8 hours", heavy(38)),
    (P.DEPARTURE_CHARGE_AT_RISK, "to another departure charge", heavy(87, 80)),
    (None, "just to that departure charge", heavy(88, 80)),
    (
        None,
        "a job until its promise",
        heavy(32, **A_JOB, bound_until=AT + 2 * HOUR),
    ),
    (
        P.DEPARTURE_CHARGE_AT_RISK,
        "a job until a millisecond more",
        heavy(32, **A_JOB, bound_until=AT + 2 * HOUR + 1),
    ),
    (None, "on the grid, almost empty", observed(battery__state_of_charge_percent=1)),
    (
        P.BELOW_RESERVE,
        "plugged in, but on the battery",
        vehicle(
            agreement__energy_sources=frozenset({EnergySource.BATTERY}),
            observed__battery__state_of_charge_percent=1,
        ),
    ),
    (P.CIRCUIT_FULL, "a watt over", row_a(173)),
    (None, "within a watt", row_a(174)),
    (None, "that limit is over", row_a(174, curtailed_to_watts=173, curtailed_until=AT)),
    (
        P.CIRCUIT_FULL,
        "the limit holds for a moment more",
        row_a(174, curtailed_to_watts=173, curtailed_until=AT + 1),
    ),
    (
        P.CIRCUIT_FULL,
        "a failsafe",
        row_a(174, failsafe=173, uncontrolled_load_watts=0, observed_at=AT - STALE_AFTER - 1),
    ),
    (
        None,
        "no failsafe yet",
        row_a(174, failsafe=173, uncontrolled_load_watts=0, observed_at=AT - STALE_AFTER),
    ),
    (
        None,
        "over, but without the pod it would be so too",
        row_a(1)
        | vehicle(
            observed__connection__charge_power_watts=180,
            observed__connection__charge_power_limit_watts=180,
        ),
    ),
    (
        P.CIRCUIT_FULL,
        "the circuit above",
        site(circuits=(Circuit("main", None, 173), Circuit("row-a", "main", 999))),
    ),
    (None, "over, and being deleted already", row_a(173) | running(being_deleted=True)),
    (
        V.SUSPENDED,
        "suspended, and being deleted already",
        vehicle(suspend=True) | running(being_deleted=True),
    ),
    (None, "given up already", vehicle(suspend=True) | running(counts_until=AT + HOUR)),
    (None, "not on a vehicle", vehicle(suspend=True) | running(node="plain")),
]


def who_leaves(**overrides: object) -> tuple[Leaving, ...]:
    """The answer to a snapshot with a running pod."""
    return leaving(a_fleet(**{**running(), **overrides}))


@pytest.mark.parametrize(
    ("reason", "overrides"),
    [pytest.param(reason, overrides, id=f"{reason}: {why}") for reason, why, overrides in CASES],
)
def test_a_pod_leaves_for_the_first_reason_that_holds(
    reason: VehicleReason | PodReason | None, overrides: Overrides
) -> None:
    """Each reason has its exact boundary, with an example on either side."""
    found = who_leaves(**overrides)
    assert [leaver.reason for leaver in found] == ([] if reason is None else [reason])
    for leaver in found:
        assert (leaver.pod.key, leaver.node) == ("default/running", "v-1")


def test_every_reason_that_drains_has_an_example() -> None:
    """Those of vehicles but for the four that only keep new pods away, and nine of pods."""
    tested = {reason for reason, _, _ in CASES if reason}
    assert set(VehicleReason) - tested == KEEPS_NEW_PODS_AWAY_ONLY
    assert {str(reason) for reason in tested & set(PodReason)} == {
        "Residency",
        "Untrusted",
        "OutsideParkingWindow",
        "LeavesTooEarly",
        "OnPeak",
        "PriceUnknown",
        "BelowReserve",
        "DepartureChargeAtRisk",
        "CircuitFull",
    }


def test_of_several_reasons_the_first_is_named() -> None:
    """A vehicle clause before the pod's own, and these in their order."""
    wrong: dict[str, Overrides] = {
        "draining": {"draining": True},
        "windows": {"windows": ()},
        "leaves": {"observed__departure_expected_at": AT},
    }
    everything = {key: value for each in wrong.values() for key, value in each.items()}
    no_draining = {**everything, "draining": False}
    no_window = {**no_draining, "windows": a_vehicle().windows}
    spoilt = running(pod__demand__residency=frozenset(), pod__reads_secret=True)
    secret = running(pod__reads_secret=True)
    peak = bands((HOUR, "Peak"))
    for overrides, expected in (
        (vehicle(**everything) | spoilt | peak, V.DRAINING),
        (vehicle(**no_draining) | spoilt | peak, P.RESIDENCY),
        (vehicle(**no_draining) | secret | peak, P.UNTRUSTED),
        (vehicle(**no_draining) | peak, P.OUTSIDE_PARKING_WINDOW),
        (vehicle(**no_window) | peak, P.LEAVES_TOO_EARLY),
        (on_battery(10) | peak | row_a(0), P.ON_PEAK),
        (on_battery(10) | row_a(0), P.BELOW_RESERVE),
    ):
        (found,) = who_leaves(**overrides)
        assert found.reason is expected


SIMPLE = {"compute__standby_power_watts": 0, "compute__efficiency_percent": 100}


def shed(
    limit: int, *pods: dict[str, Any], names: tuple[str, ...] = ("v-1",), **overrides: object
) -> list[str]:
    """Who leaves, of pods of 80 W each, for a circuit of a limit in watts."""
    cars = tuple(a_vehicle(name=name, **SIMPLE) for name in names)
    there = tuple(a_running_pod(**{"bound_power": 80_000, **each}) for each in pods)
    given = {"vehicles": cars, "running": there, **row_a(limit), **overrides}
    found = leaving(a_fleet(**given))
    assert {leaver.reason for leaver in found} <= {P.CIRCUIT_FULL}
    return [leaver.pod.key for leaver in found]


def called(name: str, **overrides: object) -> dict[str, Any]:
    """A running pod of a name; `age` is the instant at which it was created."""
    age = overrides.pop("age", AT - HOUR)
    return {"pod__name": name, "pod__created_at": age, **overrides}


@pytest.mark.parametrize(
    ("limit", "pods", "leavers"),
    [
        pytest.param(160, [called("a"), called("b")], [], id="just full"),
        pytest.param(159, [called("a"), called("b")], ["default/b"], id="the greater name"),
        pytest.param(
            159,
            [called("a", age=AT - 1), called("b", age=AT - 2)],
            ["default/a"],
            id="the youngest before the greater name",
        ),
        pytest.param(
            159,
            [called("a", age=AT - 1, pod__priority=1), called("b", age=AT - 2)],
            ["default/b"],
            id="the lowest priority before the youngest",
        ),
        pytest.param(
            159,
            [called("z", pod__namespace="a"), called("a", pod__namespace="b")],
            ["b/a"],
            id="names with their namespace",
        ),
        pytest.param(
            80,
            [called("a"), called("b"), called("c")],
            ["default/b", "default/c"],
            id="as many as it takes",
        ),
        pytest.param(79, [called("a"), called("b")], ["default/a", "default/b"], id="all"),
        pytest.param(
            159,
            [called("a"), called("b", bound_power=0), called("c", bound_power=80_000)],
            ["default/c"],
            id="one whose leaving helps nothing stays",
        ),
        pytest.param(
            159,
            [called("a"), called("b"), called("c", being_deleted=True)],
            ["default/b"],
            id="one that is being deleted is gone already",
        ),
        pytest.param(
            160,
            [called("a"), called("b"), called("c", being_deleted=True)],
            [],
            id="and leaves room",
        ),
        pytest.param(
            159,
            [called("a"), called("b", counts_until=AT + HOUR)],
            ["default/a"],
            id="one that was given up counts and cannot be asked",
        ),
        pytest.param(
            100,
            [called("a"), called("b", bound_power=20_000), called("c", bound_power=30_000)],
            ["default/c"],
            id="no more than it takes",
        ),
    ],
)
def test_who_leaves_a_circuit_that_is_over(
    limit: int, pods: list[dict[str, Any]], leavers: list[str]
) -> None:
    """The lowest priority, then the youngest, then the greater name, until it is within."""
    assert shed(limit, *pods) == leavers


def test_the_last_pod_of_a_car_takes_its_standby_along() -> None:
    """A small pod alone on its car saves more than its own power."""
    cars = (
        a_vehicle(name="v-1", **{**SIMPLE, "compute__standby_power_watts": 90}),
        a_vehicle(name="v-2", **SIMPLE),
    )
    pods = [called("z", bound_power=10_000), called("a", node="v-2")]
    assert shed(180, *pods, vehicles=cars) == []
    assert shed(179, *pods, vehicles=cars) == ["default/z"]
    assert shed(80, *pods, vehicles=cars) == ["default/z"]


def test_those_that_leave_anyhow_are_left_out_of_the_load() -> None:
    """Whoever leaves a suspended car leaves room for the others on its circuit."""
    cars = (a_vehicle(**SIMPLE, suspend=True), a_vehicle(name="v-2", **SIMPLE))
    there = (
        a_running_pod(bound_power=80_000),
        a_running_pod(pod__name="other", node="v-2", bound_power=80_000),
    )
    found = leaving(a_fleet(vehicles=cars, running=there, **row_a(80)))
    assert [(leaver.node, leaver.reason) for leaver in found] == [("v-1", V.SUSPENDED)]


def test_children_are_relieved_before_their_parents() -> None:
    """Who leaves for the row relieves the main circuit too; nobody leaves twice over."""
    circuits = (
        Circuit("main", None, 240),
        Circuit("row-a", "main", 80),
        Circuit("row-b", "main", 999),
    )
    cars = (
        a_vehicle(**SIMPLE),
        a_vehicle(name="v-2", observed__connection__circuit="row-b", **SIMPLE),
    )
    pods = (
        called("old", age=AT - 9 * HOUR),
        called("older", age=AT - 10 * HOUR),
        called("young", node="v-2", age=AT - HOUR),
        called("younger", node="v-2", age=AT - MINUTE),
    )
    site_of_two_rows = (a_site(circuits=circuits),)
    # 320 W in all: by age alone, main would shed `younger`, and row-a `old` on top.
    assert shed(0, *pods, vehicles=cars, sites=site_of_two_rows) == ["default/old"]


def test_a_row_that_cannot_be_relieved_stays_over() -> None:
    """Charging is not ours to lower: pods leave only where that lowers the load."""
    car = a_vehicle(**SIMPLE, observed__connection__charge_power_watts=500)
    assert shed(400, called("a"), called("b"), vehicles=(car,)) == ["default/a", "default/b"]


def test_leavers_are_listed_by_node_and_name() -> None:
    """In whatever order the snapshot has them."""
    cars = tuple(a_vehicle(name=name, suspend=True) for name in ("v-2", "v-1"))
    there = tuple(
        a_running_pod(pod__name=name, node=where)
        for name, where in (("b", "v-2"), ("c", "v-1"), ("a", "v-2"))
    )
    found = leaving(a_fleet(vehicles=cars, running=there))
    assert [(leaver.node, leaver.pod.name) for leaver in found] == [
        ("v-1", "c"),
        ("v-2", "a"),
        ("v-2", "b"),
    ]


def test_a_lost_pod_is_never_asked() -> None:
    """It was given up, and its object is gone; nobody could answer."""
    given_up = replace(a_running_pod(), counts_until=AT + 1)
    assert leaving(a_fleet(running=(given_up,), vehicles=(a_vehicle(suspend=True),))) == ()
