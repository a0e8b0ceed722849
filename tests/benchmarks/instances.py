"""Instances for planning at scale: any size, by seed, with ample, tight or scarce supply.

They are made to be hard in the ways a fleet is hard. Twenty kinds of hardware, but windows, charges
and rates that make nearly every vehicle a kind of its own; for every reason that a vehicle can have
not to take pods, 1 % to 5 % of the vehicles have it; sites with two levels of circuits of which a
third carry less than their cars could draw; 150 kinds of pods and more, in six priorities, a
fifth of them bound to places, a tenth spread, some in gangs of 2 to 32; some pods run already.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum
from random import Random
from typing import Any, Final

from tests.benchmarks.fleets import Size
from tests.benchmarks.instance_fleet import (
    GPU,
    IMAGES,
    NPU,
    Hardware,
    Place,
    a_node_there,
    a_site_for,
    a_vehicle_there,
    some_hardware,
    some_places,
    some_tariffs,
)
from tests.benchmarks.instance_pods import COST_A_POINT, Supplied, come_later, some_pods

from idlewatt_scheduler.model.policy import ExchangeRate, FleetPolicy
from idlewatt_scheduler.model.reasons import VehicleReason
from idlewatt_scheduler.model.site import Site
from idlewatt_scheduler.model.snapshot import Snapshot
from idlewatt_scheduler.model.units import HOUR, MINUTE, SECOND, Milliseconds
from idlewatt_scheduler.model.vehicle import EnergySource, Power, Quality, Supply, Vehicle
from idlewatt_scheduler.model.workload import Demand, Node, Pod, Ready, RunningPod
from idlewatt_scheduler.testing import AT, GIBIBYTE, changed

VEHICLES_A_SITE: Final = 30
LARGE_FLEET: Final = 1_000
OTHERS_USE: Final = {"cpu": 150, "memory": GIBIBYTE // 4, "pods": 2_000}
"""What daemons take of every Node."""

POLICY: Final = FleetPolicy(
    exchange_rates=(ExchangeRate("NOK", "EUR", Decimal("0.086")),),
    preference_cost_per_point=COST_A_POINT,
)


class Plenty(StrEnum):
    """How much is asked of what there is."""

    AMPLE = "ample"
    TIGHT = "tight"
    SCARCE = "scarce"


ASKED: Final = {Plenty.AMPLE: 0.3, Plenty.TIGHT: 0.75, Plenty.SCARCE: 1.5}


@dataclass(slots=True)
class _Fleet:
    """Vehicles and Nodes in the making, by the same index."""

    vehicles: list[Vehicle]
    nodes: list[Node | None]
    hardware: list[Hardware]
    places: list[Place]


def an_instance(size: Size, plenty: Plenty = Plenty.AMPLE, seed: int = 0) -> Snapshot:
    """The same instance for the same arguments."""
    # Repeatable on purpose: nothing here has to be secret.
    chance = Random(f"{size} {plenty} {seed}")  # noqa: S311
    sites = some_places(chance, _sites(chance, size.vehicles))
    forbidden = max(round(len(sites) * 0.05), 1) if len(sites) > 1 else 0
    fleet = _healthy(chance, size.vehicles, sites[forbidden:])
    healthy = _spoil(chance, fleet, sites[:forbidden])
    running = _running(chance, fleet, healthy)
    where = _with_circuits(chance, fleet, sites, forbidden, running)
    offered = _offered(fleet, healthy, ASKED[plenty])
    pending = some_pods(chance, size.pods, offered)
    return Snapshot(
        at=AT,
        policy=POLICY,
        vehicles=tuple(fleet.vehicles),
        nodes={node.name: node for node in fleet.nodes if node is not None},
        sites={site.name: site for site in where},
        tariffs={tariff.name: tariff for tariff in some_tariffs(chance)},
        pending=pending,
        running=_with_gang_members(chance, running, pending),
        other_use={node.name: OTHERS_USE for node in fleet.nodes if node is not None},
    )


def a_changed(
    snapshot: Snapshot, share: float = 0.03, seed: int = 0, later: Milliseconds = 0
) -> Snapshot:
    """The next look at an instance: a share of vehicles and of pending pods is not as before.

    Charges, departures, plugs and power changed; pods have gone, and others of their kinds have
    come. What did not change is the same object. `later` milliseconds have passed; 0: the clock
    stands still.
    """
    chance = Random(f"{seed} {share} {later}")  # noqa: S311
    vehicles = list(snapshot.vehicles)
    for index in chance.sample(range(len(vehicles)), round(share * len(vehicles))):
        vehicles[index] = _changed_vehicle(chance, vehicles[index])
    pending = list(snapshot.pending)
    for number, index in enumerate(chance.sample(range(len(pending)), round(share * len(pending)))):
        pod = pending[index]
        pending[index] = replace(pod, **come_later(chance, f"{pod.name}-later-{number}"))
    return replace(
        snapshot, at=snapshot.at + later, vehicles=tuple(vehicles), pending=tuple(pending)
    )


def _changed_vehicle(chance: Random, vehicle: Vehicle) -> Vehicle:
    observed = vehicle.observed
    if observed.battery is None or observed.parking is None or observed.connection is None:
        return replace(vehicle, suspend=not vehicle.suspend)
    match chance.randrange(4):
        case 0:
            charge = observed.battery.state_of_charge_percent or 50
            return changed(
                vehicle,
                observed__battery__state_of_charge_percent=max(charge - chance.randrange(9), 0),
            )
        case 1:
            return changed(
                vehicle,
                observed__departure_expected_at=AT + chance.randrange(60, 12 * 60) * MINUTE,
            )
        case 2:
            return changed(vehicle, observed__parking__occupied=not observed.parking.occupied)
        case _:
            watts = chance.randrange(0, 3_000)
            return changed(vehicle, observed__connection__charge_power_watts=watts)


def _sites(chance: Random, vehicles: int) -> int:
    """100 to 500 of them; fewer where the fleet is small."""
    if vehicles < LARGE_FLEET:
        return max(vehicles // 10, 1)
    return min(max(int(vehicles / VEHICLES_A_SITE * chance.uniform(0.7, 1.3)), 100), 500)


def _healthy(chance: Random, count: int, sites: Sequence[list[Place]]) -> _Fleet:
    """Vehicles of which none has a reason to stay out; some sites have many, most have few."""
    kinds = some_hardware(chance)
    commonness = [chance.uniform(0.3, 3.0) for _ in kinds]
    sizes = [chance.lognormvariate(0.0, 0.8) for _ in sites]
    hardware = chance.choices(kinds, commonness, k=count)
    places = [chance.choice(rows) for rows in chance.choices(sites, sizes, k=count)]
    vehicles = [
        a_vehicle_there(chance, f"v-{number:05}", each, place)
        for number, (each, place) in enumerate(zip(hardware, places, strict=True))
    ]
    nodes: list[Node | None] = [
        a_node_there(chance, vehicle.name, each, place)
        for vehicle, each, place in zip(vehicles, hardware, places, strict=True)
    ]
    return _Fleet(vehicles, nodes, hardware, places)


def _spoil(chance: Random, fleet: _Fleet, forbidden: Sequence[list[Place]]) -> list[int]:
    """Give 1 % to 5 % of the vehicles each reason to stay out; who is left."""
    order = list(range(len(fleet.vehicles)))
    chance.shuffle(order)
    for reason in VehicleReason:
        share = 0.01 + 0.04 * chance.random() ** 3
        count = int(share * len(fleet.vehicles) + chance.random())
        for _ in range(min(count, len(order) - 1)):
            _spoil_one(chance, fleet, order.pop(), reason, forbidden)
    return sorted(order)


def _spoil_one(
    chance: Random,
    fleet: _Fleet,
    index: int,
    reason: VehicleReason,
    forbidden: Sequence[list[Place]],
) -> None:
    if reason is VehicleReason.COMPUTE_NOT_ALLOWED:
        if forbidden:
            place = chance.choice(chance.choice(forbidden))
            fleet.places[index] = place
            fleet.vehicles[index] = changed(
                fleet.vehicles[index],
                observed__connection__site=place.site,
                observed__connection__circuit=place.row,
            )
        return
    node = fleet.nodes[index]
    if reason in {VehicleReason.NODE_NOT_READY, VehicleReason.UNREACHABLE} and node is not None:
        ready = Ready.FALSE if reason is VehicleReason.NODE_NOT_READY else Ready.UNKNOWN
        gone = reason is VehicleReason.NODE_NOT_READY and chance.random() < 0.3
        fleet.nodes[index] = None if gone else replace(node, ready=ready)
    fleet.vehicles[index] = changed(fleet.vehicles[index], **_why_not(chance, reason))


def _why_not(chance: Random, reason: VehicleReason) -> dict[str, Any]:
    """What is otherwise of a vehicle that has this reason."""
    match reason:
        case VehicleReason.NODE_NOT_READY | VehicleReason.UNREACHABLE:
            return {"observed__power": Power.AWAKE}
        case VehicleReason.TELEMETRY_INVALID:
            block = chance.choice(("battery", "parking", "connection"))
            return {f"observed__{block}__quality": Quality.INVALID}
        case VehicleReason.TELEMETRY_STALE:
            return {"observed__battery__observed_at": AT - 13 * HOUR}
        case VehicleReason.NOT_IDLE_LONG_ENOUGH:
            return {"observed__parking__since": AT - chance.randrange(0, 900) * SECOND}
        case _:
            return _SPOILT[reason]


_SPOILT: Final[dict[VehicleReason, dict[str, Any]]] = {
    VehicleReason.SUSPENDED: {"suspend": True},
    VehicleReason.NO_AGREEMENT: {"agreement": None},
    VehicleReason.CURRENCY_UNKNOWN: {"compensation__currency": "ISK"},
    VehicleReason.MONTHLY_CAP_REACHED: {"earned_this_month": Decimal(900)},
    VehicleReason.NOT_PARKED: {"observed__parking__parked": False},
    VehicleReason.OCCUPIED: {"observed__parking__occupied": True},
    VehicleReason.TOO_HOT: {"observed__battery__temperature_celsius": 52},
    VehicleReason.TOO_COLD: {"observed__battery__temperature_celsius": -8},
    VehicleReason.SITE_UNKNOWN: {"observed__connection__site": None},
    VehicleReason.NOT_SUPPLIED: {
        "agreement__energy_sources": frozenset({EnergySource.GRID}),
        "observed__connection__supply": Supply.PLUGGED_NOT_SUPPLIED,
    },
    VehicleReason.DRAINING: {"draining": True},
}


def _running(chance: Random, fleet: _Fleet, healthy: Sequence[int]) -> list[RunningPod]:
    """A tenth of the vehicles that take pods run one already."""
    running = []
    for number, index in enumerate(healthy[::10]):
        vehicle = fleet.vehicles[index]
        watts = chance.randrange(10, max(vehicle.compute.max_power_watts // 3, 12))
        pod = Pod(
            namespace=f"team-{chance.randrange(8)}",
            name=f"running-{number:04}",
            uid=f"uid-running-{number:04}",
            priority=chance.choice((0, 100, 1_000)),
            created_at=AT - 3 * HOUR,
            requests={
                "cpu": 10 * chance.randrange(20, 200),
                "memory": GIBIBYTE * chance.randrange(1, 5),
                "pods": 1_000,
            },
            images=IMAGES[:1],
            labels={"app": f"kind-{10 * chance.randrange(15) + 3:03}"},
            demand=Demand(expected_runtime=chance.choice((None, 4 * HOUR)), any_tariff=True),
        )
        until = AT + chance.randrange(5, 240) * MINUTE
        bound = RunningPod(pod, vehicle.name, 1_000 * watts, until, replaceable=False)
        running.append(bound)
    return running


def _with_gang_members(
    chance: Random, running: Sequence[RunningPod], pending: Iterable[Pod]
) -> tuple[RunningPod, ...]:
    """A few of those that run belong to gangs whose other pods are pending."""
    members = {pod.demand.gang: pod for pod in pending if pod.demand.gang is not None}
    chosen = list(members.values())[::5]
    places = chance.sample(range(len(running)), min(len(chosen), len(running)))
    joined = list(running)
    for index, member in zip(places, chosen, strict=False):
        each = joined[index]
        demand = replace(
            each.pod.demand, gang=member.demand.gang, gang_size=member.demand.gang_size
        )
        joined[index] = replace(
            each, pod=replace(each.pod, namespace=member.namespace, demand=demand)
        )
    return tuple(joined)


def _offered(fleet: _Fleet, healthy: Sequence[int], share: float) -> Supplied:
    there = [fleet.vehicles[index].compute.capacity for index in healthy]
    return Supplied(
        millicores=sum(capacity["cpu"] for capacity in there),
        gpus=sum(capacity.get(GPU, 0) for capacity in there),
        npus=sum(capacity.get(NPU, 0) for capacity in there),
        share=share,
    )


def _with_circuits(
    chance: Random,
    fleet: _Fleet,
    sites: Sequence[list[Place]],
    forbidden: int,
    running: Sequence[RunningPod],
) -> Iterable[Site]:
    """Every site, its circuits measured by what its cars draw and could draw."""
    computing = {each.node: (each.bound_power or 0) // 1_000 for each in running}
    draws: dict[tuple[str, str], tuple[int, int]] = {}
    for vehicle, place in zip(fleet.vehicles, fleet.places, strict=True):
        now, most = _draws(vehicle, computing.get(vehicle.name))
        before = draws.get((place.site, place.row), (0, 0))
        draws[place.site, place.row] = before[0] + now, before[1] + most
    for number, rows in enumerate(sites):
        there = {place.row: draws.get((place.site, place.row), (0, 0)) for place in rows}
        yield a_site_for(chance, rows, there, compute_allowed=number >= forbidden)


def _draws(vehicle: Vehicle, computing: int | None) -> tuple[int, int]:
    """Watts that a car draws now, and could draw at the most."""
    connection, compute = vehicle.observed.connection, vehicle.compute
    if connection is None or connection.supply is Supply.UNPLUGGED:
        return 0, 0
    cap = connection.charge_power_limit_watts or vehicle.max_charge_power_watts
    charging = connection.charge_power_watts
    if charging is None:
        charging = cap if connection.supply is Supply.SUPPLIED else 0
    standby, efficiency = compute.standby_power_watts, compute.efficiency_percent
    now = 0 if computing is None else 100 * (computing + standby) // efficiency + 1
    most = 100 * (compute.max_power_watts + standby) // efficiency + 1
    return min(cap, charging + now), min(cap, charging + most)
