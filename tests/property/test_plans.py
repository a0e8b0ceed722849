"""Every plan keeps every rule, as a second reading of the rules judges it."""

import pytest
from hypothesis import HealthCheck, given, settings
from tests.property.strategies import snapshots

from idlewatt_scheduler.feasibility import violations
from idlewatt_scheduler.model.snapshot import Snapshot
from idlewatt_scheduler.planner import Params, plan

GREEDY = Params(exact_patterns=0)
EXACT = Params()
PATIENT = settings(
    deadline=None,
    max_examples=150,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@pytest.mark.parametrize("params", [GREEDY, EXACT], ids=["greedy", "exact"])
@PATIENT
@given(snapshot=snapshots())
def test_no_plan_breaks_a_rule(params: Params, snapshot: Snapshot) -> None:
    """Whatever the fleet, the checker finds nothing in either solver's plan."""
    assert violations(snapshot, plan(snapshot, params)) == ()
