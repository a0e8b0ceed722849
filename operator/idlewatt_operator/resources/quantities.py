"""Kubernetes quantities: `16`, `500m`, `32Gi`, `1e3`."""

import functools
import re
from decimal import Decimal
from fractions import Fraction
from typing import Final

QUANTITY_MAX_LENGTH: Final = 32

NOT_A_QUANTITY: Final = (
    "'{}' is not a Kubernetes quantity; write a number with an optional suffix, such as "
    '"16", "500m" or "32Gi"'
)

_SHAPE: Final = re.compile(
    r"(?P<number>[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+))"
    r"(?:(?P<suffix>[KMGTPE]i|[numkMGTPE])|[eE](?P<exponent>[+-]?[0-9]{1,4}))?"
)
_DECIMAL_SUFFIXES: Final = {
    "n": -9,
    "u": -6,
    "m": -3,
    "k": 3,
    "M": 6,
    "G": 9,
    "T": 12,
    "P": 15,
    "E": 18,
}
_BINARY_SUFFIXES: Final = {"Ki": 1, "Mi": 2, "Gi": 3, "Ti": 4, "Pi": 5, "Ei": 6}
_GREATEST: Final = Fraction(2**63 - 1)
_EXPONENT_LIMIT: Final = 60


@functools.lru_cache(maxsize=16_384)
def parse_quantity(text: str | int) -> Fraction:
    """Read a quantity as an exact number of its unit.

    As in Kubernetes, what is greater than 2^63 - 1 counts as that.

    Raises:
        ValueError: it is no quantity; the message is a sentence.
    """
    found = _SHAPE.fullmatch(str(text)) if len(str(text)) <= QUANTITY_MAX_LENGTH else None
    if found is None:
        raise ValueError(NOT_A_QUANTITY.format(text))
    value = Fraction(Decimal(found["number"])) * _scale(found["suffix"], found["exponent"])
    return max(-_GREATEST, min(value, _GREATEST))


def _scale(suffix: str | None, exponent: str | None) -> Fraction:
    if suffix in _BINARY_SUFFIXES:
        return Fraction(1024 ** _BINARY_SUFFIXES[suffix])
    power = int(exponent) if exponent else _DECIMAL_SUFFIXES.get(suffix or "", 0)
    power = max(-_EXPONENT_LIMIT, min(power, _EXPONENT_LIMIT))
    return Fraction(10) ** power
