"""The signals of the telemetry contract, each with its block, its field and its range.

A figure is rounded to the side that promises less: a charge and a limit down, a load up.
"""

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from idlewatt_operator.resources.times import parse_instant
from idlewatt_scheduler.model.site import Phase
from idlewatt_scheduler.model.units import Instant
from idlewatt_scheduler.model.vehicle import DepartureSource, Power, Supply

# As the status of a VehicleNode takes them: what it cannot hold would block all of it.
_SITE: Final = re.compile(
    r"(?=.{1,253}\Z)[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:[.][a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*"
)
_CIRCUIT: Final = re.compile(r"(?=.{1,63}\Z)[A-Za-z0-9](?:[-A-Za-z0-9_.]*[A-Za-z0-9])?")
_YEAR_2200: Final[Instant] = 7_258_118_400_000
_MOST_WATTS: Final = 1_000_000_000
_MOST_AMPERES: Final = 10_000


class WrongTypeError(ValueError):
    """A value that is no value of this signal; the message completes its name to a sentence."""


class OutOfRangeError(ValueError):
    """A value that cannot be: the sensor is not to be trusted; the message as above."""


@dataclass(frozen=True, slots=True)
class Signal:
    """A signal.

    Attributes:
        block: of the observation.
        field: of the block.
        read: makes the field's value of what JSON held; its unit is on the contract's page.
    """

    block: str
    field: str
    read: Callable[[Any], Any]


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not _is_finite(value):
        sentence = "is not a number"
        raise WrongTypeError(sentence)
    return value


def _is_finite(value: float) -> bool:
    """JSON bounds no whole number, and a float cannot hold them all."""
    try:
        return math.isfinite(value)
    except OverflowError:
        return False


def _within(low: float, high: float, round_to: Callable[[float], int]) -> Callable[[Any], int]:
    def read(value: object) -> int:
        number = _number(value)
        if not low <= number <= high:
            sentence = f"is {number:g}, which is not between {low:g} and {high:g}"
            raise OutOfRangeError(sentence)
        return round_to(number)

    return read


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        sentence = "is neither true nor false"
        raise WrongTypeError(sentence)
    return value


def _time(value: object) -> Instant:
    try:
        return read_time(value if isinstance(value, str) else "")
    except ValueError as error:
        sentence = "is not an RFC 3339 time with a zone, between the years 1970 and 2200"
        raise WrongTypeError(sentence) from error


def read_time(text: str) -> Instant:
    """Read a time that a status can hold.

    Raises:
        ValueError: it is none, or one of a clock that was never set; the message is a sentence.
    """
    instant = parse_instant(text)
    if not 0 <= instant < _YEAR_2200:
        sentence = f"'{text}' is not between the years 1970 and 2200; set the reporter's clock"
        raise ValueError(sentence)
    return instant


def _or_none(read: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Null withdraws what was reported before."""
    return lambda value: None if value is None else read(value)


def _named(shape: re.Pattern[str]) -> Callable[[Any], str]:
    def read(value: object) -> str:
        if not isinstance(value, str) or shape.fullmatch(value) is None:
            sentence = "is not a name"
            raise WrongTypeError(sentence)
        return value

    return read


def _phases(value: object) -> frozenset[Phase]:
    known = {phase.value: phase for phase in Phase}
    if not isinstance(value, list) or not value or not set(map(str, value)) <= known.keys():
        sentence = f"is not a list of {', '.join(known)}"
        raise WrongTypeError(sentence)
    return frozenset(known[str(name)] for name in value)


def _word(meanings: Mapping[str, Any]) -> Callable[[Any], Any]:
    def read(value: object) -> object:
        if not isinstance(value, str) or value not in meanings:
            sentence = f"is not one of {', '.join(meanings)}"
            raise WrongTypeError(sentence)
        return meanings[value]

    return read


CHARGING_STATES: Final[Mapping[str, Supply]] = {
    "Idle": Supply.UNPLUGGED,
    "EVConnected": Supply.PLUGGED_NOT_SUPPLIED,
    "SuspendedEVSE": Supply.PLUGGED_NOT_SUPPLIED,
    "SuspendedEV": Supply.SUPPLIED,
    "Charging": Supply.SUPPLIED,
}
"""OCPP's `ChargingStateEnumType`: whether energy is offered, whoever declines it."""

_PERCENT: Final = _within(0, 100, math.floor)
_LOAD: Final = _within(0, _MOST_WATTS, math.ceil)
_LIMIT: Final = _within(0, _MOST_WATTS, math.floor)
_CURRENT: Final = _within(0, _MOST_AMPERES, lambda amperes: math.ceil(amperes * 1_000))
_BATTERY: Final = "Vehicle.Powertrain.TractionBattery."
_OCPP_METER: Final = "OCPP.MeterValues."

SEATS: Final = tuple(
    f"Vehicle.Cabin.Seat.Row{row}.{side}.IsOccupied"
    for row in (1, 2, 3)
    for side in ("DriverSide", "Middle", "PassengerSide")
)

VEHICLE_SIGNALS: Final[Mapping[str, Signal]] = {
    f"{_BATTERY}StateOfCharge.Current": Signal("battery", "state_of_charge_percent", _PERCENT),
    f"{_BATTERY}StateOfCharge.Displayed": Signal("battery", "displayed_percent", _PERCENT),
    f"{_BATTERY}Temperature.Average": Signal(
        "battery", "temperature_celsius", _within(-60, 150, round)
    ),
    "Vehicle.Powertrain.Transmission.IsParkLockEngaged": Signal("parking", "parked", _flag),
    "Vehicle.IsMoving": Signal("parking", "moving", _flag),
    **{seat: Signal("parking", "occupied", _flag) for seat in SEATS},
    "Idlewatt.Parking.Since": Signal("parking", "since", _time),
    "Idlewatt.Compute.Temperature": Signal(
        "compute", "temperature_celsius", _within(-60, 200, round)
    ),
    "Idlewatt.Connection.Site": Signal("connection", "site", _or_none(_named(_SITE))),
    "Idlewatt.Connection.Circuit": Signal("connection", "circuit", _or_none(_named(_CIRCUIT))),
    "OCPP.TransactionEvent.transactionInfo.chargingState": Signal(
        "connection", "supply", _word(CHARGING_STATES)
    ),
    f"{_OCPP_METER}Power.Active.Import": Signal("connection", "charge_power_watts", _LOAD),
    f"{_OCPP_METER}Power.Import.Offered": Signal("connection", "charge_power_limit_watts", _LIMIT),
    "Idlewatt.Connection.Phases": Signal("connection", "phases", _phases),
    "Idlewatt.Compute.ImportPower": Signal(
        "connection", "computing_watts", _within(0, _MOST_WATTS, math.floor)
    ),
    "Idlewatt.Power": Signal("power", "power", _word({power.value: power for power in Power})),
    "OCPP.NotifyEVChargingNeeds.chargingNeeds.departureTime": Signal(
        "departure", "departure_expected_at", _or_none(_time)
    ),
    "Idlewatt.Departure.Source": Signal(
        "departure", "departure_source", _word({each.value: each for each in DepartureSource})
    ),
}
"""What a report about a vehicle may hold."""

CIRCUIT_SIGNALS: Final[Mapping[str, Signal]] = {
    "Idlewatt.Circuit.UncontrolledLoad": Signal("load", "uncontrolled_load_watts", _LOAD),
    "Idlewatt.Circuit.Generation": Signal("load", "generation_watts", _LIMIT),
    "Idlewatt.Circuit.Export": Signal("load", "export_watts", _LIMIT),
    **{
        f"Idlewatt.Circuit.UncontrolledCurrent.{phase}": Signal("load", phase.value, _CURRENT)
        for phase in Phase
    },
    "Idlewatt.Circuit.PeakLoad": Signal("peak", "peak_watts", _LIMIT),
    "Idlewatt.Circuit.PeakLoad.At": Signal("peak", "peak_at", _time),
    "OpenADR.IMPORT_CAPACITY_LIMIT": Signal("curtailment", "curtailed_to_watts", _or_none(_LIMIT)),
    "OpenADR.IMPORT_CAPACITY_LIMIT.end": Signal("curtailment", "curtailed_until", _or_none(_time)),
}
"""What a report about a circuit may hold."""
