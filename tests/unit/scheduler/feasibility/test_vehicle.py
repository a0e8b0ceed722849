"""Each vehicle clause: where it fails, and the nearest case where it does not."""

from decimal import Decimal
from typing import Any

import pytest
from tests.unit.scheduler.feasibility.verdicts import (
    a_waiting_plan,
    reason_against,
    rules_broken,
)

from idlewatt_scheduler.model.policy import ExchangeRate
from idlewatt_scheduler.model.reasons import VehicleReason, WaitingCondition
from idlewatt_scheduler.model.site import EnergyBearer
from idlewatt_scheduler.model.snapshot import Snapshot
from idlewatt_scheduler.model.units import HOUR, MINUTE, SECOND
from idlewatt_scheduler.model.vehicle import EnergySource, Power, Quality, Supply
from idlewatt_scheduler.model.workload import Ready
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

R = VehicleReason
BOTH = frozenset(EnergySource)
BATTERY = frozenset({EnergySource.BATTERY})
TO_EUR = a_policy(exchange_rates=(ExchangeRate("NOK", "EUR", Decimal("0.086")),))
FLEET_PAYS = a_site(energy_borne_by=EnergyBearer.FLEET)


def vehicle(**overrides: object) -> dict[str, Any]:
    """A snapshot's overrides for one changed vehicle."""
    return {"vehicles": (a_vehicle(**overrides),)}


def observed(**overrides: object) -> dict[str, Any]:
    """A snapshot's overrides for one changed observation."""
    return vehicle(**{f"observed__{name}": value for name, value in overrides.items()})


def node(**overrides: object) -> dict[str, Any]:
    """A snapshot's overrides for one changed Node."""
    return {"nodes": (a_node(**overrides),)}


def asleep(node_overrides: dict[str, Any], **overrides: object) -> dict[str, Any]:
    """A sleeping vehicle, with a changed Node."""
    return {**observed(power=Power.ASLEEP, **overrides), **node(**node_overrides)}


def with_running(overrides: dict[str, Any]) -> dict[str, Any]:
    """The same, with a pod of ours running there."""
    return {**overrides, "running": (a_running_pod(),)}


CASES: list[tuple[VehicleReason | None, str, dict[str, Any]]] = [
    (None, "nothing is wrong", {}),
    (R.SUSPENDED, "it is suspended", vehicle(suspend=True)),
    (R.NO_AGREEMENT, "no agreement", vehicle(agreement=None)),
    (
        R.CURRENCY_UNKNOWN,
        "no rate from SEK",
        vehicle(compensation__currency="SEK") | {"policy": TO_EUR},
    ),
    (None, "a rate from NOK", vehicle(compensation__currency="NOK") | {"policy": TO_EUR}),
    (None, "rates are no matter within one currency", vehicle(compensation__currency="SEK")),
    (
        R.CURRENCY_UNKNOWN,
        "several currencies and no rate",
        {"vehicles": (a_vehicle(), a_vehicle(name="v-2", compensation__currency="SEK"))},
    ),
    (
        R.CURRENCY_UNKNOWN,
        "the tariff's where the fleet pays",
        {"sites": (FLEET_PAYS,), "tariffs": (a_tariff(currency="SEK"),)},
    ),
    (None, "the tariff's where the host pays", {"tariffs": (a_tariff(currency="SEK"),)}),
    (R.MONTHLY_CAP_REACHED, "exactly the cap", vehicle(earned_this_month=Decimal("60.00"))),
    (None, "a cent below the cap", vehicle(earned_this_month=Decimal("59.99"))),
    (None, "no cap", vehicle(earned_this_month=Decimal(999), compensation__monthly_cap=None)),
    (R.NODE_NOT_READY, "no Node", {"nodes": ()}),
    (R.NODE_NOT_READY, "no Node, asleep", observed(power=Power.ASLEEP) | {"nodes": ()}),
    (R.NODE_NOT_READY, "Ready is False", node(ready=Ready.FALSE)),
    (None, "Ready is False, asleep", asleep({"ready": Ready.FALSE})),
    (R.UNREACHABLE, "Ready is Unknown", node(ready=Ready.UNKNOWN)),
    (None, "Ready is Unknown, waking", observed(power=Power.WAKING) | node(ready=Ready.UNKNOWN)),
    (R.TELEMETRY_INVALID, "battery invalid", observed(battery__quality=Quality.INVALID)),
    (R.TELEMETRY_INVALID, "parking invalid", observed(parking__quality=Quality.INVALID)),
    (R.TELEMETRY_INVALID, "connection invalid", observed(connection__quality=Quality.INVALID)),
    (
        R.TELEMETRY_INVALID,
        "battery from the future",
        observed(battery__observed_at=AT + 5 * SECOND + 1),
    ),
    (
        None,
        "battery from as far ahead as clocks may differ",
        observed(battery__observed_at=AT + 5 * SECOND),
    ),
    (
        R.TELEMETRY_INVALID,
        "invalid comes before missing",
        observed(battery=None, parking__quality=Quality.INVALID),
    ),
    (R.TELEMETRY_STALE, "no battery", observed(battery=None)),
    (R.TELEMETRY_STALE, "no parking", observed(parking=None)),
    (R.TELEMETRY_STALE, "no connection", observed(connection=None)),
    (R.TELEMETRY_STALE, "no charge", observed(battery__state_of_charge_percent=None)),
    (R.TELEMETRY_STALE, "not known whether parked", observed(parking__parked=None)),
    (R.TELEMETRY_STALE, "no supply", observed(connection__supply=None)),
    (R.TELEMETRY_STALE, "no time", observed(connection__observed_at=None)),
    (R.TELEMETRY_STALE, "stale by quality", observed(parking__quality=Quality.STALE)),
    (
        R.TELEMETRY_STALE,
        "a millisecond too old",
        observed(parking__observed_at=AT - 120 * SECOND - 1),
    ),
    (None, "exactly as old as allowed", observed(parking__observed_at=AT - 120 * SECOND)),
    (None, "asleep for hours", asleep({}, battery__observed_at=AT - 12 * HOUR)),
    (R.TELEMETRY_STALE, "asleep too long", asleep({}, battery__observed_at=AT - 12 * HOUR - 1)),
    (R.NOT_PARKED, "it drives", observed(parking__parked=False)),
    (R.OCCUPIED, "somebody is in it", observed(parking__occupied=True)),
    (None, "not known whether occupied", observed(parking__occupied=None)),
    (R.NOT_IDLE_LONG_ENOUGH, "just parked", observed(parking__since=AT - 15 * MINUTE + 1)),
    (R.NOT_IDLE_LONG_ENOUGH, "not known since when", observed(parking__since=None)),
    (None, "idle exactly long enough", observed(parking__since=AT - 15 * MINUTE)),
    (None, "our pods run there", with_running(observed(parking__since=AT - MINUTE))),
    (R.TOO_HOT, "battery", observed(battery__temperature_celsius=46)),
    (None, "battery at its limit", observed(battery__temperature_celsius=45)),
    (R.TOO_HOT, "computer", observed(compute__temperature_celsius=86)),
    (
        None,
        "computer's word is stale",
        observed(compute__temperature_celsius=86, compute__quality=Quality.STALE),
    ),
    (
        None,
        "computer's word is old",
        observed(compute__temperature_celsius=86, compute__observed_at=AT - 121 * SECOND),
    ),
    (None, "temperatures unknown", observed(battery__temperature_celsius=None, compute=None)),
    (R.TOO_COLD, "battery", observed(battery__temperature_celsius=-1)),
    (None, "battery at its lower limit", observed(battery__temperature_celsius=0)),
    (R.SITE_UNKNOWN, "no site observed", observed(connection__site=None)),
    (R.SITE_UNKNOWN, "no such site", observed(connection__site="elsewhere")),
    (R.SITE_UNKNOWN, "a circuit the site lacks", observed(connection__circuit="row-z")),
    (
        R.SITE_UNKNOWN,
        "a circuit the site lacks, unplugged",
        observed(connection__circuit="row-z", connection__supply=Supply.UNPLUGGED),
    ),
    (R.SITE_UNKNOWN, "plugged, no circuit", observed(connection__circuit=None)),
    (
        None,
        "unplugged, no circuit",
        vehicle(
            observed__connection__circuit=None,
            observed__connection__supply=Supply.UNPLUGGED,
            agreement__energy_sources=BOTH,
        ),
    ),
    (R.COMPUTE_NOT_ALLOWED, "the site forbids", {"sites": (a_site(compute_allowed=False),)}),
    (
        R.NOT_SUPPLIED,
        "unplugged, only the grid consented",
        observed(connection__supply=Supply.UNPLUGGED),
    ),
    (
        R.NOT_SUPPLIED,
        "plugged without supply",
        observed(connection__supply=Supply.PLUGGED_NOT_SUPPLIED),
    ),
    (R.NOT_SUPPLIED, "nothing consented", vehicle(agreement__energy_sources=frozenset())),
    (None, "supplied, only the battery consented", vehicle(agreement__energy_sources=BATTERY)),
    (R.DRAINING, "it drains", vehicle(draining=True)),
]


@pytest.mark.parametrize(
    ("reason", "overrides"),
    [pytest.param(reason, overrides, id=f"{reason}: {why}") for reason, why, overrides in CASES],
)
def test_the_clause_that_fails_is_named(
    reason: VehicleReason | None, overrides: dict[str, Any]
) -> None:
    """A pod placed on a vehicle whose clause fails is a violation of that name, and no other."""
    assert reason_against(a_snapshot(pending=(a_pod(),), **overrides)) == reason


def test_every_clause_has_a_case() -> None:
    """No vehicle clause goes untested."""
    assert {reason for reason, _, _ in CASES} == {None, *VehicleReason}


@pytest.mark.parametrize(
    ("reason", "overrides"),
    [
        pytest.param(reason, overrides, id=f"{reason}: {why}")
        for reason, why, overrides in CASES
        if reason and reason is not R.CURRENCY_UNKNOWN and "running" not in overrides
    ],
)
def test_a_pod_that_waits_for_the_vehicle_is_right_to_wait(
    reason: VehicleReason, overrides: dict[str, Any]
) -> None:
    """Counted under the failing clause, a waiting pod breaks no rule."""
    snapshot = a_snapshot(pending=(a_pod(),), **overrides)
    plan = a_waiting_plan(snapshot, reason, condition=condition_in(snapshot))
    assert rules_broken(snapshot, plan) == set()


def condition_in(snapshot: Snapshot) -> WaitingCondition:
    """Only a fleet without Nodes makes a pod that fits everywhere unschedulable."""
    if snapshot.nodes:
        return WaitingCondition.WAITING_FOR_ENERGY
    return WaitingCondition.UNSCHEDULABLE


def test_clauses_are_asked_in_their_order() -> None:
    """Of several failing clauses the first listed one counts."""
    everything_wrong = a_vehicle(
        suspend=True, agreement=None, draining=True, observed__parking__parked=False
    )
    snapshot = a_snapshot(vehicles=(everything_wrong,), nodes=(), pending=(a_pod(),))
    assert reason_against(snapshot) == R.SUSPENDED
