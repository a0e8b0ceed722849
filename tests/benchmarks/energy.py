"""How long it takes to say when a fleet could take a pod: `make bench-energy`.

Measured is `availability()` on synthetic cars over a day in steps of five minutes, from the cars'
own figures to the table of reasons: cold, with nothing compiled, and warm, as a cycle finds it
that has asked for the same windows before. Beside it stands the plain way, one instant of one car
after the other, on a sample, and whether both agree there; and what a cycle asks of calendars and
tariffs, every vehicle's departure and the lines of a hundred tariffs by five minutes.
Nothing here passes or fails.
"""

import argparse
import gc
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from random import Random
from statistics import median
from time import perf_counter, process_time
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.table import Table

from idlewatt_scheduler import calendar, in_force, prices
from idlewatt_scheduler.availability_grid import Availability, availability
from idlewatt_scheduler.energy import Stretch, electrics, steps
from idlewatt_scheduler.foresight import Car, Need, reason_at
from idlewatt_scheduler.model.calendars import EVERY_DAY, Recurrence
from idlewatt_scheduler.model.policy import OffPeakTest
from idlewatt_scheduler.model.site import EnergyBearer, Site
from idlewatt_scheduler.model.tariff import Tariff, TariffInterval
from idlewatt_scheduler.model.units import DAY, HOUR, MINUTE
from idlewatt_scheduler.model.vehicle import EnergySource, ParkingWindow, Supply, Vehicle
from idlewatt_scheduler.prices import PriceLine, price_line
from idlewatt_scheduler.testing import AT, a_site, a_tariff, a_vehicle

SITES = 400
TARIFFS = 20
ZONES = ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata")
TEST = OffPeakTest(band="OffPeak", max_price_per_kwh=Decimal("0.30"), currency="EUR")
NEED = Need(power=250_000, stay=2 * HOUR, lead=5 * MINUTE)
EVERY_TEST = OffPeakTest(
    max_price_per_kwh=Decimal("0.15"),
    currency="EUR",
    cheapest_percent_of_next_24_hours=40,
    cleanest_percent_of_next_24_hours=40,
)
SAMPLE = 2_000
TARGET_VEHICLES, TARGET_SECONDS = 10_000, 0.5
"""A day in steps of five minutes, on one core."""


@dataclass(frozen=True, slots=True)
class Fleet:
    """What is given: nothing of it is compiled."""

    vehicles: tuple[Vehicle, ...]
    sites: tuple[Site, ...]
    tariffs: tuple[Tariff, ...]

    def cars(self) -> list[Car]:
        """Every vehicle with its site, its tariff's line and its figures."""
        lines = {tariff.name: self._line(tariff) for tariff in self.tariffs}
        return [
            self._car(vehicle, self.sites[number % SITES], lines, number)
            for number, vehicle in enumerate(self.vehicles)
        ]

    def _line(self, tariff: Tariff) -> PriceLine:
        return price_line(tariff, TEST, AT, lambda _, __: None)

    def _car(self, vehicle: Vehicle, site: Site, lines: dict[str, PriceLine], number: int) -> Car:
        figures = electrics(vehicle)
        busy = number % 10 == 0
        running = (Stretch(AT, AT + (1 + number % 7) * HOUR, 90_000),) if busy else ()
        return Car(
            at=AT,
            vehicle=vehicle,
            site=site,
            electrics=figures,
            prices=lines[site.tariff or ""],
            running=running,
            base=tuple(steps(running, figures.standby)) if busy else (),
        )


def a_fleet(count: int, seed: int) -> Fleet:
    """Cars of which no two have the same windows and charge."""
    # Repeatable on purpose: nothing here has to be secret.
    chance = Random(f"{count} {seed}")  # noqa: S311
    zones = [ZoneInfo(name) for name in ZONES]
    return Fleet(
        vehicles=tuple(_vehicle(chance, number) for number in range(count)),
        sites=tuple(
            a_site(
                name=f"site-{number}",
                time_zone=zones[number % len(zones)],
                tariff=f"tariff-{number % TARIFFS}",
                energy_borne_by=list(EnergyBearer)[number % 3],
            )
            for number in range(SITES)
        ),
        tariffs=tuple(_tariff(chance, number) for number in range(TARIFFS)),
    )


def _vehicle(chance: Random, number: int) -> Vehicle:
    site = f"site-{number % SITES}"
    days = frozenset(chance.sample(range(7), chance.randrange(4, 8)))
    nights = Recurrence(days, chance.randrange(15 * 60, 24 * 60), chance.randrange(4 * 60, 11 * 60))
    noon = Recurrence(EVERY_DAY, chance.randrange(9 * 60, 13 * 60), 13 * 60 + number % 120)
    supply = Supply.UNPLUGGED if chance.random() < 0.3 else Supply.SUPPLIED
    return a_vehicle(
        name=f"v-{number:05}",
        windows=(ParkingWindow("nights", site, nights), ParkingWindow("noon", site, noon)),
        agreement__energy_sources=frozenset(EnergySource),
        battery__net_capacity_watt_hours=40_000 + number,
        observed__battery__state_of_charge_percent=chance.randrange(25, 101),
        observed__connection__site=site,
        observed__connection__supply=supply,
        observed__connection__charge_power_watts=chance.choice((0, 0, 10_500)),
    )


def _tariff(chance: Random, number: int) -> Tariff:
    """Two days of quarters, of which the last hours are not published."""
    quarter = 15 * MINUTE
    intervals = tuple(
        TariffInterval(
            AT - DAY + index * quarter,
            quarter,
            Decimal(chance.randrange(-50, 400)) / 1_000,
            "Peak" if index // 4 % 24 in {18, 19, 20} else "OffPeak",
        )
        for index in range(180)
    )
    return a_tariff(name=f"tariff-{number}", zones=(), intervals=intervals)


@dataclass(frozen=True, slots=True)
class Seconds:
    """What each run took: by the clock on the wall, and of the processor."""

    wall: tuple[float, ...]
    processor: tuple[float, ...]


def departures(fleet: Fleet) -> list[int | None]:
    """When each vehicle leaves, as a cycle asks."""
    return [
        calendar.open_until(vehicle.windows, site.name, site.time_zone, AT)
        for number, vehicle in enumerate(fleet.vehicles)
        for site in (fleet.sites[number % SITES],)
    ]


def many_tariffs(seed: int) -> list[Tariff]:
    """A hundred tariffs of 3,000 intervals of five minutes, with carbon."""
    chance = Random(seed)  # noqa: S311 - repeatable on purpose
    return [
        a_tariff(
            name=f"tariff-{number}",
            zones=(),
            adders=(Decimal("0.09"),),
            tax_percent=Decimal(19),
            intervals=tuple(
                TariffInterval(
                    AT - 3 * DAY + index * 5 * MINUTE,
                    5 * MINUTE,
                    Decimal(chance.randrange(-500, 9_000)) / 100_000,
                    grams_per_kwh=Decimal(chance.randrange(100, 400)),
                    created_at=AT - DAY,
                )
                for index in range(3_000)
            ),
        )
        for number in range(100)
    ]


def forget() -> None:
    """Let nothing be known from an earlier run."""
    for module in (calendar, in_force, prices):
        for cached in vars(module).values():
            if hasattr(cached, "cache_clear"):
                cached.cache_clear()
    in_force.forget()
    gc.collect()


def timed(work: Callable[[], object], repeat: int, before: Callable[[], object]) -> Seconds:
    """How long some work takes each time."""
    wall, processor = [], []
    for _ in range(repeat):
        before()
        begun, busy = perf_counter(), process_time()
        work()
        wall.append(perf_counter() - begun)
        processor.append(process_time() - busy)
    return Seconds(tuple(wall), tuple(processor))


def plainly(cars: list[Car], found: Availability, chance: Random) -> tuple[float, int]:
    """Seconds for all places, judged by a sample of single instants; in how many both agree."""
    places = [
        (chance.randrange(len(cars)), chance.randrange(len(found.instants))) for _ in range(SAMPLE)
    ]
    instants = found.instants.tolist()
    begun = perf_counter()
    reasons = [reason_at(cars[row], NEED, instants[step]) for row, step in places]
    taken = (perf_counter() - begun) / SAMPLE * len(cars) * len(instants)
    pairs = zip(places, reasons, strict=True)
    return taken, sum(found.reason(row, step) is reason for (row, step), reason in pairs)


def table_of(fleet: Fleet, measured: Iterable[tuple[str, Seconds]], naive: float) -> Table:
    """The measurements as a table."""
    table = Table(
        "way",
        *(f"{title}, s" for title in ("median", "least", "most", "processor's median")),
        title=f"{len(fleet.vehicles):,} vehicles with windows of their own",
    )
    for name, seconds in measured:
        figures = (
            median(seconds.wall),
            min(seconds.wall),
            max(seconds.wall),
            median(seconds.processor),
        )
        table.add_row(name, *(f"{figure:.3f}" for figure in figures))
    table.add_row(f"availability, one by one, from {SAMPLE:,}", f"{naive:.0f}", "", "", "")
    return table


def target(vehicles: int, measured: Mapping[str, Seconds]) -> str:
    """What is aimed at, and whether it was reached, by processor time: machines are shared."""
    cold, warm = (
        median(measured[f"availability over a day, {state}"].processor)
        for state in ("cold", "warm")
    )
    aim = (
        f"Aimed at: {TARGET_VEHICLES:,} vehicles over 24 h in steps of 5 minutes in under "
        f"{TARGET_SECONDS} s on one core."
    )
    if vehicles != TARGET_VEHICLES:
        return f"{aim} These are {vehicles:,}."
    reached = "reached" if max(cold, warm) < TARGET_SECONDS else "missed"
    return f"{aim} It took {cold:.2f} s cold and {warm:.2f} s warm: {reached}."


def main(arguments: list[str] | None = None) -> int:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.energy")
    parser.add_argument("--vehicles", type=int, default=10_000)
    parser.add_argument("--repeat", type=int, default=5, help="runs; the median is shown")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args(arguments)
    if min(given.vehicles, given.repeat) < 1:
        parser.error("--vehicles and --repeat count something: there has to be one.")
    fleet = a_fleet(given.vehicles, given.seed)

    def work() -> Availability:
        return availability(fleet.cars(), NEED, AT)

    def lines() -> list[PriceLine]:
        return [price_line(tariff, EVERY_TEST, AT, lambda _, __: None) for tariff in tariffs]

    tariffs = many_tariffs(given.seed)
    measured = [
        (f"{name}, {state}", timed(task, given.repeat, before))
        for name, task in (
            ("availability over a day", work),
            ("departures", lambda: departures(fleet)),
            ("100 tariffs of 3,000 intervals", lines),
        )
        for state, before in (("cold", forget), ("warm", gc.collect))
    ]
    naive, agree = plainly(fleet.cars(), work(), Random(given.seed))  # noqa: S311
    console = Console(width=110 if not sys.stdout.isatty() else None)
    console.print(table_of(fleet, measured, naive))
    console.print(target(given.vehicles, dict(measured)), soft_wrap=True)
    console.print(f"Both ways gave the same reason in {agree} of {SAMPLE:,} places of the sample.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
