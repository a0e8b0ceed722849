"""The enrolled fleet: computers, agreements, sites and circuits; all of it assumed, and said so."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from random import Random
from typing import Final
from zoneinfo import ZoneInfo

from idlewatt_operator.twin.catalogue import GPU
from idlewatt_operator.twin.stays import CHARGE_EFFICIENCY, Stay, windows
from idlewatt_scheduler.model.site import ChargingController, Circuit, EnergyBearer, Site
from idlewatt_scheduler.model.units import DAY, thousandths
from idlewatt_scheduler.model.vehicle import (
    Agreement,
    Battery,
    Compensation,
    Compute,
    EnergySource,
    Link,
    Vehicle,
)
from idlewatt_scheduler.model.workload import Node, Ready, Taint

RESERVE_PERCENT: Final = 30
DEPARTURE_PERCENT: Final = 80
ENERGY_RATE: Final = Decimal("0.16")
WEAR_RATE: Final = Decimal("0.02")
CHEMISTRIES: Final = ("LFP", "NMC811", "NCA")
REPLACEMENT_COST: Final = Decimal(100)
COMPUTE_RISE_KELVIN: Final = 2
PACK_AGE: Final = 3 * 365 * DAY
AVAILABILITY_RATES: Final = tuple(Decimal(text) for text in ("0.04", "0.06", "0.08", "0.10"))
_GIB: Final = 1 << 30
_MEGABIT: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Computer:
    """A kind of on-board computer: DC watts, and what it offers to pods."""

    watts: int
    standby_watts: int
    cpu: int
    memory_gib: int
    gpus: int


COMPUTERS: Final = (
    Computer(400, 35, 8, 16, 1),
    Computer(700, 50, 12, 32, 2),
    Computer(1_000, 70, 16, 64, 4),
)
LINKS_MEGABIT: Final = (80, 150, 300)

ASSUMED: Final = (
    (
        "Computers: 400, 700 or 1,000 W with 1, 2 or 4 GPU slices, 88 % efficient, 60 s and 20 Wh "
        "to wake; links of 80 to 300 Mbit/s."
    ),
    (
        f"Owners are paid $0.04 to $0.10 an hour, ${ENERGY_RATE} a kWh where they or the site's "
        "host buy the energy (the tariff's price where the fleet does) and "
        f"${WEAR_RATE} a kWh for wear."
    ),
    (
        f"Departure charge {DEPARTURE_PERCENT} %, reserve {RESERVE_PERCENT} %, everyone's; "
        "computing takes grid power only. Batteries take 90 % of what the charger draws."
    ),
    "Pods draw their full bound watts while their containers run, loading included.",
    (
        "No heat: batteries stand at 25 degrees and computers at 45. What wear would cost by the "
        f"model is for packs of LFP, NMC811 or NCA, three years old, at ${REPLACEMENT_COST} a kWh, "
        f"{COMPUTE_RISE_KELVIN} K warmer while they compute."
    ),
)


def enrol(
    stays: Sequence[Stay], capacities: Mapping[str, int], zone: ZoneInfo, seed: int
) -> tuple[Vehicle, ...]:
    """A vehicle for each that has stays, in the order in which they first appear."""
    by_vehicle: dict[str, list[Stay]] = {}
    for stay in stays:
        by_vehicle.setdefault(stay.vehicle, []).append(stay)
    return tuple(
        _vehicle(name, own, capacities[name], zone, seed) for name, own in by_vehicle.items()
    )


def dice(*what: object) -> Random:
    """Draws that belong to one thing alone, so that another vehicle more changes no other's."""
    return Random("/".join(map(str, what)))  # noqa: S311 - a play's chances, no secret


def _vehicle(
    name: str, stays: Sequence[Stay], capacity_watt_hours: int, zone: ZoneInfo, seed: int
) -> Vehicle:
    chance = dice(seed, "enrolment", name)
    computer = chance.choice(COMPUTERS)
    compensation = Compensation(
        currency="USD",
        availability_per_hour=chance.choice(AVAILABILITY_RATES),
        energy_per_kwh=ENERGY_RATE,
        wear_per_kwh=WEAR_RATE,
    )
    battery = Battery(
        net_capacity_watt_hours=capacity_watt_hours,
        reserve_percent=RESERVE_PERCENT,
        departure_percent=DEPARTURE_PERCENT,
        min_temperature_celsius=0,
        max_temperature_celsius=45,
        chemistry=dice(seed, "chemistry", name).choice(CHEMISTRIES),
        replacement_cost_per_kwh=REPLACEMENT_COST,
        compute_rise_kelvin=COMPUTE_RISE_KELVIN,
        in_service_since=stays[0].arrives_at - PACK_AGE,
    )
    return Vehicle(
        name=name,
        compensation=compensation,
        battery=battery,
        compute=_compute(computer),
        max_charge_power_watts=max(stay.charge_power_watts for stay in stays),
        charge_efficiency_percent=round(100 * CHARGE_EFFICIENCY),
        agreement=Agreement(f"agr-{name[2:]}", 1, frozenset({EnergySource.GRID})),
        link=Link(downlink_bits_per_second=chance.choice(LINKS_MEGABIT) * _MEGABIT),
        windows=tuple(each for stay in stays for each in windows(stay, zone)),
        attested=True,
    )


def _compute(computer: Computer) -> Compute:
    return Compute(
        max_power_watts=computer.watts,
        capacity={
            "cpu": thousandths(computer.cpu),
            "memory": thousandths(computer.memory_gib * _GIB),
            GPU: thousandths(computer.gpus),
        },
        standby_power_watts=computer.standby_watts,
        efficiency_percent=88,
        wake_seconds=60,
        wake_energy_watt_hours=20,
        max_temperature_celsius=85,
    )


def nodes(vehicles: Iterable[Vehicle]) -> dict[str, Node]:
    """The Node of each vehicle, up and with the permanent taint."""
    return {
        vehicle.name: Node(
            name=vehicle.name,
            allocatable={**vehicle.compute.capacity, "pods": thousandths(20)},
            taints=(Taint(key="idlewatt.dev/vehicle", effect="NoSchedule"),),
            ready=Ready.TRUE,
        )
        for vehicle in vehicles
    }


@dataclass(frozen=True, slots=True)
class Limits:
    """The circuits of a site.

    Attributes:
        house_peak_watts: the most the house itself takes, assumed where nothing is measured.
    """

    main_watts: int
    rows: int
    row_watts: int
    house_peak_watts: int


def site(  # noqa: PLR0913 - what a site is made of
    name: str,
    zone: ZoneInfo,
    tariff: str,
    bearer: EnergyBearer,
    limits: Limits,
    *,
    charging: ChargingController = ChargingController.EXTERNAL,
) -> Site:
    """A site with a main circuit and its rows."""
    rows = tuple(
        Circuit(f"row-{letter}", "main", limits.row_watts) for letter in "abcdefgh"[: limits.rows]
    )
    main = Circuit("main", None, limits.main_watts, uncontrolled_load_watts=limits.house_peak_watts)
    return Site(
        name=name,
        time_zone=zone,
        region=None,
        tariff=tariff,
        energy_borne_by=bearer,
        compute_allowed=True,
        circuits=(main, *rows),
        charging_controller=charging,
    )
