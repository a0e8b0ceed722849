"""The prices of a small fleet in words people use: kilowatts, vehicles through an hour, places."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from idlewatt_scheduler.model.shadow import CircuitPrice, PodPrice, Prices, SlotPrice, Worth
from idlewatt_scheduler.model.units import HOUR
from idlewatt_scheduler.solvers.patterns.master import Master
from idlewatt_scheduler.solvers.patterns.master import Prices as Duals
from idlewatt_scheduler.solvers.patterns.problem import Problem, RoomRow

_HOURS = 24
_MILLIWATTS_IN_A_KILOWATT = 1_000_000
_SIXTHS = 6
_NOTHING = 1e-9


@dataclass(frozen=True, slots=True)
class Priced:
    """What a linear program says things are worth, in weight or in money.

    Attributes:
        places: by template, what one more place for it is worth.
        rooms: by number, what a milliwatt of it is worth, of a phase a sixth of one.
        slots: by number, what its best pattern adds at the prices of everything else.
    """

    places: Mapping[int, float]
    rooms: tuple[float, ...]
    slots: tuple[float, ...]


def priced(problem: Problem, master: Master, duals: Duals) -> Priced:
    """What the prices of a program say; `master` is the one that they come from."""
    places = {}
    for template in problem.demand:
        asked = sum(
            float(price) * row.pods[template]
            for price, row in zip(duals.rows, master.joint.rows, strict=True)
            if row.slots is None and template in row.pods
        )
        places[template] = max(master.goal.pod(problem, template) - asked, 0.0)
    return Priced(places, tuple(map(float, duals.rooms)), tuple(map(float, duals.best)))


def prices_of(
    problem: Problem, waiting: Mapping[int, int], weights: Priced | None, moneys: Priced | None
) -> Prices:
    """What more of what is scarce would be worth.

    Args:
        problem: what was planned.
        waiting: by template, how many pods have no place.
        weights: prices in weight; None: they are not known.
        moneys: prices in money at the weight that was placed; None: they are not known.
    """
    return Prices(
        circuits=tuple(_circuits(problem, weights, moneys)),
        slots=tuple(_slots(problem, weights, moneys)),
        pods=tuple(_pods(problem, waiting, weights, moneys)),
    )


def _circuits(
    problem: Problem, weights: Priced | None, moneys: Priced | None
) -> Iterator[CircuitPrice]:
    """Rooms that have a price, by site, name and time."""
    rooms = sorted(enumerate(problem.rooms), key=lambda each: (each[1].key, each[1].instant))
    for number, room in rooms:
        site, circuit, *phase = room.key
        unit = _MILLIWATTS_IN_A_KILOWATT * (_SIXTHS if phase else 1)
        worth = Worth(
            *(
                each.rooms[number] * unit if each is not None and number < len(each.rooms) else 0.0
                for each in (weights, moneys)
            )
        )
        if max(worth.weight, worth.money) > _NOTHING:
            yield CircuitPrice(
                site=site,
                circuit=circuit,
                phase=phase[0] if phase else None,
                start=room.instant,
                end=_end(problem, room),
                kilowatt=worth,
            )


def _end(problem: Problem, room: RoomRow) -> int:
    """Until when as much is left of a room, as far as new pods may stay."""
    last = max(problem.slots[index].ends[-1] for index in room.parts)
    later = [start for start in problem.board.rooms[room.key].starts if start > room.instant]
    return max(min([last, *later]), room.instant)


def _slots(problem: Problem, weights: Priced | None, moneys: Priced | None) -> Iterator[SlotPrice]:
    """By site and hour: what the vehicles that stay through it add, in the mean."""
    at = problem.board.fleet.snapshot.at
    by_site: dict[str, list[tuple[int, int]]] = {}
    for index, slot in enumerate(problem.slots):
        parked = slot.parked
        if parked is not None and parked.case.site is not None and parked.departure is not None:
            by_site.setdefault(parked.case.site.name, []).append((index, parked.departure))
    for site, vehicles in sorted(by_site.items()):
        for hour in range(_HOURS):
            end = at + (hour + 1) * HOUR
            stay = [index for index, departure in vehicles if departure >= end]
            if not stay:
                break
            mean = (
                float(np.mean([each.slots[index] for index in stay])) if each is not None else 0.0
                for each in (weights, moneys)
            )
            yield SlotPrice(site, at + hour * HOUR, end, len(stay), Worth(*mean))


def _pods(
    problem: Problem,
    waiting: Mapping[int, int],
    weights: Priced | None,
    moneys: Priced | None,
) -> Iterator[PodPrice]:
    """By template: a place is worth what a placed pod earns, before what it costs there.

    Where no vehicle takes a template, the first place for it is worth the weight of a pod.
    """
    for number, template in enumerate(problem.board.templates):
        place = Worth(weight=float(template.weight))
        if number in problem.demand:
            place = Worth(
                *(0.0 if each is None else each.places[number] for each in (weights, moneys))
            )
        yield PodPrice(template.sample.key, len(template.pods), waiting.get(number, 0), place)
