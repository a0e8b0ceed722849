"""Power, charge and circuits, evaluated at the instants where something begins or ends."""

from collections.abc import Iterable, Mapping, Sequence
from enum import Enum
from fractions import Fraction
from functools import cached_property
from itertools import pairwise

from idlewatt_scheduler.feasibility.reading import Candidate, Reading, Stay
from idlewatt_scheduler.feasibility.steps import Steps, inner_edges
from idlewatt_scheduler.model.site import Circuit, ObservedCircuit, Site
from idlewatt_scheduler.model.units import (
    MILLIWATT_MILLISECONDS_PER_WATT_HOUR,
    Instant,
    Milliwatts,
    milliwatts,
    seconds,
)
from idlewatt_scheduler.model.vehicle import EnergySource, Supply


class Source(Enum):
    """Where a vehicle's computing takes its energy from."""

    GRID = "grid"
    BATTERY = "battery"
    NONE = "none"


def source_of(candidate: Candidate) -> Source:
    """The grid where it is supplied and consented to, else the battery if that is."""
    agreement = candidate.vehicle.agreement if candidate.vehicle else None
    consented = agreement.energy_sources if agreement else frozenset()
    if candidate.connection.supply is Supply.SUPPLIED and EnergySource.GRID in consented:
        return Source.GRID
    return Source.BATTERY if EnergySource.BATTERY in consented else Source.NONE


def is_plugged(candidate: Candidate) -> bool:
    """Whether the car hangs on a charge point that is known to be there."""
    return candidate.connection.supply in {Supply.PLUGGED_NOT_SUPPLIED, Supply.SUPPLIED}


def edges_of(stays: Iterable[Stay]) -> set[Instant]:
    """Every instant at which one of the stays begins or ends."""
    return {edge for stay in stays for edge in (stay.start, stay.end)}


def pods_power(stays: Iterable[Stay], instant: Instant) -> Milliwatts:
    """What our pods draw at an instant, standby left out."""
    return sum(stay.power for stay in stays if stay.covers(instant))


def computing_power(candidate: Candidate, stays: Sequence[Stay], instant: Instant) -> Milliwatts:
    """DC milliwatts of the computer at an instant; nothing without our pods."""
    if candidate.vehicle is None or not any(stay.covers(instant) for stay in stays):
        return 0
    standby = milliwatts(candidate.vehicle.compute.standby_power_watts)
    return pods_power(stays, instant) + standby


def ac_power(candidate: Candidate, dc: Milliwatts) -> Milliwatts:
    """What the wall gives for DC power, in whole milliwatts."""
    return dc * 100 // candidate.vehicle.compute.efficiency_percent if candidate.vehicle else 0


def charge_at(
    candidate: Candidate, stays: Sequence[Stay], at: Instant, instant: Instant
) -> Fraction:
    """State of charge in percent; on the battery it falls by what is computed since `at`."""
    observed = candidate.vehicle.observed.battery if candidate.vehicle else None
    if candidate.vehicle is None or observed is None or observed.state_of_charge_percent is None:
        return Fraction(0)
    charge = Fraction(observed.state_of_charge_percent)
    if source_of(candidate) is not Source.BATTERY:
        return charge
    cuts = [at, *inner_edges(edges_of(stays), at, instant), max(at, instant)]
    used = sum(
        computing_power(candidate, stays, begin) * (end - begin) for begin, end in pairwise(cuts)
    )
    watt_hours = Fraction(used, MILLIWATT_MILLISECONDS_PER_WATT_HOUR)
    return charge - 100 * watt_hours / candidate.vehicle.battery.net_capacity_watt_hours


def draw_cap(candidate: Candidate) -> Milliwatts:
    """The most the car draws from its charge point."""
    reported = candidate.connection.charge_power_limit_watts
    own = candidate.vehicle.max_charge_power_watts if candidate.vehicle else 0
    return milliwatts(own if reported is None else reported)


def charging_power(candidate: Candidate) -> Milliwatts:
    """What goes into the battery: as reported, else the most that may."""
    reported = candidate.connection.charge_power_watts
    if reported is not None:
        return milliwatts(reported)
    if candidate.connection.supply is Supply.PLUGGED_NOT_SUPPLIED:
        return 0
    return draw_cap(candidate)


def draw(candidate: Candidate, stays: Sequence[Stay], instant: Instant) -> Milliwatts:
    """What the car takes from its circuit; a car of unknown supply is held to be plugged."""
    if candidate.connection.supply is Supply.UNPLUGGED:
        return 0
    computing = ac_power(candidate, computing_power(candidate, stays, instant))
    return min(draw_cap(candidate), charging_power(candidate) + computing)


class CircuitReading:
    """One circuit of a site: its own load and its limit, at any instant."""

    def __init__(self, reading: Reading, site: Site, circuit: Circuit) -> None:
        self.circuit = circuit
        self._reading = reading
        self._observed = _observed(site, circuit)

    @cached_property
    def _measured(self) -> int | None:
        return self._observed.uncontrolled_load_watts

    @cached_property
    def _is_fresh(self) -> bool:
        observed_at = self._observed.observed_at
        if observed_at is None or self._reading.too_late(observed_at):
            return False
        allowed = seconds(self._reading.policy.telemetry_max_age_seconds)
        return self._reading.at - observed_at <= allowed

    @cached_property
    def uncontrolled(self) -> Milliwatts:
        """The measured load while that is fresh, else the declared one, else nothing."""
        if self._measured is not None and self._is_fresh:
            return milliwatts(self._measured)
        return milliwatts(self.circuit.uncontrolled_load_watts or 0)

    @property
    def limit_edges(self) -> set[Instant]:
        """When the limit changes."""
        until = self._observed.curtailed_until
        return set() if until is None else {until}

    def limit(self, instant: Instant) -> Milliwatts:
        """The least of the limits that hold at an instant."""
        limits = [self.circuit.import_capacity_limit_watts]
        curtailed, until = self._observed.curtailed_to_watts, self._observed.curtailed_until
        if curtailed is not None and (until is None or instant < until):
            limits.append(curtailed)
        failsafe = self.circuit.failsafe_limit_watts
        if failsafe is not None and self._measured is not None and not self._is_fresh:
            limits.append(failsafe)
        return milliwatts(min(limits))


def _observed(site: Site, circuit: Circuit) -> ObservedCircuit:
    for observed in site.observed_circuits:
        if observed.name == circuit.name:
            return observed
    return ObservedCircuit(circuit.name)


class Grid:
    """Every circuit's load under the stays of a whole plan."""

    def __init__(self, reading: Reading, placed: Mapping[str, tuple[Stay, ...]]) -> None:
        self._reading = reading
        self._placed = placed
        self._circuits: dict[tuple[str, str], CircuitReading] = {}
        self._loads: dict[tuple[str, str], Steps[Milliwatts]] = {}

    def all_on(self, candidate: Candidate) -> tuple[Stay, ...]:
        """Running and placed stays of a candidate."""
        return self._reading.running_on(candidate.name) + self._placed.get(candidate.name, ())

    def circuit(self, site: Site, circuit: Circuit) -> CircuitReading:
        """What is known of a circuit."""
        key = (site.name, circuit.name)
        if key not in self._circuits:
            self._circuits[key] = CircuitReading(self._reading, site, circuit)
        return self._circuits[key]

    def load(self, site: Site, circuit: Circuit) -> Steps[Milliwatts]:
        """The load of a circuit over time, under the whole plan."""
        key = (site.name, circuit.name)
        if key not in self._loads:
            self._loads[key] = self._summed(site, circuit)
        return self._loads[key]

    def cars_below(self, site: Site, circuit: Circuit) -> list[Candidate]:
        """Every car last observed on the circuit or below it, whatever its telemetry's age."""
        return [
            car
            for car in self._reading.vehicles.values()
            if car.site is not None and car.site.name == site.name
            if circuit.name in {above.name for above in car.circuits_above}
        ]

    def _summed(self, site: Site, circuit: Circuit) -> Steps[Milliwatts]:
        uncontrolled = self.circuit(site, circuit).uncontrolled
        cars = [
            Steps.sampled(
                {self._reading.at, *edges_of(stays)},
                lambda instant, car=car, stays=stays: draw(car, stays, instant),  # type: ignore[misc]
            )
            for car in self.cars_below(site, circuit)
            for stays in (self.all_on(car),)
        ]
        edges = {self._reading.at}.union(*(car.edges for car in cars))
        return Steps.sampled(
            edges, lambda instant: uncontrolled + sum(car.at(instant) for car in cars)
        )

    def over_because_of(
        self, candidate: Candidate, stay: Stay, companions: tuple[Stay, ...]
    ) -> Circuit | None:
        """A circuit over its limit while the stay, with its companions, raises the car's draw.

        `companions` are the other new stays on the car; they stand in for those of the plan.
        """
        running = self._reading.running_on(candidate.name)
        own = (*running, *companions, stay)
        planned = self.all_on(candidate)
        above = self._above(candidate)
        edges = edges_of((*own, *planned))
        for _, reading, load in above:
            edges |= {*load.edges, *reading.limit_edges}
        for instant in (stay.start, *inner_edges(edges, stay.start, stay.end)):
            drawn = draw(candidate, own, instant)
            if drawn <= draw(candidate, running, instant):
                continue
            change = drawn - draw(candidate, planned, instant)
            for circuit, reading, load in above:
                if load.at(instant) + change > reading.limit(instant):
                    return circuit
        return None

    def _above(
        self, candidate: Candidate
    ) -> list[tuple[Circuit, CircuitReading, Steps[Milliwatts]]]:
        site = candidate.site
        if site is None:
            return []
        return [
            (circuit, self.circuit(site, circuit), self.load(site, circuit))
            for circuit in candidate.circuits_above
        ]
