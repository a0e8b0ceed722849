"""A plan as plain values: what `idlewatt plan` prints as JSON and as YAML."""

from fractions import Fraction
from typing import Any, Final

from idlewatt_operator.resources.times import format_instant
from idlewatt_scheduler.model.plan import Placement, Plan, Waiting
from idlewatt_scheduler.model.shadow import Prices, Worth

_PLACES: Final = 6
_PLACES_AT_LEAST: Final = 2
_HALF: Final = Fraction(1, 2)


def answer(plan: Plan, planning_seconds: float, *, with_prices: bool = False) -> dict[str, Any]:
    """The plan in the order and under the names that `docs/reference/cli.md` lists."""
    document: dict[str, Any] = {
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
        "costBound": None if plan.cost_bound is None else money(plan.cost_bound),
        "costGap": None if plan.cost_gap is None else float(round(plan.cost_gap, _PLACES)),
        "proven": plan.proven,
        "solver": str(plan.solver),
        "halted": plan.halted,
        "seconds": round(planning_seconds, 3),
        "stepSeconds": {step: round(taken, 4) for step, taken in plan.step_seconds.items()},
    }
    return {**document, "prices": prices(plan.prices)} if with_prices else document


def prices(prices: Prices) -> dict[str, Any]:
    """What one more of what is scarce would be worth; all of it."""
    return {
        "circuits": [
            {
                "site": each.site,
                "circuit": each.circuit,
                "phase": each.phase,
                "start": format_instant(each.start),
                "end": format_instant(each.end),
                "kilowatt": worth(each.kilowatt),
            }
            for each in prices.circuits
        ],
        "slots": [
            {
                "site": each.site,
                "start": format_instant(each.start),
                "end": format_instant(each.end),
                "vehicles": each.vehicles,
                "slot": worth(each.slot),
            }
            for each in prices.slots
        ],
        "pods": [
            {
                "sample": each.sample,
                "pods": each.pods,
                "waiting": each.waiting,
                "place": worth(each.place),
            }
            for each in prices.pods
        ],
    }


def worth(worth: Worth) -> dict[str, float]:
    """Estimates, and so the only figures that are floats."""
    return {"weight": round(worth.weight, _PLACES), "money": round(worth.money, _PLACES)}


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
