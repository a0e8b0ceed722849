"""The meters: what every car and every circuit drew, by quarter of an hour.

A quarter of an hour is the interval in which grid use is settled and a demand is measured. Prices
and carbon change on quarters, so money and grams are exact sums over them.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from idlewatt_operator.twin.journal import Draw
from idlewatt_operator.twin.loads import chain
from idlewatt_operator.twin.scenario import Scenario
from idlewatt_operator.twin.stays import Stay
from idlewatt_scheduler.model.units import MINUTE, Instant, Milliseconds

QUARTER: Final[Milliseconds] = 15 * MINUTE
MILLIWATT_MILLISECONDS_PER_KWH: Final = 3_600_000_000_000


@dataclass
class Reading:
    """One car's meter, or one circuit's: a figure per quarter.

    Attributes:
        charging: AC watt-milliseconds into batteries.
        computing: AC milliwatt-milliseconds.
        computing_dc: milliwatt-milliseconds at the computer.
        busy: milliseconds in which pods of ours were on the car.
    """

    charging: list[float]
    computing: list[int]
    computing_dc: list[int]
    busy: list[int]


@dataclass
class Meter:
    """Every reading of a play, by vehicle and by site and circuit.

    Attributes:
        read: how many draws of each vehicle are counted already.
    """

    scenario: Scenario
    vehicles: dict[str, Reading] = field(default_factory=dict)
    circuits: dict[tuple[str, str], Reading] = field(default_factory=dict)
    read: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for vehicle in self.scenario.vehicles:
            self.vehicles[vehicle.name] = self._blank()
        for site in self.scenario.sites:
            for circuit in site.circuits:
                self.circuits[site.name, circuit.name] = self._blank()
        self._chains = {
            (site.name, circuit.name): tuple(chain(site.name, circuit.name, self.scenario))
            for site in self.scenario.sites
            for circuit in site.circuits
        }

    @property
    def quarters(self) -> int:
        """How many quarters the play has."""
        return -(-(self.scenario.end - self.scenario.start) // QUARTER)

    def starts(self) -> Iterator[Instant]:
        """When each quarter begins."""
        for index in range(self.quarters):
            yield self.scenario.start + index * QUARTER

    def count(self, vehicle: str, draws: list[Draw]) -> None:
        """Add what this vehicle drew since it was last counted."""
        for draw in draws[self.read.get(vehicle, 0) :]:
            self._add(draw, self.vehicles[vehicle])
        self.read[vehicle] = len(draws)

    def _add(self, draw: Draw, own: Reading) -> None:
        readings = (own, *(self.circuits[key] for key in self._chains[draw.site, draw.circuit]))
        for index, length in self._split(draw.start, draw.end):
            for reading in readings:
                reading.charging[index] += draw.charging_watts * length
                reading.computing[index] += draw.computing * length
                reading.computing_dc[index] += draw.computing_dc * length
            if draw.computing_dc:
                own.busy[index] += length

    def _split(self, start: Instant, end: Instant) -> Iterator[tuple[int, Milliseconds]]:
        at = start
        while at < end:
            index = (at - self.scenario.start) // QUARTER
            until = min(end, self.scenario.start + (index + 1) * QUARTER)
            if 0 <= index < self.quarters:
                yield index, until - at
            at = until

    def _blank(self) -> Reading:
        count = self.quarters
        return Reading([0.0] * count, [0] * count, [0] * count, [0] * count)


def charged_alone(scenario: Scenario) -> Meter:
    """The meters of the same stays without us: charged at once, nothing computed."""
    meter = Meter(scenario)
    for stay in scenario.stays:
        meter.count(stay.vehicle, list(_alone(stay, scenario)))
        meter.read[stay.vehicle] = 0
    return meter


def draws_alone(scenario: Scenario) -> Iterator[Draw]:
    """What the same stays would have drawn without us."""
    for stay in scenario.stays:
        yield from _alone(stay, scenario)


def _alone(stay: Stay, scenario: Scenario) -> Iterator[Draw]:
    start = max(stay.arrives_at, scenario.start)
    end = min(stay.charged_alone_at, stay.leaves_at, scenario.end)
    watts = float(min(stay.charge_power_watts, stay.limit_watts))
    if start < end:
        yield Draw(start, end, stay.site, stay.circuit, watts, 0, 0)
