"""What every circuit carried, minute by minute, and what of it was ours to shed.

A minute is the interval in which the promise to the grid is judged: shorter than any that is
billed, and long enough for a meter. What a pod still draws after it was told to leave is its
grace; nothing sheds it any sooner.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from idlewatt_operator.twin.grid import house_watts, limit_watts
from idlewatt_operator.twin.journal import Draw
from idlewatt_operator.twin.scenario import Scenario
from idlewatt_scheduler.model.units import MINUTE, Instant, Milliseconds

INTERVAL: Final[Milliseconds] = MINUTE
_SAME_WATTS: Final = 0.5
"""Under a thousandth of any circuit: below it two sums of the same power may differ."""


@dataclass(slots=True)
class Load:
    """One circuit: mean watts of every minute.

    Attributes:
        house: what is no car's.
        charging: into batteries, of every car on it and below it.
        computing: of our pods, standby included.
        ours: of both, what could have been shed.
        limit: what the circuit may carry.
    """

    house: list[float]
    charging: list[float]
    computing: list[float]
    ours: list[float]
    limit: list[float]

    def total(self, index: int) -> float:
        """All of it."""
        return self.house[index] + self.charging[index] + self.computing[index]

    def is_over(self, index: int) -> bool:
        """Whether the circuit carried more than it may."""
        return self.total(index) > self.limit[index] + _SAME_WATTS

    def could_be_shed(self, index: int) -> bool:
        """Whether any of it was ours to shed."""
        return self.ours[index] > _SAME_WATTS


@dataclass
class Loads:
    """Every circuit of a play, by site and circuit."""

    scenario: Scenario
    circuits: dict[tuple[str, str], Load]

    def starts(self) -> range:
        """When each minute begins."""
        return range(self.scenario.start, self.scenario.end, INTERVAL)


def loads_of(scenario: Scenario, draws: Iterable[Draw]) -> Loads:
    """What the circuits carried with these draws."""
    loads = Loads(scenario, {})
    for site in scenario.sites:
        for circuit in site.circuits:
            loads.circuits[site.name, circuit.name] = _unloaded(loads, site.name, circuit.name)
    chains = {key: tuple(chain(*key, scenario)) for key in loads.circuits}
    for draw in draws:
        computing = draw.computing / 1_000
        ours = draw.sheddable / 1_000
        above = [loads.circuits[key] for key in chains[draw.site, draw.circuit]]
        for index, share in _minutes(draw.start, draw.end, scenario):
            for load in above:
                load.charging[index] += draw.charging_watts * share
                load.computing[index] += computing * share
                load.ours[index] += ours * share
    return loads


def chain(site: str, circuit: str, scenario: Scenario) -> Iterator[tuple[str, str]]:
    """A circuit and all those above it."""
    parents = {each.name: each.parent for each in scenario.site(site).circuits}
    name: str | None = circuit
    while name is not None:
        yield site, name
        name = parents[name]


def _unloaded(loads: Loads, site: str, circuit: str) -> Load:
    """What stands there without any car."""
    scenario, starts = loads.scenario, loads.starts()
    is_first = scenario.site(site).circuits[0].name == circuit
    nothing = [0.0] * len(starts)
    return Load(
        house=[float(house_watts(scenario, site, at)) for at in starts] if is_first else nothing,
        charging=nothing.copy(),
        computing=nothing.copy(),
        ours=nothing.copy(),
        limit=[_limit(scenario, site, circuit, at) for at in starts],
    )


def _limit(scenario: Scenario, site: str, circuit: str, start: Instant) -> float:
    """The limit that holds throughout a minute: the greater of those at its ends."""
    ends = (start, start + INTERVAL - 1)
    return float(max(limit_watts(scenario, site, circuit, at) for at in ends))


def _minutes(start: Instant, end: Instant, scenario: Scenario) -> Iterator[tuple[int, float]]:
    """Each minute of a stretch, and how much of it lies in the stretch."""
    at, end = max(start, scenario.start), min(end, scenario.end)
    while at < end:
        index, into = divmod(at - scenario.start, INTERVAL)
        until = min(end, at - into + INTERVAL)
        yield index, (until - at) / INTERVAL
        at = until
