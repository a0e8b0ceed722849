"""The four promises, measured: kept or broken is what the meters and the containers say.

- Owner: broken where, at the actual departure, the charge is below the lesser of the departure
  charge and what the same stay would have held, charged at once, without us; or where a
  container still ran when the park lock opened. Where the charge point failed in that stay, a
  charge that is missing counts apart.
- Workload: broken where the car ended containers, not a drain.
- Grid: broken by a minute in which a circuit carried more than it may while something of it was
  ours to shed: charging that follows a profile of ours, or pods that were not told to leave yet.
- Platform engineer: broken by a pod that waited, after a cycle, without a reason.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from idlewatt_operator.twin.journal import Departure
from idlewatt_operator.twin.kubelet import EndedBy, Run
from idlewatt_operator.twin.loads import INTERVAL, Load, Loads
from idlewatt_operator.twin.places import local_time
from idlewatt_operator.twin.scenario import Scenario
from idlewatt_scheduler.model.units import MINUTE, Milliseconds
from idlewatt_scheduler.model.vehicle import Vehicle

CHARGE_TOLERANCE_WATT_HOURS: Final = 0.5
"""Under a thousandth of the smallest battery: below it two sums of the same energy may differ."""


@dataclass(frozen=True, slots=True)
class Measured:
    """One promise.

    Attributes:
        chances: how often it could have been broken.
        broken: a sentence for each time it was; minutes that follow each other share one.
        times: how often it was broken.
        apart: sentences about what was amiss and is nobody's breach.
    """

    to_whom: str
    of: str
    chances: int
    broken: tuple[str, ...]
    times: int
    apart: tuple[str, ...] = ()

    @property
    def kept(self) -> int:
        """How often it was kept."""
        return self.chances - self.times


@dataclass(frozen=True, slots=True)
class Promises:
    """All four, and what the same circuits would have seen without us.

    Attributes:
        over_alone: minutes over a circuit's limit without us.
        over_unshed: minutes over a limit while nothing there was ours to shed any sooner.
        reactions: milliseconds from each curtailment, and each end of one, until it was acted on.
    """

    owner: Measured
    workload: Measured
    grid: Measured
    platform: Measured
    over_alone: int
    over_unshed: int
    reactions: tuple[Milliseconds, ...] = ()

    @property
    def times_broken(self) -> int:
        """How often any of them was broken."""
        return sum(promise.times for promise in self.each())

    def each(self) -> tuple[Measured, ...]:
        """In the order of `docs/reference`: owner, workload, grid, platform engineer."""
        return (self.owner, self.workload, self.grid, self.platform)


def owner(departures: list[Departure], scenario: Scenario) -> Measured:
    """The promise to the owner, at every departure."""
    vehicles = {vehicle.name: vehicle for vehicle in scenario.vehicles}
    broken, apart = [], []
    for departure in departures:
        short = short_of_charge(departure, vehicles[departure.stay.vehicle])
        clock = local_time(departure.stay.leaves_at, scenario.zone)
        who = f"{clock:%a %H:%M} {departure.stay.vehicle}"
        if departure.cut_off:
            names = ", ".join(run.pod for run in departure.cut_off)
            broken.append(f"{who}: {names} still ran when the park lock opened")
        elif short and departure.charger_failed:
            apart.append(f"{who}: {short}, since its charge point had failed")
        elif short:
            early = ", before its time" if departure.stay.leaves_early else ""
            broken.append(f"{who}: {short}{early}")
    return Measured(
        "owner", "departures", len(departures), tuple(broken), len(broken), tuple(apart)
    )


def promised_watt_hours(departure: Departure, vehicle: Vehicle) -> float:
    """The least the battery has to hold at this departure."""
    battery = vehicle.battery
    wanted = battery.net_capacity_watt_hours * battery.departure_percent / 100
    return min(wanted, departure.alone_watt_hours)


def short_of_charge(departure: Departure, vehicle: Vehicle) -> str:
    """How much less it left with than was promised, in words; empty: it left with that."""
    least = promised_watt_hours(departure, vehicle)
    if departure.watt_hours >= least - CHARGE_TOLERANCE_WATT_HOURS:
        return ""
    return (
        f"left with {departure.watt_hours / 1_000:.2f} kWh where {least / 1_000:.2f} were promised"
    )


def workload(runs: list[Run], scenario: Scenario) -> Measured:
    """The promise to the workload, for every run that ended."""
    ended = [run for run in runs if run.ended_at is not None]
    broken = [
        f"{local_time(run.ended_at or 0, scenario.zone):%a %H:%M} {run.pod}: ended by {run.node}"
        for run in ended
        if run.ended_by is EndedBy.CAR
    ]
    return Measured("workload", "runs", len(ended), tuple(broken), len(broken))


def grid(loads: Loads, alone: Loads) -> tuple[Measured, int, int]:
    """The promise to the grid, for every circuit and minute; minutes over a limit otherwise.

    Returns:
        The promise; minutes over a limit without us; with us, but with none of ours to shed.
    """
    broken: list[str] = []
    times = over_unshed = chances = 0
    minutes = range(len(loads.starts()))
    for (site, name), load in loads.circuits.items():
        over = [index for index in minutes if load.is_over(index)]
        ours = [index for index in over if load.could_be_shed(index)]
        chances += len(minutes)
        times += len(ours)
        over_unshed += len(over) - len(ours)
        circuit = f"{site}/{name}"
        broken += [_over(loads, circuit, load, stretch) for stretch in _stretches(ours)]
    over_alone = sum(1 for load in alone.circuits.values() for i in minutes if load.is_over(i))
    promise = Measured("grid", "circuit minutes", chances, tuple(broken), times)
    return promise, over_alone, over_unshed


def _over(loads: Loads, circuit: str, load: Load, stretch: list[int]) -> str:
    """A sentence about minutes that follow each other; its figures are those of the worst."""
    worst = max(stretch, key=lambda index: load.total(index) - load.limit[index])
    clock = local_time(loads.starts()[stretch[0]], loads.scenario.zone)
    length = f" for {len(stretch) * INTERVAL // MINUTE} min" if len(stretch) > 1 else ""
    return (
        f"{clock:%a %H:%M} {circuit}: {load.total(worst) / 1_000:.1f} of "
        f"{load.limit[worst] / 1_000:.1f} kW{length}, {load.ours[worst] / 1_000:.1f} of them ours"
    )


def _stretches(indices: list[int]) -> Iterator[list[int]]:
    """Numbers that follow each other, together."""
    for _, group in groupby(enumerate(indices), key=lambda pair: pair[1] - pair[0]):
        yield [index for _, index in group]


def platform(silent: Mapping[str, str], asked: int) -> Measured:
    """The promise to the platform engineer: every pod that waits says why.

    Args:
        silent: the pods that waited without a reason after a cycle, and when first.
        asked: how many pods ever waited.
    """
    broken = tuple(f"{when} {pod}: no reason" for pod, when in silent.items())
    return Measured("platform engineer", "waiting pods", asked, broken, len(broken))
