"""The annotations `idlewatt.dev/...` of pods: what a pod asks for, and what its Binding carried.

An annotation that is unknown or malformed is never passed over: each gives a sentence, and a
pod with one waits.
"""

import difflib
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from idlewatt_operator.resources.quantities import parse_quantity
from idlewatt_operator.resources.times import parse_duration, parse_instant
from idlewatt_scheduler.model.units import Instant, Milliwatts, milliwatts
from idlewatt_scheduler.model.workload import Demand

PREFIX: Final = "idlewatt.dev/"

BOUND_WATTS: Final = PREFIX + "bound-watts"
BOUND_UNTIL: Final = PREFIX + "bound-until"
BOUND_AGREEMENT_VERSION: Final = PREFIX + "bound-agreement-version"
FENCE_SECONDS: Final = PREFIX + "fence-seconds"
RELEASED_AT: Final = PREFIX + "released-at"
RELEASED_FROM: Final = PREFIX + "released-from"
RELEASED_READY: Final = PREFIX + "released-ready"
GANG: Final = PREFIX + "gang"
GANG_SIZE: Final = PREFIX + "gang-size"

SMALLEST_GANG: Final = 2
LARGEST_GANG: Final = 1_000

_WHOLE: Final = re.compile(r"[0-9]{1,15}")
_DECIMAL: Final = re.compile(r"[0-9]{1,15}(?:\.[0-9]{1,9})?")
_UID: Final = re.compile(r"[0-9A-Za-z-]{1,64}")
_LABEL_VALUE: Final = re.compile(r"[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?")
_TARIFFS: Final = {"off-peak": False, "any": True}
_FLAGS: Final = {"true": True, "false": False}
_SHOWN_LENGTH: Final = 64


def _whole_number(text: str) -> int:
    if _WHOLE.fullmatch(text) is None:
        sentence = f"'{_shown(text)}' is not a whole number; write digits only, such as \"350\""
        raise ValueError(sentence)
    return int(text)


def _power(text: str) -> Milliwatts:
    if _DECIMAL.fullmatch(text) is None:
        sentence = f'\'{_shown(text)}\' is not a decimal number of watts, such as "350" or "87.5"'
        raise ValueError(sentence)
    return milliwatts(Decimal(text))


def _bytes(text: str) -> int:
    size = parse_quantity(text)
    if size < 0:
        sentence = f"'{text}' is negative; a size is zero or more"
        raise ValueError(sentence)
    return size.__ceil__()


def _uid(text: str) -> str:
    if _UID.fullmatch(text) is None:
        sentence = f"'{_shown(text)}' is not the UID of an object"
        raise ValueError(sentence)
    return text


def _regions(text: str) -> frozenset[str]:
    regions = [part.strip() for part in text.split(",")]
    for region in regions:
        if _LABEL_VALUE.fullmatch(region) is None:
            sentence = (
                f"'{_shown(text)}' is not a list of regions; "
                'write their names with commas between them, such as "eu-de,eu-fr"'
            )
            raise ValueError(sentence)
    return frozenset(regions)


def _gang(text: str) -> str:
    if _LABEL_VALUE.fullmatch(text) is None:
        sentence = (
            f"'{_shown(text)}' is not the name of a gang; write at most 63 letters, digits and "
            '"-", "_", "." between them'
        )
        raise ValueError(sentence)
    return text


def _gang_size(text: str) -> int:
    size = _whole_number(text)
    if not SMALLEST_GANG <= size <= LARGEST_GANG:
        sentence = f"'{_shown(text)}' is not a number from {SMALLEST_GANG} to {LARGEST_GANG}"
        raise ValueError(sentence)
    return size


def _one_of(choices: Mapping[str, bool]) -> Callable[[str], bool]:
    def read(text: str) -> bool:
        if text not in choices:
            named = " or ".join(f'"{choice}"' for choice in choices)
            sentence = f"'{_shown(text)}' is not {named}"
            raise ValueError(sentence)
        return choices[text]

    return read


def _shown(text: str) -> str:
    return text if len(text) <= _SHOWN_LENGTH else text[:_SHOWN_LENGTH] + "..."


@dataclass(frozen=True, slots=True)
class _Annotation:
    """How an annotation is read, and the field of the result that holds it."""

    field: str
    read: Callable[[str], Any]


_DEMAND: Final = {
    "expected-runtime": _Annotation("expected_runtime", parse_duration),
    "power": _Annotation("power_watts", _whole_number),
    "deadline": _Annotation("deadline", parse_instant),
    "tariff": _Annotation("any_tariff", _one_of(_TARIFFS)),
    "drain-grace": _Annotation("drain_grace", parse_duration),
    "residency": _Annotation("residency", _regions),
    "model-load-time": _Annotation("model_load_time", parse_duration),
    "image-size": _Annotation("image_size_bytes", _bytes),
    "allow-untrusted": _Annotation("allow_untrusted", _one_of(_FLAGS)),
    "allow-loss": _Annotation("allow_loss", _one_of(_FLAGS)),
    "gang": _Annotation("gang", _gang),
    "gang-size": _Annotation("gang_size", _gang_size),
}
_BOUND: Final = {
    "bound-watts": _Annotation("power", _power),
    "bound-until": _Annotation("until", parse_instant),
    "bound-agreement-version": _Annotation("agreement_version", _whole_number),
}
_WRITTEN: Final = {
    **_BOUND,
    "fence-seconds": _Annotation("fence_seconds", _whole_number),
    "released-at": _Annotation("released_at", parse_instant),
    "released-from": _Annotation("released_from", _uid),
    "released-ready": _Annotation("released_ready", _whole_number),
}
_KNOWN: Final = {**_DEMAND, **_WRITTEN}


@dataclass(frozen=True, slots=True)
class Bound:
    """What the operator wrote; None where it is absent or malformed.

    Attributes:
        power: milliwatts the pod was planned with.
        until: the end of the stay it was planned with.
        fence_seconds: the `activeDeadlineSeconds` that was set here.
        released_at: when it was taken from its ReplicaSet.
        released_from: that ReplicaSet's UID.
        released_ready: how many pods were to be ready beside it before it leaves, itself included.
    """

    power: Milliwatts | None = None
    until: Instant | None = None
    agreement_version: int | None = None
    fence_seconds: int | None = None
    released_at: Instant | None = None
    released_from: str | None = None
    released_ready: int | None = None


@dataclass(frozen=True, slots=True)
class PodAnnotations:
    """All of a pod's annotations under the prefix, read.

    Attributes:
        invalid: a sentence for each that is unknown or malformed, ordered by name.
    """

    demand: Demand
    bound: Bound
    invalid: tuple[str, ...] = ()


_NONE: Final = PodAnnotations(Demand(), Bound())


def read_annotations(annotations: Mapping[str, str] | None) -> PodAnnotations:
    """Read those under `idlewatt.dev/`; the others are nobody's business here."""
    ours = {name for name in annotations or () if name.startswith(PREFIX)}
    if not annotations or not ours:
        return _NONE
    demand: dict[str, Any] = {}
    bound: dict[str, Any] = {}
    invalid = []
    for name in sorted(ours):
        short = name.removeprefix(PREFIX)
        known = _KNOWN.get(short)
        if known is None:
            invalid.append(_unknown(name, short))
            continue
        try:
            (bound if short in _WRITTEN else demand)[known.field] = known.read(annotations[name])
        except ValueError as error:
            invalid.append(f"annotation {name}: {error}")
    invalid.extend(_half_gangs(ours))
    if not {"gang", "gang_size"} <= demand.keys():  # half a gang is none
        demand.pop("gang", None)
        demand.pop("gang_size", None)
    return PodAnnotations(Demand(**demand), Bound(**bound), tuple(invalid))


def _half_gangs(ours: Collection[str]) -> Iterator[str]:
    """A sentence for the one of the two that stands there without the other."""
    for one, other in ((GANG, GANG_SIZE), (GANG_SIZE, GANG)):
        if one in ours and other not in ours:
            yield f"annotation {one}: it needs {other} beside it"


def _unknown(name: str, short: str) -> str:
    close = difflib.get_close_matches(short.lower(), _DEMAND, n=1)
    hint = f"did you mean {PREFIX}{close[0]}?" if close else f"known are {', '.join(_DEMAND)}"
    return f"annotation {_shown(name)} is unknown; {hint}"
