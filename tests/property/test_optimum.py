"""The exact solver is held to every plan there is: each way to place few pods, tried in turn.

What is allowed and what it costs is the checker's judgement, so the oracle shares no code with
the solver it judges.
"""

from collections import defaultdict
from collections.abc import Iterator
from fractions import Fraction
from itertools import product

from hypothesis import HealthCheck, assume, given, settings
from tests.property.crowd_strategies import crowded
from tests.property.strategies import snapshots

from idlewatt_scheduler.feasibility import violations
from idlewatt_scheduler.feasibility.bill import bill
from idlewatt_scheduler.feasibility.reading import Reading, Stay
from idlewatt_scheduler.feasibility.site_bill import site_bill
from idlewatt_scheduler.model.plan import Placement, Plan, Waiting
from idlewatt_scheduler.model.reasons import PodReason, VehicleReason, WaitingCondition
from idlewatt_scheduler.model.snapshot import Snapshot
from idlewatt_scheduler.planner import Params, plan

FORBIDDEN = {*map(str, VehicleReason), *map(str, PodReason), "Stability"}
COMPARED_TO = Fraction(1, 10**6)
"""Solvers compare costs in whole ten-millionths of the plan's currency, of a few terms each."""

SOLVERS = (
    Params(),
    Params(exact_literals=1),
    Params(exact_literals=1, compiled=False),
)

Score = tuple[int, int, Fraction]
"""Weight, fewer pods on plain nodes, less cost: greater is better."""


@settings(
    deadline=None,
    max_examples=60,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
@given(snapshot=snapshots(most_vehicles=2, most_pending=4, most_running=2).flatmap(crowded))
def test_no_stable_plan_is_better_than_a_proven_one(snapshot: Snapshot) -> None:
    """Neither in weight nor in cost; and none is heavier, or costs less, than any solver's bounds.

    Solvers are literals, patterns, and greed: as the fleet is small each of them could be asked.
    """
    plans = [plan(snapshot, params) for params in SOLVERS]
    reading = Reading(snapshot, plans[0].charging)
    assume(len(reading.candidates) ** len(snapshot.pending) <= 81)
    scores = [_score(reading, found) for found in _stable_plans(reading, plans[0])]
    best = max(scores)
    for found in plans:
        weight, plain, money = _score(reading, found)
        assert found.bound >= best[0]
        assert (weight, plain, money) <= best
        if found.cost_bound is not None:
            cheapest = max(score[2] for score in scores if score[0] >= weight)
            assert found.cost_bound <= -cheapest
        if found.proven:
            assert (weight, plain) == best[:2]
            assert best[2] - money <= COMPARED_TO


def _stable_plans(reading: Reading, found: Plan) -> Iterator[Plan]:
    """Profiles and who leaves are planned before any pod is placed: they are the same in all."""
    pods = reading.snapshot.pending
    for chosen in product([None, *reading.candidates], repeat=len(pods)):
        placements, waiting = [], []
        for pod, name in zip(pods, chosen, strict=True):
            if name is None:
                waiting.append(Waiting(pod, WaitingCondition.WAITING_FOR_ENERGY))
                continue
            stay = reading.new_stay(pod, reading.candidates[name])
            placements.append(Placement(pod, name, stay.start, stay.ready_at, stay.end, stay.power))
        tried = Plan(
            reading.at, tuple(placements), tuple(waiting), found.leaving, charging=found.charging
        )
        if not any(broken.rule in FORBIDDEN for broken in violations(reading.snapshot, tried)):
            yield tried


def _score(reading: Reading, found: Plan) -> Score:
    levels = sorted({pod.priority for pod in reading.snapshot.pending})
    merged = max(len(levels) - 6, 0)
    weight, plain = 0, 0
    held: defaultdict[str, list[Stay]] = defaultdict(list)
    for placement in found.placements:
        weight += 16 ** max(levels.index(placement.pod.priority) - merged, 0)
        candidate = reading.candidates[placement.node]
        plain += candidate.vehicle is None
        held[placement.node].append(reading.new_stay(placement.pod, candidate))
    costs = [bill(reading, reading.candidates[name], stays).cost for name, stays in held.items()]
    costs += [site_bill(reading, site, held) for site in reading.snapshot.sites.values()]
    assert None not in costs
    return weight, -plain, -sum((cost for cost in costs if cost is not None), Fraction(0))
