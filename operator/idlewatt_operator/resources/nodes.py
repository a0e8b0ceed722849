"""Nodes on their way into the core."""

from idlewatt_operator.resources.amounts import quantities
from idlewatt_operator.resources.objects import NodeObject, ObjectCondition
from idlewatt_operator.resources.times import parse_instant
from idlewatt_scheduler.model.units import Instant
from idlewatt_scheduler.model.workload import Node, Ready, Taint


def node(written: NodeObject) -> Node:
    """Read a Node.

    Nothing in it makes this fail: a quantity that cannot be read is not allocatable, a time that
    cannot be read counts as absent, and without a condition `Ready` the Node's state is Unknown.
    """
    ready = _ready_condition(written)
    return Node(
        name=written.metadata.name,
        allocatable=quantities(written.status.allocatable),
        labels=written.metadata.labels or {},
        taints=tuple(
            Taint(taint.key, taint.effect, taint.value or "") for taint in written.spec.taints or ()
        ),
        unschedulable=bool(written.spec.unschedulable),
        ready=_ready(ready),
        ready_since=_since(ready),
        images=frozenset(
            name for image in written.status.images or () for name in image.names or ()
        ),
    )


def _ready_condition(written: NodeObject) -> ObjectCondition | None:
    conditions = written.status.conditions or ()
    return next((condition for condition in conditions if condition.type == "Ready"), None)


def _ready(condition: ObjectCondition | None) -> Ready:
    known = {ready.value for ready in Ready}
    if condition is None or condition.status not in known:
        return Ready.UNKNOWN
    return Ready(condition.status)


def _since(condition: ObjectCondition | None) -> Instant | None:
    if condition is None or condition.last_transition_time is None:
        return None
    try:
        return parse_instant(condition.last_transition_time)
    except ValueError:
        return None
