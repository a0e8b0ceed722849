"""The four promises, measured: kept or broken is what the meters and the containers say.

- Owner: broken where, at the actual departure, the charge is below the lesser of the departure
  charge and what the same stay would have held, charged at once, without us; or where a
  container still ran when the park lock opened.
- Workload: broken where the car ended containers, not a drain.
- Grid: broken by a quarter of an hour in which a circuit was over its limit while pods drew there.
- Platform engineer: broken by a pod that waited, after a cycle, without a reason.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from idlewatt_operator.twin.journal import Departure
from idlewatt_operator.twin.kubelet import EndedBy, Run
from idlewatt_operator.twin.meter import QUARTER, Meter, Reading
from idlewatt_operator.twin.places import local_time
from idlewatt_operator.twin.scenario import Scenario
from idlewatt_scheduler.model.vehicle import Vehicle

CHARGE_TOLERANCE_WATT_HOURS: Final = 0.5
"""Under a thousandth of the smallest battery: below it two sums of the same energy may differ."""


@dataclass(frozen=True, slots=True)
class Measured:
    """One promise: how often it could have been broken, and a sentence for each time it was."""

    to_whom: str
    of: str
    chances: int
    broken: tuple[str, ...]

    @property
    def kept(self) -> int:
        """How often it was kept."""
        return self.chances - len(self.broken)


@dataclass(frozen=True, slots=True)
class Promises:
    """All four, and what the same circuits would have seen without us.

    Attributes:
        over_alone: quarters over a circuit's limit without us.
        over_with_us: quarters over a limit while our pods drew nothing there: charging alone.
    """

    owner: Measured
    workload: Measured
    grid: Measured
    platform: Measured
    over_alone: int
    over_unshed: int

    def each(self) -> tuple[Measured, ...]:
        """In the order of `docs/reference`: owner, workload, grid, platform engineer."""
        return (self.owner, self.workload, self.grid, self.platform)


def owner(departures: list[Departure], scenario: Scenario) -> Measured:
    """The promise to the owner, at every departure."""
    vehicles = {vehicle.name: vehicle for vehicle in scenario.vehicles}
    broken = []
    for departure in departures:
        why = _owner_broken(departure, vehicles[departure.stay.vehicle])
        if why:
            clock = local_time(departure.stay.leaves_at, scenario.zone)
            broken.append(f"{clock:%a %H:%M} {departure.stay.vehicle}: {why}")
    return Measured("owner", "departures", len(departures), tuple(broken))


def promised_watt_hours(departure: Departure, vehicle: Vehicle) -> float:
    """The least the battery has to hold at this departure."""
    battery = vehicle.battery
    wanted = battery.net_capacity_watt_hours * battery.departure_percent / 100
    return min(wanted, departure.alone_watt_hours)


def _owner_broken(departure: Departure, vehicle: Vehicle) -> str:
    least = promised_watt_hours(departure, vehicle)
    if departure.watt_hours < least - CHARGE_TOLERANCE_WATT_HOURS:
        return (
            f"left with {departure.watt_hours / 1_000:.2f} kWh where {least / 1_000:.2f} were "
            "promised"
        )
    if departure.cut_off:
        names = ", ".join(run.pod for run in departure.cut_off)
        return f"{names} still ran when the park lock opened"
    return ""


def workload(runs: list[Run], scenario: Scenario) -> Measured:
    """The promise to the workload, for every run that ended."""
    ended = [run for run in runs if run.ended_at is not None]
    broken = [
        f"{local_time(run.ended_at or 0, scenario.zone):%a %H:%M} {run.pod}: ended by {run.node}"
        for run in ended
        if run.ended_by is EndedBy.CAR
    ]
    return Measured("workload", "runs", len(ended), tuple(broken))


def grid(meter: Meter, alone: Meter) -> tuple[Measured, int, int]:
    """The promise to the grid, for every circuit and quarter; quarters over a limit otherwise.

    Returns:
        The promise; quarters over a limit without us; with us, but with none of ours to shed.
    """
    scenario = meter.scenario
    broken: list[str] = []
    over_alone = over_unshed = chances = 0
    for (site, name), reading in meter.circuits.items():
        limit = limit_watts(scenario, site, name)
        without = loads(meter, alone.circuits[site, name], site, name)
        over_alone += sum(1 for load in without if load > limit)
        for index, load in enumerate(loads(meter, reading, site, name)):
            chances += 1
            if load <= limit:
                continue
            if not reading.computing[index]:
                over_unshed += 1
                continue
            clock = local_time(scenario.start + index * QUARTER, scenario.zone)
            ours = reading.computing[index] / 1_000 / QUARTER
            broken.append(
                f"{clock:%a %H:%M} {site}/{name}: {load / 1_000:.1f} of {limit / 1_000:.1f} kW, "
                f"{ours / 1_000:.1f} of them for pods"
            )
    promise = Measured("grid", "circuit quarters", chances, tuple(broken))
    return promise, over_alone, over_unshed


def limit_watts(scenario: Scenario, site: str, circuit: str) -> int:
    """The limit of a circuit."""
    return next(
        each.import_capacity_limit_watts
        for held in scenario.sites
        if held.name == site
        for each in held.circuits
        if each.name == circuit
    )


def loads(meter: Meter, reading: Reading, site: str, circuit: str) -> list[float]:
    """Mean watts on a circuit per quarter: its cars', and the house's on a site's first one."""
    scenario = meter.scenario
    first = next(held.circuits[0].name for held in scenario.sites if held.name == site)
    result = []
    for index, start in enumerate(meter.starts()):
        load = (reading.charging[index] + reading.computing[index] / 1_000) / QUARTER
        if circuit == first:
            load += scenario.house_watts[site][local_time(start, scenario.zone).hour]
        result.append(load)
    return result


def platform(silent: Mapping[str, str], asked: int) -> Measured:
    """The promise to the platform engineer: every pod that waits says why.

    Args:
        silent: the pods that waited without a reason after a cycle, and when first.
        asked: how many pods ever waited.
    """
    broken = tuple(f"{when} {pod}: no reason" for pod, when in silent.items())
    return Measured("platform engineer", "waiting pods", asked, broken)
