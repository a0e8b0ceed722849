"""A night of homes: apartment garages, stays from the profile, real day-ahead prices."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from random import Random
from typing import Final
from zoneinfo import ZoneInfo

from idlewatt_operator.resources.learned import Learned
from idlewatt_operator.twin import datasets, enrolment, habits
from idlewatt_operator.twin.catalogue import submissions
from idlewatt_operator.twin.datasets import TEXAS, ercot_prices
from idlewatt_operator.twin.places import DataError
from idlewatt_operator.twin.profile import HomeProfile, HomeStay
from idlewatt_operator.twin.scenario import (
    ChargerFault,
    ChargerTrouble,
    Curtailment,
    LostLink,
    Scenario,
)
from idlewatt_operator.twin.stays import Stay
from idlewatt_scheduler.calendar import wall_clock
from idlewatt_scheduler.model.policy import FleetPolicy, OffPeakTest
from idlewatt_scheduler.model.site import ChargingController, EnergyBearer, Site
from idlewatt_scheduler.model.tariff import Tariff, TariffInterval
from idlewatt_scheduler.model.units import HOUR, MINUTE, SECOND, Instant

TARIFF: Final = "ercot-day-ahead"
DEFAULT_EVENING: Final = date(2022, 7, 12)
DELIVERY_ADDER: Final = Decimal("0.048")
TAX_PERCENT: Final = Decimal(2)
CHEAPEST_PERCENT: Final = 50
LIMIT_WATTS: Final = 11_000
CURTAILED_WATTS: Final = 6_000
_CARS_PER_GARAGE: Final = 20
_EARLIER_CARS: Final = 150
_GARAGE: Final = enrolment.Limits(
    main_watts=69_000, rows=2, row_watts=34_600, house_peak_watts=12_000
)
_BEARERS: Final = (EnergyBearer.OWNER, EnergyBearer.SITE_HOST, EnergyBearer.FLEET)
HOUSE_WATTS: Final = (
    4_000, 3_500, 3_000, 3_000, 3_000, 3_500, 5_000, 7_000, 7_000, 6_000, 5_500, 5_500,
    5_500, 5_500, 6_000, 7_000, 8_500, 10_500, 12_000, 11_500, 10_500, 9_000, 7_000, 5_500,
)  # fmt: skip
SLEEPER_SHARE: Final = 0.25
EARLY_SHARE: Final = 0.22
VERY_EARLY_SHARE: Final = 0.05
TOLD_SHARE: Final = 0.6

PRICES_ASSUMED: Final = (
    f"Wholesale prices are completed by ${DELIVERY_ADDER} a kWh for delivery and "
    f"{TAX_PERCENT} % tax; off-peak means the cheapest {CHEAPEST_PERCENT} % of the next 24 "
    "hours."
)
GARAGES_ASSUMED: Final = (
    "Garages of 20 cars: 69 kW in all, two rows of 34.6 kW, charge points of 11 kW, and a "
    "house that takes 3 to 12 kW."
)
ASSUMED: Final = (
    (
        "Each car plugs in once between 11:00 and 11:00; at these homes a household does so 2.4 "
        "times a week (median), so this fleet is about a third of those enrolled."
    ),
    (
        "The habits are Norwegian, the prices Texan and the carbon Californian, of other years: "
        "joined by local weekday and hour, no clock shifted. No place has all three."
    ),
    PRICES_ASSUMED,
    (
        "Word and deed: 22 % of owners leave more than 15 minutes before they had said, 5 % more "
        "than three hours, as counted among the Caltech drivers of 2019; six in ten of them tell "
        "20 to 60 minutes ahead, the others not at all. A door opens 30 to 150 s before the car "
        "drives."
    ),
    GARAGES_ASSUMED,
    (
        "In the first garage of three charging is nobody's plan: at once on arrival, until full. "
        "In the others idlewatt has cars charged to 80 % in the cheapest hours. A quarter of the "
        "cars fall asleep when they stand idle for half an hour."
    ),
    (
        f"At 04:20 the second garage is curtailed to {CURTAILED_WATTS // 1_000} kW for 40 minutes, "
        "which no data set says; a charge point forgets its profile, another one fails for a while."
    ),
)


def a_night(
    evening: date, vehicles: int, pods: int, seed: int, *, learned: bool = False
) -> Scenario:
    """The night from 15:00 on `evening` to 11:00 the next day.

    Args:
        evening: in the days that have prices for the following day too.
        vehicles: how many, at least 1.
        pods: how many, at least 1.
        seed: the same seed is the same night.
        learned: reckon with what earlier stays tell of departures; else with owners' word.

    Raises:
        DataError: there are no prices for that night.
    """
    first, last = datasets.price_days()
    if not first <= evening <= last:
        message = f"there are day-ahead prices for the evenings of {first} to {last}, not {evening}"
        raise DataError(message)
    start = wall_clock(evening, 15 * 60, TEXAS)
    end = wall_clock(evening + timedelta(days=1), 11 * 60, TEXAS)
    capacities: dict[str, int] = {}
    stays = tuple(_stays(evening, vehicles, seed, capacities))
    enrolled = enrolment.enrol(stays, capacities, TEXAS, seed)
    sites = planned_garages(vehicles)
    return Scenario(
        name="a night of homes",
        seed=seed,
        zone=TEXAS,
        start=start,
        end=end,
        days=2,
        vehicles=enrolled,
        nodes=enrolment.nodes(enrolled),
        stays=stays,
        sites=sites,
        tariffs=(day_ahead(evening, 2, TEXAS),),
        policy=home_policy(),
        submissions=submissions(pods, start),
        sleepers=sleepers([vehicle.name for vehicle in enrolled], seed),
        lost_link=LostLink(start + 10 * HOUR + 12 * MINUTE, 95 * MINUTE),
        curtailments=tuple(_curtailments(sites, start)),
        charger_faults=(
            ChargerFault(ChargerTrouble.STARTS_ANEW, start + 12 * HOUR + 40 * MINUTE),
            ChargerFault(ChargerTrouble.GIVES_NOTHING, start + 14 * HOUR + 6 * MINUTE, 35 * MINUTE),
        ),
        learned=habits.learned(_earlier(evening, seed)) if learned else Learned(),
        house_watts={site.name: HOUSE_WATTS for site in sites},
        carbon=datasets.caiso_carbon().joined(evening, 2),
        prices_say=ercot_prices().joined(evening, 2).says(2),
        assumptions=(*ASSUMED, *enrolment.ASSUMED),
        attributions=(datasets.HOME_PROFILE, datasets.ERCOT_PRICES, datasets.CAISO_CARBON),
    )


def _curtailments(sites: tuple[Site, ...], start: Instant) -> Iterator[Curtailment]:
    """In the cheapest hour, when the cars of the second garage charge, or in the only garage."""
    site = sites[min(1, len(sites) - 1)].name
    yield Curtailment(
        site, "main", CURTAILED_WATTS, start + 13 * HOUR + 20 * MINUTE + 17 * SECOND, 40 * MINUTE
    )


def _earlier(evening: date, seed: int) -> list[Stay]:
    """Stays of four weeks before, of as many cars as it takes to know the rare ones."""
    evenings = (evening - timedelta(days=28 - n) for n in range(14))
    return [
        stay
        for n, each in enumerate(evenings)
        for stay in _stays(each, _EARLIER_CARS, f"{seed}/earlier/{n}", {})
    ]


def home_policy() -> FleetPolicy:
    """Off-peak is the cheapest part of the day that is known."""
    return FleetPolicy(
        off_peak=OffPeakTest(band=None, cheapest_percent_of_next_24_hours=CHEAPEST_PERCENT)
    )


def sleepers(names: list[str], seed: int) -> frozenset[str]:
    """Those that fall asleep when they have nothing to do."""
    return frozenset(
        name for name in names if enrolment.dice(seed, "sleep", name).random() < SLEEPER_SHARE
    )


def day_ahead(day: date, days: int, zone: ZoneInfo) -> Tariff:
    """The day-ahead prices of `days` local days from `day` on, as an EnergyTariff's intervals."""
    start = wall_clock(day, 0, zone)
    end = wall_clock(day + timedelta(days=days), 0, zone)
    intervals = tuple(
        TariffInterval(begin, until - begin, price_per_kwh=price)
        for begin, until, price in ercot_prices().joined(day, days).hours(start, end, zone)
    )
    return Tariff(
        name=TARIFF,
        currency="USD",
        time_zone=zone,
        intervals=intervals,
        wholesale=True,
        adders=(DELIVERY_ADDER,),
        tax_percent=TAX_PERCENT,
    )


def garages(vehicles: int, zone: ZoneInfo = TEXAS, tariff: str = TARIFF) -> tuple[Site, ...]:
    """A garage for every 20 vehicles, where cars charge at once; who buys the energy goes round."""
    count = max(1, -(-vehicles // _CARS_PER_GARAGE))
    return tuple(
        enrolment.site(f"garage-{n + 1}", zone, tariff, _BEARERS[n % len(_BEARERS)], _GARAGE)
        for n in range(count)
    )


def planned_garages(vehicles: int) -> tuple[Site, ...]:
    """The same; in the second of three, and in the third, idlewatt says when cars are charged."""
    return tuple(
        replace(site, charging_controller=ChargingController.IDLEWATT)
        if number % len(_BEARERS)
        else site
        for number, site in enumerate(garages(vehicles))
    )


def place(index: int, vehicles: int) -> tuple[str, str]:
    """Site and circuit of the vehicle with this number."""
    count = max(1, -(-vehicles // _CARS_PER_GARAGE))
    return f"garage-{index % count + 1}", "row-" + "ab"[index // count % 2]


def _stays(
    evening: date, vehicles: int, seed: int | str, capacities: dict[str, int]
) -> Iterator[Stay]:
    profile = HomeProfile()
    for index in range(vehicles):
        chance = enrolment.dice(seed, "home", index)
        name = f"v-{chance.getrandbits(24):06x}"
        while name in capacities:
            name = f"v-{chance.getrandbits(24):06x}"
        drawn = profile.draw(evening, chance)
        capacities[name] = round(drawn.capacity_kwh * 1_000)
        site, circuit = place(index, vehicles)
        yield _stay(name, site, circuit, drawn, chance)


def _stay(name: str, site: str, circuit: str, drawn: HomeStay, chance: Random) -> Stay:
    arrives = wall_clock(drawn.day, drawn.minute, TEXAS) + chance.randrange(60) * SECOND
    leaves = arrives + round(drawn.stay_hours * HOUR)
    stated, notice = word(arrives, leaves, chance)
    capacity = drawn.capacity_kwh * 1_000
    return Stay(
        vehicle=name,
        site=site,
        circuit=circuit,
        arrives_at=arrives,
        leaves_at=leaves,
        stated_leave_at=stated,
        notice_at=notice,
        boards_at=leaves - chance.randint(30, 150) * SECOND,
        arrival_watt_hours=capacity * drawn.charge_percent / 100,
        full_watt_hours=capacity,
        charge_power_watts=round(drawn.charge_power_kw * 1_000),
        limit_watts=LIMIT_WATTS,
    )


def word(arrives: Instant, leaves: Instant, chance: Random) -> tuple[Instant, Instant | None]:
    """What the owner had said of the departure, and when a change is told, if it is."""
    share = chance.random()
    if share < VERY_EARLY_SHARE:
        stated = leaves + round(chance.uniform(180, 300)) * MINUTE
    elif share < EARLY_SHARE:
        stated = leaves + round(chance.uniform(15, 180)) * MINUTE
    else:
        stated = max(arrives + 30 * MINUTE, leaves - round(chance.uniform(0, 60)) * MINUTE)
    told = share < EARLY_SHARE and chance.random() < TOLD_SHARE
    notice = max(arrives, leaves - round(chance.uniform(20, 60)) * MINUTE)
    return -(-stated // MINUTE) * MINUTE, notice if told else None
