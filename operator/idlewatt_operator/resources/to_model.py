"""From the custom resources, as they are read, to the core's frozen values.

Nothing is checked here: what a resource may say was checked when it was read. What a manifest
leaves out is None or the default there, and stays so in the core.
"""

from decimal import Decimal
from typing import Final, Protocol
from zoneinfo import ZoneInfo

from idlewatt_operator.resources import (
    calendars,
    energytariff,
    fleetpolicy,
    parkingsite,
    vehiclenode,
    vehiclestatus,
)
from idlewatt_operator.resources.quantities import parse_quantity
from idlewatt_scheduler.model import policy, site, tariff, vehicle
from idlewatt_scheduler.model.calendars import (
    EVERY_DAY,
    EVERY_MONTH,
    OnHolidays,
    PublicHolidays,
    Recurrence,
)
from idlewatt_scheduler.model.charging import ChargingPeriod, ChargingProfile
from idlewatt_scheduler.model.units import milliwatts, seconds, thousandths

_WEEKDAYS: Final = {
    name: number for number, name in enumerate(("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"))
}
_MONTHS: Final = {
    name: number
    for number, name in enumerate(
        ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"), 1
    )
}
_UTC: Final = ZoneInfo("UTC")

SIX_AMPERES_WATTS: Final = 1_380
"""6 A at 230 V on one phase: IEC 61851 knows no smaller current that still charges."""


def to_vehicle(resource: vehiclenode.VehicleNode) -> vehicle.Vehicle:
    """A VehicleNode, with what its status says was observed."""
    spec, status = resource.spec, resource.status or vehiclestatus.VehicleNodeStatus()
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
        exceptions=tuple(_exception(exception) for exception in spec.parking_exceptions),
        min_charge_power_watts=_least_charge(spec.connection),
        charge_efficiency_percent=spec.connection.charge_efficiency_percent,
        phases=spec.connection.phases,
        taper=tuple(
            vehicle.TaperStep(step.from_percent, step.max_charge_power_watts)
            for step in spec.connection.charge_taper
        ),
    )


def _least_charge(connection: vehiclenode.Connection) -> int:
    if connection.min_charge_power_watts is not None:
        return connection.min_charge_power_watts
    return min(SIX_AMPERES_WATTS, connection.max_charge_power_watts)


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
        chemistry=battery.chemistry,
        replacement_cost_per_kwh=battery.replacement_cost_per_kwh,
        round_trip_efficiency_percent=battery.round_trip_efficiency_percent,
        compute_rise_kelvin=battery.compute_temperature_rise_kelvin,
        in_service_since=battery.in_service_since,
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
        recurrence = _recurrence(window, window.start, window.end)
        return vehicle.ParkingWindow(window.name, window.site_ref.name, recurrence=recurrence)
    return vehicle.ParkingWindow(
        window.name, window.site_ref.name, start=window.start_time, end=window.end_time
    )


def _exception(exception: vehiclenode.ParkingException) -> vehicle.ParkingException:
    return vehicle.ParkingException(
        name=exception.name,
        start=exception.start_time,
        end=exception.end_time,
        site=exception.site_ref.name if exception.site_ref else None,
    )


class _Recurring(Protocol):
    """On which days a window, a zone or a charge starts."""

    @property
    def days(self) -> calendars.Days | None: ...
    @property
    def months(self) -> calendars.Months | None: ...
    @property
    def on_holidays(self) -> calendars.OnHolidays | None: ...
    @property
    def except_dates(self) -> calendars.Dates | None: ...


def _recurrence(part: _Recurring, start: str, end: str) -> Recurrence:
    return Recurrence(
        days=frozenset(_WEEKDAYS[day] for day in part.days) if part.days else EVERY_DAY,
        start_minutes=_minutes(start),
        end_minutes=_minutes(end),
        months=frozenset(_MONTHS[month] for month in part.months) if part.months else EVERY_MONTH,
        on_holidays=OnHolidays(part.on_holidays or "AsUsual"),
        except_dates=frozenset(part.except_dates or ()),
    )


def _public_holidays(part: calendars.PublicHolidays | None) -> PublicHolidays:
    if part is None:
        return PublicHolidays()
    return PublicHolidays(
        country=part.country,
        subdivision=part.subdivision,
        additional=frozenset(part.additional),
        excluded=frozenset(part.excluded),
    )


def _minutes(clock_time: str) -> int:
    hours, minutes = clock_time.split(":")
    return int(hours) * 60 + int(minutes)


def _observation(status: vehiclestatus.VehicleNodeStatus) -> vehicle.Observation:
    departure = status.departure or vehiclestatus.DepartureStatus()
    return vehicle.Observation(
        power=vehicle.Power(status.power or "Awake"),
        battery=_observed_battery(status.battery),
        parking=_observed_parking(status.parking),
        compute=_observed_compute(status.compute),
        connection=_observed_connection(status.connection),
        departure_expected_at=departure.expected_at,
        departure_source=vehicle.DepartureSource(departure.source) if departure.source else None,
    )


def _quality(name: vehiclestatus.QualityName | None) -> vehicle.Quality:
    return vehicle.Quality(name or "Good")


def _observed_battery(block: vehiclestatus.BatteryStatus | None) -> vehicle.ObservedBattery | None:
    if block is None:
        return None
    return vehicle.ObservedBattery(
        state_of_charge_percent=block.state_of_charge_percent,
        temperature_celsius=block.temperature_celsius,
        observed_at=block.observed_at,
        quality=_quality(block.quality),
    )


def _observed_parking(block: vehiclestatus.ParkingStatus | None) -> vehicle.ObservedParking | None:
    if block is None:
        return None
    return vehicle.ObservedParking(
        parked=block.parked,
        occupied=block.occupied,
        since=block.since,
        observed_at=block.observed_at,
        quality=_quality(block.quality),
    )


def _observed_compute(block: vehiclestatus.ComputeStatus | None) -> vehicle.ObservedCompute | None:
    if block is None:
        return None
    return vehicle.ObservedCompute(
        temperature_celsius=block.temperature_celsius,
        observed_at=block.observed_at,
        quality=_quality(block.quality),
    )


def _observed_connection(
    block: vehiclestatus.ConnectionStatus | None,
) -> vehicle.ObservedConnection | None:
    if block is None:
        return None
    return vehicle.ObservedConnection(
        site=block.site_ref.name if block.site_ref else None,
        circuit=block.circuit,
        supply=vehicle.Supply(block.supply) if block.supply else None,
        charge_power_watts=block.charge_power_watts,
        charge_power_limit_watts=block.charge_power_limit_watts,
        phases=frozenset(map(site.Phase, block.phases)) if block.phases else None,
        profile=_profile(block.charging_profile),
        observed_at=block.observed_at,
        quality=_quality(block.quality),
    )


def _profile(block: vehiclestatus.ChargingProfileStatus | None) -> ChargingProfile | None:
    if block is None:
        return None
    return ChargingProfile(
        tuple(
            ChargingPeriod(period.start_time, milliwatts(period.charge_power_watts))
            for period in block.periods
        )
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
        circuits=tuple(_circuit(circuit) for circuit in spec.circuits),
        observed_circuits=tuple(_observed_circuit(circuit) for circuit in status.circuits),
        charging_controller=site.ChargingController(spec.charging_controller),
        nominal_voltage_volts=spec.nominal_voltage_volts,
        public_holidays=_public_holidays(spec.public_holidays),
    )


def _circuit(circuit: parkingsite.Circuit) -> site.Circuit:
    return site.Circuit(
        name=circuit.name,
        parent=circuit.parent,
        import_capacity_limit_watts=circuit.import_capacity_limit_watts,
        uncontrolled_load_watts=circuit.uncontrolled_load_watts,
        failsafe_limit_watts=circuit.failsafe_limit_watts,
        max_current_milliamps_per_phase=circuit.max_current_milliamps_per_phase,
    )


def _observed_circuit(circuit: parkingsite.CircuitStatus) -> site.ObservedCircuit:
    return site.ObservedCircuit(
        name=circuit.name,
        uncontrolled_load_watts=circuit.uncontrolled_load_watts,
        observed_at=circuit.observed_at,
        curtailed_to_watts=circuit.curtailed_to_watts,
        curtailed_until=circuit.curtailed_until,
        generation_watts=circuit.generation_watts,
        export_watts=circuit.export_watts,
        uncontrolled_milliamps=circuit.milliamps,
        peak_watts=circuit.peak_watts,
        peak_at=circuit.peak_at,
    )


def to_tariff(resource: energytariff.EnergyTariff) -> tariff.Tariff:
    """An EnergyTariff; what its source gave, and when, is for the caller to add."""
    spec = resource.spec
    return tariff.Tariff(
        name=resource.metadata.name,
        currency=spec.currency,
        time_zone=spec.time_zone or _UTC,
        zones=tuple(_zone(zone) for zone in spec.zones or ()),
        intervals=tuple(to_interval(interval) for interval in spec.intervals or ()),
        wholesale=spec.basis == "Wholesale",
        adders=tuple(adder.per_kwh for adder in spec.adders),
        tax_percent=spec.tax_percent,
        public_holidays=_public_holidays(spec.public_holidays),
        demand_charges=tuple(
            tariff.DemandCharge(
                name=charge.name,
                recurrence=_recurrence(charge, charge.start or "00:00", charge.end or "00:00"),
                price_per_kilowatt=charge.price_per_kw,
            )
            for charge in spec.demand_charges
        ),
        connection_fee=_connection_fee(spec.connection_fee),
        carbon=spec.carbon_ref.name if spec.carbon_ref else None,
        max_age=seconds(spec.source.max_age_seconds) if spec.source else None,
    )


def _zone(zone: energytariff.Zone) -> tariff.TariffZone:
    return tariff.TariffZone(
        name=zone.name,
        recurrence=_recurrence(zone, zone.start, zone.end),
        band=zone.band,
        price_per_kwh=zone.price_per_kwh,
        export_price_per_kwh=zone.export_price_per_kwh,
    )


def _connection_fee(fee: energytariff.ConnectionFee | None) -> tariff.ConnectionFee | None:
    if fee is None:
        return None
    return tariff.ConnectionFee(after=seconds(fee.after_seconds), price_per_hour=fee.price_per_hour)


def to_interval(interval: energytariff.Interval) -> tariff.TariffInterval:
    """One interval of an EnergyTariff, or of what its source gave."""
    known = {payload.type: payload.value for payload in interval.payloads}
    numbers = {kind: Decimal(value) for kind, value in known.items() if kind != "BAND"}
    return tariff.TariffInterval(
        start=interval.start,
        duration=seconds(interval.duration_seconds),
        price_per_kwh=numbers.get("PRICE"),
        band=known.get("BAND"),
        grams_per_kwh=numbers.get("GHG"),
        export_price_per_kwh=numbers.get("EXPORT_PRICE"),
        created_at=interval.created_at,
        forecast=interval.forecast,
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
            cleanest_percent_of_next_24_hours=spec.off_peak.cleanest_percent_of_next_24_hours,
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
        forecast_max_age_seconds=spec.forecast_max_age_seconds,
        surplus_seconds=spec.surplus_seconds,
        wear_floor=policy.WearFloor(spec.wear_floor),
        preference_cost_per_point=spec.preference_cost_per_point,
        preemption=policy.Preemption(spec.preemption),
        migration_cost=spec.migration_cost,
        migrations_at_once=spec.migrations_at_once,
    )
