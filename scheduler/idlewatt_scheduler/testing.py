"""Builders of snapshots for tests: what a test does not name is healthy and typical.

`a_snapshot()` is one parked, plugged and charged vehicle with its Node, at the start of a winter
night, off-peak. Every builder takes the fields of the value it builds; a field of a nested value
is named with two underscores:

    a_vehicle(battery__reserve_percent=40, observed__parking__occupied=True)

Impossible fixtures are refused with a `ValueError` that says what contradicts what: a test
whose fixture no cluster could show proves nothing.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final, TypeVar, cast
from zoneinfo import ZoneInfo

from idlewatt_scheduler.model.calendars import EVERY_DAY, Recurrence
from idlewatt_scheduler.model.policy import FleetPolicy
from idlewatt_scheduler.model.site import Circuit, EnergyBearer, Site
from idlewatt_scheduler.model.snapshot import Snapshot
from idlewatt_scheduler.model.tariff import Tariff, TariffZone
from idlewatt_scheduler.model.units import HOUR, MINUTE, SECOND, Instant
from idlewatt_scheduler.model.vehicle import (
    Agreement,
    Battery,
    Compensation,
    Compute,
    Link,
    Observation,
    ObservedBattery,
    ObservedCompute,
    ObservedConnection,
    ObservedParking,
    ParkingWindow,
    Supply,
    Vehicle,
)
from idlewatt_scheduler.model.workload import Node, Pod, Ready, RunningPod

_Value = TypeVar("_Value")


def instant(text: str) -> Instant:
    """`2026-01-15T22:00:00Z` as an instant.

    Raises:
        ValueError: the text is no date and time, or has no zone.
    """
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        message = f"{text!r} has no zone: end it with Z or an offset."
        raise ValueError(message)
    since_epoch = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return (
        since_epoch.days * 24 * HOUR
        + since_epoch.seconds * SECOND
        + (since_epoch.microseconds // 1_000)
    )


AT: Final[Instant] = instant("2026-01-15T22:00:00Z")
"""A Thursday, 23:00 in Berlin: an hour into the night band, eight hours before the car leaves."""

BERLIN: Final = ZoneInfo("Europe/Berlin")
GIBIBYTE: Final = 2**30 * 1_000
"""Of memory, in thousandths of a byte."""


def changed(value: _Value, **overrides: object) -> _Value:
    """A copy of a frozen value with some fields replaced, nested ones as `outer__inner`.

    Raises:
        ValueError: there is no such field, or the outer one is None.
    """
    nested: dict[str, dict[str, object]] = {}
    plain: dict[str, object] = {}
    known = {field.name for field in fields(cast("Any", value))}
    for path, override in overrides.items():
        name, _, inner = path.partition("__")
        if name not in known:
            message = f"{type(value).__name__} has no field {name!r}; it has {sorted(known)}."
            raise ValueError(message)
        if inner:
            nested.setdefault(name, {})[inner] = override
        else:
            plain[name] = override
    for name, inner_overrides in nested.items():
        outer = plain.get(name, getattr(value, name))
        if not is_dataclass(outer):
            message = f"{type(value).__name__}.{name} is {outer!r}: it has no fields to change."
            raise ValueError(message)
        plain[name] = changed(outer, **inner_overrides)
    return cast("_Value", replace(cast("Any", value), **plain))


def a_vehicle(**overrides: object) -> Vehicle:
    """`v-1`: 16 cores and a GPU, 1 kW, on the grid of depot-7 at 85 %, parked since 18:00."""
    vehicle = changed(
        Vehicle(
            name="v-1",
            agreement=Agreement(id="agr-1", version=1),
            compensation=Compensation(
                currency="EUR",
                availability_per_hour=Decimal("0.10"),
                energy_per_kwh=Decimal("0.30"),
                wear_per_kwh=Decimal("0.05"),
                monthly_cap=Decimal("60.00"),
            ),
            battery=Battery(
                net_capacity_watt_hours=60_000,
                reserve_percent=30,
                departure_percent=80,
                min_temperature_celsius=0,
                max_temperature_celsius=45,
            ),
            compute=Compute(
                max_power_watts=1_000,
                capacity={"cpu": 16_000, "memory": 32 * GIBIBYTE, "nvidia.com/gpu": 1_000},
                standby_power_watts=90,
                efficiency_percent=88,
                wake_seconds=60,
                wake_energy_watt_hours=20,
                max_temperature_celsius=85,
            ),
            max_charge_power_watts=11_000,
            link=Link(downlink_bits_per_second=50_000_000),
            windows=(ParkingWindow("nights", "depot-7", _wall_times("18:00", "07:00")),),
            observed=an_observation(),
        ),
        **overrides,
    )
    _refuse(_contradictions_of_vehicle(vehicle))
    return vehicle


def an_observation(**overrides: object) -> Observation:
    """Everything observed ten seconds before `AT`, good, plugged in and not charging."""
    observed_at = AT - 10 * SECOND
    return changed(
        Observation(
            battery=ObservedBattery(85, 20, observed_at),
            parking=ObservedParking(
                parked=True, occupied=False, since=AT - 5 * HOUR, observed_at=observed_at
            ),
            compute=ObservedCompute(40, observed_at),
            connection=ObservedConnection(
                site="depot-7",
                circuit="row-a",
                supply=Supply.SUPPLIED,
                charge_power_watts=0,
                observed_at=observed_at,
            ),
        ),
        **overrides,
    )


def a_node(**overrides: object) -> Node:
    """The Node of `v-1`: ready since the morning, all of the vehicle's capacity allocatable."""
    node = changed(
        Node(
            name="v-1",
            allocatable={
                "cpu": 16_000,
                "memory": 32 * GIBIBYTE,
                "nvidia.com/gpu": 1_000,
                "ephemeral-storage": 100 * GIBIBYTE,
                "pods": 110_000,
            },
            ready=Ready.TRUE,
            ready_since=AT - 12 * HOUR,
        ),
        **overrides,
    )
    _refuse(
        f"Node {node.name} has {amount} thousandths of {resource} to allocate: less than nothing."
        for resource, amount in node.allocatable.items()
        if amount < 0
    )
    return node


def a_site(**overrides: object) -> Site:
    """`depot-7` in Berlin: 60 kW in all, 22 kW in row-a; the site's host buys the electricity."""
    site = changed(
        Site(
            name="depot-7",
            time_zone=BERLIN,
            region="eu-de",
            tariff="depot",
            energy_borne_by=EnergyBearer.SITE_HOST,
            compute_allowed=True,
            circuits=(
                Circuit("main", None, 60_000, uncontrolled_load_watts=8_000),
                Circuit("row-a", "main", 22_000),
            ),
        ),
        **overrides,
    )
    _refuse(_contradictions_of_site(site))
    return site


def a_tariff(**overrides: object) -> Tariff:
    """`depot`: OffPeak at 0.18 EUR from 22:00 to 06:00 in Berlin, Peak at 0.32 in the day."""
    tariff = changed(
        Tariff(
            name="depot",
            currency="EUR",
            time_zone=BERLIN,
            zones=(
                TariffZone("night", _wall_times("22:00", "06:00"), "OffPeak", Decimal("0.18")),
                TariffZone("day", _wall_times("06:00", "22:00"), "Peak", Decimal("0.32")),
            ),
        ),
        **overrides,
    )
    _refuse(_contradictions_of_tariff(tariff))
    return tariff


def a_policy(**overrides: object) -> FleetPolicy:
    """The defaults of a fleet without a FleetPolicy."""
    policy = changed(FleetPolicy(), **overrides)
    percent = policy.off_peak.cheapest_percent_of_next_24_hours
    _refuse(
        sentence
        for impossible, sentence in (
            (percent is not None and not 1 <= percent <= 100, f"No {percent} % are cheapest."),  # noqa: PLR2004
            (
                (policy.off_peak.max_price_per_kwh is None) != (policy.off_peak.currency is None),
                "A highest price and its currency are given together.",
            ),
            (
                any(rate.rate <= 0 for rate in policy.exchange_rates),
                "An exchange rate is greater than 0.",
            ),
        )
        if impossible
    )
    return policy


def a_pod(**overrides: object) -> Pod:
    """`default/pod`: open-ended, one core and a GiB, under a controller, 62.5 W on `v-1`."""
    pod = changed(
        Pod(
            namespace="default",
            name="pod",
            requests={"cpu": 1_000, "memory": GIBIBYTE, "pods": 1_000},
            created_at=AT - 5 * MINUTE,
            images=("registry.example/model:1",),
        ),
        **overrides,
    )
    if not pod.uid:
        pod = replace(pod, uid=f"uid-{pod.key}")
    _refuse(_contradictions_of_pod(pod))
    return pod


def a_running_pod(**overrides: object) -> RunningPod:
    """`default/running` on `v-1`, bound with 62.5 W an hour ago for a stay that has ended."""
    running = changed(
        RunningPod(
            pod=a_pod(name="running", created_at=AT - 2 * HOUR),
            node="v-1",
            bound_power=62_500,
            bound_until=AT - MINUTE,
        ),
        **overrides,
    )
    if running.pod.uid == "uid-default/running":
        running = replace(running, pod=replace(running.pod, uid=f"uid-{running.pod.key}"))
    _refuse(_contradictions_of_pod(running.pod))
    return running


def a_snapshot(**overrides: object) -> Snapshot:
    """One vehicle, its Node, site and tariff at `AT`, with no pods.

    `nodes`, `sites` and `tariffs` may be given as plain values, they are filed under their names.
    Without `nodes` every vehicle gets a healthy one.

    Raises:
        ValueError: the parts contradict each other.
    """
    named = {
        name: _by_name(overrides.pop(name))
        for name in ("nodes", "sites", "tariffs")
        if name in overrides
    }
    snapshot = changed(
        Snapshot(
            at=AT,
            policy=a_policy(),
            vehicles=(a_vehicle(),),
            sites={"depot-7": a_site()},
            tariffs={"depot": a_tariff()},
        ),
        **overrides,
        **named,
    )
    if "nodes" not in named:
        nodes = {vehicle.name: a_node(name=vehicle.name) for vehicle in snapshot.vehicles}
        snapshot = replace(snapshot, nodes=nodes)
    _refuse(_contradictions_of_snapshot(snapshot))
    return snapshot


def _by_name(values: object) -> Mapping[str, object]:
    if isinstance(values, Mapping):
        return values
    return {value.name: value for value in cast("Iterable[Any]", values)}


def _wall_times(start: str, end: str) -> Recurrence:
    begin, finish = (int(text[:2]) * 60 + int(text[3:]) for text in (start, end))
    return Recurrence(EVERY_DAY, begin, finish)


def _refuse(contradictions: Iterable[str]) -> None:
    sentences = list(contradictions)
    if sentences:
        raise ValueError(" ".join(sentences))


def _contradictions_of_vehicle(vehicle: Vehicle) -> Iterable[str]:
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
    for window in vehicle.windows:
        yield from _contradictions_of_window(where, window)


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


def _contradictions_of_site(site: Site) -> Iterable[str]:
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


def _contradictions_of_tariff(tariff: Tariff) -> Iterable[str]:
    if tariff.zones and tariff.intervals:
        yield f"Tariff {tariff.name} has both zones and intervals."
    for zone in tariff.zones:
        yield from _contradictions_of_recurrence(
            f"Tariff {tariff.name}: zone {zone.name}", zone.recurrence
        )
    for interval in tariff.intervals:
        if interval.duration <= 0:
            yield f"Tariff {tariff.name}: the interval at {interval.start} has no duration."


def _contradictions_of_pod(pod: Pod) -> Iterable[str]:
    if pod.requests.get("pods") != 1_000:  # noqa: PLR2004
        yield f"Pod {pod.key} does not count itself: its requests lack `pods: 1000`."
    if min(pod.requests.values(), default=0) < 0:
        yield f"Pod {pod.key} requests less than nothing."
    runtime = pod.demand.expected_runtime
    if runtime is not None and runtime <= 0:
        yield f"Pod {pod.key} expects to run for {runtime} ms: that is no time."


def _contradictions_of_snapshot(snapshot: Snapshot) -> Iterable[str]:
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
    for kind in ("nodes", "sites", "tariffs"):
        for name, value in getattr(snapshot, kind).items():
            if value.name != name:
                yield f"{value.name!r} is filed under {name!r} in the snapshot's {kind}."
