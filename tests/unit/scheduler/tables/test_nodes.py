"""Nodes told apart: what the columns make of selectors, taints and preferences."""

from tests.unit.scheduler.scenes import a_fleet

from idlewatt_scheduler.model.workload import (
    NodeSelectorTerm,
    Pod,
    Preference,
    Requirement,
    Taint,
    Toleration,
)
from idlewatt_scheduler.tables.nodes import Matching
from idlewatt_scheduler.testing import a_node, a_pod, a_vehicle

RED = Taint("team", "NoSchedule", "red")
MILD = Taint("old", "PreferNoSchedule")
NODES = (
    a_node(name="v-1", labels={"gen": "4", "zone": "a"}, taints=(RED,)),
    a_node(name="v-2", labels={"gen": "12"}, taints=(MILD,)),
    a_node(name="v-3", labels={"zone": "b"}),
)


def asked(pod: Pod) -> Matching:
    """Three Nodes, to be asked about one pod."""
    fleet = a_fleet(vehicles=tuple(a_vehicle(name=node.name) for node in NODES), nodes=NODES)
    return Matching(fleet.candidates, [pod])


def test_selectors_compare_values_and_affinity_is_any_of_its_terms() -> None:
    """A number is compared as one; a term without expressions matches nothing."""
    newer = NodeSelectorTerm((Requirement("gen", "Gt", ("9",)),))
    named = NodeSelectorTerm(fields=(Requirement("metadata.name", "In", ("v-3",)),))
    for pod, expected in (
        (a_pod(), [True, True, True]),
        (a_pod(node_selector={"gen": "4"}), [True, False, False]),
        (a_pod(node_affinity=()), [False, False, False]),
        (a_pod(node_affinity=(NodeSelectorTerm(),)), [False, False, False]),
        (a_pod(node_affinity=(newer, named)), [False, True, True]),
        (a_pod(node_selector={"zone": "a"}, node_affinity=(newer,)), [False, False, False]),
    ):
        assert asked(pod).selected(pod).tolist() == expected


def test_taints_keep_away_who_does_not_tolerate_them() -> None:
    """A mild one keeps nobody away."""
    stranger, friend = a_pod(), a_pod(tolerations=(Toleration("team", "Exists"),))
    assert asked(stranger).tolerated(stranger).tolist() == [False, True, True]
    assert asked(friend).tolerated(friend).tolist() == [True, True, True]


def test_points_are_those_of_terms_and_of_mild_taints() -> None:
    """A preference without expressions is none."""
    term = NodeSelectorTerm((Requirement("zone", "In", ("b",)),))
    pod = a_pod(preferred_affinity=(Preference(7, term), Preference(50, NodeSelectorTerm())))
    assert asked(pod).points(pod).tolist() == [7, 107, 0]
