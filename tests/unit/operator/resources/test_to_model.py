"""The way from the resources into the core's model keeps every figure and every absence."""

from decimal import Decimal
from zoneinfo import ZoneInfo

from tests.integration.corpus.cases import good_manifest

from idlewatt_operator.resources.energytariff import EnergyTariff
from idlewatt_operator.resources.fleetpolicy import FleetPolicy
from idlewatt_operator.resources.parkingsite import ParkingSite
from idlewatt_operator.resources.to_model import to_policy, to_site, to_tariff, to_vehicle
from idlewatt_operator.resources.vehiclenode import VehicleNode
from idlewatt_scheduler.model import policy, site, tariff, vehicle
from idlewatt_scheduler.model.calendars import EVERY_DAY, Recurrence
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
