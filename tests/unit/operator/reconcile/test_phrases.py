"""Why a pod waits is told in a line that a person understands."""

import pytest

from idlewatt_operator.reconcile.phrases import (
    histogram,
    leading_reason,
    ordered,
    waiting_message,
)
from idlewatt_scheduler.model.plan import Waiting
from idlewatt_scheduler.model.reasons import PodReason, Reason, VehicleReason, WaitingCondition
from idlewatt_scheduler.model.workload import Demand, Pod


def waiting(pod: Pod, **reasons: int) -> Waiting:
    """A waiting pod with these counts, by the reasons' names."""
    return Waiting(
        pod,
        WaitingCondition.WAITING_FOR_ENERGY,
        {PodReason(name): count for name, count in reasons.items()},
    )


def test_the_commonest_reason_leads() -> None:
    """The line reads as the issue of a newcomer would be answered."""
    reasons: dict[Reason, int] = {
        PodReason.LEAVES_TOO_EARLY: 40,
        PodReason.BELOW_RESERVE: 30,
        PodReason.ON_PEAK: 50,
        PodReason.CIRCUIT_FULL: 0,
    }
    assert histogram(reasons) == "0/120 vehicles: 50 on-peak, 40 leave too early, 30 below reserve"
    assert leading_reason(reasons) is PodReason.ON_PEAK


def test_ties_stand_in_the_order_in_which_clauses_are_asked() -> None:
    """Otherwise the leading reason would change with nothing having changed."""
    reasons: dict[Reason, int] = {PodReason.ON_PEAK: 1, VehicleReason.DRAINING: 1}
    assert ordered(reasons) == ((VehicleReason.DRAINING, 1), (PodReason.ON_PEAK, 1))


def test_one_vehicle_is_told_in_the_singular() -> None:
    """`1 leaves`, not `1 leave`."""
    assert histogram({PodReason.LEAVES_TOO_EARLY: 1}) == "0/1 vehicles: 1 leaves too early"


def test_an_empty_fleet_is_said_to_be_empty() -> None:
    """Nothing was counted because nothing is there."""
    assert histogram({}) == "there is no vehicle in the fleet"
    assert leading_reason({}) is None


def test_plain_nodes_change_the_noun() -> None:
    """Where Nodes without a vehicle are candidates too, they are not called vehicles."""
    assert histogram({PodReason.ON_PEAK: 2}, noun="nodes") == "0/2 nodes: 2 on-peak"


@pytest.mark.parametrize("reason", [*VehicleReason, *PodReason])
def test_every_reason_has_a_phrase(reason: Reason) -> None:
    """For one vehicle and for several."""
    for count in (1, 7):
        assert histogram({reason: count}).startswith(f"0/{count} vehicles: {count} ")


def test_a_gang_that_does_not_fit_is_told_apart_from_room_that_is_not_there() -> None:
    """One vehicle would take this pod alone, and the others would not."""
    counted: dict[Reason, int] = {PodReason.GANG_INCOMPLETE: 1, PodReason.NOT_ENOUGH_RESOURCES: 3}
    assert histogram(counted) == (
        "0/4 vehicles: 3 without enough room left, 1 open only to its whole gang"
    )


def test_what_is_wrong_with_the_pod_is_said() -> None:
    """A person mends an annotation faster with its sentence than with a count."""
    pod = Pod("default", "llm", invalid_annotations=("annotation idlewatt.dev/x is unknown",))
    assert waiting_message(waiting(pod, InvalidAnnotation=3)) == (
        "0/3 vehicles: 3 closed to annotations that are wrong or missing. "
        "annotation idlewatt.dev/x is unknown"
    )
    assert waiting_message(waiting(pod, OnPeak=3)).startswith("0/3 vehicles: 3 on-peak. annotation")
    asked = Pod("default", "llm", invalid_annotations=("x is unknown; did you mean y?", "z is bad"))
    assert waiting_message(waiting(asked, OnPeak=3)).endswith("did you mean y? z is bad")
    right = Pod("default", "llm")
    assert waiting_message(waiting(right, OnPeak=3)) == "0/3 vehicles: 3 on-peak"


def test_a_bare_pod_is_told_how_to_be_placed() -> None:
    """Its reason is `InvalidAnnotation` although it has no annotation at all."""
    bare = Pod("default", "llm", controlled=False)
    assert waiting_message(waiting(bare, InvalidAnnotation=1)).endswith(
        'annotate it idlewatt.dev/allow-loss: "true"'
    )
    allowed = Pod("default", "llm", controlled=False, demand=Demand(allow_loss=True))
    assert "allow-loss" not in waiting_message(waiting(allowed, InvalidAnnotation=1))


def test_unsupported_fields_are_named() -> None:
    """The condition says which field keeps the pod."""
    pod = Pod("default", "llm", unsupported_fields=("spec.resources", "spec.resourceClaims"))
    assert waiting_message(waiting(pod, UnsupportedField=1)).endswith(
        "idlewatt does not honour spec.resources, spec.resourceClaims yet"
    )
