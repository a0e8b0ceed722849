"""Selectors, affinity, taints and tolerations, as kube-scheduler reads them."""

import re
from collections.abc import Iterable, Mapping
from typing import Final

from idlewatt_scheduler.feasibility.reading import Candidate
from idlewatt_scheduler.model.workload import (
    Node,
    NodeSelectorTerm,
    Pod,
    Requirement,
    Taint,
    Toleration,
)

_OURS: Final = "idlewatt.dev/vehicle"
_WOKEN_AWAY: Final = frozenset({"node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"})
"""Taints of a sleeping vehicle's Node that waking it removes."""
_UNSCHEDULABLE: Final = Taint("node.kubernetes.io/unschedulable", "NoSchedule")
_WHOLE_NUMBER: Final = re.compile("[+-]?[0-9]+")
_KEEPS_AWAY: Final = frozenset({"NoSchedule", "NoExecute"})
_RATHER_NOT: Final = "PreferNoSchedule"
_POINTS_OF_A_TAINT: Final = 100


def affinity_matches(pod: Pod, candidate: Candidate) -> bool:
    """Whether node selector and required node affinity match the candidate's Node."""
    return candidate.node is not None and selects_node(pod, candidate.node)


def selects_node(pod: Pod, node: Node) -> bool:
    """Whether node selector and required node affinity match a Node."""
    if any(node.labels.get(key) != value for key, value in pod.node_selector.items()):
        return False
    if pod.node_affinity is None:
        return True
    return any(
        bool(term.labels or term.fields) and _term_matches(term, node) for term in pod.node_affinity
    )


def _term_matches(term: NodeSelectorTerm, node: Node) -> bool:
    return all_hold(term.labels, node.labels) and all_hold(
        term.fields, {"metadata.name": node.name}
    )


def all_hold(requirements: Iterable[Requirement], labels: Mapping[str, str]) -> bool:
    """Whether every requirement holds of these labels; of none, it does."""
    return all(_holds(requirement, labels) for requirement in requirements)


def unmet_points(pod: Pod, node: Node) -> int:
    """The points of the pod's preferences that a Node does not meet."""
    unmet = sum(
        preference.points
        for preference in pod.preferred_affinity
        if preference.term.labels or preference.term.fields
        if not _term_matches(preference.term, node)
    )
    disliked = sum(
        taint.effect == _RATHER_NOT
        and taint.key != _OURS
        and not any(_tolerates(toleration, taint) for toleration in pod.tolerations)
        for taint in node.taints
    )
    return unmet + _POINTS_OF_A_TAINT * disliked


def _holds(requirement: Requirement, labels: Mapping[str, str]) -> bool:
    value = labels.get(requirement.key)
    match requirement.operator:
        case "In":
            return value is not None and value in requirement.values
        case "NotIn":
            return value is None or value not in requirement.values
        case "Exists":
            return value is not None
        case "DoesNotExist":
            return value is None
        case "Gt" | "Lt":
            return _compares(requirement, value)
    return False


def _compares(requirement: Requirement, value: str | None) -> bool:
    figures = [value or "", *requirement.values]
    if len(figures) != 2 or not all(map(_WHOLE_NUMBER.fullmatch, figures)):  # noqa: PLR2004
        return False
    found, bound = map(int, figures)
    return found > bound if requirement.operator == "Gt" else found < bound


def tolerates_taints(pod: Pod, candidate: Candidate) -> bool:
    """Whether the pod tolerates every taint that keeps pods away, ours left aside."""
    if candidate.node is None:
        return False
    taints = [
        taint
        for taint in candidate.node.taints
        if taint.effect in _KEEPS_AWAY
        and taint.key != _OURS
        and not (candidate.asleep and taint.key in _WOKEN_AWAY)
    ]
    if candidate.node.unschedulable:
        taints.append(_UNSCHEDULABLE)
    return all(
        any(_tolerates(toleration, taint) for toleration in pod.tolerations) for taint in taints
    )


def _tolerates(toleration: Toleration, taint: Taint) -> bool:
    if toleration.effect and toleration.effect != taint.effect:
        return False
    if toleration.key and toleration.key != taint.key:
        return False
    if toleration.operator == "Exists":
        return True
    return toleration.operator in {"", "Equal"} and toleration.value == taint.value
