"""No plan is carried out unchecked."""

from dataclasses import replace

import pytest

from idlewatt_operator.reconcile.checked import checked
from idlewatt_scheduler.model.charging import ChargingProfile
from idlewatt_scheduler.model.plan import Charging, Plan
from idlewatt_scheduler.model.site import Circuit
from idlewatt_scheduler.model.snapshot import Snapshot
from idlewatt_scheduler.model.units import HOUR
from idlewatt_scheduler.model.workload import Pod
from idlewatt_scheduler.planner import plan
from idlewatt_scheduler.testing import (
    a_charging_site,
    a_controlled_car,
    a_pod,
    a_profile,
    a_snapshot,
)

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


def test_a_plan_that_places_and_charges_nothing_is_not_checked() -> None:
    """A quiet cycle costs what it cost before."""
    empty = Plan(at=TWO.at + 1)
    assert checked(lambda _: empty)(TWO) is empty


@pytest.mark.parametrize("pending", [(), TWO.pending])
@pytest.mark.parametrize(
    ("profile", "sent", "told"),
    [
        (a_profile((0, 50_000), (HOUR, 0)), (), "That is left out"),
        (a_profile((0, 0)), ("v-1",), "It is carried out all the same"),
    ],
)
def test_a_profile_that_may_harm_is_not_sent(
    pending: tuple[Pod, ...],
    profile: ChargingProfile,
    sent: tuple[str, ...],
    told: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Its charger keeps what it has; one that is only idle is better than that."""
    snapshot = a_snapshot(
        vehicles=(a_controlled_car(),), sites=(a_charging_site(),), pending=pending
    )
    good = plan(snapshot)
    assert checked(plan)(snapshot) == good
    spoilt = replace(good, charging=(Charging("v-1", profile),))
    found = checked(lambda _: spoilt)(snapshot)
    assert tuple(each.vehicle for each in found.charging) == sent
    assert told in caplog.text


def test_a_car_whose_profile_overloads_a_circuit_is_not_charged_for_now(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """What its charger has may overload it as well: nobody asked since."""
    site = a_charging_site(circuits=(Circuit("row-a", None, 5_000),))
    snapshot = a_snapshot(vehicles=(a_controlled_car(),), sites=(site,))
    too_much = (Charging("v-1", a_profile((0, 5_001), (HOUR, 0))),)
    found = checked(lambda each: replace(plan(each), charging=too_much))(snapshot)
    assert found.charging == (Charging("v-1", a_profile((0, 0))),)
    assert "It is not charged for now" in caplog.text
