"""Bounds: no plan places more weight, whichever of pods, machines or circuits runs out first."""

import pytest
from tests.unit.scheduler.scenes import (
    Overrides,
    a_battery_car,
    a_board,
    observed,
    policy,
    row_a,
    running,
    site,
    vehicle,
)

from idlewatt_scheduler.model.site import Circuit
from idlewatt_scheduler.model.vehicle import Power
from idlewatt_scheduler.model.workload import HostPort, Pod
from idlewatt_scheduler.solvers.bounds import bound
from idlewatt_scheduler.testing import a_node, a_pod, a_vehicle


def alike(count: int, cores: int = 1, priority: int = 0, **overrides: object) -> tuple[Pod, ...]:
    """So many pods of so many cores."""
    requests = {"cpu": 1_000 * cores, "pods": 1_000}
    named = f"p{priority}-c{cores}"
    return tuple(
        a_pod(name=f"{named}-{n}", priority=priority, requests=requests, **overrides)
        for n in range(count)
    )


def two_rows(main: int) -> Overrides:
    """Two cars, each on a row of 22 kW, under a main circuit of a limit in watts."""
    circuits = (
        Circuit("main", None, main),
        Circuit("row-a", "main", 22_000),
        Circuit("row-b", "main", 22_000),
    )
    cars = (a_vehicle(), a_vehicle(name="v-2", observed__connection__circuit="row-b"))
    return {"vehicles": cars, **site(circuits=circuits)}


def without_losses(cap: int) -> Overrides:
    """A car of 1 kW and 90 W standby that draws what it computes, under a cap in watts."""
    return vehicle(
        compute__efficiency_percent=100, observed__connection__charge_power_limit_watts=cap
    )


ASLEEP = observed(power=Power.ASLEEP)

CASES: list[tuple[int, str, Overrides]] = [
    (0, "no pods", {}),
    (3, "as many as there are", {"pending": alike(3)}),
    (0, "none that fits", {"pending": alike(3, cores=17)}),
    (0, "nowhere to go", {"pending": alike(3), "vehicles": ()}),
    (0, "no window", {"pending": alike(3), "vehicles": (a_vehicle(windows=()),)}),
    (16, "sixteen cores", {"pending": alike(20)}),
    (8, "eight of two cores", {"pending": alike(20, cores=2)}),
    (5, "sixteen cores are five times three, and a part", {"pending": alike(20, cores=3)}),
    (32, "two machines", {"pending": alike(40), "vehicles": (a_vehicle(), a_vehicle(name="v-2"))}),
    (12, "what others use", {"pending": alike(20), "other_use": {"v-1": {"cpu": 4_000}}}),
    (2, "two slots for pods", {"pending": alike(9), "other_use": {"v-1": {"pods": 108_000}}}),
    (1, "one has the port", {"pending": alike(9, host_ports=(HostPort(80),))}),
    (16 * 4 + 12, "the heavier first", {"pending": alike(20) + alike(4, priority=1)}),
    (
        16 + 1,
        "the heavier for what it asks first: 16 for 15 cores, then 1 a core",
        {"pending": alike(20) + alike(1, cores=15, priority=1)},
    ),
    (20, "what asks for nothing is placed", {"pending": alike(20, cores=0)}),
    # 62.5 W are 71.022 W AC; 300 W carry four of them, standby left out.
    (4, "a circuit of 300 W", {"pending": alike(9), **row_a(300)}),
    (0, "a circuit that cannot carry one with its standby", {"pending": alike(9), **row_a(173)}),
    (
        9,
        "a circuit of 300 W and a sleeper, for whom it may be better later",
        {
            "pending": alike(9),
            **row_a(300),
            **ASLEEP,
        },
    ),
    (
        9,
        "a circuit of 300 W and a car that is not plugged in",
        {
            "pending": alike(9),
            **row_a(300),
            "vehicles": (a_battery_car(100),),
        },
    ),
    (
        9,
        "a circuit of 300 W and a car that may be at its cap",
        {
            "pending": alike(9),
            **row_a(300),
            **observed(connection__charge_power_limit_watts=1_000),
        },
    ),
    (
        4,
        "a circuit of 300 W and a car that is just not at its cap, without losses",
        {"pending": alike(9), **row_a(300), **without_losses(1_090)},
    ),
    (
        9,
        "a circuit of 300 W and a car that may be a watt over its cap, without losses",
        {"pending": alike(9), **row_a(300), **without_losses(1_089)},
    ),
    (7, "one main circuit of 500 W", {"pending": alike(32), **two_rows(500)}),
    (32, "one main circuit of 5 kW", {"pending": alike(40), **two_rows(5_000)}),
    # 347 W are left beside 173 W that run; a pod more on that car is 71 W.
    (4, "a circuit that carries running pods", {"pending": alike(9), **row_a(500), **running()}),
    (
        16,
        "a plain node is on no circuit",
        {
            "pending": alike(20),
            "vehicles": (),
            "nodes": (a_node(name="plain"),),
            **policy(plain_nodes_allowed=True),
        },
    ),
]


@pytest.mark.parametrize(
    ("most", "overrides"),
    [pytest.param(most, overrides, id=why) for most, why, overrides in CASES],
)
def test_no_plan_places_more_than_what_runs_out_first(most: int, overrides: Overrides) -> None:
    """The least of what the pods, each resource and all circuits allow."""
    assert bound(a_board(**overrides)) == most


def test_what_is_asked_for_is_compared_exactly() -> None:
    """A thousandth of a byte in nine terabytes: the smaller pods are worth more, and both fit."""
    small = 2**53
    resources = {"memory": 2 * small, "pods": 110_000}
    larger = a_pod(name="larger", created_at=0, requests={"memory": small + 1, "pods": 1_000})
    pods = [a_pod(name=f"p-{n}", requests={"memory": small, "pods": 1_000}) for n in range(2)]
    board = a_board(
        pending=(larger, *pods),
        vehicles=(a_vehicle(compute__capacity=resources),),
        nodes=(a_node(allocatable=resources),),
    )
    assert bound(board) == 2
