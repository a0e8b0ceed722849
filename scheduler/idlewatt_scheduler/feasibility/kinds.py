"""Pods that no clause can tell apart: whatever is asked of one is asked of all."""

from collections.abc import Hashable

from idlewatt_scheduler.model.workload import Pod


def kind_of(pod: Pod) -> Hashable:
    """Equal for two pods that differ in name, UID and age only, or by what nobody looks at."""
    looked_at = pod.demand.gang is not None or pod.spread or pod.labels
    return (
        pod.namespace if looked_at else None,
        pod.priority,
        frozenset(pod.requests.items()),
        frozenset(pod.node_selector.items()),
        pod.node_affinity,
        pod.tolerations,
        pod.images,
        pod.reads_secret,
        pod.controlled,
        pod.unsupported_fields,
        pod.invalid_annotations,
        pod.termination_grace_seconds,
        pod.demand,
        frozenset(pod.labels.items()),
        pod.spread,
        pod.preferred_affinity,
        pod.host_ports,
    )
