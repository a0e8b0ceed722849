"""Values of the core as MessagePack, and back, equal to what they were.

The core's dataclasses are written as they are. Three of its types are no business of MessagePack:
time zones go by their name, fractions as two hexadecimal integers of any size, and other mappings
than dictionaries as dictionaries.
"""

from collections.abc import Mapping
from datetime import timedelta, timezone, tzinfo
from fractions import Fraction
from typing import Any, Final
from zoneinfo import ZoneInfo

import msgspec

_HEXADECIMAL: Final = 16


def encode(value: object) -> bytes:
    """A value of the core as bytes.

    Raises:
        TypeError: there is something in it that has no form here, such as a time zone without name.
    """
    return _ENCODER.encode(value)


def decoder(kind: Any) -> msgspec.msgpack.Decoder[Any]:  # noqa: ANN401 - types are values here
    """What reads values of this kind; its `decode` raises `msgspec.MsgspecError` on others."""
    return msgspec.msgpack.Decoder(kind, dec_hook=_from_wire)


def fraction_text(fraction: Fraction) -> str:
    """A fraction without loss: `-1f/a` is -31/10."""
    return f"{fraction.numerator:x}/{fraction.denominator:x}"


def fraction(text: str) -> Fraction:
    """The fraction that was written so.

    Raises:
        ValueError: it was not.
    """
    above, slash, below = text.partition("/")
    numerator, denominator = int(above, _HEXADECIMAL), int(below, _HEXADECIMAL)
    if not slash or denominator < 1:
        message = f"'{text}' is no fraction"
        raise ValueError(message)
    return Fraction(numerator, denominator)


def _to_wire(value: object) -> object:
    if isinstance(value, Fraction):
        return fraction_text(value)
    if isinstance(value, tzinfo):
        return _zone_text(value)
    if isinstance(value, Mapping):
        return dict(value)
    message = f"A value of the type {type(value).__name__} cannot be sent to the planner's process."
    raise TypeError(message)


def _from_wire(kind: type, value: Any) -> object:  # noqa: ANN401 - any value there may be
    if kind is Fraction:
        return fraction(value)
    if kind is tzinfo:
        return _zone(value)
    message = f"{kind.__name__} is not read from the wire"
    raise TypeError(message)


def _zone_text(zone: tzinfo) -> str:
    if isinstance(zone, ZoneInfo) and zone.key:
        return zone.key
    if isinstance(zone, timezone):
        return f"{zone.utcoffset(None).total_seconds():+.6f}"
    message = f"The time zone {zone!r} has no name by which the planner's process would know it."
    raise TypeError(message)


def _zone(text: str) -> tzinfo:
    if text[:1] in {"+", "-"}:
        return timezone(timedelta(seconds=float(text)))
    return ZoneInfo(text)


_ENCODER: Final = msgspec.msgpack.Encoder(enc_hook=_to_wire)
