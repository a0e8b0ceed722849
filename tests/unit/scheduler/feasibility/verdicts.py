"""Asks the checker, through its only door, what it thinks of one pod on the vehicle `v-1`."""

from fractions import Fraction

from idlewatt_scheduler.feasibility import violations
from idlewatt_scheduler.model.plan import Placement, Plan, Waiting
from idlewatt_scheduler.model.reasons import PodReason, Reason, VehicleReason, WaitingCondition
from idlewatt_scheduler.model.snapshot import Snapshot
from idlewatt_scheduler.model.units import HOUR
from idlewatt_scheduler.model.workload import Pod
from idlewatt_scheduler.testing import AT

REASONS = {str(reason) for reason in (*VehicleReason, *PodReason)}

COST_OF_THE_DEFAULT_POD = Fraction("0.1596135")
"""Availability 0.10, energy 173.295 Wh at 0.30, wear 152.5 Wh at 0.05: an hour alone on `v-1`."""

WATT_HOURS_OF_THE_DEFAULT_POD = Fraction("173.295")
"""62.5 W and 90 W standby at 88 %, rounded down to the milliwatt."""


def a_placement(pod: Pod, **overrides: object) -> Placement:
    """`default/pod` on `v-1` for the hour from `AT`, as the rules compute it."""
    values: dict[str, object] = {
        "pod": pod,
        "node": "v-1",
        "start": AT,
        "ready_at": AT,
        "until": AT + HOUR,
        "power": 62_500,
        "cost": COST_OF_THE_DEFAULT_POD,
        "energy_watt_hours": WATT_HOURS_OF_THE_DEFAULT_POD,
    }
    return Placement(**{**values, **overrides})  # type: ignore[arg-type]


def a_placing_plan(snapshot: Snapshot) -> Plan:
    """The only pending pod placed on `v-1`."""
    return Plan(
        at=snapshot.at,
        placements=(a_placement(snapshot.pending[0]),),
        weight=1,
        bound=1,
        cost=COST_OF_THE_DEFAULT_POD,
        currency="EUR",
    )


def a_waiting_plan(
    snapshot: Snapshot,
    *reasons: Reason,
    condition: WaitingCondition = WaitingCondition.WAITING_FOR_ENERGY,
    currency: str | None = "EUR",
) -> Plan:
    """The only pending pod waiting, each reason counted as often as it is given."""
    counts = {reason: reasons.count(reason) for reason in reasons}
    waiting = Waiting(snapshot.pending[0], condition, counts)
    return Plan(at=snapshot.at, waiting=(waiting,), bound=1, currency=currency)


def rules_broken(snapshot: Snapshot, plan: Plan) -> set[str]:
    """The names of all that a plan breaks."""
    return {violation.rule for violation in violations(snapshot, plan)}


def reason_against(snapshot: Snapshot) -> str | None:
    """The clause that keeps the only pending pod off `v-1`; None: it may be placed."""
    broken = rules_broken(snapshot, a_placing_plan(snapshot)) & REASONS
    assert len(broken) <= 1, broken
    return broken.pop() if broken else None
