"""What a plan leaves for the next one: who stood where, and what everything was worth.

The next plan knows other vehicles, pods and hours, so all of it is kept by name: a template by its
pods, a room by its circuit and the end of its time, a vehicle by its node.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from idlewatt_scheduler.candidates import Fleet
from idlewatt_scheduler.solvers.pricing.duals import Duals
from idlewatt_scheduler.solvers.pricing.looks import Look
from idlewatt_scheduler.solvers.scale.solving import Beginning, Known
from idlewatt_scheduler.tables.layout import Floats, Indices, Ints, Tables
from idlewatt_scheduler.templates import Template


@dataclass(frozen=True, slots=True)
class Earlier:
    """The plan of a little earlier.

    Attributes:
        node: by pod, where it was to stand.
        memory: that of its proof.
    """

    node: Mapping[str, str]
    memory: object | None = None


@dataclass(frozen=True, slots=True)
class Memory:
    """The columns of the last plan, what was known of them, and the names of their rows.

    Attributes:
        known: what was known in the end; its columns are those of `tables`.
        row: by node, its vehicle's row.
        template: by pod, its template's row.
        room: by circuit and the end of its time, the room's row.
    """

    tables: Tables
    known: Known
    row: Mapping[str, int]
    template: Mapping[str, int]
    room: Mapping[tuple[object, ...], int]


def remember(
    fleet: Fleet, templates: Sequence[Template], tables: Tables, known: object | None
) -> Memory | None:
    """What the next plan may begin from; None where nothing is known."""
    if not isinstance(known, Known):
        return None
    candidates = tables.offered.candidate.tolist()
    return Memory(
        tables=tables,
        known=known,
        row={fleet.candidates[each].node.name: row for row, each in enumerate(candidates)},
        template={pod.key: row for row, made in enumerate(templates) for pod in made.pods},
        room=_rooms_of(tables),
    )


def begin(
    fleet: Fleet, templates: Sequence[Template], tables: Tables, earlier: Earlier
) -> Beginning | None:
    """What is known of these columns from the last plan; None where nothing is."""
    memory = earlier.memory
    if not isinstance(memory, Memory):
        return None
    if memory.tables.resources != tables.resources:
        return None
    held = _held(fleet, templates, tables, earlier.node)
    known = memory.known
    stands = known.is_whole and np.array_equal(held, known.held)
    if stands and _same(memory.tables, tables):
        return Beginning(held, known.weights, known.moneys, known, turn=known.turn)
    vehicles = _vehicles(fleet, tables, memory)
    rows = _Rows(
        vehicle=vehicles,
        template=_templates(templates, memory),
        room=_matched(_rooms_of(tables), memory.room),
        held=held,
        domains=len(tables.spreads.running),
    )
    return Beginning(
        held,
        None if known.weights is None else rows.of(known.weights),
        None if known.moneys is None else rows.of(known.moneys),
        None,
        turn=known.turn + 1,
        gap=known.gap,
        calm=known.is_whole
        and int(held.sum()) == len(earlier.node)
        and len(vehicles) == len(memory.row)
        and bool((vehicles >= 0).all())
        and {pod.key for made in templates for pod in made.pods} == memory.template.keys(),
    )


@dataclass(frozen=True, slots=True)
class _Rows:
    """By row of the new columns, that of the old ones; -1: there is none."""

    vehicle: Ints
    template: Ints
    room: Ints
    held: Indices
    domains: int

    def of(self, duals: Duals) -> Duals:
        """The same prices for the new rows; what is new has the price of the middle, or none."""
        pod = _picked(duals.pod, self.template, float(np.median(duals.pod)))
        weight = _picked(duals.look.weight, self.vehicle, 1.0 / duals.look.weight.shape[1])
        as_before = len(duals.spread) == self.domains
        return replace(
            duals,
            pod=pod,
            place=_picked(duals.place, self.template, 0.0),
            room=_picked(duals.room, self.room, 0.0),
            spread=duals.spread if as_before else np.zeros(self.domains),
            best=_picked(duals.best, self.vehicle, 0.0),
            look=Look(weight, self.held.copy(), np.zeros(len(self.vehicle))),
        )


def _picked(values: Floats, rows: Ints, otherwise: float) -> Floats:
    known = (rows >= 0).reshape(-1, *([1] * (values.ndim - 1)))
    if not len(values):
        return np.full((len(rows), *values.shape[1:]), otherwise)
    return np.where(known, values[np.maximum(rows, 0)], otherwise).astype(np.float64)


def _held(
    fleet: Fleet, templates: Sequence[Template], tables: Tables, node: Mapping[str, str]
) -> Indices:
    """int32[N], what the last plan placed that still waits and may stand there."""
    names = (fleet.candidates[each].node.name for each in tables.offered.candidate.tolist())
    row = {name: index for index, name in enumerate(names)}
    pods = [
        (row[where], index)
        for index, template in enumerate(templates)
        for pod in template.pods
        if (where := node.get(pod.key)) is not None and where in row
    ]
    held = np.zeros(len(tables.pairs.template), np.int32)
    if pods:
        vehicle, template = np.array(pods, np.int64).T
        key = np.repeat(np.arange(tables.vehicles), np.diff(tables.pairs.first))
        keys = key * tables.templates + tables.pairs.template
        asked = vehicle * tables.templates + template
        at = np.minimum(np.searchsorted(keys, asked), max(len(keys) - 1, 0))
        there = keys[at] == asked if len(keys) else np.zeros(len(asked), np.bool_)
        np.add.at(held, at[there], 1)
    return held


def _same(before: Tables, now: Tables) -> bool:
    """Whether nothing changed that a plan could depend on."""
    parts = ("wanted", "offered", "pairs", "rooms", "spreads")
    return before.at == now.at and all(
        _alike(getattr(before, part), getattr(now, part)) for part in parts
    )


def _alike(before: object, now: object) -> bool:
    for name in before.__dataclass_fields__:  # type: ignore[attr-defined]
        one, other = getattr(before, name), getattr(now, name)
        if isinstance(one, np.ndarray):
            if not np.array_equal(one, other):
                return False
        elif one != other:
            return False
    return True


def _vehicles(fleet: Fleet, tables: Tables, memory: Memory) -> Ints:
    names = (fleet.candidates[each].node.name for each in tables.offered.candidate.tolist())
    return np.array([memory.row.get(name, -1) for name in names], np.int64)


def _templates(templates: Sequence[Template], memory: Memory) -> Ints:
    """A template is the one that any of its pods was of."""
    rows = (
        next((memory.template[pod.key] for pod in made.pods if pod.key in memory.template), -1)
        for made in templates
    )
    return np.array(list(rows), np.int64)


def _rooms_of(tables: Tables) -> dict[tuple[object, ...], int]:
    ends = (tables.rooms.end + tables.at).tolist()
    return {
        (*key, end): row for row, (key, end) in enumerate(zip(tables.rooms.key, ends, strict=True))
    }


def _matched(
    now: Mapping[tuple[object, ...], int], before: Mapping[tuple[object, ...], int]
) -> Ints:
    return np.array([before.get(key, -1) for key in now], np.int64)
