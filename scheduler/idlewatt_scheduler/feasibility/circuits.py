"""Circuits: what they carry and what they may, in all and on each phase.

Every load and every limit is four figures: milliwatts in all; then, on L1, L2 and L3, sixths
of a milliwatt, of which halves and thirds of a whole milliwatt are a whole number.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from itertools import accumulate
from typing import Final

from idlewatt_scheduler.feasibility.power import (
    Counting,
    charging_edges,
    charging_power,
    draw,
    draw_beside,
    edges_of,
)
from idlewatt_scheduler.feasibility.reading import Candidate, Reading, Stay, identity
from idlewatt_scheduler.feasibility.steps import Steps, inner_edges
from idlewatt_scheduler.model.site import Circuit, ObservedCircuit, Phase, Site
from idlewatt_scheduler.model.units import FOREVER, Instant, Milliwatts, milliwatts, seconds

Load = tuple[Milliwatts, Milliwatts, Milliwatts, Milliwatts]

_PHASES: Final = (Phase.L1, Phase.L2, Phase.L3)
_SIXTHS: Final = 6
_NO_LIMIT: Final = FOREVER
_NOTHING: Final[Load] = (0, 0, 0, 0)


def together(loads: Iterable[Load]) -> Load:
    """Loads added up, figure by figure."""
    total, first, second, third = (
        sum(figures) for figures in zip((0, 0, 0, 0), *loads, strict=True)
    )
    return total, first, second, third


def _more(now: Load, before: Load) -> Load:
    return now[0] - before[0], now[1] - before[1], now[2] - before[2], now[3] - before[3]


def share(candidate: Candidate, drawn: Milliwatts) -> Load:
    """What a car's draw is in all and on each phase: on all three where nobody knows which."""
    phases = candidate.connection.phases
    if phases:
        there, count = phases, len(phases)
    else:
        there, count = frozenset(_PHASES), candidate.vehicle.phases if candidate.vehicle else 3
    first, second, third = (drawn * _SIXTHS // count if phase in there else 0 for phase in _PHASES)
    return drawn, first, second, third


def exceeded(load: Load, limits: Load, candidate: Candidate) -> bool:
    """Whether a load is over one of its four limits that the car loads, too."""
    on = share(candidate, _SIXTHS)
    return any(
        there and figure > limit for there, figure, limit in zip(on, load, limits, strict=True)
    )


class CircuitReading:
    """One circuit of a site: its own load and its limits, at any instant."""

    def __init__(self, reading: Reading, site: Site, circuit: Circuit) -> None:
        self.circuit = circuit
        self._reading = reading
        self._observed = _observed(site, circuit)
        self._volts = site.nominal_voltage_volts

    @cached_property
    def is_fresh(self) -> bool:
        """Whether what was measured here still counts."""
        observed_at = self._observed.observed_at
        if observed_at is None or self._reading.too_late(observed_at):
            return False
        allowed = seconds(self._reading.policy.telemetry_max_age_seconds)
        return self._reading.at - observed_at <= allowed

    @cached_property
    def uncontrolled(self) -> Load:
        """The measured load while that is fresh, else the declared one, else nothing."""
        measured, currents = (
            self._observed.uncontrolled_load_watts,
            self._observed.uncontrolled_milliamps,
        )
        declared = self.circuit.uncontrolled_load_watts or 0
        total = milliwatts(measured if measured is not None and self.is_fresh else declared)
        if currents is not None and self.is_fresh and self._volts is not None:
            first, second, third = (current * self._volts * _SIXTHS for current in currents)
            return total, first, second, third
        third_of_all = total * _SIXTHS // 3
        return total, third_of_all, third_of_all, third_of_all

    @cached_property
    def generated(self) -> Milliwatts:
        """What is generated, while that is freshly measured."""
        return milliwatts(self._observed.generation_watts or 0) if self.is_fresh else 0

    @cached_property
    def exported(self) -> Milliwatts:
        """What flows out, while that is freshly measured."""
        return milliwatts(self._observed.export_watts or 0) if self.is_fresh else 0

    @property
    def limit_edges(self) -> set[Instant]:
        """When the limits change."""
        until = self._observed.curtailed_until
        return set() if until is None else {until}

    def limits(self, instant: Instant) -> Load:
        """The limits that hold at an instant."""
        limits = [self.circuit.import_capacity_limit_watts]
        curtailed, until = self._observed.curtailed_to_watts, self._observed.curtailed_until
        if curtailed is not None and (until is None or instant < until):
            limits.append(curtailed)
        failsafe = self.circuit.failsafe_limit_watts
        measured = self._observed.uncontrolled_load_watts
        if failsafe is not None and measured is not None and not self.is_fresh:
            limits.append(failsafe)
        most = self.circuit.max_current_milliamps_per_phase
        phase = _NO_LIMIT if most is None or self._volts is None else most * self._volts * _SIXTHS
        return milliwatts(min(limits)), phase, phase, phase


def _observed(site: Site, circuit: Circuit) -> ObservedCircuit:
    for observed in site.observed_circuits:
        if observed.name == circuit.name:
            return observed
    return ObservedCircuit(circuit.name)


def cars_below(reading: Reading, site: Site, circuit: Circuit) -> list[Candidate]:
    """Every car last observed on the circuit or below it, whatever its telemetry's age."""
    return reading.cars_by_circuit.get((site.name, circuit.name), [])


StaysOn = Callable[[Candidate], tuple[Stay, ...]]


class Grid:
    """Every circuit's load over time, for one way to count charging and one set of stays."""

    def __init__(self, reading: Reading, stays_on: StaysOn, which: Counting) -> None:
        self.reading = reading
        self.stays_on = stays_on
        self._which = which
        self._circuits: dict[tuple[str, str], CircuitReading] = {}
        self._loads: dict[tuple[str, str], Steps[Load]] = {}
        self._draws: dict[str, Steps[Load]] = {}
        self._ever_over: dict[tuple[str, str], bool] = {}

    @classmethod
    def planned(cls, reading: Reading, placed: Mapping[str, tuple[Stay, ...]]) -> "Grid":
        """The load that running and placed pods see: charging by either profile."""
        return cls(
            reading,
            lambda car: reading.running_on(car.name) + placed.get(car.name, ()),
            Counting.EITHER,
        )

    def circuit(self, site: Site, circuit: Circuit) -> CircuitReading:
        """What is known of a circuit."""
        key = (site.name, circuit.name)
        if key not in self._circuits:
            self._circuits[key] = CircuitReading(self.reading, site, circuit)
        return self._circuits[key]

    def load(self, site: Site, circuit: Circuit) -> Steps[Load]:
        """The load of a circuit from `at` on, nothing generated."""
        key = (site.name, circuit.name)
        if key not in self._loads:
            self._loads[key] = self._summed(site, circuit)
        return self._loads[key]

    def _summed(self, site: Site, circuit: Circuit) -> Steps[Load]:
        changes: defaultdict[Instant, list[Load]] = defaultdict(list)
        changes[self.reading.at].append(self.circuit(site, circuit).uncontrolled)
        for car in cars_below(self.reading, site, circuit):
            drawn, before = self._drawn(car), _NOTHING
            for edge, now in zip(drawn.edges, drawn.values, strict=True):
                changes[edge].append(_more(now, before))
                before = now
        edges = sorted(changes)
        steps = (together(changes[edge]) for edge in edges)
        loads = accumulate(steps, lambda load, step: together([load, step]))
        return Steps(tuple(edges), tuple(loads))

    def _drawn(self, car: Candidate) -> Steps[Load]:
        if car.name not in self._draws:
            stays = self.stays_on(car)
            edges = {self.reading.at, *edges_of(stays), *charging_edges(car)}
            self._draws[car.name] = Steps.sampled(
                edges, lambda instant: share(car, draw(car, stays, instant, self._which))
            )
        return self._draws[car.name]

    def is_ever_over(self, site: Site, circuit: Circuit) -> bool:
        """Whether the circuit is over any of its limits at any time."""
        key = (site.name, circuit.name)
        if key not in self._ever_over:
            reading, load = self.circuit(site, circuit), self.load(site, circuit)
            later = (edge for edge in reading.limit_edges if edge > self.reading.at)
            self._ever_over[key] = any(
                figure > limit
                for instant in (*load.edges, *later)
                for figure, limit in zip(load.at(instant), reading.limits(instant), strict=True)
            )
        return self._ever_over[key]

    def forget(self, candidate: Candidate) -> None:
        """The stays on a car have changed: the circuits above it carry something else."""
        self._draws.pop(candidate.name, None)
        if candidate.site is not None:
            for circuit in candidate.circuits_above:
                self._loads.pop((candidate.site.name, circuit.name), None)
                self._ever_over.pop((candidate.site.name, circuit.name), None)

    def above(self, candidate: Candidate) -> list[tuple[CircuitReading, Steps[Load]]]:
        """The circuits above a car, each with its load."""
        site = candidate.site
        if site is None:
            return []
        return [
            (self.circuit(site, circuit), self.load(site, circuit))
            for circuit in candidate.circuits_above
        ]

    def edges_above(self, candidate: Candidate) -> set[Instant]:
        """Every instant at which a load or a limit above a car may change."""
        found: set[Instant] = set()
        for circuit, load in self.above(candidate):
            found |= {*load.edges, *circuit.limit_edges}
        return found

    def is_over_because_of(
        self,
        candidate: Candidate,
        stay: Stay,
        running: tuple[Stay, ...],
        companions: tuple[Stay, ...],
    ) -> bool:
        """Whether a circuit is over while the stay, with its companions, raises the car's draw.

        `running` and `companions`, the other new stays, stand in for those that are on the car.
        """
        own = (*running, *companions, stay)
        if self._is_as_planned(candidate, own):
            return False
        edges = edges_of((*own, *self.stays_on(candidate))) | self.edges_above(candidate)
        for instant in (stay.start, *inner_edges(edges, stay.start, stay.end)):
            charging = charging_power(candidate, instant, self._which)
            drawn = draw_beside(candidate, own, instant, charging)
            if drawn <= draw_beside(candidate, running, instant, charging):
                continue
            if self.over_with(candidate, drawn, instant) is not None:
                return True
        return False

    def _is_as_planned(self, candidate: Candidate, own: tuple[Stay, ...]) -> bool:
        """These are the stays on the car, and then no circuit above it is ever over its limit."""
        there, site = self.stays_on(candidate), candidate.site
        if {identity(each.pod) for each in own} != {identity(each.pod) for each in there}:
            return False
        return site is None or not any(
            self.is_ever_over(site, circuit) for circuit in candidate.circuits_above
        )

    def over_with(
        self, candidate: Candidate, drawn: Milliwatts, instant: Instant
    ) -> Circuit | None:
        """A circuit above a car that is over a limit if the car's draw is this."""
        planned = draw(candidate, self.stays_on(candidate), instant, self._which)
        more, less = share(candidate, drawn), share(candidate, planned)
        for circuit, load in self.above(candidate):
            figures = zip(load.at(instant), more, less, strict=True)
            total, first, second, third = (now + new - old for now, new, old in figures)
            if exceeded((total, first, second, third), circuit.limits(instant), candidate):
                return circuit.circuit
        return None
