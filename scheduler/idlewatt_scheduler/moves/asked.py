"""Which running pods may be asked to leave though they might stay, and how they are known."""

from collections.abc import Iterable

from idlewatt_scheduler.model.plan import Leaving
from idlewatt_scheduler.model.workload import Pod, RunningPod

Name = tuple[str, str, str]
"""A running pod: its key, its UID and its node."""


def name_of(pod: Pod, node: str) -> Name:
    """By which a pod on a node is known."""
    return pod.key, pod.uid, node


def names_of(leavers: Iterable[Leaving]) -> set[Name]:
    """By which those that leave are known."""
    return {name_of(each.pod, each.node) for each in leavers}


def may_be_asked(running: RunningPod) -> bool:
    """Somebody starts another one in its place, it stands alone, and it is not on its way yet."""
    pod = running.pod
    on_its_way = running.being_deleted or running.counts_until is not None
    return pod.controlled and pod.demand.gang is None and not on_its_way
