"""A day at a workplace: the sessions of one day as they were measured, and its own tariff."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from random import Random
from typing import Any, Final
from zoneinfo import ZoneInfo

from idlewatt_operator.twin import datasets, enrolment
from idlewatt_operator.twin.catalogue import submissions
from idlewatt_operator.twin.datasets import CALIFORNIA, CaltechSession
from idlewatt_operator.twin.homes import sleepers
from idlewatt_operator.twin.places import DataError
from idlewatt_operator.twin.scenario import LostLink, Scenario
from idlewatt_operator.twin.stays import CHARGE_EFFICIENCY, Stay
from idlewatt_scheduler.calendar import instant_of
from idlewatt_scheduler.model.calendars import Recurrence
from idlewatt_scheduler.model.policy import FleetPolicy, OffPeakTest
from idlewatt_scheduler.model.site import EnergyBearer, Site
from idlewatt_scheduler.model.tariff import Tariff, TariffZone
from idlewatt_scheduler.model.units import DAY, HOUR, MINUTE, SECOND, Instant

TARIFF: Final = "sce-tou-ev-4"
SITE: Final = "garage"
DEFAULT_DAY: Final = date(2019, 7, 25)
MOST_PAID: Final = Decimal("0.10")
CHARGE_WATTS: Final = 6_600
_LIMITS: Final = enrolment.Limits(
    main_watts=150_000, rows=2, row_watts=90_000, house_peak_watts=5_000
)
HOUSE_WATTS: Final = (5_000,) * 24
_CAPACITIES_KWH: Final = (24, 40, 60, 75, 100)
BANDS: Final = ("OffPeak", "MidPeak", "OnPeak")
_WEEKDAYS: Final = {"WEEKDAYS": frozenset(range(5)), "WEEKENDS": frozenset({5, 6})}

TARIFF_ASSUMED: Final = (
    "Energy prices alone, without the demand charge; off-peak means at most "
    f"${MOST_PAID} a kWh, which leaves out the summer weekdays' noon to 18:00."
)
GARAGE_ASSUMED: Final = (
    "The garage: 150 kW in all, two rows of 90 kW, 5 kW for the house. The host buys the energy."
)
ASSUMED: Final = (
    (
        "Arrivals, departures, stated departures and energies are the day's own, no clock shifted; "
        "where nobody stated a departure there is no parking window, and no pod."
    ),
    TARIFF_ASSUMED,
    (
        "Cars charge at once at up to 6.6 kW until they have what the session really took; battery "
        "sizes (24 to 100 kWh) and charge on arrival are not in the data and are drawn by seed."
    ),
    GARAGE_ASSUMED,
    "Nobody tells of an early departure; a door opens 30 to 150 s before the car drives.",
    "A quarter of the cars fall asleep when they stand charged and idle for half an hour.",
)


def a_day(day: date, pods: int, seed: int) -> Scenario:
    """A day from its first arrival to its last departure, at most 24 hours.

    Args:
        day: a local day that has sessions.
        pods: how many, at least 1.
        seed: the same seed is the same day.

    Raises:
        DataError: there is no session on that day.
    """
    came = _sessions(day)
    start = _hour(instant_of(min(each.arrival for each in came)))
    end = min(-_hour(-instant_of(max(each.departure for each in came))), start + DAY)
    capacities: dict[str, int] = {}
    stays = tuple(_stays(came, seed, capacities))
    enrolled = enrolment.enrol(stays, capacities, CALIFORNIA, seed)
    return Scenario(
        name="a day at a workplace",
        seed=seed,
        zone=CALIFORNIA,
        start=start,
        end=end,
        days=2,
        vehicles=enrolled,
        nodes=enrolment.nodes(enrolled),
        stays=stays,
        sites=(garage(CALIFORNIA),),
        tariffs=(time_of_use(day, CALIFORNIA),),
        policy=workplace_policy(),
        submissions=submissions(pods, start),
        sleepers=sleepers([vehicle.name for vehicle in enrolled], seed),
        lost_link=LostLink(start + 4 * HOUR + 12 * MINUTE, 50 * MINUTE),
        house_watts={SITE: HOUSE_WATTS},
        carbon=datasets.caiso_carbon().joined(day, 2),
        prices_say=PRICES_SAY,
        assumptions=(*ASSUMED, *enrolment.ASSUMED),
        attributions=(datasets.CALTECH_SESSIONS, datasets.SCE_TARIFF, datasets.CAISO_CARBON),
    )


PRICES_SAY: Final = "tariff SCE TOU-EV-4, Southern California, as of 1 March 2019"


def workplace_policy() -> FleetPolicy:
    """Off-peak is what costs little enough: by day there is nothing else."""
    return FleetPolicy(off_peak=OffPeakTest(band=None, max_price_per_kwh=MOST_PAID, currency="USD"))


def garage(zone: ZoneInfo) -> Site:
    """The workplace's garage."""
    return enrolment.site(SITE, zone, TARIFF, EnergyBearer.SITE_HOST, _LIMITS)


def time_of_use(day: date, zone: ZoneInfo) -> Tariff:
    """The time-of-use tariff of the season of `day`, as an EnergyTariff's zones."""
    schedules = [each for each in datasets.sce_schedule() if _in_season(each, day)]
    prices = sorted({Decimal(str(price)) for each in schedules for price in each["tariffs"]})
    bands = dict(zip(prices, BANDS, strict=False))
    zones = [zone for schedule in schedules for zone in _zones(schedule, bands)]
    return Tariff(name=TARIFF, currency="USD", time_zone=zone, zones=tuple(zones))


def _zones(schedule: dict[str, Any], bands: dict[Decimal, str]) -> Iterator[TariffZone]:
    hours = [*schedule["times"], 24]
    for (begin, end), figure in zip(pairwise(hours), schedule["tariffs"], strict=True):
        price = Decimal(str(figure))
        days = _WEEKDAYS[schedule["dow_mask"]]
        recurrence = Recurrence(days, begin * 60, end % 24 * 60)
        name = f"{schedule['id']}-{begin:02}".lower()
        yield TariffZone(name, recurrence, bands[price], price)


def _in_season(schedule: dict[str, Any], day: date) -> bool:
    first, last = schedule["effective_start"], schedule["effective_end"]
    at = f"{day:%m-%d}"
    return bool(first <= at <= last if first <= last else at >= first or at <= last)


def _hour(at: Instant) -> Instant:
    return at // HOUR * HOUR


def _sessions(day: date) -> list[CaltechSession]:
    first, last = datasets.caltech_days()
    came = [
        each
        for each in datasets.caltech_sessions()
        if each.arrival.astimezone(CALIFORNIA).date() == day
    ]
    if not came:
        message = f"there are sessions from {first} to {last}, and none on {day}"
        raise DataError(message)
    return came


def _stays(came: list[CaltechSession], seed: int, capacities: dict[str, int]) -> Iterator[Stay]:
    for index, session in enumerate(came):
        chance = enrolment.dice(seed, "workplace", session.session)
        name = f"v-{chance.getrandbits(24):06x}"
        while name in capacities:
            name = f"v-{chance.getrandbits(24):06x}"
        gained = session.delivered_kwh * CHARGE_EFFICIENCY * 1_000
        capacity, full = battery(gained, chance)
        capacities[name] = capacity
        arrives, leaves = instant_of(session.arrival), instant_of(session.departure)
        needed = session.delivered_kwh * 1_000 * HOUR / (leaves - arrives)
        yield Stay(
            vehicle=name,
            site=SITE,
            circuit="row-" + "ab"[index % 2],
            arrives_at=arrives,
            leaves_at=leaves,
            stated_leave_at=_stated(session.stated),
            notice_at=None,
            boards_at=leaves - chance.randint(30, 150) * SECOND,
            arrival_watt_hours=full - gained,
            full_watt_hours=full,
            charge_power_watts=max(CHARGE_WATTS, round(needed)),
            limit_watts=max(CHARGE_WATTS, round(needed)),
        )


def _stated(moment: datetime | None) -> Instant | None:
    return None if moment is None else instant_of(moment + timedelta(seconds=59)) // MINUTE * MINUTE


def battery(gained_watt_hours: float, chance: Random) -> tuple[int, float]:
    """A battery that such a session fits: its capacity, and what it holds when it is charged."""
    capacity = chance.choice(_CAPACITIES_KWH) * 1_000
    full = capacity * chance.uniform(0.6, 1.0)
    while full < gained_watt_hours:
        capacity, full = capacity + 20_000, full + 20_000
    return capacity, full
