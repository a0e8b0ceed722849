"""The load of a circuit at every second of the run, from the containers that ran in the cars.

The arithmetic is the rules' and none of the operator's: what a car charges, and the watts of the
pods whose containers run there with its standby, over its efficiency, at most what its cable
carries; and what else hangs on the circuit. A pod counts from its first look to its last.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from tests.e2e.witness import Span


@dataclass(frozen=True)
class Car:
    """What a car on the circuit adds to it; the figures are those of its VehicleNode."""

    standby_watts: int
    efficiency_percent: int
    charging_watts: int = 0


@dataclass(frozen=True)
class Look:
    """A circuit at one instant, with the number of containers that made its load."""

    at: float
    load_watts: Fraction
    containers: int


def looks(
    instants: Iterable[float],
    spans: Sequence[Span],
    watts: Mapping[str, int],
    cars: Mapping[str, Car],
    uncontrolled_watts: int = 0,
) -> list[Look]:
    """The circuit at each instant.

    Args:
        instants: seconds since 1970.
        spans: of all containers; those of pods that are not in `watts` draw nothing of ours.
        watts: by the pod's UID, what it was bound with.
        cars: those on the circuit, by the vehicle's name.
        uncontrolled_watts: what else is on it.
    """
    return [_look(at, spans, watts, cars, uncontrolled_watts) for at in instants]


def _look(
    at: float,
    spans: Sequence[Span],
    watts: Mapping[str, int],
    cars: Mapping[str, Car],
    uncontrolled_watts: int,
) -> Look:
    pods: dict[str, set[str]] = {name: set() for name in cars}
    for span in spans:
        if span.vehicle in pods and span.container.pod_uid in watts and span.ran_at(at):
            pods[span.vehicle].add(span.container.pod_uid)
    load = Fraction(uncontrolled_watts)
    for name, car in cars.items():
        load += car.charging_watts
        if pods[name]:
            computing = sum(watts[uid] for uid in pods[name]) + car.standby_watts
            load += Fraction(computing * 100, car.efficiency_percent)
    return Look(at, load, sum(len(found) for found in pods.values()))
