"""Pods of one kind are judged once: they must not differ in anything that is looked at."""

from dataclasses import fields, replace
from typing import Any

import pytest

from idlewatt_scheduler.feasibility.kinds import kind_of
from idlewatt_scheduler.model.workload import (
    Demand,
    HostPort,
    NodeSelectorTerm,
    Pod,
    Preference,
    Requirement,
    Spread,
    Toleration,
)
from idlewatt_scheduler.testing import a_pod

DIFFERENT: dict[str, Any] = {
    "priority": 1,
    "requests": {"cpu": 1, "pods": 1_000},
    "node_selector": {"a": "b"},
    "node_affinity": (NodeSelectorTerm(),),
    "tolerations": (Toleration(),),
    "images": ("other",),
    "reads_secret": True,
    "controlled": False,
    "unsupported_fields": ("hostPort",),
    "invalid_annotations": ("It is malformed.",),
    "termination_grace_seconds": 31,
    "demand": Demand(power_watts=1),
    "labels": {"a": "b"},
    "spread": (Spread("zone", 1),),
    "host_ports": (HostPort(80),),
    "preferred_affinity": (Preference(1, NodeSelectorTerm((Requirement("a", "Exists"),))),),
}
ONLY_NAMES = {"namespace", "name", "uid", "created_at"}


@pytest.mark.parametrize("name", sorted(DIFFERENT))
def test_a_difference_that_is_looked_at_makes_another_kind(name: str) -> None:
    """Whatever a clause, a cost or a priority looks at."""
    pod = a_pod()
    assert kind_of(replace(pod, **{name: DIFFERENT[name]})) != kind_of(pod)


def test_names_and_ages_make_no_other_kind() -> None:
    """Nor does the namespace of a pod that no gang and no constraint could tell from others."""
    assert kind_of(a_pod(name="p", namespace="n", created_at=1)) == kind_of(a_pod())
    assert {field.name for field in fields(Pod)} == {*DIFFERENT, *ONLY_NAMES}


def test_the_namespace_matters_where_pods_are_counted() -> None:
    """Gangs and constraints end at its border."""
    for overrides in (
        {"labels": {"a": "b"}},
        {"spread": (Spread("zone", 1),)},
        {"demand__gang": "g", "demand__gang_size": 2},
    ):
        assert kind_of(a_pod(**overrides)) != kind_of(a_pod(namespace="n", **overrides))
