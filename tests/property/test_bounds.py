"""No plan there is beats a bound: every way to place few pods is tried, by the check's reading.

Whichever way a plan was found: no stable plan is heavier than its `bound`, and none at all that
places as much costs less than its `cost_bound`.
"""

from collections.abc import Iterator
from fractions import Fraction
from itertools import product

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.property.crowd_strategies import busy_fleets
from tests.property.strategies import snapshots
from tests.property.test_plans import EXACT, GREEDY, PRICED

from idlewatt_scheduler.feasibility.judging import Judge
from idlewatt_scheduler.feasibility.objective import Ledger, weight_of
from idlewatt_scheduler.feasibility.placing import placing_violations
from idlewatt_scheduler.feasibility.reading import Reading
from idlewatt_scheduler.feasibility.scene import Scene
from idlewatt_scheduler.model.plan import Placement, Plan
from idlewatt_scheduler.model.snapshot import Snapshot
from idlewatt_scheduler.planner import Params, plan

MOST_PLANS = 256


@pytest.mark.parametrize("params", [GREEDY, PRICED, EXACT], ids=["greedy", "at scale", "exact"])
@settings(
    deadline=None,
    max_examples=60,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(
    snapshot=st.one_of(
        snapshots(most_vehicles=3, most_pending=3, most_running=2),
        busy_fleets(most_vehicles=3, most_pending=3, most_running=2),
        busy_fleets(most_vehicles=1, most_pending=7, most_running=1),
    )
)
def test_no_plan_beats_a_bound(params: Params, snapshot: Snapshot) -> None:
    """Neither in weight nor in cost."""
    found = plan(snapshot, params)
    reading = Reading(snapshot, found.charging)
    if (len(reading.candidates) + 1) ** len(snapshot.pending) > MOST_PLANS:
        return
    for scene, tried in _valid_plans(reading):
        weight = weight_of(reading.pending, scene.placed_on)
        if weight > found.bound:
            assert not _is_stable(scene), tried
        if found.cost_bound is not None and weight >= found.weight:
            cost = _cost(scene, tried)
            assert cost is None or cost >= found.cost_bound, tried


def _valid_plans(reading: Reading) -> Iterator[tuple[Scene, Plan]]:
    """Each with all that the check knows of it."""
    pods = reading.snapshot.pending
    for chosen in product([None, *reading.candidates], repeat=len(pods)):
        tried = Plan(
            reading.at,
            tuple(
                _placement(reading, number, name)
                for number, name in enumerate(chosen)
                if name is not None
            ),
        )
        scene = Scene(reading, tried)
        if next(placing_violations(scene, tried), None) is None:
            yield scene, tried


def _placement(reading: Reading, number: int, name: str) -> Placement:
    pod = reading.snapshot.pending[number]
    stay = reading.new_stay(pod, reading.candidates[name])
    return Placement(pod, name, stay.start, stay.ready_at, stay.end, stay.power)


def _is_stable(scene: Scene) -> bool:
    judge = Judge(scene)
    waiting = [pod for who, pod in scene.reading.pending.items() if who not in scene.placed_on]
    return not any(judge.verdict(pod).could_be_placed for pod in waiting)


def _cost(scene: Scene, tried: Plan) -> Fraction | None:
    """What its placements cost in all; None: some of it is not known."""
    ledger, total = Ledger(scene.reading), Fraction(0)
    for placement in tried.placements:
        candidate = scene.reading.candidates[placement.node]
        before = ledger.spent_on(candidate).cost
        ledger.add(candidate, scene.reading.new_stay(placement.pod, candidate))
        after = ledger.spent_on(candidate).cost
        if before is None or after is None:
            return None
        total += after - before
    return total
