"""Vehicle clauses: where each fails, and the nearest case in which it does not."""

from decimal import Decimal

import pytest
from tests.unit.scheduler.scenes import (
    Overrides,
    a_candidate,
    node,
    observed,
    policy,
    running,
    site,
    vehicle,
)

from idlewatt_scheduler.availability import VEHICLE_CLAUSES
from idlewatt_scheduler.model.policy import ExchangeRate
from idlewatt_scheduler.model.reasons import VehicleReason
from idlewatt_scheduler.model.site import EnergyBearer
from idlewatt_scheduler.model.units import HOUR, MINUTE, SECOND
from idlewatt_scheduler.model.vehicle import EnergySource, Power, Quality, Supply
from idlewatt_scheduler.model.workload import Ready
from idlewatt_scheduler.testing import AT, a_tariff, a_vehicle

R = VehicleReason
IN_EUR = policy(exchange_rates=(ExchangeRate("NOK", "EUR", Decimal("0.086")),))
FLEET_PAYS = site(energy_borne_by=EnergyBearer.FLEET)
SWEDISH_TARIFF = {"tariffs": (a_tariff(currency="SEK"),)}
OLDEST, TOO_OLD = AT - 120 * SECOND, AT - 120 * SECOND - 1
OLDEST_ASLEEP, TOO_OLD_ASLEEP = AT - 12 * HOUR, AT - 12 * HOUR - 1
AHEAD, TOO_FAR_AHEAD = AT + 5 * SECOND, AT + 5 * SECOND + 1
BLOCKS = ("battery", "parking", "connection")


def asleep(**overrides: object) -> Overrides:
    """The vehicle is asleep, and this was observed."""
    return observed(power=Power.ASLEEP, **overrides)


TELEMETRY: list[tuple[VehicleReason | None, str, Overrides]] = [
    entry
    for block in BLOCKS
    for entry in (
        (
            R.TELEMETRY_INVALID,
            f"{block} invalid",
            observed(**{f"{block}__quality": Quality.INVALID}),
        ),
        (
            R.TELEMETRY_INVALID,
            f"{block} far ahead of our clock",
            observed(**{f"{block}__observed_at": TOO_FAR_AHEAD}),
        ),
        (None, f"{block} ahead of our clock", observed(**{f"{block}__observed_at": AHEAD})),
        (R.TELEMETRY_STALE, f"no {block}", observed(**{block: None})),
        (R.TELEMETRY_STALE, f"{block} stale", observed(**{f"{block}__quality": Quality.STALE})),
        (R.TELEMETRY_STALE, f"{block} too old", observed(**{f"{block}__observed_at": TOO_OLD})),
        (None, f"{block} just fresh", observed(**{f"{block}__observed_at": OLDEST})),
        (R.TELEMETRY_STALE, f"{block} of no time", observed(**{f"{block}__observed_at": None})),
        (
            R.TELEMETRY_STALE,
            f"{block} too old for a sleeper",
            asleep(**{f"{block}__observed_at": TOO_OLD_ASLEEP}),
        ),
        (None, f"{block} fresh for a sleeper", asleep(**{f"{block}__observed_at": OLDEST_ASLEEP})),
    )
]

CASES: list[tuple[VehicleReason | None, str, Overrides]] = [
    (None, "nothing is wrong", {}),
    (R.SUSPENDED, "suspended", vehicle(suspend=True)),
    (R.NO_AGREEMENT, "no agreement", vehicle(agreement=None)),
    (R.CURRENCY_UNKNOWN, "no rate", vehicle(compensation__currency="SEK") | IN_EUR),
    (None, "a rate", vehicle(compensation__currency="NOK") | IN_EUR),
    (None, "the plan's own currency", IN_EUR),
    (
        R.CURRENCY_UNKNOWN,
        "two currencies and no rate",
        {"vehicles": (a_vehicle(), a_vehicle(name="v-2", compensation__currency="SEK"))},
    ),
    (R.CURRENCY_UNKNOWN, "no rate for the tariff", FLEET_PAYS | SWEDISH_TARIFF),
    (None, "a tariff of another currency that others pay", SWEDISH_TARIFF),
    (None, "the fleet pays, no tariff", FLEET_PAYS | {"tariffs": ()}),
    (R.MONTHLY_CAP_REACHED, "at the cap", vehicle(earned_this_month=Decimal("60.00"))),
    (None, "a cent below the cap", vehicle(earned_this_month=Decimal("59.99"))),
    (
        None,
        "no cap",
        vehicle(earned_this_month=Decimal(10**6), compensation__monthly_cap=None),
    ),
    (R.MONTHLY_CAP_REACHED, "a cap of nothing", vehicle(compensation__monthly_cap=Decimal(0))),
    (R.NODE_NOT_READY, "no Node", {"nodes": ()}),
    (R.NODE_NOT_READY, "no Node, asleep", {"nodes": ()} | asleep()),
    (R.NODE_NOT_READY, "not ready", node(ready=Ready.FALSE)),
    (None, "not ready, asleep", node(ready=Ready.FALSE) | asleep()),
    (None, "not ready, waking", node(ready=Ready.FALSE) | observed(power=Power.WAKING)),
    (R.UNREACHABLE, "unreachable", node(ready=Ready.UNKNOWN)),
    (None, "unreachable, asleep", node(ready=Ready.UNKNOWN) | asleep()),
    *TELEMETRY,
    (R.TELEMETRY_STALE, "no charge", observed(battery__state_of_charge_percent=None)),
    (R.TELEMETRY_STALE, "nobody says whether it is parked", observed(parking__parked=None)),
    (R.TELEMETRY_STALE, "nobody says whether it is supplied", observed(connection__supply=None)),
    (
        R.TELEMETRY_INVALID,
        "invalid and old",
        observed(battery__quality=Quality.INVALID, parking__observed_at=TOO_OLD),
    ),
    (R.NOT_PARKED, "it drives", observed(parking__parked=False)),
    (R.OCCUPIED, "somebody is in it", observed(parking__occupied=True)),
    (None, "nobody says whether somebody is in it", observed(parking__occupied=None)),
    (
        R.NOT_IDLE_LONG_ENOUGH,
        "idle a moment too short",
        observed(parking__since=AT - 15 * MINUTE + 1),
    ),
    (None, "idle just long enough", observed(parking__since=AT - 15 * MINUTE)),
    (R.NOT_IDLE_LONG_ENOUGH, "idle since nobody knows when", observed(parking__since=None)),
    (None, "just parked, ours run there", observed(parking__since=AT) | running()),
    (None, "ours run there since nobody knows when", observed(parking__since=None) | running()),
    (
        R.NOT_IDLE_LONG_ENOUGH,
        "just parked, ours run elsewhere",
        observed(parking__since=AT) | running(node="v-9"),
    ),
    (R.TOO_HOT, "battery", observed(battery__temperature_celsius=46)),
    (None, "battery as hot as allowed", observed(battery__temperature_celsius=45)),
    (None, "battery unknown", observed(battery__temperature_celsius=None)),
    (
        None,
        "battery without a limit",
        vehicle(battery__max_temperature_celsius=None, observed__battery__temperature_celsius=99),
    ),
    (R.TOO_HOT, "computer", observed(compute__temperature_celsius=86)),
    (None, "computer as hot as allowed", observed(compute__temperature_celsius=85)),
    (None, "computer unknown", observed(compute=None)),
    (
        R.TOO_HOT,
        "computer, on the last fresh word",
        observed(compute__temperature_celsius=86, compute__observed_at=OLDEST),
    ),
    (
        None,
        "computer, on an old word",
        observed(compute__temperature_celsius=86, compute__observed_at=TOO_OLD),
    ),
    (
        None,
        "computer, on a stale word",
        observed(compute__temperature_celsius=86, compute__quality=Quality.STALE),
    ),
    (
        None,
        "computer, on an invalid word",
        observed(compute__temperature_celsius=86, compute__quality=Quality.INVALID),
    ),
    (R.TOO_COLD, "battery", observed(battery__temperature_celsius=-1)),
    (None, "battery as cold as allowed", observed(battery__temperature_celsius=0)),
    (R.SITE_UNKNOWN, "no site", observed(connection__site=None)),
    (R.SITE_UNKNOWN, "no such site", observed(connection__site="elsewhere")),
    (R.SITE_UNKNOWN, "no such circuit", observed(connection__circuit="row-z")),
    (R.SITE_UNKNOWN, "plugged into no circuit", observed(connection__circuit=None)),
    (
        R.SITE_UNKNOWN,
        "plugged into no circuit, not supplied",
        observed(connection__circuit=None, connection__supply=Supply.PLUGGED_NOT_SUPPLIED),
    ),
    (
        None,
        "unplugged from no circuit",
        vehicle(
            observed__connection__circuit=None,
            observed__connection__supply=Supply.UNPLUGGED,
            agreement__energy_sources=frozenset(EnergySource),
        ),
    ),
    (R.COMPUTE_NOT_ALLOWED, "the site forbids it", site(compute_allowed=False)),
    (R.NOT_SUPPLIED, "unplugged", observed(connection__supply=Supply.UNPLUGGED)),
    (R.NOT_SUPPLIED, "no source", vehicle(agreement__energy_sources=frozenset())),
    (
        None,
        "unplugged, the battery may be used",
        vehicle(
            observed__connection__supply=Supply.UNPLUGGED,
            agreement__energy_sources=frozenset({EnergySource.BATTERY}),
        ),
    ),
    (R.DRAINING, "draining", vehicle(draining=True)),
]


@pytest.mark.parametrize(
    ("reason", "overrides"),
    [pytest.param(reason, overrides, id=f"{reason}: {why}") for reason, why, overrides in CASES],
)
def test_a_vehicle_is_refused_for_the_clause_that_fails(
    reason: VehicleReason | None, overrides: Overrides
) -> None:
    """Each clause has its exact boundary, with an example on either side."""
    assert a_candidate(**overrides).refusal == reason


def test_every_clause_has_an_example() -> None:
    """No reason goes without a case in which it fails."""
    assert {reason for reason, _, _ in CASES} == {None, *VehicleReason}


def test_clauses_are_asked_in_the_order_of_their_reasons() -> None:
    """The table of clauses names every reason once, in the order of the rules."""
    assert [reason for reason, _ in VEHICLE_CLAUSES] == list(VehicleReason)


FAILS: dict[VehicleReason, Overrides] = {
    R.SUSPENDED: {"suspend": True},
    R.NO_AGREEMENT: {"agreement": None},
    R.MONTHLY_CAP_REACHED: {"earned_this_month": Decimal(60)},
    R.TELEMETRY_INVALID: {"observed__battery__quality": Quality.INVALID},
    R.TELEMETRY_STALE: {"observed__connection__quality": Quality.STALE},
    R.NOT_PARKED: {"observed__parking__parked": False},
    R.OCCUPIED: {"observed__parking__occupied": True},
    R.NOT_IDLE_LONG_ENOUGH: {"observed__parking__since": None},
    R.TOO_HOT: {"observed__battery__temperature_celsius": 46},
    R.SITE_UNKNOWN: {"observed__connection__circuit": "row-z"},
    R.DRAINING: {"draining": True},
}


@pytest.mark.parametrize("healed", range(len(FAILS)))
def test_of_several_clauses_that_fail_the_first_is_named(healed: int) -> None:
    """With everything wrong but what comes before it, each is the first in its turn."""
    wrong = list(FAILS)[healed:]
    overrides = {key: value for reason in wrong for key, value in FAILS[reason].items()}
    assert a_candidate(**vehicle(**overrides)).refusal == wrong[0]
