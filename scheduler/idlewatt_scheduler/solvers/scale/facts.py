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
        first=pairs.first,
        vehicle=np.repeat(np.arange(tables.vehicles, dtype=np.int32), np.diff(pairs.first)),
        template=pairs.template,
        power=pairs.power,
        until=pairs.until,
        most=pairs.most,
        cost=pairs.cost,
        stay_cost=pairs.stay_cost,
        by_template=by_template,
        template_first=_starts(held_by),
        request=np.ascontiguousarray(wanted.request),
        wanted=wanted.count,
        weight=wanted.weight,
        priority=wanted.priority,
        gang=wanted.gang,
        gang_needs=wanted.gang_needs,
        start=offered.start,
        energy_most=offered.energy,
        opening=offered.opening,
        base=offered.base,
        standby=offered.standby,
        cap=offered.cap,
        charging=offered.charging,
        efficiency=offered.efficiency_percent,
        lone_from=offered.lone_from,
        lone_power=offered.lone_power,
        load_first=rooms.first,
        load_room=rooms.room,
        load_parts=rooms.parts,
        room_start=rooms.start,
        room_end=rooms.end,
        subject=np.ascontiguousarray(spreads.subject),
        counted=np.ascontiguousarray(spreads.counted),
        domain=np.ascontiguousarray(spreads.domain),
        domain_first=spreads.first,
        skew=spreads.skew,
        floor_is_zero=spreads.floor_is_zero,
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
