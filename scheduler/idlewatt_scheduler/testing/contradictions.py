"""What no cluster could show: the sentences with which an impossible fixture is refused."""

from collections import Counter
from collections.abc import Iterable

from idlewatt_scheduler.model.calendars import EVERY_DAY, EVERY_MONTH, Recurrence
from idlewatt_scheduler.model.charging import ChargingProfile
from idlewatt_scheduler.model.departures import DepartureModel
from idlewatt_scheduler.model.policy import FleetPolicy
from idlewatt_scheduler.model.site import ObservedCircuit, Site
from idlewatt_scheduler.model.snapshot import Snapshot
from idlewatt_scheduler.model.tariff import Tariff
from idlewatt_scheduler.model.vehicle import ParkingWindow, Vehicle
from idlewatt_scheduler.model.workload import Node, Pod

_QUANTILES = 101
_MANY = 1_000


def refuse(contradictions: Iterable[str]) -> None:
    """Say what contradicts what.

    Raises:
        ValueError: something does.
    """
    sentences = list(contradictions)
    if sentences:
        raise ValueError(" ".join(sentences))


def contradictions_of_node(node: Node) -> Iterable[str]:
    """What no Node shows."""
    return (
        f"Node {node.name} has {amount} thousandths of {resource} to allocate: less than nothing."
        for resource, amount in node.allocatable.items()
        if amount < 0
    )


def contradictions_of_policy(policy: FleetPolicy) -> Iterable[str]:
    """What no FleetPolicy may say."""
    tests = policy.off_peak
    for name, percent in (
        ("cheapest", tests.cheapest_percent_of_next_24_hours),
        ("cleanest", tests.cleanest_percent_of_next_24_hours),
    ):
        if percent is not None and not 1 <= percent <= 100:  # noqa: PLR2004
            yield f"No {percent} % are {name}."
    if (tests.max_price_per_kwh is None) != (tests.currency is None):
        yield "A highest price and its currency are given together."
    if any(rate.rate <= 0 for rate in policy.exchange_rates):
        yield "An exchange rate is greater than 0."
    if policy.forecast_max_age_seconds < 0 or policy.surplus_seconds < 0:
        yield "Forecasts and surplus last for no less than no time."
    if policy.preference_cost_per_point < 0 or (policy.migration_cost or 0) < 0:
        yield "Neither a preference nor moving a pod costs less than nothing."
    if not 1 <= policy.migrations_at_once <= _MANY:
        yield f"No {policy.migrations_at_once} pods move at once: it is 1 to {_MANY}."


def contradictions_of_vehicle(vehicle: Vehicle) -> Iterable[str]:
    """What no VehicleNode says or reports."""
    where = f"Vehicle {vehicle.name}"
    battery, compute = vehicle.battery, vehicle.compute
    if not 0 <= battery.reserve_percent <= battery.departure_percent <= 100:  # noqa: PLR2004
        yield (
            f"{where} has a reserve of {battery.reserve_percent} % and a departure charge of"
            f" {battery.departure_percent} %: 0 <= reserve <= departure charge <= 100 must hold."
        )
    if battery.net_capacity_watt_hours <= 0:
        yield f"{where} has a battery of no capacity."
    if not 1 <= compute.efficiency_percent <= 100:  # noqa: PLR2004
        yield f"{where} has an efficiency of {compute.efficiency_percent} %: it is 1 to 100."
    figures = (
        compute.max_power_watts,
        compute.standby_power_watts,
        compute.wake_seconds,
        compute.wake_energy_watt_hours,
        vehicle.max_charge_power_watts,
    )
    if min(*figures, *compute.capacity.values(), 0) < 0:
        yield f"{where} has a power, a time or a capacity below 0."
    observed = vehicle.observed.battery
    if observed and not 0 <= (observed.state_of_charge_percent or 0) <= 100:  # noqa: PLR2004
        yield f"{where} reports a charge of {observed.state_of_charge_percent} %: it is 0 to 100."
    yield from _contradictions_of_charging(where, vehicle)
    for exception in vehicle.exceptions:
        if exception.end <= exception.start:
            yield f"{where}: exception {exception.name} ends before it starts."
    for window in vehicle.windows:
        yield from _contradictions_of_window(where, window)


def _contradictions_of_charging(where: str, vehicle: Vehicle) -> Iterable[str]:
    if not 1 <= vehicle.phases <= 3:  # noqa: PLR2004
        yield f"{where} charges on {vehicle.phases} phases: it is 1 to 3."
    percentages = (vehicle.charge_efficiency_percent, vehicle.battery.round_trip_efficiency_percent)
    if any(each is not None and not 1 <= each <= 100 for each in percentages):  # noqa: PLR2004
        yield f"{where} charges or returns energy at no efficiency of 1 to 100 %."
    if not vehicle.min_charge_power_watts > 0:
        yield f"{where} can be charged with nothing at all."
    steps = [step.from_percent for step in vehicle.taper]
    if steps != sorted(set(steps)) or any(not 0 <= each <= 100 for each in steps):  # noqa: PLR2004
        yield f"{where} has steps of its taper that do not rise, or lie outside 0 to 100 %."
    connection = vehicle.observed.connection
    if connection and connection.phases is not None and not connection.phases:
        yield f"{where} is connected to no phase."
    if connection and connection.profile:
        yield from _contradictions_of_profile(where, connection.profile)


def _contradictions_of_profile(where: str, profile: ChargingProfile) -> Iterable[str]:
    starts = [period.start for period in profile.periods]
    if not starts or starts != sorted(set(starts)):
        yield f"{where}: a charging profile has periods, in order of time."
    if any(period.power < 0 or period.power % 1_000 for period in profile.periods):
        yield f"{where}: a charging profile is in whole watts, and takes nothing out."


def _contradictions_of_window(where: str, window: ParkingWindow) -> Iterable[str]:
    once = window.start is not None and window.end is not None
    if (window.recurrence is not None) == once:
        yield f"{where}: window {window.name} either recurs, or has a start and an end."
    if window.start is not None and window.end is not None and window.end <= window.start:
        yield f"{where}: window {window.name} ends before it starts."
    if window.recurrence is not None:
        yield from _contradictions_of_recurrence(
            f"{where}: window {window.name}", window.recurrence
        )


def _contradictions_of_recurrence(where: str, recurrence: Recurrence) -> Iterable[str]:
    minutes = (recurrence.start_minutes, recurrence.end_minutes)
    if not all(0 <= minute < 24 * 60 for minute in minutes):
        yield f"{where} has a wall time outside a day."
    if not recurrence.days or not recurrence.days <= EVERY_DAY:
        yield f"{where} recurs on no day, or on days outside Monday 0 to Sunday 6."
    if not recurrence.months or not recurrence.months <= EVERY_MONTH:
        yield f"{where} recurs in no month, or in months outside January 1 to December 12."


def contradictions_of_site(site: Site) -> Iterable[str]:
    """What no ParkingSite says or reports."""
    seen: set[str] = set()
    for circuit in site.circuits:
        if circuit.parent is not None and circuit.parent not in seen:
            yield (
                f"Site {site.name}: circuit {circuit.name} stands before its parent"
                f" {circuit.parent}."
            )
        if circuit.name in seen:
            yield f"Site {site.name} has two circuits {circuit.name}."
        if circuit.import_capacity_limit_watts < 0:
            yield f"Site {site.name}: circuit {circuit.name} has a limit below 0."
        seen.add(circuit.name)
    for observed in site.observed_circuits:
        yield from _contradictions_of_report(site, observed)
    if site.nominal_voltage_volts is not None and site.nominal_voltage_volts <= 0:
        yield f"Site {site.name} has a nominal voltage of {site.nominal_voltage_volts} V."


def _contradictions_of_report(site: Site, observed: ObservedCircuit) -> Iterable[str]:
    where = f"Site {site.name}: circuit {observed.name}"
    figures = [observed.generation_watts, observed.export_watts, observed.peak_watts]
    figures += observed.uncontrolled_milliamps or ()
    if any(each is not None and each < 0 for each in figures):
        yield f"{where} reports generation, export, current or a peak below 0."
    if (observed.peak_watts is None) != (observed.peak_at is None):
        yield f"{where} reports a peak and when it was together."


def contradictions_of_tariff(tariff: Tariff) -> Iterable[str]:
    """What no EnergyTariff says."""
    if tariff.zones and tariff.intervals:
        yield f"Tariff {tariff.name} has both zones and intervals."
    for zone in tariff.zones:
        yield from _contradictions_of_recurrence(
            f"Tariff {tariff.name}: zone {zone.name}", zone.recurrence
        )
    for interval in tariff.intervals:
        if interval.duration <= 0:
            yield f"Tariff {tariff.name}: the interval at {interval.start} has no duration."
    for charge in tariff.demand_charges:
        yield from _contradictions_of_recurrence(
            f"Tariff {tariff.name}: demand charge {charge.name}", charge.recurrence
        )
    if tariff.max_age is None and tariff.refreshed_at is not None:
        yield f"Tariff {tariff.name} was refreshed from a source that it does not have."
    if tariff.carbon == tariff.name:
        yield f"Tariff {tariff.name} takes its grams from itself."


def contradictions_of_pod(pod: Pod) -> Iterable[str]:
    """What no pod asks for."""
    if pod.requests.get("pods") != 1_000:  # noqa: PLR2004
        yield f"Pod {pod.key} does not count itself: its requests lack `pods: 1000`."
    if min(pod.requests.values(), default=0) < 0:
        yield f"Pod {pod.key} requests less than nothing."
    runtime = pod.demand.expected_runtime
    if runtime is not None and runtime <= 0:
        yield f"Pod {pod.key} expects to run for {runtime} ms: that is no time."
    gang, size = pod.demand.gang, pod.demand.gang_size
    if size != 1 if gang is None else not 2 <= size <= _MANY:  # noqa: PLR2004
        yield f"Pod {pod.key} has a gang and its size together; the size is 2 to {_MANY}."
    for spread in pod.spread:
        if spread.max_skew < 1 or spread.min_domains < 1 or not spread.topology_key:
            yield f"Pod {pod.key} is spread over no key, with no skew, or over no domain at least."
    if any(not 1 <= each.port < 2**16 or not each.protocol for each in pod.host_ports):
        yield f"Pod {pod.key} asks for a port of its Node that there is not."
    if any(not 1 <= each.points <= 100 for each in pod.preferred_affinity):  # noqa: PLR2004
        yield f"Pod {pod.key} has a preference of no 1 to 100 points."


def contradictions_of_snapshot(snapshot: Snapshot) -> Iterable[str]:
    """What no snapshot holds together."""
    names = Counter(vehicle.name for vehicle in snapshot.vehicles)
    yield from (f"There are {count} vehicles {name}." for name, count in names.items() if count > 1)
    pods = Counter((pod.key, pod.uid) for pod in snapshot.pending)
    pods.update((running.pod.key, running.pod.uid) for running in snapshot.running)
    yield from (
        f"There are {count} pods {key} with the UID {uid!r}."
        for (key, uid), count in pods.items()
        if count > 1
    )
    for running in snapshot.running:
        if running.counts_until is not None and running.counts_until <= snapshot.at:
            yield f"Pod {running.pod.key} counted until its fence, and that is past."
    yield from _contradictions_of_departures(snapshot.departures)
    for kind in ("nodes", "sites", "tariffs"):
        for name, value in getattr(snapshot, kind).items():
            if value.name != name:
                yield f"{value.name!r} is filed under {name!r} in the snapshot's {kind}."


def _contradictions_of_departures(learned: DepartureModel | None) -> Iterable[str]:
    for number, entry in enumerate(learned.quantiles if learned else ()):
        points = list(entry.points)
        if len(points) != _QUANTILES or points != sorted(points):
            yield f"Departures: entry {number} has {len(points)} points: it is 101 that never fall."
        if not 0 <= (entry.hour or 0) < 24 or not 0 <= (entry.weekday or 0) < 7:  # noqa: PLR2004
            yield f"Departures: entry {number} is of no hour or no weekday there is."
