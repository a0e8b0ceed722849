"""A plan as plain values: what `idlewatt plan` prints as JSON and as YAML."""

from fractions import Fraction
from typing import Any, Final

from idlewatt_operator.resources.times import format_instant
from idlewatt_scheduler.model.plan import Placement, Plan, Waiting

_PLACES: Final = 6
_PLACES_AT_LEAST: Final = 2
_HALF: Final = Fraction(1, 2)


def answer(plan: Plan, planning_seconds: float) -> dict[str, Any]:
    """The plan in the order and under the names that `docs/reference/cli.md` lists."""
    return {
        "at": format_instant(plan.at),
        "placements": [_placement(placement, plan.currency) for placement in plan.placements],
        "waiting": [_waiting(waiting) for waiting in plan.waiting],
        "leaving": [
            {"pod": leaving.pod.key, "vehicle": leaving.node, "reason": str(leaving.reason)}
            for leaving in plan.leaving
        ],
        "weight": plan.weight,
        "costs": {} if plan.currency is None else {plan.currency: money(plan.cost)},
        "bound": plan.bound,
        "gap": float(round(plan.gap, _PLACES)),
        "seconds": round(planning_seconds, 3),
    }


def _placement(placement: Placement, currency: str | None) -> dict[str, Any]:
    return {
        "pod": placement.pod.key,
        "vehicle": placement.node,
        "start": format_instant(placement.start),
        "readyAt": format_instant(placement.ready_at),
        "until": format_instant(placement.until),
        "cost": money(placement.cost),
        "currency": currency,
        "energyWattHours": watt_hours(placement.energy_watt_hours),
    }


def _waiting(waiting: Waiting) -> dict[str, Any]:
    reasons = {str(reason): count for reason, count in waiting.reasons.items() if count}
    return {
        "pod": waiting.pod.key,
        "condition": str(waiting.condition),
        "reasons": reasons,
    }


def money(amount: Fraction) -> str:
    """A decimal with two to six places, rounded half to even: `0.00`, `1.25`, `0.000123`."""
    scaled = round(amount * 10**_PLACES)
    whole, millionths = divmod(abs(scaled), 10**_PLACES)
    places = f"{millionths:0{_PLACES}d}".rstrip("0").ljust(_PLACES_AT_LEAST, "0")
    return f"{'-' if scaled < 0 else ''}{whole}.{places}"


def watt_hours(energy: Fraction) -> int:
    """Whole watt-hours, a half rounded up."""
    return (energy + _HALF).__floor__()
