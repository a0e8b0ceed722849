"""Every plan is checked: before it is answered where that is quick, else the rest after it."""

from dataclasses import replace

import pytest

from idlewatt_operator.planning.checking import Checks
from idlewatt_scheduler.model.plan import Plan
from idlewatt_scheduler.planner import plan
from idlewatt_scheduler.testing import a_node, a_pod, a_snapshot, a_vehicle

FLEET = a_snapshot(
    vehicles=(a_vehicle(name="v-0"),),
    nodes={"v-0": a_node(name="v-0")},
    pending=(a_pod(name="llm", uid="uid-llm"),),
)
GOOD = plan(FLEET)
WRONG_BOUND = replace(GOOD, bound=GOOD.weight - 1)
WRONG_PLACE = replace(
    GOOD, placements=tuple(replace(each, power=each.power + 1) for each in GOOD.placements)
)


def test_a_small_plan_is_checked_whole_at_once() -> None:
    """Whatever is wrong with it; nothing is left for later."""
    checks = Checks()
    assert checks.at_once(1, FLEET, GOOD, seconds=2.0) == []
    assert checks.at_once(2, FLEET, WRONG_BOUND, seconds=2.0) != []
    assert checks.due_in_seconds is None
    with pytest.raises(LookupError):
        checks.later()


def test_where_time_is_short_what_is_carried_out_is_checked_first() -> None:
    """Placements before the answer; the rest as soon as nobody waits."""
    checks = Checks()
    (fault,) = checks.at_once(1, FLEET, WRONG_PLACE, seconds=0.0)
    assert (fault.rule, fault.subject) == ("Power", "default/llm")
    assert checks.at_once(2, FLEET, WRONG_BOUND, seconds=0.0) == []
    assert checks.due_in_seconds == 0.0
    found = checks.later()
    assert found.ask == 2
    assert found.faults
    assert checks.due_in_seconds is None


def test_the_rest_takes_no_more_than_a_tenth_of_the_time() -> None:
    """After one look at everything the next is some time away."""
    checks = Checks()
    checks.at_once(1, FLEET, GOOD, seconds=0.0)
    took = checks.later().check_seconds
    checks.at_once(2, FLEET, GOOD, seconds=0.0)
    due = checks.due_in_seconds
    assert due is not None
    assert 0.0 <= due <= 10 * took


def test_of_a_plan_that_places_nobody_only_profiles_are_checked() -> None:
    """Nothing else in it can do harm, and it is made again in a moment."""
    checks = Checks()
    assert checks.at_once(1, FLEET, Plan(FLEET.at), seconds=2.0) == []
    assert checks.due_in_seconds is None
