"""Pods and Nodes as the API server writes them, reduced to the fields that are read here.

msgspec decodes them without looking at the rest, which is what makes ten thousand pods cheap.
A field of which only the presence matters is a `Present`. Pass bytes from the API server to
`POD_DECODER` or `NODE_DECODER`; pass what a manifest holds to `pod_object` or `node_object`.
"""

from collections.abc import Mapping
from typing import Final, TypeAlias, TypeVar

import msgspec


class _Wire(msgspec.Struct, frozen=True, kw_only=True, rename="camel", gc=False):
    """A JSON object; unknown fields are passed over."""


class Present(_Wire, frozen=True):
    """An object of which only the presence matters."""


Amounts: TypeAlias = dict[str, str | int | float]
"""Resource name to quantity, as written."""


class OwnerReference(_Wire, frozen=True):
    """`metadata.ownerReferences[]`."""

    api_version: str = ""
    kind: str = ""
    name: str = ""
    uid: str = ""
    controller: bool | None = None


class Metadata(_Wire, frozen=True):
    """`metadata` of any object."""

    name: str = ""
    namespace: str = ""
    uid: str = ""
    resource_version: str = ""
    generation: int = 0
    creation_timestamp: str | None = None
    deletion_timestamp: str | None = None
    labels: dict[str, str] | None = None
    annotations: dict[str, str] | None = None
    owner_references: tuple[OwnerReference, ...] | None = None


class Resources(_Wire, frozen=True):
    """`resources` of a container, of a pod, or of a container's status."""

    requests: Amounts | None = None
    limits: Amounts | None = None


class ContainerPort(_Wire, frozen=True):
    """`ports[]` of a container."""

    container_port: int = 0
    host_port: int | None = None
    host_ip: str | None = msgspec.field(name="hostIP", default=None)
    protocol: str | None = None


class EnvSource(_Wire, frozen=True):
    """`env[].valueFrom`."""

    secret_key_ref: Present | None = None


class EnvVar(_Wire, frozen=True):
    """`env[]`."""

    value_from: EnvSource | None = None


class EnvFrom(_Wire, frozen=True):
    """`envFrom[]`."""

    secret_ref: Present | None = None


class Container(_Wire, frozen=True):
    """A container or an init container; one of those that restarts is a sidecar."""

    name: str = ""
    image: str = ""
    restart_policy: str | None = None
    resources: Resources | None = None
    ports: tuple[ContainerPort, ...] | None = None
    env: tuple[EnvVar, ...] | None = None
    env_from: tuple[EnvFrom, ...] | None = None


class ProjectedSource(_Wire, frozen=True):
    """`volumes[].projected.sources[]`."""

    secret: Present | None = None


class ProjectedVolume(_Wire, frozen=True):
    """`volumes[].projected`."""

    sources: tuple[ProjectedSource, ...] | None = None


class VolumeDriver(_Wire, frozen=True):
    """A volume of some storage system, which the kubelet may have to open with a Secret."""

    secret_ref: Present | None = None
    secret_name: str | None = None
    node_publish_secret_ref: Present | None = None


class Volume(_Wire, frozen=True):
    """`volumes[]`."""

    secret: Present | None = None
    projected: ProjectedVolume | None = None
    persistent_volume_claim: Present | None = None
    ephemeral: Present | None = None
    azure_file: VolumeDriver | None = None
    cephfs: VolumeDriver | None = None
    cinder: VolumeDriver | None = None
    csi: VolumeDriver | None = None
    flex_volume: VolumeDriver | None = None
    iscsi: VolumeDriver | None = None
    rbd: VolumeDriver | None = None
    scale_io: VolumeDriver | None = msgspec.field(name="scaleIO", default=None)
    storageos: VolumeDriver | None = None


class PodToleration(_Wire, frozen=True):
    """`tolerations[]`."""

    key: str | None = None
    operator: str | None = None
    value: str | None = None
    effect: str | None = None


class SelectorRequirement(_Wire, frozen=True):
    """One of `matchExpressions[]` or `matchFields[]`."""

    key: str
    operator: str
    values: tuple[str, ...] | None = None


class SelectorTerm(_Wire, frozen=True):
    """One of `nodeSelectorTerms[]`."""

    match_expressions: tuple[SelectorRequirement, ...] | None = None
    match_fields: tuple[SelectorRequirement, ...] | None = None


class RequiredNodeAffinity(_Wire, frozen=True):
    """The required part of `affinity.nodeAffinity`."""

    node_selector_terms: tuple[SelectorTerm, ...] | None = None


class PreferredTerm(_Wire, frozen=True):
    """One of the preferred terms of `affinity.nodeAffinity`."""

    weight: int = 0
    preference: SelectorTerm = SelectorTerm()


class NodeAffinity(_Wire, frozen=True):
    """`affinity.nodeAffinity`."""

    required_during_scheduling_ignored_during_execution: RequiredNodeAffinity | None = None
    preferred_during_scheduling_ignored_during_execution: tuple[PreferredTerm, ...] | None = None


class PodAffinity(_Wire, frozen=True):
    """`affinity.podAffinity` or `affinity.podAntiAffinity`."""

    required_during_scheduling_ignored_during_execution: tuple[Present, ...] | None = None


class Affinity(_Wire, frozen=True):
    """`spec.affinity`."""

    node_affinity: NodeAffinity | None = None
    pod_affinity: PodAffinity | None = None
    pod_anti_affinity: PodAffinity | None = None


class LabelSelector(_Wire, frozen=True):
    """A selector of pods by their labels; an empty one selects all."""

    match_labels: dict[str, str] | None = None
    match_expressions: tuple[SelectorRequirement, ...] | None = None


class SpreadConstraint(_Wire, frozen=True):
    """`topologySpreadConstraints[]`."""

    when_unsatisfiable: str | None = None
    topology_key: str = ""
    max_skew: int = 0
    min_domains: int | None = None
    label_selector: LabelSelector | None = None
    match_label_keys: tuple[str, ...] | None = None
    node_affinity_policy: str | None = None
    node_taints_policy: str | None = None


class PodSpec(_Wire, frozen=True):
    """`spec` of a Pod."""

    scheduler_name: str | None = None
    node_name: str | None = None
    priority: int | None = None
    termination_grace_period_seconds: int | None = None
    active_deadline_seconds: int | None = None
    host_network: bool | None = None
    node_selector: dict[str, str] | None = None
    affinity: Affinity | None = None
    tolerations: tuple[PodToleration, ...] | None = None
    topology_spread_constraints: tuple[SpreadConstraint, ...] | None = None
    scheduling_gates: tuple[Present, ...] | None = None
    containers: tuple[Container, ...] | None = None
    init_containers: tuple[Container, ...] | None = None
    overhead: Amounts | None = None
    volumes: tuple[Volume, ...] | None = None
    resource_claims: tuple[Present, ...] | None = None
    resources: Resources | None = None


class ObjectCondition(_Wire, frozen=True):
    """`status.conditions[]` of a Pod or a Node."""

    type: str
    status: str = "Unknown"
    reason: str | None = None
    message: str | None = None
    last_transition_time: str | None = None


class ContainerStatus(_Wire, frozen=True):
    """`status.containerStatuses[]`; while a resize is under way it may hold more than is asked."""

    name: str = ""
    allocated_resources: Amounts | None = None
    resources: Resources | None = None


class PodStatus(_Wire, frozen=True):
    """`status` of a Pod."""

    phase: str | None = None
    start_time: str | None = None
    conditions: tuple[ObjectCondition, ...] | None = None
    container_statuses: tuple[ContainerStatus, ...] | None = None
    init_container_statuses: tuple[ContainerStatus, ...] | None = None


class PodObject(_Wire, frozen=True):
    """A Pod."""

    metadata: Metadata = Metadata()
    spec: PodSpec = PodSpec()
    status: PodStatus = PodStatus()


class NodeTaint(_Wire, frozen=True):
    """`spec.taints[]`."""

    key: str
    effect: str
    value: str | None = None


class NodeSpec(_Wire, frozen=True):
    """`spec` of a Node."""

    taints: tuple[NodeTaint, ...] | None = None
    unschedulable: bool | None = None


class NodeImage(_Wire, frozen=True):
    """`status.images[]`."""

    names: tuple[str, ...] | None = None


class NodeStatus(_Wire, frozen=True):
    """`status` of a Node."""

    allocatable: Amounts | None = None
    conditions: tuple[ObjectCondition, ...] | None = None
    images: tuple[NodeImage, ...] | None = None


class NodeObject(_Wire, frozen=True):
    """A Node."""

    metadata: Metadata = Metadata()
    spec: NodeSpec = NodeSpec()
    status: NodeStatus = NodeStatus()


_Object = TypeVar("_Object", PodObject, NodeObject)

POD_DECODER: Final = msgspec.json.Decoder(PodObject)
NODE_DECODER: Final = msgspec.json.Decoder(NodeObject)


def pod_object(manifest: Mapping[str, object]) -> PodObject:
    """Read a Pod from plain dicts and lists; an explicit null counts as absent.

    Raises:
        msgspec.ValidationError: a field has the wrong type; the message names it.
    """
    return _read(manifest, PodObject)


def node_object(manifest: Mapping[str, object]) -> NodeObject:
    """Read a Node from plain dicts and lists; an explicit null counts as absent.

    Raises:
        msgspec.ValidationError: a field has the wrong type; the message names it.
    """
    return _read(manifest, NodeObject)


def _read(manifest: Mapping[str, object], kind: type[_Object]) -> _Object:
    """Nulls are few, and most of them stand where an absent field would say the same."""
    try:
        return msgspec.convert(manifest, kind)
    except msgspec.ValidationError:
        return msgspec.convert(_without_nulls(manifest), kind)


def _without_nulls(value: object) -> object:
    if isinstance(value, dict):
        return {name: _without_nulls(item) for name, item in value.items() if item is not None}
    if isinstance(value, list):
        return [_without_nulls(item) for item in value]
    return value
