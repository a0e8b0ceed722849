"""Writes about nodes and our own kinds: the taint, status, conditions, what was given up."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote

import msgspec

from idlewatt_operator.gateways.kubernetes.given_up import ANNOTATION, write_given_up
from idlewatt_operator.gateways.kubernetes.outcomes import lost_the_race, result_of
from idlewatt_operator.gateways.kubernetes.session import (
    JSON_PATCH,
    MERGE_PATCH,
    ApiUnreachable,
    Call,
)
from idlewatt_operator.gateways.kubernetes.writes import API_GROUP_PATH, Writes
from idlewatt_operator.gateways.leadership import NotLeading
from idlewatt_operator.gateways.protocols import Clock, Condition, Outcome, Result
from idlewatt_operator.resources.annotations import PREFIX
from idlewatt_operator.resources.kinds import KINDS
from idlewatt_operator.resources.objects import NODE_DECODER, NodeObject
from idlewatt_operator.resources.records import GivenUp
from idlewatt_operator.resources.times import format_instant
from idlewatt_scheduler.model.site import ObservedCircuit, Phase
from idlewatt_scheduler.model.units import Instant

TAINT_KEY: Final = PREFIX + "vehicle"
TAINT_EFFECT: Final = "NoSchedule"

_ATTEMPTS: Final = 3


class _Metadata(msgspec.Struct, rename="camel"):
    resource_version: str = ""


class _Status(msgspec.Struct):
    conditions: list[dict[str, Any]] | None = None
    circuits: list[dict[str, Any]] | None = None


class _Object(msgspec.Struct):
    metadata: _Metadata
    status: _Status | None = None


_OBJECT: Final = msgspec.json.Decoder(_Object)


class ObjectWriter:
    """Writes that somebody else's writes may cross: each is tested by the resourceVersion.

    Args:
        known: the conditions the watch last showed for a kind and name; None: unknown.
    """

    def __init__(
        self,
        writes: Writes,
        clock: Clock,
        known: Callable[[str, str], Sequence[Mapping[str, Any]] | None],
    ) -> None:
        self._writes = writes
        self._clock = clock
        self._known = known

    async def keep_taint(self, node: str) -> Result:
        """Put the permanent taint on the Node; taints are one atomic list, hence the test."""
        path = f"/api/v1/nodes/{quote(node)}"

        def patch(body: bytes) -> Call | None:
            found = NODE_DECODER.decode(body)
            if _is_tainted(found):
                return None
            return Call("PATCH", path, body=_taint_patch(found), content_type=JSON_PATCH)

        return await self._read_and_patch("taint", path, patch)

    async def write_vehicle_status(self, name: str, patch: Mapping[str, object]) -> Result:
        """Merge into the status of a VehicleNode."""
        path = f"{_path('VehicleNode', name)}/status"
        call = Call("PATCH", path, body={"status": dict(patch)}, content_type=MERGE_PATCH)
        return await self._writes.write("vehicle-status", call)

    async def write_given_up(self, name: str, given_up: Sequence[GivenUp]) -> Result:
        """Keep the pods that were given up on the vehicle."""
        body = {"metadata": {"annotations": {ANNOTATION: write_given_up(given_up)}}}
        call = Call("PATCH", _path("VehicleNode", name), body=body, content_type=MERGE_PATCH)
        return await self._writes.write("given-up", call)

    async def write_circuits(self, site: str, circuits: Sequence[ObservedCircuit]) -> Result:
        """Set what was reported of these circuits, keep the others, write nothing if all stands."""
        path = _path("ParkingSite", site)

        def patch(body: bytes) -> Call | None:
            found = _OBJECT.decode(body)
            old = (found.status.circuits if found.status else None) or []
            merged = {str(each.get("name")): each for each in old}
            merged |= {each.name: _reported(each) for each in circuits}
            if list(merged.values()) == old:
                return None
            content = {
                "metadata": {"resourceVersion": found.metadata.resource_version},
                "status": {"circuits": list(merged.values())},
            }
            return Call("PATCH", f"{path}/status", body=content, content_type=MERGE_PATCH)

        return await self._read_and_patch("circuits", path, patch)

    async def write_conditions(
        self, kind: str, name: str, conditions: Sequence[Condition]
    ) -> Result:
        """Set these conditions, keep the others, and write nothing where nothing changes."""
        if kind not in KINDS:
            return Result(Outcome.REFUSED, f"A {kind} has no conditions of ours.")
        known = self._known(kind, name)
        if known is not None and self._merged(known, conditions) is None:
            return Result(Outcome.DONE)
        path = _path(kind, name)

        def patch(body: bytes) -> Call | None:
            found = _OBJECT.decode(body)
            old = (found.status.conditions if found.status else None) or ()
            merged = self._merged(old, conditions)
            if merged is None:
                return None
            content = {
                "metadata": {"resourceVersion": found.metadata.resource_version},
                "status": {"conditions": merged},
            }
            return Call("PATCH", f"{path}/status", body=content, content_type=MERGE_PATCH)

        return await self._read_and_patch("conditions", path, patch)

    async def _read_and_patch(
        self, kind: str, path: str, patch: Callable[[bytes], Call | None]
    ) -> Result:
        try:
            for _ in range(_ATTEMPTS):
                answer = await self._writes.read(path)
                if not answer.ok:
                    return result_of(answer)
                call = patch(answer.body)
                if call is None:
                    return Result(Outcome.DONE)
                answer = await self._writes.attempt(kind, call)
                if not lost_the_race(answer):
                    return result_of(answer)
            return Result(Outcome.CONFLICT, answer.message)
        except (ApiUnreachable, NotLeading) as error:
            return Result(Outcome.UNKNOWN, str(error))
        except msgspec.DecodeError as error:
            return Result(Outcome.REFUSED, f"{path} cannot be read: {error}.")

    def _merged(
        self, old: Iterable[Mapping[str, Any]], new: Sequence[Condition]
    ) -> list[dict[str, Any]] | None:
        """All conditions as they ought to be; None: they are so already."""
        by_type = {str(one.get("type")): dict(one) for one in old}
        changed = False
        for condition in new:
            before = by_type.get(condition.type, {})
            after = self._written(condition, before)
            changed |= after != before
            by_type[condition.type] = after
        return list(by_type.values()) if changed else None

    def _written(self, condition: Condition, before: Mapping[str, Any]) -> dict[str, Any]:
        stays = before.get("status") == condition.status and "lastTransitionTime" in before
        now = format_instant(self._clock.now() // 1_000 * 1_000)
        return {
            "type": condition.type,
            "status": condition.status,
            "reason": condition.reason,
            "message": condition.message,
            "lastTransitionTime": before["lastTransitionTime"] if stays else now,
            "observedGeneration": condition.observed_generation,
        }


def _reported(circuit: ObservedCircuit) -> dict[str, object]:
    """As it stands in a status: without what was not reported."""
    currents = circuit.uncontrolled_milliamps or (None, None, None)
    written = {
        "name": circuit.name,
        "uncontrolledLoadWatts": circuit.uncontrolled_load_watts,
        "generationWatts": circuit.generation_watts,
        "exportWatts": circuit.export_watts,
        **{
            f"uncontrolledMilliamps{phase}": current
            for phase, current in zip(Phase, currents, strict=True)
        },
        "observedAt": _time(circuit.observed_at),
        "peakWatts": circuit.peak_watts,
        "peakAt": _time(circuit.peak_at),
        "curtailedToWatts": circuit.curtailed_to_watts,
        "curtailedUntil": _time(circuit.curtailed_until),
    }
    return {name: value for name, value in written.items() if value is not None}


def _time(instant: Instant | None) -> str | None:
    return None if instant is None else format_instant(instant)


def _path(kind: str, name: str) -> str:
    return f"{API_GROUP_PATH}/{KINDS[kind].naming.plural}/{quote(name)}"


def _is_tainted(node: NodeObject) -> bool:
    return any(
        taint.key == TAINT_KEY and taint.effect == TAINT_EFFECT for taint in node.spec.taints or ()
    )


def _taint_patch(node: NodeObject) -> list[dict[str, object]]:
    taint = {"key": TAINT_KEY, "effect": TAINT_EFFECT}
    version = node.metadata.resource_version
    test: dict[str, object] = {"op": "test", "path": "/metadata/resourceVersion", "value": version}
    if node.spec.taints:
        return [test, {"op": "add", "path": "/spec/taints/-", "value": taint}]
    return [test, {"op": "add", "path": "/spec/taints", "value": [taint]}]
