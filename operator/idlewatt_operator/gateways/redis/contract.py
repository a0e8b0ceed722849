"""The telemetry contract: what a report may say, and in which block of an observation it ends.

`docs/reference/telemetry.md` is its prose. Signals of the vehicle have their COVESA VSS names,
those of the charger the OCPP 2.1 message and field, those of the grid their OpenADR 3 payload
type; what none of them names starts with `Idlewatt.`.
"""

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

import msgspec

from idlewatt_operator.gateways.redis.signals import (
    CIRCUIT_SIGNALS,
    VEHICLE_SIGNALS,
    OutOfRangeError,
    Signal,
    WrongTypeError,
    read_time,
)
from idlewatt_scheduler.model.site import Phase
from idlewatt_scheduler.model.units import Instant
from idlewatt_scheduler.model.vehicle import Quality

STREAM: Final = "idlewatt:telemetry"
WAKE_STREAM: Final = "idlewatt:wake"

FIELDS: Final = ("vehicle", "site", "circuit", "observedAt", "quality", "data")

_NAME: Final = re.compile(r"[a-z0-9](?:[-a-z0-9.]{0,251}[a-z0-9])?")
_CIRCUIT: Final = re.compile(r"[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?")
_DATA_LENGTH_MAX: Final = 65_536
_SHOWN_LENGTH: Final = 128
_DATA: Final = msgspec.json.Decoder(dict[str, Any])


class ReportError(ValueError):
    """A report of which nothing can be used; the message is a sentence."""


@dataclass(frozen=True, slots=True)
class Block:
    """The values of one block by the name of the core's field, and how far to trust them."""

    values: Mapping[str, Any]
    quality: Quality = Quality.GOOD


@dataclass(frozen=True, slots=True)
class VehicleReport:
    """What one report says of a vehicle.

    Attributes:
        blocks: by the block's name, those that the report speaks of.
        problems: a sentence for each part that could not be used.
        passed_over: the vehicle's signals that the contract has no use for.
    """

    vehicle: str
    observed_at: Instant
    blocks: Mapping[str, Block]
    problems: tuple[str, ...] = ()
    passed_over: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CircuitReport:
    """What one report says of a site's circuit; as above."""

    site: str
    circuit: str
    observed_at: Instant
    blocks: Mapping[str, Block]
    problems: tuple[str, ...] = ()
    passed_over: tuple[str, ...] = ()


Report: TypeAlias = VehicleReport | CircuitReport


def read_report(fields: Mapping[str, str]) -> Report:
    """Read an entry of the stream: its fields, all of them text.

    Raises:
        ReportError: nothing of it can be used.
    """
    unknown = sorted(set(fields) - set(FIELDS))
    if unknown:
        sentence = f"Its field {_shown(unknown[0])} is unknown; known are {', '.join(FIELDS)}."
        raise ReportError(sentence)
    observed_at, quality, data = _observed_at(fields), _quality(fields), _data(fields)
    if "vehicle" not in fields:
        site, circuit = _named(fields, "site", _NAME), _named(fields, "circuit", _CIRCUIT)
        found = _Reading(CIRCUIT_SIGNALS, quality).take(data)
        return CircuitReport(site, circuit, observed_at, **found.parts())
    if "site" in fields or "circuit" in fields:
        sentence = "It names a vehicle and a site; a report is about one of them."
        raise ReportError(sentence)
    vehicle = _named(fields, "vehicle", _NAME)
    found = _Reading(VEHICLE_SIGNALS, quality).take(data)
    return VehicleReport(vehicle, observed_at, **found.parts())


def _named(fields: Mapping[str, str], name: str, shape: re.Pattern[str]) -> str:
    value = fields.get(name)
    if value is None:
        sentence = f"It lacks the field {name}; it needs vehicle, or both site and circuit."
        raise ReportError(sentence)
    if shape.fullmatch(value) is None:
        sentence = f"Its field {name} is not a name."
        raise ReportError(sentence)
    return value


def _observed_at(fields: Mapping[str, str]) -> Instant:
    if "observedAt" not in fields:
        sentence = "It lacks the field observedAt, the time at which it was observed."
        raise ReportError(sentence)
    try:
        return read_time(fields["observedAt"])
    except ValueError as error:
        sentence = f"Its field observedAt: {error}."
        raise ReportError(sentence) from error


def _quality(fields: Mapping[str, str]) -> Quality:
    try:
        return Quality(fields.get("quality", Quality.GOOD))
    except ValueError as error:
        sentence = "Its field quality is not one of Good, Stale and Invalid."
        raise ReportError(sentence) from error


def _data(fields: Mapping[str, str]) -> dict[str, Any]:
    text = fields.get("data", "")
    if len(text) > _DATA_LENGTH_MAX:
        sentence = f"Its data has {len(text)} characters; at most {_DATA_LENGTH_MAX} may be sent."
        raise ReportError(sentence)
    try:
        data = _DATA.decode(text)
    except (msgspec.DecodeError, RecursionError) as error:
        sentence = f"Its data is not a JSON object of signals: {error}."
        raise ReportError(sentence) from error
    if not data:
        sentence = "Its data holds no signal."
        raise ReportError(sentence)
    return data


@dataclass(slots=True)
class _Reading:
    """The blocks of one report while its signals are read."""

    signals: Mapping[str, Signal]
    quality: Quality
    values: dict[str, dict[str, Any]] = field(default_factory=dict)
    unusable: set[str] = field(default_factory=set)
    invalid: set[str] = field(default_factory=set)
    problems: list[str] = field(default_factory=list)
    passed_over: list[str] = field(default_factory=list)

    def take(self, data: Mapping[str, Any]) -> "_Reading":
        for name, value in data.items():
            signal = self.signals.get(name)
            if signal is not None:
                self._take_one(name, signal, value)
            elif name.startswith("Vehicle."):
                self.passed_over.append(_unknown(name, self.signals))
            else:
                self.problems.append(_unknown(name, self.signals))
        return self

    def _take_one(self, name: str, signal: Signal, value: object) -> None:
        values = self.values.setdefault(signal.block, {})
        try:
            read = signal.read(value)
        except OutOfRangeError as error:
            self.invalid.add(signal.block)
            self.problems.append(f"{name} {error}.")
        except WrongTypeError as error:
            self.unusable.add(signal.block)
            self.problems.append(f"{name} {error}.")
        else:
            # Of several seats one that is taken is enough.
            known = values.get(signal.field) if signal.field == "occupied" else None
            values[signal.field] = known or read

    def parts(self) -> dict[str, Any]:
        blocks = {}
        for name, values in self.values.items():
            if name in self.unusable:
                continue
            settled = _settled(name, values)
            if name == "load" and "uncontrolled_milliamps" not in settled and _PHASES & set(values):
                self.problems.append(_SOME_PHASES)
            lacking = _REQUIRED.get(name)
            if lacking is None or lacking[0] in settled or name in self.invalid:
                trusted = Quality.INVALID if name in self.invalid else self.quality
                blocks[name] = Block(settled, trusted)
            else:
                self.problems.append(
                    f"It speaks of {name} without {lacking[1]}, which every such report needs."
                )
        return {
            "blocks": blocks,
            "problems": tuple(self.problems),
            "passed_over": tuple(self.passed_over),
        }


_PHASES: Final = frozenset(phase.value for phase in Phase)
_SOME_PHASES: Final = (
    "It tells the current of some phases and not of all three, so none of them is used."
)

# A block is taken whole: half of one beside yesterday's other half would be a fiction.
_REQUIRED: Final = {
    "battery": ("state_of_charge_percent", "StateOfCharge.Current"),
    "parking": ("parked", "IsParkLockEngaged"),
    "connection": ("supply", "chargingState"),
    "curtailment": ("curtailed_to_watts", "IMPORT_CAPACITY_LIMIT"),
    "load": ("uncontrolled_load_watts", "Circuit.UncontrolledLoad"),
    "peak": ("peak_watts", "Circuit.PeakLoad and Circuit.PeakLoad.At"),
    "departure": ("departure_expected_at", "departureTime"),
}


def _settled(block: str, found: Mapping[str, Any]) -> dict[str, Any]:
    """What several signals say of one field, folded into that field."""
    values = dict(found)
    if block == "battery" and "displayed_percent" in values:
        displayed = values.pop("displayed_percent")
        values.setdefault("state_of_charge_percent", displayed)
    if block == "parking" and values.pop("moving", False):
        values["parked"] = False
    if block == "connection":
        computing = values.pop("computing_watts", 0)
        if "charge_power_watts" in values:
            values["charge_power_watts"] = max(0, values["charge_power_watts"] - computing)
    if block == "load":
        currents = tuple(values.pop(phase.value, None) for phase in Phase)
        if None not in currents:
            values["uncontrolled_milliamps"] = currents
    if block == "peak" and ("peak_watts" not in values or "peak_at" not in values):
        return {}
    return values


def _unknown(name: str, signals: Mapping[str, Signal]) -> str:
    close = difflib.get_close_matches(name[:_SHOWN_LENGTH], signals, n=1, cutoff=0.8)
    hint = f"; did you mean {close[0]}?" if close else "."
    return f"{_shown(name)} is not a signal of the contract{hint}"


def _shown(text: str) -> str:
    return text if len(text) <= _SHOWN_LENGTH else text[:_SHOWN_LENGTH] + "..."
