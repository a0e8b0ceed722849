"""All further rules together, as the planner asks them."""

from typing import Final

from idlewatt_scheduler.further.host_ports import HostPorts
from idlewatt_scheduler.further.rule import NOTHING, Rule, beside
from idlewatt_scheduler.model.reasons import PodReason
from idlewatt_scheduler.model.snapshot import Snapshot
from idlewatt_scheduler.model.units import Quantities
from idlewatt_scheduler.model.workload import Node, Pod

RULES: Final[tuple[Rule, ...]] = (HostPorts(),)
"""In the order in which they are asked, after the resources of the machine and before circuits."""

REASONS: Final = tuple(rule.reason for rule in RULES)
"""Why a pod may wait for one of them, in that order."""


def columns_of(pod: Pod) -> Quantities:
    """What a pod takes of the rules' columns; most take nothing."""
    found = NOTHING
    for rule in RULES:
        found = beside(found, rule.takes(pod))
    return found


def amounts_of(pod: Pod) -> Quantities:
    """All that a pod takes of a Node: what it requests, and of the columns."""
    return beside(pod.requests, columns_of(pod))


def taken_by_others(snapshot: Snapshot, node: str) -> Quantities:
    """What others' pods take of the columns there."""
    found = NOTHING
    for rule in RULES:
        found = beside(found, rule.taken(snapshot, node))
    return found


def rule_of(name: str) -> Rule | None:
    """The rule that a column belongs to; None: it is a resource, whose name has no colon."""
    kind, colon, _ = name.partition(":")
    return next((rule for rule in RULES if rule.kind == kind), None) if colon else None


def held(name: str, node: Node | None) -> int:
    """How much of a column a Node has; 0 of what is none."""
    rule = rule_of(name)
    return 0 if rule is None else rule.holds(name, node)


def reason_of(name: str) -> PodReason:
    """Why a pod waits where there is not enough of this."""
    rule = rule_of(name)
    return PodReason.NOT_ENOUGH_RESOURCES if rule is None else rule.reason
