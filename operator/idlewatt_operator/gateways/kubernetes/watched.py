"""The kinds that are watched by our own informers, and what is kept of each object."""

from dataclasses import replace
from typing import Any, Final

import msgspec
from pydantic import ValidationError

from idlewatt_operator.gateways.kubernetes.given_up import ANNOTATION, read_given_up
from idlewatt_operator.gateways.kubernetes.informer import Watched
from idlewatt_operator.gateways.kubernetes.writes import API_GROUP_PATH
from idlewatt_operator.resources.errors import mistakes
from idlewatt_operator.resources.nodes import node
from idlewatt_operator.resources.objects import NODE_DECODER, POD_DECODER, Metadata
from idlewatt_operator.resources.pods import pod_record
from idlewatt_operator.resources.records import PodRecord, Refused, VehicleRecord
from idlewatt_operator.resources.to_model import to_vehicle
from idlewatt_operator.resources.vehiclenode import VehicleNode
from idlewatt_scheduler.model.workload import Node, Pod

_KIND: Final = "VehicleNode"
_MANIFEST: Final = msgspec.json.Decoder(dict[str, Any])


def _by_uid(metadata: Metadata) -> str:
    return metadata.uid


def _by_name(metadata: Metadata) -> str:
    return metadata.name


def our_pods(scheduler_name: str) -> Watched[PodRecord]:
    """The pods that name our scheduler, in whatever state they are."""
    return Watched(
        name="our pods",
        kind="Pod",
        path="/api/v1/pods",
        key=_by_uid,
        read=lambda raw: pod_record(POD_DECODER.decode(raw)),
        matters=_pod_matters,
        field_selector=f"spec.schedulerName={scheduler_name}",
    )


def _pod_matters(old: PodRecord, new: PodRecord) -> bool:
    """Whether more changed than the version and what we wrote ourselves."""
    return old != replace(
        new,
        resource_version=old.resource_version,
        waiting_reason=old.waiting_reason,
        waiting_message=old.waiting_message,
    )


def other_pods(scheduler_name: str) -> Watched[PodRecord]:
    """The bound, unended pods of others: they count for what they take from a node."""
    return Watched(
        name="other pods",
        kind="Pod",
        path="/api/v1/pods",
        key=_by_uid,
        read=_read_other_pod,
        matters=lambda old, new: old != new,
        field_selector=(
            f"spec.schedulerName!={scheduler_name},spec.nodeName!=,"
            "status.phase!=Succeeded,status.phase!=Failed"
        ),
    )


def _read_other_pod(raw: bytes) -> PodRecord:
    """Names, requests and where it runs: of ten thousand daemons nothing else is kept."""
    whole = pod_record(POD_DECODER.decode(raw))
    pod = whole.pod
    kept = Pod(pod.namespace, pod.name, pod.uid, priority=pod.priority, requests=pod.requests)
    return PodRecord(
        kept,
        scheduler_name=whole.scheduler_name,
        node=whole.node,
        phase=whole.phase,
        being_deleted=whole.being_deleted,
    )


NODES: Final[Watched[Node]] = Watched(
    name="nodes",
    kind="Node",
    path="/api/v1/nodes",
    key=_by_name,
    read=lambda raw: node(NODE_DECODER.decode(raw)),
    matters=lambda old, new: old != new,
)


def _read_vehicle(raw: bytes) -> VehicleRecord | Refused:
    manifest = _MANIFEST.decode(raw)
    metadata = manifest.get("metadata") or {}
    name, generation = str(metadata.get("name", "")), int(metadata.get("generation", 0))
    try:
        resource = VehicleNode.model_validate(manifest)
        annotation = (metadata.get("annotations") or {}).get(ANNOTATION)
        given_up = read_given_up(name, annotation)
    except ValidationError as error:
        sentence = "; ".join(str(mistake) for mistake in mistakes(error, VehicleNode))
        return Refused(_KIND, name, sentence, generation)
    except ValueError as error:
        return Refused(_KIND, name, str(error), generation)
    return VehicleRecord(
        vehicle=to_vehicle(resource),
        generation=generation,
        resource_version=str(metadata.get("resourceVersion", "")),
        given_up=given_up,
        status=manifest.get("status") or {},
    )


def _vehicle_matters(old: VehicleRecord, new: VehicleRecord) -> bool:
    """Whether more changed than what we wrote ourselves."""
    return (old.vehicle, old.generation, old.given_up) != (
        new.vehicle,
        new.generation,
        new.given_up,
    )


VEHICLES: Final[Watched[VehicleRecord]] = Watched(
    name="vehicles",
    kind=_KIND,
    path=f"{API_GROUP_PATH}/{VehicleNode.naming.plural}",
    key=_by_name,
    read=_read_vehicle,
    matters=_vehicle_matters,
)
