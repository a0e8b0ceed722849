"""Asked of all vehicles at once, a waiting pod gets the answer it gets from each of them."""

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.benchmarks.fleets import Size
from tests.benchmarks.instances import Plenty, an_instance
from tests.property.charging_fleets import charging_fleets
from tests.property.crowd_strategies import busy_fleets
from tests.property.strategies import snapshots
from tests.property.test_plans import GREEDY

from idlewatt_scheduler.feasibility.judging import Judge
from idlewatt_scheduler.feasibility.reading import Reading
from idlewatt_scheduler.feasibility.scene import Scene
from idlewatt_scheduler.model.snapshot import Snapshot
from idlewatt_scheduler.planner import plan


@settings(
    deadline=None,
    max_examples=200,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(
    snapshot=st.one_of(
        snapshots(most_vehicles=6, most_pending=8, most_running=6),
        charging_fleets(),
        busy_fleets(),
    ),
    kept=st.integers(0, 8),
)
def test_columns_say_what_each_vehicle_says(snapshot: Snapshot, kept: int) -> None:
    """Whatever is placed, stable or not: the same reasons, the same condition, the same room."""
    found = plan(snapshot, GREEDY)
    found = replace(found, placements=found.placements[:kept])
    scene = Scene(Reading(snapshot, found.charging), found)
    all_at_once, one_by_one = Judge(scene, 0), Judge(scene, 10**9)
    for who, pod in scene.reading.pending.items():
        if who not in scene.placed_on:
            told, asked = all_at_once.verdict(pod), one_by_one.verdict(pod)
            assert told.reasons == asked.reasons
            assert told.condition is asked.condition
            assert sorted(told.could_be_placed) == sorted(asked.could_be_placed)


@pytest.mark.parametrize("plenty", list(Plenty))
@pytest.mark.parametrize("seed", range(2))
def test_columns_say_so_of_a_fleet_of_every_kind(plenty: Plenty, seed: int) -> None:
    """Of sleepers, phases, curtailments and batteries, with a part of the plan left out."""
    snapshot = an_instance(Size(80, 160), plenty, seed)
    found = plan(snapshot, GREEDY)
    found = replace(found, placements=found.placements[:: 2 + seed])
    scene = Scene(Reading(snapshot), found)
    all_at_once, one_by_one = Judge(scene, 0), Judge(scene, 10**9)
    waiting = [pod for who, pod in scene.reading.pending.items() if who not in scene.placed_on]
    assert len(waiting) > 20
    for pod in waiting:
        told, asked = all_at_once.verdict(pod), one_by_one.verdict(pod)
        assert told.reasons == asked.reasons
        assert told.condition is asked.condition
        assert sorted(told.could_be_placed) == sorted(asked.could_be_placed)
