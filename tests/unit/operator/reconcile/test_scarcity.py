"""How scarce a waiting pod's places are: said of its kind, in weight, and never in money."""

import pytest

from idlewatt_operator.reconcile.scarcity import in_few_words, price_of, priced_kinds
from idlewatt_scheduler.model.plan import Placement, Plan, Waiting
from idlewatt_scheduler.model.reasons import PodReason, Reason, VehicleReason, WaitingCondition
from idlewatt_scheduler.model.shadow import PodPrice, Prices, Worth
from idlewatt_scheduler.testing import AT, a_pod

ENERGY = WaitingCondition.WAITING_FOR_ENERGY
OLDEST, YOUNGER, YOUNGEST = (
    a_pod(name=name, uid=name, created_at=AT + number)
    for number, name in enumerate(("svc-1", "svc-2", "svc-3"))
)
OTHER = a_pod(name="big", uid="big", created_at=AT + 9, requests={"cpu": 8_000, "pods": 1_000})
PRICE = PodPrice("default/svc-1", 3, 2, Worth(16.0, 0.5))
PLAN = Plan(
    AT,
    placements=(Placement(OLDEST, "v-0", AT, AT, AT + 1, 1),),
    waiting=tuple(
        Waiting(pod, ENERGY, {PodReason.NOT_ENOUGH_RESOURCES: 1})
        for pod in (YOUNGER, YOUNGEST, OTHER)
    ),
    prices=Prices(pods=(PRICE,)),
)


def test_the_price_of_the_oldest_is_that_of_all_like_it() -> None:
    """Even where the oldest one was placed; other pods have none."""
    kinds = priced_kinds(PLAN, [each.pod for each in PLAN.waiting])
    assert [([pod.name for pod in kind.pods], price) for kind, price in kinds] == [
        (["svc-2", "svc-3"], PRICE),
        (["big"], None),
    ]
    assert price_of(PLAN, YOUNGEST) == PRICE
    assert price_of(PLAN, OTHER) is None
    assert price_of(PLAN, OLDEST) is None


@pytest.mark.parametrize(
    ("reason", "is_told"),
    [
        (PodReason.EXCEEDS_CAPACITY, False),
        (VehicleReason.NODE_NOT_READY, False),
        (PodReason.CIRCUIT_FULL, True),
        (PodReason.GANG_INCOMPLETE, True),
    ],
)
def test_it_is_told_where_others_have_the_places(reason: Reason, is_told: bool) -> None:  # noqa: FBT001 - a column of the table
    """A pod that is too large for every vehicle has no place to want."""
    waits = Waiting(OTHER, ENERGY, {VehicleReason.NODE_NOT_READY: 1, reason: 2})
    price = PodPrice("default/big", 1, 1, Worth(1.0))
    plan = Plan(AT, waiting=(waits,), prices=Prices(pods=(price,)))
    assert price_of(plan, OTHER) == (price if is_told else None)


@pytest.mark.parametrize(
    ("weight", "told"),
    [
        (0.001, ""),
        (0.5, "0.5 pods of the lowest priority"),
        (1.0, "a pod of the lowest priority"),
        (4.16, "4.2 pods of the lowest priority"),
        (65_536.0, "66,000 pods of the lowest priority"),
    ],
)
def test_it_is_told_in_weight_to_two_figures(weight: float, told: str) -> None:
    """So that it is not another sentence in every cycle; money is nobody's business."""
    sentence = in_few_words(PodPrice("a", 1, 1, Worth(weight, 123.0)))
    assert sentence.endswith(told)
    assert bool(sentence) == bool(told)
    assert "123" not in sentence


def test_without_a_price_nothing_is_said() -> None:
    """Nobody looked, or nothing is short."""
    assert in_few_words(None) == ""
