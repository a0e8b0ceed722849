"""What the API server would not have taken of a Pod or a Node, for manifests that never met one.

Only what planning reads is looked at: a taint with a misspelt effect would be no taint, an
affinity with an unknown operator would match nothing, and nobody would say so.
"""

from collections.abc import Iterator, Mapping
from typing import Final

from pydantic import TypeAdapter, ValidationError

from idlewatt_operator.resources.amounts import unreadable
from idlewatt_operator.resources.fields import ObjectName
from idlewatt_operator.resources.mistakes import Mistake
from idlewatt_operator.resources.objects import (
    LabelSelector,
    NodeObject,
    PodObject,
    PodSpec,
    PodToleration,
    SelectorRequirement,
    SelectorTerm,
    SpreadConstraint,
)
from idlewatt_operator.resources.requests import unreadable_requests
from idlewatt_operator.resources.times import parse_instant

_NAME: Final[TypeAdapter[str]] = TypeAdapter(ObjectName)

_EFFECTS: Final = ("NoSchedule", "PreferNoSchedule", "NoExecute")
_TOLERATION_OPERATORS: Final = ("Equal", "Exists", "Lt", "Gt")
_SELECTOR_OPERATORS: Final = ("In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt")
_LABEL_OPERATORS: Final = ("In", "NotIn", "Exists", "DoesNotExist")
_POLICIES: Final = ("Honor", "Ignore")
_UNSATISFIABLE: Final = ("DoNotSchedule", "ScheduleAnyway")
_RESTARTS: Final = ("Always", "OnFailure", "Never")
_PHASES: Final = ("Pending", "Running", "Succeeded", "Failed", "Unknown")
_STATES: Final = ("True", "False", "Unknown")
_HEAVIEST: Final = 100

_NODE_AFFINITY: Final = "spec.affinity.nodeAffinity."
_REQUIRED: Final = _NODE_AFFINITY + "requiredDuringSchedulingIgnoredDuringExecution"
_PREFERRED: Final = _NODE_AFFINITY + "preferredDuringSchedulingIgnoredDuringExecution"


def pod_mistakes(pod: PodObject) -> Iterator[Mistake]:
    """Each thing that is wrong with a Pod; annotations are any text to the API server."""
    yield from _names({"metadata.name": pod.metadata.name})
    if pod.metadata.namespace:
        yield from _names({"metadata.namespace": pod.metadata.namespace})
    if not pod.spec.containers:
        yield Mistake("spec.containers", "this field is required: a pod has a container")
    yield from unreadable_requests(pod)
    yield from _choices(_pod_choices(pod))
    yield from _preferences(pod.spec)
    for index, constraint in enumerate(pod.spec.topology_spread_constraints or ()):
        yield from _spread(constraint, f"spec.topologySpreadConstraints[{index}]")
    for index, toleration in enumerate(pod.spec.tolerations or ()):
        yield from _toleration(toleration, f"spec.tolerations[{index}]")
    yield from _times(
        {
            "metadata.creationTimestamp": pod.metadata.creation_timestamp,
            "metadata.deletionTimestamp": pod.metadata.deletion_timestamp,
            "status.startTime": pod.status.start_time,
        }
    )


def node_mistakes(written: NodeObject) -> Iterator[Mistake]:
    """Each thing that is wrong with a Node."""
    yield from _names({"metadata.name": written.metadata.name})
    yield from unreadable(written.status.allocatable, "status.allocatable")
    for index, taint in enumerate(written.spec.taints or ()):
        yield from _choices([(f"spec.taints[{index}].effect", taint.effect, _EFFECTS)])
    for index, condition in enumerate(written.status.conditions or ()):
        field = f"status.conditions[{index}]"
        yield from _choices([(f"{field}.status", condition.status, _STATES)])
        yield from _times({f"{field}.lastTransitionTime": condition.last_transition_time})


_Choice = tuple[str, str | None, tuple[str, ...]]


def _pod_choices(pod: PodObject) -> Iterator[_Choice]:
    spec = pod.spec
    yield "status.phase", pod.status.phase, _PHASES
    for index, container in enumerate(spec.init_containers or ()):
        field = f"spec.initContainers[{index}].restartPolicy"
        yield field, container.restart_policy, _RESTARTS
    for field, requirement in _requirements(spec):
        yield f"{field}.operator", requirement.operator, _SELECTOR_OPERATORS
    for index, constraint in enumerate(spec.topology_spread_constraints or ()):
        field = f"spec.topologySpreadConstraints[{index}]"
        yield f"{field}.whenUnsatisfiable", constraint.when_unsatisfiable or "", _UNSATISFIABLE
        yield f"{field}.nodeAffinityPolicy", constraint.node_affinity_policy, _POLICIES
        yield f"{field}.nodeTaintsPolicy", constraint.node_taints_policy, _POLICIES
        selector = constraint.label_selector or LabelSelector()
        for place, asked in enumerate(selector.match_expressions or ()):
            operator = f"{field}.labelSelector.matchExpressions[{place}].operator"
            yield operator, asked.operator, _LABEL_OPERATORS


def _requirements(spec: PodSpec) -> Iterator[tuple[str, SelectorRequirement]]:
    node_affinity = spec.affinity.node_affinity if spec.affinity else None
    if node_affinity is None:
        return
    required = node_affinity.required_during_scheduling_ignored_during_execution
    if required is not None:
        for place, term in enumerate(required.node_selector_terms or ()):
            yield from _of_term(term, f"{_REQUIRED}.nodeSelectorTerms[{place}]")
    preferred = node_affinity.preferred_during_scheduling_ignored_during_execution
    for place, one in enumerate(preferred or ()):
        yield from _of_term(one.preference, f"{_PREFERRED}[{place}].preference")


def _of_term(term: SelectorTerm, field: str) -> Iterator[tuple[str, SelectorRequirement]]:
    lists = (("matchExpressions", term.match_expressions), ("matchFields", term.match_fields))
    for name, requirements in lists:
        for index, requirement in enumerate(requirements or ()):
            yield f"{field}.{name}[{index}]", requirement


def _preferences(spec: PodSpec) -> Iterator[Mistake]:
    node_affinity = spec.affinity.node_affinity if spec.affinity else None
    preferred = node_affinity and node_affinity.preferred_during_scheduling_ignored_during_execution
    for place, one in enumerate(preferred or ()):
        if not 1 <= one.weight <= _HEAVIEST:
            sentence = f"{one.weight} is not a whole number from 1 to {_HEAVIEST}"
            yield Mistake(f"{_PREFERRED}[{place}].weight", sentence)


def _spread(constraint: SpreadConstraint, field: str) -> Iterator[Mistake]:
    if not constraint.topology_key:
        yield Mistake(f"{field}.topologyKey", "this field is required")
    if constraint.max_skew < 1:
        sentence = f"{constraint.max_skew} is too small: the skew is 1 or more"
        yield Mistake(f"{field}.maxSkew", sentence)
    least = constraint.min_domains
    if least is not None and least < 1:
        yield Mistake(f"{field}.minDomains", f"{least} is too small: it is 1 or more")
    if least is not None and constraint.when_unsatisfiable == "ScheduleAnyway":
        yield Mistake(f"{field}.minDomains", "it needs whenUnsatisfiable: DoNotSchedule")
    if constraint.match_label_keys and constraint.label_selector is None:
        yield Mistake(f"{field}.matchLabelKeys", "it needs labelSelector beside it")


def _toleration(toleration: PodToleration, field: str) -> Iterator[Mistake]:
    operator = toleration.operator or None
    yield from _choices(
        [
            (f"{field}.operator", operator, _TOLERATION_OPERATORS),
            (f"{field}.effect", toleration.effect or None, _EFFECTS),
        ]
    )
    if not toleration.key and operator != "Exists":
        yield Mistake(f"{field}.operator", "without a key it must be Exists")
    if operator == "Exists" and toleration.value:
        yield Mistake(f"{field}.value", "it must be empty where the operator is Exists")


def _choices(choices: "Iterator[_Choice] | list[_Choice]") -> Iterator[Mistake]:
    for field, value, known in choices:
        if value is not None and value not in known:
            yield Mistake(field, f"'{value}' is not known here: write {' or '.join(known)}")


def _names(names: Mapping[str, str]) -> Iterator[Mistake]:
    for field, name in names.items():
        if not name:
            yield Mistake(field, "this field is required")
            continue
        try:
            _NAME.validate_python(name)
        except ValidationError as error:
            yield Mistake(field, error.errors()[0]["msg"])


def _times(times: Mapping[str, str | None]) -> Iterator[Mistake]:
    for field, written in times.items():
        if written is None:
            continue
        try:
            parse_instant(written)
        except ValueError as error:
            yield Mistake(field, str(error))
