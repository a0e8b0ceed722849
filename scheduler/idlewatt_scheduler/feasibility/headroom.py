"""What the circuits above every vehicle leave, from its start on, in columns."""

from collections import defaultdict
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from idlewatt_scheduler.feasibility.circuits import Grid, share
from idlewatt_scheduler.feasibility.columns import PLENTY, Fleet, Ints
from idlewatt_scheduler.feasibility.power import is_plugged
from idlewatt_scheduler.feasibility.reading import Candidate
from idlewatt_scheduler.model.site import Circuit, Site

_Figures: TypeAlias = NDArray[np.int64]
"""Milliwatts in all, then sixths of a milliwatt on L1, L2 and L3, for each instant."""

SIXTHS: Final = 6


@dataclass(frozen=True, slots=True)
class Probe:
    """What is left at an instant, of the tightest circuit above each vehicle.

    Attributes:
        watts: milliwatts in all.
        phase: sixths of a milliwatt on the tightest phase that the car is on.
    """

    instant: Ints
    watts: Ints
    phase: Ints


class Headroom:
    """At each vehicle's start, and where least is left after it."""

    def __init__(self, fleet: Fleet, grid: Grid) -> None:
        self._grid = grid
        self._left: dict[tuple[str, str], tuple[Ints, _Figures]] = {}
        count = len(fleet.cars)
        self.parts = fleet.column(lambda car: _phases(car)[0])
        columns = [
            (fleet.start.copy(), np.full(count, PLENTY), np.full(count, PLENTY)) for _ in range(3)
        ]
        groups: defaultdict[tuple[str, str, tuple[bool, ...]], list[int]] = defaultdict(list)
        for number, car in enumerate(fleet.cars):
            if car.site is not None and car.circuits_above and is_plugged(car):
                key = (car.site.name, car.circuits_above[0].name, _phases(car)[1])
                groups[key].append(number)
        for key, numbers in groups.items():
            there = np.array(numbers)
            found = self._probed(fleet.cars[numbers[0]], key[2], fleet.start[there])
            for column, probe in zip(columns, found, strict=True):
                for whole, part in zip(column, probe, strict=True):
                    whole[there] = part
        self.at_start, self.least_watts, self.least_phase = (Probe(*column) for column in columns)

    def _probed(
        self, car: Candidate, on: tuple[bool, ...], start: Ints
    ) -> list[tuple[Ints, Ints, Ints]]:
        """Instant, watts and phase: at the start, at the least watts, at the least phase."""
        edges, left = self._above(car)
        watts = left[:, 0]
        phase = left[:, 1:][:, list(on)].min(axis=1, initial=PLENTY)
        first = np.maximum(np.searchsorted(edges, start, "right") - 1, 0)
        places = [first, _next_least(watts)[first], _next_least(phase)[first]]
        return [(np.maximum(edges[place], start), watts[place], phase[place]) for place in places]

    def _above(self, car: Candidate) -> tuple[Ints, _Figures]:
        """The least of what the circuits above a car leave, between the instants of change."""
        site = car.site
        levels = [self._of(site, circuit) for circuit in car.circuits_above] if site else []
        edges = np.unique(np.concatenate([edges for edges, _ in levels]))
        figures = [
            left[np.maximum(np.searchsorted(own, edges, "right") - 1, 0)] for own, left in levels
        ]
        return edges, np.minimum.reduce(figures)

    def _of(self, site: Site, circuit: Circuit) -> tuple[Ints, _Figures]:
        key = (site.name, circuit.name)
        if key not in self._left:
            reading, load = self._grid.circuit(site, circuit), self._grid.load(site, circuit)
            changes = {*load.edges, *reading.limit_edges}
            edges = sorted(edge for edge in changes if edge >= load.edges[0])
            left = [
                [limit - figure for limit, figure in zip(limits, load.at(edge), strict=True)]
                for edge in edges
                for limits in [reading.limits(edge)]
            ]
            self._left[key] = np.array(edges, np.int64), np.minimum(np.array(left), PLENTY)
        return self._left[key]


def _next_least(left: Ints) -> Ints:
    """For each place the first from there on at which as little is left as ever after."""
    ever_after = np.minimum.accumulate(left[::-1])[::-1]
    places = np.where(left == ever_after, np.arange(len(left)), len(left))
    return np.minimum.accumulate(places[::-1])[::-1]


def _phases(car: Candidate) -> tuple[int, tuple[bool, ...]]:
    """Over how many phases the car's draw is spread, and on which it is."""
    drawn, *on = share(car, SIXTHS * SIXTHS)
    parts = max(on)
    return SIXTHS * drawn // parts, tuple(each > 0 for each in on)
