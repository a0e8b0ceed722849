"""Which reports are worth a cycle of their own.

Vehicles report every few seconds, and most of it only says that all is as it was: the next
timed cycle is soon enough for a charge that moved by a percent. An owner who gets in, a plug that
is pulled and a vehicle that wakes are not left waiting.
"""

from typing import TypeAlias

from idlewatt_operator.gateways.protocols import Telemetry
from idlewatt_scheduler.model.site import ObservedCircuit
from idlewatt_scheduler.model.vehicle import Observation, Quality

_Signs: TypeAlias = tuple[object, ...]


class Urgency:
    """Compares each look at the telemetry with the one before."""

    def __init__(self) -> None:
        self._seen: dict[str, tuple[Observation, _Signs]] = {}
        self._circuits: dict[str, list[_Signs]] = {}

    def is_urgent(self, telemetry: Telemetry) -> bool:
        """Whether anything changed since the last call that cannot wait."""
        urgent = False
        for name, observation in telemetry.vehicles.items():
            before = self._seen.get(name)
            if before is not None and before[0] is observation:
                continue
            signs = _signs(observation)
            urgent |= before is None or before[1] != signs
            self._seen[name] = observation, signs
        circuits = {
            site: [_limits(each) for each in found] for site, found in telemetry.circuits.items()
        }
        urgent |= circuits != self._circuits
        self._circuits = circuits
        return urgent


def _signs(observed: Observation) -> _Signs:
    parking, connection, battery = observed.parking, observed.connection, observed.battery
    return (
        observed.power,
        observed.departure_expected_at,
        parking and (parking.parked, parking.occupied, parking.quality is Quality.GOOD),
        connection
        and (
            connection.site,
            connection.circuit,
            connection.supply,
            connection.charge_power_limit_watts,
            connection.quality is Quality.GOOD,
        ),
        battery and battery.quality is Quality.GOOD,
    )


def _limits(circuit: ObservedCircuit) -> _Signs:
    return circuit.name, circuit.curtailed_to_watts, circuit.curtailed_until
