"""Tables drawn at random, for kernels that are to be tried before or without a whole snapshot.

They have the shape of a fleet: twenty kinds of computers, energy and rates that make every vehicle
its own class, sites of two levels of circuits of which a third bind, pods of skewed sizes, counts
and priorities, some of them in gangs, some spread. They are assumptions, not data.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from idlewatt_scheduler.tables.layout import (
    PLENTY,
    Floats,
    Indices,
    Ints,
    Offered,
    Pairs,
    Rooms,
    Spreads,
    Tables,
    Wanted,
)

Supply = Literal["ample", "tight", "scarce"]

RESOURCES = ("cpu", "memory", "nvidia.com/gpu", "pods")
HOUR = 3_600_000
KINDS = 20
PODS_ON_A_VEHICLE = {"ample": 3.0, "tight": 1.3, "scarce": 1.9}
"""About how many pods of the mean size a vehicle takes; with so many a vehicle, supply is such."""


@dataclass(frozen=True, slots=True)
class Size:
    """How much of everything there is.

    Attributes:
        compatible: the share of templates that a vehicle may take.
        binding: the share of circuits that are short.
        gangs, spread: the share of templates in a gang, with a spread constraint.
    """

    vehicles: int = 1_000
    pods: int = 1_000
    templates: int = 150
    vehicles_per_site: int = 25
    compatible: float = 0.7
    binding: float = 1 / 3
    gangs: float = 0.1
    spread: float = 0.1
    supply: Supply = "ample"


def random_tables(seed: int, size: Size) -> Tables:
    """Tables of this size; the same seed and size give the same."""
    rng = np.random.default_rng(seed)
    free, watts, offered = _offered(rng, size)
    wanted, stays = _wanted(rng, size, free, watts)
    pairs = _pairs(rng, size, offered, wanted, stays)
    site = rng.integers(0, max(1, size.vehicles // size.vehicles_per_site), size.vehicles)
    rooms = _rooms(rng, size, offered, site)
    return Tables(
        RESOURCES,
        wanted,
        offered,
        pairs,
        rooms,
        _spreads(rng, size, site),
        0,
        site.astype(np.int32),
        tuple(f"site-{index:04d}" for index in range(int(site.max(initial=0)) + 1)),
    )


def _offered(rng: np.random.Generator, size: Size) -> tuple[Ints, Ints, Offered]:
    vehicles = size.vehicles
    kind = rng.integers(0, KINDS, vehicles)
    cpu = rng.choice([8, 16, 24, 32, 64], KINDS)
    kinds = np.stack(
        [
            cpu * 1_000,
            cpu * rng.choice([2, 4, 8], KINDS) * 2**30 * 1_000,
            rng.choice([0, 1, 1, 2], KINDS) * 1_000,
            np.full(KINDS, 110_000),
        ],
        axis=1,
    ).astype(np.int64)
    watts = (cpu * 25 + rng.integers(100, 400, KINDS)).astype(np.int64)[kind] * 1_000
    free = kinds[kind]
    free[:, 0] -= rng.integers(0, 8, vehicles) * 100
    free[:, 3] -= rng.integers(2, 8, vehicles) * 1_000
    plugged = rng.random(vehicles) < 0.75
    on_battery = rng.random(vehicles) < 0.35
    hours = rng.uniform(1.5, 12, vehicles)
    asleep = rng.random(vehicles) < 0.3
    runs = rng.random(vehicles) < 0.1
    standby = rng.integers(30, 120, vehicles) * 1_000
    cap = np.where(plugged, rng.choice([3_700_000, 11_000_000, 22_000_000], vehicles), 0)
    charging = np.where(plugged, rng.choice([0, 0, 0, 3_000_000], vehicles), 0)
    offered = Offered(
        candidate=np.arange(vehicles, dtype=np.int32),
        free=free,
        power=watts - np.where(runs, 100_000, 0),
        energy=np.where(
            on_battery, (rng.uniform(0.3, 30, vehicles) * 1e6 * HOUR).astype(np.int64), PLENTY
        ),
        start=np.where(asleep, 60_000, 0).astype(np.int64),
        departure=(hours * HOUR).astype(np.int64),
        opening=np.where(asleep, rng.uniform(0.004, 0.012, vehicles), 0.0),
        fallible=np.zeros(vehicles, np.bool_),
        base=np.where(runs, 100_000 + standby, 0).astype(np.int64),
        standby=np.where(runs, 0, standby).astype(np.int64),
        cap=cap.astype(np.int64),
        charging=np.minimum(charging, cap).astype(np.int64),
        efficiency_percent=rng.integers(85, 96, vehicles).astype(np.int64),
        lone_from=np.where(asleep, 60_000, 0).astype(np.int64),
        lone_power=np.where(runs, 0, standby).astype(np.int64),
    )
    return free, watts, offered


def _wanted(
    rng: np.random.Generator, size: Size, free: Ints, watts: Ints
) -> tuple[Wanted, tuple[Floats, Floats]]:
    """The pods; what share of a computer's watts one takes, and for how many hours."""
    templates = size.templates
    sizes = rng.lognormal(0, 0.7, templates)
    share = 1 / PODS_ON_A_VEHICLE[size.supply] * sizes / sizes.mean()
    share = np.clip(share, 0.02, 0.95)
    mean = free.mean(axis=0)
    request = np.zeros((templates, len(RESOURCES)), np.int64)
    request[:, 0] = np.ceil(share * mean[0] * rng.uniform(0.4, 1.3, templates) / 100) * 100
    memory = share * mean[1] * rng.uniform(0.2, 1.2, templates)
    request[:, 1] = np.ceil(memory / 2**28 / 1_000).astype(np.int64) * 2**28 * 1_000
    request[:, 2] = np.where(rng.random(templates) < 0.3, 1_000, 0)
    request[:, 3] = 1_000
    popular = 1 / np.arange(1, templates + 1) ** 0.8
    rng.shuffle(popular)
    count = np.maximum(1, np.floor(popular / popular.sum() * size.pods)).astype(np.int64)
    count[int(np.argmax(count))] += max(0, size.pods - int(count.sum()))
    priority = np.sort(rng.choice([0, 100, 1_000, 10_000], templates, p=[0.5, 0.25, 0.15, 0.1]))
    priority = priority[::-1]
    _, rank = np.unique(priority, return_inverse=True)
    gang, needs = _gangs(rng, size, count)
    wanted = Wanted(count, 16 ** rank.astype(np.int64), priority.copy(), request, gang, needs)
    power = share * float(watts.mean()) * rng.uniform(0.3, 1.1, templates)
    return wanted, (power, rng.choice([0.5, 1, 1, 1, 2, 3, 4.5, 6], templates))


def _gangs(rng: np.random.Generator, size: Size, count: Ints) -> tuple[Indices, Ints]:
    gang = np.full(len(count), -1, np.int32)
    chosen = np.flatnonzero((rng.random(len(count)) < size.gangs) & (count > 1))
    gang[chosen] = np.arange(len(chosen), dtype=np.int32)
    needs = np.minimum(count[chosen], rng.integers(2, 33, len(chosen)))
    return gang, needs.astype(np.int64)


def _pairs(
    rng: np.random.Generator,
    size: Size,
    offered: Offered,
    wanted: Wanted,
    stays: tuple[Floats, Floats],
) -> Pairs:
    watts, hours = stays
    vehicles, templates = size.vehicles, size.templates
    regions = rng.integers(0, 12, vehicles)
    welcome = rng.random((12, templates)) < size.compatible
    power = np.broadcast_to(np.floor(watts).astype(np.int64), (vehicles, templates))
    until = offered.start[:, None] + (hours * HOUR).astype(np.int64)
    until = until + rng.integers(0, 400_000, (vehicles, 1))
    length = until - offered.start[:, None]
    energy, stay_energy = power * length, offered.standby[:, None] * length
    limits = [
        offered.free[:, None, resource] // np.maximum(request, 1)
        for resource, request in enumerate(wanted.request.T)
    ]
    limits += [offered.power[:, None] // power]
    limits += [np.maximum(offered.energy[:, None] - stay_energy, 0) // energy]
    most = np.minimum(np.minimum.reduce(limits), wanted.count)
    allowed = welcome[regions] & (until + 300_000 <= offered.departure[:, None]) & (most > 0)
    template = np.nonzero(allowed)[1]
    per_hour = rng.uniform(0.05, 0.2, vehicles)[:, None] * length / HOUR
    per_energy = rng.uniform(0.15, 0.45, vehicles)[:, None] / (1e6 * HOUR)
    stay_cost = per_hour * (offered.base == 0)[:, None] + stay_energy * per_energy
    cost = energy * per_energy
    first = np.concatenate([[0], np.cumsum(allowed.sum(axis=1))]).astype(np.int64)
    return Pairs(
        first=first,
        template=template.astype(np.int32),
        power=power[allowed].astype(np.int32),
        until=until[allowed].astype(np.int32),
        most=most[allowed].astype(np.int32),
        cost=cost[allowed].astype(np.float32),
        stay_cost=stay_cost[allowed].astype(np.float32),
    )


def _rooms(rng: np.random.Generator, size: Size, offered: Offered, site: Ints) -> Rooms:
    """Each site has a main circuit and rows of about eight cars; each is a room or two in time."""
    vehicles = size.vehicles
    sites = int(site.max(initial=0)) + 1
    row = site * 4 + rng.integers(0, 4, vehicles)
    raise_of = (offered.cap > 0) * (offered.power + offered.standby) * 100
    raise_of //= offered.efficiency_percent
    keys: list[tuple[str, ...]] = []
    left: list[int] = []
    spans: list[tuple[int, int]] = []
    of_vehicle: list[list[int]] = [[] for _ in range(vehicles)]
    for level, circuit in (("main", site), ("row", row)):
        for index in range(sites * (1 if level == "main" else 4)):
            members = np.flatnonzero((circuit == index) & (offered.cap > 0))
            if not len(members):
                continue
            whole = int(raise_of[members].sum())
            tight = rng.random() < size.binding
            factor = rng.uniform(0.15, 0.7) if tight else rng.uniform(1.0, 3.0)
            cut = int(rng.uniform(0.5, 5) * HOUR)
            for span in ((0, cut), (cut, PLENTY)) if rng.random() < 0.5 else ((0, PLENTY),):
                for member in members:
                    of_vehicle[member].append(len(left))
                keys.append((f"site-{index if level == 'main' else index // 4:04d}", level))
                left.append(int(whole * factor * rng.uniform(0.8, 1.2)))
                spans.append(span)
    return _laid_out(keys, left, spans, of_vehicle)


def _laid_out(
    keys: Sequence[tuple[str, ...]],
    left: Sequence[int],
    spans: Sequence[tuple[int, int]],
    of_vehicle: Sequence[Sequence[int]],
) -> Rooms:
    spans_at = np.array(spans, np.int64).reshape(-1, 2)
    first = np.concatenate([[0], np.cumsum([len(loads) for loads in of_vehicle])])
    flat = [room for loads in of_vehicle for room in loads]
    return Rooms(
        key=tuple(keys),
        left=np.array(left, np.int64),
        start=spans_at[:, 0].copy(),
        end=spans_at[:, 1].copy(),
        instant=spans_at[:, 0] + 60_000,
        first=first.astype(np.int64),
        room=np.array(flat, np.int32),
        parts=np.ones(len(flat), np.int64),
    )


def _spreads(rng: np.random.Generator, size: Size, site: Ints) -> Spreads:
    """Half of the groups spread over sites, half over three zones of them."""
    chosen = np.flatnonzero(rng.random(size.templates) < size.spread)
    groups = len(chosen)
    subject = np.zeros((groups, size.templates), np.bool_)
    subject[np.arange(groups), chosen] = True
    sites = int(site.max(initial=0)) + 1
    domain = np.empty((groups, size.vehicles), np.int32)
    first = [0]
    for group in range(groups):
        numbers = site % 3 if group % 2 else site
        domain[group] = first[-1] + numbers
        first.append(first[-1] + (min(3, sites) if group % 2 else sites))
    return Spreads(
        subject=subject,
        counted=subject.copy(),
        domain=domain,
        first=np.array(first, np.int64),
        running=np.zeros(first[-1], np.int64),
        skew=rng.integers(1, 4, groups).astype(np.int64),
        floor_is_zero=np.zeros(groups, np.bool_),
    )
