"""A play of somebody's own sessions: their times as they are, what they leave out drawn by seed."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from random import Random
from typing import Final

from idlewatt_operator.twin import datasets, enrolment, homes, workplace
from idlewatt_operator.twin.catalogue import submissions
from idlewatt_operator.twin.datasets import Attribution
from idlewatt_operator.twin.places import local_time
from idlewatt_operator.twin.profile import HomeProfile
from idlewatt_operator.twin.scenario import LostLink, Scenario
from idlewatt_operator.twin.sessions_file import Session, Sessions, read
from idlewatt_operator.twin.stays import CHARGE_EFFICIENCY, Stay
from idlewatt_scheduler.model.policy import FleetPolicy
from idlewatt_scheduler.model.site import Site
from idlewatt_scheduler.model.tariff import Tariff
from idlewatt_scheduler.model.units import HOUR, MINUTE, SECOND

ASSUMED: Final = (
    (
        "Arrivals, departures and what the file says of energy and batteries are its own, no clock "
        "shifted; what it leaves out is drawn by seed from homes in Norway, 2018 to 2021."
    ),
    (
        "Prices and carbon are those of other places and years, joined by local weekday and hour: "
        "the data named below."
    ),
    "A car whose stated departure is missing is taken at its word: it leaves when it really left.",
    "Cars charge at once on arrival. A door opens 30 to 150 s before the car drives.",
    "A quarter of the cars fall asleep when they stand charged and idle for half an hour.",
)


@dataclass(frozen=True, slots=True)
class _Place:
    """Sites, tariff and policy that the sessions are played at."""

    sites: tuple[Site, ...]
    tariff: Tariff
    policy: FleetPolicy
    house: tuple[int, ...]
    prices_say: str
    assumed: tuple[str, ...]
    owed: tuple[Attribution, ...]


def a_play(path: Path, *, at_work: bool, pods: int, seed: int) -> Scenario:
    """The sessions of a file, from the first arrival to the last departure.

    Args:
        path: of the file.
        at_work: play them at the workplace's garage and tariff instead of the homes'.
        pods: how many, at least 1.
        seed: the same seed is the same play.

    Raises:
        SessionsError: the file is not what it should be.
        DataError: no prices can be joined.
    """
    default = datasets.CALIFORNIA if at_work else datasets.TEXAS
    sessions = read(path, default)
    start = min(each.arrives_at for each in sessions.rows) // HOUR * HOUR
    end = -(-max(each.leaves_at for each in sessions.rows) // HOUR) * HOUR
    day = local_time(start, sessions.zone).date()
    days = (local_time(end, sessions.zone).date() - day).days + 1
    vehicles = len({each.vehicle for each in sessions.rows})
    where = _workplace(day, sessions) if at_work else _homes(day, days, vehicles, sessions)
    capacities: dict[str, int] = {}
    stays = tuple(_stays(sessions, vehicles, seed, capacities, at_work=at_work))
    enrolled = enrolment.enrol(stays, capacities, sessions.zone, seed)
    return Scenario(
        name=f"the sessions of {path.name}",
        seed=seed,
        zone=sessions.zone,
        start=start,
        end=end,
        days=days,
        vehicles=enrolled,
        nodes=enrolment.nodes(enrolled),
        stays=stays,
        sites=where.sites,
        tariffs=(where.tariff,),
        policy=where.policy,
        submissions=submissions(pods, start),
        sleepers=homes.sleepers([vehicle.name for vehicle in enrolled], seed),
        lost_link=LostLink(start + (end - start) // 2 + 12 * MINUTE, 50 * MINUTE),
        house_watts={site.name: where.house for site in where.sites},
        carbon=datasets.caiso_carbon().joined(day, days),
        prices_say=where.prices_say,
        assumptions=(*ASSUMED, *where.assumed, *enrolment.ASSUMED),
        attributions=(datasets.HOME_PROFILE, *where.owed, datasets.CAISO_CARBON),
    )


def _homes(day: date, days: int, vehicles: int, sessions: Sessions) -> _Place:
    return _Place(
        sites=homes.garages(vehicles, sessions.zone),
        tariff=homes.day_ahead(day, days, sessions.zone),
        policy=homes.home_policy(),
        house=homes.HOUSE_WATTS,
        prices_say=datasets.ercot_prices().joined(day, days).says(days),
        assumed=(homes.PRICES_ASSUMED, homes.GARAGES_ASSUMED),
        owed=(datasets.ERCOT_PRICES,),
    )


def _workplace(day: date, sessions: Sessions) -> _Place:
    return _Place(
        sites=(workplace.garage(sessions.zone),),
        tariff=workplace.time_of_use(day, sessions.zone),
        policy=workplace.workplace_policy(),
        house=workplace.HOUSE_WATTS,
        prices_say=workplace.PRICES_SAY,
        assumed=(workplace.TARIFF_ASSUMED, workplace.GARAGE_ASSUMED),
        owed=(datasets.SCE_TARIFF,),
    )


def _stays(
    sessions: Sessions, vehicles: int, seed: int, capacities: dict[str, int], *, at_work: bool
) -> Iterator[Stay]:
    names: dict[str, str] = {}
    for session in sessions.rows:
        if session.vehicle not in names:
            names[session.vehicle] = _name(session.vehicle, seed, capacities)
            capacities[names[session.vehicle]] = 0
        index = list(names).index(session.vehicle)
        place = (workplace.SITE, "row-" + "ab"[index % 2])
        if not at_work:
            place = homes.place(index, vehicles)
        yield _stay(session, names[session.vehicle], place, seed, capacities)


def _name(vehicle: str, seed: int, taken: dict[str, int]) -> str:
    """A pseudonym: what a file calls a car may be its number plate."""
    chance = enrolment.dice(seed, "own", vehicle)
    name = f"v-{chance.getrandbits(24):06x}"
    while name in taken:
        name = f"v-{chance.getrandbits(24):06x}"
    return name


def _stay(
    session: Session, name: str, place: tuple[str, str], seed: int, capacities: dict[str, int]
) -> Stay:
    profile = HomeProfile()
    same = enrolment.dice(seed, "battery", session.vehicle)
    chance = enrolment.dice(seed, "own", session.vehicle, session.arrives_at)
    kwh = session.capacity_kwh or profile.quantity("battery_capacity_kwh_quantiles", same)
    power = session.charge_power_kw or profile.quantity("charge_power_kw_quantiles", same)
    capacity = capacities[name] = round(kwh * 1_000)
    arrival, full = _charge(session, capacity, profile, chance)
    return Stay(
        vehicle=name,
        site=place[0],
        circuit=place[1],
        arrives_at=session.arrives_at,
        leaves_at=session.leaves_at,
        stated_leave_at=-(-(session.stated_leave_at or session.leaves_at) // MINUTE) * MINUTE,
        notice_at=None,
        boards_at=max(session.arrives_at, session.leaves_at - chance.randint(30, 150) * SECOND),
        arrival_watt_hours=arrival,
        full_watt_hours=full,
        charge_power_watts=round(power * 1_000),
        limit_watts=max(homes.LIMIT_WATTS, round(power * 1_000)),
    )


def _charge(
    session: Session, capacity: int, profile: HomeProfile, chance: Random
) -> tuple[float, float]:
    """Watt-hours on arrival, and where charging ends."""
    percent = session.arrival_percent
    gained = None if session.energy_kwh is None else session.energy_kwh * 1_000 * CHARGE_EFFICIENCY
    if percent is None:
        percent = profile.quantity("state_of_charge_start_percent_quantiles", chance)
        if gained is not None:
            percent = max(0.0, min(percent, 100 - 100 * gained / capacity))
    arrival = capacity * percent / 100
    return arrival, float(capacity) if gained is None else min(float(capacity), arrival + gained)
