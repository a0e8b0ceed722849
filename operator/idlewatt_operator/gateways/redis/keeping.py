"""What is known, as it is kept in Redis over a restart: one hash field a vehicle or circuit.

A car that sleeps says nothing for hours; the stream may have been cut shorter than that.
"""

from typing import Final, TypeAlias

import msgspec

from idlewatt_operator.gateways.redis.folding import KnownCircuit, KnownVehicle

HASH: Final = "idlewatt:observed"
POSITION: Final = "idlewatt:telemetry:position"

CircuitKey: TypeAlias = tuple[str, str]
"""Site and circuit."""

_VEHICLE: Final = "vehicle/"
_CIRCUIT: Final = "circuit/"
_VEHICLES: Final = msgspec.json.Decoder(KnownVehicle)
_CIRCUITS: Final = msgspec.json.Decoder(KnownCircuit)


def vehicle_field(name: str) -> str:
    """The hash field of a vehicle."""
    return _VEHICLE + name


def circuit_field(key: CircuitKey) -> str:
    """The hash field of a circuit."""
    return f"{_CIRCUIT}{key[0]}/{key[1]}"


def kept(known: KnownVehicle | KnownCircuit) -> bytes:
    """The text of a hash field."""
    return msgspec.json.encode(known)


class Kept:
    """Everything that the hash held.

    Attributes:
        refused: a sentence for each field that cannot be read.
    """

    def __init__(self) -> None:
        self.vehicles: dict[str, KnownVehicle] = {}
        self.circuits: dict[CircuitKey, KnownCircuit] = {}
        self.refused: list[str] = []

    def take(self, field: str, text: bytes) -> None:
        """Read one field of the hash."""
        try:
            if field.startswith(_VEHICLE):
                self.vehicles[field.removeprefix(_VEHICLE)] = _VEHICLES.decode(text)
            elif field.startswith(_CIRCUIT):
                site, _, circuit = field.removeprefix(_CIRCUIT).partition("/")
                self.circuits[site, circuit] = _CIRCUITS.decode(text)
        except msgspec.DecodeError as error:
            self.refused.append(f"The field {field[:128]} of {HASH} cannot be read: {error}.")
