"""Pods and the nodes they may run on, reduced to what planning needs."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from idlewatt_scheduler.model.units import Instant, Milliseconds, Milliwatts, Quantities


class Ready(StrEnum):
    """The status of a Node's condition `Ready`; a Node without one is Unknown."""

    TRUE = "True"
    FALSE = "False"
    UNKNOWN = "Unknown"


@dataclass(frozen=True, slots=True)
class Taint:
    """A node's taint."""

    key: str
    effect: str
    value: str = ""


@dataclass(frozen=True, slots=True)
class Toleration:
    """A pod's toleration; an empty key or effect matches every one."""

    key: str = ""
    operator: str = "Equal"
    value: str = ""
    effect: str = ""


@dataclass(frozen=True, slots=True)
class Requirement:
    """One expression of a node selector term: In, NotIn, Exists, DoesNotExist, Gt or Lt."""

    key: str
    operator: str
    values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class NodeSelectorTerm:
    """All of its expressions must hold; one without any matches nothing."""

    labels: tuple[Requirement, ...] = ()
    fields: tuple[Requirement, ...] = ()


@dataclass(frozen=True, slots=True)
class Preference:
    """A term of the preferred node affinity, and how many points it is worth, 1 to 100."""

    points: int
    term: NodeSelectorTerm


@dataclass(frozen=True, slots=True)
class Spread:
    """A `DoNotSchedule` topology spread constraint.

    Attributes:
        selector: all of these must hold of a pod's labels for it to be counted; empty: every pod
            of the namespace is. What `matchLabelKeys` names stands here as `In`.
        min_domains: with fewer domains than this the least count is 0.
    """

    topology_key: str
    max_skew: int
    selector: tuple[Requirement, ...] = ()
    min_domains: int = 1


@dataclass(frozen=True, slots=True)
class HostPort:
    """A port of the Node itself that a container asks for.

    Attributes:
        address: of the Node; empty: every one.
    """

    port: int
    protocol: str = "TCP"
    address: str = ""


@dataclass(frozen=True, slots=True)
class Node:
    """A Node.

    Attributes:
        allocatable: thousandths of each resource's unit.
        ready_since: the Ready condition's `lastTransitionTime`; None where it has none.
        images: every name of every image that its status lists.
    """

    name: str
    allocatable: Quantities = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    taints: tuple[Taint, ...] = ()
    unschedulable: bool = False
    ready: Ready = Ready.UNKNOWN
    ready_since: Instant | None = None
    images: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Demand:
    """What a pod's annotations ask for; None where one is absent.

    Attributes:
        expected_runtime: milliseconds; None: the pod is open-ended.
        power_watts: whole watts at full use.
        deadline: the latest instant at which the pod may end.
        any_tariff: `tariff: any`; otherwise off-peak only.
        drain_grace: milliseconds.
        residency: regions the pod may run in.
        model_load_time: milliseconds from the image's arrival until the pod is ready.
        image_size_bytes: bytes to be fetched where the image is missing.
        gang: the name, in the pod's namespace, of the gang it is placed with or not at all.
        gang_size: how many pods of the gang there must be.
    """

    expected_runtime: Milliseconds | None = None
    power_watts: int | None = None
    deadline: Instant | None = None
    any_tariff: bool = False
    drain_grace: Milliseconds | None = None
    residency: frozenset[str] | None = None
    model_load_time: Milliseconds = 0
    image_size_bytes: int | None = None
    allow_untrusted: bool = False
    allow_loss: bool = False
    gang: str | None = None
    gang_size: int = 1


@dataclass(frozen=True, slots=True)
class Pod:
    """A pod of ours.

    Attributes:
        requests: effective requests (init and sidecar containers, overhead) in thousandths,
            with `pods: 1000` for the pod itself.
        node_affinity: the terms of the required node affinity, any of which must match;
            None: the pod has none.
        images: the images of all its containers, as written.
        reads_secret: through a volume, a projection, `env` or `envFrom`.
        controlled: it has a controller that would replace it.
        unsupported_fields: hard scheduling fields it uses that are not honoured yet.
        invalid_annotations: a sentence for each annotation that is unknown or malformed.
        labels: those that the spread constraints of pods in its namespace look at.
        spread: its spread constraints, every one of which must hold.
        preferred_affinity: where it would rather be; what does not hold is a cost.
        host_ports: the ports it asks for of its Node.
    """

    namespace: str
    name: str
    uid: str = ""
    priority: int = 0
    created_at: Instant = 0
    requests: Quantities = field(default_factory=lambda: {"pods": 1_000})
    node_selector: Mapping[str, str] = field(default_factory=dict)
    node_affinity: tuple[NodeSelectorTerm, ...] | None = None
    tolerations: tuple[Toleration, ...] = ()
    images: tuple[str, ...] = ()
    reads_secret: bool = False
    controlled: bool = True
    unsupported_fields: tuple[str, ...] = ()
    invalid_annotations: tuple[str, ...] = ()
    termination_grace_seconds: int = 30
    demand: Demand = field(default_factory=Demand)
    labels: Mapping[str, str] = field(default_factory=dict)
    spread: tuple[Spread, ...] = ()
    preferred_affinity: tuple[Preference, ...] = ()
    host_ports: tuple[HostPort, ...] = ()

    @property
    def key(self) -> str:
        """`namespace/name`, as people write it."""
        return f"{self.namespace}/{self.name}"


@dataclass(frozen=True, slots=True)
class RunningPod:
    """A pod of ours that is bound to a node and whose containers have not been seen to end.

    Attributes:
        node: where it was bound.
        bound_power: milliwatts it was planned with; None where its Binding carried none.
        bound_until: the end of the stay it was planned with; None as above.
        counts_until: set for a pod that was given up on a lost vehicle: its fence. Such a
            pod is counted until then and never asked to leave.
        replaceable: another one can be ready in its place before it goes, without which nobody is
            asked to move to save money.
    """

    pod: Pod
    node: str
    bound_power: Milliwatts | None = None
    bound_until: Instant | None = None
    being_deleted: bool = False
    counts_until: Instant | None = None
    replaceable: bool = True
