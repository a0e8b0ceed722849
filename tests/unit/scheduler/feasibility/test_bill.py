"""What new stays cost beyond the rates of an agreement: each term in figures for the head."""

from decimal import Decimal
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from idlewatt_scheduler.feasibility.bill import bill
from idlewatt_scheduler.feasibility.reading import Reading
from idlewatt_scheduler.feasibility.site_bill import site_bill
from idlewatt_scheduler.model.calendars import EVERY_DAY, Recurrence
from idlewatt_scheduler.model.policy import WearFloor
from idlewatt_scheduler.model.site import Circuit, EnergyBearer, ObservedCircuit
from idlewatt_scheduler.model.snapshot import Snapshot
from idlewatt_scheduler.model.tariff import ConnectionFee, DemandCharge, TariffInterval
from idlewatt_scheduler.model.units import DAY, HOUR, MINUTE
from idlewatt_scheduler.model.vehicle import EnergySource, Supply
from idlewatt_scheduler.testing import (
    AT,
    a_pod,
    a_policy,
    a_running_pod,
    a_site,
    a_snapshot,
    a_tariff,
    a_vehicle,
    instant,
)

FREE = {
    "compensation__availability_per_hour": Decimal(0),
    "compensation__energy_per_kwh": Decimal(0),
    "compensation__wear_per_kwh": Decimal(0),
    "compute__standby_power_watts": 100,
    "compute__efficiency_percent": 80,
}
"""Nothing is paid to the owner; 400 W of pod and standby are half a kilowatt, 625 W at the plug."""

BATTERY = {"agreement__energy_sources": frozenset({EnergySource.BATTERY})}
ALL_DAY = Recurrence(EVERY_DAY, 0, 0)


def one_hour(car: dict[str, Any] | None = None, **parts: Any) -> Snapshot:  # noqa: ANN401
    """A pod of 400 W for an hour on `v-1`, where the fleet pays 0.20 an hour, then 0.40."""
    intervals = tuple(
        TariffInterval(AT + n * HOUR, HOUR, Decimal(price), export_price_per_kwh=Decimal("0.05"))
        for n, price in enumerate(("0.20", "0.40"))
    )
    tariff = {"zones": (), "intervals": intervals, **parts.pop("tariff", {})}
    site = {"energy_borne_by": EnergyBearer.FLEET, **parts.pop("site", {})}
    return a_snapshot(
        vehicles=(a_vehicle(**{**FREE, **(car or {})}),),
        sites=(a_site(**site),),
        tariffs=(a_tariff(**tariff),),
        pending=(a_pod(demand__power_watts=400, demand__expected_runtime=HOUR),),
        **parts,
    )


def cost(snapshot: Snapshot) -> Fraction | None:
    """Of the pod on `v-1`, the vehicle's terms and the site's."""
    reading = Reading(snapshot)
    car = reading.vehicles["v-1"]
    stays = [reading.new_stay(snapshot.pending[0], car)]
    own, shared = bill(reading, car, stays).cost, site_bill(reading, car.site, {"v-1": stays})
    return None if own is None or shared is None else own + shared


def test_the_fleet_pays_the_tariff_at_the_plug() -> None:
    """0.625 kWh at 0.20."""
    assert cost(one_hour()) == Fraction("0.125")


@pytest.mark.parametrize(
    ("site", "expected"),
    [
        ({}, Fraction("0.1875")),
        ({"energy_borne_by": EnergyBearer.OWNER}, Fraction(1)),
    ],
)
def test_what_the_battery_gives_is_put_back(site: dict[str, Any], expected: Fraction) -> None:
    """Half a kWh DC over 80 %: at the mean of what is known of a day, or at the owner's rate."""
    car = {
        **BATTERY,
        "battery__round_trip_efficiency_percent": 80,
        "compensation__energy_per_kwh": Decimal("1.60"),
    }
    assert cost(one_hour(car, site=site)) == expected


def test_a_battery_of_unknown_efficiency_is_priced_as_before() -> None:
    """At the plug, by the price of the hour."""
    assert cost(one_hour(BATTERY)) == Fraction("0.125")


@pytest.mark.parametrize(
    ("rate", "floor", "expected"),
    [
        ("0.001", WearFloor.AGREEMENT, "0.0005"),
        ("0.001", WearFloor.MODEL, "0.003366"),
        ("0.01", WearFloor.MODEL, "0.005"),
    ],
)
def test_the_wear_model_is_a_floor_where_the_policy_says_so(
    rate: str, floor: WearFloor, expected: str
) -> None:
    """Half a kWh at what was agreed, or at 0.67 cents if that is more."""
    car = {
        "compensation__wear_per_kwh": Decimal(rate),
        "battery__chemistry": "LFP",
        "battery__replacement_cost_per_kwh": Decimal(100),
        "battery__net_capacity_watt_hours": 75_000,
        "battery__compute_rise_kelvin": 5,
        "battery__in_service_since": AT - 4 * 365 * DAY,
        "observed__battery__temperature_celsius": 25,
        "observed__battery__state_of_charge_percent": 70,
        "battery__departure_percent": 70,
    }
    snapshot = one_hour(car, policy=a_policy(wear_floor=floor))
    assert cost(snapshot) == Fraction("0.125") + Fraction(expected)


@pytest.mark.parametrize(
    ("car", "running", "hours"),
    [
        ({}, (), Fraction(1, 2)),
        ({"observed__parking__since": None}, (), Fraction(1)),
        ({"observed__parking__since": AT - 2 * HOUR}, (), Fraction(0)),
        ({"observed__connection__supply": Supply.UNPLUGGED, **BATTERY}, (), Fraction(0)),
        ({}, (a_running_pod(bound_power=0),), Fraction(0)),
    ],
)
def test_a_fee_for_staying_plugged_begins_some_hours_after_the_car_parked(
    car: dict[str, Any], running: tuple[Any, ...], hours: Fraction
) -> None:
    """5.5 hours after 17:00 UTC, 6 EUR an hour and tax; not for what others make stay."""
    fee = ConnectionFee(5 * HOUR + 30 * MINUTE, Decimal(6))
    with_fee = one_hour(car, running=running, tariff={"connection_fee": fee})
    without = one_hour(car, running=running)
    taxed = one_hour(
        car, running=running, tariff={"connection_fee": fee, "tax_percent": Decimal(50)}
    )
    untaxed = one_hour(car, running=running, tariff={"tax_percent": Decimal(50)})
    assert _more(with_fee, without) == 6 * hours
    assert _more(taxed, untaxed) == 9 * hours


def _more(one: Snapshot, other: Snapshot) -> Fraction:
    costs = cost(one), cost(other)
    assert costs[0] is not None
    assert costs[1] is not None
    return costs[0] - costs[1]


def exporting(**seen: object) -> dict[str, Any]:
    """The site's only circuit with what was seen of it just now."""
    observed = ObservedCircuit(**{"name": "row-a", "observed_at": AT, **seen})  # type: ignore[arg-type]
    return {"circuits": (Circuit("row-a", None, 22_000, 8_000),), "observed_circuits": (observed,)}


@pytest.mark.parametrize(
    ("watts", "surplus_seconds", "saved"),
    [(600, 900, "0.0225"), (10_000, 900, "0.0234375"), (600, 0, "0"), (0, 900, "0")],
)
def test_surplus_is_priced_at_what_it_would_have_earned(
    watts: int, surplus_seconds: int, saved: str
) -> None:
    """0.15 saved per kWh, for a quarter of an hour, of at most what flows out."""
    policy = a_policy(surplus_seconds=surplus_seconds)
    with_sun = one_hour(site=exporting(export_watts=watts), policy=policy)
    assert _more(one_hour(), with_sun) == Fraction(saved)


def test_surplus_is_for_cars_on_the_grid() -> None:
    """A battery takes nothing from it, and no stale measurement counts."""
    on_battery = one_hour(BATTERY, site=exporting(export_watts=600))
    assert _more(one_hour(BATTERY), on_battery) == 0
    stale = one_hour(site=exporting(export_watts=600, observed_at=AT - 121_000))
    assert _more(one_hour(), stale) == 0


@pytest.mark.parametrize(
    ("seen", "raised"),
    [
        ({}, "0.625"),
        ({"peak_watts": 8_400, "peak_at": AT - DAY}, "0.225"),
        ({"peak_watts": 9_000, "peak_at": AT - DAY}, "0"),
        ({"peak_watts": 9_000, "peak_at": AT - 16 * DAY}, "0.625"),
    ],
)
def test_demand_is_what_a_plan_adds_to_the_peak_of_the_month(
    seen: dict[str, Any], raised: str
) -> None:
    """8 kW of others, 0.625 kW of ours, 10 EUR a kW; what was reached this month is paid for."""
    charge = DemandCharge("month", ALL_DAY, Decimal(10))
    with_charge = one_hour(site=exporting(**seen), tariff={"demand_charges": (charge,)})
    assert _more(with_charge, one_hour()) == 10 * Fraction(raised)


@pytest.mark.parametrize(
    ("recurrence", "counts"),
    [
        (Recurrence(EVERY_DAY, 23 * 60, 24 * 60 - 1), True),
        (Recurrence(EVERY_DAY, 0, 60), False),
        (Recurrence(frozenset({4}), 0, 0), False),
        (Recurrence(EVERY_DAY, 0, 0, months=frozenset({2})), False),
    ],
)
def test_demand_is_asked_in_its_hours_only(recurrence: Recurrence, counts: bool) -> None:  # noqa: FBT001
    """The pod runs from 23:00 to midnight, Berlin time, on a Thursday in January."""
    charge = DemandCharge("hours", recurrence, Decimal(10))
    with_charge = one_hour(tariff={"demand_charges": (charge,)})
    assert (_more(with_charge, one_hour()) > 0) is counts


@pytest.mark.parametrize(
    ("day", "zone", "counts"),
    [("30", "Europe/Berlin", True), ("31", "Europe/Berlin", False), ("31", "UTC", True)],
)
def test_the_month_ends_in_the_time_zone_of_the_tariff(day: str, zone: str, counts: bool) -> None:  # noqa: FBT001
    """From 22:30 to 23:30 UTC on the 31st the second half hour is February in Berlin."""
    hour_to_midnight, first_hour = (23 * 60, 0), (0, 60)
    hours = hour_to_midnight if zone == "UTC" else first_hour
    charge = DemandCharge("hours", Recurrence(EVERY_DAY, *hours), Decimal(10))
    late = instant(f"2026-01-{day}T22:30:00Z")
    tariff = {"demand_charges": (charge,), "time_zone": ZoneInfo(zone)}
    snapshot = one_hour(tariff=tariff, at=late)
    reading = Reading(snapshot)
    car = reading.vehicles["v-1"]
    stays = [reading.new_stay(snapshot.pending[0], car)]
    assert site_bill(reading, car.site, {"v-1": stays}) == (Fraction("6.25") if counts else 0)


def test_nothing_of_this_is_paid_where_somebody_else_buys() -> None:
    """Surplus, demand and fees are the fleet's."""
    charges = {
        "demand_charges": (DemandCharge("d", ALL_DAY, Decimal(10)),),
        "connection_fee": ConnectionFee(0, Decimal(6)),
    }
    site = exporting(export_watts=600) | {"energy_borne_by": EnergyBearer.OWNER}
    assert cost(one_hour(site=site, tariff=charges)) == 0
