"""Builders of snapshots for tests: what a test does not name is healthy and typical.

`a_snapshot()` is one parked, plugged and charged vehicle with its Node, at the start of a winter
night, off-peak. Every builder takes the fields of the value it builds; a field of a nested value
is named with two underscores:

    a_vehicle(battery__reserve_percent=40, observed__parking__occupied=True)

Impossible fixtures are refused with a `ValueError` that says what contradicts what: a test
whose fixture no cluster could show proves nothing.
"""

from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final, TypeVar, cast
from zoneinfo import ZoneInfo

from idlewatt_scheduler.model.calendars import EVERY_DAY, Recurrence
from idlewatt_scheduler.model.charging import ChargingPeriod, ChargingProfile
from idlewatt_scheduler.model.departures import DepartureQuantiles
from idlewatt_scheduler.model.policy import FleetPolicy
from idlewatt_scheduler.model.site import ChargingController, Circuit, EnergyBearer, Site
from idlewatt_scheduler.model.snapshot import Snapshot
from idlewatt_scheduler.model.tariff import Tariff, TariffZone
from idlewatt_scheduler.model.units import HOUR, MINUTE, SECOND, Instant, Milliseconds
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
from idlewatt_scheduler.testing.contradictions import (
    contradictions_of_node,
    contradictions_of_pod,
    contradictions_of_policy,
    contradictions_of_site,
    contradictions_of_snapshot,
    contradictions_of_tariff,
    contradictions_of_vehicle,
    refuse,
)

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
    refuse(contradictions_of_vehicle(vehicle))
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
    refuse(contradictions_of_node(node))
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
    refuse(contradictions_of_site(site))
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
    refuse(contradictions_of_tariff(tariff))
    return tariff


def a_profile(*pieces: tuple[Milliseconds, int], at: Instant = AT) -> ChargingProfile:
    """Powers in watts, each from so many milliseconds after `at` on; nothing after the last."""
    return ChargingProfile(
        tuple(ChargingPeriod(at + after, watts * 1_000) for after, watts in pieces)
    )


def a_charging_site(**overrides: object) -> Site:
    """`depot-7` with chargers that take our profiles."""
    return a_site(**{"charging_controller": ChargingController.IDLEWATT, **overrides})


def a_controlled_car(**overrides: object) -> Vehicle:
    """`v-1` at 40 %, whose charger acknowledged a while ago that it is not to charge.

    It is controlled only where it stands at `a_charging_site()`.
    """
    return a_vehicle(
        **{
            "observed__battery__state_of_charge_percent": 40,
            "observed__connection__profile": a_profile((-HOUR, 0)),
            **overrides,
        }
    )


def even_quantiles(least: int, most: int, **keys: Any) -> DepartureQuantiles:  # noqa: ANN401
    """An entry of what was learned of departures: evenly spread from the least to the most."""
    points = tuple(least + (most - least) * percent // 100 for percent in range(101))
    return DepartureQuantiles(points=points, **{"stated": True, **keys})


def a_policy(**overrides: object) -> FleetPolicy:
    """The defaults of a fleet without a FleetPolicy."""
    policy = changed(FleetPolicy(), **overrides)
    refuse(contradictions_of_policy(policy))
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
    refuse(contradictions_of_pod(pod))
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
    refuse(contradictions_of_pod(running.pod))
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
    refuse(contradictions_of_snapshot(snapshot))
    return snapshot


def _by_name(values: object) -> Mapping[str, object]:
    if isinstance(values, Mapping):
        return values
    return {value.name: value for value in cast("Iterable[Any]", values)}


def _wall_times(start: str, end: str) -> Recurrence:
    begin, finish = (int(text[:2]) * 60 + int(text[3:]) for text in (start, end))
    return Recurrence(EVERY_DAY, begin, finish)
