"""Clauses that depend on what else is placed: charge, resources and circuits, to the milliwatt."""

import pytest
from tests.unit.scheduler.scenes import (
    Overrides,
    a_board,
    a_fleet,
    off_peak,
    on_battery,
    pod,
    policy,
    reason_against,
    row_a,
    running,
    site,
    vehicle,
)

from idlewatt_scheduler.clauses.live import draw_changes, holding
from idlewatt_scheduler.clauses.pod import pod_case
from idlewatt_scheduler.energy import Step
from idlewatt_scheduler.model.reasons import PodReason
from idlewatt_scheduler.model.site import Circuit
from idlewatt_scheduler.model.units import FOREVER, HOUR, MINUTE
from idlewatt_scheduler.model.vehicle import EnergySource, Power, Supply
from idlewatt_scheduler.model.workload import HostPort
from idlewatt_scheduler.testing import AT, a_node, a_pod, a_vehicle

R = PodReason
BATTERY = frozenset({EnergySource.BATTERY})


def charging(watts: int | None, cap: int, charge: int = 85, **overrides: object) -> Overrides:
    """A car of such a charge that charges, under the cap its charger reports."""
    return vehicle(
        observed__connection__charge_power_watts=watts,
        observed__connection__charge_power_limit_watts=cap,
        observed__battery__state_of_charge_percent=charge,
        **overrides,
    )


def daemon(*ports: HostPort) -> Overrides:
    """Ports of the Node of `v-1` that somebody else's pods have."""
    return {"other_ports": {"v-1": ports}}


def on_grid(charge: int) -> Overrides:
    """A car that does not charge, of such a charge."""
    return vehicle(observed__battery__state_of_charge_percent=charge)


HEAVY = pod(demand__power_watts=510)
"""With standby 600 W: 1 % of the battery an hour."""

NO_LOSSES = {"compute__efficiency_percent": 100}
EMPTY_LATER = {"battery__departure_percent": 30}

PORT = pod(host_ports=(HostPort(80),))
ON_ONE = HostPort(80, address="10.0.0.1")

CASES: list[tuple[PodReason | None, str, Overrides]] = [
    (None, "nothing is wrong", pod()),
    (R.BELOW_RESERVE, "a grid car below the reserve", pod() | on_grid(29)),
    (None, "a grid car at the reserve", pod() | on_grid(30)),
    (R.BELOW_RESERVE, "an hour from the reserve", HEAVY | on_battery(30, **EMPTY_LATER)),
    (None, "an hour to the reserve", HEAVY | on_battery(31, **EMPTY_LATER)),
    (
        R.BELOW_RESERVE,
        "a watt over an hour to the reserve",
        pod(demand__power_watts=511) | on_battery(31, **EMPTY_LATER),
    ),
    (
        R.BELOW_RESERVE,
        "what runs already takes the rest",
        HEAVY | on_battery(31, **EMPTY_LATER) | running(bound_power=1_000),
    ),
    (
        None,
        "a sleeper computes from its start only",
        HEAVY | on_battery(31, **EMPTY_LATER, observed__power=Power.ASLEEP),
    ),
    (R.DEPARTURE_CHARGE_AT_RISK, "an hour from the departure charge", HEAVY | on_battery(80)),
    (None, "an hour to the departure charge", HEAVY | on_battery(81)),
    (
        R.DEPARTURE_CHARGE_AT_RISK,
        "a watt over an hour to it",
        pod(demand__power_watts=511) | on_battery(81),
    ),
    (
        R.DEPARTURE_CHARGE_AT_RISK,
        "plugged in, but on the battery",
        HEAVY
        | vehicle(agreement__energy_sources=BATTERY, observed__battery__state_of_charge_percent=80),
    ),
    (
        R.DEPARTURE_CHARGE_AT_RISK,
        "beside a service that runs on until the departure",
        # 8 h of 152.5 W and an hour of 581 W are 1801 Wh: a watt-hour more than 3 %.
        pod(demand__power_watts=581) | on_battery(83) | running(),
    ),
    (
        None,
        "beside a service, all that may be used",
        pod(demand__power_watts=580) | on_battery(83) | running(),
    ),
    (
        R.DEPARTURE_CHARGE_AT_RISK,
        "it takes a milliwatt that charges",
        pod() | charging(1_000, 1_173, charge=79),
    ),
    (None, "it takes none that charges", pod() | charging(1_000, 1_174, charge=79)),
    (
        None,
        "with what charges it is exactly at the cap",
        HEAVY | charging(1_000, 1_600, charge=79, **NO_LOSSES),
    ),
    (
        R.DEPARTURE_CHARGE_AT_RISK,
        "with what charges it is a watt over the cap",
        HEAVY | charging(1_000, 1_599, charge=79, **NO_LOSSES),
    ),
    (None, "at the departure charge nobody minds", pod() | charging(1_000, 1_000, charge=80)),
    (None, "it does not charge", pod() | charging(0, 174, charge=79)),
    (None, "it does not say whether it charges", pod() | charging(None, 174, charge=79)),
    (
        None,
        "on the battery charging is not asked about",
        pod() | charging(1_000, 1_000, charge=81, agreement__energy_sources=BATTERY),
    ),
    (
        R.NOT_ENOUGH_RESOURCES,
        "a milli too few",
        pod() | {"other_use": {"v-1": {"cpu": 15_001}}},
    ),
    (None, "just enough", pod() | {"other_use": {"v-1": {"cpu": 15_000}}}),
    (
        R.NOT_ENOUGH_RESOURCES,
        "no slot for a pod",
        pod()
        | {
            "nodes": (a_node(allocatable={**a_node().allocatable, "pods": 1_000}),),
            "other_use": {"v-1": {"pods": 1_000}},
        },
    ),
    (R.HOST_PORT_TAKEN, "a daemon has its port", PORT | daemon(HostPort(80))),
    (R.HOST_PORT_TAKEN, "a daemon has it on one address", PORT | daemon(ON_ONE)),
    (None, "a daemon has it of another protocol", PORT | daemon(HostPort(80, "UDP"))),
    (None, "a daemon has another one", PORT | daemon(HostPort(81))),
    (None, "a daemon on another Node has it", PORT | {"other_ports": {"v-2": (HostPort(80),)}}),
    (R.HOST_PORT_TAKEN, "a pod that runs has it", PORT | running(pod__host_ports=(HostPort(80),))),
    (None, "on one address", pod(host_ports=(ON_ONE,))),
    (R.HOST_PORT_TAKEN, "on one that is taken", pod(host_ports=(ON_ONE,)) | daemon(ON_ONE)),
    (R.HOST_PORT_TAKEN, "of all that are", pod(host_ports=(ON_ONE,)) | daemon(HostPort(80))),
    (None, "beside another", pod(host_ports=(ON_ONE,)) | daemon(HostPort(80, address="::1"))),
    (
        None,
        "of what it does not ask for others may have too much",
        pod() | {"other_use": {"v-1": {"nvidia.com/gpu": 9_000}}},
    ),
    (
        None,
        "nought of what others have too much of",
        pod(requests={"cpu": 1_000, "nvidia.com/gpu": 0, "pods": 1_000})
        | {"other_use": {"v-1": {"nvidia.com/gpu": 9_000}}},
    ),
    (R.NOT_ENOUGH_RESOURCES, "a milliwatt too few", pod() | running(bound_power=937_501)),
    (None, "all watts", pod() | running(bound_power=937_500)),
    (
        None,
        "a job that ends before a sleeper is awake leaves its watts",
        pod()
        | vehicle(observed__power=Power.ASLEEP)
        | running(
            bound_power=2_000_000,
            pod__demand__expected_runtime=HOUR,
            bound_until=AT + MINUTE,
        ),
    ),
    (
        R.NOT_ENOUGH_RESOURCES,
        "a job that ends a millisecond after it is awake",
        pod()
        | vehicle(observed__power=Power.ASLEEP)
        | running(
            bound_power=1_000_000,
            pod__demand__expected_runtime=HOUR,
            bound_until=AT + MINUTE + 1,
        ),
    ),
    (R.NOT_ENOUGH_RESOURCES, "more AC than the cap", pod() | charging(0, 173)),
    (None, "no more AC than the cap", pod() | charging(0, 174)),
    (None, "exactly as much as the cap", HEAVY | charging(0, 600, **NO_LOSSES)),
    (R.NOT_ENOUGH_RESOURCES, "a watt more than the cap", HEAVY | charging(0, 599, **NO_LOSSES)),
    (
        R.NOT_ENOUGH_RESOURCES,
        "more AC than the cap, on the battery",
        pod() | charging(0, 173, agreement__energy_sources=BATTERY),
    ),
    (
        None,
        "unplugged there is no cap",
        pod() | on_battery(90, observed__connection__charge_power_limit_watts=1),
    ),
    (R.CIRCUIT_FULL, "a watt over", pod() | row_a(173)),
    (None, "within a watt", pod() | row_a(174)),
    (None, "at its cap it raises nothing", pod() | row_a(180) | charging(180, 180)),
    (None, "at its cap on a circuit over its limit", pod() | row_a(1) | charging(180, 180)),
    (
        R.CIRCUIT_FULL,
        "near its cap it raises the rest",
        pod() | row_a(179) | charging(170, 180),
    ),
    (None, "near its cap it raises only the rest", pod() | row_a(180) | charging(170, 180)),
    (None, "unplugged it loads none", pod() | row_a(0) | on_battery(90)),
    (
        R.CIRCUIT_FULL,
        "curtailed for the first moment of the stay",
        pod() | row_a(1_000, curtailed_to_watts=173, curtailed_until=AT + 1),
    ),
    (
        None,
        "curtailed until a sleeper is awake",
        pod()
        | row_a(1_000, curtailed_to_watts=0, curtailed_until=AT + MINUTE)
        | vehicle(observed__power=Power.ASLEEP),
    ),
    (
        R.CIRCUIT_FULL,
        "curtailed a moment longer",
        pod()
        | row_a(1_000, curtailed_to_watts=0, curtailed_until=AT + MINUTE + 1)
        | vehicle(observed__power=Power.ASLEEP),
    ),
    (
        R.CIRCUIT_FULL,
        "the circuit above",
        pod() | site(circuits=(Circuit("main", None, 173), Circuit("row-a", "main", 22_000))),
    ),
    (
        R.CIRCUIT_FULL,
        "another car charges there",
        pod()
        | row_a(2_173)
        | {
            "vehicles": (
                a_vehicle(),
                a_vehicle(name="v-2", suspend=True, observed__connection__charge_power_watts=2_000),
            )
        },
    ),
    (
        R.CIRCUIT_FULL,
        "what runs on another car there",
        pod()
        | row_a(346)
        | running(node="v-2")
        | {"vehicles": (a_vehicle(), a_vehicle(name="v-2"))},
    ),
    (
        None,
        "what runs on another car there leaves just enough",
        pod()
        | row_a(347)
        | running(node="v-2")
        | {"vehicles": (a_vehicle(), a_vehicle(name="v-2"))},
    ),
    (
        R.CIRCUIT_FULL,
        "PluggedNotSupplied draws for computing all the same",
        pod()
        | row_a(173)
        | vehicle(
            agreement__energy_sources=BATTERY,
            observed__battery__state_of_charge_percent=90,
            observed__connection__supply=Supply.PLUGGED_NOT_SUPPLIED,
        ),
    ),
]


@pytest.mark.parametrize(
    ("reason", "overrides"),
    [pytest.param(reason, overrides, id=f"{reason}: {why}") for reason, why, overrides in CASES],
)
def test_a_pod_is_kept_away_by_the_clause_that_fails(
    reason: PodReason | None, overrides: Overrides
) -> None:
    """Each clause has its exact boundary, with an example on either side."""
    # Some of these running services would have to leave; here only new pods are asked.
    assert reason_against(**{**off_peak(), **overrides}) == reason


def test_every_clause_has_an_example() -> None:
    """No clause that depends on what is placed there goes without a case in which it fails."""
    several = {R.TOPOLOGY_SPREAD, R.GANG_INCOMPLETE}
    assert {reason for reason, _, _ in CASES} == {None, *list(PodReason)[13:]} - several


@pytest.mark.parametrize(
    ("count", "reason"), [(14, None), (15, None), (16, R.NOT_ENOUGH_RESOURCES)]
)
def test_several_pods_are_asked_for_together(count: int, reason: PodReason | None) -> None:
    """Sixteen of them beside one that runs are one too many for sixteen cores."""
    board = a_board(**pod(), **running())
    case, _ = board.case(0, 0)
    assert board.live_reason(case, 0, count) == reason


def test_requests_are_judged_before_circuits_and_after_charge() -> None:
    """Of several clauses that fail the first is named."""
    too_much = {"other_use": {"v-1": {"cpu": 16_000}}}
    assert reason_against(**pod(), **row_a(0), **too_much) is R.NOT_ENOUGH_RESOURCES
    assert reason_against(**PORT, **daemon(HostPort(80)), **too_much) is R.NOT_ENOUGH_RESOURCES
    assert reason_against(**PORT, **daemon(HostPort(80)), **row_a(0)) is R.HOST_PORT_TAKEN
    assert reason_against(**pod(), **on_battery(80), **too_much) is R.DEPARTURE_CHARGE_AT_RISK
    assert reason_against(**pod(), **on_battery(30), **too_much) is R.BELOW_RESERVE


def test_a_plain_node_is_asked_for_its_resources_and_ports_only() -> None:
    """Whatever the power: it has none to give, and no circuit."""
    plain = {"vehicles": (), "nodes": (a_node(name="plain"),)} | policy(plain_nodes_allowed=True)
    fits, full = pod(demand__power_watts=10**6), {"other_use": {"plain": {"cpu": 15_001}}}
    assert reason_against(**plain, **fits) is None
    assert reason_against(**plain, **fits, **full) is R.NOT_ENOUGH_RESOURCES
    taken = {"other_ports": {"plain": (HostPort(80),)}}
    assert reason_against(**plain, **PORT, **taken) is R.HOST_PORT_TAKEN
    assert reason_against(**plain, **fits, **taken) is None


def test_what_is_held_uses_and_draws() -> None:
    """Three alike for an hour beside one that runs for good."""
    fleet = a_fleet(**pod(), **running())
    (candidate,) = fleet.candidates
    case = pod_case(a_pod(), candidate, fleet.snapshot.policy, AT)
    placed = holding(candidate, [(case, 3)])
    assert placed.used["cpu"] == 4_000
    assert list(placed.line) == [
        Step(AT, AT + HOUR, 250_000, 340_000),
        Step(AT + HOUR, FOREVER, 62_500, 152_500),
    ]
    assert list(holding(candidate).line) == [Step(AT, FOREVER, 62_500, 152_500)]


def test_a_draw_changes_where_computing_does() -> None:
    """From one line to another: more first, then the same, then less, in AC."""
    parked = a_fleet().candidates[0].parked
    assert parked is not None
    before = [Step(10, 40, 0, 88_000)]
    after = [Step(0, 20, 0, 176_000), Step(20, 30, 0, 88_000)]
    assert draw_changes(parked, before, after) == [
        (0, 10, 200_000),
        (10, 20, 100_000),
        (30, 40, -100_000),
    ]


def test_a_draw_changes_step_by_step() -> None:
    """Each step of either line ends where the next one begins."""
    parked = a_fleet().candidates[0].parked
    assert parked is not None
    before = [Step(0, 10, 0, 88_000), Step(10, 20, 0, 176_000), Step(25, 30, 0, 88_000)]
    after = [Step(0, 15, 0, 176_000), Step(15, 25, 0, 88_000)]
    assert draw_changes(parked, before, after) == [
        (0, 10, 100_000),
        (15, 20, -100_000),
        (20, 25, 100_000),
        (25, 30, -100_000),
    ]
    assert draw_changes(parked, before, before) == []


def test_a_car_that_is_not_plugged_in_changes_no_draw() -> None:
    """Whatever it computes."""
    parked = a_fleet(**on_battery(90)).candidates[0].parked
    assert parked is not None
    assert draw_changes(parked, (), [Step(0, 20, 0, 176_000)]) == []
