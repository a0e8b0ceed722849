"""Synthetic fleets for measurements: any size, by seed, at the start of a winter night.

They are assumptions, not data: cars on homes' and depots' circuits, most of them plugged in, some
asleep, some on the battery, some not to be had; pods of a dozen kinds in three priorities.
"""

from dataclasses import dataclass
from decimal import Decimal
from random import Random

from idlewatt_scheduler.model.calendars import EVERY_DAY, Recurrence
from idlewatt_scheduler.model.site import Circuit, EnergyBearer, Site
from idlewatt_scheduler.model.snapshot import Snapshot
from idlewatt_scheduler.model.tariff import Tariff, TariffInterval
from idlewatt_scheduler.model.units import HOUR, MINUTE
from idlewatt_scheduler.model.vehicle import EnergySource, ParkingWindow, Power, Supply, Vehicle
from idlewatt_scheduler.model.workload import Node, Pod, RunningPod
from idlewatt_scheduler.testing import (
    AT,
    GIBIBYTE,
    a_node,
    a_pod,
    a_running_pod,
    a_site,
    a_snapshot,
    a_tariff,
    a_vehicle,
)

VEHICLES_AT_A_SITE = 25
CAPACITIES = ((8, 16, 0), (16, 32, 1), (32, 64, 2))
"""Cores, GiB and GPUs of the machines there are."""

SIZES = ((1, 2, 0), (2, 4, 0), (4, 12, 0), (2, 8, 1))
"""Cores, GiB and GPUs of the pods there are."""

RUNTIMES = (None, HOUR, 3 * HOUR)
PRIORITIES = (0, 0, 0, 0, 0, 0, 0, 100, 100, 1_000)


@dataclass(frozen=True, slots=True)
class Size:
    """How many vehicles and pending pods there are; every tenth vehicle runs a pod already."""

    vehicles: int
    pods: int

    @classmethod
    def read(cls, text: str) -> "Size":
        """`200x500` as a size.

        Raises:
            ValueError: it is not two whole numbers above nought with an `x` between them.
        """
        parts = text.lower().split("x")
        if len(parts) != 2 or not all(part.isdecimal() and int(part) for part in parts):
            message = f"{text!r} is no size of a fleet: write VEHICLESxPODS, such as 200x500."
            raise ValueError(message)
        return cls(int(parts[0]), int(parts[1]))

    def __str__(self) -> str:
        return f"{self.vehicles} x {self.pods}"


def a_fleet(size: Size, seed: int) -> Snapshot:
    """The same fleet for the same arguments."""
    # Repeatable on purpose: nothing here has to be secret.
    chance = Random(f"{size} {seed}")  # noqa: S311
    sites = -(-size.vehicles // VEHICLES_AT_A_SITE)
    names = [f"v-{number:05}" for number in range(size.vehicles)]
    capacities = {name: chance.choice(CAPACITIES) for name in names}
    return a_snapshot(
        sites=[_site(chance, number) for number in range(sites)],
        tariffs=[_tariff(chance, number) for number in range(3)],
        vehicles=tuple(
            _vehicle(chance, name, number % sites, capacities[name])
            for number, name in enumerate(names)
        ),
        nodes=[_node(name, capacities[name]) for name in names],
        pending=tuple(_pod(chance, f"p-{number:05}") for number in range(size.pods)),
        running=tuple(_running(chance, name) for name in names[::10]),
    )


def _resources(cores: int, gibibytes: int, gpus: int) -> dict[str, int]:
    return {
        "cpu": 1_000 * cores,
        "memory": gibibytes * GIBIBYTE,
        "nvidia.com/gpu": 1_000 * gpus,
        "pods": 110_000,
    }


def _site(chance: Random, number: int) -> Site:
    """Two rows under a main circuit that does not carry both of them in full."""
    main = chance.choice((20_000, 35_000, 60_000))
    return a_site(
        name=f"site-{number}",
        tariff=f"tariff-{number % 3}",
        energy_borne_by=chance.choice(list(EnergyBearer)),
        circuits=(
            Circuit("main", None, main, uncontrolled_load_watts=main // 10),
            Circuit("row-a", "main", main * 6 // 10),
            Circuit("row-b", "main", main * 6 // 10),
        ),
    )


def _tariff(chance: Random, number: int) -> Tariff:
    """Two days of hourly prices, off-peak but for a few hours of the morning and evening."""
    intervals = tuple(
        TariffInterval(
            AT + hour * HOUR,
            HOUR,
            Decimal(chance.randrange(5, 40)) / 100,
            "Peak" if (hour + 23) % 24 in {7, 8, 18, 19} else "OffPeak",
        )
        for hour in range(48)
    )
    return a_tariff(name=f"tariff-{number}", zones=(), intervals=intervals)


def _vehicle(chance: Random, name: str, site: int, capacity: tuple[int, int, int]) -> Vehicle:
    odd = chance.random()
    unplugged = odd < 0.08
    window = Recurrence(EVERY_DAY, 18 * 60, chance.randrange(3 * 60, 9 * 60))
    return a_vehicle(
        name=name,
        suspend=0.08 <= odd < 0.11,
        windows=(ParkingWindow("nights", f"site-{site}", window),),
        agreement__energy_sources=frozenset(EnergySource),
        compute__capacity=_resources(*capacity),
        compute__max_power_watts=60 * capacity[0],
        compute__standby_power_watts=chance.choice((60, 90)),
        compensation__availability_per_hour=Decimal(chance.randrange(5, 25)) / 100,
        compensation__energy_per_kwh=Decimal(chance.randrange(20, 40)) / 100,
        compensation__wear_per_kwh=Decimal(chance.randrange(2, 9)) / 100,
        observed__power=Power.ASLEEP if 0.11 <= odd < 0.31 else Power.AWAKE,
        observed__battery__state_of_charge_percent=chance.randrange(60, 100),
        observed__connection__site=f"site-{site}",
        observed__connection__circuit=chance.choice(("row-a", "row-b")),
        observed__connection__supply=Supply.UNPLUGGED if unplugged else Supply.SUPPLIED,
        observed__connection__charge_power_watts=chance.choice((0, 0, 0, 2_000)),
    )


def _node(name: str, capacity: tuple[int, int, int]) -> Node:
    return a_node(
        name=name, allocatable=_resources(*capacity), labels={"generation": str(capacity[0])}
    )


def _pod(chance: Random, name: str) -> Pod:
    cores, gibibytes, gpus = chance.choice(SIZES)
    requests = {**_resources(cores, gibibytes, gpus), "pods": 1_000}
    return a_pod(
        name=name,
        priority=chance.choice(PRIORITIES),
        created_at=AT - chance.randrange(60) * MINUTE,
        requests={resource: amount for resource, amount in requests.items() if amount},
        demand__expected_runtime=chance.choice(RUNTIMES),
        demand__any_tariff=chance.random() < 0.2,
    )


def _running(chance: Random, name: str) -> RunningPod:
    return a_running_pod(
        pod=a_pod(name=f"running-{name}", demand__expected_runtime=6 * HOUR),
        node=name,
        bound_power=1_000 * chance.randrange(30, 120),
        bound_until=AT + chance.randrange(1, 6) * HOUR,
    )
