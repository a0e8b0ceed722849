"""The tables as one tuple of plain arrays, the form that compiled kernels take."""

from typing import NamedTuple

import numpy as np

from idlewatt_scheduler.tables.layout import Flags, Floats, Indices, Ints, SmallFloats, Tables


class Facts(NamedTuple):
    """What does not change while a plan is made; the lengths are those of `tables.layout`.

    Attributes:
        first: int64[V + 1], where the pairs of each vehicle begin.
        vehicle: int32[N], the vehicle of each pair.
        by_template: int64[N], the pairs sorted by template, then vehicle.
        template_first: int64[T + 1], where the pairs of each template begin in `by_template`.
        wanted: int64[T], pending pods of each template.
        groups: int32, the spread groups that constrain or count each template, one after another.
        group_first: int64[T + 1], where those of each template begin in `groups`.
    """

    first: Ints
    vehicle: Indices
    template: Indices
    power: Indices
    until: Indices
    most: Indices
    cost: SmallFloats
    stay_cost: SmallFloats
    by_template: Ints
    template_first: Ints
    request: Ints
    wanted: Ints
    weight: Ints
    priority: Ints
    gang: Indices
    gang_needs: Ints
    start: Ints
    energy_most: Ints
    opening: Floats
    base: Ints
    standby: Ints
    cap: Ints
    charging: Ints
    efficiency: Ints
    lone_from: Ints
    lone_power: Ints
    load_first: Ints
    load_room: Indices
    load_parts: Ints
    room_start: Ints
    room_end: Ints
    subject: Flags
    counted: Flags
    domain: Indices
    domain_first: Ints
    skew: Ints
    floor_is_zero: Flags
    groups: Indices
    group_first: Ints


def facts_of(tables: Tables) -> Facts:
    """The tables' columns, and the indices that planning looks things up by."""
    wanted, offered, pairs = tables.wanted, tables.offered, tables.pairs
    rooms, spreads = tables.rooms, tables.spreads
    by_template = np.argsort(_narrow(pairs.template, tables.templates), kind="stable")
    held_by = np.bincount(pairs.template, minlength=tables.templates)
    touched = (spreads.subject | spreads.counted).T.reshape(tables.templates, -1)
    return Facts(
        first=np.ascontiguousarray(pairs.first, np.int64),
        vehicle=np.repeat(np.arange(tables.vehicles, dtype=np.int32), np.diff(pairs.first)),
        template=np.ascontiguousarray(pairs.template, np.int32),
        power=np.ascontiguousarray(pairs.power, np.int32),
        until=np.ascontiguousarray(pairs.until, np.int32),
        most=np.ascontiguousarray(pairs.most, np.int32),
        cost=np.ascontiguousarray(pairs.cost, np.float32),
        stay_cost=np.ascontiguousarray(pairs.stay_cost, np.float32),
        by_template=by_template,
        template_first=_starts(held_by),
        request=np.ascontiguousarray(wanted.request, np.int64),
        wanted=np.ascontiguousarray(wanted.count, np.int64),
        weight=np.ascontiguousarray(wanted.weight, np.int64),
        priority=np.ascontiguousarray(wanted.priority, np.int64),
        gang=np.ascontiguousarray(wanted.gang, np.int32),
        gang_needs=np.ascontiguousarray(wanted.gang_needs, np.int64),
        start=np.ascontiguousarray(offered.start, np.int64),
        energy_most=np.ascontiguousarray(offered.energy, np.int64),
        opening=np.ascontiguousarray(offered.opening, np.float64),
        base=np.ascontiguousarray(offered.base, np.int64),
        standby=np.ascontiguousarray(offered.standby, np.int64),
        cap=np.ascontiguousarray(offered.cap, np.int64),
        charging=np.ascontiguousarray(offered.charging, np.int64),
        efficiency=np.ascontiguousarray(offered.efficiency_percent, np.int64),
        lone_from=np.ascontiguousarray(offered.lone_from, np.int64),
        lone_power=np.ascontiguousarray(offered.lone_power, np.int64),
        load_first=np.ascontiguousarray(rooms.first, np.int64),
        load_room=np.ascontiguousarray(rooms.room, np.int32),
        load_parts=np.ascontiguousarray(rooms.parts, np.int64),
        room_start=np.ascontiguousarray(rooms.start, np.int64),
        room_end=np.ascontiguousarray(rooms.end, np.int64),
        subject=np.ascontiguousarray(spreads.subject, np.bool_),
        counted=np.ascontiguousarray(spreads.counted, np.bool_),
        domain=np.ascontiguousarray(spreads.domain, np.int32),
        domain_first=np.ascontiguousarray(spreads.first, np.int64),
        skew=np.ascontiguousarray(spreads.skew, np.int64),
        floor_is_zero=np.ascontiguousarray(spreads.floor_is_zero, np.bool_),
        groups=np.nonzero(touched)[1].astype(np.int32),
        group_first=_starts(touched.sum(axis=1)),
    )


def _narrow(template: Indices, templates: int) -> Indices:
    """The same numbers in the narrowest type: short keys sort in linear time."""
    return template.astype(np.int16) if templates < np.iinfo(np.int16).max else template


def _starts(lengths: Ints) -> Ints:
    """Where each of so many rows of these lengths begins, and where the last one ends."""
    starts = np.zeros(len(lengths) + 1, np.int64)
    np.cumsum(lengths, out=starts[1:])
    return starts
