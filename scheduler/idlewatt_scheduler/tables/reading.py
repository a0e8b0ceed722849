"""Reads each vehicle that takes pods once: what it says, as whole numbers, and what it is paid."""

from bisect import bisect_right
from collections.abc import Hashable, Sequence
from typing import Any, Final, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from idlewatt_scheduler.candidates import Candidate, Fleet, Parked, start_of
from idlewatt_scheduler.energy import (
    MILLIWATT_MILLISECONDS_PER_PERCENT_WATT_HOUR,
    Source,
    Step,
    Stretch,
    consumed,
    power_at,
)
from idlewatt_scheduler.further.registry import held
from idlewatt_scheduler.model.units import Instant
from idlewatt_scheduler.prices import PriceLine
from idlewatt_scheduler.tables.layout import PLENTY, Floats, Ints
from idlewatt_scheduler.tallies import Tally, fleet_pays, tally_of

WATT = 1_000
FULL_PERCENT = 100
SOME = 100
MOST_POWER = 2**31 - 1
"""Milliwatts that a column of 32 bits holds: more than any vehicle has."""


Machine: TypeAlias = tuple[int, int, tuple[int, ...]]
"""The greatest power, milliwatts, the efficiency in percent, and what it has of each resource."""


INDICES = ("candidate", "machine", "holding", "region", "line", "loads", "site", "images")
AS_SAID = (
    "start",
    "departure",
    "efficiency_percent",
    "lone_from",
    "lone_power",
    "link_bits",
    "link_bytes",
)
TURNS = ("on_peak_from", "unknown_from", "unpriced_from")
SAID = (
    *INDICES[1:],
    "no_window",
    "attested",
    *AS_SAID,
    "turns",
    "most_power",
    "plugged",
    "loading",
    "cap",
    "charging",
    "on_grid",
    "charging_reported",
    "percent_watt_hours",
    "charge_percent",
    "reserve_percent",
    "departure_percent",
    "base",
    "runs",
    "base_then",
    "pods_then",
    "runs_then",
    "spent",
    "is_charged",
    "charge_now",
    "charge_ever",
    "charging_least",
    "charging_most",
    "credit_to_departure",
    "credit_to_start",
)
MONEY = ("dc_money", "ac_money", "tariff_money", "stay_money", "fee_money", "opening")
_NOTHING_RUNS = (0, 0, 0, 0, 0, 0)


class Reading:
    """Reads vehicles one after the other; what several have in common gets a number once."""

    def __init__(self, fleet: Fleet, resources: tuple[str, ...], images: frozenset[str]) -> None:
        self._at, self._resources, self._images = fleet.snapshot.at, resources, images
        self._asks_of_prices = fleet.snapshot.policy.off_peak.asks_anything
        self.machines: dict[Machine, int] = {}
        self.holdings: dict[tuple[int, tuple[int, ...]], int] = {}
        self.regions: dict[str | None, int] = {}
        self.load_sets: dict[tuple[tuple[tuple[str, ...], int], ...], int] = {}
        self.sites: dict[str, int] = {}
        self.image_sets: dict[frozenset[str], int] = {frozenset(): 0}
        self.lines: list[PriceLine] = []
        self.turns: list[tuple[int, int, int]] = []
        self._line_number: dict[int, int] = {}
        self._turn_number: dict[tuple[int, Instant, bool], int] = {}
        self._read: list[tuple[Candidate, Tally | None]] = []
        self._said: Ints = np.zeros((0, len(SAID)), np.int64)
        self._paid: Floats = np.zeros((0, len(MONEY)), np.float64)
        self._since: Ints = np.zeros(0, np.int64)

    @property
    def about(self) -> Hashable:
        """All that is the same for every vehicle: readings about the same may be kept."""
        return self._at, self._resources, self._images, self._asks_of_prices

    def rows(
        self, chosen: Sequence[tuple[Candidate, Parked]]
    ) -> tuple[Ints, Floats, Ints, tuple[Tally | None, ...]]:
        """What vehicles say, what they are paid, from when on fees are due, and by what tally.

        A row each. Who was read before and is the same object is not read again.
        """
        known = {id(candidate): row for row, (candidate, _) in enumerate(self._read)}
        fresh = [each for each in chosen if id(each[0]) not in known]
        tallies = [tally_of(candidate) for candidate, _ in fresh]
        known.update((id(each), row) for row, (each, _) in enumerate(fresh, len(self._read)))
        every = [
            *self._read,
            *((each, tally) for (each, _), tally in zip(fresh, tallies, strict=True)),
        ]
        rows = np.array([known[id(candidate)] for candidate, _ in chosen], np.int64)
        said = [self.row(candidate, parked) for candidate, parked in fresh]
        paid = [_money(tally) for tally in tallies]
        since = [PLENTY if t is None else _within(t.connection_from - self._at) for t in tallies]
        self._said = _with_rows(self._said, said)[rows]
        self._paid = _with_rows(self._paid, paid)[rows]
        self._since = np.append(self._since, np.array(since, np.int64))[rows]
        self._read = [every[row] for row in rows.tolist()]
        return self._said, self._paid, self._since, tuple([tally for _, tally in self._read])

    def row(self, candidate: Candidate, parked: Parked) -> tuple[int, ...]:
        """What a vehicle says, in the order of `SAID`."""
        at, vehicle, figures, site = self._at, parked.vehicle, parked.electrics, parked.case.site
        compute, battery, link = vehicle.compute, vehicle.battery, vehicle.link
        start = start_of(candidate, at)
        machine, holding = self._resources_of(candidate, parked)
        loading = figures.plugged and bool(parked.loads)
        leaves, observed = parked.departure, vehicle.observed.battery
        limit = link.monthly_limit_bytes if link.metered else None
        lone = max(start, parked.base[-1].end) - at if parked.base else start - at
        return (
            machine,
            holding,
            self.region_of(parked),
            self._line(parked.prices),
            _number(self.load_sets, parked.loads if loading else ()),
            -1 if site is None else _number(self.sites, site.name),
            self._listed(candidate),
            leaves is None,
            vehicle.attested,
            start - at,
            0 if leaves is None else leaves - at,
            figures.efficiency_percent,
            _within(lone),
            figures.standby,
            link.downlink_bits_per_second or 0,
            PLENTY if limit is None else limit - vehicle.used_this_month_bytes,
            self._price_turns(parked, start),
            WATT * compute.max_power_watts,
            figures.plugged,
            loading,
            figures.cap,
            figures.charging,
            figures.source is Source.GRID,
            figures.charging_reported,
            battery.net_capacity_watt_hours * MILLIWATT_MILLISECONDS_PER_PERCENT_WATT_HOUR,
            (observed.state_of_charge_percent or 0) if observed else 0,
            battery.reserve_percent,
            battery.departure_percent,
            *(_running(parked, at, start) if parked.base else _NOTHING_RUNS),
            *_charged(parked, at, start),
        )

    def _resources_of(self, candidate: Candidate, parked: Parked) -> tuple[int, int]:
        machine, used = self.machine_of(candidate, parked), candidate.used
        taken = tuple([min(used.get(name, 0), PLENTY) for name in self._resources])
        return machine, _number(self.holdings, (machine, taken))

    def machine_of(self, candidate: Candidate, parked: Parked) -> int:
        """Which machine it has."""
        capacity = candidate.capacity
        whole = tuple(
            [
                min(capacity[name] if name in capacity else held(name, candidate.node), PLENTY)
                for name in self._resources
            ]
        )
        most_power = WATT * parked.vehicle.compute.max_power_watts
        return _number(self.machines, (most_power, parked.electrics.efficiency_percent, whole))

    def region_of(self, parked: Parked) -> int:
        """Which region it is in."""
        site = parked.case.site
        return _number(self.regions, site.region if site else None)

    def _listed(self, candidate: Candidate) -> int:
        """Which of the images asked for its Node lists."""
        node = candidate.node
        if node is None or node.images.isdisjoint(self._images):
            return 0
        return _number(self.image_sets, node.images & self._images)

    def _line(self, prices: PriceLine | None) -> int:
        if prices is None:
            return -1
        found = self._line_number.get(id(prices))
        if found is None:
            found = self._line_number[id(prices)] = len(self.lines)
            self.lines.append(prices)
        return found

    def _price_turns(self, parked: Parked, start: Instant) -> int:
        """Which `turns`: the first instants on peak, unknown, and unpriced where that is asked."""
        prices, at = parked.prices, self._at
        pays = fleet_pays(parked)
        key = id(prices), start, pays
        found = self._turn_number.get(key)
        if found is None:
            never = at + PLENTY
            if prices is None:
                on_peak, unknown = never, start if self._asks_of_prices else never
                unpriced = start - 1
            else:
                on_peak, unknown, unpriced = _first_turns(prices, start)
            unpriced = unpriced if pays else never
            found = self._turn_number[key] = len(self.turns)
            self.turns.append(
                (_within(on_peak - at), _within(unknown - at), _within(unpriced - at))
            )
        return found


_KEPT: Final[list[Reading]] = []
"""The last reading of vehicles that take pods, one at the most."""


def reading_of(asked: Reading, number: int) -> Reading:
    """The last one if it is about the same, and not full of what is no more."""
    if not _KEPT or _KEPT[0].about != asked.about or len(_KEPT[0].holdings) > 2 * number + SOME:
        _KEPT[:] = [asked]
    return _KEPT[0]


def forget() -> None:
    """Let go of the last reading, as if no vehicle had been read yet."""
    _KEPT.clear()


def _money(tally: Tally | None) -> tuple[float, ...]:
    """Its rates, in the order of `MONEY`."""
    if tally is None:
        return (0.0,) * len(MONEY)
    scale = tally.scale
    on_battery = tally.battery is not None
    return (
        (tally.wear + (tally.battery or 0)) / scale,
        0.0 if on_battery else (tally.energy or 0) / scale,
        0.0 if on_battery else tally.tariff / scale,
        tally.availability / scale,
        tally.connection / scale,
        tally.waking / scale,
    )


def _with_rows(above: NDArray[Any], rows: Sequence[Sequence[float]]) -> NDArray[Any]:
    """A table, and more rows below."""
    return np.concatenate([above, np.array(rows, above.dtype).reshape(-1, above.shape[1])])


_Thing = TypeVar("_Thing", bound=Hashable)


def _number(known: dict[_Thing, int], thing: _Thing) -> int:
    found = known.get(thing)
    if found is None:
        found = known[thing] = len(known)
    return found


def _within(amount: int) -> int:
    """An amount that fits the columns: what is beyond `PLENTY` is as good as endless."""
    return max(min(amount, PLENTY), -PLENTY)


def _first_turns(prices: PriceLine, start: Instant) -> tuple[Instant, Instant, Instant]:
    line, judged = prices.timeline, prices.judgement
    index = line.index(start)

    def first(before: Sequence[int]) -> Instant:
        """The start of the first step of which this counts one, `start` at the earliest."""
        step = bisect_right(before, before[index]) - 1
        return max(line.starts[step], start) if step < len(line.starts) else start + PLENTY

    unpriced = next(
        (step for step in range(index, len(line.starts)) if line.prices[step] is None), None
    )
    priceless = start + PLENTY if unpriced is None else max(line.starts[unpriced], start)
    return first(judged.on_peak), first(judged.unknown), priceless


def _running(parked: Parked, at: Instant, start: Instant) -> tuple[int, int, int, int, int, int]:
    """What runs at the plan's time, when new pods would start, and takes up to the departure."""
    now, then = _step_at(parked.base, at), _step_at(parked.base, start)
    on_battery = parked.electrics.source is not Source.GRID and parked.departure is not None
    return (
        now.computing if now else 0,
        now is not None,
        then.computing if then else 0,
        then.pods if then else 0,
        then is not None,
        consumed(parked.base, parked.departure) if on_battery and parked.departure else 0,
    )


def _step_at(line: Sequence[Step], instant: Instant) -> Step | None:
    return next((step for step in line if step.start <= instant < step.end), None)


def _charged(parked: Parked, at: Instant, start: Instant) -> tuple[int, ...]:
    """Of a car that follows our profile: what charges it when, and what that is relied on for."""
    charging = parked.charging
    if charging is None:
        return (0, 0, 0, 0, 0, -1, -1)
    leaves = at + 1 if parked.departure is None else parked.departure
    ever = [piece.power for piece in charging.new if piece.end > start and piece.start < leaves]
    # By how much new pods raise its draw depends on what charges it meanwhile.
    meanwhile = [power_at(charging.most, at)]
    meanwhile += [piece.power for piece in charging.most if at < piece.start < leaves]
    return (
        1,
        power_at(charging.new, start),
        max(ever, default=0),
        min(meanwhile),
        max((piece.power for piece in charging.most), default=0),
        _credit(parked, charging.least, leaves) if charging.least else -1,
        _credit(parked, charging.least, start) if charging.least else -1,
    )


def _credit(parked: Parked, least: Sequence[Stretch], until: Instant) -> int:
    """What a controlled car's charging is relied upon to bring, hundredths of a mW ms."""
    return parked.vehicle.charge_efficiency_percent * sum(
        piece.power // WATT * WATT * (min(piece.end, until) - piece.start)
        for piece in least
        if piece.start < until
    )
