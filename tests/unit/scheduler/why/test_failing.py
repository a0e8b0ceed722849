"""All that fails on a vehicle, in its order, with the figures behind it."""

from typing import Any

import pytest

from idlewatt_scheduler.model.plan import Plan
from idlewatt_scheduler.model.reasons import PodReason, Reason, VehicleReason
from idlewatt_scheduler.model.site import Circuit, Site
from idlewatt_scheduler.model.snapshot import Snapshot
from idlewatt_scheduler.model.units import HOUR, MINUTE
from idlewatt_scheduler.model.vehicle import EnergySource, Quality, Supply
from idlewatt_scheduler.model.workload import HostPort
from idlewatt_scheduler.testing import AT, a_node, a_pod, a_site, a_snapshot, a_vehicle
from idlewatt_scheduler.why import Failing
from idlewatt_scheduler.why.bench import Bench, Wish, board_left
from idlewatt_scheduler.why.failing import failing


def found(snapshot: Snapshot) -> dict[Reason, Failing]:
    """What fails on the first vehicle for the first pending pod."""
    bench = Bench(board_left(snapshot, Plan(snapshot.at)), 0)
    return {
        each.reason: each for each in failing(bench, Wish(snapshot.pending[0], snapshot.policy))
    }


def test_every_clause_is_asked_not_the_first_alone() -> None:
    """A suspended car that leaves too early for a pod that is too large says all three."""
    car = a_vehicle(suspend=True, observed__departure_expected_at=AT + 30 * MINUTE)
    pod = a_pod(requests={"cpu": 17_000, "pods": 1_000})
    assert list(found(a_snapshot(vehicles=(car,), pending=(pod,)))) == [
        VehicleReason.SUSPENDED,
        PodReason.EXCEEDS_CAPACITY,
        PodReason.LEAVES_TOO_EARLY,
        PodReason.NOT_ENOUGH_RESOURCES,
    ]


@pytest.mark.parametrize(
    ("vehicle", "pod", "reason", "figures"),
    [
        (
            {"observed__departure_expected_at": AT + HOUR},
            {},
            PodReason.LEAVES_TOO_EARLY,
            {"needs_until_at": AT + 65 * MINUTE, "leaves_at": AT + HOUR},
        ),
        (
            {},
            {"demand__deadline": AT + 1},
            PodReason.DEADLINE_MISSED,
            {"done_at": AT + HOUR, "deadline_at": AT + 1},
        ),
        (
            {},
            {"demand__expected_runtime": 8 * HOUR},
            PodReason.ON_PEAK,
            {"peak_at": AT + 7 * HOUR, "needs_until_at": AT + 8 * HOUR},
        ),
        (
            {"observed__parking__since": AT - MINUTE},
            {},
            VehicleReason.NOT_IDLE_LONG_ENOUGH,
            {"from_at": AT + 14 * MINUTE},
        ),
        (
            {"observed__battery__quality": Quality.STALE},
            {},
            VehicleReason.TELEMETRY_STALE,
            {"blocks": ("battery",), "allowed_milliseconds": 2 * MINUTE},
        ),
        (
            {"observed__parking__parked": False},
            {},
            VehicleReason.NOT_PARKED,
            {"next_window_at": AT + 19 * HOUR},
        ),
        (
            {"observed__battery__temperature_celsius": 46},
            {},
            VehicleReason.TOO_HOT,
            {"battery_celsius": 46, "battery_at_most_celsius": 45},
        ),
        (
            {"observed__connection__charge_power_limit_watts": 500},
            {"demand__power_watts": 600},
            PodReason.NOT_ENOUGH_RESOURCES,
            {"ac_milliwatts": 784_090, "cap_milliwatts": 500_000},
        ),
        (
            {
                "observed__connection__supply": Supply.UNPLUGGED,
                "agreement__energy_sources": frozenset({EnergySource.BATTERY}),
                "observed__battery__state_of_charge_percent": 30,
            },
            {},
            PodReason.BELOW_RESERVE,
            {"charge_percent": 30, "reserve_percent": 30, "source": "battery"},
        ),
    ],
)
def test_the_figures_are_those_that_were_compared(
    vehicle: dict[str, Any], pod: dict[str, Any], reason: Reason, figures: dict[str, Any]
) -> None:
    """On either side of the comparison that failed."""
    snapshot = a_snapshot(vehicles=(a_vehicle(**vehicle),), pending=(a_pod(**pod),))
    assert figures.items() <= found(snapshot)[reason].figures.items()


def _narrow_site() -> Site:
    return a_site(circuits=(Circuit("main", None, 60_000), Circuit("row-a", "main", 800)))


def test_a_full_circuit_says_which_and_by_how_much() -> None:
    """The first above the car that is over its limit, what is left of it and what is asked."""
    snapshot = a_snapshot(sites=[_narrow_site()], pending=(a_pod(demand__power_watts=700),))
    figures = found(snapshot)[PodReason.CIRCUIT_FULL].figures
    assert figures["circuit"] == "depot-7/row-a"
    assert figures["left_milliwatts"] == 800_000


def test_a_port_that_is_taken_is_named() -> None:
    """Each once, and none of those that are free."""
    ports = (HostPort(80), HostPort(81), HostPort(80, "UDP", "::1"))
    snapshot = a_snapshot(
        pending=(a_pod(host_ports=ports),),
        other_ports={"v-1": (HostPort(80), HostPort(80, "UDP", "::1"))},
    )
    assert found(snapshot)[PodReason.HOST_PORT_TAKEN].figures == {"ports": ("80/TCP", "80/UDP")}


def test_a_plain_node_is_asked_what_it_is_asked() -> None:
    """No vehicle, no vehicle clause; only what is left of it."""
    snapshot = a_snapshot(
        vehicles=(),
        nodes=[a_node(name="plain")],
        policy__plain_nodes_allowed=True,
        pending=(a_pod(requests={"cpu": 17_000, "pods": 1_000}),),
    )
    assert list(found(snapshot)) == [PodReason.EXCEEDS_CAPACITY, PodReason.NOT_ENOUGH_RESOURCES]
