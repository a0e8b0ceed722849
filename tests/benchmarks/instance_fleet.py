"""The vehicles, Nodes, sites and tariffs of an instance: nearly every vehicle is its own kind.

Twenty kinds of hardware; windows, charges, rates, links and plugs are drawn for each vehicle alone.
All of it is assumed, nothing is data.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from random import Random
from typing import Final
from zoneinfo import ZoneInfo

from idlewatt_scheduler.model.calendars import EVERY_DAY, Recurrence
from idlewatt_scheduler.model.site import Circuit, EnergyBearer, Phase, Site
from idlewatt_scheduler.model.tariff import Tariff, TariffInterval
from idlewatt_scheduler.model.units import HOUR, MINUTE, SECOND, Quantities
from idlewatt_scheduler.model.vehicle import (
    Agreement,
    Battery,
    Compensation,
    Compute,
    EnergySource,
    Link,
    Observation,
    ObservedBattery,
    ObservedCompute,
    ObservedConnection,
    ObservedParking,
    ParkingWindow,
    Power,
    Supply,
    Vehicle,
)
from idlewatt_scheduler.model.workload import Node, Ready, Taint
from idlewatt_scheduler.testing import AT, GIBIBYTE

HARDWARE: Final = 20
REGIONS: Final[Mapping[str, str]] = {
    "de-north": "Europe/Berlin",
    "de-south": "Europe/Berlin",
    "fi": "Europe/Helsinki",
    "uk": "Europe/London",
    "pt": "Europe/Lisbon",
    "no": "Europe/Oslo",
}
ZONES_A_REGION: Final = 4
TARIFFS_A_REGION: Final = 4
REGION_KEY: Final = "topology.kubernetes.io/region"
ZONE_KEY: Final = "topology.kubernetes.io/zone"
SITE_KEY: Final = "fleet.example/site"
HARDWARE_KEY: Final = "fleet.example/hardware"
YEAR_KEY: Final = "fleet.example/year"
GPU: Final = "nvidia.com/gpu"
NPU: Final = "fleet.example/npu"
DEDICATED: Final = Taint("fleet.example/dedicated", "NoSchedule", "batch")
AVOIDED: Final = Taint("fleet.example/old", "PreferNoSchedule")
IMAGES: Final = tuple(f"registry.example/model-{number}:1" for number in range(12))
OURS: Final = Taint("idlewatt.dev/vehicle", "NoSchedule")

_GRID: Final = frozenset({EnergySource.GRID})
_BATTERY: Final = frozenset({EnergySource.BATTERY})
_BOTH: Final = frozenset(EnergySource)
_PHASES: Final = tuple(Phase)


@dataclass(frozen=True, slots=True)
class Hardware:
    """One kind of car and computer."""

    name: str
    year: int
    compute: Compute
    allocatable: Quantities
    net_capacity_watt_hours: int
    max_charge_power_watts: int
    phases: int


@dataclass(frozen=True, slots=True)
class Place:
    """Where a vehicle stands: a site's name, region, zone, and one of its rows."""

    site: str
    region: str
    zone: str
    row: str


def some_hardware(chance: Random) -> tuple[Hardware, ...]:
    """Twenty kinds, from a few cores to four accelerators."""
    return tuple(_hardware(chance, number) for number in range(HARDWARE))


def _hardware(chance: Random, number: int) -> Hardware:
    cores = chance.choice((6, 8, 8, 12, 16, 16, 20, 24, 32))
    gpus = chance.choice((0, 0, 0, 1, 2, 2, 4, 8))
    npus = chance.choice((0, 0, 0, 2, 4))
    gibibytes = cores * chance.choice((2, 3, 4, 6))
    capacity = {"cpu": 1_000 * cores, "memory": gibibytes * GIBIBYTE}
    capacity |= {GPU: 1_000 * gpus} if gpus else {}
    capacity |= {NPU: 1_000 * npus} if npus else {}
    return Hardware(
        name=f"hw-{number:02}",
        year=2_016 + number // 2,
        compute=Compute(
            max_power_watts=cores * chance.randrange(18, 40) + gpus * chance.randrange(40, 110),
            capacity=capacity,
            standby_power_watts=chance.randrange(30, 120),
            efficiency_percent=chance.randrange(82, 96),
            wake_seconds=chance.randrange(20, 180),
            wake_energy_watt_hours=chance.randrange(5, 60),
            max_temperature_celsius=85,
        ),
        allocatable={
            **capacity,
            "cpu": 1_000 * cores - chance.choice((0, 100, 250)),
            "memory": gibibytes * GIBIBYTE - chance.randrange(200) * GIBIBYTE // 256,
            "ephemeral-storage": chance.randrange(40, 400) * GIBIBYTE,
            "pods": 1_000 * chance.choice((8, 12, 16, 30, 110)),
        },
        net_capacity_watt_hours=chance.randrange(35_000, 105_000, 500),
        max_charge_power_watts=chance.choice((3_700, 7_400, 11_000, 11_000, 22_000)),
        phases=chance.choice((1, 2, 3, 3, 3)),
    )


def some_tariffs(chance: Random) -> list[Tariff]:
    """A few in each region: two days of hourly prices, some hours on peak, the end unpublished."""
    tariffs = []
    for region, zone in REGIONS.items():
        currency = "NOK" if region == "no" else "EUR"
        scale = 11 if currency == "NOK" else 1
        for number in range(TARIFFS_A_REGION):
            first = chance.randrange(6, 10)
            peaks = {first, first + 1, first + 2, 17, 18}
            intervals = tuple(
                TariffInterval(
                    AT + (hour - 2) * HOUR,
                    HOUR,
                    Decimal(scale * chance.randrange(40, 420)) / 1_000,
                    "Peak" if (hour + 21) % 24 in peaks else "OffPeak",
                )
                for hour in range(chance.randrange(28, 48))
            )
            name = f"{region}-{number}"
            tariffs.append(Tariff(name, currency, ZoneInfo(zone), intervals=intervals))
    return tariffs


def some_places(chance: Random, count: int) -> list[list[Place]]:
    """So many sites, each a list of its rows; larger sites have more of them."""
    regions = list(REGIONS)
    sites = []
    for number in range(count):
        region = chance.choice(regions)
        zone = f"{region}-{chance.randrange(ZONES_A_REGION)}"
        rows = 1 + min(int(chance.expovariate(0.7)), 5)
        site = f"site-{number:03}"
        sites.append([Place(site, region, zone, f"row-{row}") for row in range(rows)])
    return sites


def a_vehicle_there(chance: Random, name: str, hardware: Hardware, place: Place) -> Vehicle:
    """A healthy vehicle: plugged or on the battery, awake or asleep, with figures of its own."""
    sources, supply = _supply(chance)
    on_grid = supply is Supply.SUPPLIED and EnergySource.GRID in sources
    seen = AT - chance.randrange(1, 90) * SECOND
    asleep = chance.random() < 0.2
    departs = chance.randrange(90, 14 * 60) * MINUTE if chance.random() < 0.4 else None
    battery = _battery(chance, hardware)
    return Vehicle(
        name=name,
        agreement=Agreement(f"agr-{name}", 1, sources),
        compensation=_compensation(chance, place.region),
        battery=battery,
        compute=hardware.compute,
        max_charge_power_watts=hardware.max_charge_power_watts,
        phases=hardware.phases,
        link=_link(chance),
        windows=(_window(chance, place.site),),
        observed=Observation(
            power=Power.ASLEEP if asleep else Power.AWAKE,
            battery=ObservedBattery(
                _charge(chance, battery, on_grid=on_grid), chance.randrange(4, 36), seen
            ),
            parking=ObservedParking(
                parked=True,
                occupied=False,
                since=AT - chance.randrange(20, 600) * MINUTE,
                observed_at=seen,
            ),
            compute=ObservedCompute(chance.randrange(30, 80), seen),
            connection=_connection(chance, hardware, place, supply, seen),
            departure_expected_at=None if departs is None else AT + departs,
        ),
        earned_this_month=Decimal(chance.randrange(0, 3_000)) / 100,
        used_this_month_bytes=chance.randrange(0, 15) * 10**9,
        attested=chance.random() < 0.6,
    )


def _supply(chance: Random) -> tuple[frozenset[EnergySource], Supply]:
    """What gives power, and what its owner consents to, so that there is a source."""
    drawn = chance.random()
    if drawn < 0.7:
        return (_GRID if chance.random() < 0.7 else _BOTH), Supply.SUPPLIED
    sources = _BATTERY if chance.random() < 0.4 else _BOTH
    if drawn < 0.78:
        return sources, Supply.PLUGGED_NOT_SUPPLIED
    return sources, Supply.UNPLUGGED


def _battery(chance: Random, hardware: Hardware) -> Battery:
    reserve = chance.randrange(15, 41)
    return Battery(
        net_capacity_watt_hours=hardware.net_capacity_watt_hours + chance.randrange(-2_000, 2_000),
        reserve_percent=reserve,
        departure_percent=reserve + chance.randrange(10, 45),
        min_temperature_celsius=0,
        max_temperature_celsius=45,
        round_trip_efficiency_percent=chance.choice((None, 85, 88)),
    )


def _charge(chance: Random, battery: Battery, *, on_grid: bool) -> int:
    """On the battery mostly a little more than it is to leave with; on the grid anything."""
    least = battery.reserve_percent - 5 if on_grid else battery.departure_percent - 2
    most = 101 if on_grid else min(least + 35, 101)
    return chance.randrange(least, max(most, least + 1))


def _compensation(chance: Random, region: str) -> Compensation:
    currency = "NOK" if region == "no" else "EUR"
    scale = 11 if currency == "NOK" else 1
    return Compensation(
        currency=currency,
        availability_per_hour=Decimal(scale * chance.randrange(300, 2_500)) / 10_000,
        energy_per_kwh=Decimal(scale * chance.randrange(1_500, 4_500)) / 10_000,
        wear_per_kwh=Decimal(scale * chance.randrange(100, 900)) / 10_000,
        monthly_cap=Decimal(scale * 60),
    )


def _link(chance: Random) -> Link:
    rate = int(10 ** chance.uniform(7.0, 8.7))
    metered = chance.random() < 0.3
    return Link(rate, metered, 20 * 10**9 if metered else None)


def _window(chance: Random, site: str) -> ParkingWindow:
    evening, morning = chance.randrange(15 * 60, 21 * 60), chance.randrange(2 * 60, 11 * 60)
    return ParkingWindow("nights", site, Recurrence(EVERY_DAY, evening, morning))


def _connection(
    chance: Random, hardware: Hardware, place: Place, supply: Supply, seen: int
) -> ObservedConnection:
    plugged = supply is not Supply.UNPLUGGED
    limit = None
    if plugged and chance.random() < 0.3:
        limit = chance.randrange(1_500, hardware.max_charge_power_watts)
    charging = None
    if supply is Supply.SUPPLIED and chance.random() < 0.97:
        most = limit or hardware.max_charge_power_watts
        charging = chance.randrange(most // 4, most) if chance.random() < 0.25 else 0
    phases = None
    if plugged and chance.random() < 0.6:
        phases = frozenset(chance.sample(_PHASES, hardware.phases))
    return ObservedConnection(
        site=place.site,
        circuit=place.row,
        supply=supply,
        charge_power_watts=charging,
        charge_power_limit_watts=limit,
        phases=phases,
        observed_at=seen,
    )


def a_node_there(chance: Random, name: str, hardware: Hardware, place: Place) -> Node:
    """The Node of a vehicle: its labels, now and then a taint, some images."""
    taints = [OURS]
    drawn = chance.random()
    if drawn < 0.05:
        taints.append(DEDICATED)
    elif drawn < 0.1:
        taints.append(AVOIDED)
    return Node(
        name=name,
        allocatable=hardware.allocatable,
        labels={
            REGION_KEY: place.region,
            ZONE_KEY: place.zone,
            SITE_KEY: place.site,
            HARDWARE_KEY: hardware.name,
            YEAR_KEY: str(hardware.year),
        },
        taints=tuple(taints),
        unschedulable=drawn > 0.99,
        ready=Ready.TRUE,
        ready_since=AT - 12 * HOUR,
        images=frozenset(chance.sample(IMAGES, chance.randrange(4))),
    )


def a_site_for(
    chance: Random,
    rows: Sequence[Place],
    draws: Mapping[str, tuple[int, int]],
    *,
    compute_allowed: bool,
) -> Site:
    """A site whose circuits, a third of them, carry less than its cars could draw.

    `draws` are by row: the watts that its cars draw now, and could draw at the most.
    """
    voltage = 230 if chance.random() < 0.15 else None
    region, name = rows[0].region, rows[0].site
    circuits = [_circuit(chance, "main", None, _both(draws.values()), voltage)]
    circuits += [
        _circuit(chance, row.row, "main", draws.get(row.row, (0, 0)), voltage) for row in rows
    ]
    return Site(
        name=name,
        time_zone=ZoneInfo(REGIONS[region]),
        region=region,
        tariff=f"{region}-{chance.randrange(TARIFFS_A_REGION)}",
        energy_borne_by=chance.choice(list(EnergyBearer)),
        compute_allowed=compute_allowed,
        circuits=tuple(circuits),
        nominal_voltage_volts=voltage,
    )


def _both(draws: Iterable[tuple[int, int]]) -> tuple[int, int]:
    pairs = list(draws)
    return sum(now for now, _ in pairs), sum(most for _, most in pairs)


def _circuit(
    chance: Random, name: str, parent: str | None, draws: tuple[int, int], voltage: int | None
) -> Circuit:
    now, most = draws
    binds = chance.random() < 1 / 3
    share = chance.uniform(0.1, 0.6) if binds else chance.uniform(1.05, 2.0)
    uncontrolled = chance.randrange(0, 2_000 + most // 5) if parent is None else 0
    carries = uncontrolled + now + int(share * (most - now)) + 100
    amps = None
    if voltage is not None:
        amps = int(1_000 * carries / 3 / voltage * chance.uniform(1.3, 2.0))
    return Circuit(name, parent, carries, uncontrolled, max_current_milliamps_per_phase=amps)
