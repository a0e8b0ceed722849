"""How long it takes to plan the charging of a fleet: part of `make bench-energy`.

Measured is `assemble()`, the step of a plan that looks a snapshot up and plans charging, less the
same of cars whose charging is External: first with nothing acknowledged, then as a cycle finds it,
every charger following what was planned. Prices change every quarter of an hour, a third of the
cars tapers from half full on, and a fifth is under its reserve. Nothing here passes or fails.
"""

import argparse
import gc
import sys
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from random import Random
from statistics import median
from time import process_time

from rich.console import Console
from rich.table import Table

from idlewatt_scheduler.candidates import assemble
from idlewatt_scheduler.model.charging import ChargingProfile
from idlewatt_scheduler.model.site import ChargingController, Circuit
from idlewatt_scheduler.model.snapshot import Snapshot
from idlewatt_scheduler.model.tariff import TariffInterval
from idlewatt_scheduler.model.units import HOUR, MINUTE
from idlewatt_scheduler.model.vehicle import TaperStep, Vehicle
from idlewatt_scheduler.testing import AT, a_site, a_snapshot, a_tariff, a_vehicle, changed

QUARTER = 15 * MINUTE
TAPERS = ((TaperStep(80, 6_000),), (TaperStep(50, 7_000),), ())


def a_fleet(vehicles: int, cars_per_site: int, room: float) -> Snapshot:
    """Cars on sites of two circuits that carry `room` of what all cars together could take."""
    random = Random(1)  # noqa: S311
    intervals = tuple(
        TariffInterval(AT - HOUR + i * QUARTER, QUARTER, Decimal(random.randrange(5, 40)) / 100)
        for i in range(4 * 36)
    )
    watts = int(cars_per_site * room * 11_000)
    sites = tuple(
        a_site(
            name=f"depot-{number}",
            charging_controller=ChargingController.IDLEWATT,
            circuits=(Circuit("main", None, watts), Circuit("row-a", "main", watts)),
        )
        for number in range(-(-vehicles // cars_per_site))
    )
    cars = []
    for number in range(vehicles):
        site = f"depot-{number // cars_per_site}"
        car = a_vehicle(
            name=f"v-{number:05}",
            taper=TAPERS[number % 3],
            observed__connection__site=site,
            observed__battery__state_of_charge_percent=random.randrange(20, 75),
            observed__departure_expected_at=AT + random.randrange(180, 540) * MINUTE,
        )
        cars.append(replace(car, windows=(replace(car.windows[0], site=site),)))
    tariffs = (a_tariff(zones=(), intervals=intervals),)
    return a_snapshot(vehicles=tuple(cars), sites=sites, tariffs=tariffs)


def told(vehicle: Vehicle, profile: ChargingProfile | None) -> Vehicle:
    """The car with what its charger acknowledged."""
    return changed(vehicle, observed__connection__profile=profile)


def seconds(snapshot: Snapshot, repeat: int) -> float:
    """The median of looking it up so many times, anew each time."""
    runs = []
    for _ in range(repeat):
        again = replace(snapshot)
        gc.collect()
        before = process_time()
        assemble(again)
        runs.append(process_time() - before)
    return median(runs)


def main(arguments: Sequence[str]) -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--vehicles", type=int, default=5_000)
    parser.add_argument("--repeat", type=int, default=3)
    asked = parser.parse_args(arguments)
    table = Table("vehicles", "on a site", "limit", "first, s", "acknowledged, s", "the same")
    for cars, room in ((50, 1.0), (50, 0.45), (500, 0.45)):
        snapshot = a_fleet(asked.vehicles, cars, room)
        external = {
            name: changed(s, charging_controller="External") for name, s in snapshot.sites.items()
        }
        without = seconds(replace(snapshot, sites=external), asked.repeat)
        first = seconds(snapshot, asked.repeat) - without
        new = {each.vehicle: each.profile for each in assemble(snapshot).charging}
        held = replace(snapshot, vehicles=tuple(told(v, new[v.name]) for v in snapshot.vehicles))
        then = seconds(held, asked.repeat) - without
        same = sum(each.profile == new[each.vehicle] for each in assemble(held).charging)
        row = (asked.vehicles, cars, f"{room:.0%}", f"{first:.2f}", f"{then:.2f}", same)
        table.add_row(*map(str, row))
    Console().print(table)


if __name__ == "__main__":
    main(sys.argv[1:])
