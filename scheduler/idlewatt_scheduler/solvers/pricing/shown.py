"""The prices of a plan in words people use: kilowatts, vehicles through an hour, places."""

from collections.abc import Iterator, Sequence

import numpy as np

from idlewatt_scheduler.model.shadow import CircuitPrice, PodPrice, Prices, SlotPrice, Worth
from idlewatt_scheduler.solvers.pricing.duals import Duals
from idlewatt_scheduler.tables.layout import Indices, Tables

_HOUR = 3_600_000
_HOURS = 24
_MILLIWATTS_IN_A_KILOWATT = 1_000_000
_SIXTHS = 6
_NOTHING = 1e-9


def prices_of(
    tables: Tables,
    samples: Sequence[str],
    placed: Indices,
    weights: Duals | None,
    moneys: Duals | None,
) -> Prices:
    """What more of what is scarce would be worth.

    Args:
        tables: what was planned on.
        samples: by template, the key of its oldest pod.
        placed: int[T], how many pods of each were placed.
        weights: prices in weight; None: all weight that there is was placed.
        moneys: prices in money at the weight that was placed; None: they are not known.
    """
    return Prices(
        circuits=tuple(_circuits(tables, weights, moneys)),
        slots=tuple(_slots(tables, weights, moneys)),
        pods=tuple(_pods(tables, samples, placed, weights, moneys)),
    )


def _circuits(
    tables: Tables, weights: Duals | None, moneys: Duals | None
) -> Iterator[CircuitPrice]:
    """Rooms that have a price, by site, name and time."""
    rooms = tables.rooms
    last = int(tables.offered.departure.max(initial=0))
    order = sorted(range(len(rooms.key)), key=lambda room: (rooms.key[room], rooms.start[room]))
    for room in order:
        site, circuit, *phase = rooms.key[room]
        unit = _MILLIWATTS_IN_A_KILOWATT * (_SIXTHS if phase else 1)
        worth = Worth(
            weight=float(weights.room[room]) * unit if weights is not None else 0.0,
            money=float(moneys.room[room]) * unit if moneys is not None else 0.0,
        )
        if max(worth.weight, worth.money) > _NOTHING:
            start = max(int(rooms.start[room]), 0)
            yield CircuitPrice(
                site=site,
                circuit=circuit,
                phase=phase[0] if phase else None,
                start=tables.at + start,
                end=tables.at + max(min(int(rooms.end[room]), last), start),
                kilowatt=worth,
            )


def _slots(tables: Tables, weights: Duals | None, moneys: Duals | None) -> Iterator[SlotPrice]:
    """By site and hour: what the vehicles that stay through it add, in the mean."""
    sites = len(tables.sites)
    known = tables.site >= 0
    for site in sorted(range(sites), key=lambda index: tables.sites[index]):
        here = np.flatnonzero(known & (tables.site == site))
        for hour in range(_HOURS):
            stay = here[tables.offered.departure[here] >= (hour + 1) * _HOUR]
            if not len(stay):
                break
            yield SlotPrice(
                site=tables.sites[site],
                start=tables.at + hour * _HOUR,
                end=tables.at + (hour + 1) * _HOUR,
                vehicles=len(stay),
                slot=Worth(
                    weight=float(weights.best[stay].mean()) if weights is not None else 0.0,
                    money=float(moneys.best[stay].mean()) if moneys is not None else 0.0,
                ),
            )


def _pods(
    tables: Tables,
    samples: Sequence[str],
    placed: Indices,
    weights: Duals | None,
    moneys: Duals | None,
) -> Iterator[PodPrice]:
    """By template: a place is worth what a placed pod earns, before what it costs there.

    Where no vehicle takes a template, the first place for it is worth the weight of a pod.
    """
    taken = np.bincount(tables.pairs.template, minlength=tables.templates) > 0
    for template, sample in enumerate(samples):
        pods = int(tables.wanted.count[template])
        place = Worth(weight=float(tables.wanted.weight[template]))
        if taken[template]:
            place = Worth(
                weight=max(float(weights.pod[template]), 0.0) if weights is not None else 0.0,
                money=max(float(moneys.pod[template]), 0.0) if moneys is not None else 0.0,
            )
        yield PodPrice(sample=sample, pods=pods, waiting=pods - int(placed[template]), place=place)
