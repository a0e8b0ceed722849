"""Stays that never were, for tests of what is learned from them."""

from datetime import datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

from idlewatt_operator.learning.past import PastStay

BERLIN = ZoneInfo("Europe/Berlin")
FIRST = datetime(2026, 1, 5, tzinfo=BERLIN)
"""A Monday."""


def a_stay(  # noqa: PLR0913 - a stay has as many sides
    day: int = 0,
    hour: int = 18,
    hours: float = 10.0,
    *,
    stated: float | None = None,
    site: str = "depot-7",
    vehicle: str | None = None,
) -> PastStay:
    """A car that came on a day after `FIRST`, stayed for hours, and had stated others."""
    arrived = FIRST + timedelta(days=day, hours=hour)
    return PastStay(
        line=2,
        site=site,
        vehicle=vehicle,
        arrived=arrived,
        stay_seconds=hours * 3_600,
        stated_seconds=None if stated is None else stated * 3_600,
    )


def nights(
    count: int, seed: int, *, site: str = "depot-7", habits: dict[str, float] | None = None
) -> list[PastStay]:
    """Evening arrivals that stay about ten hours, and noon arrivals that stay about two.

    Args:
        count: how many, four a day.
        seed: the same seed is the same stays.
        site: of all of them.
        habits: by how many hours longer a vehicle stays; each is as frequent.
    """
    chance, names = Random(seed), sorted(habits or {})  # noqa: S311
    found = []
    for number in range(count):
        vehicle = chance.choice(names) if names else None
        evening = number % 2 == 0
        usual = (10.0 if evening else 2.0) + (habits or {}).get(vehicle or "", 0.0)
        hours = max(0.1, chance.gauss(usual, 1.0 if evening else 0.3))
        hour = 18 if evening else 12
        found.append(a_stay(number // 4, hour, hours, site=site, vehicle=vehicle))
    return found


def words(count: int, seed: int) -> list[PastStay]:
    """Stays of which a time was stated, from one to ten hours; an even share of each is lost."""
    chance = Random(seed)  # noqa: S311
    found = []
    for number in range(count):
        stated = chance.uniform(1, 10)
        found.append(a_stay(number // 4, 8, stated * chance.uniform(0.01, 1), stated=stated))
    return found
