"""Fleets on which pods run that others could take the place of, or that could run for less."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st
from tests.property.strategies import Draw, any_of, snapshots, usually

from idlewatt_scheduler.model.policy import Preemption
from idlewatt_scheduler.model.site import Circuit, EnergyBearer
from idlewatt_scheduler.model.snapshot import Snapshot
from idlewatt_scheduler.model.units import HOUR, MINUTE
from idlewatt_scheduler.model.vehicle import EnergySource, Power, Supply, Vehicle
from idlewatt_scheduler.model.workload import Node, Pod, Requirement, RunningPod, Spread
from idlewatt_scheduler.testing import (
    GIBIBYTE,
    a_pod,
    a_running_pod,
    a_site,
    a_snapshot,
    a_vehicle,
    changed,
)

ZONE = "zone"
SPREADS = (
    (),
    (Spread(ZONE, 1),),
    (Spread(ZONE, 1, (Requirement("app", "In", ("a",)),)),),
    (Spread(ZONE, 2, (Requirement("app", "Exists"),), min_domains=3),),
)


@st.composite
def crowded(draw: Draw) -> Snapshot:
    """A fleet of which most takes pods, with more of them running than usual."""
    odd = draw(usually(*((False, True)), share=5))
    strange = snapshots(most_vehicles=4, most_pending=2, most_running=0)
    plain: Snapshot = draw(strange if odd else _healthy())
    at, names = plain.at, [vehicle.name for vehicle in plain.vehicles]
    placed_on = st.sampled_from([*names, *names, *plain.nodes])
    running = tuple(
        draw(_running(f"r-{number}", draw(placed_on), at))
        for number in range(draw(st.integers(1, 8)))
    )
    waiting = tuple(draw(_pods(f"w-{number}", at)) for number in range(draw(st.integers(0, 5))))
    return replace(
        plain,
        policy=replace(
            plain.policy,
            preemption=draw(usually(Preemption.LOWER_PRIORITY, Preemption.NEVER)),
            migration_cost=draw(any_of(Decimal(0), Decimal("0.02"), Decimal("0.2"), None)),
            migrations_at_once=draw(any_of(1, 2, 10)),
            preference_cost_per_point=draw(any_of(Decimal("0.001"), Decimal("0.1"))),
        ),
        nodes={name: draw(_zoned(node)) for name, node in plain.nodes.items()},
        pending=(*plain.pending, *waiting),
        running=running,
        other_use={},
    )


@st.composite
def restless(draw: Draw) -> Snapshot:
    """The same, with services that have stayed as long as was promised, on cars of any price."""
    plain: Snapshot = draw(crowded())
    eager = {
        "pod__demand__expected_runtime": None,
        "pod__demand__any_tariff": True,
        "pod__demand__gang": None,
        "pod__demand__gang_size": 1,
        "pod__controlled": True,
        "bound_until": None,
    }
    running = (
        changed(each, **eager) if draw(usually(*((True, False)), share=4)) else each
        for each in plain.running
    )
    pending = plain.pending[: draw(any_of(0, 1, 2))]
    policy = replace(
        plain.policy, migration_cost=draw(any_of(*map(Decimal, ("0", "0.001", "0.02", "0.1"))))
    )
    return replace(plain, policy=policy, running=tuple(running), pending=pending)


@st.composite
def _healthy(draw: Draw) -> Snapshot:
    """Cars that take pods, on circuits that are soon full, some of them on their batteries."""
    cars = [draw(_cars(f"v-{number}")) for number in range(draw(st.integers(1, 4)))]
    row, main = draw(any_of(22_000, 22_000, 900, 1_400)), draw(any_of(60_000, 60_000, 1_800))
    site = a_site(
        circuits=(Circuit("main", None, main), Circuit("row-a", "main", row)),
        energy_borne_by=draw(any_of(*EnergyBearer)),
    )
    return a_snapshot(vehicles=tuple(cars), sites=(site,))


@st.composite
def _cars(draw: Draw, name: str) -> Vehicle:
    car: dict[str, Any] = {
        "name": name,
        "compensation__availability_per_hour": draw(any_of(*map(Decimal, ("0.10", "0.3", "0")))),
        "compensation__energy_per_kwh": draw(any_of(Decimal("0.30"), Decimal("0.10"))),
        "compute__max_power_watts": draw(any_of(1_000, 500)),
        "observed__power": draw(usually(*((Power.AWAKE, Power.ASLEEP)), share=3)),
        "observed__parking__occupied": draw(usually(*((False, True)), share=6)),
        "observed__connection__circuit": draw(any_of("row-a", "row-a", "main")),
        "battery__net_capacity_watt_hours": draw(any_of(60_000, 6_000)),
        "battery__departure_percent": draw(any_of(30, 80)),
    }
    if draw(usually(*((False, True)), share=3)):
        car |= {
            "agreement__energy_sources": frozenset(EnergySource),
            "observed__connection__supply": Supply.UNPLUGGED,
        }
    return a_vehicle(**car)


@st.composite
def _pods(draw: Draw, name: str, at: int) -> Pod:
    wishes: dict[str, Any] = {
        "name": name,
        "uid": name,
        "priority": draw(any_of(0, 1, 2, 5)),
        "created_at": at - draw(any_of(1, 2, 3)) * MINUTE,
        "requests": {
            "cpu": draw(any_of(8_000, 4_000, 2_000, 16_000)),
            "memory": draw(any_of(GIBIBYTE, 0)),
            "pods": 1_000,
        },
        "demand__expected_runtime": draw(any_of(None, None, HOUR)),
        "demand__power_watts": draw(any_of(None, 100, 400, 700)),
        "demand__any_tariff": draw(usually(*((True, False)))),
        "labels": draw(any_of({}, {"app": "a"}, {"app": "b"})),
        "spread": draw(usually(*SPREADS, share=1)),
        "controlled": draw(usually(*((True, False)), share=6)),
    }
    gang = draw(usually(None, "g", share=5))
    if gang is not None:
        wishes |= {"demand__gang": gang, "demand__gang_size": draw(any_of(2, 3))}
    return a_pod(**wishes)


@st.composite
def _running(draw: Draw, name: str, node: str, at: int) -> RunningPod:
    return a_running_pod(
        pod=changed(draw(_pods(name, at)), priority=draw(any_of(0, 0, 1, 2))),
        node=node,
        bound_power=draw(any_of(100_000, 62_500, 200_000, 400_001)),
        bound_until=draw(any_of(at - HOUR, at, None, at + HOUR)),
        being_deleted=draw(usually(*((False, True)), share=5)),
        counts_until=draw(usually(None, at + 45 * MINUTE, share=8)),
        replaceable=draw(usually(*((True, False)), share=8)),
    )


@st.composite
def _zoned(draw: Draw, node: Node) -> Node:
    zone = draw(any_of("east", "west", None))
    labels = {**node.labels, **({} if zone is None else {ZONE: zone})}
    return replace(node, labels=labels)
