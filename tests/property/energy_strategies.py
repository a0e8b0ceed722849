"""What the energy side adds to a random fleet: calendars, tariffs, sites, charging, departures.

A fleet without any of it stays as it was drawn; `enriched` gives one that has some of it
everywhere, with figures that lie close to each other, so that boundaries are hit exactly.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, TypeVar

from hypothesis import strategies as st

from idlewatt_scheduler.model.calendars import (
    EVERY_DAY,
    EVERY_MONTH,
    OnHolidays,
    PublicHolidays,
    Recurrence,
)
from idlewatt_scheduler.model.charging import ChargingPeriod, ChargingProfile
from idlewatt_scheduler.model.departures import DepartureModel, DepartureQuantiles
from idlewatt_scheduler.model.policy import FleetPolicy, OffPeakTest, WearFloor
from idlewatt_scheduler.model.site import ChargingController, Circuit, ObservedCircuit, Phase, Site
from idlewatt_scheduler.model.snapshot import Snapshot
from idlewatt_scheduler.model.tariff import (
    ConnectionFee,
    DemandCharge,
    Tariff,
    TariffInterval,
    TariffZone,
)
from idlewatt_scheduler.model.units import DAY, HOUR, MINUTE, SECOND, Instant
from idlewatt_scheduler.model.vehicle import (
    DepartureSource,
    ObservedConnection,
    ParkingException,
    ParkingWindow,
    TaperStep,
    Vehicle,
)
from idlewatt_scheduler.testing import a_snapshot, changed, even_quantiles

_Value = TypeVar("_Value")
Draw = Callable[[st.SearchStrategy[Any]], Any]


def any_of(*values: _Value) -> st.SearchStrategy[_Value]:
    """Each equally often."""
    return st.sampled_from(values)


def day_of(at: Instant) -> date:
    """The day in UTC."""
    return datetime.fromtimestamp(at / 1_000, UTC).date()


@st.composite
def public_holidays(draw: Draw, at: Instant) -> PublicHolidays:
    """None, a country's, and those around the instant added or struck."""
    today = day_of(at)
    near = frozenset(today + timedelta(days=n) for n in draw(any_of((), (0,), (-1, 1), (2, 5))))
    country, subdivision = draw(any_of((None, None), ("DE", "BY"), ("US", None), ("AU", "NSW")))
    return PublicHolidays(
        country, subdivision, *draw(any_of((near, frozenset()), (frozenset(), near), (near, near)))
    )


@st.composite
def on_some_days(draw: Draw, recurrence: Recurrence, at: Instant) -> Recurrence:
    """The same wall times, on fewer or other days."""
    today = day_of(at)
    return replace(
        recurrence,
        months=draw(any_of(EVERY_MONTH, EVERY_MONTH, frozenset({today.month}), frozenset({2, 11}))),
        on_holidays=draw(any_of(*OnHolidays, OnHolidays.AS_USUAL, OnHolidays.AS_USUAL)),
        except_dates=draw(any_of(frozenset(), frozenset(), frozenset({today}))),
    )


@st.composite
def _windows(draw: Draw, windows: tuple[ParkingWindow, ...], at: Instant) -> Any:  # noqa: ANN401
    return tuple(
        replace(window, recurrence=draw(on_some_days(window.recurrence, at)))
        if window.recurrence and draw(st.integers(0, 4)) == 0
        else window
        for window in windows
    )


@st.composite
def _exceptions(draw: Draw, at: Instant) -> tuple[ParkingException, ...]:
    start, length = draw(any_of(-2, 0, 1, 2, 9, 30)), draw(any_of(1, 2, 20))
    site = draw(any_of(None, "depot-7", "depot-8"))
    away = ParkingException("away", at + start * HOUR, at + (start + length) * HOUR, site)
    return draw(any_of((), (), (), (), (away,)))  # type: ignore[no-any-return]


@st.composite
def profiles(draw: Draw, at: Instant) -> ChargingProfile:
    """What a charger acknowledged: long ago, just now, or for later."""
    start = at + draw(any_of(-HOUR, -2 * HOUR, 0, -1, 1))
    periods = [ChargingPeriod(start, draw(any_of(0, 500, 1_380, 3_000)) * 1_000)]
    periods += [
        ChargingPeriod(at + after * MINUTE, draw(any_of(0, 800, 2_000)) * 1_000)
        for after in draw(any_of((), (20,), (30, 90), (61, 75, 600)))
    ]
    return ChargingProfile(tuple(periods))


@st.composite
def _connection(
    draw: Draw, seen: ObservedConnection | None, at: Instant
) -> ObservedConnection | None:
    if seen is None:
        return None
    phases = draw(any_of(None, None, {Phase.L1}, {Phase.L2, Phase.L3}, set(Phase)))
    return replace(
        seen,
        phases=None if phases is None else frozenset(phases),
        profile=draw(st.one_of(st.none(), profiles(at), profiles(at))),
    )


@st.composite
def _vehicle(draw: Draw, vehicle: Vehicle, at: Instant) -> Vehicle:
    """The same vehicle, charged by us, on some phases, with a history."""
    battery = replace(
        vehicle.battery,
        chemistry=draw(any_of(None, "NCA", "LFP", "NMC811", "Sodium")),
        replacement_cost_per_kwh=draw(any_of(None, Decimal(100), Decimal("129.99"))),
        round_trip_efficiency_percent=draw(any_of(None, 85, 80, 100)),
        compute_rise_kelvin=draw(any_of(None, 0, 2, 5)),
        in_service_since=draw(any_of(None, at - 400 * DAY, at - 3_000 * DAY, at)),
    )
    observed = replace(
        vehicle.observed,
        connection=draw(_connection(vehicle.observed.connection, at)),
        departure_source=draw(any_of(None, *DepartureSource)),
    )
    if observed.battery and observed.battery.state_of_charge_percent is not None:
        charge = draw(any_of(observed.battery.state_of_charge_percent, 20, 28, 60, 78, 79))
        observed = changed(observed, battery__state_of_charge_percent=charge)
    if observed.parking and observed.parking.since is not None:
        since = draw(any_of(observed.parking.since, at - 5 * HOUR, at - 3 * HOUR - 1))
        observed = changed(observed, parking__since=since)
    told = observed.departure_expected_at
    expected = draw(any_of(told, told, at + 3 * HOUR, at + 8 * HOUR + 7))
    return changed(
        vehicle,
        battery=battery,
        observed=replace(observed, departure_expected_at=expected),
        windows=draw(_windows(vehicle.windows, at)),
        exceptions=draw(_exceptions(at)),
        max_charge_power_watts=draw(any_of(vehicle.max_charge_power_watts, 11_000, 3_700)),
        min_charge_power_watts=draw(any_of(1_380, 230, 800, 1)),
        charge_efficiency_percent=draw(any_of(100, 90, 93)),
        phases=draw(any_of(3, 1, 2)),
        taper=draw(any_of((), (TaperStep(70, 1_500),), (TaperStep(29, 3_000), TaperStep(79, 400)))),
    )


@st.composite
def _circuits(draw: Draw, circuits: tuple[Circuit, ...]) -> tuple[Circuit, ...]:
    wider = draw(any_of(0, 3_000, 20_000, 40_000))
    amps = any_of(None, None, 63_000, 16_000, 6_000, 10_000)
    return tuple(
        replace(
            circuit,
            import_capacity_limit_watts=circuit.import_capacity_limit_watts + wider,
            max_current_milliamps_per_phase=draw(amps),
        )
        for circuit in circuits
    )


@st.composite
def _reports(draw: Draw, seen: tuple[ObservedCircuit, ...], at: Instant) -> Any:  # noqa: ANN401
    reports = list(seen) or [ObservedCircuit("main", observed_at=at)]
    peak, peak_at = draw(
        any_of((None, None), (3_000, at - HOUR), (6_000, at - 40 * DAY), (500, at - 10 * DAY))
    )
    return tuple(
        replace(
            report,
            generation_watts=draw(any_of(None, 0, 1_000, 5_000)),
            export_watts=draw(any_of(None, 0, 300, 2_000)),
            uncontrolled_milliamps=draw(any_of(None, (0, 0, 0), (3_000, 0, 5_999))),
            peak_watts=peak,
            peak_at=peak_at,
        )
        for report in reports
    )


@st.composite
def _site(draw: Draw, site: Site, at: Instant) -> Site:
    """The same site, with phases, sun, and chargers that listen."""
    return replace(
        site,
        circuits=draw(_circuits(site.circuits)),
        observed_circuits=draw(_reports(site.observed_circuits, at)),
        charging_controller=draw(any_of(*ChargingController, *[ChargingController.IDLEWATT] * 3)),
        nominal_voltage_volts=draw(any_of(None, 230, 230, 127)),
        public_holidays=draw(public_holidays(at)),
    )


@st.composite
def _zone(draw: Draw, zone: TariffZone, at: Instant) -> TariffZone:
    return replace(
        zone,
        recurrence=draw(on_some_days(zone.recurrence, at)),
        export_price_per_kwh=draw(any_of(None, Decimal("0.08"), Decimal("0.3"))),
    )


@st.composite
def _interval(draw: Draw, interval: TariffInterval, at: Instant) -> TariffInterval:
    created = (None, at - 30 * HOUR, at - 6 * HOUR, at - 6 * HOUR - 1, at - HOUR, at + 5 * SECOND)
    return replace(
        interval,
        export_price_per_kwh=draw(any_of(None, Decimal("0.07"), Decimal("-0.01"))),
        created_at=draw(any_of(*created, at + 5 * SECOND + 1)),
        forecast=draw(st.integers(0, 2)) == 0,
    )


@st.composite
def _demand_charges(draw: Draw, at: Instant) -> tuple[DemandCharge, ...]:
    hours = draw(any_of((0, 0), (17 * 60, 21 * 60), (22 * 60, 6 * 60)))
    recurrence = draw(on_some_days(Recurrence(EVERY_DAY, *hours), at))
    first = DemandCharge("peak", recurrence, draw(any_of(Decimal("0.50"), Decimal(7))))
    second = DemandCharge("any", Recurrence(EVERY_DAY, 0, 0), Decimal("0.1"))
    return draw(any_of((), (first,), (first, second)))  # type: ignore[no-any-return]


@st.composite
def _tariff(draw: Draw, tariff: Tariff, at: Instant) -> Tariff:
    """The same tariff, revised, from a source, with charges of its own."""
    quarters = tuple(
        TariffInterval(
            at // HOUR * HOUR + n * 15 * MINUTE,
            15 * MINUTE,
            draw(any_of(Decimal("0.2"), Decimal("0.11"), Decimal("0.3"))),
            "OffPeak",
            draw(any_of(None, Decimal(299), Decimal(320))),
            created_at=at - HOUR,
        )
        for n in range(draw(any_of(0, 0, 6, 12)) if tariff.intervals else 0)
    )
    max_age, refreshed_at = draw(
        any_of(
            *[(None, None)] * 4,
            (HOUR, at - HOUR),
            (HOUR, at - HOUR - 1),
            (HOUR, None),
        )
    )
    return replace(
        tariff,
        zones=tuple(draw(_zone(zone, at)) for zone in tariff.zones),
        intervals=tuple(draw(_interval(each, at)) for each in tariff.intervals) + quarters,
        public_holidays=draw(public_holidays(at)),
        demand_charges=draw(_demand_charges(at)),
        connection_fee=draw(
            any_of(None, ConnectionFee(4 * HOUR, Decimal(6)), ConnectionFee(0, Decimal("0.3")))
        ),
        carbon=draw(any_of(None, None, "spot" if tariff.name != "spot" else "depot", "gone")),
        refreshed_at=refreshed_at,
        max_age=max_age,
    )


@st.composite
def _policy(draw: Draw, policy: FleetPolicy) -> FleetPolicy:
    cleanest = OffPeakTest(cleanest_percent_of_next_24_hours=draw(any_of(50, 100, 10)))
    both = OffPeakTest(band="OffPeak", max_grams_per_kwh=Decimal(300))
    return replace(
        policy,
        off_peak=draw(any_of(policy.off_peak, policy.off_peak, OffPeakTest(), cleanest, both)),
        forecast_max_age_seconds=draw(any_of(21_600, 3_600)),
        surplus_seconds=draw(any_of(900, 0, 3_600)),
        wear_floor=draw(any_of(*WearFloor)),
        miss_probability_percent=draw(any_of(1, 10, 0)),
    )


@st.composite
def departure_entries(draw: Draw) -> DepartureQuantiles:
    """One entry of any keys, of a stated stay or of a length, evenly spread or in steps."""
    stated = draw(st.booleans())
    least, most = draw(
        any_of((0, 100_000), (-300_000, 400_000), (900_000, 1_000_000), (50_000, 50_000))
        if stated
        else any_of((3_600, 40_000), (600, 7_200), (18_000, 18_000), (30_000, 90_000))
    )
    return even_quantiles(
        least,
        most,
        stated=stated,
        vehicle=draw(any_of(None, None, "v-0", "v-1")),
        site=draw(any_of(None, None, "depot-7", "depot-8")),
        weekday=draw(any_of(None, None, 3, 4)),
        hour=draw(any_of(None, None, 21, 22, 18)),
    )


@st.composite
def enriched(draw: Draw, snapshot: Snapshot) -> Snapshot:
    """The same fleet with all that the energy side adds."""
    at = snapshot.at
    entries = st.lists(departure_entries(), max_size=4)
    learned = st.builds(lambda found: DepartureModel(tuple(found)), entries)
    return a_snapshot(
        at=at,
        policy=draw(_policy(snapshot.policy)),
        vehicles=tuple(draw(_vehicle(vehicle, at)) for vehicle in snapshot.vehicles),
        nodes=snapshot.nodes,
        sites=[draw(_site(site, at)) for site in snapshot.sites.values()],
        tariffs=[draw(_tariff(tariff, at)) for tariff in snapshot.tariffs.values()],
        pending=snapshot.pending,
        running=snapshot.running,
        other_use=snapshot.other_use,
        other_ports=snapshot.other_ports,
        departures=draw(st.one_of(st.none(), learned)),
    )
