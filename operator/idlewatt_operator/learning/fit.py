"""Which distributions are worth telling apart, found on stays that were left out.

Stays are cut into five parts in order of time. What the other four teach is asked about each; a
site is told apart by hour, and by weekday, only where that answered better by a hundredth at
least, and a vehicle only where it did so for that vehicle.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from idlewatt_operator.learning.asking import (
    Questions,
    from_reached,
    learned_seconds,
    merged,
    on_arrival,
    pinball_seconds,
    reached_percent,
    while_there,
)
from idlewatt_operator.learning.past import Columns, Floats, Ints
from idlewatt_operator.learning.pooling import Keys, Pool
from idlewatt_operator.resources.departures import Level
from idlewatt_scheduler.model.units import HOUR, SECOND

MISS_PERCENTS: Final = (1, 5, 10, 20)
"""What is asked while fitting and checking."""

PARTS: Final = 5
WORTH: Final = 0.01
"""By how much of the loss a level must be better than the one above it."""

VEHICLE_STAYS_LEAST: Final = 20
"""A vehicle with fewer has no distribution of its own."""

ENTRY_STAYS_LEAST: Final = 3.0
"""Neighbouring hours and days counted by their weight; an entry of fewer tells nothing new."""

LEVELS: Final[tuple[Level, Level, Level]] = ("all", "hour", "hour and weekday")
_EVERY_SECONDS: Final = HOUR / SECOND


@dataclass(frozen=True, slots=True)
class Chosen:
    """A distribution that is told.

    Attributes:
        keys: whose.
        points: its quantiles.
        stays: how many have just these keys.
        gain: by how many seconds of loss it was better than its parent on stays left out, summed.
    """

    keys: Keys
    points: Floats
    stays: int
    gain: float


@dataclass(frozen=True, slots=True)
class SiteChoice:
    """How far a site is told apart.

    Attributes:
        site: its number.
        level: one of `LEVELS`.
        vehicles: numbers of those with distributions of their own.
    """

    site: int
    level: Level
    vehicles: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Fit:
    """All that was learned of one kind."""

    stays: Columns
    sites: tuple[SiteChoice, ...]
    everywhere_by_hour: bool
    chosen: tuple[Chosen, ...]


def fit(stays: Columns) -> Fit:
    """Learn from stays of one kind; from none, nothing."""
    if not len(stays):
        return Fit(stays, (), everywhere_by_hour=False, chosen=())
    losses = _Losses(stays)
    pool = Pool(stays)
    by_hour = len(stays.sites) > 1 and _sites_share_hours(stays)
    chosen = list(_everywhere(pool, stays, by_hour=by_hour))
    sites = []
    for site in range(len(stays.sites)):
        choice = _choose(losses, stays, site)
        sites.append(choice)
        chosen.extend(_of_site(pool, losses, stays, choice))
    return Fit(stays, tuple(sites), by_hour, tuple(chosen))


class _Losses:
    """The loss of every stay under each set of keys, learned from the other parts.

    Asked are its arrival and every full hour that it stood there, these together as much.
    """

    def __init__(self, stays: Columns) -> None:
        self._part = np.arange(len(stays)) * PARTS // max(1, len(stays))
        self._pools = [Pool(stays.where(self._part != part)) for part in range(PARTS)]
        standing = while_there(stays, _EVERY_SECONDS)
        self._asked = merged(on_arrival(stays), standing)
        self._counts = np.bincount(self._asked.stay, minlength=len(stays)).astype(np.int64)
        self._starts = np.cumsum(self._counts) - self._counts
        self._weights = 1.0 / np.maximum(1.0, self._counts[self._asked.stay] - 1.0)
        self._weights[self._starts] = 1.0
        self._known: dict[tuple[Keys, bytes], Floats] = {}

    def of(self, keys: Keys, rows: Ints) -> Floats:
        """The losses of these rows, all of which the keys tell."""
        known = self._known.get((keys, rows.tobytes()))
        if known is None:
            known = self._known[keys, rows.tobytes()] = self._of(keys, rows)
        return known

    def _of(self, keys: Keys, rows: Ints) -> Floats:
        losses = np.zeros(rows.size)
        for part, pool in enumerate(self._pools):
            mine = self._part[rows] == part
            if mine.any():
                losses[mine] = self._loss(pool.quantiles(keys), rows[mine])
        return losses

    def _loss(self, points: Floats, rows: Ints) -> Floats:
        counts = self._counts[rows]
        owner = np.repeat(np.arange(rows.size), counts)
        nth = np.arange(owner.size) - np.repeat(np.cumsum(counts) - counts, counts)
        picked = self._starts[rows][owner] + nth
        asked = self._asked.where(picked)
        reached = reached_percent(points, asked)
        total = np.zeros(owner.size)
        for percent in MISS_PERCENTS:
            answers = from_reached(points, asked, reached, percent)
            total += pinball_seconds(answers, asked, percent)
        summed = np.bincount(owner, total * self._weights[picked], minlength=rows.size)
        return np.asarray(summed / len(MISS_PERCENTS), dtype=np.float64)


def cells(stays: Columns, rows: Ints, site: int, level: Level) -> Iterator[tuple[Keys, Ints]]:
    """The rows of a site, told apart as far as the level does."""
    if level == LEVELS[0]:
        yield Keys(site=site), rows
        return
    for hour in np.unique(stays.hour[rows]):
        of_hour = rows[stays.hour[rows] == hour]
        if level == LEVELS[1]:
            yield Keys(site=site, hour=int(hour)), of_hour
            continue
        for weekday in np.unique(stays.weekday[of_hour]):
            keys = Keys(site=site, hour=int(hour), weekday=int(weekday))
            yield keys, of_hour[stays.weekday[of_hour] == weekday]


def _level_losses(losses: _Losses, stays: Columns, site: int, level: Level) -> Floats:
    """Of every stay of the site, in order of its rows."""
    rows = np.flatnonzero(stays.site == site)
    found = np.zeros(len(stays))
    for keys, of_cell in cells(stays, rows, site, level):
        found[of_cell] = losses.of(keys, of_cell)
    return found[rows]


def _choose(losses: _Losses, stays: Columns, site: int) -> SiteChoice:
    level, best = LEVELS[0], _level_losses(losses, stays, site, LEVELS[0]).sum()
    for finer in LEVELS[1:]:
        loss = _level_losses(losses, stays, site, finer).sum()
        if loss < best * (1.0 - WORTH):
            level, best = finer, loss
    return SiteChoice(site, level, tuple(_vehicles(losses, stays, site, level)))


def _vehicles(losses: _Losses, stays: Columns, site: int, level: Level) -> Iterator[int]:
    for vehicle in np.unique(stays.vehicle[stays.site == site]):
        rows = np.flatnonzero((stays.site == site) & (stays.vehicle == vehicle))
        if vehicle < 0 or rows.size < VEHICLE_STAYS_LEAST:
            continue
        gained = sum(
            float((losses.of(keys, own) - losses.of(_with(keys, int(vehicle)), own)).sum())
            for keys, own in cells(stays, rows, site, level)
        )
        if gained > 0:
            yield int(vehicle)


def _with(keys: Keys, vehicle: int) -> Keys:
    return Keys(keys.site, vehicle, keys.hour, keys.weekday)


def _everywhere(pool: Pool, stays: Columns, *, by_hour: bool) -> Iterator[Chosen]:
    yield Chosen(Keys(), pool.quantiles(Keys()), len(stays), np.inf)
    if by_hour:
        for hour in np.unique(stays.hour):
            keys = Keys(hour=int(hour))
            yield Chosen(keys, pool.quantiles(keys), int((stays.hour == hour).sum()), np.inf)


def _of_site(pool: Pool, losses: _Losses, stays: Columns, choice: SiteChoice) -> Iterator[Chosen]:
    site, rows = choice.site, np.flatnonzero(stays.site == choice.site)
    yield Chosen(Keys(site=site), pool.quantiles(Keys(site=site)), rows.size, np.inf)
    for level in LEVELS[1 : LEVELS.index(choice.level) + 1]:
        for keys, own in cells(stays, rows, site, level):
            parent = Keys(site, hour=keys.hour if keys.weekday is not None else None)
            gain = float((losses.of(parent, own) - losses.of(keys, own)).sum())
            if pool.own(keys) >= ENTRY_STAYS_LEAST:
                yield Chosen(keys, pool.quantiles(keys), own.size, gain)
    for vehicle in choice.vehicles:
        theirs = rows[stays.vehicle[rows] == vehicle]
        for parent, own in cells(stays, theirs, site, choice.level):
            keys = _with(parent, vehicle)
            gain = float((losses.of(parent, own) - losses.of(keys, own)).sum())
            if pool.own(keys) >= ENTRY_STAYS_LEAST:
                yield Chosen(keys, pool.quantiles(keys), own.size, gain)


def _sites_share_hours(stays: Columns) -> bool:
    """Whether a site that is left out is told better by the hours of the other sites."""
    plain = by_hour = 0.0
    for site in range(len(stays.sites)):
        pool = Pool(stays.where(stays.site != site))
        rows: Ints = np.flatnonzero(stays.site == site)
        asked = on_arrival(stays.where(rows))
        hours = stays.hour[rows]
        plain += _mean_loss(pool.quantiles(Keys()), asked)
        for hour in np.unique(hours):
            of_hour = np.flatnonzero(hours == hour)
            points = pool.quantiles(Keys(hour=int(hour)))
            by_hour += _mean_loss(points, asked.where(of_hour)) * of_hour.size / rows.size
    return by_hour < plain * (1.0 - WORTH)


def _mean_loss(points: Floats, asked: Questions) -> float:
    answers = (learned_seconds(points, asked, percent) for percent in MISS_PERCENTS)
    costs = [
        pinball_seconds(answer, asked, percent).mean()
        for answer, percent in zip(answers, MISS_PERCENTS, strict=True)
    ]
    return float(np.mean(costs))
