"""Node selectors, required node affinity, taints and tolerations, as kube-scheduler reads them."""

from typing import Final

from idlewatt_scheduler.model.workload import Node, NodeSelectorTerm, Pod, Taint, Toleration
from idlewatt_scheduler.selectors import is_selected

VEHICLE_TAINT: Final = "idlewatt.dev/vehicle"
"""Every vehicle's Node carries it for good; idlewatt alone ignores it."""

POINTS_OF_A_TAINT: Final = 100
"""What it weighs not to tolerate a taint of effect PreferNoSchedule."""

_ASLEEP_MEANS: Final = frozenset({"node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"})
_UNSCHEDULABLE: Final = Taint("node.kubernetes.io/unschedulable", "NoSchedule")
_KEEPS_AWAY: Final = frozenset({"NoSchedule", "NoExecute"})


def selects(pod: Pod, node: Node) -> bool:
    """Whether the node selector and one term of the required node affinity match."""
    if any(node.labels.get(key) != value for key, value in pod.node_selector.items()):
        return False
    terms = pod.node_affinity
    return terms is None or any(_term_matches(term, node) for term in terms)


def tolerates(pod: Pod, node: Node, *, asleep: bool) -> bool:
    """Whether every taint that keeps pods away is tolerated; a cordon is one of them."""
    taints = [*node.taints, _UNSCHEDULABLE] if node.unschedulable else node.taints
    return all(
        any(_covers(toleration, taint) for toleration in pod.tolerations)
        for taint in taints
        if taint.effect in _KEEPS_AWAY
        and taint.key != VEHICLE_TAINT
        and not (asleep and taint.key in _ASLEEP_MEANS)
    )


def unmet_points(pod: Pod, node: Node) -> int:
    """What the pod would rather have otherwise there: 1 to 100 for each term, 100 for a taint."""
    points = sum(
        each.points
        for each in pod.preferred_affinity
        if (each.term.labels or each.term.fields) and not _term_matches(each.term, node)
    )
    return points + POINTS_OF_A_TAINT * sum(
        taint.effect == "PreferNoSchedule"
        and taint.key != VEHICLE_TAINT
        and not any(_covers(toleration, taint) for toleration in pod.tolerations)
        for taint in node.taints
    )


def _term_matches(term: NodeSelectorTerm, node: Node) -> bool:
    if not term.labels and not term.fields:
        return False
    return is_selected(term.labels, node.labels) and is_selected(
        term.fields, {"metadata.name": node.name}
    )


def _covers(toleration: Toleration, taint: Taint) -> bool:
    if toleration.effect and toleration.effect != taint.effect:
        return False
    if toleration.key and toleration.key != taint.key:
        return False
    match toleration.operator:
        case "Exists":
            return True
        case "Equal" | "":
            return bool(toleration.key) and toleration.value == taint.value
        case _:
            return False
