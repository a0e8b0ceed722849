"""A plan from prices: vehicle after vehicle takes what earns it most of what still waits.

Each takes real pods against what is really left, so nothing has to be rounded. Spread pods keep to
the numbers that the incumbent has by domain, gangs that it could not complete are left aside; at
last what is uneven is trimmed, gangs are completed or dropped, and what waits is filled in.
"""

import numpy as np

from idlewatt_scheduler.solvers.pricing.compiling import compiled, compiled_part
from idlewatt_scheduler.solvers.pricing.sweep import Prices
from idlewatt_scheduler.solvers.scale.facts import Facts
from idlewatt_scheduler.solvers.scale.greedy import greedy
from idlewatt_scheduler.solvers.scale.kernels import holds, put, whole
from idlewatt_scheduler.solvers.scale.repack import Guide, repack_all
from idlewatt_scheduler.solvers.scale.state import Live
from idlewatt_scheduler.tables.layout import PLENTY, Indices, Ints

PASSES = 12
"""Every vehicle is filled so often; each time it finds what others have left since."""

EVEN = 2
"""After so many passes pods are spread evenly."""

STEP = 0.1
"""By what part the price of what waits rises from pass to pass."""


def shuffled(seed: int, vehicles: int) -> Indices:
    """The vehicles in an order of no meaning, the same for the same seed."""
    keys = (np.arange(1, vehicles + 1, dtype=np.uint64) + np.uint64(seed * 7919)) * np.uint64(
        0x9E3779B97F4A7C15
    )
    keys ^= keys >> np.uint64(29)
    return np.argsort(keys * np.uint64(0xBF58476D1CE4E5B9), kind="stable").astype(np.int32)


def quotas(facts: Facts, live: Live) -> Ints:
    """So many pods may be counted in each domain for constraints to hold as evenly as now."""
    quota = live.domain.copy()
    for group in range(len(facts.skew)):
        there = slice(int(facts.domain_first[group]), int(facts.domain_first[group + 1]))
        if facts.floor_is_zero[group]:
            quota[there] = np.maximum(quota[there], facts.skew[group])
        elif there.stop > there.start:
            level = live.domain[there].min() + facts.skew[group]
            quota[there] = np.maximum(quota[there], level)
    return quota


def without_broken_gangs(facts: Facts, live: Live, prices: Prices) -> Prices:
    """The same prices, at which no pod of a gang that is not complete earns anything."""
    lacking = live.gang < facts.gang_needs
    aside = (facts.gang >= 0) & lacking[np.maximum(facts.gang, 0)] if len(lacking) else False
    return prices._replace(pod=np.where(aside, -np.inf, prices.pod))


def construct(facts: Facts, guide: Guide, incumbent: Live, live: Live, seed: int) -> None:
    """Fill all vehicles by these prices, pass after pass, and mend what gangs and spread ask for.

    What waits that the incumbent has placed earns more from pass to pass, so that vehicles take it
    in place of something else: this is an auction. Towards its end pods are spread evenly, and
    keep from then on to as many in each domain as there are.
    """
    for turn in range(PASSES):
        repack_all(facts, live, guide, shuffled(seed + turn, len(live.pods)))
        lacking = np.maximum(live.left - incumbent.left, 0)
        if turn == EVEN:
            mend(facts, live)
            guide.quota[:] = live.domain
        elif turn > EVEN and guide.prices.money and not lacking.any():
            break
        lift(facts, guide, lacking if guide.prices.money else live.left)
    mend(facts, live)


def lift(facts: Facts, guide: Guide, lacking: Ints) -> None:
    """Let what waits earn more: in money by a part, in weight nearer to all of its weight."""
    pod, wanted = guide.prices.pod, np.maximum(facts.wanted, 1)
    part = STEP * np.minimum(1.0, 0.3 + lacking / wanted)
    scarce = np.abs(pod) if guide.prices.money else np.maximum(facts.weight - pod, 0.0)
    more = part * scarce
    up = (lacking > 0) & np.isfinite(pod)
    pod[up] += more[up]


def mend(facts: Facts, live: Live) -> None:
    """Trim what stands unevenly, complete or drop gangs, and fill in what waits."""
    trim(facts, live)
    greedy(facts, live)
    while drop_gangs(facts, live) + trim(facts, live):
        greedy(facts, live)


@compiled
def trim(facts: Facts, live: Live) -> int:
    """Take pods out of domains that have too many beside the emptiest; how many."""
    taken = 0
    for group in range(len(facts.skew)):
        if not holds(facts, live, group):
            taken += _trim_group(facts, live, group)
    return taken


@compiled_part
def _trim_group(facts: Facts, live: Live, group: int) -> int:
    taken = 0
    first, last = facts.domain_first[group], facts.domain_first[group + 1]
    least = 0 if facts.floor_is_zero[group] else PLENTY
    if not facts.floor_is_zero[group]:
        for domain in range(first, last):
            least = min(least, live.domain[domain])
    for template in range(len(facts.wanted) - 1, -1, -1):
        if not facts.subject[group, template]:
            continue
        counted = facts.counted[group, template]
        for at in range(facts.template_first[template], facts.template_first[template + 1]):
            pair = facts.by_template[at]
            domain = facts.domain[group, facts.vehicle[pair]]
            if live.held[pair] <= 0 or domain < 0:
                continue
            over = whole(live.domain[domain] - least - facts.skew[group])
            if over > 0:
                held = whole(live.held[pair])
                number = min(over, held) if counted else held
                put(facts, live, pair, -number)
                taken += number
    return taken


@compiled
def drop_gangs(facts: Facts, live: Live) -> int:
    """Take off the pods of gangs that are not complete; how many."""
    dropped = 0
    for pair in range(len(live.held)):
        gang = facts.gang[facts.template[pair]]
        if live.held[pair] > 0 and gang >= 0 and live.gang[gang] < facts.gang_needs[gang]:
            dropped += live.held[pair]
    if dropped:
        lacking = live.gang < facts.gang_needs
        for pair in range(len(live.held)):
            gang = facts.gang[facts.template[pair]]
            if live.held[pair] > 0 and gang >= 0 and lacking[gang]:
                put(facts, live, pair, -whole(live.held[pair]))
    return dropped
