"""Nested circuits: how much of each limit is left, at every instant of the plan.

The load of a circuit is its uncontrolled load and the draws of the cars on it and below it.
What is kept here is the headroom, limit minus load, as a step function of time.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from idlewatt_scheduler.model.policy import FleetPolicy
from idlewatt_scheduler.model.site import Circuit, ObservedCircuit, Site
from idlewatt_scheduler.model.units import CLOCK_TOLERANCE, FOREVER, Instant, Milliwatts, seconds

CircuitKey = tuple[str, str]
"""The names of a site and of one of its circuits."""

Change = tuple[Instant, Instant, Milliwatts]
"""From, until, and by how much a car's draw changes."""


@dataclass(slots=True)
class Headroom:
    """Milliwatts left on one circuit from each of `starts` to the next; negative: over it."""

    starts: list[Instant]
    left: list[Milliwatts]

    def take(self, start: Instant, end: Instant, power: Milliwatts) -> None:
        """Let `power` be drawn over `[start, end)`; give it back with a negative one."""
        for index in range(self._edge(start), self._edge(end)):
            self.left[index] -= power

    def least(self, start: Instant, end: Instant) -> Milliwatts:
        """The least that is left at some instant of `[start, end)`."""
        first = max(bisect_right(self.starts, start) - 1, 0)
        return min(self.left[first : max(bisect_left(self.starts, end), first + 1)])

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


def headroom_of(
    site: Site, policy: FleetPolicy, at: Instant
) -> Iterator[tuple[CircuitKey, Headroom]]:
    """The circuits of a site without a single car on them."""
    observed = {circuit.name: circuit for circuit in site.observed_circuits}
    for circuit in site.circuits:
        seen = observed.get(circuit.name, ObservedCircuit(circuit.name))
        yield (site.name, circuit.name), _empty(circuit, seen, policy, at)


def above(site: Site, circuit: str | None) -> tuple[CircuitKey, ...]:
    """A circuit and all those it hangs from, itself first; none where the site lacks it."""
    parents = {each.name: each.parent for each in site.circuits}
    chain: list[CircuitKey] = []
    while circuit in parents and len(chain) < len(parents):
        chain.append((site.name, circuit))
        circuit = parents[circuit]
    return tuple(chain)


def allows(circuits: Iterable[Headroom], changes: Iterable[Change]) -> bool:
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
