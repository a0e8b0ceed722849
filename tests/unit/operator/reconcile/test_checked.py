"""No plan is carried out unchecked."""

from dataclasses import replace

import pytest

from idlewatt_operator.reconcile.checked import checked
from idlewatt_scheduler.model.plan import Plan
from idlewatt_scheduler.model.snapshot import Snapshot
from idlewatt_scheduler.planner import plan
from idlewatt_scheduler.testing import a_pod, a_snapshot

TWO = a_snapshot(pending=(a_pod(name="good"), a_pod(name="bad")))


def _spoilt(snapshot: Snapshot) -> Plan:
    """A planner with a fault: the pod `bad` draws nothing, it says."""
    good = plan(snapshot)
    return replace(
        good,
        placements=tuple(
            replace(each, power=0) if each.pod.name == "bad" else each for each in good.placements
        ),
    )


def test_a_plan_that_keeps_the_rules_is_left_as_it_is() -> None:
    """What the checker has nothing against is carried out."""
    assert checked(plan)(TWO) == plan(TWO)


def test_a_placement_that_breaks_a_rule_is_left_out_and_told(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The other placements stand; the log names the rule and the pod."""
    kept = checked(_spoilt)(TWO)
    assert [each.pod.name for each in kept.placements] == ["good"]
    assert "breaks the rule Power (default/bad" in caplog.text


def test_a_plan_that_places_nothing_is_not_checked() -> None:
    """A quiet cycle costs what it cost before."""
    empty = Plan(at=TWO.at + 1)
    assert checked(lambda _: empty)(TWO) is empty
