"""Power and energy of one vehicle: what computes, what is drawn, what is left in the battery.

All power is whole milliwatts. Computing is DC; what a circuit sees is AC, computing divided by
the converter's efficiency, rounded down. Energy is milliwatts times milliseconds, so that
every sum is an integer and every comparison exact.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import pairwise

from idlewatt_scheduler.model.charging import ChargingProfile
from idlewatt_scheduler.model.units import FOREVER, Instant, Milliwatts, Quantities
from idlewatt_scheduler.model.vehicle import EnergySource, Supply, Vehicle

MILLIWATT_MILLISECONDS_PER_PERCENT_WATT_HOUR = 36_000_000
"""One percent of one watt-hour, in milliwatts times milliseconds."""


class Source(Enum):
    """Where a vehicle's computing takes its energy from, here and now."""

    GRID = "grid"
    BATTERY = "battery"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Stretch:
    """Power that is asked for from `start` to `end`, by a pod of ours."""

    start: Instant
    end: Instant
    power: Milliwatts


@dataclass(frozen=True, slots=True)
class Step:
    """A stretch of time in which nothing starts or ends.

    Attributes:
        pods: milliwatts of our pods, without standby.
        computing: the same with standby; 0 where no pod of ours stays.
    """

    start: Instant
    end: Instant
    pods: Milliwatts
    computing: Milliwatts


@dataclass(frozen=True, slots=True)
class Electrics:
    """The electrical figures of one vehicle that no plan changes.

    Attributes:
        plugged: it loads its circuit.
        cap: milliwatts AC, the most the plugged car may draw.
        charging: milliwatts AC, what goes into the battery where that is not `Controlled`.
        charging_reported: the charger said so, and it is more than nothing.
        standby: milliwatts DC, once while any pod of ours stays.
        efficiency_percent: from AC to DC.
    """

    source: Source
    plugged: bool
    cap: Milliwatts
    charging: Milliwatts
    charging_reported: bool
    standby: Milliwatts
    efficiency_percent: int

    def ac(self, computing: Milliwatts) -> Milliwatts:
        """AC milliwatts for so much DC."""
        return computing * 100 // self.efficiency_percent

    def draw(self, computing: Milliwatts, charging: Milliwatts | None = None) -> Milliwatts:
        """What the car takes from its circuit: charging and computing, at most its cap.

        Without `charging` it is what the charger reports.
        """
        if not self.plugged:
            return 0
        charging = self.charging if charging is None else charging
        return min(self.cap, charging + computing * 100 // self.efficiency_percent)


@dataclass(frozen=True, slots=True)
class Controlled:
    """The charging of a car whose charger follows a profile of ours.

    Until a new profile is acknowledged either may be true: a circuit has to carry the more, and
    the battery is credited with the less.

    Attributes:
        new: what this plan says, in pieces without gaps from `at` on; none: there is no new one.
        most: the greater of that and what is acknowledged, likewise.
        least: the lesser of the two.
    """

    new: tuple[Stretch, ...]
    most: tuple[Stretch, ...]
    least: tuple[Stretch, ...]


def controlled(
    acknowledged: ChargingProfile, new: ChargingProfile | None, at: Instant
) -> Controlled:
    """Two profiles as one car's charging from `at` on."""
    now = tuple(Stretch(*piece) for piece in acknowledged.pieces(at, FOREVER))
    if new is None:
        return Controlled((), now, ())
    then = tuple(Stretch(*piece) for piece in new.pieces(at, FOREVER))
    if now == then:
        return Controlled(then, then, then)
    edges = sorted({piece.start for piece in (*now, *then)} | {FOREVER})
    most: list[Stretch] = []
    least: list[Stretch] = []
    for start, end in pairwise(edges):
        powers = power_at(now, start), power_at(then, start)
        most.append(Stretch(start, end, max(powers)))
        least.append(Stretch(start, end, min(powers)))
    return Controlled(then, _joined(most), _joined(least))


def power_at(stretches: Sequence[Stretch], instant: Instant) -> Milliwatts:
    """The power of the stretch that holds an instant; 0 where there is none."""
    index = bisect_right(stretches, instant, key=lambda stretch: stretch.start) - 1
    if index < 0 or instant >= stretches[index].end:
        return 0
    return stretches[index].power


def _joined(stretches: Iterable[Stretch]) -> tuple[Stretch, ...]:
    """Neighbours of the same power as one."""
    result: list[Stretch] = []
    for stretch in stretches:
        if result and result[-1].power == stretch.power:
            result[-1] = Stretch(result[-1].start, stretch.end, stretch.power)
        else:
            result.append(stretch)
    return tuple(result)


def electrics(vehicle: Vehicle) -> Electrics:
    """The figures of a vehicle as it was last observed.

    A connection whose supply was never reported is held to be plugged and to draw the most.
    """
    connection = vehicle.observed.connection
    supply = connection.supply if connection else Supply.UNPLUGGED
    limit = connection.charge_power_limit_watts if connection else None
    reported = connection.charge_power_watts if connection else None
    cap = 1_000 * (vehicle.max_charge_power_watts if limit is None else limit)
    if reported is not None:
        charging = 1_000 * reported
    else:
        charging = 0 if supply is Supply.PLUGGED_NOT_SUPPLIED else cap
    return Electrics(
        source=source_of(vehicle, supply),
        plugged=supply is not Supply.UNPLUGGED,
        cap=cap,
        charging=charging,
        charging_reported=reported is not None and reported > 0,
        standby=1_000 * vehicle.compute.standby_power_watts,
        efficiency_percent=vehicle.compute.efficiency_percent,
    )


def source_of(vehicle: Vehicle, supply: Supply | None) -> Source:
    """The grid where it supplies and is consented to, else the battery if that is."""
    consented = vehicle.agreement.energy_sources if vehicle.agreement else frozenset()
    if supply is Supply.SUPPLIED and EnergySource.GRID in consented:
        return Source.GRID
    return Source.BATTERY if EnergySource.BATTERY in consented else Source.NONE


def pod_power(
    requests: Quantities, capacity: Quantities, max_power_watts: int, declared_watts: int | None
) -> Milliwatts:
    """What a pod draws: what it declares, or its share of the machine, whichever is more.

    The share is the largest it requests of cpu or of any extended resource (a name with `/`);
    a resource of no capacity is left out.
    """
    power = 1_000 * (declared_watts or 0)
    for name, request in requests.items():
        whole = capacity.get(name, 0)
        if whole > 0 and (name == "cpu" or "/" in name):
            power = max(power, 1_000 * max_power_watts * request // whole)
    return power


def steps(stretches: Iterable[Stretch], standby: Milliwatts) -> list[Step]:
    """The computing power over time, in order, only where some pod of ours stays."""
    changes: dict[Instant, list[int]] = {}
    for stretch in stretches:
        if stretch.start < stretch.end:
            for instant, sign in ((stretch.start, 1), (stretch.end, -1)):
                change = changes.setdefault(instant, [0, 0])
                change[0] += sign * stretch.power
                change[1] += sign
    result: list[Step] = []
    pods = count = since = 0
    for instant in sorted(changes):
        if count:
            result.append(Step(since, instant, pods, pods + standby))
        power, number = changes[instant]
        pods, count, since = pods + power, count + number, instant
    return result


def consumed(line: Iterable[Step], end: Instant) -> int:
    """DC energy of computing before `end`, in milliwatts times milliseconds."""
    return sum(
        step.computing * (min(step.end, end) - step.start) for step in line if step.start < end
    )


def spare(vehicle: Vehicle, floor_percent: int) -> int:
    """Energy in the battery above `floor_percent`, in milliwatts times milliseconds.

    Negative where the charge is already under it.
    """
    battery = vehicle.observed.battery
    charge = battery.state_of_charge_percent if battery else None
    percent = (0 if charge is None else charge) - floor_percent
    per_percent = vehicle.battery.net_capacity_watt_hours
    return percent * per_percent * MILLIWATT_MILLISECONDS_PER_PERCENT_WATT_HOUR


def computing_at(line: Iterable[Step], instant: Instant) -> Milliwatts:
    """Computing power at one instant."""
    return next((s.computing for s in line if s.start <= instant < s.end), 0)
