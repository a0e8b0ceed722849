"""What the API server would refuse of Pods and Nodes is found without one."""

from typing import Any

import pytest

from idlewatt_operator.resources.admission import node_mistakes, pod_mistakes
from idlewatt_operator.resources.objects import node_object, pod_object

REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"
SPREAD = {"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule"}
EXISTS = {"key": "app", "operator": "Exists"}
GREATER = {"key": "app", "operator": "Gt", "values": ["5"]}
IS = {"operator": "Is"}
TERMS = f"spec.affinity.nodeAffinity.{REQUIRED}.nodeSelectorTerms"


def in_pod(
    metadata: dict[str, Any] | None = None, status: dict[str, Any] | None = None, **spec: object
) -> list[str]:
    """The fields of a pod that are mistaken; all others are right."""
    written = {
        "metadata": {"name": "llm", **(metadata or {})},
        "spec": {"containers": [{"name": "c", "image": "llm:1"}], **spec},
        "status": status or {},
    }
    return [mistake.field for mistake in pod_mistakes(pod_object(written))]


def in_node(status: dict[str, Any] | None = None, name: str = "v-1", **spec: object) -> list[str]:
    """The fields of a Node that are mistaken; all others are right."""
    written = {"metadata": {"name": name}, "spec": spec, "status": status or {}}
    return [mistake.field for mistake in node_mistakes(node_object(written))]


def test_what_is_right_is_no_mistake() -> None:
    """Every choice there is, and annotations of any kind."""
    term = {"key": "zone", "operator": "Exists"}
    assert (
        in_pod(
            {
                "namespace": "team-a",
                "annotations": {"idlewatt.dev/power": "much"},
                "creationTimestamp": "2026-01-15T12:00:00Z",
            },
            {"phase": "Running", "startTime": "2026-01-15T12:00:00Z"},
            initContainers=[{"name": "i", "restartPolicy": "Always"}],
            affinity={"nodeAffinity": {REQUIRED: {"nodeSelectorTerms": [{"matchFields": [term]}]}}},
            tolerations=[{"operator": "Exists"}, {"key": "k", "effect": "NoExecute"}],
            topologySpreadConstraints=[
                {**SPREAD, "minDomains": 2, "nodeTaintsPolicy": "Honor", "labelSelector": {}},
                {**SPREAD, "whenUnsatisfiable": "ScheduleAnyway"},
            ],
        )
        == []
    )
    taints = [{"key": "k", "effect": "PreferNoSchedule"}]
    assert in_node({"conditions": [{"type": "Ready", "status": "True"}]}, taints=taints) == []


@pytest.mark.parametrize(
    ("spec", "field"),
    [
        ({"containers": []}, "spec.containers"),
        (
            {"containers": [{"resources": {"limits": {"cpu": "lots"}}}]},
            "spec.containers[0].resources.limits.cpu",
        ),
        (
            {"initContainers": [{"restartPolicy": "always"}]},
            "spec.initContainers[0].restartPolicy",
        ),
        (
            {"topologySpreadConstraints": [{**SPREAD, "whenUnsatisfiable": "Never"}]},
            "spec.topologySpreadConstraints[0].whenUnsatisfiable",
        ),
        (
            {"topologySpreadConstraints": [{**SPREAD, "whenUnsatisfiable": None}]},
            "spec.topologySpreadConstraints[0].whenUnsatisfiable",
        ),
        (
            {"topologySpreadConstraints": [SPREAD, {**SPREAD, "maxSkew": 0}]},
            "spec.topologySpreadConstraints[1].maxSkew",
        ),
        (
            {"topologySpreadConstraints": [{**SPREAD, "topologyKey": ""}]},
            "spec.topologySpreadConstraints[0].topologyKey",
        ),
        (
            {"topologySpreadConstraints": [{**SPREAD, "minDomains": 0}]},
            "spec.topologySpreadConstraints[0].minDomains",
        ),
        (
            {
                "topologySpreadConstraints": [
                    {**SPREAD, "whenUnsatisfiable": "ScheduleAnyway", "minDomains": 2}
                ]
            },
            "spec.topologySpreadConstraints[0].minDomains",
        ),
        (
            {"topologySpreadConstraints": [{**SPREAD, "nodeAffinityPolicy": "Maybe"}]},
            "spec.topologySpreadConstraints[0].nodeAffinityPolicy",
        ),
        (
            {"topologySpreadConstraints": [{**SPREAD, "matchLabelKeys": ["app"]}]},
            "spec.topologySpreadConstraints[0].matchLabelKeys",
        ),
        (
            {
                "topologySpreadConstraints": [
                    {**SPREAD, "labelSelector": {"matchExpressions": [EXISTS, GREATER]}}
                ]
            },
            "spec.topologySpreadConstraints[0].labelSelector.matchExpressions[1].operator",
        ),
        (
            {"affinity": {"nodeAffinity": {PREFERRED: [{"weight": 101, "preference": {}}]}}},
            f"spec.affinity.nodeAffinity.{PREFERRED}[0].weight",
        ),
        (
            {
                "affinity": {
                    "nodeAffinity": {
                        PREFERRED: [
                            {"weight": 1, "preference": {"matchFields": [{**EXISTS, **IS}]}}
                        ]
                    }
                }
            },
            f"spec.affinity.nodeAffinity.{PREFERRED}[0].preference.matchFields[0].operator",
        ),
        ({"tolerations": [{"key": "k", "operator": "Equals"}]}, "spec.tolerations[0].operator"),
        ({"tolerations": [{"key": "k", "effect": "NoShedule"}]}, "spec.tolerations[0].effect"),
        ({"tolerations": [{"operator": "Equal"}]}, "spec.tolerations[0].operator"),
        (
            {"tolerations": [{"key": "k", "operator": "Exists", "value": "v"}]},
            "spec.tolerations[0].value",
        ),
        ({"overhead": {"cpu": "-1"}}, "spec.overhead.cpu"),
    ],
)
def test_a_mistaken_spec_names_its_field(spec: dict[str, Any], field: str) -> None:
    """One mistake, at its place."""
    assert in_pod(**spec) == [field]


@pytest.mark.parametrize("part", ["matchExpressions", "matchFields"])
def test_an_unknown_operator_would_match_nothing(part: str) -> None:
    """In expressions and in fields alike."""
    terms = [{part: [{"key": "zone", "operator": "in", "values": ["a"]}]}]
    affinity = {"nodeAffinity": {REQUIRED: {"nodeSelectorTerms": terms}}}
    assert in_pod(affinity=affinity) == [f"{TERMS}[0].{part}[0].operator"]


@pytest.mark.parametrize("name", ["", "LLM", "llm_1", "-llm", "l" * 254])
def test_names_are_those_that_kubernetes_takes(name: str) -> None:
    """Of Pods, of their namespaces and of Nodes; without a namespace it is `default`."""
    assert in_pod({"name": name}) == ["metadata.name"]
    assert in_node(name=name) == ["metadata.name"]
    assert in_pod({"namespace": name}) == (["metadata.namespace"] if name else [])


def test_times_and_states_are_read() -> None:
    """A time that is none would count as absent, a phase that is none as pending."""
    assert in_pod(
        {"creationTimestamp": "yesterday", "deletionTimestamp": "today"},
        {"startTime": "now", "phase": "running"},
    ) == [
        "status.phase",
        "metadata.creationTimestamp",
        "metadata.deletionTimestamp",
        "status.startTime",
    ]


def test_a_mistaken_node_names_its_fields() -> None:
    """All of them at once."""
    status = {
        "allocatable": {"cpu": "many", "pods": "5"},
        "conditions": [
            {"type": "MemoryPressure", "status": "False"},
            {"type": "Ready", "status": "true", "lastTransitionTime": "noon"},
        ],
    }
    assert in_node(status, taints=[{"key": "k", "effect": "NoSchedule "}]) == [
        "status.allocatable.cpu",
        "spec.taints[0].effect",
        "status.conditions[1].status",
        "status.conditions[1].lastTransitionTime",
    ]
