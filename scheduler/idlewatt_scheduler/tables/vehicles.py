"""Each vehicle that takes pods as a row of numbers, read from the fleet once."""

from bisect import bisect_right
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, TypeAlias, TypeVar

import numpy as np

from idlewatt_scheduler.candidates import Candidate, Fleet, Parked, start_of
from idlewatt_scheduler.energy import (
    MILLIWATT_MILLISECONDS_PER_PERCENT_WATT_HOUR,
    Source,
    Step,
    Stretch,
    consumed,
    power_at,
)
from idlewatt_scheduler.model.units import Instant
from idlewatt_scheduler.prices import PriceLine
from idlewatt_scheduler.tables.layout import PLENTY, Flags, Floats, Indices, Ints
from idlewatt_scheduler.tallies import Tally, fleet_pays, tally_of

WATT = 1_000
FULL_PERCENT = 100
MOST_POWER = 2**31 - 1
"""Milliwatts that a column of 32 bits holds: more than any vehicle has."""


Machine: TypeAlias = tuple[int, int, tuple[int, ...]]
"""The greatest power, milliwatts, the efficiency in percent, and what it has of each resource."""


@dataclass(frozen=True, slots=True)
class Vehicles:
    """The vehicles that no vehicle clause keeps pods away from; a row each, in the fleet's order.

    Instants are milliseconds from the plan's time; what is not limited is `PLENTY`. What is in
    `Offered` too means the same here.

    Attributes:
        candidate: its index among the fleet's candidates.
        parked: the vehicles themselves.
        machine: which of `machines` it has.
        holding: which of `holdings` it has: a machine, and what is requested of it already.
        on_battery: int64, the rows of those that take their energy from the battery.
        no_window: no parking window is open.
        departure: when it leaves; 0 where no window is open.
        power: may be negative: then not even a pod without power fits.
        own_power, charge_power: of that, the computer and the plug; and what leaves charging alone.
        sure_charge_power: the latter so that charging is left alone at any later time, too.
        energy: likewise.
        reserve: what new pods may take from the battery before the reserve is touched, as `energy`.
        spared: charge is under the reserve, whatever is placed.
        link_bits: per second; 0 where that is not known.
        link_bytes: what may be fetched this month.
        on_peak_from, unknown_from: the first instants from `start` on that are so.
        unpriced_from: the same of instants without a price, where the fleet pays.
        region, line, loads, site: indices into `regions`, `lines`, `load_sets`, `sites`; -1: none.
        images: which images its Node lists, of those that are asked for; `listed` says of each
            image, as bool, which of these contain it.
        dc_money, ac_money: per milliwatt-millisecond; tariff_money: per milliwatt AC and integral
            of the price over time.
        stay_money: per millisecond of being alone there, standby aside.
        fee_money, fee_from: per millisecond plugged, from then on.
        opening: money for one waking.
    """

    candidate: Indices
    parked: tuple[Parked, ...]
    machine: Indices
    holding: Indices
    machines: tuple[Machine, ...]
    holdings: tuple[tuple[int, tuple[int, ...]], ...]
    on_battery: Ints
    no_window: Flags
    attested: Flags
    fallible: Flags
    start: Ints
    departure: Ints
    power: Ints
    own_power: Ints
    charge_power: Ints
    sure_charge_power: Ints
    energy: Ints
    reserve: Ints
    spared: Flags
    base: Ints
    standby: Ints
    cap: Ints
    charging: Ints
    efficiency_percent: Ints
    lone_from: Ints
    lone_power: Ints
    link_bits: Ints
    link_bytes: Ints
    on_peak_from: Ints
    unknown_from: Ints
    unpriced_from: Ints
    region: Indices
    regions: tuple[str | None, ...]
    line: Indices
    lines: tuple[PriceLine, ...]
    loads: Indices
    load_sets: tuple[tuple[tuple[tuple[str, ...], int], ...], ...]
    site: Indices
    sites: tuple[str, ...]
    images: Indices
    listed: Mapping[str, Flags]
    dc_money: Floats
    ac_money: Floats
    tariff_money: Floats
    stay_money: Floats
    fee_money: Floats
    fee_from: Ints
    opening: Floats

    def part(self, first: int, last: int) -> "Vehicles":
        """Those of some rows, with only those holdings that they have."""
        rows = slice(first, last)
        columns: dict[str, Any] = {
            each.name: value[rows] if isinstance(value, np.ndarray) else value
            for each in fields(self)
            for value in [getattr(self, each.name)]
        }
        kept, holding = np.unique(self.holding[rows], return_inverse=True)
        here = (self.on_battery >= first) & (self.on_battery < last)
        columns["parked"] = self.parked[rows]
        columns["holding"] = holding.astype(np.int32)
        columns["holdings"] = tuple([self.holdings[index] for index in kept.tolist()])
        columns["on_battery"] = self.on_battery[here] - first
        return Vehicles(**columns)


def vehicles_of(
    fleet: Fleet, resources: Sequence[str], images: frozenset[str], *, refused: bool = False
) -> Vehicles:
    """The vehicles that take pods, as rows.

    Args:
        fleet: looked up.
        resources: those that some pod requests, in the order of the machines' columns.
        images: those of the pods of which it is known how large they are.
        refused: those that have a Node and take no pods instead.
    """
    at = fleet.snapshot.at
    reading = _Reading(fleet, tuple(resources), images)
    chosen = [
        (index, candidate, candidate.parked)
        for index, candidate in enumerate(fleet.candidates)
        if candidate.parked is not None
        and (candidate.refusal is not None) == refused
        and not (refused and candidate.node is None)
    ]
    said = np.array([reading.row(*each) for each in chosen], np.int64).reshape(-1, len(_SAID))
    raw = {name: np.ascontiguousarray(said[:, n]) for n, name in enumerate(_SAID)}
    tallies = [tally_of(candidate) for _, candidate, _ in chosen]
    paid = np.array([_money(tally) for tally in tallies], np.float64).reshape(-1, len(_MONEY))
    turns = np.array(reading.turns or [(0, 0, 0)], np.int64)[raw["turns"]]
    columns: dict[str, Any] = _limits(raw)
    columns.update((name, raw[name].astype(np.int32)) for name in _INDICES)
    columns.update((name, raw[name].astype(np.bool_)) for name in ("no_window", "attested"))
    columns.update((name, raw[name]) for name in _AS_SAID)
    columns.update((name, turns[:, n].copy()) for n, name in enumerate(_TURNS))
    columns.update((name, np.ascontiguousarray(paid[:, n])) for n, name in enumerate(_MONEY))
    fees = [PLENTY if tally is None else _within(tally.connection_from - at) for tally in tallies]
    return Vehicles(
        parked=tuple(parked for _, _, parked in chosen),
        machines=tuple(reading.machines),
        holdings=tuple(reading.holdings),
        regions=tuple(reading.regions),
        lines=tuple(reading.lines),
        load_sets=tuple(reading.load_sets),
        sites=tuple(reading.sites),
        listed={
            image: np.array([image in each for each in reading.image_sets], np.bool_)
            for image in sorted(images)
        },
        fee_from=np.array(fees, np.int64),
        **columns,
    )


_INDICES = ("candidate", "machine", "holding", "region", "line", "loads", "site", "images")
_AS_SAID = (
    "start",
    "departure",
    "efficiency_percent",
    "lone_from",
    "lone_power",
    "link_bits",
    "link_bytes",
)
_TURNS = ("on_peak_from", "unknown_from", "unpriced_from")
_SAID = (
    *_INDICES,
    "no_window",
    "attested",
    *_AS_SAID,
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
_MONEY = ("dc_money", "ac_money", "tariff_money", "stay_money", "fee_money", "opening")
_NOTHING_RUNS = (0, 0, 0, 0, 0, 0)


class _Reading:
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

    def row(self, index: int, candidate: Candidate, parked: Parked) -> tuple[int, ...]:
        """What a vehicle says, in the order of `_SAID`."""
        at, vehicle, figures, site = self._at, parked.vehicle, parked.electrics, parked.case.site
        compute, battery, link = vehicle.compute, vehicle.battery, vehicle.link
        start = start_of(candidate, at)
        machine, holding = self._resources_of(candidate, parked)
        loading = figures.plugged and bool(parked.loads)
        leaves, observed, limit = (
            parked.departure,
            vehicle.observed.battery,
            link.monthly_limit_bytes,
        )
        lone = max(start, parked.base[-1].end) - at if parked.base else start - at
        return (
            index,
            machine,
            holding,
            _number(self.regions, site.region if site else None),
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
        capacity, used, resources = candidate.capacity, candidate.used, self._resources
        whole = tuple([min(capacity.get(name, 0), PLENTY) for name in resources])
        most_power = WATT * parked.vehicle.compute.max_power_watts
        machine = _number(self.machines, (most_power, parked.electrics.efficiency_percent, whole))
        taken = tuple([min(used.get(name, 0), PLENTY) for name in resources])
        return machine, _number(self.holdings, (machine, taken))

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


def _limits(raw: Mapping[str, Ints]) -> dict[str, Any]:
    """What follows from what the vehicles said: limits of power and energy, and their draw."""
    eff, plugged, on_grid = raw["efficiency_percent"], raw["plugged"] > 0, raw["on_grid"] > 0
    standby, loading, is_charged = raw["lone_power"], raw["loading"] > 0, raw["is_charged"] > 0
    computing = np.where(raw["runs_then"] > 0, raw["base_then"], standby)

    def under(charging: Ints) -> Ints:
        """What may compute beside so much charging, which is AC, and rounded down."""
        most: Ints = ((raw["cap"] - charging + 1) * eff - 1) // FULL_PERCENT - computing
        return most

    own = raw["most_power"] - raw["pods_then"]
    own = np.where(plugged, np.minimum(own, under(np.zeros_like(own))), own)
    percent = raw["percent_watt_hours"]
    spare = (raw["charge_percent"] - raw["departure_percent"]) * percent
    kept = (raw["charge_percent"] - raw["reserve_percent"]) * percent
    slowed = on_grid & ~is_charged & (spare < 0) & (raw["charging_reported"] > 0)
    now = on_grid & is_charged & (raw["charge_now"] > 0)
    most = np.where(slowed, under(raw["charging"]), PLENTY)
    most = np.where(now, under(raw["charge_now"]), most)
    ever = on_grid & is_charged & (raw["charge_ever"] > 0)
    sure = np.where(ever, np.minimum(most, under(raw["charge_ever"])), most)
    power = np.minimum(own, most)
    battery = ~on_grid & (raw["no_window"] == 0)
    relied = battery & (raw["credit_to_departure"] >= 0)
    credit = np.where(relied, raw["credit_to_departure"], 0)
    energy = (FULL_PERCENT * (spare - raw["spent"]) + credit) // FULL_PERCENT
    reserve = (FULL_PERCENT * (kept - raw["spent"]) + credit) // FULL_PERCENT
    by_then = FULL_PERCENT * kept + np.maximum(raw["credit_to_start"], 0)
    least = np.where(is_charged, raw["charging_least"], raw["charging"])
    base, added = raw["base"], np.where(raw["runs"] > 0, 0, standby)
    busy = (base + added + np.maximum(np.minimum(power, MOST_POWER), 0)) * FULL_PERCENT // eff
    fickle = loading & is_charged & (raw["charging_most"] > least)
    fickle &= raw["charging_most"] + busy > raw["cap"]
    upside_down = battery & (raw["departure_percent"] < raw["reserve_percent"])
    return {
        "power": np.minimum(power, MOST_POWER),
        "own_power": np.minimum(own, MOST_POWER),
        "charge_power": most,
        "sure_charge_power": sure,
        "on_battery": np.flatnonzero(battery),
        "energy": np.where(battery, energy, PLENTY),
        "reserve": np.where(battery, reserve, PLENTY),
        "spared": on_grid & (by_then < 0),
        "base": base,
        "standby": added,
        "cap": np.where(loading, raw["cap"], 0),
        "charging": np.where(loading, least, 0),
        "fallible": (np.minimum(own, sure) < power) | relied | fickle | upside_down,
    }


def _money(tally: Tally | None) -> tuple[float, ...]:
    """Its rates, in the order of `_MONEY`."""
    if tally is None:
        return (0.0,) * len(_MONEY)
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
