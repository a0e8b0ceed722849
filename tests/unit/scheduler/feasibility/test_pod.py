"""Each pod clause: where it fails, and the nearest case where it does not."""

from decimal import Decimal
from typing import Any

import pytest
from tests.unit.scheduler.feasibility.verdicts import (
    a_waiting_plan,
    reason_against,
    rules_broken,
)

from idlewatt_scheduler.model.calendars import EVERY_DAY, Recurrence
from idlewatt_scheduler.model.policy import OffPeakTest
from idlewatt_scheduler.model.reasons import (
    NO_TIME_OR_CHARGE_WOULD_HELP,
    PodReason,
    WaitingCondition,
)
from idlewatt_scheduler.model.site import Circuit, EnergyBearer, ObservedCircuit
from idlewatt_scheduler.model.tariff import TariffInterval
from idlewatt_scheduler.model.units import HOUR, MINUTE, SECOND
from idlewatt_scheduler.model.vehicle import EnergySource, Link, ParkingWindow, Power, Supply
from idlewatt_scheduler.model.workload import (
    HostPort,
    NodeSelectorTerm,
    Requirement,
    Taint,
    Toleration,
)
from idlewatt_scheduler.testing import (
    AT,
    GIBIBYTE,
    a_node,
    a_pod,
    a_policy,
    a_running_pod,
    a_site,
    a_snapshot,
    a_tariff,
    a_vehicle,
    changed,
)

R = PodReason
PORT, AT_ONE = (HostPort(80),), (HostPort(80, address="::1"),)
FULL_CORES = {"cpu": 16_000, "pods": 1_000}


def pod(**overrides: object) -> dict[str, Any]:
    """The pending pod changed."""
    return {"pending": (a_pod(**overrides),)}


def daemon(port: int, protocol: str = "TCP", address: str = "") -> dict[str, Any]:
    """A port of the Node of `v-1` that somebody else's pod has."""
    return {"other_ports": {"v-1": (HostPort(port, protocol, address),)}}


def vehicle(**overrides: object) -> dict[str, Any]:
    """The vehicle changed."""
    return {"vehicles": (a_vehicle(**overrides),)}


def on_battery(charge: int, **overrides: object) -> dict[str, Any]:
    """An unplugged vehicle that computes from its battery."""
    return vehicle(
        **{
            "agreement__energy_sources": frozenset(EnergySource),
            "observed__connection__supply": Supply.UNPLUGGED,
            "observed__battery__state_of_charge_percent": charge,
            **overrides,
        }
    )


def charging(watts: int | None, cap: int, **overrides: object) -> dict[str, Any]:
    """A car that charges, under the cap its charger reports."""
    return vehicle(
        observed__connection__charge_power_watts=watts,
        observed__connection__charge_power_limit_watts=cap,
        **overrides,
    )


def node(**overrides: object) -> dict[str, Any]:
    """The Node changed."""
    return {"nodes": (a_node(**overrides),)}


def site(**overrides: object) -> dict[str, Any]:
    """The site changed."""
    return {"sites": (a_site(**overrides),)}


def row_a(limit: int, **measured: object) -> dict[str, Any]:
    """Only one circuit, of a limit, with what was observed of it."""
    observed = (changed(ObservedCircuit("row-a"), **measured),) if measured else ()
    circuits = (Circuit("row-a", None, limit, failsafe_limit_watts=100),)
    return site(circuits=circuits, observed_circuits=observed)


def hours_from_now(*prices: str | None) -> dict[str, Any]:
    """A tariff of one-hour intervals from `AT` on."""
    return {
        "tariffs": (
            a_tariff(
                zones=(),
                intervals=tuple(
                    TariffInterval(AT + hour * HOUR, HOUR, Decimal(price) if price else None)
                    for hour, price in enumerate(prices)
                ),
            ),
        )
    }


def policy(**tests: object) -> dict[str, Any]:
    """A policy with these off-peak tests alone."""
    return {"policy": a_policy(off_peak=OffPeakTest(**tests))}  # type: ignore[arg-type]


def affinity(*labels: Requirement, fields: tuple[Requirement, ...] = ()) -> dict[str, Any]:
    """The pod asks for one term, of a Node labelled gen=4."""
    term = NodeSelectorTerm(labels, fields)
    return pod(node_affinity=(term,)) | node(labels={"gen": "4"})


def tainted(*taints: Taint, **overrides: object) -> dict[str, Any]:
    """The Node has taints; the overrides are the pod's."""
    return node(taints=taints) | pod(**overrides)


NOT_READY = Taint("node.kubernetes.io/not-ready", "NoExecute")
TAINT = Taint("team", "NoSchedule", "red")

CASES: list[tuple[PodReason | None, str, dict[str, Any]]] = [
    (None, "nothing is wrong", pod()),
    (R.INVALID_ANNOTATION, "malformed", pod(invalid_annotations=("power: `x` is no number",))),
    (R.INVALID_ANNOTATION, "a bare pod", pod(controlled=False)),
    (None, "a bare pod that may be lost", pod(controlled=False, demand__allow_loss=True)),
    (R.UNSUPPORTED_FIELD, "a host port", pod(unsupported_fields=("hostPort",))),
    (R.NODE_AFFINITY, "selector", pod(node_selector={"gen": "4"})),
    (None, "selector matches", pod(node_selector={"gen": "4"}) | node(labels={"gen": "4"})),
    (R.NODE_AFFINITY, "a term without anything", affinity()),
    (R.NODE_AFFINITY, "no term at all", pod(node_affinity=())),
    (None, "In", affinity(Requirement("gen", "In", ("3", "4")))),
    (R.NODE_AFFINITY, "NotIn", affinity(Requirement("gen", "NotIn", ("3", "4")))),
    (None, "NotIn, label absent", affinity(Requirement("zone", "NotIn", ("a",)))),
    (None, "Exists", affinity(Requirement("gen", "Exists"))),
    (R.NODE_AFFINITY, "DoesNotExist", affinity(Requirement("gen", "DoesNotExist"))),
    (None, "Gt", affinity(Requirement("gen", "Gt", ("3",)))),
    (R.NODE_AFFINITY, "Gt of an equal", affinity(Requirement("gen", "Gt", ("4",)))),
    (None, "Lt", affinity(Requirement("gen", "Lt", ("5",)))),
    (R.NODE_AFFINITY, "Lt of no number", affinity(Requirement("gen", "Lt", ("x",)))),
    (None, "by name", affinity(fields=(Requirement("metadata.name", "In", ("v-1",)),))),
    (
        R.NODE_AFFINITY,
        "by another name",
        affinity(fields=(Requirement("metadata.name", "In", ("v-2",)),)),
    ),
    (R.TAINT_NOT_TOLERATED, "NoSchedule", tainted(TAINT)),
    (R.TAINT_NOT_TOLERATED, "NoExecute", tainted(Taint("team", "NoExecute"))),
    (None, "PreferNoSchedule", tainted(Taint("team", "PreferNoSchedule"))),
    (None, "ours", tainted(Taint("idlewatt.dev/vehicle", "NoSchedule"))),
    (None, "tolerated", tainted(TAINT, tolerations=(Toleration("team", "Equal", "red"),))),
    (
        R.TAINT_NOT_TOLERATED,
        "another value tolerated",
        tainted(TAINT, tolerations=(Toleration("team", "Equal", "blue"),)),
    ),
    (
        R.TAINT_NOT_TOLERATED,
        "another effect tolerated",
        tainted(TAINT, tolerations=(Toleration("team", "Exists", effect="NoExecute"),)),
    ),
    (None, "everything tolerated", tainted(TAINT, tolerations=(Toleration(operator="Exists"),))),
    (R.TAINT_NOT_TOLERATED, "cordoned", node(unschedulable=True) | pod()),
    (
        None,
        "cordoned, tolerated",
        node(unschedulable=True)
        | pod(tolerations=(Toleration("node.kubernetes.io/unschedulable", "Exists"),)),
    ),
    (R.TAINT_NOT_TOLERATED, "not-ready, awake", tainted(NOT_READY)),
    (None, "not-ready, asleep", tainted(NOT_READY) | vehicle(observed__power=Power.ASLEEP)),
    (R.RESIDENCY, "another region", pod(demand__residency=frozenset({"eu-fr"}))),
    (
        R.RESIDENCY,
        "region unknown",
        pod(demand__residency=frozenset({"eu-de"})) | site(region=None),
    ),
    (None, "one of the regions", pod(demand__residency=frozenset({"eu-fr", "eu-de"}))),
    (R.UNTRUSTED, "reads a Secret", pod(reads_secret=True)),
    (None, "reads a Secret, attested", pod(reads_secret=True) | vehicle(attested=True)),
    (None, "reads a Secret, allowed", pod(reads_secret=True, demand__allow_untrusted=True)),
    (R.EXCEEDS_CAPACITY, "more cores than there are", pod(requests={"cpu": 16_001, "pods": 1_000})),
    (None, "all cores", pod(requests=FULL_CORES)),
    (
        R.EXCEEDS_CAPACITY,
        "the Node allots less",
        pod(requests=FULL_CORES) | node(allocatable={"cpu": 15_999, "pods": 1_000}),
    ),
    (R.EXCEEDS_CAPACITY, "a resource nobody names", pod(requests={"x/y": 1, "pods": 1_000})),
    (None, "nothing of a resource nobody names", pod(requests={"x/y": 0, "pods": 1_000})),
    (
        None,
        "storage is the Node's word",
        pod(requests={"ephemeral-storage": 100 * GIBIBYTE, "pods": 1_000}),
    ),
    (
        R.EXCEEDS_CAPACITY,
        "storage beyond the Node's word",
        pod(requests={"ephemeral-storage": 100 * GIBIBYTE + 1, "pods": 1_000}),
    ),
    (
        R.EXCEEDS_CAPACITY,
        "a Node of no pods",
        pod() | node(allocatable={"cpu": 16_000, "memory": GIBIBYTE, "pods": 0}),
    ),
    (
        None,
        "a Node that counts no pods",
        pod() | node(allocatable={"cpu": 16_000, "memory": GIBIBYTE}),
    ),
    (R.EXCEEDS_CAPACITY, "more watts than there are", pod(demand__power_watts=1_001)),
    (None, "all watts", pod(demand__power_watts=1_000)),
    (R.LINK_TOO_SLOW, "a model too long to load", pod(demand__model_load_time=30 * MINUTE + 1)),
    (None, "a model just loaded in time", pod(demand__model_load_time=30 * MINUTE)),
    (R.LINK_TOO_SLOW, "a large image", pod(demand__image_size_bytes=11_250_000_001)),
    (None, "an image just fetched in time", pod(demand__image_size_bytes=11_250_000_000)),
    (
        None,
        "the image is there",
        pod(demand__image_size_bytes=10**12) | node(images=frozenset({"registry.example/model:1"})),
    ),
    (
        None,
        "the link's speed is unknown",
        pod(demand__image_size_bytes=10**12) | vehicle(link=Link()),
    ),
    (
        R.LINK_TOO_SLOW,
        "more than is left of the month",
        pod(demand__image_size_bytes=1_001)
        | vehicle(
            link=Link(None, metered=True, monthly_limit_bytes=2_000), used_this_month_bytes=1_000
        ),
    ),
    (
        None,
        "what is left of the month",
        pod(demand__image_size_bytes=1_000)
        | vehicle(
            link=Link(None, metered=True, monthly_limit_bytes=2_000), used_this_month_bytes=1_000
        ),
    ),
    (
        None,
        "not metered",
        pod(demand__image_size_bytes=1_001) | vehicle(link=Link(None, monthly_limit_bytes=0)),
    ),
    (R.OUTSIDE_PARKING_WINDOW, "no window", pod() | vehicle(windows=())),
    (
        R.OUTSIDE_PARKING_WINDOW,
        "a window elsewhere",
        pod() | vehicle(windows=(ParkingWindow("away", "depot-8", Recurrence(EVERY_DAY, 0, 0)),)),
    ),
    (
        R.OUTSIDE_PARKING_WINDOW,
        "a window that ends now",
        pod() | vehicle(windows=(ParkingWindow("once", "depot-7", start=AT - HOUR, end=AT),)),
    ),
    (
        R.LEAVES_TOO_EARLY,
        "a runtime beyond the window",
        pod(demand__expected_runtime=8 * HOUR - 5 * MINUTE + 1, demand__any_tariff=True),
    ),
    (
        None,
        "a runtime just within the window",
        pod(demand__expected_runtime=8 * HOUR - 5 * MINUTE, demand__any_tariff=True),
    ),
    (R.LEAVES_TOO_EARLY, "a long grace", pod(termination_grace_seconds=7 * 3_600 + 1)),
    (
        None,
        "its drain-grace is shorter",
        pod(termination_grace_seconds=7 * 3_600 + 1, demand__drain_grace=SECOND),
    ),
    (
        R.LEAVES_TOO_EARLY,
        "expected back earlier",
        pod() | vehicle(observed__departure_expected_at=AT + HOUR + 5 * MINUTE - 1),
    ),
    (
        None,
        "expected back just in time",
        pod() | vehicle(observed__departure_expected_at=AT + HOUR + 5 * MINUTE),
    ),
    (R.DEADLINE_MISSED, "too late", pod(demand__deadline=AT + HOUR - 1)),
    (None, "at its deadline", pod(demand__deadline=AT + HOUR)),
    (R.ON_PEAK, "the band ends within", pod(demand__expected_runtime=7 * HOUR + 1)),
    (None, "until the band ends", pod(demand__expected_runtime=7 * HOUR)),
    (
        None,
        "any tariff will do",
        pod(demand__expected_runtime=7 * HOUR + 1, demand__any_tariff=True),
    ),
    (R.PRICE_UNKNOWN, "no tariff", pod() | {"tariffs": ()}),
    (None, "no tariff, any will do", pod(demand__any_tariff=True) | {"tariffs": ()}),
    (None, "no tariff and no test", pod() | {"tariffs": ()} | policy()),
    (
        R.PRICE_UNKNOWN,
        "the fleet pays an unknown price",
        pod(demand__any_tariff=True) | site(energy_borne_by=EnergyBearer.FLEET) | {"tariffs": ()},
    ),
    (
        R.PRICE_UNKNOWN,
        "the fleet pays a price that ends",
        pod(demand__any_tariff=True, demand__expected_runtime=HOUR + 1)
        | site(energy_borne_by=EnergyBearer.FLEET)
        | hours_from_now("0.1", None),
    ),
    (
        R.BELOW_RESERVE,
        "on the grid",
        pod()
        | vehicle(observed__battery__state_of_charge_percent=29, battery__departure_percent=30),
    ),
    (
        None,
        "on the grid, at the reserve",
        pod() | vehicle(observed__battery__state_of_charge_percent=30),
    ),
    (
        R.BELOW_RESERVE,
        "an hour of the battery takes 0.25 % and more",
        pod() | on_battery(30, battery__departure_percent=30),
    ),
    (R.DEPARTURE_CHARGE_AT_RISK, "an hour of the battery", pod() | on_battery(80)),
    (None, "an hour of 600 W is exactly 1 %", pod(demand__power_watts=510) | on_battery(81)),
    (
        R.DEPARTURE_CHARGE_AT_RISK,
        "an hour of 601 W is more",
        pod(demand__power_watts=511) | on_battery(81),
    ),
    (
        R.DEPARTURE_CHARGE_AT_RISK,
        "it takes what charging needs",
        pod() | charging(1_000, 1_173, observed__battery__state_of_charge_percent=79),
    ),
    (
        None,
        "it takes what charging leaves",
        pod() | charging(1_000, 1_174, observed__battery__state_of_charge_percent=79),
    ),
    (None, "it is charged enough", pod() | charging(1_000, 1_100)),
    (
        None,
        "it does not charge",
        pod() | charging(0, 200, observed__battery__state_of_charge_percent=79),
    ),
    (
        None,
        "its charging is not reported",
        pod() | charging(None, 200, observed__battery__state_of_charge_percent=79),
    ),
    (
        R.NOT_ENOUGH_RESOURCES,
        "a running pod has the cores",
        pod() | {"running": (a_running_pod(pod__requests=FULL_CORES, bound_power=0),)},
    ),
    (
        R.NOT_ENOUGH_RESOURCES,
        "daemons have the cores",
        pod() | {"other_use": {"v-1": {"cpu": 15_001}}},
    ),
    (None, "daemons leave a core", pod() | {"other_use": {"v-1": {"cpu": 15_000}}}),
    (R.HOST_PORT_TAKEN, "a daemon has its port", pod(host_ports=PORT) | daemon(80)),
    (R.HOST_PORT_TAKEN, "at an address", pod(host_ports=PORT) | daemon(80, address="10.0.0.1")),
    (R.HOST_PORT_TAKEN, "the same address", pod(host_ports=AT_ONE) | daemon(80, address="::1")),
    (R.HOST_PORT_TAKEN, "at every address", pod(host_ports=AT_ONE) | daemon(80)),
    (None, "other addresses", pod(host_ports=AT_ONE) | daemon(80, address="10.0.0.1")),
    (None, "another port", pod(host_ports=PORT) | daemon(81)),
    (None, "another protocol", pod(host_ports=PORT) | daemon(80, "SCTP")),
    (
        R.HOST_PORT_TAKEN,
        "a running pod has it",
        pod(host_ports=PORT) | {"running": (a_running_pod(pod__host_ports=PORT),)},
    ),
    (
        R.NOT_ENOUGH_RESOURCES,
        "watts are bound",
        pod() | {"running": (a_running_pod(bound_power=937_501),)},
    ),
    (None, "watts are left", pod() | {"running": (a_running_pod(bound_power=937_500),)}),
    (R.NOT_ENOUGH_RESOURCES, "more than the charger gives", pod() | charging(0, 173)),
    (None, "just what the charger gives", pod() | charging(0, 174)),
    (R.CIRCUIT_FULL, "a watt over", pod() | row_a(173)),
    (None, "just below", pod() | row_a(174)),
    (
        R.CIRCUIT_FULL,
        "charging is assumed where it is not reported",
        pod()
        | row_a(3_000)
        | charging(None, 2_900, observed__battery__state_of_charge_percent=90)
        | {"running": ()}
        | {
            "vehicles": (
                a_vehicle(),
                a_vehicle(name="v-2", suspend=True, observed__connection__charge_power_watts=None),
            )
        },
    ),
    (None, "a draw already at its cap is not raised", pod() | row_a(173) | charging(180, 180)),
    (R.CIRCUIT_FULL, "curtailed", pod() | row_a(1_000, curtailed_to_watts=173)),
    (
        R.CIRCUIT_FULL,
        "curtailed for a while",
        pod() | row_a(1_000, curtailed_to_watts=173, curtailed_until=AT + 1),
    ),
    (None, "no longer curtailed", pod() | row_a(1_000, curtailed_to_watts=173, curtailed_until=AT)),
    (
        R.CIRCUIT_FULL,
        "a stale measurement is a failsafe",
        pod() | row_a(1_000, uncontrolled_load_watts=0, observed_at=AT - 120 * SECOND - 1),
    ),
    (
        None,
        "a fresh measurement",
        pod() | row_a(1_000, uncontrolled_load_watts=0, observed_at=AT - 120 * SECOND),
    ),
    (
        R.CIRCUIT_FULL,
        "a measurement from the future",
        pod() | row_a(1_000, uncontrolled_load_watts=0, observed_at=AT + 5 * SECOND + 1),
    ),
    (
        R.CIRCUIT_FULL,
        "a measured load",
        pod() | row_a(1_000, uncontrolled_load_watts=827, observed_at=AT),
    ),
    (
        R.CIRCUIT_FULL,
        "the parent is over",
        pod()
        | site(
            circuits=(
                Circuit("main", None, 8_173, uncontrolled_load_watts=8_000),
                Circuit("row-a", "main", 22_000),
            )
        ),
    ),
]


@pytest.mark.parametrize(
    ("reason", "overrides"),
    [pytest.param(reason, overrides, id=f"{reason}: {why}") for reason, why, overrides in CASES],
)
def test_the_clause_that_fails_is_named(
    reason: PodReason | None, overrides: dict[str, Any]
) -> None:
    """A pod placed where its clause fails is a violation of that name, and no other."""
    assert reason_against(a_snapshot(**overrides)) == reason


def test_every_clause_has_a_case() -> None:
    """No pod clause goes untested; those about several pods have a module of their own."""
    several = {R.TOPOLOGY_SPREAD, R.GANG_INCOMPLETE}
    assert {reason for reason, _, _ in CASES} == {None, *PodReason} - several


@pytest.mark.parametrize(
    ("reason", "overrides"),
    [
        pytest.param(reason, overrides, id=f"{reason}: {why}")
        for reason, why, overrides in CASES
        if reason and "running" not in overrides
    ],
)
def test_a_pod_that_waits_for_the_clause_is_right_to_wait(
    reason: PodReason, overrides: dict[str, Any]
) -> None:
    """Counted under the failing clause and with the clause's condition, it breaks no rule."""
    snapshot = a_snapshot(**overrides)
    condition = WaitingCondition.WAITING_FOR_ENERGY
    if reason in NO_TIME_OR_CHARGE_WOULD_HELP:
        condition = WaitingCondition.UNSCHEDULABLE
    assert rules_broken(snapshot, a_waiting_plan(snapshot, reason, condition=condition)) == set()
