"""Every plan keeps every rule, as a second reading of the rules judges it."""

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.property.charging_fleets import charging_fleets
from tests.property.crowd_strategies import busy_fleets, crowded
from tests.property.strategies import snapshots

from idlewatt_scheduler.feasibility import violations
from idlewatt_scheduler.model.charging import ChargingPeriod, ChargingProfile
from idlewatt_scheduler.model.plan import Charging, Leaving, Plan
from idlewatt_scheduler.model.reasons import MoveReason, VehicleReason, WaitingCondition
from idlewatt_scheduler.model.snapshot import Snapshot
from idlewatt_scheduler.model.units import MINUTE
from idlewatt_scheduler.planner import Params, plan

GREEDY = Params(
    exact_literals=0, exact_vehicles=0, price_rounds=0, polish_rounds=0, improve_rounds=0
)
PRICED = Params(exact_literals=0, exact_vehicles=0)
EXACT = Params()
WAYS = pytest.mark.parametrize(
    "params", [GREEDY, PRICED, EXACT], ids=["greedy", "at scale", "exact"]
)
ENERGY, NEVER = WaitingCondition.WAITING_FOR_ENERGY, WaitingCondition.UNSCHEDULABLE
WATT, QUARTER = 1_000, 15 * MINUTE
A_CENT = Fraction(1, 100)
"""More than the wear model's rates may differ for a whole stay."""
LARGE = {"most_vehicles": 5, "most_pending": 8, "most_running": 6}
PATIENT = settings(
    deadline=None,
    max_examples=100,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@WAYS
@PATIENT
@given(snapshot=snapshots(**LARGE))
def test_no_plan_breaks_a_rule(params: Params, snapshot: Snapshot) -> None:
    """Whatever the fleet, the checker finds nothing in either solver's plan."""
    assert violations(snapshot, plan(snapshot, params)) == ()


@WAYS
@PATIENT
@given(snapshot=charging_fleets())
def test_no_plan_of_cars_that_charge_breaks_a_rule(params: Params, snapshot: Snapshot) -> None:
    """Where nearly all of them are charged by us while they compute."""
    assert violations(snapshot, plan(snapshot, params)) == ()


@WAYS
@PATIENT
@given(snapshot=charging_fleets().flatmap(crowded))
def test_no_plan_of_a_crowd_on_cars_that_charge_breaks_a_rule(
    params: Params, snapshot: Snapshot
) -> None:
    """Where those cars are asked for gangs and spread, and circuits are what they share."""
    assert violations(snapshot, plan(snapshot, params)) == ()


@WAYS
@PATIENT
@given(snapshot=busy_fleets())
def test_no_plan_of_a_busy_fleet_breaks_a_rule(params: Params, snapshot: Snapshot) -> None:
    """Where gangs, spread, priorities and who runs already leave nobody enough room."""
    assert violations(snapshot, plan(snapshot, params)) == ()


@PATIENT
@given(snapshot=st.one_of(snapshots(), charging_fleets(), busy_fleets()))
def test_whatever_is_spoilt_is_found(snapshot: Snapshot) -> None:
    """No single figure or entry of a plan can be changed without breaking a rule."""
    good = plan(snapshot, GREEDY)
    for name, spoilt in (*_spoilt(good), *_sent_away(snapshot, good)):
        assert violations(snapshot, spoilt), name


def _spoilt(good: Plan) -> Iterator[tuple[str, Plan]]:
    yield "another instant", replace(good, at=good.at + 1)
    yield "more weight", replace(good, weight=good.weight + 1, bound=good.bound + 1)
    yield "a bound below the weight", replace(good, bound=good.weight - 1)
    yield "a bound above everything", replace(good, bound=16**6 * 10)
    yield "more cost", replace(good, cost=good.cost + Fraction(1, 10**9))
    yield "a cost bound above the cost", replace(good, cost_bound=good.cost + Fraction(1, 10**9))
    yield "another currency", replace(good, currency="XXX")
    for number, placement in enumerate(good.placements):
        for name, placements in {
            "a placement lost": (),
            "a placement twice": (placement, placement),
            "a later start": (replace(placement, start=placement.start + 1),),
            "a later readyAt": (replace(placement, ready_at=placement.ready_at + 1),),
            "an earlier end": (replace(placement, until=placement.until - 1),),
            "more power": (replace(placement, power=placement.power + 1),),
            "more cost": (replace(placement, cost=placement.cost + A_CENT),),
            "more energy": (replace(placement, energy_watt_hours=placement.energy_watt_hours + 1),),
            "elsewhere": (replace(placement, node="nowhere"),),
        }.items():
            others = good.placements[:number], good.placements[number + 1 :]
            yield name, replace(good, placements=(*others[0], *placements, *others[1]))
    yield from _spoilt_charging(good)
    yield from _spoilt_waiting(good)
    yield from _spoilt_leaving(good)


def _spoilt_charging(good: Plan) -> Iterator[tuple[str, Plan]]:
    for number, charging in enumerate(good.charging):
        periods = charging.profile.periods
        first, last = periods[0], periods[-1]
        later = replace(first, start=first.start + 1)
        for name, entries in {
            "a profile lost": (),
            "a profile twice": (charging, charging),
            "a profile of nobody": (charging, replace(charging, vehicle="zz-nobody")),
            "no period": (_with(charging),),
            "a first period too late": (_with(charging, later, *periods[1:]),),
            "power for ever": (_with(charging, *periods[:-1], replace(last, power=WATT)),),
            "half a watt": (_with(charging, replace(first, power=500), *_and_then(charging)),),
            "a power out of reach": (
                _with(charging, replace(first, power=50_000 * WATT), *_and_then(charging)),
            ),
            "periods out of order": (_with(charging, *periods, first),),
        }.items():
            others = good.charging[:number], good.charging[number + 1 :]
            yield name, replace(good, charging=(*others[0], *entries, *others[1]))
        for place in {0, len(periods) // 2, len(periods) - 2} & {*range(len(periods) - 1)}:
            period = periods[place]
            moved = replace(period, start=period.start + 1) if place else later
            parts = (*periods[:place], moved, *periods[place + 1 :])
            yield "a period moved", _charged(good, number, _with(charging, *parts))
            if period.power:
                odd = replace(period, power=period.power - 1)
                parts = (*periods[:place], odd, *periods[place + 1 :])
                yield "a milliwatt less", _charged(good, number, _with(charging, *parts))


def _with(charging: Charging, *periods: ChargingPeriod) -> Charging:
    return replace(charging, profile=ChargingProfile(periods))


def _and_then(charging: Charging) -> tuple[ChargingPeriod, ...]:
    """The periods after the first; where there is none, one without power a quarter later."""
    first, *others = charging.profile.periods
    quarter = (first.start // QUARTER + 1) * QUARTER
    return tuple(others) or (ChargingPeriod(quarter, 0),)


def _charged(good: Plan, number: int, charging: Charging) -> Plan:
    return replace(good, charging=(*good.charging[:number], charging, *good.charging[number + 1 :]))


def _spoilt_waiting(good: Plan) -> Iterator[tuple[str, Plan]]:
    for number, waiting in enumerate(good.waiting):
        reasons = dict(waiting.reasons)
        more = {**reasons, VehicleReason.DRAINING: reasons.get(VehicleReason.DRAINING, 0) + 1}
        other = NEVER if waiting.condition is ENERGY else ENERGY
        for name, entries in {
            "a waiting pod lost": (),
            "a waiting pod twice": (waiting, waiting),
            "a reason more": (replace(waiting, reasons=more),),
            "another condition": (replace(waiting, condition=other),),
        }.items():
            others = good.waiting[:number], good.waiting[number + 1 :]
            yield name, replace(good, waiting=(*others[0], *entries, *others[1]))


def _sent_away(snapshot: Snapshot, good: Plan) -> Iterator[tuple[str, Plan]]:
    """Whoever runs and stays is asked to leave all the same."""
    leaving = {each.pod.uid for each in good.leaving}
    for running in snapshot.running:
        if running.pod.uid not in leaving:
            for reason in MoveReason:
                asked = Leaving(running.pod, running.node, reason)
                yield str(reason), replace(good, leaving=(*good.leaving, asked))


def _spoilt_leaving(good: Plan) -> Iterator[tuple[str, Plan]]:
    for number, leaving in enumerate(good.leaving):
        for name, entries in {
            "a leaving pod kept": (),
            "a leaving pod twice": (leaving, leaving),
            "another reason": (replace(leaving, reason=VehicleReason.TOO_COLD),),
            "from elsewhere": (replace(leaving, node="nowhere"),),
        }.items():
            others = good.leaving[:number], good.leaving[number + 1 :]
            yield name, replace(good, leaving=(*others[0], *entries, *others[1]))
