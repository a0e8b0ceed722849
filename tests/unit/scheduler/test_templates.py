"""Templates: pods that no clause can tell apart, and what each weighs."""

import pytest

from idlewatt_scheduler.model.units import MINUTE
from idlewatt_scheduler.model.workload import (
    HostPort,
    NodeSelectorTerm,
    Pod,
    Requirement,
    Spread,
    Toleration,
)
from idlewatt_scheduler.templates import templates_of, weights_of
from idlewatt_scheduler.testing import AT, a_pod


@pytest.mark.parametrize(
    ("priorities", "weights"),
    [
        pytest.param([], {}, id="none"),
        pytest.param([7], {7: 1}, id="one"),
        pytest.param([7, 7, -3], {-3: 1, 7: 16}, id="two, however far apart"),
        pytest.param(
            [0, 1, 2, 3, 4, 5],
            {0: 1, 1: 16, 2: 256, 3: 4_096, 4: 65_536, 5: 1_048_576},
            id="six",
        ),
        pytest.param(
            [-1, 0, 1, 2, 3, 4, 5],
            {-1: 1, 0: 1, 1: 16, 2: 256, 3: 4_096, 4: 65_536, 5: 1_048_576},
            id="seven: the two lowest are one",
        ),
        pytest.param(
            [9, 8, 7, 6, 5, 4, 3, 2, 1],
            {1: 1, 2: 1, 3: 1, 4: 1, 5: 16, 6: 256, 7: 4_096, 8: 65_536, 9: 1_048_576},
            id="nine: the four lowest are one",
        ),
    ],
)
def test_weights_are_powers_of_sixteen(priorities: list[int], weights: dict[int, int]) -> None:
    """By the rank among the priorities there are, the lowest 0, at most 5."""
    assert weights_of(priorities) == weights


def names(pods: tuple[Pod, ...]) -> list[str]:
    """The pods' names, in their order."""
    return [pod.name for pod in pods]


def test_pods_alike_but_for_name_and_age_are_one_template() -> None:
    """The oldest first; where two are of one age, by namespace and name."""
    pods = (
        a_pod(name="c"),
        a_pod(name="b", created_at=AT - 9 * MINUTE),
        a_pod(name="a"),
        a_pod(name="z", namespace="a"),
    )
    (template,) = templates_of(pods)
    assert names(template.pods) == ["b", "z", "a", "c"]
    assert template.sample.name == "b"
    assert template.weight == 1


@pytest.mark.parametrize(
    "difference",
    [
        {"priority": 1},
        {"requests": {"cpu": 1_001, "memory": 1, "pods": 1_000}},
        {"node_selector": {"gen": "4"}},
        {"node_affinity": ()},
        {"node_affinity": (NodeSelectorTerm((Requirement("gen", "Exists"),)),)},
        {"tolerations": (Toleration("team", "Exists"),)},
        {"images": ("registry.example/model:2",)},
        {"reads_secret": True},
        {"controlled": False},
        {"unsupported_fields": ("hostPort",)},
        {"invalid_annotations": ("?",)},
        {"termination_grace_seconds": 31},
        {"host_ports": (HostPort(80),)},
        {"demand__power_watts": 1},
        {"demand__any_tariff": True},
        {"demand__residency": frozenset({"eu-de"})},
    ],
    ids=", ".join,
)
def test_whatever_a_clause_may_look_at_makes_another_template(
    difference: dict[str, object],
) -> None:
    """Two pods that differ in it are never planned as one."""
    assert len(templates_of((a_pod(), a_pod(name="other", **difference)))) == 2


def test_templates_stand_by_priority_then_by_age() -> None:
    """The highest first, then the one with the oldest pod."""
    pods = (
        a_pod(name="low-old", created_at=AT - 9 * MINUTE),
        a_pod(name="high-young", priority=9, created_at=AT, images=()),
        a_pod(name="high-old", priority=9, created_at=AT - MINUTE),
    )
    found = templates_of(pods)
    assert [template.sample.name for template in found] == ["high-old", "high-young", "low-old"]
    assert [template.priority for template in found] == [9, 9, 0]
    assert [template.weight for template in found] == [16, 16, 1]


def test_the_order_of_the_snapshot_does_not_matter() -> None:
    """The same pods in another order are the same templates."""
    pods = [a_pod(name=f"p-{n}", priority=n % 3, created_at=AT - n % 2) for n in range(9)]
    assert templates_of(pods) == templates_of(reversed(pods))


def test_no_pods_are_no_templates() -> None:
    """An empty queue plans nothing."""
    assert templates_of(()) == ()


def test_pods_that_equal_constraints_count_in_other_namespaces_are_not_alike() -> None:
    """Each constraint counts the pods of its own namespace alone."""
    spread = Spread("zone", 1, (Requirement("app", "Exists"),))
    pods = [
        a_pod(name=f"{kind}-{namespace}", namespace=namespace, labels={"app": "x"}, spread=own)
        for namespace in ("a", "b")
        for kind, own in (("spread", (spread,)), ("counted", ()))
    ]
    assert len(templates_of(pods)) == 4


def test_pods_made_of_equal_parts_are_alike() -> None:
    """Whether they share their parts or have equal ones makes no difference."""
    requests = {"cpu": 1_000, "pods": 1_000}
    pods = [a_pod(name="a", requests=requests), a_pod(name="b", requests=requests)]
    pods.append(a_pod(name="c", requests=dict(requests)))
    assert [len(template.pods) for template in templates_of(pods)] == [3]
