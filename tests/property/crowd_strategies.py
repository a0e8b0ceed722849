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
from idlewatt_scheduler.model.snapshot import Snapshot
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
from idlewatt_scheduler.testing import a_snapshot, changed

Draw = Callable[[st.SearchStrategy[Any]], Any]

APPS = ({}, {"app": "a"}, {"app": "a"}, {"app": "b"}, {"app": "a", "tier": "x"})
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
        departures=snapshot.departures,
    )
