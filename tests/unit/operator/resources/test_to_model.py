"""The way from the resources into the core's model keeps every figure and every absence."""

from datetime import date
from decimal import Decimal
from zoneinfo import ZoneInfo

from tests.integration.corpus.cases import Manifest, good_manifest, good_manifests

from idlewatt_operator.resources.energytariff import EnergyTariff
from idlewatt_operator.resources.fleetpolicy import FleetPolicy
from idlewatt_operator.resources.parkingsite import ParkingSite
from idlewatt_operator.resources.to_model import (
    SIX_AMPERES_WATTS,
    to_policy,
    to_site,
    to_tariff,
    to_vehicle,
)
from idlewatt_operator.resources.vehiclenode import VehicleNode
from idlewatt_scheduler.model import policy, site, tariff, vehicle
from idlewatt_scheduler.model.calendars import (
    EVERY_DAY,
    OnHolidays,
    PublicHolidays,
    Recurrence,
)
from idlewatt_scheduler.model.charging import ChargingPeriod, ChargingProfile
from idlewatt_scheduler.model.units import HOUR, MINUTE
from idlewatt_scheduler.testing import instant

THE_LEAST_SPEC = {
    "compensation": {"currency": "EUR"},
    "battery": {"netCapacityWattHours": 1_000, "reservePercent": 20, "departurePercent": 60},
    "compute": {"maxPowerWatts": 100, "capacity": {"cpu": "500m"}},
    "connection": {"maxChargePowerWatts": 3_700},
}


def the_least_vehicle(**status: object) -> vehicle.Vehicle:
    """A vehicle of which only what is required is known, with some status."""
    manifest = {
        "apiVersion": "idlewatt.dev/v1alpha1",
        "kind": "VehicleNode",
        "metadata": {"name": "v-1"},
        "spec": THE_LEAST_SPEC,
    }
    return to_vehicle(VehicleNode.model_validate({**manifest, "status": status or None}))


def test_a_vehicle_keeps_what_its_spec_says() -> None:
    """Terms, battery, computer, link and windows arrive in the core's units."""
    made = to_vehicle(VehicleNode.model_validate(good_manifest("VehicleNode")))
    assert made.name == "v-3f9c2a"
    assert made.agreement == vehicle.Agreement(
        "agr-81c4", 3, frozenset({vehicle.EnergySource.GRID})
    )
    assert made.compensation == vehicle.Compensation(
        "EUR", Decimal("0.10"), Decimal("0.30"), Decimal("0.05"), Decimal("60.00")
    )
    assert made.battery == vehicle.Battery(60_000, 30, 80, 0, 45, "LFP", Decimal(100))
    assert made.compute == vehicle.Compute(
        1_000,
        {"cpu": 16_000, "memory": 32 * 2**30 * 1_000, "nvidia.com/gpu": 1_000},
        90,
        88,
        60,
        20,
        85,
    )
    assert made.max_charge_power_watts == 11_000
    assert made.link == vehicle.Link(50_000_000, metered=True, monthly_limit_bytes=20_000_000_000)
    assert made.windows == (
        vehicle.ParkingWindow(
            "nights", "depot-7", recurrence=Recurrence(frozenset(range(5)), 18 * 60, 7 * 60)
        ),
        vehicle.ParkingWindow(
            "holiday",
            "depot-7",
            start=instant("2026-12-24T12:00:00Z"),
            end=instant("2026-12-27T08:00:00Z"),
        ),
    )


def test_a_vehicle_keeps_what_was_observed() -> None:
    """Each block of the status arrives with its own time and quality."""
    made = to_vehicle(VehicleNode.model_validate(good_manifest("VehicleNode")))
    seen = instant("2026-01-15T21:59:30Z")
    assert made.observed == vehicle.Observation(
        power=vehicle.Power.AWAKE,
        battery=vehicle.ObservedBattery(71, 24, seen),
        parking=vehicle.ObservedParking(
            parked=True, occupied=False, since=instant("2026-01-15T17:40:00Z"), observed_at=seen
        ),
        compute=vehicle.ObservedCompute(41, seen),
        connection=vehicle.ObservedConnection(
            "depot-7", "row-a", vehicle.Supply.SUPPLIED, 0, 11_000, observed_at=seen
        ),
        departure_expected_at=instant("2026-01-16T05:30:00Z"),
        departure_source=vehicle.DepartureSource.LEARNED,
    )
    assert made.earned_this_month == Decimal("12.30")
    assert made.used_this_month_bytes == 0


def test_what_a_vehicle_leaves_out_is_none_or_harmless() -> None:
    """The least manifest gives the core's own defaults, and no observation at all."""
    assert the_least_vehicle() == vehicle.Vehicle(
        name="v-1",
        compensation=vehicle.Compensation("EUR"),
        battery=vehicle.Battery(1_000, 20, 60),
        compute=vehicle.Compute(100, {"cpu": 500}),
        max_charge_power_watts=3_700,
        agreement=None,
    )


def test_an_empty_block_was_reported_and_a_missing_one_was_not() -> None:
    """An empty status block is an observation of nothing, of good quality."""
    made = the_least_vehicle(battery={}, parking={}, compute={}, connection={}, departure={})
    assert made.observed == vehicle.Observation(
        battery=vehicle.ObservedBattery(),
        parking=vehicle.ObservedParking(),
        compute=vehicle.ObservedCompute(),
        connection=vehicle.ObservedConnection(),
    )


def test_quality_and_power_are_read() -> None:
    """A block's quality, and whether the vehicle sleeps, arrive as they were reported."""
    made = the_least_vehicle(power="Asleep", battery={"quality": "Stale"})
    assert made.observed.power is vehicle.Power.ASLEEP
    assert made.observed.battery == vehicle.ObservedBattery(quality=vehicle.Quality.STALE)


def test_conditions_count_when_they_are_true() -> None:
    """Draining and Attested are the conditions of that type whose status is True."""
    made = the_least_vehicle(
        conditions=[{"type": "Draining", "status": "True"}, {"type": "Attested", "status": "False"}]
    )
    assert made.draining
    assert not made.attested


def test_a_site_keeps_its_circuits_and_their_measurements() -> None:
    """Spec and status of a site arrive in one value."""
    assert to_site(ParkingSite.model_validate(good_manifest("ParkingSite"))) == site.Site(
        name="depot-7",
        time_zone=ZoneInfo("Europe/Berlin"),
        region="eu-de",
        tariff="depot",
        energy_borne_by=site.EnergyBearer.SITE_HOST,
        compute_allowed=True,
        circuits=(
            site.Circuit("main", None, 60_000, 8_000, 20_000),
            site.Circuit("row-a", "main", 22_000, max_current_milliamps_per_phase=32_000),
            site.Circuit("row-a-left", "row-a", 11_000),
        ),
        observed_circuits=(
            site.ObservedCircuit(
                "main",
                5_200,
                instant("2026-01-15T21:59:30Z"),
                30_000,
                instant("2026-01-15T23:00:00Z"),
            ),
        ),
    )


def test_a_site_that_says_little_allows_nothing() -> None:
    """Without more than a time zone a site has no tariff, no circuits and no permission."""
    manifest = good_manifest("ParkingSite") | {"spec": {"timeZone": "UTC"}, "status": None}
    made = to_site(ParkingSite.model_validate(manifest))
    assert not made.compute_allowed
    assert (made.region, made.tariff, made.circuits) == (None, None, ())
    assert made.energy_borne_by is site.EnergyBearer.OWNER


def test_a_tariff_of_zones_keeps_their_order() -> None:
    """Zones arrive in the order in which they win, days and prices with them."""
    made = to_tariff(EnergyTariff.model_validate(good_manifest("EnergyTariff")))
    assert made == tariff.Tariff(
        name="depot",
        currency="EUR",
        time_zone=ZoneInfo("Europe/Berlin"),
        zones=(
            tariff.TariffZone(
                "night",
                Recurrence(frozenset(range(5)), 22 * 60, 6 * 60),
                "OffPeak",
                Decimal("0.18"),
            ),
            tariff.TariffZone("day", Recurrence(EVERY_DAY, 0, 0), "Peak", Decimal("0.31")),
        ),
        adders=(Decimal("0.09"),),
        tax_percent=Decimal(19),
    )


def test_a_tariff_of_intervals_keeps_what_is_known() -> None:
    """Payloads arrive by their type; one that is not published is None, never zero."""
    manifest = good_manifest("EnergyTariff")
    manifest["spec"] = {
        "currency": "EUR",
        "basis": "Wholesale",
        "intervals": [
            {
                "start": "2026-01-15T23:00:00Z",
                "durationSeconds": 3_600,
                "payloads": [{"type": "PRICE", "value": "-0.08"}, {"type": "BAND", "value": "Low"}],
            },
            {
                "start": "2026-01-16T00:00:00Z",
                "durationSeconds": 900,
                "payloads": [{"type": "GHG", "value": "312"}],
            },
        ],
    }
    made = to_tariff(EnergyTariff.model_validate(manifest))
    start = instant("2026-01-15T23:00:00Z")
    assert made.wholesale
    assert made.tax_percent == 0
    assert made.intervals == (
        tariff.TariffInterval(start, 3_600_000, Decimal("-0.08"), "Low"),
        tariff.TariffInterval(start + 3_600_000, 900_000, grams_per_kwh=Decimal(312)),
    )


def test_a_policy_that_says_nothing_is_the_cores_default() -> None:
    """The manifest's defaults and the core's are the same, to the last one."""
    manifest = good_manifest("FleetPolicy") | {"spec": {}}
    assert to_policy(FleetPolicy.model_validate(manifest)) == policy.FleetPolicy()


def test_a_policy_keeps_what_it_says() -> None:
    """Tests of off-peak, margins, plain Nodes and rates arrive as they were written."""
    manifest = good_manifest("FleetPolicy")
    manifest["spec"] = {
        "offPeak": {
            "maxPricePerKWh": "0.20",
            "currency": "EUR",
            "cheapestPercentOfNext24Hours": 30,
            "maxGramsPerKWh": 250,
        },
        "telemetryMaxAgeSeconds": 1,
        "sleepMaxAgeSeconds": 2,
        "staleDrainSeconds": 3,
        "drainLeadSeconds": 4,
        "minimumStaySeconds": 5,
        "maxStartDelaySeconds": 6,
        "idleBeforeStartSeconds": 7,
        "missProbabilityPercent": 8,
        "plainNodes": "Allow",
        "exchangeRates": [{"from": "NOK", "to": "EUR", "rate": "0.086"}],
    }
    assert to_policy(FleetPolicy.model_validate(manifest)) == policy.FleetPolicy(
        off_peak=policy.OffPeakTest(None, Decimal("0.20"), "EUR", 30, Decimal(250)),
        telemetry_max_age_seconds=1,
        sleep_max_age_seconds=2,
        stale_drain_seconds=3,
        drain_lead_seconds=4,
        minimum_stay_seconds=5,
        max_start_delay_seconds=6,
        idle_before_start_seconds=7,
        miss_probability_percent=8,
        plain_nodes_allowed=True,
        exchange_rates=(policy.ExchangeRate("NOK", "EUR", Decimal("0.086")),),
    )


def named(name: str) -> Manifest:
    """The good manifest of this name."""
    return next(good for good in good_manifests() if good["metadata"]["name"] == name)


WORKDAYS = frozenset(range(5))


def test_a_vehicle_keeps_how_it_charges_and_wears() -> None:
    """Battery, taper, phases and what is left out of its windows."""
    made = to_vehicle(VehicleNode.model_validate(named("v-2b7e10")))
    assert made.battery == vehicle.Battery(
        75_000,
        20,
        90,
        chemistry="NMC811",
        replacement_cost_per_kwh=Decimal(110),
        round_trip_efficiency_percent=85,
        compute_rise_kelvin=5,
        in_service_since=instant("2024-03-01T00:00:00Z"),
    )
    assert (made.min_charge_power_watts, made.charge_efficiency_percent) == (1_380, 90)
    assert made.phases == 1
    assert made.taper == (vehicle.TaperStep(80, 5_000), vehicle.TaperStep(95, 2_000))
    assert made.windows[0].recurrence == Recurrence(
        WORKDAYS,
        18 * 60,
        7 * 60,
        months=frozenset({9, 10, 11, 12}),
        on_holidays=OnHolidays.NEVER,
        except_dates=frozenset({date(2026, 12, 24), date(2026, 12, 31)}),
    )
    service, away = made.exceptions
    assert (service.name, service.site) == ("service", "depot-7")
    assert away == vehicle.ParkingException(
        "away", instant("2026-11-01T00:00:00Z"), instant("2026-11-08T00:00:00Z")
    )


def test_a_vehicle_keeps_its_phases_and_the_profile_that_was_acknowledged() -> None:
    """As its charger has them."""
    made = to_vehicle(VehicleNode.model_validate(named("v-2b7e10")))
    begun = instant("2026-10-01T18:00:00Z")
    connection = made.observed.connection
    assert connection is not None
    assert connection.phases == frozenset({site.Phase.L2})
    assert connection.profile == ChargingProfile(
        (ChargingPeriod(begun, 7_400_000), ChargingPeriod(begun + 15 * MINUTE, 0))
    )


def test_a_least_power_that_is_not_given_is_six_amperes() -> None:
    """Less no charge point offers; a car that takes less in all charges with what it takes."""
    assert the_least_vehicle().min_charge_power_watts == SIX_AMPERES_WATTS
    spec = {**THE_LEAST_SPEC, "connection": {"maxChargePowerWatts": 700}}
    manifest = good_manifest("VehicleNode") | {"spec": spec, "status": None}
    assert to_vehicle(VehicleNode.model_validate(manifest)).min_charge_power_watts == 700
    spec = {**THE_LEAST_SPEC, "connection": {"minChargePowerWatts": 0, "maxChargePowerWatts": 700}}
    manifest |= {"spec": spec}
    assert to_vehicle(VehicleNode.model_validate(manifest)).min_charge_power_watts == 0


def test_a_site_keeps_holidays_voltage_and_what_flows_both_ways() -> None:
    """And who decides when cars charge."""
    made = to_site(ParkingSite.model_validate(named("yard")))
    assert made.charging_controller is site.ChargingController.IDLEWATT
    assert made.nominal_voltage_volts == 230
    assert made.public_holidays == PublicHolidays(
        "DE", "BY", frozenset({date(2026, 12, 24)}), frozenset({date(2026, 8, 15)})
    )
    assert made.observed_circuits == (
        site.ObservedCircuit(
            "main",
            5_200,
            instant("2026-01-15T21:59:30Z"),
            generation_watts=9_100,
            export_watts=3_900,
            uncontrolled_milliamps=(7_500, 8_000, 7_000),
            peak_watts=31_000,
            peak_at=instant("2026-01-09T17:15:00Z"),
        ),
    )


def test_a_tariff_keeps_seasons_and_what_a_fleet_pays_beside_its_kwh() -> None:
    """A demand charge without hours is of the whole day."""
    made = to_tariff(EnergyTariff.model_validate(named("seasons")))
    assert made.zones[0].recurrence.months == frozenset({6, 7, 8, 9})
    assert made.zones[0].recurrence.except_dates == frozenset({date(2026, 8, 14)})
    assert made.zones[0].export_price_per_kwh == Decimal("0.08")
    assert made.public_holidays == PublicHolidays("DE", "BY")
    assert (made.carbon, made.max_age) == ("grid", None)
    assert made.connection_fee == tariff.ConnectionFee(4 * HOUR, Decimal("2.00"))
    assert made.demand_charges == (
        tariff.DemandCharge("any", Recurrence(EVERY_DAY, 0, 0), Decimal("9.80")),
        tariff.DemandCharge(
            "evenings",
            Recurrence(
                frozenset({0}),
                17 * 60,
                20 * 60,
                months=frozenset({1, 11, 12}),
                on_holidays=OnHolidays.NEVER,
            ),
            Decimal("4.20"),
        ),
    )


def test_revisions_forecasts_and_sources_are_kept() -> None:
    """To the last decimal; what a source gives is added by whoever asked it."""
    revised, forecast = to_tariff(EnergyTariff.model_validate(named("day-ahead"))).intervals
    assert revised.created_at == instant("2026-01-15T12:45:00Z")
    assert revised.export_price_per_kwh == 0
    assert revised.grams_per_kwh == Decimal("312.000000000000000001")
    assert (revised.forecast, forecast.forecast) == (False, True)
    fetched = to_tariff(EnergyTariff.model_validate(named("fetched")))
    assert (fetched.max_age, fetched.refreshed_at) == (24 * HOUR, None)
    assert (fetched.zones, fetched.intervals) == ((), ())


def test_a_policy_keeps_its_energy_rules() -> None:
    """Carbon, forecasts, surplus and the floor of wear."""
    manifest = good_manifest("FleetPolicy")
    manifest["spec"] = {
        "offPeak": {"cleanestPercentOfNext24Hours": 30},
        "forecastMaxAgeSeconds": 3_600,
        "surplusSeconds": 60,
        "wearFloor": "Model",
    }
    made = to_policy(FleetPolicy.model_validate(manifest))
    assert made.off_peak == policy.OffPeakTest(cleanest_percent_of_next_24_hours=30)
    assert (made.forecast_max_age_seconds, made.surplus_seconds) == (3_600, 60)
    assert made.wear_floor is policy.WearFloor.MODEL


def test_a_policy_keeps_what_it_says_of_moves() -> None:
    """What preferences weigh, whether pods make room, and what moving one has to save."""
    manifest = good_manifest("FleetPolicy")
    manifest["spec"] = {
        "preferenceCostPerPoint": "0.005",
        "preemption": "LowerPriority",
        "migrationCost": "0.10",
        "migrationsAtOnce": 3,
    }
    made = to_policy(FleetPolicy.model_validate(manifest))
    assert made.preference_cost_per_point == Decimal("0.005")
    assert made.preemption is policy.Preemption.LOWER_PRIORITY
    assert (made.migration_cost, made.migrations_at_once) == (Decimal("0.10"), 3)
