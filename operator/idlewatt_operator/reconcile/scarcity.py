"""How scarce the places of a waiting pod are, from the plan's prices.

A price is told of the oldest pod of a kind; pods that no clause can tell apart have the same one.
It is told where others have the places. A pod that is too large for every vehicle has none to want.
"""

from collections.abc import Iterable, Iterator
from typing import Final

from idlewatt_scheduler.model.plan import Plan
from idlewatt_scheduler.model.reasons import PodReason, Reason
from idlewatt_scheduler.model.shadow import PodPrice
from idlewatt_scheduler.model.workload import Pod
from idlewatt_scheduler.templates import Template, templates_of

_LEAST_WEIGHT: Final = 0.005

_TAKEN: Final[frozenset[Reason]] = frozenset(
    {
        PodReason.DEPARTURE_CHARGE_AT_RISK,
        PodReason.NOT_ENOUGH_RESOURCES,
        PodReason.HOST_PORT_TAKEN,
        PodReason.CIRCUIT_FULL,
        PodReason.TOPOLOGY_SPREAD,
        PodReason.GANG_INCOMPLETE,
    }
)
"""Clauses that fail because of what else is placed or runs there."""


def priced_kinds(plan: Plan, pods: Iterable[Pod]) -> list[tuple[Template, PodPrice | None]]:
    """The kinds of these pods, in the planner's order, each with its price if it has one.

    Args:
        plan: whose prices they are.
        pods: those that wait in it, or some of them.
    """
    asked = list(pods)
    keys = {pod.key for pod in asked}
    prices = {each.sample: each for each in plan.prices.pods}
    short = {each.pod.key for each in plan.waiting if not _TAKEN.isdisjoint(each.reasons)}
    known = [each.pod for each in plan.placements if each.pod.key in prices]
    found: list[tuple[Template, PodPrice | None]] = []
    for template in templates_of([*asked, *known] if prices else asked):
        ours = tuple(pod for pod in template.pods if pod.key in keys)
        named: Iterator[PodPrice] = iter(())
        if any(pod.key in short for pod in ours):
            named = (prices[pod.key] for pod in template.pods if pod.key in prices)
        if ours:
            found.append((Template(ours, template.weight), next(named, None)))
    return found


def price_of(plan: Plan, pod: Pod) -> PodPrice | None:
    """The price of the places of a pod that waits in the plan; None: it has none."""
    waiting = [each.pod for each in plan.waiting]
    for template, price in priced_kinds(plan, waiting):
        if any(each.key == pod.key for each in template.pods):
            return price
    return None


def in_few_words(price: PodPrice | None) -> str:
    """A sentence for an event, without its full stop; empty where there is no price.

    Money is left out: what owners are paid is nobody's business there.
    """
    if price is None or price.place.weight < _LEAST_WEIGHT:
        return ""
    return (
        "Its places are short: one more is worth as much as "
        f"{_rounded(price.place.weight)} of the lowest priority"
    )


def _rounded(weight: float) -> str:
    """To two figures, so that it is not another one in every cycle."""
    figure = float(f"{weight:.2g}")
    if figure == 1:
        return "a pod"
    return f"{figure:,.0f} pods" if figure >= 10 else f"{figure:g} pods"  # noqa: PLR2004 - two figures
