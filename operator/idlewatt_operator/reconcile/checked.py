"""No plan is carried out unchecked: the second reading of the rules looks at all of it first.

The checker shares no code with the planner. A placement that it objects to is left out and told in
the log; the others stand, since without it they have more room than they were planned with. So is
a charging profile that no charger may be told: its charger keeps the one it has, which every
placement reckoned with. Where one overloads a circuit its car is not charged for now. A profile
that is only late or dear is told and sent: it is better than an old one.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final, TypeAlias

from idlewatt_scheduler.feasibility import Violation, profile_violations, violations
from idlewatt_scheduler.model.charging import ChargingPeriod, ChargingProfile
from idlewatt_scheduler.model.plan import Plan
from idlewatt_scheduler.model.snapshot import Snapshot

_log = logging.getLogger(__name__)

PlanOf: TypeAlias = Callable[[Snapshot], Plan]

_TOLD_AT_MOST: Final = 10
_HARMLESS, _OVERLOADS = "ChargingTime", "CircuitFull"


def checked(plan_of: PlanOf) -> PlanOf:
    """The same planner, without the placements and charging profiles that break a rule.

    Of a plan that places nothing only the profiles are checked: nothing else in it can overload
    or overstay.
    """

    def plan_and_check(snapshot: Snapshot) -> Plan:
        plan = plan_of(snapshot)
        if plan.placements:
            return without_faults(plan, violations(snapshot, plan))
        return without_faults(plan, profile_violations(snapshot, plan)) if plan.charging else plan

    return plan_and_check


def without_faults(plan: Plan, faults: Sequence[Violation]) -> Plan:
    """The plan without the placements and profiles that the checker objects to."""
    for fault in faults[:_TOLD_AT_MOST]:
        _log.error(
            "The plan breaks the rule %s (%s: %s) %s; please report it.",
            fault.rule,
            fault.subject,
            fault.sentence,
            _told(fault, plan),
        )
    objected = {fault.subject for fault in faults if fault.rule != _HARMLESS}
    kept = tuple(each for each in plan.placements if each.pod.key not in objected)
    over = {fault.subject for fault in faults if fault.rule == _OVERLOADS}
    sent = tuple(
        replace(each, profile=ChargingProfile((ChargingPeriod(plan.at, 0),)))
        if each.vehicle in over
        else each
        for each in plan.charging
        if each.vehicle not in objected - over
    )
    if (kept, sent) == (plan.placements, plan.charging):
        return plan
    return replace(plan, placements=kept, charging=sent)


def _told(fault: Violation, plan: Plan) -> str:
    if fault.rule == _HARMLESS:
        return "It is carried out all the same"
    charged = {each.vehicle for each in plan.charging}
    if fault.rule == _OVERLOADS and fault.subject in charged:
        return "It is not charged for now"
    return "That is left out"
