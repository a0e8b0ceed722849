"""The answer of `idlewatt why` as plain values, in the order that `docs/reference/cli.md` lists."""

from decimal import Decimal
from fractions import Fraction
from typing import Any

from idlewatt_operator.cli.answers import worth
from idlewatt_operator.cli.why_words import sentence
from idlewatt_operator.reconcile.advice import kind_of, settings_of
from idlewatt_operator.resources.times import format_duration, format_instant
from idlewatt_scheduler.model.shadow import PodPrice
from idlewatt_scheduler.model.units import Instant
from idlewatt_scheduler.why import (
    Answer,
    Change,
    Failing,
    LaterStart,
    Together,
    VehicleAnswer,
)


def document(answer: Answer, price: PodPrice | None = None) -> dict[str, Any]:
    """Everything that was found out, and what one more place for such a pod would be worth."""
    placed, foreseen = answer.placed, answer.prediction
    return {
        "pod": answer.pod,
        "at": format_instant(answer.at),
        "placed": placed
        and {
            "vehicle": placed.node,
            "start": format_instant(placed.start),
            "readyAt": format_instant(placed.ready_at),
            "until": format_instant(placed.until),
        },
        "condition": None if answer.condition is None else str(answer.condition),
        "reasons": {str(reason): count for reason, count in answer.reasons.items()},
        "prediction": foreseen
        and {
            "at": format_instant(foreseen.at),
            "vehicle": foreseen.vehicle,
            "ahead": foreseen.ahead,
            "queueAsked": foreseen.queue_asked,
        },
        "advice": [
            {
                "change": _change(advice.change, answer.pod),
                "vehicle": advice.vehicle,
                "vehicles": advice.vehicles,
            }
            for advice in answer.advice
        ],
        "examined": answer.examined,
        "place": price and worth(price.place),
        "vehicles": [_vehicle(vehicle, answer) for vehicle in answer.vehicles],
    }


def _vehicle(vehicle: VehicleAnswer, answer: Answer) -> dict[str, Any]:
    return {
        "vehicle": vehicle.name,
        "reasons": [_reason(failing, answer.at) for failing in vehicle.failing],
        "examined": vehicle.examined,
        "changes": [_change(change, answer.pod) for change in vehicle.changes],
        "day": [
            {
                "start": format_instant(spell.start),
                "end": format_instant(spell.end),
                "reason": None if spell.reason is None else str(spell.reason),
            }
            for spell in vehicle.spells
        ],
    }


def _reason(failing: Failing, at: Instant) -> dict[str, Any]:
    return {
        "reason": str(failing.reason),
        "sentence": sentence(failing, at),
        "figures": {_camel(name): _figure(name, value) for name, value in failing.figures.items()},
    }


def _change(change: Change, pod: str) -> dict[str, Any]:
    starts = [
        each.at
        for each in (change.changes if isinstance(change, Together) else (change,))
        if isinstance(each, LaterStart)
    ]
    return {
        "kind": kind_of(change),
        "startAt": format_instant(starts[0]) if starts else None,
        "settings": [
            {"object": setting.subject, "field": setting.field, "value": setting.value}
            for setting in settings_of(change, pod)
        ],
    }


def _camel(name: str) -> str:
    """`leaves_at` as `leavesAt`; durations lose their unit, for they carry it in their value."""
    first, *rest = name.removesuffix("_milliseconds").split("_")
    return first + "".join(part.capitalize() for part in rest)


def _figure(name: str, value: object) -> object:
    """A figure as JSON has it: times and durations in text, money as a decimal in text."""
    match value:
        case tuple():
            return list(value)
        case Decimal():
            return str(value)
        case Fraction():
            return value.__floor__()
        case int() if name.endswith("_at"):
            return format_instant(value)
        case int() if name.endswith("_milliseconds"):
            return format_duration(value)
        case _:
            return value
