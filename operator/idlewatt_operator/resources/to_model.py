"""From the custom resources, as they are read, to the core's frozen values.

Nothing is checked here: what a resource may say was checked when it was read. What a manifest
leaves out is None or the default there, and stays so in the core.
"""

from decimal import Decimal
from typing import Final
from zoneinfo import ZoneInfo

from idlewatt_operator.resources import energytariff, fleetpolicy, parkingsite, vehiclenode
from idlewatt_operator.resources.quantities import parse_quantity
from idlewatt_scheduler.model import policy, site, tariff, vehicle
from idlewatt_scheduler.model.calendars import EVERY_DAY, Recurrence
from idlewatt_scheduler.model.units import seconds, thousandths

_WEEKDAYS: Final = {
    name: number for number, name in enumerate(("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"))
}
_UTC: Final = ZoneInfo("UTC")


def to_vehicle(resource: vehiclenode.VehicleNode) -> vehicle.Vehicle:
    """A VehicleNode, with what its status says was observed."""
    spec, status = resource.spec, resource.status or vehiclenode.VehicleNodeStatus()
    earned = status.compensation and status.compensation.earned_this_month
    used = status.link and status.link.used_this_month_bytes
    holding = {condition.type for condition in status.conditions if condition.status == "True"}
    return vehicle.Vehicle(
        name=resource.metadata.name,
        compensation=_compensation(spec.compensation),
        battery=_battery(spec.battery),
        compute=_compute(spec.compute),
        max_charge_power_watts=spec.connection.max_charge_power_watts,
        agreement=_agreement(spec.agreement),
        suspend=spec.suspend,
        link=_link(spec.link),
        windows=tuple(_window(window) for window in spec.parking_windows),
        observed=_observation(status),
        earned_this_month=earned or Decimal(0),
        used_this_month_bytes=used or 0,
        attested="Attested" in holding,
        draining="Draining" in holding,
    )


def _agreement(agreement: vehiclenode.Agreement | None) -> vehicle.Agreement | None:
    if agreement is None:
        return None
    return vehicle.Agreement(
        id=agreement.id,
        version=agreement.version,
        energy_sources=frozenset(map(vehicle.EnergySource, agreement.energy_sources)),
    )


def _compensation(compensation: vehiclenode.Compensation) -> vehicle.Compensation:
    return vehicle.Compensation(
        currency=compensation.currency,
        availability_per_hour=compensation.availability_per_hour,
        energy_per_kwh=compensation.energy_per_kwh,
        wear_per_kwh=compensation.wear_per_kwh,
        monthly_cap=compensation.monthly_cap,
    )


def _battery(battery: vehiclenode.Battery) -> vehicle.Battery:
    return vehicle.Battery(
        net_capacity_watt_hours=battery.net_capacity_watt_hours,
        reserve_percent=battery.reserve_percent,
        departure_percent=battery.departure_percent,
        min_temperature_celsius=battery.min_temperature_celsius,
        max_temperature_celsius=battery.max_temperature_celsius,
    )


def _compute(compute: vehiclenode.Compute) -> vehicle.Compute:
    return vehicle.Compute(
        max_power_watts=compute.max_power_watts,
        capacity={
            name: thousandths(parse_quantity(quantity))
            for name, quantity in compute.capacity.items()
        },
        standby_power_watts=compute.standby_power_watts,
        efficiency_percent=compute.efficiency_percent,
        wake_seconds=compute.wake_seconds,
        wake_energy_watt_hours=compute.wake_energy_watt_hours,
        max_temperature_celsius=compute.max_temperature_celsius,
    )


def _link(link: vehiclenode.Link | None) -> vehicle.Link:
    if link is None:
        return vehicle.Link()
    return vehicle.Link(
        downlink_bits_per_second=link.downlink_bits_per_second,
        metered=link.metered,
        monthly_limit_bytes=link.monthly_limit_bytes,
    )


def _window(window: vehiclenode.ParkingWindow) -> vehicle.ParkingWindow:
    if window.start is not None and window.end is not None:
        recurrence = _recurrence(window.days, window.start, window.end)
        return vehicle.ParkingWindow(window.name, window.site_ref.name, recurrence=recurrence)
    return vehicle.ParkingWindow(
        window.name, window.site_ref.name, start=window.start_time, end=window.end_time
    )


def _recurrence(days: vehiclenode.Days | None, start: str, end: str) -> Recurrence:
    return Recurrence(
        days=frozenset(_WEEKDAYS[day] for day in days) if days else EVERY_DAY,
        start_minutes=_minutes(start),
        end_minutes=_minutes(end),
    )


def _minutes(clock_time: str) -> int:
    hours, minutes = clock_time.split(":")
    return int(hours) * 60 + int(minutes)


def _observation(status: vehiclenode.VehicleNodeStatus) -> vehicle.Observation:
    return vehicle.Observation(
        power=vehicle.Power(status.power or "Awake"),
        battery=_observed_battery(status.battery),
        parking=_observed_parking(status.parking),
        compute=_observed_compute(status.compute),
        connection=_observed_connection(status.connection),
        departure_expected_at=status.departure.expected_at if status.departure else None,
    )


def _quality(name: vehiclenode.QualityName | None) -> vehicle.Quality:
    return vehicle.Quality(name or "Good")


def _observed_battery(block: vehiclenode.BatteryStatus | None) -> vehicle.ObservedBattery | None:
    if block is None:
        return None
    return vehicle.ObservedBattery(
        state_of_charge_percent=block.state_of_charge_percent,
        temperature_celsius=block.temperature_celsius,
        observed_at=block.observed_at,
        quality=_quality(block.quality),
    )


def _observed_parking(block: vehiclenode.ParkingStatus | None) -> vehicle.ObservedParking | None:
    if block is None:
        return None
    return vehicle.ObservedParking(
        parked=block.parked,
        occupied=block.occupied,
        since=block.since,
        observed_at=block.observed_at,
        quality=_quality(block.quality),
    )


def _observed_compute(block: vehiclenode.ComputeStatus | None) -> vehicle.ObservedCompute | None:
    if block is None:
        return None
    return vehicle.ObservedCompute(
        temperature_celsius=block.temperature_celsius,
        observed_at=block.observed_at,
        quality=_quality(block.quality),
    )


def _observed_connection(
    block: vehiclenode.ConnectionStatus | None,
) -> vehicle.ObservedConnection | None:
    if block is None:
        return None
    return vehicle.ObservedConnection(
        site=block.site_ref.name if block.site_ref else None,
        circuit=block.circuit,
        supply=vehicle.Supply(block.supply) if block.supply else None,
        charge_power_watts=block.charge_power_watts,
        charge_power_limit_watts=block.charge_power_limit_watts,
        observed_at=block.observed_at,
        quality=_quality(block.quality),
    )


def to_site(resource: parkingsite.ParkingSite) -> site.Site:
    """A ParkingSite, with what its status says was observed of its circuits."""
    spec, status = resource.spec, resource.status or parkingsite.ParkingSiteStatus()
    return site.Site(
        name=resource.metadata.name,
        time_zone=spec.time_zone,
        region=spec.region,
        tariff=spec.tariff_ref.name if spec.tariff_ref else None,
        energy_borne_by=site.EnergyBearer(spec.energy_borne_by),
        compute_allowed=spec.compute_allowed,
        circuits=tuple(
            site.Circuit(
                name=circuit.name,
                parent=circuit.parent,
                import_capacity_limit_watts=circuit.import_capacity_limit_watts,
                uncontrolled_load_watts=circuit.uncontrolled_load_watts,
                failsafe_limit_watts=circuit.failsafe_limit_watts,
            )
            for circuit in spec.circuits
        ),
        observed_circuits=tuple(
            site.ObservedCircuit(
                name=circuit.name,
                uncontrolled_load_watts=circuit.uncontrolled_load_watts,
                observed_at=circuit.observed_at,
                curtailed_to_watts=circuit.curtailed_to_watts,
                curtailed_until=circuit.curtailed_until,
            )
            for circuit in status.circuits
        ),
    )


def to_tariff(resource: energytariff.EnergyTariff) -> tariff.Tariff:
    """An EnergyTariff."""
    spec = resource.spec
    return tariff.Tariff(
        name=resource.metadata.name,
        currency=spec.currency,
        time_zone=spec.time_zone or _UTC,
        zones=tuple(
            tariff.TariffZone(
                name=zone.name,
                recurrence=_recurrence(zone.days, zone.start, zone.end),
                band=zone.band,
                price_per_kwh=zone.price_per_kwh,
            )
            for zone in spec.zones or ()
        ),
        intervals=tuple(_interval(interval) for interval in spec.intervals or ()),
        wholesale=spec.basis == "Wholesale",
        adders=tuple(adder.per_kwh for adder in spec.adders),
        tax_percent=spec.tax_percent,
    )


def _interval(interval: energytariff.Interval) -> tariff.TariffInterval:
    known = {payload.type: payload.value for payload in interval.payloads}
    return tariff.TariffInterval(
        start=interval.start,
        duration=seconds(interval.duration_seconds),
        price_per_kwh=Decimal(known["PRICE"]) if "PRICE" in known else None,
        band=known.get("BAND"),
        grams_per_kwh=Decimal(known["GHG"]) if "GHG" in known else None,
    )


def to_policy(resource: fleetpolicy.FleetPolicy) -> policy.FleetPolicy:
    """A FleetPolicy."""
    spec = resource.spec
    grams = spec.off_peak.max_grams_per_kwh
    return policy.FleetPolicy(
        off_peak=policy.OffPeakTest(
            band=spec.off_peak.band,
            max_price_per_kwh=spec.off_peak.max_price_per_kwh,
            currency=spec.off_peak.currency,
            cheapest_percent_of_next_24_hours=spec.off_peak.cheapest_percent_of_next_24_hours,
            max_grams_per_kwh=None if grams is None else Decimal(grams),
        ),
        telemetry_max_age_seconds=spec.telemetry_max_age_seconds,
        sleep_max_age_seconds=spec.sleep_max_age_seconds,
        stale_drain_seconds=spec.stale_drain_seconds,
        drain_lead_seconds=spec.drain_lead_seconds,
        minimum_stay_seconds=spec.minimum_stay_seconds,
        max_start_delay_seconds=spec.max_start_delay_seconds,
        idle_before_start_seconds=spec.idle_before_start_seconds,
        miss_probability_percent=spec.miss_probability_percent,
        plain_nodes_allowed=spec.plain_nodes == "Allow",
        exchange_rates=tuple(
            policy.ExchangeRate(rate.from_currency, rate.to_currency, rate.rate)
            for rate in spec.exchange_rates
        ),
    )
