"""Advice in short, for an event that many may read: so quick that no cycle waits for it.

A few vehicles are looked at, not all. A figure is told only where several vehicles would take
the pod with it, and rounded: it must not say when one car leaves, or that it is there.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Final

from idlewatt_scheduler.candidates import Candidate
from idlewatt_scheduler.clauses.pod import first_fixed_reason, pod_case
from idlewatt_scheduler.model.reasons import VehicleReason
from idlewatt_scheduler.model.units import MINUTE, Instant
from idlewatt_scheduler.model.workload import Pod
from idlewatt_scheduler.why.bench import Bench, Wish, board_of
from idlewatt_scheduler.why.least import (
    NO_CHANGE_HELPS,
    Vehicle,
    at_any_price,
    later_start,
    less_power,
    shorter_stay,
)
from idlewatt_scheduler.why.outlook import Outlook, site_of

TOGETHER_AT_LEAST: Final = 3
"""So many vehicles hide each other."""

LOOKED_AT: Final = 12
ASKED_AT_MOST: Final = 240
STARTS_LOOKED_AT: Final = 3

ROUND_SECONDS: Final = 15 * 60
ROUND_WATTS: Final = 10
_QUARTER: Final = 15 * MINUTE


@dataclass(frozen=True, slots=True)
class Brief:
    """What would place a pod, in few words; figures are rounded towards less.

    Attributes:
        start_at: by then several vehicles would take it; None: unknown, or too few would.
        stay_seconds: with such a stay several would; 0: fewer would, or with less than a quarter
            of an hour; None: no shorter stay helps on those looked at.
        power_watts: the same of its power.
        any_tariff: some would, if it did not mind the tariff.
    """

    start_at: Instant | None = None
    stay_seconds: int | None = None
    power_watts: int | None = None
    any_tariff: bool = False


def brief(outlook: Outlook, pod: Pod) -> Brief:
    """Advice for a pod that waits, and for all that are like it.

    Args:
        outlook: of the snapshot and the plan in which it waits; one for all pods of a cycle.
        pod: one of those that wait.
    """
    if pod.demand.gang is not None or pod.spread:
        return Brief()  # it waits for others as well: nothing about itself is sure to help
    wish = Wish(pod, outlook.snapshot.policy)
    chosen = list(_promising(outlook, wish))
    if not chosen:
        return Brief()
    benches = _benches(outlook, chosen)
    stays = [stay.length_seconds for each in benches if (stay := shorter_stay(each, wish))]
    powers = [power.power_watts for each in benches if (power := less_power(each, wish))]
    return Brief(
        start_at=_start(outlook, wish, benches),
        stay_seconds=_hidden(stays, ROUND_SECONDS),
        power_watts=_hidden(powers, ROUND_WATTS),
        any_tariff=any(at_any_price(bench, wish) is not None for bench in benches),
    )


def _promising(outlook: Outlook, wish: Wish) -> Iterator[Candidate]:
    """The first vehicles, site by site, that are kept from it only by what a change could mend."""
    asked = found = 0
    at = outlook.snapshot.at
    for names in outlook.at_site.values():
        for name in names:
            candidate = outlook.candidates[name]
            if candidate.refusal not in {None, VehicleReason.NOT_IDLE_LONG_ENOUGH}:
                continue
            if asked >= ASKED_AT_MOST or found >= LOOKED_AT:
                return
            asked += 1
            case = pod_case(wish.pod, candidate, wish.policy, at)
            if first_fixed_reason(case) not in NO_CHANGE_HELPS:
                found += 1
                yield candidate


def _benches(outlook: Outlook, chosen: Iterable[Candidate]) -> list[Bench]:
    """The chosen on a board of their sites alone: circuits carry nothing from elsewhere."""
    names = {candidate.name for candidate in chosen}
    sites = {site.name for candidate in chosen if (site := site_of(candidate)) is not None}
    beside = {name for site in sites for name in outlook.at_site[site]} | names
    part = [outlook.candidates[name] for name in sorted(beside)]
    board = board_of(replace(outlook.fleet, candidates=tuple(part)), outlook.plan)
    return [Bench(board, index) for index, each in enumerate(part) if each.name in names]


def _start(outlook: Outlook, wish: Wish, benches: list[Bench]) -> Instant | None:
    """A quarter of an hour by which several vehicles would each have taken it."""
    looked = benches[:STARTS_LOOKED_AT]
    starts = [later_start(Vehicle(bench, outlook, wish)) for bench in looked]
    known = [start for start in starts if start is not None]
    if len(known) < TOGETHER_AT_LEAST:
        return None
    return -(-max(known) // _QUARTER) * _QUARTER


def _hidden(figures: list[int], step: int) -> int | None:
    """A figure that at least so many could keep, rounded down; None: nobody could keep any."""
    if len(figures) < TOGETHER_AT_LEAST:
        return 0 if figures else None
    figure = sorted(figures, reverse=True)[TOGETHER_AT_LEAST - 1]
    return figure // step * step
