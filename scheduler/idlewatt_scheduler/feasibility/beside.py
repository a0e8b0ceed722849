"""Whether one more pod fits beside what a plan leaves on every vehicle, in columns.

All stays on a vehicle begin at `at` or at its start: nothing there grows later, so what is drawn
is greatest at the start of a new stay, and a battery's charge is least at its end.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Final

import numpy as np

from idlewatt_scheduler.feasibility.circuits import Grid
from idlewatt_scheduler.feasibility.columns import (
    PASSES,
    Flags,
    Fleet,
    Ints,
    Stays,
    note,
)
from idlewatt_scheduler.feasibility.headroom import SIXTHS, Headroom, Probe
from idlewatt_scheduler.feasibility.host_ports import host_port_taken
from idlewatt_scheduler.feasibility.power import (
    Source,
    acknowledged,
    draw_cap,
    is_plugged,
    reported_charging,
    source_of,
)
from idlewatt_scheduler.feasibility.reading import Candidate, Stay
from idlewatt_scheduler.model.reasons import PodReason
from idlewatt_scheduler.model.units import MILLIWATT_MILLISECONDS_PER_WATT_HOUR, milliwatts
from idlewatt_scheduler.model.vehicle import Vehicle
from idlewatt_scheduler.model.workload import Pod

StaysOn = Callable[[str], Sequence[Stay]]
_HUNDRED: Final = 100


class Supply:
    """What every vehicle's energy comes from, and how much there is: no placement changes it."""

    def __init__(self, fleet: Fleet) -> None:
        def of_vehicle(figure_of: Callable[[Vehicle], int]) -> Ints:
            return fleet.column(lambda car: figure_of(car.vehicle) if car.vehicle else 0)

        self.on_battery = fleet.column(lambda car: source_of(car) is Source.BATTERY).astype(bool)
        self.charge = fleet.column(_charge)
        self.reserve = of_vehicle(lambda vehicle: vehicle.battery.reserve_percent)
        self.wanted = of_vehicle(lambda vehicle: vehicle.battery.departure_percent)
        net = of_vehicle(lambda vehicle: vehicle.battery.net_capacity_watt_hours)
        self.whole = net * MILLIWATT_MILLISECONDS_PER_WATT_HOUR
        self.plugged = fleet.column(is_plugged).astype(bool)
        self.cap = fleet.column(draw_cap)
        self.charging = fleet.column(reported_charging)
        self.is_charged = fleet.column(_is_charged).astype(bool)
        self.efficiency = of_vehicle(lambda vehicle: vehicle.compute.efficiency_percent)
        self.standby = of_vehicle(lambda vehicle: milliwatts(vehicle.compute.standby_power_watts))
        self.by_profile = fleet.column(lambda car: acknowledged(car) is not None).astype(bool)

    def ac_of(self, dc: Ints, rows: "Ints | slice") -> Ints:
        """Milliwatts at the wall, of some of the vehicles."""
        wall: Ints = dc * _HUNDRED // self.efficiency[rows]
        return wall

    def drawn_of(self, computing: Ints, rows: "Ints | slice") -> Ints:
        """What plugged cars take from their circuits, of some of the vehicles."""
        drawn: Ints = np.minimum(self.cap[rows], self.charging[rows] + self.ac_of(computing, rows))
        return drawn


class Load:
    """The stays on every vehicle as columns: a row for each, as wide as the most there are."""

    def __init__(self, stays: Sequence[Sequence[Stay]], standby: Ints) -> None:
        width = max(map(len, stays), default=0)
        self._standby = standby
        self.begin, self.until, self.power = np.zeros((3, len(stays), width), np.int64)
        for row, there in enumerate(stays):
            for place, stay in enumerate(there):
                self.begin[row, place] = stay.start
                self.until[row, place] = stay.end
                self.power[row, place] = stay.power

    def pods(self, instant: Ints) -> Ints:
        """Milliwatts of the pods at an instant that is not before the vehicle's start."""
        pods: Ints = (self.power * (self.until > instant[:, None])).sum(axis=1)
        return pods

    def computing(self, instant: Ints) -> Ints:
        """The same with standby, where there is a pod."""
        there = (self.until > instant[:, None]).any(axis=1)
        return self.pods(instant) + self._standby * there

    def used(self, until: Ints, rows: Ints) -> Ints:
        """Milliwatt-milliseconds of pods up to an instant."""
        to = np.minimum(self.until[rows], until[:, None])
        used: Ints = (self.power[rows] * np.maximum(to - self.begin[rows], 0)).sum(axis=1)
        return used

    def ends(self) -> Ints:
        """When the last of them ends; 0: there is none."""
        ends: Ints = self.until.max(axis=1, initial=0)
        return ends


class Beside:
    """Every vehicle with what runs there, and some of the plan's stays."""

    def __init__(self, common: "Common", kept: Callable[[str], Sequence[Stay]]) -> None:
        self._common = common
        self._all = [(*common.running(car.name), *kept(car.name)) for car in common.fleet.cars]
        self._load = Load(self._all, common.supply.standby)
        self._at_probes = [self._load.pods(probe.instant) for probe in common.probes]
        self._taken: dict[str, Ints] = {}

    def first_failing(self, pod: Pod, stays: Stays, fixed: Ints) -> tuple[Ints, Flags]:
        """The number of the first clause that fails, and where that has to be asked singly.

        `fixed` is the first of those clauses that no placement changes.
        """
        first, is_open = fixed.copy(), np.zeros(len(fixed), bool)
        rows = np.flatnonzero(fixed == PASSES)
        here = first[rows]
        supply = self._common.supply
        is_open[rows] = supply.by_profile[rows] | (supply.charge[rows] < 0)
        for reason, fails in (
            *self._charge_fails(stays, rows),
            (PodReason.NOT_ENOUGH_RESOURCES, self._does_not_fit(pod, stays, rows)),
            (PodReason.HOST_PORT_TAKEN, self._ports_are_taken(pod, rows)),
        ):
            note(here, reason, fails)
        fails, passes = self._circuits(stays, rows)
        note(here, PodReason.CIRCUIT_FULL, fails)
        is_open[rows] |= (here == PASSES) & ~passes
        first[rows] = here
        return first, is_open

    def _charge_fails(self, stays: Stays, rows: Ints) -> Iterator[tuple[PodReason, Flags]]:
        supply, charge = self._common.supply, self._common.supply.charge[rows]
        departure, by_battery = self._common.fleet.departure[rows], supply.on_battery[rows]
        reserve, wanted = supply.reserve[rows], supply.wanted[rows]
        used = np.zeros((2, len(rows)), np.int64)
        some = rows[by_battery]
        for place, until in enumerate((stays.end[some], departure[by_battery])):
            used[place, by_battery] = self._used(stays, some, until) * _HUNDRED
        whole = supply.whole[rows]
        yield PodReason.BELOW_RESERVE, (charge - reserve) * whole < used[0]
        at_risk = (charge - wanted) * whole < used[1]
        computing = self._load.pods(stays.start)[rows] + (stays.power + supply.standby)[rows]
        wall = supply.charging[rows] + supply.ac_of(computing, rows)
        takes = supply.is_charged[rows] & (wall > supply.cap[rows])
        yield PodReason.DEPARTURE_CHARGE_AT_RISK, at_risk & (by_battery | takes)

    def _used(self, stays: Stays, rows: Ints, until: Ints) -> Ints:
        """Milliwatt-milliseconds of everything there with the pod, standby with them."""
        start, end = stays.start[rows], stays.end[rows]
        ran = self._common.ran_until[rows]
        of_pods = self._load.used(until, rows)
        own = stays.power[rows] * np.maximum(np.minimum(until, end) - start, 0)
        last = np.maximum(self._load.ends()[rows], end)
        awake = np.maximum(np.minimum(until, ran) - self._common.fleet.reading.at, 0)
        awake += np.maximum(np.minimum(until, last) - np.maximum(start, ran), 0)
        used: Ints = of_pods + own + self._common.supply.standby[rows] * awake
        return used

    def _does_not_fit(self, pod: Pod, stays: Stays, rows: Ints) -> Flags:
        fleet, supply = self._common.fleet, self._common.supply
        pods = (self._load.pods(stays.start) + stays.power)[rows]
        wall = supply.ac_of(pods + supply.standby[rows], rows)
        fails = (pods > fleet.max_watts[rows] * 1_000) | (
            supply.plugged[rows] & (wall > supply.cap[rows])
        )
        for name, amount in pod.requests.items():
            if amount > 0:
                fails |= amount > (fleet.capacity[name] - self._used_of(name))[rows]
        return fails

    def _used_of(self, name: str) -> Ints:
        if name not in self._taken:
            fleet = self._common.fleet
            self._taken[name] = fleet.column(lambda car: car.other_use.get(name, 0)) + np.array(
                [sum(stay.pod.requests.get(name, 0) for stay in there) for there in self._all],
                np.int64,
            )
        return self._taken[name]

    def _ports_are_taken(self, pod: Pod, rows: Ints) -> Flags | bool:
        if not pod.host_ports:
            return False
        cars, everybody = self._common.fleet.cars, self._all
        taken = [
            host_port_taken(pod, cars[row], (stay.pod for stay in everybody[row]))
            for row in rows.tolist()
        ]
        return np.array(taken, bool)

    def _circuits(self, stays: Stays, rows: Ints) -> tuple[Flags, Flags]:
        """Where a circuit is surely over its limit, and where surely none is."""
        common, supply = self._common, self._common.supply
        start, end, parts = stays.start[rows], stays.end[rows], common.parts[rows]
        more = (stays.power + supply.standby)[rows]
        fails = np.zeros(len(rows), bool)
        for probe, pods, running, planned in zip(
            common.probes, self._at_probes, common.running_draw, common.planned_draw, strict=True
        ):
            drawn, before = supply.drawn_of(pods[rows] + more, rows), planned[rows]
            during = (start <= probe.instant[rows]) & (probe.instant[rows] < end)
            over = drawn - before > probe.watts[rows]
            over |= drawn * SIXTHS // parts - before * SIXTHS // parts > probe.phase[rows]
            fails |= during & over & (drawn > running[rows])
        # What it may raise the draw by at the most: alone on the car, it wakes it up as well.
        alone = common.planned_until[rows] < end
        most = stays.power[rows] + supply.standby[rows] * alone
        raised = supply.ac_of(most, rows) + 1
        _, watts, phase = common.probes
        passes = (raised <= watts.watts[rows]) & (raised * SIXTHS // parts < phase.phase[rows])
        plugged = supply.plugged[rows]
        return fails & plugged, passes | ~plugged


class Common:
    """What is the same whichever of the plan's stays are kept."""

    def __init__(self, fleet: Fleet, grid: Grid, running: StaysOn, planned: StaysOn) -> None:
        self.fleet, self.running = fleet, running
        self.supply = Supply(fleet)
        headroom = Headroom(fleet, grid)
        self.parts = headroom.parts
        self.probes = (headroom.at_start, headroom.least_watts, headroom.least_phase)
        ran = Load([running(car.name) for car in fleet.cars], self.supply.standby)
        all_planned = Load(
            [(*running(car.name), *planned(car.name)) for car in fleet.cars], self.supply.standby
        )
        self.ran_until, self.planned_until = ran.ends(), all_planned.ends()
        self.running_draw = [self._drawn(ran, probe) for probe in self.probes]
        self.planned_draw = [self._drawn(all_planned, probe) for probe in self.probes]

    def _drawn(self, load: Load, probe: Probe) -> Ints:
        return self.supply.drawn_of(load.computing(probe.instant), slice(None))


def _charge(car: Candidate) -> int:
    observed = car.vehicle.observed.battery if car.vehicle else None
    charge = observed.state_of_charge_percent if observed else None
    return -1 if charge is None else charge


def _is_charged(car: Candidate) -> bool:
    return (car.connection.charge_power_watts or 0) > 0
