"""Writes about pods: bind, fence, evict, remove, and why one waits."""

from typing import Final

import msgspec

from idlewatt_operator.gateways.kubernetes.session import (
    MERGE_PATCH,
    STRATEGIC_MERGE_PATCH,
    ApiUnreachable,
    Call,
)
from idlewatt_operator.gateways.kubernetes.writes import Writes, pod_path
from idlewatt_operator.gateways.protocols import BindOrder, Clock, Result
from idlewatt_operator.resources.annotations import (
    FENCE_SECONDS,
    RELEASED_AT,
    RELEASED_FROM,
    RELEASED_READY,
)
from idlewatt_operator.resources.objects import POD_DECODER
from idlewatt_operator.resources.pods import RELEASED_SUFFIX, TEMPLATE_HASH, pod_record
from idlewatt_operator.resources.records import PodRecord, Released
from idlewatt_operator.resources.times import format_instant

_NOT_FOUND: Final = 404


class PodWriter:
    """Every write about a pod names its UID: a namesake is never touched."""

    def __init__(self, writes: Writes, clock: Clock) -> None:
        self._writes = writes
        self._clock = clock

    async def bind(self, order: BindOrder) -> Result:
        """Post the Binding; its annotations arrive with `nodeName`, all or nothing."""
        body = {
            "apiVersion": "v1",
            "kind": "Binding",
            "metadata": {
                "namespace": order.namespace,
                "name": order.name,
                "uid": order.uid,
                "annotations": dict(order.annotations),
            },
            "target": {"apiVersion": "v1", "kind": "Node", "name": order.node},
        }
        path = pod_path(order.namespace, order.name, "/binding")
        return await self._writes.write("bind", Call("POST", path, body=body))

    async def pod(self, namespace: str, name: str) -> PodRecord | None:
        """The pod as it stands; None where there is none.

        Raises:
            ConnectionError: no answer came, or none that can be used: nothing is known.
        """
        answer = await self._writes.read(pod_path(namespace, name))
        if answer.status == _NOT_FOUND:
            return None
        if not answer.ok:
            raise ApiUnreachable(answer.message)
        try:
            return pod_record(POD_DECODER.decode(answer.body))
        except msgspec.DecodeError as error:
            sentence = f"The pod {namespace}/{name} cannot be read: {error}."
            raise ApiUnreachable(sentence) from error

    async def set_active_deadline(self, record: PodRecord, seconds: int) -> Result:
        """Set or lower the deadline, noted as ours; the API server refuses to raise it."""
        body = {
            "metadata": {"uid": record.pod.uid, "annotations": {FENCE_SECONDS: str(seconds)}},
            "spec": {"activeDeadlineSeconds": seconds},
        }
        call = Call("PATCH", _path(record), body=body, content_type=MERGE_PATCH)
        return await self._writes.write("deadline", call)

    async def evict(self, record: PodRecord, grace_seconds: int | None = None) -> Result:
        """Ask the Eviction API; a disruption budget may say no (`Blocked`)."""
        body = {
            "apiVersion": "policy/v1",
            "kind": "Eviction",
            "metadata": {"namespace": record.pod.namespace, "name": record.pod.name},
            "deleteOptions": _options(record, grace_seconds),
        }
        return await self._writes.write(
            "evict", Call("POST", _path(record, "/eviction"), body=body)
        )

    async def release(self, record: PodRecord, mark: Released) -> Result:
        """Change the label by which its ReplicaSet knows it; tested by the resourceVersion.

        What was seen may be old: a pod that changed since is looked at again first.
        """
        body = {
            "metadata": {
                "uid": record.pod.uid,
                "resourceVersion": record.resource_version,
                "labels": {TEMPLATE_HASH: record.template_hash + RELEASED_SUFFIX},
                "annotations": {
                    RELEASED_AT: format_instant(mark.at),
                    RELEASED_FROM: mark.replica_set,
                    RELEASED_READY: str(mark.needed),
                },
            }
        }
        call = Call("PATCH", _path(record), body=body, content_type=MERGE_PATCH)
        return await self._writes.write("release", call)

    async def delete(self, record: PodRecord, grace_seconds: int) -> Result:
        """Delete with a grace, past any disruption budget."""
        call = Call("DELETE", _path(record), body=_options(record, grace_seconds))
        return await self._writes.write("delete", call)

    async def remove(self, record: PodRecord) -> Result:
        """Remove the object at once; nobody waits for a kubelet that cannot be reached."""
        call = Call("DELETE", _path(record), body=_options(record, 0))
        return await self._writes.write("remove", call)

    async def set_waiting(self, record: PodRecord, reason: str, message: str) -> Result:
        """Write `PodScheduled=False`; its transition time moves only when the status does."""
        condition = {
            "type": "PodScheduled",
            "status": "False",
            "reason": reason,
            "message": message,
        }
        if record.waiting_reason is None:
            condition["lastTransitionTime"] = format_instant(self._clock.now() // 1_000 * 1_000)
        body = {"metadata": {"uid": record.pod.uid}, "status": {"conditions": [condition]}}
        call = Call(
            "PATCH", _path(record, "/status"), body=body, content_type=STRATEGIC_MERGE_PATCH
        )
        return await self._writes.write("condition", call)


def _path(record: PodRecord, subresource: str = "") -> str:
    return pod_path(record.pod.namespace, record.pod.name, subresource)


def _options(record: PodRecord, grace_seconds: int | None) -> dict[str, object]:
    return {
        "apiVersion": "v1",
        "kind": "DeleteOptions",
        "preconditions": {"uid": record.pod.uid},
        **({} if grace_seconds is None else {"gracePeriodSeconds": grace_seconds}),
    }
