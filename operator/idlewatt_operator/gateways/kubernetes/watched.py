"""The kinds that are watched by our own informers, and what is kept of each object."""

from collections.abc import Iterable, Mapping
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
from idlewatt_operator.resources.records import GivenUp, PodRecord, Refused, VehicleRecord
from idlewatt_operator.resources.salvage import NO_CURRENCY, readable_part
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
    """Names, and what it takes of where: of ten thousand daemons nothing else is kept."""
    whole = pod_record(POD_DECODER.decode(raw))
    pod = whole.pod
    kept = Pod(
        pod.namespace,
        pod.name,
        pod.uid,
        priority=pod.priority,
        requests=pod.requests,
        host_ports=pod.host_ports,
    )
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
        given_up = _given_up(manifest)
    except ValidationError as error:
        sentence = "; ".join(str(mistake) for mistake in mistakes(error, VehicleNode))
        return Refused(_KIND, name, sentence, generation, _readable(manifest))
    except ValueError as error:
        return Refused(_KIND, name, str(error), generation, _readable(manifest))
    return _vehicle_record(manifest, resource, given_up)


def _given_up(manifest: Mapping[str, Any]) -> tuple[GivenUp, ...]:
    metadata = manifest.get("metadata") or {}
    annotation = (metadata.get("annotations") or {}).get(ANNOTATION)
    return read_given_up(str(metadata.get("name", "")), annotation)


def _readable(manifest: Mapping[str, Any]) -> VehicleRecord | None:
    """What can be read of a vehicle that cannot be used; it takes no new pods."""
    resource = readable_part(manifest)
    if resource is None:
        return None
    try:
        given_up = _given_up(manifest)
    except ValueError:
        given_up = ()
    return _vehicle_record(manifest, resource, given_up)


def _vehicle_record(
    manifest: Mapping[str, Any], resource: VehicleNode, given_up: tuple[GivenUp, ...]
) -> VehicleRecord:
    metadata = manifest.get("metadata") or {}
    return VehicleRecord(
        vehicle=to_vehicle(resource),
        generation=int(metadata.get("generation", 0)),
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


def with_readable(
    usable: Mapping[str, VehicleRecord], refused: Iterable[Refused]
) -> Mapping[str, VehicleRecord]:
    """The vehicles by name, those that are refused with what can be read of them.

    A compensation that cannot be read has no currency. It is given that of the others: what the
    plan is counted in must not hang on a mistake in one vehicle.
    """
    readable = [each.readable for each in refused if each.readable is not None]
    if not readable:
        return usable
    currencies = (each.vehicle.compensation.currency for each in usable.values())
    currency = next(currencies, NO_CURRENCY)
    return {**usable, **{each.vehicle.name: _in_currency(each, currency) for each in readable}}


def _in_currency(record: VehicleRecord, currency: str) -> VehicleRecord:
    compensation = record.vehicle.compensation
    if compensation.currency != NO_CURRENCY:
        return record
    compensation = replace(compensation, currency=currency)
    return replace(record, vehicle=replace(record.vehicle, compensation=compensation))
