"""A snapshot, told by what changed: frozen objects that were shown before are known by a number.

Whether an object is the one that was shown is a matter of its identity, which takes no time to
compare; the core's values are frozen, so the same object is the same value.
"""

from array import array
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from idlewatt_operator.planning.messages import Kind, Show
from idlewatt_operator.planning.wire import decoder, encode
from idlewatt_scheduler.model.departures import DepartureModel
from idlewatt_scheduler.model.policy import FleetPolicy
from idlewatt_scheduler.model.site import Site
from idlewatt_scheduler.model.snapshot import Snapshot
from idlewatt_scheduler.model.tariff import Tariff
from idlewatt_scheduler.model.vehicle import Vehicle
from idlewatt_scheduler.model.workload import HostPort, Node, Pod, RunningPod

OBJECTS_AT_ONCE: Final = 500
"""So many are written between two looks of the event loop at anything else."""

_NUMBER: Final = "I"

_SHAPES: Final[Mapping[Kind, Any]] = {
    Kind.VEHICLE: list[Vehicle],
    Kind.NODE: list[tuple[str, Node]],
    Kind.SITE: list[tuple[str, Site]],
    Kind.TARIFF: list[tuple[str, Tariff]],
    Kind.PENDING: list[Pod],
    Kind.RUNNING: list[RunningPod],
    Kind.OTHER_USE: list[tuple[str, dict[str, int]]],
    Kind.OTHER_PORTS: list[tuple[str, tuple[HostPort, ...]]],
    Kind.POLICY: list[FleetPolicy],
    Kind.DEPARTURES: list[DepartureModel | None],
}


def parts(snapshot: Snapshot) -> Iterator[tuple[Kind, Iterable[tuple[object, object, object]]]]:
    """By kind each object: what it is known by, the object, and what is written of it."""
    for kind, objects in (
        (Kind.VEHICLE, snapshot.vehicles),
        (Kind.PENDING, snapshot.pending),
        (Kind.RUNNING, snapshot.running),
        (Kind.POLICY, (snapshot.policy,)),
        (Kind.DEPARTURES, (snapshot.departures,)),
    ):
        yield kind, ((id(each), each, each) for each in objects)
    named: tuple[tuple[Kind, Mapping[str, object]], ...] = (
        (Kind.NODE, snapshot.nodes),
        (Kind.SITE, snapshot.sites),
        (Kind.TARIFF, snapshot.tariffs),
        (Kind.OTHER_USE, snapshot.other_use),
        (Kind.OTHER_PORTS, snapshot.other_ports),
    )
    for kind, mapping in named:
        yield kind, ((name, each, (name, each)) for name, each in mapping.items())


@dataclass
class _Row:
    """One object that was shown."""

    value: object
    number: int


@dataclass
class Shown:
    """What the other side has been shown, and by which numbers it knows it."""

    _known: dict[Kind, dict[object, _Row]] = field(default_factory=dict)
    _next: int = 0

    def show(self, snapshot: Snapshot) -> Iterator[Show | dict[Kind, bytes]]:
        """The objects that are new, a few at a time, and last the rows of the snapshot by kind.

        It has to be gone through to its end, or nobody knows what the other side knows.

        Raises:
            TypeError: there is a value in it that cannot be written.
        """
        rows: dict[Kind, bytes] = {}
        for kind, entries in parts(snapshot):
            before = self._known.get(kind, {})
            now: dict[object, _Row] = {}
            order = array(_NUMBER)
            fresh: list[object] = []
            numbers = array(_NUMBER)
            for key, value, written in entries:
                row = now.get(key) or before.get(key)
                if row is None or row.value is not value:
                    self._next += 1
                    row = _Row(value, self._next)
                    fresh.append(written)
                    numbers.append(row.number)
                now[key] = row
                order.append(row.number)
                if len(fresh) >= OBJECTS_AT_ONCE:
                    yield _show(kind, numbers, fresh)
                    fresh, numbers = [], array(_NUMBER)
            if fresh:
                yield _show(kind, numbers, fresh)
            self._known[kind] = now
            rows[kind] = order.tobytes()
        yield rows


def _show(kind: Kind, numbers: "array[int]", objects: list[object]) -> Show:
    return Show(kind, numbers.tobytes(), msgspec.Raw(encode(objects)))


class Seen:
    """The other side of it: objects by number, put together again."""

    def __init__(self) -> None:
        self._decoders = {kind: decoder(shape) for kind, shape in _SHAPES.items()}
        self._objects: dict[Kind, dict[int, Any]] = {kind: {} for kind in Kind}

    def take(self, shown: Show) -> None:
        """Keep what was shown.

        Raises:
            msgspec.MsgspecError, ValueError: it cannot be read.
        """
        objects = self._decoders[shown.kind].decode(shown.objects)
        self._objects[shown.kind].update(zip(_numbers(shown.numbers), objects, strict=True))

    def snapshot(self, at: int, rows: Mapping[Kind, bytes]) -> Snapshot:
        """The snapshot that is made of these rows; objects in none of them are forgotten.

        Raises:
            KeyError: one was never shown.
        """
        found: dict[Kind, list[Any]] = {}
        for kind in Kind:
            known, order = self._objects[kind], _numbers(rows[kind])
            found[kind] = [known[number] for number in order]
            self._objects[kind] = dict(zip(order, found[kind], strict=True))
        return Snapshot(
            at=at,
            policy=found[Kind.POLICY][0],
            vehicles=tuple(found[Kind.VEHICLE]),
            nodes=dict(found[Kind.NODE]),
            sites=dict(found[Kind.SITE]),
            tariffs=dict(found[Kind.TARIFF]),
            pending=tuple(found[Kind.PENDING]),
            running=tuple(found[Kind.RUNNING]),
            other_use=dict(found[Kind.OTHER_USE]),
            departures=found[Kind.DEPARTURES][0],
            other_ports=dict(found[Kind.OTHER_PORTS]),
        )


def _numbers(written: bytes) -> "array[int]":
    numbers = array(_NUMBER)
    numbers.frombytes(written)
    return numbers
