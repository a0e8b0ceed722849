"""Each thing the energy side may say changes a plan, and both readings see the change.

A fleet that says it gets a plan without a fault. The plan for the same fleet that does not say it
is wrong there: so neither of the two readings passes over a field in silence.
"""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from idlewatt_scheduler.feasibility import violations
from idlewatt_scheduler.model.calendars import EVERY_DAY, OnHolidays, PublicHolidays, Recurrence
from idlewatt_scheduler.model.departures import DepartureModel
from idlewatt_scheduler.model.policy import FleetPolicy, OffPeakTest, WearFloor
from idlewatt_scheduler.model.site import Circuit, EnergyBearer, ObservedCircuit, Phase, Site
from idlewatt_scheduler.model.snapshot import Snapshot
from idlewatt_scheduler.model.tariff import ConnectionFee, DemandCharge, Tariff, TariffInterval
from idlewatt_scheduler.model.units import DAY, HOUR
from idlewatt_scheduler.model.vehicle import (
    EnergySource,
    ParkingException,
    ParkingWindow,
    TaperStep,
    Vehicle,
)
from idlewatt_scheduler.planner import plan
from idlewatt_scheduler.testing import (
    AT,
    a_charging_site,
    a_controlled_car,
    a_pod,
    a_policy,
    a_profile,
    a_running_pod,
    a_site,
    a_snapshot,
    a_tariff,
    a_vehicle,
    even_quantiles,
)

TODAY = date(2026, 1, 15)
NIGHT = Recurrence(EVERY_DAY, 18 * 60, 7 * 60)
JOB = a_pod(demand__expected_runtime=HOUR)
HOLIDAY = PublicHolidays(additional=frozenset({TODAY}))


def scene(
    vehicle: Vehicle | None = None,
    site: Site | None = None,
    tariff: Tariff | None = None,
    policy: FleetPolicy | None = None,
    **more: Any,  # noqa: ANN401
) -> Snapshot:
    """A pod of an hour and the usual vehicle, with one part or the other changed."""
    parts: dict[str, Any] = {"pending": (JOB,), **more}
    for name, part in (("vehicles", vehicle), ("sites", site), ("tariffs", tariff)):
        if part is not None:
            parts[name] = (part,)
    return a_snapshot(**parts, **({} if policy is None else {"policy": policy}))


def parked(recurrence: Recurrence = NIGHT, **more: Any) -> Vehicle:  # noqa: ANN401
    """The usual vehicle with one window."""
    return a_vehicle(windows=(ParkingWindow("night", "depot-7", recurrence),), **more)


def priced(*said: TariffInterval, **more: Any) -> Tariff:  # noqa: ANN401
    """A tariff of intervals."""
    return a_tariff(zones=(), intervals=said, **more)


def day_ahead(price: str, **more: Any) -> TariffInterval:  # noqa: ANN401
    """An interval of 14 hours from an hour ago, off-peak at a price."""
    return TariffInterval(AT - HOUR, 14 * HOUR, Decimal(price), "OffPeak", **more)


def paid(**more: Any) -> Site:  # noqa: ANN401
    """The usual site, where the fleet pays."""
    return a_site(energy_borne_by=EnergyBearer.FLEET, **more)


def narrow(**seen: Any) -> dict[str, Any]:  # noqa: ANN401
    """A site of one circuit of 3 kW and 16 A, with what was seen of it."""
    circuit = Circuit("row-a", None, 3_000, 0, max_current_milliamps_per_phase=1_000)
    observed = ObservedCircuit(**{"name": "row-a", "observed_at": AT, **seen})
    return {"circuits": (circuit,), "observed_circuits": (observed,)}


ROOMY = replace(narrow()["circuits"][0], max_current_milliamps_per_phase=None)
CHARGES = {"observed__battery__state_of_charge_percent": 40}
GIVES = {
    "agreement__energy_sources": frozenset({EnergySource.BATTERY}),
    "battery__round_trip_efficiency_percent": 80,
}
LFP = {
    "battery__chemistry": "LFP",
    "battery__replacement_cost_per_kwh": Decimal(900),
    "battery__compute_rise_kelvin": 10,
}
CLEAN = OffPeakTest(cleanest_percent_of_next_24_hours=50)
GRAMS = (
    replace(day_ahead("1"), grams_per_kwh=Decimal(300)),
    TariffInterval(AT + 3 * HOUR, 20 * HOUR, grams_per_kwh=Decimal(100), created_at=AT),
)
ELSEWHERE = a_tariff(name="co2", zones=(), intervals=GRAMS)
RUNNING = (a_running_pod(bound_power=500_000, bound_until=None),)
LEARNED = DepartureModel((even_quantiles(21_600, 22_000, stated=False),))
ON_BATTERY = a_vehicle(**GIVES)
WEARING = a_vehicle(**LFP)
OFF_PEAK_GRAMS = OffPeakTest(max_grams_per_kwh=Decimal(200))
MONTH = (DemandCharge("month", Recurrence(EVERY_DAY, 0, 0), Decimal(10)),)
MINE = a_controlled_car(**CHARGES)
FULL = a_controlled_car(observed__battery__state_of_charge_percent=90)
TWO_KILOWATTS = a_charging_site(circuits=(Circuit("row-a", None, 2_000),))

SAID: dict[str, tuple[Snapshot, Snapshot]] = {
    "months": (scene(parked(replace(NIGHT, months=frozenset({2})))), scene(parked())),
    "exceptDates": (scene(parked(replace(NIGHT, except_dates=frozenset({TODAY})))), scene()),
    "onHolidays": (
        scene(
            parked(replace(NIGHT, on_holidays=OnHolidays.NEVER)), a_site(public_holidays=HOLIDAY)
        ),
        scene(parked(), a_site(public_holidays=HOLIDAY)),
    ),
    "publicHolidays": (
        scene(
            parked(replace(NIGHT, on_holidays=OnHolidays.NEVER)), a_site(public_holidays=HOLIDAY)
        ),
        scene(parked(replace(NIGHT, on_holidays=OnHolidays.NEVER))),
    ),
    "parkingExceptions": (
        scene(a_vehicle(exceptions=(ParkingException("away", AT + HOUR, AT + 2 * HOUR),))),
        scene(),
    ),
    "departures": (scene(departures=LEARNED), scene()),
    "missProbabilityPercent": (
        scene(
            departures=DepartureModel((even_quantiles(0, 90_000, stated=False),)),
            policy=a_policy(miss_probability_percent=1),
        ),
        scene(
            departures=DepartureModel((even_quantiles(0, 90_000, stated=False),)),
            policy=a_policy(miss_probability_percent=60),
        ),
    ),
    "createdAt": (
        scene(site=paid(), tariff=priced(day_ahead("2", created_at=AT - 1), day_ahead("1"))),
        scene(site=paid(), tariff=priced(day_ahead("2"), day_ahead("1"))),
    ),
    "forecast": (
        scene(tariff=priced(day_ahead("1", created_at=AT - DAY, forecast=True))),
        scene(tariff=priced(day_ahead("1", created_at=AT - DAY))),
    ),
    "forecastMaxAgeSeconds": (
        scene(
            tariff=priced(day_ahead("1", created_at=AT - 3 * HOUR, forecast=True)),
            policy=a_policy(forecast_max_age_seconds=3_600),
        ),
        scene(tariff=priced(day_ahead("1", created_at=AT - 3 * HOUR, forecast=True))),
    ),
    "source": (
        scene(tariff=priced(day_ahead("1"), max_age=HOUR, refreshed_at=AT - 2 * HOUR)),
        scene(tariff=priced(day_ahead("1"))),
    ),
    "cleanestPercentOfNext24Hours": (
        scene(tariff=priced(*GRAMS), policy=a_policy(off_peak=CLEAN)),
        scene(tariff=priced(*GRAMS)),
    ),
    "carbonRef": (
        scene(
            tariffs=(a_tariff(carbon="co2"), ELSEWHERE), policy=a_policy(off_peak=OFF_PEAK_GRAMS)
        ),
        scene(tariffs=(a_tariff(), ELSEWHERE), policy=a_policy(off_peak=OFF_PEAK_GRAMS)),
    ),
    "exportPricePerKWh": (
        scene(
            site=paid(**narrow(export_watts=500)),
            tariff=priced(day_ahead("1", export_price_per_kwh=Decimal(0))),
        ),
        scene(site=paid(**narrow(export_watts=500)), tariff=priced(day_ahead("1"))),
    ),
    "exportWatts": (
        scene(
            site=paid(**narrow(export_watts=500)),
            tariff=priced(day_ahead("1", export_price_per_kwh=Decimal(0))),
        ),
        scene(
            site=paid(**narrow()), tariff=priced(day_ahead("1", export_price_per_kwh=Decimal(0)))
        ),
    ),
    "demandCharges": (
        scene(site=paid(), tariff=a_tariff(demand_charges=MONTH)),
        scene(site=paid()),
    ),
    "peakWatts": (
        scene(
            site=paid(**narrow(peak_watts=100, peak_at=AT)), tariff=a_tariff(demand_charges=MONTH)
        ),
        scene(site=paid(**narrow()), tariff=a_tariff(demand_charges=MONTH)),
    ),
    "connectionFee": (
        scene(site=paid(), tariff=a_tariff(connection_fee=ConnectionFee(HOUR, Decimal(1)))),
        scene(site=paid()),
    ),
    "roundTripEfficiencyPercent": (
        scene(replace(ON_BATTERY, observed=replace(ON_BATTERY.observed))),
        scene(
            replace(
                ON_BATTERY, battery=replace(ON_BATTERY.battery, round_trip_efficiency_percent=None)
            )
        ),
    ),
    "wearFloor": (
        scene(WEARING, policy=a_policy(wear_floor=WearFloor.MODEL)),
        scene(WEARING),
    ),
    "inServiceSince": (
        scene(
            replace(WEARING, battery=replace(WEARING.battery, in_service_since=AT - 3_000 * DAY)),
            policy=a_policy(wear_floor=WearFloor.MODEL),
        ),
        scene(WEARING, policy=a_policy(wear_floor=WearFloor.MODEL)),
    ),
    "nominalVoltageVolts": (
        scene(a_vehicle(phases=1), a_site(**narrow(), nominal_voltage_volts=127)),
        scene(a_vehicle(phases=1), a_site(**narrow())),
    ),
    "phases": (
        scene(a_vehicle(phases=1), a_site(**narrow(), nominal_voltage_volts=127)),
        scene(a_vehicle(phases=3), a_site(**narrow(), nominal_voltage_volts=127)),
    ),
    "status.connection.phases": (
        scene(
            a_vehicle(observed__connection__phases=frozenset({Phase.L2})),
            a_site(**narrow(), nominal_voltage_volts=127),
        ),
        scene(a_vehicle(), a_site(**narrow(), nominal_voltage_volts=127)),
    ),
    "uncontrolledMilliamps": (
        scene(site=a_site(**narrow(uncontrolled_milliamps=(0, 950, 0)), nominal_voltage_volts=127)),
        scene(site=a_site(**narrow(), nominal_voltage_volts=127)),
    ),
    "generationWatts": (
        scene(
            site=a_site(**narrow(uncontrolled_load_watts=2_900, generation_watts=900)),
            running=RUNNING,
            pending=(),
        ),
        scene(site=a_site(**narrow(uncontrolled_load_watts=2_900)), running=RUNNING, pending=()),
    ),
    "chargingController": (scene(MINE, a_charging_site()), scene(MINE)),
    "chargingProfile": (
        scene(
            a_controlled_car(
                observed__battery__state_of_charge_percent=90,
                observed__connection__profile=a_profile((0, 1_900)),
            ),
            TWO_KILOWATTS,
        ),
        scene(FULL, TWO_KILOWATTS),
    ),
    "chargeTaper": (
        scene(a_controlled_car(**CHARGES, taper=(TaperStep(50, 4_000),)), a_charging_site()),
        scene(MINE, a_charging_site()),
    ),
    "minChargePowerWatts": (
        scene(a_controlled_car(**CHARGES, min_charge_power_watts=4_000), TWO_KILOWATTS),
        scene(MINE, TWO_KILOWATTS),
    ),
    "chargeEfficiencyPercent": (
        scene(a_controlled_car(**CHARGES, charge_efficiency_percent=80), a_charging_site()),
        scene(MINE, a_charging_site()),
    ),
}
"""What is said, in a fleet that says it; and the same fleet that does not."""


@pytest.mark.parametrize("said", SAID)
def test_what_is_said_is_seen_by_both(said: str) -> None:
    """The right plan is found right; the one that did not hear of it is found wrong."""
    with_it, without = SAID[said]
    assert violations(with_it, plan(with_it)) == ()
    assert violations(without, plan(without)) == ()
    assert violations(with_it, plan(without)) != ()
