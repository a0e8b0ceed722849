"""Checks any planner's plan against the rules, and shares no code with any planner.

This package is a second reading of `docs/reference/rules.md`: it imports the model, the
standard library and the public holidays of countries, nothing else of the core, so that one
misunderstanding cannot hide in both. It favours plainness over speed: every quantity is
evaluated at every instant at which something begins or ends, in exact fractions.

    wall_time    windows, zones, holidays, months, through daylight saving
    departure    when cars really leave, as it was learned
    electricity  prices, and what is off-peak
    reading      candidates, capacities, stays
    power        computing, charge, draw
    circuits     loads and limits, on each phase
    matching     selectors, affinity, taints
    vehicle      vehicle clauses
    host_ports   ports of the Node that somebody has
    pod          pod clauses
    together     gangs and spread
    kinds        pods that nothing tells apart
    leaving      who has to leave, whatever is placed
    scene        the fleet as a plan leaves it
    placing      the plan's placements
    waiting      who waits and why
    stability    whom a waiting pod could displace
    imagined     the fleet if some pods were elsewhere
    making_room  who leaves for somebody else, or to be cheaper
    leavers      who leaves, all reasons together
    charging     the charging profiles
    bill         what the stays on a vehicle cost
    site_bill    what only all of a site's stays together cost
    wear         what the battery loses
    objective    cost, weight, bound
"""

from idlewatt_scheduler.feasibility.charging import charging_violations
from idlewatt_scheduler.feasibility.leavers import leaving_violations
from idlewatt_scheduler.feasibility.objective import objective_violations
from idlewatt_scheduler.feasibility.placing import placing_violations
from idlewatt_scheduler.feasibility.reading import Reading
from idlewatt_scheduler.feasibility.report import Violation
from idlewatt_scheduler.feasibility.scene import Scene
from idlewatt_scheduler.feasibility.waiting import waiting_violations
from idlewatt_scheduler.model.plan import Plan
from idlewatt_scheduler.model.snapshot import Snapshot

__all__ = ["Violation", "placement_violations", "profile_violations", "violations"]


def violations(snapshot: Snapshot, plan: Plan) -> tuple[Violation, ...]:
    """Every rule that the plan breaks for this snapshot; empty for a good plan.

    Of a placement whose clauses fail only the first failing one is told.
    """
    found: list[Violation] = []
    if plan.at != snapshot.at:
        sentence = f"It is a plan for {plan.at}; the snapshot is of {snapshot.at}."
        found.append(Violation("Time", "plan", sentence))
    scene = Scene(Reading(snapshot, plan.charging), plan)
    found += placing_violations(scene, plan)
    found += waiting_violations(scene, plan)
    found += leaving_violations(scene, plan)
    found += charging_violations(scene, plan)
    found += objective_violations(scene, plan)
    return tuple(found)


def profile_violations(snapshot: Snapshot, plan: Plan) -> tuple[Violation, ...]:
    """Every rule that the plan's charging profiles break; where it places nobody, that is all."""
    return tuple(charging_violations(Scene(Reading(snapshot, plan.charging), plan), plan))


def placement_violations(snapshot: Snapshot, plan: Plan) -> tuple[Violation, ...]:
    """Every rule that what would be carried out breaks: placements and charging profiles."""
    scene = Scene(Reading(snapshot, plan.charging), plan)
    return (*placing_violations(scene, plan), *charging_violations(scene, plan))
