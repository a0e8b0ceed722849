"""What a plan says it costs and weighs is recomputed, to the last fraction."""

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from tests.unit.scheduler.feasibility.verdicts import (
    COST_OF_THE_DEFAULT_POD,
    a_placement,
    a_placing_plan,
    rules_broken,
)

from idlewatt_scheduler.model.plan import Plan
from idlewatt_scheduler.model.policy import ExchangeRate
from idlewatt_scheduler.model.site import EnergyBearer
from idlewatt_scheduler.model.snapshot import Snapshot
from idlewatt_scheduler.model.tariff import TariffInterval
from idlewatt_scheduler.model.units import HOUR, MINUTE
from idlewatt_scheduler.model.vehicle import Power
from idlewatt_scheduler.model.workload import (
    NodeSelectorTerm,
    Preference,
    Requirement,
    Taint,
    Toleration,
)
from idlewatt_scheduler.testing import (
    AT,
    a_node,
    a_pod,
    a_policy,
    a_running_pod,
    a_site,
    a_snapshot,
    a_tariff,
    a_vehicle,
)

ONE = a_snapshot(pending=(a_pod(),))
GOOD = a_placing_plan(ONE)
ROUND = {"compute__efficiency_percent": 100, "compute__standby_power_watts": 100}
"""A vehicle without losses, so that figures can be checked in the head."""


def planned(snapshot: Snapshot, *said: tuple[str, str], **placement: object) -> Plan:
    """Every pending pod on `v-1`, each with a cost and watt-hours."""
    placements = tuple(
        a_placement(
            pod,
            **{
                "power": pod.demand.power_watts * 1_000 if pod.demand.power_watts else 62_500,
                "cost": Fraction(cost),
                "energy_watt_hours": Fraction(watt_hours),
                **placement,
            },
        )
        for pod, (cost, watt_hours) in zip(snapshot.pending, said, strict=True)
    )
    total = sum((each.cost for each in placements), Fraction(0))
    count = len(placements)
    return Plan(at=AT, placements=placements, weight=count, bound=count, cost=total, currency="EUR")


def pods(*watts: int) -> tuple[Any, ...]:
    """Pending pods of these watts."""
    return tuple(a_pod(name=f"p-{n}", demand__power_watts=each) for n, each in enumerate(watts))


@pytest.mark.parametrize(
    ("rule", "spoilt"),
    [
        ("Cost", replace(GOOD, cost=GOOD.cost + 1)),
        ("Cost", replace(GOOD, placements=(replace(GOOD.placements[0], cost=Fraction(0)),))),
        (
            "Energy",
            replace(GOOD, placements=(replace(GOOD.placements[0], energy_watt_hours=Fraction(1)),)),
        ),
        ("Currency", replace(GOOD, currency="SEK")),
        ("Weight", replace(GOOD, weight=16, bound=16)),
        ("Bound", replace(GOOD, bound=0)),
        ("Bound", replace(GOOD, bound=2, proven=True)),
    ],
)
def test_a_spoilt_sum_is_named(rule: str, spoilt: Plan) -> None:
    """Whatever a plan adds up wrongly is a violation of that name."""
    assert rules_broken(ONE, GOOD) == set()
    assert rule in rules_broken(ONE, spoilt)


def test_the_second_pod_pays_no_standby_and_no_availability() -> None:
    """Availability 0.10 and standby are paid once; wear and energy for each."""
    snapshot = a_snapshot(vehicles=(a_vehicle(**ROUND),), pending=pods(100, 200))
    plan = planned(snapshot, ("0.17", "200"), ("0.07", "200"))
    assert rules_broken(snapshot, plan) == set()


def test_where_a_pod_runs_already_only_energy_and_wear_are_added() -> None:
    """The running pod has paid for standby and availability while it counts."""
    job = a_running_pod(
        bound_power=0, pod__demand__expected_runtime=HOUR, bound_until=AT + 15 * MINUTE
    )
    snapshot = a_snapshot(vehicles=(a_vehicle(**ROUND),), pending=pods(100), running=(job,))
    # 100 Wh of its own, and standby and availability for three quarters of an hour
    plan = planned(snapshot, ("0.13625", "175"))
    assert rules_broken(snapshot, plan) == set()


def test_waking_is_paid_once_and_is_no_energy_of_the_placement() -> None:
    """20 Wh at 0.30 come on top of the first placement."""
    vehicle = a_vehicle(observed__power=Power.ASLEEP, **ROUND)
    snapshot = a_snapshot(vehicles=(vehicle,), pending=pods(100, 200))
    start = AT + MINUTE
    stay = {"start": start, "ready_at": start, "until": start + HOUR}
    plan = planned(snapshot, ("0.176", "200"), ("0.07", "200"), **stay)
    assert rules_broken(snapshot, plan) == set()


def test_rates_turn_every_part_into_the_plan_s_currency() -> None:
    """The plan's currency is the first rate's; crowns are worth a tenth."""
    policy = a_policy(exchange_rates=(ExchangeRate("NOK", "EUR", Decimal("0.1")),))
    vehicle = a_vehicle(compensation__currency="NOK", **ROUND)
    snapshot = a_snapshot(vehicles=(vehicle,), policy=policy, pending=pods(100))
    assert rules_broken(snapshot, planned(snapshot, ("0.017", "200"))) == set()


def test_where_the_fleet_pays_the_tariff_s_price_counts_over_the_stay() -> None:
    """Half an hour at (0.10 + 0.05) x 1.2, half an hour at (0.30 + 0.05) x 1.2."""
    half = HOUR // 2
    tariff = a_tariff(
        zones=(),
        intervals=(
            TariffInterval(AT, half, Decimal("0.10"), "OffPeak"),
            TariffInterval(AT + half, half, Decimal("0.30"), "OffPeak"),
        ),
        adders=(Decimal("0.03"), Decimal("0.02")),
        tax_percent=Decimal(20),
        wholesale=True,
    )
    snapshot = a_snapshot(
        vehicles=(a_vehicle(**ROUND),),
        sites=(a_site(energy_borne_by=EnergyBearer.FLEET),),
        tariffs=(tariff,),
        pending=pods(100),
    )
    # availability 0.10, energy 0.1 kWh x 0.18 + 0.1 kWh x 0.42, wear 0.2 kWh x 0.05
    assert rules_broken(snapshot, planned(snapshot, ("0.17", "200"))) == set()


def test_losses_are_rounded_down_for_the_vehicle_not_for_the_pod() -> None:
    """At 88 % 90 + 62.5 W are 173.295 W; another 62.5 W make it 244.318, so 71.023 more."""
    snapshot = a_snapshot(pending=(a_pod(name="a"), a_pod(name="b")))
    plan = planned(snapshot, ("0.1596135", "173.295"), ("0.0244319", "71.023"))
    assert rules_broken(snapshot, plan) == set()


@pytest.mark.parametrize(
    ("priorities", "weights"),
    [
        ((7,), (1,)),
        ((-5, 0, 1000), (1, 16, 256)),
        ((0, 0, 3), (1, 1, 16)),
        ((1, 2, 3, 4, 5, 6), (1, 16, 16**2, 16**3, 16**4, 16**5)),
        ((1, 2, 3, 4, 5, 6, 7), (1, 1, 16, 16**2, 16**3, 16**4, 16**5)),
        ((1, 2, 3, 4, 5, 6, 7, 8), (1, 1, 1, 16, 16**2, 16**3, 16**4, 16**5)),
    ],
)
def test_weight_follows_the_rank_of_the_priority(
    priorities: tuple[int, ...], weights: tuple[int, ...]
) -> None:
    """16 to the rank; at most six ranks, the lowest ones merged."""
    pending = tuple(a_pod(name=f"p-{n}", priority=each) for n, each in enumerate(priorities))
    snapshot = a_snapshot(pending=pending)
    for pod, weight in zip(pending, weights, strict=True):
        plan = Plan(at=AT, placements=(a_placement(pod),), weight=weight, bound=weight)
        assert "Weight" not in rules_broken(snapshot, plan)
        assert "Weight" in rules_broken(snapshot, replace(plan, weight=weight + 1))


def test_a_fleet_of_several_currencies_has_none() -> None:
    """Without a rate there is no common currency to say."""
    vehicles = (a_vehicle(), a_vehicle(name="v-2", compensation__currency="SEK"))
    snapshot = a_snapshot(vehicles=vehicles)
    assert rules_broken(snapshot, Plan(at=AT)) == set()
    assert rules_broken(snapshot, Plan(at=AT, currency="EUR")) == {"Currency"}


def test_the_bound_is_not_more_than_everything() -> None:
    """No plan places more than all pending pods."""
    assert "Bound" not in rules_broken(ONE, replace(GOOD, bound=1))
    assert "Bound" in rules_broken(ONE, replace(GOOD, bound=2))


def test_the_cost_bound_is_not_above_the_cost() -> None:
    """A plan that costs less than any can is none."""
    assert "CostBound" not in rules_broken(ONE, replace(GOOD, cost_bound=GOOD.cost))
    above = GOOD.cost + Fraction(1, 10**9)
    assert "CostBound" in rules_broken(ONE, replace(GOOD, cost_bound=above))


def test_what_a_pod_would_rather_have_weighs_like_money() -> None:
    """40 points for a term that does not match, 100 for a taint: 140 times the cost of a point."""
    match = NodeSelectorTerm((Requirement("gen", "In", ("5",)),))
    other = NodeSelectorTerm((Requirement("gen", "In", ("4",)),))
    terms = ((60, match), (40, other), (90, NodeSelectorTerm()))
    rather = tuple(Preference(points, term) for points, term in terms)
    node = a_node(
        labels={"gen": "5"},
        taints=(
            Taint("team", "PreferNoSchedule"),
            Taint("mine", "PreferNoSchedule"),
            Taint("idlewatt.dev/vehicle", "PreferNoSchedule"),
        ),
    )
    pod = a_pod(preferred_affinity=rather, tolerations=(Toleration("mine", "Exists"),))
    snapshot = a_snapshot(
        pending=(pod,), nodes=(node,), policy=a_policy(preference_cost_per_point=Decimal("0.01"))
    )
    cost = COST_OF_THE_DEFAULT_POD + Fraction("1.4")
    assert rules_broken(snapshot, planned(snapshot, (str(cost), "173.295"))) == set()
    assert "Cost" in rules_broken(snapshot, a_placing_plan(snapshot))
