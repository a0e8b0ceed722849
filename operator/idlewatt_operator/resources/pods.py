"""Pods on their way into the core: what planning needs of them, and what only the shell does."""

from collections.abc import Iterator, Mapping
from typing import Final

from idlewatt_operator.resources.annotations import Bound, PodAnnotations, read_annotations
from idlewatt_operator.resources.host_ports import host_ports
from idlewatt_operator.resources.objects import (
    Affinity,
    Container,
    LabelSelector,
    Metadata,
    PodAffinity,
    PodObject,
    PodSpec,
    PodToleration,
    SelectorRequirement,
    SelectorTerm,
    SpreadConstraint,
    Volume,
)
from idlewatt_operator.resources.records import PodRecord, Released
from idlewatt_operator.resources.requests import effective_requests, unreadable_requests
from idlewatt_operator.resources.times import parse_instant
from idlewatt_scheduler.model.units import Instant
from idlewatt_scheduler.model.workload import (
    NodeSelectorTerm,
    Pod,
    Preference,
    Requirement,
    Spread,
    Toleration,
)

DEFAULT_NAMESPACE: Final = "default"
DEFAULT_SCHEDULER: Final = "default-scheduler"
DEFAULT_GRACE_SECONDS: Final = 30

TEMPLATE_HASH: Final = "pod-template-hash"
"""The label by which a Deployment's ReplicaSet knows its pods."""

RELEASED_SUFFIX: Final = "-released"
"""What that label ends with once a pod was taken from its ReplicaSet."""

NOBODY: Final = Requirement("", "In", ())
"""No pod has it: what a spread constraint without a `labelSelector` counts."""

_REQUIRED: Final = "requiredDuringSchedulingIgnoredDuringExecution"


def pod_record(pod: PodObject) -> PodRecord:
    """Read a Pod.

    Nothing in it makes this fail. A quantity or an annotation that cannot be read ends in a
    sentence among `Pod.invalid_annotations`, with which a pod waits; a time that cannot be read
    counts as absent.
    """
    annotations = read_annotations(pod.metadata.annotations)
    bound = annotations.bound
    waiting = _waiting(pod)
    return PodRecord(
        pod=_core(pod, annotations),
        scheduler_name=pod.spec.scheduler_name or DEFAULT_SCHEDULER,
        node=pod.spec.node_name or None,
        phase=pod.status.phase or "Pending",
        gated=bool(pod.spec.scheduling_gates),
        being_deleted=pod.metadata.deletion_timestamp is not None,
        start_time=_instant(pod.status.start_time),
        active_deadline_seconds=pod.spec.active_deadline_seconds,
        bound_power=bound.power,
        bound_until=bound.until,
        bound_agreement_version=bound.agreement_version,
        fence_seconds=bound.fence_seconds,
        ready=_is_ready(pod),
        replica_set=_replica_set(pod.metadata),
        template_hash=(pod.metadata.labels or {}).get(TEMPLATE_HASH, ""),
        released=_released(pod.metadata, bound),
        waiting_reason=waiting[0],
        waiting_message=waiting[1],
        resource_version=pod.metadata.resource_version,
    )


def _core(pod: PodObject, annotations: PodAnnotations) -> Pod:
    spec, metadata = pod.spec, pod.metadata
    unreadable = tuple(str(mistake) for mistake in unreadable_requests(pod))
    return Pod(
        namespace=metadata.namespace or DEFAULT_NAMESPACE,
        name=metadata.name,
        uid=metadata.uid,
        priority=spec.priority or 0,
        created_at=_instant(metadata.creation_timestamp) or 0,
        requests=effective_requests(pod),
        node_selector=spec.node_selector or {},
        node_affinity=_node_affinity(spec.affinity),
        tolerations=tuple(_toleration(toleration) for toleration in spec.tolerations or ()),
        images=tuple(container.image for container in _containers(spec)),
        reads_secret=_reads_secret(spec),
        controlled=_is_controlled(metadata),
        unsupported_fields=tuple(_unsupported(spec)),
        invalid_annotations=(*annotations.invalid, *unreadable),
        termination_grace_seconds=_grace_seconds(spec.termination_grace_period_seconds),
        demand=annotations.demand,
        labels=metadata.labels or {},
        spread=tuple(_spread(spec, metadata.labels or {})),
        preferred_affinity=_preferred(spec.affinity),
        host_ports=host_ports(spec),
    )


def _is_controlled(metadata: Metadata) -> bool:
    return any(owner.controller for owner in metadata.owner_references or ())


def _grace_seconds(written: int | None) -> int:
    """The API server makes one second of a negative grace."""
    if written is None:
        return DEFAULT_GRACE_SECONDS
    return written if written >= 0 else 1


def _instant(written: str | None) -> Instant | None:
    if written is None:
        return None
    try:
        return parse_instant(written)
    except ValueError:
        return None


def _waiting(pod: PodObject) -> tuple[str | None, str]:
    for condition in pod.status.conditions or ():
        if condition.type == "PodScheduled" and condition.status == "False":
            return condition.reason or "", condition.message or ""
    return None, ""


def _is_ready(pod: PodObject) -> bool:
    return any(
        condition.type == "Ready" and condition.status == "True"
        for condition in pod.status.conditions or ()
    )


def _replica_set(metadata: Metadata) -> str:
    """The UID of its controller, where that is a ReplicaSet that a Deployment made.

    The Deployment names it after the hash of its template, and writes that hash into its selector
    and on its pods.
    """
    written = (metadata.labels or {}).get(TEMPLATE_HASH, "")
    for owner in metadata.owner_references or ():
        is_one = owner.kind == "ReplicaSet" and owner.api_version.startswith("apps/")
        if owner.controller and is_one and written and owner.name.endswith(f"-{written}"):
            return owner.uid
    return ""


def _released(metadata: Metadata, written: Bound) -> Released | None:
    """Known by its label: where the annotations were spoilt, it still has to leave.

    With a controller and without a word of ours the label is its author's.
    """
    if not (metadata.labels or {}).get(TEMPLATE_HASH, "").endswith(RELEASED_SUFFIX):
        return None
    if written.released_from is None and _is_controlled(metadata):
        return None
    return Released(
        at=written.released_at or 0,
        replica_set=written.released_from or "",
        needed=written.released_ready or 0,
    )


def _containers(spec: PodSpec) -> tuple[Container, ...]:
    return (*(spec.containers or ()), *(spec.init_containers or ()))


def _toleration(toleration: PodToleration) -> Toleration:
    return Toleration(
        key=toleration.key or "",
        operator=toleration.operator or "Equal",
        value=toleration.value or "",
        effect=toleration.effect or "",
    )


def _node_affinity(affinity: Affinity | None) -> tuple[NodeSelectorTerm, ...] | None:
    if affinity is None or affinity.node_affinity is None:
        return None
    required = affinity.node_affinity.required_during_scheduling_ignored_during_execution
    if required is None:
        return None
    return tuple(_term(term) for term in required.node_selector_terms or ())


def _preferred(affinity: Affinity | None) -> tuple[Preference, ...]:
    """A term that asks for nothing matches every Node, as Kubernetes has it, and is left out."""
    if affinity is None or affinity.node_affinity is None:
        return ()
    written = affinity.node_affinity.preferred_during_scheduling_ignored_during_execution
    terms = ((one.weight, _term(one.preference)) for one in written or ())
    return tuple(Preference(points, term) for points, term in terms if term != NodeSelectorTerm())


def _term(term: SelectorTerm) -> NodeSelectorTerm:
    return NodeSelectorTerm(_requirements(term.match_expressions), _requirements(term.match_fields))


def _spread(spec: PodSpec, labels: Mapping[str, str]) -> Iterator[Spread]:
    """The constraints that must hold; `_unsupported` names those that are not honoured."""
    for constraint in spec.topology_spread_constraints or ():
        if _must_hold(constraint) and not tuple(_unhonoured_policies(constraint)):
            yield Spread(
                topology_key=constraint.topology_key,
                max_skew=constraint.max_skew,
                selector=_selector(constraint, labels),
                min_domains=1 if constraint.min_domains is None else constraint.min_domains,
            )


def _must_hold(constraint: SpreadConstraint) -> bool:
    return constraint.when_unsatisfiable in {None, "DoNotSchedule"}


def _selector(constraint: SpreadConstraint, labels: Mapping[str, str]) -> tuple[Requirement, ...]:
    """All that must be true of a pod's labels, each once and in order.

    The API server writes what `matchLabelKeys` names into the selector as well; a key that the
    pod itself lacks is passed over, as there.
    """
    if constraint.label_selector is None:
        return (NOBODY,)
    asked = {*_label_requirements(constraint.label_selector)}
    keys = constraint.match_label_keys or ()
    asked.update(Requirement(key, "In", (labels[key],)) for key in keys if key in labels)
    return tuple(sorted(asked, key=lambda one: (one.key, one.operator, one.values)))


def _label_requirements(selector: LabelSelector) -> Iterator[Requirement]:
    for key, value in (selector.match_labels or {}).items():
        yield Requirement(key, "In", (value,))
    yield from _requirements(selector.match_expressions)


def _unhonoured_policies(constraint: SpreadConstraint) -> Iterator[str]:
    """What counts as a domain is the Nodes that the pod's affinity matches, tainted or not."""
    if constraint.node_affinity_policy == "Ignore":
        yield "nodeAffinityPolicy"
    if constraint.node_taints_policy == "Honor":
        yield "nodeTaintsPolicy"


def _requirements(written: tuple[SelectorRequirement, ...] | None) -> tuple[Requirement, ...]:
    return tuple(Requirement(one.key, one.operator, one.values or ()) for one in written or ())


def _reads_secret(spec: PodSpec) -> bool:
    return any(_volume_reads_secret(volume) for volume in spec.volumes or ()) or any(
        _container_reads_secret(container) for container in _containers(spec)
    )


def _volume_reads_secret(volume: Volume) -> bool:
    if volume.secret is not None:
        return True
    if volume.projected is not None:
        return any(source.secret is not None for source in volume.projected.sources or ())
    drivers = (
        *(volume.azure_file, volume.cephfs, volume.cinder, volume.csi, volume.flex_volume),
        *(volume.iscsi, volume.rbd, volume.scale_io, volume.storageos),
    )
    return any(
        driver.secret_ref is not None
        or driver.node_publish_secret_ref is not None
        or bool(driver.secret_name)
        for driver in drivers
        if driver is not None
    )


def _container_reads_secret(container: Container) -> bool:
    return any(
        variable.value_from is not None and variable.value_from.secret_key_ref is not None
        for variable in container.env or ()
    ) or any(source.secret_ref is not None for source in container.env_from or ())


def _unsupported(spec: PodSpec) -> Iterator[str]:
    """Name the hard scheduling fields that the pod uses and that are not honoured yet."""
    if spec.affinity is not None:
        yield from _pod_affinity("podAffinity", spec.affinity.pod_affinity)
        yield from _pod_affinity("podAntiAffinity", spec.affinity.pod_anti_affinity)
    for index, constraint in enumerate(spec.topology_spread_constraints or ()):
        if _must_hold(constraint):
            for policy in _unhonoured_policies(constraint):
                yield f"spec.topologySpreadConstraints[{index}].{policy}"
    if spec.host_network and host_ports(spec):
        yield "spec.hostNetwork"
    yield from _claims(spec)
    if spec.resource_claims:
        yield "spec.resourceClaims"
    if spec.resources is not None and (spec.resources.requests or spec.resources.limits):
        yield "spec.resources"


def _claims(spec: PodSpec) -> Iterator[str]:
    for index, volume in enumerate(spec.volumes or ()):
        if volume.persistent_volume_claim is not None:
            yield f"spec.volumes[{index}].persistentVolumeClaim"
        if volume.ephemeral is not None:
            yield f"spec.volumes[{index}].ephemeral"


def _pod_affinity(kind: str, affinity: PodAffinity | None) -> Iterator[str]:
    if affinity is not None and affinity.required_during_scheduling_ignored_during_execution:
        yield f"spec.affinity.{kind}.{_REQUIRED}"
