"""What tables keep waiting on circuits although the rules allow it is placed all the same."""

from dataclasses import replace
from typing import Any

import pytest

from idlewatt_scheduler.board import Board
from idlewatt_scheduler.candidates import assemble
from idlewatt_scheduler.feasibility import violations
from idlewatt_scheduler.model.charging import ChargingPeriod, ChargingProfile
from idlewatt_scheduler.model.site import ChargingController, Circuit, Site
from idlewatt_scheduler.model.snapshot import Snapshot
from idlewatt_scheduler.model.units import HOUR, SECOND
from idlewatt_scheduler.model.vehicle import Power, Vehicle
from idlewatt_scheduler.model.workload import Requirement, Spread
from idlewatt_scheduler.planner import Params, plan
from idlewatt_scheduler.solvers.doubts import doubts_of, keep_together, none, settle
from idlewatt_scheduler.tables import tabulate
from idlewatt_scheduler.templates import templates_of
from idlewatt_scheduler.testing import (
    AT,
    a_node,
    a_pod,
    a_running_pod,
    a_site,
    a_snapshot,
    a_vehicle,
)

ON_TABLES = Params(
    exact_literals=0, exact_vehicles=0, price_rounds=0, polish_rounds=0, improve_rounds=0
)
FOLLOWED = ChargingProfile(
    (
        ChargingPeriod(AT - HOUR, 3_000_000),
        ChargingPeriod(AT + HOUR // 2, 800_000),
        ChargingPeriod(AT + 9 * HOUR, 0),
    )
)


def a_site_of(watts: int, controller: ChargingController = ChargingController.IDLEWATT) -> Site:
    """One circuit."""
    return a_site(charging_controller=controller, circuits=(Circuit("row-a", None, watts),))


def a_full_plug(name: str = "v-0", **overrides: Any) -> Vehicle:  # noqa: ANN401
    """Its charger gives it more than its plug carries as yet: what computes there adds nothing."""
    return a_vehicle(
        name=name,
        observed__connection__profile=FOLLOWED,
        observed__connection__charge_power_limit_watts=2_500,
        **overrides,
    )


def a_scene(vehicles: tuple[Vehicle, ...], site: Site, pods: int = 1, **also: Any) -> Snapshot:  # noqa: ANN401
    """These cars, and so many pods alike."""
    return a_snapshot(
        vehicles=vehicles,
        nodes=[a_node(name=vehicle.name) for vehicle in vehicles],
        sites=[site],
        pending=tuple(a_pod(name=f"p-{n}", uid=f"uid-{n}") for n in range(pods)),
        **also,
    )


def placed(snapshot: Snapshot) -> list[str]:
    """The nodes of all that is placed on tables, in a plan without fault."""
    made = plan(snapshot, ON_TABLES)
    assert violations(snapshot, made) == ()
    return sorted(each.node for each in made.placements)


def test_a_full_plug_takes_what_adds_nothing_to_a_full_circuit() -> None:
    """The car draws all its plug carries, whatever computes there; later the circuit is free."""
    assert placed(a_scene((a_full_plug(),), a_site_of(2_500), pods=2)) == ["v-0", "v-0"]


def test_what_a_full_plug_did_not_take_is_left_for_its_neighbours() -> None:
    """Tables count the pod on the full plug against the circuit, and have nothing left."""
    dear = a_vehicle(name="v-1", compensation__availability_per_hour=9)
    snapshot = a_scene((a_full_plug(), dear), a_site_of(2_700), pods=30)
    nodes = placed(snapshot)
    assert nodes.count("v-1") == 1
    assert len(nodes) > 10


def test_an_asleep_car_starts_after_what_ends_before_it_wakes() -> None:
    """A job leaves the circuit in half a minute; the car that takes the pod wakes in one."""
    busy = a_vehicle(name="v-0", suspend=True)
    asleep = a_vehicle(name="v-1", observed__power=Power.ASLEEP)
    job = a_running_pod(
        pod=a_pod(name="job", uid="uid-job", demand__expected_runtime=HOUR),
        node="v-0",
        bound_power=400_000,
        bound_until=AT + 30 * SECOND,
    )
    site = a_site_of(600, ChargingController.EXTERNAL)
    assert placed(a_scene((busy, asleep), site, running=(job,))) == ["v-1"]


def test_without_such_cars_nothing_is_in_doubt() -> None:
    """Where all start at once and no profile is followed, tables know what is left."""
    cars = (a_vehicle(name="v-0"), a_vehicle(name="v-1"))
    fleet = assemble(a_scene(cars, a_site_of(200, ChargingController.EXTERNAL)))
    tables = tabulate(fleet, templates_of(fleet.snapshot.pending))
    assert len(tables.rooms.left) == 1
    assert not doubts_of(tables).are_any


def a_board(snapshot: Snapshot) -> tuple[Board, Any]:
    """An empty one, and its tables."""
    fleet = assemble(snapshot)
    templates = templates_of(snapshot.pending)
    return Board(fleet, templates), tabulate(fleet, templates)


def a_gang(cpu: int) -> Snapshot:
    """Two pods that run together or not at all, and one car."""
    pods = tuple(
        replace(
            a_pod(name=f"p-{n}", uid=f"uid-{n}", demand__gang="g", demand__gang_size=2),
            requests={"cpu": cpu},
        )
        for n in range(2)
    )
    snapshot = a_scene((a_vehicle(name="v-0"),), a_site(), pods=0)
    return replace(snapshot, pending=pods)


@pytest.mark.parametrize(("cpu", "stay"), [(10_000, 0), (8_000, 2)])
def test_what_is_left_of_a_gang_goes_or_is_made_whole(cpu: int, stay: int) -> None:
    """One of two pods was taken back: both find a place, or none has one."""
    board, tables = a_board(a_gang(cpu))
    board.put(0, 0)
    doubts = none(tables)
    keep_together(board, doubts)
    assert 2 - board.left[0] == stay
    assert doubts.templates[0]


def test_who_is_crowded_once_others_are_gone_goes_too() -> None:
    """Two in one zone and none in the other: one of them was allowed beside the one taken back."""
    spread = Spread("zone", 1, (Requirement("app", "Exists"),))
    names = ("v-0", "v-1")
    snapshot = a_snapshot(
        vehicles=[a_vehicle(name=name) for name in names],
        nodes=[a_node(name=name, labels={"zone": name}) for name in names],
        pending=[
            a_pod(name=f"p-{n}", uid=f"uid-{n}", labels={"app": "a"}, spread=(spread,))
            for n in range(3)
        ],
    )
    board, tables = a_board(snapshot)
    board.put(0, 0, 2)
    doubts = none(tables)
    keep_together(board, doubts)
    assert board.together.counts == [[1, 0]]
    settle(board, doubts)
    assert board.left == [0]
