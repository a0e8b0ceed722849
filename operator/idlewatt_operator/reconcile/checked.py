"""No plan is carried out unchecked: the second reading of the rules looks at every placement first.

The checker shares no code with the planner. A placement that it objects to is left out and told in
the log; the others stand, since without it they have more room than they were planned with.
"""

import logging
from collections.abc import Callable
from dataclasses import replace
from typing import Final, TypeAlias

from idlewatt_scheduler.feasibility import violations
from idlewatt_scheduler.model.plan import Plan
from idlewatt_scheduler.model.snapshot import Snapshot

_log = logging.getLogger(__name__)

PlanOf: TypeAlias = Callable[[Snapshot], Plan]

_TOLD_AT_MOST: Final = 10


def checked(plan_of: PlanOf) -> PlanOf:
    """The same planner, without the placements that break a rule.

    Only a plan that places something is checked: nothing else in it can overload or overstay.
    """

    def plan_and_check(snapshot: Snapshot) -> Plan:
        plan = plan_of(snapshot)
        return without_faults(snapshot, plan) if plan.placements else plan

    return plan_and_check


def without_faults(snapshot: Snapshot, plan: Plan) -> Plan:
    """The plan without the placements of pods that the checker objects to."""
    faults = violations(snapshot, plan)
    for fault in faults[:_TOLD_AT_MOST]:
        _log.error(
            "The plan breaks the rule %s (%s: %s) That placement is left out; please report it.",
            fault.rule,
            fault.subject,
            fault.sentence,
        )
    objected = {fault.subject for fault in faults}
    kept = tuple(each for each in plan.placements if each.pod.key not in objected)
    return plan if len(kept) == len(plan.placements) else replace(plan, placements=kept)
