"""Nested circuits: how much of each limit is left, at every instant of the plan.

The load of a circuit is its uncontrolled load and the draws of the cars on it and below it.
What is kept here is the headroom, limit minus load, as a step function of time. Where a site
states its voltage, a circuit's amps per phase are three more limits. They are counted in sixths of
a milliwatt: a car draws a whole, a half or a third of its power on a phase.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from idlewatt_scheduler.model.policy import FleetPolicy
from idlewatt_scheduler.model.site import Circuit, ObservedCircuit, Phase, Site
from idlewatt_scheduler.model.units import CLOCK_TOLERANCE, FOREVER, Instant, Milliwatts, seconds
from idlewatt_scheduler.model.vehicle import Vehicle

CircuitKey = tuple[str, str]
"""The names of a site and of one of its circuits."""

RoomKey = tuple[str, ...]
"""A `CircuitKey`, or one with a phase: whatever has a limit of its own."""

Load = tuple[RoomKey, int]
"""What a car loads, and how many parts of it a milliwatt of its draw is."""

SIXTHS = 6

Change = tuple[Instant, Instant, Milliwatts]
"""From, until, and by how much a car's draw changes."""


@dataclass(slots=True)
class Headroom:
    """Milliwatts left on one circuit from each of `starts` to the next; negative: over it.

    Of a phase, sixths of them.
    """

    starts: list[Instant]
    left: list[Milliwatts]

    def take(self, start: Instant, end: Instant, power: Milliwatts) -> None:
        """Let `power` be drawn over `[start, end)`; give it back with a negative one."""
        for index in range(self._edge(start), self._edge(end)):
            self.left[index] -= power

    def take_all(self, changes: Iterable[Change]) -> None:
        """Let all of these be drawn at once, which is faster than one after the other."""
        more: dict[Instant, Milliwatts] = {}
        for start, end, power in changes:
            more[start] = more.get(start, 0) + power
            more[end] = more.get(end, 0) - power
        before, index, taken = self.copy(), -1, 0
        self.starts, self.left = [], []
        for edge in sorted({*before.starts, *more}):
            while index + 1 < len(before.starts) and before.starts[index + 1] <= edge:
                index += 1
            taken += more.get(edge, 0)
            left = before.left[max(index, 0)] - taken
            if not self.left or self.left[-1] != left:
                self.starts.append(edge)
                self.left.append(left)

    def least(self, start: Instant, end: Instant) -> Milliwatts:
        """The least that is left at some instant of `[start, end)`."""
        first = max(bisect_right(self.starts, start) - 1, 0)
        return min(self.left[first : max(bisect_left(self.starts, end), first + 1)])

    def least_of_each(self, edges: Sequence[Instant]) -> list[Milliwatts]:
        """The least that is left between each two neighbours of these instants."""
        starts, left, count = self.starts, self.left, len(self.starts)
        index = max(bisect_right(starts, edges[0]) - 1, 0)
        result: list[Milliwatts] = []
        for end in edges[1:]:
            least = left[index]
            while index + 1 < count and starts[index + 1] < end:
                index += 1
                least = min(least, left[index])
            if index + 1 < count and starts[index + 1] == end:
                index += 1
            result.append(least)
        return result

    def copy(self) -> "Headroom":
        """One that can be taken from without changing this one."""
        return Headroom(list(self.starts), list(self.left))

    def _edge(self, instant: Instant) -> int:
        """The index of the step that starts at `instant`, made where there is none."""
        index = bisect_left(self.starts, instant)
        if index == len(self.starts) or self.starts[index] != instant:
            self.starts.insert(index, instant)
            self.left.insert(index, self.left[index - 1])
        return index


@dataclass(frozen=True, slots=True)
class Share:
    """A headroom as one car sees it, of whose draw each milliwatt takes `parts`."""

    room: Headroom
    parts: int

    @property
    def starts(self) -> list[Instant]:
        """The instants at which what is left changes."""
        return self.room.starts

    def take(self, start: Instant, end: Instant, power: Milliwatts) -> None:
        """Let the car draw so much over `[start, end)`."""
        self.room.take(start, end, power * self.parts)

    def least(self, start: Instant, end: Instant) -> Milliwatts:
        """The most that the car may draw more over `[start, end)`."""
        return self.room.least(start, end) // self.parts


Room = Headroom | Share


def headroom_of(
    site: Site, policy: FleetPolicy, at: Instant
) -> Iterator[tuple[CircuitKey, Headroom]]:
    """The circuits of a site without a single car on them."""
    observed = {circuit.name: circuit for circuit in site.observed_circuits}
    for circuit in site.circuits:
        seen = observed.get(circuit.name, ObservedCircuit(circuit.name))
        yield (site.name, circuit.name), _empty(circuit, seen, policy, at)


def phase_headroom_of(
    site: Site, policy: FleetPolicy, at: Instant
) -> Iterator[tuple[RoomKey, Headroom]]:
    """The phases of a site's circuits whose amps are limited, without a single car on them."""
    volts = site.nominal_voltage_volts
    observed = {circuit.name: circuit for circuit in site.observed_circuits}
    for circuit in site.circuits:
        limit = circuit.max_current_milliamps_per_phase
        if volts is None or limit is None:
            continue
        seen = observed.get(circuit.name, ObservedCircuit(circuit.name))
        third = 1_000 * uncontrolled_load(circuit, seen, policy, at) * SIXTHS // len(Phase)
        measured = seen.uncontrolled_milliamps if is_fresh(seen, policy, at) else None
        for index, phase in enumerate(Phase):
            load = third if measured is None else measured[index] * volts * SIXTHS
            left = limit * volts * SIXTHS - load
            yield (site.name, circuit.name, phase.value), Headroom([at], [left])


def generation_of(site: Site, policy: FleetPolicy, at: Instant) -> dict[CircuitKey, Milliwatts]:
    """What is generated on each circuit and below it, where that is known and fresh."""
    return {
        (site.name, seen.name): 1_000 * seen.generation_watts
        for seen in site.observed_circuits
        if seen.generation_watts is not None and is_fresh(seen, policy, at)
    }


def loads_of(site: Site, vehicle: Vehicle, circuits: Iterable[CircuitKey]) -> tuple[Load, ...]:
    """Of these circuits of the site, all that has a limit and that the vehicle's draw loads.

    Where nobody knows which phases a car is on, each of the three must be able to carry it.
    """
    limited = {
        circuit.name
        for circuit in site.circuits
        if circuit.max_current_milliamps_per_phase is not None
    }
    connection = vehicle.observed.connection
    known = connection.phases if connection else None
    number = len(known) if known else vehicle.phases
    loads: list[Load] = []
    for key in circuits:
        loads.append((key, 1))
        if site.nominal_voltage_volts is not None and key[1] in limited:
            on = [phase for phase in Phase if not known or phase in known]
            loads.extend(((*key, phase.value), SIXTHS // number) for phase in on)
    return tuple(loads)


def above(site: Site, circuit: str | None) -> tuple[CircuitKey, ...]:
    """A circuit and all those it hangs from, itself first; none where the site lacks it."""
    parents = {each.name: each.parent for each in site.circuits}
    chain: list[CircuitKey] = []
    while circuit in parents and len(chain) < len(parents):
        chain.append((site.name, circuit))
        circuit = parents[circuit]
    return tuple(chain)


def allows(circuits: Iterable[Room], changes: Iterable[Change]) -> bool:
    """No circuit is over its limit at an instant at which its load is raised."""
    raised = [change for change in changes if change[2] > 0]
    return all(room.least(a, b) >= more for room in circuits for a, b, more in raised)


def uncontrolled_load(
    circuit: Circuit, seen: ObservedCircuit, policy: FleetPolicy, at: Instant
) -> int:
    """Watts of what idlewatt does not control: as measured while that is fresh, else as stated."""
    measured = seen.uncontrolled_load_watts
    fresh = measured is not None and is_fresh(seen, policy, at)
    return measured if measured is not None and fresh else circuit.uncontrolled_load_watts or 0


def is_fresh(seen: ObservedCircuit, policy: FleetPolicy, at: Instant) -> bool:
    """Measured not longer ago than allowed, and not by a clock that runs ahead."""
    if seen.observed_at is None or seen.observed_at > at + CLOCK_TOLERANCE:
        return False
    return at - seen.observed_at <= seconds(policy.telemetry_max_age_seconds)


def _empty(circuit: Circuit, seen: ObservedCircuit, policy: FleetPolicy, at: Instant) -> Headroom:
    measured = seen.uncontrolled_load_watts
    fresh = measured is not None and is_fresh(seen, policy, at)
    load = uncontrolled_load(circuit, seen, policy, at)
    limit = circuit.import_capacity_limit_watts
    if measured is not None and not fresh and circuit.failsafe_limit_watts is not None:
        limit = min(limit, circuit.failsafe_limit_watts)
    left = 1_000 * (limit - load)
    curtailed_to = seen.curtailed_to_watts
    until = FOREVER if seen.curtailed_until is None else seen.curtailed_until
    if curtailed_to is None or curtailed_to >= limit or until <= at:
        return Headroom([at], [left])
    curtailed = 1_000 * (curtailed_to - load)
    return (
        Headroom([at, until], [curtailed, left]) if until < FOREVER else Headroom([at], [curtailed])
    )
