"""Spread constraints on tables: whether one more pod may stand in a domain, and what holds."""

import numpy as np

from idlewatt_scheduler.solvers.scale.facts import Facts
from idlewatt_scheduler.solvers.scale.state import Live
from idlewatt_scheduler.tables.layout import Ints


def groups_of(facts: Facts, template: int) -> list[int]:
    """The spread groups that constrain a template or count its pods."""
    first, last = facts.group_first[template], facts.group_first[template + 1]
    return [int(group) for group in facts.groups[first:last]]


def domains_of(facts: Facts, group: int) -> slice:
    """Where the domains of a group stand."""
    return slice(int(facts.domain_first[group]), int(facts.domain_first[group + 1]))


def may_stand(facts: Facts, live: Live, template: int, vehicle: int) -> bool:
    """Whether every constraint would hold with one more pod of the template there."""
    return all(
        _holds_with(facts, live, group, template, int(facts.domain[group, vehicle]))
        for group in groups_of(facts, template)
    )


def broken(facts: Facts, live: Live) -> list[int]:
    """The groups whose constraint does not hold of some pod that was placed."""
    return [group for group in range(len(facts.skew)) if not holds(facts, live, group)]


def _holds_with(facts: Facts, live: Live, group: int, template: int, domain: int) -> bool:
    subject, counted = bool(facts.subject[group, template]), facts.counted[group, template]
    if domain < 0:
        return not subject
    count = live.domain[domain] + int(counted)
    if not subject and not live.domain_subject[domain]:
        return True
    before = live.domain[domain]
    live.domain[domain] = count
    least = _least(facts, live, group)
    live.domain[domain] = before
    return bool(count - least <= facts.skew[group])


def _least(facts: Facts, live: Live, group: int) -> int:
    if facts.floor_is_zero[group]:
        return 0
    return int(live.domain[domains_of(facts, group)].min(initial=np.iinfo(np.int64).max))


def holds(facts: Facts, live: Live, group: int) -> bool:
    """Whether a constraint holds of every pod that was placed."""
    there = domains_of(facts, group)
    count: Ints = live.domain[there]
    over = count - _least(facts, live, group) > facts.skew[group]
    return not bool((over & (live.domain_subject[there] > 0)).any())
