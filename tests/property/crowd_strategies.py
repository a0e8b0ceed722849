"""What is asked of several pods at once, added to a random fleet: gangs, spread, making room.

A fleet without any of it stays as it was drawn; `crowded` gives one that has some of it, with few
zones and small gangs, so that a constraint holds or breaks by one pod.
"""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st
from tests.property.energy_strategies import any_of

from idlewatt_scheduler.model.policy import FleetPolicy, Preemption
from idlewatt_scheduler.model.site import Circuit, EnergyBearer
from idlewatt_scheduler.model.snapshot import Snapshot
from idlewatt_scheduler.model.units import HOUR, MINUTE
from idlewatt_scheduler.model.vehicle import EnergySource, Power, Vehicle
from idlewatt_scheduler.model.workload import (
    Node,
    NodeSelectorTerm,
    Pod,
    Preference,
    Requirement,
    RunningPod,
    Spread,
    Taint,
    Toleration,
)
from idlewatt_scheduler.testing import (
    AT,
    GIBIBYTE,
    a_node,
    a_pod,
    a_running_pod,
    a_site,
    a_snapshot,
    a_vehicle,
    changed,
)

Draw = Callable[[st.SearchStrategy[Any]], Any]

MOSTLY = (True, True, True, False)
HARDLY = (*[False] * 7, True)
APPS: tuple[dict[str, str], ...] = (
    {},
    {"app": "a"},
    {"app": "a"},
    {"app": "b"},
    {"app": "a", "tier": "x"},
)
SELECTORS = (
    (Requirement("app", "In", ("a",)),),
    (Requirement("app", "In", ("a",)),),
    (Requirement("app", "Exists"),),
    (Requirement("app", "NotIn", ("b",)),),
    (Requirement("tier", "DoesNotExist"), Requirement("app", "In", ("a", "b"))),
    (),
    (Requirement("", "In"),),
)
WISHES = (
    Preference(40, NodeSelectorTerm((Requirement("zone", "In", ("a",)),))),
    Preference(100, NodeSelectorTerm((Requirement("gen", "Exists"),))),
    Preference(1, NodeSelectorTerm()),
)


@st.composite
def spreads(draw: Draw) -> Spread:
    """By zone or by half of the fleet, strict or not so strict."""
    return Spread(
        draw(any_of("zone", "zone", "half")),
        draw(any_of(1, 1, 2)),
        draw(any_of(*SELECTORS)),
        draw(any_of(1, 1, 1, 2, 3)),
    )


@st.composite
def _crowded_pod(draw: Draw, pod: Pod) -> Pod:
    gang, size = draw(any_of(*[(None, 1)] * 4, ("g", 2), ("g", 3), ("h", 2)))
    return changed(
        pod,
        namespace=draw(any_of(*[pod.namespace] * 7, "other")),
        labels=draw(any_of(*APPS)),
        spread=tuple(draw(spreads()) for _ in range(draw(any_of(0, 0, 1, 1, 2)))),
        preferred_affinity=draw(any_of((), (), WISHES, WISHES[:1])),
        tolerations=(*pod.tolerations, *draw(any_of((), (), (Toleration("dear", "Exists"),)))),
        demand__gang=gang,
        demand__gang_size=size,
    )


@st.composite
def _placed(draw: Draw, node: Node) -> Node:
    """In one of two zones, mostly; in halves that lie across them."""
    labels = {
        **node.labels,
        **draw(any_of({"zone": "a"}, {"zone": "a"}, {"zone": "b"}, {"zone": "b"}, {})),
        **draw(any_of({"half": "1"}, {"half": "2"}, {})),
    }
    disliked = draw(any_of((), (), (Taint("dear", "PreferNoSchedule"),)))
    return replace(node, labels=labels, taints=(*node.taints, *disliked))


@st.composite
def _policy(draw: Draw, policy: FleetPolicy) -> FleetPolicy:
    return replace(
        policy,
        preference_cost_per_point=draw(any_of(Decimal("0.001"), Decimal("0.01"), Decimal(0))),
        preemption=draw(any_of(Preemption.NEVER, Preemption.LOWER_PRIORITY)),
        migration_cost=draw(any_of(None, None, Decimal(0), Decimal("0.05"))),
        migrations_at_once=draw(any_of(10, 10, 1)),
    )


@st.composite
def crowded(draw: Draw, snapshot: Snapshot) -> Snapshot:
    """The fleet with gangs, spread constraints, preferences, and perhaps ways to make room."""

    def running(each: RunningPod) -> RunningPod:
        return replace(each, pod=draw(_crowded_pod(each.pod)))

    return a_snapshot(
        at=snapshot.at,
        policy=draw(_policy(snapshot.policy)),
        vehicles=snapshot.vehicles,
        nodes=[draw(_placed(node)) for node in snapshot.nodes.values()],
        sites=snapshot.sites,
        tariffs=snapshot.tariffs,
        pending=tuple(draw(_crowded_pod(pod)) for pod in snapshot.pending),
        running=tuple(map(running, snapshot.running)),
        other_use=snapshot.other_use,
        other_ports=snapshot.other_ports,
        departures=snapshot.departures,
    )


@st.composite
def _busy_vehicle(draw: Draw, name: str) -> Vehicle:
    """Healthy, of one price or another, and too small for everybody."""
    sources = draw(any_of({EnergySource.GRID}, {EnergySource.GRID}, {EnergySource.BATTERY}))
    return a_vehicle(
        name=name,
        agreement__energy_sources=frozenset(sources),
        battery__net_capacity_watt_hours=draw(any_of(60_000, 11_000, 3_000)),
        battery__reserve_percent=draw(any_of(30, 0)),
        battery__departure_percent=draw(any_of(80, 40)),
        compute__max_power_watts=draw(any_of(1_000, 500, 801)),
        compute__standby_power_watts=draw(any_of(90, 0)),
        compute__wake_seconds=draw(any_of(60, 1_000)),
        compensation__availability_per_hour=Decimal(draw(any_of("0.10", "0.02", "0.50", "0"))),
        compensation__energy_per_kwh=Decimal(draw(any_of("0.30", "0.10"))),
        observed__power=draw(any_of(Power.AWAKE, Power.AWAKE, Power.ASLEEP)),
        observed__battery__state_of_charge_percent=draw(any_of(85, 95, 81)),
        observed__connection__circuit=draw(any_of("row-a", "row-a", "main")),
    )


@st.composite
def _busy_pod(draw: Draw, name: str) -> Pod:
    wishes: dict[str, Any] = {
        "name": name,
        "priority": draw(any_of(0, 0, 1, 2, 5)),
        "created_at": AT - draw(any_of(1, 2, 3)) * MINUTE,
        "requests": {
            "cpu": draw(any_of(1_000, 4_000, 8_000)),
            "memory": draw(any_of(GIBIBYTE, 20 * GIBIBYTE)),
            "pods": 1_000,
        },
        "demand__expected_runtime": draw(any_of(None, None, HOUR, 2 * HOUR)),
        "demand__power_watts": draw(any_of(None, 100, 400, 700)),
        "demand__any_tariff": draw(any_of(*MOSTLY)),
        "node_selector": draw(any_of(*[{}] * 5, {"zone": "a"})),
        "demand__image_size_bytes": draw(any_of(None, None, 10**9)),
    }
    return a_pod(**wishes)


@st.composite
def _busy_running(draw: Draw, name: str, node: str) -> RunningPod:
    return a_running_pod(
        pod=draw(_busy_pod(name)),
        node=node,
        bound_power=draw(any_of(100_000, 400_000, 62_500)),
        bound_until=draw(any_of(AT + HOUR, AT - HOUR, AT - HOUR, None)),
        being_deleted=draw(any_of(*HARDLY)),
        counts_until=draw(any_of(*[None] * 7, AT + HOUR)),
    )


@st.composite
def busy_fleets(
    draw: Draw, most_vehicles: int = 4, most_pending: int = 6, most_running: int = 4
) -> Snapshot:
    """Nearly every car takes pods, and there are too many of them: somebody has to wait or go."""
    names = [f"v-{number}" for number in range(draw(st.integers(1, most_vehicles)))]
    count = draw(st.integers(1, most_pending)), draw(st.integers(0, most_running))
    circuits = (
        Circuit("main", None, draw(any_of(9_000, 2_000, 900))),
        Circuit("row-a", "main", draw(any_of(4_000, 1_000, 700))),
    )
    plain = draw(any_of([], [], ["plain-0"]))
    fleet = a_snapshot(
        policy=FleetPolicy(plain_nodes_allowed=bool(plain)),
        vehicles=tuple(draw(_busy_vehicle(name)) for name in names),
        nodes=[a_node(name=name) for name in (*names, *plain)],
        sites=[a_site(circuits=circuits, energy_borne_by=draw(any_of(*EnergyBearer)))],
        pending=tuple(draw(_busy_pod(f"p-{number}")) for number in range(count[0])),
        running=tuple(
            draw(_busy_running(f"r-{number}", draw(any_of(*names)))) for number in range(count[1])
        ),
    )
    busy: Snapshot = draw(crowded(fleet))
    return busy
